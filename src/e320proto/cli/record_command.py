"""``e320 record`` and its options."""

from __future__ import annotations

from enum import Enum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from e320proto.cli.refusal import refuse


class RecordFormat(Enum):
    """What is left in the end."""

    RAW = "raw"
    PARQUET = "parquet"


def record(
    *,
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="A line: /dev/ttyUSB0, serial:PATH?baud=N, tcp://HOST:PORT, rfc2217://HOST:PORT."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder; is made if it is not there.")],
    rotate: Annotated[
        str, typer.Option("--rotate", metavar="PERIOD", help="Begin a new file at multiples of it: 1d, 6h, 15m, 90s.")
    ] = "1d",
    form: Annotated[
        RecordFormat, typer.Option("--format", "-f", help="Octets; or tables, made when a file is complete.")
    ] = RecordFormat.RAW,
    sync: Annotated[
        float,
        typer.Option("--sync", metavar="SECONDS", min=0, help="How much a power failure may cost; more spares a card."),
    ] = 1.0,
    baud: Annotated[
        int, typer.Option("--baud", metavar="N", min=1, help="Bit rate of a serial port whose URL has none.")
    ] = 9600,
    duration: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so long.")
    ] = None,
) -> None:
    """Record what a line says, octet for octet, and when.

    A line that is lost, or not there yet, is opened again. Octets are recorded whether they are telegrams or not. A
    recording is replayed with file:DIR. The exit status is 0, and 1 if nothing was heard or tables could not be made.
    """
    # Only here, because its imports take longer than all the rest.
    from e320proto.cli.meter_setup import UnusableError  # noqa: PLC0415
    from e320proto.cli.record_run import RecordPlan, parse_period, run_record  # noqa: PLC0415

    try:
        plan = RecordPlan(
            url=url,
            folder=out,
            rotate_s=parse_period(rotate),
            tables=form is RecordFormat.PARQUET,
            sync_s=sync,
            baud=baud,
            for_s=duration,
        )
        raise typer.Exit(run_record(plan))
    except UnusableError as error:
        refuse(str(error))
