"""The page about the LMN shows what the code works by now."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM, PAGE = DOCS / "lmn.py", DOCS / "lmn.md"

pytestmark = pytest.mark.skipif(not PROGRAM.is_file(), reason="no docs beside the tests")


def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lmn_page", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_program_makes() -> None:
    kept = PAGE.read_text(encoding="utf-8")
    made = program().page(kept)
    stale = [name for (name, old), (_, new) in zip(cut(kept), cut(made), strict=True) if old != new]
    assert not stale, "expected what `python docs/lmn.py` writes"


def test_all_parts_are_on_the_page() -> None:
    assert {name for name, _ in cut(PAGE.read_text(encoding="utf-8"))} == set(program().parts())


def cut(page: str) -> list[tuple[str, str]]:
    """The parts of the page that are made, by their names."""
    return re.findall(r"<!-- made: ([a-z-]+) -->\n(.*?)<!-- end -->", page, re.DOTALL)
