"""An outbox on a real disk: killed, full, unreadable, used twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from e320proto.errors import TransportError
from e320proto.live.outbox import Outbox

if TYPE_CHECKING:
    from pathlib import Path


def put(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        outbox.put("topic", str(number))


def taken(outbox: Outbox, count: int = 1000) -> list[int]:
    return [int(waiting.payload) for waiting in outbox.take(count)]


def test_what_is_saved_comes_before_what_is_in_memory(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box", memory=10)
    put(outbox, *range(5))
    outbox.save()
    put(outbox, 5, 6)
    assert (taken(outbox, 3), len(outbox)) == ([0, 1, 2], 7)
    outbox.discard(outbox.take(3)[-1].number)
    assert taken(outbox) == [3, 4]
    outbox.discard(outbox.take(10)[-1].number)
    assert (taken(outbox), len(outbox)) == ([5, 6], 2)
    outbox.close()
    again = Outbox(tmp_path / "box")
    put(again, 7)
    assert taken(again) == [5, 6]
    again.save()
    assert taken(again) == [5, 6, 7]
    again.close()


def test_more_than_the_memory_takes_goes_to_disk(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box", memory=10)
    put(outbox, *range(25))
    first = outbox.take(1)[0].number
    outbox.discard(first)
    assert len(outbox) == 24
    outbox.save()
    assert taken(outbox) == list(range(1, 25))
    outbox.close()


def test_messages_that_were_saved_while_they_were_on_their_way_leave_the_disk(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box")
    put(outbox, 1, 2, 3)
    (first, *_) = outbox.take(2)
    outbox.save()
    outbox.discard(first.number)
    assert taken(outbox) == [2, 3]
    outbox.close()


def test_a_process_that_is_killed_leaves_all_that_was_saved(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from e320proto.live.outbox import Outbox
outbox = Outbox(sys.argv[1])
for number in range(500):
    outbox.put("topic", str(number))
    outbox.save()
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "box")], check=False, timeout=60)  # noqa: S603 - ours
    assert done.returncode == -signal.SIGKILL
    outbox = Outbox(tmp_path / "box")
    assert taken(outbox) == list(range(500))
    outbox.close()


def test_the_oldest_go_at_the_limit_and_the_count_is_kept(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box", limit=10)
    put(outbox, *range(8))
    outbox.save()
    put(outbox, *range(8, 13))
    outbox.save()
    assert (taken(outbox), outbox.dropped, len(outbox)) == (list(range(3, 13)), 3, 10)
    put(outbox, *range(13, 40))  # more than the limit at once
    outbox.close()
    outbox = Outbox(tmp_path / "box", limit=10)
    assert (taken(outbox), outbox.dropped, len(outbox)) == (list(range(30, 40)), 30, 10)
    outbox.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    Outbox(tmp_path / "box").close()
    assert (tmp_path / "box").stat().st_mode & 0o777 == 0o600


def test_a_file_is_for_one_bridge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e320proto.live.outbox._BUSY_S", 0.05)
    outbox = Outbox(tmp_path / "box")
    with pytest.raises(TransportError, match="a file of its own for each bridge, found it in use by another"):
        Outbox(tmp_path / "box")
    outbox.close()


def test_a_file_that_is_none_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(b"something else" * 1000)
    outbox = Outbox(tmp_path / "box")
    assert outbox.moved == tmp_path / "box.corrupt-1"
    assert outbox.moved.read_bytes() == b"something else" * 1000
    put(outbox, 1)
    outbox.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        TransportError, match=f"^{tmp_path}/none/box: expected a file to keep messages in, found: No such"
    ):
        Outbox(tmp_path / "none" / "box")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of file sizes as Linux has them")
def test_without_room_on_the_disk_messages_stay_in_memory(tmp_path: Path) -> None:
    code = """
import resource, signal, sys
from e320proto.live.outbox import Outbox
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outbox = Outbox(sys.argv[1], memory=100)
outbox.put("topic", "first")
outbox.save()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for number in range(50):
    outbox.put("topic", str(number) + "x" * 10_000)
    outbox.save()
assert outbox.error is not None and "expected a file to keep messages in" in str(outbox.error), outbox.error
assert (len(outbox), outbox.dropped) == (51, 0), len(outbox)
for number in range(50, 200):
    outbox.put("topic", str(number))
saved = outbox._saved
assert outbox.dropped == 201 - len(outbox) > 0
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
outbox.save()
assert outbox.error is None
found = [waiting.payload.rstrip("x") for waiting in outbox.take(1000)]
kept = [str(number) for number in range(200)]
assert found == ["first"] + kept[:saved - 1] + kept[-100:], found
outbox.close()
"""
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code, str(tmp_path / "box")], check=False, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_disk_that_cannot_be_read_any_more_costs_what_was_on_it(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box")
    outbox._connection.execute("PRAGMA cache_size=1")
    for number in range(300):
        outbox.put("topic", str(number) * 1000)
    outbox.save()
    outbox._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (tmp_path / "box").stat().st_size
    with (tmp_path / "box").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    outbox.put("topic", "new")
    for _ in range(400):
        found = outbox.take(1)
        if not found:
            break
        outbox.discard(found[0].number)
    assert len(outbox) == 0
    assert outbox.error is not None
    assert outbox.dropped > 0
    outbox._connection.close()


def test_a_disk_that_is_gone_is_told_and_memory_has_a_bound(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "box", memory=3)
    outbox._connection.close()
    put(outbox, 1, 2, 3)
    outbox.save()
    assert outbox.error is not None
    assert str(outbox.error).startswith(f"{tmp_path}/box: expected a file to keep messages in, found: ")
    put(outbox, 4, 5)
    assert (taken(outbox), outbox.dropped) == ([3, 4, 5], 2)
    outbox.discard(outbox.take(1)[0].number)
    assert taken(outbox) == [4, 5]
