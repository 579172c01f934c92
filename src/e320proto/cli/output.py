"""Standard output and standard error as this command uses them."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

from rich.console import Console
from rich.segment import Segment, Segments
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

WIDTH: Final = 120
"""Characters of a line where there is no terminal to ask and no COLUMNS in the environment."""


NARROWEST: Final = 20
"""The least COLUMNS that can be meant."""


def _nothing() -> None:
    pass


class ClosedPipeError(Exception):
    """Nobody reads standard output any more. Not an OSError, because typer and rich act on those themselves."""


class OutputConsole(Console):
    """A console on standard output; ``before_print`` is called before anything is printed."""

    before_print: Callable[[], None] = staticmethod(_nothing)

    def print(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the signature is rich's
        """Print as :class:`rich.console.Console` does."""
        self.before_print()
        super().print(*args, **options)

    def on_broken_pipe(self) -> None:
        """Tell the caller, where rich would end the process."""
        raise ClosedPipeError


def output_console() -> OutputConsole:
    """A console on standard output. Where it is no terminal, lines are not fitted to the width of one."""
    _never_fail(sys.stdout)
    return OutputConsole(file=sys.stdout, width=_width(sys.stdout), markup=False, highlight=False, emoji=False)


def error_console() -> Console:
    """A console on standard error."""
    _never_fail(sys.stderr)
    return Console(file=sys.stderr, width=_width(sys.stderr), markup=False, highlight=False, emoji=False)


def data_output() -> TextIO:
    """Standard output for programs to read: UTF-8 and plain line ends on every system."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    return sys.stdout


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a line of prose: a terminal gets it broken between words, a file in one piece."""
    console.print(Text(text, style=style), soft_wrap=not console.is_terminal)


def print_trimmed(console: Console, renderable: RenderableType) -> None:
    """Print without the blanks with which rich fills lines up: they would be noise in a file."""
    for line in console.render_lines(renderable, pad=False):
        segments = list(line)
        while segments and not segments[-1].text.strip():
            segments.pop()
        if segments:
            text, style, control = segments[-1]
            segments[-1] = Segment(text.rstrip(), style, control)
        console.print(Segments([*segments, Segment.line()]), soft_wrap=True)


def _never_fail(stream: TextIO) -> None:
    """Replace characters that the stream has no code for."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def _width(stream: TextIO) -> int | None:
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) >= NARROWEST:
        return int(asked)
    return None if stream.isatty() and not asked else WIDTH
