"""The table of decisions in the documentation is that of the configuration."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from e320proto.meter.config import E320Config

PAGE = Path(__file__).parents[2] / "docs" / "reference-meter.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="no docs beside the tests")
def test_table_of_decisions() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    expected = []
    for parameter in fields(E320Config):
        about, default = parameter.metadata, parameter.default
        shown = "-" if default is None else str(default)
        if isinstance(default, int):
            shown = str(default).lower() if isinstance(default, bool) else f"{default:d}"
        expected.append(f"| `{parameter.name}` | {shown} | {about['text']} | {about['section']} | {about['grade']} |")
    assert [row for row in rows if row.split("`")[1] in E320Config.__slots__] == expected
