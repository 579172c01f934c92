"""Records of address assignment and participant check: who is on the bus, at which address, in which slot.

====== ====== =====================================================================
offset octets content
====== ====== =====================================================================
0      1      address, not shifted
1      1      time slot, 1 to 63; 0: none yet
2      14     participant id, left aligned, filled with 00
16     14     sensor id, the same; in a meter equal to the participant id
30     2      reserved: sent as 0000, not looked at
====== ====== =====================================================================

Source: wired LMN, section 6.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e320proto.errors import DecodeError, EncodeError
from e320proto.hdlc.frame import INFO_MAX, is_number
from e320proto.schema.hdlc import RECORD
from e320proto.server_id_forms import octets_of_form

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORD_OCTETS: Final[int] = RECORD.sizeof()
RECORDS_MAX: Final = INFO_MAX // RECORD_OCTETS
"""Records in one frame."""
ID_OCTETS: Final[int] = RECORD.participant_id.sizeof()


@dataclass(frozen=True, slots=True)
class Record:
    """One participant.

    Args:
        address: 0 to 255; meters have 3 to 126.
        slot: 0 to 255; 1 to 63 are slots, 0 is none.
        participant_id: server id of the participant, up to 14 octets, without fill.
        sensor_id: server id of the meter.

    >>> record = Record(68, 1, bytes.fromhex("0A014C475A0000BC614E"), bytes.fromhex("0A014C475A0000BC614E"))
    >>> decode_records(encode_records([record])) == (record,)
    True
    """

    address: int
    slot: int
    participant_id: bytes
    sensor_id: bytes


def decode_records(info: bytes) -> tuple[Record, ...]:
    """Return the records of a frame; none of no octets.

    Fill is told from the id by the form of the id, since a server id may end in 00.

    Raises:
        DecodeError: ``records``, the octets are no multiple of 32.
    """
    if len(info) % RECORD_OCTETS:
        detail = f"expected a multiple of {RECORD_OCTETS} octets, found {len(info)}"
        raise DecodeError("records", detail, source="wired LMN, section 6.2")
    return tuple(_decode(info[at : at + RECORD_OCTETS]) for at in range(0, len(info), RECORD_OCTETS))


def encode_records(records: Iterable[Record]) -> bytes:
    """Return the octets of records, one behind the other.

    Raises:
        EncodeError: ``records``: an address or slot out of range, an id that would not come back the same, or
            more records than a frame has room for; ``path`` names it.
    """
    octets = [_encode(record, f"[{number}]") for number, record in enumerate(records)]
    if len(octets) > RECORDS_MAX:
        raise EncodeError("records", f"expected at most {RECORDS_MAX} records", value=len(octets))
    return b"".join(octets)


def _decode(octets: bytes) -> Record:
    fields = RECORD.parse(octets)
    return Record(fields.address, fields.slot, _unfilled(fields.participant_id), _unfilled(fields.sensor_id))


def _unfilled(field: bytes) -> bytes:
    return field[: max(len(field.rstrip(b"\0")), octets_of_form(field[0]))]


def _encode(record: Record, path: str) -> bytes:
    values: dict[str, object] = {"reserved": bytes(2)}
    for name in ("address", "slot"):
        values[name] = number = getattr(record, name)
        if not is_number(number, 8):
            raise EncodeError("records", "expected 0 to 255", path=f"{path}.{name}", value=number)
    for name in ("participant_id", "sensor_id"):
        octets = getattr(record, name)
        values[name] = field = octets.ljust(ID_OCTETS, b"\0")
        if len(field) > ID_OCTETS or _unfilled(field) != octets:
            detail = f"expected up to {ID_OCTETS} octets of a server id without fill"
            raise EncodeError("records", detail, path=f"{path}.{name}", value=octets)
    return bytes(RECORD.build(values))
