"""The symbols on the faceplate as pieces of SVG, each 48 by 36.

======================  =======================================
symbol                  drawing
======================  =======================================
protective insulation   a square in a square, protection class II
+A, -A, +A/-A           a box with arrows where energy is counted
-A balanced             the same with the sum
4-quadrant              a cross with a circle
three-phase meter       three wires and the neutral
read the manual         an open book with an i
calibrated 2026         the year in a frame
======================  =======================================

The manual names the symbols; the drawings are decisions of this project.
"""

from __future__ import annotations

from html import escape
from typing import Final

_OPEN: Final = '<g fill="none" stroke="#22262a" stroke-width="2">'
_FONT: Final = 'font-family="Arial, Helvetica, sans-serif" font-weight="bold" fill="#22262a" stroke="none"'
_BOX: Final = '<path d="M3 5H45V31H3Z"/>'
_FORWARD: Final = '<path d="M9 {0}H33M28 {1}L34 {0}L28 {2}"/>'
_BACK: Final = '<path d="M39 {0}H15M20 {1}L14 {0}L20 {2}"/>'


def _arrow(picture: str, y: int) -> str:
    return picture.format(y, y - 5, y + 5)


_DRAWINGS: Final = {
    "protective insulation": '<path d="M7 1H41V35H7ZM15 9H33V27H15Z"/>',
    "+A": _BOX + _arrow(_FORWARD, 18),
    "-A": _BOX + _arrow(_BACK, 18),
    "+A/-A": _BOX + _arrow(_FORWARD, 12) + _arrow(_BACK, 24),
    "-A balanced": _BOX + _arrow(_BACK, 18) + f'<text x="27" y="16" font-size="10" {_FONT}>&#931;</text>',
    "4-quadrant": '<circle cx="24" cy="18" r="12"/><path d="M24 1V35M7 18H41"/>',
    "three-phase meter": '<circle cx="24" cy="18" r="16"/><path d="M24 18V8M24 18L15 24M24 18L33 24"/>',
    "read the manual": (
        '<path d="M24 8Q14 2 3 6V30Q14 26 24 32Q34 26 45 30V6Q34 2 24 8V32"/>'
        f'<text x="32" y="23" font-size="15" {_FONT}>i</text>'
    ),
}


def symbol_svg(symbol: str) -> str:
    """Draw a symbol; one without a picture is written in a frame, by its last word.

    >>> ">2026</text>" in symbol_svg("calibrated 2026")
    True
    """
    drawing = _DRAWINGS.get(symbol)
    if drawing is None:
        word = escape(symbol.rpartition(" ")[2])
        drawing = f'{_BOX}<text x="24" y="23" font-size="14" text-anchor="middle" {_FONT}>{word}</text>'
    return f"{_OPEN}{drawing}</g>"
