"""Lines on a screen: one in full, or many in a table.

::

    1 LGZ00 6353 9421  Landis+Gyr, electricity, server id 0a014c475a0003c988dd
    tcp://127.0.0.1:7000  receiving  1.00 telegrams/s

      import  1234 W            ▂▃▄▅▆▇█▇▆▅▄▃▂

      OBIS          Name                        Value  Unit
      1-0:1.8.0*255 Active energy import ...
      status        L1 L2 L3 present, ...
      trouble       2 frames damaged (bad_crc), 17 octets of noise
    ! 2 of 60 telegrams of the last minute were damaged, ...

The most important is above: a terminal that is not high enough loses the end of the table of readings first.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from rich.text import Text

from e320proto.cli.entry_table import entry_lines
from e320proto.cli.full_telegram import meter_line, telegram_facts
from e320proto.cli.sparkline import sparkline
from e320proto.live.findings import Severity
from e320proto.sml.quirks import Direction
from e320proto.sml.wording import plural, time_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from e320proto.cli.monitored import LineFacts
    from e320proto.live.findings import Finding
    from e320proto.live.line import Counts
    from e320proto.sml.telegram import Telegram
    from e320proto.units import Quantity

SIGNS: Final = {Severity.FAULT: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
"""Stands before a finding."""
_STYLES: Final = {Severity.FAULT: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "dim"}
_STATES: Final = {"receiving": "bold green", "connecting": "yellow", "stopped": "dim"}
_BAD_STATE: Final = "bold red"
_EXPORT, _IMPORT = "green", "cyan"
_LABEL: Final = 12
_POWER: Final = 26
_MOST_FINDINGS: Final = 5
_LEAST_READINGS: Final = 3


def line_screen(facts: LineFacts, width: int, height: int) -> list[Text]:
    """Draw one line in full.

    Args:
        facts: what is known of it.
        width: characters of a line of the terminal.
        height: its lines.
    """
    telegram = facts.telegram
    head = [meter_line(telegram.server_id)] if telegram is not None else []
    head += [*_state_lines(facts), Text()]
    below = [*_trouble(facts, width), *finding_lines(facts.findings, width)]
    if telegram is not None:
        head += [*_power(facts, telegram, width), Text()]
        below = [*_said(telegram, width), *below]
        readings = list(entry_lines(telegram.entries, width - 2)) if telegram.entries else []
        room = max(height - len(head) - len(below), _LEAST_READINGS)
        if len(readings) > room:
            more = plural(len(readings) - room + 1, "more line")
            readings = [*readings[: room - 1], Text(f"  ... {more}: the window is not high enough", style="dim")]
        head += readings
    return _cropped([*head, *below], height)


def table_screen(lines: Sequence[LineFacts], width: int, height: int) -> list[Text]:
    """Draw many lines, a row each, and what is wrong with them."""
    rows = [_row(number, facts) for number, facts in enumerate(lines, start=1)]
    heads = ("", "meter", "state", "power", "import", "export", "per s", "trouble")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    plot = max(width - sum(widths) - 2 * len(widths), 0)
    drawn = [Text("  ".join(head.ljust(size) for head, size in zip(heads, widths, strict=True)), style="dim")]
    for row, facts in zip(rows, lines, strict=True):
        cells = [
            cell.ljust(size) if at in {1, 2} else cell.rjust(size)
            for at, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        text = Text("  ".join(cells), style=_state_style(facts.state))
        drawn.append(text.append("  ").append(_one_row(facts.powers, plot)))
    found: list[Text] = []
    for number, facts in enumerate(lines, start=1):
        bad = [finding for finding in facts.findings if finding.severity is not Severity.NOTE]
        found += finding_lines(bad[:1], width, name=f"{number} {facts.name}: ")
    return _cropped([*drawn, Text(), *found], height)


def finding_lines(findings: Sequence[Finding], width: int, name: str = "") -> list[Text]:
    """Draw what is wrong, folded between words."""
    lines = []
    for finding in findings[:_MOST_FINDINGS]:
        sign = SIGNS[finding.severity]
        folded = textwrap.wrap(f"{name}{finding.text}", max(width - 3, 10), break_on_hyphens=False)
        signs = [sign] + [" "] * len(folded)
        lines += [
            Text(f"{at} {text}", style=_STYLES[finding.severity]) for at, text in zip(signs, folded, strict=False)
        ]
    return lines


def _state_style(state: str) -> str:
    return _STATES.get(state, _BAD_STATE)


def _state_lines(facts: LineFacts) -> list[Text]:
    stats = facts.stats
    line = Text(f"{facts.url}  ").append(facts.state, style=_state_style(facts.state))
    if stats.recent.telegrams:
        line.append(f"  {stats.rate:.2f} telegrams/s")
        if stats.interval_s is not None:
            line.append(f", every {stats.interval_s:.2f} s ± {stats.jitter_s:.2f}")
    lines = [line]
    if facts.error is not None and not stats.is_open:
        lines.append(Text(f"{facts.error}", style="yellow"))
    return lines


def _power(facts: LineFacts, telegram: Telegram, width: int) -> list[Text]:
    power = telegram.net_power
    rows = sparkline(facts.powers, max(width - _POWER - 2, 1))
    words = "no power in the telegrams" if power is None else power_words(power, telegram.direction)
    style = _EXPORT if power is not None and power.raw < 0 else _IMPORT
    first = Text(f"  {words:{_POWER - 2}}  ", style=f"bold {style}").append(
        rows[0], style=_IMPORT if len(rows) > 1 else style
    )
    return [first, *(Text(f"{' ' * (_POWER + 2)}{row}", style=_EXPORT) for row in rows[1:])]


def power_words(power: Quantity, direction: Direction) -> str:
    """Net power with its direction.

    >>> from e320proto.units import Quantity, unit
    >>> power_words(Quantity(-300, 0, unit(27)), Direction.EXPORT)
    'export ← -300 W'
    """
    exports = power.raw < 0 or (power.raw == 0 and direction is Direction.EXPORT)
    return f"export ← {power}" if exports else f"import → {power}"


def _said(telegram: Telegram, width: int) -> Iterator[Text]:
    yield from _fact("time", time_words(telegram.time), width)
    for label, text in telegram_facts(telegram, set()):
        if label not in {"net power", "direction", "time"}:
            yield from _fact(label, text, width)


def _fact(label: str, text: str, width: int) -> Iterator[Text]:
    folded = textwrap.wrap(text, max(width - _LABEL - 3, 10), break_on_hyphens=False) or [""]
    for number, line in enumerate(folded):
        yield Text(f"  {'' if number else label:{_LABEL}}", style="dim").append(Text(line, style="not dim"))


def _trouble(facts: LineFacts, width: int) -> Iterator[Text]:
    words = trouble_counts(facts.stats.total)
    if words:
        yield from _fact("trouble", words, width)


def trouble_counts(counts: Counts) -> str:
    """Everything that went wrong, counted; empty if nothing did.

    >>> from e320proto.live.line import Counts
    >>> trouble_counts(Counts(damaged={"bad_crc": 2}, discarded=17, losses=1))
    '2 frames damaged (bad_crc), 17 octets of noise, lost once'
    """
    words = []
    for noun, reasons in (("frame", counts.damaged), ("message", counts.unreadable)):
        if reasons:
            words.append(f"{plural(sum(reasons.values()), noun)} damaged ({_reasons(reasons)})")
    if counts.discarded:
        words.append(f"{plural(counts.discarded, 'octet')} of noise")
    if counts.dropped:
        words.append(f"{plural(counts.dropped, 'telegram')} not taken in time")
    if counts.losses:
        words.append("lost once" if counts.losses == 1 else f"lost {counts.losses} times")
    return ", ".join(words)


def _reasons(counts: Mapping[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    most = sorted(counts, key=lambda reason: -counts[reason])
    return ", ".join(f"{counts[reason]} {reason}" for reason in most)


def _row(number: int, facts: LineFacts) -> tuple[str, ...]:
    telegram, counts = facts.telegram, facts.stats.total
    power = None if telegram is None else telegram.net_power
    bad = sum(counts.damaged.values()) + sum(counts.unreadable.values()) + counts.losses + counts.dropped
    return (
        str(number),
        facts.name,
        facts.state,
        "" if power is None else str(power),
        _energy(telegram, "1.8.0"),
        _energy(telegram, "2.8.0"),
        f"{facts.stats.rate:.2f}" if facts.stats.recent.telegrams else "",
        str(bad or ""),
    )


def _energy(telegram: Telegram | None, code: str) -> str:
    entry = None if telegram is None else telegram.entries.get(code)
    return "" if entry is None or entry.quantity is None else str(entry.quantity)


def _one_row(powers: Sequence[float | None], width: int) -> Text:
    """Draw import and export in one row: magnitudes, export in its colour."""
    rows = sparkline([None if value is None else abs(value) for value in powers], width) if width else [""]
    text = Text(rows[0], style=_IMPORT)
    for at, value in enumerate(powers[-width:] if width else []):
        if value is not None and value < 0:
            text.stylize(_EXPORT, at, at + 1)
    return text


def _cropped(lines: Sequence[Text], height: int) -> list[Text]:
    for line in lines:
        line.no_wrap, line.overflow = True, "crop"
    return list(lines[: max(height, 1)])
