"""The same frames with addresses of IEC 62056-46 in an independent implementation, ``dlms-cosem``, where it has them.

Its scope, and so that of these tests: clients have one octet; no part of a server's address is 0; commands and
answers are final but I and UI, which always carry information. It decodes frames that go to a client.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.hdlc import (
    Control,
    FrameKind,
    HdlcAddress,
    HdlcFrame,
    decode_hdlc_frame,
    encode_hdlc_frame,
)
from tests.hdlc.vectors import VECTORS, hdlc_frame_of, octets_of

peer = pytest.importorskip("dlms_cosem.hdlc.frames")
peer_address = pytest.importorskip("dlms_cosem.hdlc.address")

CLASSES: Final = {
    FrameKind.SNRM: peer.SetNormalResponseModeFrame,
    FrameKind.UA: peer.UnNumberedAcknowledgmentFrame,
    FrameKind.RR: peer.ReceiveReadyFrame,
    FrameKind.I: peer.InformationFrame,
    FrameKind.DISC: peer.DisconnectFrame,
    FrameKind.UI: peer.UnnumberedInformationFrame,
}
ANSWERS: Final = {FrameKind.UA, FrameKind.RR, FrameKind.I, FrameKind.UI}
"""What it decodes as frames from a server to a client."""

_number = st.integers(0, 7)
_low, _high = st.integers(1, 127), st.integers(1, 16383)
clients = st.builds(HdlcAddress, st.integers(0, 127))
servers = (
    st.builds(HdlcAddress, _low)
    | st.builds(HdlcAddress, _low, _low, st.just(2))
    | st.builds(HdlcAddress, _high, _high, st.just(4))
)
_octets = st.binary(min_size=1, max_size=300)


@st.composite
def _bodies(draw: st.DrawFn, kinds: set[FrameKind]) -> tuple[Control, bytes, bool]:
    match draw(st.sampled_from(sorted(kinds, key=lambda kind: kind.value))):
        case FrameKind.I:
            control = Control(FrameKind.I, draw(st.booleans()), draw(_number), draw(_number))
            return control, draw(_octets), draw(st.booleans())
        case FrameKind.UI:
            return Control(FrameKind.UI, draw(st.booleans())), draw(_octets), draw(st.booleans())
        case FrameKind.UA:
            return Control(FrameKind.UA), draw(st.just(b"") | _octets), False
        case FrameKind.RR:
            return Control(FrameKind.RR, nr=draw(_number)), b"", False
        case kind:
            return Control(kind), b"", False


def _theirs(address: HdlcAddress, role: str) -> Any:  # noqa: ANN401 - no types
    extended = address.octets == 4
    return peer_address.HdlcAddress(address.upper, address.lower, role, extended_addressing=extended)


def _their_octets(frame: HdlcFrame, dest_role: str, src_role: str) -> bytes:
    control = frame.control
    fields: dict[str, object] = {"segmented": frame.segment, "final": control.poll_final}
    if frame.info:
        fields["payload"] = frame.info
    if control.kind is FrameKind.I:
        fields["send_sequence_number"] = control.ns
    if control.kind in {FrameKind.I, FrameKind.RR}:
        fields["receive_sequence_number"] = control.nr
    made = CLASSES[control.kind](_theirs(frame.dest, dest_role), _theirs(frame.src, src_role), **fields)
    return bytes(made.to_bytes())


def _agree_on_decoding(octets: bytes, frame: HdlcFrame) -> None:
    theirs = CLASSES[frame.control.kind].from_bytes(octets)
    assert (theirs.destination_address.logical_address, frame.dest.octets) == (frame.dest.upper, 1)
    assert theirs.source_address.logical_address == frame.src.upper
    assert theirs.source_address.physical_address == frame.src.lower
    assert (theirs.payload or b"") == frame.info
    if frame.control.kind in {FrameKind.I, FrameKind.UI}:
        assert (theirs.segmented, theirs.final) == (frame.segment, frame.control.poll_final)
    if frame.control.kind is FrameKind.I:
        assert theirs.send_sequence_number == frame.control.ns
    if frame.control.kind in {FrameKind.I, FrameKind.RR}:
        assert theirs.receive_sequence_number == frame.control.nr


@given(servers, clients, _bodies(set(CLASSES)))
def test_frames_of_a_client(dest: HdlcAddress, src: HdlcAddress, body: tuple[Control, bytes, bool]) -> None:
    frame = HdlcFrame(dest, src, *body)
    octets = _their_octets(frame, "server", "client")
    assert encode_hdlc_frame(frame) == octets
    assert decode_hdlc_frame(octets) == frame


@given(clients, servers, _bodies(ANSWERS))
def test_frames_of_a_server(dest: HdlcAddress, src: HdlcAddress, body: tuple[Control, bytes, bool]) -> None:
    frame = HdlcFrame(dest, src, *body)
    octets = _their_octets(frame, "client", "server")
    assert encode_hdlc_frame(frame) == octets
    assert decode_hdlc_frame(octets) == frame
    _agree_on_decoding(octets, frame)


def test_vectors() -> None:
    seen = 0
    for vector in VECTORS["hdlc_generic_frames"]:
        frame = hdlc_frame_of(vector["fields"])
        assert _their_octets(
            frame, "server" if frame.control.kind is FrameKind.SNRM else "client", "client"
        ) == octets_of(vector)
        if frame.control.kind in ANSWERS:
            _agree_on_decoding(octets_of(vector), frame)
            seen += 1
    assert seen == 2
