"""Learned layouts change nothing but speed: the events are those of the plain path, part by part."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import (
    CrcKind,
    DecodeOptions,
    GetListRes,
    Integer,
    ListEntry,
    LocalTimestamp,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Telegram,
    TelegramDecoder,
    Timestamp,
    TimestampedValue,
    Unsigned,
    encode_file,
    encode_transport,
)
from e320proto.crc import x25
from e320proto.sml.telegram import layout_of
from tests import recordings
from tests.contracts.event_parts import events_of, pieces
from tests.contracts.pushes import EVERYTHING, USUAL, push
from tests.contracts.strategies import of_type, record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from e320proto import Message

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
DZG_ID = bytes.fromhex("0a01445a470002822ebe")
OPEN, LIST, CLOSE = push(USUAL)
SIZES = (1, 7, 64, 512, 4_096, 1 << 20)


def frame(*messages: Message) -> bytes:
    return encode_transport(encode_file(messages))


def entry(code: str, **fields: Any) -> ListEntry:  # noqa: ANN401 - any field
    return ListEntry(obj_name=ObisCode.parse(code), **fields)


def power_push(value: Integer, server_id: bytes = DZG_ID, word: int = 0x1C0104) -> bytes:
    """A push whose power may have the DZG sign fault."""
    entries = (
        entry("1.8.0", status=Unsigned(word, 4), unit=30, scaler=-1, value=Unsigned(9, 8)),
        entry("16.7.0", unit=27, scaler=-2, value=value),
    )
    _, get_list, _ = push(entries)
    assert isinstance(get_list.message_body, GetListRes)
    body = replace(get_list.message_body, server_id=server_id)
    return frame(OPEN, replace(get_list, message_body=body), CLOSE)


def timed_push(list_time: Any, entry_time: Any, ref_time: Any = None) -> bytes:  # noqa: ANN401 - any time
    """A push with these times."""
    entries = (
        entry("1.8.0", val_time=entry_time, unit=30, scaler=-1, value=Unsigned(9, 8)),
        entry("2.8.0", val_time=SecIndex(5), unit=30, scaler=-1, value=Unsigned(9, 8)),
    )
    bodies = (
        PublicOpenRes(req_file_id=b"1", server_id=DZG_ID, ref_time=ref_time),
        GetListRes(server_id=DZG_ID, act_sensor_time=list_time, val_list=entries),
        PublicCloseRes(),
    )
    return frame(*(replace(CLOSE, message_body=body) for body in bodies))


def value_push(values: Iterable[Any], scaler: int | None = -1) -> bytes:
    """A push with these values."""
    entries = tuple(
        entry(f"{number}.8.0", unit=30, scaler=scaler, value=value) for number, value in enumerate(values, 1)
    )
    return frame(*push(entries))


SPECIAL = {
    "usual": [frame(OPEN, replace(LIST, transaction_id=number.to_bytes(4)), CLOSE) for number in range(9)],
    "escapes in a value": [
        value_push([Unsigned(value, 8), value.to_bytes(8)])
        for value in (5, 0x1B1B1B1B, 6, 0x1B1B1B1B_1B1B1B1B, 0x1B1B1B1B_1A000000, 7, 0x1B1B1B1B_01010101, 0x1B, 8)
    ],
    "ends of the number range": [
        value_push([Unsigned(unsigned, 8), Integer(signed, 8)])
        for unsigned, signed in ((1, -1), (0, 0), ((1 << 64) - 1, -(1 << 63)), (1 << 63, (1 << 63) - 1))
    ],
    "numbers of every width": [
        value_push([Unsigned(step + 1, width), Integer(step - 4, width), Unsigned((1 << 8 * width) - 1 - step, width)])
        for width in range(1, 9)
        for step in range(3)
    ],
    "scalers": [
        value_push([Unsigned(12_345_678_901_234_567 + step, 8), Integer(-step, 2)], scaler)
        for scaler in (None, 0, 1, 3, 127, -1, -4, -22, -23, -128)
        for step in range(3)
    ],
    "widths that change": [value_push([Unsigned(253 + step), Integer(-126 - step)]) for step in range(8)],
    "dzg": [power_push(Integer(value, 2)) for value in (300, 301, -29_912, -1, -2, 40, -29_913)],
    "dzg, export": [power_push(Integer(value, 2), word=0x1C0904) for value in (300, -29_912, -1)],
    "dzg, phases": [
        frame(
            *push(
                (
                    entry("1-0:96.1.0", value=DZG_ID),
                    entry("1.8.0", status=Unsigned(0x1C0104, 4), value=Unsigned(9, 8)),
                    entry("36.7.0", unit=27, scaler=-2, value=Integer(value, 2)),
                )
            )
        )
        for value in (300, -29_912, -499, -500, -501)
    ],
    "not dzg": [power_push(Integer(value, 2), b"\x0a\x01LGZ\0\0\0\0\1") for value in (300, -29_912, -1)],
    "ids that change": [
        power_push(Integer(-29_912, 2), server_id)
        for server_id in (DZG_ID, b"\x0a\x01LGZ\0\0\0\0\1", b"\x0a\x01EMH\0\0\0\0\1", DZG_ID)
    ],
    "empty id": [power_push(Integer(value, 2), b"") for value in range(4)],
    "zero times": [timed_push(SecIndex(now), SecIndex(then)) for now, then in ((7, 7), (8, 0), (0, 0), (9, 9), (0, 3))],
    "bare times": [timed_push(SecIndex(now, bare=True), SecIndex(0, bare=True)) for now in (7, 8, 0, 9)],
    "time of the entry only": [timed_push(None, SecIndex(now)) for now in (7, 8, 0, 9)],
    "time of Open": [timed_push(None, SecIndex(now), SecIndex(now + 1)) for now in (7, 8, 0, 9)],
    "timestamps": [timed_push(Timestamp(now), Timestamp(now * 2), Timestamp(3)) for now in (1_700_000_000, 0, 5)],
    "timestamp and counter": [timed_push(SecIndex(now), Timestamp(0)) for now in (7, 8, 0)],
    "timestamp and a counter of 0": [timed_push(Timestamp(now), SecIndex(0)) for now in (1_700_000_000, 5, 0)],
    "local times": [timed_push(LocalTimestamp(now, 60, 60), None) for now in (1_700_000_000, 1_700_000_001, 0)],
    "times that are absent at times": [timed_push(time, None) for time in (None, SecIndex(4), None, SecIndex(5), None)],
    "lists and times as values": [
        value_push(
            [
                SecIndex(step),
                TimestampedValue(sml_time=SecIndex(step), status=Unsigned(4, 2), simple_value=Integer(-3, 3)),
                bool(step % 2),
                None,
            ]
        )
        for step in range(5)
    ],
    "signatures": [
        frame(*push((entry("1.8.0", value=Unsigned(step, 4), value_signature=bytes([step]) * 48),)))
        for step in range(4)
    ],
    "something of everything": [frame(*push(EVERYTHING))] * 4,
    "no entries": [frame(*push(()))] * 4,
    "two lists": [frame(OPEN, LIST, LIST, CLOSE)] * 4,
    "no Close": [frame(OPEN, LIST)] * 4,
    "wrong order": [frame(LIST, OPEN, CLOSE)] * 4,
    "kermit messages": [frame(*push(USUAL, CrcKind.KERMIT))] * 4,
    "kermit frames": [encode_transport(encode_file(push(USUAL)), "kermit")] * 4,
    "gaps between messages": [
        encode_transport(b"\0" * gap + encode_file([OPEN]) + b"\0" * 3 + encode_file([LIST, CLOSE]))
        for gap in (0, 1, 1, 4, 4, 0)
    ],
}
OPTIONS = (
    DecodeOptions(),
    DecodeOptions(dzg_sign=False),
    DecodeOptions(frame_crc_kind="none", message_crc="lenient"),
    DecodeOptions(frame_crc_kind="kermit"),
    DecodeOptions(frame_crc_kind="x25", message_crc_kind="kermit"),
)


def assert_equal(octets: bytes, *, options: DecodeOptions = OPTIONS[0], sizes: Iterable[int] = (4_096, 100)) -> None:
    """Decode a stream with and without layouts, in pieces of several sizes."""
    plain = events_of(TelegramDecoder(options, layouts=False), [octets])
    for size in sizes:
        assert events_of(TelegramDecoder(options), pieces(octets, size)) == plain


def hits(octets: bytes) -> int:
    """How many telegrams of a stream come by a layout."""
    return sum(isinstance(event, Telegram) and event._layout is not None for event in TelegramDecoder().feed(octets))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", SPECIAL)
def test_special_pushes(name: str, options: DecodeOptions) -> None:
    stream = b"".join(SPECIAL[name])
    assert_equal(stream * 2 + b"noise" + stream[:-4] + stream, options=options)


@pytest.mark.parametrize("size", SIZES)
def test_pieces_of_any_size(size: int) -> None:
    assert_equal(b"".join(map(b"".join, SPECIAL.values())), sizes=(size,))


@pytest.mark.parametrize("name", [name for name, frames in SPECIAL.items() if layout_of(frames[0]) is not None])
def test_layouts_are_used(name: str) -> None:
    """Else the comparisons above would show nothing."""
    assert hits(SPECIAL[name][0] * 5) >= 3


@pytest.mark.parametrize(
    ("name", "rule"), [("dzg", "dzg_sign"), ("dzg, phases", "dzg_sign"), ("zero times", "zero_time")]
)
def test_rules_apply_in_these(name: str, rule: str) -> None:
    telegrams = [event for event in TelegramDecoder().feed(b"".join(SPECIAL[name])) if isinstance(event, Telegram)]
    assert {rule in telegram.rules for telegram in telegrams} == {True, False}


def test_forms_without_a_layout() -> None:
    without = {name for name, frames in SPECIAL.items() if layout_of(frames[0]) is None}
    assert without == {
        "local times",
        "lists and times as values",
        "something of everything",
        "two lists",
        "no Close",
        "wrong order",
        "kermit messages",
        "kermit frames",
    }


# --- damage -------------------------------------------------------------------------------------


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """The frame with some octets changed; with checksums made right again, or some of them, or none."""
    layout = layout_of(raw)
    assert layout is not None
    octets = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(8, len(raw) - 8)
        run = chance.choice(
            (bytes([chance.randrange(256)]), b"\x1b" * 4, b"\x1b" * 8, b"\0", b"\1", bytes([octets[at] ^ 1]))
        )
        octets[at : at + len(run)] = run[: len(raw) - 8 - at]
    for start, end in layout.spans:
        if chance.random() < 0.9:
            octets[end + 1 : end + 3] = x25(bytes(octets[start:end])).to_bytes(2, "little")
    how = chance.random()
    if how < 0.4:  # as a sender would escape it
        return encode_transport(bytes(octets[8 : 8 + len(layout.example.payload)]))
    if how < 0.8:
        octets[-2:] = x25(bytes(octets[:-2])).to_bytes(2, "little")
    return bytes(octets)


def cut(raw: bytes, chance: random.Random) -> bytes:
    """The frame with octets lost, doubled or put in."""
    at, count = chance.randrange(len(raw)), chance.choice((1, 1, 2, 3, 8, 50))
    insert = chance.choice((b"", b"", raw[at : at + count], b"\x1b" * count, raw[:8], b"\x1b\x1b\x1b\x1b\x1a\0\0\0"))
    return raw[:at] + insert + raw[at + count * (chance.random() < 0.7) :]


def damaged_stream(frames: Sequence[bytes], chance: random.Random, count: int) -> bytes:
    """Frames in a row, half of them not as they were sent."""
    stream = list(frames[:1]) * 3
    for _ in range(count):
        raw = chance.choice(frames)
        how = chance.random()
        stream.append(raw if how < 0.5 else mutated(raw, chance) if how < 0.85 else cut(raw, chance))
    return b"".join(stream)


WITH_LAYOUT = [raw for frames in SPECIAL.values() for raw in frames if layout_of(raw) is not None]


@pytest.mark.parametrize("seed", range(25))
def test_damaged_pushes(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same damage in every run
    frames = chance.sample(WITH_LAYOUT, 4)
    assert_equal(damaged_stream(frames, chance, 80), sizes=(4_096, chance.randint(1, 300)))


@pytest.mark.parametrize("name", recordings.FILES)
def test_recordings(name: str) -> None:
    """As recorded, three times over, and damaged."""
    path = CAPTURES / name
    if not path.is_file():
        pytest.skip("needs the recordings in ../shared/captures")
    octets = path.read_bytes()
    assert_equal(octets * 3)
    frames = [event.raw for event in TelegramDecoder().feed(octets) if isinstance(event, Telegram)]
    if not frames:
        pytest.skip("this recording holds no whole frame")
    assert hits(frames[0] * 5) >= 3
    chance = random.Random(name)  # noqa: S311 - the same damage in every run
    assert_equal(damaged_stream(frames, chance, 150), sizes=(4_096, 100))


@settings(max_examples=150, deadline=None)
@given(
    open_res=record_of(PublicOpenRes),
    get_list=record_of(GetListRes),
    val_list=st.lists(record_of(ListEntry), max_size=4),
    others=st.lists(of_type(bytes), min_size=1, max_size=3),
)
def test_any_push(open_res: Any, get_list: Any, val_list: list[Any], others: list[bytes]) -> None:  # noqa: ANN401
    """Whatever the records may hold; some fields change from telegram to telegram."""
    stream = []
    for number, octets in enumerate([b"", b"1", *others]):
        entries = tuple(replace(item, obj_name=bytes(6)) for item in val_list)
        bodies = (
            replace(open_res, req_file_id=octets),
            replace(get_list, val_list=entries, act_sensor_time=SecIndex(number)),
            PublicCloseRes(),
        )
        stream.append(frame(*(replace(CLOSE, message_body=body) for body in bodies)) * 3)
    assert_equal(b"".join(stream))
