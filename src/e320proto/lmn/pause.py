"""The pause before a connection to a meter is opened again."""

from __future__ import annotations

from math import inf


class Pause:
    """Opens nothing, or not one selector, for a while, and for twice as long if it goes wrong again.

    >>> pause = Pause()
    >>> for now in (0.0, 10.0, 20.0):
    ...     pause.begin(now, 5.0, 15.0, selector=1)
    ...     pause.until(1), pause.until(3)
    (5.0, -inf)
    (20.0, -inf)
    (35.0, -inf)
    """

    def __init__(self) -> None:
        self._until = -inf
        self._length_s = 0.0
        self._selector: int | None = None

    def begin(self, now: float, first_s: float, longest_s: float, selector: int | None = None) -> None:
        """A connection has gone wrong; ``selector``: the only one that has to wait."""
        self._selector = selector
        self._length_s = min(max(first_s, 2 * self._length_s), longest_s)
        self._until = now + self._length_s

    def until(self, selector: int | None) -> float:
        """When a connection to this selector may be opened."""
        return self._until if self._selector in {None, selector} else -inf

    def over(self) -> None:
        """A connection is opened; the next pause is still twice as long."""
        self._until = -inf

    def forget(self) -> None:
        """All is well: the next pause is a short one."""
        self._length_s = 0.0
