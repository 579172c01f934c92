"""Clocks of meters and of recordings on one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto import LocalTimestamp, Timestamp
from e320proto.report.timeline import STRETCHES, Break, Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto import SecIndex
    from e320proto.report.meter_record import MeterRecord
    from tests.report.conftest import Collect, Push


def meter_of(
    collect: Collect, push: Push, times: Sequence[SecIndex | Timestamp | LocalTimestamp | int | None]
) -> MeterRecord:
    (meter,) = collect(push(time) for time in times).meters.values()
    return meter


def stretches(meter: MeterRecord) -> list[tuple[Clock, Break, int, int, int]]:
    return [(one.clock, one.why, one.x_ms, one.t_ms, one.end_ms) for one in meter.timeline.stretches]


def test_a_counter_that_runs(collect: Collect, push: Push) -> None:
    meter = meter_of(collect, push, [1000, 1001, 1001, 1005])
    assert stretches(meter) == [(Clock.COUNTER, Break.BEGIN, 0, 1_000_000, 5000)]


def test_a_counter_that_falls_begins_a_stretch_behind_the_one_before(collect: Collect, push: Push) -> None:
    meter = meter_of(collect, push, [1000, 1001, 5, 6])
    assert stretches(meter) == [
        (Clock.COUNTER, Break.BEGIN, 0, 1_000_000, 1000),
        (Clock.COUNTER, Break.BACK, 2000, 5000, 3000),
    ]
    assert meter.intervals.gap_count == 0, "nobody knows how long the meter was off"


def test_a_counter_that_comes_around_is_not_a_power_failure(collect: Collect, push: Push) -> None:
    meter = meter_of(collect, push, [2**32 - 2, 2**32 - 1, 3, 4])
    assert stretches(meter) == [
        (Clock.COUNTER, Break.BEGIN, 0, (2**32 - 2) * 1000, 1000),
        (Clock.COUNTER, Break.AROUND, 5000, 3000, 6000),
    ]
    assert [gap.length_ms for gap in meter.intervals.gaps()] == [4000]


def test_dates_of_the_meter(collect: Collect, push: Push) -> None:
    meter = meter_of(collect, push, [Timestamp(1_700_000_000), LocalTimestamp(1_700_000_002, 60, 0)])
    assert stretches(meter) == [(Clock.DATE, Break.BEGIN, 0, 1_700_000_000_000, 2000)]


def test_without_times_telegrams_are_numbered(collect: Collect, push: Push) -> None:
    meter = meter_of(collect, push, [None, None, None])
    assert stretches(meter) == [(Clock.NUMBER, Break.BEGIN, 0, 0, 2000)]
    assert meter.intervals.usual_ms is None
    assert list(meter.quarters) == []


def test_times_of_arrival_go_first(collect: Collect, push: Push) -> None:
    (meter,) = collect([(1_700_000_000.25, push(7)), (1_700_000_001.5, push(8))]).meters.values()
    assert stretches(meter) == [(Clock.ARRIVAL, Break.BEGIN, 0, 1_700_000_000_250, 1250)]


def test_another_clock_begins_a_stretch(collect: Collect, push: Push) -> None:
    (meter,) = collect([(1_700_000_000.0, push(7)), push(8), push(9)]).meters.values()
    assert meter.timeline.clocks == (Clock.ARRIVAL, Clock.COUNTER)
    assert [one.why for one in meter.timeline.stretches] == [Break.BEGIN, Break.CLOCK]


def test_a_clock_that_never_stops_falling_is_given_up(collect: Collect, push: Push) -> None:
    times = range(100_000, 100_000 - 3 * STRETCHES, -1)
    meter = meter_of(collect, push, times)
    assert len(meter.timeline.stretches) == STRETCHES + 1
    assert stretches(meter)[-1][:2] == (Clock.NUMBER, Break.MANY)
    assert meter.timeline.end_ms == (len(times) - 1) * 1000
