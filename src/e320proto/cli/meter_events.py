"""What happens to a meter, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from e320proto.meter.events import (
    CryptoReset,
    DayClosed,
    EnergyReset,
    HistoryReset,
    MenuMoved,
    Paired,
    PinRefused,
    PowerFailed,
    PowerReturned,
    Pressed,
    Pushed,
    SettingChanged,
)

if TYPE_CHECKING:
    from e320proto.meter.events import MeterEvent

_SETTINGS = {"extended_set": "InF (extended data set)", "pin_query": "PIN query"}


def event_words(event: MeterEvent) -> str | None:  # noqa: C901, PLR0912 - words for each kind of event
    """Write one line about an event; none about a push, which comes every second.

    >>> event_words(PowerReturned(0.0, 17)), event_words(SettingChanged(9.5, "pin_query", value=False))
    ('0.0 s  supply is there, second 17', '9.5 s  PIN query is now off')
    """
    match event:
        case Pushed():
            return None
        case PowerReturned(sec_index=second):
            words = f"supply is there, second {second}"
        case PowerFailed(sec_index=second):
            words = f"supply is gone, second {second} stored"
        case Pressed(press=press):
            words = f"{press} press"
        case MenuMoved(state=state):
            words = f"menu: {state.place.value}"
        case SettingChanged(name=name, value=value):
            words = f"{_SETTINGS.get(name, name)} is now {'on' if value else 'off'}"
        case EnergyReset():
            words = "E begins at 0"
        case HistoryReset():
            words = "day values deleted"
        case DayClosed(sec_index=second):
            words = f"day of the history closed, second {second}"
        case PinRefused():
            words = "wrong PIN"
        case Paired():
            words = "paired with a gateway"
        case CryptoReset():
            words = "keys and certificates as at delivery"
        case _ as never:
            assert_never(never)
    return f"{event.at_s:.1f} s  {words}"
