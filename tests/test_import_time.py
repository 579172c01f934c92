"""``import e320proto`` stays light: heavy modules are loaded when something of theirs is first used.

How long the import takes is a row of the benchmarks; a test with a clock would fail on a busy machine.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

# What the interpreter itself has loaded before (by .pth files, for example) is not ours.
_PROGRAM = """
import sys
before = set(sys.modules)
{statement}
print(*sorted(set(sys.modules) - before))
"""

HEAVY = (
    "asyncio",
    "construct",
    "cryptography",
    "numba",
    "numpy",
    "pyarrow",
    "pystrich",
    "rich",
    "serial",
    "serial_asyncio_fast",
    "ssl",
    "typer",
)


def _modules_loaded_by(statement: str) -> set[str]:
    program = _PROGRAM.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return _modules_loaded_by("import e320proto")


def test_the_list_of_modules_is_seen() -> None:
    assert "json.decoder" in _modules_loaded_by("import json")


@pytest.mark.parametrize("heavy", HEAVY)
def test_import_leaves_heavy_modules_alone(loaded: set[str], heavy: str) -> None:
    assert "e320proto" in loaded
    assert not {name for name in loaded if name.partition(".")[0] == heavy}


def test_serial_ports_wait_for_those_who_have_one() -> None:
    loaded = _modules_loaded_by("from e320proto.aio import MeterReader, open_pipe")
    assert {"asyncio", "e320proto.aio"} <= loaded
    assert not loaded & {"serial", "serial_asyncio_fast"}
