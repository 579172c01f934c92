"""The meter's end of the LMN, from octets to the meter's objects.

::

    octets <-> MeterStation <-> selector 3: SML in clear ----------> RequestServer <-> Meter
               (frames, slots,  selector 1: TlsEngine <-> SML -----/
                addresses,      selector 6: MeterPairing ----------------------------> Meter.pair
                link)

==========================  ========================  ===================================
selector                    open outside of a         open inside of a secured gateway
                            secured environment       environment
==========================  ========================  ===================================
1 TLS                       no                        yes
3 SML in clear              yes                       yes, for the crypto reset only
6 symmetric pairing         yes, with an initial key  with ``sym_when_paired``
==========================  ========================  ===================================

A restart of the meter forgets address, connection and TLS; pairing and counters last. The LMN symbol follows what
is on the bus.

Source: LMN security, sections 1, 5, 6 and 7; base meter behaviour, section 8.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeAlias

from e320proto.errors import E320Error, LocalProtocolError
from e320proto.lmn.assignment import MeterIds
from e320proto.lmn.link import DataReceived, LinkClosed, LinkOpened
from e320proto.lmn.pairing import MessageAssembly, MeterPairing, Paired, PairingFailed
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.sml_stream import SmlStream
from e320proto.lmn.station import MeterStation
from e320proto.lmn.tls import TlsContext, TlsEngine
from e320proto.lmn.tls_events import Failed as TlsFailed
from e320proto.lmn.tls_events import PlainReceived, TlsClosed, TlsEstablished, TlsLimitReached
from e320proto.meter.objects import Channel
from e320proto.meter.requests import RequestServer

if TYPE_CHECKING:
    from e320proto.lmn.assignment import Random
    from e320proto.lmn.pairing import PairingEvent
    from e320proto.lmn.station import MeterStationEvent
    from e320proto.lmn.tls_events import TlsEvent
    from e320proto.meter.events import MeterEvent
    from e320proto.meter.model import Meter

LmnEvent: TypeAlias = "MeterEvent | MeterStationEvent | TlsEvent | PairingEvent"


class _Upper(Protocol):
    """What a connection carries, by its selector."""

    def receive(self, data: DataReceived, now: float) -> list[LmnEvent]:
        """Take what the gateway has sent."""

    def closed(self, now: float) -> list[LmnEvent]:
        """The connection is over."""


class MeterLmn:
    """The LMN of one meter: octets in, octets out; time is an argument.

    The clock is the meter's: every call lets the meter live until ``now``, so nobody else has to while octets
    arrive.

    Args:
        meter: whose objects are served. It needs an ``initial_key`` to be paired.
        random: chooses address and slot, like :class:`random.Random`.
        profile: of the bus.
        security: of pairing, TLS and objects.

    Source: LMN security.

    >>> from random import Random
    >>> from e320proto.meter import E320Config, Meter
    >>> meter = Meter(E320Config(pin="1234"), pushes=False)
    >>> lmn = MeterLmn(meter, random=Random(1), profile=LmnProfile(initial_address=68))
    >>> events = lmn.receive_data(bytes.fromhex("7EA00988070207936B957E"), now=10.0)  # SNRM for selector 3
    >>> events = lmn.handle_timeout(now=lmn.next_timeout())
    >>> [frame.hex() for frame in lmn.data_to_send()]
    ['7ea00902078807730ecb7e']
    """

    def __init__(
        self,
        meter: Meter,
        *,
        random: Random,
        profile: LmnProfile | None = None,
        security: SecurityProfile | None = None,
    ) -> None:
        self.meter = meter
        self.profile = profile or LmnProfile()
        self.security = security or SecurityProfile()
        self._random = random
        self._server = RequestServer(meter, self.security)
        self._restart()

    def _restart(self) -> None:
        """A meter that comes up knows neither its address nor any connection or session."""
        ids = MeterIds.of_meter(self.meter.server_id)
        self.station = MeterStation(ids, self.profile, permitted=self._permitted, random=self._random)
        self._upper: _Upper | None = None
        self._context: tuple[tuple[bytes, bytes], TlsContext] | None = None
        self._disconnects = False
        self._power_ups = self.meter.power_ups
        self._heard: tuple[float | None, float | None] = (None, None)

    def _permitted(self, selector: int) -> bool:
        kept = self.meter.security
        match selector:
            case 1:
                return kept.paired
            case 3:
                return True
            case 6:
                return kept.operational_key is not None and (not kept.paired or self.security.sym_when_paired)
            case _:
                return False

    # --- bus ------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, *, now: float) -> list[LmnEvent]:
        """Take octets from the bus."""
        events: list[LmnEvent] = [*self._live(now)]
        if self.meter.powered:
            events += self._dispatch(self.station.receive_data(data, now=now), now)
        return events

    def data_to_send(self) -> list[bytes]:
        """Frames that are to be sent now; each is given once."""
        frames = self.station.data_to_send()
        same = self.meter.power_ups == self._power_ups  # what was queued before a restart is lost with it
        return frames if self.meter.powered and same else []

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has to be called, for the bus and for the meter."""
        due = [self.meter.next_timeout()]
        if self.meter.powered:
            due.append(self.station.next_timeout())
        return min((at for at in due if at is not None), default=None)

    def handle_timeout(self, *, now: float) -> list[LmnEvent]:
        """Let time pass until ``now``."""
        events: list[LmnEvent] = [*self._live(now)]
        if self.meter.powered:
            events += self._dispatch(self.station.handle_timeout(now=now), now)
        return events

    def _live(self, now: float) -> list[MeterEvent]:
        events = self.meter.advance(now)
        if self.meter.power_ups != self._power_ups:
            self._restart()
        return events

    def _dispatch(self, happened: list[MeterStationEvent], now: float) -> list[LmnEvent]:
        events: list[LmnEvent] = []
        for event in happened:
            events.append(event)
            match event:
                case LinkOpened(selector):
                    events += self._open(selector, now)
                case LinkClosed():
                    events += self._close(now)
                case DataReceived() if self._upper is not None:
                    events += self._upper.receive(event, now)
        if self._disconnects and self.station.link.drained:
            events += self.station.link.disconnect()
            events += self._close(now)
        if self._context is not None and not self.meter.security.paired:
            self._context = None  # a crypto reset ends the pairing and its sessions
        self._show()
        return events

    def _open(self, selector: int, now: float) -> list[LmnEvent]:
        events = self._close(now)  # a new connection ends what was there
        match selector:
            case 1:
                self._upper = _Secured(self, now)
            case 6:
                self._upper = _Pairing(self)
            case _:
                self._upper = _Plain(self)
        return events

    def _close(self, now: float) -> list[LmnEvent]:
        upper, self._upper, self._disconnects = self._upper, None, False
        return [] if upper is None else upper.closed(now)

    def disconnect(self) -> None:
        """End the connection as soon as the gateway has what is on its way to it."""
        self._disconnects = True

    def _show(self) -> None:
        """Tell the display what was heard."""
        heard = self.station.frame_at, self.station.connection_at
        if heard != self._heard:
            self.meter.lmn_frame(ours=heard[1] != self._heard[1])
            self._heard = heard

    # --- for what connections carry -------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Queue octets for the gateway; what does not fit any more is a connection that is over."""
        try:
            self.station.link.send(data)
        except LocalProtocolError:
            self.disconnect()

    def answer(self, file: bytes, *, through_tls: bool) -> bytes:
        """Answer a file of requests."""
        return self._server.serve(file, Channel(through_tls=through_tls))

    def tls_context(self) -> TlsContext:
        """What all TLS connections of one pairing share, with its sessions.

        Raises:
            SecurityError: the certificates are of no use.
        """
        kept = self.meter.security
        pair = bytes(kept.own_certificate), bytes(kept.gateway_certificate)
        if self._context is None or self._context[0] != pair:
            context = TlsContext(
                server=True,
                certificate=pair[0],
                private_key=bytes(kept.private_key),
                peer_certificate=pair[1],
                profile=self.security,
            )
            self._context = pair, context
        return self._context[1]


