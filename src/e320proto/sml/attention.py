"""Attention numbers: what the answer to a write, or to a request that failed, says.

Source: SML 1.03, SML_Attention; two public implementations agree on all but FE15.
"""

from __future__ import annotations

from typing import Final

ATTENTION_PREFIX: Final = bytes.fromhex("8181c7c7")
ATTENTION_NUMBERS: Final = {
    0xFD00: "done",
    0xFD01: "accepted, done later",
    0xFE00: "error, not specified",
    0xFE01: "unknown SML designator",
    0xFE02: "not authorised",
    0xFE03: "server id not reachable",
    0xFE04: "reqFileId not available",
    0xFE05: "attribute cannot be written",
    0xFE06: "attribute cannot be read",
    0xFE07: "communication with the measuring point disturbed",
    0xFE08: "raw data cannot be interpreted",
    0xFE09: "value out of range",
    0xFE0A: "order not executed",
    0xFE0B: "checksum wrong",
    0xFE0C: "broadcast not supported",
    0xFE0D: "unexpected message",
    0xFE0E: "object not in the profile",
    0xFE0F: "data type not supported",
    0xFE10: "optional element not supported",
    0xFE11: "profile has no entry",
    0xFE12: "end limit before begin limit",
    0xFE13: "no entry in the asked range",
    0xFE14: "file without Close",
    0xFE15: "busy",
}
"""Last two octets of ``attention_no`` to their meaning; an open set."""
