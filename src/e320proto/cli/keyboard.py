"""Keys of the terminal, one by one."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if sys.platform != "win32":
    import termios
    import tty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_READ: Final = 64
_CHARACTERS: Final = 6  # where termios keeps characters with a meaning


@contextmanager
def keyboard(pressed: Callable[[str], None]) -> Iterator[bool]:
    """Hear keys of a terminal at standard input, one by one and without an echo.

    Args:
        pressed: is told every character.

    Returns:
        Whether there is a keyboard: standard input is a terminal, and the system has such terminals.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield False
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            octets = os.read(terminal, _READ)
        except OSError:  # how Linux tells that the terminal is gone
            octets = b""
        if not octets:
            loop.remove_reader(terminal)
        for character in octets.decode(errors="replace"):
            pressed(character)

    try:
        tty.setcbreak(terminal)  # Ctrl-C stays an interrupt
        attributes = termios.tcgetattr(terminal)
        attributes[_CHARACTERS][termios.VSUSP] = b"\0"  # Ctrl-Z would stop it and leave its picture behind
        termios.tcsetattr(terminal, termios.TCSADRAIN, attributes)
        loop.add_reader(terminal, read)
        yield True
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
