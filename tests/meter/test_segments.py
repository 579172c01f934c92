"""Digits and letters as segments."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.segments import FOURTEEN, HEIGHT, SEVEN, WIDTH, Cell, Font, cell_path, cells_of, number

PRINTABLE = [character for character in string.printable if character.isprintable() and character not in " ."]


@pytest.mark.parametrize(("digit", "count"), list(enumerate((6, 2, 5, 5, 4, 5, 6, 3, 7, 6))))
def test_seven_segments_of_a_digit(digit: int, count: int) -> None:
    assert len(SEVEN.lit(str(digit))) == count


@pytest.mark.parametrize("digit", string.digits)
def test_a_digit_has_one_shape_in_both_fonts(digit: str) -> None:
    halves = FOURTEEN.lit(digit)
    assert ("g" in halves) == ("h" in halves)
    assert halves - {"h"} == SEVEN.lit(digit)


def test_hex_digits_and_sign_differ_in_seven_segments() -> None:
    shown = [SEVEN.lit(character) for character in "0123456789ABCDEF-"]
    assert len(set(shown)) == 17
    assert all(shown)


def test_every_printable_character_is_lit_in_fourteen_segments() -> None:
    assert not [character for character in PRINTABLE if not FOURTEEN.lit(character)]
    assert FOURTEEN.lit(" ") == FOURTEEN.lit("é") == frozenset()


def test_letters_and_digits_differ_where_fourteen_segments_can_tell() -> None:
    pictures = {FOURTEEN.lit(character): character for character in string.digits + string.ascii_uppercase}
    assert len(pictures) == 34  # 0 and O, 5 and S look alike
    assert len({FOURTEEN.lit(character) for character in "PInHSdFOCLrE"}) == 12  # of the menu


@pytest.mark.parametrize("font", [SEVEN, FOURTEEN])
def test_glyphs_are_made_of_segments(font: Font) -> None:
    for segments in font.glyphs.values():
        assert set(segments) <= set(font.segments) - {"."}
        assert len(set(segments)) == len(segments)


@pytest.mark.parametrize(("font", "count"), [(SEVEN, 8), (FOURTEEN, 15)])
def test_segments_lie_in_their_cell_each_at_its_place(font: Font, count: int) -> None:
    middles = set()
    for name, points in font.segments.items():
        assert all(-1 <= x <= WIDTH + 4 and -1 <= y <= HEIGHT + 1 for x, y in points), name
        middles.add(tuple(round(sum(along) / len(points), 3) for along in zip(*points, strict=True)))
    assert len(middles) == len(font.segments) == count


def test_a_path_has_one_outline_for_each_segment() -> None:
    assert cell_path(SEVEN, SEVEN.lit("8")).count("M") == 7
    assert cell_path(FOURTEEN, frozenset(FOURTEEN.segments)).count("Z") == 15
    assert cell_path(SEVEN, frozenset()) == ""


def text_of(cells: tuple[Cell, ...]) -> str:
    return "".join(cell.character + "." * cell.point for cell in cells)


@pytest.mark.parametrize(
    ("text", "from_right", "shown"),
    [
        ("1.8.0", False, "1.8.0  "),
        ("12.5", True, "  12.5"),
        (".5", False, " .5   "),
        ("1..2", False, "1. .2  "),
        ("123456789", True, "56789"),
        ("123456789", False, "12345"),
        ("", True, "     "),
    ],
)
def test_texts_in_five_cells(text: str, from_right: bool, shown: str) -> None:  # noqa: FBT001 - a column of the table
    assert text_of(cells_of(text, 5, from_right=from_right)) == shown


@given(st.text(), st.integers(1, 12), st.booleans())
def test_a_field_always_has_its_cells(text: str, count: int, from_right: bool) -> None:  # noqa: FBT001 - drawn
    cells = cells_of(text, count, from_right=from_right)
    assert len(cells) == count
    if len(text) <= count and "." not in text:
        assert text_of(cells).strip() == text.strip()


def test_all_segments_of_a_cell() -> None:
    assert Cell(all_segments=True).lit(FOURTEEN) == frozenset(FOURTEEN.segments)


@given(st.floats(-2000, 2000))
def test_numbers_are_short_and_exact_to_a_hundredth(value: float) -> None:
    assert abs(float(number(value)) - value) <= 0.0051
    assert len(number(value)) <= 8
