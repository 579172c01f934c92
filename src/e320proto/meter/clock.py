"""The seconds counter: operating time, never a date, never backwards.

::

    first start   0 1 2 ... n   power fails   stored: n
    restart                     n+1 at the instant supply returns, n+2 one full second later, ...

It is strictly increasing through every sequence of outages, and stays at 2**32 - 1 when it gets there.

Source: E320 manual (start, storing, restart); details: base meter behaviour, section 6.
"""

from __future__ import annotations

from typing import Final

MOST: Final = (1 << 32) - 1
SECOND_MS: Final = 1_000


class SecondsCounter:
    """Counts while there is supply; times are in ms of one clock that never goes back.

    Args:
        stored: value stored when power failed last; ``None`` at the very first start.

    >>> counter = SecondsCounter(stored=1000)
    >>> counter.start(now_ms=5_000)
    >>> counter.at(5_999), counter.at(6_000)
    (1001, 1002)
    >>> counter.stop(7_500)
    >>> counter.stored
    1003
    """

    def __init__(self, stored: int | None = None) -> None:
        self.stored = stored
        self._since_ms = 0
        self._first = 0

    def start(self, now_ms: int) -> None:
        """Supply returns."""
        self._since_ms = now_ms
        self._first = 0 if self.stored is None else min(MOST, self.stored + 1)
        self.stored = self._first

    def at(self, now_ms: int) -> int:
        """The counter while there is supply."""
        return min(MOST, self._first + (now_ms - self._since_ms) // SECOND_MS)

    def stop(self, now_ms: int) -> None:
        """Power fails."""
        self.stored = self.at(now_ms)

    def next_tick_ms(self, now_ms: int) -> int:
        """When it counts next, after ``now_ms``."""
        return now_ms + SECOND_MS - (now_ms - self._since_ms) % SECOND_MS

    def reaches_ms(self, value: int) -> int:
        """When it reaches a value, if supply lasts; for a value it has not reached yet."""
        return self._since_ms + (value - self._first) * SECOND_MS
