"""``--format parquet`` and ``arrow``: complete files with what ``decode_archive`` says, or none."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Literal, Self

import pytest

from e320proto import Unsigned
from e320proto.sml.options import DEFAULT_OPTIONS

pytest.importorskip("e320proto.archive", reason="needs the extra archive", exc_type=ModuleNotFoundError)

import pyarrow as pa
import pyarrow.parquet as pq

from e320proto.archive import decode_archive, long_schema, wide_schema
from e320proto.cli.archive_run import Target, write_archive

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto import ListEntry
    from e320proto.cli.progress import Bar
    from tests.cli.conftest import MakeEntry, Push, Run

COMMAND = (sys.executable, "-m", "e320proto.cli")
NOISE = b"\xaa" * 40
FORMATS = ("parquet", "arrow")


@pytest.fixture
def capture(tmp_path: Path, push: Push, entry: MakeEntry, energy: ListEntry) -> Path:
    """Three telegrams and some noise."""
    power = entry("16.7.0", Unsigned(215, 4), unit=27, scaler=0)
    path = tmp_path / "capture.bin"
    path.write_bytes(push(energy) + NOISE + push(energy, power) + push(power, server_id=b"\x0a" * 10))
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.ipc.open_file(path) as file:
        return file.read_all()


def rows(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = read(path).to_pylist()
    return found


def expected(path: Path, table: str) -> list[dict[str, object]]:
    return [row for batch in decode_archive(path, table=table) for row in batch.to_pylist()]  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("table", ["long", "wide"])
def test_the_file_holds_the_table(e320: Run, capture: Path, form: str, table: str) -> None:
    out = capture.with_name(f"readings.{form}")
    done = e320("decode", capture, "--format", form, "--table", table, "--out", out)
    beside = out.with_name(f"readings.trouble.{form}")
    assert rows(out) == expected(capture, table)
    assert rows(beside) == expected(capture, "trouble")
    counted = {"long": 4, "wide": 3}[table]
    assert (done.status, done.out, done.err) == (0, "", f"e320: {out}: {counted} rows, {beside}: 1 row\n")
    assert names_in(capture.parent) == ["capture.bin", f"readings.{form}", f"readings.trouble.{form}"]


@pytest.mark.parametrize("form", FORMATS)
def test_units_are_in_the_file(e320: Run, capture: Path, form: str) -> None:
    out = capture.with_name(f"readings.{form}")
    e320("decode", capture, "-f", form, "--table", "wide", "-o", out)
    assert read(out).schema.field("1-0:1.8.0*255").metadata[b"unit"] == b"Wh"


def test_parquet_is_compressed_with_zstd(e320: Run, capture: Path) -> None:
    out = capture.with_name("readings.parquet")
    e320("decode", capture, "-f", "parquet", "-o", out)
    group = pq.ParquetFile(out).metadata.row_group(0)
    assert {group.column(at).compression for at in range(group.num_columns)} == {"ZSTD"}


def test_pipes_and_dumps_are_read_too(e320: Run, capture: Path) -> None:
    octets = capture.read_bytes()
    dump = capture.with_name("capture.hex")
    dump.write_text(f"{octets.hex(' ')} zz")
    out = capture.with_name("readings.parquet")
    done = e320("decode", capture, "-", dump, "-f", "parquet", "-o", out, stdin=octets)
    assert done.status == 0
    name_of = {str(capture), "-", str(dump)}
    wanted = [row | {"file": name} for name in (str(capture), "-", str(dump)) for row in expected(capture, "long")]
    assert rows(out) == wanted
    trouble = rows(out.with_name("readings.trouble.parquet"))
    assert [(row["file"], row["reason"]) for row in trouble] == [
        (str(dump), "hex_text"),
        (str(capture), None),
        ("-", None),
        (str(dump), None),
    ]
    assert {row["file"] for row in trouble} == name_of


def test_what_cannot_be_read_does_not_stop_the_rest(e320: Run, capture: Path) -> None:
    out, missing = capture.with_name("readings.parquet"), capture.with_name("missing")
    done = e320("decode", missing, capture, "-f", "parquet", "-o", out)
    assert done.status == 2
    assert done.err.startswith(f"e320: cannot read {missing}: ")
    assert rows(out) == expected(capture, "long")


def test_an_input_may_be_given_twice(e320: Run, capture: Path) -> None:
    out = capture.with_name("readings.parquet")
    assert e320("decode", capture, capture, "-f", "parquet", "-o", out).status == 0
    assert rows(out) == expected(capture, "long") * 2


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("table", "schema"), [("long", long_schema()), ("wide", wide_schema(()))])
def test_no_telegram_makes_a_file_without_rows(
    e320: Run, tmp_path: Path, form: str, table: str, schema: pa.Schema
) -> None:
    noise, out = tmp_path / "noise", tmp_path / f"out.{form}"
    noise.write_bytes(NOISE)
    assert e320("decode", noise, "-f", form, "--table", table, "-o", out).status == 1
    assert read(out).num_rows == 0
    assert read(out).schema.names == schema.names
    assert len(rows(tmp_path / f"out.trouble.{form}")) == 1


def test_trouble_of_an_earlier_file_goes_with_it(e320: Run, capture: Path, push: Push, energy: ListEntry) -> None:
    out = capture.with_name("readings.parquet")
    beside = capture.with_name("readings.trouble.parquet")
    e320("decode", capture, "-f", "parquet", "-o", out)
    assert beside.exists()
    capture.write_bytes(push(energy))
    e320("decode", capture, "-f", "parquet", "-o", out)
    assert (out.exists(), beside.exists()) == (True, False)
    assert rows(out) == expected(capture, "long")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["-f", "parquet"], "e320: --format parquet needs --out PATH"),
        (["-f", "arrow", "-o", "x", "--stats"], "e320: --all, --events and --stats are not for --format arrow"),
        (["-o", "x"], "e320: --out, --table and --jobs are for --format parquet and arrow"),
        (["-f", "csv", "--jobs", "2"], "e320: --out, --table and --jobs are for --format parquet and arrow"),
        (["-f", "parquet", "-o", "."], "e320: nothing written to .: it is no regular file"),
        (["-f", "parquet", "-o", "capture.bin"], "e320: nothing written to capture.bin: it is an input"),
        (["-f", "parquet", "-o", "no/x"], "e320: nothing written to no/x: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused(
    e320: Run, capture: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], line: str
) -> None:
    monkeypatch.chdir(capture.parent)
    before = capture.read_bytes()
    done = e320("decode", "capture.bin", *args)
    assert (done.status, done.out, done.err) == (2, "", f"{line}\n")
    assert names_in(capture.parent) == ["capture.bin"]
    assert capture.read_bytes() == before


def test_jobs_make_no_difference(process: Run, tmp_path: Path, push: Push, energy: ListEntry) -> None:
    capture, out, other = tmp_path / "long.bin", tmp_path / "one.parquet", tmp_path / "two.parquet"
    capture.write_bytes((push(energy) * 9 + NOISE) * 1000)
    assert process("decode", capture, "-f", "parquet", "-o", out).status == 0
    assert process("decode", capture, "-f", "parquet", "-o", other, "--jobs", 2).status == 0
    assert len(rows(out)) == 9000
    assert rows(other) == rows(out)


def test_ctrl_c_leaves_what_was_there(tmp_path: Path, push: Push, energy: ListEntry) -> None:
    out = tmp_path / "readings.parquet"
    out.write_bytes(b"of an earlier run")
    command = [*COMMAND, "decode", "-", "-f", "parquet", "-o", str(out)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, preexec_fn=_interruptible) as process:  # noqa: S603, PLW1509 - ours, and no threads
        assert process.stdin is not None
        process.stdin.write(push(energy))
        process.stdin.flush()
        while not list(tmp_path.glob(".e320-*/input 0")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert out.read_bytes() == b"of an earlier run"
    assert names_in(tmp_path) == ["readings.parquet"]


def _interruptible() -> None:
    """Background jobs of a shell ignore Ctrl-C, and so would their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_leaves_nothing(capture: Path, form: str) -> None:
    out = capture.with_name(f"readings.{form}")
    command = [*COMMAND, "decode", str(capture), "-f", form, "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=_small_files)  # noqa: S603 - ours
    assert done.returncode == 2
    assert done.stderr.startswith(f"e320: nothing written to {out}: ")
    assert done.stderr.count("\n") == 1
    assert names_in(capture.parent) == ["capture.bin"]


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def test_a_missing_extra_is_named(capture: Path) -> None:
    program = "import sys; sys.modules['numba'] = None; from e320proto.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "decode", str(capture), "-f", "parquet", "-o", "x.parquet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=capture.parent)  # noqa: S603 - ours
    assert done.returncode == 2
    assert done.stderr.startswith("e320: ")
    assert "pip install e320proto[archive]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_other_formats_do_without_the_extra(capture: Path) -> None:
    program = (
        "import sys; from e320proto.cli import main; main(['decode', sys.argv[1], '-f', 'jsonl']); "
        "sys.exit(bool({'numpy', 'numba', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(capture)], capture_output=True, check=False)  # noqa: S603 - ours
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 3)


