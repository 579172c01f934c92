"""What all tables have in common: rows are collected, and given out as record batches.

A table has room for the rows of one batch, or of many if they are small.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from e320proto.archive import arrays
from e320proto.archive.kernel import skip
from e320proto.archive.known import known_layouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.archive.arrays import Column
    from e320proto.archive.octets import Octets, Place
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import Telegram


LEAST_ROOM: Final = 256
"""Rows of a table at least: as many as a telegram may have. Small batches are cut from them."""


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
        self.room = max(1, LEAST_ROOM // batch_rows) * batch_rows
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
        # There may be more rows than one batch may have.
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


class TelegramTable(Table):
    """A table that the kernel fills, too.

    Args:
        schema: of the batches.
        batch_rows: rows of a batch at most.
        files: names by number, if the first column is ``file``; that column is ``row`` else.
        options: of the decoders.
    """

    def __init__(self, schema: pa.Schema, batch_rows: int, files: Sequence[str] | None, options: DecodeOptions) -> None:
        super().__init__(schema, batch_rows, files)
        self.options = options
        self.known = known_layouts(options)

    def _renew(self) -> None:
        self.known = known_layouts(self.options)

    @abstractmethod
    def add(self, telegram: Telegram, source: int, base: int) -> None:
        """Add a telegram.

        Args:
            telegram: what to add.
            source: number of the file or row.
            base: position of its decoder's first octet in the stream.
        """

    @abstractmethod
    def _kernel(self, octets: Octets, state: Column) -> int:
        """Run the kernel for this table."""

    def fill(self, octets: Octets, place: Place) -> int:
        """Take what the kernel takes from a place on, and move the place behind it."""
        state = np.array([place.stream, place.position, octets.base, octets.source, self.rows, 0], np.int64)
        result = self._kernel(octets, state)
        place.stream, place.position, _, _, self.rows, taken = state.tolist()
        self.known.taken += taken
        return result


class NoTable(TelegramTable):
    """Collects nothing, for those who want the trouble only."""

    def __init__(self, options: DecodeOptions) -> None:
        super().__init__(pa.schema([]), 1, None, options)

    def _columns(self) -> list[pa.Array]:
        return []

    def add(self, telegram: Telegram, source: int, base: int) -> None:
        """Leave the telegram."""

    def _kernel(self, octets: Octets, state: Column) -> int:
        self.known = known_layouts(self.options)
        return int(skip(octets.data, octets.starts, octets.stops, octets.ends, state, self.known.tables))
