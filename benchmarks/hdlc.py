"""Rows of the HDLC decoder: what a full line costs, in large and small pieces, with long and short frames."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import counted, peak_octets, rates
from benchmarks.row import CHUNK, Job, Row, chunked
from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameDecoder, FrameKind, encode_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.row import Size

INFORMATION = {1011: "I, 1,011 octets", 9: "I, 9 octets", 0: "RR"}
CHUNK_SIZES = (CHUNK, 512, 64, 16, 1)
LINE_OCTETS_PER_S = 92_160
"""921,600 baud, ten bits each."""
FIGURE = "% of a core at 921,600 baud"
_METERS = 32


def jobs(size: Size) -> Iterator[Job]:
    """One job for each kind of frame, with all chunk sizes."""
    for octets, kind in INFORMATION.items():
        names = {chunk: f"hdlc, chunks of {chunk}: {kind}" for chunk in CHUNK_SIZES}
        yield Job(tuple(names.values()), partial(_rows, names, octets, size))


def bus(information: int) -> bytes:
    """Frames of a few meters, back to back."""
    frames = []
    for number in range(_METERS * 8):
        meter, gateway = Address(3 + number % _METERS, 1), Address(GATEWAY, 1)
        kind = FrameKind.I if information else FrameKind.RR
        control = Control(kind, ns=number % 8 if information else 0, nr=number // _METERS)
        dest, src = (gateway, meter) if number % 2 else (meter, gateway)
        frames.append(encode_frame(Frame(dest, src, control, bytes((number,)) * information)))
    return b"".join(frames)


def count_frames(chunks: Sequence[bytes]) -> int:
    """Find the frames of a stream."""
    feed = FrameDecoder().feed
    count = 0
    for chunk in chunks:
        for event in feed(chunk):
            count += isinstance(event, Frame)
    return count


def _rows(names: dict[int, str], information: int, size: Size) -> Iterator[Row]:
    unit = bus(information)
    octets = unit * max(1, size.transport_octets // len(unit))
    frames = len(octets) // len(unit) * _METERS * 8
    contenders = {name: partial(count_frames, chunked(octets, chunk)) for chunk, name in names.items()}
    for name, job in contenders.items():
        counted(name, job, frames)
    found = rates(contenders, size.rounds, time.process_time)  # a share of a core is of its time, not of the day's
    for chunk, name in names.items():
        octets_per_s = found[name] * len(octets) / frames
        peak = peak_octets(contenders[name]) if chunk == CHUNK else None
        yield Row(name, "frames", found[name], octets_per_s, peak, {FIGURE: 100 * LINE_OCTETS_PER_S / octets_per_s})
