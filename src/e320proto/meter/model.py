r"""The reference meter as a whole: inputs and time go in; pushes, the display and events come out.

::

    inputs -> Elements -> Measured --> Registers, Pulses, status word
    time   -> SecondsCounter --------> History, pushes (info), Store
    light  -> OpticalButton -> Menu -> settings, resets
                                  \-> DisplayState

What happens by itself is in :mod:`e320proto.meter.life`.

Source: E320 manual; decisions of ``docs/reference-meter.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from e320proto.meter.display import Direction, DisplayFacts, DisplayState, display_state, next_change
from e320proto.meter.events import CryptoReset, MeterEvent, Paired, SettingChanged
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.faults import COMMUNICATION, CRITICAL, Fault
from e320proto.meter.life import Life
from e320proto.meter.menu_table import STANDARD
from e320proto.meter.quantities import quantities
from e320proto.meter.security import DONE, REFUSED
from e320proto.meter.svg import MeterFace

if TYPE_CHECKING:
    from e320proto.meter.security import Security
    from e320proto.meter.tamper import Tamper
    from e320proto.obis import ObisCode
    from e320proto.units import Quantity


class Meter(Life):
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
    >>> from e320proto.meter import E320Config, Inputs
    >>> meter = Meter(E320Config(pin="1234", extended_set=True))
    >>> events = meter.advance(0.0, Inputs.of_power(1000, 500, -300))
    >>> events = meter.advance(3600.0)
    >>> telegram, = TelegramDecoder().feed(meter.info_data_to_send()[-1])
    >>> print(telegram.time.value, *(entry.value for entry in telegram.entries[2:]))
    3600 1200.0 Wh 0.0 Wh 1200 W
    """

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
        if not self.config.pin_protection:
            msg = "pin: expected a meter with PIN protection, found one without"
            raise ValueError(msg)
        self._lasting.pin, self._lasting.pin_failures = self.config.checked_pin(pin), 0
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
    def registers(self) -> dict[ObisCode, int]:
        """The energy registers in 0.1 Wh (0.1 varh)."""
        return self._lasting.registers.dwh

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
