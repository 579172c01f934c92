"""Rows of meters that run, and are read: many in one process, each with a TCP connection of its own, in real time.

The meters push once per second at constant loads, and begin one after the other within a second. At the other end
of the connections is a process with a ``MeterPool`` that asks every telegram for its power; every push has to arrive
there, but for those that the meters themselves say they dropped. ``% of a core`` is the processor time of either
process, with its connections. ``ms late`` is the worst push: from the instant it was due until the system had taken
it. Memory is what a process holds more with its meters or readers and their connections than without.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.child import ROOT, STATUS, facts_of, memory
from benchmarks.row import Job, Row
from e320proto.aio import MeterPool, MeterServer, ReaderState, ReaderTimes, open_tcp_each, run_meters
from e320proto.meter import E320Config, Inputs, Meter
from e320proto.meter.events import Pushed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.row import Size
    from e320proto import Telegram
    from e320proto.aio import MeterReader, TcpOutlet
    from e320proto.meter.events import MeterEvent

if sys.platform != "win32":
    import resource

HOST = "127.0.0.1"
SPREAD_S = 1.0
BEGIN_S = 3.0 + SPREAD_S
"""After power-up a meter waits two seconds; one more lets layouts be learned at the other end."""
SPARE_FILES = 100
QUIET_LOOKS = 3
"""Looks of the reading process, one per second, between the last push and the end of the connections, and one more."""
SERVE = """
import asyncio
from benchmarks.meters import serve
print(json.dumps(asyncio.run(serve(int(meters), float(seconds)))))
"""
READ = """
import asyncio, json, sys
sys.path.insert(0, {root!r})
from benchmarks.meters import read
print(json.dumps(asyncio.run(read({port}, {meters}))))
"""


def jobs(size: Size) -> Iterator[Job]:
    """A row for each number of meters, where the system tells how much memory a process holds."""
    if STATUS.is_file():
        for meters in size.running_meters:
            names = f"meters in real time: {meters:,}", f"meters read in real time: {meters:,}"
            yield Job(names, partial(_rows, names, meters, size.running_s))


def _rows(names: tuple[str, str], meters: int, seconds: float) -> Iterator[Row]:
    name, reading = names
    facts = facts_of(SERVE, {"meters": str(meters), "seconds": str(seconds)})
    if facts["read"] != facts["sent"] or facts["troubles"]:
        msg = f"{name}: expected {facts['sent']} telegrams, found {facts['read']} and {facts['troubles']} troubles"
        raise RuntimeError(msg)
    lost = {word: facts[word] for word in ("dropped", "missed") if facts[word]}
    note = ", ".join([f"{number:,} {word}" for word, number in lost.items()] or ["no push lost"])
    if facts["meters"] < meters:
        note += f"; only {facts['meters']:,} meters, for more there are not enough file descriptors"
    figures = {name: facts[name] for name in ("% of a core", "ms late", "KiB each")}
    yield Row(name, "pushes", units_per_s=facts["pushes"] / seconds, figures=figures, note=note)
    figures = {name: facts["reader"][name] for name in ("% of a core", "KiB each")}
    yield Row(reading, "telegrams", units_per_s=facts["reader"]["telegrams/s"], figures=figures)


async def serve(meters: int, seconds: float) -> dict[str, Any]:
    """Run meters and a process that reads them; what became of that."""
    meters = min(meters, file_limit() - SPARE_FILES)
    before, _ = memory()
    outlets = await open_tcp_each(HOST, 0, meters)
    servers = [Measured(number, outlet) for number, outlet in enumerate(outlets.outlets)]
    program = READ.format(root=str(ROOT), port=outlets.address[1], meters=meters)
    reader = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    while outlets.clients < meters:  # noqa: ASYNC110 - the outlets do not tell
        await asyncio.sleep(0.05)
    gc.collect()
    gc.freeze()  # or the collector would look at every part of every meter now and then, for a third of a second
    running = asyncio.create_task(run_meters([server.server for server in servers], spread_s=SPREAD_S))
    await asyncio.sleep(BEGIN_S)
    held, _ = memory()
    for server in servers:
        server.late_s = 0.0
    pushes, used, begin = _pushes(servers), time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    used, elapsed, pushes = time.process_time() - used, time.perf_counter() - begin, _pushes(servers) - pushes
    running.cancel()
    await asyncio.wait([running])
    await asyncio.sleep(1)  # until the reader has read
    await outlets.close()
    answer, _ = await reader.communicate()
    dropped = sum(outlet.dropped for outlet in outlets.outlets)
    missed = sum(server.server.missed for server in servers)
    return {
        **json.loads(answer),
        "meters": meters,
        "pushes": pushes,
        "sent": _pushes(servers) - dropped - missed,
        "dropped": dropped,
        "missed": missed,
        "% of a core": 100 * used / elapsed,
        "ms late": 1_000 * max(server.late_s for server in servers),
        "KiB each": (held - before) / 1_024 / meters,
    }


class Measured:
    """A meter that runs, and how late its pushes are."""

    def __init__(self, number: int, outlet: TcpOutlet) -> None:
        self.late_s = 0.0
        config = E320Config(pin="1234", extended_set=True, device_id=f"1LGZ{number:010}")
        meter = Meter(config, inputs=Inputs.of_power(number % 3_000, 500, -300))
        self.server = MeterServer(meter, [outlet], on_event=self._happened)

    def _happened(self, event: MeterEvent) -> None:
        if isinstance(event, Pushed):
            self.late_s = max(self.late_s, self.server.now_s - event.at_s)


def _pushes(servers: list[Measured]) -> int:
    return sum(server.server.meter.push_counter for server in servers)


def file_limit() -> int:
    """Let this process open as many files as it may; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 20


async def read(port: int, meters: int) -> dict[str, Any]:
    """Read so many meters until all have closed; what was read and what that took."""
    file_limit()
    before, _ = memory()
    counts, gone = {"read": 0, "troubles": 0}, set[str]()

    def on_telegram(_: MeterReader, telegram: Telegram, __: float) -> None:
        counts["read"] += telegram.net_power is not None

    def on_trouble(*_: object) -> None:
        counts["troubles"] += 1

    def on_state(reader: MeterReader, state: ReaderState) -> None:
        if state is ReaderState.CONNECTING and reader.stats.total.losses:
            gone.add(reader.url)

    urls = [f"tcp://{HOST}:{port}#{number}" for number in range(meters)]
    times = ReaderTimes(retry_min_s=3_600, retry_max_s=3_600)
    pool = MeterPool(urls, times=times, on_telegram=on_telegram, on_trouble=on_trouble, on_state=on_state)
    looks: list[tuple[float, float, int]] = []
    async with pool:
        while not gone:
            if pool.states[ReaderState.RECEIVING] == meters:
                looks.append((time.perf_counter(), time.process_time(), counts["read"]))
            held, _ = memory()
            await asyncio.sleep(1)
        while len(gone) < meters:  # noqa: ASYNC110 - a look now and then costs less than to be told
            await asyncio.sleep(0.05)
    (begin, used, count), (end, used_then, count_then) = looks[0], looks[max(len(looks) - 1 - QUIET_LOOKS, 0)]
    elapsed = max(end - begin, 1e-9)
    share = {"telegrams/s": (count_then - count) / elapsed, "% of a core": 100 * (used_then - used) / elapsed}
    return {**counts, "reader": {**share, "KiB each": (held - before) / 1_024 / meters}}
