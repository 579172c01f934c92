"""A bus in memory: stations on one half-duplex line, with real bit times and with the troubles of real lines.

::

    station --frame--> [ start ......... end ]  octets of a transmission, delivered in pieces at their instants
    station --frame-->        [ start ......... end ]          where two overlap, both arrive as noise

Time is simulated: an hour of a quiet bus takes a moment, and the same seed gives the same hour.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from e320proto.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from e320proto.lmn.profile import LmnProfile

_PIECE_S: Final = 0.005
_STUCK: Final = 10_000  # wake-ups at one instant


class Station(Protocol):
    """What can be on the bus: a meter, a gateway, or something of the user's own."""

    def receive_data(self, data: bytes, *, now: float) -> Sequence[Any]:
        """Take octets whose last one ended now; return events."""

    def data_to_send(self) -> list[bytes]:
        """Return the frames that are to be sent now."""

    def next_timeout(self) -> float | None:
        """Return when ``handle_timeout`` has to be called."""

    def handle_timeout(self, *, now: float) -> Sequence[Any]:
        """Let time pass until now; return events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What goes wrong on the line, as probabilities from 0 to 1, and what adapters do.

    Args:
        noise: of an octet, to arrive as another one.
        loss: of a frame, to arrive nowhere.
        duplication: of a frame, to be sent twice.
        delay_s: from the line to the stations, in s.
        echo: whether stations hear themselves.

    Raises:
        ValueError: a number out of its range.

    >>> Troubles(noise=0.01).loss
    0.0
    """

    noise: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    delay_s: float = 0.0
    echo: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        for name, high in (("noise", 1), ("loss", 1), ("duplication", 1), ("delay_s", inf)):
            value = getattr(self, name)
            if not 0 <= value <= high:
                msg = f"{name}: expected 0 to {high}, found {value}"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Transmission:
    """Octets on the line.

    Args:
        sender: station that sent them.
        start: when the first one began, in s.
        end: when the last one ended.
        data: as they were sent.
        lost: whether they arrive nowhere.
    """

    sender: Station
    start: float
    end: float
    data: bytes
    lost: bool = False


@dataclass(slots=True)
class _Port:
    station: Station
    on_event: Callable[[Any, float], None]
    plugged: bool = True
    wakes_at: float = inf
    sends_until: float = -inf  # end of what it has handed over


@dataclass(order=True, slots=True)
class _Piece:
    at: float
    number: int
    start: float = field(compare=False)
    transmission: Transmission = field(compare=False)
    octets: slice = field(compare=False)


