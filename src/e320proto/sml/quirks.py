"""Rules for what real meters do differently, as far as they change what an entry means.

What an entry says is never altered: a rule gives a second value or a derived property, and its id
is in :attr:`Telegram.quirks`. Deviations of form that are only accepted have an id in
:attr:`Telegram.notes`; the table of both is ``docs/quirks.md``.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from e320proto.identity import ServerId, ServerIdForm
from e320proto.sml.messages import SecIndex, Time
from e320proto.status import FnnFlag, StatusLayout
from e320proto.units import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from e320proto.sml.entries import Entry
    from e320proto.status import Status

DZG_SIGN: Final = "dzg_sign"
ZERO_TIME: Final = "zero_time"
EDL_DIRECTION: Final = "edl_direction"

_SERVER_ID = bytes.fromhex("0100600100ff")
_NET_POWER = bytes.fromhex("0100100700ff")
_MAGNITUDE = bytes.fromhex("01000f0700ff")
_ENERGY_UNITS = frozenset({30, 31, 32})  # Wh, VAh, varh


class Direction(StrEnum):
    """Where energy flows: ``import`` is from the grid.

    >>> Direction.EXPORT == "export"
    True
    """

    IMPORT = "import"
    EXPORT = "export"
    UNKNOWN = "unknown"


def telegram_status(entries: Iterable[Entry]) -> Status | None:
    """Status word of a meter: the first one on an entry of 1-x:1.8.x or 1-x:2.8.x."""
    for entry in entries:
        if entry.status is not None and entry.obis[0] == 1 and entry.obis[2] in {1, 2} and entry.obis[3] == 8:  # noqa: PLR2004 - D = 8, meter reading
            return entry.status
    return None


def direction(status: Status | None) -> Direction:
    """Direction that a status word tells; idle counts as import."""
    exporting = None if status is None else status.exporting
    if exporting is None:
        return Direction.UNKNOWN
    return Direction.EXPORT if exporting else Direction.IMPORT


def _number(entries: Iterable[Entry], obis: bytes) -> Quantity | None:
    """The value to use of the first entry of this code that is a number."""
    for entry in entries:
        if entry.obis == obis and entry.quantity is not None:
            return entry.quantity
    return None


def needs_direction(entries: Sequence[Entry]) -> bool:
    """Whether the net power takes its sign from the status word: 15.7.0 is a magnitude, and 16.7.0 is not there."""
    return _number(entries, _NET_POWER) is None and _number(entries, _MAGNITUDE) is not None


def net_power(entries: Sequence[Entry], flow: Direction) -> Quantity | None:
    """Signed power, export negative: 16.7.0 if it is there, else 15.7.0 with the sign of ``flow``.

    Some meters send both a direction bit and a signed 16.7.0, so that one is never touched.
    """
    power = _number(entries, _NET_POWER)
    if power is not None:
        return power
    magnitude = _number(entries, _MAGNITUDE)
    if magnitude is None or flow is Direction.UNKNOWN:
        return None
    return -magnitude if flow is Direction.EXPORT else magnitude


def reduced(entries: Iterable[Entry]) -> bool:
    """Whether every energy is in whole kWh or coarser than 0.1 Wh: all scalers are 0 or more."""
    scalers = [entry.scaler or 0 for entry in entries if entry.unit in _ENERGY_UNITS and entry.quantity is not None]
    return bool(scalers) and min(scalers) >= 0


def without_zero_times(entries: Iterable[Entry], time: Time | None) -> list[Entry] | None:
    """Entries whose time of 0 beside a running counter is dropped; ``None`` if there is no such entry."""
    if not isinstance(time, SecIndex) or time.value == 0:
        return None
    for entry in entries:
        if entry.time is not None and entry.time is not time and _is_zero(entry.time):
            return [_timeless(entry) if _is_zero(entry.time) else entry for entry in entries]
    return None


def _timeless(entry: Entry) -> Entry:
    """The entry without its time, as ``_replace`` would make it, in a third of the time."""
    obis, raw, scaler, unit, status, _, signature, width, corrected = entry
    return type(entry)._make((obis, raw, scaler, unit, status, None, signature, width, corrected))


def _is_zero(time: Time | None) -> bool:
    return isinstance(time, SecIndex) and time.value == 0


# --- the sign fault of DZG meters ---------------------------------------------------------------

_DZG_FORMS = frozenset({ServerIdForm.DIN_2012, ServerIdForm.DIN_2010_07})
DZG_FLAG: Final = b"DZG"
_DZG_FIXED_FROM = 60_000_000
# Plain integers: every telegram of such a meter is looked at, and operations of IntFlag are slow.
_STARTED = int(FnnFlag.STARTED)
_SUM_EXPORT = int(FnnFlag.SUM_EXPORT)
DZG_POWERS = {
    bytes.fromhex("0100100700ff"): _SUM_EXPORT,
    bytes.fromhex("0100240700ff"): int(FnnFlag.L1_EXPORT),
    bytes.fromhex("0100380700ff"): int(FnnFlag.L2_EXPORT),
    bytes.fromhex("01004c0700ff"): int(FnnFlag.L3_EXPORT),
}
_DZG_MAX_WIDTH = 2
_DZG_PHASE_NOISE = 5


@lru_cache(maxsize=256)
def _faulty_dzg(octets: object) -> bool:
    """Whether these octets are the id of a DZG meter built before the fault was mended."""
    if not isinstance(octets, bytes):
        return False
    server_id = ServerId.from_wire(octets)
    device_id = server_id.device_id
    return (
        server_id.form in _DZG_FORMS
        and device_id is not None
        and device_id.flag == DZG_FLAG.decode()
        and device_id.number < _DZG_FIXED_FROM
    )


def dzg_sign(entries: Sequence[Entry], server_id: bytes | None) -> list[Entry] | None:
    """Give powers with the DZG sign fault a corrected value; ``None`` if there is none.

    The fault: positive powers of 327.68 to 655.35 W come as negative numbers of two octets. A
    negative number is read as unsigned of the same width only if all of this holds: the maker is
    DZG; the number in the id is below 60,000,000; the register is a power of the sum or a phase;
    it has 1 or 2 octets; the status word says that the meter runs and that this register imports;
    and for phases it is -5 W or less, because idle phases show small true negatives.

    Source: observed on DVS74, DWS74, WS74 of older firmware; the maker says it is mended from
    serial 60,000,000 on.
    """
    if not _faulty_dzg(server_id) and not any(entry.obis == _SERVER_ID and _faulty_dzg(entry.raw) for entry in entries):
        return None
    word = telegram_status(entries)
    if word is None or word.layout is not StatusLayout.FNN or not word.value & _STARTED:
        return None
    changed = None
    for index, entry in enumerate(entries):
        corrected = _unsigned(entry, word.value) if entry.obis in DZG_POWERS else None
        if corrected is not None:
            changed = changed or list(entries)
            changed[index] = entry._replace(corrected=corrected)
    return changed


def may_lack_sign(entries: Iterable[Entry]) -> bool:
    """Whether :func:`dzg_sign` may change telegrams with such entries, whatever their data are."""
    return any(entry.obis in DZG_POWERS and entry.width in range(1, _DZG_MAX_WIDTH + 1) for entry in entries)


def _unsigned(entry: Entry, word: int) -> Quantity | None:
    """The value of a power that lost its sign bit, or ``None`` if the value is right as sent."""
    export = DZG_POWERS[entry.obis]
    raw, width = entry.raw, entry.width
    if word & export or type(raw) is not int or width is None:
        return None
    if raw >= 0 or width > _DZG_MAX_WIDTH:
        return None
    sent = Quantity(raw, entry.scaler or 0, entry.unit)
    if export != _SUM_EXPORT and sent.decimal > -_DZG_PHASE_NOISE:
        return None
    return Quantity(raw + (1 << 8 * width), sent.scaler, sent.unit)
