"""Learned layouts as tables for the kernel.

A :class:`e320proto.sml.layout.Layout` says where the data of a frame are. Here each becomes one row of
``layouts``, some rows of ``entries``, and a stretch of the arrays of octets::

    layouts    octets  first  first_place  first_entry  starts  ends  time  sensor  id  status  ...
                 |       |         |            +--> entries   obis  unit  scaler  factor  value  kind  ...
                 |       |         +--> places, checks         which octet is data, what it does to the checksums
                 +-------+--> last, mask, steady, others       one octet for each octet of the frame

Most frames have the same data as the last one of their layout but for the low octets of counters and
values. These octets are *running*; all others are *steady*.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from e320proto.archive.decimals import DECIMALS
from e320proto.archive.kernel_codes import NONE, OCTETS, SIGNED, UNSIGNED
from e320proto.crc import x25
from e320proto.schema.primitives import INTEGER
from e320proto.schema.primitives import OCTETS as OCTET_STRING
from e320proto.sml.quirks import DZG_POWERS as _EXPORT_BITS
from e320proto.sml.quirks import may_lack_sign, telegram_status

if TYPE_CHECKING:
    from e320proto.archive.arrays import Column
    from e320proto.archive.dictionary import Dictionary
    from e320proto.obis import ObisCode
    from e320proto.sml.entries import Entry
    from e320proto.sml.layout import Field, Layout
    from e320proto.units import Unit

MAX_OCTETS: Final = 2_048
"""Frames of real meters stay below 1,024."""
MAX_ID: Final = 16
_ESCAPE: Final = 4
_RUN: Final = 0x1B
_HEAD: Final = 8
_RUNNING: Final = 2
"""Low octets of a number that are expected to differ from one telegram to the next."""
_TIMESTAMP: Final = 2
_ALWAYS_RUN: Final = {"crc16", "value_signature", "list_signature", "global_signature"}
_COUNTED: Final = {"transaction_id", "req_file_id"}

LAYOUT: Final = np.dtype(
    [(name, np.int64) for name in ("octets", "first", "first_place", "running", "first_entry", "entries")]
    + [("starts", np.int64, (3,)), ("ends", np.int64, (3,))]
    + [(name, np.int64) for name in ("id", "id_octets", "time", "time_octets", "time_choice")]
    + [(name, np.int64) for name in ("sensor", "sensor_octets", "status", "status_octets")]
    + [(name, np.int64) for name in ("signatures", "values", "dzg", "next")]
)
"""``id_octets`` of -1: no id. ``signatures``, ``values``: octets for these columns. ``next``: one of this length."""

ENTRY: Final = np.dtype(
    [(name, np.int64) for name in ("kind", "value", "value_octets", "factor", "limit")]
    + [(name, np.int64) for name in ("status", "status_octets", "time", "time_octets", "time_choice")]
    + [(name, np.int64) for name in ("signature", "signature_octets", "export")]
    + [("obis", np.int32), ("unit", np.int32), ("scaler", np.int8), ("has_scaler", np.bool_)],
    align=True,
)
"""``factor``: makes the raw number one of the ninth decimal. ``limit``: greatest number with a product of 63 bits.
``export``: bit of the status word that says the number is rightly negative, if it may lack its sign."""


class Tables(NamedTuple):
    """All layouts, for the kernel; ``last``, ``shares``, ``has_share``, ``recent`` and ``follows`` are its memory."""

    layouts: Column
    entries: Column
    last: Column
    mask: Column
    steady: Column
    others: Column
    places: Column
    checks: Column
    advances: Column
    shares: Column
    has_share: Column
    recent: Column
    follows: Column
    lengths: Column
    heads: Column


class Bulk(NamedTuple):
    """One layout, with positions in its own frame and its own arrays only."""

    layout: dict[str, Any]
    entries: list[dict[str, Any]]
    last: Column
    mask: Column
    steady: Column
    others: Column
    places: Column
    checks: Column


def bulk_layout(layout: Layout, codes: Dictionary[ObisCode], units: Dictionary[Unit]) -> Bulk | None:
    """Make the tables of one layout; ``None`` if its frames are nothing for the kernel."""
    example = layout.example
    places = {(field.message, field.entry, field.name): field for field in layout.fields}
    entries = [_entry(entry, index, layout, places, codes, units) for index, entry in enumerate(example.entries)]
    server = places.get((1, None, "server_id"), places.get((0, None, "server_id")))
    id_octets = -1 if example.server_octets is None else 0 if server is None else server.octets
    if layout.octets > MAX_OCTETS or id_octets > MAX_ID or None in entries or not entries:
        return None
    found = [entry for entry in entries if entry is not None]
    row: dict[str, Any] = {"octets": layout.octets, "entries": len(found), "id_octets": id_octets, "next": -1}
    row |= {"id": 0 if server is None else server.start, "dzg": int(layout.dzg)}
    sensor, ref_time = places.get((1, None, "act_sensor_time")), places.get((0, None, "ref_time"))
    row |= _placed("time", sensor or ref_time, timed=True)
    row |= _placed("sensor", None if sensor is None or sensor.choice == _TIMESTAMP else sensor)
    with_status = (at for at, entry in enumerate(example.entries) if telegram_status((entry,)) is not None)
    first_status = next(with_status, None)
    row |= _placed("status", None if first_status is None else places[1, first_status, "status"])
    row["signatures"] = sum(entry["signature_octets"] for entry in found)
    row["values"] = sum(entry["value_octets"] for entry in found if entry["kind"] == OCTETS)
    return _with_checks(layout, row, found)


def _placed(name: str, field: Field | None, *, timed: bool = False) -> dict[str, int]:
    """The columns for where a field is."""
    at = {name: 0, f"{name}_octets": 0} if field is None else {name: field.start, f"{name}_octets": field.octets}
    if timed:
        at[f"{name}_choice"] = 0 if field is None else field.choice
    return at


def _entry(
    entry: Entry,
    index: int,
    layout: Layout,
    places: dict[tuple[int, int | None, str], Field],
    codes: Dictionary[ObisCode],
    units: Dictionary[Unit],
) -> dict[str, Any] | None:
    value = places.get((1, index, "value"))
    kind = _kind(entry, value)
    scaler = entry.scaler or 0
    if kind is None or (kind in {SIGNED, UNSIGNED} and abs(scaler) > DECIMALS):
        return None
    factor = 10 ** (DECIMALS + scaler) if kind in {SIGNED, UNSIGNED} else 1
    row = {"kind": kind, "factor": factor, "limit": ((1 << 63) - 1) // factor}
    row |= _placed("value", value) | _placed("status", places.get((1, index, "status")))
    row |= _placed("time", places.get((1, index, "val_time")), timed=True)
    row |= _placed("signature", places.get((1, index, "value_signature")))
    row["export"] = _EXPORT_BITS[entry.obis] if layout.dzg and may_lack_sign((entry,)) else 0
    row["obis"] = codes.index(entry.obis)
    row["unit"] = -1 if entry.unit is None else units.index(entry.unit)
    return row | {"scaler": scaler, "has_scaler": entry.scaler is not None}


def _kind(entry: Entry, value: Field | None) -> int | None:
    """Which kind of value it is; ``None`` for those the kernel does not write."""
    if value is None:
        return NONE if entry.raw is None else OCTETS if entry.raw == b"" else None
    if value.kind == OCTET_STRING:
        return OCTETS
    return SIGNED if value.kind == INTEGER else UNSIGNED


# --- octets and checksums -----------------------------------------------------------------------


def _with_checks(layout: Layout, row: dict[str, Any], entries: list[dict[str, Any]]) -> Bulk:
    raw = np.frombuffer(layout.raw, np.uint8)
    mask = np.frombuffer(layout.mask.to_bytes(layout.octets, "little"), np.uint8)
    running = _running(layout)
    is_data = mask == 0
    steady = np.where(running, 0, 255).astype(np.uint8)
    places = np.flatnonzero(is_data & running)
    row |= {"running": len(places), "starts": [start for start, _ in layout.spans]}
    row["ends"] = [end for _, end in layout.spans]
    checks = _checks(layout)[places]
    return Bulk(row, entries, raw.copy(), mask, steady, ~_watch(raw, is_data), places.astype(np.int32), checks)


def _running(layout: Layout) -> Column:
    """Which octets are expected to differ from one telegram of a meter to the next."""
    running = np.zeros(layout.octets, np.bool_)
    running[-2:] = True
    for field in layout.fields:
        whole = field.name in _ALWAYS_RUN
        if whole or field.kind != OCTET_STRING or field.name in _COUNTED:
            end = field.start + field.octets
            running[field.start if whole else max(field.start, end - _RUNNING) : end] = True
    return running


def _watch(raw: Column, is_data: Column) -> Column:
    """Octets of data of which one is 1b wherever the data make four 1b in a row."""
    watch = np.zeros(len(raw), np.uint8)
    may_be = is_data | (raw == _RUN)
    for at in range(_HEAD, len(raw) - _HEAD):
        window = slice(at, at + _ESCAPE)
        if may_be[window].all() and is_data[window].any() and not watch[window].any():
            watch[at + int(np.flatnonzero(is_data[window])[-1])] = 255
    return watch


@cache
def advances() -> Column:
    """What an octet, so many octets before the end, does to a checksum: octets behind it, its value."""
    table = np.zeros((MAX_OCTETS, 256), np.uint16)
    none = x25(b"\0")
    first = table[0]
    first[:] = [x25(bytes([octet])) ^ none for octet in range(256)]
    for at in range(1, MAX_OCTETS):
        before = table[at - 1]
        table[at] = first[before & 0xFF] ^ (before >> 8)
    return table


def _checks(layout: Layout) -> Column:
    """For each octet of the frame, what its 256 values do to the four checksums, 16 bits each."""
    advanced = advances()
    checks = advanced[layout.octets - 1 :: -1][: layout.octets].astype(np.uint64)
    values = np.arange(256, dtype=np.uint64)
    for number, (start, end) in enumerate(layout.spans, 1):
        shift = np.uint64(16 * number)
        checks[start:end] |= advanced[end - start - 1 :: -1][: end - start].astype(np.uint64) << shift
        checks[end + 1] |= values << shift
        checks[end + 2] |= (values << np.uint64(8)) << shift
    return checks
