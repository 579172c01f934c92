"""``e320 monitor`` and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from e320proto.cli.refusal import refuse


def monitor(
    *,
    urls: Annotated[
        list[str],
        typer.Argument(
            metavar="URL...",
            help="Lines: /dev/ttyUSB0, serial:PATH?baud=N, tcp://HOST:PORT, rfc2217://HOST:PORT, file:PATH.",
        ),
    ],
    baud: Annotated[
        int, typer.Option("--baud", metavar="N", min=1, help="Bit rate of serial ports whose URL has none.")
    ] = 9600,
    once: Annotated[
        bool, typer.Option("--once", help="Print one telegram of each line and end; else say what is wrong.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="--once: how long to wait.")
    ] = 15.0,
    every: Annotated[
        float,
        typer.Option("--every", metavar="SECONDS", min=0, help="Not in a terminal: from summary to summary."),
    ] = 60.0,
    duration: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so long.")
    ] = None,
) -> None:
    """Watch meters: readings, power, and what is wrong with a line, in words.

    In a terminal it is a screen, else a line of text for each change and a summary now and then. A line that is lost is
    opened again. The exit status is 0; with --once 1 if a line had no telegram, and 2 for a wrong URL.
    """
    # Only here, because its imports take longer than all the rest.
    from e320proto.cli.meter_setup import UnusableError  # noqa: PLC0415
    from e320proto.cli.monitor_run import MonitorPlan, run_monitor  # noqa: PLC0415

    plan = MonitorPlan(urls=urls, baud=baud, once=once, timeout_s=timeout, every_s=every, for_s=duration)
    try:
        raise typer.Exit(run_monitor(plan))
    except UnusableError as error:
        refuse(str(error))
