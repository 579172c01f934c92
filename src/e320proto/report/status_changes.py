"""When the status word of a meter changed, and which bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.sml.wording import status_bit_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.report.timeline import Place
    from e320proto.status import Status

KEPT: Final = 200
"""Changes of one meter that are kept; further ones are counted."""


class Change(NamedTuple):
    """A status word that was not the one before."""

    place: Place
    before: Status
    after: Status

    def words(self) -> tuple[list[str], list[str]]:
        """The bits that were set, and those that were cleared.

        >>> from e320proto import Status
        >>> from e320proto.report.timeline import Break, Clock, Place, Stretch
        >>> place = Place(0, 0, Stretch(Clock.NUMBER, Break.BEGIN, 0, 0, 0), None)
        >>> Change(place, Status(0x1C0104, 4), Status(0x1C0904, 4)).words()
        (['export on sum'], [])
        """
        changed = _bits(self.before.value ^ self.after.value)
        risen = [status_bit_words(self.after, bit) for bit in changed if self.after.value & bit]
        fallen = [status_bit_words(self.before, bit) for bit in changed if self.before.value & bit]
        return risen, fallen


@dataclass(slots=True)
class BitCount:
    """How often a bit was set and cleared, and when it was last changed."""

    words: str
    risen: int
    fallen: int
    first: Place
    last: Place


class StatusChanges:
    """Follows the status word of one meter."""

    def __init__(self) -> None:
        self.first: Status | None = None
        self.last: Status | None = None
        self.count = 0
        self.kept: list[Change] = []
        self._bits: dict[int, BitCount] = {}

    def add(self, place: Place, status: Status | None) -> None:
        """Take the status word of the next telegram in, if it has one."""
        if status is None or status == self.last:
            return
        if self.last is None:
            self.first = self.last = status
            return
        change = Change(place, self.last, status)
        self.count += 1
        self.last = status
        if len(self.kept) < KEPT:
            self.kept.append(change)
        for bit in _bits(change.before.value ^ change.after.value):
            risen = bool(status.value & bit)
            found = self._bits.get(bit)
            if found is None:
                words = status_bit_words(status if risen else change.before, bit)
                found = self._bits[bit] = BitCount(words, 0, 0, place, place)
            found.risen += risen
            found.fallen += not risen
            found.last = place

    def bits(self) -> Iterator[BitCount]:
        """The bits that changed, lowest first."""
        for _, found in sorted(self._bits.items()):
            yield found


def _bits(word: int) -> list[int]:
    return [1 << place for place in range(word.bit_length()) if word >> place & 1]
