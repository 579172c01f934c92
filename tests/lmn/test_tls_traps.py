"""One test for each trap of Python's ssl and OpenSSL that is known: it is there, and the engine does not step in it.

The numbers are those of the list of traps: T1, T2 and so on. T12 and T15 are in ``test_tls.py``.
"""

from __future__ import annotations

import os
import ssl
import stat
import tempfile
import time
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from e320proto.errors import SecurityError
from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.tls import TlsEngine, TlsState, _set_curve
from e320proto.lmn.tls_credentials import secret_file
from e320proto.lmn.tls_events import Failed, TlsEstablished, TlsEvent
from e320proto.lmn.tls_terms import NamedCurve
from tests.lmn.tls_peers import (
    BOTH_USAGES,
    GATEWAY,
    METER,
    Hello,
    Pair,
    context,
    extension,
    hello,
    identity,
    messages,
    new_identity,
    numbers,
    records,
)


def hello_of(curve: NamedCurve = NamedCurve.SECP256R1) -> Hello:
    gateway = TlsEngine(context(server=False, curve=curve))
    gateway.start(now=0)
    (flight,) = gateway.data_to_send()
    return Hello.of(flight)


def failed(events: list[TlsEvent]) -> SecurityError:
    (event,) = events
    assert isinstance(event, Failed)
    return event.error


@pytest.mark.parametrize("server", [False, True])
def test_t1_two_curves_are_refused_before_the_first_octet(server: bool) -> None:  # noqa: FBT001
    own, pin = (GATEWAY, METER) if not server else (METER, GATEWAY)
    with pytest.raises(SecurityError) as raised:
        context(server=server, own=identity(own), pin=identity(pin, NamedCurve.BRAINPOOLP384R1))
    assert str(raised.value) == (
        "certificates: expected both on one curve, found own on prime256v1 and the peer's on brainpoolP384r1"
    )


@pytest.mark.parametrize("curve", NamedCurve)
def test_t2_the_one_group_is_that_of_the_pins(curve: NamedCurve) -> None:
    groups = hello_of(curve).extensions[10]
    assert numbers(groups[2:]) == (curve.value,)


def test_t2_a_curve_that_openssl_lacks_is_told_clearly() -> None:
    with pytest.raises(SecurityError, match=r"expected an OpenSSL that has brainpoolP640r1, found OpenSSL .*has not"):
        _set_curve(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "brainpoolP640r1")


@pytest.mark.parametrize("curve", NamedCurve)
def test_t3_offered_are_more_signatures_than_ecdsa_but_it_is_used(curve: NamedCurve) -> None:
    offered = numbers(hello_of().extensions[13][2:])
    assert {0x0403, 0x0503, 0x0603} < set(offered)  # with RSA and SHA-1: it cannot be set
    meter = TlsEngine(context(server=True, curve=curve))
    meter.start(now=0)
    meter.receive_data(hello(), now=0)
    exchange = next(content for kind, content in messages(meter.data_to_send()[0]) if kind == 12)
    algorithm = int.from_bytes(exchange[4 + exchange[3] : 6 + exchange[3]])
    assert algorithm in {0x0403, 0x0503, 0x0603}


def test_t4_usages_of_a_certificate_have_to_be_both_or_none() -> None:
    server_only = (ExtendedKeyUsageOID.SERVER_AUTH,)
    for usages, expected in ((server_only, TlsState.FAILED), (BOTH_USAGES, None), ((), None)):
        own = new_identity(GATEWAY, usages=usages)
        pair = Pair(context(server=False, own=own), context(server=True, pin=own)).handshake()
        assert pair.meter.state is (expected or TlsState.ESTABLISHED)
        if expected:
            assert "unsuitable certificate purpose" in str(failed(pair.meter_events))


