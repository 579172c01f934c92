"""Recordings of real meters: everything that is known of them, in any chunks, and with damage to every bit.

The recordings lie beside the checkout and are no part of the project; without them the tests are skipped.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from e320proto import (
    BytesDiscarded,
    CrcKind,
    GetListRes,
    Malformed,
    PublicCloseRes,
    PublicOpenRes,
    Quantity,
    SecIndex,
    Telegram,
    TelegramDecoder,
    TransportDecoder,
    TransportFrame,
    decode_file,
    encode_file,
    encode_transport,
    read_capture,
)
from tests.recordings import FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from e320proto import Entry

Event: TypeAlias = Telegram | BytesDiscarded | Malformed

WITHOUT_FRAME = "DZG_DVS-7420.2V.G2_mtr1_error.bin"
DETAILS: dict[str, dict[str, set[tuple[str, ...]]]] = {
    "notes": {
        "HOLLEY_DTZ541-ZDBA.bin": {("bare_time",)},
        "EMH_eHZ-IW8E2A5L0EK2P_with_error.bin": {("value_absent",)},
    },
    "quirks": {
        "DZG_DVS-7412.2_jmberg.bin": {("zero_time", "dzg_sign")},
        "dzg_dwsb20_2th_2byte.bin": {("zero_time",)},
        "EMH-ED300L_delivery.bin": {("edl_direction",)},
    },
}
"""Notes and quirks of the telegrams of a file; of all others there are none."""

DIRECTIONS = {
    "DrNeuhaus_SMARTY_ix-130.bin": "unknown",
    "EMH-ED300L_delivery.bin": "export",
    "dzg_dwsb20_2th_2byte.bin": "export",
}
NET_POWERS = {
    "DZG_DVS-7412.2_jmberg.bin": "356.24",
    "EMH-ED300L_delivery.bin": "-126.6",
    "EMH_eHZ-IW8E2A5L0EK2P_with_error.bin": "136.7",
    "EMH_mME40-AE6AKF0K0.bin": "2623",
    "EasyMeter_Q3A_A1064V1009.bin": "810.26",
    "HOLLEY_DTZ541-ZDBA.bin": "460",
    "ISKRA_MT631-D1A52-K0z-H01_with_PIN.bin": "193",
    "dzg_dwsb20_2th_2byte.bin": "-310.64",
}
REDUCED = {
    "ISKRA_MT631-D1A52-K0z-H01_without_PIN.bin",
    "ITRON_OpenWay-3.HZ_without_PIN.bin",
    "eBZ_DD3_DD32R06DTA-SMZ1.bin",
}
WRITTEN_SHORTEST = {"DZG_DVS-7412.2_jmberg.bin", "dzg_dwsb20_2th_2byte.bin"}
"""These meters write every number in as few octets as hold it."""

WITH_WIDE_TAGS = {"eBZ_DD3_DD32R06DTA-SMZ1.bin", "HOLLEY_DTZ541-ZDBA.bin", "ITRON_OpenWay-3.HZ_without_PIN.bin"}
"""These meters write message tags in four octets, the library in two."""


@dataclass(frozen=True)
class Capture:
    """One recording and what is known of it."""

    name: str
    octets: bytes
    expected: dict[str, Any]

    @property
    def events(self) -> list[Event]:
        decoder = TelegramDecoder()
        return decoder.feed(self.octets) + decoder.close()

    @property
    def telegrams(self) -> list[Telegram]:
        return [event for event in self.events if isinstance(event, Telegram)]


def load(shared: Path, name: str) -> Capture:
    folder = shared / "captures"
    if not (folder / name).is_file():
        pytest.skip(f"no recording {name} in ../shared/captures")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["files"][name]
    return Capture(name, (folder / name).read_bytes(), expected)


@pytest.fixture(params=FILES)
def capture(request: pytest.FixtureRequest, shared: Path) -> Capture:
    return load(shared, request.param)


def trouble_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Everything between the telegrams, in the form of expected.json."""
    found: list[dict[str, Any]] = []
    for event in events:
        match event:
            case BytesDiscarded():
                found.append({"kind": "noise", "offset": event.offset, "length": len(event.data)})
            case Malformed():
                found.append({"kind": event.error.reason, "offset": event.offset, "length": len(event.raw)})
            case Telegram():
                pass
    return found


def octets_of(event: Event) -> bytes:
    return event.data if isinstance(event, BytesDiscarded) else event.raw


# --- what is known of them ----------------------------------------------------------------------


def test_every_recording_is_tested(shared: Path) -> None:
    expected = json.loads((shared / "captures" / "expected.json").read_text(encoding="utf-8"))
    assert sorted(expected["files"]) == sorted(FILES)
    assert sorted(path.name for path in (shared / "captures").glob("*.bin")) == sorted(FILES)


