"""The rows of the table: which job, on what, beside which peers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import streams
from benchmarks.measure import import_seconds, peak_octets, rates
from benchmarks.peers import installed
from e320proto import (
    BytesDiscarded,
    Malformed,
    Quantity,
    Telegram,
    TelegramDecoder,
    TransportDecoder,
    decode_file,
    encode_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.streams import Stream

CHUNK = 4_096
CHUNK_SIZES = (4_096, 512, 64, 16, 1)
CHUNK_RATIO_LIMIT = 60
IMPORT_LIMIT_S = 0.050
OURS = "e320proto"


@dataclass(frozen=True)
class Size:
    """How much a run does.

    Args:
        rounds: rounds of each row.
        telegrams: telegrams of a stream.
        distinct: telegrams with values of their own in a generated stream, which is then repeated.
        transport_octets: octets for the rows of the transport decoder.
        files: SML files for the rows of whole files.
        quick: which of the shares of the peers.
    """

    rounds: int
    telegrams: int
    distinct: int
    transport_octets: int
    files: int
    quick: bool


FULL = Size(rounds=5, telegrams=40_000, distinct=400, transport_octets=1 << 20, files=200, quick=False)
QUICK = Size(rounds=2, telegrams=300, distinct=30, transport_octets=1 << 16, files=10, quick=True)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: the job.
        unit: what is counted.
        units_per_s: rate of e320proto.
        octets_per_s: the same in octets, where the job has any.
        peak_octets: peak memory, where it was measured.
        ratios: rate of e320proto divided by that of each peer that took part.
        note: a figure with its limit.
    """

    name: str
    unit: str
    units_per_s: float
    octets_per_s: float | None = None
    peak_octets: int | None = None
    ratios: dict[str, float] = field(default_factory=dict)
    note: str = ""


def all_rows(size: Size) -> Iterator[Row]:
    """Every row, as it is measured."""
    made = [streams.generated(shape, size.distinct) for shape in streams.SHAPES]
    for stream in [*made, *streams.recorded()]:
        yield stream_row(stream, size)
    yield from transport_rows(made[0], size)
    yield from file_rows(size)
    yield import_row(size)


def chunked(octets: bytes, size: int = CHUNK) -> list[bytes]:
    """Octets in pieces, as a port would deliver them."""
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def decode_stream(chunks: Sequence[bytes]) -> int:
    """Decode a stream and read every number in it; the number of telegrams."""
    decoder = TelegramDecoder()
    count = 0
    for chunk in chunks:
        for event in decoder.feed(chunk):
            if isinstance(event, Telegram):
                count += 1
                for entry in event.entries:
                    if isinstance(value := entry.value, Quantity):
                        float(value)
    return count


def stream_row(stream: Stream, size: Size) -> Row:
    """Decoding of one stream beside the peers."""
    octets = stream.of(size.telegrams)
    jobs: dict[str, Callable[[], int]] = {OURS: partial(decode_stream, chunked(octets))}
    expected = len(octets) // len(stream.octets) * stream.telegrams
    if (found := jobs[OURS]()) != expected:
        # A fast decoder that loses telegrams must not look good.
        msg = f"{stream.name}: expected {expected} telegrams, found {found}"
        raise RuntimeError(msg)
    for peer in installed():
        jobs[peer.name] = partial(peer.decode_stream, chunked(stream.of(peer.telegrams[size.quick])))
    found_rates = rates(jobs, size.rounds)
    rate = found_rates.pop(OURS)
    return Row(
        f"stream: {stream.name}",
        "telegrams",
        rate,
        rate * stream.octets_per_telegram,
        peak_octets(partial(decode_stream, chunked(stream.of(QUICK.telegrams)))),
        _ratios(rate, found_rates),
    )


def _count_frames(chunks: Sequence[bytes]) -> int:
    decoder = TransportDecoder()
    return sum(not isinstance(event, BytesDiscarded | Malformed) for chunk in chunks for event in decoder.feed(chunk))


def transport_rows(stream: Stream, size: Size) -> Iterator[Row]:
    """The transport decoder alone at several chunk sizes: feeding octet by octet must stay cheap."""
    telegrams = int(size.transport_octets / stream.octets_per_telegram)
    octets = stream.of(telegrams)[: size.transport_octets]
    jobs = {f"{chunk}": partial(_count_frames, chunked(octets, chunk)) for chunk in CHUNK_SIZES}
    counts = {job() for job in jobs.values()}
    if len(counts) != 1 or not min(counts):
        msg = f"expected the same number of frames at every chunk size, found {sorted(counts)}"
        raise RuntimeError(msg)
    found = rates(jobs, size.rounds)
    for chunk in CHUNK_SIZES:
        rate = found[f"{chunk}"]
        slower = found[f"{CHUNK_SIZES[0]}"] / rate
        note = f"{slower:.1f} x the time of {CHUNK_SIZES[0]}-octet chunks"
        if chunk == 1:
            note += _verdict(slower, CHUNK_RATIO_LIMIT, f"{CHUNK_RATIO_LIMIT}")
        yield Row(
            f"transport: chunks of {chunk}",
            "frames",
            rate,
            rate * len(octets) / min(counts),
            peak_octets(jobs[f"{chunk}"]) if chunk == CHUNK_SIZES[0] else None,
            note=note if chunk != CHUNK_SIZES[0] else "",
        )


def file_rows(size: Size) -> Iterator[Row]:
    """Whole SML files through the schema, both ways."""
    contents = streams.contents(streams.E320, size.files)
    messages = [streams.E320.messages(number) for number in range(size.files)]
    octets = sum(map(len, contents)) / len(contents)

    def decode() -> int:
        return sum(bool(decode_file(content)) for content in contents)

    def encode() -> int:
        return sum(bool(encode_file(file)) for file in messages)

    jobs: dict[str, Callable[[], int]] = {OURS: decode}
    for peer in installed():
        if peer.decode_files:
            jobs[peer.name] = partial(peer.decode_files, contents)
    found = rates(jobs, size.rounds)
    rate = found.pop(OURS)
    yield Row("decode_file", "files", rate, rate * octets, peak_octets(decode), _ratios(rate, found))
    rate = rates({OURS: encode}, size.rounds)[OURS]
    yield Row("encode_file", "files", rate, rate * octets, peak_octets(encode))


def import_row(size: Size) -> Row:
    """``import`` in a fresh interpreter."""
    modules = {peer.module: peer.name for peer in reversed(installed())}
    found = import_seconds([OURS, *modules], size.rounds + 3)
    ours = found.pop(OURS)
    ratios = {modules[module]: seconds / ours for module, seconds in found.items()}
    verdict = _verdict(ours, IMPORT_LIMIT_S, f"{IMPORT_LIMIT_S * 1e3:.0f} ms")
    return Row("import", "imports", 1 / ours, ratios=ratios, note=f"{ours * 1e3:.1f} ms{verdict}")


def _ratios(ours: float, peers: dict[str, float]) -> dict[str, float]:
    return {name: ours / rate for name, rate in peers.items() if rate}


def _verdict(found: float, limit: float, shown: str) -> str:
    return f", limit {shown}" if found <= limit else f", OVER the limit of {shown}"
