"""Quarter-hour values against differences of the readings that the test itself made."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import pytest

from e320proto.report.quarter_chart import periods
from e320proto.report.timeline import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.report.conftest import Collect, Push

Quarters: TypeAlias = "Callable[[Iterable[int]], list[tuple[int, str, str, bool]]]"

HALF_AN_HOUR = range(1700, 3700)


def reading(second: int) -> int:
    """A register that grows unevenly, 0.1 Wh."""
    return second * second // 1000


@pytest.fixture
def quarters(collect: Collect, push: Push) -> Quarters:
    def run(seconds: Iterable[int]) -> list[tuple[int, str, str, bool]]:
        (meter,) = collect(push(one, imported=reading(one), exported=one) for one in seconds).meters.values()
        limit = meter.intervals.limit_ms
        found = []
        for quarter in meter.quarters:
            imported, exported = quarter.energies(limit)
            found.append((quarter.t_ms // SECOND, str(imported), str(exported), quarter.complete(limit)))
        return found

    return run


def wh(first: int, last: int) -> str:
    return f"{Decimal(reading(last) - reading(first)) / 10:.1f} Wh"


def test_values_are_differences_of_readings_at_the_edges(quarters: Quarters) -> None:
    assert quarters(HALF_AN_HOUR) == [
        (900, wh(1700, 1800), "10.0 Wh", False),  # the capture begins in it
        (1800, wh(1800, 2700), "90.0 Wh", True),
        (2700, wh(2700, 3600), "90.0 Wh", True),
        (3600, wh(3600, 3699), "9.9 Wh", False),  # the capture ends in it
    ]


def test_a_gap_in_the_middle_costs_nothing(quarters: Quarters) -> None:
    found = quarters(second for second in HALF_AN_HOUR if not 2000 <= second < 2300)
    assert found[1] == (1800, wh(1800, 2700), "90.0 Wh", True)


def test_a_gap_at_an_edge_makes_both_sides_incomplete(quarters: Quarters) -> None:
    found = quarters(second for second in HALF_AN_HOUR if not 2690 <= second < 2720)
    assert found[1] == (1800, wh(1800, 2689), "88.9 Wh", False)
    assert found[2] == (2700, wh(2720, 3600), "88.0 Wh", False)
    assert found[0][3] is False


def test_a_telegram_on_the_edge_behind_a_gap_is_its_reading(quarters: Quarters) -> None:
    found = quarters(second for second in HALF_AN_HOUR if not 2600 <= second < 2700)
    assert found[1] == (1800, wh(1800, 2700), "90.0 Wh", True)
    assert found[2] == (2700, wh(2700, 3600), "90.0 Wh", True)


def test_a_gap_of_several_quarter_hours(quarters: Quarters) -> None:
    found = quarters([*range(890, 1000), *range(4000, 4600)])
    assert [(second, complete) for second, _, _, complete in found] == [
        (0, False),
        (900, False),
        (3600, False),
        (4500, False),
    ]
    assert found[1][1] == wh(900, 999)


def test_a_meter_that_sends_every_seven_seconds(quarters: Quarters) -> None:
    found = quarters(range(1700, 3700, 7))
    # 1805 is the first telegram at or behind 1800, 2701 the one at or behind 2700.
    assert found[1] == (1800, wh(1805, 2701), "89.6 Wh", True)


def test_a_power_failure_ends_and_begins_quarter_hours(quarters: Quarters) -> None:
    found = quarters([*range(1795, 2000), *range(1850, 1900)])
    assert [(second, complete) for second, _, _, complete in found] == [(900, False), (1800, False), (1800, False)]


def test_a_register_that_fell_gives_no_value(collect: Collect, push: Push) -> None:
    (meter,) = collect(push(one, imported=5000 - one) for one in range(900, 1801)).meters.values()
    (quarter,) = meter.quarters
    assert quarter.complete(meter.intervals.limit_ms)
    assert quarter.energies(meter.intervals.limit_ms)[0] is None


def test_a_change_of_resolution_gives_no_value(collect: Collect, push: Push) -> None:
    """Of whole kWh the rest was cut off: the difference would be too large by up to 1 kWh."""
    pieces = [push(one, imported=3, scaler=3) for one in range(900, 1300)]
    pieces += [push(one, imported=39_990, scaler=-1) for one in range(1300, 1801)]
    (meter,) = collect(pieces).meters.values()
    assert next(iter(meter.quarters)).energies(meter.intervals.limit_ms)[0] is None
    (register, *_) = meter.registers
    assert register.counted is None


def test_a_register_that_is_missing_gives_no_value(collect: Collect, push: Push) -> None:
    (meter,) = collect(push(one, imported=one, exported=None) for one in range(900, 1801)).meters.values()
    imported, exported = next(iter(meter.quarters)).energies(meter.intervals.limit_ms)
    assert str(imported) == "90.0 Wh"
    assert exported is None


def test_periods_add_up_exactly(collect: Collect, push: Push) -> None:
    huge = 2**63
    (meter,) = collect(push(one, imported=huge + one, scaler=-4) for one in range(0, 7201, 4)).meters.values()
    limit = meter.intervals.limit_ms
    first, second = periods(meter.quarters, 3600 * SECOND, limit)
    assert (first.imported, first.complete, first.quarters) == (Decimal("0.3600"), True, 4)
    assert (second.imported, second.t_ms) == (Decimal("0.3600"), 3_600_000)
    (day,) = periods(meter.quarters, 86_400 * SECOND, limit)
    assert not day.complete, "two hours are no day"


def test_times_of_arrival_make_quarter_hours_of_the_day(collect: Collect, push: Push) -> None:
    noon = 1_795_176_000  # 2026-11-20 12:00 UTC
    pieces = [(noon + one + 0.25, push(77 + one, imported=10 + one)) for one in range(-10, 1000)]
    (meter,) = collect(pieces).meters.values()
    found = [quarter for quarter in meter.quarters if quarter.complete(meter.intervals.limit_ms)]
    assert [(quarter.t_ms, str(quarter.energies(1500)[0])) for quarter in found] == [(noon * SECOND, "90.0 Wh")]
