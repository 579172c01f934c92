"""Addresses and time slots of the bus: what both sides share, and the meter's side.

::

    gateway  |list of participants|                         time zero: end of the broadcast
                                  :  |slot 1|  |slot 2|  |slot 3|  ...  |slot n|  slack
    meters                           answer              answer

    UNASSIGNED --assignment without us: random address and slot--> CANDIDATE --list with us--> ASSIGNED
        ^------------------ a check without us, or our address given to others ------------------/

Source: wired LMN, sections 6.3 and 6.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, assert_never

from e320proto.errors import DecodeError
from e320proto.hdlc import (
    BROADCAST,
    GATEWAY,
    METER_MAX,
    METER_MIN,
    Address,
    Control,
    Frame,
    FrameKind,
    Record,
    decode_records,
    encode_records,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.lmn.profile import LmnProfile

METER_ADDRESSES: Final = range(METER_MIN, METER_MAX + 1)
"""Addresses that meters may have."""
ANSWER_OCTETS: Final = 45
"""An answer on the wire: one record, with flags."""
_records = lru_cache(maxsize=4)(decode_records)  # meters of a simulated bus read the same list


class Random(Protocol):
    """Where random choices come from; ``random.Random`` is one."""

    def randrange(self, start: int, stop: int, /) -> int:
        """Return a number from ``start`` to ``stop`` - 1."""


class Broadcast(Enum):
    """What a UI broadcast asks for, with its selector."""

    ASSIGNMENT = 1
    CHECK = 2


@dataclass(frozen=True, slots=True)
class MeterIds:
    r"""Who a meter is on the bus: a record is its own when both ids are equal.

    Args:
        participant_id: server id of the participant, up to 14 octets.
        sensor_id: server id of the meter.

    >>> MeterIds.of_meter(b"\x0a\x01LGZ").sensor_id
    b'\n\x01LGZ'
    """

    participant_id: bytes
    sensor_id: bytes

    @classmethod
    def of_meter(cls, server_id: bytes) -> MeterIds:
        """Return the ids of a meter: its server id, twice."""
        return cls(server_id, server_id)

    @classmethod
    def of_record(cls, record: Record) -> MeterIds:
        """Return the ids of a record."""
        return cls(record.participant_id, record.sensor_id)

    def record(self, address: int, slot: int) -> Record:
        """Return the record of this meter."""
        return Record(address, slot, self.participant_id, self.sensor_id)


def slot_start_s(profile: LmnProfile, slot: int) -> float:
    """When a slot begins, in s after the end of the broadcast.

    >>> from e320proto.lmn.profile import LmnProfile
    >>> slot_start_s(LmnProfile(), 2)
    0.015
    """
    return profile.slot_start_s + (slot - 1) * profile.slot_pitch_s


def window_s(profile: LmnProfile) -> float:
    """How long the gateway is silent after a broadcast, in s.

    >>> from e320proto.lmn.profile import LmnProfile
    >>> round(window_s(LmnProfile()), 9)
    0.35
    """
    return profile.slot_start_s + profile.n_slots * profile.slot_pitch_s + profile.window_slack_s


def broadcast_frame(broadcast: Broadcast, records: Sequence[Record], *, answers: bool = True) -> Frame:
    """Return the frame of the gateway with the list of participants."""
    addresses = Address(BROADCAST, broadcast.value), Address(GATEWAY, broadcast.value)
    return Frame(*addresses, Control(FrameKind.UI, answers), encode_records(records))


def answer_frame(broadcast: Broadcast, record: Record) -> Frame:
    """Return the frame with which a meter answers."""
    addresses = Address(GATEWAY, broadcast.value), Address(record.address, broadcast.value)
    return Frame(*addresses, Control(FrameKind.UI), encode_records([record]))


def read_broadcast(frame: Frame) -> tuple[Broadcast, tuple[Record, ...]] | None:
    """Return what a frame broadcasts; nothing, if it is no such frame."""
    selector = frame.dest.selector
    known = selector in {Broadcast.ASSIGNMENT.value, Broadcast.CHECK.value}
    if frame.control.kind is not FrameKind.UI or frame.dest.address != BROADCAST or not known:
        return None
    try:
        return (Broadcast(selector), _records(frame.info)) if frame.src == Address(GATEWAY, selector) else None
    except DecodeError:
        return None


def read_answer(frame: Frame, broadcast: Broadcast) -> Record | None:
    """Return the record of a valid answer, G2; nothing, if it is none."""
    selector = broadcast.value
    ours = frame.dest == Address(GATEWAY, selector) and frame.src.selector == selector
    if frame.control.kind is not FrameKind.UI or not ours:
        return None
    try:
        (record,) = decode_records(frame.info)
    except (DecodeError, ValueError):  # not one record
        return None
    valid = record.address == frame.src.address and record.address in METER_ADDRESSES
    return record if valid and any(record.participant_id + record.sensor_id) else None


class MeterState(Enum):
    """What a meter knows about its place on the bus."""

    UNASSIGNED = "no address"
    CANDIDATE = "an address of its own choice"
    ASSIGNED = "an address from the gateway"


class MeterAct(Enum):
    """What a broadcast makes a meter do."""

    ADOPT = "take address and slot of the list, silent"
    ADOPT_AND_ANSWER = "take address and slot of the list, answer in that slot"
    CHOOSE = "close the connection, take a random address and slot, answer"
    FORGET = "close the connection, forget the address"
    YIELD = "give the address up if the list gives it to others"


_S, _B, _A = MeterState, Broadcast, MeterAct
BROADCASTS: Final[dict[tuple[MeterState, Broadcast, bool], MeterAct]] = {
    (_S.UNASSIGNED, _B.ASSIGNMENT, True): _A.ADOPT,
    (_S.CANDIDATE, _B.ASSIGNMENT, True): _A.ADOPT,
    (_S.ASSIGNED, _B.ASSIGNMENT, True): _A.ADOPT,
    (_S.UNASSIGNED, _B.ASSIGNMENT, False): _A.CHOOSE,
    (_S.CANDIDATE, _B.ASSIGNMENT, False): _A.CHOOSE,
    (_S.ASSIGNED, _B.ASSIGNMENT, False): _A.CHOOSE,
    (_S.UNASSIGNED, _B.CHECK, True): _A.ADOPT_AND_ANSWER,
    (_S.CANDIDATE, _B.CHECK, True): _A.ADOPT_AND_ANSWER,
    (_S.ASSIGNED, _B.CHECK, True): _A.ADOPT_AND_ANSWER,
    (_S.ASSIGNED, _B.CHECK, False): _A.FORGET,
    (_S.UNASSIGNED, _B.CHECK, False): _A.YIELD,
    (_S.CANDIDATE, _B.CHECK, False): _A.YIELD,
}
"""State, broadcast and whether it lists the own ids to: what is done."""


@dataclass(frozen=True, slots=True)
class AddressTaken:
    """The meter has an address; ``slot`` 0: no slot from the gateway yet."""

    address: int
    slot: int


@dataclass(frozen=True, slots=True)
class AddressLost:
    """The meter has no address any more."""


AssignmentEvent = AddressTaken | AddressLost


class MeterAssignment:
    """The meter's side of address assignment and participant check.

    A list without answers (P = 0) is adopted; an assignment of this kind that does not list the meter takes its
    address away like a check, since there is no slot to answer in. A list that gives the meter an address that
    no meter may have is ignored; a slot beyond ``n_slots`` is silent like slot 0.

    Args:
        ids: of the meter.
        profile: times and slots of the bus.
        random: chooses address and slot.

    Source: wired LMN, section 6.4.

    >>> from random import Random
    >>> from e320proto.lmn.profile import LmnProfile
    >>> meter = MeterAssignment(MeterIds.of_meter(b"meter"), LmnProfile(), Random(1))
    >>> meter.receive_frame(broadcast_frame(Broadcast.ASSIGNMENT, []), now=0.0)
    [AddressTaken(address=20, slot=0)]
    >>> meter.receive_frame(broadcast_frame(Broadcast.CHECK, [MeterIds.of_meter(b"meter").record(20, 1)]), now=1.0)
    [AddressTaken(address=20, slot=1)]
    >>> round(meter.next_timeout(), 6)
    1.006
    """

    def __init__(self, ids: MeterIds, profile: LmnProfile, random: Random) -> None:
        self.ids = ids
        self.state = MeterState.UNASSIGNED
        self.address: int | None = profile.initial_address
        self.slot = 0
        self._profile = profile
        self._random = random
        self._answer: tuple[float, float, Frame] | None = None  # earliest and latest instant
        self._broadcast_at: float | None = None
        if self.address is not None:
            self.state = MeterState.ASSIGNED

    def receive_frame(self, frame: Frame, *, now: float) -> list[AssignmentEvent]:
        """Take a frame whose closing flag ended at ``now``; only broadcasts of the gateway matter."""
        if self._profile.initial_address is not None:
            return []
        heard = read_broadcast(frame)
        if heard is None:
            return []
        broadcast, records = heard
        own = next((record for record in records if MeterIds.of_record(record) == self.ids), None)
        if own is not None and own.address not in METER_ADDRESSES:
            return []
        self._broadcast_at = now
        self._answer = None
        answers = frame.control.poll_final
        asked = broadcast if own or answers else Broadcast.CHECK
        act = BROADCASTS[self.state, asked, own is not None]
        events = self._do(act, own, {record.address for record in records})
        if answers and self.address is not None:
            slot = self._answer_slot(act)
            if 1 <= slot <= self._profile.n_slots:
                self._answer_in(slot, broadcast, now)
        return events

    def _do(self, act: MeterAct, own: Record | None, taken: set[int]) -> list[AssignmentEvent]:
        if own is not None:  # ADOPT, ADOPT_AND_ANSWER
            return self._take(MeterState.ASSIGNED, own.address, own.slot)
        if act is MeterAct.YIELD and self.address not in taken:
            return []
        lost = self._forget()
        free = [address for address in METER_ADDRESSES if address not in taken]
        if act is not MeterAct.CHOOSE or not free:
            return lost
        return lost + self._take(MeterState.CANDIDATE, free[self._random.randrange(0, len(free))], 0)

    def _take(self, state: MeterState, address: int, slot: int) -> list[AssignmentEvent]:
        before = self.address, self.slot
        self.state, self.address, self.slot = state, address, slot
        return [AddressTaken(address, slot)] if before != (address, slot) else []

    def _forget(self) -> list[AssignmentEvent]:
        had_one = self.address is not None
        self.state, self.address, self.slot = MeterState.UNASSIGNED, None, 0
        return [AddressLost()] if had_one else []

    def _answer_slot(self, act: MeterAct) -> int:
        """Which slot to answer in; 0 is none."""
        match act:
            case MeterAct.CHOOSE:
                return self._random.randrange(1, self._profile.n_slots + 1)
            case MeterAct.ADOPT_AND_ANSWER:
                return self.slot
            case MeterAct.ADOPT:
                return self.slot if self._profile.answer_assign_when_listed else 0
            case MeterAct.FORGET | MeterAct.YIELD:
                return 0
            case _:
                assert_never(act)

    def _answer_in(self, slot: int, broadcast: Broadcast, now: float) -> None:
        profile = self._profile
        begin = now + slot_start_s(profile, slot)
        latest = begin + profile.slot_length_s - profile.octets_s(ANSWER_OCTETS)
        record = self.ids.record(self.address or 0, self.slot)
        self._answer = (begin + profile.slot_margin_s, latest, answer_frame(broadcast, record))

    def frame_to_send(self, *, now: float) -> Frame | None:
        """The answer, once its instant has come; none if it is too late for its slot."""
        if self._answer is None or now < self._answer[0]:
            return None
        _, latest, frame = self._answer
        self._answer = None
        return frame if now <= latest else None

    def next_timeout(self) -> float | None:
        """When :meth:`frame_to_send` has an answer, or :meth:`handle_timeout` has something to do."""
        instants = [] if self._answer is None else [self._answer[0]]
        if self._forgets_at is not None:
            instants.append(self._forgets_at)
        return min(instants, default=None)

    @property
    def _forgets_at(self) -> float | None:
        hold_s = self._profile.address_hold_s
        if hold_s is None or self._broadcast_at is None or self.address is None:
            return None
        return self._broadcast_at + hold_s

    def handle_timeout(self, *, now: float) -> list[AssignmentEvent]:
        """Let time pass until ``now``: without broadcasts for ``address_hold_s`` the address is forgotten."""
        if self._forgets_at is None or now < self._forgets_at:
            return []
        self._answer = None
        return self._forget()
