"""The meter's end of the LMN by itself: octets in, octets out."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameKind, decode_frame, encode_frame
from e320proto.lmn.link import LinkOpened
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.requests import Read, Reading, Write, request_file, response
from e320proto.lmn.sml_stream import SmlStream
from e320proto.lmn.tls import TlsContext, TlsEngine
from e320proto.lmn.tls_events import Failed, TlsEstablished
from e320proto.meter import E320Config, Meter
from e320proto.meter.events import PowerReturned
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.store import MemoryStore
from e320proto.obis import ObisCode
from tests.lmn.tls_peers import hello, messages, records
from tests.lmn.whole_stack import MASTER_KEY, a_meter, credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

METER = 68
TLS, PLAIN, PAIRING = 1, 3, 6
FIXED = LmnProfile(initial_address=METER)


class Wire:
    """Talks to one meter as a gateway does, frame by frame."""

    def __init__(self, meter: Meter | None = None, *, paired: bool = False, **security: Any) -> None:  # noqa: ANN401
        self.meter = meter or a_meter()
        if paired:
            own = credentials("meter 0")
            self.meter.pair(own.certificate, own.private_key, credentials("gateway").certificate)
        self.now = 1.0
        self.lmn = MeterLmn(self.meter, random=Random(1), profile=FIXED, security=SecurityProfile(**security))  # noqa: S311 - a seeded choice
        self.events: list[Any] = []

    def say(
        self, kind: FrameKind, selector: int, info: bytes = b"", *, ns: int = 0, nr: int = 0, poll: bool = True
    ) -> Frame | None:
        """Send a frame; the meter's reply."""
        control = Control(kind, ns=ns, nr=nr, poll_final=poll)
        frame = Frame(Address(METER, selector), Address(GATEWAY, selector), control, info)
        self.now += 0.01
        self.events += self.lmn.receive_data(encode_frame(frame), now=self.now)
        self.now += 0.002
        self.events += self.lmn.handle_timeout(now=self.now)
        sent = self.lmn.data_to_send()
        assert len(sent) <= 1
        return decode_frame(sent[0]) if sent else None

    def kind(self, kind: FrameKind, selector: int, info: bytes = b"", **numbers: Any) -> FrameKind | None:  # noqa: ANN401
        """Send a frame; what kind of frame the reply is."""
        reply = self.say(kind, selector, info, **numbers)
        return None if reply is None else reply.control.kind

    def ask(self, selector: int, pieces: Iterable[bytes], *, ns: int = 0, nr: int = 0) -> bytes:
        """Send octets, and poll until there is nothing more; what came."""
        for piece in pieces:
            reply = self.say(FrameKind.I, selector, piece, ns=ns, nr=nr)
            ns = (ns + 1) % 8
            assert reply is not None
            assert reply.control.kind in {FrameKind.RNR, FrameKind.RR}
        answer = b""
        while (reply := self.say(FrameKind.RR, selector, nr=nr)) is not None and reply.control.kind is FrameKind.I:
            answer += reply.info
            nr = (nr + 1) % 8
        return answer


@pytest.mark.parametrize(
    ("selector", "paired", "opens"),
    [(1, False, False), (3, False, True), (6, False, True), (1, True, True), (3, True, True), (6, True, False)]
    + [(selector, paired, False) for selector in (2, 4, 5, 7, 8) for paired in (False, True)],
)
def test_selectors_by_state(selector: int, paired: bool, opens: bool) -> None:  # noqa: FBT001 - parameters
    wire = Wire(paired=paired)
    assert wire.kind(FrameKind.SNRM, selector) is (FrameKind.UA if opens else FrameKind.DM)
    assert any(isinstance(event, LinkOpened) for event in wire.events) is opens


def test_selectors_that_mean_nothing_are_not_answered() -> None:
    wire = Wire()
    for selector in (0, 9, 127):
        assert wire.say(FrameKind.SNRM, selector) is None


def test_pairing_needs_an_initial_key() -> None:
    wire = Wire(Meter(E320Config(pin="1234"), pushes=False))
    assert wire.kind(FrameKind.SNRM, PAIRING) is FrameKind.DM


