"""Readers that are stopped while they are at something: opening, closing, waiting, stopping already."""

from __future__ import annotations

import asyncio

import pytest

from e320proto.aio import MeterPool, MeterReader, ReaderState, ReaderTimes
from e320proto.errors import LocalProtocolError
from tests.aio.lines import AT_ONCE, box, line, seconds
from tests.aio.ports import frame, in_loop, until


@pytest.mark.parametrize("turns", range(5))
@in_loop
async def test_a_stop_that_is_cancelled_still_stops(turns: int) -> None:
    async with box() as server, MeterReader(server.url, times=AT_ONCE) as reader:
        await until(lambda: reader.stats.is_open)
        taking = asyncio.create_task(anext(reader))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(reader.stop())
        await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(StopAsyncIteration):
            await taking
        assert reader.state is ReaderState.STOPPED


@in_loop
async def test_it_is_not_started_again_before_it_has_stopped() -> None:
    async with line(times=AT_ONCE) as (far, reader):
        stopping = asyncio.create_task(reader.stop())
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="expected a reader that is stopped"):
            await reader.start()
        await stopping
        await reader.start()
        await until(lambda: reader.stats.is_open)
        far.send(frame(5))
        assert seconds([await anext(reader)]) == [5]


@pytest.mark.parametrize("turns", range(6))
@in_loop
async def test_it_may_be_stopped_while_it_closes_a_silent_line(turns: int) -> None:
    times = ReaderTimes(silence_s=0.01, stall_s=1, reopen_s=0.02, retry_min_s=1, retry_max_s=1)
    async with box() as server:
        async with MeterReader(server.url, times=times) as reader:
            await until(lambda: reader.stats.is_open)
            while reader.stats.is_open:  # noqa: ASYNC110 - each turn of the loop counts
                await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
        assert reader.state is ReaderState.STOPPED


@in_loop
async def test_who_waits_for_the_end_is_told_of_a_stop() -> None:
    async with line() as (_, reader):
        waiting = asyncio.create_task(reader.wait())
        await asyncio.sleep(0)
        await reader.stop()
        await waiting
    await reader.wait()


@pytest.mark.parametrize("turns", range(4))
@in_loop
async def test_a_pool_whose_stop_is_cancelled_still_stops(turns: int) -> None:
    async with box() as server, MeterPool([f"{server.url}#{n}" for n in range(3)], times=AT_ONCE) as pool:
        await until(lambda: all(reader.stats.is_open for reader in pool.readers.values()))
        taking = asyncio.create_task(anext(pool))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(pool.stop())
        await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(StopAsyncIteration):
            await taking
        await until(lambda: dict(pool.states) == {ReaderState.STOPPED: 3})


@in_loop
async def test_a_pool_is_not_started_again_before_it_has_stopped() -> None:
    async with box() as server, MeterPool([server.url], times=AT_ONCE) as pool:
        await until(lambda: server.clients)
        stopping = asyncio.create_task(pool.stop())
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="expected a pool that is stopped"):
            await pool.start()
        await stopping
        server.drop()
        await pool.start()
        (await server.client()).write(frame(5))
        _, telegram = await anext(pool)
        assert seconds([telegram]) == [5]
