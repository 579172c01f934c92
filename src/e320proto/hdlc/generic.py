"""Frames with the addresses of IEC 62056-46, which DLMS meters use; the LMN has addresses of its own.

====== ======================================== =====================
octets layout, bit 0 is 1 in the last one only  example
====== ======================================== =====================
1      upper, 7 bits                            10: ``21``
2      upper 7, lower 7                         1 / 11: ``02 23``
4      upper 14, lower 14, high bits first      1 / 11: ``00 02 00 23``
====== ======================================== =====================

Which of the two kinds of addresses a line has cannot be told from its frames: choose. The octets E6 E6 00 or E6 E7 00
(LLC) in front of the content are left in the information; some meters send none, some several.

Source: wired LMN, section 9; IEC 62056-46 as far as generally known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from e320proto.errors import DecodeError, EncodeError
from e320proto.hdlc.envelope import (
    CHECKSUM_OCTETS,
    FORMAT_OCTETS,
    SEGMENT,
    check_outline,
    length_of,
    seal,
    wrong_fcs,
    wrong_hcs,
    wrong_length,
)
from e320proto.hdlc.frame import Control, is_number
from e320proto.schema.hdlc import HDLC_ADDRESS

_BITS: Final = {1: 7, 2: 7, 4: 14}
_HALF: Final = 7
_START: Final = 1 + FORMAT_OCTETS
_LENGTH_MIN: Final = FORMAT_OCTETS + 3 + CHECKSUM_OCTETS
_SOURCE: Final = "wired LMN, section 9"


@dataclass(frozen=True, slots=True)
class HdlcAddress:
    """Address of IEC 62056-46.

    Args:
        upper: client, or logical device of a server; 7 bits, in addresses of four octets 14.
        lower: physical device, as many bits; ``None`` in addresses of one octet.
        octets: 1, 2 or 4.

    >>> encode_hdlc_address(HdlcAddress(1, 17, 4)).hex(" "), encode_hdlc_address(HdlcAddress(16)).hex()
    ('00 02 00 23', '21')
    """

    upper: int
    lower: int | None = None
    octets: int = 1


@dataclass(frozen=True, slots=True)
class HdlcFrame:
    """One frame with such addresses; the other fields are those of :class:`e320proto.hdlc.Frame`.

    >>> decode_hdlc_frame(bytes.fromhex("7EA00802232193BD647E")).dest
    HdlcAddress(upper=1, lower=17, octets=2)
    """

    dest: HdlcAddress
    src: HdlcAddress
    control: Control
    info: bytes = b""
    segment: bool = False


def encode_hdlc_address(address: HdlcAddress, path: str = "address") -> bytes:
    """Return the octets of an address.

    Raises:
        EncodeError: ``address``, a part out of range, missing or too many; ``path`` begins the name of the part.
    """
    if not is_number(address.octets, 3) or address.octets not in _BITS:
        raise EncodeError("address", "expected 1, 2 or 4 octets", path=f"{path}.octets", value=address.octets)
    bits = _BITS[address.octets]
    parts = {"upper": address.upper} | ({} if address.octets == 1 else {"lower": address.lower})
    for name, number in parts.items():
        if not is_number(number, bits):
            detail = f"expected 0 to {(1 << bits) - 1} in {address.octets} octets"
            raise EncodeError("address", detail, path=f"{path}.{name}", value=number)
    if len(parts) == 1 and address.lower is not None:
        raise EncodeError("address", "expected none in 1 octet", path=f"{path}.lower", value=address.lower)
    halves = {
        f"{name}_{half}": (number or 0) >> shift & 0x7F
        for name, number in parts.items()
        for half, shift in (("high", _HALF), ("low", 0))
    }
    return bytes(HDLC_ADDRESS[address.octets].build(parts if address.octets != max(_BITS) else halves))


def decode_hdlc_address(data: bytes, offset: int = 0) -> HdlcAddress:
    """Return the address at an offset; ``octets`` tells how long it is.

    Raises:
        DecodeError: ``address``, the last octet is missing or the third or beyond the fourth.

    >>> decode_hdlc_address(bytes.fromhex("02024869"))
    HdlcAddress(upper=129, lower=4660, octets=4)
    """
    octets = next((count for count, octet in enumerate(data[offset : offset + max(_BITS)], 1) if octet & 1), 0)
    if octets not in _BITS:
        found = data[offset : offset + max(_BITS)].hex(" ") or "nothing"
        detail = f"expected an address of 1, 2 or 4 octets, bit 0 being 1 in the last one only, found {found}"
        raise DecodeError("address", detail, offset=offset, source=_SOURCE)
    fields = HDLC_ADDRESS[octets].parse(data[offset : offset + octets])
    if octets == max(_BITS):
        upper, lower = (fields[f"{name}_high"] << _HALF | fields[f"{name}_low"] for name in ("upper", "lower"))
        return HdlcAddress(upper, lower, octets)
    return HdlcAddress(fields.upper, fields.get("lower"), octets)


def encode_hdlc_frame(frame: HdlcFrame) -> bytes:
    """Return the octets of a frame, with both flags.

    Raises:
        EncodeError: ``address``, ``control`` or ``length``: a value out of its range; ``path`` names it.
    """
    addresses = encode_hdlc_address(frame.dest, "dest") + encode_hdlc_address(frame.src, "src")
    return seal(addresses, frame.control.octet, frame.info, segment=frame.segment)


def decode_hdlc_frame(data: bytes | bytearray | memoryview) -> HdlcFrame:
    """Return the frame that octets are: flag, frame, flag, and nothing else.

    Raises:
        DecodeError: ``format``, ``length``, ``framing``, ``fcs``, ``address`` or ``hcs``; the first that applies. What
            is too short for its own addresses is ``length``.

    >>> decode_hdlc_frame(bytes.fromhex("7EA0070321930F017E")).src.upper
    16
    """
    octets = bytes(memoryview(data))
    check_outline(octets, _LENGTH_MIN)
    if wrong := wrong_fcs(octets, 0):
        raise wrong
    dest = decode_hdlc_address(octets, _START)
    src = decode_hdlc_address(octets, _START + dest.octets)
    head = FORMAT_OCTETS + dest.octets + src.octets + 1
    if short := wrong_length(length_of(octets), head + CHECKSUM_OCTETS, head + CHECKSUM_OCTETS + 1, 0):
        raise short
    if wrong := wrong_hcs(octets, head, 0):
        raise wrong
    info = octets[head + 1 + CHECKSUM_OCTETS : -1 - CHECKSUM_OCTETS]
    return HdlcFrame(dest, src, Control.decode(octets[head]), info, bool(octets[1] << 8 & SEGMENT))
