"""``e320 meter`` and its options."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from e320proto.cli.output import data_output
from e320proto.cli.refusal import refuse


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
        refuse("octets are not for a terminal; send them to a file or a pipe")
    try:
        if print_config:
            data_output().write(read_config(config).to_toml())
        elif svg:
            data_output().write(f"{face_svg(plan)}\n")
        else:
            raise typer.Exit(run_meter(plan))
    except UnusableError as error:
        refuse(str(error))
