"""Checking all checksums of a frame whose layout is known: that of the frame and those of its three messages.

The plain way computes each over its octets, so all octets are read twice. That is what is done with
``fastcrc``. Where a pass over the octets is slow (``crcmod``), the frame's checksum is computed from
those of its messages. A CRC is affine: with all octets outside of the messages known, it is

    constant ^ M1(crc of message 1) ^ M2(crc of message 2) ^ M3(crc of message 3)

where each linear map M goes through two tables of 256 numbers, one for each octet of its argument.
What a bit of the argument does: the register behind the message differs in that bit, and so do the
octets of the checksum that follow; every other octet is the same. The register enters a reflected CRC
as if its octets were added to the next two, and ``kermit`` is the CRC whose constant is 0.

Source: linearity of CRCs; the tables are checked against the plain way in the tests.
"""

from __future__ import annotations

from array import array
from struct import Struct
from typing import TYPE_CHECKING, Final

from e320proto.crc import IMPLEMENTATION, X25_RESIDUE, kermit, x25

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Check = Callable[[bytes], bool]
    Spans = Sequence[tuple[int, int]]

CRC_OCTETS: Final = 2
_BITS: Final = 16


def make_check(raw: bytes, spans: Spans) -> Check:
    """Make the function that tells whether all checksums of a frame of this layout are right.

    It takes for granted that the frame has the skeleton of ``raw``.

    Args:
        raw: a frame with right checksums.
        spans: first octet of each of its three messages, and position of its checksum's TL octet.
    """
    return check_each(raw, spans) if IMPLEMENTATION == "fastcrc" else check_messages(raw, spans)


def check_each(raw: bytes, spans: Spans) -> Check:
    """The plain way: four checksums over octets."""
    parts = Struct(f"{_form(spans)}{len(raw) - spans[-1][1] - 1 - CRC_OCTETS}x").unpack

    def sound(raw: bytes) -> bool:
        first, crc_1, second, crc_2, third, crc_3 = parts(raw)
        return x25(raw) == X25_RESIDUE and x25(second) == crc_2 and x25(first) == crc_1 and x25(third) == crc_3

    return sound


def check_messages(raw: bytes, spans: Spans) -> Check:
    """The other way: three checksums over octets, and the frame's from them."""
    parts = Struct(f"{_form(spans)}{len(raw) - spans[-1][1] - 1 - 2 * CRC_OCTETS}xH").unpack
    (low_1, high_1), (low_2, high_2), (low_3, high_3) = (_tables(len(raw) - CRC_OCTETS - end) for _, end in spans)
    _, crc_1, _, crc_2, _, crc_3, crc = parts(raw)
    constant: int = (
        crc
        ^ (low_1[crc_1 & 255] ^ high_1[crc_1 >> 8])
        ^ (low_2[crc_2 & 255] ^ high_2[crc_2 >> 8])
        ^ (low_3[crc_3 & 255] ^ high_3[crc_3 >> 8])
    )

    def sound(raw: bytes) -> bool:
        first, crc_1, second, crc_2, third, crc_3, crc = parts(raw)
        if x25(second) != crc_2 or x25(first) != crc_1 or x25(third) != crc_3:
            return False
        computed = low_1[crc_1 & 255] ^ high_1[crc_1 >> 8] ^ low_2[crc_2 & 255] ^ high_2[crc_2 >> 8]
        difference: int = computed ^ low_3[crc_3 & 255] ^ high_3[crc_3 >> 8] ^ constant ^ crc
        return difference == 0

    return sound


def _form(spans: Spans) -> str:
    """Format of :mod:`struct` for the messages, each with its checksum; a TL octet is between the two."""
    form, at = "<", 0
    for start, end in spans:
        form += f"{start - at}x{end - start}sxH"
        at = end + 1 + CRC_OCTETS
    return form


def _tables(octets: int) -> tuple[array[int], array[int]]:
    """The map M of a message behind which so many octets of the frame are checked, for each octet of its checksum."""
    effects = []
    for bit in range(_BITS):
        low, high = (1 << bit).to_bytes(2, "little")
        behind = bytes((low, high ^ low, high)) + bytes(octets - 3)  # the TL octet, the checksum, all else
        effects.append(kermit(behind))
    return _table(effects[:8]), _table(effects[8:])


def _table(effects: list[int]) -> array[int]:
    """All sums of eight effects."""
    table = array("H", [0])
    for effect in effects:
        table.extend([sum_ ^ effect for sum_ in table])
    return table
