"""A gateway and meters over real pipes: asking, pairing, a pulled cable, cancelling, closing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import SystemRandom
from typing import TYPE_CHECKING

import pytest

from e320proto import ObisCode, Quantity
from e320proto.aio import SOFT_PROFILE, Gateway, LmnMeterServer, MeterBus, PipeLost, PipeOpened, open_pipe
from e320proto.errors import (
    AttentionError,
    DecodeError,
    LocalProtocolError,
    ResponseTimeout,
    SecurityError,
    TransportError,
)
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.requests import Reading
from e320proto.lmn.session_events import MeterFound, MeterPaired, SessionOpened
from e320proto.meter import E320Config, Inputs, Meter
from e320proto.meter.events import Paired
from e320proto.meter.lmn import MeterLmn
from tests.aio.buses import MASTER_KEY, keys_of, meters_on, new_meter
from tests.aio.ports import in_loop, until

if TYPE_CHECKING:
    from e320proto.aio.pipe import Pipe

QUICK = replace(SOFT_PROFILE, assign_period_s=1.0, check_period_s=1.0, check_offset_s=0.5, reopen_s=0.2)


@pytest.mark.parametrize("url", ["memory:bus", "tcp-listen://127.0.0.1:0", "pty:"])
@in_loop
async def test_a_meter_is_found_paired_and_read(url: str) -> None:
    meter = new_meter()
    async with (
        meters_on(url, meter, profile=QUICK) as name,
        Gateway(name, keys=keys_of(meter), profile=QUICK) as gateway,
    ):
        (record,) = await gateway.meters()
        assert record.sensor_id == meter.server_id
        (clear,) = await gateway.read(meter.server_id, "1.8.0")
        assert isinstance(clear, Reading)
        assert isinstance(clear.value, Quantity)
        await gateway.pair("1LGZ0000000000")
        assert meter.security.paired
        assert gateway.keys_of(meter.server_id).paired
        energy, refused, power = await gateway.read(meter.server_id, ObisCode.parse("1.8.0"), "99.1.0", "16.7.0")
        assert isinstance(energy, Reading)
        assert energy.sec_index is not None
        assert isinstance(refused, AttentionError)
        assert isinstance(power, Reading)
        assert str(power.value) == "1000 W"
        pushed = await gateway.read_list(meter.server_id)
        assert len(pushed) >= 4
        await gateway.set_parameter(meter.server_id, "1-0:94.49.1*2", value=True)
        assert len(await gateway.read_list(meter.server_id)) >= len(pushed)


@in_loop
async def test_several_meters_on_one_bus_are_asked_at_the_same_time() -> None:
    meters = [new_meter(number) for number in range(4)]
    async with (
        meters_on("tcp-listen://127.0.0.1:0", *meters, profile=QUICK) as name,
        Gateway(name, keys=keys_of(*meters), profile=QUICK) as gateway,
    ):
        records = await gateway.meters(4)
        assert {record.sensor_id for record in records} == {meter.server_id for meter in meters}
        await asyncio.gather(*(gateway.pair(meter.server_id) for meter in meters))
        assert all(meter.security.paired for meter in meters)
        answers = await asyncio.gather(*(gateway.read(meter.server_id, "96.1.0") for meter in meters))
        assert [answer[0].value for answer in answers if isinstance(answer[0], Reading)] == [
            meter.server_id for meter in meters
        ]


@in_loop
async def test_noise_costs_time_only() -> None:
    meter, profile = new_meter(), replace(QUICK, response_timeout_s=0.1, reply_max_s=0.08)
    async with (
        meters_on("memory:bus?noise=0.0001&loss=0.01&seed=1", meter, profile=profile),
        Gateway("memory:bus?noise=0.0001&loss=0.01&seed=2", keys=keys_of(meter), profile=profile) as gateway,
    ):
        await gateway.pair(meter.server_id)
        for _ in range(5):
            (reading,) = await gateway.read(meter.server_id, "16.7.0")
            assert isinstance(reading, Reading)
            assert str(reading.value) == "1000 W"


@in_loop
async def test_a_wrong_key_pairs_nobody() -> None:
    meter = new_meter()
    keys = keys_of(meter, master_key=bytes(16))
    async with meters_on("memory:bus", meter, profile=QUICK), Gateway("memory:bus", keys=keys, profile=QUICK) as it:
        with pytest.raises((SecurityError, ResponseTimeout)):
            await it.pair(meter.server_id, timeout_s=5)
        assert not meter.security.paired


@in_loop
async def test_what_cannot_be_asked_is_refused_at_once() -> None:
    async with Gateway("memory:bus") as gateway:
        with pytest.raises(LocalProtocolError, match="the meter's key"):
            await gateway.pair("1LGZ0000000001")
        with pytest.raises(LocalProtocolError, match="an OBIS code"):
            await gateway.read("1LGZ0000000001")
        with pytest.raises(DecodeError):
            await gateway.read("1LGZ0000000001", "one")
        with pytest.raises(DecodeError):
            await gateway.read("me", "1.8.0")
        with pytest.raises(LocalProtocolError, match="a gateway that is closed"):
            await gateway.__aenter__()
    with pytest.raises(LocalProtocolError, match="a gateway that is open"):
        await gateway.read("1LGZ0000000001", "1.8.0")


@in_loop
async def test_silence_ends_a_request() -> None:
    async with Gateway("memory:bus") as gateway:
        with pytest.raises(ResponseTimeout, match="expected an answer"):
            await gateway.read("1LGZ0000000001", "1.8.0", timeout_s=0.1)
        assert await gateway.meters(timeout_s=0.1) == ()


@in_loop
async def test_a_pipe_that_cannot_be_opened_opens_no_gateway() -> None:
    gateway = Gateway("tcp://127.0.0.1:1")
    with pytest.raises(TransportError, match="Connection refused"):
        await gateway.__aenter__()


@in_loop
async def test_a_request_that_is_cancelled_is_forgotten() -> None:
    meter = new_meter()
    async with meters_on("memory:bus", meter), Gateway("memory:bus") as gateway:
        await gateway.meters()
        task = asyncio.ensure_future(gateway.read(meter.server_id, "1.8.0"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gateway._waiting == {}
        assert len(await gateway.read(meter.server_id, "1.8.0")) == 1


@in_loop
async def test_closing_fails_what_waits_and_ends_what_listens() -> None:
    gateway = Gateway("memory:bus")
    seen = []

    async def listen() -> None:
        async for event in gateway.events():
            seen.append(event)  # noqa: PERF401 - while it goes on

    async with gateway:
        reading = asyncio.ensure_future(gateway.read("1LGZ0000000001", "1.8.0"))
        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(0.01)
    with pytest.raises(LocalProtocolError, match="no gateway"):
        await reading
    await listening
    assert seen == []


@in_loop
async def test_closing_ends_tls_in_order() -> None:
    """So that the next gateway need not wait for the meter to notice."""
    meter = new_meter()
    async with meters_on("memory:bus", meter, profile=QUICK):
        async with Gateway("memory:bus", keys=keys_of(meter), profile=QUICK) as gateway:
            await gateway.pair(meter.server_id)
            assert meter.security.tls_open
        await until(lambda: not meter.security.tls_open)


@in_loop
async def test_events_tell_what_happens() -> None:
    meter = new_meter()
    async with (
        meters_on("memory:bus", meter, profile=QUICK),
        Gateway("memory:bus", keys=keys_of(meter), profile=QUICK) as gateway,
    ):
        kinds: list[type] = []
        pairing = asyncio.ensure_future(gateway.pair(meter.server_id))
        async for event in gateway.events():
            kinds.append(type(event))
            if isinstance(event, MeterPaired):
                break
        await pairing
        assert kinds[0] is MeterFound
        assert SessionOpened in kinds


@in_loop
async def test_a_pulled_cable_is_plugged_in_again() -> None:
    meter = new_meter()
    happened: list[object] = []

    async def listen(gateway: Gateway) -> None:
        async for event in gateway.events():
            happened.append(event)  # noqa: PERF401 - while it goes on

    async with meters_on("tcp-listen://127.0.0.1:0", meter, profile=QUICK) as name:
        gateway = Gateway(name, keys=keys_of(meter), profile=QUICK)
        async with gateway:
            listening = asyncio.ensure_future(listen(gateway))
            await gateway.pair(meter.server_id)
            assert gateway._pipe is not None
            gateway._pipe._transport.abort()  # type: ignore[attr-defined]  # as the system does
            await until(lambda: any(isinstance(event, PipeLost) for event in happened))
            (reading,) = await gateway.read(meter.server_id, "16.7.0")
            assert isinstance(reading, Reading)
            assert any(isinstance(event, PipeOpened) for event in happened)
        await listening


@in_loop
async def test_closing_while_the_cable_is_pulled_leaves_nothing_behind() -> None:
    pipe = await open_pipe("tcp-listen://127.0.0.1:0")
    pipe.start(lambda _: None, lambda _: None)
    async with Gateway(pipe.name) as gateway:
        await asyncio.sleep(0.05)
        await pipe.close()
        await until(lambda: gateway._reopening is not None)


@in_loop
async def test_a_meter_tells_that_it_was_paired_and_beside_the_bus_it_pushes() -> None:
    meter, events = new_meter(), list[object]()
    lmn_events: list[object] = []
    pipe = await open_pipe("memory:bus")
    bus = MeterBus(pipe)
    end = MeterLmn(meter, random=SystemRandom(), profile=QUICK)
    server = LmnMeterServer(end, bus, on_event=events.append, on_lmn_event=lmn_events.append)
    running = asyncio.ensure_future(server.run())
    async with Gateway("memory:bus", keys=keys_of(meter), profile=QUICK) as gateway:
        await gateway.pair(meter.server_id)
    assert any(isinstance(event, Paired) for event in events)
    assert len(lmn_events) > len(events)
    running.cancel()
    await asyncio.wait({running})
    await pipe.close()


@in_loop
async def test_a_meter_whose_line_is_gone_ends() -> None:
    pty = await open_pipe("pty:")
    pipe = await open_pipe(pty.name)
    bus = MeterBus(pipe)
    server = LmnMeterServer(MeterLmn(new_meter(), random=SystemRandom()), bus)
    running = asyncio.ensure_future(server.run())
    await asyncio.sleep(0.05)
    await pty.close()
    with pytest.raises(TransportError, match="was it unplugged"):
        await running
    await pipe.close()


@in_loop
async def test_a_crypto_reset_waits_for_the_tls_of_an_earlier_gateway() -> None:
    meter = Meter(
        E320Config(pin="1234", initial_key=MASTER_KEY.hex(), t_closed_s=1.5),
        pushes=False,
        inputs=Inputs.of_power(1, 1, 1),
    )
    keys, security = keys_of(meter), SecurityProfile(reset_wait_s=1.6)
    async with meters_on("memory:bus", meter, profile=QUICK):
        async with Gateway("memory:bus", keys=keys, profile=QUICK, security=security) as gateway:
            await gateway.pair(meter.server_id)
        async with Gateway("memory:bus", keys=keys, profile=QUICK, security=security) as gateway:
            await gateway.crypto_reset(meter.server_id)
            assert not meter.security.paired
            assert not gateway.keys_of(meter.server_id).paired


@in_loop
async def test_a_request_while_the_gateway_is_being_closed_is_refused() -> None:
    meter = new_meter()
    async with meters_on("memory:bus", meter, profile=QUICK):
        async with Gateway("memory:bus", profile=QUICK) as gateway:
            await gateway.read(meter.server_id, "1.8.0")

            async def ask_twice() -> None:
                with pytest.raises(LocalProtocolError, match="no gateway"):
                    await gateway.read(meter.server_id, "1.8.0")
                await gateway.read(meter.server_id, "1.8.0")

            task = asyncio.ensure_future(ask_twice())
            await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="a gateway that is open"):
            await asyncio.wait_for(task, 1.0)


class _FullRing(MemoryKeyRing):
    full = False

    def load(self, server_id: bytes) -> MeterKeys:
        if self.full:
            raise TransportError("full")
        return super().load(server_id)

    def store(self, server_id: bytes, keys: MeterKeys) -> None:
        if self.full:
            raise TransportError("full")
        super().store(server_id, keys)


@in_loop
async def test_keys_that_cannot_be_kept_fail_the_request() -> None:
    meter = new_meter()
    ring = _FullRing({meter.server_id: MeterKeys(master_key=MASTER_KEY)})
    async with (
        meters_on("memory:bus", meter, profile=QUICK),
        Gateway("memory:bus", keys=ring, security=SecurityProfile(reset_wait_s=0.0), profile=QUICK) as gateway,
    ):
        await gateway.meters()
        ring.full = True
        with pytest.raises(TransportError, match="full"):
            await asyncio.wait_for(gateway.pair(meter.server_id, timeout_s=4), 5)
        (reading,) = await gateway.read(meter.server_id, "1.8.0")
        assert isinstance(reading, Reading)


@in_loop
async def test_a_gateway_whose_keys_cannot_be_read_gives_its_pipe_back() -> None:
    meter = new_meter()
    ring = _FullRing()
    async with meters_on("memory:bus", meter, profile=QUICK), Gateway("memory:bus", profile=QUICK) as gateway:
        known = await gateway.meters()
    pipe = await open_pipe("tcp-listen://127.0.0.1:0")
    ring.full = True

    async def opened() -> Pipe:
        return pipe

    with pytest.raises(TransportError, match="full"):
        await Gateway(opened, keys=ring, participants=known).__aenter__()
    with pytest.raises(TransportError, match="Connection refused"):
        await open_pipe(pipe.name)
