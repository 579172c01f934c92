"""Words of the meter that several of its parts share: measurement mode, data set, pulse LED, curve."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from e320proto.obis import ObisCode

POSITIVE: Final = ObisCode.parse("1.8.0")
NEGATIVE: Final = ObisCode.parse("2.8.0")
QUADRANTS: Final = tuple(ObisCode.parse(f"{number}.8.0") for number in (5, 6, 7, 8))


class Mode(IntEnum):
    """Measurement mode, fixed at manufacture.

    Source: E320 manual, type designation position 7 and firmware parameters.

    >>> Mode(3).registers
    (ObisCode('1-0:1.8.0*255'), ObisCode('1-0:2.8.0*255'))
    """

    IMPORT = 1
    """+A with return stop."""
    EXPORT = 2
    """-A with return stop."""
    BOTH = 3
    """+A and -A."""
    BALANCED = 4
    """-A balanced, without return stop: import counts backwards."""
    QUADRANTS = 5
    """+A, -A, and reactive energy of the four quadrants."""

    @property
    def registers(self) -> tuple[ObisCode, ...]:
        """The energy registers of the mode, in the order of the display."""
        return _REGISTERS[self]

    @property
    def title(self) -> str:
        """Name of the mode as printed on the faceplate."""
        return _TITLES[self]


_REGISTERS: Final = {
    Mode.IMPORT: (POSITIVE,),
    Mode.EXPORT: (NEGATIVE,),
    Mode.BOTH: (POSITIVE, NEGATIVE),
    Mode.BALANCED: (NEGATIVE,),
    Mode.QUADRANTS: (POSITIVE, NEGATIVE, *QUADRANTS),
}
_TITLES: Final = {
    Mode.IMPORT: "Einrichtungszähler +A",
    Mode.EXPORT: "Einrichtungszähler -A",
    Mode.BOTH: "Zweirichtungszähler",
    Mode.BALANCED: "Saldierender Zähler -A",
    Mode.QUADRANTS: "4-Quadranten-Zähler",
}


class DataSet(StrEnum):
    """What an INFO push holds.

    >>> DataSet("reduced") is DataSet.REDUCED
    True
    """

    REDUCED = "reduced"
    """Whole kWh, no power."""
    EXTENDED = "extended"
    """Energy to 0.1 Wh, and power."""


class PulseLed(StrEnum):
    """What the LED counts."""

    ACTIVE = "active"
    REACTIVE = "reactive"


class Curve(StrEnum):
    """Curve of the meter's key."""

    NIST_P256 = "nist-p256"
    BRAINPOOL_P256R1 = "brainpool-p256r1"
