"""Terminals in which the command runs."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "e320proto.cli")
PATIENCE_S = 30.0


def interruptible() -> None:
    """Background jobs of a shell ignore Ctrl-C, and so would their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Terminal:
    """A terminal of 80 by 24 in which the command runs, or of another size."""

    def __init__(self, *args: object, lines: int = 24, columns: int = 80, **environment: str) -> None:
        self.main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.before = termios.tcgetattr(other)
        clean = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}

        def control() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C interrupts
            interruptible()

        self.process = subprocess.Popen(  # noqa: S603 - ours
            [*COMMAND, *(str(arg) for arg in args)],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**clean, "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=control,  # noqa: PLW1509 - no thread runs yet
        )
        self._other = other
        self._seen = 0  # up to where waiting has looked
        self.shown = ""
        # A terminal takes what it is sent at once, whether somebody looks or not.
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        with contextlib.suppress(OSError):  # Linux tells the end of a terminal in this way
            while octets := os.read(self.main, 65536):
                self.shown += decoder.decode(octets)

    def press(self, keys: str) -> None:
        os.write(self.main, keys.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the terminal shows something new that fits."""
        until = time.monotonic() + PATIENCE_S
        while (found := re.search(pattern, self.shown[self._seen :])) is None:
            assert time.monotonic() < until, f"{pattern} was not shown, but: {self.shown[-3000:]}"
            time.sleep(0.02)
        self._seen = len(self.shown)
        return found

    def end(self) -> tuple[int, str]:
        """Wait for the end; give the status and what was shown since the last wait."""
        status = self.process.wait(PATIENCE_S)
        assert termios.tcgetattr(self._other) == self.before, "the terminal is as before"
        self.close()
        return status, self.shown[self._seen :]

    def close(self) -> None:
        """End what still runs; the second time there is nothing to do."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._other >= 0:
            os.close(self._other)
            self._reader.join(PATIENCE_S)
            os.close(self.main)
            self._other = -1


@contextmanager
def terminal(*args: object, lines: int = 24, columns: int = 80, **environment: str) -> Iterator[Terminal]:
    shown = Terminal(*args, lines=lines, columns=columns, **environment)
    try:
        yield shown
    finally:
        shown.close()
