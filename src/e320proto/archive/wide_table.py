"""The wide table: one row for each telegram, one column for each register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from e320proto.archive import arrays
from e320proto.archive.decimals import decimal_words
from e320proto.archive.kernel import fill_wide
from e320proto.archive.kernel_codes import OTHER
from e320proto.archive.meters import Meters
from e320proto.archive.schemas import VALUE, wide_schema
from e320proto.archive.table import LEAST_ROOM, TelegramTable
from e320proto.archive.times import telegram_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.archive.arrays import Column
    from e320proto.archive.known import Known
    from e320proto.archive.octets import Octets
    from e320proto.archive.registers import Register
    from e320proto.obis import ObisCode
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import Telegram
    from e320proto.units import Quantity

_OTHERS_PER_ROW: Final = 4
_MOST_WORDS: Final = 750_000
"""Decimals of a batch: batches of many registers have fewer rows, so that none is larger than some 25 MB."""
_APART: Final = 76
"""Planes a power of two apart would get in each other's way in the caches of the processor."""


class WideArrays(NamedTuple):
    """Columns with a row for each telegram; ``value`` has a plane for each register.

    ``other_...`` have an item for each number without a column; ``others_end`` tells which are whose.
    """

    source: Column
    meter: Column
    offset: Column
    sec_index: Column
    has_sec_index: Column
    timestamp: Column
    has_timestamp: Column
    status: Column
    has_status: Column
    value: Column
    has_value: Column
    others_end: Column
    other_obis: Column
    other_value: Column
    has_other_value: Column


def wide_arrays(rows: int, registers: int, others: int) -> WideArrays:
    """Room for so many rows, registers, and numbers without a column; the kernel does not write what is null."""
    apart = rows + _APART
    return WideArrays(
        source=np.empty(rows, np.int32),
        meter=np.empty(rows, np.int32),
        offset=np.empty(rows, np.int64),
        sec_index=np.zeros(rows, np.uint32),
        has_sec_index=np.zeros(rows, np.bool_),
        timestamp=np.zeros(rows, np.int64),
        has_timestamp=np.zeros(rows, np.bool_),
        status=np.zeros(rows, np.uint64),
        has_status=np.zeros(rows, np.bool_),
        value=np.zeros((registers, apart, 2), np.int64),
        has_value=np.zeros((registers, apart), np.bool_),
        others_end=np.zeros(rows + 1, np.int32),
        other_obis=np.empty(others, np.int32),
        other_value=np.empty((others, 2), np.int64),
        has_other_value=np.empty(others, np.bool_),
    )


