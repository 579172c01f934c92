"""Registers: the mode table, exactness, roll-over."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import ObisCode
from e320proto.meter.config import E320Config
from e320proto.meter.measurement import Elements, Inputs
from e320proto.meter.modes import NEGATIVE, POSITIVE, QUADRANTS, Mode
from e320proto.meter.registers import DWH, Registers
from tests.meter.vectors import VECTORS

TYPES = {mode: f"E320-AM1D.{'C' if mode == 5 else 'A'}{mode}A.A{2 if mode == 5 else 0}-S1B-S1" for mode in range(1, 6)}
HOUR_MS = 3_600_000
powers = st.integers(-60_000, 60_000)


def config(mode: int, **fields: Any) -> E320Config:  # noqa: ANN401 - any field
    return E320Config(pin="0000", mode=Mode(mode), type_designation=TYPES[mode], **fields)


ELEMENTS = Elements(0.010, 0.010, config(3))


@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("vector", VECTORS["model"]["measurement"], ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any], mode: int) -> None:
    registers = Registers(config(mode))
    measured = ELEMENTS.measure(Inputs.of_power(*vector["p_w"], q_var=tuple(vector["q_var"])))
    registers.count(measured, round(vector["hours"] * HOUR_MS))
    assert registers.dwh == {ObisCode.parse(code): dwh for code, dwh in vector["delta_dwh"][str(mode)].items()}


@given(steps=st.lists(st.tuples(powers, st.integers(1, 100_000)), min_size=1, max_size=20), cuts=st.randoms())
def test_steps_make_no_difference(steps: list[tuple[int, int]], cuts: Any) -> None:  # noqa: ANN401
    whole, cut = Registers(config(3)), Registers(config(3))
    for power, duration in steps:
        measured = ELEMENTS.measure(Inputs.of_power(power, 0, 0))
        whole.count(measured, duration)
        places = sorted({0, duration, *(cuts.randrange(duration) for _ in range(5))})
        for begin, end in pairwise(places):
            cut.count(measured, end - begin)
    assert whole.totals == cut.totals


@given(steps=st.lists(st.tuples(powers, powers, st.integers(1, 10**7)), max_size=30))
def test_energy_is_conserved(steps: list[tuple[int, int, int]]) -> None:
    """+A less -A is the energy of the sum, and so is the balanced register, the other way round."""
    both, balanced, quadrants = Registers(config(3)), Registers(config(4)), Registers(config(5))
    one, two = Registers(config(1)), Registers(config(2))
    energy = reactive = 0
    for power, q_var, duration in steps:
        measured = ELEMENTS.measure(Inputs.of_power(power, 0, 0, q_var=(q_var, 0, 0)))
        for registers in (both, balanced, quadrants, one, two):
            registers.count(measured, duration)
        energy += measured.p_mw * duration * measured.started
        reactive += measured.q_mvar * duration * measured.reactive_started
    totals = both.totals
    assert totals[POSITIVE] - totals[NEGATIVE] == energy
    assert balanced.totals[NEGATIVE] == -energy
    assert (one.totals[POSITIVE], two.totals[NEGATIVE]) == (totals[POSITIVE], totals[NEGATIVE])
    assert {code: quadrants.totals[code] for code in totals} == totals
    first, second, third, fourth = (quadrants.totals[code] for code in QUADRANTS)
    assert first + second - third - fourth == reactive


def test_not_started_is_not_counted() -> None:
    registers = Registers(config(5))
    registers.count(ELEMENTS.measure(Inputs.of_power(2, 0, 0, q_var=(2, 0, 0))), HOUR_MS)
    assert set(registers.totals.values()) == {0}


def test_a_year_has_no_drift() -> None:
    """A third of a watt more than a kilowatt, in seconds and at once."""
    measured = ELEMENTS.measure(Inputs.of_power(1000.333, 0, 0))
    year, seconds = Registers(config(1)), Registers(config(1))
    year.count(measured, 365 * 24 * HOUR_MS)
    for _ in range(24 * 3600):
        seconds.count(measured, 1000)
    assert year.totals[POSITIVE] == 365 * seconds.totals[POSITIVE]
    assert year[POSITIVE] == 87_629_170


def test_roll_over() -> None:
    registers = Registers(config(3, register_modulus_dwh=10_000), {POSITIVE: 9_999, NEGATIVE: 5})
    registers.count(ELEMENTS.measure(Inputs.of_power(360, 0, 0)), 2_000)
    assert registers.dwh == {POSITIVE: 1, NEGATIVE: 5}


def test_balanced_register_below_zero() -> None:
    signed = Registers(config(4, register_modulus_dwh=10_000))
    wrapped = Registers(config(4, register_modulus_dwh=10_000, balanced_negative="wrap"))
    measured = ELEMENTS.measure(Inputs.of_power(360, 0, 0))
    for registers in (signed, wrapped):
        registers.count(measured, 1_500)
    assert (signed[NEGATIVE], wrapped[NEGATIVE]) == (-1, 9_998)
    signed.count(measured, 9_998_500)
    assert (signed[NEGATIVE], signed.totals[NEGATIVE]) == (0, 0)


def test_start_values_and_restoring() -> None:
    registers = Registers(config(3), {POSITIVE: 51_719_237})
    registers.count(ELEMENTS.measure(Inputs.of_power(1, 1, 1)), 7)
    other = Registers(config(3))
    other.restore(registers.totals)
    assert other.totals == registers.totals
    assert other.totals[POSITIVE] == 51_719_237 * DWH + 21_000


@pytest.mark.parametrize(
    ("mode", "totals"),
    [
        (3, {}),
        (3, {POSITIVE: 5}),
        (3, {POSITIVE: 5, NEGATIVE: 5, QUADRANTS[0]: 5}),
        (3, {POSITIVE: 5, NEGATIVE: -1}),
        (3, {POSITIVE: 5, NEGATIVE: 10**10 * DWH}),
        (4, {NEGATIVE: -(10**10) * DWH}),
    ],
)
def test_totals_that_are_not_of_these_registers(mode: int, totals: dict[ObisCode, int]) -> None:
    registers = Registers(config(mode), dict.fromkeys(Registers(config(mode)).codes, 7))
    with pytest.raises(ValueError, match=f"^totals: expected the registers of mode {mode}"):
        registers.restore(totals)
    assert set(registers.dwh.values()) == {7}


@pytest.mark.parametrize("start", [{QUADRANTS[0]: 1}, {POSITIVE: -1}, {POSITIVE: 10**10}])
def test_start_values_that_cannot_be(start: dict[ObisCode, int]) -> None:
    with pytest.raises(ValueError, match=r"^registers: expected"):
        Registers(config(3), start)
