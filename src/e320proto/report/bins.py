"""Power and energy over the axis in a bounded number of bins, which keep the least and the greatest of every one.

::

    width 1 s    |..|..|..|..|..|..|..|..|      full, and another telegram comes:
    width 2 s    |.....|.....|.....|.....|      two and two are put together
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from e320proto.report.timeline import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.obis import ObisCode
    from e320proto.units import Quantity

MOST: Final = 1024
"""Bins of one meter; a plot on paper has no more columns."""


@dataclass(slots=True)
class Bin:
    """What was seen in a part of the axis.

    Args:
        least: power, W; only meaningful if ``count`` is not 0.
        greatest: the same.
        total: sum of the powers.
        count: telegrams with a power.
        trouble: places without a telegram.
        energies: last reading of each register of energy.
    """

    least: float = 0.0
    greatest: float = 0.0
    total: float = 0.0
    count: int = 0
    trouble: int = 0
    energies: Mapping[ObisCode, Quantity] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """The mean power, W."""
        return self.total / self.count if self.count else 0.0

    def add(self, watts: float) -> None:
        """Take a power in."""
        if not self.count:
            self.least = self.greatest = watts
        elif watts < self.least:
            self.least = watts
        elif watts > self.greatest:
            self.greatest = watts
        self.total += watts
        self.count += 1

    def merge(self, later: Bin) -> None:
        """Take the bin behind this one in."""
        if later.count:
            self.least = min(self.least, later.least) if self.count else later.least
            self.greatest = max(self.greatest, later.greatest) if self.count else later.greatest
        self.total += later.total
        self.count += later.count
        self.trouble += later.trouble
        self.energies = later.energies or self.energies


class Bins:
    """The bins of one meter, by their number on the axis; those in which nothing was seen are not there."""

    def __init__(self, most: int = MOST) -> None:
        self.width_ms = SECOND
        self.bins: dict[int, Bin] = {}
        self._most = most

    def at(self, x_ms: int) -> Bin:
        """The bin of a place on the axis, 0 or above; wider bins if there would be too many."""
        number = x_ms // self.width_ms
        if number >= self._most:
            while x_ms // self.width_ms >= self._most:
                self.width_ms *= 2
                self._halve()
            number = x_ms // self.width_ms
        found = self.bins.get(number)
        if found is None:
            found = self.bins[number] = Bin()
        return found

    def coarser(self, most: int) -> Bins:
        """The same in no more than so many bins."""
        copy = Bins(most)
        for number, one in self.bins.items():
            copy.at(number * self.width_ms).merge(one)
        # A bin holds what was seen up to its end.
        return copy if copy.width_ms >= self.width_ms else self

    def _halve(self) -> None:
        merged: dict[int, Bin] = {}
        for number, one in self.bins.items():
            if number // 2 in merged:
                merged[number // 2].merge(one)
            else:
                merged[number // 2] = one
        self.bins = merged
