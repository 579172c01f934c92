"""Parameter blocks of SNRM and UA."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import DecodeError, EncodeError
from e320proto.hdlc import Parameters, decode_frame, decode_hdlc_frame, decode_parameters, encode_parameters
from tests.hdlc.vectors import FRAMES, octets_of

if TYPE_CHECKING:
    from pathlib import Path

_size = st.none() | st.integers(1, 0xFFFF)
_window = st.none() | st.integers(1, 0xFFFF_FFFF)


def test_block_of_a_meter() -> None:
    info = decode_frame(FRAMES["ua_with_parameters"]).info
    assert decode_parameters(info) == Parameters(254, 254, 1, 1)
    assert encode_parameters(Parameters(254, 254, 1, 1)) == info


def test_blocks_of_public_material(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "lmn.json").read_text(encoding="utf-8"))["hdlc_generic_frames"]
    blocks = {vector["id"]: decode_hdlc_frame(octets_of(vector)).info for vector in vectors}
    wanted = {
        "dlms_snrm_parameters": Parameters(128, 128, 1, 7),
        "dlms_ua_parameters": Parameters(154, 154, 1, 1),
    }
    for name, parameters in wanted.items():
        assert decode_parameters(blocks[name]) == parameters
        assert encode_parameters(parameters) == blocks[name]


@given(st.builds(Parameters, _size, _size, _window, _window))
def test_round_trip(parameters: Parameters) -> None:
    assert decode_parameters(encode_parameters(parameters)) == parameters


def test_other_widths_and_unknown_parameters() -> None:
    block = bytes.fromhex("818010 0504000003F3 070101 090300FF00 0A00")
    assert decode_parameters(block) == Parameters(max_info_tx=1011, window_tx=1)


def test_nothing_told() -> None:
    assert decode_parameters(bytes.fromhex("818000")) == Parameters()
    assert encode_parameters(Parameters()) == bytes.fromhex("818000")


@pytest.mark.parametrize(
    "block",
    ["", "81", "8180", "8280030501FE", "8181030501FE", "8180040501FE", "8180030501FE00", "8180030502FE", "8180 01 05"],
)
def test_no_block(block: str) -> None:
    with pytest.raises(DecodeError, match="expected 81 80, a length and parameters") as caught:
        decode_parameters(bytes.fromhex(block))
    assert caught.value.reason == "parameters"


@pytest.mark.parametrize("value", ["0500", "0503000001", "05050000000001"])
def test_values_of_other_widths(value: str) -> None:
    octets = bytes.fromhex(value)
    with pytest.raises(DecodeError, match="expected a value of 1, 2 or 4 octets") as caught:
        decode_parameters(bytes((0x81, 0x80, len(octets))) + octets)
    assert caught.value.path == "max_info_tx"


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        (Parameters(max_info_tx=0), "max_info_tx"),
        (Parameters(max_info_rx=0x10000), "max_info_rx"),
        (Parameters(window_tx=1 << 32), "window_tx"),
        (Parameters(window_rx=True), "window_rx"),
    ],
)
def test_values_out_of_range(parameters: Parameters, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_parameters(parameters)
    assert (caught.value.reason, caught.value.path) == ("parameters", path)
