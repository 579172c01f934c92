"""Bins keep every extreme, however wide they get."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from e320proto.report.bins import Bins

POWERS = st.lists(st.tuples(st.integers(0, 400_000_000), st.integers(-20_000, 20_000)), min_size=1, max_size=200)


@given(POWERS, st.integers(1, 64))
def test_every_bin_is_what_was_seen_in_it(powers: list[tuple[int, int]], most: int) -> None:
    bins = Bins(most)
    for x_ms, watts in powers:
        bins.at(x_ms).add(float(watts))
    assert max(bins.bins) < most
    for number, one in bins.bins.items():
        seen = [watts for x_ms, watts in powers if x_ms // bins.width_ms == number]
        assert (one.least, one.greatest, one.total, one.count) == (min(seen), max(seen), sum(seen), len(seen))
    assert sum(one.count for one in bins.bins.values()) == len(powers)


@given(POWERS)
def test_coarser_bins_hide_no_spike(powers: list[tuple[int, int]]) -> None:
    bins = Bins(512)
    for x_ms, watts in powers:
        bins.at(x_ms).add(float(watts))
    coarse = bins.coarser(8)
    assert max(coarse.bins) < 8
    assert min(one.least for one in coarse.bins.values()) == min(watts for _, watts in powers)
    assert max(one.greatest for one in coarse.bins.values()) == max(watts for _, watts in powers)
    assert sum(one.count for one in coarse.bins.values()) == len(powers)
