"""Addresses and slots, the gateway's side: rules G1 to G8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.hdlc import Address, Control, Frame, FrameKind, Record
from e320proto.lmn.assignment import Broadcast, MeterIds, answer_frame, broadcast_frame, slot_start_s, window_s
from e320proto.lmn.participants import (
    AddressCollided,
    GatewayAssignment,
    ParticipantAdded,
    ParticipantEvent,
    ParticipantLost,
    ParticipantRefused,
    RoundEnded,
)
from e320proto.lmn.profile import LmnProfile
from tests.lmn.dialogues import DIALOGUES

ASSIGNMENT, CHECK = Broadcast.ASSIGNMENT, Broadcast.CHECK
A, B, C = (MeterIds.of_meter(b"\x0a\x01LGZ" + bytes([0, 0, 0, 0, number])) for number in (1, 2, 3))
ANSWER_S = LmnProfile().octets_s(45)


class Gateway:
    def __init__(self, profile: LmnProfile | None = None, *participants: Record) -> None:
        self.profile = profile or LmnProfile()
        self.assignment = GatewayAssignment(self.profile, now=0.0, participants=participants)
        self.now = 0.0
        self.sent: list[tuple[float, Frame]] = []

    def ask(self) -> Broadcast:
        """Send the next broadcast, as soon as it is due."""
        frame = None
        while frame is None:  # a check of nobody is not sent
            self.now = max(self.now, self.assignment.next_timeout())
            frame = self.assignment.frame_to_send(now=self.now)
        self.sent.append((self.now, frame))
        octets = 13 + len(frame.info) if frame.info else 11
        self.time_zero = self.now + self.profile.octets_s(octets)
        return Broadcast(frame.dest.selector)

    def hear(self, broadcast: Broadcast, record: Record, slot: int = 0, late_s: float = 0.0) -> None:
        begin = self.time_zero + slot_start_s(self.profile, slot or record.slot or 1) + 0.001
        self.assignment.receive_frame(answer_frame(broadcast, record), now=begin + ANSWER_S + late_s)

    def end(self) -> list[ParticipantEvent]:
        """Let the window end; its events without the last, which is what ``self.round`` is."""
        self.now = self.assignment.next_timeout()
        *events, self.round = self.assignment.handle_timeout(now=self.now)
        return events

    def assign(self, *records: Record) -> list[ParticipantEvent]:
        """One assignment with answers, each in a slot of its own; checks before it are all answered."""
        while self.ask() is CHECK:
            for record in self.assignment.participants:
                self.hear(CHECK, record)
            assert self.end() == []
        for slot, record in enumerate(records, 1):
            self.hear(ASSIGNMENT, record, slot)
        return self.end()

    def check(self, *records: Record) -> list[ParticipantEvent]:
        """One check with answers; assignments before it stay unanswered."""
        while self.ask() is ASSIGNMENT:
            assert self.end() == []
        for record in records:
            self.hear(CHECK, record)
        return self.end()


# --- G1 -----------------------------------------------------------------------------------------


def test_g1_assignment_at_start_and_every_period_checks_between() -> None:
    gateway = Gateway(LmnProfile(n_check_misses=100), A.record(68, 1))
    broadcasts = []
    for _ in range(6):
        broadcasts.append((gateway.ask(), gateway.now))
        gateway.end()
    assert broadcasts == [(ASSIGNMENT, 0), (CHECK, 5), (ASSIGNMENT, 10), (CHECK, 15), (ASSIGNMENT, 20), (CHECK, 25)]


def test_g1_a_broadcast_that_had_to_wait_does_not_shift_the_others() -> None:
    gateway = Gateway()
    gateway.now = 31.0
    assert gateway.ask() is ASSIGNMENT
    gateway.end()
    assert gateway.assignment.frame_to_send(now=gateway.now) is None  # the checks that passed: nobody is listed
    assert gateway.assignment.next_timeout() == 35.0
    assert gateway.assignment.frame_to_send(now=39.9) is None
    assert gateway.ask() is ASSIGNMENT
    assert gateway.now == 40.0


def test_g1_nobody_listed_nobody_checked() -> None:
    gateway = Gateway()
    gateway.ask()
    gateway.end()
    assert gateway.assignment.next_timeout() == 5.0
    assert gateway.assignment.frame_to_send(now=5.0) is None
    assert gateway.assignment.next_timeout() == 10.0


def test_g1_silent_during_the_window() -> None:
    gateway = Gateway(LmnProfile(assign_period_s=0.01))
    gateway.ask()
    assert gateway.assignment.in_window
    assert gateway.assignment.frame_to_send(now=0.02) is None
    assert gateway.assignment.handle_timeout(now=0.3) == []
    assert gateway.assignment.next_timeout() == gateway.time_zero + window_s(gateway.profile)
    gateway.end()
    assert not gateway.assignment.in_window


def test_g1_the_list_is_sent_by_slot() -> None:
    gateway = Gateway(None, A.record(70, 2), B.record(68, 1))
    gateway.ask()
    assert gateway.sent[0][1] == broadcast_frame(ASSIGNMENT, [B.record(68, 1), A.record(70, 2)])


def test_g1_a_period_of_0_is_once() -> None:
    gateway = Gateway(LmnProfile(assign_period_s=0, check_period_s=0))
    gateway.ask()
    gateway.end()
    assert gateway.assignment.frame_to_send(now=1e6) is None
    assert gateway.assignment.next_timeout() == float("inf")


def test_g1_nothing_with_an_initial_address() -> None:
    gateway = Gateway(LmnProfile(initial_address=68), A.record(68, 1))
    assert gateway.assignment.next_timeout() == float("inf")
    assert gateway.assignment.frame_to_send(now=1e6) is None
    assert gateway.assignment.participants == (A.record(68, 1),)


# --- G2 -----------------------------------------------------------------------------------------


def test_g2_a_valid_answer_adds() -> None:
    gateway = Gateway()
    assert gateway.assign(A.record(68, 0)) == [ParticipantAdded(A, 68, 1)]
    assert gateway.round == RoundEnded(ASSIGNMENT, answers=1, added=1)


GOOD = answer_frame(ASSIGNMENT, A.record(68, 0))


@pytest.mark.parametrize(
    "frame",
    [
        answer_frame(CHECK, A.record(68, 0)),
        Frame(Address(2, 1), GOOD.src, GOOD.control, GOOD.info),
        Frame(GOOD.dest, Address(69, 1), GOOD.control, GOOD.info),
        Frame(GOOD.dest, Address(68, 2), GOOD.control, GOOD.info),
        Frame(GOOD.dest, GOOD.src, Control(FrameKind.RR), GOOD.info),
        Frame(GOOD.dest, GOOD.src, GOOD.control, GOOD.info * 2),
        Frame(GOOD.dest, GOOD.src, GOOD.control, GOOD.info[:-1]),
        Frame(GOOD.dest, GOOD.src, GOOD.control, b""),
        answer_frame(ASSIGNMENT, A.record(2, 0)),
        answer_frame(ASSIGNMENT, A.record(127, 0)),
        answer_frame(ASSIGNMENT, MeterIds.of_meter(b"").record(68, 0)),
    ],
)
def test_g2_any_other_answer_does_not(frame: Frame) -> None:
    gateway = Gateway()
    gateway.ask()
    gateway.assignment.receive_frame(frame, now=0.01)
    assert gateway.end() == []
    assert gateway.round == RoundEnded(ASSIGNMENT, answers=0, added=0)


def test_g2_an_answer_outside_of_any_window_is_nothing() -> None:
    gateway = Gateway()
    gateway.assignment.receive_frame(GOOD, now=0.0)
    gateway.ask()
    assert gateway.end() == []
    gateway.assignment.receive_frame(GOOD, now=1.0)
    assert gateway.assign() == []


def test_g2_an_answer_to_a_check_adds_nobody() -> None:
    gateway = Gateway(None, A.record(68, 1))
    assert gateway.check(A.record(68, 1), B.record(70, 2)) == []
    assert len(gateway.assignment.participants) == 1


# --- G3 to G6 -----------------------------------------------------------------------------------


def test_g3_two_newcomers_with_one_address_are_not_added() -> None:
    gateway = Gateway()
    assert gateway.assign(A.record(68, 0), B.record(68, 0), C.record(70, 0)) == [
        AddressCollided(68, (A, B)),
        ParticipantAdded(C, 70, 1),
    ]
    assert gateway.assign(A.record(68, 0), B.record(69, 0)) == [ParticipantAdded(A, 68, 2), ParticipantAdded(B, 69, 3)]


def test_g3_an_address_that_is_taken_is_not_given_again() -> None:
    gateway = Gateway(None, A.record(68, 1))
    assert gateway.assign(B.record(68, 0)) == [AddressCollided(68, (B,))]
    assert gateway.assignment.participants == (A.record(68, 1),)


def test_g3_the_same_answer_twice_is_one() -> None:
    gateway = Gateway()
    assert gateway.assign(A.record(68, 0), A.record(68, 0), A.record(70, 0)) == [ParticipantAdded(A, 68, 1)]


def test_g4_a_listed_meter_that_answers_with_another_address_keeps_its_own() -> None:
    gateway = Gateway(None, A.record(68, 1))
    assert gateway.assign(A.record(90, 0)) == []
    assert gateway.check(A.record(90, 1)) == []
    assert gateway.assignment.participants == (A.record(68, 1),)


def test_g5_lowest_free_slot_which_is_kept() -> None:
    gateway = Gateway(LmnProfile(n_check_misses=1), A.record(10, 1), B.record(11, 2))
    gateway.check(B.record(11, 2))
    assert list(gateway.assignment.participants) == [B.record(11, 2)]
    assert gateway.assign(C.record(12, 0)) == [ParticipantAdded(C, 12, 1)]
    assert list(gateway.assignment.participants) == [C.record(12, 1), B.record(11, 2)]


def test_g5_no_more_than_slots_and_the_next_free_one_to_who_waits() -> None:
    gateway = Gateway(LmnProfile(n_slots=2, n_check_misses=1))
    assert gateway.assign(A.record(10, 0), B.record(11, 0)) == [ParticipantAdded(A, 10, 1), ParticipantAdded(B, 11, 2)]
    assert gateway.assign(C.record(12, 0)) == [ParticipantRefused(C)]
    assert gateway.assign(C.record(13, 0)) == []  # reported once
    assert gateway.check(B.record(11, 2)) == [ParticipantLost(A, 10)]
    assert gateway.assign(C.record(13, 0)) == [ParticipantAdded(C, 13, 1)]
    assert gateway.assign(A.record(14, 0)) == [ParticipantRefused(A)]


def test_g5_what_is_remembered_of_refused_meters_is_bounded() -> None:
    gateway = Gateway(LmnProfile(n_slots=1, n_check_misses=1000), A.record(10, 1))
    for number in range(1000):
        stranger = MeterIds.of_meter(b"\x0a" + number.to_bytes(9))
        assert gateway.assign(stranger.record(12, 0)) == [ParticipantRefused(stranger)]
    assert len(gateway.assignment._refused) <= 256


@pytest.mark.parametrize("at_once", [True, False])
def test_g6_newcomers_are_checked_at_once(at_once: bool) -> None:  # noqa: FBT001 - a parameter
    gateway = Gateway(LmnProfile(check_after_assign=at_once))
    gateway.assign(A.record(68, 0))
    gateway.ask()
    asked_at, frame = gateway.sent[-1]
    assert frame == broadcast_frame(CHECK, [A.record(68, 1)])
    assert asked_at == pytest.approx(0.35, abs=0.01) if at_once else asked_at == 5.0


# --- G7, G8 -------------------------------------------------------------------------------------


def test_g7_lost_after_misses_in_a_row() -> None:
    gateway = Gateway(None, A.record(68, 1), B.record(70, 2))
    both = A.record(68, 1), B.record(70, 2)
    for answers in (both[1:], both[1:], both, both[1:], both[1:]):
        assert gateway.check(*answers) == []
    assert gateway.check(*both[1:]) == [ParticipantLost(A, 68)]
    assert gateway.assignment.participants == (B.record(70, 2),)


GUARD_S = 0.0065  # of the start of an answer after its usual start: in the guard, beyond the tolerance


@pytest.mark.parametrize(
    ("slot_check", "lost", "counted"), [("report", False, 1), ("strict", True, 1), ("off", False, 0)]
)
@pytest.mark.parametrize("trouble", ["guard time", "wrong slot"])
def test_g8_answers_outside_of_their_slot(slot_check: str, lost: bool, counted: int, trouble: str) -> None:  # noqa: FBT001 - parameters
    profile = LmnProfile(slot_check=slot_check, n_check_misses=1)  # type: ignore[arg-type]
    gateway = Gateway(profile, A.record(68, 1))
    gateway.ask()
    gateway.end()
    gateway.ask()
    gateway.hear(CHECK, A.record(68, 1), *((1, GUARD_S) if trouble == "guard time" else (2, 0.0)))
    assert bool(gateway.end()) is lost
    assert gateway.assignment.out_of_slot == counted


@pytest.mark.parametrize(("slot_check", "added", "counted"), [("report", 2, 2), ("strict", 0, 2), ("off", 2, 0)])
def test_g8_two_answers_in_one_slot(slot_check: str, added: int, counted: int) -> None:
    gateway = Gateway(LmnProfile(slot_check=slot_check))  # type: ignore[arg-type]
    gateway.ask()
    gateway.hear(ASSIGNMENT, A.record(68, 0), 4)
    gateway.hear(ASSIGNMENT, B.record(70, 0), 4, late_s=0.001)
    assert len(gateway.end()) == added
    assert gateway.assignment.out_of_slot == counted


@pytest.mark.parametrize(("late_s", "in_slot"), [(-0.0034, True), (-0.0036, False), (0.0059, True), (0.0061, False)])
def test_g8_tolerance(late_s: float, in_slot: bool) -> None:  # noqa: FBT001 - a parameter
    # Usual: 1.0 ms after the start of the slot, for 0.49 ms of its 5 ms; the tolerance is 2.5 ms.
    gateway = Gateway()
    gateway.ask()
    gateway.hear(ASSIGNMENT, A.record(68, 0), 7, late_s=late_s)
    gateway.end()
    assert gateway.assignment.out_of_slot == (not in_slot)


def test_g8_behind_the_last_slot() -> None:
    gateway = Gateway(LmnProfile(slot_check="strict"))
    gateway.ask()
    gateway.hear(ASSIGNMENT, A.record(68, 0), 33)
    assert gateway.end() == []


def test_dialogue() -> None:
    (empty, answer, check, checked, known) = DIALOGUES["assignment"]
    gateway = Gateway()
    gateway.ask()
    gateway.assignment.receive_frame(answer.frame, now=0.2)
    gateway.end()
    gateway.ask()
    gateway.assignment.receive_frame(checked.frame, now=gateway.now + 0.01)
    gateway.end()
    gateway.ask()
    gateway.end()
    gateway.ask()
    assert [frame for _, frame in gateway.sent] == [empty.frame, check.frame, check.frame, known.frame]


IDS = st.sampled_from([A, B, C])
RECORDS = st.builds(MeterIds.record, IDS, st.integers(0, 255), st.integers(0, 255))
ANSWERS = st.builds(
    lambda broadcast, record: (
        answer_frame(broadcast, record) if record.address < 128 else broadcast_frame(broadcast, [record])
    ),
    st.sampled_from(Broadcast),
    RECORDS,
)


@given(st.lists(st.lists(st.tuples(ANSWERS, st.floats(0, 0.4)), max_size=80), max_size=8))
def test_any_answers_leave_a_list_without_collisions(rounds: list[list[tuple[Frame, float]]]) -> None:
    gateway = Gateway(LmnProfile(n_slots=2))
    for answers in rounds:
        gateway.now = max(gateway.now, gateway.assignment.next_timeout())
        if gateway.assignment.frame_to_send(now=gateway.now) is None:
            continue
        for frame, late_s in answers:
            gateway.assignment.receive_frame(frame, now=gateway.now + late_s)
        assert isinstance(gateway.assignment.handle_timeout(now=gateway.now + 1)[-1], RoundEnded)
        records = gateway.assignment.participants
        assert len(records) <= 2
        for values in ([record.address for record in records], [record.slot for record in records]):
            assert len(set(values)) == len(values)
        assert all(3 <= record.address <= 126 for record in records)
