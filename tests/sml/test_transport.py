"""Transport frames: the stream decoder against the state table, octet by octet, and what it promises."""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import (
    BytesDiscarded,
    ChecksumError,
    CrcKind,
    DecodeError,
    DecodeOptions,
    EncodeError,
    LimitError,
    Limits,
    Malformed,
    TransportDecoder,
    TransportFrame,
    TruncatedError,
    encode_transport,
)
from e320proto.sml.transport import ESCAPE, START, START_2
from tests.sml.receiver_oracle import Item, Receiver, crc_octets
from tests.sml.vectors import Vector, good_frames, vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto.sml.options import FrameCrc
    from e320proto.sml.transport import TransportEvent

GOOD = encode_transport(b"good!")
FRAMES = good_frames()


def item_of(event: TransportEvent) -> Item:
    """An event in the words of the state table."""
    if isinstance(event, TransportFrame):
        crc = None if event.crc_kind is None else str(event.crc_kind)
        return Item("frame", event.offset, event.raw, event.payload, crc, event.fill, event.notes)
    if isinstance(event, BytesDiscarded):
        return Item("noise", event.offset, event.data)
    assert event.error.offset == event.offset
    return Item(event.error.reason, event.offset, event.raw)


def received(chunks: Iterable[bytes], options: DecodeOptions | None = None) -> list[Item]:
    """All items of an input in pieces; what every decoder promises is checked on the way."""
    decoder = TransportDecoder(options or DecodeOptions())
    limits = decoder.options.limits
    events: list[TransportEvent] = []
    fed = 0
    for chunk in chunks:
        events += decoder.feed(chunk)
        fed += len(chunk)
        assert decoder.buffered <= (limits.max_frame if decoder._open else limits.noise_block) + 8
        assert decoder.buffered == fed - sum(len(item_of(event).raw) for event in events)
    events += decoder.close()
    assert decoder.buffered == 0
    items = [item_of(event) for event in events]
    position = 0
    for item in items:
        assert item.offset == position
        assert item.raw
        position += len(item.raw)
    assert position == fed
    return items


def single(octets: bytes) -> list[bytes]:
    return [octets[at : at + 1] for at in range(len(octets))]


def payloads(items: Iterable[Item]) -> list[bytes]:
    return [item.payload for item in items if item.kind == "frame"]


# --- any stream -----------------------------------------------------------------------------------

few_octets = st.lists(st.sampled_from(b"\x1b\x1b\x1b\x1b\x01\x02\x1a\x00\xff"), max_size=12).map(bytes)
frames = st.builds(encode_transport, few_octets, st.sampled_from(CrcKind))


@st.composite
def damaged_frames(draw: st.DrawFn) -> bytes:
    """A frame with one octet lost, doubled or changed, or cut at either end."""
    frame = draw(frames | st.sampled_from(list(FRAMES.values())))
    at = draw(st.integers(0, len(frame) - 1) | st.integers(max(0, len(frame) - 12), len(frame) - 1))
    match draw(st.sampled_from(("lost", "doubled", "changed", "head", "tail"))):
        case "lost":
            return frame[:at] + frame[at + 1 :]
        case "doubled":
            return frame[: at + 1] + frame[at:]
        case "changed":
            return frame[:at] + bytes((draw(st.sampled_from(b"\x1b\x01\x02\x1a\x00\xff")),)) + frame[at + 1 :]
        case "head":
            return frame[:at]
    return frame[at:]


streams = st.lists(
    few_octets
    | frames
    | damaged_frames()
    | st.sampled_from((START, START_2, ESCAPE, ESCAPE + b"\x1a", b"\x1b", bytes(9), b"\x01\x01"))
    | st.integers(1, 20).map(lambda count: b"\x1b" * count),
    max_size=8,
).map(b"".join)
limits_in_use = st.builds(
    Limits, max_frame=st.integers(16, 64) | st.just(65_536), noise_block=st.integers(1, 24) | st.just(4_096)
)
options_in_use = st.builds(
    DecodeOptions,
    frame_crc_kind=st.sampled_from(("auto", "auto", "x25", "kermit", "none")),
    limits=limits_in_use,
)


def by_state_table(stream: bytes, options: DecodeOptions) -> list[Item]:
    limits = options.limits
    kind = cast("FrameCrc", str(options.frame_crc_kind))
    return Receiver(limits.max_frame, limits.noise_block, kind).receive(stream)


