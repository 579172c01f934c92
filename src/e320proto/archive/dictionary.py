"""The texts behind the dictionary columns: OBIS codes, units, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

_Thing = TypeVar("_Thing")


class Dictionary(Generic[_Thing]):
    """Gives things an index each, and keeps the text of each.

    Args:
        text_of: makes the text of a thing.

    >>> units = Dictionary(str)
    >>> units.index(30), units.index(27), units.index(30), units.array().to_pylist()
    (0, 1, 0, ['30', '27'])
    """

    def __init__(self, text_of: Callable[[_Thing], str] = str) -> None:
        self._text_of = text_of
        self._index: dict[_Thing, int] = {}
        self._array = pa.array([], pa.string())

    def __len__(self) -> int:
        return len(self._index)

    def index(self, thing: _Thing) -> int:
        """The index of a thing, the next free one if it is new."""
        found = self._index.get(thing)
        if found is None:
            found = self._index.setdefault(thing, len(self._index))
        return found

    def array(self) -> pa.Array:
        """All texts, by index."""
        if len(self._array) < len(self._index):
            self._array = pa.array([self._text_of(thing) for thing in tuple(self._index)], pa.string())
        return self._array
