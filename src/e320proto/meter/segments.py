r"""Digits and letters of the LCD as segments.

::

      --a--          --a--          A cell is 10 wide and 18 high, its origin is the upper left corner.
     |     |        |\ | /|
     f     b        f i j k b       Seven segments: g lies across the whole middle.
     |     |        |   \|/  |
      --g--          -g- -h-        Fourteen: g and h are its halves; i j k lie above
     |     |        |   /|\  |      the middle, l m n below.
     e     c        e l m n c
     |     |        |/ | \|
      --d--   .      --d--   .      The decimal point of a cell stands at its right.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH: Final = 10.0
HEIGHT: Final = 18.0
_MIDDLE: Final = HEIGHT / 2
_HALF: Final = 0.95  # of the thickness of a segment
_GAP: Final = 0.35  # between the tips of two segments, half of it
_POINT: Final = "."

Points = tuple[tuple[float, float], ...]


def _across(left: float, right: float, y: float) -> Points:
    """Draw a horizontal segment: a bar with two tips."""
    left, right = left + _GAP, right - _GAP
    return (
        (left, y),
        (left + _HALF, y - _HALF),
        (right - _HALF, y - _HALF),
        (right, y),
        (right - _HALF, y + _HALF),
        (left + _HALF, y + _HALF),
    )


def _upright(x: float, top: float, bottom: float) -> Points:
    """Draw a vertical segment."""
    return tuple((x + beside, along) for along, beside in _across(top, bottom, 0))


def _slanted(left: float, top: float, *, falls: bool) -> Points:
    """Draw a diagonal segment into the free part of a quarter of the cell."""
    left, right = left + 1.4, left + WIDTH / 2 - 1.4
    top, bottom = top + 1.4, top + _MIDDLE - 1.4
    shape = (
        (left, top),
        (left + 0.9, top),
        (right, bottom - 2),
        (right, bottom),
        (right - 0.9, bottom),
        (left, top + 2),
    )
    return shape if falls else tuple((left + right - x, y) for x, y in shape)


_CENTRE: Final = WIDTH / 2
_OUTER: Final = {
    "a": _across(0, WIDTH, 0),
    "b": _upright(WIDTH, 0, _MIDDLE),
    "c": _upright(WIDTH, _MIDDLE, HEIGHT),
    "d": _across(0, WIDTH, HEIGHT),
    "e": _upright(0, _MIDDLE, HEIGHT),
    "f": _upright(0, 0, _MIDDLE),
}
_DOT: Final = {_POINT: ((11.8, 16.75), (14, 16.75), (14, 18.95), (11.8, 18.95))}


@dataclass(frozen=True, slots=True)
class Font:
    """How cells of one kind are made.

    Args:
        segments: outline of each segment; ``.`` is the decimal point.
        glyphs: the segments that a character lights.
    """

    segments: Mapping[str, Points]
    glyphs: Mapping[str, str]

    def lit(self, character: str) -> frozenset[str]:
        """Tell which segments show a character; none if the cell has no picture of it.

        >>> sorted(SEVEN.lit("7")), sorted(SEVEN.lit("x"))
        (['a', 'b', 'c'], [])
        """
        return frozenset(self.glyphs.get(character, ""))


def _glyphs(text: str) -> Mapping[str, str]:
    """Read pairs of a character and its segments."""
    words = text.split()
    return MappingProxyType(dict(zip(words[::2], words[1::2], strict=True)))


SEVEN: Final = Font(
    MappingProxyType({**_OUTER, "g": _across(0, WIDTH, _MIDDLE), **_DOT}),
    _glyphs("""
        0 abcdef   1 bc      2 abdeg   3 abcdg   4 bcfg   5 acdfg  6 acdefg  7 abc
        8 abcdefg  9 abcdfg  A abcefg  b cdefg   C adef   d bcdeg  E adefg   F aefg
        B cdefg    D bcdeg   - g       _ d
    """),
)
"""Digits, hex digits and the sign."""

FOURTEEN: Final = Font(
    MappingProxyType(
        {
            **_OUTER,
            "g": _across(0, _CENTRE, _MIDDLE),
            "h": _across(_CENTRE, WIDTH, _MIDDLE),
            "i": _slanted(0, 0, falls=True),
            "j": _upright(_CENTRE, 0, _MIDDLE),
            "k": _slanted(_CENTRE, 0, falls=False),
            "l": _slanted(0, _MIDDLE, falls=False),
            "m": _upright(_CENTRE, _MIDDLE, HEIGHT),
            "n": _slanted(_CENTRE, _MIDDLE, falls=True),
            **_DOT,
        }
    ),
    _glyphs(r"""
        0 abcdef    1 bc       2 abdegh   3 abcdgh   4 bcfgh    5 acdfgh   6 acdefgh   7 abc
        8 abcdefgh  9 abcdfgh  A abcefgh  B abcdhjm  C adef     D abcdjm   E adefgh    F aefgh
        G acdefh    H bcefgh   I adjm     J bcde     K efgkn    L def      M bcefik    N bcefin
        O abcdef    P abefgh   Q abcdefn  R abefghn  S acdfgh   T ajm      U bcdef     V efkl
        W bcefln    X ikln     Y ikm      Z adkl     a abcdegh  b cdefgh   c degh      d bcdegh
        e abdefgh   f aefg     g abcdfgh  h cefgh    i m        j bcd      k jkmn      l jm
        m ceghm     n cegh     o cdegh    p abefgh   q abcfgh   r egh      s acdfgh    t defgh
        u cde       v el       w celn     x ikln     y bcdfgh   z dgl      - gh        _ d
        + ghjm      / kl       * ghijklmn = dgh      ( kn       ) il       < kn        > il
        [ adef      ] abcd     \ in       ^ ln       | jm       , l        : jm        ; jl
        ' j         " fj       ` i        ~ gh       ? abhm     ! bc       $ acdfghjm  % cfkl
        & adegijn   @ abdefhj  # bcdghjm  { adgil    } adhkn
    """),
)
"""All printable ASCII characters; of the two that share a picture, a display shows no difference."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell shows.

    Args:
        character: the character; a space is dark.
        point: whether the decimal point at its right is lit.
        all_segments: whether everything is lit.
    """

    character: str = " "
    point: bool = False
    all_segments: bool = False

    def lit(self, font: Font) -> frozenset[str]:
        """Tell which segments are lit.

        >>> sorted(Cell("1", point=True).lit(SEVEN))
        ['.', 'b', 'c']
        """
        if self.all_segments:
            return frozenset(font.segments)
        return font.lit(self.character) | ({_POINT} if self.point else frozenset())


def cells_of(text: str, count: int, *, from_right: bool = False) -> tuple[Cell, ...]:
    """Put a text into cells; a point goes with the character before it.

    Args:
        text: what to show.
        count: cells of the field.
        from_right: whether the text ends at the right, as values do; a field that is too narrow shows the end
            of such a text, and the beginning of others.

    >>> [(cell.character, cell.point) for cell in cells_of("C.90", 4, from_right=True)]
    [(' ', False), ('C', True), ('9', False), ('0', False)]
    """
    cells: list[Cell] = []
    for character in text:
        if character != _POINT:
            cells.append(Cell(character))
        elif cells and not cells[-1].point:
            cells[-1] = Cell(cells[-1].character, point=True)
        else:
            cells.append(Cell(point=True))
    blank = [Cell()] * (count - len(cells))
    return tuple((blank + cells)[-count:] if from_right else (cells + blank)[:count])


def cell_path(font: Font, segments: frozenset[str]) -> str:
    """Write segments of a cell as the data of an SVG path; each begins with an ``M``.

    >>> cell_path(SEVEN, frozenset("a"))
    'M.35 0l.95-.95h7.4l.95 .95l-.95 .95h-7.4Z'
    """
    return "".join(f"M{_outline(points)}Z" for name, points in font.segments.items() if name in segments)


def _outline(points: Points) -> str:
    """Write a polygon by its steps: they are shorter than places, and a flat one is a number only."""
    hundredths = [(round(100 * x), round(100 * y)) for x, y in points]
    (x, y), drawn = hundredths[0], ""
    for to_x, to_y in hundredths[1:]:
        across, down = number((to_x - x) / 100), number((to_y - y) / 100)
        drawn += f"h{across}" if to_y == y else f"v{down}" if to_x == x else f"l{_pair(across, down)}"
        x, y = to_x, to_y
    return _pair(*map(number, points[0])) + drawn


def _pair(first: str, second: str) -> str:
    """Write two numbers shortly: a sign separates, too."""
    return f"{first}{'' if second.startswith('-') else ' '}{second}"


def number(value: float) -> str:
    """Write a coordinate shortly, to a hundredth.

    >>> number(1.0), number(0.354), number(-0.5), number(-0.001)
    ('1', '.35', '-.5', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    if text in {"-0", ""}:
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
