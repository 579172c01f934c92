"""Load profiles in general: constant ones, and driving a meter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto.meter.config import E320Config
from e320proto.meter.events import PowerReturned, Pushed
from e320proto.meter.measurement import Inputs, Phase
from e320proto.meter.model import Meter
from e320proto.meter.modes import NEGATIVE, POSITIVE
from e320proto.meter.profile import Constant, Profile, constant, drive, household, replay_csv

CONFIG = E320Config(pin="1234")


def test_a_constant_profile_never_changes() -> None:
    profile: Profile = constant(1000, 500, -300, voltage_v=229.0)
    assert profile.inputs(0.0) == profile.inputs(1e9) == Inputs.of_power(1000, 500, -300, voltage_v=229.0)
    assert profile.next_change(0.0) is None


def test_a_constant_profile_of_any_inputs() -> None:
    inputs = Inputs((Phase(230.0, 5.0, 30.0), Phase(0.0), Phase(231.0)), magnet=True)
    assert Constant(inputs).inputs(3.0) == inputs


def test_driving_counts_what_the_profile_says() -> None:
    meter = Meter(CONFIG, pushes=False)
    profile = replay_csv(["time,p1,p2,p3", "0,1000,0,0", "1800,-2000,0,0", "3600,0,0,0"])
    events = drive(meter, profile, 7200.0)
    assert events[0] == PowerReturned(0.0, 0)
    assert meter.registers == {POSITIVE: 5_000, NEGATIVE: 10_000}
    assert meter.sec_index == 7200


def test_inputs_at_the_end_hold() -> None:
    meter = Meter(CONFIG, pushes=False)
    drive(meter, replay_csv(["time,p1,p2,p3", "0,0,0,0", "10,3600,0,0"]), 10.0)
    meter.advance(20.0)
    assert meter.registers[POSITIVE] == 100


def test_driving_begins_where_the_clock_says() -> None:
    meter = Meter(CONFIG)
    events = drive(meter, constant(1000), 1_000_010.0, from_s=1_000_000.0)
    assert [event.at_s for event in events if isinstance(event, Pushed)] == [1_000_000.0 + n for n in range(2, 11)]


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match=r"until_s: expected at least from_s, 10.0, found 5.0"):
        drive(Meter(CONFIG), constant(0), 5.0, from_s=10.0)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 4 * 3600 - 1), max_size=5, unique=True))
def test_registers_do_not_depend_on_where_driving_was_interrupted(stops: list[int]) -> None:
    home: Profile = household(3, solar_kwp=5, step_s=60)
    at_once, in_parts = Meter(CONFIG, pushes=False), Meter(CONFIG, pushes=False)
    noon, end = 11 * 3600.0, 15 * 3600.0
    drive(at_once, home, end, from_s=noon)
    from_s = noon
    for stop in [*sorted(noon + stop for stop in stops), end]:
        drive(in_parts, home, stop, from_s=from_s)
        from_s = stop
    assert in_parts.registers == at_once.registers
    assert at_once.registers[NEGATIVE] > 0
