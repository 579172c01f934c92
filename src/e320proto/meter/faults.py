"""The error register: F.F.

::

    31      24 23      16 15       8 7        0
    |time base| access   | checksum | other    |     four groups of two hex digits on the display

Critical errors are stored, show F.F on the display and set bit 17 of the status word; only a command
over communication clears them. Communication errors end by themselves and are not stored. Several
errors are one number.

Source: E320 manual (classes, storing, clearing); the bits are a decision of this project, because the
manual shows them as a picture only. Groups as in other families of the same maker.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final


class Fault(IntFlag):
    """One error.

    >>> f"{Fault.TIME_BASE | Fault.LMN:08X}"
    '01000010'
    """

    TIME_BASE = 1 << 24
    """The oscillator."""
    MAIN_MEMORY = 1 << 16
    """Access to the main memory."""
    MEASURING_SYSTEM = 1 << 17
    """Access to the measuring system."""
    NON_VOLATILE_MEMORY = 1 << 18
    """Access to the non-volatile memory."""
    FIRMWARE_CHECKSUM = 1 << 8
    REGISTER_CHECKSUM = 1 << 9
    """Checksum of the stored registers."""
    PARAMETER_CHECKSUM = 1 << 10
    START_UP = 1 << 0
    """The start was disturbed."""
    LMN = 1 << 4
    """Communication on the LMN."""
    INFO = 1 << 5
    """Communication at the INFO output."""


COMMUNICATION: Final = Fault.LMN | Fault.INFO
CRITICAL: Final = Fault(sum(Fault)) & ~COMMUNICATION
