"""Recordings become tables in a process of their own, one after the other, so that reading goes on meanwhile."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from e320proto.cli.meter_setup import UnusableError
from e320proto.errors import TransportError
from e320proto.live.journal import make_tables
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e320proto.live.journal import Tables

_NEEDED: Final = ("numba", "numpy", "pyarrow")


def need_tables() -> None:
    """See that tables can be made.

    Raises:
        UnusableError: a library is missing.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            msg = f"--format parquet needs the extra 'archive' ({name} is missing): pip install e320proto[archive]"
            raise UnusableError(msg)


class TableMaker:
    """Makes tables of journals.

    Args:
        say: is told what was made, and what could not be.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._waiting: asyncio.Queue[Path | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._make_all(), name="makes tables")

    def add(self, journal: Path) -> None:
        """Make tables of a journal, when it is its turn."""
        self._waiting.put_nowait(journal)

    async def close(self) -> None:
        """Wait until all are made; who does not want to wait finds them made when recording begins again."""
        self._waiting.put_nowait(None)
        try:
            await self._task
        finally:
            self._task.cancel()

    async def _make_all(self) -> None:
        while (journal := await self._waiting.get()) is not None:
            try:
                made = await asyncio.to_thread(_make_apart, journal)
            except BrokenProcessPool:
                self._say(f"{journal}: expected to make tables of it, found that the process was ended; it stays")
            except TransportError as error:
                self._say(f"{error}")
            else:
                if made is not None:
                    trouble = f", {plural(made.trouble, 'row')} of trouble" if made.trouble else ""
                    self._say(f"{made.path}: {plural(made.rows, 'row')}{trouble}")


def _make_apart(journal: Path) -> Tables | None:
    """Make tables in a new process, whose memory is given back."""
    # Ctrl-C is for the process that started it.
    pool = ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    )
    with pool:
        return pool.submit(make_tables, journal).result()
