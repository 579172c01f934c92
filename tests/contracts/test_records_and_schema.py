"""Records and schema agree: names, order, types, ranges, and what may be absent."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
from construct import LazyBound, Renamed

from e320proto import CrcKind, Integer, Message, SecIndex, Timestamp, Unsigned, Untyped
from e320proto.schema.composites import (
    Choice,
    Crc16,
    MessageBody,
    NamedChoice,
    Scalar,
    Sequence,
    SequenceOf,
    Time,
    Value,
)
from e320proto.schema.composites import Message as MessageSchema
from e320proto.schema.primitives import Boolean, Number, OctetString, Optional, StatusWord
from e320proto.schema.sml import MESSAGE, MODELS
from e320proto.sml import messages
from e320proto.sml.messages import RECORDS
from tests.contracts import strategies

if TYPE_CHECKING:
    from collections.abc import Iterator


def plain(con: Any) -> Any:  # noqa: ANN401 - any construct
    """The construct behind names and forward references."""
    while isinstance(con, Renamed | LazyBound):
        con = con.subcon if isinstance(con, Renamed) else con.subconfunc()
    return con


def parts(con: Any) -> list[Any]:  # noqa: ANN401, PLR0911 - any construct, one line for each kind
    match con:
        case Sequence() | MessageSchema():
            return list(con.fields)
        case SequenceOf():
            return [con.item]
        case Choice():
            return list(con.cases.values())
        case Optional() | Scalar():
            return [con.subcon]
        case Value():
            return [con.list_type, *con.parts.values()] if con.list_type else list(con.parts.values())
        case MessageBody():
            return list(con.models.values())
    return []


def everything() -> Iterator[Any]:
    """Every construct that a message can hold."""
    seen: set[int] = set()
    ahead: list[Any] = [MESSAGE]
    while ahead:
        con = plain(ahead.pop())
        if id(con) not in seen:
            seen.add(id(con))
            yield con
            ahead += parts(con)


SEQUENCES: dict[str, Any] = {con.record: con for con in everything() if isinstance(con, Sequence | MessageSchema)}


def hint_of(con: Any) -> Any:  # noqa: ANN401, C901, PLR0911 - any construct, one line for each kind
    """Type of the record's field for a construct."""
    match plain(con):
        case OctetString():
            return bytes
        case Boolean():
            return bool
        case Number():
            return int
        case StatusWord():
            return Unsigned
        case Optional() as optional:
            return hint_of(optional.subcon) | None
        case SequenceOf() as sequence:
            return tuple[hint_of(sequence.item), ...]  # type: ignore[misc]
        case Value() as value:
            names = value.list_type.record_names if value.list_type else ()
            return reduce(or_, (RECORDS[name] for name in names), bytes | bool | Integer | Unsigned | None)
        case NamedChoice() | Sequence() as named:
            return RECORDS[named.record]
        case Choice() as choice:
            return reduce(or_, (RECORDS[name] for name in choice.record_names))
        case MessageBody() as body:
            return reduce(or_, (RECORDS[model.record] for model in body.models.values())) | Untyped
        case Crc16():
            return CrcKind | None
    pytest.fail(f"no type is known for {con}")


def test_the_walk_finds_the_catalogue() -> None:
    assert {model.record for model in MODELS.values()} < set(SEQUENCES)
    assert {"Message", "Tree", "TupelEntry", "ListEntry", "LocalTimestamp", "CosemScalerUnit"} < set(SEQUENCES)


@pytest.mark.parametrize("name", SEQUENCES)
def test_record_has_the_fields_of_its_sequence(name: str) -> None:
    record = RECORDS[name]
    assert record.__name__ == name
    assert [field.name for field in fields(record)] == [str(field.name) for field in SEQUENCES[name].fields]


@pytest.mark.parametrize("name", SEQUENCES)
def test_record_fields_have_the_types_of_the_schema(name: str) -> None:
    hints = get_type_hints(RECORDS[name])
    for field in SEQUENCES[name].fields:
        assert hints[field.name] == hint_of(field), field.name


@pytest.mark.parametrize("name", sorted(set(SEQUENCES) - {"Message"}))
def test_what_may_be_absent_may_be_left_out(name: str) -> None:
    optional = {str(field.name) for field in SEQUENCES[name].fields if isinstance(plain(field), Optional)}
    defaults = {field.name: field.default for field in fields(RECORDS[name]) if field.default is not MISSING}
    # A value may be absent too: some meters send entries without one.
    assert set(defaults) - optional <= {"value"}
    assert optional <= set(defaults)
    assert set(defaults.values()) <= {None}


def test_defaults_of_a_message() -> None:
    defaults = {field.name: field.default for field in fields(Message) if field.default is not MISSING}
    assert defaults == {"group_no": 0, "abort_on_error": 0, "crc16": CrcKind.X25}


def test_records_are_complete_and_nothing_else() -> None:
    made = {con.record for con in everything() if hasattr(con, "record")}
    made |= {"Integer", "Unsigned", "Untyped"}
    assert set(RECORDS) == made
    public = {
        name
        for name, value in vars(messages).items()
        if isinstance(value, type) and value.__module__ == messages.__name__ and not name.startswith("_")
    }
    assert set(RECORDS) == public


def test_number_ranges_are_those_of_the_catalogue() -> None:
    for name, sequence in SEQUENCES.items():
        for field in sequence.fields:
            con = plain(field)
            con = plain(con.subcon) if isinstance(con, Optional) else con
            if isinstance(con, Number):
                assert (con.low, con.high) == strategies.RANGES[field.name], (name, field.name)
                assert con.wraps == field.name.startswith("scaler")


def test_scalar_records() -> None:
    scalars = {con.record: plain(con.subcon) for con in everything() if isinstance(con, Scalar)}
    assert set(scalars) == {SecIndex.__name__, Timestamp.__name__}
    assert {(number.low, number.high) for number in scalars.values()} == {strategies.U32}


def test_cases_of_proc_par_value() -> None:
    (choice,) = (con for con in everything() if isinstance(con, NamedChoice))
    assert {tag: str(case.name) for tag, case in choice.cases.items()} == dict(enumerate(strategies.CONTENTS, 1))
    hints = get_type_hints(RECORDS["ProcParValue"])
    contents = reduce(or_, (hint_of(case) for case in choice.cases.values()))
    assert hints["content"] == contents
    assert set(get_args(hints["choice"])) == set(strategies.CONTENTS)


def test_message_tags() -> None:
    assert {f"{tag:04X}": model.record for tag, model in MODELS.items()} == {
        "0100": "PublicOpenReq",
        "0101": "PublicOpenRes",
        "0200": "PublicCloseReq",
        "0201": "PublicCloseRes",
        "0300": "GetProfilePackReq",
        "0301": "GetProfilePackRes",
        "0400": "GetProfileListReq",
        "0401": "GetProfileListRes",
        "0500": "GetProcParameterReq",
        "0501": "GetProcParameterRes",
        "0600": "SetProcParameterReq",
        "0700": "GetListReq",
        "0701": "GetListRes",
        "FF01": "AttentionRes",
    }


def test_time_is_told_by_its_choice() -> None:
    (time,) = (con for con in everything() if isinstance(con, Time))
    assert {tag: sorted(case.record_names) for tag, case in time.cases.items()} == {
        1: ["SecIndex"],
        2: ["Timestamp"],
        3: ["LocalTimestamp"],
    }
