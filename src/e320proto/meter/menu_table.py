"""The user menu as one table of transitions.

::

    STD -> display test -> [PIN] -> P -> E -> 1d -> 7d -> 30d -> 365d -> HIS -> InF -> [PIN on/off] -> STD

=====  ========================================================================================
event  meaning
=====  ========================================================================================
S      a short press
L      a long press
T      the timer of a state has run out; it stands still while the button is lit and starts
       anew at the release
I      120 s without action; every start and end of a press begins them anew
=====  ========================================================================================

The rows of :data:`TABLE` are the whole behaviour; the guards of the rows for one state and event exclude each
other, and one of them always holds. What a row does outside the menu is an :class:`Effect`, for the model to
carry out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from e320proto.errors import LocalProtocolError
from e320proto.meter.history import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.meter.config import E320Config


class Place(Enum):
    """Where in the menu the display is."""

    STD = "standard display"
    TEST_U = "display test, upper line"
    TEST_L = "display test, lower line"
    PIN = "PIN entry"
    PIN_LOCKED = "PIN entry after too many wrong ones"
    P = "power"
    E = "energy since the last reset"
    E_CLR = "reset of E"
    H = "newest historical value"
    HB = "older historical values"
    HIS = "historical values"
    HIS_CLR = "reset of historical values"
    INF = "INFO data set"
    PINSET = "PIN query"


class MenuEvent(StrEnum):
    """What moves the menu."""

    S = "short press"
    L = "long press"
    T = "timer"
    I = "idle"  # noqa: E741 - the letter of the table


class Effect(StrEnum):
    """What the model has to do."""

    UNLOCK = "unlock"
    """The right PIN was entered: the content is open, the wrong PINs are forgotten."""
    LOCK = "lock"
    """The menu was left: the content is locked."""
    PIN_FAILED = "pin failed"
    """A wrong PIN was entered: one try less."""
    CLEAR_E = "clear E"
    """Begin E of all registers at 0."""
    CLEAR_HISTORY = "clear history"
    """Delete all day values."""
    TOGGLE_INF = "toggle InF"
    """Change between the reduced and the extended data set, from the next push on."""
    TOGGLE_PIN_QUERY = "toggle PIN query"
    """Turn the PIN query on or off."""
    PIN_QUERY_OFF = "PIN query off"
    """Turn the PIN query off, because a right PIN does so (``pin_auto_off``)."""


@dataclass(frozen=True, slots=True)
class MenuState:
    """Where the menu is.

    Args:
        place: the state of the table.
        view: which historical values, in H and HB; ``None`` elsewhere.
        register: number of the register, from 1, in E, E_CLR, H and HB; 0 elsewhere.
        index: which value of the view, 1 is the newest; 0 outside H and HB.
        digits: digits of the PIN so far, the last one still to be accepted.

    >>> str(MenuState(Place.HB, View.WEEK, 1, 3)), str(MenuState(Place.PIN, digits="30"))
    ('HB(7d,1,3)', 'PIN(30)')
    """

    place: Place
    view: View | None = None
    register: int = 0
    index: int = 0
    digits: str = ""

    def __str__(self) -> str:
        match self.place:
            case Place.HB:
                inside = f"{self.view.label if self.view else ''},{self.register},{self.index}"
            case Place.H:
                inside = f"{self.view.label if self.view else ''},{self.register}"
            case Place.E | Place.E_CLR:
                inside = str(self.register)
            case Place.PIN:
                inside = self.digits
            case _:
                return self.place.name
        return f"{self.place.name}({inside})"


STANDARD: Final = MenuState(Place.STD)


class MenuFacts(Protocol):
    """What the guards ask the model."""

    @property
    def register_count(self) -> int:
        """How many registers E and the history show, 1 or more."""

    @property
    def pin_protection(self) -> bool:
        """Whether the menu can ask for a PIN at all."""

    @property
    def pin_query(self) -> bool:
        """Whether the PIN query is on."""

    @property
    def pin_tries_left(self) -> int | None:
        """How many wrong PINs are still allowed; ``None`` for any number."""

    def pin_is_right(self, digits: str) -> bool:
        """Whether these are the digits of the PIN."""

    def has_value(self, view: View, register: int, index: int) -> bool:
        """Whether a historical value exists: view, number of the register from 1, value from 1 (the newest)."""


class _Situation(NamedTuple):
    """What guards and targets look at."""

    state: MenuState
    facts: MenuFacts
    config: E320Config


# Guards: named as in the table.


def always(_: _Situation) -> bool:
    """No condition."""
    return True


def pin_required(now: _Situation) -> bool:
    """The PIN query is on, and another try is allowed."""
    return _query(now.facts) and now.facts.pin_tries_left != 0


def pin_locked(now: _Situation) -> bool:
    """The PIN query is on, and no try is left."""
    return _query(now.facts) and now.facts.pin_tries_left == 0


def pin_not_required(now: _Situation) -> bool:
    """There is no PIN query."""
    return not _query(now.facts)


def more_digits(now: _Situation) -> bool:
    """The digit is not the last one: k < 4."""
    return len(now.state.digits) < now.config.pin_digits


def pin_right(now: _Situation) -> bool:
    """The digit is the last one, and the digits are those of the PIN."""
    return not more_digits(now) and now.facts.pin_is_right(now.state.digits) and not now.config.pin_auto_off


def pin_right_auto_off(now: _Situation) -> bool:
    """As :func:`pin_right`, and a right PIN ends the query."""
    return not more_digits(now) and now.facts.pin_is_right(now.state.digits) and now.config.pin_auto_off


def pin_wrong(now: _Situation) -> bool:
    """The digit is the last one, and the digits are others."""
    return not more_digits(now) and not now.facts.pin_is_right(now.state.digits)


def more_registers(now: _Situation) -> bool:
    """The register is not the last one."""
    return now.state.register < now.facts.register_count


def last_register(now: _Situation) -> bool:
    """The register is the last one."""
    return not more_registers(now)


def last_register_more_views(now: _Situation) -> bool:
    """The register is the last one, the view is not."""
    return last_register(now) and now.state.view is not View.YEAR


def last_register_last_view(now: _Situation) -> bool:
    """Register and view are the last ones."""
    return last_register(now) and now.state.view is View.YEAR


def older_exists(now: _Situation) -> bool:
    """A value before the one shown exists."""
    state = now.state
    return state.view is not None and now.facts.has_value(state.view, state.register, state.index + 1)


def oldest(now: _Situation) -> bool:
    """No value before the one shown exists."""
    return not older_exists(now)


def pin_protected(now: _Situation) -> bool:
    """The meter is one with PIN protection."""
    return now.facts.pin_protection


def not_pin_protected(now: _Situation) -> bool:
    """The meter is one without PIN protection."""
    return not now.facts.pin_protection


def _query(facts: MenuFacts) -> bool:
    return facts.pin_protection and facts.pin_query


# Targets: the state after a row.


def same(state: MenuState) -> MenuState:
    """Stay."""
    return state


def at(place: Place) -> Callable[[MenuState], MenuState]:
    """Go to a state without details."""

    def target(_: MenuState) -> MenuState:
        return MenuState(place)

    return target


def first_digit(_: MenuState) -> MenuState:
    """Begin the PIN: k = 1, the digit is 0."""
    return MenuState(Place.PIN, digits="0")


def digit_up(state: MenuState) -> MenuState:
    """Count the digit up, 0 after 9."""
    return replace(state, digits=f"{state.digits[:-1]}{(int(state.digits[-1]) + 1) % 10}")


def next_digit(state: MenuState) -> MenuState:
    """Accept the digit, k += 1; the new digit is 0."""
    return replace(state, digits=f"{state.digits}0")


def e_first(_: MenuState) -> MenuState:
    """E(1)."""
    return MenuState(Place.E, register=1)


def e_clr(state: MenuState) -> MenuState:
    """Ask whether to reset E."""
    return replace(state, place=Place.E_CLR)


def e_kept(state: MenuState) -> MenuState:
    """E(r), nothing reset."""
    return replace(state, place=Place.E)


def next_register(state: MenuState) -> MenuState:
    """The same of register r + 1."""
    return replace(state, register=state.register + 1)


def first_view(_: MenuState) -> MenuState:
    """H(1d,1)."""
    return MenuState(Place.H, View.DAY, 1, 1)


def next_view(state: MenuState) -> MenuState:
    """H(next n,1)."""
    return MenuState(Place.H, state.view and state.view.following, 1, 1)


def older(state: MenuState) -> MenuState:
    """HB(n,r,i+1)."""
    return replace(state, place=Place.HB, index=state.index + 1)


def newest(state: MenuState) -> MenuState:
    """H(n,r)."""
    return replace(state, place=Place.H, index=1)


class Row(NamedTuple):
    """A transition: in these states, at these events, if the guard holds, go there with these effects."""

    places: tuple[Place, ...]
    events: tuple[MenuEvent, ...]
    guard: Callable[[_Situation], bool]
    target: Callable[[MenuState], MenuState]
    effects: tuple[Effect, ...] = ()


_S, _L, _T, _I = MenuEvent.S, MenuEvent.L, MenuEvent.T, MenuEvent.I
_ANY_BUT_STD: Final = tuple(place for place in Place if place is not Place.STD)

# fmt: off
TABLE: Final = (
    # state               event     guard                     next               effect
    Row((Place.STD,),     (_S,),    always,                   at(Place.TEST_U)),
    Row((Place.STD,),     (_L,),    always,                   same),
    Row((Place.TEST_U,),  (_S, _T), always,                   at(Place.TEST_L)),
    Row((Place.TEST_U,),  (_L,),    always,                   same),
    Row((Place.TEST_L,),  (_S, _T), pin_required,             first_digit),
    Row((Place.TEST_L,),  (_S, _T), pin_locked,               at(Place.PIN_LOCKED)),
    Row((Place.TEST_L,),  (_S, _T), pin_not_required,         at(Place.P)),
    Row((Place.TEST_L,),  (_L,),    always,                   same),
    Row((Place.PIN,),     (_S,),    always,                   digit_up),
    Row((Place.PIN,),     (_T,),    more_digits,              next_digit),
    Row((Place.PIN,),     (_T,),    pin_right,                at(Place.P),       (Effect.UNLOCK,)),
    Row((Place.PIN,),     (_T,),    pin_right_auto_off,       at(Place.P),       (Effect.UNLOCK, Effect.PIN_QUERY_OFF)),
    Row((Place.PIN,),     (_T,),    pin_wrong,                at(Place.STD),     (Effect.PIN_FAILED,)),
    Row((Place.PIN,),     (_L,),    always,                   at(Place.STD)),
    Row((Place.PIN_LOCKED,), (_S, _L), always,                at(Place.STD)),
    Row((Place.P,),       (_S,),    always,                   e_first),
    Row((Place.P,),       (_L,),    always,                   same),
    Row((Place.E,),       (_S,),    more_registers,           next_register),
    Row((Place.E,),       (_S,),    last_register,            first_view),
    Row((Place.E,),       (_L,),    always,                   e_clr),
    Row((Place.E_CLR,),   (_L,),    always,                   e_first,           (Effect.CLEAR_E,)),
    Row((Place.E_CLR,),   (_S,),    always,                   e_kept),
    Row((Place.H,),       (_S,),    more_registers,           next_register),
    Row((Place.H,),       (_S,),    last_register_more_views, next_view),
    Row((Place.H,),       (_S,),    last_register_last_view,  at(Place.HIS)),
    Row((Place.H,),       (_L,),    older_exists,             older),
    Row((Place.H,),       (_L,),    oldest,                   same),
    Row((Place.HB,),      (_S,),    older_exists,             older),
    Row((Place.HB,),      (_S,),    oldest,                   newest),
    Row((Place.HB,),      (_L,),    always,                   newest),
    Row((Place.HIS,),     (_S,),    always,                   at(Place.INF)),
    Row((Place.HIS,),     (_L,),    always,                   at(Place.HIS_CLR)),
    Row((Place.HIS_CLR,), (_L,),    always,                   at(Place.HIS),     (Effect.CLEAR_HISTORY,)),
    Row((Place.HIS_CLR,), (_S,),    always,                   at(Place.HIS)),
    Row((Place.INF,),     (_L,),    always,                   same,              (Effect.TOGGLE_INF,)),
    Row((Place.INF,),     (_S,),    pin_protected,            at(Place.PINSET)),
    Row((Place.INF,),     (_S,),    not_pin_protected,        at(Place.STD),     (Effect.LOCK,)),
    Row((Place.PINSET,),  (_L,),    always,                   same,              (Effect.TOGGLE_PIN_QUERY,)),
    Row((Place.PINSET,),  (_S,),    always,                   at(Place.STD),     (Effect.LOCK,)),
    Row(_ANY_BUT_STD,     (_I,),    always,                   at(Place.STD),     (Effect.LOCK,)),
)
"""The user menu. A state without a row for an event never meets it.

Source: E320 manual, section 5.5.1; PIN entry and the reset dialogues after sibling meters; the rest are decisions of
this project.
"""
# fmt: on


def step(
    state: MenuState, event: MenuEvent, facts: MenuFacts, config: E320Config
) -> tuple[MenuState, tuple[Effect, ...]]:
    """Look up what an event does.

    Returns:
        The state after it, and what the model has to do.

    Raises:
        LocalProtocolError: the table has no row for this event in this state.
    """
    now = _Situation(state, facts, config)
    for row in _ROWS.get((state.place, event), ()):
        if row.guard(now):
            return row.target(state), row.effects
    expected = "an event of the table"
    raise LocalProtocolError("menu_event", state=str(state), expected=expected, actual=f"{event.name} ({event.value})")


_ROWS: Final[dict[tuple[Place, MenuEvent], tuple[Row, ...]]] = {
    (place, event): tuple(row for row in TABLE if place in row.places and event in row.events)
    for place in Place
    for event in MenuEvent
}
