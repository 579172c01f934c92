r"""Frames of the wired LMN: values and codec.

::

    offset  0   1   2   3   4   5   6   7   8   9   10 ...            10+n 11+n 12+n
          +---+-------+-------+-------+---+-------+-----  ~  -------+---------+----+
          |7E |format | dest  |  src  |ctl|HCS    | information (n) |FCS      | 7E |   L = 11 + n
          +---+-------+-------+-------+---+-------+-----  ~  -------+---------+----+
          |7E |format | dest  |  src  |ctl|FCS    |7E|    without information: no HCS, L = 9
          +---+-------+-------+-------+---+-------+--+

Nothing is escaped: 7E may stand inside, only the length L tells where a frame ends. Both checksums are
CRC-16/X-25, low octet first.

Source: wired LMN, sections 2 to 4. L = 11 (HCS, no information) is read, never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from e320proto.errors import DecodeError, EncodeError
from e320proto.hdlc.envelope import LENGTH, SEGMENT, check_outline, seal, wrong_fcs, wrong_hcs
from e320proto.schema.hdlc import CHECKSUM, CONTROL, CONTROL_KINDS, LMN_ADDRESS, LMN_HEAD, bits_of, octets_at

GATEWAY: Final = 1
"""Address of the gateway, the only primary station."""
METER_MIN: Final = 3
METER_MAX: Final = 0x7E
"""First and last address that a gateway gives to meters."""
BROADCAST: Final = 0x7F
"""Address of all meters."""
HEAD: Final[int] = LMN_HEAD.sizeof()
"""Octets from the format to the control field."""
LENGTH_MIN: Final[int] = HEAD + CHECKSUM.sizeof()
"""Length field of a frame without information."""
LENGTH_GAP: Final = LENGTH_MIN + 1
"""The length that a frame has neither with nor without information."""
INFO_MAX: Final[int] = LENGTH - HEAD - 2 * CHECKSUM.sizeof()
"""Most octets of information in one frame."""

_DEST: Final = 1 + octets_at(LMN_HEAD, "dest")
_SRC: Final = 1 + octets_at(LMN_HEAD, "src")
_CONTROL: Final = 1 + octets_at(LMN_HEAD, "control")
_INFO: Final[int] = 1 + HEAD + CHECKSUM.sizeof()
_TAIL: Final[int] = CHECKSUM.sizeof() + 1
_ADDRESS_BITS: Final = 7
_NR: Final = bits_of(CONTROL, "nr")
_NS: Final = bits_of(CONTROL, "ns")


class FrameKind(Enum):
    """Frame type, told by the control field; ``UNKNOWN`` is everything else.

    >>> FrameKind.SNRM
    <FrameKind.SNRM: 'SNRM'>
    """

    I = "I"  # noqa: E741 - its name in the standard
    RR = "RR"
    RNR = "RNR"
    REJ = "REJ"
    SNRM = "SNRM"
    DISC = "DISC"
    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    UI = "UI"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Address:
    """Address of the LMN: two octets.

    Args:
        address: station, 0 to 127: 1 the gateway, 3 to 126 meters, 127 all.
        selector: what the connection carries, 0 to 127; both addresses of a frame have the same.

    Source: wired LMN, section 3.

    >>> Address(68, 1)
    Address(address=68, selector=1)
    """

    address: int
    selector: int


@dataclass(frozen=True, slots=True)
class Control:
    """Control field, modulo 8.

    Args:
        kind: frame type.
        poll_final: P of a command, F of an answer.
        ns: N(S), 0 to 7, in I frames.
        nr: N(R), 0 to 7, in I, RR, RNR and REJ. In ``UNKNOWN`` ones ``nr`` is bits 7 to 5, ``ns`` bits 3 to 1.

    Source: wired LMN, section 4.

    >>> control = Control(FrameKind.I, ns=1, nr=2)
    >>> f"{control.octet:02X}", Control.decode(0x52) == control
    ('52', True)
    """

    kind: FrameKind
    poll_final: bool = True
    ns: int = 0
    nr: int = 0

    @property
    def octet(self) -> int:
        """The field as it is sent.

        Raises:
            EncodeError: ``control``, a number out of 0 to 7, or one that this type does not have.
        """
        for path in ("ns", "nr"):
            if not is_number(getattr(self, path), 3):
                raise EncodeError("control", "expected 0 to 7", path=f"control.{path}", value=getattr(self, path))
        return _control_octet(self)

    @staticmethod
    def decode(octet: int) -> Control:
        """Return the meaning of an octet; there is none without.

        >>> Control.decode(0x93)
        Control(kind=<FrameKind.SNRM: 'SNRM'>, poll_final=True, ns=0, nr=0)
        """
        return _control(octet)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the LMN.

    Args:
        dest: where it goes.
        src: where it comes from.
        control: type and numbers.
        info: information, at most 2036 octets.
        segment: S of the format field: another segment follows.

    Source: wired LMN, section 2.

    >>> encode_frame(Frame(Address(68, 1), Address(GATEWAY, 1), Control(FrameKind.SNRM))).hex(" ", 2)
    '7e a009 8803 0203 93e7 807e'
    """

    dest: Address
    src: Address
    control: Control
    info: bytes = b""
    segment: bool = False


