r"""Recordings: a line's octets as they were heard, and when, in files that a crash cannot damage.

::

    20261123T010203Z.bin      octets of the line, one after the other, and nothing else
    20261123T010203Z.times    0 1795395723482\n
                              276 1795395724481\n
                              552 1795395725480\n
                              ^ offset in the .bin   ^ Unix time, ms

A line of ``.times`` says when the octet at its offset arrived. Those behind it, up to the offset of the next line,
arrived within ``LINE_MS`` after it, so there are at most ten lines a second, and one after each pause. The name is the
time of the first octet in UTC. Where a file of that name, or of a later one, is there already, because recording began
twice within a second or the clock was set back, a number is added to the latest name: ``20261123T010203Z_001.bin``.
So the order of the names is that of the octets, whatever the clock does.

Each file is new, and locked by who writes it. A line of ``.times`` is written before the octets that it dates: whatever
is lost when the power fails, no octets get the time of others that came before a pause. Nothing is collected here:
a process that is killed loses nothing that :meth:`Recording.write` was given, but for seven octets at most while a new
file is due.
"""

from __future__ import annotations

import os
import re
import sys
from bisect import bisect_left
from contextlib import suppress
from datetime import UTC, datetime
from operator import lt
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from e320proto.errors import TransportError
from e320proto.sml.capture import read_octets
from e320proto.sml.transport import START

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE_MS: Final = 100
"""Octets that arrive within so many milliseconds share a line of ``.times``."""
TURN_S: Final = 10.0
"""Seconds that a new file waits for the start of a telegram, so that none is cut; it is begun without one then."""
DAY_S: Final = 86_400
_HELD_S: Final = 0.5
"""Seconds that what may be the start of a telegram is kept back while a new file is due."""
_BLOCK: Final = 1 << 16
_LONGEST_LINE: Final = 64
_WINDOW: Final = 4_096
"""Lines of ``.times`` that are compared with each other."""
_DOUBTED: Final = 64
"""Lines at the end of a window that are compared with those behind it, too."""
_NAME: Final = re.compile(r"(?P<stamp>[0-9]{8}T[0-9]{6}Z)(?:_(?P<number>[0-9]+))?(?:\.[a-z]+)+")
_LINE: Final = re.compile(rb"([0-9]{1,18}) ([0-9]{1,15})\n")
_BEGIN: Final = re.compile(rb"(?<!\x1b)" + re.escape(START))
_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


