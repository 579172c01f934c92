"""Files and standard input, read piece by piece as streams of events."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from e320proto.sml.capture import BLOCK, read_capture, read_octets, text_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from e320proto.events import Malformed
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import TelegramEvent

STDIN = "-"


class UnreadableError(Exception):
    """An input that cannot be read; the message is one line for people."""


@dataclass(slots=True)
class Source:
    """One input of the command.

    Args:
        name: as given.
        file: open for reading, binary.
        size: octets of a regular file, ``None`` for what comes as it comes (a pipe, a device).
        advance: told the number of octets whenever some were read.
    """

    name: str
    file: IO[bytes]
    size: int | None
    advance: Callable[[int], None] = lambda _: None

    @property
    def title(self) -> str:
        """The name for people."""
        return _title(self.name)

    @property
    def live(self) -> bool:
        """Whether the octets may still be on their way, so that whoever waits wants to see each telegram at once."""
        return self.size is None

    def events(self, options: DecodeOptions) -> Iterator[TelegramEvent]:
        """What is in the input, in order.

        Raises:
            UnreadableError: reading failed; all events before are good.
        """
        try:
            yield from read_capture(cast("IO[bytes]", _Reader(self)), options)
        except OSError as error:
            raise UnreadableError(_explained(self.title, error)) from error

    def octets(self) -> Iterator[bytes | Malformed]:
        """The octets in the input, block by block, and what of a text dump makes none.

        Raises:
            UnreadableError: reading failed.
        """
        try:
            yield from read_octets(cast("IO[bytes]", _Reader(self)))
        except OSError as error:
            raise UnreadableError(_explained(self.title, error)) from error

    @property
    def raw(self) -> bool:
        """Whether it is a regular file of octets, which can be read anew by its name.

        Raises:
            UnreadableError: reading failed.
        """
        if self.size is None or self.name == STDIN:
            return False
        try:
            form = text_form(self.file.read(BLOCK))
            self.file.seek(0)
        except OSError as error:
            raise UnreadableError(_explained(self.title, error)) from error
        return form is None


class _Reader:
    """The reading side of a binary file, counted."""

    def __init__(self, source: Source) -> None:
        self._read = getattr(source.file, "read1", source.file.read)
        self._advance = source.advance

    def read(self, size: int) -> bytes:
        """At most ``size`` octets, what there is; none at the end of the input."""
        block: bytes = self._read(size) or b""
        self._advance(len(block))
        return block


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open a file by its path, or standard input by ``-``.

    Raises:
        UnreadableError: it cannot be opened.
    """
    if name == STDIN:
        yield Source(name, sys.stdin.buffer, _size(sys.stdin.buffer))
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; an error of the body is none of opening
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error
    with file:
        yield Source(name, file, _size(file))


def unreadable(name: str, error: Exception) -> UnreadableError:
    """Say why an input cannot be read."""
    return UnreadableError(_explained(_title(name), error))


def refuse_input(path: Path, names: Iterable[str]) -> None:
    """See that no input is replaced by what is made of it.

    Raises:
        OSError: the file to write is one of the inputs.
    """
    for name in names:
        if name != STDIN and path.exists() and Path(name).exists() and path.samefile(name):
            raise OSError(errno.EINVAL, "it is an input", str(path))


def _size(file: IO[bytes]) -> int | None:
    """Octets of a regular file, ``None`` for anything else."""
    try:
        found = os.fstat(file.fileno())
    except OSError:  # not a file of the system at all: what it holds is there
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _title(name: str) -> str:
    """A name of a file without the characters that would do something to a terminal."""
    if name == STDIN:
        return "standard input"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def _explained(title: str, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"cannot read {title}: {reason}"
