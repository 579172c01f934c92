"""Rows of the transport decoder alone at several chunk sizes: feeding octet by octet must stay cheap."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import streams
from benchmarks.measure import counted, peak_octets, rates
from benchmarks.row import CHUNK, Job, Row, chunked
from e320proto import BytesDiscarded, Malformed, TransportDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.row import Size

CHUNK_SIZES = (CHUNK, 512, 64, 16, 1)


def jobs(size: Size) -> Iterator[Job]:
    """One job for all chunk sizes, because they are compared."""
    names = {chunk: f"transport, chunks of {chunk}: {streams.E320.meter}" for chunk in CHUNK_SIZES}
    yield Job(tuple(names.values()), partial(_rows, names, size))


def count_frames(chunks: Sequence[bytes]) -> int:
    """Find the frames of a stream."""
    decoder = TransportDecoder()
    return sum(not isinstance(event, BytesDiscarded | Malformed) for chunk in chunks for event in decoder.feed(chunk))


def _rows(names: dict[int, str], size: Size) -> Iterator[Row]:
    stream = streams.generated(streams.E320, size.distinct)
    frames = int(size.transport_octets / stream.octets_per_telegram)
    octets = stream.of(frames)
    contenders = {name: partial(count_frames, chunked(octets, chunk)) for chunk, name in names.items()}
    for name, job in contenders.items():
        counted(name, job, stream.telegrams_in(octets))
    found = rates(contenders, size.rounds)
    for chunk, name in names.items():
        rate = found[name]
        yield Row(
            name,
            "frames",
            rate,
            rate * stream.octets_per_telegram,
            peak_octets(contenders[name]) if chunk == CHUNK else None,
            {} if chunk == CHUNK else {f"x time of {CHUNK}": found[names[CHUNK]] / rate},
        )
