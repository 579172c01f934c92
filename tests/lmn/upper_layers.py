"""A gateway and a meter with something above their stations, to put on a simulated bus."""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING, Final

from e320proto.lmn.assignment import AddressLost, AddressTaken, MeterIds
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
from e320proto.lmn.participants import ParticipantAdded, ParticipantLost
from e320proto.lmn.station import GatewayStation, GatewayStationEvent, LinkReported, MeterStation, MeterStationEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.hdlc import Record
    from e320proto.lmn.assignment import Random as Choices
    from e320proto.lmn.profile import LmnProfile

REOPEN_S: Final = 1.0


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same choices in every run


def ids_of(number: int) -> MeterIds:
    return MeterIds.of_meter(bytes.fromhex("0A014C475A") + number.to_bytes(5))


class Messages:
    """Cuts a stream into messages that begin with their length in two octets."""

    def __init__(self) -> None:
        self._octets = b""

    def feed(self, data: bytes) -> list[bytes]:
        self._octets += data
        messages = []
        while len(self._octets) >= 2 and len(self._octets) >= 2 + int.from_bytes(self._octets[:2]):
            end = 2 + int.from_bytes(self._octets[:2])
            messages.append(self._octets[2:end])
            self._octets = self._octets[end:]
        return messages


def message(payload: bytes) -> bytes:
    return len(payload).to_bytes(2) + payload


class EchoMeter:
    """A meter that needs ``work_s`` to turn a message round."""

    def __init__(self, number: int, profile: LmnProfile, choices: Choices, *, work_s: float = 0.05) -> None:
        self.ids = ids_of(number)
        self.station = MeterStation(self.ids, profile, permitted=lambda _: True, random=choices)
        self.received: list[bytes] = []
        self.events: list[tuple[float, MeterStationEvent]] = []
        self._work_s = work_s
        self._ready: list[tuple[float, bytes]] = []
        self._messages = Messages()

    def _take(self, events: Sequence[MeterStationEvent], now: float) -> Sequence[MeterStationEvent]:
        for event in events:
            self.events.append((now, event))
            match event:
                case LinkOpened() | LinkClosed():
                    self._ready, self._messages = [], Messages()
                case DataReceived(data):
                    for payload in self._messages.feed(data):
                        self.received.append(payload)
                        self._ready.append((now + self._work_s, message(payload[::-1])))
                        self.station.link.working(at_work=True)
                case AddressTaken() | AddressLost():
                    pass
                case Failed():
                    assert "N(R)" in str(event.error)
        return events

    def receive_data(self, data: bytes, *, now: float) -> Sequence[MeterStationEvent]:
        return self._take(self.station.receive_data(data, now=now), now)

    def data_to_send(self) -> list[bytes]:
        return self.station.data_to_send()

    def next_timeout(self) -> float | None:
        due = self.station.next_timeout()
        return min([inf if due is None else due, *(at for at, _ in self._ready)])

    def handle_timeout(self, *, now: float) -> Sequence[MeterStationEvent]:
        while self._ready and self._ready[0][0] <= now:
            self.station.link.send(self._ready.pop(0)[1])
            self.station.link.working(at_work=bool(self._ready))
        return self._take(self.station.handle_timeout(now=now), now)


class Reader:
    """A gateway that sends every meter its messages, one after the other, and collects the answers."""

    def __init__(
        self,
        profile: LmnProfile,
        payloads: Sequence[bytes] = (),
        *,
        selector: int = 3,
        participants: Sequence[Record] = (),
    ) -> None:
        self.station = GatewayStation(profile, now=0.0, participants=participants)
        self.answers: dict[MeterIds, list[bytes]] = {}
        self.events: list[tuple[float, GatewayStationEvent]] = []
        self._payloads = list(payloads)
        self._selector = selector
        self._messages: dict[MeterIds, Messages] = {}
        self._reopen: dict[MeterIds, float] = {}
        for record in participants:
            self._open(MeterIds.of_record(record), 0.0)

    def happened(self, kind: type[LinkEvent]) -> int:
        return sum(isinstance(event, LinkReported) and isinstance(event.event, kind) for _, event in self.events)

    def _open(self, ids: MeterIds, now: float) -> None:
        if self._payloads:
            self.station.link(ids).open(self._selector, now=now)

    def _send_next(self, ids: MeterIds, now: float) -> None:
        link = self.station.link(ids)
        done = len(self.answers.setdefault(ids, []))
        if done < len(self._payloads):
            link.send(message(self._payloads[done]), now=now)
        link.expect_answer(expected=done < len(self._payloads), now=now)

    def _take(self, events: Sequence[GatewayStationEvent], now: float) -> Sequence[GatewayStationEvent]:
        for event in events:
            self.events.append((now, event))
            match event:
                case ParticipantAdded(ids):
                    self._open(ids, now)
                case ParticipantLost(ids):
                    self._reopen.pop(ids, None)
                case LinkReported(ids, LinkOpened()):
                    self._messages[ids] = Messages()
                    self._send_next(ids, now)
                case LinkReported(ids, DataReceived(data)):
                    for payload in self._messages[ids].feed(data):
                        self.answers[ids].append(payload)
                        self._send_next(ids, now)
                case LinkReported(_, AnswerTimedOut() | Failed()):
                    pass
                case LinkReported(ids, Refused() | NoAnswer() | LinkLost() | PeerClosed() | LinkClosed()):
                    self._reopen[ids] = now + REOPEN_S
        return events

    def receive_data(self, data: bytes, *, now: float) -> Sequence[GatewayStationEvent]:
        return self._take(self.station.receive_data(data, now=now), now)

    def data_to_send(self) -> list[bytes]:
        return self.station.data_to_send()

    def next_timeout(self) -> float | None:
        due = self.station.next_timeout()
        return min([inf if due is None else due, *self._reopen.values()])

    def handle_timeout(self, *, now: float) -> Sequence[GatewayStationEvent]:
        for ids in [ids for ids, at in self._reopen.items() if at <= now]:
            del self._reopen[ids]
            self._open(ids, now)
        return self._take(self.station.handle_timeout(now=now), now)
