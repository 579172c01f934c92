"""What ``e320 report`` does: every capture to its end, and one page of all of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import e320proto
from e320proto.cli.decoding import INTERRUPTED, NOTHING, OK, UNREADABLE
from e320proto.cli.sources import STDIN, UnreadableError, open_source, refuse_input, unreadable
from e320proto.events import Malformed
from e320proto.live.recording import files_in, read_recording
from e320proto.report.collector import Collector
from e320proto.report.page import report_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e320proto.cli.progress import Bar
    from e320proto.sml.options import DecodeOptions

_OCTETS: Final = ".bin"
_TIMES: Final = ".times"


def run_report(names: Sequence[str], out: Path, options: DecodeOptions, make_bar: Callable[[int | None], Bar]) -> int:
    """Write the report of captures; one that cannot be read does not keep the others from it.

    Args:
        names: paths of files and folders, or ``-``.
        out: the page to write.
        options: of the decoder.
        make_bar: makes a progress bar for a number of octets.

    Returns:
        The exit status.
    """
    collector = Collector(options)
    try:
        failed = _collect(names, out, collector, make_bar)
        collector.end()
        findings = collector.findings
        if findings.captures:
            _write(out, report_page(findings, version=e320proto.__version__))
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        sys.stderr.write(f"e320: nothing written to {out}: {error.strerror or error}\n")
        return UNREADABLE
    if failed:
        return UNREADABLE
    if findings.telegrams:
        return OK
    octets = sum(capture.octets for capture in findings.captures)
    found = f"{out} tells what was there instead" if octets else "there is not one octet"
    sys.stderr.write(f"e320: no telegram found: {found}\n")
    return NOTHING


def _collect(names: Sequence[str], out: Path, collector: Collector, make_bar: Callable[[int | None], Bar]) -> bool:
    """Take all captures in; tell whether one could not be read."""
    failed = False
    folder: Path | None = None  # of the recording before
    for name in names:
        try:
            for file in _files(name):
                refuse_input(out, [file])
                recording = _recording(file)
                follows = recording is not None and recording.parent == folder
                folder = None if recording is None else recording.parent
                if recording is None:
                    _feed_capture(collector, file, make_bar)
                else:
                    _feed_recording(collector, recording, make_bar, follows=follows)
        except UnreadableError as error:
            sys.stderr.write(f"e320: {error}\n")
            failed = True
    return failed


def _files(name: str) -> list[str]:
    """The files that a name stands for: the recordings of a folder in the order of their times."""
    path = Path(name)
    if name == STDIN or not path.is_dir():
        return [name]
    files = [str(file) for file in files_in(path)]
    if not files:
        raise unreadable(name, OSError(f"expected recordings ({_OCTETS}) in the folder, found none"))
    return files


def _recording(file: str) -> Path | None:
    """The path of a recording; ``None`` for other captures, which have no times of arrival beside them."""
    path = Path(file)
    return path if file != STDIN and path.suffix == _OCTETS and path.with_suffix(_TIMES).is_file() else None


def _feed_capture(collector: Collector, file: str, make_bar: Callable[[int | None], Bar]) -> None:
    with open_source(file) as source, make_bar(source.size) as bar:
        source.advance = bar.advance
        collector.begin(source.title)
        for item in source.octets():
            if isinstance(item, Malformed):
                collector.trouble(item)
            else:
                collector.feed(item)


def _feed_recording(collector: Collector, path: Path, make_bar: Callable[[int | None], Bar], *, follows: bool) -> None:
    try:
        with make_bar(path.stat().st_size) as bar:
            collector.begin(str(path), follows=follows)
            for at, octets in read_recording(path):
                bar.advance(len(octets))
                collector.feed(octets, at)
    except OSError as error:
        raise unreadable(str(path), error) from error


def _write(out: Path, page: str) -> None:
    """Write the page, in place of an earlier one only when it is complete."""
    if out.exists() and not out.is_file():  # a device or a pipe
        out.write_text(page, encoding="utf-8")
        return
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