class Recording:
    r"""Writes a recording.

    Args:
        folder: is made if it is not there.
        rotate_s: a new file begins with the first telegram after each multiple of so many seconds of UTC; 1 or more.
        sync_s: from one time to the next that the disk is told to keep what it got; what came since may be lost when
            the power fails. More of it spares an SD card.
        suffix: of the files of octets.
        on_finished: is told the path of a file to which nothing will be added.

    Attributes:
        path: of the file of octets that is being written, ``None`` before the first octet.
        octets: how many were recorded.
        files: how many were begun.

    Raises:
        TransportError: the folder cannot be made, or nothing can be written into it.
        ValueError: ``rotate_s`` below 1, or ``sync_s`` below 0.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     recording = Recording(folder)
    ...     for number in range(3):
    ...         recording.write(bytes([number]), 1795395723.4 + number / 2)
    ...     recording.close()
    ...     print(recording.path.name, list(read_recording(folder)))
    20261123T010203Z.bin [(1795395723.4, b'\x00'), (1795395723.9, b'\x01'), (1795395724.4, b'\x02')]
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        rotate_s: float = DAY_S,
        sync_s: float = 1.0,
        suffix: str = ".bin",
        on_finished: Callable[[Path], object] | None = None,
    ) -> None:
        if not (rotate_s >= 1 and sync_s >= 0):
            msg = f"expected rotate_s of 1 or more and sync_s of 0 or more, found {rotate_s} and {sync_s}"
            raise ValueError(msg)
        self.folder = Path(folder)
        self.path: Path | None = None
        self.octets = self.files = 0
        self._rotate_s, self._sync_s, self._suffix, self._on_finished = rotate_s, sync_s, suffix, on_finished
        self._file: _File | None = None
        self._from = 0.0  # when the period of the file began
        self._due_at: float | None = None  # since when a new file waits for a telegram
        self._held, self._held_at = b"", 0.0  # what may be the first part of its start
        self._synced_at = 0.0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            msg = f"{self.folder}: expected a folder to record into, found no permission to write there"
            raise TransportError(msg)

    def write(self, data: bytes, at: float) -> None:
        """Record octets.

        Args:
            data: as heard.
            at: when, Unix time in s.

        Raises:
            TransportError: the disk is full, or the folder is gone. What was written stays, and the next octets begin
                a new file.
        """
        data, self._held = self._held + data, b""
        if self._is_due(at):
            data = self._turn(data, at)
        if data:
            self._append(data, at)
        self.tick(at)

    def tick(self, at: float) -> None:
        """Do what is due by now; to be called every second or so while nothing is heard.

        Raises:
            TransportError: as for :meth:`write`.
        """
        if self._held and not 0 <= at - self._held_at < _HELD_S:
            self._let_go(at)
        if self._file is not None and not 0 <= at - self._synced_at < self._sync_s:
            self.sync()
            self._synced_at = at
        if self._is_due(at) and self._waited(at):
            self._finish()

    def sync(self) -> None:
        """Have the disk keep what was written.

        Raises:
            TransportError: as for :meth:`write`.
        """
        try:
            self.syncing()()
        except TransportError:
            self._give_up()
            raise

    def syncing(self) -> Callable[[], None]:
        """Give what has the disk keep all that was written until now, to be called in a thread: disks can be slow.

        It raises TransportError as :meth:`write` does.
        """
        file = self._file

        def sync() -> None:
            try:
                if file is not None:
                    file.sync()
            except OSError as error:
                if file is self._file:  # else it was ended meanwhile, and may have become tables
                    raise self._refused(error) from error

        return sync

    def close(self) -> None:
        """End the file, with all that is to be in it.

        Raises:
            TransportError: as for :meth:`write`.
        """
        if self._file is not None:
            self._let_go(self._file.at)
            self._finish()

    # --- files ----------------------------------------------------------------------------------

    def _is_due(self, at: float) -> bool:
        """Whether a new file is due; a clock that is set back by less than a period is no reason."""
        if self._file is None or self._from - self._rotate_s <= at < self._from + self._rotate_s:
            self._due_at = None
            return False
        if self._due_at is None:
            self._due_at = at
        return True

    def _waited(self, at: float) -> bool:
        return self._due_at is not None and not 0 <= at - self._due_at < TURN_S

    def _turn(self, data: bytes, at: float) -> bytes:
        """End the file where a telegram begins, or after too long without one; what is left is to be written."""
        begin = _BEGIN.search(data)
        if begin is not None or self._waited(at):
            cut = 0 if begin is None else begin.start()
            if cut:
                self._append(data[:cut], at)
            self._finish()
            return data[cut:]
        kept = next(size for size in range(len(START) - 1, -1, -1) if data.endswith(START[:size]))
        self._held, self._held_at = data[len(data) - kept :], at
        return data[: len(data) - kept]

    def _let_go(self, at: float) -> None:
        held, self._held = self._held, b""
        if held:
            self._append(held, at)

    def _append(self, data: bytes, at: float) -> None:
        try:
            file = self._file or self._begin(at)
            self.octets += file.append(data, at)
        except OSError as error:
            self._give_up()
            raise self._refused(error) from error

    def _begin(self, at: float) -> _File:
        self._file = file = _new_file(self.folder, at, self._suffix)
        self.path = file.path
        self.files += 1
        self._from, self._due_at = at // self._rotate_s * self._rotate_s, None
        self._synced_at = at
        return file

    def _finish(self) -> None:
        self.sync()
        file, self._file = self._file, None
        self._due_at = None
        if file is not None:
            file.close()
            if self._on_finished is not None:
                self._on_finished(file.path)

    def _give_up(self) -> None:
        """Leave the file as it is."""
        file, self._file = self._file, None
        self._due_at, self._held = None, b""
        if file is not None:
            file.close()

    def _refused(self, error: OSError) -> TransportError:
        found = error.strerror or f"{error}"
        return TransportError(f"{self.folder}: expected to write a recording there, found: {found}")


class _File:
    """A file of octets with its file of times, both new.

    Attributes:
        at: Unix time of the last octets.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.at = path, 0.0
        self._size = 0
        self._line_ms: int | None = None
        self._octets = path.open("xb", buffering=0)
        try:
            lock(self._octets)
            self._times = path.with_suffix(".times").open("xb", buffering=0)
        except OSError:
            self._octets.close()
            path.unlink(missing_ok=True)
            raise

    def append(self, data: bytes, at: float) -> int:
        """Write octets, and when they came."""
        now_ms = round(at * 1000)
        if self._line_ms is None or not 0 <= now_ms - self._line_ms < LINE_MS:
            _write_all(self._times, b"%d %d\n" % (self._size, now_ms))
            self._line_ms = now_ms
        self.at = at
        _write_all(self._octets, data)
        self._size += len(data)
        return len(data)

    def sync(self) -> None:
        """Have the disk keep both. They are opened for that, so that they may be closed meanwhile.

        Raises:
            OSError: the disk cannot; or one was removed, or its folder was.
        """
        with self.path.with_suffix(".times").open("r+b") as times, self.path.open("r+b") as octets:
            _sync(times.fileno())
            _sync(octets.fileno())

    def close(self) -> None:
        for file in (self._times, self._octets):
            with suppress(OSError):  # it is closed nevertheless
                file.close()


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _new_file(folder: Path, at: float, suffix: str) -> _File:
    """Begin a file whose name is behind all that are there."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    last = max((place_of(path) for path in folder.iterdir() if _NAME.fullmatch(path.name)), default=("", 0))
    stamp, number = (stamp, 0) if stamp > last[0] else (last[0], last[1] + 1)
    while True:
        name = f"{stamp}_{number:03}{suffix}" if number else f"{stamp}{suffix}"
        try:
            file = _File(folder / name)
        except (FileExistsError, BlockingIOError):  # somebody else was faster, or looks at it
            number += 1
            continue
        sync_folder(folder)
        return file


def lock(file: IO[bytes]) -> None:
    """Show other processes that a file is in use, for as long as it is open; not on Windows.

    Raises:
        BlockingIOError: somebody else has it in use.
    """
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder; not on Windows, which has no such call."""
    if sys.platform != "win32":
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


