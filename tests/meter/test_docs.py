"""The tables in the documentation speak of the configuration as it is."""

from __future__ import annotations

import re
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


@pytest.mark.skipif(not PAGE.is_file(), reason="no docs beside the tests")
def test_parameters_named_beside_the_manual_exist() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## The manual, section by section")[2].partition("\n## ")[0]
    assumed = [row.split("|")[-2] for row in section.splitlines() if row.startswith("| ")]
    named = {name for cell in assumed for name in re.findall("`([a-z_]+)`", cell)}
    assert len(named) > 20
    assert named <= {parameter.name for parameter in fields(E320Config)}
