"""CRC-16/X-25 and CRC-16/KERMIT, the two checksums of SML and HDLC.

This is the only module that imports ``fastcrc`` (used when it is installed) or ``crcmod``.

========  ==========  =====  =====  ========  ====================
kind      polynomial  start  xor    check     order on an SML wire
========  ==========  =====  =====  ========  ====================
x25       1021 refl.  FFFF   FFFF   906E      low octet first
kermit    1021 refl.  0000   0000   2189      high octet first
========  ==========  =====  =====  ========  ====================

``check`` is the value over ``b"123456789"``.

>>> hex(x25(b"123456789")), hex(kermit(b"123456789"))
('0x906e', '0x2189')
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Checksum: TypeAlias = "Callable[[bytes], int]"


def _implementation() -> tuple[str, Checksum, Checksum]:
    try:
        from fastcrc import crc16  # noqa: PLC0415 - optional
    except ImportError:
        from crcmod.predefined import mkPredefinedCrcFun  # noqa: PLC0415 - needed only without fastcrc

        return "crcmod", mkPredefinedCrcFun("x-25"), mkPredefinedCrcFun("kermit")
    return "fastcrc", crc16.ibm_sdlc, crc16.kermit


IMPLEMENTATION, x25, kermit = _implementation()
"""The library in use, and its two functions from octets to the checksum as a number."""


X25_RESIDUE: Final = 0x0F47
"""X-25 of any octets followed by their own checksum, low octet first.

>>> x25(b"123456789" + bytes.fromhex("6e90")) == X25_RESIDUE
True
"""


class CrcKind(StrEnum):
    """Which of the two checksums protects a frame or a message.

    >>> CrcKind("x25") is CrcKind.X25
    True
    """

    X25 = "x25"
    KERMIT = "kermit"

    def wire(self, data: bytes) -> int:
        """Checksum of ``data`` as the number that its two octets show on an SML wire.

        >>> f"{CrcKind.X25.wire(b'123456789'):04x}", f"{CrcKind.KERMIT.wire(b'123456789'):04x}"
        ('6e90', '2189')
        """
        return WIRE[self](data)


def x25_wire(data: bytes) -> int:
    """X-25 as an SML wire shows it: low octet first, read as a big-endian number.

    >>> f"{x25_wire(b'123456789'):04x}"
    '6e90'
    """
    crc = x25(data)
    return (crc & 0xFF) << 8 | crc >> 8


WIRE: dict[CrcKind, Checksum] = {CrcKind.X25: x25_wire, CrcKind.KERMIT: kermit}
"""Kind to the function that gives the checksum as an SML wire shows it."""
