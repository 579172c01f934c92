"""Pipes: octets both ways over whatever a bus is on, opened by URL.

=================================  ==============================================================
URL                                what
=================================  ==============================================================
``/dev/ttyUSB0``, ``COM3``         a serial port, 8N1, with the bit rate of the profile
``serial:/dev/ttyUSB0?baud=9600``  the same, with another bit rate
``rs485:/dev/ttyS1``               the same, and the kernel's driver switches the direction of RS-485
``pty:``                           a new pseudo-terminal; ``name`` is what the other end opens
``tcp://host:port``                connects
``tcp-listen://host:port``         is connected to: all who do are on one bus
``memory:name?noise=1e-4&seed=7``  a bus within this event loop, for all who open that name
=================================  ==============================================================

An adapter between RS-485 and USB switches the direction by itself, so ``serial:`` is right for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from e320proto.aio.memory_pipe import MemoryPipe
from e320proto.aio.pty_pipe import open_pty_pipe
from e320proto.aio.serial_port import open_serial_pipe
from e320proto.aio.tcp_pipe import connect_tcp, listen_tcp
from e320proto.errors import TransportError
from e320proto.lmn.profile import LmnProfile

if TYPE_CHECKING:
    from collections.abc import Callable

LMN_BAUD: Final = LmnProfile().baud_rate
SOFT_PROFILE: Final = LmnProfile(reply_max_s=0.5, response_timeout_s=1.0, slot_length_s=0.095, window_slack_s=0.1)
"""Times that programs can keep where nothing collides: on TCP, pseudo-terminals and in memory.

Timers of an operating system are late by milliseconds, on a busy machine by tens of them, and a network adds its own.
So replies and answers may come that much later, slots begin where they always do, and the gateway waits longer. Its
gateway works with meters that keep to their times as well, and loses nothing but some time where one of them is gone.
On a wire that meters share, theirs is :class:`~e320proto.lmn.profile.LmnProfile`: an answer that is late is not sent,
because it would destroy that of another one, and the next broadcast is answered instead.
"""

_WINDOWS_PORT: Final = re.compile(r"(?:\\\\\.\\)?COM[0-9]+", re.IGNORECASE)
_FORMS: Final = "a path, serial:PATH, rs485:PATH, pty:, tcp://HOST:PORT, tcp-listen://HOST:PORT or memory:NAME"
_OPTIONS: Final = {
    "serial": {"baud"},
    "rs485": {"baud"},
    "memory": {"noise", "loss", "seed"},
}


class Pipe(Protocol):
    """Octets both ways. What is heard is told at once, so that it can be dated."""

    @property
    def name(self) -> str:
        """What the other end opens or connects to."""

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:
        """Begin to listen.

        Args:
            heard: is told octets.
            lost: is told, once, that the pipe is gone for good; not after :meth:`close`.
        """

    def send(self, data: bytes) -> None:
        """Send octets. It never waits; what nobody can take is dropped, as on a bus."""

    async def close(self) -> None:
        """Give back what was opened."""


async def open_pipe(url: str, *, baud: int = LMN_BAUD) -> Pipe:
    """Open a pipe.

    Args:
        url: as the module says.
        baud: bit rate of a serial port whose URL has none.

    Raises:
        TransportError: a URL of no such form; no such device, no permission, nobody there.

    >>> import asyncio
    >>> asyncio.run(open_pipe("udp://127.0.0.1:1"))
    Traceback (most recent call last):
    ...
    e320proto.errors.TransportError: udp://127.0.0.1:1: expected a path, serial:PATH, rs485:PATH, pty:, tcp://HOST:PORT,\
 tcp-listen://HOST:PORT or memory:NAME, found another form
    """
    scheme, target, options = _parsed(url)
    match scheme:
        case "serial" | "rs485" if target:
            return open_serial_pipe(target, int(options.get("baud", baud)), rs485=scheme == "rs485")
        case "pty" if not target:
            return open_pty_pipe()
        case "memory" if target:
            seed, noise, loss = (options.get(name, 0.0) for name in ("seed", "noise", "loss"))
            return MemoryPipe(target, noise=noise, loss=loss, seed=int(seed))
        case "tcp":
            return await connect_tcp(*_address(url))
        case "tcp-listen":
            return await listen_tcp(*_address(url))
        case _:
            raise _refused(url, _FORMS, "another form")


def _parsed(url: str) -> tuple[str, str, dict[str, float]]:
    if url.startswith(("/", "./", "../")) or _WINDOWS_PORT.fullmatch(url):
        return "serial", url, {}
    try:
        parts = urlsplit(url)
        options = {name: float(value) for name, value in parse_qsl(parts.query, strict_parsing=bool(parts.query))}
    except ValueError as error:
        raise _refused(url, _FORMS, f"{error}") from None
    known = _OPTIONS.get(parts.scheme, set())
    for name, value in options.items():
        if name not in known:
            raise _refused(url, f"options out of {', '.join(sorted(known)) or 'none'}", name)
        least, most = {"baud": (1, 10e6), "seed": (0, 1e15)}.get(name, (0, 1))
        if not least <= value <= most:
            raise _refused(url, f"{name} of {least:g} to {most:g}", f"{value:g}")
    return parts.scheme, parts.path, options


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None or parts.path:
        raise _refused(url, "HOST:PORT with a port of 0 to 65535 behind tcp:// or tcp-listen://", "another form")
    return host, port


def _refused(url: str, expected: str, found: str) -> TransportError:
    return TransportError(f"{url}: expected {expected}, found {found}")
