"""Files of columns, Parquet or Arrow IPC: complete under their name, or not there.

Batches go to a file in another folder of the same disk. It comes to its place when everything is in it,
so neither Ctrl-C nor a full disk leaves half a file, and a file from an earlier run stays until then.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

UNWRITABLE = (OSError, ValueError, pa.ArrowException)
"""What is raised for a file of columns that cannot be written or read."""
ColumnFormat: TypeAlias = Literal["parquet", "arrow"]
Batch: TypeAlias = pa.RecordBatch
_CODEC = "zstd"


class _Writer(Protocol):
    """What the writers of both formats have."""

    def write_batch(self, batch: pa.RecordBatch) -> None: ...
    def close(self) -> None: ...


class ColumnFile:
    """Record batches on their way to a file.

    Args:
        path: where the file shall be; what is there then is replaced.
        folder: on the same disk, where the file is made; whoever made the folder removes it.
        schema: of the batches.
        form: format of the file.
    """

    def __init__(self, path: Path, folder: Path, schema: pa.Schema, form: ColumnFormat) -> None:
        self.path = path
        self.rows = 0
        self._part = folder / path.name
        self._sink = self._part.open("wb")
        self._writer = _writer(self._sink, schema, form)
        self._dictionaries = _Dictionaries() if form == "arrow" else None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        self.rows += batch.num_rows
        self._writer.write_batch(batch if self._dictionaries is None else self._dictionaries.unified(batch))

    def publish(self) -> None:
        """Complete the file, have the disk keep it, and put it in its place."""
        self._writer.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())
        self._sink.close()
        self._part.replace(self.path)

    def close(self) -> None:
        """Write no more; without :meth:`publish` there is no file."""
        # The end of the file is written now, and on a full disk this fails once more.
        for part in (self._writer, self._sink):
            with suppress(*UNWRITABLE):
                part.close()


def rows_in(path: Path) -> int:
    """Count the rows of a Parquet file by reading all of it.

    Raises:
        OSError, ValueError, pyarrow.ArrowException: it is damaged.
    """
    with pq.ParquetFile(path) as file:
        return sum(batch.num_rows for batch in file.iter_batches())


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows."""
    return pa.RecordBatch.from_pylist([], schema=schema)


def refuse_special(path: Path) -> None:
    """See that a file of this name can be replaced.

    Raises:
        OSError: the path is a folder or a device.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _writer(sink: object, schema: pa.Schema, form: ColumnFormat) -> _Writer:
    writer: _Writer
    if form == "parquet":
        writer = pq.ParquetWriter(sink, schema, compression=_CODEC)
    else:
        options = pa.ipc.IpcWriteOptions(compression=_CODEC, emit_dictionary_deltas=True)
        writer = pa.ipc.new_file(sink, schema, options=options)
    return writer


def renamed(batch: pa.RecordBatch, names: dict[str, str]) -> pa.RecordBatch:
    """The same rows with other words in the column ``file``, where there is another one for a word.

    >>> batch = pa.record_batch({"file": pa.array(["a", "b", "a"]).dictionary_encode()})
    >>> renamed(batch, {"a": "c"}).column("file").to_pylist()
    ['c', 'b', 'c']
    """
    files = batch.column("file")
    words = pa.array([names.get(word, word) for word in files.dictionary.to_pylist()], pa.string())
    column = pa.DictionaryArray.from_arrays(files.indices, words)
    return batch.set_column(batch.schema.get_field_index("file"), batch.schema.field("file"), column)


class _Dictionaries:
    """Gives the dictionaries of all batches one order: in an Arrow file they can grow, but not be replaced."""

    def __init__(self) -> None:
        self._known: dict[str, pa.Array] = {}

    def unified(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same rows, each dictionary an extension of that in the batch before."""
        columns = [
            self._unified(field.name, column) if pa.types.is_dictionary(field.type) else column
            for field, column in zip(batch.schema, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _unified(self, name: str, column: pa.DictionaryArray) -> pa.DictionaryArray:
        words = column.dictionary
        known = self._known.get(name)
        if known is None:
            known = words.slice(0, 0)
        new = words.filter(pc.invert(pc.is_in(words, value_set=known)))
        if len(new):
            known = pa.concat_arrays([known, new])
        self._known[name] = known
        places = pc.index_in(words, value_set=known)
        return pa.DictionaryArray.from_arrays(places.take(column.indices), known)
