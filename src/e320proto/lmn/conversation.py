r"""A gateway's conversation with one meter: requests in, answers out, over whatever connection they need.

::

    IDLE --a request--> OPENING --UA--> PAIRING ---------------------\
      ^                    |---UA--> HANDSHAKE --established--> READY |
      |                    \---UA (in clear) ----------------->  |    |
      \------------------------ end of the connection <----------/----/

======================  =========  ==========================================================
request                 selector   where
======================  =========  ==========================================================
pairing                 6, then 1  the exchange; TLS with what it brought
crypto reset            3          in clear, ``reset_wait_s`` after TLS
all others              1          where the gateway has certificates
all others              3          where it has none
======================  =========  ==========================================================

A connection stays open for the next request. When it ends, requests that only read are asked again on the
next one, after a pause that doubles; others fail, because they may have arrived.

Source: LMN security, sections 5 and 6.7; states are decisions of this project.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final, Protocol

from e320proto.errors import E320Error, LocalProtocolError, RemoteProtocolError, SecurityError
from e320proto.lmn.link import (
    AnswerTimedOut,
    DataReceived,
    Failed,
    LinkClosed,
    LinkEvent,
    LinkLost,
    LinkOpened,
    NoAnswer,
    PeerClosed,
    Refused,
)
from e320proto.lmn.pairing import Check, GatewayPairing, MessageAssembly, Paired, PairingFailed
from e320proto.lmn.primary import PrimaryState
from e320proto.lmn.requests import CryptoReset, request_file, response
from e320proto.lmn.session_events import (
    Answered,
    MeterPaired,
    RequestFailed,
    SessionEnded,
    SessionEvent,
    SessionOpened,
)
from e320proto.lmn.sml_stream import SmlStream
from e320proto.lmn.tls import TlsContext, TlsEngine, TlsSession
from e320proto.lmn.tls_events import Failed as TlsFailed
from e320proto.lmn.tls_events import PlainReceived, TlsClosed, TlsEstablished, TlsEvent, TlsLimitReached

if TYPE_CHECKING:
    from e320proto.lmn.certificates import Credentials
    from e320proto.lmn.meter_keys import KeyRing, MeterKeys
    from e320proto.lmn.primary import PrimaryLink
    from e320proto.lmn.profile import LmnProfile, SecurityProfile
    from e320proto.lmn.requests import Request


class FileListener(Protocol):
    """Who is told SML files in clear."""

    def __call__(self, server_id: bytes, file: bytes, *, sent: bool) -> None:
        """Take a file of a meter, or one to it."""


TLS: Final = 1
PLAIN: Final = 3
PAIRING: Final = 6
_MOST_REQUESTS: Final = 1_000
_MOST_TRIES: Final = 4
_FILE_NUMBERS: Final = 1 << 32


class State(Enum):
    """Where the conversation is."""

    IDLE = "no connection"
    OPENING = "a connection is being opened"
    PAIRING = "the exchange of certificates is under way"
    HANDSHAKE = "the TLS handshake is under way"
    READY = "connected"
    CLOSING = "the connection is being closed"


@dataclass(frozen=True, slots=True)
class Pair:
    """Give the meter its certificate and key, and the gateway's certificate."""

    meter: Credentials
    gateway: Credentials


@dataclass(slots=True)
class _Asked:
    """A request in the queue."""

    number: int
    request: Request | Pair
    deadline: float
    tries: int = 0
    sent: bool = False
    exchanged: bool = False  # of a pairing: TLS with what it brought is left

    @property
    def repeatable(self) -> bool:
        return isinstance(self.request, Pair) or self.request.repeatable