def encode_frame(frame: Frame) -> bytes:
    """Return the octets of a frame, with both flags.

    Raises:
        EncodeError: ``address``, ``control`` or ``length``: a value out of its range; ``path`` names it.

    >>> len(encode_frame(Frame(Address(BROADCAST, 1), Address(GATEWAY, 1), Control(FrameKind.UI), bytes(32))))
    45
    """
    addresses = _address_octets(frame.dest, "dest") + _address_octets(frame.src, "src")
    return seal(addresses, frame.control.octet, frame.info, segment=frame.segment)


def decode_frame(data: bytes | bytearray | memoryview) -> Frame:
    """Return the frame that octets are: flag, frame, flag, and nothing else.

    Raises:
        DecodeError: ``format``, ``length``, ``framing``, ``fcs``, ``hcs`` or ``address``; the first that applies.

    >>> decode_frame(bytes.fromhex("7EA009020388037382DE7E")).control.kind
    <FrameKind.UA: 'UA'>
    """
    octets = bytes(memoryview(data))
    check_outline(octets, LENGTH_MIN, LENGTH_GAP)
    if wrong := wrong_fcs(octets, 0) or wrong_hcs(octets, HEAD, 0):
        raise wrong
    return read_checked(octets)


def read_checked(octets: bytes, offset: int = 0) -> Frame:
    """Return the frame of octets whose flags, length and checksums are right.

    Raises:
        DecodeError: ``address``; ``offset`` is that of the first octet.
    """
    try:
        dest, src = _address(octets[_DEST:_SRC]), _address(octets[_SRC:_CONTROL])
    except ValueError:
        found = octets[_DEST:_CONTROL].hex(" ")
        detail = f"expected addresses of two octets, bit 0 of the first 0 and of the second 1, found {found}"
        raise DecodeError("address", detail, offset=offset + _DEST, source="wired LMN, section 3") from None
    info = octets[_INFO:-_TAIL]
    return Frame(dest, src, _control(octets[_CONTROL]), info, (octets[1] << 8 & SEGMENT) != 0)


@lru_cache(maxsize=1 << 2 * _ADDRESS_BITS)  # all there are
def _address(octets: bytes) -> Address:
    if octets[0] & 1 or not octets[1] & 1:
        raise ValueError
    fields = LMN_ADDRESS.parse(octets)
    return Address(fields.address, fields.selector)


def _address_octets(address: Address, path: str) -> bytes:
    for name in ("address", "selector"):
        number = getattr(address, name)
        if not is_number(number, _ADDRESS_BITS):
            raise EncodeError("address", "expected 0 to 127", path=f"{path}.{name}", value=number)
    return _built_address(address.address, address.selector)


@lru_cache(maxsize=1024)
def _built_address(address: int, selector: int) -> bytes:
    return bytes(LMN_ADDRESS.build({"address": address, "selector": selector}))


def is_number(value: object, bits: int) -> bool:
    """Whether it is an integer of so many bits; a boolean is none.

    >>> is_number(7, 3), is_number(8, 3), is_number(True, 3), is_number(-1, 3)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << bits


@lru_cache(maxsize=256)
def _control(octet: int) -> Control:
    fields = CONTROL.parse(bytes((octet,)))
    for name, (mask, value) in CONTROL_KINDS.items():
        if octet & mask == value:
            return Control(
                FrameKind(name), fields.poll_final, 0 if mask & _NS else fields.ns, 0 if mask & _NR else fields.nr
            )
    return Control(FrameKind.UNKNOWN, fields.poll_final, fields.ns, fields.nr)


@lru_cache(maxsize=1024)
def _control_octet(control: Control) -> int:
    _, value = CONTROL_KINDS.get(control.kind.value, (0, 1))
    fields = CONTROL.build(
        {"nr": control.nr, "poll_final": control.poll_final, "ns": control.ns, "not_information": False}
    )
    octet = int(fields[0]) | value
    if _control(octet) != control:
        detail = f"expected numbers that the type {control.kind.name} has"
        raise EncodeError("control", detail, path="control", value=control)
    return octet
