"""TLS 1.2 for the LMN, both roles, without I/O: octets of records in and out, plain octets in and out.

::

    TlsContext   one for each pairing: own certificate and key, the peer's certificate (the pin), sessions
      └ TlsEngine  one for each HDLC connection

    state        event                                         action                      next
    -----------  --------------------------------------------  --------------------------  -----------
    IDLE         start                                         client: ClientHello         HANDSHAKE
    HANDSHAKE    finished, certificate = pin, suite allowed    TlsEstablished              ESTABLISHED
    HANDSHAKE    certificate or suite is another               close_notify, Failed        FAILED
    HANDSHAKE    client: tls_handshake_timeout_s over          Failed                      FAILED
    ESTABLISHED  records                                       PlainReceived               ESTABLISHED
    ESTABLISHED  too old, too many octets                      TlsLimitReached, once       ESTABLISHED
    ESTABLISHED  close                                         close_notify                CLOSING
    ESTABLISHED  close_notify                                  close_notify, TlsClosed     CLOSED
    CLOSING      records                                       PlainReceived               CLOSING
    CLOSING      close_notify                                  TlsClosed                   CLOSED
    IDLE ... CLOSING    link_closed; before ESTABLISHED close  TlsClosed(clean=False)      CLOSED
    HANDSHAKE ... CLOSING  wrong octets; fatal alert           alert to them; Failed       FAILED

OpenSSL does the cryptography. Only what the LMN allows is offered and accepted: TLS 1.2, four suites, the one
curve of both pins; no tickets, no compression, no renegotiation. Trust is that the peer's certificate is the
pinned one, octet by octet, compared after every handshake, resumed ones too.

Nothing is written to disk and nothing secret is in any ``repr`` or error: sessions live in the context, and
the key passes to OpenSSL, which reads keys from files only, through a file in memory. The one thing OpenSSL does not
take as an argument is the date: with ``cert_time_check`` ``"enforce"`` a client compares the peer's certificate
with the clock of the system, since ``now`` may be any clock. A meter has no clock and compares no dates.

Source: BSI TR-03116-3, chapters 4 and 6; RFC 5246. Resumption, limits and states are decisions of this project.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final, Literal

from e320proto.errors import DecodeError, LocalProtocolError, SecurityError
from e320proto.lmn.certificates import Curve, curve_of
from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.tls_credentials import credentials_pem, secret_file
from e320proto.lmn.tls_events import Failed, PlainReceived, TlsClosed, TlsEstablished, TlsEvent, TlsLimitReached
from e320proto.lmn.tls_terms import CipherSuite, alert_in

_NO_CHECK_TIME: Final = 0x20_0000
"""X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name."""
_REMEMBERED_SESSIONS: Final = 16
_READ_OCTETS: Final = 16_384
_RECEIVED_ALERT: Final = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?(\w+)")
_BAD_RECORD_MAC: Final = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"


class TlsState(Enum):
    """State of a :class:`TlsEngine`."""

    IDLE = "idle"
    HANDSHAKE = "handshake"
    ESTABLISHED = "established"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(slots=True)
class SessionLife:
    """What a session has behind it, from the end of its full handshake through all resumptions.

    Args:
        since: end of the full handshake, s.
        octets: of records, both directions.
        ended: it failed, and is not resumed.
    """

    since: float
    octets: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TlsSession:
    """A session that can be resumed, see :attr:`TlsEngine.session`; it cannot be stored, and shows nothing."""

    life: SessionLife
    ssl_session: ssl.SSLSession
    ssl_context: ssl.SSLContext


def supported_curves() -> frozenset[Curve]:
    """The curves this OpenSSL has: some distributions leave Brainpool out.

    >>> Curve.SECP256R1 in supported_curves()
    True
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found = set()
    for curve in Curve:
        with suppress(ValueError, ssl.SSLError):
            context.set_ecdh_curve(curve.openssl_name)
            found.add(curve)
    return frozenset(found)