class SimulatedBus:
    """Stations on one line.

    Args:
        profile: of the bus; only its bit rate matters here.
        random: where noise, loss and duplication come from; seed it.
        troubles: how much of them.
        now: when the simulation begins, in s.
        trace: called with each transmission as it begins.

    >>> from random import Random
    >>> from e320proto.lmn.assignment import MeterIds
    >>> from e320proto.lmn.profile import LmnProfile
    >>> from e320proto.lmn.station import GatewayStation, MeterStation
    >>> profile, random = LmnProfile(), Random(1)
    >>> bus = SimulatedBus(profile, random)
    >>> gateway = GatewayStation(profile, now=0.0)
    >>> bus.plug(gateway)
    >>> for name in (b"meter 1", b"meter 2"):
    ...     ids = MeterIds.of_meter(name)
    ...     bus.plug(MeterStation(ids, profile, permitted=lambda selector: True, random=random))
    >>> bus.run(until=60.0)
    >>> [(record.slot, record.participant_id) for record in gateway.participants]
    [(1, b'meter 1'), (2, b'meter 2')]
    """

    def __init__(
        self,
        profile: LmnProfile,
        random: Random,
        troubles: Troubles | None = None,
        *,
        now: float = 0.0,
        trace: Callable[[Transmission], None] | None = None,
    ) -> None:
        self.now = now
        self.troubles = troubles or Troubles()
        self._profile = profile
        self._random = random
        self._trace = trace
        self._ports: list[_Port] = []
        self._pieces: list[_Piece] = []
        self._recent: list[Transmission] = []  # those that may still overlap with a piece
        self._numbers = count()
        self._piece_octets = max(1, int(_PIECE_S / profile.octets_s(1)))

    # --- cables ---------------------------------------------------------------------------------

    def plug(self, station: Station, on_event: Callable[[Any, float], None] | None = None) -> None:
        """Connect a station, or connect it again.

        Args:
            station: what to connect.
            on_event: called with each of its events and the time, at once, so that the upper layer can react.
        """
        port = self._port(station)
        if port is None:
            self._ports.append(_Port(station, on_event or _ignore))
        else:
            port.plugged = True
            port.on_event = on_event or port.on_event

    def unplug(self, station: Station) -> None:
        """Pull a station's cable: it lives on, but hears nothing and nobody hears it, from this octet on."""
        port = self._port(station)
        if port is not None:
            port.plugged = False

    def remove(self, station: Station) -> None:
        """Take a station away for good; a meter that restarts is removed, and a new one plugged."""
        self._ports = [port for port in self._ports if port.station is not station]

    def _port(self, station: Station) -> _Port | None:
        return next((port for port in self._ports if port.station is station), None)

    # --- time -----------------------------------------------------------------------------------

    def run(self, until: float) -> None:
        """Let time pass.

        Raises:
            LocalProtocolError: ``stuck``, a station wants to be woken again and again at one instant.
        """
        for port in self._ports:
            self._settle(port)  # the caller may have used its links
        woken = 0
        while (at := self._next_at()) <= until:
            if at > self.now:
                self.now, woken = at, 0
            if self._pieces and self._pieces[0].at <= self.now:
                self._deliver(heapq.heappop(self._pieces))
                continue
            woken += 1
            if woken > _STUCK:
                raise LocalProtocolError("stuck", state=f"{self.now} s", expected="time to pass", actual="wake-ups")
            port = min(self._ports, key=_wakes_at)
            self._happened(port, port.station.handle_timeout(now=self.now))
        self.now = max(self.now, until)

    def _next_at(self) -> float:
        piece_at = self._pieces[0].at if self._pieces else inf
        return min(piece_at, min(map(_wakes_at, self._ports), default=inf))

    def _happened(self, port: _Port, events: Sequence[Any]) -> None:
        for event in events:
            port.on_event(event, self.now)
        self._settle(port)

    def _settle(self, port: _Port) -> None:
        for data in port.station.data_to_send():
            self._send(port, data)
        wakes_at = port.station.next_timeout()
        port.wakes_at = inf if wakes_at is None else wakes_at

    # --- line -----------------------------------------------------------------------------------

    def _send(self, port: _Port, data: bytes) -> None:
        troubles, random = self.troubles, self._random
        for _ in range(1 + (random.random() < troubles.duplication)):
            start = max(self.now, port.sends_until)
            end = start + self._profile.octets_s(len(data))
            port.sends_until = end
            transmission = Transmission(port.station, start, end, data, random.random() < troubles.loss)
            if self._trace is not None:
                self._trace(transmission)
            if port.plugged:
                self._recent.append(transmission)
                self._cut(transmission)

    def _cut(self, transmission: Transmission) -> None:
        octet_s = self._profile.octets_s(1)
        size = len(transmission.data)
        for first in range(0, size, self._piece_octets):
            last = min(first + self._piece_octets, size)
            end = transmission.end if last == size else transmission.start + last * octet_s
            piece = _Piece(
                end + self.troubles.delay_s,
                next(self._numbers),
                transmission.start + first * octet_s,
                transmission,
                slice(first, last),
            )
            heapq.heappush(self._pieces, piece)

    def _deliver(self, piece: _Piece) -> None:
        """Hand octets to all who hear them."""
        transmission = piece.transmission
        delay_s = self.troubles.delay_s
        horizon = piece.at - delay_s - self._profile.octets_s(2 * 2049)
        self._recent = [other for other in self._recent if other.end > horizon]
        sender = self._port(transmission.sender)
        if transmission.lost or sender is None or not sender.plugged:
            return
        data = self._disturbed(piece)
        end = piece.at - delay_s
        talking = {id(other.sender) for other in self._recent if other.start < end and other.end > piece.start}
        if self.troubles.echo:
            talking.discard(id(transmission.sender))
        for port in list(self._ports):
            if port.plugged and id(port.station) not in talking:
                self._happened(port, port.station.receive_data(data, now=self.now))

    def _disturbed(self, piece: _Piece) -> bytes:
        random, noise = self._random, self.troubles.noise
        data = bytearray(piece.transmission.data[piece.octets])
        octet_s = self._profile.octets_s(1)
        others = [
            other
            for other in self._recent
            if other is not piece.transmission and other.end > piece.start and other.start < piece.at
        ]
        for index in range(len(data) if noise or others else 0):
            start = piece.start + index * octet_s
            collides = any(other.start < start + octet_s and other.end > start for other in others)
            if collides or random.random() < noise:
                data[index] = random.randrange(256)
        return bytes(data)


def _ignore(event: object, now: float) -> None:
    """Nobody reacts to events."""


def _wakes_at(port: _Port) -> float:
    return port.wakes_at
