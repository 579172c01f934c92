"""Rows of one meter's stream: the ways to read it, beside the peers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import child, libsml, streams
from benchmarks.measure import counted, peak_octets, rates
from benchmarks.peers import installed
from benchmarks.row import CHUNK, QUICK, Job, Row, chunked, ratios
from e320proto import Telegram, TelegramDecoder, crc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.row import Size
    from benchmarks.streams import Stream

SMALL_CHUNK = 512
LIBSML = "libsml (messages only)"
FLOATS, ENTRIES, SMALL, PLAIN, CRCMOD = (
    "floats: ",
    "entries: ",
    f"floats, chunks of {SMALL_CHUNK}: ",
    "floats, no layouts: ",
    "floats, crcmod: ",
)


def read_floats(chunks: Sequence[bytes], *, layouts: bool = True) -> int:
    """Decode a stream and read the scaled number of every entry; the number of telegrams."""
    decoder = TelegramDecoder(layouts=layouts)
    feed = decoder.feed
    count = 0
    for chunk in chunks:
        for event in feed(chunk):
            if isinstance(event, Telegram):
                count += 1
                event.floats  # noqa: B018 - made when it is asked for
    return count


def build_entries(chunks: Sequence[bytes]) -> int:
    """Decode a stream and make every entry: exact raw value, scaler, unit, status, time; the number of telegrams."""
    feed = TelegramDecoder().feed
    count = 0
    for chunk in chunks:
        for event in feed(chunk):
            if isinstance(event, Telegram):
                count += 1
                for entry in event.entries:
                    entry.raw  # noqa: B018 - a reader takes each in turn
    return count


def check_floats(stream: Stream) -> None:
    """See that the fast numbers are those of the entries, with and without layouts."""
    decoder, plain = TelegramDecoder(), TelegramDecoder(layouts=False)
    for event, other in zip(decoder.feed(stream.octets * 3), plain.feed(stream.octets * 3), strict=True):
        if not isinstance(event, Telegram) or not isinstance(other, Telegram):
            continue
        exact = tuple(float(value) if (value := e.quantity) is not None else None for e in other.entries)
        if not event.floats == other.floats == exact:
            msg = f"{stream.name}: expected {exact}, found {event.floats} and {other.floats}"
            raise RuntimeError(msg)


def jobs(size: Size) -> Iterator[Job]:
    """One job for each stream."""
    made = [streams.generated(shape, size.distinct) for shape in streams.SHAPES]
    for stream in [*streams.of_one_meter(), *made]:
        names = tuple(f"{way}{stream.name}" for way in (FLOATS, ENTRIES, SMALL, PLAIN, CRCMOD))
        yield Job(names, partial(one_meter, stream, size))
    for stream in streams.recorded():
        name = f"recording: {stream.name}"
        yield Job((name,), partial(recording, name, stream, size))


def one_meter(stream: Stream, size: Size) -> Iterator[Row]:
    """Every way to read one stream, all in the same rounds."""
    check_floats(stream)
    octets, slow = stream.of(size.telegrams), stream.of(size.slow_telegrams)
    ours: dict[str, Callable[[], int]] = {
        FLOATS: partial(read_floats, chunked(octets)),
        ENTRIES: partial(build_entries, chunked(octets)),
        SMALL: partial(read_floats, chunked(octets, SMALL_CHUNK)),
        PLAIN: partial(read_floats, chunked(slow), layouts=False),
    }
    for way, job in ours.items():
        counted(f"{way}{stream.name}", job, stream.telegrams_in(slow if way == PLAIN else octets))
    with child.without_fastcrc(octets) as crcmod:
        if crc.IMPLEMENTATION == "fastcrc":
            counted(f"{CRCMOD}{stream.name}", crcmod, stream.telegrams_in(octets))
            ours[CRCMOD] = crcmod
        found = rates({**ours, **peer_jobs(stream, size)}, size.rounds)
    found_ours = {way: found.pop(way) for way in ours}
    for way, rate in found_ours.items():
        figures = ratios(rate, found)
        if way == CRCMOD:
            figures["x fastcrc"] = rate / found_ours[FLOATS]
        yield Row(
            f"{way}{stream.name}",
            "telegrams",
            rate,
            rate * stream.octets_per_telegram,
            peak_octets(partial(read_floats, chunked(stream.of(QUICK.telegrams), CHUNK))) if way == FLOATS else None,
            figures,
        )


def peer_jobs(stream: Stream, size: Size) -> dict[str, Callable[[], int]]:
    """What the peers do with the stream: those in Python on frames, libsml on what is in them."""
    found: dict[str, Callable[[], int]] = {
        peer.name: partial(peer.decode_stream, chunked(stream.of(peer.telegrams[size.quick]))) for peer in installed()
    }
    files = stream.files(size.telegrams)
    if libsml.reads(files):
        found[LIBSML] = partial(libsml.parse, libsml.grouped(files))
    return found


def recording(name: str, stream: Stream, size: Size) -> Iterator[Row]:
    """A recording as it is, with the telegrams cut by its ends and the noise in it."""
    octets = stream.of(size.telegrams // 2)
    job = partial(read_floats, chunked(octets))
    counted(name, job, stream.telegrams_in(octets))
    ours = {FLOATS: job}
    peers = {
        peer.name: partial(peer.decode_stream, chunked(stream.of(peer.telegrams[size.quick]))) for peer in installed()
    }
    found = rates({**ours, **peers}, max(2, size.rounds // 2))
    rate = found.pop(FLOATS)
    yield Row(name, "telegrams", rate, rate * stream.octets_per_telegram, figures=ratios(rate, found))
