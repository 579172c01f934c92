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
next one, after a pause that doubles; others fail, because they may have arrived. A handshake that fails ends its
request at once, and the pause is that of TLS; but while a renewal is in doubt, the other certificates are tried first,
see :mod:`e320proto.lmn.meter_trust`. A meter that twice does not open what a request needs has refused it:
one refusal may have been a late answer to something else.

Once TLS stood, it is kept: when the meter ends it, it is opened again without a request, since a meter without TLS
lets its keys be reset by anybody after a while. That rests when the meter refuses TLS or a handshake fails.

Source: LMN security, sections 5 and 6.7; states are decisions of this project.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final

from e320proto.errors import AttentionError, E320Error, RemoteProtocolError
from e320proto.lmn.gateway_exchange import GatewayExchange
from e320proto.lmn.link import (
    PAIRING,
    TLS,
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
from e320proto.lmn.meter_keys import MeterKeys
from e320proto.lmn.meter_trust import MeterTrust
from e320proto.lmn.pairing import Check, Paired, PairingFailed
from e320proto.lmn.pause import Pause
from e320proto.lmn.primary import PrimaryState
from e320proto.lmn.request_queue import Asked, Pair, RequestQueue
from e320proto.lmn.requests import CryptoReset, Renewal, response
from e320proto.lmn.session_events import (
    Answered,
    MeterPaired,
    RequestFailed,
    SessionEnded,
    SessionEvent,
    SessionOpened,
)
from e320proto.lmn.sml_stream import SmlStream
from e320proto.lmn.tls_events import Failed as TlsFailed
from e320proto.lmn.tls_events import PlainReceived, TlsClosed, TlsEstablished, TlsEvent, TlsLimitReached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.lmn.meter_keys import KeyRing
    from e320proto.lmn.primary import PrimaryLink
    from e320proto.lmn.profile import LmnProfile, SecurityProfile
    from e320proto.lmn.requests import Request
    from e320proto.lmn.session_events import FileListener
    from e320proto.lmn.tls import TlsEngine


_MOST_TRIES: Final = 4
_REFUSAL_TRIES: Final = 2


class State(Enum):
    """Where the conversation is."""

    IDLE = "no connection"
    OPENING = "a connection is being opened"
    PAIRING = "the exchange of certificates is under way"
    HANDSHAKE = "the TLS handshake is under way"
    READY = "connected"
    CLOSING = "the connection is being closed"


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
        self._trust = MeterTrust(server_id, keys, security)
        self._profile, self._security = profile, security
        self._link: PrimaryLink | None = None
        self._queue = RequestQueue(server_id, profile.max_message)
        self._pause = Pause()
        self._tls_ended = -inf
        self._keeps_tls = False
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._engine: TlsEngine | None = None
        self._exchange: GatewayExchange | None = None
        self._files = SmlStream(self._profile)
        self._limited = self._failed = self._other = False
        self._why = ""

    @property
    def idle(self) -> bool:
        """Whether nothing would be lost with this object."""
        return self._link is None and not self._queue and self._trust.keys == MeterKeys()

    @property
    def keys(self) -> MeterKeys:
        """What the gateway has of this meter."""
        return self._trust.keys

    def ask(self, number: int, request: Request | Pair, *, now: float, timeout_s: float) -> None:
        """Put a request into the queue.

        Raises:
            LocalProtocolError: ``no_key``, a pairing without the meter's key; ``too_long``; ``too_many``.
            EncodeError: a value that SML does not have.
        """
        self._queue.put(number, request, deadline=now + timeout_s, keys=self._trust.keys)
        self._work(now)

    # --- the link comes and goes ----------------------------------------------------------------

    def attach(self, link: PrimaryLink, *, now: float) -> None:
        """The meter is on the bus, at the address of this link."""
        self._link = link
        self._pause = Pause()
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
            case PeerClosed() if self.state is not State.CLOSING:
                events += self._ended("the meter has closed the connection", now, unexpected=True)
            case PeerClosed() | LinkClosed():
                events += self._ended(self._why or "closed", now, unexpected=bool(self._why) and not self._other)
        self._work(now)
        return events

    def close(self, *, now: float) -> None:
        """Forget what was asked, and end the connection in order."""
        self._keeps_tls = False
        if self.state not in {State.IDLE, State.CLOSING}:
            self._give_up(now)
        self._queue.clear()

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` is due."""
        due = [asked.deadline for asked in self._queue]
        if self._wants is not None and self.state is State.IDLE and self._link is not None and self._opens_at > -inf:
            due.append(self._opens_at)
        for machine in (self._engine, self._exchange):
            at = None if machine is None else machine.next_timeout()
            if at is not None:
                due.append(at)
        return min(due, default=None)

    def handle_timeout(self, *, now: float) -> list[SessionEvent]:
        """Let time pass."""
        events: list[SessionEvent] = []
        if self._engine is not None:
            events += self._after_tls(self._engine, self._engine.handle_timeout(now=now), now)
        if self._exchange is not None:
            events += self._after_exchange(self._exchange.handle_timeout(now=now), now)
        late = [asked for asked in self._queue if now >= asked.deadline]
        for asked in late:
            found = f"nothing, {self.state.value}"
            if asked.sent and asked is self._queue[0]:
                self._give_up(now)
            events.append(self._fail(asked, asked.error or self._silence(found)))
        self._work(now)
        return events

    def _give_up(self, now: float) -> None:
        """End the connection; an answer that is late must not be taken for that of the next request."""
        exchange, self._exchange = self._exchange, None
        for event in exchange.closed() if exchange is not None and self._queue else []:
            if event.may_be_paired:
                self._take_certificates(self._queue[0].request)
        self._hang_up(now)

    # --- what to do next ------------------------------------------------------------------------

    @property
    def _wants(self) -> int | None:
        """The selector that is to be open."""
        if self._queue:
            return self._queue[0].selector(paired=self._trust.keys.paired)
        return TLS if self._keeps_tls and self._trust.keys.paired else None

    @property
    def _opens_at(self) -> float:
        """When that may be opened."""
        waits = bool(self._queue) and isinstance(self._queue[0].request, CryptoReset)
        return max(self._pause.until(self._wants), self._tls_ended + self._security.reset_wait_s if waits else -inf)

    def _work(self, now: float) -> None:
        link = self._link
        if self.state is State.READY and self._limited and not (self._queue and self._queue[0].sent):
            self._hang_up(now)
        selector = self._wants
        if link is None or selector is None:
            return
        if self.state is State.IDLE:
            if link.state is PrimaryState.CLOSED and now >= self._opens_at:
                self._pause.over()
                self._forget_connection()
                self.state = State.OPENING
                link.open(selector, now=now)
        elif self.state is State.READY and self._queue and not self._queue[0].sent:
            if link.selector != selector:
                self._hang_up(now)
            elif not isinstance(self._queue[0].request, Pair) and self._queue[0].error is None:
                self._send(self._queue[0], link, now)

    def _send(self, asked: Asked, link: PrimaryLink, now: float) -> None:
        if isinstance(asked.request, Renewal):
            try:
                self._trust.renew(asked.request)
            except E320Error as error:
                asked.error, asked.deadline = error, now
                return
        elif self._file_listener is not None:  # which must not see a private key
            self._file_listener(self.server_id, asked.file, sent=True)
        asked.sent = True
        octets = self._files.encode(asked.file)
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
            self._trust.keep_session(self._engine)
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
                    self._begin_exchange(link, now)
                    return []
                case 1:
                    self.state = State.HANDSHAKE
                    self._engine = self._trust.engine()
                    happened = self._engine.start(now=now)
                    link.expect_answer(True, now=now)  # noqa: FBT003 - the signature of the link
                    return self._after_tls(self._engine, happened, now)
                case _:
                    self.state = State.READY
                    return [SessionOpened(self.server_id)]
        except E320Error as error:
            return self._broken(error, now)

    def _received(self, data: DataReceived, now: float) -> list[SessionEvent]:
        if self._link is not None and (self.state is State.HANDSHAKE or (self._queue and self._queue[0].sent)):
            self._link.expect_answer(True, now=now)  # noqa: FBT003 - a part of it is here
        if self._exchange is not None:
            return self._after_exchange(self._exchange.receive(data, now=now), now)
        if self._engine is not None:
            return self._after_tls(self._engine, self._engine.receive_data(data.data, now=now), now)
        return self._files_received(data.data, now)

    def _files_received(self, octets: bytes, now: float) -> list[SessionEvent]:
        return [event for file in self._files.feed(octets) for event in self._answered(file, now)]

    def _answered(self, file: bytes, now: float) -> list[SessionEvent]:
        if self._file_listener is not None:
            self._file_listener(self.server_id, file, sent=False)
        asked = self._queue.first
        if asked is None or not asked.sent or isinstance(asked.request, Pair) or self._link is None:
            return []  # nobody has asked
        self._link.expect_answer(False, now=now)  # noqa: FBT003 - the signature of the link
        try:
            result = response(asked.request, self.server_id, asked.file_number, file)
        except E320Error as error:
            if isinstance(asked.request, Renewal):
                self._not_renewed(error, now)
            return [self._fail(asked, error)]
        self._pause.forget()
        self._queue.popleft()
        self._keep(asked.request, now)
        return [Answered(asked.number, self.server_id, asked.request, result)]

    def _keep(self, done: Request | Pair, now: float) -> None:
        """Keep what a request has changed about the meter's keys."""
        match done:
            case CryptoReset():
                self._trust.unpair()
            case Renewal():
                self._trust.renewed()
                self._hang_up(now)  # the next connection stands on the new ones

    def _not_renewed(self, error: E320Error, now: float) -> None:
        if isinstance(error, AttentionError):
            self._trust.settle()
        else:
            self._hang_up(now)  # the next connection shows what the meter has made of it

    def _refused(self, now: float) -> list[SessionEvent]:
        """The meter does not open this selector now."""
        selector = self._link.selector if self._link else 0
        what = {TLS: "TLS", PAIRING: "the pairing"}.get(selector, "SML in clear")
        asked = self._queue.first
        if asked is not None and selector == TLS and asked.exchanged and not asked.confirmed:
            asked.exchanged = False  # the exchange was not finished
            self._trust.unpair()
        return self._ended(f"the meter does not open {what}", now, unexpected=True, tries=_REFUSAL_TRIES)

    def _ended(self, reason: str, now: float, *, unexpected: bool = False, tries: int = 1) -> list[SessionEvent]:
        """The connection is over; what was under way is asked again, or fails."""
        if self.state is State.IDLE:
            return []
        was, self.state = self.state, State.IDLE
        selector = self._link.selector if self._link and (self._failed or tries > 1) else None
        self._keeps_tls &= selector != TLS
        if was is State.HANDSHAKE:
            self._trust.swap()  # a meter that refuses certificates may do so without a word
        events: list[SessionEvent] = []
        if self._exchange is not None:
            events += self._after_exchange(self._exchange.closed(), now)
            self.state = State.IDLE
        if self._engine is not None:
            self._trust.keep_session(self._engine)
            self._engine.link_closed(now=now)
            self._tls_ended = now
        self._forget_connection()
        if was is not State.OPENING:
            events.append(SessionEnded(self.server_id, reason))
        if unexpected and selector is None:
            self._pause.begin(now, self._profile.reopen_s, self._profile.reopen_max_s)
        elif unexpected:
            self._pause.begin(now, self._security.tls_retry_s, self._security.tls_retry_max_s, selector)
        asked = self._queue.first
        if asked is not None and (asked.sent or unexpected):
            asked.tries += tries
            lost = asked.sent and not asked.repeatable
            asked.sent = False
            if lost or asked.tries >= _MOST_TRIES:
                events.append(self._fail(asked, self._silence(reason, "refused" if tries > 1 else "no_answer")))
        return events

    def _silence(self, found: str, reason: str = "no_answer") -> RemoteProtocolError:
        return RemoteProtocolError(reason, state=self.state.name, expected="an answer", actual=found)

    def _fail(self, asked: Asked, error: E320Error) -> RequestFailed:
        self._queue.remove(asked)
        return RequestFailed(asked.number, self.server_id, error)

    # --- TLS ------------------------------------------------------------------------------------

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
                    events += self._broken(error, now)
        return events

    def _established(self, cipher: str, now: float, *, resumed: bool) -> list[SessionEvent]:
        self.state, self._keeps_tls = State.READY, True
        if self._link is not None:
            self._link.expect_answer(False, now=now)  # noqa: FBT003 - the signature of the link
        events: list[SessionEvent] = [SessionOpened(self.server_id, cipher, resumed)]
        asked = self._queue.first
        if asked is not None and isinstance(asked.request, Pair) and asked.exchanged:
            self._queue.popleft()
            events.append(MeterPaired(asked.number, self.server_id))
        self._trust.settle()
        return events

    def _broken(self, error: E320Error, now: float) -> list[SessionEvent]:
        """What fails at its beginning would fail again, with the same certificates; a record that was changed not."""
        self._other = self.state is State.HANDSHAKE and self._trust.fall_back()
        self._failed = self.state in {State.HANDSHAKE, State.PAIRING} and not self._other
        self._trust.session = None
        self._why = str(error)
        self._hang_up(now)
        return [self._fail(self._queue[0], error)] if self._failed and self._queue else []

    # --- pairing --------------------------------------------------------------------------------

    def _begin_exchange(self, link: PrimaryLink, now: float) -> None:
        asked = self._queue.first
        if asked is None or not isinstance(asked.request, Pair):
            self._hang_up(now)  # the request did not wait
            return
        self._exchange = GatewayExchange(
            asked.request, self.server_id, link, self._trust, self._profile, self._security
        )
        asked.sent = True
        self._exchange.start(now=now)

    def _after_exchange(self, happened: Sequence[Paired | PairingFailed], now: float) -> list[SessionEvent]:
        events: list[SessionEvent] = []
        for event in happened:
            self._exchange = None
            asked = self._queue.first
            if asked is None or not isinstance(asked.request, Pair):
                continue
            if isinstance(event, Paired) or event.may_be_paired:
                self._take_certificates(asked.request)
                asked.exchanged, asked.confirmed, asked.sent = True, isinstance(event, Paired), False
            elif event.check in {Check.LINK, Check.ANSWER}:
                self._why = str(event.error)  # it is begun anew on the next connection
            else:
                events.append(self._fail(asked, event.error))
            self._hang_up(now)
        return events

    def _take_certificates(self, request: Request | Pair) -> None:
        if isinstance(request, Pair):
            self._pause = Pause()
            self._trust.pair(request)
