"""The optical button: light on the meter's face becomes presses.

::

    lux
    400 |   ______________________________________
        |   |                                     |
        +---+-------+-----------+---------------+-+--------> time
          START   0.1 s       2 s             5 s END
            | bounce|   short   |    middle     | long

=======================  ==========================================================
lit for                  events after START
=======================  ==========================================================
less than 0.1 s          BOUNCE: it was no press
less than 2 s            SHORT and END, at the release
2 s to 5 s inclusive     END; with ``middle_press`` SHORT or LONG before it
more than 5 s            LONG while still lit, END at the release; or both then
=======================  ==========================================================

All limits are parameters of :class:`~e320proto.meter.config.E320Config`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config


class PressEvent(StrEnum):
    """What the optical button tells the menu."""

    START = "start"
    """The light came on."""
    SHORT = "short"
    """A short press."""
    LONG = "long"
    """A long press."""
    END = "end"
    """The light went off after a press, of whatever length."""
    BOUNCE = "bounce"
    """The light went off too soon for a press: all is as before its START."""


@final
class OpticalButton:
    """Turns the illuminance of the button into press events; does no I/O, time is an argument.

    Args:
        config: limits of illuminance and time.

    Source: E320 manual, section 5.5.1 (400 lux, 2 s, 5 s); debounce after one sibling meter; what lies between
    2 s and 5 s, and the instant of a long press, are decisions of this project.

    >>> from e320proto.meter.config import E320Config
    >>> button = OpticalButton(E320Config(pin="1234"))
    >>> button.light(1000, 0), button.light(0, 300)
    ((<PressEvent.START: 'start'>,), (<PressEvent.SHORT: 'short'>, <PressEvent.END: 'end'>))
    >>> button.light(1000, 10_000), button.next_timeout()
    ((<PressEvent.START: 'start'>,), 15000)
    >>> button.handle_timeout(15_000), button.light(0, 16_000)
    ((<PressEvent.LONG: 'long'>,), (<PressEvent.END: 'end'>,))
    """

    __slots__ = ("_config", "_long_at_ms", "_long_ms", "_min_ms", "_short_ms", "_start_ms")

    def __init__(self, config: E320Config) -> None:
        self._config = config
        self._min_ms = round(1000 * config.press_min_s)
        self._short_ms = round(1000 * config.short_max_s)
        self._long_ms = round(1000 * config.long_min_s)
        self._start_ms: int | None = None
        self._long_at_ms: int | None = None  # when the running press becomes long; none: it is, or none runs

    @property
    def lit(self) -> bool:
        """Whether the button is lit."""
        return self._start_ms is not None

    def light(self, lux: float, now_ms: int) -> tuple[PressEvent, ...]:
        """Take a new illuminance, valid from ``now_ms`` on.

        Args:
            lux: illuminance of the button, 0 = dark.
            now_ms: instant, never before that of an earlier call.

        Returns:
            The events, in order. A long press that ran out before ``now_ms`` and was not asked for is among them.
        """
        late = self.handle_timeout(now_ms - 1)  # at one instant the light comes before the timer
        lit = 0 < lux >= self._config.lux_threshold
        if lit == self.lit:
            return late
        if self._start_ms is None:
            self._start_ms = now_ms
            self._long_at_ms = now_ms + self._long_ms if self._config.long_fires == "hold" else None
            return (*late, PressEvent.START)
        lit_ms, self._start_ms = now_ms - self._start_ms, None
        fired = self._config.long_fires == "hold" and self._long_at_ms is None
        self._long_at_ms = None
        return (*late, *((PressEvent.END,) if fired else self._released(lit_ms)))

    def next_timeout(self) -> int | None:
        """When to call :meth:`handle_timeout`; ``None`` while no press can become long."""
        return self._long_at_ms

    def handle_timeout(self, now_ms: int) -> tuple[PressEvent, ...]:
        """Let time pass: a press that is held long enough is a long one. Too early a call changes nothing."""
        if self._long_at_ms is None or now_ms < self._long_at_ms:
            return ()
        self._long_at_ms = None
        return (PressEvent.LONG,)

    def _released(self, lit_ms: int) -> tuple[PressEvent, ...]:
        """Judge a press that ends before a long one has fired."""
        if lit_ms < self._min_ms:
            return (PressEvent.BOUNCE,)
        if lit_ms < self._short_ms:
            return PressEvent.SHORT, PressEvent.END
        if lit_ms > self._long_ms:
            return PressEvent.LONG, PressEvent.END
        match self._config.middle_press:
            case "ignore":
                return (PressEvent.END,)
            case "short":
                return PressEvent.SHORT, PressEvent.END
            case "long":
                return PressEvent.LONG, PressEvent.END
