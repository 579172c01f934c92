"""Ticks at round places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.report.axes import make_scale, time_ticks
from e320proto.report.timeline import Break, Clock, Stretch

DAY = 86_400_000


@given(st.floats(-1e146, 1e146), st.floats(-1e146, 1e146))
def test_a_scale_holds_zero_and_its_values(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    scale = make_scale(low, high, "W")
    rounding = 1e-9 * scale.step
    assert scale.low - rounding <= min(low, 0) <= max(high, 0) <= scale.high + rounding
    assert 1 <= len(list(scale.lines())) <= 9


def ticks(clock: Clock, t_ms: int, span_ms: int, most: int = 8) -> list[str]:
    stretch = Stretch(clock, Break.BEGIN, 0, t_ms, span_ms)
    found = list(time_ticks([stretch], span_ms, most))
    assert all(0 <= tick.x_ms <= span_ms for tick in found)
    return [tick.label for tick in found]


@pytest.mark.parametrize(
    ("clock", "t_ms", "span_ms", "labels"),
    [
        (Clock.COUNTER, 2_005_970_000, 11_000, [f"{second} s" for second in range(2005970, 2005982, 2)]),
        (Clock.COUNTER, 0, DAY, [f"{hour} h" for hour in range(0, 25, 3)]),
        (Clock.COUNTER, 3_600_000, 1_800_000, ["1:00 h", "1:05 h", "1:10 h", "1:15 h", "1:20 h", "1:25 h", "1:30 h"]),
        (Clock.COUNTER, 0, 7 * DAY, [f"{day} d" for day in range(8)]),
        (Clock.DATE, 0, DAY, ["1 Jan", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "2 Jan"]),
        (Clock.ARRIVAL, 1_700_000_000_000, 20_000, ["22:13:20", "22:13:25", "22:13:30", "22:13:35", "22:13:40"]),
        (Clock.DATE, 0, 365 * DAY, ["Jan 1970", "Mar", "May", "Jul", "Sep", "Nov", "Jan 1971"]),
        (Clock.NUMBER, 0, 9000, ["1", "3", "5", "7", "9"]),
    ],
)
def test_labels(clock: Clock, t_ms: int, span_ms: int, labels: list[str]) -> None:
    assert ticks(clock, t_ms, span_ms) == labels


@pytest.mark.parametrize("clock", list(Clock))
@pytest.mark.parametrize("span_ms", [0, 1, 999, DAY, 10_000 * DAY, 2**33 * 1000])
def test_any_span_has_few_ticks(clock: Clock, span_ms: int) -> None:
    assert len(ticks(clock, 12_345_678, span_ms)) <= 13