class _Bar:
    """Counts as a progress bar would."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, octets: int) -> None:
        self.done += octets


class _Interrupted(_Bar):
    """Ctrl-C comes when everything has been decoded, and before it is written."""

    def advance(self, octets: int) -> None:
        super().advance(octets)
        if self.done == self.total:
            raise KeyboardInterrupt


def test_progress_is_told_for_all_octets(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bars: list[_Bar] = []

    def make(total: int | None) -> Bar:
        bars.append(_Bar(total))
        return bars[-1]  # type: ignore[return-value]  # as much of one as is needed

    dump = capture.with_name("capture.hex")
    dump.write_text(capture.read_bytes().hex())
    target = Target(capture.with_name("readings.parquet"), "parquet", "long", 1)
    assert write_archive([str(capture), str(dump)], target, DEFAULT_OPTIONS, make) == 0
    size = capture.stat().st_size
    assert [(bar.total, bar.done) for bar in bars] == [(2 * size, 2 * size)] * 2  # the copy of the dump; everything
    assert "readings.parquet: 8 rows" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_ctrl_c_while_decoding_leaves_nothing(capture: Path, form: Literal["parquet", "arrow"]) -> None:
    target = Target(capture.with_name(f"readings.{form}"), form, "long", 1)
    assert write_archive([str(capture)], target, DEFAULT_OPTIONS, _Interrupted) == 130  # type: ignore[arg-type]
    assert names_in(capture.parent) == ["capture.bin"]
