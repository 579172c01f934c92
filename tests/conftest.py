"""What every test may ask for: the folder of shared material, and hypothesis set up without a clock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

import e320proto
from e320proto import crc

ROOT = Path(os.environ.get("E320PROTO_ROOT", Path(__file__).parent.parent)).absolute()

# A deadline would make the verdict depend on how busy the machine is. In CI the examples are the
# same in every run, so a red run can be repeated.
settings.register_profile("e320proto", deadline=None)
settings.register_profile("e320proto-ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("e320proto-ci" if os.environ.get("CI") else "e320proto")


def pytest_report_header() -> list[str]:
    """Name what is under test: an installed wheel or the source, and which checksum library."""
    return [f"e320proto {e320proto.__version__} from {e320proto.__file__}, checksums by {crc.IMPLEMENTATION}"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and vectors beside the checkout; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder ../shared beside the checkout: it holds the recordings and vectors")
    return folder
