"""Learning: what becomes a layout, when, and how many are kept."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import (
    CrcKind,
    DecodeOptions,
    ListEntry,
    LocalTimestamp,
    SecIndex,
    Telegram,
    TelegramDecoder,
    Unsigned,
    encode_file,
    encode_transport,
)
from e320proto.crc import x25
from e320proto.sml.layout import (
    FREE_LAYOUTS,
    LARGEST,
    OCTETS_PER_LAYOUT,
    PER_LENGTH,
    REMEMBERED,
    REMEMBERED_OF_ONE,
    Layouts,
    Learner,
    learn,
    shared_layouts,
)
from e320proto.sml.layout_checks import check_each, check_messages
from e320proto.sml.telegram import layout_of
from e320proto.sml.transport import TransportDecoder, TransportFrame
from tests.contracts.pushes import FRAME, USUAL, push


def frame_of(count: int, number: int = 0, unit: int = 30) -> bytes:
    """A frame whose length tells ``count``; ``number`` is data, ``unit`` is skeleton."""
    entries = (replace(USUAL[0], value=bytes(4 * count)), replace(USUAL[1], value=Unsigned(number, 8), unit=unit))
    return encode_transport(encode_file(push(entries)))


def seen(learner: Learner, frames: list[bytes], offset: int = 0) -> None:
    for raw in frames:
        (event,) = TransportDecoder().feed(raw)
        assert isinstance(event, TransportFrame)
        (telegram,) = TelegramDecoder(layouts=False).feed(raw)
        assert isinstance(telegram, Telegram)
        assert telegram._content is not None
        learner.see(replace(event, offset=offset), telegram._content)


def test_fields_of_a_layout() -> None:
    layout = layout_of(FRAME)
    assert layout is not None
    (telegram,) = TelegramDecoder(layouts=False).feed(FRAME)
    assert isinstance(telegram, Telegram)
    found = {(field.message, field.entry, field.name): field for field in layout.fields}
    assert [key[2] for key in found if key[0] == 0] == [
        "transaction_id",
        "client_id",
        "req_file_id",
        "server_id",
        "ref_time",
        "crc16",
    ]
    energy = found[1, 1, "value"]
    assert FRAME[energy.start : energy.start + energy.octets] == (1_234_567).to_bytes(8)
    assert found[1, 1, "val_time"].choice == 1
    assert (1, 1, "obj_name") not in found
    assert (1, 1, "unit") not in found
    assert layout.codes == telegram.entries.keys()
    assert layout.content(FRAME) == telegram._content
    assert [(FRAME[start], FRAME[end]) for start, end in layout.spans] == [(0x76, 0x63)] * 3
    assert layout.mask.bit_length() == 8 * (len(FRAME) - 2)
    data = 8 * (sum(field.octets for field in layout.fields) + 2)
    assert layout.mask.bit_count() == 8 * len(FRAME) - data


def test_octets_that_are_no_telegram_have_no_layout() -> None:
    assert layout_of(b"") is None
    assert layout_of(FRAME[:-1]) is None
    assert layout_of(FRAME + FRAME) is None
    assert layout_of(b"\0" + FRAME) is None


def test_no_layout_of_another_frame_than_the_content() -> None:
    (telegram,) = TelegramDecoder(layouts=False).feed(FRAME)
    assert isinstance(telegram, Telegram)
    assert telegram._content is not None
    wrong_crc = FRAME[:-1] + bytes([FRAME[-1] ^ 1])
    assert learn(wrong_crc, telegram._content, DecodeOptions()) is None
    escaped = FRAME[:8] + b"\x1b" * 8 + FRAME[8:]
    assert learn(escaped, telegram._content, DecodeOptions()) is None


@pytest.mark.parametrize(
    "entry",
    [
        replace(USUAL[1], obj_name=b"no code"),
        replace(USUAL[1], val_time=LocalTimestamp(1, 2, 3)),
        replace(USUAL[1], value=SecIndex(5)),
    ],
    ids=["object name", "local time", "time as a value"],
)
def test_forms_that_are_not_learned(entry: ListEntry) -> None:
    assert layout_of(encode_transport(encode_file(push((entry,))))) is None


def rechecked(payload: bytes, ends: tuple[int, int]) -> bytes:
    """A frame of a payload with changed octets in its second message, which begins and ends there."""
    begin, end = ends
    crc = x25(payload[begin : end - 4]).to_bytes(2, "little")
    return encode_transport(payload[: end - 3] + crc + payload[end - 1 :])


@pytest.mark.parametrize(
    ("sent", "wide"),
    [(b"\x72\x62\x01\x65\0\1\x51\x97", "7262016600000151" + "97"), (b"\x65\0\1\x51\x97", "55" + "00015197")],
    ids=["five octets", "signed"],
)
def test_times_that_may_be_out_of_range_are_not_data(sent: bytes, wide: str) -> None:
    """The schema takes these forms as long as the number fits, so a layout would have to check it."""
    messages = push(USUAL)
    begin, end = (len(encode_file(messages[:count])) for count in (1, 2))
    payload = encode_file(messages)
    changed = payload[:begin] + payload[begin:end].replace(sent, bytes.fromhex(wide)) + payload[end:]
    raw = rechecked(changed, (begin, end + len(changed) - len(payload)))
    (telegram,) = TelegramDecoder(layouts=False).feed(raw)
    assert isinstance(telegram, Telegram)
    assert telegram.time == SecIndex(86_423)
    assert layout_of(raw) is None


def test_checksum_with_a_long_tl_field() -> None:
    """Its octets do not belong to what is checked."""
    messages = push(USUAL)
    begin, end = (len(encode_file(messages[:count])) for count in (1, 2))
    payload = encode_file(messages)
    crc = x25(payload[begin : end - 4]).to_bytes(2, "little")
    raw = encode_transport(payload[: end - 4] + b"\xe0\x80\x05" + crc + payload[end - 1 :])
    (telegram,) = TelegramDecoder(layouts=False).feed(raw)
    assert isinstance(telegram, Telegram)
    assert telegram.message_count == 3
    assert layout_of(raw) is None


@pytest.mark.parametrize("message_crc", ["strict", "lenient"])
def test_nothing_is_learned_where_x25_is_not_asked_for(message_crc: Any) -> None:  # noqa: ANN401 - a word
    assert layout_of(FRAME, DecodeOptions(message_crc_kind="kermit", message_crc=message_crc)) is None
    raw = encode_transport(encode_file(push(USUAL, CrcKind.KERMIT)))
    assert layout_of(raw, DecodeOptions(message_crc_kind="x25", message_crc=message_crc)) is None


def test_little_stack_left() -> None:
    """Learning needs more of Python's stack than reading; it is left to another time then."""

    def deeper(levels: int) -> list[object]:
        return [*TelegramDecoder(options).feed(FRAME * 2)] if levels == 0 else deeper(levels - 1)

    options = DecodeOptions(limits=replace(DecodeOptions().limits, max_resync=6))
    events: list[object] = []
    for levels in range(sys.getrecursionlimit(), 0, -1):
        try:
            events = deeper(levels)
        except RecursionError:
            continue
        break
    assert [type(event) for event in events] == [Telegram, Telegram]