class TlsContext:
    """What all connections of one pairing share: credentials, the pin, and the sessions that can be resumed.

    Keep one for each pairing: a session is only resumed in the context that it comes from. Drop it at a crypto
    reset or with new certificates; it is all there is.

    Args:
        server: whether this is the meter's side; the gateway is the client.
        certificate: own certificate, X.509 in DER.
        private_key: its key, SEC 1 or PKCS #8 in DER.
        peer_certificate: the pinned certificate of the peer, X.509 in DER, on the same curve.
        profile: cipher order, limits, check of dates.

    Raises:
        SecurityError: a certificate or the key cannot be read, they do not belong together, the curves differ, or
            OpenSSL does not know the curve.

    Source: BSI TR-03116-3, chapter 6.
    """

    def __init__(
        self,
        *,
        server: bool,
        certificate: bytes,
        private_key: bytes,
        peer_certificate: bytes,
        profile: SecurityProfile | None = None,
    ) -> None:
        self.server = server
        self.profile = SecurityProfile() if profile is None else profile
        order = self.profile.meter_cipher_order if server else self.profile.gateway_cipher_order
        self._suites = _suites_of(order)
        self._pin = bytes(peer_certificate)
        try:
            self.curve, pinned = curve_of(certificate), curve_of(self._pin)
            self._credentials = credentials_pem(certificate, private_key)
        except DecodeError as error:
            detail = f"{error.reason.replace('_', ' ')}: {error}"
            raise SecurityError(detail) from None
        if pinned is not self.curve:
            detail = (
                f"certificates: expected both on one curve, found own on {self.curve.openssl_name}"
                f" and the peer's on {pinned.openssl_name}"
            )
            raise SecurityError(detail)
        self._lives: dict[bytes, SessionLife] = {}  # of a server, by session id
        self._ssl_context = self._make()

    def forget_sessions(self) -> None:
        """Let no session so far be resumed; running connections go on."""
        self._lives.clear()
        self._ssl_context = self._make()

    @property
    def keeps_limits(self) -> bool:
        """Whether this side ends sessions that are too old or carried too much."""
        return not self.server or self.profile.meter_enforces_limits

    def limit_reached(self, life: SessionLife, now: float) -> Literal["life", "volume"] | None:
        """The limit that a session has reached."""
        if now - life.since >= self.profile.tls_session_max_s:
            return "life"
        return "volume" if 0 < self.profile.tls_volume_max <= life.octets else None

    # --- for the engine -------------------------------------------------------------------------

    def resumable(self, session: TlsSession, now: float) -> bool:
        """Whether a client may offer a session."""
        return (
            self.profile.tls_resumption
            and not self.server
            and session.ssl_context is self._ssl_context
            and not session.life.ended
            and not self.limit_reached(session.life, now)
        )

    def connect(self, session: TlsSession | None) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
        """A new connection, where its octets come in, and where they go out."""
        if self.server and not self.profile.tls_resumption:
            self.forget_sessions()  # a context without sessions is the only way to tell OpenSSL
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        ssl_session = session.ssl_session if session else None
        tls = self._ssl_context.wrap_bio(incoming, outgoing, server_side=self.server, session=ssl_session)
        return tls, incoming, outgoing

    def check(self, tls: ssl.SSLObject) -> CipherSuite:
        """See that a finished handshake is what it was to be; OpenSSL knows peers by name and key only.

        Raises:
            SecurityError: another certificate than the pinned one, another suite or another version.
        """
        name, version = (tls.cipher() or ("no suite",))[0], tls.version()
        if version != "TLSv1.2" or name not in self._suites:
            allowed = ", ".join(self._suites)
            detail = f"TLS handshake: expected TLSv1.2 with one of {allowed}, found {version} with {name}"
            raise SecurityError(detail)
        if tls.getpeercert(binary_form=True) != self._pin:
            detail = "TLS handshake: expected the pinned certificate of the peer, found another one"
            raise SecurityError(detail)
        return self._suites[name]

    def session_of(
        self, tls: ssl.SSLObject, offered: TlsSession | None, now: float
    ) -> tuple[SessionLife, TlsSession | None]:
        """The life of the session that a finished handshake begins or goes on with; what a client may offer next."""
        if offered is not None and tls.session_reused:
            return offered.life, offered
        if self.server:
            return self._life_at_server(tls, now), None
        life, session = SessionLife(now), tls.session
        return life, TlsSession(life, session, tls.context) if session and session.id else None

    def _life_at_server(self, tls: ssl.SSLObject, now: float) -> SessionLife:
        session = tls.session if self.keeps_limits else None  # which takes longer than the rest of a resumption
        if session is None:
            return SessionLife(now)
        if tls.session_reused:  # one that is not remembered is one of too many: its limits count as reached
            return self._lives.get(session.id, SessionLife(-inf))
        life = self._lives[session.id] = SessionLife(now)
        if len(self._lives) > _REMEMBERED_SESSIONS:
            del self._lives[next(iter(self._lives))]
        return life

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if self.server else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        if self.server or self.profile.cert_time_check != "enforce":
            context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        context.set_ciphers(":".join(self._suites))
        _set_curve(context, self.curve.openssl_name)
        try:
            with secret_file(self._credentials) as path:
                context.load_cert_chain(path)
            context.load_verify_locations(cadata=self._pin)
        except (ssl.SSLError, ValueError) as error:
            expected = "credentials: expected two certificates and the key of the own one"
            raise _refused(expected, error) from error
        return context


def _suites_of(order: tuple[int, ...]) -> dict[str, CipherSuite]:
    return {suite.openssl_name: suite for suite in map(CipherSuite, order)}