@pytest.mark.parametrize("days", [(-100, -1), (1, 100)])
def test_t5_a_meter_has_no_clock_and_a_gateway_compares_dates(days: tuple[int, int]) -> None:
    stale = new_identity(GATEWAY, days=days)
    pair = Pair(context(server=False, own=stale), context(server=True, pin=stale)).handshake()
    assert pair.meter.state is TlsState.ESTABLISHED
    stale = new_identity(METER, days=days)
    meter = context(server=True, own=stale)
    pair = Pair(context(server=False, pin=stale), meter).handshake()
    assert failed(pair.gateway_events).alert == ("certificate_expired" if days[1] < 0 else "bad_certificate")
    for check in ("warn", "off"):
        profile = SecurityProfile(cert_time_check=check)
        pair = Pair(context(server=False, pin=stale, profile=profile), meter).handshake()
        (established,) = pair.gateway_events
        assert isinstance(established, TlsEstablished)
        assert not established.peer_valid_from < time.time() < established.peer_valid_until


def test_t6_the_same_name_with_another_key() -> None:
    pair = Pair(meter=context(server=True, pin=new_identity(GATEWAY))).handshake()
    assert "(code 18)" in str(failed(pair.meter_events))
    assert pair.flights[-1][1].hex() == "15030300020230"


def test_t6_the_same_name_and_key_in_another_certificate() -> None:
    renewed = new_identity(METER, key=identity(METER).key)
    pair = Pair(context(server=False, pin=renewed)).handshake()
    assert pair.gateway.state is TlsState.FAILED
    assert pair.gateway.session is None


def test_t7_no_tickets() -> None:
    assert 35 not in hello_of().extensions
    meter = TlsEngine(context(server=True))
    meter.start(now=0)
    meter.receive_data(hello(), now=0)  # offers an empty one
    server_hello = messages(meter.data_to_send()[0])[0][1]
    assert extension(35, b"") not in server_hello
    assert len(Pair().handshake().flights[3][1]) <= 91


def test_t8_a_session_is_of_its_context() -> None:
    gateway, meter = context(server=False), context(server=True)
    first = Pair(gateway, meter).handshake()
    first.meter.link_closed(now=0)
    for other in ((context(server=False), meter), (gateway, context(server=True)), (gateway, meter)):
        again = Pair(*other, first.gateway.session).handshake()
        (established,) = again.gateway_events
        assert isinstance(established, TlsEstablished)
        assert established.resumed == (other == (gateway, meter))
        again.meter.link_closed(now=0)


@pytest.mark.parametrize("side", ["gateway", "meter"])
@pytest.mark.parametrize("again", [False, True])
def test_t9_the_pin_is_compared_after_every_handshake(side: str, again: bool) -> None:  # noqa: FBT001
    gateway, meter = context(server=False), context(server=True)
    session = None
    if again:
        first = Pair(gateway, meter).handshake()
        first.meter.link_closed(now=0)
        session = first.gateway.session
    changed = gateway if side == "gateway" else meter
    changed._pin = new_identity(METER).certificate  # OpenSSL goes on with the one it was told before
    pair = Pair(gateway, meter, session).handshake()
    events = pair.gateway_events if side == "gateway" else pair.meter_events
    assert str(failed(events)) == "TLS handshake: expected the pinned certificate of the peer, found another one"
    assert pair.gateway.state in {TlsState.FAILED, TlsState.CLOSED}
    assert pair.meter.state in {TlsState.FAILED, TlsState.CLOSED}
    pair = Pair(gateway, meter, session).handshake()
    established = [event for event in pair.gateway_events + pair.meter_events if isinstance(event, TlsEstablished)]
    assert not any(event.resumed for event in established)


def test_a_suite_that_was_not_offered_is_refused_after_the_handshake() -> None:
    gateway = context(server=False)
    del gateway._suites["ECDHE-ECDSA-AES128-SHA256"]
    pair = Pair(gateway).handshake()
    assert str(failed(pair.gateway_events)).endswith("found TLSv1.2 with ECDHE-ECDSA-AES128-SHA256")


