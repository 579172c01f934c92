"""The shortest ways to read one line: a loop over its telegrams, with an event loop and without."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from e320proto.aio.reader import MeterReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from e320proto.sml.telegram import Telegram


async def telegrams(url: str, **options: Any) -> AsyncGenerator[Telegram]:  # noqa: ANN401 - those of MeterReader
    """Read telegrams of a line, for as long as somebody takes them.

    Args:
        url: as for :func:`~e320proto.aio.open_pipe`.
        options: as for :class:`MeterReader`.

    Raises:
        TransportError: a URL of no known form; ``attempts`` was given and they have failed.
    """
    async with MeterReader(url, **options) as reader:
        async for telegram in reader:
            yield telegram


def read_serial(port: str, **options: Any) -> Iterator[Telegram]:  # noqa: ANN401 - those of MeterReader
    """Read telegrams of a serial port, or of any other line, without an event loop.

    Between two telegrams nothing runs: who takes long for one finds the next ones in the buffer of the port, as long as
    that has room.

    Args:
        port: path of a serial port, or a URL as for :func:`~e320proto.aio.open_pipe`.
        options: as for :class:`MeterReader`.

    Raises:
        TransportError: a URL of no known form; ``attempts`` was given and they have failed.
    """
    with asyncio.Runner() as runner:
        reader = MeterReader(port, **options)
        runner.run(reader.start())
        try:
            with suppress(StopAsyncIteration):
                while True:
                    yield runner.run(reader.__anext__())
        finally:
            runner.run(reader.stop())
