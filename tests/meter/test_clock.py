"""The seconds counter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.clock import MOST, SecondsCounter
from tests.meter.vectors import VECTORS


@pytest.mark.parametrize("vector", VECTORS["model"]["seconds_counter"], ids=lambda vector: str(vector["saved"]))
def test_vectors(vector: dict[str, Any]) -> None:
    counter = SecondsCounter(vector["saved"])
    counter.start(12_345)
    assert counter.at(12_345) == vector["after_restart"]


def test_first_start() -> None:
    counter = SecondsCounter()
    counter.start(500)
    assert [counter.at(now) for now in (500, 1_499, 1_500, 61_500)] == [0, 0, 1, 61]
    assert [counter.next_tick_ms(now) for now in (500, 1_499, 1_500)] == [1_500, 1_500, 2_500]
    assert counter.reaches_ms(61) == 61_500


@given(
    outages=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), max_size=30),
    start=st.none() | st.integers(0, 99),
)
def test_strictly_increasing_through_outages(outages: list[tuple[int, int]], start: int | None) -> None:
    counter = SecondsCounter(start)
    now, seen = 0, -1 if start is None else start
    for on, off in outages:
        counter.start(now)
        first = counter.at(now)
        assert first > seen
        now += on
        counter.stop(now)
        assert counter.stored is not None
        assert counter.stored == first + on // 1000
        seen = counter.stored
        now += off


def test_it_stays_at_the_end() -> None:
    counter = SecondsCounter(MOST - 2)
    counter.start(0)
    assert [counter.at(now) for now in (0, 1_000, 9_000)] == [MOST - 1, MOST, MOST]
