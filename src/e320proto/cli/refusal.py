"""How a command ends that cannot do what is asked."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import typer

UNUSABLE: Final = 2
"""Exit status for wrong usage, and for what cannot be read or opened."""


def refuse(message: str) -> NoReturn:
    """End the command with one line on standard error.

    Raises:
        typer.Exit: with the status of wrong usage.
    """
    sys.stderr.write(f"e320: {message}\n")
    raise typer.Exit(UNUSABLE)
