"""Readers at real ports: what is lost comes back, what is slow loses nothing unseen, what ends leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import Telegram, TransportError
from e320proto.aio import (
    MeterReader,
    MeterServer,
    ReaderState,
    ReaderTimes,
    open_pipe,
    open_pty,
    read_serial,
    telegrams,
)
from e320proto.errors import LocalProtocolError
from e320proto.live.diagnosis import diagnose
from tests.aio.lines import AT_ONCE, IMPATIENT, box, line, seconds
from tests.aio.ports import frame, in_loop, meter, until

if TYPE_CHECKING:
    from e320proto import BytesDiscarded, Malformed

CONNECTING, RECEIVING, SILENT, STALLED, FAILED, STOPPED = ReaderState


async def taken(reader: MeterReader, count: int) -> list[int]:
    return seconds([await anext(reader) for _ in range(count)])


# --- what is read -------------------------------------------------------------------------------


@in_loop
async def test_a_meter_at_a_serial_port() -> None:
    outlet = await open_pty()
    try:
        async with MeterReader(outlet.name, queue=100) as reader:
            await until(lambda: reader.stats.is_open)
            running = asyncio.create_task(MeterServer(meter(), [outlet], speed=50).run(until_s=20))
            read = await taken(reader, 15)
            await running
            assert reader.state is RECEIVING
            assert reader.stats.total.damaged == {}
    finally:
        await outlet.close()
    assert read == list(range(read[0], read[0] + 15))


@in_loop
async def test_octets_that_come_one_by_one_are_gathered() -> None:
    heard: list[bytes] = []
    port = await open_pipe("pty:")
    async with MeterReader(port.name, on_octets=lambda data, _: heard.append(data)) as reader:
        await until(lambda: reader.stats.is_open)
        stream = b"".join(frame(number) for number in range(3))
        for octet in stream:
            port.send(bytes([octet]))
            await asyncio.sleep(0)
        assert await taken(reader, 3) == [0, 1, 2]
    await port.close()
    assert b"".join(heard) == stream
    assert len(heard) < 40


@in_loop
async def test_callbacks_are_told_when_it_arrived() -> None:
    told: list[tuple[str, float]] = []

    def on(kind: str) -> Any:  # noqa: ANN401 - any callback
        return lambda _, at: told.append((kind, at))

    begin = time.time()
    events = {f"on_{kind}": on(kind) for kind in ("telegram", "trouble", "octets")}
    async with line(**events) as (far, _):
        far.send(b"noise" + frame())
        await until(lambda: len(told) > 2)
    assert [kind for kind, _ in told] == ["octets", "trouble", "telegram"]
    assert all(begin <= at <= time.time() for _, at in told)


@in_loop
async def test_a_callback_that_fails_does_not_stop_the_line() -> None:
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    told: list[dict[str, Any]] = []
    read: list[Telegram] = []

    def fail(telegram: Telegram, _: float) -> None:
        read.append(telegram)
        raise LookupError

    async with line(on_telegram=fail) as (far, reader):
        loop.set_exception_handler(lambda _, context: told.append(context))
        far.send(frame(1) + frame(2))
        await until(lambda: len(told) > 1)
        assert (seconds(read), reader.state) == ([1, 2], RECEIVING)
    loop.set_exception_handler(handler)
    assert all(isinstance(context["exception"], LookupError) for context in told)


@in_loop
async def test_octets_are_sent_while_the_line_is_open() -> None:
    async with line() as (far, reader):
        heard: list[bytes] = []
        far.start(heard.append, lambda _: None)
        reader.send(b"/?!\r\n")
        await until(lambda: heard)
    reader.send(b"late")
    await asyncio.sleep(0)
    assert heard == [b"/?!\r\n"]


# --- what is lost and comes back ----------------------------------------------------------------


@in_loop
async def test_a_connection_that_is_lost_is_made_again() -> None:
    states: list[ReaderState] = []
    async with box() as server, MeterReader(server.url, times=AT_ONCE, on_state=states.append) as reader:
        for number in range(3):
            (await server.client()).write(frame(number))
            assert await taken(reader, 1) == [number]
            server.drop()
        await server.client()
        await until(lambda: reader.stats.is_open)
        assert reader.stats.total.losses == 3
        assert reader.error is None
    assert states == [CONNECTING, RECEIVING] * 3 + [CONNECTING, STOPPED]


@in_loop
async def test_a_frame_does_not_go_on_over_a_gap() -> None:
    troubles: list[Malformed | BytesDiscarded] = []
    read: list[Telegram] = []
    async with (
        box() as server,
        MeterReader(
            server.url,
            times=AT_ONCE,
            on_trouble=lambda event, _: troubles.append(event),
            on_telegram=lambda t, _: read.append(t),
        ),
    ):
        whole = frame(7)
        client = await server.client()
        client.write(frame(1) + whole[:150])
        await until(lambda: read)
        await client.drain()
        client.close()  # after what was sent
        server.clients.clear()
        await until(lambda: troubles)
        (await server.client()).write(whole[150:] + frame(2))
        await until(lambda: len(read) > 1)
    assert seconds(read) == [1, 2]
    assert len(troubles) > 1


@in_loop
async def test_a_server_that_is_away_for_a_while() -> None:
    async with box() as server:
        url = server.url
        await server.close()
        async with MeterReader(url, times=AT_ONCE) as reader:
            await until(lambda: reader.stats.total.refusals > 2)
            assert reader.state is CONNECTING
            assert "expected somebody who listens there" in str(reader.error)
            await server.open()
            (await server.client()).write(frame(5))
            assert await taken(reader, 1) == [5]


@in_loop
async def test_an_adapter_that_is_pulled_and_plugged_in(tmp_path: Path) -> None:
    link = tmp_path / "ttyUSB0"
    async with MeterReader(str(link), times=AT_ONCE) as reader:
        for number in range(3):
            await until(lambda count=number: reader.stats.total.refusals > count)  # type: ignore[misc]
            assert "no such device; is it plugged in?" in str(reader.error)
            port = await open_pipe("pty:")
            link.symlink_to(port.name)
            await until(lambda: reader.stats.is_open)
            port.send(frame(number))
            assert await taken(reader, 1) == [number]
            link.unlink()
            await port.close()
            await until(lambda: not reader.stats.is_open)
            assert "was it unplugged?" in str(reader.error)


# --- what is silent -----------------------------------------------------------------------------


@in_loop
async def test_silence_garbage_and_telegrams_are_told_apart() -> None:
    states: list[ReaderState] = []
    times = ReaderTimes(silence_s=0.1, stall_s=0.2, reopen_s=60, gather_s=0.01)
    async with line(times=times, on_state=states.append) as (far, reader):
        await until(lambda: reader.state is SILENT)
        while reader.state is not STALLED:
            far.send(b"garbage")
            await asyncio.sleep(0.01)
        far.send(frame(1))
        await until(lambda: reader.state is RECEIVING)
        await until(lambda: reader.state is SILENT)
    assert states[:5] == [CONNECTING, SILENT, STALLED, RECEIVING, SILENT]


@in_loop
async def test_a_line_that_is_silent_for_long_is_opened_anew() -> None:
    async with box() as server, MeterReader(server.url, times=IMPATIENT) as reader:
        (await server.client()).write(frame(1))  # and then it is gone, without a word
        assert await taken(reader, 1) == [1]
        await until(lambda: len(server.clients) > 1)
        assert reader.stats.total.losses == 1
        server.clients[-1].write(frame(2))
        assert await taken(reader, 1) == [2]


@in_loop
async def test_opening_anew_does_not_end_a_silence() -> None:
    states: list[ReaderState] = []
    async with box() as server:
        async with MeterReader(server.url, times=IMPATIENT, attempts=1, on_state=states.append) as reader:
            await until(lambda: reader.stats.total.opens > 2)
        assert states == [CONNECTING, SILENT, STOPPED]
        assert reader.stats.total.refusals == 0


@in_loop
async def test_a_silent_line_is_not_left_alone_for_longer_and_longer() -> None:
    times = ReaderTimes(silence_s=0.01, stall_s=1, reopen_s=0.02, retry_min_s=0.05, retry_max_s=60)
    async with box() as server, MeterReader(server.url, times=times) as reader, asyncio.timeout(10):
        await until(lambda: reader.stats.total.opens > 10)


# --- who takes slowly ---------------------------------------------------------------------------


@in_loop
async def test_newest_wins_and_the_others_are_counted() -> None:
    async with line(queue=3) as (far, reader):
        for number in range(10):
            far.send(frame(number))
        await until(lambda: reader.stats.total.telegrams == 10)
        assert await taken(reader, 3) == [7, 8, 9]
        assert reader.stats.total.dropped == 7


@in_loop
async def test_who_waits_loses_nothing_and_holds_the_sender() -> None:
    sent = 20_000
    async with box() as server, MeterReader(server.url, queue=4, when_full="wait", times=IMPATIENT) as reader:
        client = await server.client()
        stream = b"".join(frame(number) for number in range(sent))
        client.write(stream)
        await until(lambda: reader.stats.total.telegrams >= 4)
        await asyncio.sleep(0.6)  # longer than any silence
        assert client.transport.get_write_buffer_size() > 0
        assert [finding.word for finding in diagnose(reader.stats)] == ["held"]
        assert reader.stats.total.losses == 0
        assert await taken(reader, sent) == list(range(sent))
        assert reader.stats.total.dropped == 0


def test_a_queue_without_room() -> None:
    with pytest.raises(ValueError, match=r"^queue: expected 1 or more, found 0"):
        MeterReader("memory:line", queue=0)


@in_loop
async def test_a_consumer_that_is_cancelled_loses_nothing() -> None:
    async with line() as (far, reader):
        for number in range(50):
            waiting = asyncio.create_task(anext(reader))
            await asyncio.sleep(0)
            far.send(frame(number))
            for _ in range(number % 4):
                await asyncio.sleep(0)
            waiting.cancel()
            found = (await asyncio.gather(waiting, return_exceptions=True))[0]
            assert (seconds([found]) if isinstance(found, Telegram) else await taken(reader, 1)) == [number]


# --- how it ends --------------------------------------------------------------------------------


@in_loop
async def test_what_was_read_may_be_taken_after_the_end() -> None:
    async with line() as (far, reader):
        far.send(frame(1) + frame(2))
        await until(lambda: reader.stats.total.telegrams == 2)
    assert seconds([telegram async for telegram in reader]) == [1, 2]
    assert reader.state is STOPPED


@in_loop
async def test_stopping_ends_who_waits() -> None:
    async with line() as (_, reader):

        async def read() -> list[Telegram]:
            return [telegram async for telegram in reader]

        waiting = [asyncio.create_task(read()) for _ in range(2)]
        await asyncio.sleep(0)
        await reader.stop()
        assert await asyncio.gather(*waiting) == [[], []]
        await reader.stop()


@in_loop
async def test_it_may_be_started_again_and_only_once_at_a_time() -> None:
    async with line() as (far, reader):
        with pytest.raises(LocalProtocolError, match="expected a reader that is stopped"):
            await reader.start()
        await reader.stop()
        await reader.start()
        await until(lambda: reader.stats.is_open)
        far.send(frame(3))
        assert await taken(reader, 1) == [3]


@in_loop
async def test_it_gives_up_after_so_many_attempts(tmp_path: Path) -> None:
    states: list[ReaderState] = []
    async with MeterReader(str(tmp_path / "none"), times=AT_ONCE, attempts=3, on_state=states.append) as reader:
        with pytest.raises(TransportError, match="is it plugged in"):
            await anext(reader)
        with pytest.raises(TransportError, match="is it plugged in"):
            await reader.wait()
        assert reader.stats.total.refusals == 3
        assert reader.state is FAILED
        await reader.start()  # once more
        with pytest.raises(TransportError, match="is it plugged in"):
            await anext(reader)
    assert states == [CONNECTING, FAILED] * 2


@in_loop
async def test_a_mistake_of_the_program_ends_it_and_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
    async with MeterReader("tcp://127.0.0.1:9") as reader:
        assert [telegram async for telegram in reader] == []
        with pytest.raises(LookupError):
            await reader.wait()
        assert reader.state is FAILED


@in_loop
async def test_a_wrong_url_is_refused_at_once() -> None:
    with pytest.raises(TransportError, match=r"^modem:1: expected a path, serial:PATH"):
        await MeterReader("modem:1").start()


@in_loop
async def test_an_attempt_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", lambda *_, **__: asyncio.sleep(60))
    times = ReaderTimes(open_s=0.05, retry_min_s=0.01)
    async with MeterReader("tcp://127.0.0.1:9", times=times, attempts=1) as reader:
        with pytest.raises(
            TransportError, match=r"expected a line that opens within 0.05 s, found that nothing answers"
        ):
            await reader.wait()


def open_files() -> int:
    """How many files this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.mark.parametrize("turns", range(12))
