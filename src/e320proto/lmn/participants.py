r"""Addresses and time slots of the bus: the gateway's side.

::

    assignment ----------- 10 s -----------> assignment          each followed by its window of answers;
        :  newcomers: check at once               :              the gateway is silent in it
        \---- 5 s ----> check ---- 10 s ----> check

The list has at most ``n_slots`` participants: each needs a slot of its own for the check. A meter beyond
that number is reported once as :class:`ParticipantRefused`; it stays a candidate, answers every assignment,
and gets the first slot that becomes free. A bus of more than 63 meters, the most slots there are,
thus serves 63 of them at a time.

Source: wired LMN, section 6.5.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from e320proto.lmn.assignment import (
    ANSWER_OCTETS,
    Broadcast,
    MeterIds,
    broadcast_frame,
    read_answer,
    slot_start_s,
    window_s,
)
from e320proto.lmn.link import frame_octets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto.hdlc import Frame, Record
    from e320proto.lmn.profile import LmnProfile

_REFUSED_MAX: Final = 256  # ids that are remembered as refused


@dataclass(frozen=True, slots=True)
class ParticipantAdded:
    """A meter is on the list, with an address and a slot."""

    ids: MeterIds
    address: int
    slot: int


@dataclass(frozen=True, slots=True)
class ParticipantLost:
    """A meter missed ``n_check_misses`` checks in a row and is off the list; its slot is free."""

    ids: MeterIds
    address: int


@dataclass(frozen=True, slots=True)
class ParticipantRefused:
    """A meter answers, but all slots are taken; reported once until it is added."""

    ids: MeterIds


@dataclass(frozen=True, slots=True)
class AddressCollided:
    """Newcomers chose one address, or one that is taken; none of them was added, they choose again.

    Args:
        address: what they chose.
        ids: the newcomers.
    """

    address: int
    ids: tuple[MeterIds, ...]


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """The window of a broadcast is over.

    Args:
        broadcast: which one.
        answers: valid answers that were used.
        added: newcomers of this round.
    """

    broadcast: Broadcast
    answers: int
    added: int


ParticipantEvent = ParticipantAdded | ParticipantLost | ParticipantRefused | AddressCollided | RoundEnded


@dataclass(slots=True)
class _Place:
    record: Record
    misses: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    record: Record
    slot: int  # in which it came; 0: in none


class GatewayAssignment:
    """The gateway's side of address assignment and participant check.

    "None of the newcomers is added" (G3) is read per address: newcomers that chose different free
    addresses in the same round do not suffer from the collision of others. With an ``initial_address`` in the
    profile there are no broadcasts; give the participant instead. A period of 0 means once.

    Args:
        profile: times and slots of the bus.
        now: when the first assignment is due.
        participants: records of meters that are known already.

    Source: wired LMN, section 6.5.

    >>> from e320proto.lmn.assignment import answer_frame
    >>> from e320proto.lmn.profile import LmnProfile
    >>> gateway = GatewayAssignment(LmnProfile(), now=0.0)
    >>> frame = gateway.frame_to_send(now=0.0)
    >>> answer = answer_frame(Broadcast.ASSIGNMENT, MeterIds.of_meter(b"meter").record(68, 0))
    >>> gateway.receive_frame(answer, now=0.1)
    >>> gateway.handle_timeout(now=0.4)[0]
    ParticipantAdded(ids=MeterIds(participant_id=b'meter', sensor_id=b'meter'), address=68, slot=1)
    """

    def __init__(self, profile: LmnProfile, *, now: float, participants: Iterable[Record] = ()) -> None:
        self.out_of_slot = 0
        """Answers outside of their slot, or two in one; with ``slot_check`` strict they were dropped."""
        self._profile = profile
        self._places = {MeterIds.of_record(record): _Place(record) for record in participants}
        self._refused: set[MeterIds] = set()
        assigns = profile.initial_address is None
        self._assign_at = now if assigns else inf
        self._check_at = now + profile.check_offset_s if assigns else inf
        self._check_now = False
        self._asked: Broadcast | None = None  # whose window is open
        self._asked_at = 0.0
        self._answers: list[_Answer] = []

    @property
    def participants(self) -> tuple[Record, ...]:
        """The list, by slot."""
        return tuple(sorted((place.record for place in self._places.values()), key=lambda record: record.slot))

    @property
    def in_window(self) -> bool:
        """Whether a window is open; the gateway has to be silent."""
        return self._asked is not None

    # --- broadcasts -----------------------------------------------------------------------------

    def frame_to_send(self, *, now: float) -> Frame | None:
        """The broadcast that is due, if there is one; the bus has to be free. Its window begins with its end."""
        if self.in_window:
            return None
        profile = self._profile
        if now >= self._assign_at and not self._check_now:
            self._assign_at = _next(self._assign_at, profile.assign_period_s, now)
            return self._ask(Broadcast.ASSIGNMENT, now)
        if now < self._check_at and not self._check_now:
            return None
        if now >= self._check_at:
            self._check_at = _next(self._check_at, profile.check_period_s, now)
        self._check_now = False
        return self._ask(Broadcast.CHECK, now) if self._places else None

    def _ask(self, broadcast: Broadcast, now: float) -> Frame:
        frame = broadcast_frame(broadcast, self.participants)
        self._asked = broadcast
        self._asked_at = now + self._profile.octets_s(frame_octets(frame))
        self._answers = []
        return frame

    def receive_frame(self, frame: Frame, *, now: float) -> None:
        """Take a frame whose closing flag ended at ``now``; only answers in a window matter."""
        record = None if self._asked is None else read_answer(frame, self._asked)
        if record is not None and len(self._answers) < 2 * self._profile.n_slots:  # more cannot be honest
            self._answers.append(_Answer(record, self._slot_at(now)))

    def _slot_at(self, now: float) -> int:
        """In which slot an answer that ended now came; 0 if in none."""
        profile = self._profile
        end_s = now - self._asked_at
        begin_s = end_s - profile.octets_s(ANSWER_OCTETS)
        middle_s = (begin_s + end_s - profile.slot_length_s) / 2  # where the slot begins, if both middles agree
        slot = 1 + round((middle_s - profile.slot_start_s) / profile.slot_pitch_s)
        slot_s = slot_start_s(profile, slot)
        early = begin_s < slot_s - profile.slot_tolerance_s
        late = end_s > slot_s + profile.slot_length_s + profile.slot_tolerance_s
        return 0 if early or late or not 1 <= slot <= profile.n_slots else slot

    # --- the end of a window --------------------------------------------------------------------

    def handle_timeout(self, *, now: float) -> list[ParticipantEvent]:
        """Let time pass until ``now``: at the end of a window its answers count."""
        asked = self._asked
        if asked is None or now < self._window_end:
            return []
        self._asked = None
        records = self._in_their_slots(asked)
        if asked is Broadcast.CHECK:
            return [
                *self._count_misses({MeterIds.of_record(record) for record in records}),
                RoundEnded(asked, len(records), 0),
            ]
        events = self._add(records)
        added = sum(isinstance(event, ParticipantAdded) for event in events)
        self._check_now = bool(added) and self._profile.check_after_assign
        return [*events, RoundEnded(asked, len(records), added)]

    @property
    def _window_end(self) -> float:
        return self._asked_at + window_s(self._profile)

    def _in_their_slots(self, asked: Broadcast) -> list[Record]:
        """The answers that count, by ``slot_check`` (G8)."""
        if self._profile.slot_check == "off":
            return [answer.record for answer in self._answers]
        in_slot = Counter(answer.slot for answer in self._answers)
        good = [
            answer
            for answer in self._answers
            if answer.slot
            and in_slot[answer.slot] == 1
            and (asked is Broadcast.ASSIGNMENT or answer.slot == self._slot_of(answer.record))
        ]
        self.out_of_slot += len(self._answers) - len(good)
        return [answer.record for answer in (good if self._profile.slot_check == "strict" else self._answers)]

    def _slot_of(self, record: Record) -> int:
        place = self._places.get(MeterIds.of_record(record))
        return 0 if place is None else place.record.slot

    def _count_misses(self, answered: set[MeterIds]) -> list[ParticipantEvent]:
        events: list[ParticipantEvent] = []
        for ids, place in list(self._places.items()):
            place.misses = 0 if ids in answered else place.misses + 1
            if place.misses >= self._profile.n_check_misses:
                del self._places[ids]
                events.append(ParticipantLost(ids, place.record.address))
        return events

    def _add(self, records: list[Record]) -> list[ParticipantEvent]:
        """Put newcomers on the list: G3 to G5."""
        newcomers: dict[int, dict[MeterIds, None]] = {}  # in the order of their answers
        chosen: set[MeterIds] = set()
        for record in records:
            ids = MeterIds.of_record(record)
            if ids not in self._places and ids not in chosen:
                chosen.add(ids)
                newcomers.setdefault(record.address, {})[ids] = None
        taken = {place.record.address for place in self._places.values()}
        events: list[ParticipantEvent] = []
        for address, ids_there in newcomers.items():
            if len(ids_there) > 1 or address in taken:
                events.append(AddressCollided(address, tuple(ids_there)))
            else:
                events += self._add_one(next(iter(ids_there)), address)
        return events

    def _add_one(self, ids: MeterIds, address: int) -> list[ParticipantEvent]:
        used = {place.record.slot for place in self._places.values()}
        slot = next((slot for slot in range(1, self._profile.n_slots + 1) if slot not in used), None)
        if slot is None:
            known = ids in self._refused
            if len(self._refused) == _REFUSED_MAX:
                self._refused.clear()
            self._refused.add(ids)
            return [] if known else [ParticipantRefused(ids)]
        self._refused.discard(ids)
        self._places[ids] = _Place(ids.record(address, slot))
        return [ParticipantAdded(ids, address, slot)]

    def next_timeout(self) -> float:
        """When a broadcast is due, or a window ends; infinity if never."""
        if self.in_window or self._check_now:
            return self._window_end
        return min(self._assign_at, self._check_at)


def _next(due: float, period_s: float, now: float) -> float:
    """Return the next instant of a period, leaving out those that have passed; a period of 0 has none."""
    return due + period_s * max(1, (now - due) // period_s + 1) if period_s else inf
