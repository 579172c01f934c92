"""What was read and waits to be taken, bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.errors import E320Error

T = TypeVar("T")

WhenFull: TypeAlias = Literal["newest", "wait"]
"""What becomes of telegrams that a slow consumer does not take in time.

``newest``: the oldest ones go, and are counted. ``wait``: no more octets are taken from the line until there is room;
nothing is lost on TCP, and in a replay, while a serial port has room for some seconds only.
"""


class Inbox(Generic[T]):
    """A queue between those who read and those who take.

    Args:
        limit: how many items may wait; 1 or more. With ``wait`` it holds what was completed at once beyond that.
        when_full: what to do then.

    Raises:
        ValueError: ``limit`` is below 1.
    """

    def __init__(self, limit: int, when_full: WhenFull) -> None:
        if limit < 1:
            msg = f"queue: expected 1 or more, found {limit}"
            raise ValueError(msg)
        self._items: deque[T] = deque(maxlen=limit if when_full == "newest" else None)
        self._limit = limit
        self._waits = when_full == "wait"
        self._changed = asyncio.Event()
        self._wanting_room: list[Callable[[], object]] = []
        self._ended = False
        self._error: E320Error | None = None

    def put(self, item: T) -> int:
        """Add an item; return how many were dropped for it."""
        dropped = not self._waits and len(self._items) == self._limit
        self._items.append(item)
        self._changed.set()
        return int(dropped)

    @property
    def full(self) -> bool:
        """Whether those who read are to wait."""
        return self._waits and len(self._items) >= self._limit

    def when_room(self, tell: Callable[[], object]) -> None:
        """Call that, once, when half of the room is free again."""
        self._wanting_room.append(tell)

    async def take(self) -> T:
        """Take the oldest item, or wait for one.

        Raises:
            StopAsyncIteration: the end, after all items.
            E320Error: why it ended, after all items.
        """
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        if self._wanting_room and len(self._items) <= self._limit // 2:
            tells, self._wanting_room = self._wanting_room, []
            for tell in tells:
                tell()
        return item

    def end(self, error: E320Error | None = None) -> None:
        """Say that nothing more will come."""
        self._ended, self._error = True, error
        self._changed.set()

    def begin(self) -> None:
        """Say that more will come."""
        self._ended, self._error = False, None
