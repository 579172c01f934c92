"""The face of the meter as an SVG picture: case, optical port, LCD, pulse LED, printed markings, Data Matrix code.

::

    +-------------------- hook --------------------+
    | +------------------------------+    .---.    |
    | |  LCD                         |   ( INFO )  |   optical port: magnet ring, sender, button
    | +------------------------------+    '---'    |
    |  type designation, brand       * 5000 imp/kWh|   pulse LED
    |  mode, device id, server id      [::::]      |   Data Matrix code
    |  ratings, symbols, public key    [::::]      |
    |----------------------------------------------|
    |  module cover              [LMN] [LMN]       |   two RJ-12 sockets
    |----------------------------------------------|
    |  terminal cover                              |
    +----------------------------------------------+

The picture needs nothing else: no fonts, no scripts, no references, no ids that could meet those of another picture
in one page. The same face gives the same text. Places and sizes are decisions of this project.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.meter.display import DisplayState, render_text
from e320proto.meter.face_symbols import symbol_svg
from e320proto.meter.lcd import LCD_HEIGHT, LCD_WIDTH, lcd_svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.meter.datamatrix import Modules
    from e320proto.meter.faceplate import Faceplate

WIDTH: Final = 1000
HEIGHT: Final = 1150
_FRAME: Final = 16
"""Width of the frame around the LCD."""
_OPENED: Final = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" role="img">'

_SANS: Final = "Arial, Helvetica, sans-serif"
_MONO: Final = "Courier New, Courier, monospace"
_EM: Final = {(_SANS, False): 0.62, (_SANS, True): 0.70, (_MONO, False): 0.61, (_MONO, True): 0.61}
"""How wide a character of a common font is at most, on average: no text is measured, so wide fonts have to fit."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEY: Final = 13
_KEY_ROWS: Final = 2
_PLATE_CHARACTERS: Final = 22

_CASE: Final = """\
<path d="M455 44V22Q455 8 469 8H531Q545 8 545 22V44Z" fill="#c9cbcd" stroke="#9b9ea1"/>
<circle cx="500" cy="26" r="9" fill="#fff" stroke="#9b9ea1"/>
<rect x="20" y="34" width="960" height="1106" rx="34" fill="#d3d5d7" stroke="#94979a" stroke-width="2"/>
<rect x="32" y="46" width="936" height="1082" rx="26" fill="none" stroke="#fff" stroke-opacity=".65" stroke-width="3"/>
<rect x="50" y="64" width="900" height="726" rx="16" fill="#f4f4f0" stroke="#b1b4b6" stroke-width="1.5"/>
"""
_COVERS: Final = """\
<g stroke="#a3a6a9" stroke-width="1.5">
<rect x="50" y="806" width="900" height="176" rx="12" fill="#c7c9cc"/>
<rect x="92" y="830" width="528" height="128" rx="6" fill="#bcbfc2"/>
<path d="M92 882H620M92 906H620M224 830V958M356 830V958M488 830V958" fill="none" stroke-opacity=".55"/>
<rect x="50" y="998" width="900" height="116" rx="12" fill="#cdcfd2"/>
<path d="M74 1022H926" stroke="#fff" stroke-opacity=".7"/>
<circle cx="110" cy="1066" r="20" fill="#b6b9bc"/><path d="M98 1066H122M110 1054V1078" stroke-width="4"/>
<circle cx="890" cy="1066" r="20" fill="#b6b9bc"/><path d="M878 1066H902M890 1054V1078" stroke-width="4"/>
</g>
"""
_SOCKET: Final = """\
<rect width="88" height="76" rx="4" fill="#55595d"/>
<path d="M10 8H78V54H62V66H26V54H10Z" fill="#16181a"/>
<path d="M24 10V24M32 10V24M40 10V24M48 10V24M56 10V24M64 10V24" stroke="#d3b056" stroke-width="3"/>
"""
_PORT: Final = """\
<circle r="94" fill="#e3e4e5" stroke="#b1b4b6" stroke-width="1.5"/>
<circle r="76" fill="none" stroke="#7d8286" stroke-width="20"/>
<circle r="76" fill="none" stroke="#b9bdc0" stroke-width="14"/>
<circle r="76" fill="none" stroke="#e9ebec" stroke-width="3"/>
<circle r="65" fill="#26292c"/>
<circle cx="-27" r="15" stroke="#6a6f74" stroke-width="2.5" fill="#3b1418"/>
<circle cx="27" r="15" stroke="#6a6f74" stroke-width="2.5" fill="#10171f"/>
<g fill="#fff" fill-opacity=".25"><circle cx="-31" cy="-4" r="4"/><circle cx="23" cy="-4" r="4"/></g>
"""
_TORCH: Final = """\
<path d="M0 8H22L32 2V26L22 20H0Z" fill="#33373b"/>
<path d="M38 14H50M37 6L47 0M37 22L47 28" stroke="#33373b" stroke-width="2.5" fill="none"/>
"""


