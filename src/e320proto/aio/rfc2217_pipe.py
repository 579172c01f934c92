"""A serial port of another machine, after RFC 2217: a telnet connection that also sets the bit rate.

pyserial speaks that protocol with threads of its own; one more takes the octets to the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Final

from e320proto.aio.tcp import named
from e320proto.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serial.rfc2217 import Serial

_POLL_S: Final = 0.1


class Rfc2217Pipe:
    """A remote port that is open; made by :func:`open_rfc2217_pipe`.

    Attributes:
        name: its URL.
    """

    def __init__(self, name: str, port: Serial) -> None:
        self.name = name
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._heard: Callable[[bytes], None] | None = None
        self._lost: Callable[[TransportError], None] | None = None
        self._open = threading.Event()  # cleared while paused, so that the thread waits
        self._open.set()
        self._closed = False
        self._thread = threading.Thread(target=self._read, name=f"reads {name}", daemon=True)

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:
        """Begin to listen."""
        self._heard, self._lost = heard, lost
        self._thread.start()

    def _read(self) -> None:
        """In the thread: pass on what comes."""
        from serial import SerialException  # noqa: PLC0415 - as in open_rfc2217_pipe

        error: Exception | None = None
        while not self._closed:
            self._open.wait()
            try:
                octets = self._port.read(1)
                octets += self._port.read(self._port.in_waiting)
            except (OSError, SerialException) as raised:
                error = raised
                break
            if octets:
                self._tell(self._hear, octets)
        if error is not None:
            self._tell(self._tell_lost, error)

    def _tell(self, tell: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended without closing the pipe
            self._loop.call_soon_threadsafe(tell, *args)

    def _hear(self, octets: bytes) -> None:
        if self._heard is not None:
            self._heard(octets)

    def _tell_lost(self, error: Exception) -> None:
        if self._lost is not None:
            lost, self._lost = self._lost, None
            lost(TransportError(f"{self.name}: expected the port that was opened, found that it is gone ({error})"))

    def send(self, data: bytes) -> None:
        """Send octets; what a port that is gone does not take is dropped."""
        with contextlib.suppress(OSError):
            self._port.write(data)

    def pause(self) -> None:
        """Leave octets where they are, until :meth:`resume`; those that are on their way still come."""
        self._open.clear()

    def resume(self) -> None:
        """Go on listening."""
        self._open.set()

    async def close(self) -> None:
        """End the connection."""
        self._heard = self._lost = None
        self._closed = True
        self._open.set()
        await asyncio.shield(self._loop.run_in_executor(None, self._end))

    def _end(self) -> None:
        if self._thread.is_alive():
            self._thread.join()
        self._port.close()


async def open_rfc2217_pipe(host: str, port: int, baud: int) -> Rfc2217Pipe:
    """Open a serial port of another machine, 8N1.

    Args:
        host: that machine.
        port: TCP port on which it offers the serial port.
        baud: bit/s.

    Raises:
        TransportError: nobody there, or one who does not speak RFC 2217.
    """
    url = f"rfc2217://{named(host, port)}"
    unwanted = threading.Event()
    opening = asyncio.get_running_loop().run_in_executor(None, _opened, url, baud, unwanted)
    try:
        opened = await asyncio.shield(opening)
    except asyncio.CancelledError:
        unwanted.set()
        opening.add_done_callback(_close_unwanted)
        raise
    return Rfc2217Pipe(url, opened)


def _opened(url: str, baud: int, unwanted: threading.Event) -> Serial:
    from serial import SerialException  # noqa: PLC0415 - only those who have such a port wait for it to be loaded
    from serial.rfc2217 import Serial  # noqa: PLC0415

    if unwanted.is_set():  # it has waited for a thread for too long; the next ones need it
        msg = f"{url}: expected somebody who still wants it, found nobody"
        raise TransportError(msg)
    try:
        return Serial(url, baud, timeout=_POLL_S)
    except (OSError, SerialException, ValueError) as error:
        msg = f"{url}: expected a serial port that is offered there after RFC 2217, found: {error}"
        raise TransportError(msg) from error


def _close_unwanted(opening: asyncio.Future[Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        threading.Thread(target=opening.result().close, daemon=True).start()
