"""A progress bar for large files, on standard error and never in the way of the output."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

LARGE = 4 << 20
"""Octets from which on a file is worth a bar."""

_REFRESH_S = 0.1
_QUIET_S = 0.5


class Bar:
    """Shows how far reading is while nothing else is shown.

    Output and bar may share a terminal, so the bar goes away before each line of output
    (:meth:`hide`) and comes back after half a second without another.

    Args:
        console: of standard error.
        total: octets to come; without a bar if there are few, not known, or the console is no terminal.
    """

    def __init__(self, console: Console, total: int | None) -> None:
        self._wanted = console.is_terminal and total is not None and total >= LARGE
        # Without threads: everything is drawn when octets come, so an interrupt finds one thread to end.
        self._progress = Progress(
            TextColumn("{task.percentage:>3.0f} %"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=total)
        self._shown = False
        self._last_output = self._last_drawn = -math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()

    def advance(self, octets: int) -> None:
        """Count octets, and draw the bar if it is time to."""
        if not self._wanted:
            return
        self._progress.advance(self._task, octets)
        now = time.monotonic()
        if now - self._last_drawn < _REFRESH_S or now - self._last_output < _QUIET_S:
            return
        self._last_drawn = now
        if not self._shown:
            self._shown = True
            self._progress.start()
        self._progress.refresh()

    def hide(self) -> None:
        """Take the bar away, because a line of output comes."""
        if not self._wanted:
            return
        self._last_output = time.monotonic()
        if self._shown:
            self._shown = False
            self._progress.stop()
