"""How far telegrams of a meter are apart as a rule, and where they are farther apart: the gaps.

The usual interval is the median. Longer than one and a half of it is a gap. Where more than one interval in a hundred
(of few intervals: one in five) is up to two and a half times the usual one, that is how this meter sends: a counter of
whole seconds that skips one now and then. Only what is longer is a gap then.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.report.readings import Readings
    from e320proto.report.timeline import Clock

KEPT: Final = 1000
"""The longest intervals are kept, so many of them; the others are counted."""

_ENOUGH: Final = 100
_DIGITS: Final = 100  # two digits of an interval make its bucket


class Interval(NamedTuple):
    """The time between two telegrams.

    Args:
        length_ms: of it.
        order: number of the telegram at its end; negative, so that of equal ones the earlier are kept.
        clock: that told the times.
        x_ms: its begin on the axis.
        t_ms: its begin on the clock.
        before: readings at its begin.
        after: readings at its end.
    """

    length_ms: int
    order: int
    clock: Clock
    x_ms: int
    t_ms: int
    before: Readings
    after: Readings


class Intervals:
    """Counts intervals and keeps the longest."""

    def __init__(self) -> None:
        self._lengths: Counter[int] = Counter()
        self._longest: list[Interval] = []

    def wants(self, length_ms: int) -> bool:
        """Count an interval; tell whether it is long enough to be kept.

        None at all is not counted: several telegrams came within what the clock can tell.
        """
        if not length_ms:
            return False
        self._lengths[_bucket(length_ms)] += 1
        return len(self._longest) < KEPT or length_ms > self._longest[0].length_ms

    def keep(self, interval: Interval) -> None:
        """Keep an interval, in place of the shortest if there are enough."""
        if len(self._longest) < KEPT:
            heapq.heappush(self._longest, interval)
        else:
            heapq.heappushpop(self._longest, interval)

    @property
    def usual_ms(self) -> int | None:
        """The median, to two digits; ``None`` without any interval."""
        half = -(-self._lengths.total() // 2)
        for length_ms, count in sorted(self._lengths.items()):
            half -= count
            if half <= 0:
                return length_ms
        return None

    @property
    def limit_ms(self) -> float:
        """What is longer is a gap."""
        usual, total = self.usual_ms, self._lengths.total()
        if usual is None:
            return 0
        limit, most = 1.5 * usual, 2.5 * usual
        often = sum(count for length_ms, count in self._lengths.items() if limit < length_ms <= most)
        share = 100 if total >= _ENOUGH else 5
        return most if often * share > total else limit

    @property
    def gap_count(self) -> int:
        """How many gaps there are, whether they were kept or not."""
        limit = self.limit_ms
        return sum(count for length_ms, count in self._lengths.items() if length_ms > limit)

    def gaps(self) -> Iterator[Interval]:
        """The gaps that were kept, in order."""
        limit = self.limit_ms
        kept = [interval for interval in self._longest if _bucket(interval.length_ms) > limit]
        yield from sorted(kept, key=lambda interval: -interval.order)


def _bucket(length_ms: int) -> int:
    """The length to two digits.

    >>> _bucket(999), _bucket(1004), _bucket(4), _bucket(123_456)
    (1000, 1000, 4, 120000)
    """
    unit = 1
    while length_ms >= _DIGITS * unit:
        unit *= 10
    return (length_ms + unit // 2) // unit * unit
