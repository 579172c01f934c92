"""HDLC frames of the wired LMN and of IEC 62056-46, in wire order: every field once.

``e320proto.hdlc`` takes positions and masks of the parts that every frame has from here, so that it can be fast
without a grammar of its own; rare parts (addresses, records, parameter blocks) it reads and writes with these
declarations. A test reads every frame with :data:`LMN_FRAME` and compares.

Source: wired LMN, sections 2 to 6 and 9; ISO/IEC 13239 and IEC 62056-46 as far as generally known.
"""

from __future__ import annotations

from typing import Any, Final

from construct import (
    Bit,
    BitsInteger,
    BitStruct,
    Byte,
    Bytes,
    Const,
    ConstructError,
    Flag,
    FocusedSeq,
    GreedyBytes,
    GreedyRange,
    If,
    Int16ul,
    Prefixed,
    Struct,
    Terminated,
)

from e320proto.errors import DecodeError

FLAG: Final = b"\x7e"
_FLAG: Any = Const(FLAG)
_MORE: Any = Const(0, Bit)
_LAST: Any = Const(1, Bit)
_SEVEN: Any = BitsInteger(7)
_THREE: Any = BitsInteger(3)

FORMAT: Final[Any] = BitStruct("type" / Const(0b1010, BitsInteger(4)), "segment" / Flag, "length" / BitsInteger(11))
CONTROL: Final[Any] = BitStruct("nr" / _THREE, "poll_final" / Flag, "ns" / _THREE, "not_information" / Flag)

CONTROL_KINDS: Final = {
    "I": (0x01, 0x00),
    "RR": (0x0F, 0x01),
    "RNR": (0x0F, 0x05),
    "REJ": (0x0F, 0x09),
    "SNRM": (0xEF, 0x83),
    "DISC": (0xEF, 0x43),
    "UA": (0xEF, 0x63),
    "DM": (0xEF, 0x0F),
    "FRMR": (0xEF, 0x87),
    "UI": (0xEF, 0x03),
}
"""Frame type to what its control octet is recognised by: mask, and the octet under it."""

LMN_ADDRESS: Final[Any] = BitStruct("address" / _SEVEN, "more" / _MORE, "selector" / _SEVEN, "last" / _LAST)
HDLC_ADDRESS: Final[dict[int, Any]] = {
    1: BitStruct("upper" / _SEVEN, "last" / _LAST),
    2: BitStruct("upper" / _SEVEN, "more" / _MORE, "lower" / _SEVEN, "last" / _LAST),
    4: BitStruct(
        "upper_high" / _SEVEN,
        "more_1" / _MORE,
        "upper_low" / _SEVEN,
        "more_2" / _MORE,
        "lower_high" / _SEVEN,
        "more_3" / _MORE,
        "lower_low" / _SEVEN,
        "last" / _LAST,
    ),
}
"""Octets to the layout of an address of IEC 62056-46."""

LMN_HEAD: Final[Any] = Struct("format" / FORMAT, "dest" / LMN_ADDRESS, "src" / LMN_ADDRESS, "control" / CONTROL)
CHECKSUM: Final[Any] = Int16ul


def _has_information(context: Any) -> bool:
    return bool(context.head.format.length > LMN_HEAD.sizeof() + CHECKSUM.sizeof())


def _information_octets(context: Any) -> int:
    return int(context.head.format.length - LMN_HEAD.sizeof() - 2 * CHECKSUM.sizeof())


LMN_FRAME: Final[Any] = Struct(
    "opening" / _FLAG,
    "head" / LMN_HEAD,
    "hcs" / If(_has_information, CHECKSUM),
    "info" / If(_has_information, Bytes(_information_octets)),
    "fcs" / CHECKSUM,
    "closing" / _FLAG,
)

_ID: Any = Bytes(14)
RECORD: Final[Any] = Struct(
    "address" / Byte,
    "slot" / Byte,
    "participant_id" / _ID,
    "sensor_id" / _ID,
    "reserved" / Bytes(2),
)

PARAMETER: Final[Any] = Struct("tag" / Byte, "value" / Prefixed(Byte, GreedyBytes))
PARAMETERS: Final[Any] = Struct(
    "format" / Const(b"\x81"),
    "group" / Const(b"\x80"),
    "items" / Prefixed(Byte, FocusedSeq("items", "items" / GreedyRange(PARAMETER), Terminated)),
    Terminated,
)
PARAMETER_TAGS: Final = {"max_info_tx": 5, "max_info_rx": 6, "window_tx": 7, "window_rx": 8}


def octets_at(layout: Any, name: str) -> int:
    """Offset of a field of a struct whose fields have fixed sizes.

    >>> octets_at(LMN_HEAD, "src"), octets_at(LMN_HEAD, "control")
    (4, 6)
    """
    offset = 0
    for field in layout.subcons:
        if field.name == name:
            return offset
        offset += field.sizeof()
    raise KeyError(name)


def bits_of(layout: Any, name: str) -> int:
    """Mask of a field of a bit struct, in the octets read as a big-endian number.

    >>> hex(bits_of(FORMAT, "segment")), hex(bits_of(FORMAT, "length")), hex(bits_of(CONTROL, "nr"))
    ('0x800', '0x7ff', '0xe0')
    """
    bits = sum(field.sizeof() for field in layout.subcon.subcons)
    for field in layout.subcon.subcons:
        bits -= field.sizeof()
        if field.name == name:
            return int(((1 << field.sizeof()) - 1) << bits)
    raise KeyError(name)


def read_parameters(block: bytes) -> dict[int, bytes]:
    r"""Tag to value of a parameter block.

    Raises:
        DecodeError: ``parameters``, not ``81 80 length`` and whole parameters of that length.

    >>> read_parameters(bytes.fromhex("8180030501FE"))
    {5: b'\xfe'}
    """
    try:
        return {item.tag: item.value for item in PARAMETERS.parse(block)["items"]}
    except ConstructError:
        detail = f"expected 81 80, a length and parameters of that length, found {block[:32].hex(' ') or 'nothing'}"
        raise DecodeError("parameters", detail, offset=0, source="wired LMN, section 5.4") from None
