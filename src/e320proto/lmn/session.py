"""The gateway's session on one bus: finds meters, pairs them, asks them; octets in, octets out.

::

    octets <-> GatewayStation <-> Conversation, one for each meter <-> requests, answers

Source: wired LMN; LMN security.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from e320proto.errors import LocalProtocolError
from e320proto.lmn.assignment import MeterIds
from e320proto.lmn.certificates import private_key_as
from e320proto.lmn.conversation import Conversation, State
from e320proto.lmn.meter_keys import MemoryKeyRing
from e320proto.lmn.participants import ParticipantAdded, ParticipantLost
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.request_queue import Pair
from e320proto.lmn.requests import CryptoReset, Read, ReadList, Renewal, Write
from e320proto.lmn.session_events import MeterFound, MeterGone, SessionEvent
from e320proto.lmn.station import GatewayStation, GatewayStationEvent, LinkReported
from e320proto.obis import ObisCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto.hdlc import Record
    from e320proto.lmn.certificates import Credentials
    from e320proto.lmn.meter_keys import KeyRing, MeterKeys
    from e320proto.lmn.requests import Request
    from e320proto.lmn.session_events import FileListener
    from e320proto.sml.messages import Value

REQUEST_TIMEOUT_S: Final = 60.0
"""How long a request may wait for its meter and its answer, all repeats included."""


class GatewaySession:
    """The gateway on one bus; time is an argument.

    What is asked returns a number; :class:`Answered`, :class:`MeterPaired` or :class:`RequestFailed` with that
    number follows, once. A meter that is not on the bus yet may be asked as well: the request waits for it.

    After any call send what ``data_to_send`` gives, and call ``handle_timeout`` at ``next_timeout``, at once if it
    has passed.

    Args:
        now: when the first assignment is due.
        keys: of the meters; new ones in memory if none are given.
        profile: of the bus.
        security: of pairing and TLS.
        participants: meters that are known already.
        file_listener: is told SML files in clear, those of TLS as well.

    Source: wired LMN, section 6.5; LMN security, sections 5 to 8.

    >>> session = GatewaySession(now=0.0)
    >>> events = session.handle_timeout(now=0.0)
    >>> session.data_to_send()[0].hex()  # nobody is known: who is there?
    '7ea009fe03020313842a7e'
    """

    def __init__(
        self,
        *,
        now: float,
        keys: KeyRing | None = None,
        profile: LmnProfile | None = None,
        security: SecurityProfile | None = None,
        participants: Iterable[Record] = (),
        file_listener: FileListener | None = None,
    ) -> None:
        self._file_listener = file_listener
        self.profile = profile or LmnProfile()
        self.security = security or SecurityProfile()
        self._keys = MemoryKeyRing() if keys is None else keys
        self.station = GatewayStation(self.profile, now=now, participants=participants)
        self._conversations: dict[bytes, Conversation] = {}
        self._attached: dict[bytes, MeterIds] = {}
        self._due: dict[bytes, float] = {}  # of conversations; asking all of them each time would cost most of all
        self._asked = 0
        for record in self.station.participants:
            self._found(record, now)

    # --- what can be asked ----------------------------------------------------------------------

    def read(self, server_id: bytes, *codes: ObisCode | str, now: float, timeout_s: float = REQUEST_TIMEOUT_S) -> int:
        """Read objects, each with its status and the seconds counter, if it has them.

        Raises:
            DecodeError: a text that is no OBIS code.
            LocalProtocolError: no code at all, or too many requests wait.
        """
        if not codes:
            raise LocalProtocolError("read", state="ANY", expected="an OBIS code", actual="none")
        parsed = tuple(code if isinstance(code, ObisCode) else ObisCode.parse(code) for code in codes)
        return self._ask(server_id, Read(parsed), now, timeout_s)

    def read_list(
        self, server_id: bytes, list_name: bytes | None = None, *, now: float, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> int:
        """Read the list that the meter pushes, or another one."""
        return self._ask(server_id, ReadList(list_name), now, timeout_s)

    def set_parameter(
        self, server_id: bytes, code: ObisCode | str, value: Value, *, now: float, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> int:
        """Write the value of an object."""
        parsed = code if isinstance(code, ObisCode) else ObisCode.parse(code)
        return self._ask(server_id, Write(parsed, value), now, timeout_s)

    def crypto_reset(self, server_id: bytes, *, now: float, timeout_s: float = REQUEST_TIMEOUT_S) -> int:
        """Bring keys and certificates of the meter back to delivery; TLS with it has to be closed long enough."""
        return self._ask(server_id, CryptoReset(), now, timeout_s)

    def renew_meter(
        self, server_id: bytes, credentials: Credentials, *, now: float, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> int:
        """Give a paired meter another certificate and key, through TLS.

        Raises:
            LocalProtocolError: ``cert_objects``, the objects that take them are not known.
        """
        octets = credentials.certificate + private_key_as(credentials.private_key, self.security.key_format)
        renewal = Renewal(self._object(0), octets, meter_certificate=credentials.certificate)
        return self._ask(server_id, renewal, now, timeout_s)

    def renew_gateway(
        self, server_id: bytes, gateway: Credentials, *, now: float, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> int:
        """Have a paired meter expect another certificate of this gateway, through TLS.

        Raises:
            LocalProtocolError: ``cert_objects``, the objects that take them are not known.
        """
        renewal = Renewal(self._object(1), gateway.certificate, gateway=gateway)
        return self._ask(server_id, renewal, now, timeout_s)

    def _object(self, which: int) -> ObisCode:
        objects = self.security.cert_objects
        if objects is None:
            expected = "their codes in the profile: they are not public"
            raise LocalProtocolError("cert_objects", state="ANY", expected=expected, actual="none")
        return ObisCode.parse(objects[which])

    def pair(
        self,
        server_id: bytes,
        *,
        meter: Credentials,
        gateway: Credentials,
        now: float,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> int:
        """Give the meter certificates; its key has to be among the keys.

        Args:
            server_id: of the meter.
            meter: what the meter is to get.
            gateway: what this gateway shows from then on, on the same curve.
            now: the time.
            timeout_s: until it is given up.

        Raises:
            LocalProtocolError: ``no_key``.
        """
        return self._ask(server_id, Pair(meter, gateway), now, timeout_s)

    def keys_of(self, server_id: bytes) -> MeterKeys:
        """What the gateway has of a meter."""
        return self._conversation(server_id).keys

    def close(self, *, now: float) -> None:
        """Forget what was asked, without a word, and end all connections in order; go on until :attr:`idle`."""
        for server_id, conversation in self._conversations.items():
            conversation.close(now=now)
            self._settle(server_id)

    @property
    def idle(self) -> bool:
        """Whether there is no connection to any meter."""
        return all(conversation.state is State.IDLE for conversation in self._conversations.values())

    @property
    def meters(self) -> tuple[Record, ...]:
        """The meters on the bus, with addresses and slots."""
        return self.station.participants

    def _ask(self, server_id: bytes, request: Request | Pair, now: float, timeout_s: float) -> int:
        self._conversation(server_id).ask(self._asked + 1, request, now=now, timeout_s=timeout_s)
        self._asked += 1
        self._settle(server_id)
        return self._asked

    def _conversation(self, server_id: bytes) -> Conversation:
        if server_id not in self._conversations:
            self._conversations[server_id] = Conversation(
                server_id, self._keys, self.profile, self.security, self._file_listener
            )
        return self._conversations[server_id]

    def _settle(self, server_id: bytes) -> None:
        """Note when a conversation is due; it was at work."""
        due = self._conversations[server_id].next_timeout()
        if due is None:
            self._due.pop(server_id, None)
        else:
            self._due[server_id] = due

    # --- bus ------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, *, now: float) -> list[SessionEvent]:
        """Take octets from the bus."""
        return self._dispatch(self.station.receive_data(data, now=now), now)

    def data_to_send(self) -> list[bytes]:
        """Frames that are to be sent now; each is given once."""
        return self.station.data_to_send()

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has to be called."""
        due = min(self._due.values(), default=inf)
        station_due = self.station.next_timeout()
        due = due if station_due is None else min(due, station_due)
        return None if due == inf else due

    def handle_timeout(self, *, now: float) -> list[SessionEvent]:
        """Let time pass until ``now``."""
        events: list[SessionEvent] = []
        for server_id in [server_id for server_id, due in self._due.items() if now >= due]:
            events += self._conversations[server_id].handle_timeout(now=now)
            self._settle(server_id)
        return events + self._dispatch(self.station.handle_timeout(now=now), now)

    def _dispatch(self, happened: list[GatewayStationEvent], now: float) -> list[SessionEvent]:
        events: list[SessionEvent] = []
        for event in happened:
            match event:
                case LinkReported(ids, link_event) if ids == self._attached.get(ids.participant_id):
                    try:
                        events += self._conversation(ids.participant_id).receive_event(link_event, now=now)
                    finally:  # where keys could not be kept as well
                        self._settle(ids.participant_id)
                case ParticipantAdded(ids, address, slot):
                    events += self._found(ids.record(address, slot), now)
                case ParticipantLost(ids) if ids == self._attached.get(ids.participant_id):
                    events += self._gone(ids.participant_id, now)
                case _:
                    pass
        return events

    def _found(self, record: Record, now: float) -> list[SessionEvent]:
        """A meter is on the bus; of two with one server id the first one counts until it is gone."""
        ids, server_id = MeterIds.of_record(record), record.participant_id
        if server_id in self._attached:
            return []
        self._attached[server_id] = ids
        self._conversation(server_id).attach(self.station.link(ids), now=now)
        self._settle(server_id)
        return [MeterFound(server_id, record.address, record.slot)]

    def _gone(self, server_id: bytes, now: float) -> list[SessionEvent]:
        del self._attached[server_id]
        conversation = self._conversation(server_id)
        events = [*conversation.detach(now=now), MeterGone(server_id)]
        self._settle(server_id)
        if conversation.idle:
            del self._conversations[server_id]  # anybody on the bus can call itself anything
        for record in self.station.participants:
            if record.participant_id == server_id:
                events += self._found(record, now)
        return events
