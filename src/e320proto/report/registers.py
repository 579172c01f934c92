"""Every register of a meter with its first and its last value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e320proto.report.readings import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.obis import ObisCode
    from e320proto.sml.entries import Entries, Entry
    from e320proto.units import Quantity

MOST: Final = 200
"""Registers of one meter that are followed; further ones are counted."""

_READING: Final = 8


@dataclass(slots=True)
class Register:
    """A register; ``telegrams`` are those that had it."""

    first: Entry
    last: Entry
    telegrams: int

    @property
    def counted(self) -> Quantity | None:
        """What a register that counts did count, if its two values tell."""
        if self.first.obis.d != _READING or self.first.unit != self.last.unit:
            return None
        return counted(self.first.quantity, self.last.quantity)


class Registers:
    """Follows the registers of one meter; of telegrams that have the same ones only first and last are looked at."""

    def __init__(self) -> None:
        self._found: dict[ObisCode, Register] = {}
        self._others: set[ObisCode] = set()
        self._last: Entries | None = None
        self._codes: tuple[ObisCode, ...] = ()
        self._telegrams = 0

    def add(self, codes: tuple[ObisCode, ...], entries: Entries) -> None:
        """Take the entries of the next telegram in."""
        if codes != self._codes or self._last is None:
            self._settle()
            self._codes = codes
            for entry in entries:
                self._first(entry)
        self._last = entries
        self._telegrams += 1

    def __iter__(self) -> Iterator[Register]:
        """The registers in the order in which they came first."""
        self._settle()
        yield from self._found.values()

    @property
    def left_out(self) -> int:
        """Registers that are not followed, as far as they are counted."""
        return len(self._others)

    def _first(self, entry: Entry) -> None:
        if entry.obis not in self._found:
            if len(self._found) < MOST:
                self._found[entry.obis] = Register(entry, entry, 0)
            elif len(self._others) < MOST:
                self._others.add(entry.obis)

    def _settle(self) -> None:
        """Bring what was put off up to date."""
        seen = set()
        for entry in self._last or ():
            register = self._found.get(entry.obis)
            if register is not None and entry.obis not in seen:
                seen.add(entry.obis)
                register.last = entry
                register.telegrams += self._telegrams
        self._telegrams = 0
