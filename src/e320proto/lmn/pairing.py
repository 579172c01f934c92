"""The symmetric exchange: how a meter gets its certificates under a key that only it and its gateway know.

::

    gateway                                           meter
    01 counter FFFFFFFF           ------------------>
                                  <------------------  81 counter C + 1          S1
    02                     C + 2  ------------------>
                                  <------------------  82 suites, curves         S2
    03 meter's certificate, key   ------------------>
                                  <------------------  83                        S3
    04 gateway's certificate      ------------------>
                                  <------------------  84                        S4
    05                            ------------------>  keeps everything
                                  <------------------  85 largest fragment       DONE

Every message has keys of its own, made of the meter's key, the counter and the meter's id. All counters are of one
rising sequence, and what is not above the last one is refused: for a meter the last that was authentically sent or
received, for a gateway the last that was received. Each end keeps it for ever, and **before** it is used
(``store_counter``): supply may fail at any instant.

A message is checked in the order of :class:`Check`; the first that fails is the one that is told. After a failure
the meter waits for 01 again, while its link answers DM; the gateway's machine is of no more use, make another one.

Both machines hand out events in the order in which they are to be acted on, and before what is to be sent: a meter
stores what :class:`Paired` brings, and only then sends 85.

Source: LMN security, 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from e320proto.errors import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError, SecurityError
from e320proto.lmn.certificates import Credentials, check_credentials, curve_of, private_key_as
from e320proto.lmn.pairing_keys import (
    DEFAULT_PROFILE,
    ID_OCTETS,
    Direction,
    SymKeys,
    decrypt,
    derive_keys,
    open_,
    operational_key,
    seal,
    sized,
    verify,
)
from e320proto.lmn.pairing_message import (
    BLOCK,
    COUNTER_QUERY,
    MAX_COUNTER,
    REPLY,
    Algorithms,
    Command,
    MessageAssembly,
    SymMessage,
    decode_algorithms,
    decode_max_fragment,
    decode_message,
    encode_algorithms,
    encode_max_fragment,
    expect_nothing,
    split_credentials,
)
from e320proto.lmn.pairing_states import NEXT, Check, Paired, PairingEvent, PairingFailed, PairingState

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.lmn.profile import SecurityProfile

__all__ = [
    "Algorithms",
    "Check",
    "Command",
    "Direction",
    "GatewayPairing",
    "MessageAssembly",
    "MeterPairing",
    "Paired",
    "PairingEvent",
    "PairingFailed",
    "PairingState",
    "SymKeys",
    "SymMessage",
    "derive_keys",
    "open_",
    "operational_key",
    "seal",
]

_FAILURES: Final = (DecodeError, SecurityError, RemoteProtocolError)


class _Sequence:
    """The one rising sequence of counters, kept ahead of its use.

    Whatever ``store`` was called with last is at least as high as every counter taken: a machine that begins with
    it takes none of them again.
    """

    def __init__(self, stored: int, store: Callable[[int], None], reserve: int) -> None:
        if not 0 <= stored <= MAX_COUNTER:
            raise EncodeError("out_of_range", f"expected 0 to {MAX_COUNTER}", path="counter", value=stored)
        self.last = self._stored = stored
        self._store = store
        self._reserve = reserve

    @property
    def exhausted(self) -> bool:
        return self.last >= MAX_COUNTER

    def take(self, counter: int) -> None:
        """Count one that is authentic: keep it, then use it."""
        if counter > self._stored:
            ahead = min(counter + self._reserve - 1, MAX_COUNTER)
            self._store(ahead)
            self._stored = ahead
        self.last = counter

    def following(self, state: PairingState) -> int:
        """Tell the next one, which is for a message of ours."""
        if self.exhausted:
            raise _refused("counter", state, f"one below {MAX_COUNTER:08X}", f"{self.last:08X}, there is none above")
        return self.last + 1


class MeterPairing:
    """The meter's end. Whether a paired meter takes part at all (``sym_when_paired``) is for its link to say.

    Args:
        key: the operational key, 16 octets.
        meter_id: the server id, 10 octets.
        counter: what was stored last, 0 in a new meter.
        store_counter: keeps a counter over loss of supply before it returns; it is called before one is used, and
            with one that is up to ``counter_reserve`` ahead. If it raises, no counter was used.
        algorithms: what reply 82 tells; other curves are refused.
        profile: parameters.

    Raises:
        EncodeError: a key, an id or a counter of another size.
    """

    def __init__(
        self,
        key: bytes,
        meter_id: bytes,
        *,
        counter: int,
        store_counter: Callable[[int], None],
        algorithms: Algorithms | None = None,
        profile: SecurityProfile = DEFAULT_PROFILE,
    ) -> None:
        self._key, self._id = sized(key, BLOCK, "key"), sized(meter_id, ID_OCTETS, "meter_id")
        self._sequence = _Sequence(counter, store_counter, profile.counter_reserve)
        self._profile = profile
        self._algorithms = algorithms or Algorithms(prefix=profile.sym_algorithms_prefix)
        self._algorithms_data = encode_algorithms(self._algorithms)  # raises here and not in an exchange
        self._to_send: list[bytes] = []
        self.state = PairingState.IDLE
        self._drop()

    @property
    def exhausted(self) -> bool:
        """Whether all counters are used up: no exchange is possible any more, the link answers DM."""
        return self._sequence.exhausted

    def receive_data(self, data: bytes, *, now: float) -> list[PairingEvent]:  # noqa: ARG002 - no timer here
        """Take one message, as :class:`MessageAssembly` gives it.

        Returns:
            Nothing, or :class:`Paired`, or :class:`PairingFailed`.
        """
        check, step = Check.LENGTH, None
        try:
            message = decode_message(data, self._profile)
            check = Check.MAC
            keys = derive_keys(self._key, message.counter, self._id, Direction.FROM_GATEWAY, self._profile)
            verify(data, keys, self._profile)
            step = _command_of(message.command)
            check = Check.COUNTER
            self._check_counter(message)
            check = Check.ORDER
            command, state = self._next(message.command)
            check = Check.PADDING
            content = decrypt(message, keys, self._profile)
            check = Check.CONTENT
            reply = self._processed(command, content)
            check = Check.COUNTER
            counter = self._sequence.following(self.state)
            self._sequence.take(counter)
        except _FAILURES as error:
            self.closed()
            return [PairingFailed(check, step, error)]
        self.state = state
        keys = derive_keys(self._key, counter, self._id, Direction.FROM_METER, self._profile)
        self._to_send.append(seal(REPLY | command, counter, reply, keys, self._profile))
        return self._finished() if state is PairingState.DONE else []

    def data_to_send(self) -> list[bytes]:
        """Hand out the replies; act on the events first."""
        messages, self._to_send = self._to_send, []
        return messages

    def closed(self) -> None:
        """The connection has ended: what was staged is dropped."""
        self.state = PairingState.IDLE
        self._to_send.clear()
        self._drop()

    def _drop(self) -> None:
        self._credentials, self._gateway_certificate = Credentials(b"", b""), b""

    def _check_counter(self, message: SymMessage) -> None:
        # The query's counter is that of no other message, and no part of the sequence.
        if message.command == Command.COUNTER:
            if message.counter != COUNTER_QUERY:
                raise _refused("counter", self.state, f"{COUNTER_QUERY:08X}", f"{message.counter:08X}")
            return
        _check_rising(message, self._sequence.last, self.state)
        self._sequence.take(message.counter)

    def _next(self, octet: int) -> tuple[Command, PairingState]:
        command = _command_of(octet)
        state = None if command is None else NEXT.get((command, self.state))
        if command is None or state is None:
            expected = " or ".join(f"{each:02X}" for each, state in NEXT if state is self.state) or "none"
            raise _refused("order", self.state, f"request {expected}", f"{octet:02X}")
        return command, state

    def _processed(self, command: Command, data: bytes) -> bytes:
        """Do what a request asks for; its reply's data."""
        match command:
            case Command.COUNTER:
                expect_nothing(data)
                self._drop()
            case Command.ALGORITHMS:
                expect_nothing(data)
                return self._algorithms_data
            case Command.CREDENTIALS:
                credentials = Credentials(*split_credentials(data))
                check_credentials(credentials, self._algorithms.curves)
                self._credentials = credentials
            case Command.GATEWAY_CERTIFICATE:
                curve_of(data)
                self._gateway_certificate = data
            case Command.MAX_FRAGMENT:
                expect_nothing(data)
                return encode_max_fragment(self._profile.sym_max_fragment)
            case _:
                assert_never(command)
        return b""

    def _finished(self) -> list[PairingEvent]:
        paired = Paired(self._credentials, self._gateway_certificate, self._algorithms, self._profile.sym_max_fragment)
        self._drop()
        return [paired]


