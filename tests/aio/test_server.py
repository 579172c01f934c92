"""A meter in real time: deadlines, absences, cancellation, and what acts on it while it runs.

Where only the arithmetic of time matters, the clock is a number that the test sets; the loop is real elsewhere.
"""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import MeterServer, StreamOutlet, open_tcp, open_tcp_each, run_meters
from e320proto.errors import LocalProtocolError, TransportError
from e320proto.meter.button import PressEvent
from e320proto.meter.events import MeterEvent, PowerFailed, PowerReturned, Pressed, Pushed
from e320proto.meter.measurement import Inputs
from e320proto.meter.profile import constant, drive
from e320proto.meter.replay import replay_csv
from tests.aio.ports import client_of, in_loop, meter, received, seconds, telegrams, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.meter.profile import Profile


FRAME = 276
"""Octets of a push of both energies and the power."""


class Clock:
    """A clock that shows what it is set to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def started(server: MeterServer, clock: Clock, woken: Callable[[], None] = lambda: None) -> MeterServer:
    assert server.start(clock, 0.0, woken) == clock.now
    return server


# --- time ---------------------------------------------------------------------------------------


@in_loop
async def test_pushes_are_those_of_the_meter() -> None:
    sent, alone = io.BytesIO(), meter()
    server = MeterServer(meter(), [StreamOutlet(sent)], profile=constant(1000, 500, -300), speed=500)
    await server.run(until_s=60)
    drive(alone, constant(1000, 500, -300), 60.0)
    assert sent.getvalue() == b"".join(alone.info_data_to_send())
    assert server.now_s == 60
    assert server.meter.registers == alone.registers
    assert server.missed == 0


def test_a_step_tells_when_to_come_again() -> None:
    clock, sent = Clock(), io.BytesIO()
    server = started(MeterServer(meter(), [StreamOutlet(sent)], speed=2, start_s=50), clock)
    assert server.step() == pytest.approx(1_001.0)  # the first push is two seconds after power-up
    clock.now = 1_001.003
    assert server.now_s == pytest.approx(52.006)
    assert server.step() == pytest.approx(1_001.5)
    clock.now = 1_001.4
    assert server.step() == pytest.approx(1_001.5)
    clock.now = 1_001.5
    assert server.step() == pytest.approx(1_002.0)
    assert seconds(sent.getvalue()) == [2, 3]


def test_nothing_drifts_however_late_each_wake_up_is() -> None:
    clock = Clock()
    server = started(MeterServer(meter()), clock)
    due = server.step()
    for _ in range(5_000):
        assert due is not None
        clock.now = due + 0.7
        due = server.step()
    assert due == pytest.approx(1_000 + 5_002, abs=1e-6)
    assert server.meter.push_counter == 5_000


@in_loop
async def test_nothing_drifts_in_a_loop_that_is_busy() -> None:
    loop, late = asyncio.get_running_loop(), []
    speed, begin = 50, loop.time()

    def note(event: MeterEvent) -> None:
        if isinstance(event, Pushed):
            late.append(loop.time() - begin - event.at_s / speed)
            time.sleep(0.005)  # a fourth of the time between two pushes

    await MeterServer(meter(), speed=speed, on_event=note).run(until_s=50)
    assert len(late) == 49
    assert min(late) > -0.002
    assert min(late[-10:]) < 0.1  # with relative sleeps it would be a quarter of a second


def test_the_end_is_exact() -> None:
    clock = Clock()
    server = started(MeterServer(meter(push_interval_s=60)), clock)
    assert server.step(until_s=10.25) == pytest.approx(1_002.0)
    clock.now = 1_002.5
    assert server.step(until_s=10.25) == pytest.approx(1_010.25)
    clock.now = 1_011.0
    assert server.step(until_s=10.25) is None
    server.stop()
    clock.now = 2_000.0
    assert server.now_s == 10.25


@pytest.mark.parametrize(("speed", "fresh"), [(1, 1), (10, 10), (100, 100)])
def test_after_an_absence_only_the_pushes_of_the_last_second_are_sent(speed: float, fresh: int) -> None:
    clock, sent, events = Clock(), io.BytesIO(), list[MeterEvent]()
    server = started(MeterServer(meter(), [StreamOutlet(sent)], speed=speed, on_event=events.append), clock)
    server.step()
    clock.now += 600.5
    assert _caught_up(server, clock)
    pushes = int(600.5 * speed) - 1
    assert server.meter.push_counter == server.missed + len(telegrams(sent.getvalue())) == pushes
    assert len(telegrams(sent.getvalue())) in {fresh, fresh + 1}
    assert seconds(sent.getvalue())[-1] == pushes + 1
    assert len([event for event in events if isinstance(event, Pushed)]) == pushes  # they did happen


def test_a_long_absence_is_lived_through_in_steps() -> None:
    clock = Clock()
    server = started(MeterServer(meter(), profile=constant(1000)), clock)
    server.step()
    clock.now += 7_200
    assert _caught_up(server, clock) == 12
    alone = meter()
    drive(alone, constant(1000), 7_200.0)
    assert server.meter.registers == alone.registers


def _caught_up(server: MeterServer, clock: Clock) -> int:
    """Call the server until it is in the present; how often that was."""
    for number in count(1):
        due = server.step()
        if due is None or due > clock.now:
            return number
    return 0


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_has_to_be_a_number_above_0(speed: float) -> None:
    with pytest.raises(ValueError, match="speed: expected a number above 0"):
        MeterServer(meter(), speed=speed)


# --- cancellation -------------------------------------------------------------------------------


@in_loop
async def test_a_run_that_is_cancelled_leaves_nothing_and_can_go_on() -> None:
    outlet = await open_tcp("127.0.0.1", 0)
    server = MeterServer(meter(), [outlet], speed=20)
    with client_of(outlet.address) as client:
        await until(lambda: outlet.clients)
        for round_number in range(3):
            running = asyncio.create_task(server.run())
            await until(partial(_pushed, server, 3 * (round_number + 1)))
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert asyncio.all_tasks() == {asyncio.current_task()}
            stands_at_s = server.now_s
            await asyncio.sleep(0.05)
            assert server.now_s == stands_at_s
        pushes = server.meter.push_counter
        assert outlet.clients == 1  # what was not opened here is not closed here
        assert seconds(await received(client, pushes * FRAME)) == list(range(2, 2 + pushes))
    await outlet.close()


def _pushed(server: MeterServer, least: int) -> bool:
    return server.meter.push_counter >= least


@in_loop
async def test_it_runs_once_at_a_time() -> None:
    server = MeterServer(meter())
    running = asyncio.create_task(server.run())
    await asyncio.sleep(0.01)
    with pytest.raises(LocalProtocolError, match="expected a meter that stands"):
        await server.run()
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])


@in_loop
async def test_an_outlet_that_is_gone_for_good_ends_the_run() -> None:
    stream = io.BytesIO()
    server = MeterServer(meter(), [StreamOutlet(stream, "tape")], speed=100)
    stream.close()
    with pytest.raises(TransportError, match="tape"):
        await server.run()
    assert 2 <= server.now_s < 60  # with its first push


# --- what acts on the meter ---------------------------------------------------------------------


class Asked:
    """A profile that notes when it is asked."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.times_s: list[float] = []

    def inputs(self, t_s: float) -> Inputs:
        self.times_s.append(t_s)
        return self.profile.inputs(t_s)

    def next_change(self, t_s: float) -> float | None:
        return self.profile.next_change(t_s)


