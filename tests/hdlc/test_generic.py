"""Frames with addresses of IEC 62056-46."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import DecodeError, EncodeError
from e320proto.crc import x25
from e320proto.hdlc import (
    Control,
    FrameKind,
    HdlcAddress,
    HdlcFrame,
    decode_hdlc_address,
    decode_hdlc_frame,
    encode_hdlc_address,
    encode_hdlc_frame,
)
from tests.hdlc.streams import controls
from tests.hdlc.vectors import VECTORS, each, hdlc_address_of, hdlc_frame_of, octets_of

if TYPE_CHECKING:
    from pathlib import Path

hdlc_addresses = (
    st.builds(HdlcAddress, st.integers(0, 127))
    | st.builds(HdlcAddress, st.integers(0, 127), st.integers(0, 127), st.just(2))
    | st.builds(HdlcAddress, st.integers(0, 16383), st.integers(0, 16383), st.just(4))
)
hdlc_frames = st.builds(HdlcFrame, hdlc_addresses, hdlc_addresses, controls, st.binary(max_size=2030), st.booleans())


@pytest.mark.parametrize("vector", VECTORS["hdlc_generic_addresses"], ids=lambda vector: vector["hex"])
def test_address_vectors(vector: dict[str, Any]) -> None:
    address = hdlc_address_of(vector)
    assert encode_hdlc_address(address) == octets_of(vector)
    assert decode_hdlc_address(octets_of(vector)) == address
    assert decode_hdlc_address(b"\x02" + octets_of(vector) + b"\x02", 1) == address


@each("hdlc_generic_frames")
def test_frame_vectors(vector: dict[str, Any]) -> None:
    _both_ways(vector)


def test_frames_of_public_material(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "lmn.json").read_text(encoding="utf-8"))["hdlc_generic_frames"]
    seen = [vector for vector in vectors if not vector["constructed"]]
    assert len(seen) == 8
    for vector in seen:
        _both_ways(vector)


def _both_ways(vector: dict[str, Any]) -> None:
    frame = hdlc_frame_of(vector["fields"])
    assert decode_hdlc_frame(octets_of(vector)) == frame
    assert encode_hdlc_frame(frame) == octets_of(vector)


@given(hdlc_frames)
def test_round_trip(frame: HdlcFrame) -> None:
    assert decode_hdlc_frame(encode_hdlc_frame(frame)) == frame


@given(hdlc_addresses)
def test_round_trip_of_addresses(address: HdlcAddress) -> None:
    octets = encode_hdlc_address(address)
    assert len(octets) == address.octets
    assert [octet & 1 for octet in octets] == [0] * (len(octets) - 1) + [1]
    assert decode_hdlc_address(octets) == address


@pytest.mark.parametrize("octets", ["", "02", "0202", "020203", "02020202", "0202020203"])
def test_no_addresses(octets: str) -> None:
    with pytest.raises(DecodeError, match="expected an address of 1, 2 or 4 octets") as caught:
        decode_hdlc_address(bytes.fromhex(octets))
    assert (caught.value.reason, caught.value.offset) == ("address", 0)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (HdlcAddress(128), "upper"),
        (HdlcAddress(1, 1), "lower"),
        (HdlcAddress(1, None, 2), "lower"),
        (HdlcAddress(1, 128, 2), "lower"),
        (HdlcAddress(16384, 0, 4), "upper"),
        (HdlcAddress(-1, 0, 4), "upper"),
        (HdlcAddress(1, 1, 3), "octets"),
    ],
)
def test_addresses_without_octets(address: HdlcAddress, path: str) -> None:
    frame = HdlcFrame(HdlcAddress(1), address, Control(FrameKind.SNRM))
    with pytest.raises(EncodeError) as caught:
        encode_hdlc_frame(frame)
    assert (caught.value.reason, caught.value.path) == ("address", f"src.{path}")


def test_every_flipped_bit_and_every_length() -> None:
    for vector in VECTORS["hdlc_generic_frames"]:
        octets = octets_of(vector)
        for at in range(len(octets)):
            for bit in range(8):
                changed = bytearray(octets)
                changed[at] ^= 1 << bit
                with pytest.raises(DecodeError):
                    decode_hdlc_frame(changed)
            with pytest.raises(DecodeError) as caught:
                decode_hdlc_frame(octets[:at])
            assert caught.value.reason == ("framing" if at > 1 else "format")


def _sealed(body: str, *, hcs: int | None = None) -> bytes:
    octets = bytes.fromhex(body)
    if hcs is not None:
        octets += (x25(octets) ^ hcs).to_bytes(2, "little")
    return b"\x7e" + octets + x25(octets).to_bytes(2, "little") + b"\x7e"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x7e\xa0\x06" + bytes(5) + b"\x7e", "length"),
        (_sealed("A00A02022103 9300 00"), "fcs"),
        (_sealed("A009 03 020223 93"), "address"),
        (_sealed("A009 020203 21 93"), "address"),
        (_sealed("A008 03 21 93 00"), "length"),
        (_sealed("A009 0223 0223 93 0000"), "fcs"),
        (_sealed("A009 03 21 93", hcs=1), "hcs"),
    ],
)
def test_what_is_wrong(octets: bytes, reason: str) -> None:
    if reason == "fcs":
        octets = b"\x7e\xa0" + bytes((len(octets) - 2,)) + octets[3:]
    with pytest.raises(DecodeError) as caught:
        decode_hdlc_frame(octets)
    assert caught.value.reason == reason


def test_llc_is_information() -> None:
    vector = next(vector for vector in VECTORS["hdlc_generic_frames"] if vector["id"] == "dlms_segment_first")
    frame = decode_hdlc_frame(octets_of(vector))
    assert frame.segment
    assert frame.info.startswith(bytes.fromhex("E6E700"))
