"""Quarter hours: what the registers of energy counted between multiples of 900 s of the clock.

::

    clock    900                 1800                2700
    .........|o...................|o...................|o....
              ^ first telegram at or behind the edge: its reading is that of the edge

A reading is taken as it was sent, never made up. Where no telegram is near an edge, because of a gap or because the
capture begins or ends, the quarter hour is incomplete: then it tells what was counted between its own first and last
telegram.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e320proto.report.readings import counted
from e320proto.report.timeline import SECOND, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.report.readings import Readings
    from e320proto.report.timeline import Place, Stretch
    from e320proto.units import Quantity

QUARTER_MS: Final = 900 * SECOND


@dataclass(slots=True)
class Quarter:
    """A quarter hour.

    Args:
        clock: of its times.
        t_ms: its begin, a multiple of 900 s of the clock.
        x_ms: its begin on the axis.
        first: reading of its first telegram.
        last: reading of its last telegram.
        begin_step_ms: how far the telegrams around its begin are apart, 0 if one is on the edge; ``None`` if unknown.
        end: reading at its end, if there is one.
        end_step_ms: as ``begin_step_ms``, at its end.
        telegrams: in it.
    """

    clock: Clock
    t_ms: int
    x_ms: int
    first: Readings
    last: Readings
    begin_step_ms: int | None
    end: Readings | None = None
    end_step_ms: int | None = None
    telegrams: int = 1

    def complete(self, limit_ms: float) -> bool:
        """Whether there are readings at both of its edges.

        Args:
            limit_ms: telegrams farther apart have a gap between them.
        """
        return _near(self.begin_step_ms, limit_ms) and _near(self.end_step_ms, limit_ms)

    def energies(self, limit_ms: float) -> tuple[Quantity | None, Quantity | None]:
        """What was drawn from the grid and fed into it; ``None`` where the readings do not tell.

        Args:
            limit_ms: telegrams farther apart have a gap between them.
        """
        last = self.end if self.end is not None and _near(self.end_step_ms, limit_ms) else self.last
        if last is self.first:  # of a single telegram
            return None, None
        return counted(self.first.imported, last.imported), counted(self.first.exported, last.exported)


class Quarters:
    """Puts readings into quarter hours, in the order of the axis."""

    def __init__(self) -> None:
        self._all: list[Quarter] = []
        self._stretch: Stretch | None = None

    def __iter__(self) -> Iterator[Quarter]:
        """All of which a telegram tells more than the reading at its begin."""
        for quarter in self._all:
            if quarter.telegrams > 1 or quarter.end is not None or quarter.begin_step_ms != 0:
                yield quarter

    def add(self, place: Place, readings: Readings) -> None:
        """Take the readings of the next telegram in."""
        stretch = place.stretch
        if stretch.clock is Clock.NUMBER:
            return
        t_ms = place.t_ms // QUARTER_MS * QUARTER_MS
        step = 0 if place.t_ms == t_ms else None
        if stretch is self._stretch:
            quarter = self._all[-1]
            if quarter.t_ms == t_ms:
                quarter.last = readings
                quarter.telegrams += 1
                return
            if quarter.t_ms + QUARTER_MS == t_ms:
                step = place.step_ms if step is None else step
                quarter.end, quarter.end_step_ms = readings, step
        self._stretch = stretch
        self._all.append(Quarter(stretch.clock, t_ms, place.x_ms - place.t_ms + t_ms, readings, readings, step))


def _near(step_ms: int | None, limit_ms: float) -> bool:
    return step_ms is not None and step_ms <= limit_ms
