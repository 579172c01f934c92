"""What the guards of the user menu ask a meter; see ``menu_table``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config
    from e320proto.meter.history import View
    from e320proto.meter.lasting import Lasting


class MeterGuards:
    """Answers for one meter.

    Args:
        config: of the meter.
        lasting: its history, PIN and settings.
    """

    def __init__(self, config: E320Config, lasting: Lasting) -> None:
        self._config = config
        self._lasting = lasting

    @property
    def register_count(self) -> int:
        """How many registers E and the history show."""
        return len(self._lasting.history.registers)

    @property
    def pin_protection(self) -> bool:
        """Whether the menu can ask for a PIN at all."""
        return self._config.pin_protection

    @property
    def pin_query(self) -> bool:
        """Whether the PIN query is on."""
        return self.pin_protection and self._lasting.settings["pin_query"]

    @property
    def pin_tries_left(self) -> int | None:
        """How many wrong PINs are still allowed; ``None`` for any number."""
        tries = self._config.pin_max_tries
        return None if tries is None else tries - self._lasting.pin_failures

    def pin_is_right(self, digits: str) -> bool:
        """Whether these are the digits of the PIN."""
        return digits == self._lasting.pin

    def has_value(self, view: View, register: int, index: int) -> bool:
        """Whether a historical value exists."""
        history = self._lasting.history
        return history.value(view, history.registers[register - 1], index, self._lasting.registers.dwh) is not None
