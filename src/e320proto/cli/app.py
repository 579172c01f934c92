"""The commands of ``e320`` and their options; what they do is in the modules beside this one."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer
from typer.core import TyperGroup

import e320proto
from e320proto.cli.bridge_command import bridge
from e320proto.cli.csv_rows import CsvRows
from e320proto.cli.decoding import NOTHING, OK, decode_all
from e320proto.cli.explain import explain_id, explain_obis
from e320proto.cli.json_lines import JsonLines
from e320proto.cli.output import ClosedPipeError, data_output, error_console, output_console, print_trimmed
from e320proto.cli.progress import Bar
from e320proto.cli.sources import STDIN
from e320proto.cli.stats import Stats
from e320proto.cli.table import TableView
from e320proto.errors import DecodeError
from e320proto.sml.options import DecodeOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from e320proto.archive.column_file import ColumnFormat
    from e320proto.cli.decoding import Writer
    from e320proto.cli.explain import Explanation
    from e320proto.cli.output import OutputConsole

# The common base of what typer raises for wrong usage; its own name moved between versions.
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__base__)
_UNUSABLE, _INTERRUPTED = 2, 130


class _Commands(TyperGroup):
    """The commands; that nobody reads their output any more is for the caller to judge, not for typer."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # the class is that of click or typer's
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ClosedPipeError from error


app = typer.Typer(
    name="e320",
    cls=_Commands,
    help="Decode what German electricity meters send, and explain their identifiers.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Without a meter at hand, begin with: e320 demo",
)


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


def run(args: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; wrong usage is one line on standard error.

    Raises:
        BrokenPipeError: the reader of the output went away.
    """
    try:
        status = typer.main.get_command(app).main(
            None if args is None else list(args), prog_name="e320", standalone_mode=False
        )
    except ClosedPipeError as error:
        raise BrokenPipeError from error
    except typer.Abort:
        return _INTERRUPTED
    except _USAGE_ERROR as error:
        message = " ".join(cast("typer.BadParameter", error).format_message().split())
        sys.stderr.write(f"e320: {message.rstrip('.')}; try e320 --help\n")
        return _UNUSABLE
    return status if isinstance(status, int) else 0


def _version(wanted: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if wanted:
        sys.stdout.write(f"e320proto {e320proto.__version__}\n")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the name of a command."""
    del version  # its callback has done all
    if context.invoked_subcommand is None:
        sys.stderr.write(f"{context.get_help()}\n")
        raise typer.Exit(_UNUSABLE)


@app.command()
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
        _refuse("give a file, or - for standard input")
    options = DecodeOptions(message_crc="lenient" if lenient else "strict")
    if output in {Format.PARQUET, Format.ARROW}:
        if complete or events or stats:
            _refuse(f"--all, --events and --stats are not for --format {output}")
        _write_columns(files or [STDIN], output, out, table or Rows.LONG, jobs or 1, options)
    if out is not None or table is not None or jobs is not None:
        _refuse("--out, --table and --jobs are for --format parquet and arrow")
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
        _refuse(f"--format {output} needs --out PATH")
    try:
        # Only here, because its imports take longer than all the rest.
        from e320proto.cli.archive_run import Target, write_archive  # noqa: PLC0415
    except ModuleNotFoundError as error:
        _refuse(str(error))
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


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"e320: {message}\n")
    raise typer.Exit(_UNUSABLE)


@app.command()
def obis(
    code: Annotated[str, typer.Argument(help="For example 1.8.0, 1-0:16.7.0*255, F.F or 0100010800FF.")],
) -> None:
    """Explain an OBIS code."""
    _show(explain_obis, code)


@app.command(name="id")
def identifier(
    text: Annotated[
        list[str], typer.Argument(metavar="ID", help="As printed on a meter, or a server id in hex; blanks are fine.")
    ],
) -> None:
    """Explain the id of a meter, printed or in hex."""
    _show(explain_id, " ".join(text))


def _show(explain: Callable[[str], Explanation], text: str) -> None:
    try:
        explanation = explain(text)
    except DecodeError as error:
        _refuse(str(error))
    print_trimmed(output_console(), explanation.table())
    raise typer.Exit(OK if explanation.known else NOTHING)


class Action(StrEnum):
    """What ``e320 gateway`` does."""

    SCAN = "scan"
    PAIR = "pair"
    READ = "read"
    WATCH = "watch"
    SET = "set"
    CRYPTO_RESET = "crypto-reset"


