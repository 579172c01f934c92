"""What the meter remembers without power: one state, replaced as a whole.

A state is a mapping that JSON can hold. It is written together with its checksum in one transaction, so a
process that is killed at any moment leaves either the state before or the one after.

Source: E320 manual: what lasts through a mains failure; the form is a decision of this project.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from e320proto.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

State: TypeAlias = "Mapping[str, Any]"
FORMAT: Final = 2
_SOURCE: Final = "state of the reference meter"
_TABLE: Final = "CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, format INTEGER, sha256 TEXT, body TEXT)"


class Store(Protocol):
    """Where a meter keeps its state."""

    def load(self) -> State | None:
        """The state stored last; ``None`` if there is none."""

    def save(self, tell: Callable[[], State]) -> None:
        """Replace the state by what ``tell`` gives: now, or at its loading if the store ends with its meter."""


class MemoryStore:
    """Keeps the state as long as this object lives: a meter made with it again has lost its power only.

    It asks for the state when that is loaded, which is far less often than it is saved.

    >>> store = MemoryStore()
    >>> store.save(lambda: {"seconds": 5})
    >>> store.load()
    {'seconds': 5}
    """

    def __init__(self) -> None:
        self._tell: Callable[[], State] | None = None

    def load(self) -> State | None:
        """The state stored last."""
        return None if self._tell is None else _mapping(json.dumps(self._tell()))  # through JSON, as in a file

    def save(self, tell: Callable[[], State]) -> None:
        """Replace the state."""
        self._tell = tell


class SqliteStore:
    """Keeps the state in a file.

    A file that holds no right state is never overwritten: it is moved aside, to the same name with
    ``.corrupt-1`` or the next free number behind it, and the error says so. The next start begins with a new meter.

    Args:
        path: of the file; made if it is not there.

    Raises:
        DecodeError: ``corrupt_state``, the file is no state; ``state_format``, another version wrote it; it stays then.
        OSError: the file cannot be opened or made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._connection = self._open()
            self._check()
            self.load()
        except OSError as error:
            msg = f"cannot open the state file {self.path}: {error.strerror}"
            raise OSError(error.errno, msg) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            if isinstance(error, DecodeError) and error.reason == "state_format":
                self.close()
                raise
            if isinstance(error, sqlite3.OperationalError) and not self.path.is_file():
                msg = f"cannot open the state file {self.path}: {error}"
                raise OSError(msg) from error
            raise self._corrupt(error) from error

    def _open(self) -> sqlite3.Connection:
        with suppress(FileExistsError):  # a PIN and keys are in it: nobody else may read it
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete=ON")  # what is overwritten is gone
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_TABLE)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _check(self) -> None:
        """Find pages that are missing: reading alone takes a short file for an empty one."""
        ((found, *_), *_) = self._connection.execute("PRAGMA quick_check")
        if found != "ok":
            raise sqlite3.DatabaseError(found)

    def _corrupt(self, error: Exception) -> DecodeError:
        """Move the file aside."""
        self.close()
        aside = move_aside(self.path)
        detail = f"expected a state, found {error}; {self.path} was moved to {aside}"
        return DecodeError("corrupt_state", detail, source=_SOURCE)

    def load(self) -> State | None:
        """The state stored last."""
        with closing(self._connection.execute("SELECT format, sha256, body FROM state WHERE id = 1")) as cursor:
            row = cursor.fetchone()
        if row is None:
            return None
        form, checksum, body = row
        if form != FORMAT:
            detail = f"expected format {FORMAT}, found {form!r}: another version of this library wrote it"
            raise DecodeError("state_format", detail, source=_SOURCE)
        if not isinstance(body, str) or sha256(body.encode()).hexdigest() != checksum:
            raise DecodeError("corrupt_state", "expected the checksum of the state, found another", source=_SOURCE)
        return _mapping(body)

    def save(self, tell: Callable[[], State]) -> None:
        """Replace the state, whole or not at all."""
        body = json.dumps(tell())
        row = (FORMAT, sha256(body.encode()).hexdigest(), body)
        self._connection.execute("INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the file."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()


def move_aside(path: Path) -> Path:
    """Give a database that cannot be read another name: the next free one of ``.corrupt-1`` and so on.

    Returns:
        The new path.

    Raises:
        OSError: it cannot be renamed.
    """
    number = 1
    while (aside := Path(f"{path}.corrupt-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        companion = Path(f"{path}{suffix}")
        if companion.exists():
            companion.rename(f"{aside}{suffix}")
    return aside


def _mapping(body: str) -> State:
    state = json.loads(body)
    if not isinstance(state, dict):
        raise DecodeError("corrupt_state", f"expected an object, found {type(state).__name__}", source=_SOURCE)
    return state
