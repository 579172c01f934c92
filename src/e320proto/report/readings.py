"""The registers that a report follows: power, and energy to and from the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.obis import ObisCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.sml.entries import Entry
    from e320proto.units import Quantity

WATT: Final = 27
WATT_HOUR: Final = 30
IMPORT, EXPORT = 1, 2
IMPORTED: Final = ObisCode.parse("1.8.0")
EXPORTED: Final = ObisCode.parse("2.8.0")
_READING, _CURRENT = 8, 255
_TARIFFS: Final = 4


class Readings(NamedTuple):
    """What the two registers of energy say; ``None`` for one that was not sent."""

    imported: Quantity | None = None
    exported: Quantity | None = None


def counted(before: Quantity | None, after: Quantity | None) -> Quantity | None:
    """What a register counted between two readings; ``None`` where the two do not tell.

    They do not where one is missing, where the register fell, and where its resolution changed, as it does when the
    extended data set is switched on: whole kWh were cut off before.

    >>> from e320proto.units import Quantity, unit
    >>> counted(Quantity(10, -1, unit(30)), Quantity(25, -1, unit(30)))
    Quantity(raw=15, scaler=-1, unit=Unit(30))
    >>> counted(Quantity(1, 3, unit(30)), Quantity(10004, -1, unit(30)))
    """
    if before is None or after is None or before.scaler != after.scaler or after.raw < before.raw:
        return None
    return type(after)(after.raw - before.raw, after.scaler, after.unit)


def energy_places(codes: Sequence[ObisCode]) -> dict[ObisCode, int]:
    """Where the registers of active energy are among entries: totals first, then tariffs.

    >>> from e320proto import ObisCode
    >>> codes = [ObisCode.parse(text) for text in ("2.8.0", "1.8.1", "16.7.0", "1.8.0")]
    >>> {code.short: place for code, place in energy_places(codes).items()}
    {'1.8.0': 3, '2.8.0': 0, '1.8.1': 1}
    """
    found = {code: place for place, code in reversed(list(enumerate(codes))) if _is_energy(code)}
    return dict(sorted(found.items(), key=lambda item: (item[0].e, item[0])))


def energies(entries: Sequence[Entry], places: dict[ObisCode, int]) -> dict[ObisCode, Quantity]:
    """The readings at these places that are energies."""
    found = {code: entries[place].quantity for code, place in places.items()}
    return {code: value for code, value in found.items() if value is not None and value.unit == WATT_HOUR}


def _is_energy(code: ObisCode) -> bool:
    return (
        code.a == 1
        and code.b == 0
        and code.c in {IMPORT, EXPORT}
        and code.d == _READING
        and code.e <= _TARIFFS
        and code.f == _CURRENT
    )
