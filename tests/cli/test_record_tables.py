"""Tables are made beside the recording: by a process that ends, whatever becomes of the one that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("e320proto.archive", reason="needs the extra archive", exc_type=ModuleNotFoundError)

from e320proto.cli.record_tables import TableMaker
from e320proto.live.journal import SUFFIX, journals
from e320proto.live.recording import Recording
from tests.aio.ports import frame, in_loop

PATIENCE_S = 30.0


def journal(folder: Path, second: int) -> Path:
    recording = Recording(folder, suffix=SUFFIX)
    recording.write(frame(second), 1_795_392_000.0 + second)
    recording.close()
    assert recording.path is not None
    return recording.path


@in_loop
async def test_what_cannot_be_made_is_told_and_the_next_one_is_made(tmp_path: Path) -> None:
    bad, good = journal(tmp_path, 1), journal(tmp_path, 2)
    (tmp_path / "20261123T000001Z.parquet").mkdir()
    said: list[str] = []
    maker = TableMaker(said.append)
    for path in (tmp_path / f"absent{SUFFIX}", bad, good):
        maker.add(path)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    others = asyncio.create_task(turn())
    await maker.close()
    others.cancel()
    await asyncio.wait([others])
    assert turns > 10  # reading goes on
    assert len(said) == 2
    assert maker.failed
    assert said[0].startswith(f"{bad}: expected to make tables of it, found: ")
    assert said[1] == f"{tmp_path / '20261123T000002Z.parquet'}: 5 rows"
    assert journals(tmp_path) == [bad]


def children(process: int) -> list[int]:
    lists = Path(f"/proc/{process}/task").glob("*/children")  # of each thread
    return [int(each) for path in lists for each in path.read_text().split()]


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return " Z " not in Path(f"/proc/{process}/stat").read_text()


def wait_until_none(processes: list[int]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while any(map(is_there, processes)):
        assert time.monotonic() < until_s
        time.sleep(0.02)


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="no list of children here")
def test_killed_while_tables_are_made_nothing_is_left_running(tmp_path: Path) -> None:
    path = journal(tmp_path, 1)
    command = [
        sys.executable,
        "-m",
        "e320proto.cli",
        "record",
        "memory:x",
        "--out",
        str(tmp_path),
        "--format",
        "parquet",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        started: list[int] = []
        until_s = time.monotonic() + PATIENCE_S
        while not started and time.monotonic() < until_s and path.exists():
            started = children(process.pid)
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert started
    wait_until_none(started)
    names = sorted(each.name for each in tmp_path.iterdir())
    # It has made them before it ended, or had not begun.
    assert names in (["20261123T000001Z.parquet"], [path.name, path.with_suffix(".times").name])
