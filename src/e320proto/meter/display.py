"""The display: what every segment shows at an instant.

::

    +--------------------------------------+
    |  1.8.0         005171  kWh           |   upper line: code, value, unit; rolls
    |  L1 L2 L3    +A ->    . = . .   LMN  |   status: phases, direction, disk, LMN
    |  P               1234  W       INFO  |   lower line: for information only; the menu
    +--------------------------------------+

After power-up (times are parameters):

==========  ==================================================
s           display
==========  ==================================================
0 to 2      dark
2 to 14     three times: upper line all segments, lower line
14 to 19    upper ``0.2.0``, lower the firmware version
19 to 24    upper ``C.90.2``, lower the firmware checksum
from 24     standard display and menu
==========  ==================================================

What is shown follows from :class:`DisplayFacts` and the instant alone, so :func:`display_state` is a function without
memory. :func:`next_change` tells when the display changes by itself; all other changes come from new facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from e320proto.meter.lines import ALL_SEGMENTS, BLANK, Line, energy_line, error_line, menu_line, power_line
from e320proto.meter.menu_table import STANDARD, MenuState, Place
from e320proto.obis import ObisCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config

_VERSION: Final = ObisCode.parse("0.2.0")
_CHECKSUM: Final = ObisCode.parse("C.90.2")


class LmnState(StrEnum):
    """What the LMN symbol tells; the last one that holds counts."""

    OFF = "off"
    """No communication: dark."""
    LAYER2 = "layer2"
    """Frames of layer 2: 0.5 s on, 0.5 s off."""
    HDLC = "hdlc"
    """HDLC connection with this meter: 2 s on, 2 s off."""
    TLS = "tls"
    """TLS session established: on."""


_DISK_BARS: Final = 4
_WIDTH: Final = 34

_BLINK_PERIOD_MS: Final = {LmnState.LAYER2: 1000, LmnState.HDLC: 4000}


class Direction(StrEnum):
    """Energy direction, an arrow beside +A or -A."""

    IMPORT = "+A"
    EXPORT = "-A"


_ARROWS: Final = {Direction.IMPORT: "+A ->", Direction.EXPORT: "-A <-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayFacts:
    """What the display depends on beside the instant.

    Args:
        powered_since_ms: when the supply came; ``None`` without supply.
        registers: energy registers of the mode, in 0.1 Wh (0.1 varh).
        power_w: sum of the active power, W, import positive.
        error_register: the error register.
        critical_error: whether a critical error is pending.
        phases_present: whether L1, L2 and L3 are present.
        direction: where the energy flows; ``None`` below the starting current.
        disk: which of the four bars is lit, 0 to 3.
        led: whether the pulse LED is lit.
        lmn: state of the LMN interface.
        lmn_since_ms: when it was entered.
        pushes_running: whether INFO pushes run.
        push_count: number of pushes so far.
        menu: where the user menu is.
        menu_energy_dwh: the value of E or of the history that the menu shows, 0.1 Wh; ``None`` when there is none.
        show_power: whether active power may appear on the lower line.
        extended_set: InF.
        pin_query: whether the PIN query is on; always false in a meter without PIN protection.
    """

    powered_since_ms: int | None = None
    registers: Mapping[ObisCode, int] = field(default_factory=dict)
    power_w: int = 0
    error_register: int = 0
    critical_error: bool = False
    phases_present: tuple[bool, bool, bool] = (False, False, False)
    direction: Direction | None = None
    disk: int = 0
    led: bool = False
    lmn: LmnState = LmnState.OFF
    lmn_since_ms: int = 0
    pushes_running: bool = False
    push_count: int = 0
    menu: MenuState = STANDARD
    menu_energy_dwh: int | None = None
    show_power: bool = False
    extended_set: bool = False
    pin_query: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayState:
    """What the meter's face shows at an instant.

    Args:
        upper: the line for billing.
        lower: the line for information.
        phases: whether L1, L2 and L3 are lit.
        direction: which of +A and -A is lit with its arrow; ``None`` for neither.
        disk: which of the four bars is lit, 0 to 3; ``None`` for none.
        lmn: whether the LMN symbol is lit.
        info: whether the INFO symbol is lit.
        led: whether the pulse LED is lit.

    Source: E320 manual, section 5.1.
    """

    upper: Line = BLANK
    lower: Line = BLANK
    phases: tuple[bool, bool, bool] = (False, False, False)
    direction: Direction | None = None
    disk: int | None = None
    lmn: bool = False
    info: bool = False
    led: bool = False


DARK: Final = DisplayState()
"""The display without supply."""


def display_state(config: E320Config, facts: DisplayFacts, now_ms: int) -> DisplayState:
    """Tell what the face shows at an instant.

    Args:
        config: mode, times and texts.
        facts: what holds at that instant.
        now_ms: the instant, not before ``facts.powered_since_ms`` and ``facts.lmn_since_ms``.

    Source: E320 manual, sections 4.6 (commissioning), 5.1 (display) and 5.5.1 (menu).

    >>> from e320proto.meter.config import E320Config
    >>> from e320proto.meter.modes import NEGATIVE, POSITIVE
    >>> facts = DisplayFacts(powered_since_ms=0, registers={POSITIVE: 51_719_237, NEGATIVE: 0})
    >>> display_state(E320Config(pin="1234"), facts, 24_000).upper
    Line(code='1.8.0', value='005171', unit='kWh', all_segments=False)
    """
    if facts.powered_since_ms is None:
        return DARK
    since_ms = now_ms - facts.powered_since_ms
    shown = next((lines for end_ms, lines in _commissioning(config) if since_ms < end_ms), None)
    if shown == (BLANK, BLANK):
        return DisplayState(led=facts.led)
    upper, lower = shown or (_upper(config, facts, since_ms), _lower(config, facts))
    return DisplayState(
        upper=upper,
        lower=lower,
        phases=facts.phases_present,
        direction=facts.direction,
        disk=facts.disk,
        lmn=_lmn_lit(facts, now_ms),
        info=facts.pushes_running and (config.info_symbol == "steady" or facts.push_count % 2 == 1),
        led=facts.led,
    )


def next_change(config: E320Config, facts: DisplayFacts, now_ms: int) -> int | None:
    """Tell when the face changes next if the facts stay.

    Returns:
        The instant, after ``now_ms``; ``None`` if never.

    >>> from e320proto.meter.config import E320Config
    >>> config, facts = E320Config(pin="1234"), DisplayFacts(powered_since_ms=1000)
    >>> [next_change(config, facts, now_ms) for now_ms in (1000, 3000, 24_999, 25_000, 40_000)]
    [3000, 5000, 25000, 35000, 45000]
    """
    if facts.powered_since_ms is None:
        return None
    since_ms = now_ms - facts.powered_since_ms
    changes = []
    boot_ms = next((end_ms for end_ms, _ in _commissioning(config) if since_ms < end_ms), None)
    if boot_ms is not None:
        changes.append(facts.powered_since_ms + boot_ms)
    elif _rolls(facts) and len(_upper_list(config, facts)) > 1:
        roll_ms = round(1000 * config.roll_interval_s)
        changes.append(now_ms + roll_ms - (since_ms - commissioning_ms(config)) % roll_ms)
    period_ms = _BLINK_PERIOD_MS.get(facts.lmn)
    if period_ms is not None and since_ms >= round(1000 * config.boot_dark_s):
        half_ms = period_ms // 2
        changes.append(now_ms + half_ms - (now_ms - facts.lmn_since_ms) % half_ms)
    return min(changes, default=None)


def commissioning_ms(config: E320Config) -> int:
    """How long the commissioning sequence lasts; the button is ignored until then.

    >>> from e320proto.meter.config import E320Config
    >>> commissioning_ms(E320Config(pin="1234"))
    24000
    """
    return _commissioning(config)[-1][0]


def power_shown(config: E320Config, facts: DisplayFacts) -> bool:
    """Whether the standard display shows the power: it is enabled, and no PIN query protects it.

    With ``power_follows_inf`` the extended data set alone shows it.
    """
    return (facts.show_power and not facts.pin_query) or (config.power_follows_inf and facts.extended_set)


def render_text(state: DisplayState) -> str:
    """Draw the display in a frame of fixed width.

    >>> upper, lower = Line("1.8.0", "005171", "kWh"), Line("P", "1234", "W")
    >>> lit = {"phases": (True, True, False), "direction": Direction.IMPORT, "disk": 1, "lmn": True, "info": True}
    >>> print(render_text(DisplayState(upper=upper, lower=lower, **lit)))
    +--------------------------------------+
    |  1.8.0         005171  kWh           |
    |  L1 L2       +A ->    . = . .   LMN  |
    |  P               1234  W       INFO  |
    +--------------------------------------+
    """
    phases = " ".join(f"L{number}" if lit else "  " for number, lit in enumerate(state.phases, start=1))
    arrow = "" if state.direction is None else _ARROWS[state.direction]
    disk = " ".join("." if state.disk != bar else "=" for bar in range(_DISK_BARS))
    rows = (
        f"{_row(state.upper)}    ",
        f"{phases}    {arrow:<5}    {disk if state.disk is not None else '':<7}{'LMN' if state.lmn else '':>6}",
        f"{_row(state.lower)}{'INFO' if state.info else '':>4}",
    )
    edge = f"+{'-' * (_WIDTH + 4)}+"
    return "\n".join([edge, *(f"|  {row:<{_WIDTH}}  |" for row in rows), edge])


def _row(line: Line) -> str:
    shown = Line("8.8.8.8", "88888888", "kvarWh") if line.all_segments else line
    return f"{shown.code:<10}{shown.value:>10}  {shown.unit:<8}"


def _commissioning(config: E320Config) -> list[tuple[int, tuple[Line, Line]]]:
    """Upper and lower line of each step, and when it ends, in ms after power-up."""
    test_s = config.segment_test_s
    steps = [
        (config.boot_dark_s, (BLANK, BLANK)),
        *[(test_s, (ALL_SEGMENTS, BLANK)), (test_s, (BLANK, ALL_SEGMENTS))] * config.segment_test_rounds,
        (config.version_display_s, (Line(_VERSION.display), Line(value=config.firmware_version))),
        (config.checksum_display_s, (Line(_CHECKSUM.display), Line(value=config.firmware_checksum))),
    ]
    ends, end_ms = [], 0
    for lasts_s, lines in steps:
        end_ms += round(1000 * lasts_s)
        ends.append((end_ms, lines))
    return ends


def _upper(config: E320Config, facts: DisplayFacts, since_ms: int) -> Line:
    menu = facts.menu
    match menu.place:
        case Place.TEST_U:
            return ALL_SEGMENTS
        case Place.TEST_L:
            return BLANK
        case Place.E | Place.E_CLR | Place.H | Place.HB:
            code = config.mode.registers[menu.register - 1]
            return energy_line(code, facts.registers.get(code, 0), config.upper_digits)
        case _:
            lines = _upper_list(config, facts)
            rolled = (since_ms - commissioning_ms(config)) // round(1000 * config.roll_interval_s)
            return lines[rolled % len(lines)]


def _rolls(facts: DisplayFacts) -> bool:
    return facts.menu.place not in {Place.TEST_U, Place.TEST_L, Place.E, Place.E_CLR, Place.H, Place.HB}


def _upper_list(config: E320Config, facts: DisplayFacts) -> list[Line]:
    """F.F while a critical error is pending, then the registers of the mode."""
    errors = [error_line(facts.error_register, config.ff_digits)] if facts.critical_error else []
    return errors + [
        energy_line(code, facts.registers.get(code, 0), config.upper_digits) for code in config.mode.registers
    ]


def _lower(config: E320Config, facts: DisplayFacts) -> Line:
    if facts.menu.place is Place.STD:
        return power_line(facts.power_w) if power_shown(config, facts) else BLANK
    return menu_line(
        config,
        facts.menu,
        power_w=facts.power_w,
        energy_dwh=facts.menu_energy_dwh,
        extended_set=facts.extended_set,
        pin_query=facts.pin_query,
    )


def _lmn_lit(facts: DisplayFacts, now_ms: int) -> bool:
    period_ms = _BLINK_PERIOD_MS.get(facts.lmn)
    if period_ms is None:
        return facts.lmn is LmnState.TLS
    return (now_ms - facts.lmn_since_ms) % period_ms < period_ms // 2
