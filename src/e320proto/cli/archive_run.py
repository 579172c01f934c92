"""The run of ``e320 decode`` with ``--format parquet`` or ``arrow``: every input into one file of columns.

::

    files of octets --------------------------+--> decode_archive --> PATH
    pipes, text dumps --+--> files of octets -+         |
                        |                               +-----------> PATH with .trouble before its suffix
                        +--> characters that make no octets ----------^

Both files come complete or not at all, see ``e320proto.archive.column_file``.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from e320proto.archive import decode_archive, find_registers, long_schema, trouble_schema, wide_schema
from e320proto.archive.column_file import ColumnFile, refuse_special, renamed
from e320proto.archive.trouble_table import TroubleTable
from e320proto.cli.decoding import INTERRUPTED, NOTHING, OK, UNREADABLE
from e320proto.cli.sources import UnreadableError, open_source, refuse_input
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e320proto.archive.column_file import Batch, ColumnFormat
    from e320proto.cli.progress import Bar
    from e320proto.cli.sources import Source
    from e320proto.sml.options import DecodeOptions

PREFIX: Final = ".e320-"
"""Of the folder beside PATH in which everything is until it is complete."""
_TROUBLE_ROWS: Final = 65_536
TableName: TypeAlias = Literal["long", "wide"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be written.

    Args:
        path: of the file.
        form: its format.
        table: which table is in it.
        jobs: processes that decode.
    """

    path: Path
    form: ColumnFormat
    table: TableName
    jobs: int

    @property
    def trouble(self) -> Path:
        """The file beside it for what was no telegram or no message."""
        return self.path.with_name(f"{self.path.stem}.trouble{self.path.suffix}")


def write_archive(
    names: Sequence[str], target: Target, options: DecodeOptions, make_bar: Callable[[int | None], Bar]
) -> int:
    """Decode inputs into one file; one that cannot be read does not keep the others from it.

    Args:
        names: paths, or ``-``.
        target: what is to be written.
        options: of the decoder, a new one for each input.
        make_bar: makes a progress bar for a number of octets.

    Returns:
        The exit status; anything but 0 and 1 may mean that nothing was written.
    """
    try:
        refuse_special(target.path)  # first: a folder may have no name that a file beside it could have
        refuse_special(target.trouble)
        for path in (target.path, target.trouble):
            refuse_input(path, names)
        with TemporaryDirectory(dir=target.path.parent, prefix=PREFIX) as folder:
            inputs = Inputs(names, Path(folder), make_bar)
            return _Run(target, Path(folder), options, inputs, make_bar).status()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        sys.stderr.write(f"e320: nothing written to {target.path}: {error.strerror or error}\n")
        return UNREADABLE


class Inputs:
    """The inputs as files of octets.

    Args:
        names: paths, or ``-``.
        folder: for copies of those that are no such files.
        make_bar: makes a progress bar for a number of octets.
    """

    def __init__(self, names: Sequence[str], folder: Path, make_bar: Callable[[int | None], Bar]) -> None:
        self.paths: list[str] = []
        self.titles: dict[str, str] = {}
        """Path to the name of the input as given."""
        self.trouble = TroubleTable(_TROUBLE_ROWS, names)
        self.unreadable = False
        for number, name in enumerate(names):
            try:
                with open_source(name) as source:
                    path = Path(name) if source.raw else folder / f"input {number}"
                    if not source.raw:
                        with make_bar(source.size) as bar:
                            source.advance = bar.advance
                            self._copy(source, path, number)
                    self.paths.append(str(path))
                    self.titles[str(path)] = name
            except UnreadableError as error:
                sys.stderr.write(f"e320: {error}\n")
                self.unreadable = True
        self.trouble.flush()

    def _copy(self, source: Source, path: Path, number: int) -> None:
        with path.open("wb") as file:
            for item in source.octets():
                if isinstance(item, bytes):
                    file.write(item)
                else:
                    self.trouble.add(item, number, 0)


class _Run:
    """From inputs to the two files."""

    def __init__(
        self,
        target: Target,
        folder: Path,
        options: DecodeOptions,
        inputs: Inputs,
        make_bar: Callable[[int | None], Bar],
    ) -> None:
        self._target = target
        self._folder = folder
        self._options = options
        self._inputs = inputs
        self._make_bar = make_bar
        self._trouble: ColumnFile | None = None

    def status(self) -> int:
        """Write everything; give the exit status."""
        target = self._target
        paths = self._inputs.paths
        registers = find_registers(paths, options=self._options) if target.table == "wide" else None
        schema = long_schema() if registers is None else wide_schema(registers)
        with ExitStack() as unfinished:
            file = ColumnFile(target.path, self._folder, schema, target.form)
            unfinished.callback(file.close)
            unfinished.callback(self._close_trouble)
            for batch in self._inputs.trouble.take():
                self._add_trouble(batch)
            with self._make_bar(sum(Path(path).stat().st_size for path in paths)) as bar:
                progress = _Progress(bar)
                for batch in decode_archive(
                    paths,
                    table=target.table,
                    registers=registers,
                    jobs=target.jobs,
                    options=self._options,
                    on_trouble=self._add_trouble,
                    on_progress=progress.moved,
                ):
                    file.write(renamed(batch, self._inputs.titles))
            if self._trouble is not None:
                self._trouble.publish()
            else:
                target.trouble.unlink(missing_ok=True)  # it would be about an earlier file
            file.publish()
        sys.stderr.write(f"e320: {_counted(file)}{'' if self._trouble is None else f', {_counted(self._trouble)}'}\n")
        if self._inputs.unreadable:
            return UNREADABLE
        return OK if file.rows else NOTHING

    def _add_trouble(self, batch: Batch) -> None:
        if self._trouble is None:
            self._trouble = ColumnFile(self._target.trouble, self._folder, trouble_schema(), self._target.form)
        self._trouble.write(renamed(batch, self._inputs.titles))

    def _close_trouble(self) -> None:
        if self._trouble is not None:
            self._trouble.close()


class _Progress:
    """Tells a bar how far the decoder is."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._done = 0

    def moved(self, done: int, _: int) -> None:
        """So many octets of all are done."""
        self._bar.advance(done - self._done)
        self._done = done


def _counted(file: ColumnFile) -> str:
    return f"{file.path}: {plural(file.rows, 'row')}"
