"""Anything on the bus, anything in TLS, at any time: both ends tell documented events, and always go on.

What comes is random, or what a real dialogue was, with damage; or it comes from a peer that has all keys and means
ill. Nothing but documented errors may come of it, memory is bounded, and time goes on: ``next_timeout`` is in the
future once ``handle_timeout`` was called a few times.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e320proto.errors import E320Error
from e320proto.hdlc import Frame, decode_frame, encode_frame
from e320proto.lmn.conversation import Conversation
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.requests import CryptoReset, Read, Reading, ReadList, Renewal, Write, request_file, response
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import Answered, MeterPaired, RequestFailed, SessionEvent
from e320proto.lmn.simulated_bus import Troubles
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.objects import Channel
from e320proto.meter.requests import RequestServer
from e320proto.obis import ObisCode
from e320proto.sml.codec import decode_file, encode_file
from tests.lmn.whole_stack import MASTER_KEY, Stack, a_meter, credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
REQUESTS = (
    Read((ObisCode.parse("1.8.0"), ObisCode.parse("96.5.0"))),
    ReadList(),
    Write(ObisCode.parse("1-0:94.49.1*2"), value=True),
    Write(ObisCode.parse("1-0:94.49.1*7"), b"4321"),
    CryptoReset(),
    Renewal(ObisCode.parse("1-0:94.49.2*1"), credentials("new").certificate + credentials("new").private_key),
    Renewal(ObisCode.parse("1-0:94.49.2*2"), credentials("new").certificate),
)
RENEWING = SecurityProfile(cert_objects=("1-0:94.49.2*1", "1-0:94.49.2*2"))


@cache
def dialogue() -> tuple[bytes, ...]:
    """All frames of a life: found, read, paired, read, reset."""
    stack = Stack()
    stack.read()
    stack.pair()
    stack.run(5.0)
    stack.read("1.8.0", "96.5.0")
    stack.gateway.crypto_reset(stack.id, now=stack.now)
    stack.run(50.0)
    return tuple(dict.fromkeys(one.data for one in stack.sent))


@st.composite
def damaged(draw: st.DrawFn, whole: Sequence[bytes]) -> bytes:
    """One of some octets, whole or with damage."""
    data = bytearray(draw(st.sampled_from(list(whole))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = bytes((draw(st.integers(0, 255)),))
            case 1:
                del data[at : at + draw(st.integers(1, 20))]
            case 2:
                data[at:at] = draw(st.binary(max_size=20))
            case _:
                data[at:at] = data[: draw(st.integers(0, 40))]
    return bytes(data)


def on_the_bus() -> st.SearchStrategy[bytes]:
    """Octets as nobody should send them, or frames with right checksums around anything."""
    return st.one_of(st.binary(max_size=200), st.deferred(lambda: damaged(dialogue())), st.deferred(reframed))


@st.composite
def reframed(draw: st.DrawFn) -> bytes:
    """A frame of the dialogue with another content or control field, and right checksums."""
    frames = [decode_frame(octets) for octets in dialogue()]
    frame, other = draw(st.sampled_from(frames)), draw(st.sampled_from(frames))
    info = draw(st.one_of(st.just(frame.info), st.binary(max_size=300)))
    made = Frame(frame.dest, frame.src, draw(st.sampled_from([frame.control, other.control])), info, frame.segment)
    try:
        return encode_frame(made)
    except E320Error:
        return encode_frame(frame)


def goes_on(end: Any, now: float) -> float:  # noqa: ANN401 - either end
    """Let an end do what is due; time has to move on."""
    for _ in range(50):
        end.data_to_send()
        due = end.next_timeout()
        if due is None or due > now:
            return now
        assert all(type(event).__module__.startswith("e320proto.") for event in end.handle_timeout(now=now))
    message = f"next_timeout stays at {due} at {now}"
    raise AssertionError(message)


MOMENTS = st.one_of(st.sampled_from([0.0, 0.0005, 0.001, 0.02, 0.2]), st.floats(0, 400))
TALK = st.lists(st.tuples(MOMENTS, on_the_bus()), max_size=30)


@SLOW
@given(TALK, st.booleans(), st.booleans())
def test_a_meter_bears_anything(talk: list[tuple[float, bytes]], paired: bool, fixed: bool) -> None:  # noqa: FBT001 - drawn
    meter = a_meter()
    if paired:
        own = credentials("meter 0")
        meter.pair(own.certificate, own.private_key, credentials("gateway").certificate)
    lmn = MeterLmn(meter, random=Random(1), profile=LmnProfile(initial_address=3 if fixed else None))  # noqa: S311 - a seeded choice
    now = goes_on(lmn, 0.0)
    for pause, octets in talk:
        now += pause
        events = lmn.receive_data(octets, now=now)
        assert all(type(event).__module__.startswith("e320proto.") for event in events)
        now = goes_on(lmn, now)
        if lmn.next_timeout() is not None and pause < 1:
            now = goes_on(lmn, max(now, lmn.next_timeout() or now))


@SLOW
@given(TALK, st.booleans(), st.integers(0, 3))
def test_a_gateway_bears_anything(talk: list[tuple[float, bytes]], paired: bool, requests: int) -> None:  # noqa: FBT001 - drawn
    server_id = a_meter().server_id
    keys = MeterKeys(master_key=MASTER_KEY)
    if paired:
        gateway = credentials("gateway")
        keys = MeterKeys(master_key=MASTER_KEY, gateway=gateway, meter_certificate=credentials("meter 0").certificate)
    session = GatewaySession(now=0.0, keys=MemoryKeyRing({server_id: keys}))
    numbers = [session.read(server_id, "1.8.0", now=0.0) for _ in range(requests)]
    numbers.append(session.pair(server_id, meter=credentials("m"), gateway=credentials("gateway"), now=0.0))
    numbers.append(session.crypto_reset(server_id, now=0.0))
    told: list[SessionEvent] = []
    now = goes_on(session, 0.0)
    for pause, octets in talk:
        now += pause
        told += session.receive_data(octets, now=now)
        for _ in range(5):
            session.data_to_send()
            due = session.next_timeout()
            if due is not None and due <= now + pause:
                now = max(now, due)
                told += session.handle_timeout(now=now)
    told += session.receive_data(b"", now=now)
    for _ in range(2000):
        due = session.next_timeout()
        if due is None or due > now + 70:
            break
        now = max(now, due)
        session.data_to_send()
        told += session.handle_timeout(now=now)
        if now > 70 and not any(conversation._queue for conversation in session._conversations.values()):
            break
    ended = [event.number for event in told if isinstance(event, Answered | RequestFailed | MeterPaired)]
    assert sorted(ended) == sorted(set(ended))  # each at most once
    assert set(ended) <= set(numbers)
    assert len(session._conversations) <= 1 + len(session.meters)


# --- a peer that is paired and means ill --------------------------------------------------------


@cache
def request_files() -> tuple[bytes, ...]:
    return tuple(request_file(request, a_meter().server_id, 7) for request in REQUESTS)


@cache
def response_files() -> tuple[bytes, ...]:
    meter = a_meter()
    meter.advance(10.0)
    server = RequestServer(meter, RENEWING)
    return tuple(server.serve(file, Channel(through_tls=True)) for file in request_files())


@st.composite
def rewritten(draw: st.DrawFn, files: Sequence[bytes]) -> bytes:
    """A file of right checksums whose messages are damaged, doubled, in another order, or of another file."""
    pool = [message for file in files for message in decode_file(file)]
    messages = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=12))
    if draw(st.booleans()):
        return encode_file(messages)
    return draw(damaged([encode_file(messages)]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=300), st.deferred(lambda: rewritten(request_files()))), st.booleans())
def test_a_meter_answers_any_file(file: bytes, through_tls: bool) -> None:  # noqa: FBT001 - drawn
    meter = a_meter()
    meter.advance(10.0)
    answer = RequestServer(meter, RENEWING).serve(file, Channel(through_tls=through_tls))
    if answer:
        decode_file(answer)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(REQUESTS),
    st.one_of(st.binary(max_size=300), st.deferred(lambda: rewritten((*response_files(), *request_files())))),
)
def test_a_gateway_reads_any_answer(request: Any, file: bytes) -> None:  # noqa: ANN401 - one of REQUESTS
    try:
        result = response(request, a_meter().server_id, 7, file)
    except E320Error:
        return
    assert isinstance(result, tuple)


@SLOW
@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.deferred(lambda: rewritten(response_files()))), min_size=1, max_size=6
    ),
)
def test_a_paired_meter_that_means_ill(answers: list[bytes]) -> None:
    """Inside of TLS, in the place of answers: files of anything."""
    stack = Stack(paired=True)
    told = iter(answers)
    meter = stack.meters[0]
    meter.answer = lambda _file, **_channel: next(told, b"")  # type: ignore[method-assign]
    numbers = [stack.read(timeout_s=40.0) for _ in answers]
    stack.run(60.0)
    assert all(isinstance(stack.outcome(number), Answered | RequestFailed) for number in numbers)
    conversation = stack.gateway._conversations[stack.id]
    assert not conversation._queue
    assert not stack.meters[0].meter.settings["extended_set"]


@SLOW
@given(
    st.lists(st.one_of(st.binary(max_size=80), st.deferred(lambda: rewritten(request_files()))), min_size=1, max_size=6)
)
def test_a_paired_gateway_that_means_ill(files: list[bytes]) -> None:
    """Inside of TLS, in the place of requests; afterwards the meter serves as before."""
    stack = Stack(paired=True)
    stack.read()
    stack.run(2.0)
    conversation = stack.gateway._conversations[stack.id]
    for file in files:
        if conversation._engine is not None and conversation._link is not None:
            conversation._engine.send(conversation._files.encode(file) if len(file) % 2 else file + b"\x1b")
            conversation._flush(conversation._engine, stack.now)
        stack.run(0.5)
    stack.run(40.0)
    stack.gateway._conversations[stack.id] = Conversation(stack.id, stack.keys, stack.profile, stack.security)
    stack.restart_gateway()
    number = stack.read()
    stack.run(20.0)
    assert stack.result(number)


@SLOW
@given(
    st.integers(0, 1 << 20),
    st.floats(0, 0.02),
    st.floats(0, 0.4),
    st.floats(0, 0.4),
    st.sampled_from([0.0, 0.01, 0.05, 0.3]),
    st.booleans(),
)
def test_any_line(seed: int, noise: float, loss: float, duplication: float, delay_s: float, echo: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever the line does: each request ends once, in its time, and no reading is of another meter."""
    troubles = Troubles(noise=noise, loss=loss, duplication=duplication, delay_s=delay_s, echo=echo)
    stack = Stack(2, troubles=troubles, seed=seed)
    numbers = [stack.pair(0), stack.read("96.1.0", number=1)]
    stack.run(20.0)
    numbers += [stack.read("96.1.0", number=number) for number in (0, 1, 0, 1)]
    numbers.append(stack.gateway.crypto_reset(stack.id, now=stack.now))
    stack.run(61.0)
    assert all(stack.outcome(number) is not None for number in numbers)
    for event in stack.told(Answered):
        for reading in event.result:
            assert isinstance(reading, Reading)
            assert reading.value == event.server_id