def test_t10_openssl_lets_sessions_live_two_hours_and_the_engine_counts_itself() -> None:
    pair = Pair().handshake(now=1000)
    session = pair.gateway.session
    assert session is not None
    assert session.ssl_session.timeout == 7200
    assert pair.gateway.next_timeout() == 1000 + 31 * 86_400


def test_t11_a_key_is_in_memory_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o500)
    before = set(Path("/proc/self/fd").iterdir())
    with secret_file(b"secret") as path:
        assert path.startswith("/proc/self/fd/")
        assert Path(path).read_bytes() == b"secret"
        assert "memfd" in str(Path(path).readlink())
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert not list(tmp_path.iterdir())


def test_t11_without_memory_files_the_file_is_ours_alone_and_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with secret_file(b"secret") as path:
        assert Path(path).read_bytes() == b"secret"
        assert Path(path).parent == tmp_path
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert not list(tmp_path.iterdir())
    assert Pair(context(server=False)).handshake().gateway.state is TlsState.ESTABLISHED
    with pytest.raises(SecurityError, match="key values mismatch"):
        context(server=False, own=type(identity(METER))(identity(METER).key, identity(GATEWAY).certificate))
    assert not list(tmp_path.iterdir())


def test_t13_exactly_the_four_suites_are_offered() -> None:
    assert hello_of().suites == (0xC02B, 0xC02C, 0xC023, 0xC024, 0x00FF)


def test_t14_a_largest_fragment_is_not_offered_but_honoured() -> None:
    assert 1 not in hello_of().extensions
    meter = TlsEngine(context(server=True))
    meter.start(now=0)
    meter.receive_data(hello(more=extension(1, b"\x01")), now=0)
    (flight,) = meter.data_to_send()
    assert max(len(content) for _, content in records(flight)) <= 512
    assert extension(1, b"\x01") in messages(flight)[0][1]


def test_t16_what_is_automatic_and_that_an_older_peer_has_it_not() -> None:
    assert {22, 23, 11, 10, 13} == set(hello_of().extensions)  # EtM, EMS, point formats, groups, signatures
    profile = SecurityProfile(gateway_cipher_order=(0xC023,))
    older = context(server=False, profile=profile)
    older._ssl_context.options |= 1 << 19 | 1 << 0
    pair = Pair(older).handshake()
    assert pair.meter.state is TlsState.ESTABLISHED
    assert not {22, 23} & set(Hello.of(pair.flights[0][1]).extensions)
    pair.gateway.send(bytes(100))
    assert [len(record) for record in pair.gateway.data_to_send()] == [165]


def test_t17_tls_1_2_alone() -> None:
    found = hello_of()
    assert found.version == 0x0303
    assert 43 not in found.extensions  # supported_versions


@pytest.mark.parametrize("curve", NamedCurve)
def test_t18_the_alert_is_there_although_openssl_raised(curve: NamedCurve) -> None:
    gateway = context(server=False, curve=curve, pin=new_identity("another.SM", curve))
    pair = Pair(gateway, context(server=True, curve=curve)).handshake()
    assert pair.flights[-1] == ("C", bytes.fromhex("15030300020230"))


def test_t19_the_security_level_is_that_of_the_system() -> None:
    for server in (False, True):
        usual = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        assert context(server=server)._ssl_context.security_level == usual.security_level < 4


def test_no_compression_no_server_name_no_early_session() -> None:
    found = hello_of()
    assert found.compressions == b"\x00"
    assert 0 not in found.extensions
    assert found.session_id == b""


def test_the_time_is_not_in_the_hello() -> None:
    times = [int.from_bytes(hello_of().random[:4]) for _ in range(4)]
    assert len(set(times)) == 4
    assert not all(abs(found - time.time()) < 86_400 for found in times)


def test_what_openssl_said_is_chained_without_the_frames_that_held_keys() -> None:
    pair = Pair(context(server=False, pin=new_identity("another.SM"))).handshake()
    cause = failed(pair.gateway_events).__cause__
    assert isinstance(cause, ssl.SSLCertVerificationError)
    assert cause.__traceback__ is None
