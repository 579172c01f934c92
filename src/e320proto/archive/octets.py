"""Octets in memory on their way to a table: one stretch of a file, or the rows of a column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from e320proto.archive.arrays import as_octets

if TYPE_CHECKING:
    from e320proto.archive.arrays import Column


@dataclass(slots=True)
class Octets:
    """Octets of one or many streams.

    Args:
        data: all of them.
        starts: where each stream begins in ``data``.
        stops: no frame is wanted that begins here or behind.
        ends: where the octets of each end.
        base: position of ``starts[0]`` in its stream.
        source: number of the first stream in the table.
        final: whether the streams end at their ``ends``; else more octets will come.
    """

    data: Column
    starts: Column
    stops: Column
    ends: Column
    base: int = 0
    source: int = 0
    final: bool = True
    view: memoryview = field(init=False)
    """The same as ``data``: what Python itself looks at is read faster this way."""

    def __post_init__(self) -> None:
        """Make the view."""
        self.view = self.data.data


@dataclass(slots=True)
class Place:
    """Where decoding has come: a stream, and a position in ``data``."""

    stream: int = 0
    position: int = 0


def row_octets(rows: pa.Array) -> tuple[Column, Column, Column]:
    """The octets of a binary column, and where each row starts and ends in them; a null row is empty.

    >>> data, starts, ends = row_octets(pa.array([b"ab", None, b"c"]))
    >>> data.tobytes(), starts.tolist(), ends.tolist()
    (b'abc', [0, 2, 2], [2, 2, 3])
    """
    if pa.types.is_binary_view(rows.type):
        rows = rows.cast(pa.large_binary())
    _, offsets, octets = rows.buffers()
    kind = np.int64 if pa.types.is_large_binary(rows.type) else np.int32
    if not len(rows) or offsets is None:
        return as_octets(b""), np.zeros(0, np.int64), np.zeros(0, np.int64)
    bounds = np.frombuffer(offsets, kind)[rows.offset : rows.offset + len(rows) + 1].astype(np.int64)
    ends = bounds[1:].copy()
    if rows.null_count:
        absent = rows.is_null().to_numpy(zero_copy_only=False)
        ends[absent] = bounds[:-1][absent]
    return as_octets(b"" if octets is None else octets), bounds[:-1].copy(), ends
