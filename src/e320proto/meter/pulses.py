"""The pulse LED and the rotating disk.

Every pulse is the same energy, 1 kWh divided by the pulse constant; what is left of it is kept from
pulse to pulse. Every pulse moves the disk by one of its four bars, always to the right. A disk whose
speed is limited goes on by itself: with the energy of a pulse, but with no more power than it may.

=========  ==============================================
mode       counted
=========  ==============================================
1, 2       the direction that the register counts
3, 4, 5    both directions
any        reactive energy, all quadrants (reactive LED)
=========  ==============================================

Below the starting current the LED is steadily on.

Source: E320 manual (disk); pulses as sibling meters; base meter behaviour, section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from e320proto.meter.measurement import return_stop
from e320proto.meter.modes import PulseLed

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config
    from e320proto.meter.measurement import Measured

KWH: Final = 3_600_000_000_000
"""mW·ms in 1 kWh."""
BARS: Final = 4


class Pulses:
    """Counts pulses while there is supply.

    Args:
        config: mode, kind of energy, length of a pulse, speed of the disk.
        pulse_constant: pulses for 1 kWh.
    """

    def __init__(self, config: E320Config, pulse_constant: int) -> None:
        self.count = 0
        """Pulses since power-up."""
        self.disk = 0
        """Which of the four bars is lit."""
        self._config = config
        self._constant = pulse_constant
        self._part = 0  # of a pulse, in mW·ms times the pulse constant: a pulse is KWH of these
        self._cause: Measured | None = None
        self._rate = 0  # parts in a millisecond while the cause lasts
        self._last_ms: float | None = None
        cap_hz = config.disk_max_step_hz
        self._disk_most = None if cap_hz is None else round(cap_hz * KWH / 1000)  # of it in a ms
        self._disk_part = 0  # of a step, as of a pulse

    def pass_time(self, measured: Measured, now_ms: int, duration_ms: int) -> int:
        """Let ``duration_ms`` before ``now_ms`` pass with constant inputs; the number of pulses in it."""
        if measured is not self._cause:
            self._cause, self._rate = measured, self._power_mw(measured) * self._constant
        pulses, self._part = divmod(self._part + self._rate * duration_ms, KWH)
        if pulses:
            self.count += pulses
            self._last_ms = now_ms - self._part / self._rate
        steps = pulses
        if self._disk_most is not None:
            most = min(self._rate, self._disk_most)
            steps, self._disk_part = divmod(self._disk_part + most * duration_ms, KWH)
        self.disk = (self.disk + steps) % BARS
        return pulses

    def lit(self, measured: Measured, now_ms: int) -> bool:
        """Whether the LED is lit."""
        started = measured.reactive_started if self._config.pulse_led is PulseLed.REACTIVE else measured.started
        if not started:
            return True
        return self._last_ms is not None and now_ms - self._last_ms < self._config.pulse_width_ms

    def _power_mw(self, measured: Measured) -> int:
        if self._config.pulse_led is PulseLed.REACTIVE:
            return abs(measured.q_mvar) * measured.reactive_started
        if return_stop(measured, self._config.mode):
            return 0
        return abs(measured.p_mw) * measured.started
