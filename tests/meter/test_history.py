"""Historical values and E."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError
from e320proto.meter.config import E320Config
from e320proto.meter.history import History, View
from e320proto.meter.modes import NEGATIVE, POSITIVE, Mode
from tests.meter.vectors import VECTORS

DAY_S = 86_400
VECTOR = VECTORS["model"]["history"]


def config(mode: Mode = Mode.IMPORT, **changes: Any) -> E320Config:  # noqa: ANN401 - any field
    return E320Config(pin="1234", mode=mode, **changes)


def lived(days: list[int], config: E320Config) -> History:
    """Let days of these energies pass, oldest first, all in the first register."""
    history = History(config)
    register = 0
    for number, day in enumerate(days, start=1):
        register += day
        assert history.count(number * DAY_S, dict.fromkeys(history.registers, register))
    return history


def values(history: History, view: View, registers: dict[Any, int] | None = None) -> list[int]:
    """All values of a view of the first register, newest first."""
    found: list[int] = []
    while (value := history.value(view, history.registers[0], len(found) + 1, registers or {})) is not None:
        found.append(value)
    return found


@pytest.mark.parametrize("view", View, ids=lambda view: view.label)
def test_vectors(view: View) -> None:
    history = lived(VECTOR["completed_day_values_dwh_oldest_first"], config())
    assert values(history, view) == VECTOR["views"][view.label]


@pytest.mark.parametrize(
    ("mode", "registers"),
    [
        (Mode.IMPORT, (POSITIVE,)),
        (Mode.EXPORT, (NEGATIVE,)),
        (Mode.BOTH, (POSITIVE, NEGATIVE)),
        (Mode.BALANCED, (NEGATIVE,)),
        (Mode.QUADRANTS, (POSITIVE, NEGATIVE)),
    ],
)
def test_registers_of_the_modes(mode: Mode, registers: tuple[Any, ...]) -> None:
    assert History(config(mode)).registers == registers


@pytest.mark.parametrize(
    ("view", "depth"), [(View.DAY, 730), (View.WEEK, 104), (View.MONTH, 24), (View.YEAR, 2)], ids=str
)
def test_depth(view: View, depth: int) -> None:
    history = lived([1] * 800, config())
    assert values(history, view) == [view] * depth


def test_a_day_closes_at_its_multiple_only() -> None:
    history = History(config())
    assert history.next_closing == DAY_S
    assert not history.count(DAY_S - 1, {POSITIVE: 5})
    assert history.count(DAY_S, {POSITIVE: 6})
    assert not history.count(DAY_S, {POSITIVE: 6})
    assert not history.count(DAY_S + 1, {POSITIVE: 7})
    assert history.next_closing == 2 * DAY_S
    assert history.count(2 * DAY_S, {POSITIVE: 10})
    assert values(history, View.DAY) == [4, 6]


def test_closings_that_nobody_called_at_make_one_day() -> None:
    history = History(config())
    assert history.count(3 * DAY_S + 7, {POSITIVE: 30})
    assert values(history, View.DAY) == [30]
    assert history.next_closing == 4 * DAY_S


def test_a_meter_that_does_not_begin_at_zero() -> None:
    history = History(config(), {POSITIVE: 1000}, 2 * DAY_S)
    assert history.next_closing == 3 * DAY_S
    assert history.since_reset(POSITIVE, 1234) == 234
    history.count(3 * DAY_S, {POSITIVE: 1500})
    assert values(history, View.DAY) == [500]


def test_no_value_before_the_first_day_or_out_of_range() -> None:
    history = History(config())
    assert history.value(View.DAY, POSITIVE, 1, {}) is None
    history.count(DAY_S, {POSITIVE: 5})
    assert history.value(View.DAY, POSITIVE, 0, {}) is None
    assert history.value(View.YEAR, POSITIVE, 1, {}) == 5
    assert history.value(View.YEAR, POSITIVE, 2, {}) is None
    with pytest.raises(KeyError):
        history.value(View.DAY, NEGATIVE, 1, {})


def test_the_running_day_may_be_the_newest() -> None:
    history = lived([1, 2], config(history_include_today=True))
    assert values(history, View.DAY, {POSITIVE: 10}) == [7, 2, 1]
    assert values(history, View.WEEK, {POSITIVE: 10}) == [10]


def test_reset_of_the_history_leaves_e_and_the_running_day() -> None:
    history = lived([1, 2], config())
    history.clear_days()
    assert values(history, View.DAY) == []
    assert history.since_reset(POSITIVE, 10) == 10
    history.count(3 * DAY_S, {POSITIVE: 10})
    assert values(history, View.DAY) == [7]


def test_reset_of_e_leaves_the_history() -> None:
    history = lived([1, 2], config(Mode.BOTH))
    history.clear_e({POSITIVE: 10, NEGATIVE: 20})
    assert history.since_reset(POSITIVE, 12) == 2
    assert history.since_reset(NEGATIVE, 25) == 5
    assert values(history, View.DAY) == [2, 1]


def test_days_beside_a_gateway() -> None:
    history = History(config(history_with_gateway=False))
    history.count(DAY_S, {POSITIVE: 5}, gateway=True)
    history.count(2 * DAY_S, {POSITIVE: 7}, gateway=False)
    assert values(history, View.DAY) == [2]
    kept = History(config())
    kept.count(DAY_S, {POSITIVE: 5}, gateway=True)
    assert values(kept, View.DAY) == [5]


@pytest.mark.parametrize(
    ("mode", "earlier", "now", "day"),
    [
        (Mode.IMPORT, 10**10 - 3, 4, 7),
        (Mode.BALANCED, 100, -50, -150),
        (Mode.BALANCED, 10**10 - 1, 0, 1),  # the signed register begins again at 0 at both ends
        (Mode.BALANCED, -(10**10) + 1, 0, -1),
        (Mode.BALANCED, 3, 10**10 - 4, -7),  # the unsigned one below 0
    ],
)
def test_a_register_that_begins_again(mode: Mode, earlier: int, now: int, day: int) -> None:
    code = NEGATIVE if mode is Mode.BALANCED else POSITIVE
    history = History(config(mode), {code: earlier})
    history.count(DAY_S, {code: now})
    assert values(history, View.DAY) == [day]


@pytest.mark.parametrize(
    ("mode", "register", "e"),
    [
        (Mode.EXPORT, 10**9 - 1, 10**9 - 1),
        (Mode.EXPORT, 10**9, 0),
        (Mode.BALANCED, -5, -5),
        (Mode.BALANCED, -(10**9) - 5, -5),
    ],
)
def test_modulus_of_e(mode: Mode, register: int, e: int) -> None:
    assert History(config(mode)).since_reset(NEGATIVE, register) == e


@given(st.lists(st.integers(0, 10**6), max_size=40), st.integers(1, 30))
def test_views_agree_with_the_days(days: list[int], kept: int) -> None:
    history = lived(days, config(history_days=kept))
    newest = days[::-1][:kept]
    assert values(history, View.DAY) == newest
    for view in View:
        windows = [sum(newest[start : start + view]) for start in range(0, len(newest), view)]
        assert values(history, view) == windows[: kept // view]


@given(st.lists(st.integers(0, 10**6), max_size=40))
def test_state_goes_out_and_comes_back(days: list[int]) -> None:
    history = lived(days, config(Mode.BOTH))
    state = json.loads(json.dumps(history.export_state()))
    again = History.import_state(config(Mode.BOTH), state)
    assert again.export_state() == state
    assert again.next_closing == history.next_closing
    assert values(again, View.DAY) == days[::-1]


def test_a_state_with_more_days_than_are_kept() -> None:
    state = lived([1, 2, 3], config()).export_state()
    assert values(History.import_state(config(history_days=2), state), View.DAY) == [3, 2]


def _state(**changes: object) -> dict[str, object]:
    record = {"start": 0, "reference": 0, "days": [], **changes}
    return {"closed_at": 0, "registers": {"1.8.0": record}}


@pytest.mark.parametrize(
    ("state", "path"),
    [
        (None, "history"),
        ({"closed_at": 0}, "history"),
        ({"closed_at": True, "registers": {}}, "closed_at"),
        ({"closed_at": -1, "registers": {}}, "closed_at"),
        ({"closed_at": 0, "registers": {"2.8.0": {}}}, "registers"),
        ({"closed_at": 0, "registers": {"1.8.0": {}}}, "1.8.0"),
        (_state(start="0"), "1.8.0.start"),
        (_state(reference=1.5), "1.8.0.reference"),
        (_state(days=3), "1.8.0.days"),
        (_state(days=[1, None]), "1.8.0.days"),
    ],
)
def test_a_broken_state(state: object, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        History.import_state(config(), state)
    assert (caught.value.reason, caught.value.path) == ("history_state", path)
