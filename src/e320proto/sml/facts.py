"""What a telegram needs of its messages, made directly by the schema.

The schema leaves it to factories what becomes of a composite. :data:`FACTS` are factories that skip
the records: a ListEntry becomes an :class:`Entry` at once, every other message gives only a few
:class:`Facts`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from e320proto.obis import obis_code
from e320proto.schema.compile import compile_reader
from e320proto.schema.sml import MESSAGE, MODELS
from e320proto.sml.codec import make_source
from e320proto.sml.entries import Entry
from e320proto.sml.messages import RECORDS, Integer, MessageBody, SecIndex, Time, TimestampedValue, Unsigned
from e320proto.status import status as status_word
from e320proto.units import Unit
from e320proto.units import unit as unit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.schema.compile import MessageReader
    from e320proto.sml.options import DecodeOptions

_OBIS_OCTETS = 6
_UNITS: Final[dict[int | None, Unit | None]] = {None: None, 0: None}
_UNITS.update((code, unit_of(code)) for code in range(1, 256))
_new = tuple.__new__


class Facts(NamedTuple):
    """What a telegram needs of one message."""

    kind: str = ""
    server_id: bytes | None = None
    time: Time | None = None
    entries: tuple[Entry | None, ...] = ()


def _entry(
    obj_name: bytes,
    status: tuple[int, int] | None,
    val_time: Time | None,
    unit: int | None,
    scaler: int | None,
    value: Any,
    value_signature: bytes | None,
) -> Entry | None:
    """Make an :class:`Entry` of the fields of a ListEntry; ``None`` if its name is no OBIS code."""
    if len(obj_name) != _OBIS_OCTETS:
        return None
    width = None
    if type(value) is tuple:
        value, width = value[0], value[1]
    word = None if status is None else status_word(status[0], status[1])
    return _new(  # twice as fast as Entry(...), which would do the same
        Entry, (obis_code(obj_name), value, scaler, _UNITS[unit], word, val_time, value_signature, width, None)
    )


# Numbers are plain tuples on the way to an entry: (value, width), and a third item for signed ones.


def _integer(value: int, width: int) -> tuple[int, int, bool]:
    return value, width, True


def _unsigned(value: int, width: int) -> tuple[int, int]:
    return value, width


def _record(value: Any) -> Any:
    """Turn such a tuple into the record."""
    if type(value) is not tuple:
        return value
    return Unsigned(*value) if len(value) == 2 else Integer(*value[:2])  # noqa: PLR2004 - value and width


def _timestamped_value(sml_time: Time, status: Any, simple_value: Any) -> TimestampedValue:
    return TimestampedValue(sml_time=sml_time, status=_record(status), simple_value=_record(simple_value))


# Factories of the messages of a push, in wire order.


def _open(
    codepage: Any, client_id: Any, req_file_id: Any, server_id: bytes, ref_time: Time | None, sml_version: Any
) -> Facts:
    return _new(Facts, ("open", server_id, ref_time, ()))


def _list(
    client_id: Any,
    server_id: bytes,
    list_name: Any,
    act_sensor_time: Time | None,
    val_list: tuple[Entry | None, ...],
    list_signature: Any,
    act_gateway_time: Any,
) -> Facts:
    return _new(Facts, ("list", server_id, act_sensor_time, val_list))


def _close(global_signature: Any) -> Facts:
    return _new(Facts, ("close", None, None, ()))


def _message(transaction_id: Any, group_no: Any, abort_on_error: Any, message_body: Facts, crc16: Any) -> Facts:
    return message_body


def _open_req(**fields: Any) -> Facts:
    return Facts("open", fields["server_id"])


def _other(**fields: Any) -> Facts:
    return Facts("other", fields.get("server_id"))


FACTS: Final[dict[str, Callable[..., Any]]] = {
    **RECORDS,
    **{body.__name__: _other for body in MessageBody.__args__},
    "PublicOpenReq": _open_req,
    "PublicOpenRes": _open,
    "PublicCloseReq": _close,
    "PublicCloseRes": _close,
    "GetListRes": _list,
    "ListEntry": _entry,
    "Integer": _integer,
    "Unsigned": _unsigned,
    "SecIndex": lru_cache(maxsize=256)(SecIndex),
    "TimestampedValue": _timestamped_value,
    "Message": _message,
}
"""Factories for the schema that make :class:`Facts` of messages."""

_OF_A_PUSH = {tag: model for tag, model in MODELS.items() if FACTS[model.record] in {_open, _list, _close}}
_INLINE = {"Unsigned": "({0}, {1})", "Integer": "({0}, {1}, True)", "Message": "{3}"}


@lru_cache(maxsize=16)
def fact_reader(options: DecodeOptions) -> MessageReader | None:
    """The fast reader of pushes for these options; compiling takes some milliseconds, so it is kept.

    Other messages are left to the schema.
    """
    return compile_reader(MESSAGE, _OF_A_PUSH, lambda data: make_source(data, options, FACTS), _INLINE)
