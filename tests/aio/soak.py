"""``python -m tests.aio.soak --hours 24 --seed 1``: a reader and a meter at a bad line, for long.

A reference meter pushes once per second of its own time into a pseudo-terminal. Each octet becomes another one with a
probability of 0.1 %, octets come one by one or in small pieces, and now and then the port is pulled, mostly in the
middle of a telegram, and another one is plugged in under the same name. Every telegram of which each octet arrived
as it was sent has to be read, once and in order; every other octet has to be accounted for as trouble; and memory,
tasks and open files have to be what they were.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from e320proto import BytesDiscarded
from e320proto.aio import MeterReader, ReaderTimes, open_pipe
from e320proto.meter import E320Config, Inputs, Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto import Malformed, Telegram
    from e320proto.aio import Pipe

HOUR_S = 3_600
NOISE = 0.001
UNPLUGS_PER_TELEGRAM = 1 / 100
BURST = 64
TIMES = ReaderTimes(
    silence_s=60, stall_s=60, reopen_s=600, retry_min_s=0.001, retry_max_s=0.002, open_s=60, gather_s=0.0005
)


@dataclass
class Soaked:
    """What became of it.

    Attributes:
        sent: telegrams that were sent.
        cut: those during which the port was pulled.
        damaged: those of which an octet arrived as another one, or not at all.
        read: those that were read.
        partial: damaged ones whose frame had the right checksum by chance, but not the message in it.
        wrong: what was read and was not the next one that arrived undamaged.
        missing: undamaged ones that were not read.
        trouble: frames and messages that were told as damaged, and pieces of noise, by their word.
        octets: octets that arrived.
        accounted: octets of telegrams, of damaged frames and of noise.
        unplugged: how often the port was pulled.
        dropped: telegrams that were not taken in time.
        blocks: allocated blocks after a quarter, and at the end.
        files: open files before and after.
        tasks: tasks that are left.
    """

    sent: int = 0
    cut: int = 0
    damaged: int = 0
    read: int = 0
    partial: int = 0
    wrong: int = 0
    missing: int = 0
    trouble: Counter[str] = field(default_factory=Counter)
    octets: int = 0
    accounted: int = 0
    unplugged: int = 0
    dropped: int = 0
    blocks: tuple[int, int] = (0, 0)
    files: tuple[int, int] = (0, 0)
    tasks: int = 0


class Line:
    """The end of the meter: a port that can be pulled.

    Args:
        link: where the reader finds the port.
        random: of the troubles.
        reader: reads it.

    Attributes:
        written: octets.
    """

    def __init__(self, link: Path, random: Random, reader: MeterReader) -> None:
        self._link, self._random, self._reader = link, random, reader
        self._port: Pipe
        self.written = 0

    async def plug(self) -> None:
        """Plug in a new port and wait until it is open."""
        self._port = await open_pipe("pty:")
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self._port.name)
        while not self._reader.stats.is_open:  # noqa: ASYNC110 - the reader does not tell
            await asyncio.sleep(0.001)

    async def drain(self) -> None:
        """Wait until everything that was written is heard."""
        while self._reader.stats.total.octets < self.written:  # noqa: ASYNC110 - the reader does not tell
            await asyncio.sleep(0.001)

    async def pull(self) -> None:
        """Pull the port, when everything is heard."""
        await self.drain()
        self._link.unlink()
        await self._port.close()
        while self._reader.stats.is_open:  # noqa: ASYNC110 - the reader does not tell
            await asyncio.sleep(0.001)

    async def write(self, octets: bytes) -> None:
        """Write octets one by one, with a turn of the loop after each or after some."""
        burst = 1 if self._random.random() < 1 / 4 else self._random.randrange(1, BURST)
        for number, octet in enumerate(octets):
            self._port.send(bytes([octet]))
            if number % burst == 0:
                await asyncio.sleep(0)
        self.written += len(octets)
        await self.drain()  # or the port would be full some day


async def soak(hours: float, seed: int) -> Soaked:
    """Read a meter for so many hours of its time."""
    soaked = Soaked()
    files = open_files()
    with tempfile.TemporaryDirectory() as folder:
        await _soak(soaked, Path(folder, "ttyUSB0"), round(hours * HOUR_S), Random(seed))  # noqa: S311 - simulated trouble
    soaked.files = files, open_files()
    soaked.tasks = len(asyncio.all_tasks()) - 1
    return soaked


class _Counted:
    """Compares what is read with what arrived undamaged."""

    def __init__(self, soaked: Soaked) -> None:
        self._soaked = soaked
        self.due: deque[bytes] = deque()

    def telegram(self, telegram: Telegram, _: float) -> None:
        soaked = self._soaked
        soaked.read += 1
        soaked.accounted += len(telegram.raw)
        while self.due and self.due[0] != telegram.raw:
            soaked.missing += 1
            self.due.popleft()
        if self.due:
            self.due.popleft()
        else:
            soaked.wrong += 1

    def trouble(self, event: Malformed | BytesDiscarded, _: float) -> None:
        soaked = self._soaked
        if isinstance(event, BytesDiscarded):
            soaked.trouble["noise"] += 1
            soaked.accounted += len(event.data)
            return
        soaked.trouble[event.error.reason] += 1
        if event.kind == "frame":
            soaked.accounted += len(event.raw)
        else:  # the checksum of a message has found what that of the frame has not: the rest of it was read
            soaked.partial += 1
            soaked.wrong -= 1


async def _soak(soaked: Soaked, link: Path, telegrams: int, random: Random) -> None:
    counted = _Counted(soaked)
    reader = MeterReader(str(link), times=TIMES, on_telegram=counted.telegram, on_trouble=counted.trouble)
    line = Line(link, random, reader)
    async with reader:
        await line.plug()
        quarter = 0
        for number, frame in enumerate(pushes(telegrams)):
            arriving = bytes(random.randrange(256) if random.random() < NOISE else octet for octet in frame)
            pulled_at = random.randrange(len(frame)) if random.random() < UNPLUGS_PER_TELEGRAM else 0
            soaked.sent += 1
            soaked.cut += pulled_at > 0
            if arriving == frame and not pulled_at:
                counted.due.append(frame)
            else:
                soaked.damaged += 1
            await line.write(arriving[:pulled_at])
            if pulled_at:
                await line.pull()
                await line.plug()
                soaked.unplugged += 1
            await line.write(arriving[pulled_at:])
            if number == telegrams // 4:
                quarter = _blocks()
        await line.pull()
        soaked.missing += len(counted.due)
        soaked.octets = line.written
        soaked.dropped = reader.stats.total.dropped
        soaked.blocks = quarter, _blocks()


def pushes(count: int) -> Iterator[bytes]:
    """The pushes of a meter whose load changes once per second, in both directions."""
    meter, told, second = Meter(E320Config(pin="1234", extended_set=True)), 0, 0
    while told < count:
        meter.advance(float(second), Inputs.of_power(7 * second % 5_000 - 1_500, 500, -300))
        for frame in meter.info_data_to_send():
            yield frame
            told += 1
        second += 1


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def open_files() -> int:
    """How many files this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def main() -> None:
    """Run what the command line asks for, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.aio.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="of the meter's time")
    parser.add_argument("--seed", type=int, default=1, help="of the troubles")
    arguments = parser.parse_args()
    begin, used = time.perf_counter(), time.process_time()
    soaked = asyncio.run(soak(arguments.hours, arguments.seed))
    for name, value in vars(soaked).items():
        sys.stdout.write(f"{name:10} {dict(value) if isinstance(value, Counter) else value}\n")
    sys.stdout.write(f"seconds    {time.perf_counter() - begin:.0f}, of a core {time.process_time() - used:.0f}\n")


if __name__ == "__main__":
    main()
