"""DLMS units, and quantities that stay exact from the wire to the text.

A value on the wire is an integer, a power of ten and a unit code. An energy register of 64 bits has more
digits than binary floating point can hold, so nothing here goes through ``float`` unless asked to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Self, final

from e320proto.errors import DecodeError, EncodeError, shown

_TOP = 255
_NO_UNIT = frozenset({0, _TOP})
_NUMERIC = frozenset("bcdeEfFgGnoxX%")
"""What a format of a number ends in, and that of a text does not."""
_SOURCE = "IEC 62056-6-2, unit codes; two public tables agree"

_TABLE = {
    1: ("a", "time, year"),
    2: ("mo", "time, month"),
    3: ("wk", "time, week"),
    4: ("d", "time, day"),
    5: ("h", "time, hour"),
    6: ("min", "time, minute"),
    7: ("s", "time, second"),
    8: ("°", "phase angle"),
    9: ("°C", "temperature"),
    10: ("currency", "money"),
    11: ("m", "length"),
    12: ("m/s", "speed"),
    13: ("m³", "volume"),
    14: ("m³", "volume, corrected"),
    15: ("m³/h", "volume flux"),
    16: ("m³/h", "volume flux, corrected"),
    17: ("m³/d", "volume flux"),
    18: ("m³/d", "volume flux, corrected"),
    19: ("l", "volume"),
    20: ("kg", "mass"),
    21: ("N", "force"),
    22: ("Nm", "energy, torque"),
    23: ("Pa", "pressure"),
    24: ("bar", "pressure"),
    25: ("J", "energy"),
    26: ("J/h", "thermal power"),
    27: ("W", "active power"),
    28: ("VA", "apparent power"),
    29: ("var", "reactive power"),
    30: ("Wh", "active energy"),
    31: ("VAh", "apparent energy"),
    32: ("varh", "reactive energy"),
    33: ("A", "current"),
    34: ("C", "charge"),
    35: ("V", "voltage"),
    36: ("V/m", "electric field"),
    37: ("F", "capacitance"),
    38: ("Ω", "resistance"),
    39: ("Ωm²/m", "resistivity"),
    40: ("Wb", "magnetic flux"),
    41: ("T", "flux density"),
    42: ("A/m", "magnetic field"),
    43: ("H", "inductance"),
    44: ("Hz", "frequency"),
    45: ("1/Wh", "pulse constant, active"),
    46: ("1/varh", "pulse constant, reactive"),
    47: ("1/VAh", "pulse constant, apparent"),
    48: ("V²h", "volt-squared hours"),
    49: ("A²h", "ampere-squared hours"),
    50: ("kg/s", "mass flux"),
    51: ("S", "conductance"),
    52: ("K", "temperature"),
    53: ("1/V²h", "pulse constant"),
    54: ("1/A²h", "pulse constant"),
    55: ("1/m³", "pulse constant, volume"),
    56: ("%", "percentage"),
    57: ("Ah", "ampere-hours"),
    60: ("Wh/m³", "energy per volume"),
    61: ("J/m³", "calorific value"),
    62: ("mol%", "molar fraction"),
    63: ("g/m³", "mass density"),
    64: ("Pa·s", "dynamic viscosity"),
    65: ("J/kg", "specific energy"),
    66: ("g/cm²", "pressure"),
    67: ("atm", "pressure"),
    70: ("dBm", "signal level"),
    71: ("dBµV", "signal level"),
    72: ("dB", "ratio"),
    253: ("", "reserved"),
    254: ("", "other unit"),
    255: ("", "no unit, count"),
}
"""Code to symbol and quantity; 128 to 175 (US units in newer tables) are left out."""

# Some symbols stand for two codes ("m³" plain and corrected); the lower code is the plain one.
_CODE_OF = {symbol: code for code, (symbol, _) in sorted(_TABLE.items(), reverse=True) if symbol}

_NUMBERED = re.compile(r"unit ([0-9]{1,3})")

# The widest text that str() of a 64-bit integer with any scaler makes has 147 digits before the point or 128 after it.
_QUANTITY = re.compile(r"(-?)([0-9]{1,147})(?:\.([0-9]{1,128}))?(?: (.+))?", re.ASCII)


@final
class Unit(int):
    """A DLMS unit code, 0 to 255, that knows its symbol.

    The set is open: a code without an entry is kept as a number. A unit is an ``int`` and equals its code.
    :func:`unit` hands out one object for each code. Formatted, it is its symbol, unless the format asks for a
    number: ends in ``d``, ``x`` or another letter that only numbers know.

    Args:
        code: 0 to 255.

    Raises:
        EncodeError: ``unit``, the code is no integer of 0 to 255.

    Source: IEC 62056-6-2, unit codes; two public tables agree.

    >>> Unit(30), Unit(30).symbol, Unit(30).quantity
    (Unit(30), 'Wh', 'active energy')
    >>> str(Unit(30)), str(Unit(200)), str(Unit(255))
    ('Wh', 'unit 200', '')
    >>> f"{Unit(30):>4} {Unit(30):03d}"
    '  Wh 030'
    """

    __slots__ = ()

    def __new__(cls, code: int) -> Self:
        """Take a code."""
        if not isinstance(code, int) or isinstance(code, bool) or not 0 <= code <= _TOP:
            raise EncodeError("unit", f"expected a unit code of 0 to {_TOP}", path="unit", value=code)
        return super().__new__(cls, code)

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read a unit from its symbol, or from the words ``unit 200`` that stand in for a missing one.

        Of two codes with one symbol (13 and 14, 15 and 16, 17 and 18) it is the lower. Letter case matters:
        ``s`` are seconds, ``S`` is siemens. Prefixes are no part of a unit: ``kWh`` is Wh with a scaler of 3.

        Raises:
            DecodeError: ``unit_text``, no unit has this symbol.

        >>> Unit.parse("Wh"), Unit.parse("unit 200")
        (Unit(30), Unit(200))
        """
        code = _CODE_OF.get(text, -1)
        numbered = _NUMBERED.fullmatch(text)
        if numbered:
            code = int(numbered[1])
        if not 0 <= code <= _TOP:
            raise DecodeError("unit_text", f"expected the symbol of a DLMS unit, found {shown(text)}", source=_SOURCE)
        return unit(code)

    @property
    def code(self) -> int:
        """The code as a plain integer, 0 to 255.

        >>> Unit(30).code
        30
        """
        return int(self)

    @property
    def symbol(self) -> str:
        """The symbol, ``""`` where there is none.

        >>> Unit(8).symbol, Unit(255).symbol, Unit(200).symbol
        ('°', '', '')
        """
        return _TABLE.get(self, ("", ""))[0]

    @property
    def quantity(self) -> str:
        """What is measured in this unit, in English; ``""`` for a code without an entry.

        >>> Unit(27).quantity, Unit(255).quantity, Unit(200).quantity
        ('active power', 'no unit, count', '')
        """
        return _TABLE.get(self, ("", ""))[1]

    def __str__(self) -> str:
        return "" if self in _NO_UNIT else self.symbol or f"unit {int(self)}"

    def __repr__(self) -> str:
        return f"Unit({int(self)})"

    def __format__(self, spec: str) -> str:
        return format(int(self) if spec[-1:] in _NUMERIC else str(self), spec)


