"""The user menu in time: presses of the optical button and timers drive the table of transitions.

::

    PressEvent --> Menu.press -----------.
                                         +--> menu_table.step --> MenuState, effects
    time --------> Menu.handle_timeout --'

=====  =============================================  ===============================================
timer  runs                                           begins anew
=====  =============================================  ===============================================
T      in the display test and the PIN entry;         with each row of the table, and at the release
       stands still while the button is lit
I      in every state but STD                         at every start and end of a press
=====  =============================================  ===============================================

At one instant a press comes before the timers, and I before T.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from e320proto.meter.button import PressEvent
from e320proto.meter.menu_table import STANDARD, Effect, MenuEvent, MenuFacts, MenuState, Place, step

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config


@final
class Menu:
    """The user menu of one meter: press events in, effects out; does no I/O, time is an argument.

    Args:
        config: times, and the length of the PIN.
        facts: what the guards ask, normally the model.

    >>> from e320proto.meter.config import E320Config
    >>> class Facts:
    ...     register_count, pin_protection, pin_query, pin_tries_left = 1, False, False, None
    ...     def pin_is_right(self, digits): return False
    ...     def has_value(self, view, register, index): return False
    >>> menu = Menu(E320Config(pin_protection=False), Facts())
    >>> menu.press(PressEvent.START, 0), menu.press(PressEvent.SHORT, 300), menu.press(PressEvent.END, 300)
    ((), (), ())
    >>> str(menu.state), menu.next_timeout()
    ('TEST_U', 2300)
    >>> menu.handle_timeout(4300), str(menu.state), menu.next_timeout()
    ((), 'P', 120300)
    """

    __slots__ = (
        "_before",
        "_config",
        "_digit_ms",
        "_facts",
        "_idle_at_ms",
        "_idle_ms",
        "_lit",
        "_state",
        "_t_at_ms",
        "_test_ms",
    )

    def __init__(self, config: E320Config, facts: MenuFacts) -> None:
        self._config = config
        self._facts = facts
        self._test_ms = round(1000 * config.menu_test_step_s)
        self._digit_ms = round(1000 * config.pin_digit_timeout_s)
        self._idle_ms = round(1000 * config.idle_timeout_s)
        self._state = STANDARD
        self._lit = False
        self._t_at_ms: int | None = None
        self._idle_at_ms: int | None = None
        self._before: tuple[int | None, int | None] = (None, None)  # both timers, should the press be none

    @property
    def state(self) -> MenuState:
        """Where the menu is."""
        return self._state

    def press(self, event: PressEvent, now_ms: int) -> tuple[Effect, ...]:
        """Take an event of the optical button.

        Returns:
            What the model has to do, in order. What timers that ran out before ``now_ms`` have done is among it.
        """
        effects = self.handle_timeout(now_ms - 1)  # at one instant the press comes before the timers
        match event:
            case PressEvent.START:
                self._before = self._t_at_ms, self._idle_at_ms
                self._lit, self._t_at_ms, self._idle_at_ms = True, None, now_ms + self._idle_ms
            case PressEvent.END:
                self._lit, self._idle_at_ms = False, now_ms + self._idle_ms
                self._start_timer(now_ms)
            case PressEvent.BOUNCE:
                self._lit = False
                self._t_at_ms, self._idle_at_ms = self._before
                effects += self.handle_timeout(now_ms - 1)  # what the light held up meanwhile
            case PressEvent.SHORT:
                effects += self._move(MenuEvent.S, now_ms)
            case PressEvent.LONG:
                effects += self._move(MenuEvent.L, now_ms)
        return effects

    def next_timeout(self) -> int | None:
        """When to call :meth:`handle_timeout`; ``None`` in the standard display."""
        if self._state.place is Place.STD:
            return None
        return min((at_ms for at_ms in (self._t_at_ms, self._idle_at_ms) if at_ms is not None), default=None)

    def handle_timeout(self, now_ms: int) -> tuple[Effect, ...]:
        """Let time pass: every timer that has run out acts as of its own instant, so a late call changes nothing."""
        effects: tuple[Effect, ...] = ()
        while (at_ms := self.next_timeout()) is not None and at_ms <= now_ms:
            effects += self._move(MenuEvent.I if at_ms == self._idle_at_ms else MenuEvent.T, at_ms)
        return effects

    def _move(self, event: MenuEvent, now_ms: int) -> tuple[Effect, ...]:
        self._state, effects = step(self._state, event, self._facts, self._config)
        self._start_timer(now_ms)
        return effects

    def _start_timer(self, now_ms: int) -> None:
        """Start the timer of the state; while the button is lit it waits for the release."""
        match self._state.place:
            case _ if self._lit:
                self._t_at_ms = None
            case Place.TEST_U | Place.TEST_L:
                self._t_at_ms = now_ms + self._test_ms
            case Place.PIN:
                self._t_at_ms = now_ms + self._digit_ms
            case _:
                self._t_at_ms = None
