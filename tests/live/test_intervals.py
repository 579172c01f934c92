"""The last item of each interval."""

from __future__ import annotations

from e320proto.live.intervals import LastOfInterval


def test_the_last_of_each_interval_goes_through_and_the_rest_at_the_end() -> None:
    thin: LastOfInterval[int] = LastOfInterval(10)
    found = [thin.take("a", second, float(second)) for second in range(95, 125)]
    assert [item for item in found if item is not None] == [99, 109, 119]
    assert thin.rest() == [124]
    assert thin.rest() == []


def test_a_gap_loses_nothing() -> None:
    thin: LastOfInterval[str] = LastOfInterval(10)
    assert [thin.take("a", item, at) for item, at in (("x", 1.0), ("y", 55.0))] == [None, "x"]
    assert thin.rest() == ["y"]


def test_sources_do_not_disturb_each_other() -> None:
    thin: LastOfInterval[str] = LastOfInterval(10)
    assert thin.take("a 1", "one", 1.0) is thin.take("b 1", "two", 2.0) is None
    assert thin.rest("a ") == ["one"]
    assert thin.take("b 1", "three", 11.0) == "two"


def test_without_intervals_everything_goes_through() -> None:
    thin: LastOfInterval[int] = LastOfInterval(0)
    assert [thin.take("a", number, 0.0) for number in range(3)] == [0, 1, 2]
    assert thin.rest() == []
