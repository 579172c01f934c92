"""The disk where its speed has a limit; pulses as such are tested with the whole meter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.config import E320Config
from e320proto.meter.measurement import Elements, Inputs, Measured
from e320proto.meter.pulses import BARS, Pulses

CONSTANT = 10_000


def limited(hz: float | None) -> Pulses:
    return Pulses(E320Config(pin="1234", disk_max_step_hz=hz), CONSTANT)


def measured(power_w: float) -> Measured:
    return Elements(0.01, 0.01, E320Config(pin="1234")).measure(Inputs.of_power(power_w, 0, 0))


def bars(pulses: Pulses, power_w: float, seconds: int) -> list[int]:
    """The bar at each second."""
    shown = []
    for _ in range(seconds):
        pulses.pass_time(measured(power_w), 0, 1000)
        shown.append(pulses.disk)
    return shown


def test_without_a_limit_every_pulse_moves_the_disk() -> None:
    pulses = limited(None)
    assert bars(pulses, 1080, 4) == [3, 2, 1, 0]  # 3 pulses a second
    assert pulses.count == 12


def test_a_fast_disk_moves_as_fast_as_it_may() -> None:
    assert bars(limited(1.0), 1080, 5) == [1, 2, 3, 0, 1]


def test_a_slow_disk_moves_with_each_pulse() -> None:
    assert bars(limited(2.8), 360, 5) == [1, 2, 3, 0, 1]


def test_nothing_moves_the_disk_at_standstill() -> None:
    pulses = limited(2.8)
    assert bars(pulses, 0, 100) == [0] * 100
    assert bars(pulses, 36_000, 1) == [2]  # time without pulses is not made up for


@given(
    st.lists(st.tuples(st.floats(-20_000, 20_000), st.integers(1, 3000)), max_size=4),
    st.integers(50, 3000),
    st.sampled_from([None, 0.1, 1, 2.8]),
)
def test_the_steps_of_time_do_not_matter(course: list[tuple[float, int]], step_ms: int, hz: float | None) -> None:
    whole, steps = limited(hz), limited(hz)
    now_ms = 0
    for power_w, duration_ms in course:
        whole.pass_time(measured(power_w), now_ms + duration_ms, duration_ms)
        for at_ms in range(0, duration_ms, step_ms):
            piece_ms = min(step_ms, duration_ms - at_ms)
            steps.pass_time(measured(power_w), now_ms + at_ms + piece_ms, piece_ms)
        now_ms += duration_ms
    assert (steps.count, steps.disk) == (whole.count, whole.disk)
    assert steps.disk in range(BARS)
