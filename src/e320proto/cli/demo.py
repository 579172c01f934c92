"""A day of a reference meter, lived and decoded in memory: what it sends, what it shows, what damage costs.

::

    household --> Meter, 86,400 pushes --> a flipped bit, noise --> TelegramDecoder --> readings, plot of the power
"""

from __future__ import annotations

import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.text import Text

from e320proto.cli.full_telegram import meter_line, print_telegram
from e320proto.cli.power_plot import power_plot
from e320proto.cli.trouble_lines import TroubleLines
from e320proto.meter.config import E320Config
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.model import Meter
from e320proto.meter.modes import NEGATIVE, POSITIVE
from e320proto.meter.profile import drive, household
from e320proto.sml.telegram import Telegram, TelegramDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from e320proto.events import BytesDiscarded, Malformed

# InF is on, as after entering the PIN; the first push comes early, so that a day has as many of them as seconds.
_CONFIG: Final = E320Config(device_id="1LGZ0012345678", pin="1234", extended_set=True, push_start_delay_s=1)
_REGISTERS: Final = {POSITIVE: 42_718_093, NEGATIVE: 61_204_377}
"""What the meter has counted in its life before, 0.1 Wh."""
_HOUSEHOLD: Final = household(7, solar_kwp=4, day_of_year=100)
_HOUR_S, _HOURS, _MINUTE_S = 3600, 24, 60
_ENERGIES: Final = slice(2, 4)  # behind the maker and the id

_PARAGRAPH = 100  # longer lines are hard to read
_TITLE = 25  # characters of the titles on the faceplate

# Of the last minute:
_DAMAGED = 2  # the third telegram
_DAMAGED_AT = 237  # an octet of its power
_NOISE_BEFORE = 4  # the fifth
_NOISE = bytes.fromhex("00fe7c8013e0f89a40ff0681")

_INTRODUCTION = (
    "A meter like the Landis+Gyr E320 tells its readings once a second, by infrared light at its front. Here is a "
    "reference meter, a program that behaves like one: no meter, no file. It lives a day in a household with solar "
    "power. This is printed on it:"
)
_DAY = "This is its day, {octets:,} octets in {count:,} telegrams, each of them decoded:"
_LAST = "The last telegram of the day:"
_ENERGY = "Energy of the day: {imported} kWh imported, {exported} kWh exported."
_DAMAGE = (
    "{good:,} of {count:,} telegrams were read, and none of them is wrong: one bit of one was flipped, as a bad "
    "optical head might do, and the checksum caught it; line noise between two others cost nothing. "
    "The times are seconds of the meter's own counter, not dates. All this took {seconds:.1f} s."
)
_NEXT = (
    ("e320 meter", "a meter that runs, its face in the terminal"),
    ("e320 meter --pty", "the same, for the program that reads your meter"),
    ("e320 decode FILE", "a capture of your own: octets, hex or base64"),
    ("e320 demo --raw | e320 decode -f jsonl -", "the last minute of this day for programs"),
    ("e320 obis 16.7.0", "what a register means"),
    ("e320 id 1LGZ0012345678", "what the id of a meter says"),
)


@dataclass(slots=True)
class Day:
    """What a decoder made of the pushes of a day.

    Args:
        octets: on the wire.
        count: pushes sent.
        watts: power in each telegram read.
        last: the last telegram.
        trouble: what gave no telegram.
    """

    octets: int = 0
    count: int = 0
    watts: list[float] = field(default_factory=list)
    last: Telegram | None = None
    trouble: list[BytesDiscarded | Malformed] = field(default_factory=list)

    @property
    def energies_kwh(self) -> tuple[float, float]:
        """What was imported and exported, as the last telegram tells it."""
        if self.last is None:
            return 0.0, 0.0
        imported, exported = (wh or 0.0 for wh in self.last.floats[_ENERGIES])
        return (imported - _REGISTERS[POSITIVE] / 10) / 1000, (exported - _REGISTERS[NEGATIVE] / 10) / 1000


def pushes() -> Iterator[list[bytes]]:
    """Have a meter live for a day; give its pushes hour by hour, as it sent them."""
    meter = Meter(_CONFIG, registers=_REGISTERS)
    for hour in range(_HOURS):
        drive(meter, _HOUSEHOLD, (hour + 1) * _HOUR_S, from_s=hour * _HOUR_S)
        yield meter.info_data_to_send()


def damaged(frames: list[bytes]) -> bytes:
    """Put pushes together, with a flipped bit and noise among the last 60 of them."""
    frames = [*frames]
    begin = len(frames) - _MINUTE_S
    flipped = bytearray(frames[begin + _DAMAGED])
    flipped[_DAMAGED_AT] ^= 1 << 4
    frames[begin + _DAMAGED] = bytes(flipped)
    frames.insert(begin + _NOISE_BEFORE, _NOISE)
    return b"".join(frames)


def demo_stream() -> bytes:
    """The last minute of the day, one push damaged, and the noise."""
    *_, last_hour = pushes()
    return damaged(last_hour[-_MINUTE_S:])


def decoded_day() -> Day:
    """Decode a day, an hour at a time; its last minute is damaged."""
    day, decoder = Day(), TelegramDecoder()
    for hour, frames in enumerate(pushes(), start=1):
        octets = damaged(frames) if hour == _HOURS else b"".join(frames)
        day.octets += len(octets)
        day.count += len(frames)
        events = decoder.feed(octets)
        if hour == _HOURS:
            events += decoder.close()
        for event in events:
            if isinstance(event, Telegram):
                day.watts.append(event.floats[-1] or 0.0)
                day.last = event
            else:
                day.trouble.append(event)
    return day


def run_demo(console: Console) -> None:
    """Show the faceplate, the day and its last telegram, and tell what the damage cost."""
    began_s = time.perf_counter()
    _say(console, _INTRODUCTION)
    _print_faceplate(console)
    day = decoded_day()
    took_s = time.perf_counter() - began_s
    _say(console, _DAY.format(octets=day.octets, count=day.count))
    for line in power_plot(day.watts, min(console.width, _PARAGRAPH)):
        console.print(line, soft_wrap=True)
    console.print()
    imported, exported = (f"{kwh:.2f}" for kwh in day.energies_kwh)
    _say(console, " ".join((_ENERGY.format(imported=imported, exported=exported), _LAST)))
    if day.last is not None:
        console.print(meter_line(day.last.server_id), soft_wrap=True)
        print_telegram(console, day.last, set())
        console.print()
    lines = TroubleLines(console)
    for event in day.trouble:
        lines.add(event)
    _say(console, _DAMAGE.format(good=len(day.watts), count=day.count, seconds=took_s))
    console.print("Try next:")
    for command, purpose in _NEXT:
        console.print(f"  {command:42}  {purpose}", soft_wrap=True)


def _print_faceplate(console: Console) -> None:
    """Print what the meter bears; its code is no text for people, and a new meter has no key."""
    for marking in Faceplate.of(_CONFIG).markings:
        if marking.text and marking.title != "Data Matrix":
            lines = textwrap.wrap(marking.text, max(console.width - _TITLE, _TITLE))
            for title, line in zip((marking.title, *[""] * len(lines)), lines, strict=False):
                console.print(Text().append(f"  {title:{_TITLE - 2}}", style="dim").append(line), soft_wrap=True)
    console.print()


def _say(console: Console, text: str) -> None:
    """Print a paragraph."""
    console.print(textwrap.fill(text, min(console.width, _PARAGRAPH)), soft_wrap=True)
    console.print()
