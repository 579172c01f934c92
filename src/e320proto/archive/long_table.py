"""The long table: one row for each entry of each telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from e320proto.archive import arrays
from e320proto.archive.decimals import decimal_words, words
from e320proto.archive.kernel import fill_long
from e320proto.archive.meters import Meters
from e320proto.archive.schemas import RAW, VALUE, long_schema
from e320proto.archive.table import LEAST_ROOM, TelegramTable
from e320proto.archive.times import seconds_of, telegram_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.archive.arrays import Column
    from e320proto.archive.octets import Octets
    from e320proto.sml.entries import Entry
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import Telegram

_OCTETS_PER_ROW: Final = 16


class LongArrays(NamedTuple):
    """Columns with a row for each entry. ``has_...`` tells where a value is not null; an index of -1 is null."""

    source: Column
    meter: Column
    offset: Column
    sec_index: Column
    has_sec_index: Column
    timestamp: Column
    has_timestamp: Column
    entry: Column
    obis: Column
    raw: Column
    has_raw: Column
    scaler: Column
    has_scaler: Column
    unit: Column
    value: Column
    has_value: Column
    status: Column
    has_status: Column
    val_time: Column
    has_val_time: Column
    signature: Column
    signature_end: Column
    has_signature: Column
    octets: Column
    octets_end: Column
    has_octets: Column


def long_arrays(rows: int, signature: int, octets: int) -> LongArrays:
    """Room for so many rows, and so many octets of signatures and octet strings."""
    flags = {name: np.empty(rows, np.bool_) for name in LongArrays._fields if name.startswith("has_")}
    return LongArrays(
        source=np.empty(rows, np.int32),
        meter=np.empty(rows, np.int32),
        offset=np.empty(rows, np.int64),
        sec_index=np.empty(rows, np.uint32),
        timestamp=np.empty(rows, np.int64),
        entry=np.empty(rows, np.uint16),
        obis=np.empty(rows, np.int32),
        raw=np.empty((rows, 2), np.int64),
        scaler=np.empty(rows, np.int8),
        unit=np.empty(rows, np.int32),
        value=np.empty((rows, 2), np.int64),
        status=np.empty(rows, np.uint64),
        val_time=np.empty(rows, np.uint32),
        signature=np.empty(signature, np.uint8),
        signature_end=np.zeros(rows + 1, np.int32),
        octets=np.empty(octets, np.uint8),
        octets_end=np.zeros(rows + 1, np.int32),
        **flags,
    )


class LongTable(TelegramTable):
    """Collects the long table.

    Args:
        batch_rows: rows of a batch at most.
        files: names by number; ``None`` if the first column is ``row``.
        options: of the decoders.
        room: rows to make room for at first.
    """

    def __init__(
        self,
        batch_rows: int,
        files: Sequence[str] | None,
        options: DecodeOptions,
        room: int,
    ) -> None:
        super().__init__(long_schema(source="row" if files is None else "file"), batch_rows, files, options)
        room = min(self.room, max(room, LEAST_ROOM))
        self._make_room(room, room * _OCTETS_PER_ROW, room * _OCTETS_PER_ROW)

    def _make_room(self, rows: int, signature: int, octets: int) -> None:
        self.arrays = long_arrays(rows, signature, octets)
        self.meters = Meters(rows)
        self._corrected: dict[int, tuple[int, int]] = {}
        self._other: dict[int, str] = {}

    def _renew(self) -> None:
        super()._renew()
        self._make_room(self.room, len(self.arrays.signature), len(self.arrays.octets))

    def _kernel(self, octets: Octets, state: Column) -> int:
        tables, meters = self.known.tables, self.meters.arrays
        return int(fill_long(octets.data, octets.starts, octets.stops, octets.ends, state, tables, meters, self.arrays))

    def add(self, telegram: Telegram, source: int, base: int) -> None:
        """Add a telegram of file or row number ``source``."""
        entries = telegram.entries
        if not entries:
            return
        signature = sum(len(entry.signature) for entry in entries if entry.signature is not None)
        octets = sum(len(entry.raw) for entry in entries if type(entry.raw) is bytes)
        self._want(len(entries), signature, octets)
        arrays_, first, last = self.arrays, self.rows, self.rows + len(entries)
        arrays_.source[first:last] = source
        arrays_.meter[first:last] = self.meters.index(telegram.server_octets)
        arrays_.offset[first:last] = telegram.offset + base
        sec_index, timestamp = telegram_times(telegram.time)
        arrays_.sec_index[first:last] = sec_index or 0
        arrays_.has_sec_index[first:last] = sec_index is not None
        arrays_.timestamp[first:last] = timestamp or 0
        arrays_.has_timestamp[first:last] = timestamp is not None
        arrays_.entry[first:last] = np.arange(len(entries))
        for row, entry in enumerate(entries, first):
            self._add_entry(row, entry)
        self.rows = last

    def _want(self, rows: int, signature: int, octets: int) -> None:
        """See that there is room."""
        arrays_, at = self.arrays, self.rows
        if (
            at + rows <= len(arrays_.entry)
            and arrays_.signature_end[at] + signature <= len(arrays_.signature)
            and arrays_.octets_end[at] + octets <= len(arrays_.octets)
        ):
            return
        self.flush()
        old = self.arrays
        least = (max(rows, len(old.entry)), max(signature, len(old.signature)), max(octets, len(old.octets)))
        if least != (len(old.entry), len(old.signature), len(old.octets)):
            self._make_room(*least)

    def _add_entry(self, row: int, entry: Entry) -> None:
        obis, raw, scaler, unit, status, time, signature, _, corrected = entry
        to = self.arrays
        to.obis[row] = self.known.codes.index(obis)
        to.scaler[row], to.has_scaler[row] = scaler or 0, scaler is not None
        to.unit[row] = -1 if unit is None else self.known.units.index(unit)
        to.status[row], to.has_status[row] = (0, False) if status is None else (status.value, True)
        seconds = seconds_of(time)
        to.val_time[row], to.has_val_time[row] = seconds or 0, seconds is not None
        _append(to.signature, to.signature_end, row, signature)
        to.has_signature[row] = signature is not None
        number = type(raw) is int
        to.raw[row], to.has_raw[row] = words(raw) if type(raw) is int else (0, 0), number
        value = decimal_words(raw, scaler or 0) if type(raw) is int else None
        to.value[row], to.has_value[row] = value or (0, 0), value is not None
        octets = raw if type(raw) is bytes else None
        _append(to.octets, to.octets_end, row, octets)
        to.has_octets[row] = octets is not None
        if not number and octets is None and raw is not None:
            self._other[row] = str(raw)
        if corrected is not None and (pair := decimal_words(corrected.raw, corrected.scaler)) is not None:
            self._corrected[row] = pair

    def _columns(self) -> list[pa.Array]:
        rows = self.rows
        cut = LongArrays(*(array[: rows + name.endswith("_end")] for name, array in self.arrays._asdict().items()))
        whole = self.arrays
        return [
            self._source(cut.source),
            arrays.words(cut.meter, self.meters.array()),
            arrays.fixed(pa.uint64(), cut.offset),
            arrays.fixed(pa.uint32(), cut.sec_index, cut.has_sec_index),
            arrays.fixed(self.schema.field("timestamp").type, cut.timestamp, cut.has_timestamp),
            arrays.fixed(pa.uint16(), cut.entry),
            arrays.words(cut.obis, self.known.codes.array()),
            arrays.fixed(RAW, cut.raw, cut.has_raw),
            arrays.fixed(pa.int8(), cut.scaler, cut.has_scaler),
            arrays.words(cut.unit, self.known.units.array()),
            arrays.fixed(VALUE, cut.value, cut.has_value),
            arrays.decimals(self._corrected, rows, VALUE),
            arrays.fixed(pa.uint64(), cut.status, cut.has_status),
            arrays.fixed(pa.uint32(), cut.val_time, cut.has_val_time),
            arrays.pieces(cut.signature_end, whole.signature, cut.has_signature),
            arrays.pieces(cut.octets_end, whole.octets, cut.has_octets),
            arrays.texts(self._other, rows),
        ]


def _append(data: Column, ends: Column, row: int, octets: bytes | None) -> None:
    """Put the octets of a row behind those of the row before."""
    start = int(ends[row])
    ends[row + 1] = end = start + len(octets or b"")
    if octets:
        data[start:end] = np.frombuffer(octets, np.uint8)
