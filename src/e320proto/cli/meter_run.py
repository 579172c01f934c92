"""A meter that runs: pushes to its outlets, its front in the terminal, keys that act on it.

::

    keys ----> Bench -----.
    profile --> inputs ---+-> MeterServer --> outlets
    script ---> acts -----'        |
                                   `--> meter.display, events --> screen, ten times a second
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from rich.live import Live

from e320proto.aio.lmn_server import LmnMeterServer
from e320proto.aio.server import MeterServer, run_meters
from e320proto.cli.keyboard import keyboard
from e320proto.cli.meter_events import event_words
from e320proto.cli.meter_keys import KEYS, LUX, QUIT, Bench, key_help
from e320proto.cli.meter_screen import EVENTS, ScreenFacts, meter_screen
from e320proto.cli.meter_setup import (
    UnusableError,
    configs_of,
    faceplate,
    open_bus,
    open_outlets,
    opened_meter,
    read_load,
    state_of,
)
from e320proto.cli.output import error_console, output_console, print_line
from e320proto.cli.termination import TERMINATED, cancel_when_terminated
from e320proto.errors import TransportError
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.modes import QUADRANTS
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from e320proto.aio.lmn_server import MeterBus
    from e320proto.aio.outlets import Outlet
    from e320proto.cli.meter_profile import Load
    from e320proto.cli.meter_setup import MeterPlan
    from e320proto.lmn.profile import LmnProfile
    from e320proto.meter.events import MeterEvent
    from e320proto.meter.model import Meter

_OK: Final = 0
_PICTURE_S: Final = 0.1
_DWH_PER_KWH: Final = 10_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def run_meter(plan: MeterPlan) -> int:
    """Run a meter until its time is over or somebody ends it.

    Returns:
        The exit status.

    Raises:
        UnusableError: something that was asked for cannot be done.
        KeyboardInterrupt: Ctrl-C; the terminal is as before.
        BrokenPipeError: nobody reads standard output any more.
    """
    configs, load = configs_of(plan), read_load(plan.profile)
    with ExitStack() as states:
        meters = [
            states.enter_context(opened_meter(config, state_of(plan, number))) for number, config in enumerate(configs)
        ]
        try:
            return asyncio.run(_run(plan, meters, load))
        except asyncio.CancelledError:
            return TERMINATED
        except TransportError as error:
            if isinstance(error.__cause__, BrokenPipeError):
                raise error.__cause__ from None
            raise UnusableError(str(error)) from error


async def _run(plan: MeterPlan, meters: Sequence[Meter], load: Load) -> int:
    cancel_when_terminated()
    async with AsyncExitStack() as stack:
        outlets = await open_outlets(plan, stack)
        running = Running(meters[0], load, outlets, plan)
        if plan.lmn is not None:
            running.be_on(*await open_bus(plan.lmn, stack), meters)
        console = error_console() if plan.stdout else output_console()
        if sys.stdout.isatty() and not console.is_dumb_terminal:
            await running.run_with_face(console)
        else:
            print_line(console, running.announcement())
            console.file.flush()
            await running.run()
    return _OK


class Running:
    """A meter with all that acts on it.

    Args:
        meter: the meter.
        load: what it sees.
        outlets: where its pushes go.
        plan: speed, begin and end.
    """

    def __init__(self, meter: Meter, load: Load, outlets: Sequence[Outlet], plan: MeterPlan) -> None:
        self._meter = meter
        self._faceplate = faceplate(meter.config)
        self._load = load
        self._outlets = outlets
        self._until_s = None if plan.for_s is None else plan.start_s + plan.for_s
        self._acts = deque(act for act in load.acts if act.at_s >= plan.start_s)
        self._bench = Bench(speed=plan.speed)
        self._keys: deque[str] = deque()
        self._events: deque[str] = deque(maxlen=EVENTS)
        self._lit_until_s = plan.start_s
        self._pulses = 0
        self._live: Live | None = None
        self._drawn: tuple[object, ...] = ()
        self._help = False
        self._bus: tuple[MeterBus, MeterLmn] | None = None
        self._others: list[LmnMeterServer] = []
        self._server = self._new_server(plan.start_s)

    def be_on(self, bus: MeterBus, profile: LmnProfile, meters: Sequence[Meter]) -> None:
        """Put the meter on a bus, and others beside it that see the same."""
        ends = [MeterLmn(meter, random=SystemRandom(), profile=profile) for meter in meters]
        self._bus = bus, ends[0]
        start_s = self._server.now_s
        self._server = self._new_server(start_s)
        self._others = [LmnMeterServer(end, bus, profile=self._load.profile, start_s=start_s) for end in ends[1:]]

    def _new_server(self, start_s: float) -> MeterServer:
        if self._bus is not None:
            bus, lmn = self._bus
            return LmnMeterServer(
                lmn, bus, self._outlets, profile=self._load.profile, start_s=start_s, on_event=self._note
            )
        return MeterServer(
            self._meter,
            self._outlets,
            profile=self._load.profile,
            speed=self._bench.speed,
            start_s=start_s,
            on_event=self._note,
        )

    def announcement(self) -> str:
        """One line that says where the pushes go."""
        names = ", ".join(outlet.name for outlet in self._outlets) or "nobody"
        bus = ""
        if self._bus is not None:
            others = f" with {plural(len(self._others), 'other')}" if self._others else ""
            bus = f", is on the bus {self._bus[0].name}{others}"
        return f"meter {self._faceplate.device_id.printed} sends to {names}{bus}; Ctrl-C ends it"

    async def run_with_face(self, console: Console) -> None:
        """Run with the front of the meter in the terminal, and keys."""
        with ExitStack() as stack:
            self._help = stack.enter_context(keyboard(self._keys.extend))
            # Without threads: pictures are drawn between two steps of the meter.
            self._live = stack.enter_context(Live(console=console, screen=True, auto_refresh=False))
            await self.run()

    async def run(self) -> None:
        """Run until the end, or until the key for it.

        Raises:
            TransportError: an outlet is gone for good.
        """
        going = True
        while going:
            runner = asyncio.ensure_future(run_meters([self._server, *self._others], self._until_s))
            try:
                going = await self._tend(runner)
            finally:
                runner.cancel()
                await asyncio.wait({runner})
            if going:
                self._server = self._new_server(self._server.now_s)
                self._server.adjust(self._bench.inputs)

    async def _tend(self, runner: asyncio.Future[None]) -> bool:
        """Do what keys and scripts ask for, and draw; tell whether to go on, at another speed."""
        while not runner.done():
            await asyncio.wait({runner}, timeout=self._pause_s())
            while self._acts and self._acts[0].at_s <= self._server.now_s:
                self._acts.popleft().do(self._server)
            speed = self._bench.speed
            while self._keys:
                if self._press(self._keys.popleft()):
                    return False
            self._draw()
            if self._bench.speed != speed:
                return True
        runner.result()
        return False

    def _pause_s(self) -> float | None:
        """How long nothing is to be done here."""
        pauses = [] if self._live is None else [_PICTURE_S]
        if self._acts:
            pauses.append(max(0.0, (self._acts[0].at_s - self._server.now_s) / self._bench.speed))
        return min(pauses, default=None)

    def _press(self, character: str) -> bool:
        """Do what a key stands for; tell whether that was the end."""
        key, server, before = KEYS.get(character), self._server, self._bench
        if key is None:
            return False
        self._bench = key.change(before)
        if self._bus is not None:  # which has real time
            self._bench = replace(self._bench, speed=before.speed)
        if self._bench.mains != before.mains:
            server.power(on=self._bench.mains)
        if key.lit_s:
            self._lit_until_s = server.now_s + key.lit_s
            server.flash(LUX, key.lit_s)
        return key is QUIT

    def _note(self, event: MeterEvent) -> None:
        words = event_words(event)
        if words is not None:
            self._events.append(words)

    def _draw(self) -> None:
        if self._live is None:
            return
        self._server.adjust(self._bench.inputs)  # also brings the meter to the present instant
        width = self._live.console.width
        display, facts = self._meter.display, self._facts(width)
        self._pulses = self._meter.pulse_count
        if (display, facts, width) != self._drawn:
            self._drawn = display, facts, width
            self._live.update(meter_screen(self._faceplate, display, facts, width), refresh=True)

    def _facts(self, width: int) -> ScreenFacts:
        meter, now_s = self._meter, self._server.now_s
        registers = (
            f"{code.short} {dwh / _DWH_PER_KWH:.4f} {'kvarh' if code in QUADRANTS else 'kWh'}"
            for code, dwh in meter.registers.items()
        )
        return ScreenFacts(
            readings=(f"second {meter.sec_index}", f"P {meter.power_w} W", *registers),
            load=self._seen(now_s),
            outlets=(
                *((outlet.name, outlet.dropped) for outlet in self._outlets),
                *([] if self._bus is None else [(f"bus {self._bus[0].name}", 0)]),
            ),
            events=tuple(self._events),
            keys=key_help(width - 2) if self._help else ("Ctrl-C ends it",),
            speed=self._bench.speed,
            pulsed=meter.pulse_count != self._pulses,
            lit=now_s < self._lit_until_s,
        )

    def _seen(self, now_s: float) -> str:
        """What the elements see, and what of it was done by hand."""
        inputs = self._bench.inputs(self._load.profile.inputs(now_s))
        phases = [f"L{number} {phase.power_w:.0f} W" for number, phase in enumerate(inputs.phases, start=1)]
        hour, second = divmod(int(now_s) % _DAY_S, _HOUR_S)
        time = f"{hour:02}:{second // _MINUTE_S:02}:{second % _MINUTE_S:02}"
        return "   ".join((*phases, time, str(self._bench))).rstrip()
