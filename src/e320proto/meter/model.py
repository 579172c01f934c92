r"""The reference meter as a whole: inputs and time go in; pushes, the display and events come out.

::

    inputs -> Elements -> Measured --> Registers, Pulses, status word
    time   -> SecondsCounter --------> History, pushes (info), Store
    light  -> OpticalButton -> Menu -> settings, resets
                                  \-> DisplayState

``advance`` goes from one instant at which something happens to the next one; between two of them all
inputs are constant, so nothing depends on how often it is called.

Source: E320 manual; decisions of ``docs/reference-meter.md``.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Literal

from e320proto.identity import DeviceId
from e320proto.meter.button import OpticalButton, PressEvent
from e320proto.meter.display import Direction, DisplayFacts, DisplayState, commissioning_ms, display_state, next_change
from e320proto.meter.events import (
    CryptoReset,
    DayClosed,
    MenuMoved,
    MeterEvent,
    Paired,
    PowerFailed,
    PowerReturned,
    Pressed,
    Pushed,
    SettingChanged,
)
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.faults import COMMUNICATION, CRITICAL, Fault
from e320proto.meter.guards import MeterGuards
from e320proto.meter.info_output import InfoOutput
from e320proto.meter.lasting import Lasting
from e320proto.meter.lmn_symbol import LmnSymbol
from e320proto.meter.measurement import Elements, Inputs, return_stop, status_word
from e320proto.meter.menu import Menu
from e320proto.meter.menu_effects import carry_out
from e320proto.meter.menu_table import STANDARD
from e320proto.meter.pulses import Pulses
from e320proto.meter.quantities import quantities
from e320proto.meter.security import DONE, REFUSED
from e320proto.meter.store import MemoryStore, Store
from e320proto.meter.svg import MeterFace
from e320proto.meter.tick_power import TickPower
from e320proto.meter.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config
    from e320proto.meter.menu_table import Effect
    from e320proto.meter.security import Security
    from e320proto.meter.store import State
    from e320proto.meter.tamper import Tamper
    from e320proto.obis import ObisCode
    from e320proto.units import Quantity


class Meter:
    """A reference meter.

    Time is in seconds of any clock that does not go back. The first call of :meth:`advance` says when the
    meter's life begins, and powers it up if its inputs supply it.

    Args:
        config: what the meter is.
        store: where it keeps what lasts without power; a new :class:`MemoryStore` if none is given. A meter
            made with the store of an earlier one goes on where that one lost its power.
        inputs: what it sees from the beginning: by default 230 V on three phases and no load.
        registers: start values in 0.1 Wh, for a new meter.
        pushes: whether pushes are made; without, only their counter runs.

    Raises:
        ValueError: ``registers`` that the mode does not have.
        DecodeError: ``corrupt_state``, the store holds no state of such a meter.

    Source: E320 manual.

    >>> from e320proto import TelegramDecoder
    >>> from e320proto.meter.config import E320Config
    >>> meter = Meter(E320Config(pin="1234", extended_set=True))
    >>> events = meter.advance(0.0, Inputs.of_power(1000, 500, -300))
    >>> events = meter.advance(3600.0)
    >>> telegram, = TelegramDecoder().feed(meter.info_data_to_send()[-1])
    >>> print(telegram.time.value, *(entry.value for entry in telegram.entries[2:]))
    3600 1200.0 Wh 0.0 Wh 1200 W
    """

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
        self._lux = 0.0
        self._events: list[MeterEvent] = []
        self._word = 0
        self._word_cause: tuple[Any, ...] | None = None  # what the word was made of; it is asked for at every push
        self._lasting = Lasting(config, registers)
        state = self._store.load()
        if state is not None:
            self._lasting.restore(state)
        self._start_volatile()
        self._saves = not isinstance(self._store, MemoryStore)
        self._saved_second = -1  # a meter on a bus hears hundreds of frames a second; one state a second will do
        self._saved_inputs: Inputs | None = None
        if isinstance(self._store, MemoryStore):
            self._store.follow(self._state)

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
        if self._saves and (events or self.sec_index != self._saved_second or self._inputs is not self._saved_inputs):
            self._save()
        return events

    def _save(self) -> None:
        state = self._state() if self._saves else None
        if state is not None:
            self._store.save(state)
            self._saved_second, self._saved_inputs = self.sec_index, self._inputs

    def _state(self) -> State | None:
        """What lasts; ``None`` before there was any supply."""
        if self._lasting.counter.stored is None:
            return None
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

    # --- what others do to it -------------------------------------------------------------------

    def raise_fault(self, fault: Fault) -> None:
        """Let an error occur; several at once are or-ed."""
        self._lasting.faults |= fault
        self._save()

    def end_fault(self, fault: Fault) -> None:
        """Let communication errors end; critical ones stay."""
        self._lasting.faults &= ~(fault & COMMUNICATION)
        self._save()

    def reset_faults(self) -> None:
        """The command over communication that clears the error register."""
        self._lasting.faults = Fault(0)
        self._save()

    def change_setting(self, name: str, *, value: bool) -> None:
        """Change a setting as the LMN does; :attr:`settings` has their names.

        Raises:
            KeyError: there is no such setting.
        """
        if self._lasting.settings[name] != value:
            self._lasting.settings[name] = value
            self._happened(SettingChanged(self._now_ms / 1000, name, value))
            self._save()

    def set_pin(self, pin: str) -> None:
        """Give the meter another PIN, as the LMN does.

        Raises:
            ValueError: it has no PIN protection, or these are not as many digits as it has.
        """
        if not (
            self.config.pin_protection and len(pin) == self.config.pin_digits and pin.isascii() and pin.isdecimal()
        ):
            msg = f"pin: expected {self.config.pin_digits} digits of a meter with PIN protection"
            raise ValueError(msg)
        self._lasting.pin, self._lasting.pin_failures = pin, 0
        self._save()

    def reset_tamper(self, flag: Literal["magnet", "cover"]) -> None:
        """Put out the flag of the magnet or of the cover."""
        self._lasting.tamper.reset(flag, self._now_ms)
        self._save()

    def lmn_frame(self, *, ours: bool) -> None:
        """A frame with a right checksum is on the LMN; ``ours``: of an HDLC connection with this meter."""
        if self.powered:
            self._lmn_symbol.frame(self._now_ms, ours=ours)

    def tls_session(self, *, established: bool) -> None:
        """A TLS session on the LMN is established, or has ended."""
        if self.powered:
            self._lmn_symbol.tls(self._now_ms, established=established)
            self._lasting.security.tls(self._now_ms, established=established)

    def pair(self, own_certificate: bytes, private_key: bytes, gateway_certificate: bytes) -> list[MeterEvent]:
        """Enter the secured gateway environment with what the exchange of certificates has brought, all DER."""
        self._lasting.security.pair(own_certificate, private_key, gateway_certificate)
        self._happened(Paired(self._now_ms / 1000))
        return self._stored_events()

    def keep_counter(self, counter: int) -> None:
        """Store the transmission counter before it is used."""
        self._lasting.security.transmission_counter = counter
        self._save()

    def crypto_reset(self, *, through_tls: bool = False, other_connection: bool = False) -> int:
        """The command that brings keys and certificates back to delivery, see :mod:`e320proto.meter.security`.

        Args:
            through_tls: whether it came through TLS.
            other_connection: whether the LMN has another HDLC connection than the one it came through.

        Returns:
            The attention number: 0xFD00 done, 0xFE0A refused. The event comes with the next ones.
        """
        if not self.powered:
            return REFUSED
        answer = self._lasting.security.crypto_reset(
            self._now_ms, through_tls=through_tls, other_connection=other_connection
        )
        if answer == DONE:
            self._lmn_symbol.tls(self._now_ms, established=False)
            self._happened(CryptoReset(self._now_ms / 1000))
            self._save()
        return answer

    def firmware_update(self) -> int:
        """A request to replace the firmware changes nothing; the attention number is 0xFE0A, refused."""
        return REFUSED

    # --- what it shows --------------------------------------------------------------------------

    @property
    def powered(self) -> bool:
        """Whether there is supply."""
        return self._powered_since_ms is not None

    @property
    def sec_index(self) -> int:
        """The seconds counter, or what it was when power failed."""
        return self._lasting.counter.at(self._now_ms) if self.powered else self._lasting.counter.stored or 0

    @property
    def registers(self) -> dict[ObisCode, int]:
        """The energy registers in 0.1 Wh (0.1 varh)."""
        return self._lasting.registers.dwh

    @property
    def power_w(self) -> int:
        """Active power of the last whole second, W, export negative."""
        if self.config.power_sign_in_return_stop == "zero" and return_stop(self._measured, self.config.mode):
            return 0
        return self._tick_power.watts

    @property
    def push_counter(self) -> int:
        """Pushes so far."""
        return self._lasting.push_counter

    @property
    def error_register(self) -> Fault:
        """The error register, F.F."""
        return self._lasting.faults

    @property
    def settings(self) -> dict[str, bool]:
        """What end user and LMN can change."""
        return dict(self._lasting.settings)

    @property
    def tamper(self) -> Tamper:
        """Magnet and cover, with their counts."""
        return self._lasting.tamper

    @property
    def extended_set(self) -> bool:
        """InF: whether pushes hold the extended data set."""
        return self._lasting.settings["extended_set"]

    @property
    def pin_query(self) -> bool:
        """Whether the menu asks for the PIN."""
        return self._guards.pin_query

    @property
    def security(self) -> Security:
        """Keys, certificates and states of the LMN."""
        return self._lasting.security

    @property
    def quantities(self) -> dict[ObisCode, Quantity]:
        """What the measuring elements see now, sum and phases; see :mod:`e320proto.meter.quantities`."""
        return quantities(self._inputs, self._measured, mains=self._mains)

    @property
    def pulse_count(self) -> int:
        """Pulses of the LED since power-up."""
        return self._pulses.count

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

    @property
    def display(self) -> DisplayState:
        """What the face shows at the present instant."""
        return display_state(self.config, self._display_facts(), self._now_ms)

    def next_display_change(self) -> float | None:
        """When the face changes next if nothing else happens, in seconds: it rolls and blinks; ``None``: never."""
        at_ms = next_change(self.config, self._display_facts(), self._now_ms)
        return None if at_ms is None else at_ms / 1000

    @property
    def face(self) -> MeterFace:
        """The face at the present instant, for a notebook; without a public key and the Data Matrix code."""
        return MeterFace(Faceplate.of(self.config), self.display)

    def _display_facts(self) -> DisplayFacts:
        measured, menu = self._measured, self._menu.state
        first, second, third = measured.present
        directions = {1: Direction.IMPORT, -1: Direction.EXPORT}
        lmn, lmn_since_ms = self._lmn_symbol.at(self._now_ms)
        return DisplayFacts(
            powered_since_ms=self._powered_since_ms,
            registers=self._lasting.registers.dwh,
            power_w=self.power_w,
            error_register=int(self._lasting.faults),
            critical_error=bool(self._lasting.faults & CRITICAL),
            phases_present=(first, second, third),
            direction=directions.get(measured.direction),
            disk=self._pulses.disk,
            led=self.powered and self._pulses.lit(measured, self._now_ms),
            lmn=lmn,
            lmn_since_ms=lmn_since_ms,
            pushes_running=self._info.runs(self._now_ms),
            push_count=self._lasting.push_counter,
            menu=menu if self.powered else STANDARD,
            menu_energy_dwh=self._lasting.menu_energy(menu),
            show_power=self._lasting.settings["show_power"],
            extended_set=self.extended_set,
            pin_query=self.pin_query,
        )
