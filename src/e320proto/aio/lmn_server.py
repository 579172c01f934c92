r"""Reference meters on an LMN bus, in real time, beside their pushes.

::

    pipe --octets--> MeterBus --> LmnMeterServer.hear --> MeterLmn
    pipe <--frames-- MeterBus <-- LmnMeterServer.step <----/   \--> Meter --> pushes, events

All meters of a process share the line: what one of them sends, the others hear. Time of the bus is that of the
clock, so a meter on a bus runs at speed 1.

An event loop is late by about a millisecond, and by many on a machine that is busy; then a slot of 5 ms is missed, and
a broadcast goes unanswered. Where nothing collides, :data:`~e320proto.aio.pipe.SOFT_PROFILE` lets the answer come late.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from e320proto.aio.server import MeterServer
from e320proto.meter.events import MeterEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e320proto.aio.outlets import Outlet
    from e320proto.aio.pipe import Pipe
    from e320proto.errors import TransportError
    from e320proto.meter.lmn import LmnEvent, MeterLmn
    from e320proto.meter.profile import Profile


class MeterBus:
    """The meters of this process on one line.

    Args:
        pipe: the line; it belongs to the caller.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.lost: TransportError | None = None
        """Why the line is gone, if it is."""
        self._pipe = pipe
        self._meters: list[LmnMeterServer] = []
        pipe.start(self._hear, self._lose)

    @property
    def name(self) -> str:
        """What a gateway opens or connects to."""
        return self._pipe.name

    def add(self, meter: LmnMeterServer) -> None:
        """Connect a meter; the one that it replaces is connected no more."""
        self._meters = [other for other in self._meters if other.lmn is not meter.lmn] + [meter]

    def send(self, sender: LmnMeterServer, frame: bytes) -> None:
        """Put a frame on the line."""
        self._pipe.send(frame)
        for other in self._meters:
            if other is not sender:
                other.hear(frame)

    def _hear(self, octets: bytes) -> None:
        for meter in self._meters:
            meter.hear(octets)

    def _lose(self, error: TransportError) -> None:
        self.lost = error
        for meter in self._meters:
            meter.hear(b"")


class LmnMeterServer(MeterServer):
    """A reference meter in real time, on a bus; run it as a :class:`MeterServer`.

    Args:
        lmn: the meter's end of the LMN; nobody else uses it or its meter from now on.
        bus: where it is.
        outlets: where pushes go.
        profile: what the meter sees.
        start_s: time of the meter when it begins to run.
        on_event: is told what happens to the meter.
        on_lmn_event: is told what happens on the bus.
    """

    def __init__(
        self,
        lmn: MeterLmn,
        bus: MeterBus,
        outlets: Sequence[Outlet] = (),
        *,
        profile: Profile | None = None,
        start_s: float = 0.0,
        on_event: Callable[[MeterEvent], None] | None = None,
        on_lmn_event: Callable[[LmnEvent], None] | None = None,
    ) -> None:
        super().__init__(lmn.meter, outlets, profile=profile, start_s=start_s, on_event=on_event)
        self.lmn = lmn
        self._bus = bus
        self._on_lmn_event = on_lmn_event
        bus.add(self)

    def hear(self, octets: bytes) -> None:
        """Take octets from the bus at the present instant."""
        if self.running:
            self._told(self.lmn.receive_data(octets, now=self.reach_present()))
            self.wake()

    def step(self, until_s: float = math.inf) -> float | None:
        """Do what is due, for the meter and on the bus.

        Raises:
            TransportError: an outlet or the line is gone for good.
        """
        if self._bus.lost is not None:
            raise self._bus.lost
        again = super().step(until_s)
        if again is None:
            return None
        now_s = self.reach_present()
        self._told(self.lmn.handle_timeout(now=now_s))
        for frame in self.lmn.data_to_send():
            self._bus.send(self, frame)
        due_s = self.lmn.next_timeout()
        return again if due_s is None else min(again, self.clock_of(due_s))

    def _told(self, events: Sequence[LmnEvent]) -> None:
        self.tell([event for event in events if isinstance(event, MeterEvent)])
        if self._on_lmn_event is not None:
            for event in events:
                self._on_lmn_event(event)