@settings(max_examples=400)
@given(streams, options_in_use, st.data())
def test_events_are_those_of_the_state_table_in_pieces_of_any_size(
    stream: bytes, options: DecodeOptions, data: st.DataObject
) -> None:
    expected = by_state_table(stream, options)
    assert received([stream], options) == expected
    assert received(single(stream), options) == expected
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6))), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(cuts)]
    assert received(pieces, options) == expected


@pytest.mark.parametrize("run", range(21))
def test_every_run_of_1b_and_every_octet_behind_it(run: int) -> None:
    """Inside a frame; a good frame follows."""
    options = DecodeOptions()
    for octet in range(256):
        stream = START + b"\x07" + b"\x1b" * run + bytes((octet,)) + b"\x01\x01\x01" + GOOD
        assert received([stream], options) == by_state_table(stream, options)


def test_every_short_stream_after_a_start() -> None:
    """All sequences of four pieces that mean something, whole and octet by octet."""
    options = DecodeOptions(limits=Limits(max_frame=24, noise_block=5))
    words = (b"\x1b", b"\x1b\x1b\x1b", ESCAPE, b"\x01\x01", b"\x02\x02\x02\x02", b"\x1a", b"\x00")
    for piece in product(words, repeat=4):
        stream = START + b"".join(piece)
        expected = by_state_table(stream, options)
        assert received([stream], options) == expected
        assert received(single(stream), options) == expected


@pytest.mark.parametrize("max_frame", range(16, 20))
def test_a_frame_limit_of_the_smallest_frames_loses_no_octet(max_frame: int) -> None:
    options = DecodeOptions(limits=Limits(max_frame=max_frame, noise_block=3))
    stream = b"\x07" + GOOD + START + START + b"\x1b" + GOOD
    assert received([stream], options) == received(single(stream), options)


# --- good frames are never lost -------------------------------------------------------------------


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_any_octet_lost_from_a_frame_costs_no_neighbour(frame: bytes) -> None:
    for at in range(len(frame)):
        rest = frame[:at] + frame[at + 1 :] + GOOD
        items = received([GOOD + rest])
        assert payloads(items)[0] == b"good!"
        if rest.startswith(frame):  # a checksum that ends in 1b: it is the next start that lost an octet
            assert items[1].raw == frame
        else:
            assert items[-1].payload == b"good!", f"octet {at} of {len(frame)}"


@pytest.mark.parametrize("lost", range(1, 24))
def test_any_length_of_a_lost_tail_costs_no_neighbour(lost: int) -> None:
    frame = FRAMES["st-fill-2-0"]
    assert payloads(received([frame[:-lost] + GOOD])) == [b"good!"]


def test_a_cut_tail_is_told_from_a_checksum_of_1b() -> None:
    """The three octets behind 1a are looked at again only if they begin a whole start with what follows."""
    wrong = START + b"data" + ESCAPE + b"\x1a\x00\x1b\x1b"
    for rest in (b"", b"\x1b", b"\x1b\x1b\x01\x01\x01", b"\x1b\x1b\x01\x01\x01\x00", b"\x07" + GOOD, GOOD):
        items = received([wrong + rest])
        assert (items[0].kind, items[0].raw) == ("bad_crc", wrong)
        assert received(single(wrong + rest)) == items
    cut = received([wrong + GOOD[2:]])
    assert [(item.kind, item.raw) for item in cut] == [("bad_crc", wrong[:-2]), ("frame", GOOD)]
    assert received(single(wrong + GOOD[2:])) == cut


def test_a_start_that_crosses_the_frame_limit_is_found() -> None:
    options = DecodeOptions(limits=Limits(max_frame=40))
    for length in range(60):
        stream = START + bytes(length) + GOOD
        assert payloads(received([stream], options))[-1:] == [b"good!"], length
        assert received(single(stream), options) == received([stream], options)


@settings(max_examples=200)
@given(streams, streams)
def test_good_frame_between_any_two_streams(before: bytes, behind: bytes) -> None:
    """Four 00 part them, because octets that happen to complete a frame before take the start of this one."""
    assert b"good!" in payloads(received([before + bytes(4) + GOOD + behind]))


@pytest.mark.parametrize("stray", range(1, 13))
def test_stray_1b_before_a_start(stray: int) -> None:
    noise = b"\x1b" * stray
    assert received([noise + GOOD]) == [Item("noise", 0, noise), Item("frame", stray, GOOD, b"good!", "x25", 3)]


