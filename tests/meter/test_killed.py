"""A process that runs a meter is killed at any moment: the next one goes on with a consistent state."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from e320proto.meter import E320Config, Inputs, Meter, SqliteStore
from e320proto.meter.modes import POSITIVE

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 16
DWH_PER_S = 10
PROGRAM = """
import sys
from e320proto.meter import E320Config, Inputs, Meter, SqliteStore
meter = Meter(E320Config(pin="0000"), SqliteStore(sys.argv[1]))
now = 0.0
meter.advance(now, Inputs.of_power(1200, 1200, 1200))
while True:
    now += 1
    meter.advance(now)
    meter.info_data_to_send()
    print(meter.sec_index, meter.push_counter, *meter.registers.values(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_nothing_that_was_told_is_lost(tmp_path: Path) -> None:
    path, chance = tmp_path / "meter.state", random.Random(320)  # noqa: S311 - the same moments in every run
    told = [-1, 0, 0, 0]
    for lives in range(1, KILLS + 1):
        command = [sys.executable, "-c", PROGRAM, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
            assert process.stdout is not None
            first = [int(number) for number in process.stdout.readline().split()]
            assert first[0] >= told[0] + 2  # stored + 1 at power-up, and one second
            assert all(after >= before for before, after in zip(told, first, strict=True))
            told = first
            time.sleep(chance.random() / 30)
            os.kill(process.pid, signal.SIGKILL)
            for line in process.stdout:
                if line.endswith("\n"):
                    told = [int(number) for number in line.split()]
        store = SqliteStore(path)
        meter = Meter(E320Config(pin="0000"), store)
        # What was told last, or the second after it. A second without energy begins every life.
        seconds, energy = meter.sec_index, meter.registers[POSITIVE]
        assert told[0] <= seconds <= told[0] + 1
        assert energy == DWH_PER_S * (seconds + 1 - lives)
        assert meter.push_counter in {told[1], told[1] + 1}
        store.close()


def test_two_processes_in_a_row_without_a_kill(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "meter.state")
    meter = Meter(E320Config(pin="0000"), store)
    meter.advance(0, Inputs.of_power(3600, 0, 0))
    meter.advance(10.5)
    store.close()
    again = SqliteStore(tmp_path / "meter.state")
    resumed = Meter(E320Config(pin="0000"), again)
    assert (resumed.sec_index, resumed.registers[POSITIVE]) == (10, 105)
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_nobody_else_reads_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "meter.state"
    store = SqliteStore(path)
    Meter(E320Config(pin="0000"), store).advance(0)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    store.close()
    assert set(modes.values()) == {0o600}
