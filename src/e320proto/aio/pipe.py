"""Pipes: octets both ways over whatever a bus is on, opened by URL.

=================================  ==============================================================
URL                                what
=================================  ==============================================================
``/dev/ttyUSB0``, ``COM3``         a serial port, 8N1, with the bit rate of the profile
``serial:/dev/ttyUSB0?baud=9600``  the same, with another bit rate
``rs485:/dev/ttyS1``               the same, and the kernel's driver switches the direction of RS-485
``pty:``                           a new pseudo-terminal; ``name`` is what the other end opens
``tcp://host:port``                connects; ``socket://`` is the same
``tcp-listen://host:port``         is connected to: all who do are on one bus
``rfc2217://host:port?baud=9600``  a serial port of another machine
``file:recording?speed=max``       replays a recording or any capture; without ``speed`` as fast as it came
``memory:name?noise=1e-4&seed=7``  a bus within this event loop, for all who open that name
=================================  ==============================================================

What stands behind a ``#`` is a name for people, which also tells lines of one server apart: ``tcp://host:port#hall``.

An adapter between RS-485 and USB switches the direction by itself, so ``serial:`` is right for it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from e320proto.aio.file_pipe import open_file_pipe
from e320proto.aio.memory_pipe import MemoryPipe
from e320proto.aio.pty_pipe import open_pty_pipe
from e320proto.aio.rfc2217_pipe import open_rfc2217_pipe
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
_FORMS: Final = (
    "a path, serial:PATH, rs485:PATH, pty:, tcp://HOST:PORT, tcp-listen://HOST:PORT, rfc2217://HOST:PORT, file:PATH "
    "or memory:NAME"
)
_HOSTED: Final = {"tcp", "tcp-listen", "rfc2217"}
_TARGETS: Final = {"serial": True, "rs485": True, "file": True, "memory": True, "pty": False}
"""Whether something stands behind the colon."""
_OPTIONS: Final = {
    "serial": {"baud"},
    "rs485": {"baud"},
    "rfc2217": {"baud"},
    "file": {"baud", "speed"},
    "memory": {"noise", "loss", "seed"},
}
_RANGES: Final = {"baud": (1, 10e6), "seed": (0, 1e15), "speed": (1e-3, 1e6)}


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

    def pause(self) -> None:
        """Leave octets where they are, until :meth:`resume`."""

    def resume(self) -> None:
        """Go on listening."""

    async def close(self) -> None:
        """Give back what was opened."""


@dataclass(frozen=True, slots=True)
class PipeUrl:
    """A URL that :func:`open_pipe` knows, taken apart.

    Args:
        text: as given.
        scheme: ``serial`` also for a path.
        target: path, name, or empty.
        options: by name.
        host: of a connection.
        port: of a connection.
    """

    text: str
    scheme: str
    target: str = ""
    options: dict[str, float] = field(default_factory=dict)
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> PipeUrl:
        """Read a URL; a port of the system, or somebody at an address, is not looked for.

        Raises:
            TransportError: none of the forms of this module.

        >>> PipeUrl.parse("serial:/dev/ttyUSB0?baud=9600")
        PipeUrl(text='serial:/dev/ttyUSB0?baud=9600', scheme='serial', target='/dev/ttyUSB0', options={'baud': 9600.0},\
 host='', port=0)
        >>> PipeUrl.parse("udp://127.0.0.1:1")
        Traceback (most recent call last):
        ...
        e320proto.errors.TransportError: udp://127.0.0.1:1: expected a path, serial:PATH, rs485:PATH, pty:,\
 tcp://HOST:PORT, tcp-listen://HOST:PORT, rfc2217://HOST:PORT, file:PATH or memory:NAME, found another form
        """
        if text.startswith(("/", "./", "../")) or _WINDOWS_PORT.fullmatch(text):
            return cls(text, "serial", text)
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
            (host or "").encode("idna")  # as the resolver does, which raises what nobody expects of it
            found = parse_qsl(parts.query, strict_parsing=bool(parts.query))
        except ValueError as error:
            raise _refused(text, _FORMS, f"{error}") from None
        scheme = "tcp" if parts.scheme == "socket" else parts.scheme
        takes = _TARGETS.get(scheme)
        if scheme in _HOSTED:
            if host is None or port is None or parts.path:
                expected = f"HOST:PORT with a port of 0 to 65535 behind {parts.scheme}://"
                raise _refused(text, expected, "another form")
        elif takes is None or takes != bool(parts.path) or parts.netloc or "%00" in parts.path:
            raise _refused(text, _FORMS, "another form")
        options = {name: _option(text, scheme, name, value) for name, value in found}
        return cls(text, scheme, unquote(parts.path), options, host or "", port or 0)


def is_replay(url: str) -> bool:
    """Whether a URL names a recording, which can wait for who takes it, and is the same whenever it is opened."""
    return url.startswith("file:")


def _option(text: str, scheme: str, name: str, value: str) -> float:
    known = _OPTIONS.get(scheme, set())
    if name not in known:
        raise _refused(text, f"options out of {', '.join(sorted(known)) or 'none'}", name)
    if name == "speed" and value == "max":
        return math.inf
    least, most = _RANGES.get(name, (0, 1))
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise _refused(text, f"{name} of {least:g} to {most:g}", value)
    return number


async def open_pipe(url: str | PipeUrl, *, baud: int = LMN_BAUD) -> Pipe:  # noqa: PLR0911 - one for each form
    """Open a pipe.

    Args:
        url: as the module says.
        baud: bit rate of a serial port, or of a replay, whose URL has none.

    Raises:
        TransportError: a URL of no such form; no such device, no permission, nobody there.

    >>> import asyncio
    >>> asyncio.run(open_pipe("/dev/ttyUSB99"))
    Traceback (most recent call last):
    ...
    e320proto.errors.TransportError: /dev/ttyUSB99: expected a serial port, found no such device; is it plugged in?
    """
    what = PipeUrl.parse(url) if isinstance(url, str) else url
    rate = int(what.options.get("baud", baud))
    match what.scheme:
        case "serial" | "rs485":
            return open_serial_pipe(what.target, rate, rs485=what.scheme == "rs485")
        case "pty":
            return open_pty_pipe()
        case "file":
            return open_file_pipe(what.target, speed=what.options.get("speed"), baud=rate)
        case "memory":
            seed, noise, loss = (what.options.get(name, 0.0) for name in ("seed", "noise", "loss"))
            return MemoryPipe(what.target, noise=noise, loss=loss, seed=int(seed))
        case "tcp-listen":
            return await listen_tcp(what.host, what.port)
        case "rfc2217":
            return await open_rfc2217_pipe(what.host, what.port, rate)
        case _:
            return await connect_tcp(what.host, what.port)


def _refused(url: str, expected: str, found: str) -> TransportError:
    return TransportError(f"{url}: expected {expected}, found {found}")
