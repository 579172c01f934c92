"""A meter's life: what power, inputs, light and time do to it.

:class:`Life` goes from one instant at which something happens to the next one; between two of them all inputs are
constant, so nothing depends on how often ``advance`` is called. What others ask of a meter, and what it shows them, is
in :class:`e320proto.meter.model.Meter`.

Source: E320 manual; decisions of ``docs/reference-meter.md``.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from e320proto.identity import DeviceId
from e320proto.meter.button import OpticalButton, PressEvent
from e320proto.meter.display import commissioning_ms
from e320proto.meter.events import DayClosed, MenuMoved, MeterEvent, PowerFailed, PowerReturned, Pressed, Pushed
from e320proto.meter.faults import CRITICAL
from e320proto.meter.guards import MeterGuards
from e320proto.meter.info_output import InfoOutput
from e320proto.meter.lasting import Lasting
from e320proto.meter.lmn_symbol import LmnSymbol
from e320proto.meter.measurement import Elements, Inputs, return_stop, status_word
from e320proto.meter.menu import Menu
from e320proto.meter.menu_effects import carry_out
from e320proto.meter.pulses import Pulses
from e320proto.meter.store import MemoryStore, Store
from e320proto.meter.tick_power import TickPower
from e320proto.meter.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config
    from e320proto.meter.menu_table import Effect
    from e320proto.meter.store import State
    from e320proto.obis import ObisCode


class Life:
    """The part of a :class:`~e320proto.meter.model.Meter` that goes on by itself; its arguments are described there."""

    def __init__(
        self,
        config: E320Config,
        store: Store | None = None,
        *,
        inputs: Inputs | None = None,
        registers: Mapping[ObisCode, int] | None = None,
        pushes: bool = True,
    ) -> None:
        self.config = config
        self.server_id = DeviceId.parse(config.device_id).server_id().raw
        variant = (config.designation.variant or Variant.DIRECT_60A).ratings
        start_current_a = variant.start_current_a if config.start_current_a is None else config.start_current_a
        direction_a = config.phase_direction_min_a
        self._elements = Elements(start_current_a, start_current_a if direction_a is None else direction_a, config)
        self._pulse_constant = config.pulse_constant or variant.pulse_constant
        self._store = MemoryStore() if store is None else store
        self._info = InfoOutput(config, self.server_id, makes_pushes=pushes)
        self._inputs = inputs or Inputs()
        self._measured = self._elements.measure(self._inputs)
        self._mains = True
        self._now_ms = 0
        self._begun = False
        self._powered_since_ms: int | None = None
        self.power_ups = 0
        """How often supply has come since this object was made."""
        self._closing_ms = 0  # when the running day of the history ends
        self._dark_at_ms: int | None = None
        self._events: list[MeterEvent] = []
        self._word = 0
        self._word_cause: tuple[Any, ...] | None = None  # what the word was made of; it is asked for at every push
        self._lasting = Lasting(config, registers)
        state = self._store.load()
        if state is not None:
            self._lasting.restore(state)
        self._saved_second = -1  # a meter on a bus hears hundreds of frames a second; one state a second will do
        self._saved_inputs: Inputs | None = None
        self._start_volatile()

    # --- power ----------------------------------------------------------------------------------

    def _start_volatile(self) -> None:
        """What is lost with the power."""
        self._pulses = Pulses(self.config, self._pulse_constant)
        self._button = OpticalButton(self.config)
        self._guards = MeterGuards(self.config, self._lasting)
        self._menu = Menu(self.config, self._guards)
        self._lmn_symbol = LmnSymbol(self.config)
        self._lasting.security.start(self._now_ms)
        self._tick_power = TickPower()
        self._info.stop()
        self._lasting.faults &= CRITICAL

    def _supply(self) -> None:
        """See whether there is supply, after inputs or mains changed."""
        config = self.config
        voltage = self._measured.supply_v if self._mains else 0.0
        if self._powered_since_ms is None:
            if voltage >= config.supply_on_ratio * config.nominal_voltage_v:
                self._power_up()
        elif voltage < config.supply_off_ratio * config.nominal_voltage_v:
            self._power_down()

    def _power_up(self) -> None:
        now_ms = self._now_ms
        if self._lasting.counter.stored is not None and not self._lasting.settings["settings_survive"]:
            self._lasting.reset_settings()
        self._start_volatile()
        self._lasting.counter.start(now_ms)
        self._powered_since_ms = now_ms
        self.power_ups += 1
        self._lasting.tamper.see(self._inputs, now_ms)
        self._info.start(now_ms)
        self._happened(PowerReturned(now_ms / 1000, self._lasting.counter.at(now_ms)))
        self._close_day()

    def _power_down(self) -> None:
        self._lasting.counter.stop(self._now_ms)
        self._powered_since_ms = None
        self._lasting.tamper.forget()
        self._start_volatile()
        self._happened(PowerFailed(self._now_ms / 1000, self._lasting.counter.stored or 0))

    # --- time -----------------------------------------------------------------------------------

    def advance(self, now: float, inputs: Inputs | None = None) -> list[MeterEvent]:
        """Let time pass until ``now`` with the inputs so far; from then on ``inputs`` hold, if given.

        Returns:
            What happened, in order; what lasts is stored by then.

        Raises:
            ValueError: ``now`` is before an earlier one.
        """
        self._arrive(now, inputs)
        if inputs is not None:
            self._see(inputs)
            self._supply()
        self._run(self._now_ms)
        return self._stored_events()

    def _arrive(self, now: float | None, inputs: Inputs | None = None) -> None:
        """Let time pass until ``now``; what is due at that very instant comes after what the caller does then."""
        if now is None:
            return
        if not isfinite(now):
            msg = f"now: expected a time in seconds, found {now}"
            raise ValueError(msg)
        target_ms = round(now * 1000)
        if not self._begun:
            self._begun, self._now_ms = True, target_ms
            if inputs is None:
                self._supply()
        elif target_ms < self._now_ms:
            msg = f"now: expected at least {self._now_ms / 1000}, found {now}"
            raise ValueError(msg)
        elif target_ms > self._now_ms:
            self._run(target_ms, target_ms - 1)

    def power(self, on: bool, *, now: float | None = None) -> list[MeterEvent]:  # noqa: FBT001 - on or off says it
        """Cut all phases, or connect them again; inputs stay what they are.

        Args:
            on: whether there are mains.
            now: the instant; by default the present one. Only with it this comes before timers of that instant.

        Raises:
            ValueError: ``now`` is before an earlier one.
        """
        self._arrive(now)
        self._mains = on
        if self._begun:
            self._supply()
            self._run(self._now_ms)
        return self._stored_events()

    def flash(self, lux: float, duration_s: float, *, now: float | None = None) -> list[MeterEvent]:
        """Shine a light on the optical button for ``duration_s``.

        Args:
            lux: illuminance.
            duration_s: how long.
            now: from when on; by default from the present. Only with it the light comes before timers of that instant.

        Raises:
            ValueError: ``lux`` or ``duration_s`` is below 0 or no number, or ``now`` is before an earlier one.
        """
        if not (0 <= lux < inf and 0 <= duration_s < inf):
            msg = f"flash: expected lux and duration_s of at least 0, found {lux} and {duration_s}"
            raise ValueError(msg)
        self._arrive(now)
        self._shine(lux)
        self._dark_at_ms = self._now_ms + round(duration_s * 1000)
        return self._stored_events()

    def next_timeout(self) -> float | None:
        """When something happens by itself next, in seconds; call :meth:`advance` then."""
        next_ms = self._next_ms()
        return None if next_ms is None else next_ms / 1000

    def info_data_to_send(self) -> list[bytes]:
        """Pushes made since the last call, one frame each, at most the last 3,600."""
        frames = list(self._info.pending)
        self._info.pending.clear()
        return frames

    def _see(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._measured = self._elements.measure(inputs)
        if self._powered_since_ms is not None:
            self._lasting.tamper.see(inputs, self._now_ms)

    def _stored_events(self) -> list[MeterEvent]:
        """Write what lasts, then tell what happened: nobody hears of a second that could be lost."""
        events, self._events = self._events, []
        if events or self.sec_index != self._saved_second or self._inputs is not self._saved_inputs:
            self._save()
        return events

    def _save(self) -> None:
        if self._lasting.counter.stored is not None:  # there was supply
            self._store.save(self._state)
            self._saved_second, self._saved_inputs = self.sec_index, self._inputs

    def _state(self) -> State:
        return self._lasting.state(self._now_ms, powered=self.powered)

    def _happened(self, event: MeterEvent) -> None:
        self._events.append(event)

    def _next_ms(self) -> int | None:
        """The next instant at which something happens."""
        push_ms = self._info.due_ms if self._info.makes_pushes else None
        return min((at_ms for at_ms in (self._next_but_push_ms(), push_ms) if at_ms is not None), default=None)

    def _next_but_push_ms(self) -> int | None:
        if self._powered_since_ms is None:
            return self._dark_at_ms
        next_ms = self._closing_ms
        for at_ms in (self._dark_at_ms, self._button.next_timeout(), self._menu.next_timeout()):
            if at_ms is not None and at_ms < next_ms:
                next_ms = at_ms
        return next_ms

    def _run(self, target_ms: int, last_ms: int | None = None) -> None:
        """Go from event to event until ``target_ms``; only what is due until ``last_ms`` happens."""
        info = self._info
        if last_ms is None:
            last_ms = target_ms
        while True:
            other_ms = self._next_but_push_ms()
            end_ms = last_ms if other_ms is None or other_ms > last_ms else other_ms - 1
            if not info.makes_pushes:
                info.count(self._lasting, end_ms)
            while info.due_ms is not None and info.due_ms <= end_ms:
                self._elapse(info.due_ms)
                self._push()
            if other_ms is None or other_ms > last_ms:
                self._elapse(target_ms)
                return
            self._elapse(other_ms)
            self._fire(other_ms)

    def _elapse(self, to_ms: int) -> None:
        """Let time pass in which nothing happens."""
        duration = to_ms - self._now_ms
        if duration > 0 and self._powered_since_ms is not None:
            measured = self._measured
            self._lasting.registers.count(measured, duration)
            self._pulses.pass_time(measured, to_ms, duration)
            self._tick_power.pass_time(measured.p_mw, to_ms - self._powered_since_ms, duration)
        self._now_ms = max(self._now_ms, to_ms)

    def _fire(self, now_ms: int) -> None:
        """Do what is due now: light first, then timers, then the second."""
        if self._dark_at_ms == now_ms:
            self._dark_at_ms = None
            self._shine(0.0)
        if self._powered_since_ms is None:
            return
        for press in self._button.handle_timeout(now_ms):
            self._press(press)
        self._menu_does(self._menu.state, self._menu.handle_timeout(now_ms))
        self._close_day()

    # --- what happens ---------------------------------------------------------------------------

    def _close_day(self) -> None:
        sec_index = self._lasting.counter.at(self._now_ms)
        if sec_index >= self._lasting.history.next_closing and self._lasting.history.count(
            sec_index, self._lasting.registers.dwh, gateway=self._lasting.security.paired
        ):
            self._happened(DayClosed(self._now_ms / 1000, sec_index))
        self._closing_ms = self._lasting.counter.reaches_ms(self._lasting.history.next_closing)

    def _push(self) -> None:
        sec_index = self._lasting.counter.at(self._now_ms)
        self._info.push(self._lasting, sec_index, self.status_word, self.power_w)
        self._happened(Pushed(self._now_ms / 1000, sec_index))

    def _shine(self, lux: float) -> None:
        """A new illuminance; the button is not read during the commissioning sequence."""
        since_ms = self._powered_since_ms
        if since_ms is None or (self._now_ms - since_ms < commissioning_ms(self.config) and not self._button.lit):
            return
        for press in self._button.light(lux, self._now_ms):
            self._press(press)

    def _press(self, press: PressEvent) -> None:
        if press in {PressEvent.SHORT, PressEvent.LONG}:
            self._happened(Pressed(self._now_ms / 1000, press))
        before = self._menu.state
        self._menu_does(before, self._menu.press(press, self._now_ms))

    def _menu_does(self, before: object, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            event = carry_out(effect, self._lasting, self._now_ms / 1000)
            if event is not None:
                self._happened(event)
        if self._menu.state != before:
            self._happened(MenuMoved(self._now_ms / 1000, self._menu.state))

    # --- what it is at the present instant ------------------------------------------------------

    @property
    def powered(self) -> bool:
        """Whether there is supply."""
        return self._powered_since_ms is not None

    @property
    def sec_index(self) -> int:
        """The seconds counter, or what it was when power failed."""
        return self._lasting.counter.at(self._now_ms) if self.powered else self._lasting.counter.stored or 0

    @property
    def power_w(self) -> int:
        """Active power of the last whole second, W, export negative."""
        if self.config.power_sign_in_return_stop == "zero" and return_stop(self._measured, self.config.mode):
            return 0
        return self._tick_power.watts

    @property
    def status_word(self) -> int:
        """The FNN status word."""
        tamper, now_ms = self._lasting.tamper, self._now_ms
        settings = self._lasting.settings
        magnet = settings["magnet_detection"] and tamper.magnet_flag(now_ms)
        cover = settings["cover_detection"] and tamper.cover_flag(now_ms)
        cause = (self._measured, magnet, cover, self._lasting.faults)
        if cause != self._word_cause:
            measured, magnet, cover, faults = self._word_cause = cause
            fatal = bool(faults & CRITICAL)
            self._word = status_word(measured, self.config.mode, magnet=magnet, cover=cover, fatal=fatal)
        return self._word
