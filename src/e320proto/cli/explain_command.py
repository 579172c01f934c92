"""``e320 obis`` and ``e320 id``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from e320proto.cli.decoding import NOTHING, OK
from e320proto.cli.explain import explain_id, explain_obis
from e320proto.cli.output import output_console, print_trimmed
from e320proto.cli.refusal import refuse
from e320proto.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.cli.explain import Explanation


def obis(
    code: Annotated[str, typer.Argument(help="For example 1.8.0, 1-0:16.7.0*255, F.F or 0100010800FF.")],
) -> None:
    """Explain an OBIS code."""
    _show(explain_obis, code)


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
        refuse(str(error))
    print_trimmed(output_console(), explanation.table())
    raise typer.Exit(OK if explanation.known else NOTHING)
