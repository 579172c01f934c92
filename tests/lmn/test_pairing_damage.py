"""Damage and malice on the wire: documented events only, counters that never go back, and no secret in any text."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from e320proto.errors import DecodeError, E320Error, RemoteProtocolError, SecurityError
from e320proto.lmn.pairing import (
    Check,
    Direction,
    GatewayPairing,
    MessageAssembly,
    MeterPairing,
    Paired,
    PairingFailed,
    PairingState,
    SymKeys,
    derive_keys,
    operational_key,
    seal,
)
from tests.lmn.pairing_parts import (
    KEY,
    METER_ID,
    CounterStore,
    PowerLostError,
    credentials,
    gateway,
    gateway_certificate,
    meter,
    run,
)

DATA = [
    b"",
    b"x",
    credentials().certificate,
    credentials().certificate + credentials().private_key,
    credentials().private_key,
    gateway_certificate(),
]


def damaged(message: bytes) -> st.SearchStrategy[bytes]:
    """Flips, cuts, insertions, swaps of halves."""
    position = st.integers(0, len(message) - 1)
    return st.one_of(
        st.builds(
            lambda at, bit: message[:at] + bytes([message[at] ^ 1 << bit]) + message[at + 1 :],
            position,
            st.integers(0, 7),
        ),
        position.map(lambda at: message[:at]),
        st.builds(lambda at, more: message[:at] + more + message[at:], position, st.binary(min_size=1, max_size=40)),
        position.filter(bool).map(lambda at: message[at:] + message[:at]).filter(lambda other: other != message),
    )


def documented(events: list[Any]) -> None:
    assert len(events) <= 1
    for event in events:
        assert isinstance(event, Paired | PairingFailed)
        if isinstance(event, PairingFailed):
            assert type(event.error) in {DecodeError, SecurityError, RemoteProtocolError}
            assert "expected" in str(event.error)
            assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - our own


@given(st.data())
def test_damage_to_a_request_is_noticed_by_its_mac_or_length(data: st.DataObject) -> None:
    step = data.draw(st.integers(1, 5))
    one, machine = gateway(), meter(CounterStore(0x10))
    run(one, machine, requests=step - 1)
    (message,) = one.data_to_send()
    last = machine._sequence.last
    (event,) = machine.receive_data(data.draw(damaged(message)), now=0)
    assert isinstance(event, PairingFailed)
    assert event.check in {Check.LENGTH, Check.MAC}
    assert machine._sequence.last == last
    assert (machine.data_to_send(), machine.state) == ([], PairingState.IDLE)


@given(st.data())
def test_damage_to_a_reply_is_noticed_by_its_mac_or_length(data: st.DataObject) -> None:
    step = data.draw(st.integers(1, 5))
    one, machine = gateway(), meter(CounterStore(0x10))
    run(one, machine, requests=step - 1)
    (message,) = one.data_to_send()
    machine.receive_data(message, now=0)
    (answer,) = machine.data_to_send()
    (event,) = one.receive_data(data.draw(damaged(answer)), now=0)
    assert isinstance(event, PairingFailed)
    assert event.check in {Check.LENGTH, Check.MAC}
    assert event.may_be_paired is (step == 5)
    assert one.receive_data(answer, now=0) == []
    assert one.data_to_send() == []


def test_every_single_bit_of_an_exchange_counts() -> None:
    exchange = run(gateway(), meter(CounterStore(0x10)))
    message = exchange.requests[1]
    for bit in range(8 * len(message)):
        wrong = bytearray(message)
        wrong[bit // 8] ^= 1 << bit % 8
        machine = meter(CounterStore(0x10))
        machine.receive_data(exchange.requests[0], now=0)
        (event,) = machine.receive_data(bytes(wrong), now=0)
        assert isinstance(event, PairingFailed), bit


@given(st.lists(st.binary(max_size=100), max_size=8))
def test_any_octets_in_any_segments(pieces: list[bytes]) -> None:
    assembly, one, machine = MessageAssembly(max_octets=300), gateway(), meter()
    one.start(now=0)
    for piece in pieces:
        try:
            message = assembly.feed(piece, more=len(piece) % 2 == 0)
        except E320Error:
            continue
        if message is not None:
            documented(machine.receive_data(message, now=0))
            documented(one.receive_data(message, now=0))
    assert machine.data_to_send() == []


class MeterUnderAttack(RuleBasedStateMachine):
    """A meter, an attacker who has heard everything, one who even has the key, and losses of power."""

    heard = Bundle("heard")

    def __init__(self) -> None:
        super().__init__()
        self.store = CounterStore(0x10)
        self.machine = meter(self.store)
        self.used: list[int] = []
        self.accepted: list[int] = []
        self.was_stored = self.store.counter

    def _deliver(self, message: bytes) -> None:
        before = self.machine._sequence.last
        try:
            documented(self.machine.receive_data(message, now=0))
        except PowerLostError:
            self._restart()
            return
        assert self.machine._sequence.last >= before
        for answer in self.machine.data_to_send():
            self.used.append(int.from_bytes(answer[5:9]))
            if message[0] != 1:
                self.accepted.append(int.from_bytes(message[5:9]))

    def _restart(self) -> None:
        self.store.lost_before = self.store.lost_behind = None
        self.machine = meter(self.store)

    @rule(target=heard, command=st.integers(0, 7), ahead=st.integers(-3, 100), data=st.sampled_from(DATA))
    def someone_with_the_key(self, command: int, ahead: int, data: bytes) -> bytes:
        counter = 0xFFFFFFFF if command == 1 else max(self.machine._sequence.last + ahead, 0)
        keys = derive_keys(KEY, counter, METER_ID, Direction.FROM_GATEWAY)
        message = seal(command, counter, data, keys)
        self._deliver(message)
        return message

    @rule(target=heard)
    def the_right_request(self) -> bytes:
        step = list(PairingState).index(self.machine.state) % 5 + 1
        data = {3: DATA[3], 4: DATA[5]}.get(step, b"")
        counter = 0xFFFFFFFF if step == 1 else self.machine._sequence.last + 1
        message = seal(step, counter, data, derive_keys(KEY, counter, METER_ID, Direction.FROM_GATEWAY))
        self._deliver(message)
        return message

    @rule(message=heard)
    def replay(self, message: bytes) -> None:
        self._deliver(message)

    @rule(message=heard, data=st.data())
    def damage(self, message: bytes, data: st.DataObject) -> None:
        before = len(self.used)
        self._deliver(data.draw(damaged(message)))
        assert len(self.used) == before

    @rule(data=st.binary(max_size=80))
    def noise(self, data: bytes) -> None:
        self._deliver(data)

    @rule()
    def connection_ends(self) -> None:
        self.machine.closed()

    @rule()
    def power_is_lost(self) -> None:
        self._restart()

    @rule(behind=st.booleans())
    def power_will_be_lost_at_the_next_store(self, behind: bool) -> None:  # noqa: FBT001 - drawn by name
        point = len(self.store.written)
        if behind:
            self.store.lost_behind = point
        else:
            self.store.lost_before = point

    @invariant()
    def counters_rise_for_ever(self) -> None:
        assert self.used == sorted(set(self.used))
        assert self.accepted == sorted(set(self.accepted))
        assert self.store.counter >= max([0, *self.used, *self.accepted])
        assert self.store.counter >= self.was_stored
        self.was_stored = self.store.counter


TestMeterUnderAttack = MeterUnderAttack.TestCase
TestMeterUnderAttack.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.integers(0, 9), max_size=12))
def test_replies_of_an_older_exchange_are_of_no_use(order: list[int]) -> None:
    store, theirs = CounterStore(), CounterStore()
    recorded = run(gateway(store), meter(theirs))
    heard = recorded.replies + recorded.requests
    one = gateway(store)
    one.start(now=0)
    one.data_to_send()
    for index in order:
        for event in one.receive_data(heard[index], now=0):
            assert isinstance(event, PairingFailed)
    assert one.data_to_send() == []
    assert one.state in {PairingState.IDLE, PairingState.FAILED}


# --- secrets ------------------------------------------------------------------------------------


@dataclass
class Secrets:
    """Every key of an exchange, and what was shown while it ran."""

    keys: list[bytes]
    texts: list[str] = field(default_factory=list)

    def show(self, *things: object) -> None:
        for thing in things:
            self.texts += [repr(thing), str(thing), f"{thing}"]
            if isinstance(thing, BaseException):
                self.texts.append("".join(traceback.format_exception(thing)))
            error = getattr(thing, "error", None)
            if error is not None:
                self.show(error, error.__dict__)

    def check(self) -> None:
        text = "\n".join(self.texts)
        plain = text.lower()
        for key in self.keys:
            # Any eight octets in a row are too many, in hex, as Python's literal, or as a number.
            for start in range(0, len(key) - 7, 4):
                part = key[start : start + 8]
                assert part.hex() not in plain
                assert part.hex(" ") not in plain
                assert repr(part)[2:-1] not in text
                assert repr(list(part))[1:-1] not in text
            assert str(int.from_bytes(key)) not in text


def secrets_of_the_exchange() -> Secrets:
    keys = [KEY, operational_key(KEY, bytes(16)), credentials().private_key[7:39]]
    for counter in (0xFFFFFFFF, *range(0x11, 0x1A)):
        for direction in Direction:
            made = derive_keys(KEY, counter, METER_ID, direction)
            keys += [made.encryption, made.mac]
    return Secrets(keys)


def test_the_search_for_secrets_finds_them() -> None:
    for text in (KEY.hex(), repr(KEY), repr(credentials().private_key), repr(list(KEY)), repr(int.from_bytes(KEY))):
        secrets = secrets_of_the_exchange()
        secrets.texts.append(text)
        with pytest.raises(AssertionError):
            secrets.check()


def test_no_secret_is_shown_while_all_goes_well() -> None:
    secrets, one, machine = secrets_of_the_exchange(), gateway(), meter(CounterStore(0x10))
    one.start(now=0)
    secrets.show(one, machine, credentials(), SymKeys(KEY, KEY))
    for _ in range(5):
        (message,) = one.data_to_send()
        secrets.show(message, *machine.receive_data(message, now=0), machine)
        (answer,) = machine.data_to_send()
        secrets.show(answer, *one.receive_data(answer, now=0), one)
    assert one.state is PairingState.DONE
    secrets.check()


def test_no_secret_is_shown_by_any_failure() -> None:
    secrets = secrets_of_the_exchange()
    private_key = credentials().private_key
    other = credentials(common_name="other")
    failures: list[PairingFailed] = []
    for step, counter, contents in (
        (1, 0xFFFFFFFF, [private_key]),
        (2, 0x12, [private_key]),
        (
            3,
            0x14,
            [
                private_key,
                private_key * 2,
                other.certificate + private_key,
                credentials().certificate + private_key[:-1],
                credentials().certificate + private_key + b"\0",
                credentials().certificate + private_key[:20] + b"\xff" + private_key[21:],
                credentials().certificate + private_key[:-3] + b"\0\0\0",
            ],
        ),
        (4, 0x16, [private_key]),
        (5, 0x18, [private_key]),
    ):
        for content in contents:
            machine = meter(CounterStore(0x10))
            run(gateway(), machine, requests=step - 1)
            message = seal(step, counter, content, derive_keys(KEY, counter, METER_ID, Direction.FROM_GATEWAY))
            events = machine.receive_data(message, now=0)
            failures += [event for event in events if isinstance(event, PairingFailed)]
    assert len(failures) >= 10
    assert {event.check for event in failures} == {Check.CONTENT}
    secrets.show(*failures)
    for call in (
        lambda: MeterPairing(KEY + KEY, METER_ID, counter=0, store_counter=CounterStore()),
        lambda: derive_keys(KEY[:15], 1, METER_ID, Direction.FROM_METER),
        lambda: operational_key(KEY, KEY + KEY),
        lambda: operational_key(KEY + KEY, KEY),
        lambda: seal(1, 1, b"", SymKeys(KEY + KEY, KEY + KEY)),
        lambda: GatewayPairing(KEY, METER_ID, credentials(), private_key, counter=0, store_counter=CounterStore()),
    ):
        with pytest.raises(E320Error) as caught:
            call()
        # Of the traceback the lines of this file are not of interest; they hold names, no values.
        secrets.show(caught.value)
    secrets.check()
