"""Long polling with faults and restarts: no reading is lost or doubled, and memory stays as it is."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from e320proto.lmn.profile import LmnProfile
from e320proto.lmn.session_events import Answered, MeterFound, RequestFailed
from e320proto.lmn.simulated_bus import Troubles
from tests.lmn.whole_stack import Stack

FAULTY = LmnProfile(n_retries=10, n_check_misses=10)
METERS = 3
EVERY_S = 10.0


def polled(stack: Stack, seconds: float) -> tuple[list[int], list[int]]:
    """Poll all meters for a while, with now and then a restart or a cable that is pulled: asked and answered."""
    asked: list[int] = []
    answered: list[int] = []
    for number in range(int(seconds / EVERY_S)):
        pulled = stack.meters[number % METERS] if number % 17 == 5 else None
        if number % 23 == 7:
            stack.restart_meter(number % METERS, off_s=0.5)
        if pulled is not None:
            stack.bus.unplug(pulled)
        asked += [stack.read(number=meter, timeout_s=1e6) for meter in range(METERS)]
        stack.run(EVERY_S)
        if pulled is not None:
            stack.bus.plug(pulled)
        answered += [event.number for event in stack.told(Answered)]
        assert not stack.told(RequestFailed)
        stack.events.clear()
        stack.meter_events.clear()
        stack.sent.clear()
    return asked, answered


@pytest.mark.parametrize("paired", [False, True])
def test_polling(paired: bool) -> None:  # noqa: FBT001 - a parameter
    troubles = Troubles(noise=1e-5, loss=0.005, duplication=0.005)
    stack = Stack(METERS, paired=paired, profile=FAULTY, troubles=troubles)
    stack.run(60.0)
    assert len(stack.told(MeterFound)) == METERS
    polled(stack, 100.0)  # what is made once is made now
    stack.run(120.0)
    stack.events.clear()
    tracemalloc.start(1)
    try:
        asked, answered = polled(stack, 300.0)
        gc.collect()
        first, _ = tracemalloc.get_traced_memory()
        more = polled(stack, 300.0)
        gc.collect()
        second, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    asked, answered = asked + more[0], answered + more[1]
    stack.run(300.0)
    answered += [event.number for event in stack.told(Answered)]
    assert sorted(answered) == sorted(asked)
    for meter in range(METERS):
        assert [each for each in answered if each % METERS == meter] == [
            each for each in asked if each % METERS == meter
        ]  # in order
    assert second - first < 50_000
