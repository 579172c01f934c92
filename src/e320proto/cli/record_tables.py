"""Recordings become tables in a process of their own, one after the other, so that reading goes on meanwhile."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from e320proto.cli.meter_setup import UnusableError
from e320proto.errors import E320Error, TransportError
from e320proto.live.journal import make_tables
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from e320proto.live.journal import Tables

_NEEDED: Final = ("numba", "numpy", "pyarrow")


def need_tables() -> None:
    """See that tables can be made.

    Raises:
        UnusableError: a library is missing.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            msg = f"--format parquet needs the extra 'archive' ({name} is missing): pip install e320proto[archive]"
            raise UnusableError(msg)


class TableMaker:
    """Makes tables of journals.

    Args:
        say: is told what was made, and what could not be.

    Attributes:
        failed: whether tables could not be made of a journal, which stays.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self.failed = False
        self._say = say
        self._waiting: asyncio.Queue[Path | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._make_all(), name="makes tables")

    def add(self, journal: Path) -> None:
        """Make tables of a journal, when it is its turn."""
        self._waiting.put_nowait(journal)

    async def close(self) -> None:
        """Wait until all are made; who does not want to wait finds them made when recording begins again."""
        self._waiting.put_nowait(None)
        try:
            await self._task
        finally:
            self._task.cancel()

    async def _make_all(self) -> None:
        while (journal := await self._waiting.get()) is not None:
            try:
                made = await asyncio.to_thread(_make_apart, journal)
            except E320Error as error:
                self.failed = True
                self._say(f"{error}")
            else:
                if made is not None:
                    trouble = f", {plural(made.trouble, 'row')} of trouble" if made.trouble else ""
                    self._say(f"{made.path}: {plural(made.rows, 'row')}{trouble}")


def _make_apart(journal: Path) -> Tables | None:
    """Make tables in a new process, whose memory is given back; if this one is killed, it ends when they are made.

    Raises:
        TransportError: as for :func:`make_tables`; the process was ended.
    """
    spawn = get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_make, args=(journal, there), name=f"makes tables of {journal.name}")
    process.start()
    there.close()
    try:
        found: Tables | E320Error | None = here.recv()
    except EOFError:
        found = TransportError(f"{journal}: expected to make tables of it, found that the process was ended; it stays")
    finally:
        here.close()
        process.join()
    if isinstance(found, E320Error):
        raise found
    return found


def _make(journal: Path, there: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    found: Tables | E320Error | None
    try:
        found = make_tables(journal)
    except E320Error as error:
        found = error
    with suppress(OSError):  # nobody is there any more
        there.send(found)