class WideTable(TelegramTable):
    """Collects the wide table.

    Args:
        batch_rows: rows of a batch at most.
        files: names by number; ``None`` if the first column is ``row``.
        options: of the decoders.
        registers: the columns.
        room: rows to make room for at first.
    """

    def __init__(
        self,
        batch_rows: int,
        files: Sequence[str] | None,
        options: DecodeOptions,
        registers: Sequence[Register],
        room: int,
    ) -> None:
        super().__init__(wide_schema(registers, source="row" if files is None else "file"), batch_rows, files, options)
        self.registers = registers
        self._place = {register.code: (at, register.unit) for at, register in enumerate(registers)}
        self._slots_for: Known | None = None
        self._slots: Column = np.zeros(0, np.int64)
        self.room = min(self.room, max(LEAST_ROOM, _MOST_WORDS // (len(registers) + 1)))
        room = min(self.room, max(room, LEAST_ROOM))
        self._make_room(room, room * _OTHERS_PER_ROW)

    def _make_room(self, rows: int, others: int) -> None:
        self.arrays = wide_arrays(rows, len(self.registers), others)
        self.meters = Meters(rows)

    def _renew(self) -> None:
        super()._renew()
        self._make_room(self.room, len(self.arrays.other_obis))

    def place(self, code: ObisCode, unit: int | None) -> int | None:
        """Number of the column for a register; ``None`` if it has none."""
        at, wanted = self._place.get(code, (None, None))
        return at if unit == wanted else None

    def _kernel(self, octets: Octets, state: Column) -> int:
        self._slots = self._slots_of(self.known)
        tables, meters = self.known.tables, self.meters.arrays
        return int(
            fill_wide(
                octets.data,
                octets.starts,
                octets.stops,
                octets.ends,
                state,
                tables,
                meters,
                self._slots,
                self.arrays,
            )
        )

    def _slots_of(self, known: Known) -> Column:
        """Column of each entry of the layouts known."""
        if self._slots_for is known and len(self._slots) == len(known.entry_codes):
            return self._slots
        self._slots_for = known
        slots = [
            -1 if not first else OTHER if (at := self.place(code, unit)) is None else at
            for code, unit, first in known.entry_codes
        ]
        return np.array(slots, np.int64)

    def add(self, telegram: Telegram, source: int, base: int) -> None:
        """Add a telegram of file or row number ``source``."""
        found: dict[ObisCode, Quantity] = {}
        for entry in telegram.entries:
            if entry.obis not in found and (quantity := entry.quantity) is not None:
                found[entry.obis] = quantity
        placed = {code: self.place(code, quantity.unit) for code, quantity in found.items()}
        self._want(sum(at is None for at in placed.values()))
        to, row = self.arrays, self.rows
        to.source[row] = source
        to.meter[row] = self.meters.index(telegram.server_octets)
        to.offset[row] = telegram.offset + base
        sec_index, timestamp = telegram_times(telegram.time)
        to.sec_index[row], to.has_sec_index[row] = sec_index or 0, sec_index is not None
        to.timestamp[row], to.has_timestamp[row] = timestamp or 0, timestamp is not None
        status = telegram.status
        to.status[row], to.has_status[row] = (0, False) if status is None else (status.value, True)
        other = int(to.others_end[row])
        for code, quantity in found.items():
            pair = decimal_words(quantity.raw, quantity.scaler)
            at = placed[code]
            if at is None:
                to.other_obis[other] = self.known.codes.index(code)
                to.other_value[other], to.has_other_value[other] = pair or (0, 0), pair is not None
                other += 1
            else:
                to.value[at, row], to.has_value[at, row] = pair or (0, 0), pair is not None
        to.others_end[row + 1] = other
        self.rows += 1

    def _want(self, others: int) -> None:
        """See that there is room for one more row."""
        room = len(self.arrays.other_obis)
        if self.rows == len(self.arrays.offset) or int(self.arrays.others_end[self.rows]) + others > room:
            self.flush()
            if others > room:
                self._make_room(len(self.arrays.offset), others)

    def _columns(self) -> list[pa.Array]:
        rows, to = self.rows, self.arrays
        columns = [
            self._source(to.source[:rows]),
            arrays.words(to.meter[:rows], self.meters.array()),
            arrays.fixed(pa.uint64(), to.offset[:rows]),
            arrays.fixed(pa.uint32(), to.sec_index[:rows], to.has_sec_index[:rows]),
            arrays.fixed(self.schema.field("timestamp").type, to.timestamp[:rows], to.has_timestamp[:rows]),
            arrays.fixed(pa.uint64(), to.status[:rows], to.has_status[:rows]),
        ]
        for values, present in zip(to.value, to.has_value, strict=True):
            columns.append(arrays.fixed(VALUE, values[:rows], present[:rows]))
        return [*columns, self._others()]

    def _others(self) -> pa.Array:
        rows, to = self.rows, self.arrays
        kind = self.schema.field("other").type
        ends = to.others_end[: rows + 1]
        count = int(ends[-1])
        if not count:
            return pa.nulls(rows, kind)
        keys = self.known.codes.array().take(arrays.fixed(pa.int32(), to.other_obis[:count]))
        values = arrays.fixed(VALUE, to.other_value[:count], to.has_other_value[:count])
        item = pa.StructArray.from_arrays([keys, values], fields=[kind.key_field, kind.item_field])
        present = arrays.validity(ends[1:] > ends[:-1])
        return pa.Array.from_buffers(kind, rows, [present, pa.py_buffer(ends)], children=[item])
