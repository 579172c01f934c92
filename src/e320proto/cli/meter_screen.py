"""The front of the meter in a terminal: LCD, optical port, LED and what is printed; below it what a user wants to know.

::

    ╭──────────────────────────────────────────────────────╮
    │ ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓      ╭───╮      │
    │ ┃ 1.8.0    ▀▀▀ big digits     kWh  ┃      │● ○│      │
    │ ┃ L1 L2 L3   +A ->  = . . .  LMN   ┃      ╰───╯ INFO │
    │ ┃ P            1234  W       INFO  ┃      ● imp/kWh  │
    │ ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛                 │
    │ E320  type designation, device id, server id, ...    │
    ╰──────────────────────────────────────────────────────╯
      readings, load, where it sends, events, keys

The digits are made of the same segments as those of the picture in SVG. What is not lit is blank, so nothing depends
on colours. It fits into 80 by 24 characters; a narrower terminal gets the display alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from e320proto.meter.display import Direction, DisplayState, render_text
from e320proto.meter.segments import SEVEN, Cell, cells_of
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from e320proto.meter.faceplate import Faceplate
    from e320proto.meter.lines import Line

WIDTH: Final = 80
"""Characters of a line that the front needs."""
EVENTS: Final = 3
"""Lines about events for which there is room."""

_GLASS: Final = "#18211c on #bcc8b2"  # the colours of the picture in SVG
_LED: Final = "bold red"
_LCD_WIDTH: Final = 52
_CODE_CELLS: Final = 5
_VALUE_CELLS: Final = 8
_LOWER_CELLS: Final = 8
_UNIT: Final = 6
_COLUMNS, _LINES = 3, 3  # characters of a digit
_PIXELS: Final = {
    "a": ((0, 0), (1, 0), (2, 0)),
    "b": ((2, 0), (2, 1), (2, 2)),
    "c": ((2, 2), (2, 3), (2, 4)),
    "d": ((0, 4), (1, 4), (2, 4)),
    "e": ((0, 2), (0, 3), (0, 4)),
    "f": ((0, 0), (0, 1), (0, 2)),
    "g": ((0, 2), (1, 2), (2, 2)),
}
"""Where each segment lies: columns and half lines of a digit."""
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_DISK: Final = ("▬", "·")
_ARROWS: Final = {Direction.IMPORT: "+A ━▶", Direction.EXPORT: "◀━ -A", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenFacts:
    """What the screen tells beside the front of the meter.

    Args:
        readings: registers, power and time of the meter, a word each.
        load: what the elements see.
        outlets: where pushes go, and how many of them nobody could take.
        events: lines about what happened, the newest last.
        keys: help lines about the keys.
        speed: how much faster than real the time of the meter is.
        pulsed: whether there was a pulse of the LED since the last picture: one is far shorter than a picture.
        lit: whether light shines on the optical button.
    """

    readings: Sequence[str] = ()
    load: str = ""
    outlets: Sequence[tuple[str, int]] = ()
    events: Sequence[str] = ()
    keys: Sequence[str] = ()
    speed: float = 1.0
    pulsed: bool = False
    lit: bool = False


def meter_screen(faceplate: Faceplate, display: DisplayState, facts: ScreenFacts, width: int = WIDTH) -> RenderableType:
    """Draw a meter.

    Args:
        faceplate: what is printed on it.
        display: what it shows.
        facts: what else to tell.
        width: characters of a line of the terminal.
    """
    front = _front(faceplate, display, facts) if width >= WIDTH else Text(render_text(display))
    return Group(front, *_below(facts))


def _front(faceplate: Faceplate, display: DisplayState, facts: ScreenFacts) -> RenderableType:
    upper = Table.grid(padding=(0, 3, 0, 0))
    lcd = Panel(Group(*_lcd(display)), box=box.HEAVY, width=_LCD_WIDTH + 4, style=_GLASS)
    upper.add_row(lcd, Group(*_port(faceplate, display, facts)))
    return Panel(Group(upper, *_prints(faceplate)), box=box.ROUNDED, width=WIDTH)


def _lcd(display: DisplayState) -> list[Text]:
    upper = [Text(row, no_wrap=True) for row in _upper(display.upper)]
    return [*upper, Text(), Text(_status(display)), Text(), Text(_lower(display), style="bold")]


def _upper(line: Line) -> list[str]:
    """Draw the line for billing: code and unit beside large digits."""
    cells = cells_of(line.value, _VALUE_CELLS, from_right=True)
    code, units = line.code, {line.unit}
    if line.all_segments:
        cells, code, units = (Cell(all_segments=True),) * _VALUE_CELLS, "8." * _CODE_CELLS, {"kWh", "kvarh"}
    digits = large(cells)
    sides = (("", "kWh"), ("", "kvarh"), (code, ""))
    return [
        f"{left:<{2 * _CODE_CELLS}}{digit}  {unit if unit in units else '':<{_UNIT}}"
        for (left, unit), digit in zip(sides, digits, strict=True)
    ]


def large(cells: Sequence[Cell]) -> list[str]:
    """Draw cells of seven segments as three lines of half blocks.

    >>> for line in large(cells_of("25.-", 3)):
    ...     print(line.rstrip())
    ▀▀█ █▀▀
    █▀▀ ▀▀█ ▀▀▀
    ▀▀▀ ▀▀▀.
    """
    lit = [cell.lit(SEVEN) for cell in cells]
    pixels = [{pixel for segment in segments & _PIXELS.keys() for pixel in _PIXELS[segment]} for segments in lit]
    points = ["." if "." in segments else " " for segments in lit]
    return [
        "".join(
            _digit_line(digit, line) + (point if line == _LINES - 1 else " ")
            for digit, point in zip(pixels, points, strict=True)
        )
        for line in range(_LINES)
    ]


def _digit_line(pixels: set[tuple[int, int]], line: int) -> str:
    return "".join(
        _HALVES[(column, 2 * line) in pixels, (column, 2 * line + 1) in pixels] for column in range(_COLUMNS)
    )


def _status(display: DisplayState) -> str:
    phases = " ".join(f"L{number}" if lit else "  " for number, lit in enumerate(display.phases, start=1))
    disk = "" if display.disk is None else " ".join(_DISK[display.disk != bar] for bar in range(4))
    return f"{phases}     {_ARROWS[display.direction]:<9}{disk:<18}{'LMN' if display.lmn else ''}"


def _lower(display: DisplayState) -> str:
    line = display.lower
    code, value, unit = line.code, line.value, line.unit
    if line.all_segments:
        code, value, unit = "8." * (_LOWER_CELLS - 1), "8." * _LOWER_CELLS, "kWh W"
    return f"{code:<16}{value:>{2 * _LOWER_CELLS}}  {unit:<{_UNIT + 5}}{'▐INFO▌' if display.info else ''}"


def _port(faceplate: Faceplate, display: DisplayState, facts: ScreenFacts) -> list[Text]:
    """Draw the optical port, sender and button in a ring, and the pulse LED below it."""
    pulse = display.led or facts.pulsed
    return [
        Text("  ╭───────╮"),
        Text(" ╭╯       ╰╮"),
        Text.assemble(
            " │  ", ("●" if display.info else "○", _LED if display.info else ""), "   ", _button(facts), "  │"
        ),
        Text(" ╰╮       ╭╯"),
        Text("  ╰───────╯"),
        Text("    INFO"),
        Text(),
        Text.assemble((" ●" if pulse else " ○", _LED if pulse else ""), " ", faceplate.pulses),
    ]


def _button(facts: ScreenFacts) -> tuple[str, str]:
    return ("☼", "bold yellow") if facts.lit else ("○", "")


def _prints(faceplate: Faceplate) -> list[Text]:
    return [
        Text.assemble((f"{faceplate.designation.brand}  ", "bold"), f"{faceplate.designation}   {faceplate.mode_name}"),
        Text(faceplate.device_id.printed, style="bold"),
        Text(f"Server-ID {faceplate.server_id}"),
        Text(f"{faceplate.connection}   Kl. {faceplate.accuracy}   {faceplate.operating_temperature}"),
    ]


def _below(facts: ScreenFacts) -> list[Text]:
    speed = () if facts.speed == 1 else (f"{facts.speed:g} x speed",)
    lines = [Text(f" {'   '.join((*facts.readings, *speed))}", style="bold"), Text(f" {facts.load}")]
    sends = (name if not dropped else f"{name} ({plural(dropped, 'frame')} dropped)" for name, dropped in facts.outlets)
    lines.append(Text(f" sends to {', '.join(sends) or 'nobody'}"))
    events = [*facts.events][-EVENTS:]
    lines += [Text(f" {event}", style="dim") for event in events + [""] * (EVENTS - len(events))]
    lines += [Text(f" {line}") for line in facts.keys]
    for line in lines:
        line.no_wrap, line.overflow = True, "crop"
    return lines
