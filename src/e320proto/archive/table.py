"""What all tables have in common: rows are collected, and given out as record batches.

A table has room for the rows of one batch. What would not fit any more starts the next one, so that
a telegram is in one batch, unless it alone has more rows than a batch may have.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from e320proto.archive import arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.archive.arrays import Column


class Table(ABC):
    """Rows on their way to record batches.

    Args:
        schema: of the batches.
        batch_rows: rows of a batch at most.
        files: names by number, if the first column is ``file``; that column is ``row`` else.
    """

    def __init__(self, schema: pa.Schema, batch_rows: int, files: Sequence[str] | None) -> None:
        self.schema = schema
        self.batch_rows = batch_rows
        self.files = files
        self.rows = 0
        self._ready: list[pa.RecordBatch] = []

    @abstractmethod
    def _columns(self) -> list[pa.Array]:
        """The filled part of all columns."""

    @abstractmethod
    def _renew(self) -> None:
        """Begin a batch: make room for its rows."""

    def flush(self) -> None:
        """End the batch, if it has any rows."""
        if not self.rows:
            return
        batch = pa.RecordBatch.from_arrays(self._columns(), schema=self.schema)
        # More rows than a batch may have come of one large telegram only.
        self._ready += (batch.slice(at, self.batch_rows) for at in range(0, self.rows, self.batch_rows))
        self.rows = 0
        self._renew()

    def take(self) -> list[pa.RecordBatch]:
        """The batches that are complete."""
        ready, self._ready = self._ready, []
        return ready

    def _source(self, sources: Column) -> pa.Array:
        """The first column, of the numbers of files or rows, which never go down."""
        if self.files is None:
            return arrays.fixed(pa.uint32(), sources)
        first = int(sources[0])
        names = pa.array(self.files[first : int(sources[-1]) + 1], pa.string())
        return arrays.words(sources - np.int32(first), names)


def room_for(rows: int, batch_rows: int) -> int:
    """Rows to make room for, of a table that is likely to get so many."""
    return max(1, min(rows, batch_rows))