def test_large_frames_are_not_learned() -> None:
    layouts = Layouts(DecodeOptions())
    learner = Learner(layouts)
    seen(learner, [frame_of(LARGEST // 4), frame_of(LARGEST // 4, 1)])
    assert (len(layouts), learner._unknown.numbers) == (0, {})


def test_second_frame_of_a_form_is_learned() -> None:
    layouts = Layouts(DecodeOptions())
    learner = Learner(layouts)
    seen(learner, [frame_of(1, 1)])
    assert len(layouts) == 0
    seen(learner, [frame_of(1, 2)])
    assert len(layouts) == 1
    assert list(layouts.by_octets) == [len(frame_of(1))]


def test_frames_of_one_length_that_are_not_alike_are_not_learned() -> None:
    layouts = Layouts(DecodeOptions())
    learner = Learner(layouts)
    raw = encode_transport(encode_file(push((USUAL[1],) * 6)))
    for size in range(1, 300):  # an octet string of just the length that makes both frames equally long
        other_raw = encode_transport(encode_file(push((replace(USUAL[0], value=b"\xa5" * size),))))
        if len(other_raw) == len(raw):
            break
    assert len(other_raw) == len(raw)
    seen(learner, [raw, other_raw])
    assert len(layouts) == 0
    seen(learner, [raw, other_raw])  # meters of two models in turn
    assert len(layouts) == 2


def test_frames_remembered_of_one_length_are_few() -> None:
    learner = Learner(Layouts(DecodeOptions()))
    chance = random.Random(320)  # noqa: S311 - the same octets in every run
    entries = [(replace(USUAL[0], value=chance.randbytes(250)),) for _ in range(9)]
    seen(learner, [encode_transport(encode_file(push(entry))) for entry in entries])
    assert [len(last) for last in learner._unknown.numbers.values()] == [REMEMBERED_OF_ONE]


def test_a_stream_learns_only_so_much() -> None:
    layouts = Layouts(DecodeOptions())
    learner = Learner(layouts)
    frames = [raw for count in range(FREE_LAYOUTS + 3) for raw in (frame_of(count), frame_of(count, 1))]
    seen(learner, frames)
    assert len(layouts) == FREE_LAYOUTS
    seen(learner, [frame_of(60), frame_of(60, 1), frame_of(61), frame_of(61, 1)], offset=OCTETS_PER_LAYOUT)
    assert len(layouts) == FREE_LAYOUTS + 1


def test_lengths_remembered_are_bounded() -> None:
    layouts = Layouts(DecodeOptions())
    learner = Learner(layouts)
    seen(learner, [frame_of(count) for count in range(REMEMBERED + 1)])
    assert len(learner._unknown.numbers) == REMEMBERED
    seen(learner, [frame_of(0, 1)])  # its first sight is forgotten
    assert len(layouts) == 0


def layouts_of(frames: list[bytes], capacity: int) -> Layouts:
    layouts = Layouts(DecodeOptions(), capacity)
    for raw in frames:
        layout = layout_of(raw)
        assert layout is not None
        layouts.add(layout)
    return layouts


def test_the_longest_unused_layout_goes_first() -> None:
    layouts = layouts_of([frame_of(1), frame_of(2), frame_of(3)], capacity=3)
    one = next(layout for layout in layouts if layout.octets == len(frame_of(1)))
    one.last_used = layouts.age
    layout = layout_of(frame_of(4))
    assert layout is not None
    layouts.add(layout)
    assert sorted(kept.octets for kept in layouts) == [len(frame_of(count)) for count in (1, 3, 4)]
    assert len(layouts) == 3


def test_layouts_of_one_length() -> None:
    layouts = layouts_of([frame_of(1), frame_of(1, unit=31), frame_of(2)], capacity=2)
    assert [layout.octets for layout in layouts] == [len(frame_of(1)), len(frame_of(2))]


def test_layouts_of_one_length_are_few() -> None:
    """Each of them is tried on every unknown frame of that length."""
    layouts = layouts_of([frame_of(2), *(frame_of(1, unit=unit) for unit in range(PER_LENGTH + 3))], capacity=99)
    assert {octets: len(same) for octets, same in layouts.by_octets.items()} == {
        len(frame_of(1)): PER_LENGTH,
        len(frame_of(2)): 1,
    }
    ages = [layout.last_used for layout in layouts.by_octets[len(frame_of(1))]]
    assert ages == list(range(PER_LENGTH + 4, 4, -1))


def test_a_layout_is_kept_once() -> None:
    """Two threads may learn the same form."""
    assert len(layouts_of([frame_of(1), frame_of(1, 5)], capacity=9)) == 1


def test_use_keeps_a_layout() -> None:
    options = DecodeOptions(limits=replace(DecodeOptions().limits, max_resync=3))  # layouts of this test alone
    layouts = shared_layouts(options)
    decoder = TelegramDecoder(options)
    decoder.feed(frame_of(1) * 2 + frame_of(2) * 2)
    one, two = (layouts.by_octets[len(frame_of(count))][0] for count in (1, 2))
    assert (one.last_used, two.last_used) == (1, 2)
    decoder.feed(frame_of(1))
    assert (one.last_used, two.last_used) == (2, 2)


def test_decoders_share_what_they_learn() -> None:
    options = DecodeOptions(limits=replace(DecodeOptions().limits, max_resync=4))
    TelegramDecoder(options).feed(FRAME * 2)
    (telegram,) = TelegramDecoder(options).feed(FRAME)
    assert isinstance(telegram, Telegram)
    assert telegram._layout is not None


def test_frames_that_come_in_one_piece_teach_each_other() -> None:
    options = DecodeOptions(limits=replace(DecodeOptions().limits, max_resync=5))
    events = TelegramDecoder(options).feed(FRAME * 4)
    assert [isinstance(event, Telegram) and event._layout is not None for event in events] == [False, False, True, True]


def test_recognised_frames_still_need_right_checksums() -> None:
    decoder = TelegramDecoder()
    decoder.feed(FRAME * 3)
    for at in (20, len(FRAME) // 2, len(FRAME) - 1):
        damaged = FRAME[:at] + bytes([FRAME[at] ^ 1]) + FRAME[at + 1 :]
        assert not any(isinstance(event, Telegram) for event in decoder.feed(damaged))
        (telegram,) = (event for event in decoder.feed(FRAME) if isinstance(event, Telegram))
        assert telegram._layout is not None


def test_transport_decoder_gives_what_it_is_told_to() -> None:
    decoder = TransportDecoder(
        recognise=lambda raw, offset: ("known", offset) if raw == FRAME else None,
        decode=lambda frame: [frame.offset, frame.raw[-1]],
    )
    other = frame_of(2)
    assert decoder.feed(FRAME + other + FRAME) == [
        ("known", 0),
        len(FRAME),
        other[-1],
        ("known", len(FRAME) + len(other)),
    ]
    assert isinstance(TransportDecoder().feed(FRAME)[0], TransportFrame)


@pytest.mark.parametrize("layouts", [True, False])
def test_floats_and_codes(layouts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    *_, telegram = TelegramDecoder(layouts=layouts).feed(FRAME * 3)
    assert isinstance(telegram, Telegram)
    assert telegram.floats == (None, 123_456.7, -215.0)
    assert [type(number) for number in telegram.floats] == [type(None), float, float]
    assert telegram.codes == telegram.entries.keys()


@pytest.mark.parametrize("make", [check_each, check_messages])
@given(
    lengths=st.lists(st.integers(1, 60), min_size=3, max_size=3),
    gaps=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    chance=st.randoms(use_true_random=False),
)
def test_both_ways_to_check(make: Any, lengths: list[int], gaps: list[int], chance: Any) -> None:  # noqa: ANN401
    """Frames that differ in their messages, every one of their octets damaged once."""

    def frame() -> bytes:
        octets = bytearray(FRAME[:8])
        for length, gap in zip(lengths, gaps[:3], strict=True):
            message = chance.randbytes(length)
            spans.append((len(octets) + gap, len(octets) + gap + length))
            octets += bytes(gap) + message + b"\x63" + x25(message).to_bytes(2, "little")
        octets += bytes(gaps[3]) + FRAME[-8:-2]
        return bytes(octets) + x25(bytes(octets)).to_bytes(2, "little")

    spans: list[tuple[int, int]] = []
    sound = make(frame(), spans[:])
    spans.clear()
    other = frame()
    assert sound(other)
    for at in range(len(other)):
        damaged = bytearray(other)
        damaged[at] ^= chance.randrange(1, 256)
        data = any(start <= at < end or end < at <= end + 2 for start, end in spans) or at >= len(other) - 2
        if data:  # the rest is skeleton
            assert not sound(bytes(damaged))
