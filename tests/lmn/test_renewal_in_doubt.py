"""A renewal that is cut at any frame: the gateway gets back in, with the certificates that the meter has."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from e320proto.errors import SecurityError, TransportError
from e320proto.lmn.certificates import Credentials, Curve
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys, TlsCertificates
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import Answered, RequestFailed, SessionEnded, SessionOpened
from e320proto.lmn.simulated_bus import SimulatedBus, Transmission
from e320proto.meter import E320Config, Meter
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.store import SqliteStore
from tests.lmn.whole_stack import credentials

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.lmn.session_events import SessionEvent

SECURITY: Final = SecurityProfile(cert_objects=("1-0:94.49.2*1", "1-0:94.49.2*2"))
PROFILE: Final = LmnProfile()
PULLED_S: Final = 20.0
BACK_S: Final = 45.0
ALERT: Final = 21  # content type of a TLS record


class Bench:
    """A paired meter and its gateway in a TLS session; both keep what lasts in stores."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.random = Random(1)  # noqa: S311 - the same run every time
        self.frames_left = self.frames = 0
        self.watched = False
        self.bus = SimulatedBus(PROFILE, self.random, trace=self.count)
        self.store: SqliteStore | None = None
        self.meter = self.start_meter()
        own, gateway = credentials("meter"), credentials("gateway")
        self.meter.meter.pair(own.certificate, own.private_key, gateway.certificate)
        self.id = self.meter.meter.server_id
        self.ring = MemoryKeyRing({self.id: MeterKeys(gateway=gateway, meter_certificate=own.certificate)})
        self.events: list[SessionEvent] = []
        self.gateway = self.start_gateway()
        self.watched = True
        assert isinstance(self.read(), Answered)

    def start_meter(self) -> MeterLmn:
        self.store = SqliteStore(self.folder / "meter.sqlite")
        meter = Meter(E320Config(pin="0000"), pushes=False, store=self.store)
        lmn = MeterLmn(meter, random=self.random, profile=PROFILE, security=SECURITY)
        self.bus.plug(lmn)
        return lmn

    def start_gateway(self) -> GatewaySession:
        gateway = GatewaySession(now=self.bus.now, keys=self.ring, profile=PROFILE, security=SECURITY)
        self.bus.plug(gateway, lambda event, _at: self.events.append(event))
        return gateway

    def close(self) -> None:
        assert self.store is not None
        self.store.close()

    def count(self, _: Transmission) -> None:
        """Pull the cable of the meter as the frame begins that is not to arrive any more.

        At every frame the gateway has stored what the meter has.
        """
        if self.watched:
            keys, kept = self.ring.load(self.id), self.meter.meter.security
            stored = [each for each in (keys.certificates, keys.renewing) if each is not None]
            has = bytes(kept.gateway_certificate), bytes(kept.own_certificate)
            assert has in [(each.gateway.certificate, each.meter) for each in stored]
        self.frames += 1
        self.frames_left -= 1
        if self.frames_left == 0:
            self.bus.unplug(self.meter)

    def renew(self, whose: str, name: str = "new", curve: Curve = Curve.SECP256R1) -> int:
        renew = self.gateway.renew_meter if whose == "meter" else self.gateway.renew_gateway
        return renew(self.id, credentials(name, curve), now=self.bus.now)

    def restart(self, who: str) -> None:
        """Let programs end and begin again with their stores."""
        if who in {"gateway", "both"}:
            self.bus.remove(self.gateway)
            self.gateway = self.start_gateway()
        if who in {"meter", "both"}:
            self.close()
            self.bus.remove(self.meter)
            self.meter = self.start_meter()
        else:
            self.bus.plug(self.meter)

    def outcome(self, number: int, within_s: float = BACK_S) -> Answered | RequestFailed | None:
        until = self.bus.now + within_s
        self.events.clear()
        while self.bus.now < until:
            self.bus.run(until=self.bus.now + 0.05)
            for event in self.events:
                if isinstance(event, Answered | RequestFailed) and event.number == number:
                    return event
        return None

    def read(self) -> Answered | RequestFailed | None:
        return self.outcome(self.gateway.read(self.id, "1.8.0", now=self.bus.now))

    def agrees(self) -> bool:
        """Whether the gateway has what the meter has, and nothing else."""
        keys, kept = self.gateway.keys_of(self.id), self.meter.meter.security
        own, gateway = bytes(kept.own_certificate), bytes(kept.gateway_certificate)
        assert keys == self.ring.load(self.id)
        assert keys.gateway is not None
        return (keys.meter_certificate, keys.gateway.certificate, keys.renewing) == (own, gateway, None)

    def has_new(self) -> bool:
        kept, new = self.meter.meter.security, credentials("new", Curve.SECP256R1).certificate
        return new in {bytes(kept.own_certificate), bytes(kept.gateway_certificate)}


