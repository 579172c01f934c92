"""Numbers that the kernel and its callers agree on."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""All octets are decoded."""
UNKNOWN: Final = 1
"""The frame at the position is for the plain decoder."""
FULL: Final = 2
"""The batch has no room for the frame at the position."""

STREAM: Final = 0
POSITION: Final = 1
BASE: Final = 2
SOURCE: Final = 3
ROWS: Final = 4
TAKEN: Final = 5
"""Items of ``state``: stream, position in the data; position of its start in the stream; number of the first
stream; rows and telegrams so far."""

NONE: Final = 0
UNSIGNED: Final = 1
SIGNED: Final = 2
OCTETS: Final = 3

OTHER: Final = -2
"""Slot of a number without a column; -1 is the slot of what is no number."""
