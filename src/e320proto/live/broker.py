"""Where an MQTT broker is, how to be let in, and what happens to the connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from urllib.parse import unquote, urlsplit

from e320proto.errors import DecodeError, TransportError

if TYPE_CHECKING:
    from pathlib import Path

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_FORM: Final = "mqtt://[USER[:PASSWORD]@]HOST[:PORT], or mqtts:// for TLS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """An MQTT broker; its text never shows who logs in.

    Args:
        host: name or address.
        port: 1 to 65535.
        tls: whether the connection is secured, and the certificate of the broker checked.
        username: to log in with.
        password: to log in with.
        ca: certificates that are trusted, PEM; those of the system if not given.
        certificate: of this client, PEM.
        key: of that certificate, PEM; it may be in the same file.

    >>> broker = Broker.parse("mqtts://house:secret@broker.example")
    >>> broker.port, broker.username, str(broker), "secret" in repr(broker)
    (8883, 'house', 'mqtts://broker.example:8883', False)
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL; user and password may have %-escapes.

        Raises:
            DecodeError: ``broker_url``, another form; it is not shown, since it may hold a password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
            parts = urlsplit("")
        if (
            parts.scheme not in _PORTS
            or not host
            or port == 0
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            found = f"another form of {parts.scheme}://" if parts.scheme in _PORTS else "another form"
            raise DecodeError("broker_url", f"expected {_FORM}, found {found}")
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BrokerConnected:
    """The broker is there; ``waiting`` messages are delivered now."""

    waiting: int


@dataclass(frozen=True, slots=True)
class BrokerAway:
    """The broker cannot be reached, or for another reason than before; messages are saved."""

    error: TransportError


@dataclass(frozen=True, slots=True)
class BacklogDelivered:
    """All ``count`` messages that had waited for the broker are delivered."""

    count: int


@dataclass(frozen=True, slots=True)
class BacklogGrew:
    """``waiting`` messages wait, and ``dropped`` were dropped: told at 10, 100 and so on, and at the first dropped."""

    waiting: int
    dropped: int


@dataclass(frozen=True, slots=True)
class OutboxFailed:
    """Messages cannot be saved; they stay in memory, as many as fit."""

    error: TransportError


BrokerEvent: TypeAlias = BrokerConnected | BrokerAway | BacklogDelivered | BacklogGrew | OutboxFailed
