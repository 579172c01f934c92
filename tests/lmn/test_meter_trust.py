"""What a gateway trusts a meter by, step by step."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from e320proto.errors import SecurityError
from e320proto.lmn.certificates import Credentials
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys, TlsCertificates
from e320proto.lmn.meter_trust import MeterTrust
from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.requests import Renewal
from e320proto.lmn.tls import TlsContext, TlsEngine
from e320proto.obis import ObisCode
from tests.lmn.whole_stack import credentials

METER = b"meter"
OLD = TlsCertificates(credentials("gateway"), credentials("meter").certificate)
NEW = TlsCertificates(credentials("gateway"), credentials("new").certificate)
RENEWAL = Renewal(ObisCode.parse("1-0:94.49.2*1"), b"", meter_certificate=NEW.meter)


def a_trust(keys: MeterKeys | None = None) -> tuple[MeterTrust, MemoryKeyRing]:
    ring = MemoryKeyRing({METER: keys or MeterKeys().paired_by(OLD)})
    return MeterTrust(METER, ring, SecurityProfile()), ring


def an_engine() -> TlsEngine:
    """An engine of the gateway with a session that can be resumed."""
    trust, _ = a_trust()
    key = credentials("meter").private_key
    meter = TlsEngine(
        TlsContext(server=True, certificate=OLD.meter, private_key=key, peer_certificate=OLD.gateway.certificate)
    )
    engine = trust.engine()
    now = datetime.now(UTC).timestamp()
    meter.start(now=now)
    engine.start(now=now)
    for _ in range(3):
        for octets in engine.data_to_send():
            meter.receive_data(octets, now=now)
        for octets in meter.data_to_send():
            engine.receive_data(octets, now=now)
    assert engine.session is not None
    return engine


def sets(keys: MeterKeys) -> tuple[TlsCertificates | None, TlsCertificates | None]:
    return keys.certificates, keys.renewing


def test_new_ones_are_kept_before_they_are_sent() -> None:
    trust, ring = a_trust()
    trust.renew(RENEWAL)
    assert sets(trust.keys) == sets(ring.load(METER)) == (OLD, NEW)


def test_the_table() -> None:
    trust, ring = a_trust()
    trust.renew(RENEWAL)
    trust.settle()  # refused
    assert sets(ring.load(METER)) == (OLD, None)
    trust.renew(RENEWAL)
    trust.renewed()
    assert sets(ring.load(METER)) == (NEW, OLD)
    assert trust.fall_back()
    assert sets(trust.keys) == (OLD, NEW)
    assert not trust.fall_back()  # both were tried
    assert sets(trust.keys) == (NEW, OLD)
    trust.settle()
    assert sets(ring.load(METER)) == (NEW, None)
    assert not trust.fall_back()
    assert sets(trust.keys) == (NEW, None)


def test_in_doubt_no_session_is_resumed() -> None:
    """It would stand on the certificates that were seen when it began."""
    trust, _ = a_trust()
    engine = an_engine()
    trust.keep_session(engine)
    assert trust.session is engine.session
    trust.renew(RENEWAL)
    trust.keep_session(engine)
    assert trust.session is None


def test_a_pairing_and_its_end_leave_no_others() -> None:
    assert sets(MeterKeys().paired_by(OLD).unpaired()) == (None, None)
    assert sets(MeterKeys(renewing=NEW).paired_by(OLD)) == (OLD, None)
    assert MeterKeys().paired_by(OLD).swapped() == MeterKeys().paired_by(OLD)


def test_what_cannot_be_renewed() -> None:
    trust, ring = a_trust(MeterKeys())
    with pytest.raises(SecurityError, match="expected a paired meter, found none"):
        trust.renew(RENEWAL)
    assert ring.load(METER) == MeterKeys()
    trust, ring = a_trust()
    wrong = Credentials(credentials("one").certificate, credentials("two").private_key)
    with pytest.raises(SecurityError):
        trust.renew(Renewal(RENEWAL.code, b"", gateway=wrong))
    assert sets(ring.load(METER)) == (OLD, None)


def test_repr_shows_no_secret() -> None:
    shown = repr(MeterKeys(renewing=NEW))
    assert repr(NEW.gateway.private_key)[2:30] not in shown
    assert repr(NEW.meter)[2:30] not in shown
