r"""Draws the gallery: plays scripts on reference meters and keeps their faces, as ``gallery/*.svg`` and ``gallery.md``.

::

    STORIES: script --> Meter, advanced to the instant of each shot --> gallery/*.svg
                 \--> titles and sentences -------------------------> gallery.md

``python docs/gallery.py`` writes all files anew; a test compares them with what this program makes.
"""  # noqa: INP001 - a program beside the pages, no package

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from e320proto.meter.config import E320Config
from e320proto.meter.display import LmnState
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.keys import MeterKey
from e320proto.meter.model import Meter
from e320proto.meter.modes import NEGATIVE, POSITIVE, QUADRANTS, Mode, PulseLed
from e320proto.meter.profile import Script, run
from e320proto.meter.script import Step
from e320proto.meter.svg import MeterFace, display_svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOCS: Final = Path(__file__).parent
HEADING: Final = """\
# Gallery

Faces of the [reference meter](reference-meter.md), drawn by the meter itself: `python docs/gallery.py` plays scripts
and writes this page and its pictures. Codes, values, times and the order of all things are those of the model; the
case, the fonts and the places on the glass are drawn freely. No real meter bears these ids and this key.
"""


class Shot(NamedTuple):
    """One picture: when in its story, its file and what it shows."""

    at_s: float
    name: str
    sentence: str
    whole: bool = False
    """The whole face in place of the display alone."""


class Story(NamedTuple):
    """A meter, what happens to it (see :class:`Script`), and the pictures of it."""

    title: str
    config: E320Config
    script: str
    shots: tuple[Shot, ...]


class Picture(NamedTuple):
    """A file of the gallery."""

    name: str
    sentence: str
    svg: str


def config(**parameters: Any) -> E320Config:  # noqa: ANN401 - of any field
    """Configure a meter of the gallery."""
    return E320Config(pin="0210", **parameters)


REGISTERS: Final = MappingProxyType(
    dict(
        zip(
            (POSITIVE, NEGATIVE, *QUADRANTS),
            (51_719_237, 8_406_112, 9_914_205, 1_730_481, 420_077, 3_001_960),
            strict=True,
        )
    )
)
"""Start values, 0.1 Wh."""
BOTH: Final = {code: REGISTERS[code] for code in (POSITIVE, NEGATIVE)}
BALANCED: Final = MappingProxyType({NEGATIVE: 4})
LOAD: Final = "0 load 420 180 160\n"
DAY_S: Final = 86_400
SLOT_S: Final = 10
CONTENT_S: Final = 50 * DAY_S + 30
PINSET_S: Final = 60


def presses(from_s: int, kinds: str) -> str:
    """Script presses of the button, one every ten seconds: S is short, L is long."""
    return "".join(f"{from_s + SLOT_S * slot} flash {5.5 if kind == 'L' else 0.5}\n" for slot, kind in enumerate(kinds))


def after(from_s: int, press: int) -> int:
    """Tell an instant after the press of this number, from 1, and before the next one."""
    return from_s + SLOT_S * press - 1


def sunny_days(days: int) -> str:
    """Script the days of a house that exports at noon, not always as much."""
    return "".join(
        f"{day * DAY_S} load 420 180 160\n"
        f"{day * DAY_S + 36_000} load {-900 - 130 * (day % 7)} -700 -650\n"
        f"{day * DAY_S + 57_600} load 610 240 {150 + 40 * (day % 5)}\n"
        for day in range(days)
    )


