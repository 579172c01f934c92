"""Replay: the octets of a recording again, in their time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from e320proto import TransportError
from e320proto.aio import MeterReader, open_pipe
from e320proto.errors import EndOfReplay
from e320proto.live.recording import Recording
from tests.aio.lines import seconds
from tests.aio.ports import frame, in_loop, until

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.aio import Pipe

DAY = 1_795_392_000.0


class Listener:
    """Hears a pipe until its end."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.heard: list[tuple[float, bytes]] = []
        self.error: TransportError | None = None
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        pipe.start(self._hear, self._lose)

    def _hear(self, data: bytes) -> None:
        self.heard.append((self._loop.time() - self._begun, data))

    def _lose(self, error: TransportError) -> None:
        assert self.error is None
        self.error = error

    @property
    def octets(self) -> bytes:
        return b"".join(data for _, data in self.heard)

    async def to_the_end(self) -> None:
        await until(lambda: self.error)
        assert isinstance(self.error, EndOfReplay)
        await self.pipe.close()


def record(folder: Path, *pieces: tuple[float, bytes]) -> None:
    recording = Recording(folder)
    for after_s, data in pieces:
        recording.write(data, DAY + after_s)
    recording.close()


@in_loop
async def test_in_the_time_of_the_recording(tmp_path: Path) -> None:
    record(tmp_path, (0, b"a"), (0.2, b"b"), (0.5, b"c"))
    listener = Listener(await open_pipe(f"file:{tmp_path}"))
    await listener.to_the_end()
    assert [data for _, data in listener.heard] == [b"a", b"b", b"c"]
    assert all(at >= due for (at, _), due in zip(listener.heard, (0, 0.2, 0.5), strict=True))
    assert f"{listener.error}" == f"{tmp_path}: the recording is at its end"


@in_loop
async def test_faster_and_over_a_clock_that_was_set_back(tmp_path: Path) -> None:
    record(tmp_path, (100, b"a"), (110, b"b"), (0, b"c"), (20, b"d"))
    listener = Listener(await open_pipe(f"file:{tmp_path}?speed=100"))
    await listener.to_the_end()
    assert [data for _, data in listener.heard] == [b"a", b"bc", b"d"]
    assert listener.heard[1][0] >= 0.1
    assert listener.heard[2][0] >= 0.3


@in_loop
async def test_a_capture_without_times_comes_at_the_bit_rate(tmp_path: Path) -> None:
    stream = frame(1) * 2
    (tmp_path / "capture").write_bytes(stream)
    listener = Listener(await open_pipe(f"file:{tmp_path / 'capture'}?baud=19200"))
    await listener.to_the_end()
    assert listener.octets == stream
    done = 0
    for at, data in listener.heard:
        done += len(data)
        assert at >= done * 10 / 19_200 - 1e-6
    assert len(listener.heard) > 1


@in_loop
async def test_as_fast_as_it_is_taken_and_others_have_their_turn(tmp_path: Path) -> None:
    stream = bytes(range(256)) * 4_000
    record(tmp_path, *((number * 3600.0, stream[number * 1000 : number * 1000 + 1000]) for number in range(1024)))
    listener = Listener(await open_pipe(f"file:{tmp_path}?speed=max"))
    turns = 0
    while listener.error is None:
        await asyncio.sleep(0)
        turns += 1
    await listener.to_the_end()
    assert listener.octets == stream
    assert turns >= len(listener.heard) > 10


@pytest.mark.parametrize("speed", ["max", "1000"])
def test_paused_it_tells_nothing_and_loses_nothing(tmp_path: Path, speed: str) -> None:
    @in_loop
    async def run() -> None:
        record(tmp_path, *((number / 10, bytes([number])) for number in range(200)))
        pipe = await open_pipe(f"file:{tmp_path}?speed={speed}")
        pipe.pause()
        listener = Listener(pipe)
        for _ in range(20):
            pipe.pause()
            count = len(listener.heard)
            await asyncio.sleep(0.001)
            assert len(listener.heard) == count
            pipe.resume()
            pipe.resume()
            await asyncio.sleep(0.001)
        await listener.to_the_end()
        pipe.pause()
        pipe.resume()
        assert listener.octets == bytes(range(200))

    run()


@in_loop
async def test_a_slow_consumer_of_a_replay_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(b"".join(frame(number) for number in range(500)))
    found: list[int] = []
    async with MeterReader(f"file:{tmp_path / 'capture'}?speed=max", queue=4, when_full="wait") as reader:
        async for telegram in reader:
            found += seconds([telegram])
            if len(found) % 50 == 0:
                await asyncio.sleep(0.01)
        await reader.wait()
    assert found == list(range(500))
    assert reader.stats.total.dropped == 0


@in_loop
async def test_closed_in_the_middle(tmp_path: Path) -> None:
    record(tmp_path, (0, b"a"), (3600, b"b"))
    listener = Listener(await open_pipe(f"file:{tmp_path}"))
    listener.pipe.send(b"nobody hears it")
    await until(lambda: listener.heard)
    await listener.pipe.close()
    await listener.pipe.close()
    listener.pipe.resume()
    assert (listener.octets, listener.error) == (b"a", None)


@in_loop
async def test_a_file_that_goes_away_is_no_end(tmp_path: Path) -> None:
    record(tmp_path, (0, b"a"))
    record(tmp_path, (0.1, b"b"))
    pipe = await open_pipe(f"file:{tmp_path}")
    (tmp_path / "20261123T000000Z_001.bin").unlink()
    listener = Listener(pipe)
    await until(lambda: listener.error)
    assert (listener.octets, type(listener.error)) == (b"a", TransportError)
    await pipe.close()


@in_loop
async def test_no_such_recording(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="expected a recording, found: No such file"):
        await open_pipe(f"file:{tmp_path / 'absent'}")
