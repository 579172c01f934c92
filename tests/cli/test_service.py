"""The unit of docs/service.md, as systemd reads it and as the command takes it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run  # noqa: TC001 - a fixture

PAGE = Path(__file__).parents[2] / "docs" / "service.md"
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture(scope="module")
def unit() -> str:
    if not PAGE.is_file():
        pytest.skip("the documentation is not here")
    found = re.search(r"```text\n(\[Unit\]\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    file = tmp_path / "e320-bridge.service"
    file.write_text(unit.replace("/opt/e320proto/bin/e320", sys.executable), encoding="utf-8")
    done = subprocess.run([str(ANALYZE), "verify", str(file)], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert (done.returncode, done.stdout) == (0, "")
    assert "e320-bridge" not in done.stderr  # it also complains of units of the machine


def test_the_command_takes_its_options(unit: str, e320: Run) -> None:
    line = re.search(r"ExecStart=/opt/e320proto/bin/e320 (.*)", unit)
    assert line
    done = e320(*shlex.split(line[1].replace("%d", "/nowhere")))
    assert (done.status, done.err) == (
        2,
        "e320: --mqtt-password-file: cannot read /nowhere/mqtt-password: No such file or directory\n",
    )