STORIES: Final = (
    Story(
        "After power-up",
        config(firmware_checksum="4C47"),
        LOAD,
        (
            Shot(1, "start-dark", "For 2 s the display is dark."),
            Shot(3, "start-upper", "Three times: every segment of the upper line for 2 s,"),
            Shot(5, "start-lower", "and every segment of the lower line for 2 s."),
            Shot(16, "start-version", "`0.2.0`: the firmware version, for 5 s."),
            Shot(21, "start-checksum", "`C.90.2`: the firmware checksum, for 5 s."),
            Shot(25, "start-standard", "From 24 s on the standard display, and the button is read."),
        ),
    ),
    Story(
        "Mode 1: Einrichtungszähler +A",
        config(mode=Mode.IMPORT, type_designation="E320-AM1D.A1A.A0-S1B-S1"),
        f"{LOAD}40 load -900 -700 -650\n60 load 0 0 0",
        (
            Shot(30, "mode-1-import", "Import: +A, and `1.8.0` counts. One register, so nothing rolls."),
            Shot(50, "mode-1-return-stop", "Return stop: -A is lit, while the register and the disk stand."),
            Shot(70, "mode-1-standstill", "Standstill: no direction; the pulse LED is steadily on.", whole=True),
        ),
    ),
    Story(
        "Mode 2: Einrichtungszähler -A",
        config(mode=Mode.EXPORT),
        f"0 load -900 -700 -650\n40 {LOAD[2:]}",
        (
            Shot(30, "mode-2-export", "Export: -A, and `2.8.0` counts."),
            Shot(50, "mode-2-return-stop", "Return stop: +A is lit, while the register and the disk stand."),
        ),
    ),
    Story(
        "Mode 3: Zweirichtungszähler",
        config(),
        f"{LOAD}40 load -900 -700 -650\n60 load 0 0 0\n80 phase L2 off\n{LOAD[2:]}",
        (
            Shot(30, "mode-3-import", "Import. The two registers roll, 10 s each: `1.8.0`", whole=True),
            Shot(38, "mode-3-rolled", "and `2.8.0`."),
            Shot(50, "mode-3-export", "Export."),
            Shot(70, "mode-3-standstill", "Standstill: neither +A nor -A."),
            Shot(90, "missing-phase", "L2 is below 80 % of 230 V; it needs one phase only to go on."),
        ),
    ),
    Story(
        "Mode 4: Saldierender Zähler -A",
        config(mode=Mode.BALANCED),
        "0 load 4000 4000 4000\n36030 load -900 -700 -650",
        (
            Shot(36_010, "mode-4-import", "Import counts `2.8.0` backwards, below 0 too."),
            Shot(36_050, "mode-4-export", "Export counts it up again."),
        ),
    ),
    Story(
        "Mode 5: 4-Quadranten-Zähler",
        config(mode=Mode.QUADRANTS, type_designation="E320-AMCD.C5A.B2-R1B-S1", pulse_led=PulseLed.REACTIVE),
        f"{LOAD}0 reactive 210 90 70",
        (
            Shot(30, "mode-5-transformer", "A meter at current transformers whose LED counts kvarh.", whole=True),
            Shot(50, "mode-5-reactive", "Six registers roll; those of the quadrants are in kvarh."),
        ),
    ),
    Story(
        "Power on the lower line",
        config(pin_protection=False, show_power=True),
        f"{LOAD}40 load -900 -700 -650",
        (
            Shot(30, "power-import", "Active power, where it is enabled and no PIN query protects it: import"),
            Shot(50, "power-export", "and export, with a sign."),
        ),
    ),
    Story(
        "Errors",
        config(),
        f"{LOAD}28 error measuring_system\n28 error lmn",
        (
            Shot(30, "error", "A critical error: `F.F` rolls first; the communication error is in its number, too."),
            Shot(40, "error-rolled", "Then the registers as ever: the meter goes on counting."),
        ),
    ),
    Story(
        "INFO symbol",
        config(push_start_delay_s=60),
        LOAD,
        (
            Shot(35, "info-off", "No push has been sent yet (here they begin after 60 s)."),
            Shot(65, "info-on", "Pushes run."),
        ),
    ),
    Story(
        "Menu: PIN",
        config(mode=Mode.IMPORT, show_power=True),
        f"{LOAD}30 flash 0.5\n38 flash 0.5\n39 flash 0.5\n43 flash 0.5\n{presses(PINSET_S, 'SSSSSSSSLS')}",
        (
            Shot(36, "pin-first", "PIN entry, after the display test. Each short press counts the digit up;"),
            Shot(41, "pin-second", "a pause of 3 s accepts it."),
            Shot(44.5, "pin-third", "The third digit"),
            Shot(48, "pin-last", "and the last one. A wrong PIN leads back to the standard display,"),
            Shot(55, "pin-right", "the right one opens the menu; its first item is the power."),
            Shot(after(PINSET_S, 2), "no-day-yet", "No day has passed yet."),
            Shot(after(PINSET_S, 8), "pin-on", "The end of the menu: the PIN query is on;"),
            Shot(after(PINSET_S, 9), "pin-off", "a long press turns it off."),
            Shot(after(PINSET_S, 10), "pin-off-standard", "Then the standard display shows the power, if enabled."),
        ),
    ),
    Story(
        "Menu: energy, history, data set",
        config(pin_protection=False),
        sunny_days(50) + presses(CONTENT_S, "SSLLSSSSLSLSSSSSSLSSL"),
        (
            Shot(CONTENT_S + 2, "test-upper", "A short press: display test of the upper line,"),
            Shot(CONTENT_S + 4, "test-lower", "by itself 2 s later of the lower line,"),
            Shot(after(CONTENT_S, 1), "power", "then, without a PIN query, the power."),
            Shot(after(CONTENT_S, 2), "energy", "E: energy since the last reset. The upper line tells the register."),
            Shot(after(CONTENT_S, 3), "energy-reset", "A long press asks whether to reset E;"),
            Shot(after(CONTENT_S, 4), "energy-is-reset", "a second one does it, for all registers."),
            Shot(after(CONTENT_S, 6), "day", "The last day,"),
            Shot(after(CONTENT_S, 7), "day-export", "and the same of the other register."),
            Shot(after(CONTENT_S, 8), "week", "The last 7 days."),
            Shot(after(CONTENT_S, 9), "week-before", "A long press browses: the 7 days before them,"),
            Shot(after(CONTENT_S, 10), "week-before-that", "and those before, with each short press."),
            Shot(after(CONTENT_S, 13), "month", "The last 30 days."),
            Shot(after(CONTENT_S, 15), "year", "The last 365 days, as far as there are days."),
            Shot(after(CONTENT_S, 17), "history", "Reset of the history:"),
            Shot(after(CONTENT_S, 18), "history-reset", "a long press asks, a second one deletes all days."),
            Shot(after(CONTENT_S, 20), "reduced-set", "Pushes hold the reduced data set;"),
            Shot(after(CONTENT_S, 21), "extended-set", "a long press changes to the extended one, at once."),
        ),
    ),
    Story(
        "Mains failure",
        config(),
        f"{LOAD}30 power off",
        (Shot(40, "no-supply", "Without supply all is dark. What was counted is kept."),),
    ),
)

