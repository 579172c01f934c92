"""The front of the meter as text, in the states that a user meets."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from e320proto.cli.meter_screen import WIDTH, ScreenFacts, large, meter_screen
from e320proto.meter import E320Config, Fault, Inputs, Meter, Phase
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.modes import POSITIVE
from e320proto.meter.segments import cells_of

PLAIN = ScreenFacts()


def drawn(meter: Meter, facts: ScreenFacts = PLAIN, width: int = WIDTH) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True)
    console.print(meter_screen(Faceplate.of(meter.config), meter.display, facts, width))
    return console.export_text().splitlines()


def glass(meter: Meter) -> list[str]:
    """The lines of the LCD: three of the upper line, status and lower line between blank ones."""
    return [line.split("┃")[1].strip() for line in drawn(meter) if "┃" in line]


def beside(meter: Meter, facts: ScreenFacts = PLAIN) -> str:
    """What is right of the LCD."""
    return "\n".join(line.split("┃")[2] for line in drawn(meter, facts) if "┃" in line)


@pytest.fixture
def meter() -> Meter:
    meter = Meter(E320Config(pin="1234"), registers={POSITIVE: 12_003_456})
    meter.advance(0.0, Inputs.of_power(1000, 500, -300))
    return meter


def test_front_fits_a_small_terminal(meter: Meter) -> None:
    facts = ScreenFacts(outlets=[("/dev/pts/3", 0)], events=["1", "2", "3", "4"], keys=["keys", "keys"])
    lines = drawn(meter, facts)
    assert len(lines) <= 23
    assert {len(line) for line in lines if line[0] in "╭│╰"} == {80}


def test_dark_after_power_up(meter: Meter) -> None:
    assert set("".join(glass(meter))) == set()
    assert "●" not in beside(meter)


def test_segment_test_lights_all_of_a_line(meter: Meter) -> None:
    meter.advance(2.5)
    upper = glass(meter)
    assert upper[0] == "█▀█ " * 8 + "  kWh"
    assert upper[2].startswith("8.8.8.8.8.▀▀▀.▀▀▀.")
    assert upper[6] == "▐INFO▌"
    meter.advance(4.5)
    lower = glass(meter)
    assert lower[:4] == [""] * 4
    assert lower[6].split() == ["8.8.8.8.8.8.8.", "8.8.8.8.8.8.8.8.", "kWh", "W", "▐INFO▌"]


def test_firmware_version(meter: Meter) -> None:
    meter.advance(15.0)
    lines = glass(meter)
    assert lines[2] == "0.2.0"
    assert lines[6].split() == ["01.00", "▐INFO▌"]


def test_standard_display(meter: Meter) -> None:
    meter.advance(30.0)
    lines = glass(meter)
    first, second, third = large(cells_of("001200", 6))
    assert (lines[0], lines[1]) == (f"{first}  kWh", second.strip())
    assert lines[2].split(maxsplit=1) == ["1.8.0", third.strip()]
    assert lines[4].startswith("L1 L2 L3     +A ━▶")
    assert lines[4].count("▬") == 1
    assert lines[4].count("·") == 3
    assert "5000 imp/kWh" in beside(meter)


def test_export_points_the_other_way(meter: Meter) -> None:
    meter.advance(30.0, Inputs.of_power(-1000, 0, 0))
    assert "◀━ -A" in glass(meter)[4]
    assert "+A" not in glass(meter)[4]


def test_missing_phase_and_idle_meter(meter: Meter) -> None:
    meter.advance(30.0, Inputs((Phase(), Phase(0.0), Phase())))
    status = glass(meter)[4]
    assert status.startswith("L1    L3  ")
    assert "A" not in status.replace("INFO", "")
    assert "● 5000 imp/kWh" in beside(meter), "below the starting current the LED is steadily on"


def test_menu(meter: Meter) -> None:
    meter.advance(25.0)
    meter.flash(1000, 0.5)
    meter.advance(30.0)  # two tests of 2 s behind the release
    assert glass(meter)[6].split() == ["PIn", "0---", "▐INFO▌"]


def test_error_register(meter: Meter) -> None:
    meter.advance(24.0)
    meter.raise_fault(Fault.MEASURING_SYSTEM)
    lines = glass(meter)
    assert lines[2].split(maxsplit=1) == ["F.F", large(cells_of("00020000", 8))[2].strip()]
    assert lines[1] == large(cells_of("00020000", 8))[1].strip()


def test_dark_without_mains(meter: Meter) -> None:
    meter.advance(30.0)
    meter.power(on=False)
    assert set("".join(glass(meter))) == set()
    assert "● " not in beside(meter)


def test_led_shows_pulses_between_pictures(meter: Meter) -> None:
    meter.advance(30.1)
    assert "○ 5000 imp/kWh" in beside(meter)
    assert "● 5000 imp/kWh" in beside(meter, ScreenFacts(pulsed=True))


def test_light_on_the_button(meter: Meter) -> None:
    assert "☼" not in beside(meter)
    assert "☼" in beside(meter, ScreenFacts(lit=True))


def test_printed_fields(meter: Meter) -> None:
    shown = "\n".join(drawn(meter))
    for text in (
        "E320-AM3D.A3A.A0-S1B-S1   Zweirichtungszähler",
        "1 LGZ00 6353 9421",
        "Server-ID 0A014C475A0003C988DD",
        "3 x 230/400 V, 50 Hz, 0.25-5(100) A   Kl. A",
    ):
        assert text in shown


def test_what_stands_below(meter: Meter) -> None:
    facts = ScreenFacts(
        readings=("second 7", "P 1200 W"),
        load="L1 1000 W",
        outlets=[("/dev/pts/3", 0), ("[::1]:7000", 1), ("port", 1234)],
        events=["first", "second", "third", "fourth"],
        keys=["q quit"],
        speed=8,
    )
    below = [line.strip() for line in drawn(meter, facts)[15:]]
    assert below == [
        "second 7   P 1200 W   8 x speed",
        "L1 1000 W",
        "sends to /dev/pts/3, [::1]:7000 (1 frame dropped), port (1,234 frames dropped)",
        "second",
        "third",
        "fourth",
        "q quit",
    ]


def test_narrow_terminal_gets_the_display_alone(meter: Meter) -> None:
    meter.advance(30.0)
    lines = drawn(meter, width=60)
    assert lines[0] == f"+{'-' * 38}+"
    assert "1.8.0" in lines[1]
    assert max(map(len, lines)) <= 60


def test_nothing_depends_on_colours(meter: Meter) -> None:
    meter.advance(30.0)
    console = Console(file=io.StringIO(), width=80, no_color=True, record=True)
    console.print(meter_screen(Faceplate.of(meter.config), meter.display, PLAIN))
    assert console.export_text().splitlines() == drawn(meter)
