"""What a gateway's session tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from e320proto.errors import E320Error
    from e320proto.lmn.requests import Request, Result


@dataclass(frozen=True, slots=True)
class MeterFound:
    """A meter is on the bus."""

    server_id: bytes
    address: int
    slot: int


@dataclass(frozen=True, slots=True)
class MeterGone:
    """A meter does not answer the checks any more."""

    server_id: bytes


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """Requests can be answered.

    Args:
        server_id: of the meter.
        cipher: name of the TLS suite; ``None`` in clear.
        resumed: whether an earlier TLS session goes on.
    """

    server_id: bytes
    cipher: str | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The connection is over; ``reason`` in words."""

    server_id: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class MeterPaired:
    """The meter has taken its certificates, and a TLS session with them stands."""

    number: int
    server_id: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """A request has its answer; ``number`` is what asking for it returned."""

    number: int
    server_id: bytes
    request: Request
    result: Result


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request will have no answer. What was written may have arrived nevertheless."""

    number: int
    server_id: bytes
    error: E320Error


SessionEvent: TypeAlias = MeterFound | MeterGone | SessionOpened | SessionEnded | MeterPaired | Answered | RequestFailed


class FileListener(Protocol):
    """Who is told SML files in clear."""

    def __call__(self, server_id: bytes, file: bytes, *, sent: bool) -> None:
        """Take a file of a meter, or one to it; those that renew keys are not told."""
