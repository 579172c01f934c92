"""The usual interval, and the gaps."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import pytest

from e320proto.report.intervals import KEPT

if TYPE_CHECKING:
    from e320proto.report.meter_record import MeterRecord
    from tests.report.conftest import Collect, Push


def meter_of(collect: Collect, push: Push, steps: list[int]) -> MeterRecord:
    times = accumulate(steps, initial=1000)
    (meter,) = collect(push(time, imported=time, exported=2 * time) for time in times).meters.values()
    return meter


@pytest.mark.parametrize(
    ("steps", "usual", "gaps"),
    [
        ([1] * 20, 1, []),
        ([1] * 10 + [2] + [1] * 10, 1, [2]),
        ([1] * 10 + [300] + [1] * 10, 1, [300]),
        ([4] * 10 + [6] + [4] * 5 + [7] + [8] + [4] * 9, 4, [7, 8]),
        ([300] * 10 + [301, 400, 900], 300, [900]),
        ([1, 1, 2] * 10, 1, []),  # how this meter sends
        ([1, 1, 2] * 50 + [3], 1, [3]),
        ([1] * 300 + [2] * 2, 1, [2, 2]),
        ([0, 1] * 20 + [5], 1, [5]),  # two telegrams in a second of the counter
    ],
)
def test_gaps(collect: Collect, push: Push, steps: list[int], usual: int, gaps: list[int]) -> None:
    intervals = meter_of(collect, push, steps).intervals
    assert intervals.usual_ms == usual * 1000
    assert [gap.length_ms for gap in intervals.gaps()] == [gap * 1000 for gap in gaps]
    assert intervals.gap_count == len(gaps)


def test_a_gap_knows_where_it_is_and_what_was_counted_meanwhile(collect: Collect, push: Push) -> None:
    (gap,) = meter_of(collect, push, [1] * 5 + [60] + [1] * 5).intervals.gaps()
    assert (gap.x_ms, gap.t_ms, gap.length_ms) == (5000, 1_005_000, 60_000)
    assert str(gap.before.imported) == "100.5 Wh"
    assert str(gap.after.imported) == "106.5 Wh"
    assert str(gap.after.exported) == "213.0 Wh"


def test_more_gaps_than_are_kept_are_counted(collect: Collect, push: Push) -> None:
    intervals = meter_of(collect, push, [1, 1, 10] * (KEPT + 50)).intervals
    kept = list(intervals.gaps())
    assert len(kept) == KEPT
    assert kept == sorted(kept, key=lambda gap: gap.x_ms)
    assert intervals.gap_count == KEPT + 50
