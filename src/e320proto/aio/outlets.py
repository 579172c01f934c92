"""Where the pushes of a meter go: pseudo-terminals, TCP ports, serial ports, streams.

============================  ==========================================  ============================================
outlet                        a reader                                    frames are dropped
============================  ==========================================  ============================================
:func:`open_pty`              opens ``name`` as a serial port             while nobody has it open; while it is full
:func:`open_tcp`              connects to ``name``; all get all frames    without clients; for a client that is slow
:func:`open_tcp_each`         connects, and gets a meter of its own       the same
:func:`open_serial`           is at the other end of the wire             faster than 9600 baud
:class:`StreamOutlet`         reads the file or the pipe                  while the pipe is full
============================  ==========================================  ============================================

Sending never waits, and a frame is dropped as a whole: no reader ever sees a part of one.
"""

from __future__ import annotations

from typing import BinaryIO, Protocol

from e320proto.aio.room import Room
from e320proto.aio.serial_port import SerialOutlet, open_serial
from e320proto.aio.tcp import TcpOutlet, TcpOutlets, open_tcp, open_tcp_each
from e320proto.aio.terminal import PtyOutlet, open_pty
from e320proto.errors import TransportError

__all__ = [
    "Outlet",
    "PtyOutlet",
    "SerialOutlet",
    "StreamOutlet",
    "TcpOutlet",
    "TcpOutlets",
    "open_pty",
    "open_serial",
    "open_tcp",
    "open_tcp_each",
]


class Outlet(Protocol):
    """Where pushes go."""

    @property
    def name(self) -> str:
        """What a user connects to: ``/dev/pts/3``, ``127.0.0.1:7000``."""

    @property
    def dropped(self) -> int:
        """Frames that nobody could take: no reader, or one that is too slow."""

    def send(self, frame: bytes) -> None:
        """Send a frame at once, or drop it.

        Raises:
            TransportError: what was opened is gone for good: an adapter unplugged, a pipe without a reader.
        """

    async def close(self) -> None:
        """Give back what was opened."""


class StreamOutlet:
    """Frames into a binary stream: a file, a pipe, ``sys.stdout.buffer``.

    It stays open: who opened it closes it. A pipe takes a frame at once or not at all, up to the 4,096 octets that
    Linux promises.

    Args:
        stream: what to write to; flushed after each frame.
        name: what to call it; its own name if it has one.

    >>> import io
    >>> stream = io.BytesIO()
    >>> StreamOutlet(stream).send(b"frame")
    >>> stream.getvalue()
    b'frame'
    """

    def __init__(self, stream: BinaryIO, name: str = "") -> None:
        self.name = name or str(getattr(stream, "name", "stream"))
        self.dropped = 0
        self._stream = stream
        try:
            self._room: Room | bool = Room(stream.fileno())
        except OSError:  # a stream in memory
            self._room = True

    def send(self, frame: bytes) -> None:
        """Write a frame if the stream has room for it.

        Raises:
            TransportError: nobody reads the pipe any more, the disk is full.
        """
        if not self._room:
            self.dropped += 1
            return
        try:
            self._stream.write(frame)
            self._stream.flush()
        except (OSError, ValueError) as error:  # the latter for a stream that was closed
            msg = f"{self.name}: expected a stream that takes octets, found: {error}"
            raise TransportError(msg) from error

    async def close(self) -> None:
        """Leave the stream as it is."""
