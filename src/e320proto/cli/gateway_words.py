"""What a gateway reads and what happens to it, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from e320proto.aio.gateway import PipeLost, PipeOpened
from e320proto.errors import AttentionError
from e320proto.identity import ServerId
from e320proto.lmn.session_events import (
    Answered,
    MeterFound,
    MeterGone,
    MeterPaired,
    RequestFailed,
    SessionEnded,
    SessionOpened,
)
from e320proto.sml.wording import meter_words, octets_text, status_words
from e320proto.status import Status
from e320proto.units import Quantity

if TYPE_CHECKING:
    from e320proto.aio.gateway import GatewayEvent
    from e320proto.lmn.requests import Reading

Row: TypeAlias = tuple[str, str, str, str]
_STATUS_OCTETS = 4


def meter_name(server_id: bytes) -> str:
    """The name of a meter as people know it."""
    return meter_words(ServerId.from_wire(server_id))


def value_text(reading: Reading) -> str:
    """The exact value of a reading, with its unit.

    >>> from e320proto.lmn.requests import Reading
    >>> from e320proto import ObisCode, Quantity
    >>> from e320proto.units import unit
    >>> value_text(Reading(ObisCode.parse("1.8.0"), Quantity(1230, -1, unit(30))))
    '123.0 Wh'
    """
    match value := reading.value:
        case Quantity():
            return f"{value.digits} {value.unit}" if value.unit is not None else value.digits
        case bytes():
            return octets_text(reading.code, value)
        case bool():
            return "true" if value else "false"
        case None:
            return "-"
        case _:
            return str(value)


def reading_row(reading: Reading | AttentionError) -> Row:
    """Code, value, second and status of a reading, or why there is none."""
    if isinstance(reading, AttentionError):
        return reading.request.partition(" ")[0], "refused", "", str(reading.actual)
    second = "" if reading.sec_index is None else f"second {reading.sec_index}"
    status = "" if reading.status is None else status_words(Status(reading.status, _STATUS_OCTETS))
    return str(reading.code), value_text(reading), second, status


def event_text(event: GatewayEvent) -> str | None:  # noqa: PLR0911 - words for each kind of event
    """Write one line about an event; none about an answer, which its reader shows."""
    match event:
        case MeterFound(server_id, address, slot):
            return f"{meter_name(server_id)} is on the bus, address {address}, slot {slot}"
        case MeterGone(server_id):
            return f"{meter_name(server_id)} does not answer the checks any more"
        case SessionOpened(server_id, cipher, resumed):
            how = "in clear" if cipher is None else f"{'resumed, ' if resumed else ''}{cipher}"
            return f"{meter_name(server_id)} is connected: {how}"
        case SessionEnded(server_id, reason):
            return f"{meter_name(server_id)}: end of the connection, {reason}"
        case MeterPaired(_, server_id):
            return f"{meter_name(server_id)} is paired"
        case PipeLost(error):
            return f"{error}; trying again"
        case PipeOpened(name):
            return f"{name} is open again"
        case Answered() | RequestFailed():
            return None
        case _ as never:
            assert_never(never)