@dataclass(frozen=True, slots=True)
class MeterFace:
    """A face of a meter, which a notebook shows as a picture.

    Args:
        faceplate: what is printed on it.
        display: what it shows.
        modules: its Data Matrix code, see :meth:`e320proto.meter.faceplate.Faceplate.modules`; without them the place
            of the code is empty.

    >>> from e320proto.meter.config import E320Config
    >>> from e320proto.meter.display import DARK
    >>> from e320proto.meter.faceplate import Faceplate
    >>> MeterFace(Faceplate.of(E320Config(pin="1234")), DARK).svg[:40]
    '<svg xmlns="http://www.w3.org/2000/svg" '
    """

    faceplate: Faceplate
    display: DisplayState
    modules: Modules | None = None

    @property
    def svg(self) -> str:
        """The picture."""
        return faceplate_svg(self.faceplate, self.display, modules=self.modules)

    def _repr_svg_(self) -> str:
        return self.svg


def faceplate_svg(faceplate: Faceplate, display: DisplayState, *, modules: Modules | None = None) -> str:
    """Draw the face of a meter.

    Args:
        faceplate: what is printed on it.
        display: what it shows.
        modules: its Data Matrix code; without them the place of the code is empty.

    Returns:
        An SVG document in one element.

    Source: E320 manual, sections 3.1 (case), 3.2 (markings) and 5.1 (display).

    >>> from e320proto.meter.config import E320Config
    >>> from e320proto.meter.display import DARK
    >>> from e320proto.meter.faceplate import Faceplate
    >>> "1 LGZ00 6353 9421" in faceplate_svg(Faceplate.of(E320Config(pin="1234")), DARK)
    True
    """
    return "".join(
        [
            _OPENED.format(WIDTH, HEIGHT, WIDTH // 2, HEIGHT // 2),
            f"<title>{_escaped(f'{faceplate.designation.brand} {faceplate.device_id.printed}')}</title>",
            f"<desc>{_escaped(render_text(display))}</desc>",
            _CASE,
            f'<g transform="translate(66 82)">{"".join(_display(display))}</g>',
            *_port(),
            *_led(faceplate, lit=display.led),
            *_prints(faceplate),
            *_symbols(faceplate),
            *_public_key(faceplate),
            _property_plate(faceplate.property_plate),
            "" if modules is None else _data_matrix(modules),
            *_covers(),
            "</svg>",
        ]
    )


def display_svg(display: DisplayState) -> str:
    """Draw the display alone, in its frame.

    Args:
        display: what it shows.

    Returns:
        An SVG document in one element.

    Source: E320 manual, section 5.1.1.

    >>> from e320proto.meter.display import DARK
    >>> display_svg(DARK).count('class="lit"')
    0
    """
    width, height = LCD_WIDTH + 2 * _FRAME, LCD_HEIGHT + 2 * _FRAME
    return "".join(
        [
            _OPENED.format(width, height, width * 2 // 3, height * 2 // 3),
            f"<desc>{_escaped(render_text(display))}</desc>",
            *_display(display),
            "</svg>",
        ]
    )


def _display(display: DisplayState) -> Iterator[str]:
    """Draw the LCD in its frame; the upper left corner of the frame is the origin."""
    width, height = LCD_WIDTH + 2 * _FRAME, LCD_HEIGHT + 2 * _FRAME
    yield f'<rect width="{width}" height="{height}" rx="12" fill="#4a4f53"/>'
    yield f'<g transform="translate({_FRAME} {_FRAME})">{lcd_svg(display)}</g>'


class Print(NamedTuple):
    """Where a marking is printed: the left end of its base line, and how wide it may be."""

    x: float
    y: float
    size: float
    width: float
    bold: bool = False
    before: str = ""
    font: str = _SANS


_PRINTS: Final = {
    1: Print(212, 400, 21, 470, bold=True),
    2: Print(76, 402, 40, 124, bold=True),
    3: Print(76, 446, 23, 400),
    4: Print(76, 500, 38, 600, bold=True),
    5: Print(76, 574, 20, 600),
    6: Print(76, 606, 20, 170, before="Kl. "),
    7: Print(260, 606, 20, 410),
    8: Print(76, 690, 13, 290),
    9: Print(380, 690, 13, 290),
    11: Print(76, 712, 13, 594),
    15: Print(76, 534, 18, 600, before="Server-ID "),
}
"""Markings by their numbers in the manual; symbols, plate, public key, code and pulse constant stand elsewhere."""


def _prints(faceplate: Faceplate) -> Iterator[str]:
    for marking in faceplate.markings:
        place = _PRINTS.get(marking.position)
        if place is not None and marking.text:
            yield _text(place.before + marking.text, place)


def _text(text: str, place: Print, *, anchor: str = "start") -> str:
    """Print a text; one too long for its place is printed smaller."""
    needed = len(text) * _EM[place.font, place.bold]
    size = min(place.size, place.width / max(1, needed))
    weight = ' font-weight="bold"' if place.bold else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{place.x:g}" y="{place.y:g}" font-family="{place.font}" font-size="{size:.4g}"{weight}{where} '
        f'fill="#22262a">{_escaped(text)}</text>'
    )


def _escaped(text: str) -> str:
    """Escape a text; what XML cannot hold becomes the replacement character."""
    return escape(_NOT_XML.sub("\ufffd", text))


def _port() -> Iterator[str]:
    yield f'<g transform="translate(824 192)">{_PORT}</g>'
    yield _text("INFO", Print(724, 324, 22, 80, bold=True))
    # The receiver of the port is the optical button: light on it is a press.
    yield f'<g transform="translate(876 303)"><title>optical button</title>{_TORCH}</g>'


def _led(faceplate: Faceplate, *, lit: bool) -> Iterator[str]:
    yield '<g transform="translate(737 394)">'
    if lit:
        yield '<circle r="22" fill="#ff2a1c" fill-opacity=".18"/><circle r="16" fill="#ff2a1c" fill-opacity=".35"/>'
    colour = "#ff3b28" if lit else "#6b1a16"
    yield f'<circle class="{"lit" if lit else "unlit"}" data-field="LED" r="10" fill="{colour}" stroke="#3a3d40" '
    yield 'stroke-width="2.5"/><circle cx="-3" cy="-3" r="2.5" fill="#fff" fill-opacity=".6"/></g>'
    yield _text(faceplate.pulses, Print(764, 400, 19, 164))


def _symbols(faceplate: Faceplate) -> Iterator[str]:
    for index, symbol in enumerate(faceplate.symbols):
        drawing = symbol_svg(symbol)
        yield f'<g transform="translate({76 + 62 * index} 626)"><title>{_escaped(symbol)}</title>{drawing}</g>'


def _public_key(faceplate: Faceplate) -> Iterator[str]:
    """Print the key in small print, in rows of one length."""
    title, key = next((marking.title, marking.text) for marking in faceplate.markings if marking.position == _KEY)
    if not key:
        return
    yield _text(f"Public {title}", Print(76, 744, 11, 300))
    length = -(-len(key) // _KEY_ROWS)
    for row in range(_KEY_ROWS):
        yield _text(key[row * length : (row + 1) * length], Print(76, 760 + 15 * row, 13, 600, font=_MONO))


def _property_plate(text: str) -> str:
    """Draw the plate of the owner; a long text gets longer and smaller lines."""
    if not text:
        return ""
    lines = textwrap.wrap(text, max(_PLATE_CHARACTERS, len(text) // 4))
    pitch = min(23, 104 / max(1, len(lines)))
    top = 713 - pitch * len(lines) / 2  # 713 is the middle of the plate
    rows = [
        _text(line, Print(830, top + pitch * (row + 0.7), 15, 192), anchor="middle") for row, line in enumerate(lines)
    ]
    return f'<rect x="726" y="652" width="208" height="122" rx="4" fill="#fff" stroke="#8a8e91"/>{"".join(rows)}'


_CODE_X, _CODE_Y, _CODE_SIZE = 736, 430, 188


def _data_matrix(modules: Modules) -> str:
    """Draw the dark modules, with a quiet zone of two modules around them."""
    size = _CODE_SIZE / (len(modules) + 4)
    runs = "".join(
        f"M{start + 2} {y + 2}h{end - start}v1h{start - end}z"
        for y, row in enumerate(modules)
        for start, end in _runs(row)
    )
    return (
        f'<g transform="translate({_CODE_X} {_CODE_Y})"><title>Data Matrix</title>'
        f'<rect width="{_CODE_SIZE}" height="{_CODE_SIZE}" fill="#fff"/>'
        f'<path transform="scale({size:.5g})" shape-rendering="crispEdges" d="{runs}"/></g>'
    )


def _runs(row: tuple[bool, ...]) -> Iterator[tuple[int, int]]:
    """Dark modules beside each other: where they start and end."""
    start = None
    for x, dark in enumerate((*row, False)):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            yield start, x
            start = None


def _covers() -> Iterator[str]:
    yield _COVERS
    for x in (680, 806):
        yield f'<g transform="translate({x} 846)"><title>RJ-12 socket, RS-485</title>{_SOCKET}</g>'
    yield _text("LMN", Print(787, 950, 20, 200, bold=True), anchor="middle")