class _Plain:
    """SML in clear."""

    def __init__(self, lmn: MeterLmn) -> None:
        self._lmn = lmn
        self._files = SmlStream(lmn.profile)

    def receive(self, data: DataReceived, now: float) -> list[LmnEvent]:  # noqa: ARG002 - no timer here
        for file in self._files.feed(data.data):
            answer = self._lmn.answer(file, through_tls=False)
            if answer:
                self._lmn.send(self._files.encode(answer))
        return []

    def closed(self, now: float) -> list[LmnEvent]:  # noqa: ARG002 - no timer here
        return []


class _Secured:
    """SML in TLS."""

    def __init__(self, lmn: MeterLmn, now: float) -> None:
        self._lmn = lmn
        self._files = SmlStream(lmn.profile)
        self._engine: TlsEngine | None = None
        try:
            self._engine = TlsEngine(lmn.tls_context())
            self._engine.start(now=now)
        except E320Error:
            lmn.disconnect()

    def receive(self, data: DataReceived, now: float) -> list[LmnEvent]:
        if self._engine is None:
            return []
        return self._after(self._engine, self._engine.receive_data(data.data, now=now), now)

    def closed(self, now: float) -> list[LmnEvent]:
        if self._engine is None:
            return []
        events: list[LmnEvent] = [*self._engine.link_closed(now=now)]
        self._lmn.meter.tls_session(established=False)
        return events

    def _after(self, engine: TlsEngine, happened: list[TlsEvent], now: float) -> list[LmnEvent]:
        events: list[LmnEvent] = []
        for event in happened:
            events.append(event)
            match event:
                case TlsEstablished():
                    self._lmn.meter.tls_session(established=True)
                case PlainReceived(plain):
                    for file in self._files.feed(plain):
                        self._answer(engine, file)
                case TlsClosed():
                    self._lmn.meter.tls_session(established=False)
                case TlsFailed():
                    self._lmn.meter.tls_session(established=False)
                    self._lmn.disconnect()
                case TlsLimitReached():
                    events += engine.close(now=now)
        for octets in engine.data_to_send():
            self._lmn.send(octets)
        return events

    def _answer(self, engine: TlsEngine, file: bytes) -> None:
        answer = self._lmn.answer(file, through_tls=True)
        with suppress(LocalProtocolError):  # where the gateway's close_notify came with its request, nobody waits
            engine.send(self._files.encode(answer) if answer else b"")


class _Pairing:
    """The symmetric exchange."""

    def __init__(self, lmn: MeterLmn) -> None:
        self._lmn = lmn
        kept = lmn.meter.security
        self._assembly = MessageAssembly(lmn.profile.max_message)
        self._machine = MeterPairing(
            kept.operational_key or b"",
            lmn.meter.server_id,
            counter=kept.transmission_counter,
            store_counter=lmn.meter.keep_counter,
            profile=lmn.security,
        )

    def receive(self, data: DataReceived, now: float) -> list[LmnEvent]:
        try:
            message = self._assembly.feed(data.data, more=data.more)
        except E320Error:
            self._lmn.disconnect()
            return []
        events: list[LmnEvent] = []
        if message is not None:
            for event in self._machine.receive_data(message, now=now):
                events.append(event)
                match event:
                    case Paired(credentials, gateway_certificate):
                        events += self._lmn.meter.pair(
                            credentials.certificate, credentials.private_key, gateway_certificate
                        )
                    case PairingFailed():
                        self._lmn.disconnect()
        for octets in self._machine.data_to_send():
            self._lmn.send(octets)
        return events

    def closed(self, now: float) -> list[LmnEvent]:  # noqa: ARG002 - no timer here
        self._machine.closed()
        return []
