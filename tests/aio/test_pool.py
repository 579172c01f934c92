"""Many lines in one process."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from e320proto import Telegram, TransportError
from e320proto.aio import MeterPool, MeterReader, MeterServer, ReaderState, open_tcp_each, run_meters
from e320proto.errors import LocalProtocolError
from e320proto.meter import E320Config, Meter
from tests.aio.lines import AT_ONCE, Box, box, seconds
from tests.aio.ports import frame, in_loop, until

if TYPE_CHECKING:
    from pathlib import Path

METERS = 30


@in_loop
async def test_many_meters_each_in_order() -> None:
    outlets = await open_tcp_each("127.0.0.1", 0, METERS)
    meters = [Meter(E320Config(pin="1234", device_id=f"1LGZ00635394{number:02}")) for number in range(METERS)]
    servers = [MeterServer(each, [outlet], speed=20) for each, outlet in zip(meters, outlets.outlets, strict=True)]
    urls = [f"tcp://{outlets.name}#{number}" for number in range(METERS)]
    read: dict[str, list[int]] = {}
    try:
        async with MeterPool(urls, times=AT_ONCE, opening=7) as pool:
            await until(lambda: outlets.clients == METERS)
            running = asyncio.create_task(run_meters(servers, until_s=10))
            async for reader, telegram in pool:
                assert pool.readers[reader.url] is reader
                read.setdefault(str(telegram.device_id), []).extend(seconds([telegram]))
                if sum(map(len, read.values())) == 5 * METERS:
                    break
            await running
            assert dict(pool.states) == {ReaderState.RECEIVING: METERS}
    finally:
        await outlets.close()
    assert len(read) == METERS
    assert all(found == list(range(found[0], found[0] + len(found))) for found in read.values())


@in_loop
async def test_callbacks_name_the_reader() -> None:
    told: list[tuple[str, str]] = []

    def note(reader: MeterReader, what: object, *_: float) -> None:
        told.append((reader.url.partition("#")[2], type(what).__name__))

    async with (
        box() as server,
        MeterPool(
            [f"{server.url}#a"], times=AT_ONCE, on_telegram=note, on_trouble=note, on_octets=note, on_state=note
        ) as pool,
    ):
        (await server.client()).write(b"noise" + frame())
        await until(lambda: ("a", "Telegram") in told)
        assert list(pool.readers) == [f"{server.url}#a"]
    kinds = [kind for _, kind in told]
    assert kinds == ["ReaderState", "bytes", "BytesDiscarded", "ReaderState", "Telegram", "ReaderState"]


@in_loop
async def test_lines_come_and_go() -> None:
    async with AsyncExitStack() as stack:
        servers: list[Box] = [await stack.enter_async_context(box()) for _ in range(3)]
        async with MeterPool([servers[0].url], times=AT_ONCE) as pool:
            (await servers[0].client()).write(frame(1))
            assert [seconds([telegram]) for _, telegram in [await anext(pool)]] == [[1]]
            await pool.add(servers[1].url)
            (await servers[1].client()).write(frame(2))
            reader, telegram = await anext(pool)
            assert (reader.url, seconds([telegram])) == (servers[1].url, [2])
            await pool.remove(servers[0].url)
            assert list(pool.readers) == [servers[1].url]
            with pytest.raises(LocalProtocolError, match="expected a URL that is not in the pool yet"):
                await pool.add(servers[1].url)
            with pytest.raises(KeyError):
                await pool.remove(servers[2].url)
            with pytest.raises(LocalProtocolError, match="expected a pool that is stopped"):
                await pool.start()


@in_loop
async def test_one_that_gives_up_does_not_disturb_the_others(tmp_path: Path) -> None:
    gone = str(tmp_path / "ttyUSB7")
    async with box() as server, MeterPool([gone, server.url], times=AT_ONCE, attempts=2) as pool:
        await until(lambda: pool.readers[gone].state is ReaderState.FAILED)
        assert "is it plugged in" in str(pool.readers[gone].error)
        (await server.client()).write(frame(4))
        _, telegram = await anext(pool)
        assert seconds([telegram]) == [4]
        await server.close()
        with pytest.raises(StopAsyncIteration):  # none is left
            await anext(pool)
        await server.open()


@in_loop
async def test_one_that_is_started_again_is_read_again() -> None:
    async with box() as server, MeterPool([server.url], times=AT_ONCE) as pool:
        await server.client()
        await pool.readers[server.url].stop()
        with pytest.raises(StopAsyncIteration):
            await anext(pool)
        server.drop()
        await pool.readers[server.url].start()
        client = await server.client()
        taking = asyncio.create_task(anext(pool))
        await asyncio.sleep(0)
        client.write(frame(3))
        _, telegram = await taking
        assert seconds([telegram]) == [3]


@in_loop
async def test_a_pool_that_waits_loses_nothing() -> None:
    sent = 3_000
    async with (
        box() as server,
        MeterPool([f"{server.url}#{n}" for n in range(2)], times=AT_ONCE, queue=4, when_full="wait") as pool,
    ):
        await until(lambda: len(server.clients) == 2)
        stream = b"".join(frame(number) for number in range(sent))
        for client in server.clients:
            client.write(stream)
        await until(lambda: all(reader.stats.total.telegrams for reader in pool.readers.values()))
        read: dict[str, list[Telegram]] = {url: [] for url in pool.readers}
        for _ in range(2 * sent):
            reader, telegram = await anext(pool)
            read[reader.url].append(telegram)
    assert [seconds(found) for found in read.values()] == [list(range(sent))] * 2


@in_loop
async def test_a_wrong_url_begins_nothing() -> None:
    async with box() as server:
        pool = MeterPool([server.url, "modem:1"])
        with pytest.raises(TransportError, match=r"^modem:1: expected a path"):
            await pool.start()
        assert dict(pool.states) == {ReaderState.STOPPED: 2}
        with pytest.raises(TransportError, match=r"^modem:2: expected a path"):
            await pool.add("modem:2")
        assert "modem:2" not in pool.readers


def test_pools_that_make_no_sense() -> None:
    with pytest.raises(LocalProtocolError, match="not in the pool yet"):
        MeterPool(["memory:a", "memory:a"])
    with pytest.raises(ValueError, match=r"^opening: expected 1 or more, found 0"):
        MeterPool(opening=0)
