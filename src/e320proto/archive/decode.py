"""From captures, or from a column of octets, to record batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import pyarrow as pa

from e320proto.archive.dictionary import Dictionary
from e320proto.archive.long_table import LongTable
from e320proto.archive.registers import as_paths, as_registers, find_registers, registers_of
from e320proto.archive.table import room_for
from e320proto.archive.trouble_table import TroubleTable
from e320proto.archive.wide_table import WideTable
from e320proto.errors import shown
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.telegram import Telegram, TelegramDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from e320proto.archive.registers import PathLike, Register, RegisterLike
    from e320proto.obis import ObisCode
    from e320proto.sml.telegram import TelegramEvent
    from e320proto.units import Unit

TableName: TypeAlias = Literal["long", "wide", "trouble"]
BATCH_ROWS: Final = 65_536
_BLOCK: Final = 1 << 20
_LEAST_TELEGRAM: Final = 64


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
    return _archive(as_paths(paths), table, columns, batch_rows, options, on_trouble, on_progress)


def _check(table: str, batch_rows: int, jobs: int) -> None:
    if table not in get_args(TableName):
        msg = f"table: expected one of {', '.join(get_args(TableName))}, found {shown(table)}"
        raise ValueError(msg)
    for name, number in (("batch_rows", batch_rows), ("jobs", jobs)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            msg = f"{name}: expected an integer of at least 1, found {shown(number)}"
            raise ValueError(msg)


def _archive(  # noqa: PLR0913 - the arguments of decode_archive
    paths: tuple[PathLike, ...],
    table: TableName,
    registers: tuple[Register, ...] | None,
    batch_rows: int,
    options: DecodeOptions,
    on_trouble: Callable[[pa.RecordBatch], object] | None,
    on_progress: Callable[[int, int], object] | None,
) -> Iterator[pa.RecordBatch]:
    total = sum(Path(path).stat().st_size for path in paths)
    if table == "wide" and registers is None:
        registers = find_registers(paths, options=options)
    files = [str(path) for path in paths]
    sink = _Sink(table, batch_rows, files, registers or (), room_for(total // _LEAST_TELEGRAM, batch_rows))
    done = 0
    for number, path in enumerate(paths):
        decoder = TelegramDecoder(options)
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                done += len(block)
                sink.add(decoder.feed(block), number)
                yield from sink.take(on_trouble)
                if on_progress is not None:
                    on_progress(done, total)
        sink.add(decoder.close(), number)
    sink.flush()
    yield from sink.take(on_trouble)


class _Sink:
    """The tables that one pass fills."""

    def __init__(
        self,
        table: TableName,
        batch_rows: int,
        files: Sequence[str] | None,
        registers: Sequence[Register],
        room: int,
    ) -> None:
        codes: Dictionary[ObisCode] = Dictionary()
        units: Dictionary[Unit] = Dictionary()
        self.trouble = TroubleTable(batch_rows, files)
        self.telegrams: LongTable | WideTable | None = None
        if table == "long":
            self.telegrams = LongTable(batch_rows, files, codes, units, room)
        elif table == "wide":
            self.telegrams = WideTable(batch_rows, files, codes, registers, room)

    def add(self, events: Iterable[TelegramEvent], source: int) -> None:
        for event in events:
            if not isinstance(event, Telegram):
                self.trouble.add(event, source)
            elif self.telegrams is not None:
                self.telegrams.add(event, source)

    def flush(self) -> None:
        self.trouble.flush()
        if self.telegrams is not None:
            self.telegrams.flush()

    def take(self, on_trouble: Callable[[pa.RecordBatch], object] | None) -> list[pa.RecordBatch]:
        trouble = self.trouble.take()
        if self.telegrams is None:
            return trouble
        if on_trouble is not None:
            for batch in trouble:
                on_trouble(batch)
        return self.telegrams.take()


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
    octets = _octets_of(batch, column)
    columns: tuple[Register, ...] = ()
    if table == "wide":
        columns = tuple(registers_of(_telegrams(octets, options))) if registers is None else as_registers(registers)
    room = room_for(octets.nbytes // _LEAST_TELEGRAM, BATCH_ROWS)
    sink = _Sink(table, BATCH_ROWS, None, columns, room)
    for row, value in enumerate(octets):
        if value.is_valid:
            decoder = TelegramDecoder(options)
            sink.add(decoder.feed(value.as_py()) + decoder.close(), row)
    sink.flush()
    found = sink.take(None)
    target = sink.trouble if sink.telegrams is None else sink.telegrams
    return _joined(found, target.schema)


def _joined(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Many batches as one."""
    if not batches:
        return pa.RecordBatch.from_pylist([], schema=schema)
    if len(batches) == 1:
        return batches[0]
    joined = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return joined.to_batches()[0]


def _telegrams(octets: pa.Array, options: DecodeOptions) -> Iterator[Telegram]:
    for value in octets:
        if value.is_valid:
            decoder = TelegramDecoder(options)
            yield from (e for e in decoder.feed(value.as_py()) + decoder.close() if isinstance(e, Telegram))


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
