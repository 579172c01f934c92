"""The command as a process: exit status, closed pipes, Ctrl-C, what cannot be read."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

import pytest

import e320proto

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto import ListEntry
    from tests.cli.conftest import Push, Run

COMMAND = (sys.executable, "-m", "e320proto.cli")


@pytest.fixture
def capture(tmp_path: Path, push: Push, energy: ListEntry) -> Path:
    path = tmp_path / "capture.bin"
    path.write_bytes(push(energy))
    return path


@pytest.fixture
def long_capture(tmp_path: Path, push: Push, energy: ListEntry) -> Path:
    path = tmp_path / "long.bin"
    path.write_bytes(push(energy) * 40_000)
    return path


def _interruptible() -> None:
    """Background jobs of a shell ignore Ctrl-C, and so would their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def started(*args: object, stdin: int | IO[bytes] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    command = [*COMMAND, *(str(arg) for arg in args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, preexec_fn=_interruptible)  # noqa: S603, PLW1509 - ours, and no threads


@pytest.mark.parametrize(
    ("closed", "lines", "status"), [(">&-", 0, 0), ("<&-", 1, 0), ("2>&-", 1, 0), ("<&- >&- 2>&-", 0, 0)]
)
def test_closed_streams_are_no_trouble(capture: Path, closed: str, lines: int, status: int) -> None:
    """Services are started without them."""
    command = f'"$@" {closed}'
    done = subprocess.run(  # noqa: S603 - ours
        ["/bin/sh", "-c", command, "sh", *COMMAND, "decode", "-f", "jsonl", str(capture)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.stdout.count(b"\n"), done.stderr, done.returncode) == (lines, b"", status)


def test_columns_of_no_width_are_no_width(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "0"}
    done = subprocess.run([*COMMAND, "demo"], env=environment, cwd=tmp_path, capture_output=True, check=False)  # noqa: S603 - ours
    assert (b"86,399 of 86,400" in done.stdout, done.stderr, done.returncode) == (True, b"", 0)


def test_decoding_does_not_wait_for_a_meter_to_be_loaded() -> None:
    program = "import sys, e320proto.cli.app; print(*(name for name in sys.modules if name.startswith('e320proto.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    loaded = done.stdout.split()
    assert "e320proto.cli.table" in loaded
    assert not [name for name in loaded if name.startswith(("e320proto.meter", "e320proto.aio"))]


def test_version(process: Run) -> None:
    assert process("--version") == (0, f"e320proto {e320proto.__version__}\n", "")


def test_no_command_shows_help(process: Run) -> None:
    done = process()
    assert (done.status, done.out) == (2, "")
    assert "decode" in done.err
    assert "e320 demo" in done.err


def test_help(process: Run) -> None:
    done = process("decode", "--help")
    assert done.status == 0
    for option in ("--format", "--all", "--events", "--stats", "--lenient", "--out", "--table", "--jobs"):
        assert option in done.out


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["decode", "--formt"], "e320: No such option"),
        (["decode", "--format", "xml"], "e320: Invalid value for '--format'"),
        (["decade"], "e320: No such command"),
        (["obis"], "e320: Missing argument"),
        (["obis", "one"], "e320: expected A-B:C.D.E*F, C.D.E or 12 hex digits, found 'one'"),
        (["id", "one"], "e320: expected pairs of hex digits or a printed device id, found 'one'"),
    ],
)
def test_wrong_usage_is_one_line(process: Run, args: list[str], line: str) -> None:
    done = process(*args)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(line)
    assert done.err.count("\n") == 1


def test_standard_input(process: Run, capture: Path) -> None:
    octets = capture.read_bytes()
    expected = process("decode", capture)
    assert process("decode", "-", stdin=octets) == expected
    assert process("decode", stdin=octets) == expected


