"""The plot of a day's power."""

from __future__ import annotations

import re

import pytest

from e320proto.cli.power_plot import power_plot


def bars(lines: list[str]) -> list[str]:
    """Only what is right of the axis, of the rows between the head and the hours."""
    return [line.partition("┤")[2] for line in lines if "┤" in line]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 130])
def test_lines_fit(width: int) -> None:
    lines = power_plot([500.0, -2000.0] * 12 * 60, width)
    assert max(map(len, lines)) <= max(width, 34)
    per_hour = (lines[-1].index("24") - lines[-1].index("0")) // 24
    assert per_hour == {20: 1, 40: 1, 60: 2, 80: 2, 100: 3, 130: 4}[width]


def test_an_hour_stands_above_its_number() -> None:
    lines = power_plot([0.0] * 18 + [1000.0] + [0.0] * 5, 40)
    (row,) = {line.index("█") for line in lines if "█" in line}
    assert row == lines[-1].index("18")
    assert row in {tick.start() for line in lines for tick in re.finditer("┬", line)}


def test_areas_are_energies() -> None:
    """A column with both directions shows both."""
    lines = power_plot(([3000.0] * 30 + [-1000.0] * 30) * 24, 34)
    labels = [int(line.split()[0]) for line in lines if set(line) & set("█▄▀")]
    assert (labels[0], labels[-1]) == (1600, -600)  # means of 1,500 W and 500 W in steps of 200 W
    assert len(labels) == 11


@pytest.mark.parametrize("watts", [1.0, 37.0, 999.0, 12_345.0, 250_000.0])
def test_scale_is_round_and_reaches_the_highest(watts: float) -> None:
    lines = power_plot([watts] * 24 + [-watts] * 24, 60)
    labels = [int(line.split()[0]) for line in lines if "┤" in line or "┼" in line]
    assert len(labels) <= 14
    step = labels[0] - labels[1]
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert labels == list(range(labels[0], labels[-1] - 1, -step))
    assert labels[0] >= watts > labels[0] - step
    assert len({line.index("┤") for line in lines if "┤" in line}) == 1


def test_day_without_power_has_its_axis() -> None:
    lines = power_plot([0.0] * 48, 60)
    assert [line.split()[0] for line in lines] == ["W", "0", "h"]


def test_parts_of_a_row() -> None:
    steps = [100.0 * eighth / 8 for eighth in range(9)] + [0.0] * 14 + [1200.0]
    assert bars(power_plot(steps, 34))[-1][:9] == " ▁▂▃▄▅▆▇█"
    assert bars(power_plot([-watt for watt in steps], 34))[0][:9] == " ▔▀▀▀▀███"
