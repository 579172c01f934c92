"""What is wrong with a line, in words: from counts to sentences that say what is seen and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from e320proto.live.line import LineStats


SILENT_S: Final = 8


class Severity(Enum):
    """How bad a finding is."""

    FAULT = "fault"
    """No telegrams arrive, or none that can be trusted to be of now."""
    WARNING = "warning"
    """Telegrams arrive, but some are lost or doubtful."""
    NOTE = "note"
    """Nothing is wrong; good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a line.

    Args:
        word: stable name for programs, such as ``"seven_bit"``.
        text: one sentence for people: what is seen, and what to do.
        severity: how bad it is.
    """

    word: str
    text: str
    severity: Severity


def diagnose(stats: LineStats) -> list[Finding]:
    """Say what is wrong with a line, the worst first; nothing if all is well."""
    if stats.is_open and stats.silent_s >= SILENT_S:
        text = f"no light for {stats.silent_s:.0f} s: nothing arrives, look whether the head sits on the meter"
        return [Finding("silent", text, Severity.FAULT)]
    return []
