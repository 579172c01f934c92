"""The layouts that the kernel knows: of all archives of one process that are decoded with the same options.

A frame is worth a layout if one of the last unknown ones of its length was much like it. Learning costs as much
as a thousand frames, so there is a budget: some layouts at once, then one for each 128 KiB of unknown
frames. When there are too many, all are forgotten at the end of a batch, and what is still in use is
learned again.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from e320proto.archive.bulk import ENTRY, LAYOUT, Bulk, Tables, advances, bulk_layout
from e320proto.archive.dictionary import Dictionary
from e320proto.sml.layout import Sightings, learn
from e320proto.sml.transport import START

if TYPE_CHECKING:
    from e320proto.archive.arrays import Column
    from e320proto.obis import ObisCode
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import Telegram
    from e320proto.units import Unit

CAPACITY: Final = 128
"""Layouts; some 100 KiB for one."""
MAX_CODES: Final = 4_096
FREE_LAYOUTS: Final = 64
OCTETS_PER_LAYOUT: Final = 1 << 17
_END: Final = bytes.fromhex("1b1b1b1b1a")


class Known:
    """Bulk layouts, and the dictionaries of what is in them.

    Args:
        options: of the decoders.
    """

    def __init__(self, options: DecodeOptions) -> None:
        self.options = options
        self.codes: Dictionary[ObisCode] = Dictionary()
        self.units: Dictionary[Unit] = Dictionary()
        self.tables = _no_tables()
        self.taken = 0
        """Telegrams that the kernel decoded."""
        self.stale = False
        """Whether there is no room for more."""
        self.entry_codes: list[tuple[ObisCode, int | None, bool]] = []
        """Of each row of ``entries``: code, unit, whether it is the first number of its code in its telegram."""
        self._count = 0
        self._used = dict.fromkeys(("entries", "last", "places"), 0)
        self._by_octets: dict[int, list[tuple[int, int]]] = {}
        self._unknown = Sightings()
        self._octets = 0
        self._spent = 0
        self._lock = RLock()

    def __len__(self) -> int:
        return self._count

    @property
    def longest(self) -> int:
        """Octets of the longest frames known."""
        return max(self._by_octets, default=0)

    def may_fit(self, data: memoryview, position: int, end: int) -> bool:
        """Whether a frame of a layout may be at a position; its checksums are not looked at."""
        if data[position : position + 8] != START:
            return False
        for octets, layouts in self._by_octets.items():
            after = position + octets
            if after > end or data[after - 8 : after - 3] != _END:
                continue
            number = int.from_bytes(data[position:after], "little")
            if any(number & mask == skeleton for mask, skeleton in layouts):
                return True
        return False

    def see(self, telegram: Telegram) -> None:
        """Take notice of a telegram that the kernel did not take."""
        raw = telegram.raw
        number = int.from_bytes(raw, "little")
        with self._lock:
            self._octets += len(raw)
            if not self._unknown.again(raw):
                return
            known = self._by_octets.get(len(raw), ())
            if self.stale or any(number & mask == skeleton for mask, skeleton in known):
                return
            if self._spent >= FREE_LAYOUTS + self._octets // OCTETS_PER_LAYOUT:
                return
            self._spent += 1
            self._learn(telegram)

    def _learn(self, telegram: Telegram) -> None:
        said = telegram.content
        layout = learn(telegram.raw, said, self.options)
        bulk = None if layout is None else bulk_layout(layout, self.codes, self.units)
        if layout is None or bulk is None:
            return
        self._by_octets.setdefault(layout.octets, []).append((layout.mask, layout.skeleton))
        seen: set[ObisCode] = set()
        for entry in said.entries:
            first = entry.quantity is not None and entry.obis not in seen
            if first:
                seen.add(entry.obis)
            self.entry_codes.append((entry.obis, None if entry.unit is None else entry.unit.code, first))
        self._add(bulk)
        self.stale = self._count >= CAPACITY or len(self.codes) >= MAX_CODES

    def _add(self, bulk: Bulk) -> None:
        """Put a layout into new tables; a kernel at work keeps the old ones."""
        old, number, used = self.tables, self._count, self._used
        row = dict(bulk.layout)
        row |= {"first": used["last"], "first_place": used["places"], "first_entry": used["entries"]}
        lengths, heads = old.lengths.tolist(), old.heads.tolist()
        if row["octets"] in lengths:
            group = lengths.index(row["octets"])
            row["next"], heads[group] = heads[group], number
        else:
            lengths.append(row["octets"])
            heads.append(number)
        octets, places = used["last"], used["places"]
        self.tables = Tables(
            layouts=_extended(old.layouts, number, _records([row], LAYOUT)),
            entries=_extended(old.entries, used["entries"], _records(bulk.entries, ENTRY)),
            last=_extended(old.last, octets, bulk.last),
            mask=_extended(old.mask, octets, bulk.mask),
            steady=_extended(old.steady, octets, bulk.steady),
            others=_extended(old.others, octets, bulk.others),
            places=_extended(old.places, places, bulk.places),
            checks=_extended(old.checks, 256 * places, bulk.checks.ravel()),
            advances=old.advances,
            shares=_extended(old.shares, number, np.zeros(1, np.uint64)),
            has_share=_extended(old.has_share, number, np.zeros(1, np.int8)),
            recent=_extended(old.recent, number, np.array([-1], np.int32)),
            follows=_extended(old.follows, number, np.array([number], np.int64)),
            lengths=np.array(lengths, np.int64),
            heads=np.array(heads, np.int64),
        )
        used["entries"] += len(bulk.entries)
        used["last"] += len(bulk.last)
        used["places"] += len(bulk.places)
        self._count += 1


def _no_tables() -> Tables:
    octets = np.zeros(0, np.uint8)
    numbers = np.zeros(0, np.int64)
    return Tables(
        layouts=np.zeros(0, LAYOUT),
        entries=np.zeros(0, ENTRY),
        last=octets,
        mask=octets,
        steady=octets,
        others=octets,
        places=np.zeros(0, np.int32),
        checks=np.zeros(0, np.uint64),
        advances=advances().ravel(),
        shares=np.zeros(0, np.uint64),
        has_share=np.zeros(0, np.int8),
        recent=np.zeros(0, np.int32),
        follows=numbers,
        lengths=numbers,
        heads=numbers,
    )


def _records(rows: list[dict[str, Any]], kind: np.dtype[Any]) -> Column:
    names = kind.names or ()
    return np.array([tuple(row[name] for name in names) for row in rows], kind)


def _extended(array: Column, used: int, more: Column) -> Column:
    """An array with more items behind the used ones; it grows by half, so that this is seldom a copy."""
    if len(array) < used + len(more):
        grown = np.zeros((used + len(more) + used // 2, *array.shape[1:]), array.dtype)
        grown[:used] = array[:used]
        array = grown
    array[used : used + len(more)] = more
    return array


_current: dict[DecodeOptions, Known] = {}
_MAX_OPTIONS: Final = 16


def known_layouts(options: DecodeOptions) -> Known:
    """The layouts for these options; new ones in place of those that have no room."""
    known = _current.get(options)
    if known is None or known.stale:
        if len(_current) >= _MAX_OPTIONS:
            _current.clear()
        known = _current[options] = Known(options)
    return known
