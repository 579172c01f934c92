"""Many meters in one process."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Self

from e320proto.aio.inbox import Inbox
from e320proto.aio.pipe import PipeUrl, is_replay
from e320proto.aio.reader import MeterReader, ReaderState, Shared
from e320proto.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from e320proto.aio.inbox import WhenFull
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.sml.telegram import Telegram

_OVER: Final = {ReaderState.FAILED, ReaderState.STOPPED}


class MeterPool:
    """Reads many lines, each with a :class:`~e320proto.aio.reader.MeterReader`.

    What they read goes to ``on_telegram``, or else into one queue, for ``async for reader, telegram in pool``. The
    iterator ends when no reader runs any more. A reader that gives up does not disturb the others: ``on_state`` is
    told, and the reader has its ``error``.

    Args:
        urls: of the lines, each once.
        opening: how many lines are opened at once, at most.
        queue: how many telegrams may wait for the iterator, of all meters.
        when_full: what happens when more come: see :data:`~e320proto.aio.inbox.WhenFull`; ``None``: ``wait`` if all
            ``urls`` are replays, and else ``newest``.
        on_telegram: as for a reader, which comes as the first argument.
        on_trouble: the same.
        on_octets: the same.
        on_state: the same.
        options: more of :class:`~e320proto.aio.reader.MeterReader`, for all.

    Attributes:
        readers: by URL.

    Raises:
        ValueError: ``opening`` or ``queue`` below 1.
        LocalProtocolError: a URL is given twice.

    >>> async def read() -> None:
    ...     async with MeterPool(["memory:one", "memory:two"]) as pool:
    ...         print(len(pool.readers), dict(pool.states))
    >>> asyncio.run(read())
    2 {<ReaderState.CONNECTING: 'connecting'>: 2}
    """

    def __init__(
        self,
        urls: Iterable[str] = (),
        *,
        opening: int = 100,
        queue: int = 1024,
        when_full: WhenFull | None = None,
        on_telegram: Callable[[MeterReader, Telegram, float], object] | None = None,
        on_trouble: Callable[[MeterReader, Malformed | BytesDiscarded, float], object] | None = None,
        on_octets: Callable[[MeterReader, bytes, float], object] | None = None,
        on_state: Callable[[MeterReader, ReaderState], object] | None = None,
        **options: Any,  # noqa: ANN401 - those of MeterReader
    ) -> None:
        if opening < 1:
            msg = f"opening: expected 1 or more, found {opening}"
            raise ValueError(msg)
        urls = tuple(urls)
        what_then = when_full or ("wait" if urls and all(map(is_replay, urls)) else "newest")
        self.readers: dict[str, MeterReader] = {}
        self._inbox: Inbox[tuple[MeterReader, Telegram]] = Inbox(queue, what_then)
        self._shared = Shared(self._inbox, asyncio.Semaphore(opening))
        self._on_telegram, self._on_trouble, self._on_octets = on_telegram, on_trouble, on_octets
        self._on_state = on_state
        self._options = options
        self._running = False
        for url in urls:
            self._make(url)

    def _make(self, url: str) -> MeterReader:
        if url in self.readers:
            raise LocalProtocolError("add", state="in use", expected="a URL that is not in the pool yet", actual=url)

        def bound(tell: Callable[..., object] | None) -> Callable[..., object] | None:
            return None if tell is None else lambda *args: tell(reader, *args)

        reader = self.readers[url] = MeterReader(
            url,
            on_telegram=bound(self._on_telegram),
            on_trouble=bound(self._on_trouble),
            on_octets=bound(self._on_octets),
            on_state=bound(self._entered),
            shared=self._shared,
            **self._options,
        )
        return reader

    def _entered(self, reader: MeterReader, state: ReaderState) -> None:
        if self._running:
            if state not in _OVER:
                self._inbox.begin()
            elif all(other.state in _OVER for other in self.readers.values()):
                self._inbox.end()
        if self._on_state is not None:
            self._on_state(reader, state)

    @property
    def states(self) -> Counter[ReaderState]:
        """How many readers are in which state."""
        return Counter(reader.state for reader in self.readers.values())

    async def add(self, url: str) -> MeterReader:
        """Take one more line, and read it if the pool runs.

        Raises:
            TransportError: a URL of no known form.
            LocalProtocolError: the line is in the pool.
        """
        PipeUrl.parse(url)
        reader = self._make(url)
        if self._running:
            await reader.start()
        return reader

    async def remove(self, url: str) -> None:
        """Stop a reader and forget it.

        Raises:
            KeyError: the line is not in the pool.
        """
        reader = self.readers.pop(url)
        await reader.stop()

    async def start(self) -> None:
        """Begin to read all lines.

        Raises:
            TransportError: a URL of no known form; nothing is begun then.
            LocalProtocolError: it runs already.
        """
        if self._running or self.states.keys() - _OVER:
            raise LocalProtocolError(
                "start", state="running", expected="a pool that is stopped", actual="one that runs"
            )
        for url in self.readers:
            PipeUrl.parse(url)
        self._inbox.begin()
        self._running = True
        for reader in self.readers.values():
            await reader.start()

    async def stop(self) -> None:
        """Stop all readers; what was read may still be taken."""
        self._running = False
        try:
            if ending := [task for reader in self.readers.values() for task in reader.stopping()]:
                await asyncio.wait(ending)
        finally:
            self._inbox.end()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[MeterReader, Telegram]:
        return await self._inbox.take()
