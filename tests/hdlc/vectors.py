"""The constructed vectors of HDLC, and what they say of a frame in the form of the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from e320proto.hdlc import Address, Control, Frame, FrameKind, HdlcAddress, HdlcFrame

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "lmn-hdlc.json").read_text(encoding="utf-8")
)


def octets_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"])


def each(key: str) -> pytest.MarkDecorator:
    """A test for each vector of a kind."""
    return pytest.mark.parametrize("vector", VECTORS[key], ids=[vector["id"] for vector in VECTORS[key]])


def control_of(fields: dict[str, Any]) -> Control:
    return Control(FrameKind(fields["type"]), fields["pf"], fields.get("ns", 0), fields.get("nr", 0))


def frame_of(fields: dict[str, Any]) -> Frame:
    info = bytes.fromhex(fields["info"])
    dest, src = Address(**fields["dest"]), Address(**fields["src"])
    return Frame(dest, src, control_of(fields), info, fields["segment"])


def hdlc_address_of(fields: dict[str, Any]) -> HdlcAddress:
    return HdlcAddress(fields["upper" if "upper" in fields else "address"], fields.get("lower"), fields["octets"])


def hdlc_frame_of(fields: dict[str, Any]) -> HdlcFrame:
    dest, src = hdlc_address_of(fields["dest"]), hdlc_address_of(fields["src"])
    return HdlcFrame(dest, src, control_of(fields), bytes.fromhex(fields["info"]), fields["segment"])


FRAMES: Final = {vector["id"]: octets_of(vector) for vector in VECTORS["lmn_frames"]}
SHORT_FRAMES: Final = {name: octets for name, octets in FRAMES.items() if len(octets) < 200}
"""Frames for tests that try every octet or bit."""
every_short_frame = pytest.mark.parametrize("octets", SHORT_FRAMES.values(), ids=SHORT_FRAMES)
