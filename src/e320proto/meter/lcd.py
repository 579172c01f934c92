"""The LCD of the meter as a piece of SVG: what is lit is dark, what is not lit can still be seen faintly.

::

    +------------------------------------------------------------+
    |  [code: 5 of 7 segments]  [value: 8 of 7 segments]  kWh    |   for billing
    |                                                     kvarh  |
    |  L1 L2 L3      +A ->  <- -A      == == == ==         LMN   |   status
    |  [code: 7 of 14]          [value: 8 of 14]     kWh   INFO  |   for information
    |                                                W           |
    +------------------------------------------------------------+

Places of the symbols and numbers of cells are decisions of this project: the manual names the parts and their order.
A unit that the glass does not have stays dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.meter.display import Direction, DisplayState
from e320proto.meter.segments import FOURTEEN, HEIGHT, SEVEN, Cell, Font, cell_path, cells_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.meter.lines import Line

LCD_WIDTH: Final = 600
LCD_HEIGHT: Final = 232

_GLASS: Final = "#bcc8b2"
_INK: Final = "#18211c"
_FAINT: Final = "0.07"
_PHASES: Final = ("L1", "L2", "L3")
_BARS: Final = 4
_RIGHT_ARROW: Final = "M0 -3H20V-9L34 0L20 9V3H0Z"
_LEFT_ARROW: Final = "M34 -3H14V-9L0 0L14 9V3H34Z"


class Field(NamedTuple):
    """A row of cells; ``x`` and ``y`` are the upper left corner of the first, ``pitch`` goes to the next."""

    name: str
    font: Font
    cells: int
    x: float
    y: float
    height: float
    pitch: float
    from_right: bool = False


UPPER_CODE: Final = Field("upper code", SEVEN, 5, 22, 49, 27, 25)
UPPER_VALUE: Final = Field("upper value", SEVEN, 8, 160, 22, 54, 46, from_right=True)
LOWER_CODE: Final = Field("lower code", FOURTEEN, 7, 22, 185, 27, 22.5)
LOWER_VALUE: Final = Field("lower value", FOURTEEN, 8, 198, 176, 36, 32, from_right=True)


def lcd_svg(display: DisplayState) -> str:
    """Draw the LCD as a group of SVG, ``LCD_WIDTH`` wide and ``LCD_HEIGHT`` high.

    Args:
        display: what it shows.

    Source: E320 manual, section 5.1.1.

    >>> from e320proto.meter.display import DARK
    >>> lcd_svg(DARK).count('class="lit"')
    0
    """
    return "".join(
        [
            f'<rect width="{LCD_WIDTH}" height="{LCD_HEIGHT}" rx="6" fill="{_GLASS}"/>',
            f'<g fill="{_INK}" font-family="Arial, Helvetica, sans-serif" font-weight="bold">',
            *_line(display.upper, (UPPER_CODE, UPPER_VALUE)),
            *_units(display.upper, (("kWh", 534, 50), ("kvarh", 534, 76))),
            f'<path d="M16 102H{LCD_WIDTH - 16}M16 156H{LCD_WIDTH - 16}" stroke="{_INK}" stroke-opacity=".25"/>',
            *_status(display),
            *_line(display.lower, (LOWER_CODE, LOWER_VALUE)),
            *_units(display.lower, (("kWh", 462, 191), ("W", 462, 212))),
            *_info(lit=display.info),
            "</g>",
        ]
    )


def _line(line: Line, fields: tuple[Field, Field]) -> Iterator[str]:
    for field, text in zip(fields, (line.code, line.value), strict=True):
        cells = cells_of(text, field.cells, from_right=field.from_right)
        if line.all_segments:
            cells = (Cell(all_segments=True),) * field.cells
        yield f'<g data-field="{field.name}">'
        for index, cell in enumerate(cells):
            yield _cell(field, index, cell.lit(field.font))
        yield "</g>"


def _cell(field: Field, index: int, lit: frozenset[str]) -> str:
    scale = field.height / HEIGHT
    dark = frozenset(field.font.segments) - lit
    place = f"translate({number(field.x + index * field.pitch)} {number(field.y)})"
    paths = ""
    if lit:
        paths += f'<path class="lit" d="{cell_path(field.font, lit)}"/>'
    if dark:
        paths += f'<path class="unlit" fill-opacity="{_FAINT}" d="{cell_path(field.font, dark)}"/>'
    # Leaning, as the digits of meters do; the foot moves left, so the cell begins a little further right.
    return f'<g transform="{place} scale({number(scale)}) translate(1.8 0) skewX(-6)">{paths}</g>'


def _units(line: Line, places: tuple[tuple[str, float, float], ...]) -> Iterator[str]:
    for unit, x, y in places:
        yield _word(unit, x, y, size=18, lit=line.all_segments or line.unit == unit)


def _word(text: str, x: float, y: float, *, size: float, lit: bool) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" {_look(lit=lit)}>{text}</text>'


def _look(*, lit: bool) -> str:
    return 'class="lit"' if lit else f'class="unlit" fill-opacity="{_FAINT}"'


def _status(display: DisplayState) -> Iterator[str]:
    for index, (name, present) in enumerate(zip(_PHASES, display.phases, strict=True)):
        yield _word(name, 24 + 36 * index, 136, size=21, lit=present)
    for direction, text, x, arrow in (
        (Direction.IMPORT, "+A", 164, _RIGHT_ARROW),
        (Direction.EXPORT, "-A", 258, _LEFT_ARROW),
    ):
        lit = display.direction is direction
        yield _word(text, x, 136, size=21, lit=lit)
        yield f'<path transform="translate({x + 40} 129)" d="{arrow}" {_look(lit=lit)}/>'
    for bar in range(_BARS):
        yield f'<rect x="{358 + 31 * bar}" y="125" width="25" height="8" {_look(lit=display.disk == bar)}/>'
    yield f'<g data-field="LMN" {_look(lit=display.lmn)}>'
    # A plug with its cable; the picture of the manual cannot be had.
    yield '<path d="M500 124H508V118H520V140H508V134H500Z"/><path d="M523 120H530V124H523ZM523 134H530V138H523Z"/>'
    yield '<text x="535" y="136" font-size="19">LMN</text></g>'


def _info(*, lit: bool) -> Iterator[str]:
    """Draw the INFO symbol: a frame around the word."""
    yield f'<g data-field="INFO" {_look(lit=lit)}>'
    yield '<path fill-rule="evenodd" d="M516 183H584V213H516ZM519 186V210H581V186Z"/>'
    yield '<text x="525" y="205" font-size="19">INFO</text></g>'
