"""Hypothesis strategies for every SML record, made of the types of its dataclass fields.

What the types do not say is in two tables here: the range of each number, and what an empty octet
string becomes. Values that have more than one form on the wire are drawn in the form that comes back.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from e320proto import (
    CosemScalerUnit,
    CrcKind,
    Integer,
    LocalTimestamp,
    Message,
    ProcParValue,
    PublicCloseRes,
    SecIndex,
    Timestamp,
    TimestampedValue,
    Tree,
    Unsigned,
    Untyped,
)
from e320proto.sml.messages import MessageBody, Time, Value

MODELS: Final = tuple(body for body in get_args(MessageBody) if body is not Untyped)
LIST_TYPES: Final = (*get_args(Time), TimestampedValue, CosemScalerUnit)
CLOSE: Final = Message(transaction_id=b"1", message_body=PublicCloseRes())

U8 = (0, 0xFF)
U32 = (0, 0xFFFF_FFFF)
U64 = (0, 0xFFFF_FFFF_FFFF_FFFF)
I8 = (-0x80, 0x7F)
I16 = (-0x8000, 0x7FFF)
I64 = (-(1 << 63), (1 << 63) - 1)
RANGES: Final = {
    "group_no": U8,
    "abort_on_error": U8,
    "sml_version": U8,
    "unit": U8,
    "scaler": I8,
    "reg_period": U32,
    "status": U64,
    "timestamp": U32,
    "local_offset": I16,
    "season_time_offset": I16,
    **{
        f"{what}_{code}": limits
        for code in ("pa", "r1", "r4", "ma", "r2", "r3")
        for what, limits in (("unit", U8), ("scaler", I8), ("value", I64))
    },
}
"""Number fields of all records by name."""

CONTENTS: Final = {
    "value": Value,
    "period_entry": "PeriodEntry",
    "tupel_entry": "TupelEntry",
    "time": Time,
    "list_entry": "ListEntry",
}
"""Choices of ProcParValue."""


def integers(low: int, high: int) -> st.SearchStrategy[int]:
    """Numbers of a range: small ones, both ends, and where a width ends."""
    edges = {
        low,
        high,
        0,
        *(sign * ((1 << 8 * width) >> half) for width in (1, 2, 4) for half in (0, 1) for sign in (1, -1)),
    }
    near = sorted({edge + step for edge in edges for step in (-1, 0, 1) if low <= edge + step <= high})
    return st.sampled_from(near) | st.integers(low, high)


def shortest_width(value: int, *, signed: bool) -> int:
    return next(width for width in range(1, 9) if _fits(value, width, signed=signed))


def _fits(value: int, width: int, *, signed: bool) -> bool:
    bits = 8 * width - signed
    return -(1 << bits) * signed <= value < 1 << bits


def _with_width(record: type[Any], value: int, more: int) -> Any:  # noqa: ANN401 - either record
    least = shortest_width(value, signed=record is Integer)
    return record(value, min(8, least + more))


any_integer: st.SearchStrategy[Integer] = st.builds(_with_width, st.just(Integer), integers(*I64), st.integers(0, 7))
any_unsigned: st.SearchStrategy[Unsigned] = st.builds(_with_width, st.just(Unsigned), integers(*U64), st.integers(0, 7))

_bits = st.sampled_from((b"\x1b", b"\x1b\x1b\x1b\x1b", b"\x00", b"\x00\x76", b"\x01", b"\x76\xff", b"7"))
_long = st.sampled_from((13, 14, 15, 16, 48, 253, 254, 300)).map(lambda count: (bytes(range(256)) * 2)[:count])
octets = st.lists(_bits, max_size=4).map(b"".join) | st.binary(max_size=6) | _long
some_octets = octets.filter(bool)


def of_type(kind: Any, name: str = "") -> st.SearchStrategy[Any]:  # noqa: ANN401 - any type
    """Whatever a field of this type may hold."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {UnionType, Union}:
        return st.one_of([_member(member, name, absent=NoneType in arguments) for member in arguments])
    if origin is tuple:
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    return _member(kind, name, absent=False)


