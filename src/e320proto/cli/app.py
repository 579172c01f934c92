"""The command ``e320``: what is common to its commands, each of which is in ``NAME_command``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer
from typer.core import TyperGroup

import e320proto
from e320proto.cli.bridge_command import bridge
from e320proto.cli.decode_command import decode
from e320proto.cli.demo_command import demo
from e320proto.cli.explain_command import identifier, obis
from e320proto.cli.gateway_command import gateway
from e320proto.cli.meter_command import meter
from e320proto.cli.monitor_command import monitor
from e320proto.cli.output import ClosedPipeError
from e320proto.cli.record_command import record
from e320proto.cli.refusal import UNUSABLE
from e320proto.cli.report_command import report

if TYPE_CHECKING:
    from collections.abc import Sequence


# The common base of what typer raises for wrong usage; its own name moved between versions.
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__base__)
_INTERRUPTED = 130


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
        return UNUSABLE
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
        raise typer.Exit(UNUSABLE)


app.command()(decode)
app.command()(monitor)
app.command()(record)
app.command()(report)
app.command()(bridge)
app.command()(obis)
app.command(name="id")(identifier)
app.command()(gateway)
app.command()(demo)
app.command()(meter)
