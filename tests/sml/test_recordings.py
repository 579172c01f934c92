"""Real telegrams of meters: read in full and written again, octet by octet.

The recordings lie beside the checkout and are no part of the project.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import (
    Integer,
    LocalTimestamp,
    Message,
    SecIndex,
    Timestamp,
    TransportDecoder,
    TransportFrame,
    Unsigned,
    decode_file,
    encode_file,
    encode_transport,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMES = ("lgz_extended_import", "lmn_attention_negative", "iskra_export")
CLASSES = {
    "OpenResponse": "PublicOpenRes",
    "GetListResponse": "GetListRes",
    "CloseResponse": "PublicCloseRes",
    "AttentionResponse": "AttentionRes",
}
_SPELLING = {"obis_hex": "obj_name"}
_FOR_PEOPLE = {"obis", "scaled", "unit_symbol"}


@pytest.fixture(params=NAMES)
def recording(request: pytest.FixtureRequest, shared: Path) -> dict[str, Any]:
    telegrams = json.loads((shared / "vectors" / "base-meter.json").read_text(encoding="utf-8"))["telegrams"]
    found: dict[str, Any] = next(each for each in telegrams if each["name"] == request.param)
    return found


def test_recording_is_read_in_full_and_written_again(recording: dict[str, Any]) -> None:
    payload = octets = bytes.fromhex(recording["hex"])
    if recording["kind"] == "frame":
        decoder = TransportDecoder()
        (frame,) = decoder.feed(octets)
        assert decoder.close() == []
        assert isinstance(frame, TransportFrame)
        assert (len(frame.raw), frame.fill) == (recording["length"], recording["fill"])
        payload = frame.payload
        assert encode_transport(payload) == octets
    messages = decode_file(payload)
    assert len(messages) == len(recording["messages"])
    for message, expected in zip(messages, recording["messages"], strict=True):
        assert_message(message, expected)
    assert encode_file(messages) == payload


def assert_message(message: Message, expected: Mapping[str, Any]) -> None:
    assert message.transaction_id.hex() == expected["transaction_id"]
    assert message.group_no == expected["group_no"]["value"]
    assert message.abort_on_error == expected["abort_on_error"]["value"]
    assert type(message.message_body).__name__ == CLASSES[expected["name"]]
    assert_record(message.message_body, expected["body"])


def assert_record(record: Any, expected: Mapping[str, Any]) -> None:  # noqa: ANN401 - any record
    wanted = {_SPELLING.get(key, key): value for key, value in expected.items() if key not in _FOR_PEOPLE}
    assert {field.name for field in fields(record)} == set(wanted)
    for name, value in wanted.items():
        assert_field(getattr(record, name), value)


def assert_field(found: Any, expected: Any) -> None:  # noqa: ANN401 - JSON
    match found:
        case None:
            assert expected is None
        case bytes():
            assert found.hex() == (expected if isinstance(expected, str) else expected["hex"])
        case int():
            assert found == expected["value"]
        case SecIndex():
            assert (expected["choice"], expected["value"]) == ("sec_index", found.value)
        case Integer() | Unsigned():
            width = int(expected["type"][1:]) // 8
            assert (expected["type"][0], width, expected["value"]) == (
                "i" if isinstance(found, Integer) else "u",
                found.width,
                found.value,
            )
        case tuple():
            assert len(found) == len(expected)
            for item, wanted in zip(found, expected, strict=True):
                assert_record(item, wanted)
        case Timestamp() | LocalTimestamp():
            pytest.fail(f"no recorded meter tells a date, found {found}")
        case _:
            assert_record(found, expected)
