"""A pseudo-terminal as a pipe: to the program at its other end it is a serial port with a bus behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

from e320proto.aio.terminal import configure, new_pty

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.errors import TransportError

_CHUNK: Final = 65_536


class PtyPipe:
    """This end of a pseudo-terminal; made by :func:`open_pty_pipe`.

    The other end is kept open here as well, so that a program may leave and come again. What nobody reads fills the
    kernel's buffer and is dropped then.

    Attributes:
        name: path of the other end.
    """

    def __init__(self, main: int, other_end: int) -> None:
        self.name = os.ttyname(other_end)
        self._main, self._other_end = main, other_end
        self._loop = asyncio.get_running_loop()
        self._heard: Callable[[bytes], None] | None = None

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:  # noqa: ARG002 - as long as both ends are open
        """Begin to listen."""
        self._heard = heard
        self._loop.add_reader(self._main, self._read)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            octets = os.read(self._main, _CHUNK)
            if self._heard is not None:
                self._heard(octets)

    def send(self, data: bytes) -> None:
        """Write octets, as far as there is room."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._main, data)

    def pause(self) -> None:
        """Leave octets in the kernel's buffer, until :meth:`resume`."""
        if self._main >= 0:
            self._loop.remove_reader(self._main)

    def resume(self) -> None:
        """Go on listening."""
        if self._main >= 0:
            self._loop.add_reader(self._main, self._read)

    async def close(self) -> None:
        """Close the port: the other end sees a hang-up."""
        if self._main >= 0:
            self._loop.remove_reader(self._main)
            os.close(self._main)
            os.close(self._other_end)
            self._main = -1


def open_pty_pipe() -> PtyPipe:
    """Make a pseudo-terminal.

    Raises:
        TransportError: the system has no more of them, or none at all.
    """
    main, other_end = new_pty()
    if sys.platform != "win32":
        configure(other_end)
    return PtyPipe(main, other_end)
