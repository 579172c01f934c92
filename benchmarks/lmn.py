"""Rows of the LMN: a full bus at its real speed, and what a handshake, a request, a pairing and a recovery take.

One gateway and some meters share a simulated line of 921,600 baud, half duplex. Every meter is read once per second
through TLS, and every reading has to arrive. ``% of the bus`` is the share of the time in which somebody sends,
``% of a core`` the processor time inside of the gateway's session alone, and ``% of a core, meter`` that of one meter,
which hears all frames. Times of single things are from the request, or from the SNRM of a handshake, to the event: on
the wire, with the silence between frames and the polls, and beside it the processor time of both ends together.

``python -m benchmarks.lmn --soak HOURS`` polls three meters once per 10 s over simulated hours with faults and
restarts, and tells what was lost and how memory grew.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from benchmarks.row import Job, Row
from e320proto.lmn.assignment import MeterIds
from e320proto.lmn.certificates import Curve, make_credentials
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.profile import LmnProfile
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import Answered, MeterPaired, RequestFailed, SessionOpened
from e320proto.lmn.simulated_bus import SimulatedBus, Transmission, Troubles
from e320proto.meter import E320Config, Inputs, Meter
from e320proto.meter.lmn import MeterLmn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.row import Size

BUS, GATEWAY, METER, WIRE, CPU = "% of the bus", "% of a core", "% of a core, meter", "ms on the wire", "ms of a core"
FOUND_S: Final = 6.0
"""Behind the first check all meters that the gateway knows have their addresses."""
KEY: Final = bytes(16)
HOUR_S: Final = 3_600
CONTROL, SNRM = 7, 0x93
FIRST_ADDRESS: Final = 3


class Timed:
    """A station, and the processor time inside of it."""

    def __init__(self, station: Any) -> None:  # noqa: ANN401 - either end
        self.station = station
        self.used_s = 0.0

    def measured(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - any call
        """Call, and add up the time."""
        begin = time.process_time()
        try:
            return call(*arguments, **named)
        finally:
            self.used_s += time.process_time() - begin

    def receive_data(self, data: bytes, *, now: float) -> Sequence[Any]:
        """Measure it."""
        found: Sequence[Any] = self.measured(self.station.receive_data, data, now=now)
        return found

    def data_to_send(self) -> list[bytes]:
        """Measure it."""
        frames: list[bytes] = self.measured(self.station.data_to_send)
        return frames

    def next_timeout(self) -> float | None:
        """Measure it."""
        due: float | None = self.measured(self.station.next_timeout)
        return due

    def handle_timeout(self, *, now: float) -> Sequence[Any]:
        """Measure it."""
        found: Sequence[Any] = self.measured(self.station.handle_timeout, now=now)
        return found


class Bus:
    """A gateway, and meters that it knows.

    Args:
        meters: how many.
        paired: whether they have their certificates.
        profile: of the bus.
        troubles: of the line.
        seed: of the troubles.
    """

    def __init__(
        self,
        meters: int,
        *,
        paired: bool = True,
        profile: LmnProfile | None = None,
        troubles: Troubles | None = None,
        seed: int = 1,
    ) -> None:
        self.random, self.profile = Random(seed), profile or LmnProfile()  # noqa: S311 - a simulation
        self.busy_s = self.opened_at = self.opened_used_s = 0.0
        self.line = SimulatedBus(self.profile, self.random, troubles, trace=self._sent)
        self.events: list[tuple[float, Any]] = []
        self.keys = MemoryKeyRing()
        self.meters = [self._meter(number, paired=paired) for number in range(meters)]
        self.gateway = Timed(None)
        self.start_gateway()

    def _sent(self, sent: Transmission) -> None:
        self.busy_s += sent.end - sent.start
        if len(sent.data) > CONTROL and sent.data[CONTROL] == SNRM:
            self.opened_at, self.opened_used_s = sent.start, self.used_s

    def _meter(self, number: int, *, paired: bool) -> Timed:
        config = E320Config(device_id=f"1LGZ00{number:08}", pin="1234", initial_key=KEY.hex())
        model = Meter(config, pushes=False, inputs=Inputs.of_power(100 * number, 0, 0))
        keys = MeterKeys(master_key=KEY)
        if paired:
            own, gateway = certificates(number), certificates(-1)
            model.pair(own.certificate, own.private_key, gateway.certificate)
            keys = MeterKeys(master_key=KEY, gateway=gateway, meter_certificate=own.certificate)
        self.keys.store(model.server_id, keys)
        meter = Timed(MeterLmn(model, random=self.random, profile=self.profile))
        self.line.plug(meter)
        return meter

    def start_gateway(self) -> None:
        """Begin, or begin anew with the keys that are stored, and with the addresses."""
        self.line.remove(self.gateway)
        known = [
            MeterIds.of_meter(server_id).record(FIRST_ADDRESS + at, at + 1) for at, server_id in enumerate(self.ids)
        ]
        session = GatewaySession(now=self.line.now, keys=self.keys, profile=self.profile, participants=known)
        self.gateway = Timed(session)
        self.line.plug(self.gateway, lambda event, at: self.events.append((at, event)))

    @property
    def used_s(self) -> float:
        """Processor time of all ends."""
        return self.gateway.used_s + sum(meter.used_s for meter in self.meters)

    @property
    def ids(self) -> list[bytes]:
        """Server ids of the meters."""
        return [meter.station.meter.server_id for meter in self.meters]

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.line.run(until=self.line.now + seconds)

    def read(self, server_id: bytes, timeout_s: float = 60.0) -> int:
        """Ask for the energy of a meter."""
        session = self.gateway.station
        number: int = self.gateway.measured(session.read, server_id, "1.8.0", now=self.line.now, timeout_s=timeout_s)
        return number

    def told(self, kind: type[Any]) -> int:
        """How many events of a kind there were since the last look; all are forgotten."""
        found = sum(isinstance(event, kind) for _, event in self.events)
        self.events.clear()
        return found


_made: dict[int, Any] = {}


def certificates(number: int) -> Any:  # noqa: ANN401 - credentials
    """Credentials that all rows share."""
    if number not in _made:
        _made[number] = make_credentials(Curve.SECP256R1, f"{number}", now=datetime.now(UTC))
    return _made[number]


def jobs(size: Size) -> Iterator[Job]:
    """A full bus, and single things."""
    for meters in size.lmn_meters:
        name = f"lmn, {meters} meters read once per second"
        yield Job((name,), partial(_full, name, meters, size.running_s))
    yield Job(("lmn, one ",), partial(_single, size.rounds))


def _full(name: str, meters: int, seconds: float) -> Iterator[Row]:
    bus = Bus(meters)
    bus.run(FOUND_S)
    for server_id in bus.ids:
        bus.read(server_id)
    bus.run(10.0)
    if (opened := bus.told(Answered)) != meters:
        msg = f"{name}: expected {meters} meters in TLS, found {opened}"
        raise RuntimeError(msg)
    gc.collect()
    bus.busy_s = bus.gateway.used_s = 0.0
    for meter in bus.meters:
        meter.used_s = 0.0
    for _ in range(round(seconds)):
        for server_id in bus.ids:
            bus.read(server_id)
        bus.run(1.0)
    readings = bus.told(Answered)
    if readings != meters * round(seconds):
        msg = f"{name}: expected {meters * round(seconds)} readings, found {readings}"
        raise RuntimeError(msg)
    one = sum(meter.used_s for meter in bus.meters) / meters
    figures = {
        BUS: 100 * bus.busy_s / seconds,
        GATEWAY: 100 * bus.gateway.used_s / seconds,
        METER: 100 * one / seconds,
    }
    yield Row(name, "readings", units_per_s=readings / bus.gateway.used_s, figures=figures, note="rate of the gateway")


def _single(rounds: int) -> Iterator[Row]:
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for what, took in _life():
            found.setdefault(what, []).append(took)
    for what, times in found.items():
        wire_s, cpu_s = min(wire for wire, _ in times), min(cpu for _, cpu in times)
        yield Row(f"lmn, one {what}", "", figures={WIRE: 1_000 * wire_s, CPU: 1_000 * cpu_s})


def _life() -> Iterator[tuple[str, tuple[float, float]]]:
    """What things take in the life of one meter, each on the wire and of a core."""
    bus = Bus(1, paired=False)
    bus.run(FOUND_S)
    (server_id,) = bus.ids
    pair = partial(bus.gateway.station.pair, server_id, meter=certificates(0), gateway=certificates(-1))
    yield "pairing and first handshake", _took(bus, lambda: pair(now=bus.line.now), MeterPaired)
    yield "request through TLS", _took(bus, lambda: bus.read(server_id), Answered)
    bus.line.unplug(bus.meters[0])
    bus.run(15.0)  # the gateway asks whether the meter is there, and ends the connection
    bus.line.plug(bus.meters[0])
    yield "recovery: resumed handshake", _took(bus, lambda: None, SessionOpened)
    other = Bus(1)
    other.run(FOUND_S)
    yield "full handshake", _took(other, lambda: other.read(server_id), SessionOpened)


def _took(bus: Bus, act: Callable[[], object], until: type[Any]) -> tuple[float, float]:
    """Simulated time from the request or the latest SNRM to the event, and processor time of both ends."""
    bus.events.clear()
    begin, used_s = bus.line.now, bus.used_s
    act()
    while not (at := [at for at, event in bus.events if isinstance(event, until)]):
        bus.run(0.001)
    if until is SessionOpened:
        begin, used_s = bus.opened_at, bus.opened_used_s
    return at[0] - begin, bus.used_s - used_s


class Ledger:
    """What was asked and is not answered yet, and what went wrong."""

    def __init__(self) -> None:
        self.open: list[tuple[bytes, int]] = []
        self.asked = self.doubled = self.failed = 0

    def ask(self, bus: Bus) -> None:
        """Ask all meters."""
        self.open += [(server_id, bus.read(server_id, timeout_s=1e6)) for server_id in bus.ids]
        self.asked += len(bus.ids)

    def close(self, events: list[tuple[float, Any]]) -> None:
        """Cross out what is answered; each once, and those of a meter in their order."""
        for _, event in events:
            self.failed += isinstance(event, RequestFailed)
            if isinstance(event, Answered):
                key = event.server_id, event.number
                first = next((each for each in self.open if each[0] == event.server_id), None)
                self.failed += first != key
                if key in self.open:
                    self.open.remove(key)
                else:
                    self.doubled += 1
        events.clear()


def soak(hours: float, *, seed: int = 1, meters: int = 3, every_s: float = 10.0) -> dict[str, float]:
    """Poll meters for simulated hours while frames get lost, cables are pulled and both ends restart.

    Returns:
        How many readings there were, were lost or doubled, and how many blocks of memory Python held after the
        first quarter of the time and at its end.
    """
    profile = LmnProfile(n_retries=10, n_check_misses=10)
    bus = Bus(meters, profile=profile, troubles=Troubles(noise=1e-5, loss=0.005, duplication=0.005), seed=seed)
    random, ledger, in_use = Random(seed), Ledger(), [0]  # noqa: S311 - a simulation
    rounds = round(hours * HOUR_S / every_s)
    for number in range(rounds):
        victim = random.choice(bus.meters)
        if random.random() < 1 / 500:
            victim.station.meter.power(on=False, now=bus.line.now)
            bus.run(random.random())
            victim.station.meter.power(on=True, now=bus.line.now)
        elif random.random() < 1 / 200:
            bus.line.unplug(victim)
        elif random.random() < 1 / 2_000 and not ledger.open:  # requests do not outlast the gateway
            bus.start_gateway()
        ledger.ask(bus)
        bus.run(every_s)
        bus.line.plug(victim)
        ledger.close(bus.events)
        if number == rounds // 4:
            gc.collect()
            in_use = [sys.getallocatedblocks()]
    bus.run(10 * every_s)
    ledger.close(bus.events)
    gc.collect()
    return {
        "asked": ledger.asked,
        "lost": len(ledger.open),
        "failed or out of order": ledger.failed,
        "doubled": ledger.doubled,
        "blocks of memory after a quarter": in_use[0],
        "blocks of memory at the end": sys.getallocatedblocks(),
    }


def main() -> None:
    """Soak for as long as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lmn", description=soak.__doc__)
    parser.add_argument("--soak", type=float, metavar="HOURS", default=24.0, help="simulated hours")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    begin = time.process_time()
    for what, number in soak(arguments.soak, seed=arguments.seed).items():
        print(f"{what}: {number:,.0f}")
    print(f"processor time: {time.process_time() - begin:.0f} s")


if __name__ == "__main__":
    main()
