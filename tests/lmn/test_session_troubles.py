"""Lines as they are: noise, loss, duplication, collisions, echo. Every reading arrives once and in order."""

from __future__ import annotations

import re

import pytest

from e320proto.lmn.link import Failed as LinkFailed
from e320proto.lmn.pairing import PairingFailed
from e320proto.lmn.profile import LmnProfile
from e320proto.lmn.session_events import Answered, MeterPaired, RequestFailed
from e320proto.lmn.simulated_bus import Troubles
from e320proto.lmn.tls_events import Failed as TlsFailed
from tests.lmn.whole_stack import MASTER_KEY, NOISY, PATIENT, Stack, credentials

LOSSY = LmnProfile(n_retries=20, n_check_misses=20)


def in_order(stack: Stack, readings: int, every_s: float) -> None:
    """Read again and again; every reading arrives once, in order, and none fails."""
    numbers = []
    for _ in range(readings):
        numbers.append(stack.read(timeout_s=1e5))
        stack.run(every_s)
    stack.run(300.0)
    assert [event.number for event in stack.told(Answered)] == numbers
    energies = [event.result[0].value.raw for event in stack.told(Answered)]  # type: ignore[union-attr]
    assert energies == sorted(energies)
    assert not stack.told(RequestFailed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("paired", [False, True])
def test_one_octet_in_a_hundred_is_wrong(paired: bool, seed: int) -> None:  # noqa: FBT001 - a parameter
    troubles = Troubles(noise=0.01)
    stack = Stack(paired=paired, profile=NOISY, security=PATIENT, troubles=troubles, seed=seed)
    stack.run(200.0)
    assert stack.gateway.meters
    in_order(stack, 40, 5.0)


def test_a_whole_life_with_one_octet_in_a_hundred_wrong() -> None:
    stack = Stack(profile=NOISY, security=PATIENT, troubles=Troubles(noise=0.01))
    pair = stack.pair(timeout_s=1e5)
    read = stack.read(timeout_s=1e5)
    reset = stack.gateway.crypto_reset(stack.id, now=0.0, timeout_s=1e5)
    again = stack.pair(name="its second", timeout_s=1e5)
    stack.run(2000.0)
    assert stack.outcome(pair) == MeterPaired(pair, stack.id)
    assert stack.result(read)
    assert stack.result(reset) == ()
    assert stack.outcome(again) == MeterPaired(again, stack.id)


@pytest.mark.parametrize(
    "troubles",
    [
        Troubles(loss=0.2),
        Troubles(duplication=0.2),
        Troubles(loss=0.1, duplication=0.1, noise=0.0001),
        Troubles(echo=True),
        Troubles(echo=True, loss=0.1, duplication=0.1),
        Troubles(delay_s=0.03),
        Troubles(delay_s=0.03, echo=True, loss=0.1),
    ],
    ids=str,
)
@pytest.mark.parametrize("paired", [False, True])
def test_frames_are_lost_doubled_heard_or_late(troubles: Troubles, paired: bool) -> None:  # noqa: FBT001 - a parameter
    stack = Stack(paired=paired, profile=LOSSY, troubles=troubles)
    in_order(stack, 50, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_many_meters_at_once_collide_and_are_found(seed: int) -> None:
    stack = Stack(12, seed=seed)
    stack.run(300.0)
    assert len(stack.gateway.meters) == 12
    numbers = [stack.read(number=number) for number in range(12)]
    stack.run(30.0)
    assert all(stack.result(number) for number in numbers)


def test_somebody_speaks_out_of_turn() -> None:
    """A station that shouts into everything, without a frame."""

    class Shouting:
        def __init__(self) -> None:
            self._at, self._out = 0.0, list[bytes]()

        def receive_data(self, data: bytes, *, now: float) -> list[object]:  # noqa: ARG002 - deaf
            return []

        def data_to_send(self) -> list[bytes]:
            out, self._out = self._out, []
            return out

        def next_timeout(self) -> float | None:
            return self._at

        def handle_timeout(self, *, now: float) -> list[object]:
            self._at = now + 0.37
            self._out.append(b"\x7e\xa7\xff")
            return []

    stack = Stack(paired=True, profile=LmnProfile(n_retries=30, n_check_misses=30))
    stack.bus.plug(Shouting())
    stack.run(60.0)
    in_order(stack, 20, 2.0)


# --- nothing secret -----------------------------------------------------------------------------


def texts(value: object) -> list[str]:
    """Everything that a value says of itself, an error with its causes."""
    said = [repr(value), str(value)]
    if isinstance(value, RequestFailed | PairingFailed | TlsFailed | LinkFailed):
        said += texts(value.error)
    if isinstance(value, BaseException):
        said += [repr(value.args), *(texts(value.__cause__) if value.__cause__ else [])]
    return said


def test_no_event_and_no_error_shows_a_key() -> None:
    stack = Stack()
    stack.read()
    stack.pair(timeout_s=100.0)
    stack.run(10.0)
    stack.read()
    stack.run(10.0)
    stack.meters[0].meter.pair(
        credentials("other").certificate, credentials("other").private_key, credentials("gateway").certificate
    )
    stack.restart_meter()
    stack.read()
    stack.run(40.0)
    stack.pair()
    stack.gateway.crypto_reset(stack.id, now=stack.now)
    stack.run(100.0)
    wrong = Stack()
    wrong.keys._keys[wrong.id] = type(wrong.keys.load(wrong.id))(master_key=b"sixteen octets!!")
    wrong.restart_gateway()
    wrong.pair()
    wrong.run(60.0)
    told = [event for each in (stack, wrong) for _, event in [*each.events, *each.meter_events]]
    assert len({type(event) for event in told}) > 10
    objects = [stack.gateway, stack.meters[0], stack.gateway.keys_of(stack.id), stack.keys, *stack.meters]
    objects += [*stack.gateway._conversations.values(), stack.meters[0].meter.security, stack.meters[0].station]
    secrets = [MASTER_KEY, b"sixteen octets!!"]
    for name in ("meter 0", "other", "gateway"):
        key = credentials(name).private_key
        secrets += [key[7:39], key]  # SEC 1: the number itself lies there
    for value in [*told, *objects]:
        assert not shown(value, secrets)
    assert shown(ValueError(credentials("other").private_key), secrets)
    assert shown(credentials("other").private_key.hex(), secrets)


def shown(value: object, secrets: list[bytes]) -> list[str]:
    """Texts of a value with a secret in them, as it is or in hexadecimal."""
    found = []
    for text in texts(value):
        octets = re.sub(r"[^0-9a-f]", "", text.lower())
        found += [text for secret in secrets if secret.hex() in octets or repr(secret)[2:-1] in text]
    return found
