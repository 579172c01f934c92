"""What waits in the queue of a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e320proto.lmn.certificates import Credentials
    from e320proto.lmn.requests import Request


@dataclass(frozen=True, slots=True)
class Pair:
    """Give the meter its certificate and key, and the gateway's certificate."""

    meter: Credentials
    gateway: Credentials


@dataclass(slots=True)
class Asked:
    """A request in the queue.

    Args:
        number: of the request.
        request: what is asked.
        deadline: when it is given up.
        file: of a request that is one.
        tries: connections that ended without its answer.
        sent: whether it is under way.
        exchanged: of a pairing: TLS with what it brought is left.
        confirmed: of a pairing: the meter's last reply has arrived.
    """

    number: int
    request: Request | Pair
    deadline: float
    file: bytes = b""
    tries: int = 0
    sent: bool = False
    exchanged: bool = False
    confirmed: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when its answer is lost."""
        return isinstance(self.request, Pair) or self.request.repeatable
