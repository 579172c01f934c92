"""What lasts when the power fails: everything that a store keeps of a meter.

======================  =======================================================================
part                    through a loss of power
======================  =======================================================================
seconds counter         goes on at the stored value + 1
registers               with their remainders, to the last mW·ms
history, E              kept
push counter            goes on
critical errors         kept; communication errors are dropped
counts of tampering     kept; the flags are dropped
PIN, wrong PINs         kept
keys, certificates      kept, with the transmission counter; see :mod:`e320proto.meter.security`
InF, PIN query          kept or reset, as configured
======================  =======================================================================

Source: E320 manual; base meter behaviour, section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from e320proto.errors import DecodeError, shown
from e320proto.meter.clock import SECOND_MS, SecondsCounter
from e320proto.meter.faults import CRITICAL, Fault
from e320proto.meter.history import History
from e320proto.meter.menu_table import Place
from e320proto.meter.registers import Registers
from e320proto.meter.security import Security
from e320proto.meter.tamper import Tamper
from e320proto.obis import ObisCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config
    from e320proto.meter.menu_table import MenuState
    from e320proto.meter.store import State

_SOURCE: Final = "state of the reference meter"


class Lasting:
    """All that lasts of one meter.

    Args:
        config: what the meter is.
        registers: start values of a new meter, in 0.1 Wh.

    Raises:
        ValueError: ``registers`` that the mode does not have.
    """

    def __init__(self, config: E320Config, registers: Mapping[ObisCode, int] | None = None) -> None:
        self._config = config
        self.registers = Registers(config, registers)
        self._names = tuple(map(str, self.registers.codes))
        self.counter = SecondsCounter()
        self.history = History(config, self.registers.dwh)
        self.push_counter = config.push_counter_start
        self.faults = Fault(0)
        self.tamper = Tamper(config.tamper_hold_s * SECOND_MS)
        self.security = Security(config)
        self.pin = config.pin
        self.pin_failures = 0
        """Wrong PINs since the last right one."""
        self.settings = {"extended_set": config.extended_set, "pin_query": config.pin_protection}

    def state(self, now_ms: int, *, powered: bool) -> dict[str, Any]:
        """Everything as plain values; :meth:`restore` reads it."""
        counter = self.counter
        return {
            "device_id": self._config.device_id,
            "seconds": counter.at(now_ms) if powered else counter.stored,
            "totals": dict(zip(self._names, self.registers.totals.values(), strict=True)),
            "history": self.history.export_state(),
            "push_counter": self.push_counter,
            "faults": int(self.faults & CRITICAL) if self.faults else 0,
            "tamper": self.tamper.state(),
            "security": self.security.state(),
            "pin": self.pin,
            "pin_failures": self.pin_failures,
            "settings": dict(self.settings),
        }

    def restore(self, state: State) -> None:
        """Take over what :meth:`state` gave.

        Raises:
            DecodeError: ``corrupt_state``, it is no state of this meter.
        """
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, DecodeError):
                raise
            raise DecodeError("corrupt_state", f"expected the state of a meter: {error}", source=_SOURCE) from error

    def _restore(self, state: State) -> None:
        config = self._config
        if state["device_id"] != config.device_id:
            detail = f"expected the state of {config.device_id}, found that of {state['device_id']}"
            raise DecodeError("corrupt_state", detail, path="device_id", source=_SOURCE)
        self.counter = SecondsCounter(_count(state["seconds"]))
        self.registers.restore({ObisCode.parse(code): _number(total) for code, total in state["totals"].items()})
        self.history = History.import_state(config, state["history"])
        self.push_counter = _count(state["push_counter"])
        self.faults = Fault(_count(state["faults"]))
        self.tamper = Tamper.restored(config.tamper_hold_s * SECOND_MS, list(map(_count, state["tamper"])))
        self.security.restore(state["security"])
        self.pin = config.checked_pin(state["pin"])
        self.pin_failures = _count(state["pin_failures"])
        if config.enduser_settings == "save":
            self.settings = {name: bool(state["settings"][name]) for name in self.settings}

    def menu_energy(self, menu: MenuState) -> int | None:
        """The value of E or of the history that the menu shows, in 0.1 Wh; ``None`` if there is none."""
        if not menu.register:
            return None
        code = self.history.registers[menu.register - 1]
        if menu.place in {Place.E, Place.E_CLR}:
            return self.history.since_reset(code, self.registers[code])
        return None if menu.view is None else self.history.value(menu.view, code, menu.index, self.registers.dwh)

    def reset_settings(self) -> None:
        """Settings as they are after a loss of power, where that resets them."""
        self.settings = {"extended_set": False, "pin_query": self._config.pin_protection}


def _number(value: object) -> int:
    if type(value) is not int:
        msg = f"expected an integer, found {shown(value)}"
        raise ValueError(msg)
    return value


def _count(value: object) -> int:
    number = _number(value)
    if number < 0:
        msg = f"expected 0 or above, found {number}"
        raise ValueError(msg)
    return number
