"""The gallery in the documentation is what its program draws now."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = DOCS / "gallery.py"

pytestmark = pytest.mark.skipif(not PROGRAM.is_file(), reason="no docs beside the tests")


@cache
def gallery() -> ModuleType:
    pytest.importorskip("pystrich", reason="the Data Matrix code needs the extra meter")
    spec = importlib.util.spec_from_file_location("gallery", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def drawn() -> dict[str, str]:
    made: dict[str, str] = gallery().files()
    return made


def test_the_files_are_those_that_the_program_makes() -> None:
    kept = {"gallery.md", *(f"gallery/{path.name}" for path in (DOCS / "gallery").iterdir())}
    made = drawn()
    assert kept == set(made)
    stale = [name for name, text in made.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not stale, "expected what `python docs/gallery.py` writes"


def test_pictures_of_one_name_are_one() -> None:
    pictures = [picture for _, pictures in gallery().chapters() for picture in pictures]
    assert len({picture.name for picture in pictures}) == len({(picture.name, picture.svg) for picture in pictures})
    assert "lmn-lit" in {picture.name for picture in pictures}


def test_the_gallery_stays_small() -> None:
    assert sum(len(text.encode()) for text in drawn().values()) < 1_500_000


def test_the_displays_show_what_the_page_says() -> None:
    """A shot at a wrong instant would draw another display; so look into some of them."""
    shown = {
        "start-version": r"0\.2\.0 .* 01\.00",
        "mode-1-return-stop": r"1\.8\.0 .*-A <-",
        "mode-3-rolled": r"2\.8\.0 +000840",
        "mode-4-import": r"2\.8\.0 +-00120",
        "mode-5-reactive": r"5\.8\.0 +000991 +kvarh",
        "missing-phase": r"L1    L3",
        "error": r"F\.F +00020010",
        "pin-third": r"PIn +021-",
        "pin-right": r"P +760 +W",
        "no-day-yet": r"1d +-----",
        "pin-off": r"PIn +OFF",
        "energy-reset": r"E +CLr",
        "energy-is-reset": r"E +0\.0",
        "week-before": r"7d-1 +\d+\.\d +kWh",
        "history-reset": r"HIS +CLr on",
        "extended-set": r"InF +On",
    }
    for name, pattern in shown.items():
        (description,) = re.findall("<desc>(.*?)</desc>", drawn()[f"gallery/{name}.svg"], re.DOTALL)
        text = description.replace("&gt;", ">").replace("&lt;", "<")
        assert re.search(pattern, text, re.DOTALL), (name, text)
