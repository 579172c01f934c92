"""A whole life under every switch of both profiles, on every curve: found, read, paired, read, reset, paired again."""

from __future__ import annotations

from typing import Any

import pytest

from e320proto.lmn.assignment import MeterIds
from e320proto.lmn.certificates import Curve
from e320proto.lmn.meter_keys import MeterKeys
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import MeterPaired, RequestFailed, SessionOpened
from e320proto.lmn.tls import supported_curves
from tests.lmn.whole_stack import MASTER_KEY, Stack, credentials

BUS: tuple[dict[str, Any], ...] = (
    {"direct_answer": True},
    {"negotiate": True},
    {"negotiate": True, "max_info_rx": 128},
    {"busy_poll_reply": "RNR"},
    {"disc_reply": "DM"},
    {"max_info_tx": 1, "answer_timeout_s": 600.0},
    {"max_info_tx": 17},
    {"max_info_tx": 2036},
    {"baud_rate": 115_200},
    {"n_slots": 63},
    {"slot_check": "strict"},
    {"answer_assign_when_listed": True},
    {"check_after_assign": False},
    {"poll_s": 0.0},
    {"turnround_s": 0.0},
    {"n_retries": 0},
    {"address_hold_s": 25.0},
    {"keepalive_s": 100.0},
)
SECURITY: tuple[dict[str, Any], ...] = (
    {"key_format": "pkcs8"},
    {"mac_length": 8},
    {"kdf_swap_directions": True},
    {"kdf_zero_padding": True},
    {"data_padding": "none_if_aligned"},
    {"data_padding": "zero"},
    {"sym_length_lenient": False},
    {"sym_when_paired": True},
    {"counter_reserve": 1},
    {"meter_enforces_limits": True, "tls_volume_max": 4_000},
    {"tls_resumption": False},
    {"tls_write_chunk": 1},
    {"tls_write_chunk": 16_384},
    {"cert_time_check": "warn"},
    {"cert_time_check": "off"},
    {"strict_class": True},
    {"meter_cipher_order": (0xC02C,)},
    {"gateway_cipher_order": (0xC024,)},
)


def lives(stack: Stack, curve: Curve = Curve.SECP256R1) -> None:
    """All that can be asked, once."""
    numbers = [stack.read()]
    for name in ("first", "second"):
        pair = stack.gateway.pair(
            stack.id,
            meter=credentials(f"{name} meter", curve),
            gateway=credentials(f"{name} gateway", curve),
            now=stack.now,
            timeout_s=600.0,
        )
        numbers += [pair, stack.read("1.8.0", "96.1.0", timeout_s=600.0)]
        numbers.append(stack.gateway.read_list(stack.id, now=stack.now, timeout_s=600.0))
        numbers.append(
            stack.gateway.set_parameter(stack.id, "1-0:94.49.1*2", value=True, now=stack.now, timeout_s=600.0)
        )
        numbers.append(stack.gateway.crypto_reset(stack.id, now=stack.now, timeout_s=600.0))
    stack.run(300.0)
    assert not stack.told(RequestFailed)
    assert all(stack.outcome(number) is not None for number in numbers)
    assert len(stack.told(MeterPaired)) == 2
    assert {event.cipher is None for event in stack.told(SessionOpened)} == {True, False}


@pytest.mark.parametrize("bus", BUS, ids=str)
def test_switches_of_the_bus(bus: dict[str, Any]) -> None:
    lives(Stack(profile=LmnProfile(**bus)))


@pytest.mark.parametrize("security", SECURITY, ids=str)
def test_switches_of_security(security: dict[str, Any]) -> None:
    lives(Stack(security=SecurityProfile(**security)))


@pytest.mark.parametrize("curve", [curve for curve in Curve if curve in supported_curves()])
def test_curves(curve: Curve) -> None:
    lives(Stack(), curve)


def test_a_bench_with_a_fixed_address() -> None:
    """Without broadcasts: the meter has its address, and the gateway is told."""
    stack = Stack(profile=LmnProfile(initial_address=68))
    stack.bus.remove(stack.gateway)
    known = MeterIds.of_meter(stack.id).record(68, 1)
    stack.gateway = GatewaySession(now=0.0, keys=stack.keys, profile=stack.profile, participants=[known])
    stack.bus.plug(stack.gateway, lambda event, at: stack.events.append((at, event)))
    lives(stack)
    assert all(frame[3] >> 1 != 0x7F for frame in stack.sent_by_gateway())


class Failing:
    """Keys that cannot be kept for a while."""

    def __init__(self, keys: MeterKeys) -> None:
        self.keys, self.fails = keys, True

    def load(self, server_id: bytes) -> MeterKeys:  # noqa: ARG002 - there is one meter
        return self.keys

    def store(self, server_id: bytes, keys: MeterKeys) -> None:  # noqa: ARG002 - there is one meter
        if self.fails:
            message = "no space"
            raise OSError(message)
        self.keys = keys


def test_keys_that_cannot_be_kept() -> None:
    """The caller gets the error, no counter is used without being kept, and the pairing is begun anew."""
    stack = Stack()
    stack.bus.remove(stack.gateway)
    ring = Failing(MeterKeys(master_key=MASTER_KEY))
    stack.gateway = GatewaySession(now=0.0, keys=ring)
    stack.bus.plug(stack.gateway, lambda event, at: stack.events.append((at, event)))
    number = stack.pair(timeout_s=200.0)
    with pytest.raises(OSError, match="no space"):
        stack.run(5.0)
    assert not stack.meters[0].meter.security.paired
    ring.fails = False
    stack.run(100.0)
    assert stack.outcome(number) == MeterPaired(number, stack.id)
    assert ring.keys.paired
