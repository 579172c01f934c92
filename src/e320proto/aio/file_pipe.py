"""A recording as a pipe: what was heard is heard again, as fast as it came, or faster."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from e320proto.errors import EndOfReplay, TransportError
from e320proto.live.recording import read_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

_MOST: Final = 1 << 14
"""Octets that are told at once."""
_PIECE_S: Final = 0.05
"""Octets without a time come in pieces that take so long on the line."""
_BITS: Final = 10
"""Of an octet on a serial line, with start and stop."""


class FilePipe:
    """A recording that is replayed; made by :func:`open_file_pipe`.

    What comes due while it is paused is told when it goes on, so nothing is lost. At its end it is lost with
    :class:`~e320proto.errors.EndOfReplay`.

    Attributes:
        name: path of the recording.
    """

    def __init__(self, name: str, pieces: Iterator[tuple[float | None, bytes]], speed: float, baud: int) -> None:
        self.name = name
        self._pieces = _dated(pieces, speed, baud)
        self._next: tuple[float, bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._paused = False
        self._heard: Callable[[bytes], None] | None = None
        self._lost: Callable[[TransportError], None] | None = None
        self._begun_at = 0.0

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:
        """Begin to replay."""
        self._heard, self._lost = heard, lost
        self._begun_at = self._loop.time()
        self._go_on()

    def send(self, data: bytes) -> None:
        """Drop octets: nobody hears them."""

    def pause(self) -> None:
        """Tell nothing, until :meth:`resume`."""
        self._paused = True
        self._stop()

    def resume(self) -> None:
        """Go on, with what came due meanwhile."""
        self._paused = False
        self._go_on()

    async def close(self) -> None:
        """End the replay."""
        self._heard = self._lost = None
        self._stop()
        self._pieces.close()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        """Come again when the next octets are due."""
        if self._paused or self._timer is not None or self._heard is None:
            return
        if self._next is None:
            self._timer = self._loop.call_soon(self._replay)
        else:
            self._timer = self._loop.call_at(self._begun_at + self._next[0], self._replay)

    def _replay(self) -> None:
        """Tell all that is due."""
        self._timer = None
        octets = bytearray()
        error: TransportError | None = None
        now_s = self._loop.time() - self._begun_at
        try:
            while len(octets) < _MOST:
                self._next = self._next or next(self._pieces)
                if self._next[0] > now_s:
                    break
                octets += self._next[1]
                self._next = None
        except StopIteration:
            error = EndOfReplay(f"{self.name}: the recording is at its end")
        except TransportError as found:
            error = found
        if octets and self._heard is not None:
            self._heard(bytes(octets))
        if error is None:
            self._go_on()
        elif self._lost is not None:
            lost, self._lost, self._heard = self._lost, None, None
            lost(error)


def _dated(pieces: Iterator[tuple[float | None, bytes]], speed: float, baud: int) -> Generator[tuple[float, bytes]]:
    """Say after how many seconds of the replay octets are due.

    >>> list(_dated(iter([(5.0, b"a"), (7.0, b"b"), (1.0, b"c"), (2.0, b"d")]), 2, 9600))
    [(0.0, b'a'), (1.0, b'b'), (1.0, b'c'), (1.5, b'd')]
    """
    due_s, before = 0.0, None
    size = max(1, int(baud * _PIECE_S / _BITS))
    for at, octets in pieces:
        if math.isinf(speed):
            yield 0.0, octets
        elif at is None:
            for begin in range(0, len(octets), size):
                piece = octets[begin : begin + size]
                due_s += len(piece) * _BITS / baud / speed
                yield due_s, piece
        else:
            if before is not None:
                due_s += max(0.0, at - before) / speed  # a clock that was set back takes no time
            yield due_s, octets
        before = at


def open_file_pipe(path: str, *, speed: float | None, baud: int) -> FilePipe:
    """Open a recording, or any capture, to replay it.

    Args:
        path: as for :func:`~e320proto.live.recording.read_recording`.
        speed: seconds of the recording in a second; ``None`` for 1, infinity for as fast as it is taken.
        baud: bit rate at which octets without times come.

    Raises:
        TransportError: no such file, or it cannot be read.
    """
    return FilePipe(path, read_recording(path), 1.0 if speed is None else speed, baud)