@pytest.mark.parametrize("stray", range(1, 13))
def test_stray_1b_before_a_start_inside_an_open_frame(stray: int) -> None:
    """1b in front of the four of the start belong to the frame that was cut."""
    head = START + b"\x07" + b"\x1b" * stray
    items = received([head + GOOD])
    assert payloads(items) == [b"good!"]
    assert b"".join(item.raw for item in items[:-1]) == head


def test_double_start() -> None:
    assert received([START + GOOD]) == [Item("truncated", 0, START), Item("frame", 8, GOOD, b"good!", "x25", 3)]


def test_start_right_behind_the_escape_of_a_cut_end() -> None:
    """The run of eight 1b reads as data, so only the wrong checksum shows that a frame began there."""
    cut = START + b"data" + ESCAPE
    assert received([cut + GOOD]) == [Item("bad_crc", 0, cut), Item("frame", len(cut), GOOD, b"good!", "x25", 3)]


def test_the_last_start_in_a_rejected_frame_is_the_one_that_counts() -> None:
    cut = START + b"data" + ESCAPE
    items = received([cut + cut + GOOD])
    assert payloads(items) == [b"good!"]
    assert items[0] == Item("bad_crc", 0, cut + cut)


@pytest.mark.parametrize("kind", CrcKind)
def test_checksum_octets_of_1b(kind: CrcKind) -> None:
    """Found by search: payloads whose checksum holds 1b, at either place; the next start follows at once."""
    places = set()
    for number in range(4_000):
        payload = (number * 0x9E3779B1 & 0xFFFFFFFF).to_bytes(4)
        frame = encode_transport(payload, kind)
        if 0x1B in frame[-2:]:
            places.add((frame[-2] == 0x1B, frame[-1] == 0x1B))
            assert payloads(received([frame + GOOD])) == [payload, b"good!"]
    assert {(True, False), (False, True)} <= places


def test_fill_count_of_1b_is_taken_blindly() -> None:
    body = START + b"data" + ESCAPE + b"\x1a\x1b"
    frame = body + crc_octets("x25", body)
    items = received([frame + GOOD])
    assert items[0] == Item("bad_fill", 0, frame)
    assert payloads(items) == [b"good!"]


# --- trouble, told in full ------------------------------------------------------------------------


def trouble(octets: bytes, options: DecodeOptions | None = None) -> Malformed:
    decoder = TransportDecoder(options or DecodeOptions())
    event = (decoder.feed(octets) + decoder.close())[0]
    assert isinstance(event, Malformed)
    return event


def test_truncated_by_the_end_of_input() -> None:
    event = trouble(GOOD[:-1])
    assert type(event.error) is TruncatedError
    assert (event.error.reason, event.error.needed, event.offset, event.raw) == ("truncated", 1, 0, GOOD[:-1])
    assert str(event.error) == "expected the end of the frame, found the end of the input, at offset 0"


def test_truncated_by_another_start() -> None:
    event = trouble(GOOD[:-6] + GOOD)
    assert type(event.error) is TruncatedError
    assert str(event.error) == "expected the end of the frame, found another start, at offset 0"


@pytest.mark.parametrize(
    ("octets", "found"),
    [(b"\x05", "05"), (b"\x01\x01\x01\x02", "01 01 01 02"), (b"\x02\x03", "02 03"), (b"\x03\x00", "03")],
)
def test_bad_escape_tells_what_was_found(octets: bytes, found: str) -> None:
    event = trouble(START + b"data" + ESCAPE + octets + bytes(8))
    assert type(event.error) is DecodeError
    assert event.raw == START + b"data" + ESCAPE
    assert str(event.error) == f"expected 1b, 01, 02 or 1a after an escape, found {found}, at offset 0"


def test_bad_crc_tells_every_checksum_tried() -> None:
    wrong = GOOD[:-2] + b"\x12\x34"
    error = trouble(wrong).error
    assert isinstance(error, ChecksumError)
    expected = {kind: int.from_bytes(crc_octets(kind, GOOD[:-2])) for kind in ("x25", "kermit")}
    assert (error.computed, error.actual) == (expected, 0x1234)
    error = trouble(wrong, DecodeOptions(frame_crc_kind="kermit")).error
    assert isinstance(error, ChecksumError)
    assert error.computed == {"kermit": expected["kermit"]}


def end_of_frame(data: bytes, fill: int) -> bytes:
    body = START + data + ESCAPE + bytes((0x1A, fill))
    return body + crc_octets("x25", body)


