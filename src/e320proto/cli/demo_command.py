"""``e320 demo`` and its options."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from e320proto.cli.output import output_console
from e320proto.cli.refusal import refuse


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
            refuse("octets are not for a terminal; send them to a file or a pipe")
        sys.stdout.buffer.write(demo_stream())
    else:
        run_demo(output_console())
