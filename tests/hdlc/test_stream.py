"""The streaming decoder: vectors, any division, damage, and the oracle."""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import BytesDiscarded, DecodeError, Malformed, TruncatedError
from e320proto.hdlc import Frame, FrameDecoder, decode_frame, encode_frame
from tests.hdlc.receiver_oracle import BLOCK, Receiver
from tests.hdlc.streams import decoded, expected, form, frames, pieces, singles, without_place
from tests.hdlc.vectors import FRAMES, SHORT_FRAMES, VECTORS, each, every_short_frame, octets_of

if TYPE_CHECKING:
    from types import FrameType

SNRM = FRAMES["snrm_sel1"]
UA = FRAMES["ua_sel1"]
LONGEST = 2049


def frames_in(events: list[Any]) -> list[bytes]:
    return [encode_frame(event) for event in events if isinstance(event, Frame)]


@each("lmn_streams")
def test_vectors(vector: dict[str, Any]) -> None:
    stream, wanted = octets_of(vector), list(map(bytes.fromhex, vector["frames"]))
    decoder = FrameDecoder()
    events = decoder.feed(stream)
    assert frames_in(events) == ([] if vector.get("needs_idle") else wanted)
    assert frames_in(events + decoder.idle()) == wanted
    assert frames_in(decoded(singles(stream))) == wanted
    assert list(map(form, decoded([stream]))) == expected(stream)


@each("lmn_invalid")
def test_invalid_vectors(vector: dict[str, Any]) -> None:
    events = decoded([octets_of(vector) + SNRM])
    names = [event.error.reason for event in events if isinstance(event, Malformed)]
    assert names == ([] if vector["error"] == "format" else [vector["error"]])
    assert frames_in(events) == [SNRM]


@each("lmn_invalid")
def test_errors_are_those_of_the_codec_with_offsets_of_the_stream(vector: dict[str, Any]) -> None:
    octets = octets_of(vector)
    with pytest.raises(DecodeError) as caught:
        decode_frame(octets)
    events = [event for event in decoded([SNRM + octets]) if isinstance(event, Malformed)]
    assert len(events) == (vector["error"] != "format")
    for event in events:
        assert type(event.error) is type(caught.value)
        assert event.error.offset == len(SNRM) + (caught.value.offset or 0)
        assert event.error.detail == caught.value.detail
        assert event.offset == len(SNRM)


