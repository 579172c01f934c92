"""The optical button."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.button import OpticalButton, PressEvent
from e320proto.meter.config import E320Config
from tests.meter.vectors import VECTORS

START, SHORT, LONG, END, BOUNCE = PressEvent
RESULTS = {"none": [], "short": [SHORT], "long": [LONG]}


def press(button: OpticalButton, lit_ms: int, lux: float = 1000, at_ms: int = 0) -> list[tuple[int, PressEvent]]:
    """Light the button for a while, keep its timer, and note all events with their instants."""
    events = [(at_ms, event) for event in button.light(lux, at_ms)]
    off_ms = at_ms + lit_ms
    while (timeout := button.next_timeout()) is not None and timeout < off_ms:
        events += [(timeout, event) for event in button.handle_timeout(timeout)]
    return events + [(off_ms, event) for event in button.light(0, off_ms)]


def config(**changes: Any) -> E320Config:  # noqa: ANN401 - any field
    return E320Config(pin="1234", **changes)


@pytest.mark.parametrize("vector", VECTORS["model"]["optical_button"], ids=lambda v: f"{v['lit_s']}s-{v['lux']}lux")
def test_vectors(vector: dict[str, Any]) -> None:
    events = press(OpticalButton(config()), round(1000 * vector["lit_s"]), vector["lux"])
    assert [event for _, event in events if event in {SHORT, LONG}] == RESULTS[vector["result"]]


@pytest.mark.parametrize(
    ("lit_ms", "expected"),
    [
        (99, [(0, START), (99, BOUNCE)]),
        (100, [(0, START), (100, SHORT), (100, END)]),
        (1999, [(0, START), (1999, SHORT), (1999, END)]),
        (2000, [(0, START), (2000, END)]),
        (5000, [(0, START), (5000, END)]),
        (5001, [(0, START), (5000, LONG), (5001, END)]),
        (600_000, [(0, START), (5000, LONG), (600_000, END)]),
    ],
)
def test_instants_of_the_events(lit_ms: int, expected: list[tuple[int, PressEvent]]) -> None:
    assert press(OpticalButton(config()), lit_ms) == expected


@pytest.mark.parametrize(
    ("middle", "fires", "lit_ms", "expected"),
    [
        ("short", "hold", 2000, [(0, START), (2000, SHORT), (2000, END)]),
        ("short", "hold", 5000, [(0, START), (5000, SHORT), (5000, END)]),
        ("long", "hold", 2000, [(0, START), (2000, LONG), (2000, END)]),
        ("long", "hold", 1999, [(0, START), (1999, SHORT), (1999, END)]),
        ("long", "hold", 5001, [(0, START), (5000, LONG), (5001, END)]),
        ("ignore", "release", 5000, [(0, START), (5000, END)]),
        ("ignore", "release", 5001, [(0, START), (5001, LONG), (5001, END)]),
        ("long", "release", 3000, [(0, START), (3000, LONG), (3000, END)]),
    ],
)
def test_choices(middle: str, fires: str, lit_ms: int, expected: list[tuple[int, PressEvent]]) -> None:
    assert press(OpticalButton(config(middle_press=middle, long_fires=fires)), lit_ms) == expected


def test_limits_are_parameters() -> None:
    button = OpticalButton(config(lux_threshold=50, press_min_s=0, short_max_s=1, long_min_s=1.5))
    assert press(button, 0, 50) == [(0, START), (0, SHORT), (0, END)]
    assert press(button, 1000, 50, 10_000) == [(10_000, START), (11_000, END)]
    assert press(button, 1501, 50, 20_000) == [(20_000, START), (21_500, LONG), (21_501, END)]
    assert press(button, 500, 49, 30_000) == []


def test_darkness_is_dark_even_without_a_threshold() -> None:
    button = OpticalButton(config(lux_threshold=0))
    assert button.light(0, 0) == ()
    assert button.light(1, 5) == (START,)


def test_brighter_light_goes_on_with_the_press_and_dusk_ends_it() -> None:
    button = OpticalButton(config())
    assert button.light(399, 0) == ()
    assert button.light(400, 10) == (START,)
    assert button.lit
    assert button.light(90_000, 500) == ()
    assert button.light(399.9, 1000) == (SHORT, END)
    assert not button.lit
    assert button.light(0, 1100) == ()


def test_a_call_that_comes_early_or_late() -> None:
    button = OpticalButton(config())
    button.light(1000, 0)
    assert button.handle_timeout(4999) == ()
    assert button.next_timeout() == 5000
    assert button.light(0, 9000) == (LONG, END)  # nobody asked at 5 s
    assert button.handle_timeout(10_000) == ()


@given(
    lengths=st.lists(st.tuples(st.integers(0, 8000), st.integers(1, 8000)), max_size=20),
    middle=st.sampled_from(["ignore", "short", "long"]),
    fires=st.sampled_from(["hold", "release"]),
)
def test_every_press_starts_and_ends_once_and_means_one_thing(
    lengths: list[tuple[int, int]], middle: str, fires: str
) -> None:
    button = OpticalButton(config(middle_press=middle, long_fires=fires))
    now_ms = 0
    for lit_ms, dark_ms in lengths:
        events = [event for _, event in press(button, lit_ms, at_ms=now_ms)]
        assert events[0] is START
        assert events[-1] is (BOUNCE if lit_ms < 100 else END)
        assert len(events) == 2 + any(event in {SHORT, LONG} for event in events)
        assert button.next_timeout() is None
        now_ms += lit_ms + dark_ms
