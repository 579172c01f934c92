"""The records: what they derive from their fields, and that they are values."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, timedelta
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings

from e320proto import (
    AttentionRes,
    Integer,
    LocalTimestamp,
    Message,
    PublicCloseRes,
    SecIndex,
    Timestamp,
    Unsigned,
    Untyped,
)
from e320proto.sml.attention import ATTENTION_NUMBERS
from e320proto.sml.messages import RECORDS, UNTYPED_NAMES, MessageBody
from tests.contracts import strategies as s


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_frozen_values_with_slots(name: str) -> None:
    record = RECORDS[name]
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(record)
    assert all(field.repr and field.compare for field in dataclasses.fields(record))
    assert set(get_type_hints(record)) >= {field.name for field in dataclasses.fields(record)}


@settings(max_examples=60)
@given(s.messages())
def test_messages_compare_hash_and_pickle_by_value(message: Message) -> None:
    again = pickle.loads(pickle.dumps(message))  # noqa: S301 - our own octets
    assert again == message
    assert hash(again) == hash(message)
    assert dataclasses.replace(message, group_no=(message.group_no + 1) % 256) != message


def test_records_of_other_types_are_other_values() -> None:
    assert len({Integer(1, 1), Unsigned(1, 1), Integer(1, 2), SecIndex(1), SecIndex(1, bare=True), Timestamp(1)}) == 6


@pytest.mark.parametrize("record", [record for record in RECORDS.values() if len(dataclasses.fields(record)) > 3])
def test_records_of_many_fields_are_made_by_keyword(record: type[object]) -> None:
    with pytest.raises(TypeError):
        record(*[None] * len(dataclasses.fields(record)))  # type: ignore[arg-type]


def test_timestamp() -> None:
    assert Timestamp(1_700_000_000).datetime.isoformat() == "2023-11-14T22:13:20+00:00"
    assert Timestamp(0).datetime.timestamp() == 0
    assert Timestamp(0xFFFF_FFFF).datetime.year == 2106


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (LocalTimestamp(1_719_999_999, 60, 60), "2024-07-03T11:46:39+02:00"),
        (LocalTimestamp(1_709_999_999, -210, 0), "2024-03-09T12:29:59-03:30"),
        (LocalTimestamp(1_719_999_999, 0, 0), "2024-07-03T09:46:39+00:00"),
        (LocalTimestamp(1_719_999_999, 1_439, 0), "2024-07-04T09:45:39+23:59"),
        (LocalTimestamp(1_719_999_999, 1_439, 1), "2024-07-03T09:46:39+00:00"),
        (LocalTimestamp(1_719_999_999, -1_440, 0), "2024-07-03T09:46:39+00:00"),
    ],
)
def test_local_timestamp(time: LocalTimestamp, text: str) -> None:
    """An offset of a day or more is no real one; then the time is given in UTC."""
    assert time.datetime.isoformat() == text


@given(s.integers(*s.U32), s.integers(*s.I16), s.integers(*s.I16))
def test_every_local_timestamp_is_the_same_moment(timestamp: int, local: int, season: int) -> None:
    found = LocalTimestamp(timestamp, local, season).datetime
    assert found == Timestamp(timestamp).datetime
    assert found.utcoffset() in {timedelta(minutes=local + season), UTC.utcoffset(None)}


def attention(number: str) -> AttentionRes:
    return AttentionRes(server_id=b"", attention_no=bytes.fromhex(number))


@pytest.mark.parametrize(
    ("octets", "number", "positive", "meaning"),
    [
        ("8181c7c7fd00", 0xFD00, True, "done"),
        ("8181c7c7fd01", 0xFD01, True, "accepted, done later"),
        ("8181c7c7fdff", 0xFDFF, True, "FDFF"),
        ("8181c7c7fe0a", 0xFE0A, False, "order not executed"),
        ("8181c7c7fe15", 0xFE15, False, "busy"),
        ("8181c7c7e001", 0xE001, False, "E001"),
        ("8181c7c6fd00", None, False, "8181c7c6fd00"),
        ("8181c7c7fd", None, False, "8181c7c7fd"),
        ("8181c7c7fd0000", None, False, "8181c7c7fd0000"),
        ("", None, False, ""),
    ],
)
def test_attention_number(octets: str, number: int | None, positive: bool, meaning: str) -> None:  # noqa: FBT001 - expected
    found = attention(octets)
    assert (found.number, found.positive, found.meaning) == (number, positive, meaning)


def test_attention_numbers_of_the_catalogue() -> None:
    assert set(ATTENTION_NUMBERS) == {0xFD00, 0xFD01} | set(range(0xFE00, 0xFE16))
    assert all(attention(f"8181c7c7{number:04x}").meaning == text for number, text in ATTENTION_NUMBERS.items())


def test_names_of_untyped_messages() -> None:
    assert {f"{tag:04X}": Untyped(tag, ()).name for tag in (*UNTYPED_NAMES, 0x0B00, 0x1_0000)} == {
        "0601": "SetProcParameter.Res",
        "0800": "GetCosem.Req",
        "0801": "GetCosem.Res",
        "0900": "SetCosem.Req",
        "0901": "SetCosem.Res",
        "0A00": "ActionCosem.Req",
        "0A01": "ActionCosem.Res",
        "0B00": "0B00",
        "10000": "10000",
    }


def test_message_bodies() -> None:
    assert {body.__name__ for body in get_args(MessageBody)} <= set(RECORDS)
    assert Message(transaction_id=b"1", message_body=PublicCloseRes()) == Message(
        transaction_id=b"1", group_no=0, abort_on_error=0, message_body=PublicCloseRes()
    )