@app.command()
def gateway(  # noqa: PLR0913 - each is an option
    *,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="The bus: /dev/ttyUSB0, serial:PATH?baud=N, rs485:PATH, tcp://HOST:PORT."),
    ],
    action: Annotated[Action, typer.Argument(help="What to do.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[CODE...]", help="read, watch: OBIS codes. set: a code and a value.")
    ] = None,
    meter_id: Annotated[
        str | None, typer.Option("--meter", "-m", metavar="ID", help="One meter; without, all that are found.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", "-k", metavar="FILE", help="Keys and certificates; only you may read it.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", "-t", metavar="SECONDS", min=0.1, help="Until it is given up; scan: how long it is."),
    ] = None,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0, help="watch: from reading to reading.")
    ] = 1.0,
    rounds: Annotated[
        int | None, typer.Option("--rounds", metavar="N", min=1, help="watch: end after so many readings.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show every frame on standard error, layer by layer.")] = False,
    pcapng: Annotated[
        Path | None, typer.Option("--pcapng", metavar="FILE", help="Write every frame to a capture file.")
    ] = None,
) -> None:
    """Talk to the meters on an LMN bus: find, pair, read, set.

    The exit status is 0 if all was done, 1 if a meter refused or did not answer, 2 if bus or keys cannot be used.
    """
    # Only here, as below.
    from e320proto.cli.gateway_run import GatewayPlan, run_gateway  # noqa: PLC0415
    from e320proto.cli.meter_setup import UnusableError  # noqa: PLC0415

    plan = GatewayPlan(
        url=url,
        action=action.value,
        arguments=tuple(arguments or ()),
        meter=meter_id,
        keys=keys,
        timeout_s=timeout,
        interval_s=interval,
        rounds=rounds,
        trace=trace,
        pcapng=pcapng,
    )
    try:
        raise typer.Exit(run_gateway(plan))
    except UnusableError as error:
        _refuse(str(error))


@app.command()
def demo(
    *,
    lmn: Annotated[
        bool, typer.Option("--lmn", help="Three meters and a gateway on a bus instead: pairing, TLS, a pulled cable.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the octets of its last minute instead of showing it.")
    ] = False,
) -> None:
    """Have a meter live a day in memory, and decode it."""
    # Only here: whoever decodes a file does not wait for the meter to be loaded.
    from e320proto.cli.demo import demo_stream, run_demo  # noqa: PLC0415

    if lmn:
        from e320proto.cli.lmn_demo import run_lmn_demo  # noqa: PLC0415

        run_lmn_demo(output_console())
    elif raw:
        if sys.stdout.isatty():
            _refuse("octets are not for a terminal; send them to a file or a pipe")
        sys.stdout.buffer.write(demo_stream())
    else:
        run_demo(output_console())


@app.command()
def meter(  # noqa: PLR0913 - each is an option
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="TOML; without, a meter with the PIN 1234.")
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            "-p",
            metavar="LOAD",
            help="What it sees: constant:W,W,W, household[:SEED[,KWP]], or a file .csv, .parquet or .script.",
        ),
    ] = "household",
    pty: Annotated[
        bool, typer.Option("--pty", help="Send to a new pseudo-terminal, a serial port for readers.")
    ] = False,
    tcp: Annotated[
        str | None, typer.Option("--tcp", metavar="HOST:PORT", help="Send to whoever connects; port 0 is a free one.")
    ] = None,
    serial: Annotated[str | None, typer.Option("--serial", metavar="PORT", help="Send to a serial port.")] = None,
    stdout: Annotated[bool, typer.Option("--stdout", help="Send to standard output.")] = False,
    lmn: Annotated[
        str | None,
        typer.Option(
            "--lmn",
            metavar="URL",
            help="Be on an LMN bus: tcp-listen://HOST:PORT, pty:, tcp://HOST:PORT, /dev/ttyUSB0, rs485:PATH.",
        ),
    ] = None,
    meters: Annotated[
        int, typer.Option("--count", metavar="N", min=1, max=63, help="Meters on the bus, with consecutive ids.")
    ] = 1,
    speed: Annotated[
        float, typer.Option("--speed", metavar="X", min=0.001, max=100_000, help="Let its time pass faster.")
    ] = 1.0,
    start: Annotated[
        float,
        typer.Option("--start", metavar="SECONDS", min=0, help="Begin at this time of the profile; 43200 is noon."),
    ] = 0.0,
    duration: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so long, in its own time.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Keep registers and settings; go on with them.")
    ] = None,
    svg: Annotated[bool, typer.Option("--svg", help="Print the face as a picture instead of running.")] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print all parameters as TOML, to be edited, instead of running.")
    ] = False,
) -> None:
    """Run a reference meter; in a terminal, show its face.

    Several outlets may be given, or none.
    """
    # Only here, as above.
    from e320proto.cli.meter_run import run_meter  # noqa: PLC0415
    from e320proto.cli.meter_setup import MeterPlan, UnusableError, face_svg, read_config  # noqa: PLC0415

    plan = MeterPlan(
        config=config,
        profile=profile,
        state=state,
        pty=pty,
        tcp=tcp,
        serial=serial,
        stdout=stdout,
        lmn=lmn,
        count=meters,
        speed=speed,
        start_s=start,
        for_s=duration,
    )
    if stdout and sys.stdout.isatty():
        _refuse("octets are not for a terminal; send them to a file or a pipe")
    try:
        if print_config:
            data_output().write(read_config(config).to_toml())
        elif svg:
            data_output().write(f"{face_svg(plan)}\n")
        else:
            raise typer.Exit(run_meter(plan))
    except UnusableError as error:
        _refuse(str(error))


app.command()(bridge)