LMN: Final = (
    (LmnState.OFF, 30.0, "lmn-dark", "No communication: dark."),
    (LmnState.LAYER2, 30.0, "lmn-lit", "Frames on the bus: lit for 0.5 s,"),
    (LmnState.LAYER2, 30.75, "lmn-dark", "dark for 0.5 s."),
    (LmnState.HDLC, 30.0, "lmn-lit", "An HDLC connection with this meter: lit for 2 s,"),
    (LmnState.HDLC, 33.0, "lmn-dark", "dark for 2 s."),
    (LmnState.TLS, 30.0, "lmn-lit", "A TLS session: steadily lit."),
)
"""What the meter hears at 30 s, when the picture is taken, file and sentence; only two pictures differ."""


def pictures_of(story: Story) -> Iterator[Picture]:
    """Play the script of a story up to each shot, on a new meter each time."""
    script = Script.parse(story.script)
    plate = replace(
        Faceplate.of(story.config, MeterKey.from_private_number(320).public_key),
        property_plate="e320proto reference meter, not for billing",
    )
    for at_s, name, sentence, whole in story.shots:
        registers = BALANCED if story.config.mode is Mode.BALANCED else REGISTERS
        first = {code: registers[code] for code in story.config.mode.registers}
        meter = Meter(story.config, registers=first, pushes=False)
        run(meter, Script((*(step for step in script.steps if step.at_s <= at_s), Step(at_s, "end"))))
        face = MeterFace(plate, meter.display, plate.modules())
        yield Picture(name, sentence, face.svg if whole else display_svg(face.display))


def lmn_pictures() -> Iterator[Picture]:
    """Draw the LMN symbol: tell a meter what it hears on its bus."""
    for heard, at_s, name, sentence in LMN:
        meter = Meter(config(), registers=BOTH, pushes=False)
        meter.advance(0.0)
        meter.advance(30.0)
        match heard:
            case LmnState.LAYER2 | LmnState.HDLC:
                meter.lmn_frame(ours=heard is LmnState.HDLC)
            case LmnState.TLS:
                meter.tls_session(established=True)
            case LmnState.OFF:
                pass
        meter.advance(at_s)
        yield Picture(name, sentence, display_svg(meter.display))


def chapters() -> Iterator[tuple[str, Sequence[Picture]]]:
    """Make all titles with their pictures, in order."""
    for story in STORIES:
        yield story.title, tuple(pictures_of(story))
    yield "LMN symbol", tuple(lmn_pictures())


def files() -> dict[str, str]:
    """Make all files of the gallery: names below ``docs``, and texts."""
    made, page = {}, [HEADING]
    for title, pictures in chapters():
        page.append(f"\n## {title}\n\n| | |\n|---|---|\n")
        for name, sentence, svg in pictures:
            path = f"gallery/{name}.svg"
            made[path] = f"{svg}\n"
            page.append(f"| ![{name}]({path}) | {sentence} |\n")
    return {"gallery.md": "".join(page), **made}


def main() -> None:
    """Write all files, and delete pictures that are none any more."""
    made = files()
    (DOCS / "gallery").mkdir(exist_ok=True)
    for old in (DOCS / "gallery").iterdir():
        old.unlink()
    for name, text in made.items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
