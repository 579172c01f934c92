"""What tests of the pairing share: the vectors, certificates that are made once, and both ends on one wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from e320proto.lmn.certificates import Credentials, Curve, make_credentials
from e320proto.lmn.pairing import Algorithms, GatewayPairing, MeterPairing, PairingEvent
from e320proto.lmn.profile import SecurityProfile

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "lmn-sym.json").read_text(encoding="utf-8")
)
KEY: Final = bytes.fromhex(VECTORS["sym_exchange"]["mk"])
METER_ID: Final = bytes.fromhex(VECTORS["sym_exchange"]["meter_id"])
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULT: Final = SecurityProfile()


@cache
def _credentials(curve: Curve, common_name: str) -> Credentials:
    return make_credentials(curve, common_name, now=NOW)


def credentials(curve: Curve = Curve.SECP256R1, common_name: str = "1LGZ0012345678.SM") -> Credentials:
    """Credentials that are the same in all tests of one run."""
    return _credentials(curve, common_name)


def gateway_certificate(curve: Curve = Curve.SECP256R1) -> bytes:
    """A gateway's certificate."""
    return credentials(curve, "1ABC0000000001.SMGW").certificate


class PowerLostError(Exception):
    """The end that was about to store a counter, or has just done it, is without power."""


@dataclass
class CounterStore:
    """A counter that outlasts its machine; power can be lost before or behind the write of a given number."""

    counter: int = 0
    written: list[int] = field(default_factory=list)
    lost_before: int | None = None
    lost_behind: int | None = None

    def __call__(self, counter: int) -> None:
        """Store it, or not."""
        if self.lost_before == len(self.written):
            raise PowerLostError
        self.written.append(counter)
        self.counter = counter
        if self.lost_behind == len(self.written) - 1:
            raise PowerLostError


def meter(
    store: CounterStore | None = None,
    *,
    profile: SecurityProfile = DEFAULT,
    key: bytes = KEY,
    algorithms: Algorithms | None = None,
) -> MeterPairing:
    """A meter's end, that goes on with what is stored."""
    store = store or CounterStore()
    return MeterPairing(
        key, METER_ID, counter=store.counter, store_counter=store, algorithms=algorithms, profile=profile
    )


def gateway(
    store: CounterStore | None = None,
    *,
    profile: SecurityProfile = DEFAULT,
    key: bytes = KEY,
    curve: Curve = Curve.SECP256R1,
) -> GatewayPairing:
    """A gateway's end, that goes on with what is stored."""
    store = store or CounterStore()
    return GatewayPairing(
        key,
        METER_ID,
        credentials(curve),
        gateway_certificate(curve),
        counter=store.counter,
        store_counter=store,
        profile=profile,
    )


@dataclass
class Exchange:
    """What went over the wire, and what both ends reported."""

    requests: list[bytes] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    meter_events: list[PairingEvent] = field(default_factory=list)
    gateway_events: list[PairingEvent] = field(default_factory=list)


def run(one: GatewayPairing, other: MeterPairing, *, requests: int = 5) -> Exchange:
    """Let a gateway pair a meter, up to the reply to a request of a given number."""
    exchange = Exchange()
    one.start(now=0.0)
    for _ in range(requests):
        for request in one.data_to_send():
            exchange.requests.append(request)
            exchange.meter_events += other.receive_data(request, now=0.0)
            for reply in other.data_to_send():
                exchange.replies.append(reply)
                exchange.gateway_events += one.receive_data(reply, now=0.0)
    return exchange