ROWS = ["time,p1,p2,p3", "0,1000,0,0", "3.2,2000,0,0", "7.9,-500,0,0"]


def test_a_profile_is_asked_at_its_changes_only() -> None:
    clock, asked = Clock(), Asked(replay_csv(ROWS))
    server = started(MeterServer(meter(), profile=asked), clock)
    for tenth in range(120):
        clock.now = 1_000 + tenth / 10
        server.step()
    assert asked.times_s == [0.0, 3.2, 7.9]
    alone = meter()
    drive(alone, replay_csv(ROWS), server.now_s)
    assert server.meter.registers == alone.registers


def test_changes_of_a_profile_wake_the_meter() -> None:
    clock = Clock()
    server = started(MeterServer(meter(push_interval_s=3_600), profile=replay_csv(ROWS)), clock)
    clock.now = 1_002.0
    assert server.step() == pytest.approx(1_003.2)


def test_inputs_go_through_what_adjusts_them() -> None:
    clock = Clock()
    server = started(MeterServer(meter(), profile=replay_csv(ROWS)), clock)
    clock.now = 1_001.0
    server.adjust(_without_l1)
    clock.now = 1_005.0  # past a change of the profile
    server.step()
    assert server.meter.display.upper is not None
    assert not server.meter._inputs.phases[0].voltage_v
    server.adjust(lambda inputs: inputs)
    assert server.meter._inputs.phases[0].power_w == 2_000
    alone = meter()
    alone.advance(0.0, Inputs.of_power(1000, 0, 0))
    alone.advance(1.0, _without_l1(Inputs.of_power(1000, 0, 0)))
    alone.advance(5.0)
    assert server.meter.registers == alone.registers


def _without_l1(inputs: Inputs) -> Inputs:
    first, second, third = inputs.phases
    return replace(inputs, phases=(replace(first, voltage_v=0.0), second, third))


def test_only_the_inputs_of_a_profile_can_be_adjusted() -> None:
    with pytest.raises(ValueError, match="adjust: expected a server with a profile"):
        MeterServer(meter()).adjust(lambda inputs: inputs)


def test_power_fails_at_the_present_instant() -> None:
    clock, events, woken = Clock(), list[MeterEvent](), list[None]()
    server = started(MeterServer(meter(), on_event=events.append), clock, lambda: woken.append(None))
    server.step()
    clock.now = 1_010.5
    server.power(on=False)
    assert events[-1:] == [PowerFailed(10.5, 10)]
    assert woken == [None]
    clock.now = 1_020.5
    assert server.step() == float("inf")  # a dark meter does nothing by itself
    server.power(on=True)
    assert events[-1:] == [PowerReturned(20.5, 11)]
    assert server.step() == pytest.approx(1_022.5)


