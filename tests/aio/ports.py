"""Readers at the other end of real ports, and a loop in which nothing may go wrong unnoticed."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from e320proto import ObisCode, SecIndex, Telegram, TelegramDecoder
from e320proto.meter import E320Config, Inputs, Meter
from e320proto.meter.info import InfoSnapshot, info_telegram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

PATIENCE_S = 60.0
START = bytes.fromhex("1b1b1b1b01010101")


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test in a loop of its own; it fails if a callback raised, or a task is left."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - fixtures
        async def watched() -> None:
            troubles: list[dict[str, Any]] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
            async with asyncio.timeout(PATIENCE_S):
                await test(*args, **kwargs)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert troubles == [], troubles

        asyncio.run(watched())

    return run


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds; the loop of the test ends the wait."""
    while not condition():  # noqa: ASYNC110 - conditions of any kind
        await asyncio.sleep(0.002)


class TerminalReader:
    """A program that has a terminal open and reads."""

    def __init__(self, path: str, *, reading: bool = True) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.octets = bytearray()
        self._loop = asyncio.get_running_loop()
        if reading:
            self._loop.add_reader(self.fd, self.read)

    def read(self) -> None:
        """Take all that is there."""
        while True:
            try:
                octets = os.read(self.fd, 65_536)
            except OSError:  # nothing more, or the other end is gone
                return
            if not octets:
                return
            self.octets += octets

    def close(self) -> None:
        self._loop.remove_reader(self.fd)
        os.close(self.fd)


@contextmanager
def reader_of(path: str, *, reading: bool = True) -> Iterator[TerminalReader]:
    reader = TerminalReader(path, reading=reading)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def client_of(address: tuple[str, int], *, receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """A connected client that does not block."""
    with socket.socket() as client:
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(address)
        client.settimeout(0)
        yield client


async def received(client: socket.socket, size: int) -> bytes:
    """At least so many octets, or all until the end."""
    octets = bytearray()
    while len(octets) < size:
        piece = await asyncio.get_running_loop().sock_recv(client, 65_536)
        if not piece:
            break
        octets += piece
    return bytes(octets)


def telegrams(octets: bytes | bytearray) -> list[Telegram]:
    """The telegrams that the octets consist of: whole ones, and nothing else but the start of one at the end."""
    decoder = TelegramDecoder()
    events = decoder.feed(octets)
    found = [event for event in events if isinstance(event, Telegram)]
    assert found == events
    return found


def frame(number: int = 0) -> bytes:
    """A push, told from others by its second."""
    registers = {ObisCode.parse("1.8.0"): 12_345_678, ObisCode.parse("2.8.0"): 0}
    return info_telegram(
        InfoSnapshot(
            server_id=bytes.fromhex("0a014c475a0003c988dd"),
            sec_index=number,
            push_counter=number,
            status=0x1C0104,
            registers=registers,
        )
    )


def seconds(octets: bytes | bytearray) -> list[int]:
    """The seconds of the telegrams that the octets consist of."""
    return [telegram.time.value for telegram in telegrams(octets) if isinstance(telegram.time, SecIndex)]


def meter(**config: Any) -> Meter:  # noqa: ANN401 - parameters of any type
    return Meter(E320Config(pin="1234", extended_set=True, **config), inputs=Inputs.of_power(1000, 500, -300))