def test_what_cannot_be_read_does_not_stop_the_rest(process: Run, capture: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    done = process("decode", "-f", "jsonl", missing, capture, tmp_path)
    assert done.status == 2
    assert len(done.out.splitlines()) == 1
    assert done.err.splitlines() == [
        f"e320: cannot read {missing}: No such file or directory",
        f"e320: cannot read {tmp_path}: Is a directory",
    ]


def test_nothing_found(process: Run) -> None:
    assert process("decode", "-", stdin=b"noise").status == 1


@pytest.mark.parametrize("args", [["--format", "jsonl"], ["--format", "csv"], ["--all"]])
def test_closed_pipe_ends_quietly(long_capture: Path, args: list[str]) -> None:
    process = started("decode", *args, long_capture)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_full_disk_is_one_line(long_capture: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        command = [*COMMAND, "decode", "-f", "jsonl", str(long_capture)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)  # noqa: S603
    assert (done.returncode, done.stderr) == (2, b"e320: cannot write: No space left on device\n")


@pytest.mark.parametrize("args", [["--format", "jsonl"], ["--all"]])
def test_interrupt_keeps_what_was_decoded(long_capture: Path, args: list[str]) -> None:
    process = started("decode", *args, long_capture)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    text = first + process.stdout.read()
    assert (process.wait(60), process.stderr.read()) == (130, b"")
    assert text.endswith(b"\n")
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_pipe_is_shown_as_it_comes(push: Push, energy: ListEntry, form: str) -> None:
    """Whoever watches a meter sees each telegram at once, and an interrupt is how the watching ends."""
    process = started("decode", "-f", form, stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(3):
        process.stdin.write(push(energy))
        process.stdin.flush()
        line = process.stdout.readline()
        while line.startswith(b"offset"):  # the header comes with the first row
            line = process.stdout.readline()
        assert b"0a014c475a0000bc614e" in line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_text_dump_from_a_slow_pipe(push: Push, energy: ListEntry) -> None:
    process = started("decode", "-f", "jsonl", stdin=subprocess.PIPE)
    assert process.stdin is not None
    for piece in (dump := push(energy).hex().encode())[:1], dump[1:100], dump[100:]:
        process.stdin.write(piece)
        process.stdin.flush()
        time.sleep(0.05)
    out, _ = process.communicate(timeout=60)
    assert out.count(b'"offset": 0') == 1


def in_terminal(*args: object, width: int = 80, **environment: str) -> str:
    """What the command shows in a terminal of its own."""
    main, other = pty.openpty()
    command = ["sh", "-c", f'stty cols {width} rows 24; exec "$@"', "sh", *COMMAND, *(str(arg) for arg in args)]
    clean = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    environment = {**clean, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=environment)  # noqa: S603 - ours
    os.close(other)
    shown = bytearray()
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # Linux tells the end of a terminal in this way
            break
        if not piece:
            break
        shown += piece
    os.close(main)
    process.wait(60)
    return shown.decode().replace("\r\n", "\n")


def test_terminal_gets_colours_and_a_progress_bar(long_capture: Path) -> None:
    shown = in_terminal("decode", long_capture)
    assert "\x1b[1mMeter 1 LGZ00 1234 5678" in shown
    assert "% " in shown
    assert "MiB" in shown
    assert "40,000 telegrams of 1 meter. No trouble." in shown.rpartition("MiB")[2]


def test_terminal_without_colours(capture: Path) -> None:
    with_colour = in_terminal("decode", "missing", capture)
    assert "e320: cannot read missing" in with_colour
    assert "\x1b[3" not in in_terminal("decode", capture, NO_COLOR="1")


def test_rows_that_run_through_the_terminal_need_no_bar(long_capture: Path) -> None:
    long_capture.write_bytes(long_capture.read_bytes()[: 5 << 20])
    assert "MiB" not in in_terminal("decode", "-f", "csv", long_capture)


def test_nothing_to_read_in_a_terminal() -> None:
    assert in_terminal("decode") == "e320: give a file, or - for standard input\n"


def test_octets_are_not_for_a_terminal() -> None:
    assert in_terminal("demo", "--raw") == "e320: octets are not for a terminal; send them to a file or a pipe\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_missing_extra_is_explained(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from e320proto.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install e320proto[cli]" in done.stderr
    assert done.stderr.count("\n") == 1