def test_recording_is_the_one_described(capture: Capture) -> None:
    assert len(capture.octets) == capture.expected["octets"]
    assert hashlib.sha256(capture.octets).hexdigest() == capture.expected["sha256"]


def test_counts(capture: Capture) -> None:
    telegrams, expected = capture.telegrams, capture.expected
    assert len(telegrams) == expected["frames"]
    assert [telegram.offset for telegram in telegrams] == expected["frame_offsets"]
    assert sum(len(telegram.messages) for telegram in telegrams) == expected["messages"]
    assert sum(len(telegram.entries) for telegram in telegrams) == expected["list_entries"]
    kinds = [trouble["kind"] for trouble in trouble_of(capture.events)]
    assert sum(kind not in {"noise", "truncated", "bad_crc"} for kind in kinds) == expected["message_errors"]
    assert kinds.count("bad_crc") == expected["rejected_frames"]


def test_totals(shared: Path) -> None:
    captures = [load(shared, name) for name in FILES]
    telegrams = [telegram for capture in captures for telegram in capture.telegrams]
    messages = [message for telegram in telegrams for message in telegram.messages]
    assert {
        "files": len(captures),
        "octets": sum(len(capture.octets) for capture in captures),
        "frames": len(telegrams),
        "messages": len(messages),
        "list_entries": sum(len(telegram.entries) for telegram in telegrams),
        "rejected_frames": sum(
            trouble["kind"] == "bad_crc" for capture in captures for trouble in trouble_of(capture.events)
        ),
    } == json.loads((shared / "captures" / "expected.json").read_text(encoding="utf-8"))["totals"]
    assert {type(message.message_body) for message in messages} == {PublicOpenRes, GetListRes, PublicCloseRes}
    assert {message.crc16 for message in messages} == {CrcKind.X25}


def test_every_trouble_item(capture: Capture) -> None:
    assert trouble_of(capture.events) == capture.expected["trouble"]


def test_events_cover_every_octet_once(capture: Capture) -> None:
    position = 0
    for event in capture.events:
        assert event.offset == position
        position += len(octets_of(event))
    assert b"".join(map(octets_of, capture.events)) == capture.octets


def test_first_frame(capture: Capture) -> None:
    expected = capture.expected["first_frame"]
    if expected is None:
        assert capture.telegrams == []
        return
    telegram = capture.telegrams[0]
    assert telegram.server_id is not None
    assert (telegram.offset, telegram.server_id.hex) == (expected["offset"], expected["server_id"])
    (frame,) = TransportDecoder().feed(telegram.raw)
    assert isinstance(frame, TransportFrame)
    assert (frame.crc_kind, frame.fill) == (expected["crc"], expected["fill"])
    assert [entry_form(entry) for entry in telegram.entries] == expected["entries"]


def entry_form(entry: Entry) -> dict[str, Any]:
    """An entry in the form of expected.json."""
    value = entry.value
    form: dict[str, Any] = {
        "obis": str(entry.obis),
        "value": None,
        "unit": None if entry.unit is None else str(entry.unit),
        "status": None if entry.status is None else entry.status.hex,
    }
    if isinstance(value, Quantity):
        form["value"] = value.digits
        assert format(value.decimal, "f") == value.digits
        assert value.decimal == Decimal(value.raw).scaleb(value.scaler)
    elif isinstance(value, bytes):
        form["octets"] = value.hex()
    else:
        assert value is None
    if entry.corrected is not None:
        form |= {"corrected": entry.corrected.digits, "rule": entry.rule}
    return form


def test_open_message(capture: Capture) -> None:
    expected = capture.expected.get("open_res")
    if expected is None:
        assert capture.telegrams == []
        return
    body = capture.telegrams[0].messages[0].message_body
    assert isinstance(body, PublicOpenRes)
    assert body.ref_time is None or isinstance(body.ref_time, SecIndex)
    assert {
        "reqFileId": body.req_file_id.hex(),
        "serverId": body.server_id.hex(),
        "refTime": None if body.ref_time is None else {"secIndex": body.ref_time.value},
        "smlVersion": body.sml_version,
    } == expected


def test_notes_and_quirks(capture: Capture) -> None:
    for kind, expected in DETAILS.items():
        found = {getattr(telegram, kind) for telegram in capture.telegrams}
        if capture.name != WITHOUT_FRAME:
            assert found == expected.get(capture.name, {()})


