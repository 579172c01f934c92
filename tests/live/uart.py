"""A UART in slow motion: octets to levels of a line, and levels to octets, each end set as it likes.

The line is at rest at 1. The receiver waits for a falling edge, samples in the middle of each bit, and gives the
octet whatever the bit at the place of the stop bit is, as the drivers do that programs read from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TICKS: Final = 460_800
"""Samples of the line in a second: a multiple of all usual rates."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How an end is set: rate in bit/s, bits of an octet, whether even parity follows them."""

    baud: int = 9600
    bits: int = 8
    parity: bool = False


INFO: Final = Setting()


def levels(octets: bytes, setting: Setting = INFO, *, inverted: bool = False, rest_s: float = 0.02) -> bytes:
    """The line while octets are sent without pauses, at rest before and behind them."""
    bits = bytearray()
    for octet in octets:
        data = [octet >> place & 1 for place in range(setting.bits)]
        bits += bytes((0, *data, *([sum(data) & 1] if setting.parity else []), 1))
    length = TICKS // setting.baud
    line = b"".join((b"\0" if bit == 0 else b"\1") * length for bit in bits)
    rest = b"\1" * round(rest_s * TICKS)
    line = rest + line + rest
    return line.translate(b"\1\0" + bytes(254)) if inverted else line


def received(line: bytes, setting: Setting = INFO, *, late: int = 0) -> bytes:
    """The octets that a port makes of a line; it samples in the middle of its bits, or so many sixteenths later."""
    length = TICKS // setting.baud
    stop = 1 + setting.bits + setting.parity
    octets, at = bytearray(), 0
    while (at := line.find(b"\1\0", at)) >= 0:
        middle = at + 1 + (8 + late) * length // 16
        if line[middle : middle + 1] == b"\1":  # no start bit
            at = middle
            continue
        sampled = line[middle : middle + stop * length : length].ljust(stop, b"\1")
        octets.append(sum(bit << place for place, bit in enumerate(sampled[1 : 1 + setting.bits])))
        at = middle + stop * length
    return bytes(octets)