def frames_of_a_renewal(whose: str, folder: Path) -> int:
    """How many frames there are until TLS stands with the new certificates."""
    bench = Bench(folder)
    bench.frames = 0
    assert isinstance(bench.outcome(bench.renew(whose)), Answered)
    while not any(isinstance(event, SessionOpened) for event in bench.events):
        bench.bus.run(until=bench.bus.now + 0.01)
    assert bench.agrees()
    bench.close()
    return bench.frames


@pytest.mark.parametrize("whose", ["meter", "gateway"])
@pytest.mark.parametrize("restarts", ["nobody", "gateway", "meter", "both"])
def test_a_renewal_that_is_cut_anywhere_locks_nobody_out(whose: str, restarts: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    seen = set()
    for frame in range(1, frames_of_a_renewal(whose, whole) + 1):
        folder = tmp_path / str(frame)
        folder.mkdir()
        bench = Bench(folder)
        bench.frames_left = frame
        told = bench.outcome(bench.renew(whose), PULLED_S)
        bench.bus.run(until=bench.bus.now + PULLED_S)
        seen.add((type(told), bench.has_new()))
        bench.restart(restarts)
        assert isinstance(bench.read(), Answered), (frame, told)
        assert bench.agrees(), (frame, told)
        bench.close()
    assert seen >= {(RequestFailed, False), (RequestFailed, True), (Answered, True)}


@pytest.mark.parametrize("seed", range(4))
def test_renewals_on_a_line_that_is_cut_again_and_again(seed: int, tmp_path: Path) -> None:
    bench, random = Bench(tmp_path), Random(seed)  # noqa: S311 - the same run every time
    for number in range(12):
        bench.frames_left = random.randint(1, 40)
        bench.renew(random.choice(["meter", "gateway"]), f"number {number % 3}")
        bench.bus.run(until=bench.bus.now + random.uniform(0.5, PULLED_S))
        bench.restart(random.choice(["nobody", "gateway", "meter", "both"]))
        bench.bus.run(until=bench.bus.now + random.uniform(0.5, PULLED_S))
        bench.bus.plug(bench.meter)
    bench.frames_left = 0
    bench.bus.run(until=bench.bus.now + PULLED_S)
    assert isinstance(bench.read(), Answered)
    assert bench.agrees()
    bench.close()


def in_doubt(bench: Bench, **certificates: str) -> None:
    """Let the gateway begin again with others beside those that fit, or with others only."""
    first, second = (
        TlsCertificates(credentials(f"{name} gateway"), credentials(f"{name} meter").certificate)
        if name != "present"
        else bench.ring.load(bench.id).certificates
        for name in (certificates["first"], certificates["second"])
    )
    assert first is not None
    bench.watched = False
    bench.ring.store(bench.id, MeterKeys(gateway=first.gateway, meter_certificate=first.meter, renewing=second))
    bench.restart("gateway")


def test_the_others_are_tried_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    in_doubt(bench, first="wrong", second="present")
    bench.bus.run(until=bench.bus.now + 12.0)
    assert isinstance(bench.outcome(bench.gateway.read(bench.id, "1.8.0", now=bench.bus.now), 1.0), Answered)
    assert bench.agrees()
    bench.close()


def test_a_meter_that_refuses_a_certificate_without_a_word_is_shown_the_other(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    present = bench.ring.load(bench.id).certificates
    assert present is not None
    bench.watched = False
    bench.ring.store(
        bench.id, MeterKeys(gateway=credentials("wrong"), meter_certificate=present.meter, renewing=present)
    )
    send, kept_back = bench.meter.send, list[bytes]()

    def send_no_alert(data: bytes) -> None:
        (kept_back.append if data[0] == ALERT else send)(data)

    bench.meter.send = send_no_alert  # type: ignore[method-assign]
    bench.restart("gateway")
    assert isinstance(bench.read(), Answered)
    assert kept_back
    assert bench.agrees()
    bench.close()


def test_where_none_of_both_fit_a_request_fails_and_pauses_get_longer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    in_doubt(bench, first="wrong", second="other")
    bench.bus.run(until=bench.bus.now + 12.0)
    for pause_s in (0.0, 5.0, 10.0):
        asked_at = bench.bus.now
        found = bench.read()
        assert isinstance(found, RequestFailed)
        assert isinstance(found.error, SecurityError)
        assert pause_s - 1.5 < bench.bus.now - asked_at < pause_s + 0.5
        bench.bus.run(until=bench.bus.now + 1.0)
        assert sum(isinstance(event, SessionEnded) for event in bench.events) == 2  # each of them was tried
    assert bench.ring.load(bench.id).renewing is not None
    bench.close()


def test_a_refusal_leaves_no_doubt(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    wrong = Credentials(credentials("one").certificate, credentials("two").private_key)
    found = bench.outcome(bench.gateway.renew_meter(bench.id, wrong, now=bench.bus.now))
    assert isinstance(found, RequestFailed)
    assert "FE09" in str(found.error)
    assert bench.agrees()
    bench.close()


def test_an_answer_that_nobody_can_read_leaves_doubt_and_a_new_session_ends_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    answer = bench.meter.answer
    bench.meter.answer = lambda file, *, through_tls: answer(file, through_tls=through_tls)[:-20]  # type: ignore[method-assign]
    found = bench.outcome(bench.renew("gateway"))
    assert isinstance(found, RequestFailed)
    bench.meter.answer = answer  # type: ignore[method-assign]
    assert bench.has_new()
    assert isinstance(bench.read(), Answered)
    assert bench.agrees()
    bench.close()


@pytest.mark.parametrize("whose", ["meter", "gateway"])
def test_certificates_on_another_curve_are_not_sent(whose: str, tmp_path: Path) -> None:
    """TLS could not stand on them and those of the other end."""
    bench = Bench(tmp_path)
    frames = bench.frames
    found = bench.outcome(bench.renew(whose, "other curve", Curve.SECP384R1), 1.0)
    assert isinstance(found, RequestFailed)
    assert isinstance(found.error, SecurityError)
    assert "expected both on one curve" in str(found.error)
    assert bench.agrees()
    assert not [event for event in bench.events if isinstance(event, SessionEnded)]
    assert bench.frames - frames < 10  # there is nothing but polls
    bench.close()


def test_a_key_is_not_sent_in_clear(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.watched = False
    bench.ring.store(bench.id, MeterKeys())
    bench.meter.meter.security.paired = False
    bench.restart("gateway")
    found = bench.outcome(bench.renew("meter"))
    assert isinstance(found, RequestFailed)
    assert "expected a paired meter" in str(found.error)
    bench.close()


class Full(MemoryKeyRing):
    """Keys that cannot be kept any more."""

    def store(self, server_id: bytes, keys: MeterKeys) -> None:  # noqa: ARG002 - whatever they are
        msg = "no space"
        raise TransportError(msg)


def test_what_cannot_be_kept_is_not_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.ring = Full({bench.id: bench.ring.load(bench.id)})
    bench.restart("gateway")
    assert isinstance(bench.read(), Answered)
    found = bench.outcome(bench.renew("meter"), 1.0)
    assert isinstance(found, RequestFailed)
    assert str(found.error) == "no space"
    assert not bench.has_new()
    assert isinstance(bench.read(), Answered)
    bench.close()
