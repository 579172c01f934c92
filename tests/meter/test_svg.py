"""The picture of the face, and the LCD in it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.config import E320Config
from e320proto.meter.datamatrix import modules_of
from e320proto.meter.display import (
    DARK,
    Direction,
    DisplayFacts,
    DisplayState,
    LmnState,
    commissioning_ms,
    display_state,
)
from e320proto.meter.face_symbols import symbol_svg
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.history import View
from e320proto.meter.keys import MeterKey
from e320proto.meter.lcd import LCD_HEIGHT, LCD_WIDTH, LOWER_CODE, LOWER_VALUE, UPPER_CODE, UPPER_VALUE, lcd_svg
from e320proto.meter.lines import ALL_SEGMENTS, BLANK, Line
from e320proto.meter.measurement import Inputs
from e320proto.meter.menu_table import MenuState, Place
from e320proto.meter.model import Meter
from e320proto.meter.modes import Mode
from e320proto.meter.segments import HEIGHT
from e320proto.meter.svg import MeterFace, display_svg, faceplate_svg

if TYPE_CHECKING:
    from e320proto.meter.datamatrix import Modules

CONFIG = E320Config(pin="1234")
PLATE = Faceplate.of(CONFIG, MeterKey.from_private_number(7).public_key)
LIT = DisplayState(
    upper=Line("1.8.0", "005171", "kWh"),
    lower=Line("P", "-300", "W"),
    phases=(True, True, False),
    direction=Direction.EXPORT,
    disk=2,
    lmn=True,
    info=True,
    led=True,
)
SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own picture


def texts(root: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def words(display: DisplayState) -> set[str]:
    """The words on the LCD that are lit."""
    root = parsed(faceplate_svg(PLATE, display))
    lit = {element.text or "" for element in root.iter(f"{SVG}text") if element.get("class") == "lit"}
    groups = [group for group in root.iter(f"{SVG}g") if group.get("class") == "lit"]
    return lit | {group.get("data-field", "") for group in groups}


def lit_segments(display: DisplayState, field: str) -> list[int]:
    """How many segments each cell of a field lights."""
    root = parsed(faceplate_svg(PLATE, display))
    (group,) = [group for group in root.iter(f"{SVG}g") if group.get("data-field") == field]
    return [
        sum((path.get("d") or "").count("M") for path in cell.iter(f"{SVG}path") if path.get("class") == "lit")
        for cell in group
    ]


# The LCD.


def test_known_digits_light_their_segments() -> None:
    assert lit_segments(LIT, "upper code") == [3, 8, 6, 0, 0]  # 1. 8. 0
    assert lit_segments(LIT, "upper value") == [0, 0, 6, 6, 5, 2, 3, 2]  # 005171
    assert lit_segments(LIT, "lower code") == [6, 0, 0, 0, 0, 0, 0]  # P has seven segments but one, in two halves
    assert lit_segments(LIT, "lower value") == [0, 0, 0, 0, 2, 6, 6, 6]  # -300


def test_lit_and_dark_segments_are_all_there() -> None:
    for display in (DARK, LIT, DisplayState(upper=ALL_SEGMENTS, lower=ALL_SEGMENTS)):
        paths = re.findall(r'<path class="(?:un)?lit" [^>]*d="([^"]*)"', lcd_svg(display))
        assert sum(path.count("M") for path in paths) == 13 * 8 + 15 * 15


def test_the_dark_display_lights_nothing() -> None:
    assert 'class="lit"' not in faceplate_svg(PLATE, DARK)
    assert words(DARK) == set()


def test_a_segment_test_lights_the_line_and_its_units() -> None:
    upper, lower = DisplayState(upper=ALL_SEGMENTS), DisplayState(lower=ALL_SEGMENTS)
    assert lit_segments(upper, "upper code") == [8] * 5
    assert lit_segments(upper, "upper value") == [8] * 8
    assert set(lit_segments(upper, "lower value")) == {0}
    assert words(upper) == {"kWh", "kvarh"}
    assert lit_segments(lower, "lower code") == [15] * 7
    assert lit_segments(lower, "lower value") == [15] * 8
    assert set(lit_segments(lower, "upper value")) == {0}
    assert words(lower) == {"kWh", "W"}


def test_words_of_the_status_row() -> None:
    assert words(LIT) == {"kWh", "W", "L1", "L2", "-A", "LMN", "INFO"}
    assert "+A" in words(replace(LIT, direction=Direction.IMPORT))
    assert not {"+A", "-A"} & words(replace(LIT, direction=None))


def test_the_arrow_of_a_direction_is_lit_with_it() -> None:
    def arrows(direction: Direction | None) -> list[bool]:
        svg = lcd_svg(DisplayState(direction=direction))
        return [look == "lit" for look in re.findall(r'<path transform="translate[^>]*class="(\w+)"', svg)]

    assert [arrows(direction) for direction in (Direction.IMPORT, Direction.EXPORT, None)] == [
        [True, False],
        [False, True],
        [False, False],
    ]


@pytest.mark.parametrize("disk", [None, 0, 1, 2, 3])
def test_one_bar_of_the_disk_is_lit(disk: int | None) -> None:
    bars = re.findall(r'<rect x="\d+" y="125"[^>]*class="(\w+)"', lcd_svg(DisplayState(disk=disk)))
    assert [bar == "lit" for bar in bars] == [bar == disk for bar in range(4)]


def test_cells_do_not_overlap_and_stay_on_the_glass() -> None:
    for field in (UPPER_CODE, UPPER_VALUE, LOWER_CODE, LOWER_VALUE):
        wide = max(x for points in field.font.segments.values() for x, _ in points)
        scale = field.height / HEIGHT
        assert field.pitch >= (wide + 0.95) * scale  # of the next cell half a segment lies before its origin
        assert field.x + field.cells * field.pitch < LCD_WIDTH
        assert field.y + field.height < LCD_HEIGHT
    assert UPPER_CODE.x + UPPER_CODE.cells * UPPER_CODE.pitch < UPPER_VALUE.x
    assert LOWER_CODE.x + LOWER_CODE.cells * LOWER_CODE.pitch < LOWER_VALUE.x


def test_every_text_of_the_menu_has_cells_and_segments() -> None:
    facts = DisplayFacts(powered_since_ms=0, registers=dict.fromkeys(Mode.QUADRANTS.registers, 9_999_999_999))
    for menu in menu_states():
        state = display_state(CONFIG, replace(facts, menu=menu, menu_energy_dwh=999_999_999), 100_000)
        for line, code, value in ((state.upper, UPPER_CODE, UPPER_VALUE), (state.lower, LOWER_CODE, LOWER_VALUE)):
            for text, field in ((line.code, code), (line.value, value)):
                assert len(text.replace(".", "")) <= field.cells
                assert all(field.font.lit(character) for character in text if character not in " .")
            assert line.unit in {"", "kWh", "kvarh", "W"}


def menu_states() -> list[MenuState]:
    states = []
    for place in Place:
        match place:
            case Place.PIN | Place.PIN_LOCKED:
                states += [MenuState(place, digits=digits) for digits in ("", "3", "3025")]
            case Place.E | Place.E_CLR:
                states += [MenuState(place, register=1)]
            case Place.H | Place.HB:
                most = {view: 10_000 // int(view.label.removesuffix("d")) for view in View}  # of the longest history
                states += [MenuState(place, view, 1, index) for view in View for index in (1, 2, most[view])]
            case _:
                states.append(MenuState(place))
    return states


@pytest.mark.parametrize("menu", menu_states(), ids=str)
def test_every_place_of_the_menu_renders(menu: MenuState) -> None:
    state = display_state(CONFIG, DisplayFacts(powered_since_ms=0, menu=menu, menu_energy_dwh=1), 100_000)
    root = parsed(faceplate_svg(PLATE, state))
    assert any(lit_segments(state, "upper value") + lit_segments(state, "lower value"))
    assert root.tag == f"{SVG}svg"


def test_every_step_of_the_commissioning_sequence_renders() -> None:
    facts = DisplayFacts(powered_since_ms=0, lmn=LmnState.TLS)
    steps = range(0, commissioning_ms(CONFIG) + 1000, 1000)
    pictures = [faceplate_svg(PLATE, display_state(CONFIG, facts, at_ms)) for at_ms in steps]
    for picture in pictures:
        parsed(picture)
    assert len(set(pictures)) == 6  # dark, both lines of the segment test, version, checksum, standard


# The faceplate.


def test_all_markings_are_printed() -> None:
    plate = replace(
        PLATE,
        type_examination="an examination",
        national_approval="an approval",
        manufacturer_address="an address",
        property_plate="an owner",
        year=2026,
    )
    root = parsed(faceplate_svg(plate, DARK, modules=plate.modules()))
    printed = " ".join(texts(root))
    titles = [title.text for title in root.iter(f"{SVG}title")]
    for marking in plate.markings:
        match marking.position:
            case 10:
                assert set(plate.symbols) <= set(titles)
            case 13:
                assert marking.text in "".join(texts(root))
            case 14:
                assert "Data Matrix" in titles
            case _:
                assert marking.text in printed, marking
    assert "2026" in texts(root)
    assert titles[0] == "E320 1 LGZ00 6353 9421"


def test_what_a_meter_does_not_bear_leaves_no_trace() -> None:
    bare = faceplate_svg(Faceplate.of(CONFIG), DARK)
    assert "Public key" not in bare
    assert "Data Matrix" not in bare
    assert all(texts(parsed(bare)))


def test_texts_are_escaped() -> None:
    evil = '<script>alert("1")</script> & \x00\ud800 ]]>'
    plate = replace(PLATE, manufacturer_address=evil, property_plate=evil, type_examination=evil)
    svg = faceplate_svg(plate, replace(LIT, upper=Line(evil, evil, evil)))
    root = parsed(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert '<script>alert("1")</script> & \ufffd\ufffd ]]>' in texts(root)
    svg.encode()


@given(
    st.builds(Line, st.text(max_size=12), st.text(max_size=12), st.text(max_size=8), st.booleans()),
    st.text(max_size=300),
)
def test_any_text_makes_a_well_formed_picture(line: Line, text: str) -> None:
    plate = replace(PLATE, property_plate=text, national_approval=text)
    parsed(faceplate_svg(plate, DisplayState(upper=line, lower=line)))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=400))
def test_long_texts_are_printed_smaller_and_whole(text: str) -> None:
    root = parsed(faceplate_svg(replace(PLATE, manufacturer_address=text, property_plate=text), DARK))
    for element in root.iter(f"{SVG}text"):
        size, x = float(element.get("font-size") or 0), float(element.get("x") or 0)
        if element.get("text-anchor") != "middle":
            assert x + 0.6 * size * len(element.text or "") <= 960
    assert set(text.split()) <= {word for printed in texts(root) for word in printed.split()}


def test_the_picture_stands_alone_and_is_always_the_same() -> None:
    svg = faceplate_svg(PLATE, LIT, modules=PLATE.modules())
    assert svg == faceplate_svg(PLATE, LIT, modules=PLATE.modules())
    root = parsed(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "g", "path", "rect", "circle", "text", "title", "desc")
    }
    attributes = {name for element in root.iter() for name in element.keys()}  # noqa: SIM118 - an element is no dict
    assert not {"href", "id", "style", "onload"} & attributes
    assert "url(" not in svg
    assert len(svg) < 50_000


def test_the_led() -> None:
    def led(display: DisplayState) -> str | None:
        circles = parsed(faceplate_svg(PLATE, display)).iter(f"{SVG}circle")
        (circle,) = [circle for circle in circles if circle.get("data-field") == "LED"]
        return circle.get("class")

    assert led(LIT) == "lit"
    assert led(replace(LIT, led=False)) == "unlit"


def modules_in(svg: str) -> Modules:
    """The modules that the path of the code darkens."""
    (path,) = re.findall(r'crispEdges" d="([^"]*)"', svg)
    dark = {
        (int(x) + step, int(y))
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path)
        for step in range(int(width))
    }
    size = max(x for x, _ in dark) - 1  # two modules of quiet zone
    return tuple(tuple((x + 2, y + 2) in dark for x in range(size)) for y in range(size))


def test_the_data_matrix_code_is_drawn_module_by_module() -> None:
    modules = PLATE.modules()
    assert modules_in(faceplate_svg(PLATE, DARK, modules=modules)) == modules
    small = modules_of("E32")
    assert len(modules_in(faceplate_svg(PLATE, DARK, modules=small))) == len(small)


@pytest.mark.parametrize("mode", Mode)
def test_each_mode_has_its_symbol(mode: Mode) -> None:
    plate = Faceplate.of(E320Config(pin="1234", mode=mode))
    drawings = [symbol_svg(symbol) for symbol in plate.symbols]
    assert len(set(drawings)) == len(drawings) == 4
    assert not any("14" in re.findall(r'font-size="(\d+)"', drawing) for drawing in drawings)  # none only written


def test_a_symbol_without_picture_is_written() -> None:
    parsed(symbol_svg("a <new> symbol"))
    assert ">symbol<" in symbol_svg("a <new> symbol")


def test_the_display_alone_is_that_of_the_face() -> None:
    alone = display_svg(LIT)
    assert parsed(alone).findtext(f"{SVG}desc") == parsed(faceplate_svg(PLATE, LIT)).findtext(f"{SVG}desc")
    drawing = alone.partition("</desc>")[2].removesuffix("</svg>")
    assert drawing in faceplate_svg(PLATE, LIT)
    assert drawing not in faceplate_svg(PLATE, replace(LIT, info=False))


# In a notebook.


def test_a_face_shows_itself() -> None:
    face = MeterFace(PLATE, LIT, PLATE.modules())
    assert face._repr_svg_() == face.svg == faceplate_svg(PLATE, LIT, modules=PLATE.modules())


def test_a_meter_has_a_face() -> None:
    meter = Meter(CONFIG)
    assert meter.face == MeterFace(Faceplate.of(CONFIG), DARK)
    meter.advance(0.0, Inputs.of_power(1000, 0, 0))
    meter.advance(100.0)
    assert meter.face.display == meter.display
    assert meter.display.upper != BLANK