@pytest.mark.parametrize(
    ("data", "fill", "kind"),
    [
        (bytes(4), 4, "frame"),
        (bytes(8), 5, "bad_fill"),
        (b"", 1, "bad_fill"),
        (b"\x00", 2, "bad_fill"),
        (b"\x07\x00\x07", 2, "bad_fill"),
        (b"\x07\x07\x00\x00", 3, "bad_fill"),
        (b"\x07\x07\x07\x00", 1, "frame"),
    ],
)
def test_fill_octets(data: bytes, fill: int, kind: str) -> None:
    (item,) = received([end_of_frame(data, fill)])
    assert item.kind == kind
    assert item.payload == (data[: len(data) - fill] if kind == "frame" else b"")
    if kind == "bad_fill":
        event = trouble(end_of_frame(data, fill))
        assert type(event.error) is DecodeError
        assert str(event.error) == f"expected 0 to 4 fill octets 00, found fill count {fill}, at offset 0"


def test_too_long() -> None:
    options = DecodeOptions(limits=Limits(max_frame=20))
    event = trouble(START + bytes(30), options)
    assert isinstance(event.error, LimitError)
    assert event.raw == START + bytes(13)
    assert (event.error.limit, event.error.maximum, event.error.actual) == ("max_frame", 20, 21)


def test_largest_frame() -> None:
    """The limit is for the octets of the body and the escape of the end, 1a included."""
    frame = encode_transport(bytes(8))
    for max_frame, count in ((len(frame), 1), (len(frame) - 3, 1), (len(frame) - 4, 0)):
        options = DecodeOptions(limits=Limits(max_frame=max_frame))
        assert len(payloads(received([frame], options))) == count


def test_default_limit_takes_a_frame_of_64_kibibytes() -> None:
    frame = encode_transport(bytes(65_536 - 16))
    assert len(frame) == 65_536
    assert payloads(received([frame])) == [bytes(65_536 - 16)]


def test_version_2() -> None:
    event = trouble(START_2 + bytes(4))
    assert type(event.error) is DecodeError
    assert (event.error.reason, event.raw) == ("unsupported_version", START_2)


def test_frame_whose_tail_exceeds_the_limit_is_judged_at_once() -> None:
    """A start that begins in it is not waited for, or more octets would be held than promised."""
    options = DecodeOptions(limits=Limits(max_frame=17))
    wrong = START + b"data" + ESCAPE + b"\x1a\x00\x12\x1b"
    decoder = TransportDecoder(options)
    (event,) = decoder.feed(wrong)
    assert item_of(event) == Item("bad_crc", 0, wrong)
    assert received(single(wrong + GOOD[1:]), options) == by_state_table(wrong + GOOD[1:], options)


NARROW = DecodeOptions(limits=Limits(max_frame=30, noise_block=20))


@pytest.mark.parametrize(
    ("stream", "kind", "at"),
    [
        (GOOD, "frame", len(GOOD)),
        (START + b"data" + ESCAPE + b"\x1a\x00\x12\x34", "bad_crc", 20),
        (START + b"data" + ESCAPE + b"\x1a\x00\x12\x1b", "bad_crc", 21),
        (START + b"data" + ESCAPE + b"\x05", "bad_escape", 17),
        (START + b"data" + ESCAPE + b"\x01\x01\x02", "bad_escape", 19),
        (START + b"data" + START, "truncated", 20),
        (START + b"data" + START_2, "truncated", 20),
        (START_2, "unsupported_version", 8),
        (b"\x07" + START_2, "noise", 9),
        (b"\x07\x1b" + START_2, "noise", 10),
        (b"\x07\x07" + START, "noise", 10),
        (bytes(40), "noise", 28),
        (b"\x1b" * 40, "noise", 28),
        (START + bytes(40), "too_long", 31),
        (START + b"\x1b\x01\x1b" * 20, "too_long", 31),
        (START + b"\x1b\x1b\x01" * 20, "too_long", 32),
        (START + b"\x1b" * 40, "too_long", 35),
    ],
    ids=repr,
)
def test_events_come_with_the_octet_that_completes_them(stream: bytes, kind: str, at: int) -> None:
    """Nobody waits for octets that do not matter. Only a verdict that the next octets can change is held back."""
    decoder = TransportDecoder(NARROW)
    for number, octet in enumerate(single(stream + b"\x07" * 4), 1):
        events = decoder.feed(octet)
        if events:
            assert (item_of(events[0]).kind, number) == (kind, at)
            return
    pytest.fail("nothing came")


