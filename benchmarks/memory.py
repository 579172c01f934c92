"""Rows of peak memory: a process reads a large file; what it held at most, less what it held after its imports."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import streams
from benchmarks.child import STATUS, facts_of
from benchmarks.row import Job, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.row import Size
    from benchmarks.streams import Stream

STREAMING = """
from benchmarks.row import CHUNK
from e320proto import Telegram, TelegramDecoder
before, _ = memory()
decoder, count = TelegramDecoder(), 0
with open(path, "rb") as file:
    while octets := file.read(CHUNK):
        for event in decoder.feed(octets):
            if isinstance(event, Telegram):
                count += 1
                for entry in event.entries:
                    entry.raw
print(json.dumps({"before": before, "peak": memory()[1], "count": count}))
"""


def jobs(size: Size) -> Iterator[Job]:
    """Streaming; the archive's own rows are with the archive."""
    if STATUS.is_file():
        yield Job(("memory: streaming",), partial(_streaming, size))


def write_file(path: Path, stream: Stream, octets: int) -> int:
    """Write a stream to a file of about so many octets, piece by piece; the number of telegrams."""
    pieces = max(1, octets // len(stream.octets))
    with path.open("wb") as file:
        for _ in range(pieces):
            file.write(stream.octets)
    return pieces * stream.telegrams


def row_of(name: str, path: Path, program: str, units: int, *, unit: str = "telegrams", **values: str) -> Row:
    """The row of a program that reads a file and says how many units it found, and how much memory it took."""
    facts = facts_of(program, {"path": str(path), **values})
    if facts["count"] != units:
        msg = f"{name}: expected {units} {unit}, found {facts['count']}"
        raise RuntimeError(msg)
    peak = facts["peak"]
    return Row(
        name,
        unit,
        figures={"MB": (peak - facts["before"]) / 1e6},
        note=f"a file of {path.stat().st_size / 1e6:,.0f} MB; with the interpreter and its imports {peak / 1e6:.0f} MB",
    )


def _streaming(size: Size) -> Iterator[Row]:
    stream = streams.generated(streams.E320, size.distinct)
    with TemporaryDirectory() as folder:
        path = Path(folder, "stream")
        telegrams = write_file(path, stream, size.archive_octets // 4)
        yield row_of("memory: streaming", path, STREAMING, telegrams)
