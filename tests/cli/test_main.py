"""The guards of ``main``, in this process."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from e320proto.cli import app, main

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto import ListEntry
    from tests.cli.conftest import Push


def raising(error: BaseException) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (OSError(28, "No space left on device"), 2, "e320: cannot write: No space left on device\n"),
        (OSError("odd"), 2, "e320: cannot write: odd\n"),
        (
            ModuleNotFoundError("no", name="rich.text"),
            2,
            "e320: rich.text is not installed, try: pip install e320proto[cli]\n",
        ),
    ],
)
def test_guards(
    error: BaseException,
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(app, "run", raising(error))
    assert main([]) == status
    assert capsys.readouterr() == ("", line)


def test_other_missing_modules_are_no_matter_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "run", raising(ModuleNotFoundError("no", name="construct")))
    with pytest.raises(ModuleNotFoundError):
        main([])


def test_output_that_nobody_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter would complain when it flushes standard output at its end."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as gone:  # noqa: PTH123 - a file descriptor
        gone.write("text")
        monkeypatch.setattr(sys, "stdout", gone)
        assert main(["--version"]) == 141
        gone.flush()


def test_arguments_are_those_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["obis", "1.8.0"]) == 0
    assert "1-0:1.8.0*255" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["decode", "--formt"], "e320: No such option"),
        (["decade"], "e320: No such command"),
        (["obis", "one"], "e320: expected A-B:C.D.E*F, C.D.E or 12 hex digits, found 'one'\n"),
        ([], "Usage: e320 "),
    ],
)
def test_wrong_usage(args: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)


def test_terminal_without_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["decode"]) == 2
    assert capsys.readouterr().err == "e320: give a file, or - for standard input\n"


class _Closing(io.StringIO):
    """An output whose reader leaves after some lines."""

    def write(self, text: str) -> int:
        if self.tell() > 300:
            raise BrokenPipeError
        return super().write(text)


@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_reader_that_leaves(
    form: str,
    push: Push,
    energy: ListEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "capture"
    path.write_bytes(push(energy) * 20)
    monkeypatch.setattr(sys, "stdout", _Closing())
    assert main(["decode", "-f", form, str(path)]) == 141
    assert capsys.readouterr().err == ""


def test_interrupt_while_decoding(
    push: Push,
    energy: ListEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "capture"
    path.write_bytes(push(energy))
    monkeypatch.setattr("e320proto.cli.json_lines.telegram_json", raising(KeyboardInterrupt()))
    assert main(["decode", "-f", "jsonl", str(path)]) == 130
    assert capsys.readouterr() == ("", "")


def test_abort_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typer.main, "get_command", raising(typer.Abort()))
    assert app.run([]) == 130


class _Broken:
    """A device that fails after its first octets."""

    def __init__(self) -> None:
        self._pieces = [b"\xfe" * 100]

    def read(self, _: int) -> bytes:
        if not self._pieces:
            raise OSError(5, "Input/output error")
        return self._pieces.pop()


def test_reading_that_fails_later(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: Path, mode: str) -> _BrokenFile:
        assert mode == "rb"
        return _BrokenFile()

    class _BrokenFile(_Broken):
        def __enter__(self) -> _BrokenFile:  # noqa: PYI034 - one class
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setattr(Path, "open", broken)
    assert main(["decode", "-f", "jsonl", "-e", "device"]) == 2
    assert capsys.readouterr().err == "e320: cannot read device: Input/output error\n"


def test_name_that_no_file_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "a\0b"]) == 2
    assert capsys.readouterr().err == "e320: cannot read a\N{REPLACEMENT CHARACTER}b: embedded null byte\n"


def test_name_that_would_act_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "red \x1b[31m \udcff"
    path.write_bytes(b"noise")
    assert main(["decode", "-f", "csv", "-e", str(path), str(path)]) == 1
    assert main(["decode", str(path), str(path)]) == 1
    out, err = capsys.readouterr()
    assert err.count("red \N{REPLACEMENT CHARACTER}[31m \N{REPLACEMENT CHARACTER}, octet 0: 5 octets") == 2
    assert "\x1b" not in out + err