def test_pairing_when_paired_if_the_profile_says_so() -> None:
    assert Wire(paired=True, sym_when_paired=True).kind(FrameKind.SNRM, PAIRING) is FrameKind.UA


@pytest.mark.parametrize("session_ticket", [True, False])
def test_the_hello_of_a_real_gateway_is_answered(session_ticket: bool) -> None:  # noqa: FBT001 - a parameter
    """Four suites and the SCSV, five groups, no EtM, no EMS; recorded layer version 0301, hello version 0303."""
    wire = Wire(paired=True)
    flight = hello() if session_ticket else hello(more=b"")
    assert wire.kind(FrameKind.SNRM, TLS) is FrameKind.UA
    reply = wire.say(FrameKind.I, TLS, flight)
    assert reply is not None
    assert (reply.control.kind, reply.control.nr) == (FrameKind.RNR, 1)
    reply = wire.say(FrameKind.RR, TLS)
    assert reply is not None
    assert (reply.control.kind, reply.src, reply.dest) == (FrameKind.I, Address(METER, TLS), Address(GATEWAY, TLS))
    answers = messages(reply.info)
    assert [kind for kind, _ in answers] == [2, 11, 12, 13, 14]  # hello, certificate, key exchange, request, done
    server_hello = answers[0][1]
    suite_at = 35 + server_hello[34]
    assert server_hello[:2] == b"\x03\x03"
    assert server_hello[suite_at : suite_at + 2].hex() in {"c023", "c02b"}
    assert server_hello[suite_at + 2] == 0  # no compression
    assert credentials("meter 0").certificate in answers[1][1]
    assert answers[2][1][:3] == b"\x03\x00\x17"  # named curve, secp256r1
    assert not wire.meter.security.tls_open  # not before the end of the handshake


def test_a_hello_for_nothing_that_is_allowed_gets_its_alert_and_dm() -> None:
    wire = Wire(paired=True)
    wire.say(FrameKind.SNRM, TLS)
    answer = wire.ask(TLS, [hello(suites=(0xC009, 0x002F))])
    assert records(answer) == [(21, b"\x02\x28")]
    assert any(isinstance(event, Failed) for event in wire.events)
    assert wire.kind(FrameKind.RR, TLS, nr=1) is FrameKind.DM
    assert wire.kind(FrameKind.SNRM, TLS) is FrameKind.UA


@pytest.mark.parametrize("cut", [1, 5, 17, 94])
def test_a_request_in_clear_in_pieces(cut: int) -> None:
    wire = Wire()
    wire.say(FrameKind.SNRM, PLAIN)
    request = Read((ObisCode.parse("96.1.0"),))
    stream = SmlStream(FIXED)
    octets = stream.encode(request_file(request, wire.meter.server_id, 9))
    answer = wire.ask(PLAIN, [octets[at : at + cut] for at in range(0, len(octets), cut)])
    (file,) = stream.feed(answer)
    (found,) = response(request, wire.meter.server_id, 9, file)
    assert isinstance(found, Reading)
    assert found.value == wire.meter.server_id


def test_half_a_request_is_forgotten_with_its_connection() -> None:
    wire = Wire()
    stream = SmlStream(FIXED)
    request = Write(ObisCode.parse("1-0:94.49.1*2"), value=True)
    octets = stream.encode(request_file(request, wire.meter.server_id, 1))
    wire.say(FrameKind.SNRM, PLAIN)
    wire.say(FrameKind.I, PLAIN, octets[:50])
    wire.say(FrameKind.SNRM, PLAIN)
    assert wire.ask(PLAIN, [octets[50:]]) == b""
    assert not wire.meter.settings["extended_set"]


def test_a_repeated_order_is_carried_out_once() -> None:
    wire = Wire()
    request = Write(ObisCode.parse("1-0:94.49.1*2"), value=True)
    octets = SmlStream(FIXED).encode(request_file(request, wire.meter.server_id, 1))
    wire.say(FrameKind.SNRM, PLAIN)
    wire.say(FrameKind.I, PLAIN, octets)
    wire.say(FrameKind.I, PLAIN, octets)  # the same N(S): the first reply was lost
    changed = [event for event in wire.events if type(event).__name__ == "SettingChanged"]
    assert len(changed) == 1


