r"""Reference meters in real time: one timer, absolute deadlines.

::

    clock --now--> MeterServer.step --> Meter.advance --> frames --> outlets
                        |                           \--> events --> on_event
                        `--> when to come again

Time of the meter is a linear function of the clock, so nothing drifts: a wake-up that is late makes one push
late, not the ones after it. After a long absence (a suspended process, a laptop that slept with a clock that went
on) the meter lives through all of it: registers, history and the push counter are those of an uninterrupted run. Of
its pushes only those of the last second are sent; older ones are counted in ``missed``, because a reader takes a
telegram for the present.

Profiles are asked for inputs at their changes and at no other time.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from e320proto.errors import LocalProtocolError
from e320proto.meter.events import Pushed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e320proto.aio.outlets import Outlet
    from e320proto.meter.events import MeterEvent
    from e320proto.meter.measurement import Inputs
    from e320proto.meter.model import Meter
    from e320proto.meter.profile import Profile

LATE_S: Final = 1.0
"""How late a push may be and still be sent, in seconds of the clock."""

STEP_S: Final = 600.0
"""The most that a meter which is behind lives through at a time, in its own seconds."""

TURN_S: Final = 0.005
"""How long meters that are due one after the other may take before the loop has its turn."""


class MeterServer:
    """A reference meter in real time, or faster, and its pushes to outlets.

    It opens nothing and closes nothing: outlets belong to the caller.

    Args:
        meter: not advanced by anyone else from now on.
        outlets: where pushes go.
        profile: what the meter sees; without one its inputs stay what they are.
        speed: seconds of the meter in a second of the clock.
        start_s: time of the meter when it begins to run; not before its present.
        on_event: is told whatever happens, after the pushes were sent.

    Attributes:
        missed: pushes that were more than a second late, and therefore not sent.

    Raises:
        ValueError: ``speed`` is not a number above 0.

    >>> from e320proto.meter import E320Config, Meter
    >>> events = []
    >>> server = MeterServer(Meter(E320Config(pin="1234")), speed=100, on_event=events.append)
    >>> asyncio.run(server.run(until_s=3))
    >>> [type(event).__name__ for event in events], server.now_s
    (['PowerReturned', 'Pushed', 'Pushed'], 3)
    """

    def __init__(
        self,
        meter: Meter,
        outlets: Sequence[Outlet] = (),
        *,
        profile: Profile | None = None,
        speed: float = 1.0,
        start_s: float = 0.0,
        on_event: Callable[[MeterEvent], None] | None = None,
    ) -> None:
        if not 0 < speed < math.inf:
            msg = f"speed: expected a number above 0, found {speed}"
            raise ValueError(msg)
        self.meter = meter
        self.outlets = outlets
        self.missed = 0
        self._profile = profile
        self._speed = speed
        self._on_event = on_event
        self._change: Callable[[Inputs], Inputs] | None = None
        self._change_s: float | None = None  # when the profile changes next
        self._begun = False
        self._reached_s = start_s
        self._clock: Callable[[], float] | None = None  # while it runs
        self._origin = 0.0  # what the clock shows at 0 s of the meter
        self._woken: Callable[[], None] = lambda: None

    @property
    def now_s(self) -> float:
        """Present time of the meter; it stands while the meter does not run."""
        if self._clock is None:
            return self._reached_s
        return max(self._reached_s, (self._clock() - self._origin) * self._speed)

    async def run(self, until_s: float | None = None) -> None:
        """Run until that time of the meter, or until cancelled; a later call goes on where this one stopped.

        Raises:
            LocalProtocolError: it runs already.
            TransportError: an outlet is gone for good.
        """
        await run_meters([self], until_s)

    # --- what acts on the meter -----------------------------------------------------------------

    def flash(self, lux: float, duration_s: float) -> None:
        """Shine a light on the optical button from the present instant on.

        Raises:
            ValueError: ``lux`` or ``duration_s`` is below 0.
        """
        self._act(lambda: self.meter.flash(lux, duration_s))

    def power(self, *, on: bool) -> None:
        """Cut all phases at the present instant, or connect them again."""
        self._act(lambda: self.meter.power(on=on))

    def adjust(self, change: Callable[[Inputs], Inputs]) -> None:
        """From the present instant on have the profile's inputs go through ``change``, instead of an earlier one.

        Raises:
            ValueError: there is no profile.
        """
        if self._profile is None:
            msg = "adjust: expected a server with a profile, found one without"
            raise ValueError(msg)
        self._advance(self.now_s)
        self._change = change
        self._see(self._reached_s)
        self._woken()

    def _act(self, act: Callable[[], list[MeterEvent]]) -> None:
        self._advance(self.now_s)
        self.tell(act())
        self._woken()

    # --- time -----------------------------------------------------------------------------------

    def start(self, clock: Callable[[], float], after_s: float, woken: Callable[[], None]) -> float:
        """Let time pass; for who has a timer of their own. :meth:`step` is then to be called.

        Args:
            clock: the present, in seconds; does not go back.
            after_s: of this clock, before the meter begins.
            woken: is called when :meth:`step` has to be called at once.

        Returns:
            When to call :meth:`step`.

        Raises:
            LocalProtocolError: it runs already.
        """
        if self._clock is not None:
            raise LocalProtocolError("run", state="running", expected="a meter that stands", actual="one that runs")
        begin = clock() + after_s
        self._origin = begin - self._reached_s / self._speed
        self._clock, self._woken = clock, woken
        return begin

    @property
    def running(self) -> bool:
        """Whether time passes."""
        return self._clock is not None

    def reach_present(self) -> float:
        """Let the meter live until now, or :data:`STEP_S` towards it; return the time that it has reached."""
        self._advance(min(self.now_s, self._reached_s + STEP_S))
        return self._reached_s

    def clock_of(self, at_s: float) -> float:
        """Return what the clock shows at a time of the meter."""
        return self._origin + at_s / self._speed

    def wake(self) -> None:
        """Have :meth:`step` called at once."""
        self._woken()

    def stop(self) -> None:
        """Let time stand still at what :meth:`step` has reached."""
        self._clock, self._woken = None, lambda: None

    def step(self, until_s: float = math.inf) -> float | None:
        """Do what is due.

        Returns:
            When to come again, on the clock; ``None`` when ``until_s`` is reached.

        Raises:
            TransportError: an outlet is gone for good.
        """
        present_s = min(self.now_s, until_s)
        self._advance(min(present_s, self._reached_s + STEP_S))
        if self._reached_s >= until_s:
            return None
        due_s = (self.meter.next_timeout(), self._change_s, until_s)
        return self.clock_of(min(at_s for at_s in due_s if at_s is not None))

    def _advance(self, to_s: float) -> None:
        """Let the meter live until then, from change to change of its profile."""
        if not self._begun:
            self._begun = True
            self.meter.info_data_to_send()  # what it pushed in an earlier life is no news
            self._see(self._reached_s)
        while self._change_s is not None and self._change_s <= to_s:
            self._see(self._change_s)
        self._live(to_s)

    def _see(self, at_s: float) -> None:
        """Have the meter see what the profile says from then on."""
        inputs = None
        if self._profile is not None:
            inputs = self._profile.inputs(at_s)
            self._change_s = self._profile.next_change(at_s)
            if self._change is not None:
                inputs = self._change(inputs)
        self._live(at_s, inputs)

    def _live(self, to_s: float, inputs: Inputs | None = None) -> None:
        # Who was told of an event may have acted on the meter, and so have gone ahead.
        self._reached_s = max(to_s, self._reached_s)
        self.tell(self.meter.advance(self._reached_s, inputs))

    def tell(self, events: list[MeterEvent]) -> None:
        """Send what was pushed, if it is still news, and tell what happened."""
        frames = self.meter.info_data_to_send()
        if frames:
            oldest_s = self.now_s - LATE_S * self._speed
            pushed = [event.at_s for event in events if isinstance(event, Pushed)]
            fresh = sum(at_s >= oldest_s for at_s in pushed[-len(frames) :])
            self.missed += len(pushed) - fresh
            for frame in frames[len(frames) - fresh :]:
                for outlet in self.outlets:
                    outlet.send(frame)
        if self._on_event is not None:
            for event in events:
                self._on_event(event)


class _Timetable:
    """When each meter is due, and a sleep until the first of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticket = count()
        self._due: list[tuple[float, int, MeterServer]] = []
        self._valid: dict[MeterServer, int] = {}  # the ticket that counts; earlier ones are void
        self._sleeper: asyncio.Future[None] | None = None
        self._turn = loop.time()

    def put(self, server: MeterServer, at: float) -> None:
        """Note when a meter is due, instead of what was noted before."""
        ticket = self._valid[server] = next(self._ticket)
        heapq.heappush(self._due, (at, ticket, server))
        self._wake()

    async def next(self) -> MeterServer | None:
        """Wait for the first meter that is due; ``None`` when there is none left."""
        while self._due:
            at, ticket, server = self._due[0]
            now = self._loop.time()
            if self._valid[server] != ticket:
                heapq.heappop(self._due)
            elif at > now:
                await self._sleep(at)
            elif now > self._turn + TURN_S:
                await self._sleep(now)
            else:
                heapq.heappop(self._due)
                return server
        return None

    def _wake(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    async def _sleep(self, at: float) -> None:
        self._sleeper = self._loop.create_future()
        timer = self._loop.call_at(at, self._wake)
        try:
            await self._sleeper
        finally:
            timer.cancel()
            self._sleeper = None
            self._turn = self._loop.time()


async def run_meters(servers: Sequence[MeterServer], until_s: float | None = None, *, spread_s: float = 0.0) -> None:
    """Run many meters with one timer.

    Args:
        servers: each with its own outlets, profile and speed.
        until_s: where each of them stops, on its own time; ``None`` to run until cancelled.
        spread_s: time in which they begin, one after the other, on the clock. With a second, meters that push once
            per second do so evenly; with 0 all of them at once.

    Raises:
        LocalProtocolError: one of them runs already.
        TransportError: an outlet is gone for good.
    """
    loop = asyncio.get_running_loop()
    timetable = _Timetable(loop)
    started: list[MeterServer] = []
    try:
        for index, server in enumerate(servers):
            woken = partial(timetable.put, server, 0.0)
            timetable.put(server, server.start(loop.time, spread_s * index / len(servers), woken))
            started.append(server)
        while due := await timetable.next():
            again = due.step(math.inf if until_s is None else until_s)
            if again is None:
                due.stop()
            else:
                timetable.put(due, again)
    finally:
        for server in started:
            server.stop()
