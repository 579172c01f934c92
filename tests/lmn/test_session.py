"""The gateway's session with meters on a simulated bus: every request, every refusal, before and after pairing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e320proto.errors import (
    AttentionError,
    DecodeError,
    EncodeError,
    LocalProtocolError,
    RemoteProtocolError,
    SecurityError,
)
from e320proto.lmn.certificates import Curve
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.pairing_message import Command
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.requests import Reading
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import (
    Answered,
    MeterFound,
    MeterGone,
    MeterPaired,
    RequestFailed,
    SessionOpened,
)
from e320proto.lmn.tls_events import TlsEstablished
from e320proto.meter.objects import objects_of
from e320proto.obis import ObisCode
from e320proto.sml.messages import Unsigned
from tests.lmn.whole_stack import MASTER_KEY, Stack, a_meter, credentials

SELECTOR_OCTET = 4
TLS, PLAIN, PAIRING = 1, 3, 6


def connected_by(frames: list[bytes]) -> set[int]:
    """Selectors of all frames but broadcasts."""
    return {frame[SELECTOR_OCTET] >> 1 for frame in frames if frame[3] >> 1 != 0x7F}


# --- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("paired", [False, True])
def test_read(paired: bool) -> None:  # noqa: FBT001 - a parameter
    stack = Stack(paired=paired)
    stack.run(3600.0)
    number = stack.read("1.8.0", "16.7.0", "96.5.0", "96.1.0")
    stack.run(1.0)
    energy, power, status, server_id = stack.result(number)
    assert energy.code == ObisCode.parse("1.8.0")
    assert str(energy.value) in {"1000.0 Wh", "1000.1 Wh"}
    assert (str(power.value), server_id.value) == ("1000 W", stack.id)
    assert status.value == stack.meters[0].meter.status_word
    assert (energy.status, energy.sec_index) == (status.value, pytest.approx(3600, abs=2))


@pytest.mark.parametrize("paired", [False, True])
def test_every_object_can_be_asked_for(paired: bool) -> None:  # noqa: FBT001 - a parameter
    stack = Stack(paired=paired)
    known = objects_of(stack.meters[0].meter.config.mode)
    number = stack.gateway.read(stack.id, *known, now=0.0)
    stack.run(5.0)
    result = stack.result(number)
    assert [type(found) for found in result] == [
        Reading if what.read is not None else AttentionError for what in known.values()
    ]


def test_some_of_several_codes_are_refused() -> None:
    stack = Stack(paired=True)
    number = stack.read("1.8.0", "99.1.0", "16.7.0")
    stack.run(2.0)
    energy, refusal, power = stack.result(number)
    assert isinstance(energy, Reading)
    assert isinstance(power, Reading)
    assert isinstance(refusal, AttentionError)
    assert refusal.number == 0xFE06


def test_read_the_list() -> None:
    stack = Stack(paired=True)
    first = stack.gateway.read_list(stack.id, now=0.0)
    second = stack.gateway.read_list(stack.id, b"no such list", now=0.0)
    stack.run(2.0)
    found = {reading.code.short: reading.value for reading in stack.result(first)}
    assert {"1.8.0", "16.7.0"} <= found.keys()
    assert b"LGZ" in found.values()
    assert isinstance(stack.error(second), AttentionError)


def test_write() -> None:
    stack = Stack(paired=True)
    number = stack.gateway.set_parameter(stack.id, "1-0:94.49.1*2", value=True, now=0.0)
    refused = [
        stack.gateway.set_parameter(stack.id, code, value, now=0.0)
        for code, value in (("1-0:94.49.1*2", b"no truth value"), ("1.8.0", Unsigned(0, 8)), ("99.1.0", True))
    ]
    stack.run(3.0)
    assert stack.result(number) == ()
    assert stack.meters[0].meter.extended_set
    attentions = [stack.error(each) for each in refused]
    assert [each.number for each in attentions if isinstance(each, AttentionError)] == [0xFE09, 0xFE05, 0xFE05]


def test_a_connection_serves_many_requests() -> None:
    stack = Stack(paired=True)
    numbers = [stack.read() for _ in range(50)]
    stack.run(10.0)
    assert [event.number for event in stack.told(Answered)] == numbers
    assert len(stack.told(SessionOpened)) == 1


def test_requests_wait_for_their_meter() -> None:
    stack = Stack(paired=True)
    stack.bus.unplug(stack.meters[0])
    number = stack.read(timeout_s=100.0)
    stack.run(30.0)
    assert stack.outcome(number) is None
    stack.bus.plug(stack.meters[0])
    stack.run(15.0)
    assert stack.result(number)


def test_a_request_for_nobody_fails_in_its_time() -> None:
    stack = Stack(0)
    number = stack.gateway.read(bytes(10), "1.8.0", now=0.0, timeout_s=7.0)
    stack.run(6.99)
    assert stack.outcome(number) is None
    stack.run(0.02)
    error = stack.error(number)
    assert isinstance(error, RemoteProtocolError)
    assert (error.reason, error.expected, error.actual) == ("no_answer", "an answer", "nothing, no connection")


def test_what_cannot_be_asked() -> None:
    stack = Stack()
    gateway, server_id = stack.gateway, stack.id
    with pytest.raises(LocalProtocolError, match="an OBIS code"):
        gateway.read(server_id, now=0.0)
    with pytest.raises(DecodeError):
        gateway.read(server_id, "no code", now=0.0)
    with pytest.raises(EncodeError):
        gateway.set_parameter(server_id, "1.8.0", Unsigned(256, 1), now=0.0)
    with pytest.raises(LocalProtocolError, match="too_long"):
        gateway.read(server_id, *["1.8.0"] * 2000, now=0.0)
    with pytest.raises(LocalProtocolError, match="no_key"):
        gateway.pair(b"another", meter=credentials("m"), gateway=credentials("g"), now=0.0)
    numbers = [gateway.read(server_id, "1.8.0", now=0.0) for _ in range(1000)]
    assert numbers == list(range(1, 1001))  # what was refused has no number
    with pytest.raises(LocalProtocolError, match="too_many"):
        gateway.read(server_id, "1.8.0", now=0.0)


def test_a_key_of_another_size_is_none() -> None:
    gateway = GatewaySession(now=0.0, keys=MemoryKeyRing({b"m": MeterKeys(master_key=b"short")}))
    with pytest.raises(LocalProtocolError, match="no_key"):
        gateway.pair(b"m", meter=credentials("m"), gateway=credentials("g"), now=0.0)


# --- pairing and security states ----------------------------------------------------------------


def test_before_pairing_in_clear_and_afterwards_in_tls_only() -> None:
    stack = Stack()
    stack.read()
    stack.run(3.0)
    assert connected_by(stack.sent_by_gateway()) == {PLAIN}
    begun = stack.now
    number = stack.pair()
    stack.run(3.0)
    assert stack.outcome(number) == MeterPaired(number, stack.id)
    assert connected_by(stack.sent_by_gateway(begun)) == {PLAIN, PAIRING, TLS}  # that in clear had to be closed
    begun = stack.now
    stack.read()
    stack.run(30.0)
    assert connected_by(stack.sent_by_gateway(begun)) == {TLS}
    assert [event.cipher is None for event in stack.told(SessionOpened)] == [True, False]
    assert stack.gateway.keys_of(stack.id).paired
    assert stack.gateway.keys_of(stack.id) == stack.keys.load(stack.id)


def test_a_paired_meter_says_nothing_in_clear() -> None:
    stack = Stack(paired=True)
    stack.keys.store(stack.id, MeterKeys())  # a gateway that knows nothing
    stack.restart_gateway()
    numbers = [stack.read("1.8.0", "16.7.0"), stack.gateway.read_list(stack.id, now=0.0)]
    numbers.append(stack.gateway.set_parameter(stack.id, "1-0:94.49.1*2", value=True, now=0.0))
    stack.run(5.0)
    refusals = [*stack.result(numbers[0]), stack.error(numbers[1]), stack.error(numbers[2])]
    assert [refusal.number for refusal in refusals] == [0xFE02] * 4


def test_a_paired_meter_is_not_paired_again() -> None:
    stack = Stack(paired=True)
    number = stack.pair(name="another")
    stack.run(30.0)
    error = stack.error(number)
    assert isinstance(error, RemoteProtocolError)
    assert (error.reason, error.actual) == ("refused", "the meter does not open the pairing")
    assert len([frame for frame in stack.sent_by_gateway() if connected_by([frame]) == {PAIRING}]) == 2
    stack.read()
    stack.run(5.0)
    assert stack.told(Answered)  # what was there still holds


def test_a_wrong_key_ends_the_pairing() -> None:
    stack = Stack()
    stack.keys.store(stack.id, MeterKeys(master_key=bytes(16)))
    stack.restart_gateway()
    number = stack.pair()
    stack.run(60.0)
    assert isinstance(stack.error(number), RemoteProtocolError)
    assert not stack.meters[0].meter.security.paired
    assert not stack.gateway.keys_of(stack.id).paired


def test_counters_last_over_a_restart_of_the_gateway() -> None:
    stack = Stack()
    stack.paired()
    before = stack.keys.load(stack.id)
    assert 0 < before.counter <= stack.meters[0].meter.security.transmission_counter
    stack.restart_gateway()
    number = stack.read()
    stack.run(12.0)
    assert stack.result(number)
    assert stack.keys.load(stack.id) == before


@pytest.mark.parametrize("lost_at", range(5))
def test_a_pairing_whose_meter_loses_power_at_any_step_comes_to_an_end(lost_at: int) -> None:
    stack = Stack(seed=lost_at)
    number = stack.pair(timeout_s=300.0)
    stack.run(0.70 + 0.05 * lost_at)
    stack.restart_meter()
    stack.run(300.0)
    assert stack.outcome(number) is not None
    assert stack.gateway.keys_of(stack.id).paired == stack.meters[0].meter.security.paired
    read = stack.read()
    stack.run(10.0)
    assert stack.result(read)


def test_a_gateway_that_gave_up_at_the_last_step_knows_the_certificates() -> None:
    """The meter has them already: without them nobody could talk to it but for a crypto reset."""
    stack = Stack()
    number = stack.pair(timeout_s=1e6)
    while not stack.meters[0].meter.security.paired:
        stack.run(0.001)
    stack.bus.unplug(stack.meters[0])
    stack.gateway._conversations[stack.id]._queue[0].deadline = stack.now + 0.01
    stack.gateway._settle(stack.id)
    stack.run(1.0)
    assert isinstance(stack.outcome(number), RequestFailed)
    assert stack.gateway.keys_of(stack.id).paired
    stack.bus.plug(stack.meters[0])
    read = stack.read()
    stack.run(30.0)
    assert stack.result(read)


def test_a_gateway_that_lost_the_last_reply_tries_what_it_has_sent() -> None:
    stack = Stack()
    number = stack.pair(timeout_s=100.0)
    while not stack.meters[0].meter.security.paired:
        stack.run(0.001)
    stack.bus.unplug(stack.meters[0])
    stack.run(2.0)
    stack.bus.plug(stack.meters[0])
    stack.run(30.0)
    assert stack.outcome(number) == MeterPaired(number, stack.id)


def test_a_meter_that_never_got_the_last_request_is_paired_anew() -> None:
    """The gateway cannot know: it tries TLS, learns that the meter is not paired, and begins again."""
    stack = Stack()
    number = stack.pair(timeout_s=200.0)
    talk = stack.gateway._conversations[stack.id]
    while (exchange := talk._exchange) is None or exchange._pairing._step != Command.MAX_FRAGMENT:
        stack.run(0.0005)
    stack.bus.unplug(stack.meters[0])
    stack.run(2.0)
    assert not stack.meters[0].meter.security.paired
    assert stack.gateway.keys_of(stack.id).paired
    begun = stack.now
    stack.bus.plug(stack.meters[0])
    stack.run(30.0)
    assert stack.outcome(number) == MeterPaired(number, stack.id)
    assert connected_by(stack.sent_by_gateway(begun)) == {TLS, PAIRING}


def test_certificates_that_the_gateway_cannot_use() -> None:
    stack = Stack(paired=True)
    kept = stack.keys.load(stack.id)
    stack.keys.store(stack.id, replace(kept, meter_certificate=credentials("m", Curve.SECP384R1).certificate))
    stack.restart_gateway()
    number = stack.read()
    stack.run(30.0)
    error = stack.error(number)
    assert isinstance(error, SecurityError)
    assert "expected both on one curve" in str(error)


def test_a_pairing_message_that_is_too_long_is_none() -> None:
    stack = Stack()
    stack.run(2.0)
    meter = stack.meters[0]
    send = meter.send
    meter.send = lambda data: send(data[:1] + b"\x7f" + data[2:])  # type: ignore[method-assign]
    number = stack.pair()
    stack.run(30.0)
    assert isinstance(stack.outcome(number), RequestFailed)
    assert not meter.meter.security.paired


def test_a_last_reply_that_is_too_long_leaves_a_meter_that_is_paired() -> None:
    stack = Stack()
    stack.run(2.0)
    meter = stack.meters[0]
    send = meter.send
    meter.send = lambda data: send(data[:1] + b"\x7f" + data[2:] if data[0] == 0x85 else data)  # type: ignore[method-assign]
    number = stack.pair()
    stack.run(30.0)
    assert stack.outcome(number) == MeterPaired(number, stack.id)


def test_a_request_that_ends_while_its_connection_opens() -> None:
    stack = Stack()
    stack.run(3.0)
    number = stack.pair(timeout_s=0.0005)
    stack.run(2.0)
    assert isinstance(stack.outcome(number), RequestFailed)
    read = stack.read()
    stack.run(2.0)
    assert stack.result(read)


# --- crypto reset -------------------------------------------------------------------------------


def test_crypto_reset_and_its_four_effects() -> None:
    stack = Stack()
    stack.paired()
    kept = stack.meters[0].meter.security
    counter = kept.transmission_counter
    number = stack.gateway.crypto_reset(stack.id, now=stack.now)
    stack.run(29.0)
    assert stack.outcome(number) is None
    assert kept.paired
    stack.run(5.0)
    assert stack.result(number) == ()
    assert kept.operational_key == MASTER_KEY  # 1
    assert {bytes(kept.own_certificate), bytes(kept.private_key), bytes(kept.gateway_certificate)} == {
        bytes(len(each)) for each in (kept.own_certificate, kept.private_key, kept.gateway_certificate)
    }  # 2
    assert kept.transmission_counter == counter > 0  # 3
    assert not kept.paired  # 4
    assert stack.meters[0]._context is None
    assert not stack.gateway.keys_of(stack.id).paired
    assert stack.gateway.keys_of(stack.id).master_key == MASTER_KEY
    read = stack.read()
    again = stack.pair(name="its second certificate")
    stack.run(5.0)
    assert stack.result(read)
    assert stack.outcome(again) == MeterPaired(again, stack.id)
    assert [event.resumed for event in stack.meter_told(TlsEstablished)] == [False, False]


def test_crypto_reset_too_early() -> None:
    stack = Stack(paired=True, security=SecurityProfile(reset_wait_s=0.0))
    stack.run(40.0)  # or the meter would not be up long enough
    stack.read()
    stack.run(2.0)
    number = stack.gateway.crypto_reset(stack.id, now=stack.now)
    stack.run(3.0)
    error = stack.error(number)
    assert isinstance(error, AttentionError)
    assert error.number == 0xFE0A
    assert stack.meters[0].meter.security.paired
    assert stack.gateway.keys_of(stack.id).paired
    stack.read()
    stack.run(3.0)
    assert len(stack.told(Answered)) == 2


def test_crypto_reset_through_tls_drops_the_context() -> None:
    stack = Stack(paired=True, config={"reset_through_tls": True})
    stack.gateway.set_parameter(stack.id, "1-0:94.49.0*7", Unsigned(1, 1), now=0.0)
    stack.run(3.0)
    assert stack.told(Answered)
    assert not stack.meters[0].meter.security.paired
    assert stack.meters[0]._context is None


def test_a_gateway_with_stale_keys_learns_so_and_pairs_again() -> None:
    """Someone else has reset the meter."""
    stack = Stack()
    stack.paired()
    stack.bus.unplug(stack.gateway)
    stack.restart_meter()
    stack.run(45.0)
    stack.bus.plug(stack.gateway)
    stack.meters[0].meter.advance(stack.now)
    assert stack.meters[0].meter.crypto_reset() == 0xFD00
    number = stack.read(timeout_s=600.0)
    begun = stack.now
    stack.run(600.0)
    error = stack.error(number)
    assert isinstance(error, RemoteProtocolError)
    assert (error.reason, error.actual) == ("refused", "the meter does not open TLS")
    attempts = [frame for frame in stack.sent_by_gateway(begun) if connected_by([frame]) == {TLS}]
    assert len(attempts) == 2
    again = stack.pair()
    stack.run(10.0)
    assert isinstance(stack.outcome(again), MeterPaired)  # the pause of TLS does not hold it up


# --- symbol -------------------------------------------------------------------------------------


def blinking(stack: Stack) -> set[float]:
    """How long the symbol is lit, and how long it is not, over the next seconds; nothing if it does not change."""
    meter, lasts, found = stack.meters[0].meter, 0.0, []
    meter.advance(stack.now)
    lit = meter.display.lmn
    for _ in range(120):
        stack.run(0.05)
        meter.advance(stack.now)
        if meter.display.lmn is not lit:
            found.append(round(lasts, 1))
            lit, lasts = not lit, 0.0
        lasts += 0.05
    return set(found[1:])  # the first one had begun before


def test_the_symbol_through_a_life() -> None:
    stack = Stack()
    meter = stack.meters[0].meter
    stack.bus.unplug(stack.gateway)
    stack.run(20.0)
    assert (meter.display.lmn, blinking(stack)) == (False, set())
    stack.bus.plug(stack.gateway)
    stack.run(15.0)
    assert blinking(stack) == {0.5}  # broadcasts, on layer 2
    stack.read()
    stack.run(3.0)
    assert blinking(stack) == {2.0}  # a connection
    stack.pair()
    stack.run(3.0)
    assert (meter.display.lmn, blinking(stack)) == (True, set())  # TLS
    stack.run(100.0)
    assert (meter.display.lmn, blinking(stack)) == (True, set())
    stack.restart_meter()
    stack.run(45.0)
    assert (meter.display.lmn, blinking(stack)) == (True, set())  # the gateway is back without a request
    stack.bus.unplug(stack.gateway)
    stack.run(125.0)  # the meter waits for inactivity_s
    assert (meter.display.lmn, blinking(stack)) == (False, set())


# --- two meters with one id, and meters without end ---------------------------------------------


def test_of_two_meters_with_one_id_the_first_counts() -> None:
    stack = Stack()
    stack.run(3.0)
    first, second = stack.meters[0], stack.join(stack.meters[0].meter)
    ids = second.station.assignment.ids
    second.station.assignment.ids = type(ids)(ids.participant_id, b"another sensor")
    stack.run(12.0)
    assert len(stack.gateway.meters) == 2
    number = stack.read()
    stack.run(3.0)
    assert stack.result(number)
    assert len(stack.told(MeterFound)) == 1
    stack.bus.remove(first)
    stack.run(60.0)
    assert [len(stack.told(kind)) for kind in (MeterFound, MeterGone)] == [2, 1]
    number = stack.read()
    stack.run(3.0)
    assert stack.result(number)


def test_nothing_is_kept_of_meters_that_nobody_knows() -> None:
    stack = Stack(0, profile=LmnProfile(n_check_misses=1))
    for number in range(20):
        stack.keys.store(bytes((number,)), MeterKeys())
        meter = stack.join(a_meter(number))
        stack.run(20.0)
        stack.bus.remove(meter)
    stack.run(40.0)
    assert len(stack.told(MeterGone)) == 20
    assert not stack.gateway._conversations
