"""Recordings: every octet and its time, whatever happens to process, disk, clock or files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import TransportError
from e320proto.live.recording import TURN_S, Recording, lock, read_recording, read_times
from e320proto.sml.transport import START

if TYPE_CHECKING:
    from pathlib import Path

DAY = 1_795_392_000.0  # 2026-11-23 00:00 UTC
FRAME = START + b"telegram" * 30


def names(folder: Path, suffix: str = ".bin") -> list[str]:
    return sorted(path.name for path in folder.glob(f"*{suffix}"))


def octets(path: Path) -> bytes:
    return b"".join(piece for _, piece in read_recording(path))


def recorded(folder: Path, *writes: tuple[float, bytes], rotate_s: float = 86_400) -> Recording:
    recording = Recording(folder, rotate_s=rotate_s)
    for at, data in writes:
        recording.write(data, at)
    recording.close()
    return recording


def test_octets_and_their_times(tmp_path: Path) -> None:
    recorded(tmp_path / "a" / "b", (DAY, b"one"), (DAY + 0.05, b"two"), (DAY + 0.1, b"three"), (DAY + 3600.0004, b"4"))
    folder = tmp_path / "a" / "b"
    assert names(folder, "") == ["20261123T000000Z.bin", "20261123T000000Z.times"]
    assert (folder / names(folder)[0]).read_bytes() == b"onetwothree4"
    times = (folder / names(folder, ".times")[0]).read_text()
    assert times == "0 1795392000000\n6 1795392000100\n11 1795395600000\n"
    found = [(DAY, b"onetwo"), (DAY + 0.1, b"three"), (DAY + 3600, b"4")]
    assert list(read_recording(folder)) == found
    assert list(read_recording(folder / names(folder)[0])) == found


def test_nothing_heard_makes_no_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.tick(DAY)
    recording.write(b"", DAY)
    recording.close()
    assert (names(tmp_path, ""), recording.path, recording.files) == ([], None, 0)


def test_a_new_file_begins_with_a_telegram(tmp_path: Path) -> None:
    begun = DAY + 3599.9
    finished: list[Path] = []
    recording = Recording(tmp_path, rotate_s=3600, on_finished=finished.append)
    recording.write(FRAME[:100], begun)
    recording.write(FRAME[100:] + FRAME[:50], begun + 0.2)
    assert [path.read_bytes() for path in finished] == [FRAME]
    recording.write(FRAME[50:], begun + 0.4)
    recording.close()
    assert names(tmp_path) == ["20261123T005959Z.bin", "20261123T010000Z.bin"]
    assert [octets(tmp_path / name) for name in names(tmp_path)] == [FRAME, FRAME]
    assert [path.name for path in finished] == names(tmp_path)


@pytest.mark.parametrize("piece", [1, 3, 7, 8, 9, 100])
def test_a_start_in_pieces_is_not_cut(tmp_path: Path, piece: int) -> None:
    stream = FRAME[20:] + b"\x1b\x1b\x1b\x1b\x01\x01noise" + FRAME * 2
    recording = Recording(tmp_path, rotate_s=60)
    recording.write(b"before", DAY + 59)
    for at in range(0, len(stream), piece):
        recording.write(stream[at : at + piece], DAY + 60 + at / 1000)
    recording.close()
    first, second = (octets(tmp_path / name) for name in names(tmp_path))
    assert first + second == b"before" + stream
    assert second.startswith(START)


def test_octets_that_are_no_telegrams_do_not_wait_for_one_for_ever(tmp_path: Path) -> None:
    recording = Recording(tmp_path, rotate_s=60)
    for second in range(50, 90):
        recording.write(b"\x1b" if second % 2 else b"n", DAY + second)
    recording.close()
    assert names(tmp_path) == ["20261123T000050Z.bin", f"20261123T0001{TURN_S:02.0f}Z.bin"]
    assert octets(tmp_path) == b"n\x1b" * 20


def test_a_file_is_finished_while_nothing_is_heard(tmp_path: Path) -> None:
    finished: list[Path] = []
    recording = Recording(tmp_path, rotate_s=60, sync_s=300, on_finished=finished.append)
    recording.write(FRAME, DAY + 1)
    for second in range(2, 60):
        recording.tick(DAY + second)
    assert finished == []
    recording.write(b"\x1b\x1b", DAY + 60)  # perhaps the start of one: not for longer than a second
    recording.tick(DAY + 61)
    assert octets(tmp_path) == FRAME + b"\x1b\x1b"
    recording.tick(DAY + 60 + TURN_S)
    assert [path.name for path in finished] == ["20261123T000001Z.bin"]


def test_starting_again_never_touches_what_is_there(tmp_path: Path) -> None:
    recorded(tmp_path, (DAY, b"first"))
    killed = [Recording(tmp_path), Recording(tmp_path)]
    for number, recording in enumerate(killed):  # none of them is closed
        recording.write(b"%d" % number, DAY + number / 2)
    killed[0].write(b"0", DAY + 0.6)
    assert names(tmp_path) == ["20261123T000000Z.bin", "20261123T000000Z_001.bin", "20261123T000000Z_002.bin"]
    assert [octets(tmp_path / name) for name in names(tmp_path)] == [b"first", b"00", b"1"]
    assert octets(tmp_path) == b"first001"
    for recording in killed:
        recording.close()


def test_numbers_beyond_three_digits_stay_in_order(tmp_path: Path) -> None:
    for name, data in (("_999", b"1"), ("_1000", b"2"), ("", b"0")):
        (tmp_path / f"20261123T000000Z{name}.bin").write_bytes(data)
    recorded(tmp_path, (DAY, b"3"))
    assert octets(tmp_path) == b"0123"
    assert (tmp_path / "20261123T000000Z_1001.bin").exists()


def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    later = recorded(tmp_path, (DAY + 86_400.5, b"a"), (DAY + 86_399, b"b"), (DAY + 86_401, b"c"))
    assert later.files == 1
    times = [at for at, _ in read_recording(tmp_path)]
    assert times == [DAY + 86_400.5, DAY + 86_399, DAY + 86_401]
    recorded(tmp_path, (5.0, b"d"), (6.0, b"e"), (DAY + 2 * 86_400, FRAME))  # a clock without a battery, then set
    assert names(tmp_path) == ["20261124T000000Z.bin", "20261124T000000Z_001.bin", "20261125T000000Z.bin"]
    assert [piece for _, piece in read_recording(tmp_path)] == [b"a", b"b", b"c", b"d", b"e", FRAME]


def test_a_clock_that_is_set_back_far_ends_the_file(tmp_path: Path) -> None:
    recording = recorded(tmp_path, (DAY, b"a"), (DAY - 10 * 86_400, FRAME))
    assert (recording.files, names(tmp_path)[1]) == (2, "20261123T000000Z_001.bin")


def test_a_clock_that_is_set_back_while_a_file_waits(tmp_path: Path) -> None:
    recording = Recording(tmp_path, rotate_s=60)
    for at, data in ((59, b"a"), (60, b"\x1b"), (58, b"b"), (59.9, b"c"), (60.1, FRAME[:4]), (60.2, FRAME[4:])):
        recording.write(data, DAY + at)
    recording.close()
    assert [octets(tmp_path / name) for name in names(tmp_path)] == [b"a\x1bbc", FRAME]


def test_a_removed_folder_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    recording = Recording(folder)
    recording.write(b"a", DAY)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(TransportError, match=r"gone: expected to write a recording there, found: No such file"):
        recording.tick(DAY + 1.5)
    with pytest.raises(TransportError, match="No such file"):
        recording.write(b"b", DAY + 2)
    folder.mkdir()
    recording.write(b"c", DAY + 3)
    recording.close()
    assert octets(folder) == b"c"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
@pytest.mark.parametrize("limit", [10, 20, 40, 41, 100])
def test_a_full_disk_keeps_what_was_written(tmp_path: Path, limit: int) -> None:
    # A process of its own: the limit is for all of its files. It takes both files to their limit in turn.
    script = f"""
