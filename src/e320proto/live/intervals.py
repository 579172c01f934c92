"""The last item of each interval, for those who want fewer."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class LastOfInterval(Generic[T]):
    """Lets through the last item of each interval of time, for each source by itself.

    An item is held until the first one of a later interval comes, or until :meth:`rest` asks for it.

    Args:
        every_s: length of the intervals, s; with 0 every item goes through.

    >>> thin = LastOfInterval[str](60)
    >>> [thin.take("meter", item, at) for item, at in (("a", 58.0), ("b", 59.0), ("c", 60.0))]
    [None, None, 'b']
    >>> thin.rest()
    ['c']
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._held: dict[str, tuple[float, T]] = {}

    def take(self, source: str, item: T, at: float) -> T | None:
        """Take an item; give what goes through.

        Args:
            source: whose it is.
            item: the item.
            at: its time, s.
        """
        if not self._every_s:
            return item
        interval = at // self._every_s
        before = self._held.get(source)
        self._held[source] = interval, item
        return None if before is None or before[0] == interval else before[1]

    def rest(self, prefix: str = "") -> list[T]:
        """Give what is held of sources whose names begin so, because nothing may follow it."""
        return [self._held.pop(source)[1] for source in list(self._held) if source.startswith(prefix)]
