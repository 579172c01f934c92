"""All rows of the table, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import (
    archives,
    encoding,
    hdlc,
    layouts,
    lmn,
    memory,
    meters,
    readers,
    streaming,
    transport,
    whole_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.row import Job, Row, Size


def jobs(size: Size) -> Iterator[Job]:
    """Everything that can be measured here."""
    for part in (streaming, encoding, layouts, transport, hdlc, whole_files, memory, archives, meters, readers, lmn):
        yield from part.jobs(size)


def measured(size: Size, text: str) -> Iterator[Row]:
    """The rows with the text in their names, as they are measured."""
    for job in jobs(size):
        if job.wanted(text):
            yield from job.measure(text)
