"""Both ends of the pairing: the whole exchange, every refusal of the tables, counters for ever, and no secrets told."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from e320proto.errors import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError, SecurityError
from e320proto.lmn.certificates import Credentials, Curve, check_credentials, key_matches, private_key_as
from e320proto.lmn.pairing import (
    Algorithms,
    Check,
    Command,
    Direction,
    GatewayPairing,
    MeterPairing,
    Paired,
    PairingFailed,
    PairingState,
    derive_keys,
    open_,
    seal,
)
from e320proto.lmn.profile import SecurityProfile
from e320proto.meter.config import E320Config
from e320proto.meter.security import DONE, Security
from tests.lmn.pairing_parts import (
    DEFAULT,
    KEY,
    METER_ID,
    VECTORS,
    CounterStore,
    PowerLostError,
    credentials,
    gateway,
    gateway_certificate,
    meter,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES = {each["id"]: bytes.fromhex(each["hex"]) for each in VECTORS["sym_exchange"]["messages"]}
INVALID = {each["id"]: each for each in VECTORS["sym_invalid"]}
PROFILES = {
    "defaults": SecurityProfile(),
    "swapped": SecurityProfile(kdf_swap_directions=True),
    "zero kdf": SecurityProfile(kdf_zero_padding=True),
    "swapped, zero kdf": SecurityProfile(kdf_swap_directions=True, kdf_zero_padding=True),
    "none if aligned": SecurityProfile(data_padding="none_if_aligned"),
    "zero": SecurityProfile(data_padding="zero"),
    "cut mac": SecurityProfile(mac_length=8),
    "strict length": SecurityProfile(sym_length_lenient=False),
    "pkcs8": SecurityProfile(key_format="pkcs8"),
    "other prefix and fragment": SecurityProfile(sym_algorithms_prefix=b"\0\1\2\3", sym_max_fragment=512),
}


def request(command: int, counter: int, data: bytes = b"", *, profile: SecurityProfile = DEFAULT) -> bytes:
    keys = derive_keys(KEY, counter, METER_ID, Direction.FROM_GATEWAY, profile)
    return seal(command, counter, data, keys, profile)


def reply(command: int, counter: int, data: bytes = b"") -> bytes:
    return seal(command, counter, data, derive_keys(KEY, counter, METER_ID, Direction.FROM_METER))


def meter_data() -> bytes:
    made = credentials()
    return made.certificate + made.private_key


def at(state: PairingState, store: CounterStore | None = None) -> MeterPairing:
    """A meter in a state, the counters of which are those of the vectors: last is 10 + 2n - 1 in Sn."""
    machine = meter(store or CounterStore(0x10))
    requests = [
        MESSAGES["sym_01"],
        MESSAGES["sym_02"],
        request(3, 0x14, meter_data()),
        request(4, 0x16, gateway_certificate()),
        MESSAGES["sym_05"],
    ]
    for each in requests[: list(PairingState).index(state)]:
        machine.receive_data(each, now=0)
        assert len(machine.data_to_send()) == 1
    assert machine.state is state
    return machine


NOTHING = (Credentials(b"", b""), b"")


def staged(machine: MeterPairing) -> tuple[Credentials, bytes]:
    return machine._credentials, machine._gateway_certificate


def failure(events: list[Any]) -> PairingFailed:
    (event,) = events
    assert isinstance(event, PairingFailed)
    return event


# --- the whole exchange -------------------------------------------------------------------------


@pytest.mark.parametrize("curve", list(Curve))
def test_both_ends_are_paired(curve: Curve) -> None:
    one, other = gateway(curve=curve), meter()
    exchange = run(one, other)
    paired = Paired(credentials(curve), gateway_certificate(curve), Algorithms(), 2048)
    assert exchange.gateway_events == [paired]
    assert exchange.meter_events == [paired]
    assert (one.state, other.state) == (PairingState.DONE, PairingState.DONE)
    assert [message[0] for message in exchange.requests] == [1, 2, 3, 4, 5]
    assert [message[0] for message in exchange.replies] == [0x81, 0x82, 0x83, 0x84, 0x85]
    assert one.next_timeout() is None


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())
def test_every_switch_works_at_both_ends(profile: SecurityProfile) -> None:
    exchange = run(gateway(profile=profile), meter(profile=profile))
    (at_gateway,), (at_meter,) = exchange.gateway_events, exchange.meter_events
    assert isinstance(at_gateway, Paired)
    assert isinstance(at_meter, Paired)
    assert at_gateway.max_fragment == at_meter.max_fragment == profile.sym_max_fragment
    assert at_gateway.algorithms == at_meter.algorithms == Algorithms(prefix=profile.sym_algorithms_prefix)
    assert at_meter.credentials.certificate == credentials().certificate
    assert at_meter.credentials.private_key == private_key_as(credentials().private_key, profile.key_format)
    check_credentials(at_meter.credentials)


@pytest.mark.parametrize("name", ["swapped", "zero kdf", "cut mac"])
def test_switches_have_to_agree(name: str) -> None:
    events = meter(profile=PROFILES[name]).receive_data(MESSAGES["sym_01"], now=0)
    assert failure(events).check in {Check.MAC, Check.LENGTH}


def test_the_exchange_of_the_vectors() -> None:
    one, other = gateway(CounterStore(5)), meter(CounterStore(0x10))
    exchange = run(one, other)
    assert exchange.replies == [MESSAGES[f"sym_8{n}"] for n in range(1, 6)]
    for n, message in enumerate(exchange.requests, 1):
        data = {3: meter_data(), 4: gateway_certificate()}.get(n)
        expected = MESSAGES[f"sym_0{n}"] if data is None else request(n, 0x10 + 2 * n - 2, data)
        assert message == expected, n
        assert open_(message, derive_keys(KEY, int.from_bytes(message[5:9]), METER_ID, Direction.FROM_GATEWAY)) == (
            data or b""
        )


def test_sizes_are_those_of_the_field() -> None:
    exchange = run(gateway(), meter())
    key_octets, certificate_octets = len(credentials().private_key), len(credentials().certificate)
    assert len(exchange.requests[2]) == 25 + (certificate_octets + key_octets) // 16 * 16 + 16
    assert len(exchange.replies[1]) == 57


def test_both_forms_of_a_private_key_are_taken() -> None:
    for key_format in ("sec1", "pkcs8"):
        machine = at(PairingState.S2)
        made = credentials()
        private_key = private_key_as(made.private_key, key_format)
        assert machine.receive_data(request(3, 0x14, made.certificate + private_key), now=0) == []
        assert machine.state is PairingState.S3


def test_a_second_exchange_goes_on_with_the_counters() -> None:
    ours, theirs = CounterStore(), CounterStore()
    first, machine = run(gateway(ours), meter(theirs)), meter(theirs)
    second = run(gateway(ours), machine)
    last = max(int.from_bytes(message[5:9]) for message in first.replies)
    assert min(int.from_bytes(message[5:9]) for message in second.replies) > last
    assert isinstance(second.gateway_events[0], Paired)


# --- the meter's table --------------------------------------------------------------------------


@pytest.mark.parametrize("state", [PairingState.IDLE, *list(PairingState)[1:5]])
def test_the_query_begins_anew(state: PairingState) -> None:
    machine = at(state)
    assert machine.receive_data(MESSAGES["sym_01"], now=0) == []
    assert machine.state is PairingState.S1
    (answer,) = machine.data_to_send()
    assert answer[0] == 0x81
    assert staged(machine) == NOTHING


@pytest.mark.parametrize("state", list(PairingState)[:6])
@pytest.mark.parametrize("command", range(7))
def test_only_the_next_request_is_taken(state: PairingState, command: int) -> None:
    machine = at(state)
    position = list(PairingState).index(state)
    counter = 0xFFFFFFFF if command == 1 else 0x100
    data = {3: meter_data(), 4: gateway_certificate()}.get(command, b"")
    events = machine.receive_data(request(command, counter, data), now=0)
    good = command == position + 1 <= 5 or (command == 1 and position < 5)
    if good:
        assert len(machine.data_to_send()) == 1
        assert (machine.state is PairingState.DONE) is (command == 5)
    else:
        failed = failure(events)
        assert (failed.check, failed.step) == (Check.ORDER, Command(command) if 1 <= command <= 5 else None)
        assert isinstance(failed.error, RemoteProtocolError)
        assert failed.error.state == state.name
        assert machine.data_to_send() == []
        assert machine.state is PairingState.IDLE


def test_a_query_has_the_one_counter() -> None:
    failed = failure(meter().receive_data(request(1, 0x20), now=0))
    assert failed.check is Check.COUNTER
    assert str(failed.error) == "counter: expected FFFFFFFF, found 00000020, in state IDLE"


def test_the_counter_of_the_query_is_that_of_no_other_request() -> None:
    machine = at(PairingState.S1)
    assert failure(machine.receive_data(request(2, 0xFFFFFFFF), now=0)).check is Check.COUNTER
    assert machine._sequence.last == 0x11


def test_any_higher_counter_is_taken() -> None:
    machine = at(PairingState.S1)
    assert machine.receive_data(request(2, 0x5000), now=0) == []
    assert machine.data_to_send()[0][5:9] == bytes.fromhex("00005001")


@pytest.mark.parametrize("name", ["sym_bad_mac", "sym_bit_error_in_ciphertext", "sym_counter_changed"])
def test_wrong_macs_are_refused_before_anything_else(name: str) -> None:
    machine = at(PairingState.S3)
    failed = failure(machine.receive_data(bytes.fromhex(INVALID[name]["hex"]), now=0))
    assert (failed.check, failed.step) == (Check.MAC, None)
    assert isinstance(failed.error, SecurityError)
    assert machine._sequence.last == 0x15


@pytest.mark.parametrize("name", ["sym_length_too_big", "sym_truncated"])
def test_wrong_lengths_are_refused(name: str) -> None:
    failed = failure(at(PairingState.S3).receive_data(bytes.fromhex(INVALID[name]["hex"]), now=0))
    assert (failed.check, failed.step) == (Check.LENGTH, None)


def test_a_replay_is_refused() -> None:
    machine = at(PairingState.S2)
    failed = failure(machine.receive_data(bytes.fromhex(INVALID["sym_replay"]["hex"]), now=0))
    assert (failed.check, failed.step) == (Check.COUNTER, Command.ALGORITHMS)
    assert str(failed.error) == "counter: expected 00000014 to FFFFFFFE, found 00000012, in state S2"


def test_a_request_before_its_turn_is_refused() -> None:
    machine = at(PairingState.S2)
    failed = failure(machine.receive_data(bytes.fromhex(INVALID["sym_wrong_order"]["hex"]), now=0))
    assert failed.check is Check.ORDER
    assert "expected request 01 or 03, found 04" in str(failed.error)


def test_wrong_padding_is_refused() -> None:
    failed = failure(at(PairingState.S3).receive_data(bytes.fromhex(INVALID["sym_bad_padding"]["hex"]), now=0))
    assert failed.check is Check.PADDING


def test_counter_is_checked_before_order_and_order_before_padding() -> None:
    machine = at(PairingState.S2)
    assert failure(machine.receive_data(request(5, 0x12), now=0)).check is Check.COUNTER
    machine = at(PairingState.S2)
    assert failure(machine.receive_data(bytes.fromhex(INVALID["sym_bad_padding"]["hex"]), now=0)).check is Check.ORDER


def test_a_refused_but_authentic_message_cannot_come_again() -> None:
    machine = at(PairingState.S2)
    wrong = request(4, 0x16, gateway_certificate())
    assert failure(machine.receive_data(wrong, now=0)).check is Check.ORDER
    machine.receive_data(MESSAGES["sym_01"], now=0)
    assert failure(machine.receive_data(wrong, now=0)).check is Check.COUNTER


WRONG_CREDENTIALS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "place holders": lambda: bytes.fromhex("300343455230034b4559"),
    "no key": lambda: credentials().certificate,
    "key first": lambda: credentials().private_key + credentials().certificate,
    "foreign key": lambda: credentials().certificate + credentials(common_name="other").private_key,
    "other curve": lambda: credentials().certificate + credentials(Curve.BRAINPOOL_P256R1).private_key,
    "more behind": lambda: meter_data() + b"\0",
    "curve not allowed": lambda: credentials(Curve.SECP384R1).certificate + credentials(Curve.SECP384R1).private_key,
}


@pytest.mark.parametrize("data", WRONG_CREDENTIALS.values(), ids=WRONG_CREDENTIALS.keys())
def test_credentials_that_do_not_fit_are_refused(data: Callable[[], bytes]) -> None:
    machine = meter(CounterStore(0x10), algorithms=Algorithms(groups=(23, 26)))
    for each in (MESSAGES["sym_01"], MESSAGES["sym_02"]):
        assert machine.receive_data(each, now=0) == []
    machine.data_to_send()
    failed = failure(machine.receive_data(request(3, 0x14, data()), now=0))
    assert (failed.check, failed.step) == (Check.CONTENT, Command.CREDENTIALS)
    assert (machine.state, machine.data_to_send()) == (PairingState.IDLE, [])


@pytest.mark.parametrize("data", [b"", bytes.fromhex("3003475743"), b"\0"])
def test_a_gateway_certificate_that_is_none_is_refused(data: bytes) -> None:
    machine = at(PairingState.S3)
    failed = failure(machine.receive_data(request(4, 0x16, data), now=0))
    assert (failed.check, failed.step) == (Check.CONTENT, Command.GATEWAY_CERTIFICATE)
    assert staged(machine) == NOTHING


@pytest.mark.parametrize(("command", "counter"), [(1, 0xFFFFFFFF), (2, 0x12), (5, 0x18)])
def test_requests_without_data_have_none(command: int, counter: int) -> None:
    machine = at(list(PairingState)[command - 1])
    assert failure(machine.receive_data(request(command, counter, b"x"), now=0)).check is Check.CONTENT


def test_the_end_of_the_connection_drops_what_was_staged() -> None:
    machine = at(PairingState.S4)
    machine.closed()
    assert (machine.state, staged(machine)) == (PairingState.IDLE, NOTHING)
    assert failure(machine.receive_data(MESSAGES["sym_05"], now=0)).check is Check.ORDER
    machine = meter()
    machine.receive_data(MESSAGES["sym_01"], now=0)
    machine.closed()
    assert machine.data_to_send() == []


def test_paired_comes_before_the_last_reply() -> None:
    machine = at(PairingState.S4)
    (event,) = machine.receive_data(MESSAGES["sym_05"], now=0)
    assert isinstance(event, Paired)
    assert machine.data_to_send() == [MESSAGES["sym_85"]]
    assert staged(machine) == NOTHING


# --- counters -----------------------------------------------------------------------------------


def test_the_last_counter_of_all() -> None:
    machine = meter(CounterStore(0xFFFFFFFD))
    assert not machine.exhausted
    assert machine.receive_data(MESSAGES["sym_01"], now=0) == []
    assert machine.data_to_send()[0][5:9].hex() == "fffffffe"
    assert machine.exhausted
    for each in (request(2, 0xFFFFFFFE), MESSAGES["sym_01"], request(2, 0xFFFFFFFF)):
        assert failure(machine.receive_data(each, now=0)).check is Check.COUNTER
        assert machine.exhausted
        assert machine.data_to_send() == []


def test_a_request_that_leaves_no_counter_for_its_reply() -> None:
    machine = meter(CounterStore(0xFFFFFFF0))
    machine.receive_data(MESSAGES["sym_01"], now=0)
    assert len(machine.data_to_send()) == 1
    assert failure(machine.receive_data(request(2, 0xFFFFFFFE), now=0)).check is Check.COUNTER
    assert machine.exhausted
    assert machine.data_to_send() == []


def test_the_gateway_needs_a_counter_for_its_next_request() -> None:
    one = gateway()
    one.start(now=0)
    one.data_to_send()
    failed = failure(one.receive_data(reply(0x81, 0xFFFFFFFE), now=0))
    assert failed.check is Check.COUNTER


def test_a_meter_stores_blocks_ahead() -> None:
    store = CounterStore(0x10)
    run(gateway(), meter(store))
    assert store.written == [0x11 + 63]
    assert meter(CounterStore(0xFFFFFFF0)).receive_data(MESSAGES["sym_01"], now=0) == []
    near_the_end = CounterStore(0xFFFFFFF0)
    meter(near_the_end).receive_data(MESSAGES["sym_01"], now=0)
    assert near_the_end.counter == 0xFFFFFFFE


def test_a_gateway_stores_the_counter_of_every_reply() -> None:
    store = CounterStore()
    run(gateway(store), meter(CounterStore(0x10)))
    assert store.written == list(range(0x11, 0x1A, 2))


@pytest.mark.parametrize("reserve", [1, 2, 3, 64])
def test_a_counter_is_stored_before_it_is_used(reserve: int) -> None:
    store = CounterStore()
    machine, one = meter(store, profile=SecurityProfile(counter_reserve=reserve)), gateway()
    one.start(now=0)
    for _ in range(5):
        (message,) = one.data_to_send()
        machine.receive_data(message, now=0)
        (answer,) = machine.data_to_send()
        assert store.counter >= int.from_bytes(answer[5:9])
        one.receive_data(answer, now=0)


@pytest.mark.parametrize("reserve", [1, 2, 64])
@pytest.mark.parametrize("side", ["meter", "gateway"])
@pytest.mark.parametrize("when", ["lost_before", "lost_behind"])
def test_power_that_is_lost_at_a_store_reuses_no_counter(side: str, when: str, reserve: int) -> None:
    """At every point of storing: what was sent before and behind the loss has counters that rise."""
    profile = SecurityProfile(counter_reserve=reserve)
    lost = 0
    for point in range(20):
        ours, theirs = CounterStore(), CounterStore()
        setattr(theirs if side == "meter" else ours, when, point)
        sent: list[bytes] = []
        one, other = gateway(ours, profile=profile), meter(theirs, profile=profile)
        for _ in range(2):
            try:
                paired = _exchange_until_power_is_lost(one, other, sent)
            except PowerLostError:
                lost += 1
                for store in (ours, theirs):
                    store.lost_before = store.lost_behind = None
                other = meter(theirs, profile=profile)
                paired = False
            one = gateway(ours, profile=profile)
            if paired:
                break
        for reply_bit in (0, 0x80):  # each end has keys of its own
            counters = [int.from_bytes(each[5:9]) for each in sent if each[0] & 0x80 == reply_bit and each[0] != 1]
            assert counters == sorted(set(counters)), (point, counters)
        assert paired
    assert lost >= (1 if side == "meter" and reserve == 64 else 5)


def _exchange_until_power_is_lost(one: GatewayPairing, other: MeterPairing, sent: list[bytes]) -> bool:
    one.start(now=0)
    for _ in range(5):
        for message in one.data_to_send():
            sent.append(message)
            other.receive_data(message, now=0)
        for message in other.data_to_send():
            sent.append(message)
            if any(isinstance(event, Paired) for event in one.receive_data(message, now=0)):
                return True
    return False


def test_a_message_from_before_the_loss_of_power_is_not_taken_again() -> None:
    store = CounterStore(0x10)
    recorded = run(gateway(), meter(store)).requests
    machine = meter(store)
    for message in recorded[1:]:
        machine.receive_data(recorded[0], now=0)
        assert failure(machine.receive_data(message, now=0)).check is Check.COUNTER


def test_a_lost_request_costs_no_second_retry() -> None:
    ours, theirs = CounterStore(), CounterStore(0x10)
    machine = meter(theirs)
    for _ in range(3):
        one = gateway(ours)
        run(one, machine, requests=1)
        assert [message[0] for message in one.data_to_send()] == [2]  # and it is lost
    assert isinstance(run(gateway(ours), machine).gateway_events[0], Paired)


def test_a_counter_that_was_not_stored_is_not_used() -> None:
    """A full disk and not a loss of power: the machine lives on, and tries to store it again."""
    store = CounterStore(0x10, lost_before=0)
    machine = meter(store)
    for _ in range(2):
        with pytest.raises(PowerLostError):
            machine.receive_data(MESSAGES["sym_01"], now=0)
        assert machine.data_to_send() == []
    store.lost_before = None
    machine.receive_data(MESSAGES["sym_01"], now=0)
    assert machine.data_to_send() == [MESSAGES["sym_81"]]
    assert store.counter >= 0x11


def test_a_meter_is_paired_again_after_a_crypto_reset() -> None:
    """With what the reference meter keeps: its counter is not reset."""
    security = Security(E320Config(pin="1234", initial_key=KEY.hex()))

    def store_counter(counter: int) -> None:
        security.transmission_counter = counter

    ours = CounterStore()
    for round_ in range(2):
        assert security.operational_key is not None
        machine = MeterPairing(
            security.operational_key, METER_ID, counter=security.transmission_counter, store_counter=store_counter
        )
        (event,) = run(gateway(ours), machine).meter_events
        assert isinstance(event, Paired)
        security.pair(event.credentials.certificate, event.credentials.private_key, event.gateway_certificate)
        assert security.paired
        assert security.transmission_counter == 64 * (round_ + 1)
        assert security.crypto_reset(30_000) == DONE
    assert not security.paired


@pytest.mark.parametrize("counter", [-1, 0xFFFFFFFF, 1 << 32])
def test_a_stored_counter_has_32_bit(counter: int) -> None:
    with pytest.raises(EncodeError, match="counter"):
        meter(CounterStore(counter))


# --- the gateway --------------------------------------------------------------------------------


def gateway_at(step: int, store: CounterStore | None = None) -> GatewayPairing:
    """A gateway that waits for the reply to a request of a given number."""
    one = gateway(store)
    run(one, meter(CounterStore(0x10)), requests=step - 1)
    one.data_to_send()
    return one


@pytest.mark.parametrize("step", range(1, 6))
def test_each_step_has_its_time_out(step: int) -> None:
    one = gateway_at(step)
    assert one.next_timeout() == 30
    assert one.handle_timeout(now=29.999) == []
    failed = failure(one.handle_timeout(now=30))
    assert (failed.check, failed.step, failed.may_be_paired) == (Check.ANSWER, Command(step), step == 5)
    assert f"expected reply 8{step}, found nothing for 30 s" in str(failed.error)
    assert one.next_timeout() is None
    assert one.handle_timeout(now=100) == one.closed() == []
    assert one.receive_data(MESSAGES["sym_81"], now=100) == []
    assert one.state is PairingState.FAILED


def test_an_answer_starts_the_time_of_the_next_step() -> None:
    one = gateway()
    one.start(now=100)
    assert one.next_timeout() == 130
    one.receive_data(MESSAGES["sym_81"], now=129)
    assert one.next_timeout() == 159


@pytest.mark.parametrize("step", range(1, 6))
def test_the_end_of_the_link_ends_the_exchange(step: int) -> None:
    failed = failure(gateway_at(step).closed())
    assert (failed.check, failed.step, failed.may_be_paired) == (Check.LINK, Command(step), step == 5)


@pytest.mark.parametrize("step", range(1, 6))
def test_a_wrong_mac_ends_the_exchange(step: int) -> None:
    wrong = bytearray(MESSAGES[f"sym_8{step}"])
    wrong[-1] ^= 1
    failed = failure(gateway_at(step).receive_data(bytes(wrong), now=0))
    assert (failed.check, failed.step, failed.may_be_paired) == (Check.MAC, Command(step), step == 5)


@pytest.mark.parametrize("step", range(1, 6))
@pytest.mark.parametrize("other", [0x00, 0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0xFF])
def test_only_the_reply_to_the_request_is_taken(step: int, other: int) -> None:
    if other == 0x80 | step:
        return
    failed = failure(gateway_at(step).receive_data(reply(other, 0x1000), now=0))
    assert failed.check is Check.ORDER
    assert f"expected reply 8{step}, found {other:02X}" in str(failed.error)


@pytest.mark.parametrize("step", range(2, 6))
def test_a_reply_has_a_higher_counter_than_its_request(step: int) -> None:
    for counter in (0, 0x10 + 2 * step - 2, 0xFFFFFFFF):
        failed = failure(gateway_at(step).receive_data(reply(0x80 | step, counter), now=0))
        assert failed.check is Check.COUNTER


def test_an_old_reply_to_the_query_is_refused() -> None:
    one = gateway_at(1, CounterStore(0x11))
    assert failure(one.receive_data(MESSAGES["sym_81"], now=0)).check is Check.COUNTER


@pytest.mark.parametrize(
    ("step", "data"), [(1, b"x"), (2, b""), (2, b"\xff"), (3, b"x"), (4, b"x"), (5, b""), (5, b"123")]
)
def test_the_content_of_a_reply_is_checked(step: int, data: bytes) -> None:
    failed = failure(gateway_at(step).receive_data(reply(0x80 | step, 0x1000, data), now=0))
    assert failed.check is Check.CONTENT
    assert isinstance(failed.error, DecodeError)


def test_a_request_is_no_reply() -> None:
    """What a gateway has sent cannot be sent back to it: each direction has its own keys."""
    assert failure(gateway_at(2).receive_data(MESSAGES["sym_02"], now=0)).check is Check.MAC


def test_a_machine_is_good_for_one_exchange() -> None:
    one = gateway()
    with pytest.raises(LocalProtocolError, match="expected start before"):
        one.receive_data(MESSAGES["sym_81"], now=0)
    assert one.closed() == one.handle_timeout(now=0) == []
    run(one, meter())
    assert one.receive_data(MESSAGES["sym_81"], now=0) == one.closed() == []
    with pytest.raises(LocalProtocolError, match="expected a new machine"):
        one.start(now=0)
    started = gateway_at(1)
    with pytest.raises(LocalProtocolError):
        started.start(now=0)


def test_a_gateway_hands_out_only_what_fits() -> None:
    good, other = credentials(), credentials(Curve.BRAINPOOL_P256R1)
    store = CounterStore()
    for wrong, certificate, expected in (
        (Credentials(good.certificate, other.private_key), gateway_certificate(), SecurityError),
        (good, other.certificate, SecurityError),
        (good, b"", DecodeError),
        (Credentials(b"", good.private_key), gateway_certificate(), DecodeError),
    ):
        with pytest.raises(expected):
            GatewayPairing(KEY, METER_ID, wrong, certificate, counter=0, store_counter=store)


@pytest.mark.parametrize(("key", "meter_id"), [(KEY[1:], METER_ID), (KEY, METER_ID + b"\0")])
def test_keys_and_ids_have_their_size(key: bytes, meter_id: bytes) -> None:
    store = CounterStore()
    with pytest.raises(EncodeError) as caught:
        MeterPairing(key, meter_id, counter=0, store_counter=store)
    assert KEY.hex()[2:] not in str(caught.value)
    with pytest.raises(EncodeError):
        GatewayPairing(key, meter_id, credentials(), gateway_certificate(), counter=0, store_counter=store)


def test_keys_that_differ_are_not_paired() -> None:
    exchange = run(gateway(key=bytes(16)), meter())
    assert failure(exchange.meter_events).check is Check.MAC
    assert exchange.replies == []


def test_what_the_meter_got_works_together() -> None:
    (event,) = run(gateway(), meter()).meter_events
    assert isinstance(event, Paired)
    assert key_matches(event.credentials.certificate, event.credentials.private_key)


def test_nothing_keeps_the_machines_alive() -> None:
    run(gateway(), meter())
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, MeterPairing | GatewayPairing)]
