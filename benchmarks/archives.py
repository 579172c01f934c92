"""Rows of archives: files to Arrow tables, beside the peers and beside our own streaming of the same octets.

``decode_archive`` gives every batch of the table, and each is dropped at once. It is compiled before
anything is timed; what that takes is a row of its own, in a fresh process: without the cache that
numba keeps on disk, and with it. The wide table finds its registers by itself, and that is timed too.
The files are in the memory of the system, so no disk is measured.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypeAlias

from benchmarks import fleet, memory, streams
from benchmarks.child import STATUS, facts_of
from benchmarks.measure import counted, rates
from benchmarks.peers import installed
from benchmarks.row import Job, Row, chunked, ratios
from benchmarks.streaming import read_floats
from e320proto import Telegram, TelegramDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.row import Size
    from benchmarks.streams import Stream

TableName: TypeAlias = Literal["wide", "long"]

TABLES: tuple[TableName, ...] = ("wide", "long")
STREAMING, ONE, JOBS = "streaming", "one meter", 2
MANY = f"{fleet.MODELS} models, 1 % damaged"
WITH_JOBS = f"archive with {JOBS} jobs: long, {MANY}"
"""Starting the processes is timed too."""
FIRST_CALL = """
from e320proto.archive import decode_archive
def seconds():
    start = time.perf_counter()
    for table in ("wide", "long"):
        for batch in decode_archive(path, table=table):
            pass
    return time.perf_counter() - start
first = seconds()
print(json.dumps({"seconds": first - seconds()}))
"""
MEMORY = """
from e320proto.archive import decode_archive
before, _ = memory()
count = sum(batch.num_rows for batch in decode_archive(path, table=table))
print(json.dumps({"before": before, "peak": memory()[1], "count": count}))
"""


def jobs(size: Size) -> Iterator[Job]:
    """Nothing where the extra is not installed."""
    if not all(map(importlib.util.find_spec, ("numba", "numpy", "pyarrow"))):
        return
    one, many = ONE, MANY
    yield Job(
        (*_names(one), WITH_JOBS), partial(_rows, one, partial(streams.generated, streams.E320, size.distinct), size)
    )
    yield Job((*_names(many), WITH_JOBS), partial(_rows, many, partial(_damaged, many, size), size))
    yield Job(("archive, first call",), partial(_first_call, size))
    if STATUS.is_file():
        for table in TABLES:
            yield Job((f"memory: archive {table}, {many}",), partial(_memory, table, many, size))


def _names(kind: str) -> tuple[str, ...]:
    return tuple(f"archive {table}, {kind}" for table in TABLES)


def _damaged(name: str, size: Size) -> Stream:
    return fleet.many_meters(size.meters, name, damaged=fleet.DAMAGED)


def entries_of(stream: Stream) -> int:
    """How many rows one piece of the stream has in the long table."""
    decoder = TelegramDecoder()
    events = [*decoder.feed(stream.octets), *decoder.close()]
    telegrams = [event for event in events if isinstance(event, Telegram)]
    if len(telegrams) != stream.telegrams:
        msg = f"{stream.name}: expected {stream.telegrams} telegrams, found {len(telegrams)}"
        raise RuntimeError(msg)
    return sum(len(telegram.entries) for telegram in telegrams)


def read_archive(path: Path, table: TableName, units: tuple[int, int], jobs: int = 1) -> int:
    """Make every batch of a table; the number of telegrams if there are as many rows as there should be."""
    from e320proto.archive import decode_archive  # noqa: PLC0415 - optional

    telegrams, rows = units
    found = sum(batch.num_rows for batch in decode_archive(path, table=table, jobs=jobs))
    return telegrams if found == rows else -found


def _rows(kind: str, make: Callable[[], Stream], size: Size) -> Iterator[Row]:
    stream = make()
    entries = entries_of(stream)
    octets = stream.of(size.telegrams)
    with TemporaryDirectory() as folder:
        path = Path(folder, "archive")
        telegrams = memory.write_file(path, stream, int(size.archive_telegrams * stream.octets_per_telegram))
        rows = {"wide": telegrams, "long": telegrams // stream.telegrams * entries}
        ours: dict[str, Callable[[], int]] = {
            f"archive {table}, {kind}": partial(read_archive, path, table, (telegrams, rows[table])) for table in TABLES
        }
        if kind != ONE:
            ours[WITH_JOBS] = partial(read_archive, path, "long", (telegrams, rows["long"]), JOBS)
        for name, job in ours.items():
            counted(name, job, telegrams)
        others: dict[str, Callable[[], int]] = {STREAMING: partial(read_floats, chunked(octets))}
        counted(f"{STREAMING}, {kind}", others[STREAMING], stream.telegrams_in(octets))
        for peer in installed():
            least = int(peer.telegrams[size.quick] * stream.octets_per_telegram)
            others[peer.name] = partial(peer.decode_stream, chunked(octets[:least]))
        found = rates({**ours, **others}, size.rounds)
    for name in ours:
        rate = found[name]
        compared = [*others, *[f"archive long, {MANY}"] * (name == WITH_JOBS)]
        figures = ratios(rate, {other: found[other] for other in compared})
        yield Row(name, "telegrams", rate, rate * stream.octets_per_telegram, figures=figures)


def _first_call(size: Size) -> Iterator[Row]:
    stream = streams.generated(streams.E320, size.distinct)
    with TemporaryDirectory() as folder:
        path = Path(folder, "archive")
        memory.write_file(path, stream, 0)
        # A small run leaves out what takes longest, and takes the cache of everyday use.
        caches: list[dict[str, str]] = [{}] if size.quick else [{"NUMBA_CACHE_DIR": folder}] * 2
        seconds = [facts_of(FIRST_CALL, {"path": str(path)}, cache)["seconds"] for cache in caches]
    figures = {"s with the cache of numba": seconds[-1]}
    if not size.quick:
        figures["s to compile"] = seconds[0]
    yield Row("archive, first call", "calls", figures=figures)


def _memory(table: TableName, kind: str, size: Size) -> Iterator[Row]:
    stream = _damaged(kind, size)
    entries = entries_of(stream)
    with TemporaryDirectory() as folder:
        path = Path(folder, "archive")
        telegrams = memory.write_file(path, stream, size.archive_octets)
        rows = telegrams if table == "wide" else telegrams // stream.telegrams * entries
        yield memory.row_of(f"memory: archive {table}, {kind}", path, MEMORY, rows, unit="rows", table=table)
