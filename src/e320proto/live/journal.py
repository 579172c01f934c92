"""Journals: recordings that become tables when they are complete.

A Parquet file that is being written cannot be read, and is lost with the process. So octets are recorded as ever, in
files that end in ``.journal.bin``, and each becomes tables when nothing more will be added to it::

    NAME.journal.bin     --decode_archive-->  NAME.parquet            every entry of every telegram
    NAME.journal.times   --when they came-->  NAME.trouble.parquet    all other octets, if there are any

The tables are written under other names, kept by the disk, put in their places and read again to the last row. Only
then the journal is removed. As long as there is one, it is made into tables again, so it does not matter when a
process was killed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from shutil import rmtree
from typing import TYPE_CHECKING, Final

from e320proto.errors import TransportError
from e320proto.live.recording import lock, place_of, read_times, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.archive.column_file import Batch, ColumnFile

SUFFIX: Final = ".journal.bin"
"""Of a recording that is to become tables."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What a journal became.

    Args:
        path: of the table of readings.
        rows: of it.
        trouble: rows of the table of what was no telegram or no message; without any there is no such table.
    """

    path: Path
    rows: int
    trouble: int


def journals(folder: Path) -> list[Path]:
    """The journals in a folder, in order; those that somebody still writes, too."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=place_of)


def make_tables(journal: Path) -> Tables | None:
    """Make tables of a journal, and remove it when all is in them.

    Returns:
        What it became; ``None`` if it is gone already, or somebody writes it or makes tables of it.

    Raises:
        TransportError: it cannot be read, or the tables cannot be written; the journal stays.
        ModuleNotFoundError: the extra ``archive`` is not installed.
    """
    from e320proto.archive.column_file import UNWRITABLE  # noqa: PLC0415 - who records octets only needs no pyarrow

    try:
        with journal.open("rb") as file:
            lock(file)
            return _make_tables(journal)
    except (FileNotFoundError, BlockingIOError):
        return None
    except UNWRITABLE as error:
        found = getattr(error, "strerror", None) or f"{error}"
        msg = f"{journal}: expected to make tables of it, found: {found}; it stays"
        raise TransportError(msg) from error


def _make_tables(journal: Path) -> Tables:
    name = journal.name.removesuffix(SUFFIX)
    part = journal.with_name(f".{name}.part")
    part.mkdir(exist_ok=True)
    try:
        made = _Making(journal, name, part).made()
    finally:
        rmtree(part, ignore_errors=True)
    journal.unlink()
    with suppress(FileNotFoundError):
        journal.with_suffix(".times").unlink()
    return made


class _Making:
    """Tables on their way.

    Args:
        journal: path of the octets.
        name: of the tables, without what tells them apart.
        part: folder in which they are until they are complete.
    """

    def __init__(self, journal: Path, name: str, part: Path) -> None:
        from e320proto.archive.arrivals import Arrivals  # noqa: PLC0415 - as above

        self._journal, self._name, self._part = journal, name, part
        self._arrivals = Arrivals(read_times(journal.with_suffix(".times"), journal.stat().st_size))
        self._files: dict[str, ColumnFile] = {}

    def made(self) -> Tables:
        """Make them, and see that they are complete."""
        from e320proto.archive import decode_archive, long_schema  # noqa: PLC0415 - as above
        from e320proto.archive.column_file import no_rows, rows_in  # noqa: PLC0415

        try:
            self._write("", no_rows(long_schema()))  # a table without rows has its columns
            for batch in decode_archive(self._journal, on_trouble=self._add_trouble):
                self._write("", batch)
            for file in self._files.values():
                file.publish()
        finally:
            for file in self._files.values():
                file.close()
        sync_folder(self._journal.parent)
        for file in self._files.values():
            if (found := rows_in(file.path)) != file.rows:
                msg = f"{file.path}: expected {file.rows} rows, found {found}"
                raise OSError(msg)
        trouble = self._files.get(".trouble")
        return Tables(self._files[""].path, self._files[""].rows, 0 if trouble is None else trouble.rows)

    def _add_trouble(self, batch: Batch) -> None:
        self._write(".trouble", batch)

    def _write(self, kind: str, batch: Batch) -> None:
        from e320proto.archive.column_file import ColumnFile  # noqa: PLC0415 - as above

        dated = self._arrivals.added(batch)
        if kind not in self._files:
            path = self._journal.with_name(f"{self._name}{kind}.parquet")
            self._files[kind] = ColumnFile(path, self._part, dated.schema, "parquet")
        self._files[kind].write(dated)
