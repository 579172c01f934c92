"""Telegrams for people: the first of a meter in full, a line for each that follows, trouble in words.

::

    meter            the id as printed on it, maker, medium
      telegram       in full: every entry, direction, power, status, rules and notes in words
      rows           one line for each further telegram: the numbers only
    trouble          between them, where it was
    closing lines    totals, and what was left out

A telegram is in full again when it brings other entries, rules or notes than those before. Of a file,
:data:`ROWS` lines for each meter are shown and its last telegram, the rest is counted; what comes from
a pipe is shown line by line without end, because somebody may be watching.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.text import Text

from e320proto.cli.full_telegram import meter_line, print_telegram
from e320proto.cli.output import print_line
from e320proto.cli.series import Series, layout_of, make_series
from e320proto.cli.trouble_lines import TroubleLines
from e320proto.sml.wording import meter_words, plural, status_words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from rich.console import Console

    from e320proto.cli.sources import Source
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.sml.telegram import Telegram
    from e320proto.status import Status

ROWS: Final = 20
"""Lines for each meter of a file after the telegrams in full."""

_ADVICE = "If this is from a meter: is the port set to 9600 baud, 8N1, and does the optical head sit right?"
_METERS = 200  # meters to follow in one input; further ones are only counted
_IN_FULL = 6  # telegrams in full for each meter, however often it changes what it sends


@dataclass(slots=True)
class _Meter:
    """What was shown of a meter."""

    known: set[Hashable] = field(default_factory=set)
    series: Series | None = None
    status: Status | None = None
    rows: int = 0
    left_out: int = 0
    last: Telegram | None = None


class TableView:
    """Shows events in a terminal, or as text of a fixed width.

    Args:
        console: where to.
        several: whether there is more than one input, so that each gets a heading.
        complete: show every telegram in full and all trouble.
    """

    def __init__(self, console: Console, *, several: bool, complete: bool) -> None:
        self._console = console
        self._several = several
        self._complete = complete
        self._explained: set[str] = set()
        self._source: Source | None = None
        self._open: _Meter | None = None  # the meter whose rows are being printed
        self._restart()

    def _restart(self) -> None:
        self._meters: dict[bytes | None, _Meter] = {}
        self._trouble = TroubleLines(self._console, None) if self._complete else TroubleLines(self._console)
        self._telegrams = self._uncounted = 0
        self._heading: bytes | tuple[()] | None = ()  # the meter named last; () for none

    def begin(self, source: Source) -> None:
        """Another input begins."""
        self._restart()
        if self._several:
            if self._source is not None:
                self._console.print()
            self._console.print(Text(f"== {source.title}", style="bold reverse"), soft_wrap=True)
        self._source = source

    def telegram(self, telegram: Telegram) -> None:
        """Show a telegram, or count it."""
        self._telegrams += 1
        self._trouble.flush()
        meter = self._meters.get(telegram.server_octets)
        if meter is None:
            if len(self._meters) >= _METERS and not self._complete:
                self._uncounted += 1
                return
            meter = self._meters.setdefault(telegram.server_octets, _Meter())
        kind = (telegram.entries.keys(), telegram.notes, telegram.quirks)
        if self._complete or (kind not in meter.known and len(meter.known) < _IN_FULL):
            meter.known.add(kind)
            self._in_full(telegram)
        elif meter.rows < ROWS or self._live:
            meter.rows += 1
            self._row(meter, telegram)
        else:
            if not meter.left_out:
                self._say("further telegrams of this meter are counted, not shown (--all shows each in full)")
            meter.left_out += 1
            meter.last = telegram
        meter.status = telegram.status
        self._flush()

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """Show a place without a telegram."""
        self._trouble.add(event)
        self._flush()

    def end(self) -> None:
        """The input is at its end: show what there was."""
        self._trouble.flush()
        for meter in self._meters.values():
            if meter.last is not None:
                shown = f"{plural(meter.left_out, 'telegram')} of meter {meter_words(meter.last.server_id)}"
                self._say(f"{shown} not shown; the last one:")
                self._row(meter, meter.last)
        self._console.print()
        print_line(self._console, self._closing())

    @property
    def _live(self) -> bool:
        return self._source is not None and self._source.live

    def _flush(self) -> None:
        if self._live:
            self._console.file.flush()

    def _in_full(self, telegram: Telegram) -> None:
        self._name(telegram)
        print_telegram(self._console, telegram, self._explained)
        self._open = None

    def _row(self, meter: _Meter, telegram: Telegram) -> None:
        if meter.series is None or meter.series.layout != layout_of(telegram):
            meter.series = make_series(telegram, self._console.width)
            self._open = None
        if self._open is not meter:
            self._name(telegram)
            self._console.print(Text(meter.series.header(), style="dim"), soft_wrap=True)
            self._open = meter
        self._console.print(Text(meter.series.row(telegram)), soft_wrap=True)
        if telegram.status is not None and telegram.status != meter.status:
            self._say(f"status is now {status_words(telegram.status)}")

    def _name(self, telegram: Telegram) -> None:
        """Print the heading of a meter, unless it stands above already."""
        if self._heading != telegram.server_octets:
            if self._heading != ():
                self._console.print()
            self._heading = telegram.server_octets
            self._console.print(meter_line(telegram.server_id), soft_wrap=True)

    def _say(self, line: str) -> None:
        print_line(self._console, f"  {line}", "dim")

    def _closing(self) -> str:
        troubles = ", ".join(self._trouble.summary())
        trouble = f"Trouble: {troubles}." if troubles else "No trouble."
        if not self._telegrams:
            return f"No telegram found. {trouble} {_ADVICE}" if troubles else "No telegram found: the input is empty."
        meters = f"more than {_METERS} meters" if self._uncounted else plural(len(self._meters), "meter")
        return f"{plural(self._telegrams, 'telegram')} of {meters}. {trouble}"
