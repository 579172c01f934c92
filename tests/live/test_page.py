"""The page about findings lists those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e320proto.live.findings import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="no docs beside the tests")
def test_table_of_findings() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{word}` | {kind.severity.value} | {shown(kind.seen)}: {kind.remedy} | {kind.recognised} |"
        for word, kind in KINDS.items()
    ]


def shown(seen: str) -> str:
    """A sentence with dots for its facts."""
    return re.sub(r"\{[^}]*\}", "...", seen)
