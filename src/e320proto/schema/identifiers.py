"""Layouts of server ids, as their standards have them.

Forms of one piece (addresses, characters, numbers of unknown layout) are not here, nor is an OBIS
code: six octets, one for each of its groups A to F.

Source: DIN 43863-5:2012 and its editions of 2010-07 and 2010-02; EN 13757-3 for M-Bus.
"""

from __future__ import annotations

from typing import Any, Final

from construct import Adapter, Byte, Bytes, BytesInteger, Const, Int16ul, Int32ub, StringEncoded, Struct

_Adapter: Any = Adapter  # the stubs' class has type parameters, the library's has none


class _Bcd(_Adapter):  # type: ignore[misc]
    """Decimal digits as text; two to an octet on the wire, the last two first."""

    def _decode(self, obj: bytes, context: Any, path: str) -> str:
        return obj[::-1].hex()

    def _encode(self, obj: str, context: Any, path: str) -> bytes:
        return bytes.fromhex(obj)[::-1]


_MAKER = StringEncoded(Bytes(3), "latin-1")
_DIN = ("medium" / Byte, "flag" / _MAKER, "block" / Byte, "number" / Int32ub)

DIN_2012: Final[Any] = Struct("form" / Const(b"\x0a"), *_DIN)
DIN_2010_07: Final[Any] = Struct("form" / Const(b"\x09"), *_DIN)
DIN_2010_02: Final[Any] = Struct(
    "form" / Const(b"\x06"),
    "flag" / _MAKER,
    "digits" / BytesInteger(6),  # medium 1, year 2, block 2, number 8
)

_NUMBER = _Bcd(Bytes(4))
_DEVICE = ("version" / Byte, "medium" / Byte)

MBUS_WIRELESS: Final[Any] = Struct("form" / Const(b"\x01"), "maker" / Int16ul, "number" / _NUMBER, *_DEVICE)
MBUS_WIRED: Final[Any] = Struct("form" / Const(b"\x02"), "number" / _NUMBER, "maker" / Int16ul, *_DEVICE)
