"""The shortest ways to read one line: a loop over its telegrams, with an event loop and without.

Here the line is a capture of one push:

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from e320proto.meter import E320Config, Meter
>>> meter = Meter(E320Config(pin="1234", device_id="1LGZ0063539421"))
>>> events = meter.advance(0.0) + meter.advance(2.5)
>>> with TemporaryDirectory() as folder:
...     capture = Path(folder, "capture.bin")
...     size = capture.write_bytes(b"".join(meter.info_data_to_send()))
...     for telegram in read_serial(f"file:{capture}?speed=max"):
...         print(telegram.device_id, telegram.time.value)
1LGZ0063539421 2
"""

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

    >>> async def count(url: str) -> int:
    ...     return len([telegram async for telegram in telegrams(url)])
    >>> asyncio.run(count("file:/dev/null?speed=max"))
    0
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

    >>> list(read_serial("file:/dev/null?speed=max"))
    []
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