def test_noise_comes_in_blocks() -> None:
    items = received([bytes(4_103)])
    assert [len(item.raw) for item in items] == [4_103]
    items = received([bytes(10_000)])
    assert [len(item.raw) for item in items] == [4_096, 4_096, 1_808]
    decoder = TransportDecoder()
    assert decoder.feed(bytes(4_103)) == []
    assert decoder.feed(b"\x00") == [BytesDiscarded(0, bytes(4_096))]
    assert decoder.buffered == 8


def test_memory_outside_and_inside_a_frame() -> None:
    """Fed octet by octet, so that nothing can be handed out earlier than it is held too long."""
    limits = Limits(max_frame=50, noise_block=10)
    decoder = TransportDecoder(DecodeOptions(limits=limits))
    most = 0
    for octet in single(bytes(100)):
        decoder.feed(octet)
        most = max(most, decoder.buffered)
    assert 10 < most <= limits.noise_block + 8
    decoder.close()
    most = 0
    for octet in single(START + b"\x1b\x1b\x01" * 40):
        decoder.feed(octet)
        most = max(most, decoder.buffered)
    assert 40 < most <= limits.max_frame + 8


def test_a_large_piece_is_not_held() -> None:
    decoder = TransportDecoder()
    decoder.feed(bytes(1_000_000))
    assert decoder.buffered <= 4_104
    decoder.feed(GOOD * 10_000)
    assert decoder.buffered == 0


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_feed_takes_any_bytes_like(form: type[bytes]) -> None:
    decoder = TransportDecoder()
    (frame,) = decoder.feed(form(GOOD))
    assert isinstance(frame, TransportFrame)
    assert type(frame.raw) is type(frame.payload) is bytes


def test_decoder_goes_on_after_close_and_keeps_counting() -> None:
    decoder = TransportDecoder()
    assert [item_of(event).kind for event in decoder.feed(GOOD[:12]) + decoder.close()] == ["truncated"]
    assert decoder.close() == []
    (noise,) = decoder.feed(b"\x1b\x1b") + decoder.close()
    assert noise == BytesDiscarded(12, b"\x1b\x1b")
    # The two 1b before the end of input do not become part of a start.
    events = decoder.feed(GOOD[2:]) + decoder.close()
    assert [item_of(event).kind for event in events] == ["noise"]
    (frame,) = decoder.feed(GOOD)
    assert frame.offset == 14 + len(GOOD) - 2


@pytest.mark.parametrize("vector", vectors_of("stream"), ids=str)
def test_vectors_by_the_state_table(vector: Vector) -> None:
    """The table itself gives what the vectors say, so table, vectors and decoder agree."""
    assert received([vector.octets]) == by_state_table(vector.octets, DecodeOptions())


# --- encoding -------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(few_octets | st.binary(max_size=80), st.sampled_from(CrcKind))
def test_frame_of_any_payload(payload: bytes, kind: CrcKind) -> None:
    """What is read is what was sent, even if a run of 1b joins the escape of the end."""
    frame = encode_transport(payload, kind)
    assert len(frame) % 4 == 0
    assert frame[-2:] == crc_octets(kind, frame[:-2])
    assert received([frame]) == [Item("frame", 0, frame, payload, str(kind), -len(payload) % 4)]


@pytest.mark.parametrize("kind", CrcKind)
@pytest.mark.parametrize("run", range(34))
def test_run_of_1b_at_any_place(run: int, kind: CrcKind) -> None:
    for lead in range(5):
        payload = bytes(range(lead)) + b"\x1b" * run + b"\x00"
        frame = encode_transport(payload, kind)
        assert len(frame) % 4 == 0
        assert frame.count(0x1B) >= run + run // 4 * 4 + 8
        assert payloads(received([frame])) == [payload]


def test_run_of_1b_at_the_very_end_of_a_payload() -> None:
    for run in range(1, 20):
        for lead in range(4):
            payload = b"\x07" * lead + b"\x1b" * run
            assert payloads(received([encode_transport(payload)])) == [payload], (run, lead)


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_encode_takes_any_bytes_like(form: type[bytes]) -> None:
    assert encode_transport(form(b"good!")) == GOOD


@pytest.mark.parametrize("kind", ["none", "", None, 5, b"x25", []])
def test_encode_refuses_an_unknown_checksum(kind: object) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_transport(b"", kind)  # type: ignore[arg-type]
    assert (caught.value.path, caught.value.value) == ("crc_kind", kind)