@given(pieces)
@settings(max_examples=400)
def test_oracle(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    assert list(map(form, decoded([stream]))) == expected(stream)


@given(st.lists(st.sampled_from((b"\x7e", b"\xa0", b"\xa7", b"\x09", b"\x0a", b"\x0b", b"\xff", SNRM, UA[:-1]))))
@settings(max_examples=400)
def test_oracle_on_flags_everywhere(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    assert list(map(form, decoded([stream]))) == expected(stream)


@given(pieces, st.lists(st.integers(0, 30)), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_any_division(parts: list[bytes], silences: list[int], chance: random.Random) -> None:
    """Whole, octet by octet and in any pieces the same; silences anywhere are for the oracle to judge."""
    stream = b"".join(parts)
    whole = decoded([stream])
    assert decoded(singles(stream)) == whole
    cuts = sorted(chance.randrange(len(stream) + 1) for _ in range(5))
    assert decoded(stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)) == whole
    receiver, decoder = Receiver(), FrameDecoder()
    events, at = [], 0
    for length in silences:
        events += decoder.feed(stream[at : at + length]) + decoder.idle()
        for octet in stream[at : at + length]:
            receiver.octet(octet)
        receiver.silence()
        at += length
    assert list(map(form, events)) == list(map(without_place, receiver.events))


# An octet Ax behind a closing flag may open a frame; that is for the oracle.
flagless = st.binary(max_size=200).filter(lambda noise: b"\x7e" not in noise and noise[:1].hex()[:1] != "a")


@given(st.lists(frames, min_size=1), flagless)
def test_noise_around_frames(sent: list[Frame], noise: bytes) -> None:
    events = decoded([noise.join([b"", *map(encode_frame, sent), b""])])
    assert [event for event in events if isinstance(event, Frame)] == sent
    lost = b"".join(event.data for event in events if isinstance(event, BytesDiscarded))
    assert lost == noise.replace(b"\xff", b"") * (len(sent) + 1)
    assert not any(isinstance(event, Malformed) for event in events)


@every_short_frame
def test_cut_at_every_length(octets: bytes) -> None:
    """The neighbour arrives, though it may take a silence to see that what is before it is cut."""
    for length in range(1, len(octets)):
        events = decoded([octets[:length] + SNRM + UA])
        assert frames_in(events)[-2:] == [SNRM, UA]
        others = [event for event in events if isinstance(event, Frame)][:-2]
        # What is inside of a frame that is cut can be a frame; and the flag that was lost may be the next one's.
        assert all(encode_frame(event) in octets or length == len(octets) - 1 for event in others)


@every_short_frame
def test_every_flipped_bit(octets: bytes) -> None:
    for at in range(len(octets)):
        for bit in range(8):
            changed = bytearray(octets)
            changed[at] ^= 1 << bit
            events = decoded([UA + changed + SNRM])
            found = frames_in(events)
            assert (found[0], found[-1]) == (UA, SNRM)
            assert octets not in found or octets in {SNRM, UA}
            assert len(found) == 2 or octets[1:].count(b"\x7e\xa0") > 0


def test_a_lost_flag_between_two_frames_is_one_that_both_have() -> None:
    assert frames_in(decoded([SNRM + UA[1:]])) == [SNRM, UA]
    events = decoded([SNRM[:-1] + UA])
    assert frames_in(events) == [SNRM, UA]
    assert not any(isinstance(event, Malformed | BytesDiscarded) for event in events)


@pytest.mark.parametrize("before", [b"", b"\x7e", b"\xff" * 20, b"noise", SNRM, SNRM[:-1], b"\x7e\xa0\x08"])
@pytest.mark.parametrize("octets", FRAMES.values(), ids=FRAMES)
def test_a_frame_comes_with_its_last_octet(before: bytes, octets: bytes) -> None:
    """Behind it the line is silent until somebody answers."""
    decoder = FrameDecoder()
    for octet in singles(before + octets[:-1]):
        assert decode_frame(octets) not in decoder.feed(octet) or octets == SNRM
    assert decoder.feed(octets[-1:])[-1:] == [decode_frame(octets)]
    assert not decoder.frame_begun


def test_closing_flag_opens_a_frame_after_a_silence() -> None:
    decoder = FrameDecoder()
    assert frames_in(decoder.feed(SNRM) + decoder.idle() + decoder.feed(UA[1:])) == [SNRM, UA]


def test_silence_inside_of_a_frame() -> None:
    decoder = FrameDecoder()
    assert not decoder.frame_begun
    assert decoder.feed(SNRM + UA[:5]) == [decode_frame(SNRM)]
    assert decoder.frame_begun
    (event,) = decoder.idle()
    assert isinstance(event, Malformed)
    assert isinstance(event.error, TruncatedError)
    assert (event.offset, event.raw) == (len(SNRM), UA[:5])
    assert (event.error.reason, event.error.needed, event.error.offset) == ("framing", 6, len(SNRM) + 5)
    assert not decoder.frame_begun
    assert decoder.feed(UA) == [decode_frame(UA)]
    assert decoder.idle() == []


def test_silence_inside_of_a_format_field() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"\x7e\xa0")
    (event,) = decoder.idle()
    assert isinstance(event, Malformed)
    assert (event.error.reason, event.error.offset, event.raw) == ("framing", 2, b"\x7e\xa0")


def test_fill_is_no_trouble() -> None:
    stream = b"\xff" * 5000 + b"\x7e" * 5000 + SNRM + b"\x7e\xff\xff\x7e" + UA + b"\xff"
    assert decoded([stream]) == decoded(singles(stream)) == [decode_frame(SNRM), decode_frame(UA)]


def test_nothing_begins_with_a_flag_alone() -> None:
    decoder = FrameDecoder()
    decoder.feed(SNRM + b"\x7e")
    assert not decoder.frame_begun
    assert decoder.idle() == []


def test_noise_comes_in_blocks() -> None:
    stream = b"\x55" * (2 * BLOCK + 1)
    assert [(event.offset, len(event.data)) for event in decoded([stream]) if isinstance(event, BytesDiscarded)] == [
        (0, BLOCK),
        (BLOCK, BLOCK),
        (2 * BLOCK, 1),
    ]
    assert decoded(singles(stream)) == decoded([stream])


def test_offsets_begin_anew_after_the_end() -> None:
    decoder = FrameDecoder()
    damaged = SNRM[:-2] + b"\0\x7e"
    first = decoder.feed(damaged + b"noise") + decoder.close()
    assert [event.offset for event in first if not isinstance(event, Frame)] == [0, len(damaged)]
    assert decoder.feed(damaged + b"noise") + decoder.close() == first


def test_trouble_tells_where_and_what() -> None:
    damaged = bytearray(FRAMES["i_ns7_nr5"])
    damaged[-2] ^= 1
    (frame, event) = decoded([SNRM + damaged])
    assert isinstance(frame, Frame)
    assert isinstance(event, Malformed)
    assert (event.offset, event.raw, event.kind) == (len(SNRM), bytes(damaged[:-1]), "frame")
    assert str(event.error) == f"expected CRC 8094 (x25), found 8095, at offset {len(SNRM) + len(damaged) - 3}"


def test_every_octet_is_in_one_event() -> None:
    """Frames of known places, trouble and fill cover a damaged stream without gaps and overlaps."""
    chance = random.Random(7)  # noqa: S311 - the same in every run
    stream = b"".join(
        bytes(octet ^ (1 << chance.randrange(8) if chance.random() < 0.01 else 0) for octet in octets)
        for _ in range(20)
        for octets in SHORT_FRAMES.values()
    )
    receiver = Receiver()
    for octet in stream:
        receiver.octet(octet)
    receiver.silence()
    events = decoded([stream])
    assert list(map(form, events)) == list(map(without_place, receiver.events))
    covered = 0
    for _, place, octets in receiver.events:
        assert set(stream[covered:place]) <= {0x7E, 0xFF}
        assert place >= covered - 1  # a flag that two frames share
        assert stream[place : place + len(octets)] == octets
        covered = place + len(octets)
    assert {"frame", "noise", "framing", "fcs", "length"} <= {name for name, _, _ in receiver.events}


HOSTILE = {
    "frames that never end": b"\x7e\xa7\xff",
    "flags where the lengths point to": b"\x7e\xa7\xfd",
    "two octets": b"\x7e\xa7",
    "right heads": FRAMES["i_longest"][:10],
    "flags": b"\x7e",
    "short lengths": b"\x7e\xa0\x08",
    "noise": b"\x55\xff\xaa",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_memory_is_bounded(unit: bytes) -> None:
    decoder = FrameDecoder()
    most = 0
    for octet in singles(unit * (6000 // len(unit))):
        decoder.feed(octet)
        most = max(most, len(decoder._buffer) + len(decoder._noise))
    assert most <= LONGEST + BLOCK
    decoder.close()
    assert not decoder._buffer
    assert not decoder._noise


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_work_is_bounded(unit: bytes) -> None:
    """Octet by octet: calls and octets looked at by checksums grow with the octets and not with their square."""

    def work(octets: int) -> int:
        count = 0

        def count_calls(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal count
            count += event in {"call", "c_call"}

        chunks = singles((unit * octets)[:octets])
        decoder = FrameDecoder()
        sys.setprofile(count_calls)
        try:
            for chunk in chunks:
                decoder.feed(chunk)
            decoder.close()
        finally:
            sys.setprofile(None)
        return count

    small, large = work(5_000), work(10_000)
    assert large < 2.3 * small
    assert large < 60 * 10_000


def test_one_checksum_at_most_for_each_flag() -> None:
    stream = HOSTILE["flags where the lengths point to"] * 3000
    names = Counter(event.error.reason for event in decoded(singles(stream)) if isinstance(event, Malformed))
    assert sum(names.values()) == stream.count(b"\x7e\xa7")
    assert names["fcs"] > 2000


def test_vectors_of_streams_are_there() -> None:
    assert len(VECTORS["lmn_streams"]) == 8