@in_loop
async def test_it_may_be_stopped_at_any_moment(turns: int) -> None:
    before = open_files()
    async with box() as server:
        async with MeterReader(server.url, times=AT_ONCE):
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    assert open_files() == before


@in_loop
async def test_telegrams_of_a_url() -> None:
    async with box() as server:
        read: list[Telegram] = []

        async def listen() -> None:
            async with contextlib.aclosing(telegrams(server.url)) as found:
                async for telegram in found:
                    read.append(telegram)
                    if len(read) == 2:
                        break

        listening = asyncio.create_task(listen())
        (await server.client()).write(frame(1) + frame(2) + frame(3))
        await listening
    assert seconds(read) == [1, 2]


# --- without an event loop ----------------------------------------------------------------------


def test_reading_without_an_event_loop() -> None:
    ready, ended = threading.Event(), threading.Event()
    name = ""

    async def push() -> None:
        nonlocal name
        port = await open_pipe("pty:")
        name = port.name
        ready.set()
        number = 0
        while not ended.is_set():
            port.send(frame(number))
            number += 1
            await asyncio.sleep(0.01)
        await port.close()

    pushing = threading.Thread(target=lambda: asyncio.run(push()))
    pushing.start()
    try:
        assert ready.wait(10)
        read: list[Telegram] = []
        for telegram in read_serial(name):
            read.append(telegram)
            if len(read) == 5:
                break
    finally:
        ended.set()
        pushing.join()
    assert seconds(read) == list(range(seconds(read)[0], seconds(read)[0] + 5))


