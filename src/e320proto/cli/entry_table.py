"""The entries of a telegram in columns; long names and octets are folded, numbers never.

::

    1-0:1.8.0*255   Active energy import, total    428896.4  Wh
    1-0:16.7.0*255  Active power balance,              2623  W
                    instantaneous (signed)
"""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from e320proto.sml.wording import value_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e320proto.sml.entries import Entry

_INDENT = _GAP = 2
_NAME = 24  # names keep this much beside octets
_OCTETS = 32  # octets get no more than this
_LEAST = 8


class _Row(NamedTuple):
    obis: str
    name: str
    value: str
    unit: str
    number: bool
    style: str


def entry_lines(entries: Iterable[Entry], width: int, *, fold: bool = True) -> Iterator[Text]:
    """Lines of the table, with a header.

    Args:
        entries: at least one.
        width: characters of a line. Where numbers need more than is left, lines are longer.
        fold: fold octets too; else they run over the end of the line.
    """
    rows = [_row(entry) for entry in entries]
    obis, unit = max(len(row.obis) for row in rows), max(len(row.unit) for row in rows)
    room = width - _INDENT - obis - unit - 3 * _GAP
    octets = min(max(len(row.value) for row in rows), _OCTETS, room - _NAME)
    value = max(_LEAST, octets, *(len(row.value) for row in rows if row.number))
    name = max(_LEAST, min(max(len(row.name) for row in rows), room - value))
    yield _line(("OBIS", "Name", "Value".rjust(value), "Unit"), (obis, name, value), "dim")
    for row in rows:
        shown = _folded(row.value, value if fold else max(value, len(row.value)))
        if len(shown) == 1:
            shown = [shown[0].rjust(value)]
        for cells in zip_longest([row.obis], _folded(row.name, name), shown, [row.unit], fillvalue=""):
            yield _line(cells, (obis, name, value), row.style)


def _line(cells: tuple[str, ...], widths: tuple[int, ...], style: str) -> Text:
    filled = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=False)]
    return Text(" " * _INDENT + (" " * _GAP).join([*filled, cells[-1]]).rstrip(), style=style)


def _folded(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _row(entry: Entry) -> _Row:
    unknown = "manufacturer-specific" if entry.obis.manufacturer_specific else "no name known"
    name, value, style = entry.obis.name_en or unknown, value_words(entry), ""
    if entry.corrected is not None:
        name = f"{name}, corrected ({entry.rule}); the meter sent {value}"
        value, style = entry.corrected.digits, "bold"
    unit = "" if entry.unit is None else str(entry.unit)
    return _Row(str(entry.obis), name, value, unit, not isinstance(entry.raw, bytes), style)