def _member(kind: Any, name: str, *, absent: bool) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any type
    """One member of a union; ``absent``: an empty octet string would come back as ``None``."""
    if get_origin(kind) is not None:
        return of_type(kind, name)
    simple = {
        NoneType: st.none(),
        bool: st.booleans(),
        bytes: some_octets if absent else octets,
        Integer: any_integer,
        Unsigned: any_unsigned,
    }
    if kind in simple:
        return simple[kind]
    if kind is int:
        return integers(*RANGES[name])
    return record_of(kind)


def record_of(record: type[Any]) -> st.SearchStrategy[Any]:
    """Any record of a class."""
    if record not in _RECORDS:
        _RECORDS[record] = _record_of(record)
    return _RECORDS[record]


_RECORDS: Final[dict[type[Any], st.SearchStrategy[Any]]] = {}


def _record_of(record: type[Any]) -> st.SearchStrategy[Any]:
    if record is SecIndex:
        return st.builds(SecIndex, integers(*U32), st.sampled_from((False, False, False, True)))
    if record is Timestamp:
        return st.builds(Timestamp, integers(*U32))
    if record is LocalTimestamp:
        return st.builds(LocalTimestamp, integers(*U32), integers(*I16), integers(*I16))
    if record is ProcParValue:
        return _proc_par_values()
    if record is Tree:
        return _trees()
    hints = get_type_hints(record)
    return st.builds(record, **{field.name: of_type(hints[field.name], field.name) for field in fields(record)})


def _proc_par_values() -> st.SearchStrategy[ProcParValue]:
    hints = get_type_hints(ProcParValue)
    records = {content.__name__: content for content in get_args(hints["content"]) if content is not NoneType}
    assert set(get_args(hints["choice"])) == set(CONTENTS)
    return st.one_of(
        [
            st.builds(ProcParValue, st.just(choice), of_type(records[kind] if isinstance(kind, str) else kind))
            for choice, kind in CONTENTS.items()
        ]
    )


def _trees() -> st.SearchStrategy[Tree]:
    value = st.none() | st.deferred(lambda: record_of(ProcParValue))
    leaf = st.builds(Tree, parameter_name=octets, parameter_value=value)
    return st.recursive(
        leaf,
        lambda child: st.builds(
            Tree, parameter_name=octets, parameter_value=value, child_list=st.lists(child, max_size=3).map(tuple)
        ),
        max_leaves=4,
    )


untyped_trees: st.SearchStrategy[Any] = st.recursive(
    octets | st.booleans() | any_integer | any_unsigned,
    lambda item: st.lists(item, max_size=17).map(tuple),
    max_leaves=20,
)
UNTYPED_TAGS: Final = (0x0601, 0x0800, 0x0801, 0x0B00, 0x0001, 0xFFFF, 0x1_0000, 0xFFFF_FFFF)
untyped_bodies = st.builds(Untyped, st.sampled_from(UNTYPED_TAGS), untyped_trees)
any_body: st.SearchStrategy[Any] = st.one_of([record_of(model) for model in MODELS] + [untyped_bodies])


usual_kind = st.just(CrcKind.X25)


def messages(
    bodies: st.SearchStrategy[Any] = any_body, kinds: st.SearchStrategy[CrcKind] = usual_kind
) -> st.SearchStrategy[Message]:
    """Whole messages around any of these bodies.

    Among many Kermit checksums some look like the other kind, which is tried first, so these come only if asked for.
    """
    return st.builds(
        Message,
        transaction_id=octets,
        group_no=integers(*U8),
        abort_on_error=integers(*U8),
        message_body=bodies,
        crc16=kinds,
    )


def without_widths(value: Any) -> Any:  # noqa: ANN401 - any record
    """The same with the least width of every Integer and Unsigned, as the shortest encoding gives it."""
    if isinstance(value, Integer | Unsigned):
        return type(value)(value.value, shortest_width(value.value, signed=isinstance(value, Integer)))
    if isinstance(value, tuple):
        return tuple(without_widths(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{field.name: without_widths(getattr(value, field.name)) for field in fields(value)})
    return value
