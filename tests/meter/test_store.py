"""Stores: a state comes back whole, also from a process that was killed, and a corrupt file is kept."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from e320proto import DecodeError
from e320proto.meter.store import MemoryStore, SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

STATE = {"seconds": 5, "registers": {"1-0:1.8.0*255": 10**25}, "pin": None}
WRITER = """
import sys
from e320proto.meter.store import SqliteStore
store = SqliteStore(sys.argv[1])
number = (store.load() or {"number": 0})["number"]
while True:
    number += 1
    store.save(lambda: {"number": number, "same": [number] * 200})
    print(number, flush=True)
"""


def test_memory() -> None:
    store = MemoryStore()
    assert store.load() is None
    store.save(lambda: STATE)
    assert store.load() == STATE


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store = SqliteStore(path)
    assert store.load() is None
    store.save(lambda: {"seconds": 1})
    store.save(lambda: STATE)
    assert store.load() == STATE
    store.close()
    again = SqliteStore(str(path))
    assert again.load() == STATE
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """What was written when the process was killed is there, or what it wrote next, always whole."""
    path = tmp_path / "state"
    chance = random.Random(320)  # noqa: S311 - the same moments in every run
    for _ in range(12):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
            assert process.stdout is not None
            last = int(process.stdout.readline())
            time.sleep(chance.random() / 50)
            os.kill(process.pid, signal.SIGKILL)
            for line in process.stdout:
                if line.endswith("\n"):
                    last = int(line)
        store = SqliteStore(path)
        state = store.load()
        assert state is not None
        assert state["number"] in {last, last + 1}
        assert state["same"] == [state["number"]] * 200
        store.close()


def damaged_row(path: Path) -> None:
    store = SqliteStore(path)
    store.save(lambda: STATE)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE state SET body = replace(body, '5', '6')")
    connection.close()


@pytest.mark.parametrize("kind", ["no database", "cut", "other octets in a row"])
def test_corrupt_file_is_kept_aside(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "state"
    damaged_row(path)
    if kind == "no database":
        path.write_bytes(b"this is not a database" * 100)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    octets = path.read_bytes()
    with pytest.raises(DecodeError, match="corrupt-1") as caught:
        SqliteStore(path)
    assert caught.value.reason == "corrupt_state"
    assert not path.exists()
    assert (tmp_path / "state.corrupt-1").read_bytes() == octets
    new = SqliteStore(path)
    assert new.load() is None
    new.close()
    path.write_bytes(octets)
    with pytest.raises(DecodeError, match="corrupt-2"):
        SqliteStore(path)


def test_state_of_another_version_stays(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store = SqliteStore(path)
    store.save(lambda: STATE)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE state SET format = 99")
    connection.close()
    with pytest.raises(DecodeError, match="format 2, found 99") as caught:
        SqliteStore(path)
    assert caught.value.reason == "state_format"
    assert path.is_file()


def test_place_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot open the state file"):
        SqliteStore(tmp_path / "no" / "state")
