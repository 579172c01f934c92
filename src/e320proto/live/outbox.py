"""Messages that wait to be delivered: in memory while they go out, on disk while nobody takes them.

::

    oldest                                           newest
    | on disk: saved while the broker was away | memory |  <-- put
      ^-- take (they stay) ... discard (delivered)

What is on disk is always older than what is in memory, so the order is kept. A message leaves with
:meth:`Outbox.discard`, which is for those that were acknowledged; what was not is taken again. At the limit the oldest
ones go, and are counted.

A saved message outlives the process, however that ends. The disk is written to, but not waited for: with the power,
what the system had not written yet is gone (some seconds), and the file stays whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from e320proto.errors import TransportError
from e320proto.meter.store import move_aside

LIMIT: Final = 100_000
"""Messages on disk: more than a day of one meter, some 200 megabytes."""
MEMORY: Final = 1_000
"""Messages in memory, for a broker that is slow for a while."""
_BUSY_S: Final = 2.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS dropped (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)",
    "INSERT OR IGNORE INTO dropped VALUES (1, 0)",
)


class Waiting(NamedTuple):
    """A message that waits: ``number`` grows with each one."""

    number: int
    topic: str
    payload: str


class Outbox:
    """Messages that wait to be delivered, in order.

    Args:
        path: of the file; made if it is not there. It is for one process at a time.
        limit: how many may be on disk, 1 or more.
        memory: how many may be in memory, 1 or more; more are saved.

    Attributes:
        moved: where an unreadable file was moved to, if there was one.
        error: why the disk cannot be written to; ``None`` while it can. Messages stay in memory then, up to ``memory``.

    Raises:
        TransportError: the file cannot be opened or made, or another process uses it.

    >>> outbox = Outbox(":memory:")
    >>> outbox.put("e320/meter/telegram", "{}")
    >>> [waiting.payload for waiting in outbox.take(10)], len(outbox)
    (['{}'], 1)
    >>> outbox.discard(outbox.take(10)[-1].number)
    >>> len(outbox)
    0
    >>> outbox.close()
    """

    def __init__(self, path: str | Path, *, limit: int = LIMIT, memory: int = MEMORY) -> None:
        self.path = Path(path)
        self.moved: Path | None = None
        self.error: TransportError | None = None
        self._limit, self._most = limit, memory
        self._memory: deque[Waiting] = deque()
        try:
            try:
                self._connection = self._open()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                self.moved = move_aside(self.path)
                self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            raise self._trouble(error) from error
        self._saved: int
        self._dropped: int
        ((self._saved, last),) = self._connection.execute("SELECT COUNT(*), MAX(number) FROM waiting")
        ((self._dropped,),) = self._connection.execute("SELECT count FROM dropped")
        self._last = last or 0
        self._delivered = 0

    def _open(self) -> sqlite3.Connection:
        if str(self.path) != ":memory:":
            with suppress(FileExistsError):  # what a household uses is nobody else's business
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(self.path, timeout=_BUSY_S)
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            ((found, *_), *_) = connection.execute("PRAGMA quick_check")
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            with connection:
                for statement in _TABLES:
                    connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _trouble(self, error: Exception) -> TransportError:
        if "locked" in str(error):
            expected = "a file of its own for each bridge, found it in use by another one"
        else:
            expected = f"a file to keep messages in, found: {getattr(error, 'strerror', None) or error}"
        return TransportError(f"{self.path}: expected {expected}")

    def __len__(self) -> int:
        return self._saved + len(self._memory)

    @property
    def dropped(self) -> int:
        """Messages that were dropped because there was no more room; counted as long as the file is kept."""
        return self._dropped

    def put(self, topic: str, payload: str) -> None:
        """Add a message, in memory."""
        self._last += 1
        self._memory.append(Waiting(self._last, topic, payload))
        if len(self._memory) > self._most:
            self.save()

    def take(self, count: int) -> list[Waiting]:
        """Give the oldest messages, at most so many; they stay until they are discarded."""
        if self._saved:
            query = "SELECT number, topic, payload FROM waiting WHERE number > ? ORDER BY number LIMIT ?"
            try:
                rows = [Waiting(*row) for row in self._connection.execute(query, (self._delivered, count))]
            except sqlite3.Error as error:  # the file became unreadable while it was in use
                self.error = self._trouble(error)
                self._dropped += self._saved
                rows = []
            if rows:
                return rows
            self._saved = 0  # what is still there was delivered, and could not be deleted
        return [waiting for waiting, _ in zip(self._memory, range(count), strict=False)]

    def discard(self, number: int) -> None:
        """Remove the messages up to that number, which were delivered."""
        while self._memory and self._memory[0].number <= number:
            self._memory.popleft()
        if self._saved:
            self._delivered = number
            try:
                with self._connection:
                    gone = self._connection.execute("DELETE FROM waiting WHERE number <= ?", (number,)).rowcount
                self._saved = max(0, self._saved - gone)
            except sqlite3.Error as error:
                self.error = self._trouble(error)

    def save(self) -> None:
        """Put what is in memory on disk; where that fails, ``error`` says why, and it stays in memory."""
        if not self._memory:
            return
        over = max(0, len(self) - self._limit)
        try:
            with self._connection:
                self._connection.executemany("INSERT INTO waiting VALUES (?, ?, ?)", self._memory)
                if over:
                    oldest = "SELECT number FROM waiting ORDER BY number LIMIT ?"
                    self._connection.execute(f"DELETE FROM waiting WHERE number IN ({oldest})", (over,))  # noqa: S608 - no input
                    self._connection.execute("UPDATE dropped SET count = ?", (self._dropped + over,))
        except sqlite3.Error as error:
            self.error = self._trouble(error)
            while len(self._memory) > self._most:
                self._memory.popleft()
                self._dropped += 1
            return
        self.error = None
        self._dropped += over
        self._saved += len(self._memory) - over
        self._memory.clear()

    def close(self) -> None:
        """Save what is left, and close the file."""
        self.save()
        self._connection.close()
