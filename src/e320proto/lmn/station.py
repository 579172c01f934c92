"""Stations of the bus on octets: a meter, and the gateway with all its participants.

::

    octets -> FrameDecoder -> assignment, link(s) -> events -> upper layer
    octets <---------------- encode_frame <------- link.send, link.working <-/

Both are driven alike: hand over octets as they arrive; after that, and after any call of a link, send what
``data_to_send`` gives and call ``handle_timeout`` at the instant that ``next_timeout`` tells, at once if it has
passed. Frames come out of ``handle_timeout``: their instant has come then. The instant of
octets is that of the last one.

Source: wired LMN, sections 1 to 6.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from e320proto.errors import LocalProtocolError
from e320proto.events import BytesDiscarded, Malformed
from e320proto.hdlc import GATEWAY, Frame, FrameDecoder, FrameKind, Record, encode_frame
from e320proto.lmn.assignment import AddressTaken, AssignmentEvent, MeterAssignment, MeterIds, Random
from e320proto.lmn.link import LinkEvent, LinkLost
from e320proto.lmn.participants import GatewayAssignment, ParticipantAdded, ParticipantEvent, ParticipantLost
from e320proto.lmn.primary import PrimaryLink, PrimaryState
from e320proto.lmn.secondary import SecondaryLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from e320proto.lmn.profile import LmnProfile

_CONNECTION: Final = frozenset(FrameKind) - {FrameKind.UI, FrameKind.UNKNOWN}


class _Receiver:
    """Octets to frames: gives up a begun frame after silence, counts what is broken."""

    def __init__(self, profile: LmnProfile) -> None:
        self.broken: Counter[str] = Counter()
        self._inter_octet_s = profile.inter_octet_s
        self._decoder = FrameDecoder()
        self._octet_at = -inf

    def feed(self, data: bytes, now: float) -> Iterator[Frame]:
        self._octet_at = now
        return self._frames(self._decoder.feed(data))

    def silence(self, now: float) -> Iterator[Frame]:
        """Frames that were hidden behind one that stays unfinished; they ended with the last octet."""
        late = self.silent_at is not None and now >= self.silent_at
        return self._frames(self._decoder.idle() if late else [])

    def _frames(self, items: Iterable[Frame | BytesDiscarded | Malformed]) -> Iterator[Frame]:
        for item in items:
            match item:
                case Frame():
                    yield item
                case Malformed():
                    self.broken[item.error.reason] += 1
                case BytesDiscarded():
                    self.broken["format"] += 1

    @property
    def octet_at(self) -> float:
        return self._octet_at

    @property
    def silent_at(self) -> float | None:
        """When silence ends the frame that has begun, if one has."""
        return self._octet_at + self._inter_octet_s if self._decoder.frame_begun else None


MeterStationEvent = LinkEvent | AssignmentEvent


class MeterStation:
    """A meter on the bus: its address, its slot and its end of the connection.

    Use :attr:`link` to send and to say whether the upper layer is at work. A restart of the meter is a new
    station.

    Args:
        ids: of the meter.
        profile: of the bus.
        permitted: says whether a selector may be opened now.
        random: chooses address and slot.

    Source: wired LMN, sections 5.3 and 6.4.

    >>> from random import Random
    >>> from e320proto.lmn.profile import LmnProfile
    >>> profile = LmnProfile(initial_address=68)
    >>> meter = MeterStation(MeterIds.of_meter(b"meter"), profile, permitted=lambda selector: True, random=Random(1))
    >>> meter.receive_data(bytes.fromhex("7EA00988070207936B957E"), now=10.0)
    [LinkOpened(selector=3)]
    >>> meter.handle_timeout(now=meter.next_timeout())
    []
    >>> meter.data_to_send()[0].hex()
    '7ea00902078807730ecb7e'
    """

    def __init__(self, ids: MeterIds, profile: LmnProfile, *, permitted: Callable[[int], bool], random: Random) -> None:
        self.assignment = MeterAssignment(ids, profile, random)
        self.link = SecondaryLink(profile, permitted=permitted)
        self.link.address = self.assignment.address
        self.frame_at: float | None = None
        """When the latest right frame was on the bus, whoever's."""
        self.connection_at: float | None = None
        """When the latest frame of a connection with this meter was on the bus."""
        self._profile = profile
        self._receiver = _Receiver(profile)
        self._reply_from: float | None = None  # end of the command whose reply is owed
        self._out: list[bytes] = []

    @property
    def broken_frames(self) -> Counter[str]:
        """How many frames were broken, by the word for what was wrong."""
        return self._receiver.broken

    def receive_data(self, data: bytes, *, now: float) -> list[MeterStationEvent]:
        """Take octets from the bus."""
        return [event for frame in self._receiver.feed(data, now) for event in self._take(frame, now)]

    def _take(self, frame: Frame, at: float) -> list[MeterStationEvent]:
        self.frame_at = at
        if frame.src.address != GATEWAY:
            return []
        self.link.drop_reply()  # to an earlier command
        self._reply_from = None
        if frame.dest.address == self.link.address and frame.control.kind in _CONNECTION:
            self.connection_at = at
        events = self._moved(self.assignment.receive_frame(frame, now=at), at)
        events += self.link.receive_frame(frame, now=at)
        if self.link.owes_reply:
            self._reply_from = at
        return events

    def _moved(self, changes: list[AssignmentEvent], now: float) -> list[MeterStationEvent]:
        events: list[MeterStationEvent] = []
        for change in changes:
            events += self.link.move(change.address if isinstance(change, AddressTaken) else None, now=now)
            events.append(change)
        return events

    def data_to_send(self) -> list[bytes]:
        """Frames that are to be sent now; each is given once."""
        out, self._out = self._out, []
        return out

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has to be called."""
        instants = [self._receiver.silent_at, self.assignment.next_timeout(), self.link.next_timeout()]
        if self._reply_from is not None:
            instants.append(self._reply_from + self._profile.turnround_s)
        return min((instant for instant in instants if instant is not None), default=None)

    def handle_timeout(self, *, now: float) -> list[MeterStationEvent]:
        """Let time pass until ``now``. A reply or an answer whose time is over is not made."""
        octet_at = self._receiver.octet_at
        events = [event for frame in self._receiver.silence(now) for event in self._take(frame, octet_at)]
        events += self._moved(self.assignment.handle_timeout(now=now), now)
        events += self.link.handle_timeout(now=now)
        profile, since = self._profile, self._reply_from
        if since is not None and now >= since + profile.turnround_s:
            self._reply_from = None
            if now <= since + profile.reply_max_s:
                self._send(self.link.frame_to_send(), now)
        self._send(self.assignment.frame_to_send(now=now), now)
        return events

    def _send(self, frame: Frame | None, now: float) -> None:
        if frame is None:
            return
        self.frame_at = now
        if frame.control.kind in _CONNECTION:
            self.connection_at = now
        self._out.append(encode_frame(frame))


@dataclass(frozen=True, slots=True)
class LinkReported:
    """Something happened on the connection to a participant."""

    ids: MeterIds
    event: LinkEvent


GatewayStationEvent = LinkReported | ParticipantEvent


class GatewayStation:
    """The gateway on one bus: the only one that speaks unasked.

    Broadcasts come before connections; the connections take turns, one exchange each. A participant's
    connection is :meth:`link`.

    Args:
        profile: of the bus.
        now: when the first assignment is due.
        participants: records of meters that are known already.

    Source: wired LMN, sections 5.2 and 6.5.

    >>> from e320proto.lmn.profile import LmnProfile
    >>> meter = MeterIds.of_meter(b"meter")
    >>> gateway = GatewayStation(LmnProfile(initial_address=68), now=0.0, participants=[meter.record(68, 1)])
    >>> gateway.link(meter).open(3, now=0.0)
    >>> gateway.handle_timeout(now=0.0), gateway.data_to_send()[0].hex()
    ([], '7ea00988070207936b957e')
    """

    def __init__(self, profile: LmnProfile, *, now: float, participants: Iterable[Record] = ()) -> None:
        self.assignment = GatewayAssignment(profile, now=now, participants=participants)
        self._profile = profile
        self._receiver = _Receiver(profile)
        self._links: dict[MeterIds, PrimaryLink] = {}
        self._at_address: dict[int, MeterIds] = {}
        self._turns: deque[PrimaryLink] = deque()
        self._talking: PrimaryLink | None = None
        self._free_at = now
        self._out: list[bytes] = []
        for record in self.assignment.participants:
            self._add(MeterIds.of_record(record), record.address)

    @property
    def participants(self) -> tuple[Record, ...]:
        """The list, by slot."""
        return self.assignment.participants

    @property
    def broken_frames(self) -> Counter[str]:
        """How many frames were broken, by the word for what was wrong."""
        return self._receiver.broken

    def link(self, ids: MeterIds) -> PrimaryLink:
        """Return the connection to a participant.

        Raises:
            LocalProtocolError: ``link``, there is no such participant.
        """
        if ids not in self._links:
            found = ids.participant_id.hex(" ")
            raise LocalProtocolError("link", state="not on the list", expected="ids of a participant", actual=found)
        return self._links[ids]

    def _add(self, ids: MeterIds, address: int) -> None:
        link = PrimaryLink(address, self._profile)
        self._links[ids] = link
        self._at_address[address] = ids
        self._turns.append(link)

    def _remove(self, ids: MeterIds) -> list[GatewayStationEvent]:
        link = self._links.pop(ids)
        del self._at_address[link.address]
        self._turns.remove(link)
        return [] if link.state is PrimaryState.CLOSED else [LinkReported(ids, LinkLost())]

    # --- bus ------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, *, now: float) -> list[GatewayStationEvent]:
        """Take octets from the bus."""
        if self._talking is not None:
            self._talking.reply_begun(now=now)
        events = [event for frame in self._receiver.feed(data, now) for event in self._take(frame, now)]
        busy_until = self._receiver.silent_at  # a frame has begun
        self._free_at = max(self._free_at, busy_until or -inf)
        return events

    def _take(self, frame: Frame, at: float) -> list[GatewayStationEvent]:
        if frame.dest.address != GATEWAY:
            return []
        self._free_at = max(self._free_at, at + self._profile.turnround_s)
        self.assignment.receive_frame(frame, now=at)
        ids = self._at_address.get(frame.src.address)
        if ids is None:
            return []
        events = self._links[ids].receive_frame(frame, now=at)
        self._hang_up()
        return [LinkReported(ids, event) for event in events]

    def _hang_up(self) -> None:
        if self._talking is not None and not self._talking.awaits_reply:
            self._talking = None

    def data_to_send(self) -> list[bytes]:
        """Frames that are to be sent now; each is given once."""
        out, self._out = self._out, []
        return out

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has to be called."""
        silent_at = self._receiver.silent_at
        speakers = self._turns if self._talking is None else [self._talking]
        wishes = (link.next_timeout() for link in speakers)
        due = min((at for at in wishes if at is not None), default=inf)
        if self.assignment.in_window:
            due = self.assignment.next_timeout()
        elif self._talking is None:
            due = max(self._free_at, min(due, self.assignment.next_timeout()))
        due = due if silent_at is None else min(due, silent_at)
        return None if due == inf else due

    def handle_timeout(self, *, now: float) -> list[GatewayStationEvent]:
        """Let time pass until ``now``, and speak if the bus is free and somebody wants to."""
        octet_at = self._receiver.octet_at
        events = [event for frame in self._receiver.silence(now) for event in self._take(frame, octet_at)]
        for ids, link in self._links.items():
            events += [LinkReported(ids, event) for event in link.handle_timeout(now=now)]
        self._hang_up()
        for event in self.assignment.handle_timeout(now=now):
            match event:
                case ParticipantAdded(ids, address):
                    self._add(ids, address)
                case ParticipantLost(ids):
                    events += self._remove(ids)
            events.append(event)
        if self._talking is None and not self.assignment.in_window and now >= self._free_at:
            self._speak(now)
        return events

    def _speak(self, now: float) -> None:
        frame = self.assignment.frame_to_send(now=now)
        for _ in range(0 if frame else len(self._turns)):
            self._turns.rotate(-1)
            frame = self._turns[-1].frame_to_send(now=now)
            if frame is not None:
                self._talking = self._turns[-1]
                break
        if frame is not None:
            data = encode_frame(frame)
            self._free_at = now + self._profile.octets_s(len(data)) + self._profile.turnround_s
            self._out.append(data)