class Conversation:
    """The conversation with one meter; time is an argument.

    Args:
        server_id: of the meter.
        keys: where its keys are kept.
        profile: of the bus.
        security: of pairing and TLS.
        file_listener: is told SML files in clear.
    """

    def __init__(
        self,
        server_id: bytes,
        keys: KeyRing,
        profile: LmnProfile,
        security: SecurityProfile,
        file_listener: FileListener | None = None,
    ) -> None:
        self.server_id = server_id
        self._file_listener = file_listener
        self.state = State.IDLE
        self._ring, self._keys = keys, keys.load(server_id)
        self._profile, self._security = profile, security
        self._link: PrimaryLink | None = None
        self._queue: deque[_Asked] = deque()
        self._file_number = 0
        self._open_from = -inf  # a pause until then
        self._pause_s = 0.0
        self._context: TlsContext | None = None
        self._session: TlsSession | None = None
        self._limited = False
        self._tls_ended = -inf
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._engine: TlsEngine | None = None
        self._pairing: GatewayPairing | None = None
        self._assembly = MessageAssembly(self._profile.max_message)
        self._files = SmlStream(self._profile)
        self._why = ""

    @property
    def keys(self) -> MeterKeys:
        """What the gateway has of this meter."""
        return self._keys

    def ask(self, number: int, request: Request | Pair, *, now: float, timeout_s: float) -> None:
        """Put a request into the queue.

        Raises:
            LocalProtocolError: ``no_key``, a pairing without the meter's key; ``too_many``.
        """
        if isinstance(request, Pair) and self._keys.master_key is None:
            found = f"none of {self.server_id.hex()}"
            raise LocalProtocolError("no_key", state=self.state.name, expected="the meter's key", actual=found)
        if len(self._queue) >= _MOST_REQUESTS:
            expected = f"at most {_MOST_REQUESTS} requests in the queue"
            raise LocalProtocolError("too_many", state=self.state.name, expected=expected, actual="one more")
        self._queue.append(_Asked(number, request, now + timeout_s))
        self._work(now)

    # --- the link comes and goes ----------------------------------------------------------------

    def attach(self, link: PrimaryLink, *, now: float) -> None:
        """The meter is on the bus, at the address of this link."""
        self._link = link
        self._open_from, self._pause_s = -inf, 0.0
        self._work(now)

    def detach(self, *, now: float) -> list[SessionEvent]:
        """The meter is gone."""
        events = self._ended("the meter does not answer the checks", now)
        self._link = None
        return events

    def receive_event(self, event: LinkEvent, *, now: float) -> list[SessionEvent]:
        """Take what the link tells."""
        events: list[SessionEvent] = []
        match event:
            case LinkOpened():
                events += self._opened(now)
            case DataReceived():
                events += self._received(event, now)
            case AnswerTimedOut():
                self._why = "the meter did not answer the request in time"  # LinkClosed follows
            case Failed(error):
                self._why = str(error)  # LinkClosed follows
            case Refused():
                events += self._refused(now)
            case NoAnswer():
                events += self._ended("the meter does not answer", now, unexpected=True)
            case LinkLost():
                events += self._ended("the meter does not answer any more", now, unexpected=True)
            case PeerClosed():
                events += self._ended("the meter has closed the connection", now, unexpected=True)
            case LinkClosed():
                events += self._ended(self._why or "closed", now, unexpected=bool(self._why))
        self._work(now)
        return events

    def close(self, *, now: float) -> None:
        """Forget what was asked, and end the connection in order."""
        self._queue.clear()
        if self.state not in {State.IDLE, State.CLOSING}:
            self._hang_up(now)

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` is due."""
        due = [asked.deadline for asked in self._queue]
        if self._queue and self.state is State.IDLE and self._link is not None and self._opens_at > -inf:
            due.append(self._opens_at)
        for machine in (self._engine, self._pairing):
            at = None if machine is None else machine.next_timeout()
            if at is not None:
                due.append(at)
        return min(due, default=None)

    def handle_timeout(self, *, now: float) -> list[SessionEvent]:
        """Let time pass."""
        events: list[SessionEvent] = []
        if self._engine is not None:
            events += self._after_tls(self._engine, self._engine.handle_timeout(now=now), now)
        if self._pairing is not None:
            events += self._after_pairing(self._pairing, self._pairing.handle_timeout(now=now), now)
        late = [asked for asked in self._queue if now >= asked.deadline]
        for asked in late:
            if asked.sent and asked is self._queue[0]:
                self._hang_up(now)  # its answer must not be taken for that of the next one
            events.append(self._fail(asked, self._silence(f"nothing, {self.state.value}")))
        self._work(now)
        return events

    # --- what to do next ------------------------------------------------------------------------

    def _selector(self, asked: _Asked) -> int:
        match asked.request:
            case Pair():
                return TLS if asked.exchanged else PAIRING
            case CryptoReset():
                return PLAIN
            case _:
                return TLS if self._keys.paired else PLAIN

    @property
    def _opens_at(self) -> float:
        """When the connection for the next request may be opened."""
        waits = isinstance(self._queue[0].request, CryptoReset)
        return max(self._open_from, self._tls_ended + self._security.reset_wait_s if waits else -inf)

    def _work(self, now: float) -> None:
        link = self._link
        if link is None or not self._queue:
            return
        asked = self._queue[0]
        selector = self._selector(asked)
        if self.state is State.IDLE:
            if link.state is PrimaryState.CLOSED and now >= self._opens_at:
                self._open_from = -inf
                self._forget_connection()
                self.state = State.OPENING
                link.open(selector, now=now)
        elif self.state is State.READY and not asked.sent:
            if link.selector != selector or self._limited:
                self._hang_up(now)
            elif not isinstance(asked.request, Pair):
                self._send(asked, asked.request, link, now)

    def _send(self, asked: _Asked, request: Request, link: PrimaryLink, now: float) -> None:
        self._file_number = (self._file_number + 1) % _FILE_NUMBERS
        asked.sent = True
        file = request_file(request, self.server_id, self._file_number)
        if self._file_listener is not None:
            self._file_listener(self.server_id, file, sent=True)
        octets = self._files.encode(file)
        if self._engine is None:
            link.send(octets, now=now)
        else:
            self._engine.send(octets)
            self._flush(self._engine, now)
        link.expect_answer(True, now=now)  # noqa: FBT003 - the signature of the link

    def _flush(self, engine: TlsEngine, now: float) -> None:
        link = self._link
        if link is not None and link.state not in {PrimaryState.CLOSED, PrimaryState.CLOSING}:
            for octets in engine.data_to_send():
                link.send(octets, now=now)

    def _hang_up(self, now: float) -> None:
        """End the connection in order."""
        if self._engine is not None:
            self._keep_session(self._engine)
            self._engine.close(now=now)
            self._flush(self._engine, now)
        if self._link is not None:
            self._link.close(now=now)
        self.state = State.CLOSING

    # --- the connection -------------------------------------------------------------------------

    def _opened(self, now: float) -> list[SessionEvent]:
        link = self._link
        if link is None:
            return []
        try:
            match link.selector:
                case 6:
                    self.state = State.PAIRING
                    return self._begin_pairing(now)
                case 1:
                    self.state = State.HANDSHAKE
                    self._engine = TlsEngine(self._tls_context(), self._session)
                    happened = self._engine.start(now=now)
                    link.expect_answer(True, now=now)  # noqa: FBT003 - the signature of the link
                    return self._after_tls(self._engine, happened, now)
                case _:
                    self.state = State.READY
                    return [SessionOpened(self.server_id)]
        except E320Error as error:
            self._hang_up(now)
            return [self._fail(self._queue[0], error)] if self._queue else []

    def _received(self, data: DataReceived, now: float) -> list[SessionEvent]:
        if self._pairing is not None:
            try:
                message = self._assembly.feed(data.data, more=data.more)
            except E320Error as error:
                self._hang_up(now)
                return [self._fail(self._queue[0], error)] if self._queue else []
            if message is None:
                return []
            return self._after_pairing(self._pairing, self._pairing.receive_data(message, now=now), now)
        if self._engine is not None:
            return self._after_tls(self._engine, self._engine.receive_data(data.data, now=now), now)
        return self._files_received(data.data, now)

    def _files_received(self, octets: bytes, now: float) -> list[SessionEvent]:
        return [event for file in self._files.feed(octets) for event in self._answered(file, now)]

    def _answered(self, file: bytes, now: float) -> list[SessionEvent]:
        if self._file_listener is not None:
            self._file_listener(self.server_id, file, sent=False)
        asked = self._queue[0] if self._queue else None
        if asked is None or not asked.sent or isinstance(asked.request, Pair) or self._link is None:
            return []  # nobody has asked
        self._link.expect_answer(False, now=now)  # noqa: FBT003 - the signature of the link
        try:
            result = response(asked.request, self.server_id, self._file_number, file)
        except E320Error as error:
            return [self._fail(asked, error)]
        self._pause_s = 0.0
        self._queue.popleft()
        if isinstance(asked.request, CryptoReset):
            self._forget_tls()
            self._store(self._keys.unpaired())
        return [Answered(asked.number, self.server_id, asked.request, result)]

    def _refused(self, now: float) -> list[SessionEvent]:
        """The meter does not open this selector now; a DM may be an old one, so it is asked once more."""
        if self._queue:
            self._queue[0].tries += 1
        what = {TLS: "TLS", PAIRING: "the pairing"}.get(self._link.selector if self._link else 0, "SML in clear")
        return self._ended(f"the meter does not open {what}", now, unexpected=True)

    def _ended(self, reason: str, now: float, *, unexpected: bool = False) -> list[SessionEvent]:
        """The connection is over; what was under way is asked again, or fails."""
        if self.state is State.IDLE:
            return []
        was, self.state = self.state, State.IDLE
        events: list[SessionEvent] = []
        if self._pairing is not None:
            pairing, self._pairing = self._pairing, None
            events += self._after_pairing(pairing, pairing.closed(), now)
            self.state = State.IDLE
        if self._engine is not None:
            self._keep_session(self._engine)
            self._engine.link_closed(now=now)
            self._tls_ended = now
        self._forget_connection()
        if was is not State.OPENING:
            events.append(SessionEnded(self.server_id, reason))
        if unexpected:
            self._pause_s = min(max(self._profile.reopen_s, 2 * self._pause_s), self._profile.reopen_max_s)
            self._open_from = now + self._pause_s
        asked = self._queue[0] if self._queue else None
        if asked is not None and (asked.sent or unexpected):
            asked.tries += 1
            lost = asked.sent and not asked.repeatable
            asked.sent = False
            if lost or asked.tries >= _MOST_TRIES:
                events.append(self._fail(asked, self._silence(reason)))
        return events

    def _silence(self, found: str) -> RemoteProtocolError:
        return RemoteProtocolError("no_answer", state=self.state.name, expected="an answer", actual=found)

    def _fail(self, asked: _Asked, error: E320Error) -> RequestFailed:
        self._queue.remove(asked)
        return RequestFailed(asked.number, self.server_id, error)

    # --- TLS ------------------------------------------------------------------------------------

    def _tls_context(self) -> TlsContext:
        keys = self._keys
        if self._context is None:
            if keys.gateway is None or keys.meter_certificate is None:
                msg = f"certificates of {self.server_id.hex()}: expected a paired meter, found none"
                raise SecurityError(msg)
            self._context = TlsContext(
                server=False,
                certificate=keys.gateway.certificate,
                private_key=keys.gateway.private_key,
                peer_certificate=keys.meter_certificate,
                profile=self._security,
            )
        return self._context

    def _keep_session(self, engine: TlsEngine) -> None:
        self._session = engine.session if self._security.tls_resumption else None

    def _forget_tls(self) -> None:
        self._context = self._session = None

    def _after_tls(self, engine: TlsEngine, happened: list[TlsEvent], now: float) -> list[SessionEvent]:
        self._flush(engine, now)
        events: list[SessionEvent] = []
        for event in happened:
            match event:
                case TlsEstablished(cipher, _, resumed):
                    events += self._established(cipher.name, now, resumed=resumed)
                case PlainReceived(plain):
                    events += self._files_received(plain, now)
                case TlsLimitReached():
                    self._limited = True
                case TlsClosed() if self._engine is not None:
                    self._why = self._why or "the meter has ended TLS"
                    self._hang_up(now)
                case TlsFailed(error):
                    events += self._tls_failed(error, now)
        return events

    def _established(self, cipher: str, now: float, *, resumed: bool) -> list[SessionEvent]:
        self.state, self._limited = State.READY, False
        if self._link is not None:
            self._link.expect_answer(False, now=now)  # noqa: FBT003 - the signature of the link
        events: list[SessionEvent] = [SessionOpened(self.server_id, cipher, resumed)]
        asked = self._queue[0] if self._queue else None
        if asked is not None and isinstance(asked.request, Pair) and asked.exchanged:
            self._queue.popleft()
            events.append(MeterPaired(asked.number, self.server_id))
        return events

    def _tls_failed(self, error: SecurityError, now: float) -> list[SessionEvent]:
        """A handshake that fails would fail again; a record that was changed on its way does not."""
        in_handshake = self.state is State.HANDSHAKE
        self._session = None
        self._why = str(error)
        self._hang_up(now)
        return [self._fail(self._queue[0], error)] if in_handshake and self._queue else []

    # --- pairing --------------------------------------------------------------------------------

    def _begin_pairing(self, now: float) -> list[SessionEvent]:
        asked, keys = self._queue[0], self._keys
        if not isinstance(asked.request, Pair) or keys.master_key is None:
            self._hang_up(now)
            return []
        self._pairing = GatewayPairing(
            keys.master_key,
            self.server_id,
            asked.request.meter,
            asked.request.gateway.certificate,
            counter=keys.counter,
            store_counter=lambda counter: self._store(replace(self._keys, counter=counter)),
            profile=self._security,
        )
        asked.sent = True
        self._pairing.start(now=now)
        return self._after_pairing(self._pairing, [], now)

    def _after_pairing(
        self, pairing: GatewayPairing, happened: list[Paired | PairingFailed], now: float
    ) -> list[SessionEvent]:
        link = self._link
        for octets in pairing.data_to_send():
            if link is not None and self.state is State.PAIRING:
                link.send(octets, now=now)
                link.expect_answer(True, now=now)  # noqa: FBT003 - the signature of the link
        events: list[SessionEvent] = []
        for event in happened:
            asked = self._queue[0] if self._queue else None
            if asked is None or not isinstance(asked.request, Pair):
                continue
            self._pairing = None
            if isinstance(event, Paired) or event.may_be_paired:
                self._forget_tls()
                self._store(
                    replace(
                        self._keys, gateway=asked.request.gateway, meter_certificate=asked.request.meter.certificate
                    )
                )
                asked.exchanged, asked.sent = True, False
            elif event.check in {Check.LINK, Check.ANSWER}:
                self._why = str(event.error)  # it is begun anew on the next connection
            else:
                events.append(self._fail(asked, event.error))
            self._hang_up(now)
        return events

    def _store(self, keys: MeterKeys) -> None:
        self._keys = keys
        self._ring.store(self.server_id, keys)