def _set_curve(context: ssl.SSLContext, name: str) -> None:
    try:
        context.set_ecdh_curve(name)
    except (ValueError, ssl.SSLError) as error:
        detail = f"curve: expected an OpenSSL that has {name}, found {ssl.OPENSSL_VERSION}, which has not"
        raise SecurityError(detail) from error


class TlsEngine:
    """TLS on one HDLC connection.

    ::

        engine = TlsEngine(context, last_session)
        events = engine.start(now=now)
        ...
        for item in engine.data_to_send():    # after every call
            link.send(item)
        events = engine.receive_data(information, now=now)

    Args:
        context: of the pairing.
        session: the gateway's last session with this meter, to be resumed if it is neither too old nor too large,
            and nothing was wrong with it; else the handshake is a full one. A meter needs none.

    Source: BSI TR-03116-3, chapter 6; RFC 5246.
    """

    def __init__(self, context: TlsContext, session: TlsSession | None = None) -> None:
        self.state = TlsState.IDLE
        self._context = context
        self._offered = session
        self._session: TlsSession | None = None
        self._life = SessionLife(inf)
        self._limited = False
        self._deadline: float | None = None
        self._tls: ssl.SSLObject | None = None
        self._incoming = self._outgoing = ssl.MemoryBIO()
        self._to_send: list[bytes] = []
        self._events: list[TlsEvent] = []

    @property
    def session(self) -> TlsSession | None:
        """What a gateway's next connection in this context may resume; ``None`` before a handshake, after a failure."""
        return None if self._life.ended else self._session

    def start(self, *, now: float) -> list[TlsEvent]:
        """Begin: a client sends its hello, a server waits for one.

        Raises:
            LocalProtocolError: it was started before.
        """
        if self.state is not TlsState.IDLE:
            raise self._wrong("start", TlsState.IDLE)
        if self._offered is not None and not self._context.resumable(self._offered, now):
            self._offered = None
        self._tls, self._incoming, self._outgoing = self._context.connect(self._offered)
        self.state = TlsState.HANDSHAKE
        if not self._context.server:
            self._deadline = now + self._context.profile.tls_handshake_timeout_s
            self._run(self._tls, now)
        return self._happened(now)

    def receive_data(self, data: bytes | bytearray | memoryview, *, now: float) -> list[TlsEvent]:
        """Take octets of the peer's records, cut in any way.

        Raises:
            LocalProtocolError: the engine was not started.
        """
        if self.state is TlsState.IDLE:
            raise self._wrong("receive_data", TlsState.HANDSHAKE)
        if self._tls is not None:
            self._incoming.write(data)
            self._life.octets += memoryview(data).nbytes
            self._run(self._tls, now)
        return self._happened(now)

    def data_to_send(self) -> list[bytes]:
        """What is to be sent: one item for each flight of the handshake, and for each record of plain octets."""
        items, self._to_send = self._to_send, []
        return items

    def send(self, plain: bytes | bytearray | memoryview) -> None:
        """Encrypt plain octets, ``tls_write_chunk`` at most in a record.

        A limit reached by them is told with the next events, when the exchange may be over.

        Raises:
            LocalProtocolError: the session is not established.
        """
        if self.state is not TlsState.ESTABLISHED or self._tls is None:
            raise self._wrong("send", TlsState.ESTABLISHED)
        octets, most = memoryview(plain).cast("B"), self._context.profile.tls_write_chunk
        for start in range(0, len(octets), most):
            try:
                self._tls.write(octets[start : start + most])
            except ssl.SSLError as error:  # nothing is known that leads here
                self._fail(_refused("TLS established: expected to encrypt a record", error, self._drain()))
                return
            self._drain()

    def close(self, *, now: float) -> list[TlsEvent]:
        """End the session: what the peer sends until its close_notify still arrives."""
        if self.state in {TlsState.IDLE, TlsState.HANDSHAKE}:
            self._end(clean=False)
        elif self.state is TlsState.ESTABLISHED and self._tls is not None:
            self._say_goodbye(self._tls)
            self._drain()
            self.state = TlsState.CLOSING
        return self._happened(now)

    def link_closed(self, *, now: float) -> list[TlsEvent]:
        """The HDLC connection is gone: nothing more can come. The session may be resumed on the next one."""
        if self._tls is not None and self.state is not TlsState.HANDSHAKE:
            # OpenSSL forgets sessions of connections that it thinks were cut off; nobody will read this.
            self._say_goodbye(self._tls)
        if self.state not in {TlsState.CLOSED, TlsState.FAILED}:
            self._end(clean=False)
            self._to_send.clear()
        return self._happened(now)

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` is due next: end of the time for the handshake, or of the session's life."""
        return self._deadline

    def handle_timeout(self, *, now: float) -> list[TlsEvent]:
        """Do what is due."""
        if self.state is TlsState.HANDSHAKE and self._deadline is not None and now >= self._deadline:
            limit = self._context.profile.tls_handshake_timeout_s
            self._fail(SecurityError(f"TLS handshake: expected its end within {limit:g} s, found it unfinished"))
        return self._happened(now)

    # --- inside ---------------------------------------------------------------------------------

    def _run(self, tls: ssl.SSLObject, now: float) -> None:
        """Let OpenSSL work on what has come; whatever it raises, what it wants to send is sent."""
        where = self.state.value
        try:
            if self.state is TlsState.HANDSHAKE:
                tls.do_handshake()
                self._established(tls, now)
            self._read(tls)
        except ssl.SSLWantReadError:
            self._drain()
        except SecurityError as error:
            self._context.forget_sessions()
            self._say_goodbye(tls)  # there is no way to make OpenSSL send an alert
            self._drain()
            self._fail(error)
        except (ssl.SSLError, ValueError) as error:
            self._fail(_refused(f"TLS {where}: expected the records of the pinned peer", error, self._drain()))

    def _established(self, tls: ssl.SSLObject, now: float) -> None:
        context = self._context
        self._drain()
        suite = context.check(tls)
        carried = self._life.octets
        self._life, self._session = context.session_of(tls, self._offered, now)
        self._life.octets += carried
        self.state = TlsState.ESTABLISHED
        self._deadline = self._life.since + context.profile.tls_session_max_s if context.keeps_limits else None
        facts = tls.getpeercert() or {}
        begin, end = (ssl.cert_time_to_seconds(str(facts[name])) for name in ("notBefore", "notAfter"))
        self._events.append(TlsEstablished(suite, context.curve, bool(tls.session_reused), begin, end))

    def _read(self, tls: ssl.SSLObject) -> None:
        plain = bytearray()
        try:
            while piece := tls.read(_READ_OCTETS):
                plain += piece
        except ssl.SSLZeroReturnError:
            pass  # close_notify; b"" says the same before the own one is sent
        finally:
            self._drain()
            if plain:
                self._events.append(PlainReceived(bytes(plain)))
        if self.state is TlsState.ESTABLISHED:
            self._say_goodbye(tls)
            self._drain()
        self._end(clean=True)

    def _say_goodbye(self, tls: ssl.SSLObject) -> None:
        with suppress(ssl.SSLError):  # it wants to read the peer's close_notify, which takes its time
            tls.unwrap()

    def _drain(self) -> bytes:
        flight = self._outgoing.read()
        if flight:
            self._life.octets += len(flight)
            self._to_send.append(flight)
        return flight

    def _happened(self, now: float) -> list[TlsEvent]:
        """What is to be told; a limit last, since the running exchange may be complete by then."""
        context = self._context
        if self.state is TlsState.ESTABLISHED and context.keeps_limits and not self._limited:
            limit = context.limit_reached(self._life, now)
            if limit is not None:
                self._limited, self._deadline = True, None
                self._events.append(TlsLimitReached(limit))
        events, self._events = self._events, []
        return events

    def _fail(self, error: SecurityError) -> None:
        """Nothing of the session is good any more, nor of the one it went on with."""
        self._life.ended = True
        if self._offered is not None:
            self._offered.life.ended = True
        self._leave(TlsState.FAILED, Failed(error))

    def _end(self, *, clean: bool) -> None:
        self._leave(TlsState.CLOSED, TlsClosed(clean=clean))

    def _leave(self, state: TlsState, event: TlsEvent) -> None:
        self.state, self._tls, self._deadline = state, None, None
        self._events.append(event)

    def _wrong(self, call: str, expected: TlsState) -> LocalProtocolError:
        return LocalProtocolError(call, state=self.state.value, expected=expected.value, actual=self.state.value)


def _refused(expected: str, error: ssl.SSLError | ValueError, flight: bytes = b"") -> SecurityError:
    """What OpenSSL says, in our words: who refused what, and which alert told so."""
    reason = str(getattr(error, "reason", None) or type(error).__name__)
    alert = alert_in(flight)
    received = _RECEIVED_ALERT.fullmatch(reason)
    if isinstance(error, ssl.SSLCertVerificationError):
        found = f"{error.verify_message} (code {error.verify_code})"
    elif received:
        alert = received[1].lower()
        found = f"the peer's alert {alert}"
    elif isinstance(error, ssl.SSLZeroReturnError):
        alert, found = "close_notify", "the peer's close_notify"
    else:
        found = reason.lower().replace("_", " ")
        if reason == _BAD_RECORD_MAC:
            alert = "bad_record_mac"  # it is sent, but encrypted
    refused = SecurityError(f"{expected}, found {found}", alert=alert)
    refused.__cause__ = error.with_traceback(None)  # frames would keep keys and plain octets alive
    return refused
