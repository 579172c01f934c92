"""Rows of a reader at one line, at the pace of an optical head: 9,600 bit/s, one telegram per second.

A process of its own reads from a pseudo-terminal into which this one writes the pushes of a reference meter, octet by
octet or in the pieces in which USB adapters deliver them (16 ms). ``% of a core`` is the processor time of that
process, after its first telegram; all that were sent have to arrive. pysml's asyncio reader gets the same.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.child import ROOT
from benchmarks.row import OURS, Job, Row
from e320proto.meter import E320Config, Inputs, Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.row import Size

if sys.platform != "win32":
    import tty

OCTETS_PER_S: Final = 960
PIECES: Final = {"octet by octet": 1, "in pieces of 16 ms": 15}
_PROGRAM: Final = """
import asyncio, sys
sys.path.insert(0, {root!r})
from benchmarks.readers import read_{reader}
print("ready", flush=True)
asyncio.run(read_{reader}({port!r}, {telegrams}))
"""


def jobs(size: Size) -> Iterator[Job]:
    """A row for each way in which octets come, where there are pseudo-terminals."""
    if sys.platform != "win32":
        for how, octets in PIECES.items():
            name = f"reader at 9,600 baud, {how}"
            yield Job((name,), partial(_rows, name, octets, int(size.running_s)))


def _rows(name: str, octets: int, seconds: int) -> Iterator[Row]:
    frames = _pushes(seconds + 2)
    used = {OURS: _share("ours", frames, octets)}
    if importlib.util.find_spec("sml") is not None:
        used["pysml"] = _share("pysml", frames, octets)
    figures = {"% of a core": used[OURS]}
    if "pysml" in used:
        figures["% of a core, pysml"] = used["pysml"]
        figures["x pysml"] = used["pysml"] / used[OURS]
    yield Row(name, "telegrams", units_per_s=1.0, octets_per_s=float(len(frames[0])), figures=figures)


def _pushes(count: int) -> list[bytes]:
    meter = Meter(E320Config(pin="1234", extended_set=True), inputs=Inputs.of_power(1000, 500, -300))
    meter.advance(0.0)
    meter.advance(count + 3.0)
    return meter.info_data_to_send()[-count:]


def _share(reader: str, frames: list[bytes], octets: int) -> float:
    """Let a process read the frames; percent of a core that it takes.

    Raises:
        RuntimeError: not all of them arrived.
    """
    main, other_end = os.openpty()
    tty.setraw(other_end)
    program = _PROGRAM.format(root=str(ROOT), reader=reader, port=os.ttyname(other_end), telegrams=len(frames) - 1)
    command = [sys.executable, "-c", program]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
            if process.stdout is None or process.stdout.readline() != "ready\n":
                msg = f"{reader}: expected a reader that is ready, found none"
                raise RuntimeError(msg)
            time.sleep(0.5)  # until it has opened the port
            _write(main, frames, octets)
            found = json.loads(process.stdout.readline())
    finally:
        os.close(main)
        os.close(other_end)
    if found["telegrams"] != len(frames) - 1:
        msg = f"{reader}: expected {len(frames) - 1} telegrams, found {found['telegrams']}"
        raise RuntimeError(msg)
    return float(found["% of a core"])


def _write(port: int, frames: list[bytes], octets: int) -> None:
    begin = time.perf_counter()
    for number, frame in enumerate(frames):
        for at in range(0, len(frame), octets):
            due = begin + number + (at + octets) / OCTETS_PER_S
            time.sleep(max(due - time.perf_counter(), 0.0))
            os.write(port, frame[at : at + octets])


class _Shares:
    """Counts telegrams, and tells when there were enough."""

    def __init__(self, telegrams: int) -> None:
        self.left = telegrams + 1
        self._telegrams = telegrams
        self._used = self._begin = 0.0

    def count(self) -> bool:
        """Count one; whether it was the last."""
        if self.left == self._telegrams + 1:
            self._used, self._begin = time.process_time(), time.perf_counter()
        self.left -= 1
        if not self.left:
            share = (time.process_time() - self._used) / (time.perf_counter() - self._begin)
            print(json.dumps({"telegrams": self._telegrams, "% of a core": 100 * share}), flush=True)
        return not self.left


async def read_ours(port: str, telegrams: int) -> None:
    """Read with e320proto."""
    from e320proto.aio import MeterReader  # noqa: PLC0415 - not needed by who writes

    shares = _Shares(telegrams)
    async with MeterReader(port) as reader:
        async for telegram in reader:
            assert telegram.net_power is not None  # noqa: S101 - what every user asks for
            if shares.count():
                return


async def read_pysml(port: str, telegrams: int) -> None:
    """Read with pysml."""
    pysml = importlib.import_module("sml.asyncio")
    shares, done = _Shares(telegrams), asyncio.Event()

    def listen(_: object) -> None:
        if shares.count():
            done.set()

    reader = pysml.SmlProtocol(port)
    reader.add_listener(listen, ["SmlGetListResponse"])
    await reader.connect()
    await done.wait()
    os._exit(0)  # its watchdog would go on
