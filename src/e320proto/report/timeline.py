"""The time axis of a meter: what its telegrams say of time, or who recorded them, put on one line.

::

    time       1000  1001  1002      5    6    7           a counter that begins anew: nobody knows how long it was off
                |     |     |        |    |    |
    axis        0     1s    2s  |    3s   4s   5s
                 stretch        ^break     stretch

Within a stretch the distances are those of its clock. A clock that runs backwards, comes around or gives way to another
one begins a new stretch, which is put behind the one before, whatever time may have gone by.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.sml.messages import LocalTimestamp, SecIndex, Timestamp
from e320proto.sml.wording import moment

if TYPE_CHECKING:
    from e320proto.sml.telegram import Telegram

SECOND: Final = 1000
"""One second on the axis, which counts milliseconds."""

STRETCHES: Final = 200
"""Stretches of one meter; when there are more, its telegrams are only numbered from there on."""

_COUNTER_END: Final = 2**32 * SECOND
_AROUND: Final = 86_400 * SECOND  # a counter that falls by nearly all it can count came around


class Clock(Enum):
    """Where times come from."""

    ARRIVAL = "times of arrival, noted by who recorded them, in UTC"
    DATE = "the date and time the meter sent, in UTC"
    COUNTER = "the meter's own counter of seconds, which is no date"
    NUMBER = "the number of the telegram, because neither meter nor recording tell a time"

    @property
    def dated(self) -> bool:
        """Whether its times are dates: milliseconds since 1970."""
        return self in {Clock.ARRIVAL, Clock.DATE}


class Break(Enum):
    """Why a stretch begins."""

    BEGIN = "the capture begins"
    BACK = "the clock ran backwards: the meter was without power, its clock was set, or captures are not in order"
    AROUND = "the counter of seconds came to its end and began at 0"
    CLOCK = "times come from another clock"
    MANY = "the clock ran backwards too often: from here on telegrams are only numbered"


@dataclass(slots=True)
class Stretch:
    """A part of the axis in which one clock runs forward.

    Args:
        clock: which one.
        why: what made it begin.
        x_ms: where it begins on the axis.
        t_ms: what the clock showed there.
        end_ms: where it ends on the axis.
    """

    clock: Clock
    why: Break
    x_ms: int
    t_ms: int
    end_ms: int

    def time_at(self, x_ms: int) -> int:
        """What the clock showed at a place of the axis."""
        return self.t_ms + x_ms - self.x_ms

    @property
    def end_t_ms(self) -> int:
        """What the clock showed at the end."""
        return self.time_at(self.end_ms)


class Place(NamedTuple):
    """Where a telegram is.

    Args:
        x_ms: on the axis.
        t_ms: on its clock.
        stretch: the one it is in.
        step_ms: from the telegram before; ``None`` if nobody knows.
    """

    x_ms: int
    t_ms: int
    stretch: Stretch
    step_ms: int | None


class Timeline:
    """Puts the telegrams of one meter on an axis, in the order they were heard."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []

    @property
    def end_ms(self) -> int:
        """The last place on the axis."""
        return self.stretches[-1].end_ms if self.stretches else 0

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """Those that were used, in the order of their first use."""
        return tuple(dict.fromkeys(stretch.clock for stretch in self.stretches))

    def place(self, telegram: Telegram, at_ms: int | None) -> Place:
        """Put the next telegram on the axis.

        Args:
            telegram: the next one of the meter.
            at_ms: when it arrived, Unix time, if the recording tells.
        """
        clock, t_ms = _clock_of(telegram, at_ms)
        last = self.stretches[-1] if self.stretches else None
        if last is not None and (last.why is Break.MANY or clock is last.clock is Clock.NUMBER):
            return self._go_on(last, SECOND)
        if last is None:
            return self._begin(Stretch(clock, Break.BEGIN, 0, t_ms, 0), None)
        if len(self.stretches) >= STRETCHES:
            clock, why = Clock.NUMBER, Break.MANY
        elif clock is not last.clock:
            why = Break.CLOCK
        elif t_ms >= last.end_t_ms:
            return self._go_on(last, t_ms - last.end_t_ms)
        elif clock is Clock.COUNTER and t_ms + _COUNTER_END - last.end_t_ms <= _AROUND:
            why = Break.AROUND
        else:
            why = Break.BACK
        return self._break(last, clock, why, t_ms)

    def _break(self, last: Stretch, clock: Clock, why: Break, t_ms: int) -> Place:
        step = t_ms + _COUNTER_END - last.end_t_ms if why is Break.AROUND else None
        x_ms = last.end_ms + (SECOND if step is None else step)
        t_ms = 0 if clock is Clock.NUMBER else t_ms
        return self._begin(Stretch(clock, why, x_ms, t_ms, x_ms), step)

    def _begin(self, stretch: Stretch, step_ms: int | None) -> Place:
        self.stretches.append(stretch)
        return Place(stretch.x_ms, stretch.t_ms, stretch, step_ms)

    @staticmethod
    def _go_on(stretch: Stretch, step_ms: int) -> Place:
        stretch.end_ms += step_ms
        known = None if stretch.clock is Clock.NUMBER else step_ms
        return Place(stretch.end_ms, stretch.end_t_ms, stretch, known)


def _clock_of(telegram: Telegram, at_ms: int | None) -> tuple[Clock, int]:
    if at_ms is not None:
        return Clock.ARRIVAL, at_ms
    match moment(telegram):
        case SecIndex(value):
            return Clock.COUNTER, value * SECOND
        case Timestamp(value) | LocalTimestamp(value):
            return Clock.DATE, value * SECOND
        case _:
            return Clock.NUMBER, 0
