"""The two lines of the display: how codes, values and units are written.

========================  =======  ==========  ======
line                      code     value       unit
========================  =======  ==========  ======
upper, energy             1.8.0    005171      kWh
upper, reactive energy    5.8.0    000042      kvarh
upper, negative (mode 4)  2.8.0    -00012      kWh
upper, error              F.F      00020000
lower, power              P        -300        W
lower, E                  E        1234.5      kWh
lower, history            7d       87.0        kWh
lower, the value before   7d-1     91.2        kWh
lower, no value yet       365d     -----
========================  =======  ==========  ======

Values are cut off, not rounded: what a meter shows has been measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e320proto.meter.menu_table import MenuState, Place
from e320proto.meter.modes import QUADRANTS
from e320proto.obis import ObisCode

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config

_DWH_PER_KWH: Final = 10_000
_ERROR: Final = ObisCode.parse("F.F")
_NO_VALUE: Final = "-----"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the display.

    Args:
        code: what the value is.
        value: the value, as the digits show it.
        unit: its unit.
        all_segments: whether every segment of the line is lit, whatever else is said.
    """

    code: str = ""
    value: str = ""
    unit: str = ""
    all_segments: bool = False


BLANK: Final = Line()
ALL_SEGMENTS: Final = Line(all_segments=True)


def energy_line(code: ObisCode, dwh: int, digits: int = 6) -> Line:
    """Write a register on the upper line: whole kWh or kvarh, cut off, with leading zeros.

    A register beyond the digits shows the last ones. The sign takes the place of a digit.

    Source: E320 manual, section 5.1.2; digits after sibling meters, sign a decision of this project.

    >>> from e320proto.meter.modes import NEGATIVE
    >>> [energy_line(NEGATIVE, dwh).value for dwh in (51_719_237, -9_999, -10_000, -1_234_567_890)]
    ['005171', '000000', '-00001', '-23456']
    """
    kwh = abs(dwh) // _DWH_PER_KWH
    sign = "-" if dwh < 0 < kwh else ""
    width = max(1, digits - len(sign))
    return Line(code.display, f"{sign}{kwh % 10**width:0{width}}", "kvarh" if code in QUADRANTS else "kWh")


def error_line(register: int, digits: int = 8) -> Line:
    """Write the error register on the upper line, in hex digits; beyond the digits the last ones.

    >>> error_line(0x0002_0010)
    Line(code='F.F', value='00020010', unit='', all_segments=False)
    """
    return Line(_ERROR.display, f"{register % 16**digits:0{digits}X}")


def power_line(power_w: int) -> Line:
    """Write the power on the lower line; import has no sign.

    >>> power_line(-300).value, power_line(1200).value
    ('-300', '1200')
    """
    return Line("P", str(power_w), "W")


def lower_energy_line(code: str, dwh: int | None) -> Line:
    """Write an energy on the lower line: kWh with one decimal, cut off.

    >>> [lower_energy_line("E", dwh).value for dwh in (12_345_678, -1_999, -999, None)]
    ['1234.5', '-0.1', '0.0', '-----']
    """
    if dwh is None:
        return Line(code, _NO_VALUE)
    whole, tenths = divmod(abs(dwh) // (_DWH_PER_KWH // 10), 10)
    sign = "-" if dwh < 0 and (whole or tenths) else ""
    return Line(code, f"{sign}{whole}.{tenths}", "kWh")


_PICTURES: Final = {
    Place.STD: BLANK,
    Place.TEST_U: BLANK,
    Place.TEST_L: ALL_SEGMENTS,
    Place.E_CLR: Line("E", "CLr"),
    Place.HIS: Line("HIS"),
    Place.HIS_CLR: Line("HIS", "CLr on"),
}


def menu_line(  # noqa: PLR0911 - a picture for each place of the menu
    config: E320Config,
    menu: MenuState,
    *,
    power_w: int,
    energy_dwh: int | None,
    extended_set: bool,
    pin_query: bool,
) -> Line:
    """Write the lower line of the menu; the standard display has none here.

    Args:
        config: length of the PIN.
        menu: where the menu is.
        power_w: sum of the active power, W.
        energy_dwh: the value of E or of the history, 0.1 Wh; ``None`` when there is none.
        extended_set: InF.
        pin_query: whether the PIN query is on.

    Source: E320 manual, section 5.5.1; pictures of PIN, dialogues and older values after sibling meters.
    """
    match menu.place:
        case Place.PIN | Place.PIN_LOCKED:
            return Line("PIn", menu.digits.ljust(config.pin_digits, "-"))
        case Place.P:
            return power_line(power_w)
        case Place.E:
            return lower_energy_line("E", energy_dwh)
        case Place.H | Place.HB:
            view = "" if menu.view is None else menu.view.label
            return lower_energy_line(view if menu.index <= 1 else f"{view}-{menu.index - 1}", energy_dwh)
        case Place.INF:
            return Line("InF", "On" if extended_set else "OFF")
        case Place.PINSET:
            return Line("PIn", "On" if pin_query else "OFF")
        case _:
            return _PICTURES[menu.place]
