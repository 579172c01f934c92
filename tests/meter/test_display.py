"""The display and its lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.config import E320Config
from e320proto.meter.display import (
    DARK,
    Direction,
    DisplayFacts,
    DisplayState,
    LmnState,
    commissioning_ms,
    display_state,
    next_change,
    render_text,
)
from e320proto.meter.history import View
from e320proto.meter.lines import (
    ALL_SEGMENTS,
    BLANK,
    Line,
    energy_line,
    error_line,
    lower_energy_line,
    menu_line,
    power_line,
)
from e320proto.meter.menu_table import STANDARD, MenuState, Place
from e320proto.meter.modes import NEGATIVE, POSITIVE, QUADRANTS, Mode
from tests.meter.vectors import VECTORS

if TYPE_CHECKING:
    from e320proto.obis import ObisCode

START_MS = 7_777  # the supply came at no round instant
STANDARD_MS = START_MS + 24_000
KWH = 10_000


def config(mode: Mode = Mode.BOTH, **changes: Any) -> E320Config:  # noqa: ANN401 - any field
    return E320Config(pin="1234", mode=mode, **changes)


def facts(**changes: Any) -> DisplayFacts:  # noqa: ANN401 - any field
    registers: dict[ObisCode, int] = {POSITIVE: 51_719_237, NEGATIVE: 3 * KWH}
    registers |= {code: number * KWH for number, code in enumerate(QUADRANTS, start=5)}
    return replace(DisplayFacts(powered_since_ms=START_MS, registers=registers), **changes)


def shown(config: E320Config, facts: DisplayFacts, after_ms: int = 0) -> DisplayState:
    """The display some time after the commissioning sequence."""
    return display_state(config, facts, STANDARD_MS + after_ms)


# Commissioning.

PICTURES = {
    "blank": (BLANK, BLANK),
    "all segments, upper line": (ALL_SEGMENTS, BLANK),
    "all segments, lower line": (BLANK, ALL_SEGMENTS),
    "0.2.0 firmware version": (Line("0.2.0"), Line(value="01.00")),
    "C.90.2 firmware checksum": (Line("C.90.2"), Line(value="0000")),
    "standard display": (Line("1.8.0", "005171", "kWh"), BLANK),
}


@pytest.mark.parametrize("vector", VECTORS["model"]["commissioning"], ids=lambda v: str(v["from_s"]))
def test_vectors_of_the_commissioning_sequence(vector: dict[str, Any]) -> None:
    from_ms = START_MS + round(1000 * vector["from_s"])
    to_ms = from_ms + 10_000 if vector["to_s"] is None else START_MS + round(1000 * vector["to_s"])
    for now_ms in (from_ms, to_ms - 1):
        state = display_state(config(), facts(), now_ms)
        assert (state.upper, state.lower) == PICTURES[vector["show"]], now_ms
    assert next_change(config(), facts(), from_ms) == to_ms


def test_the_dark_start_shows_no_symbol() -> None:
    lively = facts(phases_present=(True, True, True), lmn=LmnState.TLS, pushes_running=True, led=True)
    assert display_state(config(), lively, START_MS + 1999) == replace(DARK, led=True)
    later = display_state(config(), lively, START_MS + 2000)
    assert later.phases == (True, True, True)
    assert later.lmn
    assert later.info


def test_without_supply_all_is_dark() -> None:
    off = facts(powered_since_ms=None, phases_present=(True, True, True), lmn=LmnState.TLS, led=True)
    assert display_state(config(), off, STANDARD_MS) == DARK
    assert next_change(config(), off, STANDARD_MS) is None


def test_a_commissioning_sequence_of_other_times() -> None:
    short = config(boot_dark_s=0, segment_test_rounds=0, version_display_s=0.5, checksum_display_s=0)
    assert commissioning_ms(short) == 500
    assert display_state(short, facts(), START_MS).upper == Line("0.2.0")
    assert next_change(short, facts(), START_MS) == START_MS + 500
    assert display_state(short, facts(), START_MS + 500).upper.code == "1.8.0"


# Upper line.


@pytest.mark.parametrize(
    ("mode", "codes"),
    [
        (Mode.IMPORT, ["1.8.0"]),
        (Mode.EXPORT, ["2.8.0"]),
        (Mode.BOTH, ["1.8.0", "2.8.0"]),
        (Mode.BALANCED, ["2.8.0"]),
        (Mode.QUADRANTS, ["1.8.0", "2.8.0", "5.8.0", "6.8.0", "7.8.0", "8.8.0"]),
    ],
)
@pytest.mark.parametrize("critical", [False, True])
def test_rolling_lists(mode: Mode, codes: list[str], critical: bool) -> None:  # noqa: FBT001 - of the test
    wanted = (["F.F"] if critical else []) + codes
    meter = facts(critical_error=critical, error_register=0x00020010)
    for number, code in enumerate([*wanted, *wanted]):
        first = shown(config(mode), meter, 10_000 * number)
        last = shown(config(mode), meter, 10_000 * number + 9_999)
        assert first == last
        assert first.upper.code == code
        if code == "F.F":
            assert first.upper.value == "00020010"
    assert (next_change(config(mode), meter, STANDARD_MS) is None) == (len(wanted) == 1)


def test_an_error_of_communication_is_not_shown() -> None:
    assert shown(config(), facts(error_register=0x10)).upper.code == "1.8.0"


def test_units() -> None:
    lines = [shown(config(Mode.QUADRANTS), facts(), 10_000 * number).upper for number in range(6)]
    assert [line.unit for line in lines] == ["kWh"] * 2 + ["kvarh"] * 4
    assert lines[2] == Line("5.8.0", "000005", "kvarh")


@pytest.mark.parametrize(
    ("dwh", "digits", "value"),
    [
        (0, 6, "000000"),
        (9_999, 6, "000000"),
        (51_719_237, 6, "005171"),
        (10**10 - 1, 6, "999999"),
        (1_234_567 * KWH, 6, "234567"),
        (12 * KWH, 8, "00000012"),
        (-1, 6, "000000"),
        (-9_999, 6, "000000"),
        (-10_000, 6, "-00001"),
        (-99_999 * KWH, 6, "-99999"),
        (-100_001 * KWH, 6, "-00001"),
        (-7 * KWH, 1, "-7"),
    ],
)
def test_energies_of_the_upper_line(dwh: int, digits: int, value: str) -> None:
    assert energy_line(NEGATIVE, dwh, digits).value == value


def test_digits_of_the_error_register() -> None:
    assert error_line(0x01000000).value == "01000000"
    assert error_line(0x00040601, 4).value == "0601"


# Lower line.


@pytest.mark.parametrize(
    ("show_power", "pin_query", "extended_set", "follows", "visible"),
    [
        (True, False, False, False, True),
        (True, True, False, False, False),
        (False, False, False, False, False),
        (False, False, True, False, False),
        (False, True, True, True, True),
        (False, True, False, True, False),
        (True, False, False, True, True),
    ],
)
def test_power_is_shown_when_it_may_be(
    *, show_power: bool, pin_query: bool, extended_set: bool, follows: bool, visible: bool
) -> None:
    meter = facts(show_power=show_power, pin_query=pin_query, extended_set=extended_set, power_w=-300)
    lower = shown(config(power_follows_inf=follows), meter).lower
    assert lower == (Line("P", "-300", "W") if visible else BLANK)


@pytest.mark.parametrize(
    ("menu", "energy_dwh", "line"),
    [
        (STANDARD, None, BLANK),
        (MenuState(Place.TEST_U), None, BLANK),
        (MenuState(Place.TEST_L), None, ALL_SEGMENTS),
        (MenuState(Place.PIN, digits="0"), None, Line("PIn", "0---")),
        (MenuState(Place.PIN, digits="30"), None, Line("PIn", "30--")),
        (MenuState(Place.PIN, digits="3025"), None, Line("PIn", "3025")),
        (MenuState(Place.PIN_LOCKED), None, Line("PIn", "----")),
        (MenuState(Place.P), None, Line("P", "1200", "W")),
        (MenuState(Place.E, register=1), 12_345_678, Line("E", "1234.5", "kWh")),
        (MenuState(Place.E_CLR, register=1), 12_345_678, Line("E", "CLr")),
        (MenuState(Place.H, View.DAY, 1, 1), 1_999, Line("1d", "0.1", "kWh")),
        (MenuState(Place.H, View.YEAR, 1, 1), None, Line("365d", "-----")),
        (MenuState(Place.HB, View.WEEK, 2, 2), 0, Line("7d-1", "0.0", "kWh")),
        (MenuState(Place.HB, View.MONTH, 2, 3), -54_321, Line("30d-2", "-5.4", "kWh")),
        (MenuState(Place.HIS), None, Line("HIS")),
        (MenuState(Place.HIS_CLR), None, Line("HIS", "CLr on")),
        (MenuState(Place.INF), None, Line("InF", "OFF")),
        (MenuState(Place.PINSET), None, Line("PIn", "On")),
    ],
    ids=str,
)
def test_pictures_of_the_menu(menu: MenuState, energy_dwh: int | None, line: Line) -> None:
    meter = facts(menu=menu, menu_energy_dwh=energy_dwh, power_w=1200, pin_query=True, show_power=True)
    assert shown(config(), meter).lower == line


def test_switches() -> None:
    assert shown(config(), facts(menu=MenuState(Place.INF), extended_set=True)).lower == Line("InF", "On")
    assert shown(config(), facts(menu=MenuState(Place.PINSET))).lower == Line("PIn", "OFF")


@pytest.mark.parametrize("place", Place)
def test_every_place_of_the_menu_has_a_picture(place: Place) -> None:
    state = MenuState(place, View.DAY, 1, 1, "0")
    line = menu_line(config(), state, power_w=0, energy_dwh=None, extended_set=False, pin_query=False)
    assert (line == BLANK) == (place in {Place.STD, Place.TEST_U})


def test_upper_line_beside_the_menu() -> None:
    assert shown(config(), facts(menu=MenuState(Place.TEST_U))).upper == ALL_SEGMENTS
    assert shown(config(), facts(menu=MenuState(Place.TEST_L))).upper == BLANK
    for place in (Place.E, Place.E_CLR, Place.H, Place.HB):
        meter = facts(menu=MenuState(place, View.DAY, 2, 1))
        assert shown(config(), meter).upper == Line("2.8.0", "000003", "kWh")
        assert next_change(config(), meter, STANDARD_MS) is None  # nothing rolls
    rolling = facts(menu=MenuState(Place.HIS))
    assert [shown(config(), rolling, after_ms).upper.code for after_ms in (0, 10_000)] == ["1.8.0", "2.8.0"]


@given(st.integers(-(10**10), 10**10))
def test_energies_of_the_lower_line_are_cut_off(dwh: int) -> None:
    value = lower_energy_line("E", dwh).value
    tenths = int(value.replace(".", ""))
    assert abs(tenths) == abs(dwh) // 1000
    assert value.startswith("-") == (tenths < 0)


@given(st.integers(-(10**7), 10**7))
def test_power_is_an_integer_with_sign(power_w: int) -> None:
    assert int(power_line(power_w).value) == power_w


# Symbols.


@pytest.mark.parametrize("vector", VECTORS["model"]["lmn_symbol"], ids=lambda v: v["state"])
def test_vectors_of_the_lmn_symbol(vector: dict[str, Any]) -> None:
    entry_ms = STANDARD_MS + 345
    meter = facts(lmn=LmnState(vector["state"]), lmn_since_ms=entry_ms)
    on_ms, off_ms = (None if vector[key] is None else round(1000 * vector[key]) for key in ("on_s", "off_s"))
    for after_ms in range(0, 9_000, 50):
        lit = on_ms is None if on_ms is None or off_ms is None else after_ms % (on_ms + off_ms) < on_ms
        assert display_state(config(), meter, entry_ms + after_ms).lmn == lit, after_ms
    if on_ms and off_ms:
        assert next_change(config(Mode.IMPORT), meter, entry_ms) == entry_ms + on_ms
        assert next_change(config(Mode.IMPORT), meter, entry_ms + on_ms) == entry_ms + on_ms + off_ms


def test_symbols_follow_the_facts() -> None:
    meter = facts(phases_present=(True, False, True), direction=Direction.EXPORT, disk=3, led=True)
    state = shown(config(), meter)
    assert (state.phases, state.direction, state.disk, state.led) == ((True, False, True), Direction.EXPORT, 3, True)
    assert shown(config(), facts()).direction is None


def test_info_symbol() -> None:
    running = facts(pushes_running=True, push_count=2)
    odd = replace(running, push_count=3)
    assert not shown(config(), facts(push_count=3)).info
    assert [shown(config(), meter).info for meter in (running, odd)] == [True, True]
    assert [shown(config(info_symbol="blink"), meter).info for meter in (running, odd)] == [False, True]


# Change.

meters = st.builds(
    facts,
    lmn=st.sampled_from(LmnState),
    lmn_since_ms=st.integers(START_MS, START_MS + 30_000),
    critical_error=st.booleans(),
    menu=st.sampled_from(
        [STANDARD, MenuState(Place.TEST_U), MenuState(Place.TEST_L), MenuState(Place.E, register=1), MenuState(Place.P)]
    ),
)


@given(meter=meters, mode=st.sampled_from(Mode), from_ms=st.integers(0, 60_000), part=st.floats(0, 1))
def test_nothing_changes_before_the_next_change(meter: DisplayFacts, mode: Mode, from_ms: int, part: float) -> None:
    settings = config(mode)
    now_ms = max(START_MS + from_ms, meter.lmn_since_ms)
    change_ms = next_change(settings, meter, now_ms)
    before = display_state(settings, meter, now_ms)
    last_ms = now_ms + 100_000 if change_ms is None else change_ms - 1
    assert last_ms >= now_ms
    for later_ms in (last_ms, round(now_ms + part * (last_ms - now_ms))):
        assert display_state(settings, meter, later_ms) == before
    if change_ms is not None:
        assert display_state(settings, meter, change_ms) != before


# Text.


def test_text_of_a_full_display() -> None:
    state = DisplayState(
        upper=ALL_SEGMENTS,
        lower=ALL_SEGMENTS,
        phases=(True, True, True),
        direction=Direction.EXPORT,
        disk=3,
        lmn=True,
        info=True,
    )
    assert render_text(state).splitlines() == [
        "+--------------------------------------+",
        "|  8.8.8.8     88888888  kvarWh        |",
        "|  L1 L2 L3    -A <-    . . . =   LMN  |",
        "|  8.8.8.8     88888888  kvarWh  INFO  |",
        "+--------------------------------------+",
    ]


def test_text_without_supply() -> None:
    assert render_text(DARK).splitlines()[1:4] == [f"|{' ' * 38}|"] * 3


@given(meter=meters, mode=st.sampled_from(Mode), from_ms=st.integers(0, 60_000))
def test_the_frame_has_one_size(meter: DisplayFacts, mode: Mode, from_ms: int) -> None:
    now_ms = max(START_MS + from_ms, meter.lmn_since_ms)
    rows = render_text(display_state(config(mode), meter, now_ms)).splitlines()
    assert [len(row) for row in rows] == [40] * 5
