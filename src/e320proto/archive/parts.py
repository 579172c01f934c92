"""Many processes: files are cut into parts that are decoded at the same time.

::

    file     |---- part 1 ----|---- part 2 ----|---- part 3 ----|      cut where a frame seems to start
    events   [..][..][..][....][..][..][...   ][..][...                 part 2 ended behind its end:
    again                                      |- part 3 -|             so part 3 is decoded from there

A decoder that has made events of all octets before a cut is in the same state as the new one of the next
part. So a part goes on behind its end until that is so; if its last event goes beyond the cut, what
the next part said is thrown away, and it is decoded again from where the event ends.

Batches come back as Arrow streams in a temporary folder and are mapped from there: a pipe between
processes would take longer than decoding.
"""

from __future__ import annotations

import signal
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import IO, TYPE_CHECKING, Final

import pyarrow as pa

from e320proto.archive.passes import Pass, TableName
from e320proto.archive.reading import NO_END, decode_file
from e320proto.sml.transport import ESCAPE, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from e320proto.archive.registers import Register
    from e320proto.sml.options import DecodeOptions

PART: Final = 8 << 20
"""Octets of a part: its tables take some tens of MiB, decoding it some hundredths of a second."""
_BLOCK: Final = 1 << 16
_MOST_FILES: Final = 256


@dataclass(frozen=True, slots=True)
class Part:
    """Octets of one file.

    Args:
        path: of the file.
        begin: first octet.
        stop: events are wanted up to here.
    """

    path: str
    begin: int = 0
    stop: int = NO_END


@dataclass(frozen=True, slots=True)
class Work:
    """What a process does at once, and all it needs to know.

    Args:
        parts: many small files, or one range of a large one.
        octets: how many they have.
        table: which table is wanted.
        registers: columns of the wide table.
        batch_rows: rows of a batch at most.
        options: of the decoders.
        trouble: whether the trouble table is wanted, too.
    """

    parts: tuple[Part, ...]
    octets: int
    table: TableName
    registers: tuple[Register, ...]
    batch_rows: int
    options: DecodeOptions
    trouble: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: files of batches, if there are any, and where the last event ended."""

    batches: str | None
    trouble: str | None
    end: int


def plan(files: Iterable[tuple[str, int]], size: int) -> Iterator[tuple[tuple[Part, ...], int]]:
    """Group small files, and cut large ones; each with the number of octets.

    Args:
        files: paths and their octets.
        size: octets of a part.

    >>> list(plan([("a", 10), ("b", 20)], 100))
    [((Part(path='a', begin=0, stop=4611686018427387904), Part(path='b', begin=0, stop=4611686018427387904)), 30)]
    """
    group: list[Part] = []
    octets = 0
    for path, length in files:
        if group and (octets + length > size or len(group) == _MOST_FILES):
            yield tuple(group), octets
            group, octets = [], 0
        if length <= size:
            group.append(Part(path))
            octets += length
            continue
        bounds = [0, *_cuts(path, length, size)]
        for begin, stop in zip(bounds, [*bounds[1:], NO_END], strict=True):
            yield (Part(path, begin, stop),), min(stop, length) - begin
    if group:
        yield tuple(group), octets


def _cuts(path: str, length: int, size: int) -> Iterator[int]:
    """Where frames start, about every ``size`` octets."""
    cut: int | None = 0
    with Path(path).open("rb") as file:
        while cut is not None and cut + size < length:
            cut = _start_behind(file, cut + size)
            if cut is not None:
                yield cut


def _start_behind(file: IO[bytes], position: int) -> int | None:
    """The next start of a frame that is not part of a longer run of 1b."""
    file.seek(position - 1)
    base, data = position - 1, b""
    while block := file.read(_BLOCK):
        data += block
        at = data.find(START, 1)
        while at >= 0 and data[at - 1] == ESCAPE[0]:
            at = data.find(START, at + 1)
        if at >= 0:
            return base + at
        base += max(0, len(data) - len(START))
        data = data[-len(START) :]
    return None


def do(work: Work, folder: str) -> Result:
    """Decode the parts of one piece of work; this runs in another process."""
    files = [part.path for part in work.parts]
    found = Pass(work.table, files, work.registers, work.options, batch_rows=work.batch_rows, octets=work.octets)
    batches: list[pa.RecordBatch] = []
    trouble: list[pa.RecordBatch] = []
    end = 0
    for number, part in enumerate(work.parts):
        end = part.begin
        for octets in decode_file(found, part.path, number, part.begin, part.stop):
            end += octets
            batches += found.take(trouble.append)
    found.flush()
    batches += found.take(trouble.append)
    return Result(_written(batches, folder), _written(trouble if work.trouble else [], folder), end)


def _written(batches: list[pa.RecordBatch], folder: str) -> str | None:
    """Batches as an Arrow stream in a new file."""
    if not batches:
        return None
    with NamedTemporaryFile(dir=folder, suffix=".arrows", delete=False) as file:
        with pa.PythonFile(file, "w") as sink, pa.ipc.new_stream(sink, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return file.name


def batches_of(path: str | None) -> Iterator[pa.RecordBatch]:
    """The batches in a file of :func:`do`, which goes away; they stay as long as somebody holds them."""
    if path is None:
        return
    with pa.memory_map(path) as source:
        with suppress(OSError):  # Windows keeps files that are mapped; the folder goes in the end
            Path(path).unlink()
        yield from pa.ipc.open_stream(source)


def _quiet() -> None:
    """Ctrl-C is for the process that started this one: it ends this one, too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def do_all(works: Iterable[Work], jobs: int) -> Iterator[tuple[Work, Result]]:
    """Do all work in so many processes; the results in the order of the work."""
    with TemporaryDirectory(prefix="e320-", ignore_cleanup_errors=True) as folder:
        pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_quiet)
        try:
            yield from _in_order(pool, works, jobs, folder)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, works: Iterable[Work], jobs: int, folder: str
) -> Iterator[tuple[Work, Result]]:
    waiting: deque[tuple[Work, Future[Result]]] = deque()
    left = iter(works)
    last: tuple[Work, Result] | None = None
    while True:
        while len(waiting) <= 2 * jobs and (work := next(left, None)) is not None:
            waiting.append((work, pool.submit(do, work, folder)))
        if not waiting:
            return
        work, future = waiting.popleft()
        begin = _begin(work, last)
        if begin >= work.parts[0].stop:
            continue  # the last event before covers all of it
        if begin > work.parts[0].begin:
            future.cancel()
            work = replace(work, parts=(replace(work.parts[0], begin=begin),))
            future = pool.submit(do, work, folder)
        last = work, future.result()
        yield last


def _begin(work: Work, last: tuple[Work, Result] | None) -> int:
    """Where work really begins: where the last event of the part before ended."""
    part = work.parts[0]
    if part.begin and last is not None:
        return last[1].end
    return part.begin
