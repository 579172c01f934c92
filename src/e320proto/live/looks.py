"""What octets look like that make no telegram."""

from __future__ import annotations

from enum import Enum

from e320proto.crc import X25_RESIDUE, x25


class Looks(Enum):
    """What octets look like."""

    GARBAGE = "garbage"


def looks_like(octets: bytes) -> Looks | None:
    """Say what octets look like."""
    return None


def is_doubled(raw: bytes) -> bool:
    """Whether a frame is right if each FF FF is one FF, as telnet sends it."""
    return b"\xff\xff" in raw and x25(raw.replace(b"\xff\xff", b"\xff")) == X25_RESIDUE
