"""Rows for the telegrams after the first: only the numbers, each in its column.

::

      octet   second  1.8.0 Wh  16.7.0 W
        330  2005971  428897.1      2621  import
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from e320proto.sml.messages import SecIndex
from e320proto.sml.quirks import Direction
from e320proto.sml.wording import moment, time_words

if TYPE_CHECKING:
    from e320proto.sml.entries import Entry
    from e320proto.sml.telegram import Telegram

_OFFSET = 9
_FLOW = 8
_SPARE = 1  # digits that a value may grow by before its column gives way
_CORRECTED = "*"
_FIRST = ("1-0:1.8.0*255", "1-0:2.8.0*255", "1-0:16.7.0*255", "1-0:15.7.0*255")


class Column(NamedTuple):
    """One register in the rows."""

    place: int
    label: str
    width: int


class Series(NamedTuple):
    """The columns of the rows of a meter, as they follow from one of its telegrams.

    Args:
        layout: kind of the times, and labels of all registers that are numbers, shown or not.
        columns: those that fit into a line.
        time_width: characters of the time.
    """

    layout: tuple[str, ...]
    columns: tuple[Column, ...]
    time_width: int

    @property
    def left_out(self) -> int:
        """Registers for which there is no room."""
        return len(self.layout) - 1 - len(self.columns)

    def header(self) -> str:
        """The line above the rows."""
        labels = "".join(f"  {column.label:>{column.width}}" for column in self.columns)
        more = f"  (+{self.left_out} more)" if self.left_out else ""
        return f"{'octet':>{_OFFSET}}  {self.layout[0]:>{self.time_width}}{labels}{more}"

    def row(self, telegram: Telegram) -> str:
        """The line of a telegram that has this layout. What is wider than its column is shown whole."""
        cells = "".join(f"  {_cell(telegram.entries[column.place]):>{column.width}}" for column in self.columns)
        flow = "" if telegram.direction is Direction.UNKNOWN else f"  {telegram.direction}"
        return f"{telegram.offset:>{_OFFSET}}  {_when(telegram):>{self.time_width}}{cells}{flow}"


def layout_of(telegram: Telegram) -> tuple[str, ...]:
    """Kind of the times, codes and units of the registers that are numbers."""
    kind = "second" if isinstance(moment(telegram), SecIndex) else "time"
    return (kind, *(_label(entry) for entry in telegram.entries if entry.quantity is not None))


def make_series(telegram: Telegram, width: int) -> Series:
    """Choose the columns for a line of ``width`` characters, energies and powers first."""
    layout = layout_of(telegram)
    time_width = max(len(_when(telegram)), len(layout[0]))
    room = width - _OFFSET - 2 - time_width - _FLOW
    numbers = [(place, entry) for place, entry in enumerate(telegram.entries) if entry.quantity is not None]
    columns: list[Column] = []
    for place, entry in sorted(numbers, key=_rank):
        column = Column(place, _label(entry), max(len(_label(entry)), len(_cell(entry)) + _SPARE))
        if column.width + 2 <= room or not columns:
            columns.append(column)
            room -= column.width + 2
    return Series(layout, tuple(sorted(columns)), time_width)


def _rank(numbered: tuple[int, Entry]) -> int:
    """Place in line for a column."""
    code = str(numbered[1].obis)
    return _FIRST.index(code) if code in _FIRST else len(_FIRST)


def _label(entry: Entry) -> str:
    return f"{entry.obis.short} {'' if entry.unit is None else entry.unit}".rstrip()


def _cell(entry: Entry) -> str:
    quantity = entry.quantity
    return "" if quantity is None else quantity.digits + (_CORRECTED if entry.corrected is not None else "")


def _when(telegram: Telegram) -> str:
    time = moment(telegram)
    return str(time.value) if isinstance(time, SecIndex) else time_words(time)
