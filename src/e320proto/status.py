"""Status words of base meters: the FNN word, the older EDL word, and words of unknown layout.

FNN word, sent with a width of three or four octets::

    bit  31   21 20       18 17    16     15    14  12 11     10    9      8       7     0
        |  0    | voltage   | err | stop | rot | export | sum | cov | mag | started | 0x04  |
                  L3 L2 L1                       L3 .. L1

EDL word, of meters before FNN, one to four octets wide: bit 7 is always set and bit 5 says export. What
else it holds is known by one public reader only, see :class:`EdlFlag`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from functools import lru_cache
from typing import assert_never

_FNN_MASK = 0xFFE0_00FF
_FNN_MARK = 0x0000_0004
_FNN_BITS = 32


class FnnFlag(IntFlag):
    """Bits 8 to 20 of the FNN status word, in this order.

    Source: FNN base meter, status word; three independent sources agree, and all words seen on real meters
    fit.

    >>> FnnFlag.SUM_EXPORT in FnnFlag(0x1C7900)
    True
    """

    STARTED = 1 << 8
    """The current is above the start current."""
    MAGNETIC_INFLUENCE = 1 << 9
    """A magnet is, or was, near the meter."""
    COVER_OPENED = 1 << 10
    """The terminal cover is, or was, open."""
    SUM_EXPORT = 1 << 11
    """The sum of the phases exports; off while it imports or idles."""
    L1_EXPORT = 1 << 12
    """Phase L1 exports."""
    L2_EXPORT = 1 << 13
    """Phase L2 exports."""
    L3_EXPORT = 1 << 14
    """Phase L3 exports."""
    WRONG_ROTATING_FIELD = 1 << 15
    """The phases do not follow each other as L1, L2, L3."""
    RETURN_STOP_ACTIVE = 1 << 16
    """Energy flows in the direction that the register does not count."""
    FATAL_ERROR = 1 << 17
    """The meter found a fatal error."""
    VOLTAGE_L1 = 1 << 18
    """Voltage is present on L1."""
    VOLTAGE_L2 = 1 << 19
    """Voltage is present on L2."""
    VOLTAGE_L3 = 1 << 20
    """Voltage is present on L3."""


class EdlFlag(IntFlag):
    """Bits of the EDL status word that have a name.

    ======================================================= ===================================================
    flag                                                    evidence
    ======================================================= ===================================================
    EXPORT (5)                                              seen on real meters
    IDENTIFICATION (7)                                      set in every word seen
    FAULT (0) SYNCHRONOUS (1) CLOCK_SYNCHRONOUS (3)         weak: the names of one public reader, not verified
    RETURN_STOP (4) MAGNET (6)                              weak: the names of one public reader, not verified
    ======================================================= ===================================================

    Bits 8 and 16 occur set without known meaning; see :attr:`Status.unnamed_bits`.

    >>> EdlFlag.EXPORT in EdlFlag(0xA2)
    True
    """

    FAULT = 1 << 0
    """A fault."""
    SYNCHRONOUS = 1 << 1
    """Synchronous, to what is not known."""
    CLOCK_SYNCHRONOUS = 1 << 3
    """The clock is synchronous."""
    RETURN_STOP = 1 << 4
    """Return stop."""
    EXPORT = 1 << 5
    """The meter exports."""
    MAGNET = 1 << 6
    """A magnet was detected."""
    IDENTIFICATION = 1 << 7
    """Always set; marks the word as of this layout."""


# IntFlag remembers every value it was ever made of. Made of named bits only, that is a bounded number.
_FNN_NAMED = sum(FnnFlag)
_EDL_NAMED = sum(EdlFlag)


class StatusLayout(Enum):
    """How to read a status word.

    >>> Status(0x1C0104, 4).layout
    <StatusLayout.FNN: 'fnn'>
    """

    FNN = "fnn"
    """FNN base meters: :class:`FnnFlag`."""
    EDL = "edl"
    """Older EDL meters: :class:`EdlFlag`."""
    UNKNOWN = "unknown"
    """Neither: the value stays a number."""


@dataclass(frozen=True, slots=True)
class Status:
    """A status word as it was sent, and what it means.

    Every value is accepted; the fields are not checked. :func:`status` returns shared objects.

    Args:
        value: the word, 0 or above.
        width: octets it was sent in, 1 to 8; zeros in front are part of how a meter sends it.

    Source: FNN base meter, status word; the EDL word as seen on real meters.

    >>> print(Status(0x1C2904, 4))
    001c2904 (fnn: started, sum_export, l2_export, voltage_l1, voltage_l2, voltage_l3)
    >>> print(Status(0x01A2, 2))
    01a2 (edl: synchronous, export, identification)
    >>> print(Status(0x40, 1))
    40 (unknown)
    """

    value: int
    width: int

    @property
    def layout(self) -> StatusLayout:
        """The layout that the value itself gives away.

        FNN when ``value & 0xFFE000FF`` is 4 and the value fits 32 bits, whatever its width; else EDL when bit
        7 is set; else unknown.

        >>> [Status(value, 4).layout.value for value in (0x4, 0x182, 0x5C0104)]
        ['fnn', 'edl', 'unknown']
        """
        if self.value & _FNN_MASK == _FNN_MARK and self.value >> _FNN_BITS == 0:
            return StatusLayout.FNN
        return StatusLayout.EDL if self.value & EdlFlag.IDENTIFICATION.value else StatusLayout.UNKNOWN

    @property
    def flags(self) -> FnnFlag | EdlFlag | None:
        """The flags that are set and have a name; ``None`` for a word of unknown layout.

        The constant 04 of the FNN word is no flag; bits without a name are in :attr:`unnamed_bits`.

        >>> Status(0x04_0104, 3).flags == FnnFlag.STARTED | FnnFlag.VOLTAGE_L1
        True
        """
        match self.layout:
            case StatusLayout.FNN:
                return FnnFlag(self.value & _FNN_NAMED)
            case StatusLayout.EDL:
                return EdlFlag(self.value & _EDL_NAMED)
            case StatusLayout.UNKNOWN:
                return None
            case _ as never:
                assert_never(never)

    @property
    def unnamed_bits(self) -> int:
        """The bits that are set and have no known meaning, as a mask of the value.

        >>> hex(Status(0x0001_01A2, 4).unnamed_bits), Status(0x1C0104, 4).unnamed_bits, Status(0x40, 1).unnamed_bits
        ('0x10100', 0, 64)
        """
        match self.layout:
            case StatusLayout.FNN:
                return 0
            case StatusLayout.EDL:
                return self.value & ~_EDL_NAMED
            case StatusLayout.UNKNOWN:
                return self.value
            case _ as never:
                assert_never(never)

    @property
    def exporting(self) -> bool | None:
        """Whether energy flows out to the grid, the sum of the phases; ``None`` when the word does not say.

        A meter that idles counts as not exporting.

        >>> Status(0x1C7904, 4).exporting, Status(0x82, 1).exporting, Status(0x40, 1).exporting
        (True, False, None)
        """
        match self.layout:
            case StatusLayout.FNN:
                return bool(self.value & FnnFlag.SUM_EXPORT.value)
            case StatusLayout.EDL:
                return bool(self.value & EdlFlag.EXPORT.value)
            case StatusLayout.UNKNOWN:
                return None
            case _ as never:
                assert_never(never)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the flags that are set, lower case, lowest bit first.

        >>> Status(0x1C8104, 3).names
        ('started', 'wrong_rotating_field', 'voltage_l1', 'voltage_l2', 'voltage_l3')
        """
        kind = _FLAGS_OF[self.layout]
        return tuple(name.lower() for name, flag in kind.__members__.items() if flag.value & self.value) if kind else ()

    @property
    def hex(self) -> str:
        """The word in lower-case hex, two digits for each octet of its width.

        >>> Status(0x0182, 3).hex
        '000182'
        """
        return f"{self.value:0{2 * self.width}x}"

    def __str__(self) -> str:
        names = ", ".join(self.names)
        return f"{self.hex} ({self.layout.value}{': ' if names else ''}{names})"


_FLAGS_OF: dict[StatusLayout, type[FnnFlag | EdlFlag] | None] = {
    StatusLayout.FNN: FnnFlag,
    StatusLayout.EDL: EdlFlag,
    StatusLayout.UNKNOWN: None,
}


@lru_cache(maxsize=1024)
def status(value: int, width: int) -> Status:
    """Return the status word of a value and a width, the same object for the same two while it is in use.

    A meter sends few different words; decoders make them here. At most 1,024 are kept.

    Args:
        value: the word, 0 or above.
        width: octets it was sent in, 1 to 8.

    >>> status(0x1C0104, 4) is status(0x1C0104, 4)
    True
    """
    return Status(value, width)
