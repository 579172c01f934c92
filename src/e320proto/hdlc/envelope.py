"""What all HDLC frames have: flags, the format field with its length, checksums; whatever their addresses are.

Source: wired LMN, section 2, rules F1 to F9 and R1 to R3; the same in IEC 62056-46.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from e320proto.crc import X25_RESIDUE, x25, x25_wire
from e320proto.errors import ChecksumError, DecodeError, EncodeError, TruncatedError
from e320proto.schema.hdlc import CHECKSUM, FLAG, FORMAT, bits_of

SEGMENT: Final = bits_of(FORMAT, "segment")
LENGTH: Final = bits_of(FORMAT, "length")
"""Mask of the length field, and so the greatest length."""
CHECKSUM_OCTETS: Final[int] = CHECKSUM.sizeof()
FORMAT_OCTETS: Final[int] = FORMAT.sizeof()

_FLAG: Final = FLAG[0]
_FORMAT: Final = int.from_bytes(FORMAT.build({"segment": False, "length": 0}))
_TYPE: Final = bits_of(FORMAT, "type")
_pack_checksum: Final = Struct(CHECKSUM.fmtstr).pack  # as the schema has it, without its way through streams
_SOURCE: Final = "wired LMN, section 2"


def seal(addresses: bytes, control: int, info: bytes, *, segment: bool) -> bytes:
    """Return a whole frame; the checksum of the head only where information follows it.

    Raises:
        EncodeError: ``length``, more information than the length field can tell.
    """
    octets = FORMAT_OCTETS + len(addresses) + 1 + CHECKSUM_OCTETS
    most = LENGTH - octets - CHECKSUM_OCTETS
    if len(info) > most:
        raise EncodeError("length", f"expected at most {most} octets of information", path="info", value=len(info))
    if info:
        octets += CHECKSUM_OCTETS + len(info)
    body = (_FORMAT | octets | (SEGMENT if segment else 0)).to_bytes(FORMAT_OCTETS) + addresses + bytes((control,))
    if info:
        body = b"".join((body, _pack_checksum(x25(body)), info))
    return b"".join((FLAG, body, _pack_checksum(x25(body)), FLAG))


def length_of(octets: bytes, at: int = 0) -> int:
    """Return the length field of the frame whose opening flag is at ``at``."""
    return (octets[at + 1] << 8 | octets[at + 2]) & LENGTH


def check_outline(octets: bytes, least: int, gap: int = 0) -> None:
    """See that octets are one frame as far as flags, type and length tell.

    ``least`` is the shortest length; ``gap`` is a longer one that there is not either.

    Raises:
        DecodeError: ``format``, ``length`` or ``framing``; the first that applies.
    """
    if octets[:1] != FLAG or len(octets) == 1 or octets[1] << 8 & _TYPE != _FORMAT:
        detail = f"expected a flag and a format field of type A, found {octets[:2].hex(' ') or 'nothing'}"
        raise DecodeError("format", detail, offset=0, source=_SOURCE)
    if len(octets) < 1 + FORMAT_OCTETS:
        raise cut(1, len(octets))
    length = length_of(octets)
    if (error := wrong_length(length, least, gap, 0)) is not None:
        raise error
    end = length + 1
    if len(octets) <= end:
        raise cut(end + 1 - len(octets), len(octets))
    if octets[end] != _FLAG:
        raise unclosed(octets[end], end)
    if len(octets) > end + 1:
        detail = f"expected the end behind the closing flag, found {len(octets) - end - 1} more octets"
        raise DecodeError("framing", detail, offset=end + 1, source=_SOURCE)


def wrong_length(length: int, least: int, gap: int, offset: int) -> DecodeError | None:
    """Return the error of a length that no frame has, if it is one; ``offset`` is that of the opening flag."""
    if length >= least and length != gap:
        return None
    detail = f"expected a length of at least {least}{f' and not {gap}' if gap else ''}, found {length}"
    return DecodeError("length", detail, offset=offset + 1, source=_SOURCE)


def cut(needed: int, offset: int) -> TruncatedError:
    """Return the error of a frame that ends too early, at ``offset``."""
    detail = f"expected {needed} more octets of the frame, found the end"
    return TruncatedError("framing", detail, needed=needed, offset=offset, source=_SOURCE)


def unclosed(found: int, offset: int) -> DecodeError:
    """Return the error of a frame that has something else where its closing flag should be, at ``offset``."""
    return DecodeError("framing", f"expected the closing flag 7E, found {found:02X}", offset=offset, source=_SOURCE)


def wrong_fcs(frame: bytes, offset: int) -> ChecksumError | None:
    """Return the error of the checksum of a frame with both flags, if it is wrong; ``offset`` is that of the first."""
    return (
        None if x25(frame[1:-1]) == X25_RESIDUE else _mismatch("fcs", frame, len(frame) - 1 - CHECKSUM_OCTETS, offset)
    )


def wrong_hcs(frame: bytes, head: int, offset: int) -> ChecksumError | None:
    """Return the error of the checksum of the head, whose octets are ``head``, if there is one and it is wrong."""
    place = 1 + head
    behind = place + CHECKSUM_OCTETS
    if behind + 1 == len(frame) or x25(frame[1:behind]) == X25_RESIDUE:
        return None
    return _mismatch("hcs", frame, place, offset)


def _mismatch(reason: str, frame: bytes, place: int, offset: int) -> ChecksumError:
    found = int.from_bytes(frame[place : place + CHECKSUM_OCTETS])
    return ChecksumError(reason, {"x25": x25_wire(frame[1:place])}, found, offset=offset + place, source=_SOURCE)
