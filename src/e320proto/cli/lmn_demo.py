"""A bus in memory: three meters and a gateway, from the first broadcast to readings through TLS, and a pulled cable.

Time is simulated: more than a minute of the bus, with the times of real frames, takes a few seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Final

from e320proto.cli.gateway_words import event_text, meter_name, reading_row
from e320proto.cli.output import print_line
from e320proto.identity import DeviceId
from e320proto.lmn.certificates import CertificateProfile, Curve, make_credentials
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.profile import LmnProfile
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import Answered, MeterFound, MeterGone, MeterPaired, RequestFailed
from e320proto.lmn.simulated_bus import SimulatedBus
from e320proto.meter.config import E320Config
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.measurement import Inputs
from e320proto.meter.model import Meter
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from e320proto.lmn.session_events import SessionEvent
    from e320proto.lmn.simulated_bus import Transmission

_FIRST_NUMBER: Final = 12345678
_LOADS_W: Final = (230.0, 1450.0, -3200.0)
_CODES: Final = ("1.8.0", "2.8.0", "16.7.0")
_STEP_S: Final = 0.05
_PATIENCE_S: Final = 120.0


class _Demo:
    """The bus, and what is told about it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        random, profile = Random(320), LmnProfile()  # noqa: S311 - addresses and slots, the same ones each time
        self.frames = self.octets = 0
        self.bus = SimulatedBus(profile, random, trace=self._count)
        self.meters = []
        keys = {}
        for number, load_w in enumerate(_LOADS_W):
            device_id = DeviceId("1", "LGZ", 0, _FIRST_NUMBER + number)
            key = random.randbytes(16)
            config = E320Config(device_id=str(device_id), pin="1234", initial_key=key.hex())
            meter = Meter(config, pushes=False, inputs=Inputs.of_power(load_w, 0, 0))
            self.meters.append(MeterLmn(meter, random=random, profile=profile))
            keys[meter.server_id] = MeterKeys(master_key=key)
        self.gateway = GatewaySession(now=0.0, keys=MemoryKeyRing(keys), profile=profile)
        self.seen: list[SessionEvent] = []

    def _count(self, transmission: Transmission) -> None:
        self.frames += 1
        self.octets += len(transmission.data)

    def plug_all(self) -> None:
        for meter in self.meters:
            self.bus.plug(meter)
        self.bus.plug(self.gateway, self._happened)

    def say(self, text: str) -> None:
        self._console.print()
        print_line(self._console, text, "bold")

    def line(self, text: str) -> None:
        print_line(self._console, f"{self.bus.now:9.3f} s  {text}")

    def _happened(self, event: SessionEvent, at: float) -> None:  # noqa: ARG002 - that of the bus
        self.seen.append(event)
        match event:
            case Answered(_, server_id, _, result):
                for reading in result:
                    code, value, second, status = reading_row(reading)
                    self.line(f"{meter_name(server_id)}: {code} {value}, {second}" + (f", {status}" if status else ""))
            case RequestFailed(_, server_id, error):
                self.line(f"{meter_name(server_id)}: {error}")
            case _:
                self.line(event_text(event) or "")

    def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until something holds."""
        end = self.bus.now + _PATIENCE_S
        while not condition() and self.bus.now < end:
            self.bus.run(self.bus.now + _STEP_S)

    def count(self, kind: type[SessionEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.seen)


def run_lmn_demo(console: Console) -> None:
    """Show the bus, step by step."""
    demo = _Demo(console)
    count = len(demo.meters)
    print_line(console, "Three meters and a gateway on one LMN bus, 921,600 bit/s, in memory. Time is that of the bus.")
    demo.say(
        "The gateway asks who is there. Meters choose an address and answer in slots; those not yet known get one."
    )
    demo.plug_all()
    demo.until(lambda: demo.count(MeterFound) >= count)
    demo.say("Each meter gets certificates, encrypted with its own key; TLS with them proves that it has them.")
    _pair(demo)
    demo.until(lambda: demo.count(MeterPaired) + demo.count(RequestFailed) >= count)
    demo.say("Readings, through TLS: exact values with the meter's seconds counter and its status.")
    _read(demo, *demo.meters)
    demo.say("The cable of the second meter is pulled; it misses three checks.")
    pulled = demo.meters[1]
    demo.bus.unplug(pulled)
    demo.until(lambda: demo.count(MeterGone) > 0)
    demo.say("The cable is back. The meter is found again and read; no pairing is needed.")
    demo.bus.plug(pulled)
    demo.until(lambda: demo.count(MeterFound) > count)
    _read(demo, pulled)
    console.print()
    print_line(console, f"{plural(demo.frames, 'frame')}, {plural(demo.octets, 'octet')} in {demo.bus.now:.1f} s.")


def _pair(demo: _Demo) -> None:
    today, names = datetime.now(UTC), CertificateProfile()
    gateway = make_credentials(Curve.BRAINPOOL_P256R1, "E320PROTO.SMGW", now=today)
    for lmn in demo.meters:
        name = names.meter_name.format(device_id=lmn.meter.config.device_id)
        meter = make_credentials(Curve.BRAINPOOL_P256R1, name, now=today)
        demo.gateway.pair(lmn.meter.server_id, meter=meter, gateway=gateway, now=demo.bus.now)


def _read(demo: _Demo, *meters: MeterLmn) -> None:
    done = demo.count(Answered) + demo.count(RequestFailed) + len(meters)
    for lmn in meters:
        demo.gateway.read(lmn.meter.server_id, *_CODES, now=demo.bus.now)
    demo.until(lambda: demo.count(Answered) + demo.count(RequestFailed) >= done)