def test_who_takes_long_finds_what_came_meanwhile() -> None:
    ready, ended = threading.Event(), threading.Event()
    names: list[str] = []

    async def push() -> None:
        port = await open_pipe("pty:")
        names.append(port.name)
        ready.set()
        number = 0
        while not ended.is_set():
            octets = frame(number)
            for begin in range(0, len(octets), 100):  # so short that more is gathered
                port.send(octets[begin : begin + 100])
                await asyncio.sleep(0.002)
            number += 1
            await asyncio.sleep(0.1)
        await port.close()

    pushing = threading.Thread(target=lambda: asyncio.run(push()))
    pushing.start()
    try:
        assert ready.wait(10)
        read: list[Telegram] = []
        for telegram in read_serial(names[0], times=IMPATIENT):
            read.append(telegram)
            if len(read) == 7:
                break
            if len(read) < 3:
                time.sleep(0.5)  # longer than a silence after which a line is opened anew
    finally:
        ended.set()
        pushing.join()
    assert seconds(read) == list(range(seconds(read)[0], seconds(read)[0] + 7))


def test_a_port_that_is_not_there_without_an_event_loop() -> None:
    with pytest.raises(TransportError, match="is it plugged in"):
        next(iter(read_serial("/dev/ttyUSB999", attempts=1)))


def test_times_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match=r"^gather_s: expected a number above 0, found 0"):
        ReaderTimes(gather_s=0)
    with pytest.raises(ValueError, match=r"^retry_max_s: expected 1 or more, found 0.5"):
        ReaderTimes(retry_min_s=1, retry_max_s=0.5)
