"""Addresses and slots, the meter's side: slots, every row of its table, any broadcast."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.hdlc import Address, Control, Frame, FrameKind, Record, encode_frame, encode_records
from e320proto.lmn.assignment import (
    METER_ADDRESSES,
    AddressLost,
    AddressTaken,
    AssignmentEvent,
    Broadcast,
    MeterAssignment,
    MeterIds,
    MeterState,
    answer_frame,
    broadcast_frame,
    read_answer,
    read_broadcast,
    slot_start_s,
    window_s,
)
from e320proto.lmn.profile import LmnProfile
from tests.lmn.dialogues import DIALOGUES, VECTORS

OWN = MeterIds.of_meter(bytes.fromhex("0A014C475A0000BC614E"))
OTHER = MeterIds.of_meter(bytes.fromhex("0A014C475A0005397FB1"))
ASSIGNMENT, CHECK = Broadcast.ASSIGNMENT, Broadcast.CHECK


class Chosen:
    """Random choices that were made before."""

    def __init__(self, *choices: int) -> None:
        self._choices = list(choices)

    def randrange(self, start: int, stop: int) -> int:
        choice = self._choices.pop(0)
        assert start <= choice < stop
        return choice


class Meter:
    def __init__(self, profile: LmnProfile | None = None, *choices: int) -> None:
        self.profile = profile or LmnProfile()
        source = Chosen(*choices) if choices else random.Random(1)  # noqa: S311 - a seeded choice
        self.assignment = MeterAssignment(OWN, self.profile, source)

    def hear(
        self, broadcast: Broadcast, *records: Record, now: float = 0.0, answers: bool = True
    ) -> list[AssignmentEvent]:
        return self.assignment.receive_frame(broadcast_frame(broadcast, records, answers=answers), now=now)

    def answer(self) -> tuple[float, Frame] | None:
        due = self.assignment.next_timeout()
        frame = None if due is None else self.assignment.frame_to_send(now=due)
        return None if due is None or frame is None else (due, frame)

    @property
    def state(self) -> tuple[MeterState, int | None, int]:
        return self.assignment.state, self.assignment.address, self.assignment.slot


def in_state(state: MeterState) -> Meter:
    meter = Meter()
    if state is MeterState.CANDIDATE:
        meter.hear(ASSIGNMENT)
        meter.answer()
    elif state is MeterState.ASSIGNED:
        meter.hear(ASSIGNMENT, OWN.record(68, 3))
    assert meter.assignment.state is state
    return meter


EVERY = pytest.mark.parametrize("state", MeterState)


# --- 6.3 slots ----------------------------------------------------------------------------------


@pytest.mark.parametrize("window", VECTORS["lmn_slots"]["windows"])
def test_slots(window: dict[str, int]) -> None:
    profile = LmnProfile(n_slots=63)
    start = slot_start_s(profile, window["slot"])
    assert (start, start + profile.slot_length_s) == pytest.approx((window["start_ms"] / 1e3, window["end_ms"] / 1e3))


def test_window() -> None:
    assert window_s(LmnProfile()) == pytest.approx(0.350)
    assert window_s(LmnProfile(n_slots=63)) == pytest.approx(0.660)


@pytest.mark.parametrize("slot", [1, 2, 32])
def test_an_answer_begins_a_margin_after_the_slot_and_ends_in_it(slot: int) -> None:
    meter = Meter()
    meter.hear(CHECK, OWN.record(68, slot), now=7.0)
    answer = meter.answer()
    assert answer is not None
    begin = 7.0 + slot_start_s(meter.profile, slot)
    at, frame = answer
    assert at == pytest.approx(begin + 0.001)
    assert at + meter.profile.octets_s(len(encode_frame(frame))) < begin + meter.profile.slot_length_s


def test_an_answer_that_would_not_end_in_its_slot_is_not_sent() -> None:
    meter = Meter()
    for late, sent in ((0.0044, True), (0.0046, False)):
        meter.hear(CHECK, OWN.record(68, 1), now=0.0)
        assert (meter.assignment.frame_to_send(now=0.005 + late) is not None) is sent
    assert meter.assignment.next_timeout() is None


# --- 6.4 rows -----------------------------------------------------------------------------------


@EVERY
def test_restart_forgets(state: MeterState) -> None:
    in_state(state)
    assert Meter().state == (MeterState.UNASSIGNED, None, 0)  # a restart is a new machine


@EVERY
def test_assignment_listed_adopts_in_silence(state: MeterState) -> None:
    meter = in_state(state)
    assert meter.hear(ASSIGNMENT, OTHER.record(67, 1), OWN.record(70, 2)) == [AddressTaken(70, 2)]
    assert meter.state == (MeterState.ASSIGNED, 70, 2)
    assert meter.answer() is None
    assert meter.hear(ASSIGNMENT, OWN.record(70, 2)) == []


def test_assignment_listed_may_be_answered() -> None:
    meter = Meter(LmnProfile(answer_assign_when_listed=True))
    meter.hear(ASSIGNMENT, OWN.record(70, 2))
    answer = meter.answer()
    assert answer is not None
    assert answer[1] == answer_frame(ASSIGNMENT, OWN.record(70, 2))


@EVERY
def test_assignment_not_listed_chooses_and_answers(state: MeterState) -> None:
    meter = in_state(state)
    events = meter.hear(ASSIGNMENT, *[OTHER.record(address, 1) for address in range(3, 65)])
    assert events[:-1] == ([] if state is MeterState.UNASSIGNED else [AddressLost()])
    candidate, address, slot = meter.state
    assert address is not None
    assert events[-1] == AddressTaken(address, 0)
    assert candidate is MeterState.CANDIDATE
    assert 65 <= address <= 0x7E
    assert slot == 0
    answer = meter.answer()
    assert answer is not None
    assert answer[1] == answer_frame(ASSIGNMENT, OWN.record(address, 0))


def test_every_free_address_and_every_slot_is_chosen() -> None:
    meter = Meter(LmnProfile(n_slots=4))
    addresses, instants = set(), set()
    for _ in range(2000):
        meter.hear(ASSIGNMENT, OTHER.record(68, 1))
        addresses.add(meter.assignment.address)
        answer = meter.answer()
        assert answer is not None
        instants.add(answer[0])
    assert addresses == set(METER_ADDRESSES) - {68}
    assert len(instants) == 4


def test_no_free_address_no_answer() -> None:
    records = [OTHER.record(address, 1) for address in METER_ADDRESSES]
    frame = broadcast_frame(ASSIGNMENT, records[:60])
    full = Frame(frame.dest, frame.src, frame.control, encode_records(records[:62]) + encode_records(records[62:]))
    meter = in_state(MeterState.ASSIGNED)
    assert meter.assignment.receive_frame(full, now=0.0) == [AddressLost()]
    assert meter.answer() is None


@EVERY
def test_check_listed_adopts_and_answers(state: MeterState) -> None:
    meter = in_state(state)
    assert meter.hear(CHECK, OWN.record(70, 2)) == [AddressTaken(70, 2)]
    answer = meter.answer()
    assert answer is not None
    assert answer[1] == answer_frame(CHECK, OWN.record(70, 2))
    assert answer[0] == pytest.approx(0.016)


@pytest.mark.parametrize("slot", [0, 33, 255])
def test_check_listed_without_a_slot_is_silent(slot: int) -> None:
    meter = Meter()
    assert meter.hear(CHECK, OWN.record(70, slot)) == [AddressTaken(70, slot)]
    assert meter.answer() is None


def test_check_not_listed_forgets_an_assigned_address() -> None:
    meter = in_state(MeterState.ASSIGNED)
    assert meter.hear(CHECK, OTHER.record(70, 1)) == [AddressLost()]
    assert meter.state == (MeterState.UNASSIGNED, None, 0)
    assert meter.answer() is None


def test_check_not_listed_leaves_a_candidate_alone_unless_its_address_is_given_away() -> None:
    meter = in_state(MeterState.CANDIDATE)
    address = meter.assignment.address
    assert address is not None
    assert meter.hear(CHECK, OTHER.record(address ^ 1, 1)) == []
    assert meter.hear(CHECK, OTHER.record(address, 1)) == [AddressLost()]
    assert meter.assignment.state is MeterState.UNASSIGNED


def test_check_not_listed_is_nothing_to_the_unassigned() -> None:
    meter = Meter()
    assert meter.hear(CHECK, OTHER.record(70, 1)) == []
    assert meter.answer() is None


def test_address_hold() -> None:
    meter = Meter(LmnProfile(address_hold_s=60.0))
    assert meter.assignment.next_timeout() is None
    meter.hear(ASSIGNMENT, OWN.record(70, 2), now=10.0)
    assert meter.assignment.next_timeout() == 70.0
    assert meter.assignment.handle_timeout(now=69.0) == []
    assert meter.assignment.handle_timeout(now=70.0) == [AddressLost()]
    assert meter.assignment.handle_timeout(now=700.0) == []


def test_address_is_held_for_ever_by_default() -> None:
    meter = in_state(MeterState.ASSIGNED)
    assert meter.assignment.next_timeout() is None
    assert meter.assignment.handle_timeout(now=1e9) == []


def test_listed_means_both_ids() -> None:
    meter = Meter()
    for ids in (
        MeterIds(OWN.participant_id, OTHER.sensor_id),
        MeterIds(OTHER.participant_id, OWN.sensor_id),
    ):
        meter.hear(ASSIGNMENT, ids.record(70, 1))
        assert meter.assignment.state is MeterState.CANDIDATE


def test_initial_address_turns_assignment_off() -> None:
    meter = Meter(LmnProfile(initial_address=68))
    assert meter.state == (MeterState.ASSIGNED, 68, 0)
    assert meter.hear(ASSIGNMENT) == meter.hear(CHECK, OWN.record(70, 1)) == []
    assert meter.state == (MeterState.ASSIGNED, 68, 0)
    assert meter.assignment.next_timeout() is None


@pytest.mark.parametrize("broadcast", Broadcast)
def test_a_list_without_answers_is_adopted_in_silence(broadcast: Broadcast) -> None:
    meter = Meter()
    assert meter.hear(broadcast, OWN.record(70, 2), answers=False) == [AddressTaken(70, 2)]
    assert meter.answer() is None
    assert meter.hear(broadcast, OTHER.record(70, 2), answers=False) == [AddressLost()]
    assert meter.answer() is None


@pytest.mark.parametrize("address", [0, 1, 2, 127, 128, 255])
def test_a_list_with_an_address_of_no_meter_is_ignored(address: int) -> None:
    meter = in_state(MeterState.ASSIGNED)
    assert meter.hear(CHECK, OWN.record(address, 1)) == []
    assert meter.state == (MeterState.ASSIGNED, 68, 3)


def test_frames_that_are_no_broadcast_are_ignored() -> None:
    good = broadcast_frame(CHECK, [OWN.record(70, 1)])
    wrong = [
        Frame(good.dest, good.src, good.control, good.info + b"x"),
        Frame(Address(68, 2), good.src, good.control, good.info),
        Frame(Address(127, 3), Address(1, 3), good.control, good.info),
        Frame(good.dest, Address(1, 1), good.control, good.info),
        Frame(good.dest, Address(4, 2), good.control, good.info),
        Frame(good.dest, good.src, Control(FrameKind.RR), good.info),
    ]
    meter = Meter()
    for frame in wrong:
        assert read_broadcast(frame) is None
        assert meter.assignment.receive_frame(frame, now=0.0) == []
    assert meter.assignment.receive_frame(good, now=0.0)


def test_answers_are_read() -> None:
    record = OWN.record(70, 0)
    assert read_answer(answer_frame(ASSIGNMENT, record), ASSIGNMENT) == record


def test_dialogue() -> None:
    (empty, answer, check, checked, known) = DIALOGUES["assignment"]
    meter = MeterAssignment(OWN, LmnProfile(), Chosen(68 - 3, 20))
    assert meter.receive_frame(empty.frame, now=0.0) == [AddressTaken(68, 0)]
    assert meter.frame_to_send(now=0.196) == answer.frame
    assert meter.receive_frame(check.frame, now=1.0) == [AddressTaken(68, 1)]
    assert meter.frame_to_send(now=1.006) == checked.frame
    assert meter.receive_frame(known.frame, now=2.0) == []
    assert meter.next_timeout() is None


IDS = st.sampled_from([OWN, OTHER, MeterIds(OWN.participant_id, OTHER.sensor_id)])
RECORDS = st.builds(MeterIds.record, IDS, st.integers(0, 255), st.integers(0, 255))
BROADCASTS = st.builds(
    broadcast_frame, st.sampled_from(Broadcast), st.lists(RECORDS, max_size=8), answers=st.booleans()
)


@given(st.lists(BROADCASTS, max_size=30), st.integers())
def test_any_broadcasts_leave_the_meter_in_a_state_of_the_table(frames: list[Frame], seed: int) -> None:
    meter = MeterAssignment(OWN, LmnProfile(), random.Random(seed))  # noqa: S311 - a seeded choice
    address: int | None = None
    for number, frame in enumerate(frames):
        for event in meter.receive_frame(frame, now=float(number)):
            address = event.address if isinstance(event, AddressTaken) else None
        assert meter.address == address
        assert (address is None) is (meter.state is MeterState.UNASSIGNED)
        assert address is None or address in METER_ADDRESSES
        due = meter.next_timeout()
        if due is not None:
            assert number < due < number + window_s(LmnProfile())
            answer = meter.frame_to_send(now=due)
            assert answer is not None
            assert read_answer(answer, Broadcast(answer.dest.selector)) is not None
