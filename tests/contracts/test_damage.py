"""Damage on the wire: cut at every length, every bit flipped. The neighbour always arrives, nothing wrong does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e320proto import (
    BytesDiscarded,
    DecodeError,
    DecodeOptions,
    Malformed,
    Message,
    Telegram,
    TelegramDecoder,
    TruncatedError,
    decode_file,
    encode_file,
    encode_transport,
    read_messages,
)
from e320proto.crc import CrcKind
from tests.contracts.pushes import FRAME, LARGE_FRAME, LARGE_PUSH, PUSH, USUAL, push, telegram_of
from tests.sml.vectors import good_frames, vector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.sml.telegram import TelegramEvent

FRAMES = {**good_frames(), "push": FRAME, "large push": LARGE_FRAME}
NEIGHBOUR = telegram_of(FRAME)
every_frame = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)


def flipped(octets: bytes) -> Iterator[bytes]:
    """The octets with one bit changed, for every bit."""
    changed = bytearray(octets)
    for at in range(len(changed)):
        for bit in range(8):
            changed[at] ^= 1 << bit
            yield bytes(changed)
            changed[at] ^= 1 << bit


def events_before_neighbour(damaged: bytes, options: DecodeOptions | None = None) -> list[TelegramEvent]:
    """What is told of damaged octets; the frame right behind them has to arrive as if it were alone."""
    decoder = TelegramDecoder(options or DecodeOptions())
    *events, last = decoder.feed(damaged + FRAME) + decoder.close()
    assert isinstance(last, Telegram)
    assert last.offset == len(damaged)
    assert (last.raw, last.entries) == (NEIGHBOUR.raw, NEIGHBOUR.entries)
    for event in events:
        if isinstance(event, Malformed):
            assert isinstance(event.error, DecodeError)
        else:
            assert isinstance(event, BytesDiscarded | Telegram)
    return events


def messages_of(frame: bytes) -> tuple[Message, ...]:
    """The right messages of a frame that has not been damaged."""
    events = TelegramDecoder().feed(frame)
    return next((event.messages for event in events if isinstance(event, Telegram)), ())


@every_frame
def test_frame_cut_at_every_length(frame: bytes) -> None:
    for length in range(1, len(frame)):
        if (frame[:length] + FRAME).startswith(frame):
            # The frame ends in 1b and the neighbour begins so: nobody can tell which of the two was cut.
            assert frame.endswith(b"\x1b")
            continue
        assert not any(isinstance(event, Telegram) for event in events_before_neighbour(frame[:length]))


@every_frame
def test_frame_without_its_beginning(frame: bytes) -> None:
    for start in range(1, len(frame)):
        assert all(isinstance(event, BytesDiscarded) for event in events_before_neighbour(frame[start:]))


@every_frame
def test_every_flipped_bit(frame: bytes) -> None:
    """A telegram from a flipped frame is none, or says what was sent."""
    right = set(map(repr, messages_of(frame)))
    for damaged in flipped(frame):
        for event in events_before_neighbour(damaged):
            if isinstance(event, Telegram):
                assert set(map(repr, event.messages)) <= right


def test_every_flipped_bit_of_the_payload_without_a_frame_checksum() -> None:
    """Then the checksums of the messages are what is left."""
    options = DecodeOptions(frame_crc_kind="none", message_crc_kind="x25")
    right = set(map(repr, messages_of(FRAME)))
    fates = set()
    for payload in flipped(PUSH):
        decoder = TelegramDecoder(options)
        for event in decoder.feed(encode_transport(payload)):
            if isinstance(event, Telegram):
                assert set(map(repr, event.messages)) < right
                assert set(event.entries) <= set(NEIGHBOUR.entries)
                fates.add(len(event.messages))
    # One message is lost; more only if its end is, and then what follows is found again.
    assert fates == {1, 2}


@pytest.mark.parametrize("kind", CrcKind)
def test_every_flipped_bit_of_a_file(kind: CrcKind) -> None:
    messages = push(USUAL, kind)
    payload = encode_file(messages)
    options = DecodeOptions(message_crc_kind=kind.value)
    assert tuple(read_messages(payload, options)) == messages
    for damaged in flipped(payload):
        items = list(read_messages(damaged, options))
        right = [item for item in items if isinstance(item, Message)]
        assert all(item in messages for item in right)
        assert len(right) < len(messages)
        for item in items:
            if isinstance(item, Malformed):
                assert damaged[item.offset : item.offset + len(item.raw)] == item.raw


@pytest.mark.parametrize("payload", [PUSH, LARGE_PUSH, vector("ms-getproc-res-entries").octets])
def test_file_cut_at_every_length(payload: bytes) -> None:
    whole = decode_file(payload)
    ends = {len(encode_file(whole[:count])): count for count in range(len(whole) + 1)}
    count = 0
    for length in range(len(payload)):
        count = ends.get(length, count)
        items = list(read_messages(payload[:length]))
        assert tuple(items[:count]) == whole[:count]
        if length in ends:
            assert len(items) == count
            continue
        (cut,) = items[count:]
        assert isinstance(cut, Malformed)
        assert cut.error.reason in {"truncated", "missing_end"}
        assert isinstance(cut.error, TruncatedError) == (cut.error.reason == "truncated")
        with pytest.raises(DecodeError) as caught:
            decode_file(payload[:length])
        assert caught.value == cut.error


def test_two_frames_damaged_at_once() -> None:
    """Every frame of the vectors cut in the middle, one behind the other, then a good one."""
    stream = b"".join(frame[: len(frame) // 2] for frame in FRAMES.values())
    events = events_before_neighbour(stream)
    assert [event for event in events if isinstance(event, Telegram)] == []
    assert sum(isinstance(event, Malformed) for event in events) == len(FRAMES)


def test_telegram_of_the_neighbour_does_not_know_of_the_damage() -> None:
    (damaged,) = TelegramDecoder().feed(FRAME[:-1] + b"\0" + FRAME)[1:]
    assert isinstance(damaged, Telegram)
    assert damaged.at(0) == NEIGHBOUR
