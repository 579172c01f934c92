"""``e320 record``, a process of its own, at the other end of a line."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest

from e320proto import Telegram
from e320proto.aio import MeterReader
from e320proto.aio.terminal import new_pty
from e320proto.cli.meter_setup import UnusableError
from e320proto.cli.record_run import parse_period
from e320proto.live.recording import Recording, read_recording
from e320proto.sml.capture import read_capture
from tests.aio.lines import box, seconds
from tests.aio.ports import frame, in_loop, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

COMMAND = (sys.executable, "-m", "e320proto.cli", "record")
DAY = 1_795_392_000.0


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def recorder(*args: object) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, *map(str, args)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=_interruptible)  # noqa: S603, PLW1509 - ours, and no threads
    with process:
        try:
            yield process
        finally:
            process.kill()


def files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def pieces(folder: Path) -> list[tuple[float | None, bytes]]:
    return list(read_recording(folder)) if files(folder, "*.bin") else []


def octets(folder: Path) -> bytes:
    return b"".join(piece for _, piece in pieces(folder))


@in_loop
async def test_killed_at_random_moments_at_most_a_second_is_lost(tmp_path: Path) -> None:
    random = Random(11)  # noqa: S311 - moments of a test
    stream = b"".join(frame(number) for number in range(3000))
    kept: list[tuple[float | None, bytes]] = []
    for _ in range(3):
        sent: list[tuple[float, int]] = []  # when, and octets until then
        async with box() as server:
            with recorder(server.url, "--out", tmp_path, "--rotate", "1s") as process:
                client = await server.client()
                sent.append((time.time(), 0))
                client.write(stream[:50])
                while len(pieces(tmp_path)) == len(kept):  # noqa: ASYNC110 - until another process runs
                    await asyncio.sleep(0.01)
                at, until_s = 50, time.time() + random.uniform(0.3, 1.6)
                while time.time() < until_s:
                    size = random.choice([1, 20, 100, 300])
                    sent.append((time.time(), at))
                    client.write(stream[at : at + size])
                    at += size
                    await asyncio.sleep(random.choice([0, 0.01, 0.05, 0.2]))
                killed_at = time.time()
                process.send_signal(signal.SIGKILL)
                process.wait()
                ended_at = time.time()
        found = pieces(tmp_path)
        assert found[: len(kept)] == kept  # nothing that was there is touched
        mine, kept = found[len(kept) :], found
        size = sum(len(piece) for _, piece in mine)
        assert b"".join(piece for _, piece in mine) == stream[:size]
        assert size >= max(count for when, count in sent if count == 0 or when <= killed_at - 1)
        begin = 0
        for when, piece in mine:  # no octet is said to have come before it was sent
            assert when is not None
            assert max(at for at, count in sent if count <= begin) - 0.002 <= when <= ended_at
            begin += len(piece)


@in_loop
async def test_a_replay_says_the_same_telegrams(tmp_path: Path) -> None:
    stream = frame(1)[30:] + b"noise" + b"".join(frame(number) for number in range(2, 50))
    async with box() as server:
        with recorder(server.url, "--out", tmp_path) as process:
            (await server.client()).write(stream)
            await until(lambda: octets(tmp_path) == stream)
            process.send_signal(signal.SIGTERM)
            _, said = await asyncio.to_thread(process.communicate)
    assert process.returncode == 143
    folder = re.escape(str(tmp_path))
    assert re.fullmatch(rf"e320: 48 telegrams, {len(stream):,} octets in 1 file in {folder}, \S.*\n", said), said
    (path,) = files(tmp_path, "*.bin")
    direct = [event for event in read_capture(path) if isinstance(event, Telegram)]
    async with MeterReader(f"file:{tmp_path}?speed=max") as reader:
        assert [telegram async for telegram in reader] == direct
    assert seconds(direct) == list(range(2, 50))


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_a_port_that_is_not_there_yet(tmp_path: Path) -> None:
    main, other = new_pty()
    port, out = tmp_path / "ttyHead", tmp_path / "out"
    try:
        with recorder(port, "--out", out) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert f"waits for the line: {port}: expected a serial port, found no such device" in line
            port.symlink_to(os.ttyname(other))
            until_s = time.time() + 30
            while octets(out).count(b"D0 is no SML\r\n") < 2 and time.time() < until_s:
                os.write(main, b"D0 is no SML\r\n")
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "e320: 0 telegrams" in said
        assert b"D0 is no SML\r\n" * 2 in octets(out)
    finally:
        os.close(main)
        os.close(other)


def test_a_recording_of_a_replay(e320: Run, tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a")
    stream = b"".join(frame(number) for number in range(20))
    recording.write(stream, DAY)
    recording.close()
    found = e320("record", f"file:{tmp_path / 'a'}?speed=max", "--out", tmp_path / "b", "--sync", 0)
    assert (found.status, found.out) == (0, "")
    assert found.err == f"e320: 20 telegrams, {len(stream):,} octets in 1 file in {tmp_path / 'b'}\n"
    assert octets(tmp_path / "b") == stream


def test_a_replay_that_is_not_there(e320: Run, tmp_path: Path) -> None:
    found = e320("record", f"file:{tmp_path / 'absent'}", "--out", tmp_path / "b")
    assert found.status == 2
    assert f"e320: {tmp_path / 'absent'}: expected a recording, found: No such file or directory\n" in found.err


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_a_line_in_a_terminal(tmp_path: Path) -> None:
    from tests.cli.terminals import terminal  # noqa: PLC0415 - only where there are terminals

    (tmp_path / "capture").write_bytes(b"".join(frame(number) for number in range(1000)))
    with terminal("record", f"file:{tmp_path / 'capture'}", "--out", tmp_path / "out", columns=100) as shown:
        shown.wait_for(r"receiving: [1-9]\d* telegrams?, [\d,]+ octets in 1 file in ")
        shown.press("\x03")
        status, last = shown.end()
    assert status == 130
    assert re.search(r"e320: \d+ telegrams?, [\d,]+ octets in 1 file in ", last)


def test_nothing_heard(e320: Run, tmp_path: Path) -> None:
    found = e320("record", "memory:silent", "--out", tmp_path / "b", "--for", 0.1)
    assert (found.status, found.err) == (1, f"e320: 0 telegrams, 0 octets in 0 files in {tmp_path / 'b'}\n")


def test_a_folder_that_goes_away_ends_it(process: Run, tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(frame(1) * 200)
    (tmp_path / "file").touch()
    found = process("record", f"file:{tmp_path / 'capture'}", "--out", tmp_path / "file" / "x")
    assert found.status == 2
    assert re.fullmatch(r"e320: \S+: expected to write a recording there, found: .*\n", found.err)
    out = tmp_path / "out"
    with recorder(f"file:{tmp_path / 'capture'}", "--out", out) as running:
        until_s = time.time() + 30
        while not octets_or_none(out) and time.time() < until_s:
            time.sleep(0.01)
        for path in out.iterdir():
            path.unlink()
        _, said = running.communicate(timeout=30)
    assert running.returncode == 2
    assert said.splitlines()[-1].startswith(f"e320: {out}: expected to write a recording there, found")


def octets_or_none(folder: Path) -> bytes:
    return octets(folder) if folder.is_dir() else b""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("udp://x", "--out", "d"), "udp://x: expected a path"),
        (("memory:x", "--out", "d", "--rotate", "1w"), "--rotate: expected a number with s, m, h or d"),
        (("memory:x", "--out", "d", "--rotate", "0d"), "--rotate: expected a number with s, m, h or d"),
        (("memory:x",), "Missing option"),
    ],
)
def test_wrong_usage(process: Run, tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    found = process(*("record", *args[:2], *(tmp_path / each if each == "d" else each for each in args[2:])))
    assert found.status == 2
    assert found.err.startswith(f"e320: {message}")
    assert found.err.count("\n") == 1
    assert not (tmp_path / "d").exists()


def test_periods() -> None:
    assert [parse_period(text) for text in ("1d", "6h", "15m", "3600s")] == [86_400, 21_600, 900, 3_600]
    for text in ("", "d", "1", "-1d", "1.5h", "1D", "1d "):
        with pytest.raises(UnusableError):
            parse_period(text)


def test_tables_of_a_run_that_was_killed_and_of_this_one(process: Run, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra archive")
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where there is one

    recording = Recording(tmp_path / "out", suffix=".journal.bin")
    recording.write(frame(1) + frame(2)[:-1], DAY)
    recording.close()
    kept = Recording(tmp_path / "out")
    kept.write(frame(3), DAY + 1)
    kept.close()
    (tmp_path / "capture").write_bytes(b"".join(frame(number) for number in range(10, 20)))
    url = f"file:{tmp_path / 'capture'}?speed=max"
    found = process("record", url, "--out", tmp_path / "out", "--format", "parquet")
    assert found.status == 0, found.err
    tables = files(tmp_path / "out", "*Z.parquet")
    read = [sorted(set(pq.read_table(path).column("sec_index").to_pylist())) for path in tables]
    assert read == [[1], list(range(10, 20))]
    assert files(tmp_path / "out", "*.journal.*") == []
    assert [path.read_bytes() for path in files(tmp_path / "out", "*.bin")] == [
        frame(3)
    ]  # nobody asked for tables of it
    assert "e320: 10 telegrams" in found.err.splitlines()[-1]
    assert [path.name for path in files(tmp_path / "out", "*.trouble.parquet")] == ["20261123T000000Z.trouble.parquet"]