@lru_cache(maxsize=None, typed=True)  # few entries, because anything but an integer of 0 to 255 raises
def unit(code: int) -> Unit:
    """Return the unit of a code, the same object for the same code.

    Args:
        code: 0 to 255.

    Raises:
        EncodeError: ``unit``, the code is no integer of 0 to 255.

    >>> unit(30) is unit(30)
    True
    """
    return Unit(code) if type(code) is int else unit(int(Unit(code)))


@dataclass(frozen=True, slots=True, init=False)
class Quantity:
    """An exact value: ``raw`` times ten to the power of ``scaler``, in ``unit``.

    Two quantities are equal when they are written alike: 1 Wh with a scaler of 3 is not equal to 1000 Wh,
    although both have the same value. ``<``, ``<=``, ``>`` and ``>=`` compare values, and only those of one
    unit. To ask whether two values are the same, compare :attr:`decimal`.

    The fields are not checked, because decoders make quantities by the million.

    Args:
        raw: the integer, at most 64 bits wide on the wire; any size works.
        scaler: power of ten, -128 to 127.
        unit: the unit; ``None`` when none was sent.

    Source: SML 1.04, fields value, scaler and unit of a list entry.

    >>> energy = Quantity(9007199254740993, -1, unit(30))
    >>> str(energy), energy.decimal
    ('900719925474099.3 Wh', Decimal('900719925474099.3'))
    >>> Quantity(12, 3) < Quantity(12001)
    True
    """

    raw: int
    scaler: int = 0
    unit: Unit | None = None

    def __init__(self, raw: int, scaler: int = 0, unit: Unit | None = None) -> None:
        # What the dataclass would write, in two thirds of the time: one quantity is made for each value read.
        _set_raw(self, raw)
        _set_scaler(self, scaler)
        _set_unit(self, unit)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a quantity from the text that ``str`` makes of one.

        The digits decide: ``raw`` are all of them, ``scaler`` is minus the number behind the point and never
        positive. The text of what is read is the text that was read.

        Args:
            text: decimal digits with an optional sign and point, then optionally one blank and a unit; at most
                147 digits before the point and 128 behind it.

        Raises:
            DecodeError: ``quantity_text``, no such number; ``unit_text``, no such unit.

        >>> Quantity.parse("123.4 Wh")
        Quantity(raw=1234, scaler=-1, unit=Unit(30))
        """
        match = _QUANTITY.fullmatch(text)
        if match is None:
            expected = "a decimal number and optionally a blank and a unit"
            raise DecodeError("quantity_text", f"expected {expected}, found {shown(text)}", source=_SOURCE)
        sign, whole, fraction, symbol = match.groups(default="")
        return cls(int(f"{sign}{whole}{fraction}"), -len(fraction), Unit.parse(symbol) if symbol else None)

    @property
    def decimal(self) -> Decimal:
        """The exact value; no decimal context rounds it.

        >>> Quantity(12340, -1).decimal, Quantity(5, 3).decimal
        (Decimal('1234.0'), Decimal('5000'))
        """
        if self.scaler >= 0:
            return Decimal(self.raw * 10**self.scaler)
        return Decimal(f"{self.raw}E{self.scaler}")

    @property
    def digits(self) -> str:
        """The exact value in plain notation; a scaler of -n shows n decimals, zeros included.

        >>> Quantity(12340, -1).digits, Quantity(5, 3).digits, Quantity(-1, -12).digits
        ('1234.0', '5000', '-0.000000000001')
        """
        places = -self.scaler
        if places <= 0:
            return str(self.raw * 10**self.scaler)
        digits = str(abs(self.raw)).zfill(places + 1)
        return f"{'-' if self.raw < 0 else ''}{digits[:-places]}.{digits[-places:]}"

    def __str__(self) -> str:
        symbol = "" if self.unit is None else str(self.unit)
        return f"{self.digits} {symbol}" if symbol else self.digits

    def __float__(self) -> float:
        """Return the nearest floating-point number: one rounding, at the end.

        It is finite for every integer of 64 bits with every scaler of -128 to 127.
        """
        return float(self.raw * 10**self.scaler) if self.scaler >= 0 else self.raw / 10**-self.scaler

    def __neg__(self) -> Quantity:
        return Quantity(-self.raw, self.scaler, self.unit)

    def __lt__(self, other: Quantity) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self._minus(other) < 0

    def __le__(self, other: Quantity) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self._minus(other) <= 0

    def __gt__(self, other: Quantity) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self._minus(other) > 0

    def __ge__(self, other: Quantity) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self._minus(other) >= 0

    def _minus(self, other: Quantity) -> int:
        """Difference of the values as a multiple of the finer step; its sign is what counts."""
        if self.unit != other.unit:
            msg = f"expected quantities of one unit, found {self.unit!r} and {other.unit!r}"
            raise TypeError(msg)
        step = min(self.scaler, other.scaler)
        return int(self.raw * 10 ** (self.scaler - step) - other.raw * 10 ** (other.scaler - step))


# The slots' own setters, which a frozen class does not block.
_set_raw = Quantity.__dict__["raw"].__set__
_set_scaler = Quantity.__dict__["scaler"].__set__
_set_unit = Quantity.__dict__["unit"].__set__
