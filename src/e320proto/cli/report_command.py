"""``e320 report``: captures become a page."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from e320proto.cli.output import error_console
from e320proto.cli.progress import Bar
from e320proto.sml.options import DecodeOptions


def report(
    *,
    captures: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTURE",
            help="Octets, hex or base64, a recording, a folder of recordings, or - for standard input.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="PATH", help="The page to write.")],
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Also use messages with a wrong checksum inside of a right telegram.")
    ] = False,
) -> None:
    """Make a page of captures: power, energy, quarter hours, gaps, damage, status changes.

    The page is one file that needs no network. Captures are taken in the order given.

    The exit status is 0 if there was a telegram, 1 if there was none, 2 if a file could not be read or written.
    """
    # Only here: other commands need none of it.
    from e320proto.cli.report_run import run_report  # noqa: PLC0415

    options = DecodeOptions(message_crc="lenient" if lenient else "strict")
    errors = error_console()
    raise typer.Exit(run_report(captures, out, options, lambda total: Bar(errors, total)))
