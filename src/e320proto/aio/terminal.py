"""A pseudo-terminal as an outlet: to a reader it is a serial port with an optical head on it.

The kernel keeps what is written to a pseudo-terminal until somebody opens it, so a reader that comes late would
begin with what was sent before its time. Hence a frame is only written while somebody has the port open, and
what the last reader left is thrown away when it closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import sys
from typing import Final

from e320proto.errors import TransportError

if sys.platform != "win32":
    import termios
    import tty

_CHUNK: Final = 4_096
_SPEED_INDEXES: Final = (4, 5)
"""Where ``termios`` keeps the speeds of input and output."""


class PtyOutlet:
    """The meter's end of a pseudo-terminal; made by :func:`open_pty`.

    Attributes:
        name: path of the other end, for the reader to open.
        dropped: frames that nobody could take.
    """

    def __init__(self, master: int, name: str) -> None:
        self.name = name
        self.dropped = 0
        self._master = master
        self._loop = asyncio.get_running_loop()
        self._hang_up = select.poll()
        self._hang_up.register(master, 0)  # a hang-up is told without being asked for
        self._watched = False
        self._rest = b""

    def send(self, frame: bytes) -> None:
        """Write a frame, if somebody has the port open and has read enough of the earlier ones."""
        self._see_reader()
        if not self._watched or self._rest:
            self.dropped += 1
            return
        written = self._write(frame)
        if written == 0:
            self.dropped += 1
        elif written < len(frame):
            self._rest = frame[written:]
            self._loop.add_writer(self._master, self._write_rest)

    async def close(self) -> None:
        """Close the port: readers see a hang-up."""
        if self._master >= 0:
            self._unwatch()
            os.close(self._master)
            self._master = -1

    def _see_reader(self) -> None:
        # Watched only while somebody has the port open: a loop that watches a port that hung up never sleeps.
        if self._master < 0 or any(event & select.POLLHUP for _, event in self._hang_up.poll(0)):
            self._reader_left()
        elif not self._watched:
            self._watched = True
            self._loop.add_reader(self._master, self._read)

    def _read(self) -> None:
        """Take what the reader sends, which means nothing to the optical port, and see it leave."""
        try:
            left = not os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # how Linux tells that nobody has the port open
            left = True
        if left:
            self._reader_left()

    def _write(self, octets: bytes) -> int:
        try:
            return os.write(self._master, octets)
        except OSError:  # full; or nobody is there any more, which the next look at the port tells
            return 0

    def _write_rest(self) -> None:
        self._rest = self._rest[self._write(self._rest) :]
        if not self._rest:
            self._loop.remove_writer(self._master)

    def _unwatch(self) -> None:
        if self._watched:
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
        self._watched = False

    def _reader_left(self) -> None:
        if not self._watched:
            return
        self._unwatch()
        if self._rest:
            self._rest = b""
            self.dropped += 1
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._master, termios.TCOFLUSH)
            other_end = os.open(self.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                termios.tcflush(other_end, termios.TCIFLUSH)
                configure(other_end)  # the reader may have left it with an echo
            finally:
                os.close(other_end)


def configure(port: int) -> None:
    """Set 9600 8N1 without echo, lines or any other treatment of octets."""
    tty.setraw(port)
    attributes = termios.tcgetattr(port)
    for index in _SPEED_INDEXES:
        attributes[index] = termios.B9600
    termios.tcsetattr(port, termios.TCSANOW, attributes)


def new_pty() -> tuple[int, int]:
    """Open both ends of a pseudo-terminal; the first one never makes its reader or writer wait.

    Raises:
        TransportError: the system has no more of them, or none at all.
    """
    if sys.platform == "win32":
        msg = "pseudo-terminal: expected a Unix system, found Windows; a TCP port does the same"
        raise TransportError(msg)
    try:
        main, other_end = os.openpty()
    except OSError as error:
        msg = f"pseudo-terminal: expected a free one, found none ({error.strerror})"
        raise TransportError(msg) from error
    os.set_blocking(main, False)
    return main, other_end


async def open_pty() -> PtyOutlet:
    """Make a pseudo-terminal, 9600 8N1.

    Frames are dropped while nobody has it open. Readers may come, go, and come again.

    Raises:
        TransportError: the system has no more of them, or none at all.
    """
    main, other_end = new_pty()
    try:
        name = os.ttyname(other_end)
        configure(other_end)
    finally:
        os.close(other_end)  # from now on the port tells whether a reader has it open
    return PtyOutlet(main, name)