import resource
from e320proto import TransportError
from e320proto.live.recording import Recording
recording = Recording({str(tmp_path)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
for number in range(99):
    try:
        recording.write(b"%09d\\n" % number, {DAY} + number)
    except TransportError as error:
        print(number, error)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recording.write(b"goes on", {DAY} + 100)
recording.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - ours
    number, _, message = done.stdout.partition(" ")
    assert message == f"{tmp_path}: expected to write a recording there, found: File too large\n"
    first, second = names(tmp_path)
    wanted = b"".join(b"%09d\n" % each for each in range(int(number)))
    assert octets(tmp_path / first)[: len(wanted)] == wanted
    assert list(read_recording(tmp_path / second)) == [(DAY + 100, b"goes on")]


@pytest.mark.parametrize("bad", [{"rotate_s": 0}, {"sync_s": -1}, {"rotate_s": float("nan")}])
def test_wrong_periods(tmp_path: Path, bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected rotate_s"):
        Recording(tmp_path, **bad)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransportError, match="expected to write a recording there"):
        Recording(tmp_path / "file" / "folder")


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")
def test_a_file_is_locked_while_it_is_written(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(b"a", DAY)
    assert recording.path is not None
    with recording.path.open("rb") as file:
        with pytest.raises(BlockingIOError):
            lock(file)
        recording.close()
        lock(file)


WRITER = """
import sys, time
from e320proto.live.recording import Recording
recording = Recording(sys.argv[1], rotate_s=1)
number = 0
while True:
    recording.write(b"%08d" % number, time.time())
    number += 1
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    random = Random(20)  # noqa: S311 - moments of a test
    for run in range(6):
        folder = tmp_path / f"{run}"
        writer = subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE)  # noqa: S603 - ours
        with writer:
            assert writer.stdout is not None
            head = writer.stdout.readline()
            begun = time.time()
            time.sleep(random.uniform(0, 0.3))
            writer.send_signal(signal.SIGKILL)
            said = (head + writer.stdout.read()).rpartition(b"\n")[0].split(b"\n")
        stream = octets(folder)
        count = len(stream) // 8
        assert count >= int(said[-1])
        assert stream == b"".join(b"%08d" % number for number in range(count)) + (b"%08d" % count)[: len(stream) % 8]
        assert all(at is not None and begun - 10 < at < time.time() for at, _ in read_recording(folder))


# --- damaged recordings ---------------------------------------------------------------------------


PIECES = [(DAY + number, bytes([65 + number]) * (number + 1)) for number in range(6)]


def made(folder: Path) -> tuple[Path, bytes, bytes]:
    recorded(folder, *PIECES)
    path = folder / names(folder)[0]
    return path, path.read_bytes(), path.with_suffix(".times").read_bytes()


def times_of_octets(path: Path) -> list[float | None]:
    return [at for at, piece in read_recording(path) for _ in piece]


def test_every_truncation_of_both(tmp_path: Path) -> None:
    path, data, times = made(tmp_path)
    whole = times_of_octets(path)
    for kept in range(len(data) + 1):
        path.write_bytes(data[:kept])
        assert octets(path) == data[:kept]
        assert times_of_octets(path) == whole[:kept]
    for kept in range(len(times) + 1):
        path.with_suffix(".times").write_bytes(times[:kept])
        assert octets(path) == data
        lines = times[:kept].count(b"\n")
        known = sum(len(piece) for _, piece in PIECES[:lines])
        last = PIECES[lines - 1][0] if lines else None
        assert times_of_octets(path) == whole[:known] + [last] * (len(data) - known)


def test_one_damaged_line_costs_only_its_own_time(tmp_path: Path) -> None:
    path, data, times = made(tmp_path)
    lines = times.splitlines(keepends=True)
    whole = times_of_octets(path)
    for number, line in enumerate(lines):
        for wrong in (
            b"\0" * (len(line) - 1) + b"\n",
            b"",
            b"999999 1795392003000\n",
            b"x" * 1000 + b"\n",
            b"0 5\n",
            b"-1 5\n",
            b"\n",
        ):
            damaged = [*lines[:number], wrong, *lines[number + 1 :]]
            path.with_suffix(".times").write_bytes(b"".join(damaged))
            assert octets(path) == data
            if wrong == b"0 5\n" and number < 2:
                continue  # it may be right, and the line beside it wrong
            of_this = {at for at, truth in zip(times_of_octets(path), whole, strict=True) if at != truth}
            assert of_this <= {PIECES[number - 1][0] if number else None}
            right = [at == truth for at, truth in zip(times_of_octets(path), whole, strict=True)]
            assert right.count(False) <= len(PIECES[number][1])


@given(st.binary(max_size=300), st.data())
def test_any_damage_keeps_all_octets(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, data: st.DataObject
) -> None:
    path, stream, times = made(tmp_path_factory.mktemp("damaged"))
    at = data.draw(st.integers(0, len(times)))
    to = data.draw(st.integers(at, len(times)))
    path.with_suffix(".times").write_bytes(times[:at] + noise + times[to:])
    assert octets(path) == stream
    offsets = [offset for offset, _ in read_times(path.with_suffix(".times"), len(stream))]
    assert offsets == sorted(set(offsets))


STREAM = bytes(range(100))


@pytest.mark.parametrize(
    ("lines", "pieces"),
    [
        ("0 1000\n40 2500\n", [(1.0, STREAM[:40]), (2.5, STREAM[40:])]),
        ("", [(None, STREAM)]),
        ("10 1000\n", [(None, STREAM[:10]), (1.0, STREAM[10:])]),
        ("0 1000\n40 25", [(1.0, STREAM)]),  # the last line is not complete
        ("0 1000\nx y\n40\n1 2 3\n-1 5\n50 2000\n", [(1.0, STREAM[:50]), (2.0, STREAM[50:])]),
        ("0 1000\n300 2000\n", [(1.0, STREAM)]),  # octets that were not kept
        (f"0 1000\n50 {'9' * 400}\n", [(1.0, STREAM)]),
    ],
)
def test_lines_of_all_kinds(tmp_path: Path, lines: str, pieces: list[tuple[float | None, bytes]]) -> None:
    path = tmp_path / "20261120T120000Z.bin"
    path.write_bytes(STREAM)
    path.with_suffix(".times").write_text(lines, encoding="ascii")
    assert list(read_recording(path)) == pieces


def test_without_times(tmp_path: Path) -> None:
    path, data, _ = made(tmp_path)
    path.with_suffix(".times").unlink()
    assert list(read_recording(path)) == [(None, data)]


def test_captures_of_any_kind(tmp_path: Path) -> None:
    for name, text in (("raw", FRAME), ("hex", FRAME.hex(" ").encode())):
        (tmp_path / name).write_bytes(text)
        assert list(read_recording(tmp_path / name)) == [(None, FRAME)]


def test_octets_that_look_like_text_stay_octets(tmp_path: Path) -> None:
    recorded(tmp_path, (DAY, b"1b 1b 1b 1b 01 01 01 01"))
    for path in tmp_path.glob("*.times"):
        path.unlink()
    assert octets(tmp_path) == b"1b 1b 1b 1b 01 01 01 01"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"expected a recording, found: No such file"):
        read_recording(tmp_path / "absent")
    with pytest.raises(TransportError, match=r"found a folder without files that end in \.bin"):
        read_recording(tmp_path)
    path, _, _ = made(tmp_path)
    pieces = read_recording(tmp_path)
    path.unlink()
    with pytest.raises(TransportError, match="No such file"):
        next(pieces)
    if os.geteuid():
        path.touch(mode=0)
        with pytest.raises(TransportError, match="Permission denied"):
            read_recording(path)


@pytest.mark.parametrize("far", [9_999, 300_000])
def test_wrong_lines_in_a_long_file_cost_themselves_only(tmp_path: Path, far: int) -> None:
    """Also at the edges of the windows in which lines are compared."""
    right = [(10 * number, number) for number in range(10_000)]
    for first in (0, 5, 4_000, 4_031, 4_095, 4_096, 8_000, 9_999):
        lines = list(right)
        for at in range(first, min(first + 3, len(lines))):
            lines[at] = (far + at, at)
        path = tmp_path / f"{first}.times"
        path.write_text("".join(f"{offset} {when}\n" for offset, when in lines), encoding="ascii")
        found = list(read_times(path, 100_000))
        assert [line for line in found if line[1] not in range(first, first + 3)] == [
            line for line in right if line[1] not in range(first, first + 3)
        ]


def test_times_that_only_go_back_take_no_time_to_read(tmp_path: Path) -> None:
    path = tmp_path / "back.times"
    path.write_text("".join(f"{offset} 1\n" for offset in range(50_000, 0, -1)), encoding="ascii")
    assert list(read_times(path, 100_000))
