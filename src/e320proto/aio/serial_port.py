"""Serial ports: an optical head as an outlet, a bus as a pipe."""

from __future__ import annotations

import asyncio
import errno
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from e320proto.aio.room import Room
from e320proto.aio.stream_pipe import StreamPipe
from e320proto.errors import TransportError

if TYPE_CHECKING:
    from serial_asyncio_fast import SerialTransport

_BAUD: Final = 9_600
_TTY_GROUP: Final = "dialout"
_FAULTS: tuple[type[Exception], ...] = (OSError, ValueError)
if sys.platform != "win32":
    import termios

    _FAULTS = (
        *_FAULTS,
        termios.error,
    )  # no OSError, and pyserial lets it pass when a port vanishes at the wrong moment


class _Line(asyncio.Protocol):
    """The connection to the port: nothing is read, and its loss is remembered."""

    def __init__(self) -> None:
        self.lost = False
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc is not None
        self.closed.set_result(None)


class SerialOutlet:
    """Frames to a serial port; made by :func:`open_serial`.

    Attributes:
        name: the port.
        dropped: frames that the port was too slow for: 9600 baud take three or four in a second.
    """

    def __init__(self, name: str, transport: SerialTransport, line: _Line, room: Room) -> None:
        self.name = name
        self.dropped = 0
        self._room = room
        self._transport = transport
        self._line = line

    def send(self, frame: bytes) -> None:
        """Write a frame if the one before is gone.

        Raises:
            TransportError: the device vanished.
        """
        if self._line.lost:
            msg = f"{self.name}: expected the serial port that was opened, found that it vanished; was it unplugged?"
            raise TransportError(msg)
        # Into a port that is full, pyserial writes until it is not.
        if self._transport.is_closing() or self._transport.get_write_buffer_size() or not self._room:
            self.dropped += 1
        else:
            self._transport.write(frame)

    async def close(self) -> None:
        """Close the port; a frame that is being sent is cut."""
        if not self._transport.is_closing():
            self._transport.abort()
        await asyncio.shield(self._line.closed)  # the transport ends it, also when nobody waits


async def open_serial(port: str) -> SerialOutlet:
    """Open a serial port, 9600 8N1, for this program alone.

    Args:
        port: path or name of the device, ``/dev/ttyUSB0`` or ``COM3``.

    Raises:
        TransportError: there is no such device, this user may not open it, or another program uses it.
    """
    line = _Line()
    transport, room = _opened(port, _BAUD, line)
    return SerialOutlet(port, transport, line, room)


def open_serial_pipe(port: str, baud: int, *, rs485: bool = False) -> StreamPipe:
    """Open a serial port for both directions, 8N1, for this program alone.

    Args:
        port: path or name of the device.
        baud: bit/s.
        rs485: whether the driver of the port is to switch the direction of an RS-485 transceiver.

    Raises:
        TransportError: as for :func:`open_serial`; the port has no such driver, or not this bit rate.
    """
    pipe = StreamPipe(port, "expected the serial port that was opened, found that it vanished; was it unplugged?")
    transport, _ = _opened(port, baud, pipe, rs485=rs485)
    pipe.connection_made(transport)  # at once, so that it can be used
    return pipe


def _opened(port: str, baud: int, line: asyncio.Protocol, *, rs485: bool = False) -> tuple[SerialTransport, Room]:
    from serial import Serial  # noqa: PLC0415 - only those who have a serial port wait for it to be loaded
    from serial.rs485 import RS485Settings  # noqa: PLC0415

    try:
        device = Serial(port, baud, exclusive=True)
    except _FAULTS as error:
        raise TransportError(_refusal(error, port)) from error
    try:
        if rs485:
            device.rs485_mode = RS485Settings()
    except _FAULTS as error:
        device.close()
        found = "one that cannot; an adapter that does it by itself is opened as serial:"
        msg = f"{port}: expected a port whose driver switches the direction of RS-485, found {found}"
        raise TransportError(msg) from error
    try:
        return _transport()(asyncio.get_running_loop(), line, device), Room(device.fileno())
    except _FAULTS as error:  # the transport sets the port once more, and it may be gone by now
        device.close()
        raise TransportError(_refusal(error, port)) from error


@cache
def _transport() -> type[SerialTransport]:
    """The transport of serial ports, without three faults; once, because a class is not given back soon."""
    from serial_asyncio_fast import SerialTransport  # noqa: PLC0415 - as above

    class _Transport(SerialTransport):
        def _fatal_error(self, exc: BaseException, message: str = "") -> None:  # noqa: ARG002 - the inherited signature
            # The inherited one reports to the handler of the loop as well, as if it was a mistake of the program.
            self._abort(exc)

        def _abort(self, exc: BaseException | None) -> None:
            # The inherited one has a task tell of the loss. With all tasks cancelled, as at the end of a program,
            # nobody is told, and who waits for it waits for ever.
            cause = exc if isinstance(exc, Exception) else None
            if not self._closing:
                self._closing = True
                self._remove_reader()
                self._remove_writer()
                self._write_buffer.clear()
                closing = self._loop.run_in_executor(None, self._serial.close)
                closing.add_done_callback(lambda _: self._protocol.connection_lost(cause))

        def _close(self, exc: BaseException | None = None) -> None:
            self._abort(exc)  # nothing that is left to write is worth waiting for

        def _write_ready(self) -> None:
            super()._write_ready()
            # The inherited one goes on asking for room when nothing is left to write.
            if not self.get_write_buffer_size():
                self._remove_writer()

    return _Transport


def _refusal(error: Exception, port: str) -> str:
    """Say in words why a port could not be opened."""
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return f"{port}: expected a serial port, found no such device; is it plugged in?"
        case errno.EACCES | errno.EPERM:
            group = _group(port)
            return (
                f"{port}: expected a serial port that this user may open, found no permission; "
                f"join the group that owns it: sudo usermod -aG {group} $USER, then log in again"
            )
        case errno.EBUSY | errno.EAGAIN:
            return f"{port}: expected a serial port that is free, found it in use by another program"
        case _:
            return f"{port}: expected a serial port, found something else ({error})"


def _group(port: str) -> str:
    try:
        return Path(port).group()
    except (OSError, KeyError, NotImplementedError):  # no such file, no name for its group, Windows
        return _TTY_GROUP