def test_derived_properties(capture: Capture) -> None:
    for telegram in capture.telegrams:
        assert telegram.direction == DIRECTIONS.get(capture.name, "import")
        assert telegram.reduced is (capture.name in REDUCED)
        assert (telegram.net_power is not None) is (capture.name in NET_POWERS)
    if capture.name in NET_POWERS:
        net_power = capture.telegrams[0].net_power
        assert net_power is not None
        assert str(net_power) == f"{NET_POWERS[capture.name]} W"


def test_every_corrected_entry(shared: Path) -> None:
    """The sign rule changes exactly one entry of all."""
    corrected = [
        (name, telegram.offset, str(entry.obis), str(entry.value), str(entry.corrected))
        for name in FILES
        for telegram in load(shared, name).telegrams
        for entry in telegram.entries
        if entry.corrected is not None
    ]
    assert corrected == [("DZG_DVS-7412.2_jmberg.bin", 0, "1-0:16.7.0*255", "-299.12 W", "356.24 W")]


def test_telegrams_are_written_again(capture: Capture) -> None:
    """Octet by octet, but for the width of the message tag."""
    for telegram in capture.telegrams:
        assert encode_transport(telegram.payload) == telegram.raw
        payload = encode_file(telegram.messages, integers="shortest" if capture.name in WRITTEN_SHORTEST else "fixed")
        assert (payload == telegram.payload) is (capture.name not in WITH_WIDE_TAGS)
        assert decode_file(payload) == telegram.messages


# --- in any chunks ------------------------------------------------------------------------------


def chunks(octets: bytes, rng: random.Random, largest: int) -> Iterator[bytes]:
    position = 0
    while position < len(octets):
        size = rng.randint(0, largest)
        yield octets[position : position + size]
        position += size


def test_octet_by_octet(capture: Capture) -> None:
    decoder = TelegramDecoder()
    events = [event for octet in capture.octets for event in decoder.feed(bytes((octet,)))]
    assert events + decoder.close() == capture.events


@pytest.mark.parametrize("largest", [3, 17, 300, 5_000])
def test_random_chunks(capture: Capture, largest: int) -> None:
    rng = random.Random(f"{capture.name} {largest}")  # noqa: S311 - repeatable test data
    for _ in range(5):
        decoder = TelegramDecoder()
        events = [event for chunk in chunks(capture.octets, rng, largest) for event in decoder.feed(chunk)]
        assert events + decoder.close() == capture.events


def test_read_capture(capture: Capture, shared: Path, tmp_path: Path) -> None:
    assert list(read_capture(shared / "captures" / capture.name)) == capture.events
    dump = tmp_path / "dump.txt"
    dump.write_text(capture.octets.hex(" ", 32), encoding="ascii")
    assert list(read_capture(dump)) == capture.events


# --- one bit wrong ------------------------------------------------------------------------------


def test_single_bit_flips(capture: Capture) -> None:
    """Every bit of the first frame: no exception, no neighbour lost, and never a telegram that says something wrong."""
    if capture.name == WITHOUT_FRAME:
        pytest.skip("this recording holds no whole frame")
    telegrams = capture.telegrams
    frame, neighbour = telegrams[0], telegrams[-1]
    right = set(frame.entries)
    decoder = TelegramDecoder()
    assert decoder.feed(neighbour.raw) == [neighbour.at(0)]
    for bit in range(8 * len(frame.raw)):
        damaged = bytearray(frame.raw)
        damaged[bit // 8] ^= 1 << bit % 8
        *found, last = decoder.feed(bytes(damaged) + neighbour.raw)
        assert last == neighbour.at(last.offset), f"bit {bit}"
        assert b"".join(map(octets_of, found)) == damaged, f"bit {bit}"
        for event in found:
            # Of 65,536 damaged frames one has a right checksum by chance; then that of its message tells.
            if isinstance(event, Telegram):
                assert set(event.entries) <= right, f"bit {bit}"
                assert set(event.messages) <= set(frame.messages), f"bit {bit}"
    assert decoder.close() == []


def test_single_octet_lost(capture: Capture) -> None:
    """Every octet of the first frame: that frame is not delivered, and the next one is."""
    if capture.name == WITHOUT_FRAME:
        pytest.skip("this recording holds no whole frame")
    telegrams = capture.telegrams
    frame, neighbour = telegrams[0], telegrams[-1]
    decoder = TelegramDecoder()
    for at in range(len(frame.raw)):
        damaged = frame.raw[:at] + frame.raw[at + 1 :]
        *found, last = decoder.feed(damaged + neighbour.raw)
        assert last == neighbour.at(last.offset), f"octet {at}"
        assert b"".join(map(octets_of, found)) == damaged, f"octet {at}"
        assert not any(isinstance(event, Telegram) for event in found), f"octet {at}"
    assert decoder.close() == []
