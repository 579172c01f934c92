"""Rows of learned layouts where they have to prove themselves: many meters, changing widths, nothing that repeats.

Each run of a job begins with no layout known, so what learning costs is in the figures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.measure import counted, rates
from benchmarks.peers import installed
from benchmarks.row import Job, Row, chunked, ratios
from benchmarks.streaming import read_floats
from e320proto.sml.layout import shared_layouts
from e320proto.sml.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.row import Size
    from benchmarks.streams import Stream

PREFIX = "layouts: "
PLAIN = "without layouts"


def jobs(size: Size) -> Iterator[Job]:
    """One job for each stream."""
    makers: dict[str, Callable[[int], Stream]] = {
        f"{size.meters:,} meters of {fleet.MODELS} models": fleet.many_meters,
        "shortened integers": fleet.shortened,
        "shortened integers, all jump": fleet.shortened_at_random,
        "nothing repeats, other lengths": fleet.unlike,
        "nothing repeats, one length": fleet.alike,
    }
    for name, make in makers.items():
        yield Job((f"{PREFIX}{name}",), partial(_rows, f"{PREFIX}{name}", make, size))


def learn_and_read(chunks: Sequence[bytes]) -> int:
    """Read a stream with no layout known before."""
    shared_layouts.cache_clear()
    return read_floats(chunks)


def _rows(name: str, make: Callable[[int], Stream], size: Size) -> Iterator[Row]:
    stream = make(size.meters)
    chunks = chunked(stream.octets)
    counted(name, partial(learn_and_read, chunks), stream.telegrams)
    kept = len(shared_layouts(DEFAULT_OPTIONS))
    found = rates(
        {
            PREFIX: partial(learn_and_read, chunks),
            PLAIN: partial(read_floats, chunks, layouts=False),
            **{
                peer.name: partial(peer.decode_stream, chunked(stream.octets[: peer.telegrams[size.quick] * 300]))
                for peer in installed()
            },
        },
        size.rounds,
    )
    rate = found.pop(PREFIX)
    time_ratio = found.pop(PLAIN) / rate
    figures = {**ratios(rate, found), "x time without layouts": time_ratio, "layouts kept": kept}
    yield Row(name, "telegrams", rate, rate * stream.octets_per_telegram, figures=figures)
