"""The household: plausible days, made of a seed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto.meter.household import Household, household

DAY = 86_400
HOUR = 3600.0
SUMMER, WINTER = 172, 355


def power_w(home: Household, t_s: float) -> float:
    return sum(phase.power_w for phase in home.inputs(t_s).phases)


def powers(home: Household, from_s: float, until_s: float, step_s: float = 60.0) -> list[float]:
    return [power_w(home, from_s + step_s * number) for number in range(int((until_s - from_s) / step_s))]


@given(st.integers(), st.floats(0, 400 * DAY))
@settings(max_examples=50)
def test_the_same_seed_is_the_same_household(seed: int, t_s: float) -> None:
    assert household(seed, solar_kwp=5).inputs(t_s) == household(seed, solar_kwp=5).inputs(t_s)


def test_values_of_a_seed_stay_what_they_are() -> None:
    home = household(7, solar_kwp=8)
    assert [round(power_w(home, hour * HOUR)) for hour in (0, 6, 12, 18, 36)] == [153, -1270, -4032, -638, -1928]


def test_households_and_days_differ() -> None:
    first, second = household(1), household(2)
    assert powers(first, 0, DAY) != powers(second, 0, DAY)
    assert powers(first, 0, DAY) != powers(first, DAY, 2 * DAY)


def test_order_of_questions_does_not_matter() -> None:
    home = household(5, solar_kwp=3)
    instants = [HOUR * number / 3 for number in range(300)]
    forwards = [home.inputs(t_s) for t_s in instants]
    assert [home.inputs(t_s) for t_s in reversed(instants)] == forwards[::-1]


@given(st.floats(0, 40 * DAY), st.integers(1, 900))
def test_inputs_change_at_multiples_of_the_step_only(t_s: float, step_s: int) -> None:
    home = household(11, solar_kwp=6, step_s=step_s)
    change_s = home.next_change(t_s)
    assert change_s % step_s == 0
    assert t_s - 0.001 < change_s <= t_s + step_s + 0.001
    assert home.next_change(change_s) == change_s + step_s
    assert home.inputs(change_s - 0.001) == home.inputs(max(t_s, change_s - step_s))


@pytest.mark.parametrize("seed", range(5))
def test_a_year_of_a_household_needs_some_megawatt_hours(seed: int) -> None:
    home = household(seed, step_s=600)
    days = range(0, 365, 13)
    kwh = sum(sum(powers(home, day * DAY, (day + 1) * DAY, 600.0)) for day in days) / 6000 * 365 / len(days)
    assert 2000 < kwh < 5000


def test_a_day_has_base_load_cooking_and_evening() -> None:
    days = [powers(household(seed), 0, DAY) for seed in range(20)]
    average = [sum(minute) / len(days) for minute in zip(*days, strict=True)]
    night, evening = average[60 : 5 * 60], average[18 * 60 : 19 * 60]
    assert 150 <= sum(night) / len(night) <= 300
    assert sum(evening) / len(evening) > 1000
    assert all(min(day) >= 130 for day in days)
    assert all(max(day) > 1500 for day in days)


def test_the_fridge_runs_a_part_of_the_time() -> None:
    night = [power_w(household(3), 20.0 * number) for number in range(1, 540)]
    running = [power > 220 for power in night]
    assert 0.2 < sum(running) / len(running) < 0.7
    assert sum(now != before for before, now in pairwise(running)) >= 4


def test_the_sun_is_a_bell_in_the_day() -> None:
    days = [DAY * day for day in range(30)]
    dark, sunny = household(4), household(4, solar_kwp=10)

    def fed(hour: float) -> list[float]:
        return [power_w(dark, day + hour * HOUR) - power_w(sunny, day + hour * HOUR) for day in days]

    assert all(abs(power) <= 2 for power in fed(0) + fed(2) + fed(22))  # rounding only
    mean = [sum(fed(hour)) / len(days) for hour in (5, 8, 12, 16, 19)]
    assert mean[0] < mean[1] < mean[2] > mean[3] > mean[4]
    assert max(fed(12)) < 10_000
    assert max(fed(12)) > 2 * min(fed(12))  # clear and dull days


def test_less_sun_in_winter() -> None:
    def noon(day_of_year: int) -> float:
        home = household(4, solar_kwp=10, base_w=0, day_of_year=day_of_year)
        return sum(power_w(home, DAY * day + 11 * HOUR) for day in range(20))

    assert noon(SUMMER) < 2 * noon(WINTER) < 0


def test_small_inverters_feed_one_phase_and_large_ones_three() -> None:
    def exporting(solar_kwp: float) -> list[bool]:
        phases = household(4, solar_kwp=solar_kwp, base_w=0, step_s=1).inputs(11 * HOUR).phases
        return [phase.power_w < -100 for phase in phases]

    assert exporting(4.6) == [True, False, False]
    assert exporting(20.0) == [True, True, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [("solar_kwp", -1), ("base_w", -0.1), ("day_of_year", 0), ("step_s", 0), ("solar_kwp", float("nan"))],
)
def test_impossible_households_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected"):
        household(1, **{name: value})  # type: ignore[arg-type]  # a number all the same
