"""What a gateway was asked about one meter and has no answer to yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e320proto.errors import E320Error, LocalProtocolError
from e320proto.lmn.link import PAIRING, PLAIN, TLS
from e320proto.lmn.requests import CryptoReset, request_file
from e320proto.sml.transport import encode_transport

if TYPE_CHECKING:
    from e320proto.lmn.certificates import Credentials
    from e320proto.lmn.meter_keys import MeterKeys
    from e320proto.lmn.requests import Request

_MOST_REQUESTS: Final = 1_000
_FILE_NUMBERS: Final = 1 << 32
_KEY_OCTETS: Final = 16


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
        error: why it cannot be sent; the next time-out tells.
    """

    number: int
    request: Request | Pair
    deadline: float
    file: bytes = b""
    tries: int = 0
    sent: bool = False
    exchanged: bool = False
    confirmed: bool = False
    error: E320Error | None = None

    def selector(self, *, paired: bool) -> int:
        """Selector of the connection that it needs."""
        match self.request:
            case Pair():
                return TLS if self.exchanged else PAIRING
            case CryptoReset():
                return PLAIN
            case _:
                return TLS if paired else PLAIN

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when its answer is lost."""
        return isinstance(self.request, Pair) or self.request.repeatable

    @property
    def file_number(self) -> int:
        """What the answer has to repeat."""
        return self.number % _FILE_NUMBERS


class RequestQueue(deque[Asked]):
    """The requests to one meter, the first of them under way.

    Args:
        server_id: of the meter.
        max_message: octets of the longest request.
    """

    def __init__(self, server_id: bytes, max_message: int) -> None:
        super().__init__()
        self._server_id, self._max_message = server_id, max_message

    @property
    def first(self) -> Asked | None:
        """The request whose turn it is."""
        return self[0] if self else None

    def put(self, number: int, request: Request | Pair, *, deadline: float, keys: MeterKeys) -> None:
        """Queue a request.

        Raises:
            LocalProtocolError: ``no_key``, a pairing without the meter's key; ``too_long``; ``too_many``.
            EncodeError: a value that SML does not have.
        """
        asked = Asked(number, request, deadline)
        if not isinstance(request, Pair):
            asked.file = request_file(request, self._server_id, asked.file_number)
        elif len(keys.master_key or b"") != _KEY_OCTETS:
            raise _wrong("no_key", f"the meter's key, {_KEY_OCTETS} octets", f"none of {self._server_id.hex()}")
        octets = len(encode_transport(asked.file))
        if octets > self._max_message:
            raise _wrong("too_long", f"at most {self._max_message} octets", f"{octets} octets")
        if len(self) >= _MOST_REQUESTS:
            raise _wrong("too_many", f"at most {_MOST_REQUESTS} requests in the queue", "one more")
        self.append(asked)


def _wrong(reason: str, expected: str, actual: str) -> LocalProtocolError:
    return LocalProtocolError(reason, state="ANY", expected=expected, actual=actual)
