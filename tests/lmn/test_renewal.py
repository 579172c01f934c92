"""Certificates are renewed through the TLS that stands on the old ones."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from e320proto import AttentionError, LocalProtocolError, ObisCode
from e320proto.lmn.certificates import Credentials, Curve, make_credentials, private_key_as
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.requests import Renewal, request_file, response
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import Answered, RequestFailed, SessionOpened
from e320proto.lmn.simulated_bus import SimulatedBus
from e320proto.meter import E320Config, Meter
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.objects import Channel
from e320proto.meter.requests import RequestServer
from tests.lmn.whole_stack import Stack

if TYPE_CHECKING:
    from e320proto.lmn.session_events import SessionEvent

OBJECTS = ("1-0:94.49.2*1", "1-0:94.49.2*2")
TODAY = datetime(2026, 1, 1, tzinfo=UTC)


def credentials(name: str) -> Credentials:
    return make_credentials(Curve.SECP256R1, name, now=TODAY)


class Bench:
    """A paired meter and its gateway on a bus."""

    def __init__(self, objects: tuple[str, str] | None = OBJECTS) -> None:
        own, gateway = credentials("meter"), credentials("gateway")
        self.security = security = SecurityProfile(cert_objects=objects, cert_time_check="off")
        self.meter = Meter(E320Config(pin="0000"), pushes=False)
        self.meter.pair(own.certificate, own.private_key, gateway.certificate)
        self.server_id = self.meter.server_id
        keys = MemoryKeyRing({self.server_id: MeterKeys(gateway=gateway, meter_certificate=own.certificate)})
        profile, random = LmnProfile(), Random(1)  # noqa: S311 - the same run every time
        self.gateway = GatewaySession(now=0.0, keys=keys, profile=profile, security=security)
        self.bus = SimulatedBus(profile, random)
        self.events: list[SessionEvent] = []
        self.bus.plug(self.gateway, lambda event, _at: self.events.append(event))
        self.bus.plug(MeterLmn(self.meter, random=random, profile=profile, security=security))

    def answer(self, number: int) -> Answered | RequestFailed:
        self.bus.run(until=self.bus.now + 30)
        (found,) = [e for e in self.events if isinstance(e, Answered | RequestFailed) and e.number == number]
        return found


def test_a_meter_takes_nothing_that_tls_could_not_stand_on() -> None:
    """Its certificate and that of the gateway have to be on one curve."""
    bench = Bench()
    other, server = make_credentials(Curve.SECP384R1, "new", now=TODAY), RequestServer(bench.meter, bench.security)
    before = bench.meter.security.state()
    bench.bus.run(until=1.0)
    for code, octets in zip(OBJECTS, (other.certificate + other.private_key, other.certificate), strict=True):
        request = Renewal(ObisCode.parse(code), octets)
        answer = server.serve(request_file(request, bench.server_id, 1), Channel(through_tls=True))
        with pytest.raises(AttentionError, match="FE09"):
            response(request, bench.server_id, 1, answer)
    assert bench.meter.security.state() == before


@pytest.mark.parametrize("whose", ["meter", "gateway", "both"])
def test_renewal(whose: str) -> None:
    bench = Bench()
    assert isinstance(bench.answer(bench.gateway.read(bench.server_id, "1.8.0", now=0.0)), Answered)
    new = credentials("new")
    before = len(bench.events)
    if whose != "gateway":
        asked = bench.gateway.renew_meter(bench.server_id, new, now=bench.bus.now)
        assert isinstance(bench.answer(asked), Answered)
        assert bench.meter.security.own_certificate == new.certificate
        assert bench.gateway.keys_of(bench.server_id).meter_certificate == new.certificate
    if whose != "meter":
        asked = bench.gateway.renew_gateway(bench.server_id, new, now=bench.bus.now)
        assert isinstance(bench.answer(asked), Answered)
        assert bench.meter.security.gateway_certificate == new.certificate
        assert bench.gateway.keys_of(bench.server_id).gateway == new
    asked = bench.gateway.read(bench.server_id, "1.8.0", now=bench.bus.now)
    assert isinstance(bench.answer(asked), Answered)
    opened = [event for event in bench.events[before:] if isinstance(event, SessionOpened)]
    assert len(opened) == (2 if whose == "both" else 1)  # TLS is opened again at once
    assert all(event.cipher and not event.resumed for event in opened)


def test_without_codes_nothing_is_offered() -> None:
    bench = Bench(objects=None)
    with pytest.raises(LocalProtocolError, match="cert_objects"):
        bench.gateway.renew_meter(bench.server_id, credentials("new"), now=0.0)


def test_credentials_that_do_not_fit_are_refused() -> None:
    bench = Bench()
    wrong = Credentials(credentials("one").certificate, credentials("two").private_key)
    found = bench.answer(bench.gateway.renew_meter(bench.server_id, wrong, now=0.0))
    assert isinstance(found, RequestFailed)
    assert "FE09" in str(found.error)
    assert isinstance(bench.answer(bench.gateway.read(bench.server_id, "1.8.0", now=bench.bus.now)), Answered)


def test_nobody_is_told_the_private_key() -> None:
    security = SecurityProfile(cert_objects=("1-0:94.49.2*1", "1-0:94.49.2*2"))
    stack, told = Stack(paired=True, security=security), list[bytes]()

    def listen(server_id: bytes, file: bytes, *, sent: bool) -> None:  # noqa: ARG001 - as it is called
        told.append(file)

    stack.bus.remove(stack.gateway)
    stack.gateway = GatewaySession(
        now=stack.now,
        keys=stack.keys,
        profile=stack.profile,
        security=security,
        file_listener=listen,
    )
    stack.bus.plug(stack.gateway, lambda event, at: stack.events.append((at, event)))
    new = credentials("new")
    stack.gateway.renew_meter(stack.id, new, now=stack.now)
    stack.run(20.0)
    assert bytes(stack.meters[0].meter.security.own_certificate) == new.certificate
    assert told
    assert not any(private_key_as(new.private_key, security.key_format) in file for file in told)
