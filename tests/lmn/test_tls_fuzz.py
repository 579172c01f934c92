"""Damage between gateway and meter, in both directions: only documented events, nothing wrong is told, latched."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto.errors import SecurityError
from e320proto.lmn.tls import TlsContext, TlsEngine, TlsState
from e320proto.lmn.tls_events import Failed, PlainReceived, TlsClosed, TlsEstablished, TlsEvent
from tests.lmn.tls_peers import context, hello

REQUEST, RESPONSE = b"request " * 80, b"response " * 80
CONTEXTS: dict[bool, TlsContext] = {}

damages = st.dictionaries(
    st.tuples(st.booleans(), st.integers(0, 5)),  # of which side, which piece
    st.tuples(st.sampled_from(["flip", "insert", "remove", "cut", "twice", "swap"]), st.integers(0, 2000), st.binary()),
    max_size=3,
)
cuts = st.lists(st.integers(1, 700), min_size=1, max_size=5)


@dataclass
class Side:
    """An engine that is watched."""

    engine: TlsEngine
    expected: bytes
    told: list[TlsEvent] = field(default_factory=list)
    pieces: int = 0

    def hears(self, events: list[TlsEvent]) -> None:
        assert not (events and self.over), "events behind the last one"
        for event in events:
            assert not self.over
            self.told.append(event)
        if self.over:
            assert self.engine.state in {TlsState.CLOSED, TlsState.FAILED}

    @property
    def over(self) -> bool:
        return bool(self.told) and isinstance(self.told[-1], Failed | TlsClosed)

    @property
    def plain(self) -> bytes:
        return b"".join(event.data for event in self.told if isinstance(event, PlainReceived))


def damaged(octets: bytes, kind: str, at: int, more: bytes) -> bytes:
    at %= len(octets)
    match kind:
        case "flip":
            return octets[:at] + bytes((octets[at] ^ (1 << len(more) % 8),)) + octets[at + 1 :]
        case "insert":
            return octets[:at] + more + octets[at:]
        case "remove":
            return octets[:at] + octets[at + 1 + len(more) :]
        case "cut":
            return octets[:at]
        case "twice":
            return octets + octets
        case _:
            return octets[at:] + octets[:at]


def a_context(*, server: bool) -> TlsContext:
    if server not in CONTEXTS:
        CONTEXTS[server] = context(server=server)
    return CONTEXTS[server]


def carry(source: Side, target: Side, harm: dict[int, tuple[str, int, bytes]], sizes: list[int]) -> bool:
    pieces = source.engine.data_to_send()
    for piece in pieces:
        octets = damaged(piece, *harm[source.pieces]) if source.pieces in harm else piece
        source.pieces += 1
        count = 0
        while octets:
            size = sizes[count % len(sizes)]
            count += 1
            target.hears(target.engine.receive_data(octets[:size], now=0))
            octets = octets[size:]
    return bool(pieces)


@settings(max_examples=100)
@given(damages, cuts)
def test_whatever_happens_on_the_wire(damage: dict[tuple[bool, int], tuple[str, int, bytes]], sizes: list[int]) -> None:
    gateway, meter = (
        Side(TlsEngine(a_context(server=False)), RESPONSE),
        Side(TlsEngine(a_context(server=True)), REQUEST),
    )
    of_gateway = {piece: harm for (side, piece), harm in damage.items() if side}
    of_meter = {piece: harm for (side, piece), harm in damage.items() if not side}
    meter.hears(meter.engine.start(now=0))
    gateway.hears(gateway.engine.start(now=0))

    def run() -> None:
        while carry(gateway, meter, of_gateway, sizes) | carry(meter, gateway, of_meter, sizes):
            pass

    run()
    for side, octets in ((gateway, REQUEST), (meter, RESPONSE)):
        if side.engine.state is TlsState.ESTABLISHED:
            side.engine.send(octets)
            run()
    gateway.hears(gateway.engine.close(now=0))
    run()
    for side in (gateway, meter):
        assert side.expected.startswith(side.plain)
        side.hears(side.engine.link_closed(now=0))
        side.hears(side.engine.receive_data(b"\x16\x03\x03", now=0))
        assert side.over
        kinds = [type(event) for event in side.told]
        assert kinds.count(TlsEstablished) == (isinstance(side.told[0], TlsEstablished))
        if not damage:
            assert side.plain == side.expected
            assert side.told[-1] == TlsClosed(clean=True)


@settings(max_examples=100)
@given(st.booleans(), st.booleans(), st.lists(st.binary(max_size=80), max_size=6))
def test_arbitrary_octets_instead_of_a_peer(server: bool, after_hello: bool, pieces: list[bytes]) -> None:  # noqa: FBT001
    side = Side(TlsEngine(a_context(server=server)), b"")
    side.hears(side.engine.start(now=0))
    if after_hello and server:
        side.hears(side.engine.receive_data(hello(), now=0))
    for piece in pieces:
        side.hears(side.engine.receive_data(piece, now=0))
        side.hears(side.engine.receive_data(b"\x16\x03\x03" + len(piece).to_bytes(2) + piece, now=0))
    assert side.engine.state in {TlsState.HANDSHAKE, TlsState.FAILED}
    for event in side.told:
        assert isinstance(event, Failed)
        assert isinstance(event.error, SecurityError)
