"""What the TLS engine reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from e320proto.errors import SecurityError
    from e320proto.lmn.certificates import Curve
    from e320proto.lmn.tls_terms import CipherSuite


@dataclass(frozen=True, slots=True)
class TlsEstablished:
    """The handshake is finished and the peer's certificate is the pinned one, octet by octet.

    Args:
        cipher: the suite in use.
        curve: the curve of both certificates and of the key agreement.
        resumed: whether an earlier session goes on.
        peer_valid_from: begin of the validity of the peer's certificate, Unix time in s.
        peer_valid_until: its end. With ``cert_time_check`` ``"warn"`` the caller, who has a clock, compares.
    """

    cipher: CipherSuite
    curve: Curve
    resumed: bool
    peer_valid_from: float
    peer_valid_until: float


@dataclass(frozen=True, slots=True)
class PlainReceived:
    """Octets from the peer, at least one; where one event ends and the next begins means nothing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class TlsLimitReached:
    """The session is too old or has carried too much: finish the running exchange, then close."""

    limit: Literal["life", "volume"]


@dataclass(frozen=True, slots=True)
class TlsClosed:
    """The session is over; ``clean`` if the peer said so with close_notify, else octets may be missing."""

    clean: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The session cannot go on: send what is left to send, then end the link. Nothing follows."""

    error: SecurityError


TlsEvent: TypeAlias = TlsEstablished | PlainReceived | TlsLimitReached | TlsClosed | Failed
