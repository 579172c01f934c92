"""Records of address assignment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import DecodeError, EncodeError, ServerId
from e320proto.hdlc import RECORDS_MAX, Record, decode_frame, decode_records, encode_records
from tests.hdlc.vectors import FRAMES, VECTORS, octets_of

WITH_RECORDS = [vector for vector in VECTORS["lmn_frames"] if "records" in vector]
ID = bytes.fromhex("0A014C475A0000BC614E")
RECORD = Record(68, 1, ID, ID)

# Device ids with any number: some of these end in 00, and so do their octets.
server_ids = st.integers(0, 99_999_999).map(lambda number: ServerId.parse(f"1LGZ00{number:08d}").raw)
texts = st.text("0123456789ABCDEF", min_size=1, max_size=14).map(lambda text: b"1" + text.encode()[1:])
ids = server_ids | texts | st.just(b"") | st.just(bytes.fromhex("05001122334400"))
records = st.builds(Record, st.integers(0, 255), st.integers(0, 255), ids, ids)


@pytest.mark.parametrize("vector", WITH_RECORDS, ids=[vector["id"] for vector in WITH_RECORDS])
def test_vectors(vector: dict[str, Any]) -> None:
    info = decode_frame(octets_of(vector)).info
    found = decode_records(info)
    assert found == tuple(
        Record(item["address"], item["slot"], bytes.fromhex(item["participant"]), bytes.fromhex(item["sensor"]))
        for item in vector["records"]
    )
    assert encode_records(found) == info


def test_longest_list() -> None:
    info = decode_frame(FRAMES["check_broadcast_63"]).info
    found = decode_records(info)
    assert len(found) == RECORDS_MAX == 63
    for number, record in enumerate(found):
        wanted = ServerId.parse(f"1LGZ00{20_000_000 + number:08d}").raw
        assert record == Record(3 + number, 1 + number, wanted, wanted)
    assert encode_records(found) == info
    with pytest.raises(EncodeError, match="expected at most 63 records, found 64"):
        encode_records([*found, RECORD])


def test_no_records() -> None:
    assert decode_records(b"") == ()
    assert encode_records([]) == b""


def test_reserved_octets_are_not_looked_at() -> None:
    octets = encode_records([RECORD])
    assert octets[-2:] == b"\0\0"
    assert decode_records(octets[:-2] + b"\x12\x34") == (RECORD,)


@given(st.lists(records, max_size=5))
def test_round_trip(sent: list[Record]) -> None:
    octets = encode_records(sent)
    assert len(octets) == 32 * len(sent)
    assert decode_records(octets) == tuple(sent)


@given(st.binary(min_size=30, max_size=30))
def test_octets_come_back(octets: bytes) -> None:
    assert encode_records(decode_records(octets + b"\0\0")) == octets + b"\0\0"


@pytest.mark.parametrize("octets", [1, 31, 33, 63])
def test_no_multiple_of_32(octets: int) -> None:
    with pytest.raises(DecodeError, match=f"expected a multiple of 32 octets, found {octets}") as caught:
        decode_records(bytes(octets))
    assert caught.value.reason == "records"


@pytest.mark.parametrize(
    ("record", "path"),
    [
        (replace(RECORD, address=256), "[1].address"),
        (replace(RECORD, slot=-1), "[1].slot"),
        (replace(RECORD, participant_id=bytes(15)), "[1].participant_id"),
        (replace(RECORD, sensor_id=b"1\0"), "[1].sensor_id"),
        (replace(RECORD, sensor_id=ID[:9]), "[1].sensor_id"),
    ],
)
def test_no_records_to_send(record: Record, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_records([RECORD, record])
    assert (caught.value.reason, caught.value.path) == ("records", path)