def test_before_it_runs_it_is_acted_on_at_its_start() -> None:
    events: list[MeterEvent] = []
    server = MeterServer(meter(), start_s=5.0, on_event=events.append)
    server.power(on=False)
    assert events == [PowerReturned(5.0, 0), PowerFailed(5.0, 0)]


def test_who_is_told_of_an_event_may_act_on_the_meter() -> None:
    clock, events = Clock(), list[MeterEvent]()

    def cut(event: MeterEvent) -> None:
        events.append(event)
        if isinstance(event, Pushed) and event.sec_index == 3:
            clock.now += 0.25
            server.power(on=False)

    server = started(MeterServer(meter(), profile=replay_csv(ROWS), on_event=cut), clock)
    for _ in range(20):
        server.step()
        clock.now += 0.5
    assert events[-1] == PowerFailed(3.25, 3)
    assert server.now_s == pytest.approx(10.25)


@in_loop
async def test_a_flash_arms_the_timer_anew() -> None:
    sleeping = meter(push_interval_s=3_600)
    await MeterServer(sleeping, speed=1_000).run(until_s=30)
    events: list[MeterEvent] = []
    server = MeterServer(sleeping, start_s=30, on_event=events.append)
    running = asyncio.create_task(server.run())
    await asyncio.sleep(0.05)
    lit_s = server.now_s
    server.flash(1_000, 0.2)
    await until(lambda: events)
    assert [event for event in events if isinstance(event, Pressed)] == [Pressed(events[0].at_s, PressEvent.SHORT)]
    assert 30.05 < lit_s < lit_s + 0.199 < events[0].at_s < lit_s + 1
    running.cancel()
    await asyncio.wait([running])


def test_pushes_of_an_earlier_life_are_not_sent() -> None:
    old, sent = meter(), io.BytesIO()
    old.advance(0.0)
    old.advance(10.0)
    clock = Clock()
    server = started(MeterServer(old, [StreamOutlet(sent)], start_s=10), clock)
    clock.now += 1
    server.step()
    assert seconds(sent.getvalue()) == [11]


# --- many meters --------------------------------------------------------------------------------


@in_loop
async def test_many_meters_each_with_a_client_of_its_own() -> None:
    many = 50
    outlets = await open_tcp_each("127.0.0.1", 0, many)
    servers = [
        MeterServer(meter(device_id=f"1LGZ{number:010}"), [outlet], speed=20)
        for number, outlet in enumerate(outlets.outlets)
    ]
    with ExitStack() as stack:
        clients = [stack.enter_context(client_of(outlets.address)) for _ in servers]
        await until(lambda: outlets.clients == many)
        await run_meters(servers, until_s=6, spread_s=0.05)
        found = set()
        for client in clients:
            octets = await received(client, 5 * FRAME)
            assert seconds(octets) == [2, 3, 4, 5, 6]
            found |= {telegram.server_id for telegram in telegrams(octets)}
    assert len(found) == many
    assert sum(outlet.dropped for outlet in outlets.outlets) == 0
    await outlets.close()


@in_loop
async def test_meters_begin_one_after_the_other() -> None:
    loop, begin, begun = asyncio.get_running_loop(), asyncio.get_running_loop().time(), list[float]()
    servers = [MeterServer(meter(), on_event=lambda _: begun.append(loop.time() - begin)) for _ in range(4)]
    await run_meters(servers, until_s=0.05, spread_s=0.4)
    for began_s, earliest_s in zip(begun, (0.0, 0.1, 0.2, 0.3), strict=True):
        assert earliest_s - 0.002 < began_s < earliest_s + 1


@in_loop
async def test_meters_of_different_speed_each_stop_at_their_time() -> None:
    fast, slow = MeterServer(meter(), speed=1_000), MeterServer(meter(), speed=100)
    running = asyncio.create_task(run_meters([fast, slow], until_s=20))
    await until(lambda: fast.now_s == 20)
    assert slow.now_s < 20
    fast.flash(1_000, 1.0)  # it stands, and wakes nobody
    await running
    assert fast.now_s == slow.now_s == 20
    assert fast.meter.push_counter == slow.meter.push_counter == 19


@in_loop
async def test_others_have_their_turn_while_meters_catch_up() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    busy = asyncio.create_task(other())
    servers = [MeterServer(meter(), speed=1e6) for _ in range(3)]
    await run_meters(servers, until_s=6_000)
    busy.cancel()
    await asyncio.wait([busy])
    assert turns > 10


@in_loop
async def test_one_meter_that_fails_stops_all() -> None:
    stream = io.BytesIO()
    stream.close()
    servers = [MeterServer(meter()), MeterServer(meter(), [StreamOutlet(stream, "tape")], speed=100)]
    with pytest.raises(TransportError):
        await run_meters(servers)
    await asyncio.wait_for(servers[0].run(until_s=servers[0].now_s + 0.01), 5)


@in_loop
async def test_no_meters_at_all() -> None:
    await run_meters([])
