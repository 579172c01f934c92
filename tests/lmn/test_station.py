"""Stations on octets: instants of replies, broken frames, turns, silence, any octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.hdlc import Address, Control, Frame, FrameKind, Record, decode_frame, encode_frame
from e320proto.lmn.assignment import (
    AddressLost,
    AddressTaken,
    Broadcast,
    MeterIds,
    answer_frame,
    broadcast_frame,
    slot_start_s,
)
from e320proto.lmn.link import (
    AnswerTimedOut,
    CloseReason,
    DataReceived,
    Failed,
    LinkClosed,
    LinkLost,
    LinkOpened,
    NoAnswer,
    PeerClosed,
    Refused,
)
from e320proto.lmn.participants import (
    AddressCollided,
    ParticipantAdded,
    ParticipantLost,
    ParticipantRefused,
    RoundEnded,
)
from e320proto.lmn.primary import PrimaryState
from e320proto.lmn.profile import LmnProfile
from e320proto.lmn.station import GatewayStation, LinkReported, MeterStation
from tests.lmn.dialogues import METER, SML, from_gateway, from_meter
from tests.lmn.upper_layers import ids_of, seeded

OWN = ids_of(1)
BENCH = LmnProfile(initial_address=METER)
SNRM = encode_frame(from_gateway("SNRM"))
UA = encode_frame(from_meter("UA"))


def meter_on(profile: LmnProfile = BENCH) -> MeterStation:
    return MeterStation(OWN, profile, permitted=lambda _: True, random=seeded(1))


def gateway_on(*records: Record, profile: LmnProfile = BENCH) -> GatewayStation:
    return GatewayStation(profile, now=0.0, participants=records or [OWN.record(METER, 1)])


def due(station: GatewayStation | MeterStation) -> float:
    at = station.next_timeout()
    assert at is not None
    return at


# --- meter --------------------------------------------------------------------------------------


def test_a_reply_begins_after_turnround() -> None:
    meter = meter_on()
    assert meter.receive_data(SNRM, now=10.0) == [LinkOpened(SML)]
    assert meter.next_timeout() == 10.0 + BENCH.turnround_s
    assert meter.handle_timeout(now=10.0005) == []
    assert meter.data_to_send() == []
    meter.handle_timeout(now=10.001)
    assert meter.data_to_send() == [UA]
    assert meter.data_to_send() == []


@pytest.mark.parametrize(("late_s", "sent"), [(0.050, [UA]), (0.0501, [])])
def test_a_reply_that_is_too_late_is_not_made(late_s: float, sent: list[bytes]) -> None:
    meter = meter_on()
    meter.receive_data(SNRM, now=10.0)
    meter.handle_timeout(now=10.0 + late_s)
    assert meter.data_to_send() == sent
    assert meter.next_timeout() == 130.0  # only the inactivity is left


def test_the_upper_layer_has_until_the_reply() -> None:
    meter = meter_on(LmnProfile(initial_address=METER, direct_answer=True))
    meter.receive_data(SNRM, now=10.0)
    meter.handle_timeout(now=10.001)
    assert meter.receive_data(encode_frame(from_gateway("I 0 0", b"?")), now=11.0) == [DataReceived(b"?")]
    meter.link.send(b"!")
    meter.handle_timeout(now=11.001)
    assert meter.data_to_send()[-1] == encode_frame(from_meter("I 0 1", b"!"))


def test_octets_one_by_one() -> None:
    meter = meter_on()
    events = [event for octet in SNRM for event in meter.receive_data(bytes([octet]), now=1.0)]
    assert events == [LinkOpened(SML)]


def test_the_gateway_has_gone_on() -> None:
    meter = meter_on()
    meter.receive_data(SNRM, now=10.0)
    meter.receive_data(encode_frame(from_gateway("SNRM", address=69)), now=10.0005)
    meter.handle_timeout(now=10.002)
    assert meter.data_to_send() == []


def test_broken_frames_are_counted_and_never_answered() -> None:
    meter = meter_on()
    broken = bytearray(SNRM)
    broken[8] ^= 1
    assert meter.receive_data(b"noise" + bytes(broken), now=1.0) == []
    assert meter.broken_frames == {"format": 1, "fcs": 1}
    assert meter.next_timeout() is None


def test_a_frame_behind_one_that_never_ends_is_found_after_silence() -> None:
    meter = meter_on()
    assert meter.receive_data(bytes.fromhex("7EA700") + SNRM, now=1.0) == []
    assert meter.next_timeout() == 1.0 + BENCH.inter_octet_s
    assert meter.handle_timeout(now=1.0 + BENCH.inter_octet_s) == [LinkOpened(SML)]
    assert meter.data_to_send() == [UA]  # its turnround is long over
    assert meter.broken_frames == {"framing": 1}


def test_what_the_lmn_symbol_needs() -> None:
    meter = meter_on()
    assert (meter.frame_at, meter.connection_at) == (None, None)
    meter.receive_data(encode_frame(from_gateway("SNRM", address=69)), now=1.0)
    assert (meter.frame_at, meter.connection_at) == (1.0, None)
    meter.receive_data(encode_frame(from_meter("UA", address=69)), now=1.5)
    assert (meter.frame_at, meter.connection_at) == (1.5, None)
    meter.receive_data(SNRM, now=2.0)
    assert (meter.frame_at, meter.connection_at) == (2.0, 2.0)
    meter.handle_timeout(now=2.001)
    assert (meter.frame_at, meter.connection_at) == (2.001, 2.001)
    meter.receive_data(encode_frame(broadcast_frame(Broadcast.CHECK, [])), now=3.0)
    assert (meter.frame_at, meter.connection_at) == (3.0, 2.001)


def test_another_address_ends_the_connection_first() -> None:
    meter = meter_on(LmnProfile())
    told = encode_frame(broadcast_frame(Broadcast.CHECK, [OWN.record(METER, 1)]))
    assert meter.receive_data(told, now=0.0) == [AddressTaken(METER, 1)]
    meter.receive_data(SNRM, now=1.0)
    told = encode_frame(broadcast_frame(Broadcast.CHECK, [OWN.record(METER, 2)]))
    assert meter.receive_data(told, now=2.0) == [AddressTaken(METER, 2)]  # the slot alone ends nothing
    told = encode_frame(broadcast_frame(Broadcast.ASSIGNMENT, [OWN.record(69, 2)]))
    closed = LinkClosed(CloseReason.ADDRESS_CHANGED)
    assert meter.receive_data(told, now=3.0) == [closed, AddressTaken(69, 2)]
    meter.receive_data(encode_frame(from_gateway("SNRM", address=69)), now=4.0)
    told = encode_frame(broadcast_frame(Broadcast.CHECK, [ids_of(2).record(70, 2)]))
    assert meter.receive_data(told, now=5.0) == [closed, AddressLost()]
    assert meter.receive_data(encode_frame(from_gateway("SNRM", address=69)), now=6.0) == []


def test_the_answer_comes_in_its_slot() -> None:
    meter = meter_on(LmnProfile())
    meter.receive_data(encode_frame(broadcast_frame(Broadcast.CHECK, [OWN.record(METER, 3)])), now=1.0)
    at = due(meter)
    assert at == pytest.approx(1.0 + slot_start_s(LmnProfile(), 3) + 0.001)
    meter.handle_timeout(now=at)
    assert meter.data_to_send() == [encode_frame(answer_frame(Broadcast.CHECK, OWN.record(METER, 3)))]


def test_inactivity() -> None:
    meter = meter_on()
    meter.receive_data(SNRM, now=10.0)
    meter.handle_timeout(now=10.001)
    assert meter.handle_timeout(now=130.0) == [LinkClosed(CloseReason.INACTIVITY)]


# --- gateway ------------------------------------------------------------------------------------


def test_one_exchange_at_a_time_with_silence_between() -> None:
    first, second = ids_of(1), ids_of(2)
    gateway = gateway_on(first.record(10, 1), second.record(11, 2))
    gateway.link(first).open(SML, now=0.0)
    gateway.link(second).open(SML, now=0.0)
    assert gateway.next_timeout() == 0.0
    gateway.handle_timeout(now=0.0)
    (data,) = gateway.data_to_send()
    told = decode_frame(data).dest.address
    gateway.handle_timeout(now=0.1)
    assert gateway.data_to_send() == []
    reply = encode_frame(from_meter("UA", address=told))
    assert gateway.receive_data(reply, now=0.15) == [LinkReported({10: first, 11: second}[told], LinkOpened(SML))]
    assert gateway.next_timeout() == 0.15 + BENCH.turnround_s
    gateway.handle_timeout(now=0.1505)
    assert gateway.data_to_send() == []
    gateway.handle_timeout(now=0.151)
    (data,) = gateway.data_to_send()
    assert decode_frame(data).dest.address == 21 - told


def test_a_silent_meter_leaves_the_bus_to_others() -> None:
    first, second = ids_of(1), ids_of(2)
    gateway = gateway_on(first.record(10, 1), second.record(11, 2))
    gateway.link(first).open(SML, now=0.0)
    gateway.link(second).open(SML, now=0.0)
    told = []
    now = 0.0
    for _ in range(8):
        now = max(now, due(gateway))
        gateway.handle_timeout(now=now)
        told += [decode_frame(data).dest.address for data in gateway.data_to_send()]
    assert told in ([10, 11] * 4, [11, 10] * 4)


def test_octets_on_their_way_keep_the_gateway_silent() -> None:
    gateway = gateway_on()
    gateway.link(OWN).open(SML, now=0.0)
    gateway.receive_data(UA[:5], now=0.0)
    assert gateway.next_timeout() == BENCH.inter_octet_s
    gateway.handle_timeout(now=0.024)
    assert gateway.data_to_send() == []
    gateway.handle_timeout(now=0.025)
    assert gateway.data_to_send() == [SNRM]
    assert gateway.broken_frames == {"framing": 1}


def test_a_reply_that_has_begun_is_waited_for() -> None:
    gateway = gateway_on()
    gateway.link(OWN).open(SML, now=0.0)
    gateway.handle_timeout(now=0.0)
    gateway.receive_data(UA[:3], now=0.195)
    gateway.handle_timeout(now=0.205)
    assert gateway.receive_data(UA[3:], now=0.21) == [LinkReported(OWN, LinkOpened(SML))]


def test_its_own_echo_is_nothing() -> None:
    gateway = gateway_on()
    gateway.link(OWN).open(SML, now=0.0)
    gateway.handle_timeout(now=0.0)
    assert gateway.receive_data(SNRM, now=0.0002) == []
    assert gateway.link(OWN).state is PrimaryState.OPENING
    assert gateway.link(OWN).awaits_reply


def test_meters_that_are_not_on_the_list_are_nothing() -> None:
    gateway = gateway_on()
    assert gateway.receive_data(encode_frame(from_meter("DM", address=99)), now=0.0) == []


def test_without_anything_to_do_there_is_no_timer() -> None:
    assert gateway_on().next_timeout() is None


def test_a_broadcast_and_its_window() -> None:
    gateway = GatewayStation(LmnProfile(), now=5.0)
    assert gateway.next_timeout() == 5.0
    gateway.handle_timeout(now=5.0)
    (data,) = gateway.data_to_send()
    assert data == encode_frame(broadcast_frame(Broadcast.ASSIGNMENT, []))
    gateway.receive_data(encode_frame(answer_frame(Broadcast.ASSIGNMENT, OWN.record(METER, 0))), now=5.1)
    end = due(gateway)
    assert end == pytest.approx(5.35, abs=0.001)
    assert gateway.handle_timeout(now=end) == [
        ParticipantAdded(OWN, METER, 1),
        RoundEnded(Broadcast.ASSIGNMENT, answers=1, added=1),
    ]
    gateway.link(OWN).open(SML, now=end)
    assert decode_frame(gateway.data_to_send()[0]).control.kind is FrameKind.UI  # the check comes first
    assert gateway.participants == (OWN.record(METER, 1),)


def test_a_participant_that_is_lost_takes_its_connection_with_it() -> None:
    gateway = gateway_on(profile=LmnProfile(n_check_misses=1, assign_period_s=0))
    gateway.link(OWN).open(SML, now=0.0)
    events: list[object] = []
    now = 0.0
    while not any(isinstance(event, ParticipantLost) for event in events):
        now = max(now, due(gateway))
        events += gateway.handle_timeout(now=now)
        sent = [decode_frame(data) for data in gateway.data_to_send()]
        if sent and sent[0].control.kind is FrameKind.SNRM:
            events += gateway.receive_data(UA, now=now + 0.002)
    assert events == [
        RoundEnded(Broadcast.ASSIGNMENT, answers=0, added=0),
        LinkReported(OWN, LinkOpened(SML)),
        LinkReported(OWN, LinkLost()),
        ParticipantLost(OWN, METER),
        RoundEnded(Broadcast.CHECK, answers=0, added=0),
    ]


# --- any octets ---------------------------------------------------------------------------------

SOME_IDS = st.sampled_from([ids_of(1), ids_of(2), ids_of(3)])
RECORDS = st.builds(MeterIds.record, SOME_IDS, st.integers(0, 255), st.integers(0, 255))
STATIONS = st.sampled_from([1, METER, METER, METER, 69, 127])
FRAMES = st.builds(
    Frame,
    dest=st.builds(Address, STATIONS, st.sampled_from([SML, SML, 1, 2])),
    src=st.builds(Address, STATIONS, st.sampled_from([SML, SML, 1, 2])),
    control=st.integers(0, 255).map(Control.decode),
    info=st.binary(max_size=40),
    segment=st.booleans(),
)
BROADCASTS = st.builds(broadcast_frame, st.sampled_from(Broadcast), st.lists(RECORDS, max_size=4))
ANSWERS = st.builds(
    lambda broadcast, ids, address: answer_frame(broadcast, ids.record(address, 0)),
    st.sampled_from(Broadcast),
    SOME_IDS,
    st.integers(0, 127),
)
OCTETS = st.one_of(st.binary(max_size=30), st.one_of(FRAMES, BROADCASTS, ANSWERS).map(encode_frame))
STEPS = st.lists(st.tuples(OCTETS, st.sampled_from([0.0, 0.0005, 0.002, 0.03, 0.5, 6.0])), max_size=40)
LINK_EVENTS = (
    LinkOpened,
    LinkClosed,
    DataReceived,
    Refused,
    NoAnswer,
    LinkLost,
    PeerClosed,
    AnswerTimedOut,
    Failed,
)
GATEWAY_EVENTS = (ParticipantAdded, ParticipantLost, ParticipantRefused, AddressCollided, RoundEnded)


def drive(station: MeterStation | GatewayStation, steps: list[tuple[bytes, float]]) -> list[object]:
    """Hand over octets, serve every timer on the way, check every frame that goes out."""
    events: list[object] = []
    now = 0.0
    for data, pause_s in steps:
        events += station.receive_data(data, now=now)
        until = now + pause_s
        for _ in range(10_000):
            at = station.next_timeout()
            if at is None or at > until:
                break
            now = max(now, at)
            events += station.handle_timeout(now=now)
            for frame in station.data_to_send():
                assert decode_frame(frame)
        else:
            pytest.fail("the timers never end")
        now = until
    return events


@given(STEPS, st.sampled_from([LmnProfile(), BENCH]))
def test_any_octets_give_a_meter_only_documented_events(steps: list[tuple[bytes, float]], profile: LmnProfile) -> None:
    meter = meter_on(profile)
    for event in drive(meter, steps):
        assert isinstance(event, (LinkOpened, LinkClosed, DataReceived, Failed, AddressTaken, AddressLost))


@given(STEPS, st.sampled_from([LmnProfile(), BENCH]))
def test_any_octets_give_a_gateway_only_documented_events(
    steps: list[tuple[bytes, float]], profile: LmnProfile
) -> None:
    gateway = gateway_on(profile=profile)
    gateway.link(OWN).open(SML, now=0.0)
    gateway.link(OWN).send(b"request", now=0.0)
    gateway.link(OWN).expect_answer(expected=True, now=0.0)
    for event in drive(gateway, steps):
        if isinstance(event, LinkReported):
            assert isinstance(event.event, LINK_EVENTS)
        else:
            assert isinstance(event, GATEWAY_EVENTS)
