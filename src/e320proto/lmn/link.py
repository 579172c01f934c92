"""What both ends of an LMN connection share: events, the queue of what is to be sent, the parameter block.

::

    upper layer   send(data, more) -> SendQueue -> I frames -> DataReceived(data, more)   upper layer

A stream (TLS) is cut anywhere and carries no mark. A message (SML, SYM) is cut with S = 1 in all frames but
its last one; the receiver hands the mark on as ``more``.

Source: wired LMN, section 5.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from e320proto.errors import DecodeError, LocalProtocolError
from e320proto.hdlc import Parameters, decode_parameters, encode_parameters

if TYPE_CHECKING:
    from e320proto.errors import RemoteProtocolError
    from e320proto.hdlc import Frame

TLS: Final = 1
"""Selector of a connection with TLS."""
PLAIN: Final = 3
"""Selector of a connection in clear."""
PAIRING: Final = 6
"""Selector of a connection for the symmetric exchange."""
STREAM_SELECTORS: Final = frozenset({1, 2, 7, 8})
"""Selectors whose connection carries TLS, a stream of octets."""
SELECTORS: Final = frozenset(range(1, 9))
"""Selectors with a meaning; frames with others are dropped."""
MODULO: Final = 8
"""Sequence numbers count modulo this."""
_BARE_OCTETS: Final = 11  # both flags, format, addresses, control, FCS
_HCS_OCTETS: Final = 2


class CloseReason(Enum):
    """Why a connection ended."""

    RELEASED = "released by DISC"
    REOPENED = "another connection was opened"
    FAILED = "the peer broke the protocol"
    INACTIVITY = "nothing was heard for inactivity_s"
    ADDRESS_CHANGED = "the address was lost or changed"
    DISCONNECTED = "the upper layer ended it"


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """A connection is there; whatever was before is gone."""

    selector: int


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The connection is over."""

    reason: CloseReason


@dataclass(frozen=True, slots=True)
class DataReceived:
    """Octets of the peer, each once and in order.

    Args:
        data: information of one I frame.
        more: S of the frame: the message goes on in the next one. A stream ignores it.
    """

    data: bytes
    more: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Gateway: the meter answered SNRM with DM; the link is closed."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Gateway: the meter did not answer SNRM; the link is closed."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """Gateway: the meter does not answer any more, or never takes a frame; the link is closed."""


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """Gateway: the meter says DM; the link is closed."""


@dataclass(frozen=True, slots=True)
class AnswerTimedOut:
    """Gateway: the meter had ``answer_timeout_s`` for its answer; ``LinkClosed`` follows."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer broke the protocol: no more data of this connection; ``LinkClosed`` follows."""

    error: RemoteProtocolError


LinkEvent = (
    LinkOpened | LinkClosed | DataReceived | Refused | NoAnswer | LinkLost | PeerClosed | AnswerTimedOut | Failed
)


def frame_octets(frame: Frame) -> int:
    """How many octets a frame is on the wire, flags included.

    >>> from e320proto.hdlc import Address, Control, Frame, FrameKind
    >>> frame_octets(Frame(Address(1, 1), Address(68, 1), Control(FrameKind.RR)))
    11
    """
    return _BARE_OCTETS + (_HCS_OCTETS + len(frame.info) if frame.info else 0)


def limits_block(max_info_tx: int, max_info_rx: int) -> bytes:
    """Return the parameter block of a station with these limits, and windows of 1."""
    return encode_parameters(Parameters(max_info_tx, max_info_rx, 1, 1))


def told_limits(info: bytes) -> Parameters:
    """Return what the parameter block of a peer tells; nothing, if it is none or cannot be read."""
    try:
        return decode_parameters(info) if info else Parameters()
    except DecodeError:
        return Parameters()


def lowered(limit: int, told: int | None) -> int:
    """Return the smaller limit; a peer that tells nothing, or 0, has none."""
    return min(limit, told) if told else limit


class SendQueue:
    """Octets of the upper layer that wait for their I frames.

    Args:
        octets_max: most octets in the queue.

    >>> queue = SendQueue(100)
    >>> queue.put(b"request", more=False, state="READY")
    >>> queue.take(4, marked=True), queue.take(4, marked=True), bool(queue)
    ((b'requ', True), (b'est', False), False)
    """

    def __init__(self, octets_max: int) -> None:
        self._octets_max = octets_max
        self._octets = 0
        self._waiting: deque[tuple[bytes, bool]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, data: bytes, *, more: bool, state: str) -> None:
        """Append octets; no octets are nothing to send.

        Raises:
            LocalProtocolError: ``send_queue_full``; nothing was taken.
        """
        octets = self._octets + len(data)
        if octets > self._octets_max:
            expected = f"at most {self._octets_max} octets to send"
            raise LocalProtocolError("send_queue_full", state=state, expected=expected, actual=f"{octets} octets")
        if data:
            self._octets = octets
            self._waiting.append((bytes(data), more))

    def take(self, octets_max: int, *, marked: bool) -> tuple[bytes, bool]:
        """Remove the information of the next I frame; also whether it gets S = 1."""
        data, more = self._waiting.popleft()
        head, tail = data[:octets_max], data[octets_max:]
        if tail:
            self._waiting.appendleft((tail, more))
        self._octets -= len(head)
        return head, marked and (more or bool(tail))

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._octets = 0
