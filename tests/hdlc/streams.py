"""Streams for tests of the decoder, and its events in the form of the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from e320proto import BytesDiscarded, Malformed
from e320proto.hdlc import Address, Control, Frame, FrameDecoder, FrameKind, encode_frame
from tests.hdlc.receiver_oracle import Receiver, crc
from tests.hdlc.vectors import SHORT_FRAMES, VECTORS, octets_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto.hdlc import FrameEvent
    from tests.hdlc.receiver_oracle import Event

BAD = [octets_of(vector) for vector in VECTORS["lmn_invalid"]]

controls = st.integers(0, 255).map(Control.decode)
addresses = st.builds(Address, st.integers(0, 127), st.integers(0, 127))
frames = st.builds(Frame, addresses, addresses, controls, st.binary(max_size=40), st.booleans())
long_frames = st.builds(
    Frame, addresses, addresses, st.just(Control(FrameKind.I)), st.binary(min_size=200, max_size=2036), st.booleans()
)
good = frames.map(encode_frame) | st.sampled_from(list(SHORT_FRAMES.values()))


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    octets = bytearray(draw(good))
    at = draw(st.integers(0, len(octets) - 1))
    match draw(st.sampled_from(("flip", "cut", "lose", "begin"))):
        case "flip":
            octets[at] ^= 1 << draw(st.integers(0, 7))
        case "cut":
            del octets[at:]
        case "lose":
            del octets[at]
        case _:
            del octets[:at]
    return bytes(octets)


@st.composite
def _sealed(draw: st.DrawFn) -> bytes:
    """A right checksum of the frame over what may be wrong: address octets, checksum of the head."""
    info = draw(st.none() | st.binary(max_size=3))
    length = 9 if info is None else 11 + len(info)
    octets = [0xA0, length, *draw(st.tuples(*[st.sampled_from((2, 3, 0x88, 0x89, 0x7E))] * 4)), 0x11]
    if info is not None:
        head = crc(octets) ^ draw(st.sampled_from((0, 0, 1, 0x8000)))
        octets += [head & 255, head >> 8, *info]
    check = crc(octets)
    return bytes([0x7E, *octets, check & 255, check >> 8, 0x7E])


damaged = _damaged() | _sealed() | st.sampled_from(BAD)
fill = st.sampled_from((b"\x7e", b"\x7e\x7e\x7e", b"\xff", b"\xff\xff\x7e", b"\xff" * 12))
noise = st.binary(max_size=30) | st.sampled_from(
    (b"\x7e\xa0", b"\x7e\xa7\xff", b"\x7e\xa0\x09", b"\x7e\xa0\x0b", b"\xa0")
)
shared_flag = good.map(lambda octets: octets[:-1])
pieces = st.lists(good | damaged | fill | noise | shared_flag, max_size=12)


def form(event: FrameEvent, frame_offset: int = -1) -> Event:
    """An event as the oracle has it; a frame does not tell where it was."""
    match event:
        case Frame():
            return "frame", frame_offset, encode_frame(event)
        case Malformed():
            return event.error.reason, event.offset, event.raw
        case BytesDiscarded():
            return "noise", event.offset, event.data


def decoded(chunks: Iterable[bytes]) -> list[FrameEvent]:
    decoder = FrameDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()


def expected(stream: bytes) -> list[Event]:
    """What the oracle says of a stream; frames without their places."""
    receiver = Receiver()
    for octet in stream:
        receiver.octet(octet)
    receiver.silence()
    return [without_place(event) for event in receiver.events]


def without_place(event: Event) -> Event:
    """A frame as ``form`` has it: the shorter of the two ways to have no information, and no place."""
    name, _, octets = event
    if name != "frame":
        return event
    if len(octets) == 13:  # a checksum of the head although nothing follows
        octets = form(FrameDecoder().feed(octets)[0])[2]
    return name, -1, octets


def singles(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]
