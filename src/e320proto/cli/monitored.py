"""What a monitor knows of one line: its last telegram, its power of the last while, what is wrong with it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e320proto.live.diagnosis import diagnose
from e320proto.sml.wording import meter_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.aio import MeterReader
    from e320proto.errors import E320Error
    from e320proto.live.findings import Finding
    from e320proto.live.line import LineStats
    from e320proto.sml.telegram import Telegram

POWERS: Final = 512
"""Powers that are kept, one for each second: more than any terminal is wide."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line at one moment, for a screen.

    Args:
        url: as given.
        state: of its reader, in a word.
        error: why it is not open.
        telegram: the last one.
        powers: watts of the last seconds, ``None`` for seconds without a telegram.
        stats: counts.
        findings: what is wrong, the worst first.
    """

    url: str
    state: str
    error: E320Error | None
    telegram: Telegram | None
    powers: Sequence[float | None]
    stats: LineStats
    findings: Sequence[Finding]

    @property
    def name(self) -> str:
        """The name of the meter, else of the line."""
        return self.url if self.telegram is None else meter_words(self.telegram.server_id)


class Monitored:
    """One line that is watched."""

    def __init__(self, reader: MeterReader) -> None:
        self.reader = reader
        self._telegram: Telegram | None = None
        self._powers: deque[float | None] = deque(maxlen=POWERS)
        self._second: int | None = None

    def heard(self, telegram: Telegram, at: float) -> None:
        """A telegram arrived; ``at`` in Unix time, s."""
        self._telegram = telegram
        power = telegram.net_power
        watts = None if power is None else float(power)
        missed = 0 if self._second is None else int(at) - self._second
        if missed <= 0 and self._powers:
            self._powers.pop()  # the last of a second stands for it
        else:
            self._powers.extend([None] * min(missed - 1, POWERS))
        self._powers.append(watts)
        self._second = int(at) if missed >= 0 else self._second

    @property
    def facts(self) -> LineFacts:
        """What is known now."""
        stats = self.reader.stats
        return LineFacts(
            url=self.reader.url,
            state=self.reader.state.value,
            error=self.reader.error,
            telegram=self._telegram,
            powers=tuple(self._powers),
            stats=stats,
            findings=tuple(diagnose(stats)),
        )
