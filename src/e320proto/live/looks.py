r"""What octets look like that make no telegram: another protocol, a port that is set wrong, stray light.

A UART that is set wrong still gives octets, and which ones can be worked out. The start of a telegram is the
best witness, because the line was at rest before it. Where the sender is slower than the port, each of its bits is
two or more of the port's::

    sent at half the rate   _____     ~~~~~~~~~~ ...
    the port sees           0 0 1 1 1 1 0 0 ...      start bit, then bit 0 is 0 as well, then pairs of equal bits

So such octets are sixteen of 256. The other patterns are the start as a UART sees it that is set wrong; a test has
one, and works them out.

Source: bit order and framing of asynchronous serial lines; the limits are decisions of this project.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from e320proto.crc import X25_RESIDUE, x25
from e320proto.hdlc.envelope import length_of
from e320proto.schema.hdlc import FLAG
from e320proto.sml.transport import START


class Looks(Enum):
    """What octets look like; the values are words of findings."""

    ZEROS = "zeros"
    """Nearly all are 00."""
    ONES = "ones"
    """Nearly all are FF."""
    SEVEN_BIT = "seven_bit"
    """SML without bit 7."""
    SLOW_SENDER = "slow_sender"
    """Sent at half the rate of the port, or slower still."""
    FAST_SENDER = "fast_sender"
    """Sent at twice the rate of the port."""
    PARITY = "parity"
    """Sent without parity to a port that expects it."""
    INVERTED = "inverted"
    """Light and dark are exchanged."""
    D0 = "d0"
    """Text of IEC 62056-21."""
    P1 = "p1"
    """Text of a DSMR P1 port, which is much like D0."""
    HEX_TEXT = "hex_text"
    """Octets written as hex digits."""
    TEXT = "text"
    """Other text."""
    HDLC = "hdlc"
    """Frames of HDLC: DLMS or the LMN."""
    GARBAGE = "garbage"
    """None of these, and no start of a telegram."""


LIGHT_LEAST: Final = 32
"""Octets that tell steady light from a quiet telegram."""
LEAST: Final = 64
"""Octets that tell everything else."""
SEVEN_BIT_LEAST: Final = 128
"""Octets of a telegram that cannot all lack bit 7 by chance: each code of a register ends with FF."""
STRAY: Final = 20
"""One octet of so many may be another one."""

PAIRS: Final = bytes(octet for octet in range(256) if not octet & 1 and not (octet ^ octet >> 1) & 0b0010_1010)
"""What a port sees of a sender at half the rate, or slower: bit 0 like the start bit, then pairs of equal bits."""
SEEN_AS: Final = (
    (bytes.fromhex("7272 7272 7f7f 7f7f"), Looks.INVERTED),
    (bytes.fromhex("e4e4 e4e4 fefe fefe"), Looks.INVERTED),  # by a converter that exchanges the bits of each octet
    (bytes.fromhex("6b6b 8c"), Looks.FAST_SENDER),  # two bits in one: the port sees the second,
    (bytes.fromhex("6363 0000"), Looks.FAST_SENDER),  # or the first
    (bytes.fromhex("1ba3 b401 4001"), Looks.PARITY),
)
"""What the start of a telegram looks like to a port that is set wrong."""

_TEXT: Final = bytes((*b"\t\r\n\x02\x03\x04\x06", *range(0x20, 0x7F)))  # and STX, ETX, EOT, ACK of D0
_WITHOUT_BIT_7: Final = bytes(octet & 0x7F for octet in range(256))
_HEX: Final = b"0123456789ABCDEFabcdef \t:\r\n"
_D0: Final = re.compile(rb"/[A-Za-z]{3}[0-9]|[0-9A-F]+\.[0-9A-F]+(?:\.[0-9A-F]+)?(?:\*[0-9]+)?\([^()\r\n]*\)\r?\n")
_P1: Final = re.compile(rb"^![0-9A-F]{4}\r?\n|1-3:0\.2\.8\(", re.MULTILINE)
_OPENING: Final = re.compile(rb"\x7e[\xa0-\xaf]")
_IAC: Final = b"\xff"


def looks_like(octets: bytes) -> Looks | None:
    r"""Say what octets look like that made no telegram.

    Args:
        octets: all that were heard since the last telegram, or the last of them.

    Returns:
        What they look like; ``None`` where they are too few, or telegrams begin in them.

    >>> looks_like(b"/LGZ5E320-AMxD\r\n\r\n1-0:1.8.0*255(00012345.6*kWh)\r\n1-0:2.8.0*255(000"), looks_like(bytes(32))
    (<Looks.D0: 'd0'>, <Looks.ZEROS: 'zeros'>)
    """
    if (light := _steady_light(octets)) is not None:
        return light
    if len(octets) < LEAST:
        return None
    start = octets.find(START)
    if start >= 0:
        telegram = octets[start:]
        return Looks.SEVEN_BIT if len(telegram) >= SEVEN_BIT_LEAST and telegram.isascii() else None
    text = octets.translate(_WITHOUT_BIT_7)  # where text has parity, that is bit 7
    return _kind_of_text(text) if _only(_TEXT, text) else _kind_of_signal(octets)


def _steady_light(octets: bytes) -> Looks | None:
    if len(octets) < LIGHT_LEAST:
        return None
    if _only(b"\x00", octets):
        return Looks.ZEROS
    return Looks.ONES if _only(b"\xff", octets) else None


def _kind_of_signal(octets: bytes) -> Looks:
    for pattern, looks in SEEN_AS:
        if pattern in octets:
            return looks
    if _has_hdlc(octets):
        return Looks.HDLC
    return Looks.SLOW_SENDER if _only(PAIRS, octets) else Looks.GARBAGE


def _only(allowed: bytes, octets: bytes) -> bool:
    """Whether nearly all octets are of those."""
    return len(octets.translate(None, allowed)) * STRAY <= len(octets)


def _kind_of_text(text: bytes) -> Looks:
    if _only(_HEX, text):
        return Looks.HEX_TEXT
    if _P1.search(text):
        return Looks.P1
    return Looks.D0 if _D0.search(text) else Looks.TEXT


def _has_hdlc(octets: bytes) -> bool:
    """Whether there is a whole frame with a right checksum."""
    for match in _OPENING.finditer(octets, 0, len(octets) - 2):
        begin = match.start() + 1
        end = begin + length_of(octets, match.start())
        if octets[end : end + 1] == FLAG and x25(octets[begin:end]) == X25_RESIDUE:
            return True
    return False


def is_doubled(raw: bytes) -> bool:
    r"""Whether a frame with a wrong checksum is right if each FF FF is one FF, as telnet sends it.

    >>> from e320proto import encode_transport
    >>> is_doubled(encode_transport(b"a telegram with an \xff").replace(b"\xff", b"\xff\xff"))
    True
    """
    return _IAC * 2 in raw and x25(raw.replace(_IAC * 2, _IAC)) == X25_RESIDUE
