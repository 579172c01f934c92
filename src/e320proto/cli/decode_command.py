"""``e320 decode`` and its options."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer

from e320proto.cli.csv_rows import CsvRows
from e320proto.cli.decoding import NOTHING, decode_all
from e320proto.cli.json_lines import JsonLines
from e320proto.cli.output import data_output, error_console, output_console, print_trimmed
from e320proto.cli.progress import Bar
from e320proto.cli.refusal import refuse
from e320proto.cli.sources import STDIN
from e320proto.cli.stats import Stats
from e320proto.cli.table import TableView
from e320proto.sml.options import DecodeOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from e320proto.archive.column_file import ColumnFormat
    from e320proto.cli.decoding import Writer
    from e320proto.cli.output import OutputConsole


class Format(StrEnum):
    """What ``e320 decode`` prints or writes."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


class Rows(StrEnum):
    """What a row of a file of columns is."""

    LONG = "long"
    WIDE = "wide"


def decode(  # noqa: PLR0913 - each is an option
    *,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE|-", help="Captures: octets, hex or base64. - is standard input."),
    ] = None,
    output: Annotated[
        Format,
        typer.Option(
            "--format", "-f", help="For people, JSON lines, one CSV row for each entry, or a file of columns."
        ),
    ] = Format.TABLE,
    complete: Annotated[bool, typer.Option("--all", "-a", help="table: every telegram in full, all trouble.")] = False,
    events: Annotated[
        bool, typer.Option("--events", "-e", help="jsonl, csv: also what gave no telegram (csv: on standard error).")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", "-s", help="Counts at the end (jsonl, csv: on standard error).")
    ] = False,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Also show messages with a wrong checksum inside of a right telegram.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="PATH", help="parquet, arrow: the file to write.")
    ] = None,
    table: Annotated[
        Rows | None, typer.Option("--table", help="parquet, arrow: a row for each entry (long), or telegram.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="parquet, arrow: processes that decode.")
    ] = None,
) -> None:
    """Decode captures of the optical push interface.

    Instead of a file, a pipe or a serial port may be read; a port has to be set up before, for example by
    stty -F /dev/ttyUSB0 9600 raw -echo cs8 -parenb. Each telegram is then shown as it comes, until Ctrl-C.

    The exit status is 0 if there was a telegram, 1 if there was none, 2 if a file could not be read.
    """
    if not files and sys.stdin.isatty():
        refuse("give a file, or - for standard input")
    options = DecodeOptions(message_crc="lenient" if lenient else "strict")
    if output in {Format.PARQUET, Format.ARROW}:
        if complete or events or stats:
            refuse(f"--all, --events and --stats are not for --format {output}")
        _write_columns(files or [STDIN], output, out, table or Rows.LONG, jobs or 1, options)
    if out is not None or table is not None or jobs is not None:
        refuse("--out, --table and --jobs are for --format parquet and arrow")
    console = output_console() if output is Format.TABLE else None
    counted = Stats() if stats else None
    status = decode_all(
        files or [STDIN],
        _writer(output, console, several=len(files or ()) > 1, events=events, complete=complete),
        counted,
        options,
        _bars(console),
    )
    if counted is not None:
        _print_stats(counted, console)
    elif status == NOTHING and console is None:
        sys.stderr.write("e320: no telegram found; --format table explains what was there instead\n")
    raise typer.Exit(status)


def _write_columns(
    files: Sequence[str], output: Format, out: Path | None, table: Rows, jobs: int, options: DecodeOptions
) -> NoReturn:
    if out is None:
        refuse(f"--format {output} needs --out PATH")
    try:
        # Only here, because its imports take longer than all the rest.
        from e320proto.cli.archive_run import Target, write_archive  # noqa: PLC0415
    except ModuleNotFoundError as error:
        refuse(str(error))
    errors = error_console()
    target = Target(out, cast("ColumnFormat", output.value), table.value, jobs)
    raise typer.Exit(write_archive(files, target, options, lambda total: Bar(errors, total)))


def _writer(output: Format, console: OutputConsole | None, *, several: bool, events: bool, complete: bool) -> Writer:
    if console is not None:
        return TableView(console, several=several, complete=complete)
    if output is Format.JSONL:
        return JsonLines(data_output(), several=several, events=events)
    return CsvRows(data_output(), several=several, events=events)


def _bars(console: OutputConsole | None) -> Callable[[int | None], Bar]:
    """Make progress bars that fit the output: rows that run through the same terminal are progress enough."""
    errors = error_console()
    terminal = sys.stdout.isatty()

    def make_bar(total: int | None) -> Bar:
        bar = Bar(errors, total if console is not None or not terminal else None)
        if console is not None and terminal:
            console.before_print = bar.hide
        return bar

    return make_bar


def _print_stats(stats: Stats, console: Console | None) -> None:
    if console is None:
        sys.stdout.flush()
        console = error_console()
    else:
        console.print()
    print_trimmed(console, stats.table())
