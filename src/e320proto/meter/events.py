"""What happens to a meter, as ``Meter.advance`` tells it; ``at_s`` is on the caller's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from e320proto.meter.button import PressEvent
    from e320proto.meter.menu_table import MenuState


@dataclass(frozen=True, slots=True)
class PowerReturned:
    """Supply is back; ``sec_index`` is the seconds counter from now on."""

    at_s: float
    sec_index: int


@dataclass(frozen=True, slots=True)
class PowerFailed:
    """Supply is gone; ``sec_index`` was stored."""

    at_s: float
    sec_index: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push was sent; its octets are in ``info_data_to_send``."""

    at_s: float
    sec_index: int


@dataclass(frozen=True, slots=True)
class Pressed:
    """The optical button was pressed: short or long."""

    at_s: float
    press: PressEvent


@dataclass(frozen=True, slots=True)
class MenuMoved:
    """The user menu is in another state."""

    at_s: float
    state: MenuState


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A setting of the end user changed: ``extended_set`` or ``pin_query``."""

    at_s: float
    name: str
    value: bool


@dataclass(frozen=True, slots=True)
class EnergyReset:
    """E begins at 0."""

    at_s: float


@dataclass(frozen=True, slots=True)
class HistoryReset:
    """The day values were deleted."""

    at_s: float


@dataclass(frozen=True, slots=True)
class DayClosed:
    """A day of the history is complete."""

    at_s: float
    sec_index: int


@dataclass(frozen=True, slots=True)
class PinRefused:
    """A wrong PIN was entered."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Paired:
    """The meter works in a secured gateway environment from now on."""

    at_s: float


@dataclass(frozen=True, slots=True)
class CryptoReset:
    """Keys and certificates are as at delivery."""

    at_s: float


MeterEvent: TypeAlias = (
    PowerReturned
    | PowerFailed
    | Pushed
    | Pressed
    | MenuMoved
    | SettingChanged
    | EnergyReset
    | HistoryReset
    | DayClosed
    | PinRefused
    | Paired
    | CryptoReset
)
