"""One telegram in full: a table of its entries, and below it what they mean together."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from e320proto.cli.entry_table import entry_lines
from e320proto.obis import ObisCode
from e320proto.sml.messages import SecIndex
from e320proto.sml.wording import (
    DIRECTIONS,
    NOTES,
    QUIRKS,
    REDUCED,
    meter_words,
    moment,
    status_words,
    time_words,
)
from e320proto.status import status

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableSet

    from rich.console import Console

    from e320proto.identity import ServerId
    from e320proto.sml.telegram import Telegram

_STATUS_WORD = ObisCode.parse("96.5.0")
_LABEL = 13  # characters of a label with blanks around it
_PIN = "PIN"


def meter_line(server: ServerId | None) -> Text:
    """The heading of a meter."""
    line = Text(f"Meter {meter_words(server)}", style="bold")
    if server is None:
        return line
    device = server.device_id
    facts = [server.manufacturer, device.medium_name if device else server.form.value, f"server id {server.hex}"]
    return line.append(f"  {', '.join(fact for fact in facts if fact)}", style="dim")


def print_telegram(console: Console, telegram: Telegram, explained: MutableSet[str]) -> None:
    """Print a telegram in full.

    Args:
        console: where to.
        telegram: what.
        explained: ids of rules and notes that were explained before; what is explained now is added.
    """
    time = moment(telegram)
    head = Text(f"Telegram at octet {telegram.offset}, {time_words(time)}", style="bold")
    if isinstance(time, SecIndex):
        head.append(" of the meter's counter", style="dim")
    console.print(head, soft_wrap=True)
    if telegram.entries:
        for row in entry_lines(telegram.entries, console.width, fold=console.is_terminal):
            console.print(row, soft_wrap=True)
    for label, text in telegram_facts(telegram, explained):
        for number, line in enumerate(textwrap.wrap(text, max(console.width - _LABEL, _LABEL))):
            fact = Text().append(f"  {'' if number else label:{_LABEL - 2}}", style="dim")
            console.print(fact.append(line, style="yellow" if label == _PIN else ""), soft_wrap=True)


def telegram_facts(telegram: Telegram, explained: MutableSet[str]) -> Iterator[tuple[str, str]]:
    """What there is to say beside the entries: a label and a text each; see :func:`print_telegram`."""
    power = telegram.net_power
    if not telegram.entries:
        yield "entries", "none"
    if telegram.status is not None:
        yield "direction", DIRECTIONS[telegram.direction]
    if power is not None:
        yield "net power", str(power)
    for label, found in (("status", _statuses(telegram)), ("time", _other_times(telegram))):
        for text, codes in found.items():
            yield label, f"{text} ({', '.join(codes)})"
    signed = [entry.obis.short for entry in telegram.entries if entry.signature is not None]
    if signed:
        yield "signature", f"sent with {', '.join(signed)}; not checked"
    for label, ids, words in (("rule", telegram.quirks, QUIRKS), ("note", telegram.notes, NOTES)):
        for name in ids:
            yield label, name if name in explained else f"{name}: {words.get(name, 'see the documentation')}"
            explained.add(name)
    if telegram.reduced and REDUCED not in explained:
        explained.add(REDUCED)
        yield _PIN, REDUCED


def _statuses(telegram: Telegram) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in telegram.entries:
        word = entry.status
        if entry.obis == _STATUS_WORD and type(entry.raw) is int and entry.width and entry.raw >= 0:
            word = status(entry.raw, entry.width)
        if word is not None:
            found.setdefault(status_words(word), []).append(entry.obis.short)
    return found


def _other_times(telegram: Telegram) -> dict[str, list[str]]:
    """Times of entries that are not the time in the heading."""
    found: dict[str, list[str]] = {}
    shown = moment(telegram)
    for entry in telegram.entries:
        if entry.time is not None and time_words(entry.time) != time_words(shown):
            found.setdefault(time_words(entry.time), []).append(entry.obis.short)
    return found
