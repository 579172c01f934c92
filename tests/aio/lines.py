"""Lines for readers: one in memory, and a box that offers a meter on TCP."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from e320proto import SecIndex
from e320proto.aio import MeterReader, ReaderTimes, open_pipe
from tests.aio.ports import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from e320proto import Telegram
    from e320proto.aio import Pipe

IMPATIENT = ReaderTimes(
    silence_s=0.1, stall_s=0.2, reopen_s=0.4, retry_min_s=0.01, retry_max_s=0.05, open_s=1, gather_s=0.01
)
"""For tests that wait for what takes long."""
AT_ONCE = ReaderTimes(retry_min_s=0.01, retry_max_s=0.05, gather_s=0.01)
"""For tests in which nothing takes long."""


def seconds(read: Iterable[Telegram]) -> list[int]:
    return [telegram.time.value for telegram in read if isinstance(telegram.time, SecIndex)]


@contextlib.asynccontextmanager
async def line(**options: Any) -> AsyncIterator[tuple[Pipe, MeterReader]]:  # noqa: ANN401 - those of a reader
    """A line in memory: the end of the meter, and the reader."""
    far = await open_pipe("memory:line")
    try:
        async with MeterReader("memory:line", **options) as reader:
            await until(lambda: reader.stats.is_open)
            yield far, reader
    finally:
        await far.close()


class Box:
    """A serial server: offers a port on TCP.

    Attributes:
        clients: those who are connected.
        url: of its port, the same after it was opened again.
    """

    def __init__(self) -> None:
        self.clients: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._came, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self._port}"

    def _came(self, _: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.clients.append(client)

    async def client(self) -> asyncio.StreamWriter:
        """Wait for somebody."""
        await until(lambda: self.clients)
        return self.clients[-1]

    def drop(self) -> None:
        """Let everybody go."""
        clients, self.clients = self.clients, []
        for client in clients:
            client.transport.abort()

    async def close(self) -> None:
        """Let everybody go, and nobody in."""
        assert self._server is not None
        self._server.close()
        self.drop()
        await self._server.wait_closed()


@contextlib.asynccontextmanager
async def box() -> AsyncIterator[Box]:
    opened = Box()
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()
