"""The power of the last whole second, as pushes and the display tell it."""

from __future__ import annotations

from e320proto.meter.clock import SECOND_MS


class TickPower:
    """Averages between ticks of the seconds counter, with integers: steps of any size give the same W.

    Source: base meter behaviour, section 4: the last tick, whole W, rounded half away from zero.

    >>> power = TickPower()
    >>> power.pass_time(1_000_000, 500, 500)
    >>> power.pass_time(2_000_000, 1_000, 500)
    >>> power.watts
    1500
    """

    def __init__(self) -> None:
        self.watts = 0
        """Import positive; 0 before the first tick."""
        self._energy = 0  # mW ms behind the last tick

    def pass_time(self, p_mw: int, to_ms: int, duration_ms: int) -> None:
        """Let ``duration_ms`` before ``to_ms``, which counts from power-up, pass with constant power."""
        behind = to_ms % SECOND_MS  # ms behind the last tick
        if behind >= duration_ms:
            self._energy += p_mw * duration_ms
            return
        full = duration_ms - behind  # ms up to the last tick
        energy = p_mw * SECOND_MS if full >= SECOND_MS else self._energy + p_mw * full
        watts = (abs(energy) + 500_000) // 1_000_000
        self.watts = watts if energy >= 0 else -watts
        self._energy = p_mw * behind
