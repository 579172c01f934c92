r"""Reads meters for as long as the program runs.

::

    open_pipe(url) --octets--> TelegramDecoder --telegrams--> callback, or queue and iterator
        ^                            |
        |                            +--trouble--> callback
        '-- opened again             `--> LineWatch --> stats --> diagnose

A :class:`MeterReader` opens its line, and opens it again whenever it is lost or was silent for long. Octets that come
one by one are gathered for some milliseconds, so that a line costs next to nothing, however slowly it speaks.

Its states, each of which ``on_state`` is told:

``connecting``
    The line is being opened, or nothing was read from it yet.
``receiving``
    Telegrams come.
``silent``
    It is open, and nothing is heard.
``stalled``
    Something is heard, but no telegram.
``failed``
    Given up: ``error`` says why.
``stopped``
    Not running: not started yet, stopped, or at the end of what is replayed.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self

from e320proto.aio.inbox import Inbox
from e320proto.aio.pipe import PipeUrl, is_replay, open_pipe
from e320proto.errors import E320Error, EndOfReplay, LocalProtocolError, TransportError
from e320proto.live.line import LineWatch
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.telegram import Telegram, TelegramDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.aio.inbox import WhenFull
    from e320proto.aio.pipe import Pipe
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.live.line import LineStats
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import TelegramEvent

INFO_BAUD: Final = 9_600
"""Bit rate of the optical INFO port (E320 manual)."""

GATHERED_OCTETS: Final = 128
"""Pieces shorter than this are taken for octets that come one by one."""


class ReaderState(Enum):
    """What a reader is at."""

    CONNECTING = "connecting"
    RECEIVING = "receiving"
    SILENT = "silent"
    STALLED = "stalled"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ReaderTimes:
    """How patient a reader is; all in seconds.

    Args:
        silence_s: without an octet until the line counts as silent.
        stall_s: without a telegram until it counts as stalled.
        reopen_s: without an octet until it is opened anew; heals connections whose other end is gone without a word.
        retry_min_s: from the first failure to open until the next attempt; doubled with each one.
        retry_max_s: the most that this grows to.
        open_s: how long an attempt may take.
        gather_s: how long octets that come one by one are gathered; telegrams are that much later at most.

    Raises:
        ValueError: one of them is not above 0, or ``retry_max_s`` below ``retry_min_s``.
    """

    silence_s: float = 8.0
    stall_s: float = 15.0
    reopen_s: float = 60.0
    retry_min_s: float = 0.5
    retry_max_s: float = 30.0
    open_s: float = 15.0
    gather_s: float = 0.05

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                msg = f"{name}: expected a number above 0, found {getattr(self, name)}"
                raise ValueError(msg)
        if self.retry_max_s < self.retry_min_s:
            msg = f"retry_max_s: expected {self.retry_min_s} or more, found {self.retry_max_s}"
            raise ValueError(msg)


DEFAULT_TIMES: Final = ReaderTimes()


@dataclass(frozen=True, slots=True)
class Shared:
    """What the readers of a pool have in common.

    Args:
        inbox: telegrams of all of them.
        opening: limits how many open their lines at once.
    """

    inbox: Inbox[tuple[MeterReader, Telegram]]
    opening: asyncio.Semaphore


class _SilentError(TransportError):
    """A line was silent for so long that it is opened anew."""


class MeterReader:
    """Reads one line for as long as it runs: opens it, opens it again when lost, tells what it hears.

    What it reads goes to ``on_telegram``, or else into a queue, for ``async for telegram in reader``. Callbacks
    are called in the event loop, in the order of what happened. An error of theirs goes to the handler of the loop
    (``loop.set_exception_handler``), and reading goes on.

    Args:
        url: as for :func:`~e320proto.aio.open_pipe`.
        baud: bit rate of a serial port whose URL has none.
        options: of the decoder.
        times: how patient it is.
        attempts: failures to open in a row after which it gives up; ``None``: never.
        queue: how many telegrams may wait for the iterator.
        when_full: what happens when more come: see :data:`~e320proto.aio.inbox.WhenFull`; ``None``: ``wait`` for a
            ``file:``, which has time, and else ``newest``.
        on_telegram: is told each telegram, and when it arrived (Unix time, s).
        on_trouble: is told each place without a telegram, and when.
        on_octets: is told octets as they are heard, before what they mean, and when.
        on_state: is told each change of the state.
        shared: with the other readers of a pool, in place of ``queue`` and ``when_full``.

    Attributes:
        url: as given.
        error: why the line could not be opened last, was lost, or was given up; ``None`` while it is open.

    Raises:
        ValueError: ``queue`` or ``attempts`` below 1.

    >>> async def read() -> None:
    ...     port = await open_pipe("memory:head")
    ...     async with MeterReader("memory:head") as reader:
    ...         while not reader.stats.total.octets:
    ...             port.send(b"noise")
    ...             await asyncio.sleep(0.01)
    ...         print(reader.state.value, reader.stats.total.telegrams)
    ...     await port.close()
    >>> asyncio.run(read())
    connecting 0
    """

    def __init__(  # noqa: PLR0913 - each stands for itself, and has a default
        self,
        url: str,
        *,
        baud: int = INFO_BAUD,
        options: DecodeOptions = DEFAULT_OPTIONS,
        times: ReaderTimes = DEFAULT_TIMES,
        attempts: int | None = None,
        queue: int = 64,
        when_full: WhenFull | None = None,
        on_telegram: Callable[[Telegram, float], object] | None = None,
        on_trouble: Callable[[Malformed | BytesDiscarded, float], object] | None = None,
        on_octets: Callable[[bytes, float], object] | None = None,
        on_state: Callable[[ReaderState], object] | None = None,
        shared: Shared | None = None,
    ) -> None:
        if attempts is not None and attempts < 1:
            msg = f"attempts: expected 1 or more, found {attempts}"
            raise ValueError(msg)
        self.url = url
        self.error: E320Error | None = None
        self._baud, self._options, self._times, self._attempts = baud, options, times, attempts
        self._shared = shared
        self._turn = nullcontext() if shared is None else shared.opening
        self._replays = is_replay(url)
        what_then = when_full or ("wait" if self._replays else "newest")
        self._inbox: Inbox[tuple[MeterReader, Telegram]] = Inbox(queue, what_then) if shared is None else shared.inbox
        self._on_telegram, self._on_trouble, self._on_octets = on_telegram, on_trouble, on_octets
        self._on_state = on_state
        self._state = ReaderState.STOPPED
        self._watch = LineWatch(time.monotonic())
        self._task: asyncio.Task[None] | None = None
        self._decoder = TelegramDecoder(options)
        self._pipe: Pipe | None = None
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Future[E320Error]  # what ends the line that is open
        self._timer: asyncio.TimerHandle | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._holding = False  # until the iterator has taken some
        self._heard_at = self._read_at = self._look_at = 0.0
        self._refusals = 0  # attempts to open in a row that failed
        self._fruitless = 0  # attempts since the last telegram

    @property
    def state(self) -> ReaderState:
        """What it is at."""
        return self._state

    @property
    def stats(self) -> LineStats:
        """What was seen on the line until now."""
        return self._watch.stats(time.monotonic())

    # --- for who uses it ------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to read; a line that cannot be opened now is tried again, for as long as the reader runs.

        A ``file:`` that cannot be opened or read is not: the reader has failed.

        Raises:
            TransportError: a URL of no known form.
            LocalProtocolError: it runs already.
        """
        if self._task is not None and not self._task.done():
            raise LocalProtocolError(
                "start", state="running", expected="a reader that is stopped", actual="one that runs"
            )
        what = PipeUrl.parse(self.url)
        self._loop = asyncio.get_running_loop()
        self.error = None
        self._refusals = self._fruitless = 0
        if self._shared is None:
            self._inbox.begin()
        self._enter(ReaderState.CONNECTING)
        self._task = self._loop.create_task(self._run(what), name=f"reads {self.url}")
        self._task.add_done_callback(self._over)  # also when it is cancelled before it has begun

    async def stop(self) -> None:
        """Stop reading, and give back the line; what was read may still be taken."""
        if ending := self.stopping():
            await asyncio.wait(ending)  # also when this is cancelled, the task ends

    def stopping(self) -> list[asyncio.Task[None]]:
        """Have it stop soon; give the task that does, to wait for."""
        if self._task is None or self._task.done():
            return []
        if not self._task.cancelling():  # a second time would disturb it while it gives back the line
            self._task.cancel()
        return [self._task]

    async def wait(self) -> None:
        """Wait until it has ended: at the end of what it replays, given up, or stopped.

        Raises:
            E320Error: it has given up.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()  # raises a mistake of the program
        if self._state is ReaderState.FAILED and self.error is not None:
            raise self.error

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Telegram:
        _, telegram = await self._inbox.take()
        return telegram

    def send(self, data: bytes) -> None:
        """Send octets, to a head that wants to be woken; dropped while the line is not open."""
        if self._pipe is not None:
            self._watch.sent(data, time.monotonic())
            self._pipe.send(data)

    # --- the line -------------------------------------------------------------------------------

    async def _run(self, what: PipeUrl) -> None:
        while self._attempts is None or self._refusals < self._attempts:
            try:
                await self._read_line(what)
            except EndOfReplay:
                self._finish(ReaderState.STOPPED)
                return
            except _SilentError as error:
                self.error = error  # and it stays silent
                self._fruitless = 0  # it can be opened, so it is not left alone for longer than it must
            except E320Error as error:
                self.error = error
                if self._replays:
                    break  # another attempt would fail as well, or begin anew
                self._enter(ReaderState.CONNECTING)
            except Exception:
                self._finish(ReaderState.FAILED)
                raise  # a mistake of the program; ``wait`` raises it
            await asyncio.sleep(self._pause_s())
        self._finish(ReaderState.FAILED)

    def _over(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._finish(ReaderState.STOPPED)

    def _finish(self, state: ReaderState) -> None:
        if self._shared is None:
            self._inbox.end(self.error if state is ReaderState.FAILED else None)
        self._enter(state)

    def _pause_s(self) -> float:
        """Time until the next attempt; not the same for all readers whose lines were lost at once."""
        doubled = self._times.retry_min_s * 2.0 ** min(max(self._fruitless - 1, 0), 32)
        return min(doubled, self._times.retry_max_s) * random.uniform(0.8, 1.0)  # noqa: S311 - no secret

    async def _read_line(self, what: PipeUrl) -> None:
        """Open the line and read it to its end.

        Raises:
            E320Error: why it ended.
        """
        self._fruitless += 1
        try:
            pipe = await self._opened(what)
        except TransportError as error:
            self._refusals += 1
            self._watch.refused(error, time.monotonic())
            raise
        self._refusals = 0
        try:
            raise await self._listen(pipe)
        finally:
            self._leave()
            await pipe.close()

    async def _opened(self, what: PipeUrl) -> Pipe:
        """Open the line, when it is its turn.

        Raises:
            TransportError: it cannot be opened now.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(self._times.open_s):
                    return await open_pipe(what, baud=self._baud)
            except TimeoutError as error:
                if isinstance(error, TransportError):
                    raise
                expected = f"a line that opens within {self._times.open_s:g} s"
                msg = f"{self.url}: expected {expected}, found that nothing answers"
                raise TransportError(msg) from None

    async def _listen(self, pipe: Pipe) -> E320Error:
        """Read until the line ends, and return why."""
        self._decoder = TelegramDecoder(self._options)  # a frame does not go on over a gap
        self._ended = self._loop.create_future()
        self._pipe = pipe
        self.error = None
        now = time.monotonic()
        self._heard_at = self._read_at = self._look_at = now
        self._watch.opened(now)
        pipe.start(self._hear, self._end)
        self._look()
        error: E320Error | None = None
        try:
            error = await self._ended
        finally:
            if error is None or isinstance(error, EndOfReplay):
                self._watch.ended(time.monotonic())
            else:
                self._watch.lost(error, time.monotonic())
        self._tell_events(self._decoder.close())
        return error

    def _leave(self) -> None:
        """Forget the line."""
        self._pipe = None
        self._holding = False
        for timer in (self._timer, self._gathering):
            if timer is not None:
                timer.cancel()
        self._timer = self._gathering = None

    def _end(self, error: E320Error) -> None:
        if not self._ended.done():
            self._ended.set_result(error)

    # --- what is heard --------------------------------------------------------------------------

    def _hear(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        self._watch.octets(data, self._heard_at)
        if self._on_octets is not None:
            self._tell(self._on_octets, data, time.time())
        events = self._decoder.feed(data)
        if events:
            self._tell_events(events)
        if len(data) < GATHERED_OCTETS and self._gathering is None and self._pipe is not None and not self._holding:
            # Each wake-up costs more than what it brings; the kernel keeps the octets meanwhile.
            self._pipe.pause()
            self._gathering = self._loop.call_later(self._times.gather_s, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        if self._pipe is not None and not self._holding:
            self._pipe.resume()

    def _tell_events(self, events: list[TelegramEvent]) -> None:
        now, at = time.monotonic(), time.time()
        for event in events:
            if isinstance(event, Telegram):
                self._read_at = now
                self._fruitless = 0
                self._watch.telegram(event, now)
                if self._state is not ReaderState.RECEIVING:
                    self._enter(ReaderState.RECEIVING)
                if self._on_telegram is None:
                    self._keep(event)
                else:
                    self._tell(self._on_telegram, event, at)
            else:
                self._watch.trouble(event, now)
                if self._on_trouble is not None:
                    self._tell(self._on_trouble, event, at)

    def _keep(self, telegram: Telegram) -> None:
        dropped = self._inbox.put((self, telegram))
        if dropped:
            self._watch.dropped(dropped)
        if self._inbox.full and not self._holding and self._pipe is not None:
            self._holding = True
            self._watch.held(time.monotonic())
            self._pipe.pause()
            self._inbox.when_room(self._let_go)

    def _let_go(self) -> None:
        if self._holding:
            self._holding = False
            self._heard_at = self._read_at = now = time.monotonic()  # it was this end that was silent
            self._watch.let_go(now)
            if self._pipe is not None and self._gathering is None:
                self._pipe.resume()

    def _tell(self, callback: Callable[..., object], *args: Any) -> None:  # noqa: ANN401 - of any callback
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001 - whatever it is, the line goes on
            context = {"message": f"{self.url}: a callback of the reader failed", "exception": error}
            self._loop.call_exception_handler(context)

    def _enter(self, state: ReaderState) -> None:
        if state is not self._state:
            self._state = state
            if self._on_state is not None:
                self._tell(self._on_state, state)

    # --- watching -------------------------------------------------------------------------------

    def _look(self) -> None:
        """See what the line is at, and come again when that may change."""
        now, times = time.monotonic(), self._times
        late_s = now - self._look_at
        if self._holding:
            self._heard_at = self._read_at = now
        elif late_s > times.gather_s:  # while the loop did not run, nobody listened; what came is heard first
            self._heard_at = min(now, self._heard_at + late_s)
            self._read_at = min(now, self._read_at + late_s)
            self._look_in(times.gather_s)
            return
        silent_s, unread_s = now - self._heard_at, now - self._read_at
        if silent_s >= times.reopen_s and not self._replays:
            found = f"expected octets within {times.reopen_s:g} s, found none; it is opened anew"
            self._end(_SilentError(f"{self.url}: {found}"))
            return
        if silent_s >= times.silence_s:
            self._enter(ReaderState.SILENT)
        elif unread_s >= times.stall_s:
            self._enter(ReaderState.STALLED)
        until_s = (times.silence_s - silent_s, times.stall_s - unread_s, times.reopen_s - silent_s, times.silence_s)
        self._look_in(min(s for s in until_s if s > 0))

    def _look_in(self, wait_s: float) -> None:
        self._look_at = time.monotonic() + wait_s
        self._timer = self._loop.call_later(wait_s, self._look)
