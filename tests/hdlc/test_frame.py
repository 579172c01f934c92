"""Values and codec of frames of the LMN."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from e320proto import ChecksumError, DecodeError, EncodeError, TruncatedError
from e320proto.crc import x25
from e320proto.hdlc import GATEWAY, INFO_MAX, Address, Control, Frame, FrameKind, decode_frame, encode_frame
from tests.hdlc.receiver_oracle import crc
from tests.hdlc.streams import frames, long_frames
from tests.hdlc.vectors import VECTORS, control_of, each, every_short_frame, frame_of, octets_of

SNRM = Frame(Address(68, 1), Address(GATEWAY, 1), Control(FrameKind.SNRM))


def test_checksum() -> None:
    known = VECTORS["crc16_x25"]
    octets = bytes.fromhex(known["check_input"])
    value = x25(octets)
    assert f"{value:04X}" == known["check"]
    assert crc(list(octets)) == value
    residue = x25(octets + value.to_bytes(2, "little"))
    assert f"{residue:04X}" == known["residue_after_xorout"]
    assert f"{residue ^ 0xFFFF:04X}" == known["residue_before_xorout"]


@each("lmn_frames")
def test_vectors_both_ways(vector: dict[str, Any]) -> None:
    frame = frame_of(vector["fields"])
    assert decode_frame(octets_of(vector)) == frame
    assert encode_frame(frame) == octets_of(vector)
    assert f"{frame.control.octet:02X}" == vector["fields"]["control"]


@each("lmn_invalid")
def test_invalid_vectors(vector: dict[str, Any]) -> None:
    octets = octets_of(vector)
    with pytest.raises(DecodeError) as caught:
        decode_frame(octets)
    assert caught.value.reason == vector["error"]
    assert caught.value.offset is not None
    assert 0 <= caught.value.offset < len(octets)
    assert isinstance(caught.value, ChecksumError) == (vector["error"] in {"fcs", "hcs"})


@pytest.mark.parametrize("vector", VECTORS["control_octets"], ids=lambda vector: vector["octet"])
def test_control_octets(vector: dict[str, Any]) -> None:
    octet = int(vector["octet"], 16)
    assert Control.decode(octet) == control_of(vector)
    assert control_of(vector).octet == octet


def test_every_control_octet_comes_back() -> None:
    controls = [Control.decode(octet) for octet in range(256)]
    assert [control.octet for control in controls] == list(range(256))
    assert len(set(controls)) == 256
    kinds = [control.kind for control in controls]
    assert kinds.count(FrameKind.I) == 128
    assert [kinds.count(kind) for kind in (FrameKind.RR, FrameKind.RNR, FrameKind.REJ)] == [16] * 3
    assert kinds.count(FrameKind.UI) == 2


@pytest.mark.parametrize(
    "control",
    [
        Control(FrameKind.SNRM, nr=1),
        Control(FrameKind.UI, ns=1),
        Control(FrameKind.RR, ns=2),
        Control(FrameKind.I, ns=8),
        Control(FrameKind.I, nr=-1),
        Control(FrameKind.RR, nr=1.5),  # type: ignore[arg-type]
        Control(FrameKind.UNKNOWN),
    ],
)
def test_control_without_an_octet(control: Control) -> None:
    with pytest.raises(EncodeError) as caught:
        _ = control.octet
    assert caught.value.reason == "control"


@given(frames | long_frames)
def test_round_trip(frame: Frame) -> None:
    assert decode_frame(encode_frame(frame)) == frame


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_octets_do(kind: type) -> None:
    assert decode_frame(kind(encode_frame(SNRM))) == SNRM


@every_short_frame
def test_cut_at_every_length(octets: bytes) -> None:
    for length in range(len(octets)):
        with pytest.raises(DecodeError) as caught:
            decode_frame(octets[:length])
        assert caught.value.reason == ("framing" if length > 1 else "format")
        if length > 2:
            assert isinstance(caught.value, TruncatedError)
            assert caught.value.needed == len(octets) - length
            assert caught.value.offset == length


@every_short_frame
def test_every_flipped_bit(octets: bytes) -> None:
    for at in range(len(octets)):
        for bit in range(8):
            changed = bytearray(octets)
            changed[at] ^= 1 << bit
            with pytest.raises(DecodeError):
                decode_frame(changed)


@every_short_frame
def test_more_behind(octets: bytes) -> None:
    with pytest.raises(DecodeError, match="expected the end behind the closing flag, found 1 more") as caught:
        decode_frame(octets + b"\x7e")
    assert caught.value.reason == "framing"


def test_checksum_of_the_head_without_information_is_read() -> None:
    head = bytes.fromhex("A00B8803020311")
    head += x25(head).to_bytes(2, "little")
    octets = b"\x7e" + head + x25(head).to_bytes(2, "little") + b"\x7e"
    frame = decode_frame(octets)
    assert frame == replace(SNRM, control=Control(FrameKind.RR))
    assert len(encode_frame(frame)) == 11


@pytest.mark.parametrize(
    ("body", "hcs", "reason"),
    [
        ("A00989030203 11", None, "address"),
        ("A00988020203 11", None, "address"),
        ("A00988030303 11", None, "address"),
        ("A00988030202 11", None, "address"),
        ("A00B88030203 11", 1, "hcs"),
        ("A00B88020203 11", 1, "hcs"),
        ("A00B88020203 11", 0, "address"),
    ],
)
def test_wrong_below_a_right_checksum(body: str, hcs: int | None, reason: str) -> None:
    octets = bytes.fromhex(body)
    if hcs is not None:
        octets += (x25(octets) ^ hcs).to_bytes(2, "little")
    with pytest.raises(DecodeError) as caught:
        decode_frame(b"\x7e" + octets + x25(octets).to_bytes(2, "little") + b"\x7e")
    assert caught.value.reason == reason


def test_longest_information() -> None:
    longest = replace(SNRM, control=Control(FrameKind.I), info=bytes(INFO_MAX))
    assert encode_frame(longest)[1:3] == b"\xa7\xff"
    with pytest.raises(EncodeError, match="expected at most 2036 octets of information, found 2037") as caught:
        encode_frame(replace(longest, info=bytes(INFO_MAX + 1)))
    assert caught.value.reason == "length"


@pytest.mark.parametrize(
    ("frame", "path"),
    [
        (replace(SNRM, dest=Address(128, 1)), "dest.address"),
        (replace(SNRM, dest=Address(68, -1)), "dest.selector"),
        (replace(SNRM, src=Address(True, 1)), "src.address"),  # noqa: FBT003 - no number
        (replace(SNRM, src=Address(1, 1.5)), "src.selector"),  # type: ignore[arg-type]
    ],
)
def test_addresses_out_of_range(frame: Frame, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_frame(frame)
    assert (caught.value.reason, caught.value.path) == ("address", path)
