"""Decode of an encode is the value, for every message and composite, at both widths of integers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import (
    DecodeOptions,
    GetListRes,
    Integer,
    ListEntry,
    Message,
    ProcParValue,
    Tree,
    Unsigned,
    decode_file,
    encode_file,
    encode_transport,
)
from e320proto.crc import CrcKind
from e320proto.schema import sml as schema
from e320proto.schema.primitives import Sink, Source
from e320proto.sml.messages import RECORDS, Time, Value
from tests.contracts import strategies as s

Integers = Literal["fixed", "shortest"]


def back(value: Any, integers: Integers) -> Any:  # noqa: ANN401 - any record
    """What a value is expected to come back as."""
    return value if integers == "fixed" else s.without_widths(value)


@pytest.mark.parametrize("model", s.MODELS)
@settings(max_examples=40)
@given(data=st.data())
def test_every_message(model: type[Any], data: st.DataObject) -> None:
    message = data.draw(s.messages(s.record_of(model)))
    assert type(message.message_body) is model
    fixed = encode_file([message])
    assert decode_file(fixed) == (message,)
    assert encode_file(decode_file(fixed)) == fixed
    shortest = encode_file([message], integers="shortest")
    assert decode_file(shortest) == (s.without_widths(message),)
    assert len(shortest) <= len(fixed)


@settings(max_examples=150)
@given(s.messages(s.untyped_bodies), st.sampled_from(("fixed", "shortest")))
def test_untyped_messages(message: Message, integers: Integers) -> None:
    assert decode_file(encode_file([message], integers=integers)) == (back(message, integers),)


@pytest.mark.parametrize("kind", CrcKind)
@settings(max_examples=60)
@given(data=st.data())
def test_files(kind: CrcKind, data: st.DataObject) -> None:
    """Several messages, with surplus 00 between them."""
    messages = data.draw(st.lists(s.messages(kinds=st.just(kind)), max_size=4))
    parts = [encode_file([message]) + bytes(data.draw(st.integers(0, 3))) for message in messages]
    assert decode_file(b"".join(parts), DecodeOptions(message_crc_kind=kind.value)) == tuple(messages)
    assert encode_file(messages) == b"".join(encode_file([message]) for message in messages)


COMPOSITES = {
    "Time": (schema.TIME, s.of_type(Time)),
    "Status": (schema.STATUS, s.any_unsigned),
    "Value": (schema.VALUE, s.of_type(Value)),
    "ListType": (schema.LIST_TYPE, st.one_of([s.record_of(record) for record in s.LIST_TYPES])),
    "Path": (schema.PATH, st.lists(s.octets, max_size=20).map(tuple)),
    "ProcParValue": (schema.PROC_PAR_VALUE, s.record_of(ProcParValue)),
    "Tree": (schema.TREE, s.record_of(Tree)),
    "ListEntry": (schema.LIST_ENTRY, s.record_of(ListEntry)),
    **{
        name: (sequence, s.record_of(RECORDS[name]))
        for name, sequence in (
            ("PeriodEntry", schema.PERIOD_ENTRY),
            ("ProfObjHeaderEntry", schema.PROF_OBJ_HEADER_ENTRY),
            ("ProfObjPeriodEntry", schema.PROF_OBJ_PERIOD_ENTRY),
            ("ValueEntry", schema.VALUE_ENTRY),
            ("TupelEntry", schema.TUPEL_ENTRY),
            ("TimestampedValue", schema.TIMESTAMPED_VALUE),
            ("CosemScalerUnit", schema.COSEM_SCALER_UNIT),
            ("LocalTimestamp", schema.LOCAL_TIMESTAMP),
        )
    },
}


@pytest.mark.parametrize("name", COMPOSITES)
@settings(max_examples=40)
@given(data=st.data())
def test_every_composite(name: str, data: st.DataObject) -> None:
    """Read and written on its own: each leaves the stream right behind itself."""
    construct, values = COMPOSITES[name]
    value = data.draw(values)
    for integers in ("fixed", "shortest"):
        sink = Sink(RECORDS, shortest=integers == "shortest")
        construct.build_stream(value, sink)
        octets = sink.getvalue()
        source = Source(octets + b"\x07rest", RECORDS)
        assert construct.parse_stream(source) == (value if integers == "fixed" else s.without_widths(value))
        assert source.tell() == len(octets)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (Unsigned(0), "6200"),
        (Unsigned(0xFF), "62ff"),
        (Unsigned(0x100), "630100"),
        (Unsigned(0x1_0000), "6500010000"),
        (Unsigned(0x1_0000_0000), "690000000100000000"),
        (Unsigned((1 << 64) - 1), "69ffffffffffffffff"),
        (Integer(-128), "5280"),
        (Integer(128), "530080"),
        (Integer(-32_769), "55ffff7fff"),
        (Integer(-1), "52ff"),
        (Integer(-(1 << 63)), "598000000000000000"),
    ],
)
def test_width_not_asked_for_is_the_smallest_of_1_2_4_8(value: Integer | Unsigned, octets: str) -> None:
    entry = ListEntry(obj_name=b"name", value=value)
    message = Message(transaction_id=b"1", message_body=GetListRes(server_id=b"", val_list=(entry,)))
    assert bytes.fromhex(octets) in encode_file([message])
    (read,) = decode_file(encode_file([message]))
    assert isinstance(read.message_body, GetListRes)
    assert read.message_body.val_list[0].value == type(value)(value.value, len(octets) // 2 - 1)


def test_empty_octets_of_an_optional_field_are_an_absent_field() -> None:
    """On the wire both are 01."""
    entry = ListEntry(obj_name=b"", value=b"", value_signature=b"")
    message = Message(transaction_id=b"", message_body=GetListRes(client_id=b"", server_id=b"", val_list=(entry,)))
    (read,) = decode_file(encode_file([message]))
    assert read == Message(
        transaction_id=b"", message_body=GetListRes(server_id=b"", val_list=(ListEntry(obj_name=b""),))
    )


def test_message_without_checksum_kind_gets_the_usual_one() -> None:
    assert encode_file([replace(s.CLOSE, crc16=None)]) == encode_file([s.CLOSE])


@pytest.mark.parametrize("kind", CrcKind)
def test_frame_and_file(kind: CrcKind) -> None:
    frame = encode_transport(encode_file([s.CLOSE]), kind)
    assert frame[8:-8].rstrip(b"\0") + b"\0" == encode_file([s.CLOSE])
