"""``e320 report``: captures of every form become a page."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from e320proto import SecIndex
from e320proto.sml.transport import START

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto import ListEntry
    from tests.cli.conftest import Push, Run


@pytest.fixture
def frames(push: Push, energy: ListEntry) -> list[bytes]:
    return [push(energy, time=SecIndex(second)) for second in range(1000, 1010)]


def text_of(page: Path) -> str:
    root = ET.fromstring(page.read_text(encoding="utf-8"))  # noqa: S314 - our own page
    return " ".join(" ".join(root.itertext()).split())


def record(folder: Path, name: str, octets: bytes, lines: str) -> None:
    (folder / f"{name}.bin").write_bytes(octets)
    (folder / f"{name}.times").write_text(lines, encoding="ascii")


@pytest.mark.parametrize(
    "form",
    [lambda octets: octets, lambda octets: octets.hex(" ").encode(), base64.b64encode],
    ids=["raw", "hex", "base64"],
)
def test_captures_of_every_form(e320: Run, tmp_path: Path, frames: list[bytes], form: object) -> None:
    assert callable(form)
    capture, page = tmp_path / "a & b.txt", tmp_path / "report.html"
    capture.write_bytes(form(b"".join(frames)))
    assert e320("report", capture, "-o", page) == (0, "", "")
    text = text_of(page)
    assert "10 telegrams in" in text
    assert "a & b.txt" in text
    assert "second 1009 (0:16:49 h)" in text


def test_standard_input(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    page = tmp_path / "report.html"
    assert e320("report", "-", "-o", page, stdin=frames[0]) == (0, "", "")
    assert "standard input" in text_of(page)


def test_a_recording_has_times_of_arrival(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    size = len(frames[0])
    times = "".join(f"{size * number} {1_795_176_000_000 + 2000 * number}\n" for number in range(len(frames)))
    record(tmp_path, "20261120T120000Z", b"".join(frames), f"{times}999")
    page = tmp_path / "report.html"
    assert e320("report", tmp_path / "20261120T120000Z.bin", "-o", page).status == 0
    text = text_of(page)
    assert "times of arrival, noted by who recorded them, in UTC." in text
    assert "From 2026-11-20 12:00:00.000" in text
    assert "To 2026-11-20 12:00:18.000" in text


def test_a_folder_of_recordings_is_one_stream(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    """A telegram that begins in one file and ends in the next is whole, and the files are in order."""
    octets, cut = b"".join(frames), len(frames[0]) * 4 + 33
    record(tmp_path, "20261120T120010Z", octets[cut:], "0 1795176010000\n")
    record(tmp_path, "20261120T120000Z", octets[:cut], "0 1795176000000\n")
    page = tmp_path / "report.html"
    assert e320("report", tmp_path, "-o", page).status == 0
    text = text_of(page)
    assert "10 telegrams in" in text
    assert "nothing damaged, no noise" in text
    assert "From 2026-11-20 12:00:00.000" in text
    assert "To 2026-11-20 12:00:10.000" in text


def test_several_captures_of_one_meter_make_one_section(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    for number, frame in enumerate(frames[:3]):
        (tmp_path / f"{number}.bin").write_bytes(frame)
    page = tmp_path / "report.html"
    assert e320("report", *sorted(tmp_path.glob("*.bin")), "-o", page).status == 0
    assert text_of(page).count("Server id") == 1


def test_noise_alone_is_told(e320: Run, tmp_path: Path) -> None:
    capture, page = tmp_path / "noise.bin", tmp_path / "report.html"
    capture.write_bytes(b"/LGZ5E320-AMxD\r\n\xff\x00" * 3)
    outcome = e320("report", capture, "-o", page)
    assert outcome.status == 1
    assert outcome.err == f"e320: no telegram found: {page} tells what was there instead\n"
    assert "IEC 62056-21" in text_of(page)


def test_an_empty_capture_is_told(e320: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.bin").write_bytes(b"")
    outcome = e320("report", tmp_path / "empty.bin", "-o", tmp_path / "report.html")
    assert outcome == (1, "", "e320: no telegram found: there is not one octet\n")


def test_what_cannot_be_read_does_not_keep_the_others_from_it(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    capture, page, missing = tmp_path / "a.bin", tmp_path / "report.html", tmp_path / "missing.bin"
    capture.write_bytes(frames[0])
    (tmp_path / "folder").mkdir()
    outcome = e320("report", missing, tmp_path / "folder", capture, "-o", page)
    assert outcome.status == 2
    assert outcome.err.splitlines() == [
        f"e320: cannot read {missing}: No such file or directory",
        f"e320: cannot read {tmp_path / 'folder'}: expected recordings (.bin) in the folder, found none",
    ]
    assert "1 telegram in" in text_of(page)


def test_a_capture_is_never_overwritten(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    capture = tmp_path / "a.bin"
    capture.write_bytes(frames[0])
    outcome = e320("report", capture, "-o", capture)
    assert outcome == (2, "", f"e320: nothing written to {capture}: it is an input\n")
    assert capture.read_bytes() == frames[0]


def test_a_page_that_cannot_be_written(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    capture, page = tmp_path / "a.bin", tmp_path / "missing" / "report.html"
    capture.write_bytes(frames[0])
    outcome = e320("report", capture, "-o", page)
    assert outcome.status == 2
    assert outcome.err.startswith(f"e320: nothing written to {page}: ")
    assert os.listdir(tmp_path) == ["a.bin"]  # noqa: PTH208 - nothing else is left


def test_an_earlier_page_is_replaced(e320: Run, tmp_path: Path, frames: list[bytes]) -> None:
    capture, page = tmp_path / "a.bin", tmp_path / "report.html"
    capture.write_bytes(frames[0])
    page.write_text("earlier", encoding="utf-8")
    assert e320("report", capture, "-o", page).status == 0
    assert "1 telegram in" in text_of(page)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "report.html"]


def test_lenient_uses_messages_with_a_wrong_checksum(e320: Run, tmp_path: Path, push: Push, energy: ListEntry) -> None:
    capture, page = tmp_path / "a.bin", tmp_path / "report.html"
    value = push(energy).index((1234567).to_bytes(8)) + 7
    capture.write_bytes(push(energy, damage=value - len(START)))
    assert e320("report", capture, "-o", page).status == 0
    assert "message_crc" in text_of(page)
    assert "The meter sent no active energy." in text_of(page)
    assert e320("report", capture, "-o", page, "--lenient").status == 0
    assert "a message has a wrong checksum and is shown all the same" in text_of(page)


def test_wrong_usage_is_one_line(e320: Run, tmp_path: Path, process: Run) -> None:
    outcome = process("report", tmp_path / "a.bin")
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 1
    assert "--out" in outcome.err
    assert e320 is not process
