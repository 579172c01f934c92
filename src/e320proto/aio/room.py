"""Whether something can be written to now."""

from __future__ import annotations

import select
import sys


class Room:
    """Tells whether a file takes octets without making the writer wait.

    Args:
        fd: number of the open file.
    """

    def __init__(self, fd: int) -> None:
        self._poll = None
        if sys.platform != "win32":  # where nothing tells
            self._poll = select.poll()  # of any number of files, unlike select.select
            self._poll.register(fd, select.POLLOUT)

    def __bool__(self) -> bool:
        """Whether there is room; a file that is gone has some, and the write tells."""
        return self._poll is None or bool(self._poll.poll(0))
