"""Layouts of the symmetric exchange that hands a meter its certificates.

Source: LMN security, 6.4 and 6.5.
"""

from __future__ import annotations

from typing import Any, Final

from construct import Byte, Bytes, ConstructError, Int16ub, Int32ub, PrefixedArray, Struct, this

from e320proto.errors import DecodeError

MESSAGE: Final[Any] = Struct(
    "command" / Byte,
    "length" / Int32ub,  # of the whole message
    "counter" / Int32ub,
    "ciphertext" / Bytes(this._params.ciphertext_octets),
    "mac" / Bytes(this._params.mac_octets),
)
"""The message; the MAC is over everything before it."""

LENGTH_END: Final = 5
"""Octets to the end of the length field."""
HEADER_OCTETS: Final = 9
"""Octets before the ciphertext."""

ALGORITHMS: Final[Any] = Struct(
    "prefix" / Bytes(4),  # meaning unknown
    "suites" / PrefixedArray(Byte, Int16ub),
    "groups" / PrefixedArray(Byte, Int16ub),
)
"""Data of reply 82."""

MAX_FRAGMENT: Final[Any] = Struct("octets" / Int16ub)
"""Data of reply 85."""


def parse(layout: Any, octets: bytes, what: str, **sizes: int) -> Any:
    """Read octets by a layout; octets behind it are left alone.

    Raises:
        DecodeError: ``content``, the octets end too early.
    """
    try:
        return layout.parse(octets, **sizes)
    except ConstructError:
        detail = f"expected {what}, found {len(octets)} octets, which is less"
        raise DecodeError("content", detail, source="LMN security, 6.5") from None