# --- reading ------------------------------------------------------------------------------------


def place_of(path: Path) -> tuple[str, int]:
    """What files of a recording are ordered by.

    >>> sorted((Path("20261123T010203Z_002.bin"), Path("20261123T010203Z.bin")), key=place_of)[0].name
    '20261123T010203Z.bin'
    """
    name = _NAME.fullmatch(path.name)
    return (path.stem, 0) if name is None else (name["stamp"], int(name["number"] or 0))


def files_in(folder: Path) -> list[Path]:
    """The files of octets of a recording, in their order."""
    return sorted(folder.glob("*.bin"), key=place_of)


def read_recording(path: str | os.PathLike[str]) -> Iterator[tuple[float | None, bytes]]:
    """Read a recording, or any capture, from its first octet to the last one that is there.

    Whatever was lost or damaged: all octets of the ``.bin`` are given, in order. Of ``.times``, lines that cannot be
    right are left out, so octets whose line is lost get the time of the last line before them.

    Args:
        path: a folder, all ``.bin`` of which are read in the order of their names; one of these files; or a capture
            without times, binary, hex or base64.

    Returns:
        When octets arrived, Unix time in s, and these; ``None`` where that is not known.

    Raises:
        TransportError: no such file, or it cannot be read; also from the iterator.
    """
    target = Path(path)
    try:
        files = files_in(target) if target.is_dir() else [target]
        for file in files[:1]:
            with file.open("rb"):
                pass
    except OSError as error:
        raise _unreadable(target, error) from error
    if not files:
        msg = f"{target}: expected a recording, found a folder without files that end in .bin"
        raise TransportError(msg)
    return _read(files)


def _read(files: list[Path]) -> Iterator[tuple[float | None, bytes]]:
    for path in files:
        try:
            with path.open("rb") as file:
                times = path.with_suffix(".times")
                if times.is_file() or _NAME.fullmatch(path.name):
                    yield from _dated(file, times)
                else:
                    yield from ((None, octets) for octets in read_octets(file) if isinstance(octets, bytes))
        except OSError as error:
            raise _unreadable(path, error) from error


def _dated(file: IO[bytes], times: Path) -> Iterator[tuple[float | None, bytes]]:
    """Give octets, up to where the file ends now."""
    size = os.fstat(file.fileno()).st_size
    begin, at = 0, None
    for offset, milliseconds in read_times(times, size):
        yield from ((at, octets) for octets in _blocks(file, offset - begin))
        begin, at = offset, milliseconds / 1000
    yield from ((at, octets) for octets in _blocks(file, size - begin))


def _blocks(file: IO[bytes], count: int) -> Iterator[bytes]:
    while count and (octets := file.read(min(count, _BLOCK))):
        yield octets
        count -= len(octets)


def read_times(path: Path, size: int) -> Iterator[tuple[int, int]]:
    """Read the lines of a ``.times`` that can be right: the most whose offsets go up, below the size of the ``.bin``.

    Args:
        path: of the file; it may be missing.
        size: of the ``.bin``, octets.

    Returns:
        Offsets, and Unix times in ms.

    Raises:
        OSError: it cannot be read, from the iterator.
    """
    last, window = -1, list[tuple[int, int]]()
    for line in _lines(path):
        if last < line[0] < size:
            window.append(line)
        if len(window) == _WINDOW:
            right = _rising(window)
            right = right[: max(len(right) - _DOUBTED, 1)]  # what follows may contradict the others
            yield from right
            last = right[-1][0]
            window = [line for line in window[-2 * _DOUBTED :] if line[0] > last]
    yield from _rising(window)


def _rising(lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The most lines whose offsets go up: what a damaged number contradicts is not all that follows it."""
    offsets = [offset for offset, _ in lines]
    if all(map(lt, offsets, offsets[1:])):
        return lines
    lasts: list[int] = []  # offset with which the best run of each length ends
    ends: list[int] = []  # which line that is
    before: list[int] = []  # for each line, the one before it in its best run
    for at, offset in enumerate(offsets):
        length = bisect_left(lasts, offset)
        before.append(ends[length - 1] if length else -1)
        lasts[length : length + 1] = [offset]
        ends[length : length + 1] = [at]
    found: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(lines[at])
        at = before[at]
    return found[::-1]


def _lines(path: Path) -> Iterator[tuple[int, int]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            if found := _LINE.fullmatch(line):
                yield int(found[1]), int(found[2])


def _unreadable(path: Path, error: OSError) -> TransportError:
    return TransportError(f"{path}: expected a recording, found: {error.strerror or error}")
