"""What the user menu changes in what lasts; when it does so is in ``menu_table``."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from e320proto.meter.events import EnergyReset, HistoryReset, PinRefused, SettingChanged
from e320proto.meter.menu_table import Effect

if TYPE_CHECKING:
    from e320proto.meter.events import MeterEvent
    from e320proto.meter.lasting import Lasting


def carry_out(effect: Effect, lasting: Lasting, at_s: float) -> MeterEvent | None:
    """Do what the menu asks for, and tell it if it is worth telling."""
    event: MeterEvent | None = None
    match effect:
        case Effect.CLEAR_E:
            lasting.history.clear_e(lasting.registers.dwh)
            event = EnergyReset(at_s)
        case Effect.CLEAR_HISTORY:
            lasting.history.clear_days()
            event = HistoryReset(at_s)
        case Effect.PIN_FAILED:
            lasting.pin_failures += 1
            event = PinRefused(at_s)
        case Effect.UNLOCK:
            lasting.pin_failures = 0
        case Effect.TOGGLE_INF:
            event = _change(lasting, "extended_set", at_s, value=not lasting.settings["extended_set"])
        case Effect.TOGGLE_PIN_QUERY:
            event = _change(lasting, "pin_query", at_s, value=not lasting.settings["pin_query"])
        case Effect.PIN_QUERY_OFF:
            event = _change(lasting, "pin_query", at_s, value=False)
        case Effect.LOCK:
            pass  # the menu itself asks for the PIN again
        case _:
            assert_never(effect)
    return event


def _change(lasting: Lasting, name: str, at_s: float, *, value: bool) -> SettingChanged:
    lasting.settings[name] = value
    return SettingChanged(at_s, name, value)
