"""A real broker that can be killed and started again, somebody who listens to it, and a gate in front of it."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

aiomqtt = pytest.importorskip("aiomqtt", reason="aiomqtt is not installed")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
HOST = "127.0.0.1"
START_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A broker on a loopback port; it forgets everything when it ends."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        lines = (f"listener {self.port} {HOST}", *(settings or ("allow_anonymous true",)))
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert MOSQUITTO is not None
        command = [MOSQUITTO, "-c", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
                return
            time.sleep(0.005)
        pytest.fail("mosquitto does not start")

    def kill(self) -> None:
        """End it as a cut of the mains does."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it live, and say nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=START_S)


class Heard(NamedTuple):
    """A message as a subscriber got it."""

    topic: str
    payload: str
    retain: bool


class Subscriber:
    """Hears all topics of a broker; comes back when that does, and goes on with its list."""

    def __init__(self, port: int, **options: object) -> None:
        self.heard: list[Heard] = []
        self.present = False
        self._port, self._options = port, options

    def payloads(self, topic: str) -> list[str]:
        """What was said on a topic, in order."""
        return [each.payload for each in self.heard if each.topic == topic]

    def last(self, topic: str) -> str | None:
        """What was said last on a topic."""
        return next((each.payload for each in reversed(self.heard) if each.topic == topic), None)

    @property
    def topics(self) -> set[str]:
        return {each.topic for each in self.heard}

    async def listen(self) -> None:
        """Listen for ever."""
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(HOST, self._port, **self._options) as client:
                    # With QoS 1 a broker keeps what this one has not acknowledged, and forgets it when it is killed.
                    await client.subscribe("#", qos=0)
                    self.present = True
                    async for message in client.messages:
                        self.heard.append(Heard(str(message.topic), message.payload.decode(), message.retain))
            self.present = False
            await asyncio.sleep(0.005)


@asynccontextmanager
async def listening(port: int, **options: object) -> AsyncIterator[Subscriber]:
    """A subscriber that is there."""
    subscriber = Subscriber(port, **options)
    task = asyncio.create_task(subscriber.listen())
    try:
        while not subscriber.present:  # noqa: ASYNC110 - a fact of the other task
            await asyncio.sleep(0.002)
        yield subscriber
    finally:
        task.cancel()
        await asyncio.wait([task])


class Gate:
    """A port in front of a broker that is open or closed, so that a test decides who is there first."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self._behind = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, HOST, self.port)

    async def close(self) -> None:
        """Let nobody in, and cut those who are."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with suppress(OSError):
                back, forth = await asyncio.open_connection(HOST, self._behind)
                self._writers.add(forth)
                await asyncio.gather(_pour(reader, forth), _pour(back, writer))
                self._writers.discard(forth)
        finally:
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(65_536):
            writer.write(octets)
            await writer.drain()
    writer.close()
