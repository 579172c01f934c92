"""Lines for a program that may be slow to read them."""

from __future__ import annotations

import os
import queue
from threading import Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT: Final = 10_000
"""Lines that wait for a slow reader: some hours of one meter, some 20 megabytes."""
_CLOSING_S: Final = 2.0


class LineWriter:
    """Writes each line at once, in a thread of its own: who reads slowly holds up nobody else.

    Args:
        fd: number of the open file.
        failed: is told, in that thread, why nothing can be written: a :class:`BrokenPipeError` if nobody reads.
        limit: how many lines may wait; more are dropped.

    Attributes:
        dropped: lines that were dropped.
    """

    def __init__(self, fd: int, failed: Callable[[OSError], object], limit: int = LIMIT) -> None:
        self.dropped = 0
        self._fd = fd
        self._failed = failed
        self._lines: queue.Queue[bytes | None] = queue.Queue(limit)
        self._thread = Thread(target=self._write_all, name="writes lines", daemon=True)
        self._thread.start()

    def write(self, line: str) -> bool:
        """Write a line, or drop it if too many wait; tell which."""
        try:
            self._lines.put_nowait(f"{line}\n".encode())
        except queue.Full:
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Write what waits, but wait for a reader that does not read no longer than two seconds."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(_CLOSING_S)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                while line:
                    line = line[os.write(self._fd, line) :]
            except OSError as error:
                self._failed(error)
                return