def test_polls_without_p_are_taken_in_silence() -> None:
    wire = Wire()
    wire.say(FrameKind.SNRM, PLAIN)
    assert wire.say(FrameKind.RR, PLAIN, poll=False) is None
    assert wire.kind(FrameKind.RR, PLAIN) is FrameKind.RR


def test_an_answer_that_is_too_large_ends_the_connection() -> None:
    wire = Wire()
    wire.say(FrameKind.SNRM, PLAIN)
    request = Read((ObisCode.parse("1.8.0"),) * 1500)
    octets = SmlStream(FIXED).encode(request_file(request, wire.meter.server_id, 1))
    ns = 0
    for at in range(0, len(octets), 1011):
        wire.say(FrameKind.I, PLAIN, octets[at : at + 1011], ns=ns)
        ns = (ns + 1) % 8
    assert wire.kind(FrameKind.RR, PLAIN) is FrameKind.DM


def test_certificates_that_do_not_fit_end_the_connection() -> None:
    wire = Wire()
    own = credentials("meter 0")
    wire.meter.pair(own.certificate, own.private_key, b"no certificate")
    wire.say(FrameKind.SNRM, TLS)
    assert wire.kind(FrameKind.RR, TLS) is FrameKind.DM


def test_without_power_there_is_silence() -> None:
    wire = Wire()
    wire.say(FrameKind.SNRM, PLAIN)
    wire.meter.power(on=False, now=wire.now)
    assert wire.say(FrameKind.RR, PLAIN) is None
    assert wire.say(FrameKind.SNRM, PLAIN) is None
    wire.meter.power(on=True, now=wire.now)
    assert wire.kind(FrameKind.RR, PLAIN) is FrameKind.DM  # it has forgotten the connection
    assert wire.kind(FrameKind.SNRM, PLAIN) is FrameKind.UA


def test_pairing_lasts_over_a_restart_of_the_program() -> None:
    store = MemoryStore()
    config = E320Config(pin="1234", initial_key=MASTER_KEY.hex())
    first = Wire(Meter(config, store=store, pushes=False), paired=True)
    first.say(FrameKind.SNRM, TLS)
    first.meter.power(on=False, now=first.now)
    second = Wire(Meter(config, store=store, pushes=False))
    assert second.kind(FrameKind.SNRM, TLS) is FrameKind.UA
    assert any(isinstance(event, PowerReturned) for event in second.events)
    assert second.kind(FrameKind.SNRM, PAIRING) is FrameKind.DM


def test_the_end_of_the_handshake_is_told_to_the_meter() -> None:
    """A whole handshake, its flights cut into frames of 40 octets."""
    wire = Wire(paired=True)
    context = TlsContext(
        server=False,
        certificate=credentials("gateway").certificate,
        private_key=credentials("gateway").private_key,
        peer_certificate=credentials("meter 0").certificate,
    )
    engine = TlsEngine(context)
    engine.start(now=0.0)
    wire.say(FrameKind.SNRM, TLS)
    ns = nr = 0
    for _ in range(2):
        flight = b"".join(engine.data_to_send())
        pieces = [flight[at : at + 40] for at in range(0, len(flight), 40)]
        assert not wire.meter.security.tls_open
        answer = wire.ask(TLS, pieces, ns=ns, nr=nr)
        ns, nr = (ns + len(pieces)) % 8, (nr + 1) % 8
        events = engine.receive_data(answer, now=0.0)
    assert any(isinstance(event, TlsEstablished) for event in events)
    assert wire.meter.security.tls_open
    wire.say(FrameKind.DISC, TLS)
    assert not wire.meter.security.tls_open


def test_what_was_to_be_sent_is_lost_with_power_however_short() -> None:
    meter = Meter(E320Config(pin="1234"), pushes=False)
    lmn = MeterLmn(meter, random=Random(1), profile=LmnProfile(initial_address=68))  # noqa: S311 - a simulation
    lmn.receive_data(bytes.fromhex("7EA00988070207936B957E"), now=10.0)
    due = lmn.next_timeout()
    assert due is not None
    lmn.handle_timeout(now=due)
    meter.power(on=False, now=due)
    meter.power(on=True, now=due)
    assert lmn.data_to_send() == []
