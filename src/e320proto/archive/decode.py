"""From captures, or from a column of octets, to record batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pyarrow as pa

from e320proto.archive import parts
from e320proto.archive.octets import Octets, Place, row_octets
from e320proto.archive.passes import BATCH_ROWS, Pass, TableName
from e320proto.archive.reading import decode_file
from e320proto.archive.registers import as_paths, as_registers, find_registers, registers_of
from e320proto.errors import shown
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from e320proto.archive.registers import PathLike, Register, RegisterLike


def decode_archive(
    paths: PathLike | Iterable[PathLike],
    *,
    table: TableName = "long",
    registers: Iterable[RegisterLike] | None = None,
    batch_rows: int = BATCH_ROWS,
    jobs: int = 1,
    options: DecodeOptions = DEFAULT_OPTIONS,
    on_trouble: Callable[[pa.RecordBatch], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Decode captures of any size to record batches, in order of file and offset.

    Every file is one stream of raw octets. The rows are what :class:`e320proto.TelegramDecoder` gives for
    the same octets. Memory does not grow with the files. Nothing is opened before the first batch is
    asked for.

    Args:
        paths: one path or many.
        table: ``long``, one row for each entry; ``wide``, one for each telegram; ``trouble``, one for
            each piece that was no telegram or no message.
        registers: columns of the wide table; if none are given, the numeric registers in the first MiB of each file.
        batch_rows: rows of a batch at most.
        jobs: processes to use.
        options: as for :class:`e320proto.TelegramDecoder`.
        on_trouble: takes the batches of the trouble table, while another one is made.
        on_progress: takes the octets done and the octets of all files, now and then.

    Returns:
        The batches. Each brings its own dictionaries.

    Raises:
        OSError: a file cannot be read, from the iterator.
        ValueError: an argument out of its range, at once.
        DecodeError: a register that is no OBIS code, at once.
    """
    _check(table, batch_rows, jobs)
    columns = None if registers is None else as_registers(registers)
    return _archive(as_paths(paths), table, columns, batch_rows, jobs, options, on_trouble, on_progress)


def _check(table: str, batch_rows: int, jobs: int) -> None:
    if table not in get_args(TableName):
        msg = f"table: expected one of {', '.join(get_args(TableName))}, found {shown(table)}"
        raise ValueError(msg)
    for name, number in (("batch_rows", batch_rows), ("jobs", jobs)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            msg = f"{name}: expected an integer of at least 1, found {shown(number)}"
            raise ValueError(msg)


def _archive(
    paths: tuple[PathLike, ...],
    table: TableName,
    registers: tuple[Register, ...] | None,
    batch_rows: int,
    jobs: int,
    options: DecodeOptions,
    on_trouble: Callable[[pa.RecordBatch], object] | None,
    on_progress: Callable[[int, int], object] | None,
) -> Iterator[pa.RecordBatch]:
    sizes = [Path(path).stat().st_size for path in paths]
    files, total, done = [str(path) for path in paths], sum(sizes), 0
    if table == "wide" and registers is None:
        registers = find_registers(paths, options=options)
    columns = registers or ()
    if jobs > 1 and total > parts.PART:
        made = parts.plan(zip(files, sizes, strict=True), parts.PART)
        trouble = on_trouble is not None
        works = (parts.Work(*part, table, columns, batch_rows, options, trouble) for part in made)
        for work, result in parts.do_all(works, jobs):
            if on_trouble is not None:
                for batch in parts.batches_of(result.trouble):
                    on_trouble(batch)
            yield from parts.batches_of(result.batches)
            done += work.octets
            if on_progress is not None:
                on_progress(min(done, total), total)
        return
    found = Pass(table, files, columns, options, batch_rows=batch_rows, octets=total)
    for number, path in enumerate(paths):
        for octets in decode_file(found, path, number):
            done += octets
            yield from found.take(on_trouble)
            if on_progress is not None:
                on_progress(done, total)
    found.flush()
    yield from found.take(on_trouble)


def decode_batch(
    batch: pa.RecordBatch,
    column: str | int | None = None,
    *,
    table: TableName = "long",
    registers: Iterable[RegisterLike] | None = None,
    options: DecodeOptions = DEFAULT_OPTIONS,
) -> pa.RecordBatch:
    """Decode a binary column, each row of it a stream of its own: a raw telegram, or a chunk of many.

    The rows of the result have ``row``, the index of the row they come of, in place of ``file``.

    Args:
        batch: holds raw octets in a column; rows of it that are null are left out.
        column: name or number of that column; may be left out if it is the only binary one.
        table: as for :func:`decode_archive`.
        registers: columns of the wide table; if none are given, the numeric registers of this batch. An
            engine that puts many batches together needs them given.
        options: as for :class:`e320proto.TelegramDecoder`.

    Raises:
        ValueError: no such column, or it is not a binary one.
        DecodeError: a register that is no OBIS code.

    >>> import pyarrow as pa
    >>> decode_batch(pa.record_batch({"octets": [b"noise", None]}), table="trouble").column("row").to_pylist()
    [0]
    """
    _check(table, 1, 1)
    data, starts, ends = row_octets(_octets_of(batch, column))
    columns: tuple[Register, ...] = ()
    if table == "wide":
        rows = (data[start:end].tobytes() for start, end in zip(starts, ends, strict=True))
        columns = tuple(registers_of(rows, options)) if registers is None else as_registers(registers)
    found = Pass(table, None, columns, options, octets=int((ends - starts).sum()))
    if len(starts):
        found.run(Octets(data, starts, ends, ends), Place(0, int(starts[0])))
    found.flush()
    return _joined(found.take(None), found.wanted)


def _joined(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Many batches as one."""
    if not batches:
        return pa.RecordBatch.from_pylist([], schema=schema)
    if len(batches) == 1:
        return batches[0]
    joined = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return joined.to_batches()[0]


def _octets_of(batch: pa.RecordBatch, column: str | int | None) -> pa.Array:
    """The column of octets."""
    if column is None:
        binary = [at for at, field in enumerate(batch.schema) if _is_binary(field.type)]
        if len(binary) != 1:
            msg = f"column: expected one binary column, found {len(binary)} among {batch.schema.names}"
            raise ValueError(msg)
        column = binary[0]
    elif isinstance(column, str) and column not in batch.schema.names:
        msg = f"column: expected one of {batch.schema.names}, found {shown(column)}"
        raise ValueError(msg)
    octets = batch.column(column)
    if not _is_binary(octets.type):
        msg = f"column: expected binary, found {octets.type}"
        raise ValueError(msg)
    return octets


def _is_binary(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))
