"""The TLS engine, both roles against each other: handshake, data, end, resumption, limits, refusals, latching."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e320proto.errors import LocalProtocolError, SecurityError
from e320proto.lmn.certificates import Curve
from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.tls import TlsContext, TlsEngine, TlsState, supported_curves
from e320proto.lmn.tls_events import Failed, PlainReceived, TlsClosed, TlsEstablished, TlsLimitReached
from e320proto.lmn.tls_terms import CipherSuite
from tests.lmn.tls_peers import GATEWAY, METER, Pair, context, hello, identity, messages, new_identity, records

if TYPE_CHECKING:
    from collections.abc import Sequence

CBC = SecurityProfile(meter_cipher_order=(0xC023,), gateway_cipher_order=(0xC023,))
DAY = 86_400.0


def only(suite: int) -> SecurityProfile:
    return SecurityProfile(meter_cipher_order=(suite,), gateway_cipher_order=(suite,))


def failure(events: Sequence[object]) -> SecurityError:
    (failed,) = events
    assert isinstance(failed, Failed)
    return failed.error


# --- handshake ----------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("suite", CipherSuite)
def test_every_suite_on_every_curve(suite: CipherSuite, curve: Curve) -> None:
    profile = only(suite.value)
    pair = Pair(
        context(server=False, curve=curve, profile=profile), context(server=True, curve=curve, profile=profile)
    ).handshake()
    for (event,) in pair.events():
        assert isinstance(event, TlsEstablished)
        assert (event.cipher, event.curve, event.resumed) == (suite, curve, False)
        assert event.peer_valid_until - event.peer_valid_from == 7 * 365 * DAY
    pair.gateway.send(b"request")
    pair.meter.send(b"response")
    pair.run()
    assert pair.events() == ([PlainReceived(b"response")], [PlainReceived(b"request")])


@pytest.mark.parametrize(
    ("curve", "cbc", "gcm"),
    [
        (Curve.SECP256R1, 1540 - 2 * 361, 1457 - 2 * 361),
        (Curve.BRAINPOOL_P256R1, 1538 - 2 * 362, 1455 - 2 * 362),
        (Curve.SECP384R1, 1792 - 2 * 424, 1710 - 2 * 424),
        (Curve.BRAINPOOL_P384R1, 1795 - 2 * 426, 1710 - 2 * 426),
        (Curve.BRAINPOOL_P512R1, 2062 - 2 * 495, 1979 - 2 * 495),
    ],
)
def test_flights_have_the_sizes_that_were_measured(curve: Curve, cbc: int, gcm: int) -> None:
    certificates = sum(len(identity(name, curve).certificate) for name in (METER, GATEWAY))
    for suite, others in ((0xC023, cbc), (0xC02B, gcm)):
        profile = only(suite)
        pair = Pair(
            context(server=False, curve=curve, profile=profile), context(server=True, curve=curve, profile=profile)
        ).handshake()
        assert [side for side, _ in pair.flights] == ["C", "S", "C", "S"]
        sizes = [len(flight) for _, flight in pair.flights]
        assert sum(sizes) - certificates == pytest.approx(others, abs=9)  # by the length of the signatures
        assert (sizes[0], sizes[3]) == (124, 91 if suite == CBC.meter_cipher_order[0] else 51)
        assert max(sizes) <= 1011  # an I frame


def test_the_meter_chooses_in_its_own_order_t12() -> None:
    pair = Pair().handshake()
    established = pair.meter_events[0]
    assert isinstance(established, TlsEstablished)
    assert established.cipher is CipherSuite.ECDHE_ECDSA_AES_128_CBC_SHA256
    first = SecurityProfile(meter_cipher_order=(0xC02C, 0xC023))
    pair = Pair(meter=context(server=True, profile=first)).handshake()
    established = pair.meter_events[0]
    assert isinstance(established, TlsEstablished)
    assert established.cipher is CipherSuite.ECDHE_ECDSA_AES_256_GCM_SHA384


@pytest.mark.parametrize("form", ["sec1", "pkcs8"])
def test_a_key_is_taken_in_both_forms(form: str) -> None:
    own = identity(METER)
    same = TlsContext(
        server=True,
        certificate=own.certificate,
        private_key=getattr(own, form),
        peer_certificate=identity(GATEWAY).certificate,
    )
    assert Pair(meter=same).handshake().meter.state is TlsState.ESTABLISHED


def test_one_octet_at_a_time_gives_the_same() -> None:
    pair = Pair()
    pair.meter.start(now=0)
    pair.gateway.start(now=0)
    gateway, meter = [], []
    for _ in range(3):
        for octet in b"".join(pair.gateway.data_to_send()):
            meter += pair.meter.receive_data(bytes((octet,)), now=0)
        for octet in b"".join(pair.meter.data_to_send()):
            gateway += pair.gateway.receive_data(bytes((octet,)), now=0)
    assert [type(event) for event in gateway + meter] == [TlsEstablished, TlsEstablished]
    pair.gateway.send(b"x")
    record = b"".join(pair.gateway.data_to_send())
    assert [pair.meter.receive_data(record[at : at + 1], now=0) for at in range(len(record))] == [
        *[[]] * (len(record) - 1),
        [PlainReceived(b"x")],
    ]


def test_a_large_message_goes_in_records_of_the_size_of_a_chunk() -> None:
    pair = Pair(context(server=False, profile=CBC)).handshake()
    pair.events()
    pair.gateway.send(bytes(1200))
    items = pair.gateway.data_to_send()
    assert [len(item) for item in items] == [581, 581, 245]
    assert [len(records(item)) for item in items] == [1, 1, 1]
    assert pair.meter.receive_data(b"".join(items), now=0) == [PlainReceived(bytes(1200))]


@pytest.mark.parametrize(("suite", "octets"), [(0xC023, 165), (0xC024, 181), (0xC02B, 129), (0xC02C, 129)])
def test_size_of_a_record_of_100_octets(suite: int, octets: int) -> None:
    pair = Pair(context(server=False, profile=only(suite))).handshake()
    pair.gateway.send(bytearray(100))
    assert [len(item) for item in pair.gateway.data_to_send()] == [octets]


def test_nothing_is_sent_for_nothing() -> None:
    pair = Pair().handshake()
    pair.gateway.send(b"")
    assert pair.gateway.data_to_send() == []


# --- the hello of a real gateway, and others built by hand ---------------------------------------


@pytest.mark.parametrize("curve", Curve)
def test_the_hello_of_a_real_gateway_is_answered(curve: Curve) -> None:
    meter = TlsEngine(context(server=True, curve=curve))
    meter.start(now=0)
    assert meter.receive_data(hello(), now=0) == []
    (flight,) = meter.data_to_send()
    answer = messages(flight)
    assert [kind for kind, _ in answer] == [2, 11, 12, 13, 14]  # ServerHello ... ServerHelloDone
    server_hello, _, key_exchange, _, _ = (content for _, content in answer)
    assert server_hello[:2] == b"\x03\x03"
    after_id = 35 + server_hello[34]
    assert server_hello[after_id : after_id + 3] in {b"\xc0\x23\x00", b"\xc0\x2b\x00"}  # and no compression
    assert key_exchange[0] == 3  # a named curve
    assert int.from_bytes(key_exchange[1:3]) == curve.value
    assert key_exchange[4] == 4  # an uncompressed point


def test_a_gateway_with_one_group_and_another_order_is_answered() -> None:
    meter = TlsEngine(context(server=True))
    meter.start(now=0)
    meter.receive_data(hello(suites=(0xC02B, 0xC02C, 0xC023, 0xC024), groups=(23,)), now=0)
    assert [kind for kind, _ in messages(meter.data_to_send()[0])] == [2, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("case", "wire", "alert"),
    [
        ({"suites": (0xC02F,)}, "15030300020228", "handshake_failure"),  # RSA
        ({"suites": (0xC009, 0xC0AC, 0x1301)}, "15030300020228", "handshake_failure"),  # CBC-SHA1, CCM, TLS 1.3
        ({"groups": (24,)}, "15030300020228", "handshake_failure"),
        ({"version": 0x0302}, "15030200020246", "protocol_version"),
        ({"version": 0x0301}, "15030100020246", "protocol_version"),
    ],
)
def test_a_foreign_hello_is_refused(case: dict[str, int], wire: str, alert: str) -> None:
    meter = TlsEngine(context(server=True))
    meter.start(now=0)
    error = failure(meter.receive_data(hello(**case), now=0))  # type: ignore[arg-type]
    assert error.alert == alert
    assert [item.hex() for item in meter.data_to_send()] == [wire]
    assert meter.state is TlsState.FAILED


# --- the end ------------------------------------------------------------------------------------


def test_the_gateway_closes_and_the_meter_answers() -> None:
    pair = Pair(context(server=False, profile=CBC)).handshake()
    pair.events()
    assert pair.gateway.close(now=0) == []
    assert pair.gateway.state is TlsState.CLOSING
    (notify,) = pair.gateway.data_to_send()
    assert len(notify) == 69
    assert pair.meter.receive_data(notify, now=0) == [TlsClosed(clean=True)]
    (answer,) = pair.meter.data_to_send()
    assert len(answer) == 69
    assert pair.gateway.receive_data(answer, now=0) == [TlsClosed(clean=True)]
    assert pair.gateway.data_to_send() == []
    assert (pair.gateway.state, pair.meter.state) == (TlsState.CLOSED, TlsState.CLOSED)


def test_what_the_peer_sent_before_it_heard_of_the_end_arrives() -> None:
    pair = Pair().handshake()
    pair.events()
    pair.meter.send(b"late")
    pair.gateway.close(now=0)
    pair.run()
    assert pair.events() == ([PlainReceived(b"late"), TlsClosed(clean=True)], [TlsClosed(clean=True)])


def test_octets_and_close_notify_in_one_piece() -> None:
    pair = Pair().handshake()
    pair.gateway.send(b"last")
    pair.gateway.close(now=0)
    piece = b"".join(pair.gateway.data_to_send())
    assert pair.meter.receive_data(piece, now=0) == [PlainReceived(b"last"), TlsClosed(clean=True)]


def test_after_the_end_nothing_is_told_and_nothing_taken() -> None:
    pair = Pair().handshake()
    pair.gateway.close(now=0)
    pair.run()
    for engine in (pair.gateway, pair.meter):
        assert engine.receive_data(b"anything", now=1) == []
        assert engine.close(now=1) == engine.link_closed(now=1) == engine.handle_timeout(now=1e9) == []
        assert engine.data_to_send() == []
        with pytest.raises(LocalProtocolError, match="send: expected established, found closed"):
            engine.send(b"x")


def test_a_handshake_can_be_given_up() -> None:
    gateway = TlsEngine(context(server=False))
    gateway.start(now=0)
    assert gateway.close(now=0) == [TlsClosed(clean=False)]
    assert gateway.next_timeout() is None


def test_a_link_that_is_gone_is_an_unclean_end_t15() -> None:
    pair = Pair().handshake()
    pair.gateway.send(b"too late")
    assert pair.gateway.link_closed(now=0) == [TlsClosed(clean=False)]
    assert pair.gateway.link_closed(now=0) == []
    assert pair.gateway.data_to_send() == []
    waiting = TlsEngine(context(server=True))
    waiting.start(now=0)
    assert waiting.link_closed(now=0) == [TlsClosed(clean=False)]


def test_calls_at_the_wrong_moment_change_nothing() -> None:
    engine = TlsEngine(context(server=False))
    with pytest.raises(LocalProtocolError, match="receive_data: expected handshake, found idle"):
        engine.receive_data(b"x", now=0)
    with pytest.raises(LocalProtocolError, match="send: expected established, found idle"):
        engine.send(b"x")
    engine.start(now=0)
    with pytest.raises(LocalProtocolError, match="start: expected idle, found handshake"):
        engine.start(now=0)
    assert engine.state is TlsState.HANDSHAKE


# --- resumption ---------------------------------------------------------------------------------


def resumed(pair: Pair) -> bool:
    (gateway,), (meter,) = pair.events()
    assert isinstance(gateway, TlsEstablished)
    assert isinstance(meter, TlsEstablished)
    assert gateway.resumed == meter.resumed
    return gateway.resumed


@pytest.mark.parametrize("end", ["close", "link"])
def test_a_session_is_resumed_in_432_octets(end: str) -> None:
    gateway, meter = context(server=False, profile=CBC), context(server=True, profile=CBC)
    first = Pair(gateway, meter).handshake()
    assert not resumed(first)
    if end == "close":
        first.gateway.close(now=1)
        first.run(1)
    else:
        first.gateway.link_closed(now=1)
        first.meter.link_closed(now=1)
    second = Pair(gateway, meter, first.gateway.session).handshake(now=2)
    assert [(side, len(flight)) for side, flight in second.flights] == [("C", 156), ("S", 185), ("C", 91)]
    assert resumed(second)
    second.gateway.send(b"goes on")
    second.run()
    assert second.meter_events == [PlainReceived(b"goes on")]
    assert resumed(Pair(gateway, meter, second.gateway.session).handshake(now=3))


def test_without_resumption_neither_side_does_it() -> None:
    off = SecurityProfile(tls_resumption=False)
    for profiles in ((off, None), (None, off)):
        gateway, meter = context(server=False, profile=profiles[0]), context(server=True, profile=profiles[1])
        first = Pair(gateway, meter).handshake()
        first.meter.link_closed(now=0)
        assert not resumed(Pair(gateway, meter, first.gateway.session).handshake())


def test_a_session_is_resumed_only_while_it_lives() -> None:
    gateway, meter = context(server=False), context(server=True)
    first = Pair(gateway, meter).handshake(now=100)
    first.meter.link_closed(now=0)
    late = 100 + 31 * DAY
    for now, expected in ((late - 1, True), (late, False)):
        again = Pair(gateway, meter, first.gateway.session).handshake(now)
        assert resumed(again) == expected
        again.meter.link_closed(now=now)


def test_forgotten_sessions_are_not_resumed() -> None:
    for side in ("gateway", "meter"):
        gateway, meter = context(server=False), context(server=True)
        first = Pair(gateway, meter).handshake()
        first.meter.link_closed(now=0)
        (gateway if side == "gateway" else meter).forget_sessions()
        assert not resumed(Pair(gateway, meter, first.gateway.session).handshake())


def test_a_failed_session_is_not_resumed() -> None:
    gateway, meter = context(server=False), context(server=True)
    pair = Pair(gateway, meter).handshake()
    session = pair.gateway.session
    pair.meter.send(b"x" * 100)
    record = bytearray(pair.meter.data_to_send()[0])
    record[50] ^= 1
    failure(pair.gateway.receive_data(record, now=0))
    assert pair.gateway.session is None
    pair.meter.link_closed(now=0)
    assert len(Pair(gateway, meter, session).handshake().flights[0][1]) < 156


def test_a_session_whose_resumption_failed_is_not_offered_again() -> None:
    gateway, meter = context(server=False), context(server=True)
    pair = Pair(gateway, meter).handshake()
    session = pair.gateway.session
    again = TlsEngine(gateway, session)
    again.start(now=0)
    assert len(again.data_to_send()[0]) > 156
    assert failure(again.receive_data(bytes.fromhex("15030300020228"), now=0)).alert == "handshake_failure"
    pair.meter.link_closed(now=0)
    assert not resumed(Pair(gateway, meter, session).handshake())


# --- limits -------------------------------------------------------------------------------------


def test_the_gateway_ends_a_session_after_31_days() -> None:
    gateway, meter = context(server=False), context(server=True)
    pair = Pair(gateway, meter).handshake(now=50)
    assert pair.gateway.next_timeout() == 50 + 31 * DAY
    assert pair.meter.next_timeout() is None
    pair.meter.link_closed(now=60)
    second = Pair(gateway, meter, pair.gateway.session).handshake(now=70)
    assert second.gateway.next_timeout() == 50 + 31 * DAY  # counted from the full handshake
    assert second.gateway.handle_timeout(now=50 + 31 * DAY - 1) == []
    assert second.gateway.handle_timeout(now=50 + 31 * DAY) == [TlsLimitReached("life")]
    assert second.gateway.handle_timeout(now=50 + 32 * DAY) == []
    assert second.gateway.next_timeout() is None
    second.gateway.send(b"the running exchange is finished")
    second.events()
    second.gateway.close(now=50 + 32 * DAY)
    second.run(50 + 32 * DAY)
    assert second.events() == (
        [TlsClosed(clean=True)],
        [PlainReceived(b"the running exchange is finished"), TlsClosed(clean=True)],
    )


def test_the_gateway_ends_a_session_of_too_many_octets() -> None:
    profile = replace(CBC, tls_volume_max=4000)
    gateway, meter = context(server=False, profile=profile), context(server=True)
    pair = Pair(gateway, meter).handshake()
    before = sum(len(flight) for _, flight in pair.flights)
    pair.events()
    pair.meter.link_closed(now=0)
    pair = Pair(gateway, meter, pair.gateway.session).handshake()
    pair.events()
    carried = before + 432
    while carried + 165 < 4000:
        pair.gateway.send(bytes(100))
        assert pair.run().gateway_events == []
        carried += 165
    pair.gateway.send(bytes(100))  # reaches it; told when the answer is here
    pair.run()
    pair.meter.send(b"answer")
    pair.run()
    assert pair.gateway_events == [PlainReceived(b"answer"), TlsLimitReached("volume")]
    pair.meter.link_closed(now=0)
    last = Pair(gateway, meter, pair.gateway.session).handshake()
    assert not resumed(last)


def test_no_volume_limit() -> None:
    profile = SecurityProfile(tls_volume_max=0)
    pair = Pair(context(server=False, profile=profile)).handshake()
    pair.events()
    pair.meter.send(bytes(100_000))
    assert [type(event) for event in pair.run().gateway_events] == [PlainReceived] * 196


def test_a_meter_can_keep_the_limits_too() -> None:
    profile = SecurityProfile(meter_enforces_limits=True, tls_session_max_s=1000)
    gateway, meter = context(server=False), context(server=True, profile=profile)
    first = Pair(gateway, meter).handshake(now=10)
    assert first.meter.next_timeout() == 1010
    first.meter.link_closed(now=20)
    second = Pair(gateway, meter, first.gateway.session).handshake(now=900)
    assert resumed(second)
    assert second.meter.next_timeout() == 1010
    assert second.meter.handle_timeout(now=1010) == [TlsLimitReached("life")]
    second.meter.link_closed(now=20)
    third = Pair(gateway, meter, first.gateway.session).handshake(now=1011)
    assert third.meter_events[1:] == [TlsLimitReached("life")]


def test_a_session_too_far_back_to_be_remembered_has_reached_its_limit() -> None:
    profile = SecurityProfile(meter_enforces_limits=True)
    gateway, meter = context(server=False), context(server=True, profile=profile)
    first = Pair(gateway, meter).handshake()
    first.meter.link_closed(now=0)
    for _ in range(16):
        assert not resumed(Pair(gateway, meter).handshake())
    again = Pair(gateway, meter, first.gateway.session).handshake()
    assert again.meter_events[1:] == [TlsLimitReached("life")]


def test_a_gateway_may_resume_any_session_it_kept() -> None:
    gateway, meter = context(server=False), context(server=True)
    pair = Pair(gateway, meter).handshake(now=10)
    for _ in range(20):
        assert not resumed(Pair(gateway, meter).handshake(now=20))
    for _ in range(2):
        pair.meter.link_closed(now=30)
        pair.events()
        pair = Pair(gateway, meter, pair.gateway.session).handshake(now=30)
        assert resumed(pair)
        assert pair.gateway.next_timeout() == 10 + 31 * DAY


def test_a_handshake_has_to_end_in_time() -> None:
    gateway = TlsEngine(context(server=False))
    gateway.start(now=5)
    assert gateway.next_timeout() == 65
    assert gateway.handle_timeout(now=64.9) == []
    error = failure(gateway.handle_timeout(now=65))
    assert str(error) == "TLS handshake: expected its end within 60 s, found it unfinished"
    assert gateway.next_timeout() is None


# --- refusals -----------------------------------------------------------------------------------


def test_the_gateway_expects_another_meter() -> None:
    pair = Pair(context(server=False, pin=new_identity("another.SM"))).handshake()
    assert pair.flights[-1] == ("C", bytes.fromhex("15030300020230"))
    gateway, meter = (failure(events) for events in pair.events())
    assert str(gateway).endswith("expected the records of the pinned peer, found self-signed certificate (code 18)")
    assert str(meter).endswith("found the peer's alert unknown_ca")
    assert (gateway.alert, meter.alert) == ("unknown_ca", "unknown_ca")
    assert gateway.__cause__ is not None


def test_the_meter_expects_another_gateway() -> None:
    pair = Pair(meter=context(server=True, pin=new_identity("another.SMGW"))).handshake()
    assert pair.flights[-1] == ("S", bytes.fromhex("15030300020230"))
    gateway, meter = (failure(events) for events in pair.events())
    assert (gateway.alert, meter.alert) == ("unknown_ca", "unknown_ca")


def test_no_common_suite() -> None:
    pair = Pair(context(server=False, profile=only(0xC02C)), context(server=True, profile=CBC)).handshake()
    assert pair.flights[-1] == ("S", bytes.fromhex("15030300020228"))
    gateway, meter = (failure(events) for events in pair.events())
    assert str(meter) == "TLS handshake: expected the records of the pinned peer, found no shared cipher"
    assert (gateway.alert, meter.alert) == ("handshake_failure", "handshake_failure")


def test_two_curves_have_nothing_in_common() -> None:
    pair = Pair(
        context(server=False, curve=Curve.SECP256R1), context(server=True, curve=Curve.BRAINPOOL_P256R1)
    ).handshake()
    assert failure(pair.meter_events).alert == "handshake_failure"


@pytest.mark.parametrize(("suite", "alert_octets"), [(0xC023, 69), (0xC02B, 31)])
def test_a_changed_record_is_answered_with_an_encrypted_alert(suite: int, alert_octets: int) -> None:
    pair = Pair(context(server=False, profile=only(suite))).handshake()
    pair.events()
    pair.gateway.send(b"good")
    pair.gateway.send(b"changed")
    good, changed = pair.gateway.data_to_send()
    octets = bytearray(good + changed)
    octets[-1] ^= 0x80
    told, failed = pair.meter.receive_data(octets, now=0)
    assert told == PlainReceived(b"good")
    assert failure([failed]).alert == "bad_record_mac"
    (alert,) = pair.meter.data_to_send()
    assert len(alert) == alert_octets
    error = failure(pair.gateway.receive_data(alert, now=0))
    assert str(error).endswith("found the peer's alert bad_record_mac")


def test_a_truncated_record_waits_and_fails_with_what_follows() -> None:
    pair = Pair().handshake()
    pair.gateway.send(b"one")
    pair.gateway.send(b"two")
    one, two = pair.gateway.data_to_send()
    assert pair.meter.receive_data(one[:-20], now=0) == []
    assert failure(pair.meter.receive_data(two, now=0)).alert == "bad_record_mac"


@pytest.mark.parametrize(
    ("octets", "alert", "wire"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", None, ""),
        (bytes.fromhex("1B1B1B1B01010101"), None, ""),
        (bytes.fromhex("160301000501000001"), None, ""),  # waits for the fifth octet
        (bytes.fromhex("16030100050100000100"), "decode_error", "15030300020232"),
        (bytes.fromhex("17030300053132333435"), "unexpected_message", "1503030002020a"),
        (bytes.fromhex("160301FFFF00"), "record_overflow", "15030300020216"),
    ],
)
def test_octets_that_are_no_hello(octets: bytes, alert: str | None, wire: str) -> None:
    meter = TlsEngine(context(server=True))
    meter.start(now=0)
    events = meter.receive_data(octets, now=0)
    assert b"".join(meter.data_to_send()).hex() == wire
    if wire or octets[0] != 0x16:
        assert failure(list(events)).alert == alert


def test_close_notify_in_the_handshake() -> None:
    gateway = TlsEngine(context(server=False))
    gateway.start(now=0)
    error = failure(gateway.receive_data(bytes.fromhex("15030300020100"), now=0))
    assert str(error).endswith("found the peer's close_notify")
    assert error.alert == "close_notify"


def test_a_record_that_cannot_be_encrypted_is_a_failure() -> None:
    pair = Pair().handshake()
    pair.events()
    assert pair.gateway._tls is not None
    pair.gateway._say_goodbye(pair.gateway._tls)  # behind the engine's back
    pair.gateway.send(b"x" * 2000)
    assert pair.gateway.state is TlsState.FAILED
    error = failure(pair.gateway.receive_data(b"", now=0))
    assert str(error) == "TLS established: expected to encrypt a record, found protocol is shutdown"


def test_after_a_failure_the_engine_is_latched() -> None:
    pair = Pair(context(server=False, pin=new_identity("another.SM"))).handshake()
    for engine in (pair.gateway, pair.meter):
        assert engine.state is TlsState.FAILED
        assert engine.session is None
        assert engine.next_timeout() is None
        assert engine.receive_data(hello(), now=1) == []
        assert engine.close(now=1) == engine.link_closed(now=1) == engine.handle_timeout(now=1e9) == []
        assert engine.data_to_send() == []
        with pytest.raises(LocalProtocolError, match="send: expected established, found failed"):
            engine.send(b"x")


# --- credentials --------------------------------------------------------------------------------


def made_with(**changes: bytes) -> None:
    own = identity(METER)
    values = {
        "certificate": own.certificate,
        "private_key": own.sec1,
        "peer_certificate": identity(GATEWAY).certificate,
    } | changes
    TlsContext(
        server=True,
        certificate=values["certificate"],
        private_key=values["private_key"],
        peer_certificate=values["peer_certificate"],
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"private_key": identity(GATEWAY).sec1}, "found key values mismatch"),
        ({"private_key": b"\x30\x03\x02\x01\x07"}, "private key: expected an unencrypted SEC 1 or PKCS #8 key"),
        ({"private_key": b""}, "private key: expected an unencrypted SEC 1 or PKCS #8 key"),
        ({"private_key": identity(METER).sec1[:60]}, "private key: expected an unencrypted SEC 1 or PKCS #8 key"),
        ({"private_key": bytes.fromhex("3003020101")}, "private key: expected an unencrypted SEC 1 or PKCS #8 key"),
        (
            {"certificate": identity(METER).certificate[:-1]},
            "certificate: expected an X.509 certificate in DER, found other octets",
        ),
        ({"peer_certificate": b""}, "certificate: expected an X.509 certificate in DER, found other octets"),
        (
            {"peer_certificate": identity(GATEWAY, Curve.SECP384R1).certificate},
            "expected both on one curve, found own on prime256v1 and the peer's on secp384r1",
        ),
    ],
)
def test_credentials_that_do_not_fit_are_refused(changes: dict[str, bytes], message: str) -> None:
    with pytest.raises(SecurityError, match=message):
        made_with(**changes)


@pytest.mark.parametrize("order", [(), (0xC023, 0x1301)])
def test_suites_that_the_lmn_does_not_allow_are_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="meter_cipher_order: expected any of C023, C02B, C024 and C02C, found"):
        SecurityProfile(meter_cipher_order=order)


def test_nothing_secret_is_shown_or_stored() -> None:
    own = identity(METER)
    pair = Pair().handshake()
    shown = repr((pair.gateway, pair.meter, pair.gateway.session, context(server=True), pair.events()))
    secret = own.key.private_numbers().private_value.to_bytes(32)
    assert all(text not in shown for text in (secret.hex(), repr(own.sec1), "PRIVATE"))
    session = pair.gateway.session
    assert session is not None
    assert session.ssl_session.id.hex() not in shown
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(session)
    with pytest.raises(SecurityError) as raised:
        made_with(private_key=identity(GATEWAY).sec1)
    assert "PRIVATE" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_this_openssl_has_the_five_curves() -> None:
    assert supported_curves() == set(Curve)
