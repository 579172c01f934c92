"""Ticks of axes: round numbers, times of day, dates, seconds of a counter."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime
from math import ceil, floor, inf, log10
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.report.timeline import SECOND, Clock
from e320proto.report.times import date_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from e320proto.report.timeline import Stretch

_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MONTH: Final = 30.4 * _DAY
_STEPS: Final = (
    *(SECOND * count for count in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 5, 7, 10, 14)),
)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_YEAR: Final = 12
_LEAST: Final = 1e-200  # no meter sends a number of 64 bits with a scaler of -128 or more that is nearer to 0
_PLACES: Final = 6  # more, or numbers as long, are written with a power of ten


class Scale(NamedTuple):
    """A vertical axis.

    Args:
        low: its lower end.
        high: its upper end.
        step: from line to line.
        divisor: what the values are divided by for the labels.
        unit: of the labels.
    """

    low: float
    high: float
    step: float
    divisor: int
    unit: str

    def lines(self) -> Iterator[tuple[float, str]]:
        """Values that get a line, and their labels."""
        places = max(0, -floor(log10(self.step / self.divisor) + 1e-9))
        form = f",.{places}f" if places <= _PLACES and self.step < self.divisor * 10**_PLACES else ".3g"
        for count in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + count * self.step
            shown = value / self.divisor if abs(value) > self.step / 2 else 0.0
            yield value, format(shown, form).replace("-", "\N{MINUS SIGN}")


def make_scale(low: float, high: float, unit: str, lines: int = 6) -> Scale:
    """Make an axis of round numbers for values from ``low`` to ``high``, with 0 on it.

    >>> scale = make_scale(-300.0, 2400.0, "W")
    >>> scale.low, scale.high, scale.unit, [label for _, label in scale.lines()][1:]
    (-500.0, 2500.0, 'kW', ['0.0', '0.5', '1.0', '1.5', '2.0', '2.5'])
    """
    low, high = min(low, 0.0), max(high, 0.0)
    span = high - low
    if not _LEAST < span < inf:
        high, span = low + 1.0, 1.0
    step = _round_up(span / lines)
    divisor = 1000 if max(-low, high) >= 1000 else 1  # noqa: PLR2004 - from here on with the prefix kilo
    return Scale(floor(low / step) * step, ceil(high / step) * step, step, divisor, ("k" if divisor > 1 else "") + unit)


def _round_up(size: float) -> float:
    power = 10.0 ** floor(log10(size))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= size * (1 - 1e-9)), 10 * power)


class Tick(NamedTuple):
    """A mark of the axis of time."""

    x_ms: int
    label: str


def time_ticks(stretches: Sequence[Stretch], span_ms: int, most: int) -> Iterator[Tick]:
    """The marks of an axis.

    Args:
        stretches: on the axis.
        span_ms: length of the axis.
        most: about so many marks fit on it.
    """
    least = 0.95 * span_ms / max(most, 1)
    for stretch in stretches:
        if stretch.clock is Clock.NUMBER:
            step = max(SECOND, int(_round_up(max(least, SECOND))))
            yield from _regular(stretch, step)
        elif stretch.clock.dated and least > _STEPS[-1]:
            yield from _first_of_months(stretch, least)
        else:
            step = next((step for step in _STEPS if step >= least), 0)
            yield from _regular(stretch, step or int(_round_up(least / _DAY) * _DAY))


def _regular(stretch: Stretch, step: int) -> Iterator[Tick]:
    t_ms = -(-stretch.t_ms // step) * step
    while t_ms <= stretch.end_t_ms:
        yield Tick(stretch.x_ms + t_ms - stretch.t_ms, _label(stretch.clock, t_ms, step))
        t_ms += step


def _label(clock: Clock, t_ms: int, step: int) -> str:
    if clock is Clock.NUMBER:
        return str(t_ms // SECOND + 1)
    if clock is Clock.COUNTER:
        return _count_label(t_ms, step)
    date = date_of(t_ms)
    if date is None:
        return ""
    if step >= _DAY or t_ms % _DAY == 0:
        return f"{date.day} {date:%b}"
    return f"{date:%H:%M}" if step >= _MINUTE else f"{date:%H:%M:%S}"


def _count_label(t_ms: int, step: int) -> str:
    if step < _MINUTE:
        return f"{t_ms // SECOND} s"
    if step < _HOUR:
        return f"{t_ms // _HOUR}:{t_ms % _HOUR // _MINUTE:02} h"
    return f"{t_ms // _HOUR} h" if step < _DAY else f"{t_ms // _DAY} d"


def _first_of_months(stretch: Stretch, least: float) -> Iterator[Tick]:
    begin, end = date_of(stretch.t_ms), date_of(stretch.end_t_ms)
    if begin is None or end is None:
        return
    step = next((count for count in _MONTHS if count * _MONTH >= least), inf)
    if step is inf:
        return
    step = int(step)
    month = -(-(begin.year * _YEAR + begin.month - 1) // step) * step
    while month <= end.year * _YEAR + end.month - 1:
        year, index = divmod(month, _YEAR)
        month += step
        if year > MAXYEAR:
            return
        date = datetime(year, index + 1, 1, tzinfo=UTC)
        x_ms = stretch.x_ms + int(date.timestamp()) * SECOND - stretch.t_ms
        if x_ms < stretch.x_ms:
            continue
        label = f"{date:%b %Y}" if index == 0 or step >= _YEAR else f"{date:%b}"
        yield Tick(x_ms, label)
