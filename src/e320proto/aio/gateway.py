r"""A gateway on a bus: asks meters, keeps their keys, opens the pipe again when the cable was pulled.

::

    await gateway.read(...) ----> GatewaySession <----octets----> pipe
         ^ answer, error            |      ^ timer
         \--------- events ---------/------/

Everything happens between two steps of the event loop: there is no thread and, while the pipe is open, no task.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeAlias

from e320proto.aio.pipe import SOFT_PROFILE, open_pipe
from e320proto.errors import (
    AttentionError,
    E320Error,
    LocalProtocolError,
    RemoteProtocolError,
    ResponseTimeout,
    TransportError,
)
from e320proto.identity import ServerId
from e320proto.lmn.certificates import CertificateProfile, Curve, make_credentials, renew_credentials
from e320proto.lmn.session import REQUEST_TIMEOUT_S, GatewaySession
from e320proto.lmn.session_events import Answered, MeterPaired, RequestFailed, SessionEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from e320proto.aio.pipe import Pipe
    from e320proto.hdlc import Record
    from e320proto.lmn.meter_keys import KeyRing, MeterKeys, TlsCertificates
    from e320proto.lmn.profile import LmnProfile, SecurityProfile
    from e320proto.lmn.requests import Result
    from e320proto.obis import ObisCode
    from e320proto.sml.messages import Value

REOPEN_S: Final = 1.0
"""Pause between two attempts to open a pipe that was lost, s."""
FIND_S: Final = 15.0
"""How long meters may take to be found: an assignment every ten seconds, and some patience, s."""
HANG_UP_S: Final = 1.0
"""How long meters may take to end their connections when the gateway is closed, s."""
_NOT_EXECUTED: Final = 0xFE0A
_MOST_EVENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class PipeLost:
    """The pipe is gone; it is tried to be opened again until it is there."""

    error: TransportError


@dataclass(frozen=True, slots=True)
class PipeOpened:
    """The pipe is open again; ``name`` is its name."""

    name: str


GatewayEvent: TypeAlias = SessionEvent | PipeLost | PipeOpened


class Listener(Protocol):
    """Who is told what goes over the bus."""

    def octets(self, data: bytes, *, sent: bool) -> None:
        """Octets as they were sent, a frame, or heard, in pieces of any size."""

    def file(self, server_id: bytes, file: bytes, *, sent: bool) -> None:
        """An SML file of a meter in clear, also one that went through TLS."""


class _Work(Protocol):
    def __call__(self, *, now: float) -> list[SessionEvent]: ...


class Gateway:
    """A gateway on one bus; an asynchronous context manager.

    A request that is cancelled is forgotten; what it asked for may happen nevertheless. Leaving the context fails
    the requests that wait, and leaves no task behind.

    Args:
        pipe: a URL as in :mod:`e320proto.aio.pipe`, or what opens a pipe.
        keys: of the meters; none if not given, and then meters are read in clear only.
        profile: of the bus; :data:`~e320proto.aio.pipe.SOFT_PROFILE` if not given.
        security: of pairing and TLS.
        name: common name of this gateway's certificates.
        curve: of the keys that are made for a pairing.
        participants: meters that are known already.
        listener: is told what goes over the bus.
    """

    def __init__(
        self,
        pipe: str | Callable[[], Awaitable[Pipe]],
        *,
        keys: KeyRing | None = None,
        profile: LmnProfile | None = None,
        security: SecurityProfile | None = None,
        name: str = "E320PROTO.SMGW",
        curve: Curve = Curve.BRAINPOOL_P256R1,
        participants: Iterable[Record] = (),
        listener: Listener | None = None,
    ) -> None:
        self._profile = profile or SOFT_PROFILE
        self._open = (lambda: open_pipe(pipe, baud=self._profile.baud_rate)) if isinstance(pipe, str) else pipe
        self._arguments = {"keys": keys, "security": security, "participants": participants}
        self._name, self._curve = name, curve
        self._listener = listener
        self._pipe: Pipe | None = None
        self._session: GatewaySession | None = None
        self._closing = False
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Answered | MeterPaired]] = {}
        self._streams: set[_Stream] = set()

    async def __aenter__(self) -> Self:
        """Open the pipe and begin to look for meters.

        Raises:
            TransportError: the pipe cannot be opened, or the keys of known meters cannot be read.
            LocalProtocolError: it is open already.
        """
        if self._session is not None:
            raise LocalProtocolError("open", state="open", expected="a gateway that is closed", actual="an open one")
        self._loop = asyncio.get_running_loop()
        pipe = await self._open()
        try:
            self._session = GatewaySession(
                now=self._loop.time(),
                profile=self._profile,
                file_listener=None if self._listener is None else self._listener.file,
                **self._arguments,  # type: ignore[arg-type]  # each has the type of its name
            )
        except BaseException:  # keys of meters that are known already could not be read
            await pipe.close()
            raise
        self._use(pipe)
        self._settle()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """End the connections in order, as far as meters answer, and close the pipe."""
        for future in self._waiting.values():
            future.cancel()
        try:
            await self._hang_up()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._session = self._timer = None
            self._closing = False
            for stream in self._streams:
                stream.end()
            await self._close_pipe()

    async def _hang_up(self) -> None:
        session = self._running("close")
        self._closing = True  # nobody would answer what is asked from now on
        session.close(now=self._loop.time())
        self._settle()
        with self._listening() as stream, suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                while self._pipe is not None and not session.idle and await stream.next() is not None:
                    pass

    async def _close_pipe(self) -> None:
        reopening, self._reopening = self._reopening, None
        if reopening is not None:
            reopening.cancel()
            with suppress(asyncio.CancelledError):
                await reopening
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            await pipe.close()

    # --- what can be asked ----------------------------------------------------------------------

    async def meters(self, at_least: int = 1, *, timeout_s: float = FIND_S) -> tuple[Record, ...]:
        """Return the meters on the bus; wait until there are so many, or the time is over."""
        session = self._running("meters")
        with self._listening() as stream, suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while len(session.meters) < at_least and await stream.next() is not None:
                    pass
        return session.meters

    async def read(
        self, server_id: bytes | str, *codes: ObisCode | str, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> Result:
        """Read objects, each with its status and the meter's seconds counter, if it has them.

        Args:
            server_id: of the meter; also the device id that is printed on it.
            codes: of the objects, at least one.
            timeout_s: until it is given up.

        Returns:
            A reading for each code, or the refusal in its place.

        Raises:
            ResponseTimeout: no answer.
            SecurityError: TLS failed.
            RemoteProtocolError: the meter answered something else.
            DecodeError: a text that is no OBIS code or no id.
            LocalProtocolError: no code at all, or the gateway is closed.
        """
        meter = _octets(server_id)
        return await self._result(lambda it, now: it.read(meter, *codes, now=now, timeout_s=timeout_s))

    async def read_list(
        self, server_id: bytes | str, list_name: bytes | None = None, *, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> Result:
        """Read the list that the meter pushes, or another one.

        Raises:
            AttentionError: the meter refuses; and as :meth:`read`.
        """
        meter = _octets(server_id)
        return await self._result(lambda it, now: it.read_list(meter, list_name, now=now, timeout_s=timeout_s))

    async def set_parameter(
        self, server_id: bytes | str, code: ObisCode | str, value: Value, *, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> None:
        """Write the value of an object; raises as :meth:`read_list`. Without an answer it may have been written."""
        meter = _octets(server_id)
        await self._result(lambda it, now: it.set_parameter(meter, code, value, now=now, timeout_s=timeout_s))

    async def crypto_reset(self, server_id: bytes | str, *, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """Bring keys and certificates of the meter back to delivery; raises as :meth:`read_list`.

        A meter takes it half a minute after the end of TLS. Where another gateway has had that, the first attempt is
        refused; if there is time for it, one more is made half a minute later.
        """
        meter = _octets(server_id)
        end = self._loop.time() + timeout_s

        def ask(session: GatewaySession, now: float) -> int:
            return session.crypto_reset(meter, now=now, timeout_s=end - now)

        try:
            await self._result(ask)
        except AttentionError as error:
            pause_s = self._running("crypto_reset").security.reset_wait_s
            if error.number != _NOT_EXECUTED or self._loop.time() + pause_s >= end:
                raise
            await asyncio.sleep(pause_s)
            await self._result(ask)

    async def pair(self, server_id: bytes | str, *, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """Give the meter new certificates, valid from today on, and open TLS with them.

        Raises:
            LocalProtocolError: ``no_key``, the meter's key is not among the keys.
            ResponseTimeout: the meter did not answer; a counter may have been used.
            SecurityError: the key is not the meter's, or it does not want to be paired.
        """
        meter = _octets(server_id)
        today = datetime.now(UTC)
        common_name = CertificateProfile().meter_name.format(device_id=ServerId.from_wire(meter).text)
        of_meter = make_credentials(self._curve, common_name, now=today)
        own = make_credentials(self._curve, self._name, now=today)
        await self._answer(lambda it, now: it.pair(meter, meter=of_meter, gateway=own, now=now, timeout_s=timeout_s))

    async def renew_meter(self, server_id: bytes | str, *, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """Give a paired meter a new certificate and key, through TLS; raises as :meth:`renew_gateway`."""
        meter = _octets(server_id)
        new = renew_credentials(self._certificates(meter).meter, now=datetime.now(UTC))
        await self._result(lambda it, now: it.renew_meter(meter, new, now=now, timeout_s=timeout_s))

    async def renew_gateway(self, server_id: bytes | str, *, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """Show a paired meter a new certificate from now on, told through TLS.

        Raises:
            LocalProtocolError: ``cert_objects``, the codes of the objects are not in the security profile;
                ``not_paired``.
            AttentionError: the meter refuses; both ends keep what they have.
            ResponseTimeout: no answer. The next requests try what the meter had and what it may have now, until TLS
                stands with one of them; :meth:`keys_of` has no ``renewing`` then.
            SecurityError: TLS failed.
        """
        meter = _octets(server_id)
        new = renew_credentials(self._certificates(meter).gateway.certificate, now=datetime.now(UTC))
        await self._result(lambda it, now: it.renew_gateway(meter, new, now=now, timeout_s=timeout_s))

    def _certificates(self, meter: bytes) -> TlsCertificates:
        found = self.keys_of(meter).certificates
        if found is None:
            expected = "certificates of the meter, to be renewed"
            raise LocalProtocolError("not_paired", state="ANY", expected=expected, actual="none")
        return found

    def keys_of(self, server_id: bytes | str) -> MeterKeys:
        """What the gateway has of a meter."""
        return self._running("keys_of").keys_of(_octets(server_id))

    async def events(self) -> AsyncIterator[GatewayEvent]:
        """Tell what happens from now on, until the gateway is closed; who is slow loses the oldest ones."""
        self._running("events")
        with self._listening() as stream:
            while (event := await stream.next()) is not None:
                yield event

    def _listening(self) -> _Stream:
        return _Stream(self._streams)

    def _running(self, what: str) -> GatewaySession:
        if self._session is None or self._closing:
            raise LocalProtocolError(what, state="closed", expected="a gateway that is open", actual="a closed one")
        return self._session

    async def _result(self, ask: Callable[[GatewaySession, float], int]) -> Result:
        answer = await self._answer(ask)
        return answer.result if isinstance(answer, Answered) else ()

    async def _answer(self, ask: Callable[[GatewaySession, float], int]) -> Answered | MeterPaired:
        number = ask(self._running("request"), self._loop.time())
        future: asyncio.Future[Answered | MeterPaired] = self._loop.create_future()
        self._waiting[number] = future
        self._settle()
        try:
            return await future
        except asyncio.CancelledError:
            if not _being_cancelled():  # the gateway is closed
                raise LocalProtocolError("request", state="closed", expected="an answer", actual="no gateway") from None
            raise
        finally:
            del self._waiting[number]

    # --- pipe and timer -------------------------------------------------------------------------

    def _use(self, pipe: Pipe) -> None:
        self._pipe = pipe
        pipe.start(self._hear, self._lose)

    def _hear(self, octets: bytes) -> None:
        if self._session is not None:
            if self._listener is not None:
                self._listener.octets(octets, sent=False)
            self._do(partial(self._session.receive_data, octets))

    def _wake(self) -> None:
        if self._session is not None:
            self._do(self._session.handle_timeout)

    def _do(self, work: _Work) -> None:
        try:
            self._tell(work(now=self._loop.time()))
        except E320Error as error:  # keys could not be kept: whose answer is lost with that is not known
            if not self._waiting:
                raise
            for number in self._waiting:
                self._done(number, error)
        finally:
            self._settle()

    def _settle(self) -> None:
        """Send what is to be sent, and set the timer."""
        if self._session is None:
            return
        for frame in self._session.data_to_send():
            if self._pipe is not None:
                if self._listener is not None:
                    self._listener.octets(frame, sent=True)
                self._pipe.send(frame)
        if self._timer is not None:
            self._timer.cancel()
        due = self._session.next_timeout()
        self._timer = None if due is None else self._loop.call_at(due, self._wake)

    def _tell(self, events: Iterable[GatewayEvent]) -> None:
        for event in events:
            match event:
                case Answered(number) | MeterPaired(number):
                    self._done(number, event)
                case RequestFailed(number, _, error):
                    self._done(number, _as_timeout(error))
                case _:
                    pass
            for stream in self._streams:
                stream.put(event)

    def _done(self, number: int, outcome: Answered | MeterPaired | Exception) -> None:
        future = self._waiting.get(number)
        if future is None or future.done():
            return  # nobody waits any more
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _lose(self, error: TransportError) -> None:
        if self._session is not None:
            lost, self._pipe = self._pipe, None
            self._tell([PipeLost(error)])
            self._reopening = self._loop.create_task(self._reopen(lost))

    async def _reopen(self, lost: Pipe | None) -> None:
        if lost is not None:
            await lost.close()
        while True:
            await asyncio.sleep(REOPEN_S)
            with suppress(TransportError):
                pipe = await self._open()
                break
        self._use(pipe)
        self._reopening = None
        self._tell([PipeOpened(pipe.name)])


class _Stream:
    """Events for one who listens."""

    def __init__(self, streams: set[_Stream]) -> None:
        self._streams = streams
        self._events: deque[GatewayEvent] = deque(maxlen=_MOST_EVENTS)
        self._there = asyncio.Event()
        self._ended = False

    def __enter__(self) -> Self:
        self._streams.add(self)
        return self

    def __exit__(self, *exception: object) -> None:
        self._streams.discard(self)

    def put(self, event: GatewayEvent) -> None:
        self._events.append(event)
        self._there.set()

    def end(self) -> None:
        self._ended = True
        self._there.set()

    async def next(self) -> GatewayEvent | None:
        """Wait for an event; there is none after the end."""
        while not self._events:
            if self._ended:
                return None
            self._there.clear()
            await self._there.wait()
        return self._events.popleft()


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _octets(server_id: bytes | str) -> bytes:
    return bytes(ServerId.parse(server_id)) if isinstance(server_id, str) else bytes(server_id)


def _as_timeout(error: Exception) -> Exception:
    """Silence is a matter of time here."""
    if isinstance(error, RemoteProtocolError) and error.reason == "no_answer":
        timeout = ResponseTimeout(str(error))
        timeout.__cause__ = error
        return timeout
    return error
