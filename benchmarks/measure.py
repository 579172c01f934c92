"""Clock and memory: contenders in turn, the best of their rounds, peaks."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def rates(
    contenders: Mapping[str, Callable[[], int]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Units per second of each contender: the best of rounds in which each runs once.

    The best, because everything else that the machine does only makes a job slower; so a figure is
    nearly the same whether the machine is calm or not.
    """
    best = dict.fromkeys(contenders, 0.0)
    for _ in range(rounds):
        for name, job in contenders.items():
            gc.collect()
            start = clock()
            units = job()
            best[name] = max(best[name], units / (clock() - start))
    return best


def counted(name: str, job: Callable[[], int], expected: int) -> None:
    """Do a job once and see that it finds everything: what loses telegrams must not look fast."""
    if (found := job()) != expected:
        msg = f"{name}: expected {expected}, found {found}"
        raise RuntimeError(msg)


def peak_octets(job: Callable[[], int]) -> int:
    """The most that Python had allocated at once while ``job`` ran, in octets."""
    gc.collect()
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def import_seconds(modules: list[str], rounds: int) -> dict[str, float]:
    """The time of importing each module in a fresh interpreter: the best of the rounds."""
    best = dict.fromkeys(modules, float("inf"))
    for _ in range(rounds):
        for module in modules:
            command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
            # "import time:   self [us] | cumulative | package": the module itself comes last.
            _, cumulative, name = done.stderr.splitlines()[-1].split("|")
            if name.strip() != module:
                msg = f"expected the import time of {module}, found that of {name.strip()}"
                raise RuntimeError(msg)
            best[module] = min(best[module], int(cumulative) / 1e6)
    return best
