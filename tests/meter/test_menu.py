"""The user menu: the table, and the table in time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import LocalProtocolError
from e320proto.meter.button import OpticalButton, PressEvent
from e320proto.meter.config import E320Config
from e320proto.meter.history import View
from e320proto.meter.menu import Menu
from e320proto.meter.menu_table import STANDARD, TABLE, Effect, MenuEvent, MenuState, Place, Row, _Situation, step
from tests.meter.vectors import VECTORS

VECTOR = VECTORS["model"]["pin_entry"]
PIN = "3025"


def config(**changes: Any) -> E320Config:  # noqa: ANN401 - any field
    return E320Config(pin=PIN, **changes)


@dataclass
class Facts:
    """A small meter behind the menu: it answers the guards and carries out the effects."""

    register_count: int = 2
    pin_protection: bool = True
    pin_query: bool = True
    pin_tries_left: int | None = None
    pin: str = PIN
    days: int = 30
    extended_set: bool = False
    done: list[Effect] = field(default_factory=list)

    def pin_is_right(self, digits: str) -> bool:
        return digits == self.pin

    def has_value(self, view: View, register: int, index: int) -> bool:
        assert 1 <= register <= self.register_count
        return (index - 1) * view < self.days

    def carry_out(self, effects: tuple[Effect, ...]) -> None:
        self.done += effects
        for effect in effects:
            match effect:
                case Effect.TOGGLE_INF:
                    self.extended_set = not self.extended_set
                case Effect.TOGGLE_PIN_QUERY:
                    self.pin_query = not self.pin_query
                case Effect.PIN_QUERY_OFF:
                    self.pin_query = False
                case Effect.CLEAR_HISTORY:
                    self.days = 0
                case Effect.PIN_FAILED if self.pin_tries_left is not None:
                    self.pin_tries_left -= 1
                case _:
                    pass


class Face:
    """Button and menu of a meter, with their timers kept at their instants."""

    def __init__(self, facts: Facts, **changes: Any) -> None:  # noqa: ANN401 - any field
        self.facts = facts
        self.now_ms = 0
        self.button = OpticalButton(config(**changes))
        self.menu = Menu(config(**changes), facts)

    def light(self, lux: float, at_ms: int) -> None:
        """Change the light; at one instant it comes before the timers."""
        self._timers(at_ms - 1)
        self.now_ms = at_ms
        self._press(self.button.light(lux, at_ms))

    def wait(self, until_ms: int) -> str:
        """Let time pass, timers of that instant included, and tell the state."""
        self._timers(until_ms)
        self.now_ms = until_ms
        return str(self.menu.state)

    def short(self) -> str:
        self.light(1000, self.now_ms + 100)
        self.light(0, self.now_ms + 300)
        return str(self.menu.state)

    def long(self) -> str:
        self.light(1000, self.now_ms + 100)
        self.light(0, self.now_ms + 5100)
        return str(self.menu.state)

    def _press(self, events: tuple[PressEvent, ...]) -> None:
        for event in events:
            self.facts.carry_out(self.menu.press(event, self.now_ms))

    def _timers(self, until_ms: int) -> None:
        while True:
            both = (self.button.next_timeout(), self.menu.next_timeout())
            at_ms = min((timeout for timeout in both if timeout is not None), default=until_ms + 1)
            if at_ms > until_ms:
                return
            assert at_ms >= self.now_ms
            self.now_ms = at_ms
            self._press(self.button.handle_timeout(at_ms))
            self.facts.carry_out(self.menu.handle_timeout(at_ms))


def entered(face: Face, digits: str) -> str:
    """Go to the PIN entry and enter the digits."""
    face.short()
    face.short()
    assert face.short() == "PIN(0)"
    for digit in digits:
        for _ in range(int(digit)):
            face.short()
        face.wait(face.now_ms + 3000)
    return str(face.menu.state)


def at_power(facts: Facts, **changes: Any) -> Face:  # noqa: ANN401 - any field
    """A meter whose menu shows P."""
    face = Face(facts, **changes)
    if facts.pin_protection and facts.pin_query:
        assert entered(face, PIN) == "P"
    else:
        face.short()
        face.short()
        assert face.short() == "P"
    return face


# The table.


def reached(facts: Facts, config: E320Config) -> set[MenuState]:
    """All states that the table leads to from the standard display."""
    seen, found = {STANDARD}, [STANDARD]
    while found:
        state = found.pop()
        for event in events_of(state):
            after, _ = step(state, event, facts, config)
            assert after.index <= facts.days + 1, "it browses beyond the oldest value"
            if after not in seen:
                seen.add(after)
                found.append(after)
    return seen


def events_of(state: MenuState) -> set[MenuEvent]:
    return {event for row in rows_of(state) for event in row.events}


def rows_of(state: MenuState) -> list[Row]:
    return [row for row in TABLE if state.place in row.places]


METERS = [
    Facts(register_count=count, pin_protection=protection, pin_query=query, pin_tries_left=tries, days=days)
    for count, (protection, query), tries, days in product(
        (1, 2), ((True, True), (True, False), (False, False)), (None, 1, 0), (0, 1, 20, 800)
    )
]
SHORT_PIN = E320Config(pin="12", pin_digits=2)  # few states


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_one_row_fits_each_event_in_each_state(facts: Facts) -> None:
    meter = replace(facts, pin="12")
    for state in reached(meter, SHORT_PIN):
        now = _Situation(state, meter, SHORT_PIN)
        for event in events_of(state):
            assert sum(event in row.events and row.guard(now) for row in rows_of(state)) == 1, (state, event)


def test_every_state_meets_presses_and_idleness_and_timers_where_they_run() -> None:
    for place in Place:
        wanted = {MenuEvent.S, MenuEvent.L}
        if place is not Place.STD:
            wanted.add(MenuEvent.I)
        if place in {Place.TEST_U, Place.TEST_L, Place.PIN}:
            wanted.add(MenuEvent.T)
        assert events_of(MenuState(place)) == wanted, place


def test_every_state_is_reached() -> None:
    places = {state.place for facts in METERS for state in reached(replace(facts, pin="12"), SHORT_PIN)}
    assert places == set(Place)
    with_pin = reached(Facts(pin="12"), SHORT_PIN)
    assert {state.place for state in with_pin} == set(Place) - {Place.PIN_LOCKED}
    assert sum(state.place is Place.PIN for state in with_pin) == 10 + 100


def test_every_row_is_taken() -> None:
    taken: set[int] = set()
    for facts, auto_off in product(METERS, (False, True)):
        settings = replace(SHORT_PIN, pin_auto_off=auto_off)
        meter = replace(facts, pin="12")
        for state in reached(meter, settings):
            now = _Situation(state, meter, settings)
            taken |= {number for number, row in enumerate(TABLE) if state.place in row.places and row.guard(now)}
    assert taken == set(range(len(TABLE)))


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_without_protection_there_is_no_pin(facts: Facts) -> None:
    if not facts.pin_protection:
        assert not {Place.PIN, Place.PIN_LOCKED, Place.PINSET} & {state.place for state in reached(facts, config())}


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_locked_content_needs_the_pin(facts: Facts) -> None:
    meter = replace(facts, pin_protection=True, pin_query=True, pin="xx")  # no digits are right
    free = {Place.STD, Place.TEST_U, Place.TEST_L, Place.PIN, Place.PIN_LOCKED}
    assert {state.place for state in reached(meter, SHORT_PIN)} <= free


def test_an_event_that_a_state_never_meets() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        step(STANDARD, MenuEvent.I, Facts(), config())
    assert (caught.value.reason, caught.value.state) == ("menu_event", "STD")


def test_states_as_text() -> None:
    states = [STANDARD, MenuState(Place.E, register=2), MenuState(Place.H, View.MONTH, 1, 1)]
    assert [str(state) for state in states] == ["STD", "E(2)", "H(30d,1)"]


# The table in time.


@pytest.mark.parametrize("right", [True, False])
def test_vectors_of_the_pin_entry(right: bool) -> None:  # noqa: FBT001 - of the test
    face = Face(Facts(pin=VECTOR["pin"] if right else VECTOR["wrong_pin"]["pin"]))
    changes = [(1000 * at_s, lux) for on_s, off_s in VECTOR["presses_s"] for at_s, lux in ((on_s, 1000), (off_s, 0))]
    for expected in VECTOR["states"]:
        until_ms = round(1000 * expected["t_s"])
        while changes and round(changes[0][0]) <= until_ms:
            at_ms, lux = changes.pop(0)
            face.light(lux, round(at_ms))
        face.wait(until_ms)
        if not right and expected["t_s"] == 22.6:
            assert face.menu.state.place.name == VECTOR["wrong_pin"]["state_at_22_6_s"]
            assert face.facts.done == [Effect.PIN_FAILED]
            return
        assert face.menu.state.place.name == expected["state"], expected
        assert face.menu.state.digits.ljust(4, "-") == expected.get("digits", "----"), expected
    assert face.facts.done == [Effect.UNLOCK, Effect.LOCK]


def test_the_whole_menu_with_pin() -> None:
    face = at_power(Facts())
    walk = [face.short() for _ in range(13)]
    assert walk == [
        "E(1)", "E(2)", "H(1d,1)", "H(1d,2)", "H(7d,1)", "H(7d,2)", "H(30d,1)", "H(30d,2)", "H(365d,1)", "H(365d,2)",
        "HIS", "INF", "PINSET",
    ]  # fmt: skip
    assert face.short() == "STD"
    assert face.facts.done == [Effect.UNLOCK, Effect.LOCK]


def test_the_whole_menu_of_one_register_without_protection() -> None:
    face = at_power(Facts(register_count=1, pin_protection=False))
    walk = [face.short() for _ in range(8)]
    assert walk == ["E(1)", "H(1d,1)", "H(7d,1)", "H(30d,1)", "H(365d,1)", "HIS", "INF", "STD"]


def test_long_presses_at_the_start_do_nothing() -> None:
    face = Face(Facts(pin_query=False))
    assert face.long() == "STD"
    face.short()
    assert face.long() == "TEST_U"
    face.short()
    assert face.long() == "TEST_L"
    face.short()
    assert face.long() == "P"


def test_reset_of_e() -> None:
    face = at_power(Facts(pin_query=False))
    face.short()
    assert [face.short(), face.long(), face.short()] == ["E(2)", "E_CLR(2)", "E(2)"]
    assert face.facts.done == []
    assert [face.long(), face.long()] == ["E_CLR(2)", "E(1)"]
    assert face.facts.done == [Effect.CLEAR_E]


def test_browsing_the_history() -> None:
    face = at_power(Facts(pin_query=False, days=3))
    for _ in range(4):
        face.short()
    assert [face.long(), face.short(), face.short()] == ["HB(1d,2,2)", "HB(1d,2,3)", "H(1d,2)"]
    assert [face.long(), face.long()] == ["HB(1d,2,2)", "H(1d,2)"]
    face.short()
    assert face.long() == "H(7d,1)"  # there is no older week


def test_reset_of_the_history() -> None:
    face = at_power(Facts(pin_query=False, register_count=1))
    for _ in range(6):
        face.short()
    assert [face.long(), face.short()] == ["HIS_CLR", "HIS"]
    assert face.facts.days == 30
    assert [face.long(), face.long()] == ["HIS_CLR", "HIS"]
    assert face.facts.done == [Effect.CLEAR_HISTORY]


def test_switches() -> None:
    face = at_power(Facts(pin_query=False))
    for _ in range(12):
        face.short()
    assert [face.long(), face.facts.extended_set, face.long(), face.facts.extended_set] == ["INF", True, "INF", False]
    assert face.short() == "PINSET"
    assert [face.long(), face.facts.pin_query] == ["PINSET", True]
    assert face.short() == "STD"
    face.wait(face.now_ms + 1000)
    assert entered(face, "0000") == "STD"  # the query is on again


def test_an_untouched_dialogue_tries_0000() -> None:
    face = Face(Facts(pin="0000"))
    face.short()
    shown_ms = face.now_ms
    assert face.wait(shown_ms + 4000) == "PIN(0)"
    assert face.wait(shown_ms + 4000 + 11_999) == "PIN(0000)"
    assert face.wait(shown_ms + 4000 + 12_000) == "P"


def test_a_digit_waits_while_the_button_is_lit() -> None:
    face = Face(Facts())
    for _ in range(3):
        face.short()
    start_ms = face.now_ms + 2999
    face.light(1000, start_ms)
    assert face.wait(start_ms + 3500) == "PIN(0)"
    face.light(0, start_ms + 4000)  # neither short nor long
    assert face.wait(start_ms + 6999) == "PIN(0)"
    assert face.wait(start_ms + 7000) == "PIN(00)"


def test_a_press_at_the_instant_of_the_timer_comes_first() -> None:
    face = Face(Facts())
    for _ in range(3):
        face.short()
    start_ms = face.now_ms + 3000
    face.light(1000, start_ms)
    face.light(0, start_ms + 300)
    assert face.wait(start_ms + 300) == "PIN(1)"


def test_the_display_test_stays_while_the_button_is_lit() -> None:
    face = Face(Facts())
    face.short()
    start_ms = face.now_ms + 1000
    face.light(1000, start_ms)
    assert face.wait(start_ms + 20_000) == "TEST_U"
    face.light(0, start_ms + 20_000)
    assert face.wait(start_ms + 21_999) == "TEST_U"
    assert face.wait(start_ms + 22_000) == "TEST_L"


def test_idleness_comes_before_the_timer_of_the_state() -> None:
    face = Face(Facts(pin="0000"), idle_timeout_s=12)
    for _ in range(3):
        face.short()
    assert face.wait(face.now_ms + 12_000) == "STD"
    assert face.facts.done == [Effect.LOCK]  # the PIN would have been right


def test_a_bounce_leaves_no_trace() -> None:
    plain, shaken = Face(Facts(pin="0000")), Face(Facts(pin="0000"))
    for face in (plain, shaken):
        face.short()
        face.short()
    for at_ms in range(plain.now_ms + 1000, plain.now_ms + 15_000, 500):
        shaken.light(1000, at_ms)
        shaken.light(0, at_ms + 99)
        assert shaken.wait(at_ms + 100) == plain.wait(at_ms + 100)
    assert str(plain.menu.state) == "P"
    assert shaken.menu.next_timeout() == plain.menu.next_timeout()


def test_a_long_press_gives_the_pin_entry_up() -> None:
    face = Face(Facts())
    for _ in range(4):
        face.short()
    assert face.long() == "STD"
    assert face.facts.done == []


def test_tries_run_out() -> None:
    face = Face(Facts(pin_tries_left=2))
    assert entered(face, "1111") == "STD"
    assert entered(face, "1111") == "STD"
    assert face.facts.pin_tries_left == 0
    face.short()
    face.short()
    assert face.short() == "PIN_LOCKED"
    assert face.short() == "STD"


def test_a_right_pin_may_end_the_query() -> None:
    face = at_power(Facts(), pin_auto_off=True)
    assert face.facts.done == [Effect.UNLOCK, Effect.PIN_QUERY_OFF]
    assert not face.facts.pin_query


def test_idleness_counts_from_start_and_end_of_a_press() -> None:
    face = at_power(Facts(pin_query=False))
    now_ms = face.now_ms
    assert face.wait(now_ms + 119_999) == "P"
    face.light(1000, now_ms + 120_000)  # first the press, then the timer
    face.wait(now_ms + 123_000)
    face.light(0, now_ms + 123_000)  # no event of the table, but a press
    assert face.wait(now_ms + 242_999) == "P"
    assert face.wait(now_ms + 243_000) == "STD"
    assert face.facts.done == [Effect.LOCK]
    assert face.menu.next_timeout() is None


def test_idleness_counts_while_the_button_is_lit() -> None:
    face = at_power(Facts(pin_query=False))
    start_ms = face.now_ms + 1000
    face.light(1000, start_ms)
    assert face.wait(start_ms + 119_999) == "P"
    assert face.wait(start_ms + 120_000) == "STD"
    face.light(0, start_ms + 130_000)
    assert face.wait(start_ms + 400_000) == "STD"


def test_a_late_caller_finds_the_same() -> None:
    menu = Menu(config(), Facts(pin="0000"))
    for event in (PressEvent.START, PressEvent.SHORT, PressEvent.END):
        menu.press(event, 0)
    assert menu.press(PressEvent.START, 500_000) == (Effect.UNLOCK, Effect.LOCK)
    assert menu.state == STANDARD


gestures = st.lists(st.tuples(st.integers(0, 7000), st.integers(1, 7000) | st.just(130_000)), max_size=60)


@given(gestures=gestures, meter=st.sampled_from(METERS))
def test_no_sequence_leaves_the_table(gestures: list[tuple[int, int]], meter: Facts) -> None:
    face = Face(replace(meter, pin="0000", done=[]))
    for lit_ms, dark_ms in gestures:
        face.light(1000, face.now_ms + dark_ms)
        face.light(0, face.now_ms + lit_ms)
        state = face.menu.state
        listed = state.place in {Place.E, Place.E_CLR, Place.H, Place.HB}
        assert state.register in (range(1, meter.register_count + 1) if listed else (0,))
        assert (state.view is not None) == (state.index > 0) == (state.place in {Place.H, Place.HB})
        assert (1 <= len(state.digits) <= 4) == (state.place is Place.PIN)
        assert (face.menu.next_timeout() is None) == (state == STANDARD)


@given(gestures=gestures, meter=st.sampled_from(METERS))
def test_every_state_falls_back_after_two_minutes(gestures: list[tuple[int, int]], meter: Facts) -> None:
    face = Face(replace(meter, done=[]))
    for lit_ms, dark_ms in gestures:
        face.light(1000, face.now_ms + dark_ms)
        face.light(0, face.now_ms + lit_ms)
    assert face.wait(face.now_ms + 120_000) == "STD"
    unlocked = [effect for effect in face.facts.done if effect in {Effect.UNLOCK, Effect.LOCK}]
    assert Effect.UNLOCK not in unlocked[-1:]
