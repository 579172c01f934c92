"""The Data Matrix code is read back by another library than the one that draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto.errors import EncodeError

pytest.importorskip("e320proto.meter.datamatrix", reason="needs the extra meter", exc_type=ModuleNotFoundError)

from e320proto.meter.datamatrix import drawn, modules_of

if TYPE_CHECKING:
    from e320proto.meter.datamatrix import Modules

KEY = "04" + "0123456789ABCDEF" * 8
PAYLOAD = f"63539421;1LGZ0063539421;0A014C475A0003C988DD;{KEY}"


def read(modules: Modules, scale: int = 4, quiet: int = 2) -> str:
    """Read a symbol with zxing-cpp from an image, dark on light."""
    zxingcpp = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    margin = [[False] * (len(modules[0]) + 2 * quiet)] * quiet
    padded = [*margin, *([False] * quiet + list(row) + [False] * quiet for row in modules), *margin]
    lines = [bytes(0 if module else 255 for module in row for _ in range(scale)) for row in padded]
    pixels = b"".join(line for line in lines for _ in range(scale))
    image = memoryview(pixels).cast("B", (len(lines) * scale, len(lines[0])))
    found = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.DataMatrix)
    assert len(found) == 1
    return str(found[0].text)


@pytest.mark.parametrize("scale", [2, 3, 8])
@pytest.mark.parametrize("quiet", [1, 4])
def test_the_payload_is_read_back(scale: int, quiet: int) -> None:
    assert read(modules_of(PAYLOAD), scale, quiet) == PAYLOAD


@pytest.mark.parametrize("length", [1, 3, 44, 200, 800, 1500])
def test_symbols_of_all_sizes_are_read_back(length: int) -> None:
    text = (KEY * 20)[:length]
    assert read(modules_of(text)) == text


@settings(max_examples=50)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=200))
def test_any_printable_text_is_read_back(text: str) -> None:
    assert read(modules_of(text)) == text


def test_separators_of_an_envelope_are_read_back() -> None:
    zxingcpp = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    text = f"[)>\x1e06\x1dS63539421\x1d3Z{KEY}\x1e\x04"
    modules = modules_of(text)
    rows = [bytes(0 if module else 255 for module in row for _ in range(4)) for row in modules]
    pixels = b"".join(row for row in rows for _ in range(4))
    image = memoryview(pixels).cast("B", (len(rows) * 4, len(rows[0])))
    (found,) = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.DataMatrix, is_pure=True)
    assert found.bytes == text.encode()


def test_twenty_wrong_modules_are_corrected() -> None:
    # 44 x 44 modules correct 28 wrong codewords: shows that the check words are right, too.
    modules = [list(row) for row in modules_of(PAYLOAD)]
    for place in range(20):
        row, column = 2 + place, 3 + place * 7 % 18
        modules[row][column] = not modules[row][column]
    assert read(tuple(map(tuple, modules))) == PAYLOAD


@pytest.mark.parametrize(("text", "size"), [("E32", 10), (PAYLOAD, 44), ("9" * 3116, 144)])
def test_the_symbol_is_square_with_finder_and_timing(text: str, size: int) -> None:
    modules = modules_of(text)
    assert len(modules) == size
    assert {len(row) for row in modules} == {size}
    assert all(modules[-1])
    assert all(row[0] for row in modules)
    assert list(modules[0]) == [column % 2 == 0 for column in range(size)]
    assert [row[-1] for row in modules] == [row % 2 == 1 for row in range(size)]
    assert modules_of(text) == modules


@pytest.mark.parametrize("text", ["", "\u00e4", "\u20ac", "A" * 3117, "a;B" * 1000])
def test_texts_without_a_symbol_are_refused(text: str) -> None:
    with pytest.raises(EncodeError) as caught:
        modules_of(text)
    assert caught.value.reason == "data_matrix"
    assert len(str(caught.value)) < 400


def test_modules_as_text() -> None:
    assert drawn(((True, False), (False, True))) == "X .\n. X"
