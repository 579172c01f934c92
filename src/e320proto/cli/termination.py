"""SIGTERM, as a service or ``kill`` sends it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Final

TERMINATED: Final = 128 + signal.SIGTERM
"""Exit status of a command that was terminated."""


def cancel_when_terminated() -> None:
    """Have SIGTERM cancel the task that runs now, so that all it has opened is closed; not on Windows."""
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
