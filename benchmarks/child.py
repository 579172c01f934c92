"""Jobs in interpreters of their own: with other imports, from the first call on, or with memory of their own.

A child gets a program as text and answers each line that it is sent with a line. Memory is what the
system says the process holds at most (``VmHWM``), less what it held when its imports were done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
STATUS = Path("/proc/self/status")

_SERVE = """
import gc, sys
sys.path.insert(0, {root!r})
sys.modules["fastcrc"] = None  # from here on as if it was not installed
from pathlib import Path
from benchmarks.row import chunked
from benchmarks.streaming import read_floats
from e320proto import crc
assert crc.IMPLEMENTATION == "crcmod", crc.IMPLEMENTATION
chunks = chunked(Path({path!r}).read_bytes())
for line in sys.stdin:
    gc.collect()
    print(read_floats(chunks), flush=True)
"""


@contextmanager
def without_fastcrc(octets: bytes) -> Iterator[Callable[[], int]]:
    """The job of reading all numbers of a stream with checksums by crcmod, in a process that lasts.

    What the clock sees beside the job is a line through a pipe, some microseconds.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "stream")
        path.write_bytes(octets)
        program = _SERVE.format(root=str(ROOT), path=str(path))
        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
            asked, answers = process.stdin, process.stdout
            if asked is None or answers is None:
                msg = "expected pipes to the process, found none"
                raise RuntimeError(msg)

            def job() -> int:
                asked.write("\n")
                asked.flush()
                return int(answers.readline())

            try:
                yield job
            finally:
                asked.close()


def facts_of(program: str, values: dict[str, str], environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a program in a fresh interpreter; the JSON object that it prints.

    ``values`` are variables of the program, and ``memory()`` gives the octets held now and at most.
    """
    lines = [f"import sys; sys.path.insert(0, {str(ROOT)!r})", "import json, time"]
    lines += [f"{name} = {value!r}" for name, value in values.items()]
    lines += ["from benchmarks.child import memory", program]
    command = [sys.executable, "-c", "\n".join(lines)]
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - ours
    if done.returncode:
        msg = f"expected a program that ends well, found {done.stderr}"
        raise RuntimeError(msg)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def memory() -> tuple[int, int]:
    """Octets that this process holds in memory now, and has held at most; zeros where nobody tells."""
    if not STATUS.is_file():
        return 0, 0
    lines = dict(line.partition(":")[::2] for line in STATUS.read_text(encoding="ascii").splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024, int(lines["VmHWM"].split()[0]) * 1024