class GatewayPairing:
    """The gateway's end, for one exchange with one meter.

    Args:
        key: the meter's key, 16 octets.
        meter_id: the meter's server id, 10 octets.
        credentials: what the meter is to get, see :func:`~e320proto.lmn.certificates.make_credentials`.
        gateway_certificate: what the meter is to expect of this gateway, on the same curve.
        counter: what was stored last for this key, 0 for a new one.
        store_counter: keeps the counter of a reply before it returns; it is called before anything is done with it.
        profile: parameters.

    Raises:
        EncodeError: a key, an id or a counter of another size.
        DecodeError: certificates or a private key that are none.
        SecurityError: they do not fit to each other.

    >>> from datetime import UTC, datetime
    >>> from e320proto.lmn.certificates import Curve, make_credentials
    >>> ours, theirs = (make_credentials(Curve.SECP256R1, n, now=datetime(2026, 1, 1, tzinfo=UTC)) for n in "GM")
    >>> key, meter_id, stored = bytes(range(16)), bytes.fromhex("0a014c475a0000bc614e"), []
    >>> gateway = GatewayPairing(key, meter_id, theirs, ours.certificate, counter=0, store_counter=stored.append)
    >>> meter = MeterPairing(key, meter_id, counter=0, store_counter=stored.append)
    >>> gateway.start(now=0.0)
    >>> for request in iter(lambda: b"".join(gateway.data_to_send()), b""):
    ...     events = meter.receive_data(request, now=0.0)
    ...     (reply,) = meter.data_to_send()
    ...     events = gateway.receive_data(reply, now=0.0)
    >>> [(type(event).__name__, event.max_fragment) for event in events]
    [('Paired', 2048)]
    """

    def __init__(
        self,
        key: bytes,
        meter_id: bytes,
        credentials: Credentials,
        gateway_certificate: bytes,
        *,
        counter: int,
        store_counter: Callable[[int], None],
        profile: SecurityProfile = DEFAULT_PROFILE,
    ) -> None:
        self._key, self._id = sized(key, BLOCK, "key"), sized(meter_id, ID_OCTETS, "meter_id")
        curve, other = check_credentials(credentials), curve_of(gateway_certificate)
        if curve is not other:  # TLS cannot do with two: the meter would be paired and lost
            msg = f"gateway certificate: expected a key on {curve.name}, found one on {other.name}"
            raise SecurityError(msg)
        self._credentials, self._gateway_certificate = credentials, gateway_certificate
        # Replies only. A request has the counter of the reply before it and 1, so the next reply that is above
        # the last one gives a request that is above all that were sent, and none is lost if a request was.
        self._sequence = _Sequence(counter, store_counter, 1)
        self._sent = 0
        self._profile = profile
        self._data = {
            Command.CREDENTIALS: credentials.certificate + private_key_as(credentials.private_key, profile.key_format),
            Command.GATEWAY_CERTIFICATE: gateway_certificate,
        }
        self._to_send: list[bytes] = []
        self._deadline: float | None = None
        self._step: Command | None = None
        self.state = PairingState.IDLE
        self._algorithms = Algorithms()

    def start(self, *, now: float) -> None:
        """Begin; the link to selector 6 is open.

        Raises:
            LocalProtocolError: there was an exchange already.
        """
        if self.state is not PairingState.IDLE or self._step is not None:
            raise LocalProtocolError("start", state=self.state.name, expected="a new machine", actual="a used one")
        self._request(Command.COUNTER, COUNTER_QUERY, now)

    def receive_data(self, data: bytes, *, now: float) -> list[PairingEvent]:
        """Take one reply, as :class:`MessageAssembly` gives it; after the end of the exchange it is ignored.

        Raises:
            LocalProtocolError: before :meth:`start`.
        """
        if self.state in {PairingState.DONE, PairingState.FAILED}:
            return []
        step = self._step
        if step is None:
            raise LocalProtocolError("receive_data", state=self.state.name, expected="start before", actual="a reply")
        check = Check.LENGTH
        try:
            message = decode_message(data, self._profile)
            check = Check.MAC
            keys = derive_keys(self._key, message.counter, self._id, Direction.FROM_METER, self._profile)
            verify(data, keys, self._profile)
            check = Check.COUNTER
            _check_rising(message, max(self._sequence.last, self._sent), self.state)
            self._sequence.take(message.counter)
            check = Check.ORDER
            if message.command != REPLY | step:
                raise _refused("order", self.state, f"reply {REPLY | step:02X}", f"{message.command:02X}")
            check = Check.PADDING
            content = decrypt(message, keys, self._profile)
            check = Check.CONTENT
            max_fragment = self._read(step, content)
            self.state = NEXT[step, self.state]
            if self.state is PairingState.DONE:
                self._deadline = None
                return [Paired(self._credentials, self._gateway_certificate, self._algorithms, max_fragment)]
            check = Check.COUNTER
            self._sent = self._sequence.following(self.state)
            self._request(Command(step + 1), self._sent, now)
        except _FAILURES as error:
            return self._fail(check, error)
        return []

    def data_to_send(self) -> list[bytes]:
        """Hand out the requests, each once."""
        messages, self._to_send = self._to_send, []
        return messages

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` is to be called; ``None`` for never."""
        return self._deadline

    def handle_timeout(self, *, now: float) -> list[PairingEvent]:
        """Let time pass: a request that is not answered in time ends the exchange."""
        if self._deadline is None or now < self._deadline:
            return []
        return self._silent(Check.ANSWER, f"nothing for {self._profile.sym_answer_timeout_s:g} s")

    def closed(self) -> list[PairingEvent]:
        """The link is lost, or the meter has answered DM."""
        if self._deadline is None:
            return []
        return self._silent(Check.LINK, "the end of the connection")

    def _silent(self, check: Check, found: str) -> list[PairingEvent]:
        expected = f"reply {REPLY | (self._step or 0):02X}"
        return self._fail(check, _refused(check.value, self.state, expected, found))

    def _read(self, step: Command, data: bytes) -> int:
        """Read the data of a reply; the largest fragment, if they tell it."""
        match step:
            case Command.ALGORITHMS:
                self._algorithms = decode_algorithms(data)
            case Command.MAX_FRAGMENT:
                return decode_max_fragment(data)
            case _:
                expect_nothing(data)
        return 0

    def _request(self, command: Command, counter: int, now: float) -> None:
        keys = derive_keys(self._key, counter, self._id, Direction.FROM_GATEWAY, self._profile)
        self._to_send.append(seal(command, counter, self._data.get(command, b""), keys, self._profile))
        self._step = command
        self._deadline = now + self._profile.sym_answer_timeout_s

    def _fail(self, check: Check, error: DecodeError | SecurityError | RemoteProtocolError) -> list[PairingEvent]:
        self.state, self._deadline = PairingState.FAILED, None
        self._to_send.clear()
        return [PairingFailed(check, self._step, error, may_be_paired=self._step is Command.MAX_FRAGMENT)]


def _command_of(octet: int) -> Command | None:
    try:
        return Command(octet)
    except ValueError:
        return None


def _check_rising(message: SymMessage, last: int, state: PairingState) -> None:
    if not last < message.counter <= MAX_COUNTER:
        expected = f"{last + 1:08X} to {MAX_COUNTER:08X}"
        raise _refused("counter", state, expected, f"{message.counter:08X}")


def _refused(reason: str, state: PairingState, expected: str, actual: str) -> RemoteProtocolError:
    return RemoteProtocolError(reason, state=state.name, expected=expected, actual=actual)
