"""The declarations of HDLC, and that the codec says what they say."""

from __future__ import annotations

import pytest
from hypothesis import given

from e320proto.crc import x25
from e320proto.hdlc import Control, Frame, encode_frame
from e320proto.schema.hdlc import CONTROL, CONTROL_KINDS, FORMAT, LMN_FRAME, LMN_HEAD, RECORD, bits_of, octets_at
from tests.hdlc.streams import frames, long_frames
from tests.hdlc.vectors import FRAMES


@given(frames | long_frames)
def test_frames_of_the_codec_are_those_of_the_schema(frame: Frame) -> None:
    octets = encode_frame(frame)
    fields = LMN_FRAME.parse(octets)
    head = fields.head
    assert head.format.length == len(octets) - 2
    assert head.format.segment == frame.segment
    assert (head.dest.address, head.dest.selector) == (frame.dest.address, frame.dest.selector)
    assert (head.src.address, head.src.selector) == (frame.src.address, frame.src.selector)
    assert Control.decode(CONTROL.build(head.control)[0]) == frame.control
    assert (fields.info or b"") == frame.info
    assert fields.fcs == x25(octets[1:-3])
    assert fields.hcs == (x25(octets[1:8]) if frame.info else None)
    assert LMN_FRAME.build(fields) == octets


def test_vectors_are_frames_of_the_schema() -> None:
    for octets in FRAMES.values():
        assert LMN_FRAME.build(LMN_FRAME.parse(octets)) == octets


def test_places() -> None:
    assert [octets_at(LMN_HEAD, name) for name in ("format", "dest", "src", "control")] == [0, 2, 4, 6]
    assert (LMN_HEAD.sizeof(), RECORD.sizeof()) == (7, 32)
    assert [bits_of(FORMAT, name) for name in ("type", "segment", "length")] == [0xF000, 0x0800, 0x07FF]
    assert [bits_of(CONTROL, name) for name in ("nr", "poll_final", "ns")] == [0xE0, 0x10, 0x0E]


@pytest.mark.parametrize("find", [octets_at, bits_of])
def test_no_such_field(find: object) -> None:
    assert callable(find)
    with pytest.raises(KeyError):
        find(LMN_HEAD if find is octets_at else FORMAT, "none")


def test_an_octet_is_of_one_kind() -> None:
    for octet in range(256):
        assert sum(octet & mask == value for mask, value in CONTROL_KINDS.values()) <= 1
    assert all(value & mask == value for mask, value in CONTROL_KINDS.values())
