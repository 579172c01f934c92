"""What a session comes back from, and how: restarts, cables, ends of TLS, certificates that do not fit, limits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from e320proto.errors import RemoteProtocolError, SecurityError
from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameKind, encode_frame
from e320proto.lmn.link import CloseReason, LinkClosed
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.session_events import (
    Answered,
    MeterFound,
    MeterGone,
    RequestFailed,
    SessionEnded,
    SessionOpened,
)
from e320proto.lmn.tls_events import PlainReceived, TlsClosed, TlsEstablished
from tests.lmn.whole_stack import Stack, a_meter, credentials

TLS, PLAIN = 1, 3
SNRM = 0x93


class Voice:
    """A station that says one frame; nobody on the bus can tell it from the gateway."""

    def __init__(self, frame: Frame) -> None:
        self._frames = [encode_frame(frame)]

    def receive_data(self, data: bytes, *, now: float) -> list[object]:  # noqa: ARG002 - deaf
        return []

    def data_to_send(self) -> list[bytes]:
        frames, self._frames = self._frames, []
        return frames

    def next_timeout(self) -> float | None:
        return None

    def handle_timeout(self, *, now: float) -> list[object]:  # noqa: ARG002 - nothing is due
        return []


def in_session(**settings: object) -> Stack:
    """A stack with a TLS session that stands."""
    stack = Stack(paired=True, **settings)  # type: ignore[arg-type]
    number = stack.read()
    stack.run(3.0)
    assert stack.result(number)
    return stack


def test_restart_of_the_meter() -> None:
    stack = in_session()
    stack.restart_meter()
    number = stack.read()
    stack.run(45.0)
    assert stack.result(number)
    assert [event.resumed for event in stack.told(SessionOpened)] == [False, False]  # sessions live in RAM


@pytest.mark.parametrize("pulled_s", [0.05, 0.5, 3.0])
def test_a_short_pull_of_the_cable_costs_no_reading(pulled_s: float) -> None:
    stack = in_session()
    numbers = []
    for _ in range(10):
        numbers.append(stack.read())
        stack.run(0.01)
        stack.bus.unplug(stack.meters[0])
        stack.run(pulled_s)
        stack.bus.plug(stack.meters[0])
        stack.run(20.0)
    assert [len(stack.result(number)) for number in numbers] == [1] * 10
    assert not stack.told(MeterGone)


def test_a_long_pull_of_the_cable() -> None:
    stack = in_session()
    stack.bus.unplug(stack.meters[0])
    lost = [stack.read() for _ in range(20)]
    begun = stack.now
    stack.run(3600.0)
    assert all(isinstance(stack.outcome(number), RequestFailed) for number in lost)
    assert len(stack.told(MeterGone)) == 1
    to_the_meter = [frame for frame in stack.sent_by_gateway(begun) if frame[3] >> 1 != 0x7F]
    assert len(to_the_meter) < 60  # while it was on the list
    number = stack.read()
    stack.bus.plug(stack.meters[0])
    stack.run(25.0)
    assert stack.result(number)
    assert len(stack.told(MeterFound)) == 2


def test_a_meter_that_is_silent_but_for_checks_is_not_asked_without_end() -> None:
    """Somebody answers checks, nobody answers SNRM."""
    stack = in_session()
    stack.meters[0].station.link.receive_frame = lambda _frame, **_time: []  # type: ignore[method-assign]
    begun = stack.now
    numbers = [stack.read(timeout_s=3600.0) for _ in range(4)]
    stack.run(3600.0)
    for number in numbers:
        error = stack.error(number)
        assert isinstance(error, RemoteProtocolError)
        assert error.reason == "no_answer"
    snrm = [frame for frame in stack.sent_by_gateway(begun) if frame[7] == SNRM]
    assert len(snrm) <= 4 * 4 * 4  # requests, tries, transmissions
    assert len(snrm) > 4


def test_restart_of_the_gateway_in_mid_session() -> None:
    stack = in_session()
    stack.restart_gateway()
    number = stack.read()
    stack.run(3.0)
    assert stack.result(number)
    assert [event.resumed for event in stack.told(SessionOpened)] == [False]  # sessions are nowhere stored


@pytest.mark.parametrize("selector", [PLAIN, TLS])
def test_a_new_connection_ends_tls(selector: int) -> None:
    stack = in_session()
    meter = stack.meters[0]
    address = meter.station.link.address
    assert address is not None
    assert meter.meter.security.tls_open
    stack.bus.plug(Voice(Frame(Address(address, selector), Address(GATEWAY, selector), Control(FrameKind.SNRM))))
    stack.run(0.01)
    assert not meter.meter.security.tls_open
    assert stack.meter_told(LinkClosed)[-1].reason is CloseReason.REOPENED
    assert stack.meter_told(TlsClosed)
    number = stack.read()
    stack.run(30.0)
    assert stack.result(number)


def test_nobody_gets_the_time_for_a_crypto_reset() -> None:
    """Without a request the gateway is back in TLS before the meter would let its keys be reset."""
    stack = in_session()
    stack.run(60.0)
    meter = stack.meters[0]
    address = meter.station.link.address
    assert address is not None
    stack.bus.plug(Voice(Frame(Address(address, PLAIN), Address(GATEWAY, PLAIN), Control(FrameKind.SNRM))))
    stack.run(0.01)
    assert not meter.meter.security.tls_open
    stack.run(16.0)
    assert meter.meter.security.tls_open
    stack.run(20.0)
    assert meter.meter.crypto_reset() == 0xFE0A
    assert meter.meter.security.paired


@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.01, 0.05, 0.1, 3.0])
def test_a_session_that_is_closed_stays_so(after_s: float) -> None:
    stack = Stack(paired=True)
    stack.run(2.0)
    stack.read()
    stack.run(after_s)
    stack.gateway.close(now=stack.now)
    stack.run(3.0)
    assert stack.gateway.idle
    begun = stack.now
    stack.run(60.0)
    assert not [frame for frame in stack.sent_by_gateway(begun) if frame[3] >> 1 != 0x7F]
    assert not stack.meters[0].meter.security.tls_open


def test_tls_that_is_refused_is_not_opened_again_without_a_request() -> None:
    stack = in_session()
    stack.meters[0].meter.security.paired = False
    stack.restart_meter()
    begun = stack.now
    stack.run(3600.0)
    assert len([frame for frame in stack.sent_by_gateway(begun) if len(frame) > 7 and frame[7] == SNRM]) == 1


def test_a_refused_selector_leaves_the_session() -> None:
    stack = in_session()
    address = stack.meters[0].station.link.address
    assert address is not None
    stack.bus.plug(Voice(Frame(Address(address, 6), Address(GATEWAY, 6), Control(FrameKind.SNRM))))
    stack.run(5.0)
    assert stack.meters[0].meter.security.tls_open
    number = stack.read()
    stack.run(3.0)
    assert stack.result(number)
    assert len(stack.told(SessionOpened)) == 1


def test_disc_ends_tls_at_the_meter() -> None:
    stack = in_session()
    address = stack.meters[0].station.link.address
    assert address is not None
    stack.bus.plug(Voice(Frame(Address(address, TLS), Address(GATEWAY, TLS), Control(FrameKind.DISC))))
    stack.run(0.1)
    assert not stack.meters[0].meter.security.tls_open
    stack.run(15.0)  # until the gateway asks whether it is still there: DM
    assert stack.told(SessionEnded)[-1].reason == "the meter has closed the connection"
    number = stack.read()
    stack.run(10.0)
    assert stack.result(number)


def test_silence_of_the_gateway_ends_tls_at_the_meter() -> None:
    stack = in_session(profile=LmnProfile(inactivity_s=30.0))
    stack.bus.unplug(stack.gateway)
    stack.run(26.0)
    assert stack.meters[0].meter.security.tls_open
    stack.run(8.0)
    assert not stack.meters[0].meter.security.tls_open
    assert stack.meter_told(LinkClosed)[-1].reason is CloseReason.INACTIVITY


def test_another_address_ends_tls() -> None:
    stack = in_session()
    stack.meters[0].station.assignment._forget()
    stack.meters[0]._dispatch(stack.meters[0].station.link.move(None, now=stack.now), stack.now)  # type: ignore[arg-type]
    assert not stack.meters[0].meter.security.tls_open


def test_a_session_is_resumed_after_disc() -> None:
    stack = in_session()
    for _ in range(3):
        conversation = stack.gateway._conversations[stack.id]
        conversation._hang_up(stack.now)
        stack.run(1.0)
        number = stack.read()
        stack.run(3.0)
        assert stack.result(number)
    assert [event.resumed for event in stack.told(SessionOpened)] == [False, True, True, True]
    assert [event.resumed for event in stack.meter_told(TlsEstablished)] == [False, True, True, True]


def test_without_resumption() -> None:
    stack = in_session(security=SecurityProfile(tls_resumption=False))
    stack.gateway._conversations[stack.id]._hang_up(stack.now)
    stack.run(1.0)
    stack.read()
    stack.run(3.0)
    assert [event.resumed for event in stack.told(SessionOpened)] == [False, False]


# --- limits -------------------------------------------------------------------------------------


def test_31_days() -> None:
    stack = in_session()
    opened = stack.events[[type(event) for _, event in stack.events].index(SessionOpened)][0]
    day = 86_400.0
    for _ in range(61):
        stack.bus.now += day / 2  # nobody has heard anything meanwhile
        if stack.now - opened >= 31 * day:
            break
        number = stack.read()
        stack.run(30.0)
        assert stack.result(number)
    assert not any(not event.resumed for event in stack.told(SessionOpened)[1:])
    stack.bus.now = opened + 31 * day
    stack.run(30.0)
    number = stack.read()
    stack.run(30.0)
    assert stack.result(number)
    assert not stack.told(SessionOpened)[-1].resumed


def test_an_idle_session_that_is_too_old_is_closed() -> None:
    stack = in_session(security=SecurityProfile(tls_session_max_s=100.0))
    stack.run(95.0)
    assert stack.meters[0].meter.security.tls_open
    stack.run(10.0)
    assert stack.meter_told(TlsClosed)[-1].clean
    assert stack.meter_told(LinkClosed)[-1].reason is CloseReason.RELEASED
    assert [event.resumed for event in stack.told(SessionOpened)] == [False, False]
    assert stack.meters[0].meter.security.tls_open


def test_volume() -> None:
    stack = in_session(security=SecurityProfile(tls_volume_max=20_000))
    numbers = [stack.read() for _ in range(200)]
    stack.run(60.0)
    assert [event.number for event in stack.told(Answered)[1:]] == numbers  # each once, in order
    opened = stack.told(SessionOpened)
    assert 3 < len(opened) < 10
    assert not any(event.resumed for event in opened)
    assert not stack.told(RequestFailed)


def test_a_limit_does_not_follow_into_a_connection_in_clear() -> None:
    stack = in_session(security=SecurityProfile(tls_session_max_s=3.0))
    number = stack.gateway.crypto_reset(stack.id, now=stack.now)
    stack.run(40.0)
    assert stack.result(number) == ()
    assert len(stack.told(SessionOpened)) == 2


# --- certificates that do not fit ---------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["meter", "gateway"])
def test_another_certificate(wrong: str) -> None:
    stack = Stack(paired=True)
    known = stack.keys.load(stack.id)
    model = stack.meters[0].meter
    ours = {"meter": credentials("meter 0"), "gateway": credentials("gateway"), wrong: credentials("another")}
    model.pair(ours["meter"].certificate, ours["meter"].private_key, ours["gateway"].certificate)
    begun = stack.now
    numbers = [stack.read(timeout_s=3600.0) for _ in range(3)]
    stack.run(3600.0)
    for number in numbers:
        error = stack.error(number)
        assert isinstance(error, SecurityError)
        assert error.alert == "unknown_ca"
    assert len([frame for frame in stack.sent_by_gateway(begun) if frame[7] == SNRM]) == 3  # no storm: one each
    assert stack.keys.load(stack.id) == known
    assert not stack.told(SessionOpened)
    assert not model.security.tls_open
    model.pair(
        credentials("meter 0").certificate, credentials("meter 0").private_key, credentials("gateway").certificate
    )
    number = stack.read(timeout_s=400.0)
    stack.run(400.0)
    assert stack.result(number)


def test_the_pause_after_a_failed_handshake_doubles() -> None:
    stack = Stack(paired=True, security=SecurityProfile(tls_retry_s=2.0, tls_retry_max_s=10.0))
    model = stack.meters[0].meter
    model.pair(
        credentials("another").certificate, credentials("another").private_key, credentials("gateway").certificate
    )
    numbers = [stack.read(timeout_s=600.0) for _ in range(6)]
    stack.run(100.0)
    assert all(isinstance(stack.error(number), SecurityError) for number in numbers)
    at = [one.start for one in stack.sent if one.sender is stack.gateway and one.data[7] == SNRM]
    assert [round(after - before) for before, after in pairwise(at)] == [2, 4, 8, 10, 10]


def test_a_handshake_that_does_not_end() -> None:
    """The meter acknowledges frames and says nothing: each attempt has its time, and the request four attempts."""
    stack = Stack(paired=True, profile=LmnProfile(answer_timeout_s=10.0))
    stack.meters[0].send = lambda data: None  # type: ignore[method-assign]  # noqa: ARG005 - named in the signature
    number = stack.read(timeout_s=1e4)
    stack.run(200.0)
    error = stack.error(number)
    assert isinstance(error, RemoteProtocolError)
    assert error.actual == "the meter did not answer the request in time"
    snrm = [one.start for one in stack.sent if one.sender is stack.gateway and one.data[7:8] == bytes((SNRM,))]
    assert [round(after - before) for before, after in pairwise(snrm)] == [15, 20, 30]


def test_the_time_for_a_handshake_counts_as_well() -> None:
    stack = Stack(paired=True, security=SecurityProfile(tls_handshake_timeout_s=5.0))
    stack.meters[0].send = lambda data: None  # type: ignore[method-assign]  # noqa: ARG005 - named in the signature
    number = stack.read(timeout_s=1e4)
    stack.run(10.0)
    error = stack.error(number)
    assert isinstance(error, SecurityError)
    assert "within 5 s" in str(error)


def test_a_replaced_meter_is_another_one() -> None:
    stack = in_session()
    stack.bus.remove(stack.meters[0])
    old = stack.id
    stack.meters[0] = stack.join(a_meter(7))
    number = stack.gateway.read(old, "1.8.0", now=stack.now)
    stack.run(80.0)
    assert isinstance(stack.outcome(number), RequestFailed)
    assert [event.server_id for event in stack.told(MeterGone)] == [old]
    number = stack.read()
    stack.run(3.0)
    assert stack.result(number)
    assert stack.told(SessionOpened)[-1].cipher is None


def test_a_meter_with_the_id_of_another() -> None:
    """A replacement in the name of a paired meter: it has no certificate, and gets nothing."""
    stack = in_session()
    stack.bus.remove(stack.meters[0])
    stack.meters[0] = stack.join(a_meter(0))
    number = stack.read()
    stack.run(59.0)
    error = stack.error(number)
    assert isinstance(error, RemoteProtocolError)
    assert error.reason == "refused"
    assert not any(event.cipher is None for event in stack.told(SessionOpened))


# --- both at once -------------------------------------------------------------------------------


def test_a_request_that_comes_with_close_notify_is_nothing_wrong() -> None:
    """The gateway ends TLS behind its request; both may come in one frame."""
    stack = in_session()
    conversation = stack.gateway._conversations[stack.id]
    engine, link = conversation._engine, conversation._link
    assert engine is not None
    assert link is not None
    stack.read()
    octets = b"".join(data for data, _ in link._queue._waiting)
    link._queue.clear()
    engine.close(now=stack.now)
    link.send(b"".join([octets, *engine.data_to_send()]), now=stack.now)
    stack.run(3.0)
    assert stack.meter_told(PlainReceived)
    assert stack.meter_told(TlsClosed)[-1].clean
