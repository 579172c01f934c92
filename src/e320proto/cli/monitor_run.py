"""Lines that are watched: a screen in a terminal, else a line of text for whatever changes.

::

    MeterPool --telegrams--> Monitored --facts--> screen, when something changed
        `------states, findings-----------------> lines of text
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from e320proto.aio import INFO_BAUD, MeterPool, ReaderState
from e320proto.cli.full_telegram import meter_line, print_telegram
from e320proto.cli.keyboard import keyboard
from e320proto.cli.meter_setup import UnusableError
from e320proto.cli.monitor_screen import SIGNS, finding_lines, line_screen, power_words, table_screen, trouble_counts
from e320proto.cli.monitored import Monitored
from e320proto.cli.output import error_console, output_console, print_line
from e320proto.cli.termination import TERMINATED, cancel_when_terminated
from e320proto.errors import LocalProtocolError, TransportError
from e320proto.sml.wording import time_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from e320proto.aio import MeterReader
    from e320proto.cli.monitored import LineFacts
    from e320proto.sml.telegram import Telegram

_OK, _NOTHING = 0, 1
_LOOK_S: Final = 0.25
_OVER: Final = {ReaderState.STOPPED, ReaderState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorPlan:
    """What to watch, and how.

    Args:
        urls: of the lines.
        baud: bit rate of serial ports whose URL has none.
        once: end with the first telegram of each line.
        timeout_s: how long to wait for those, s.
        every_s: from summary to summary where there is no screen, s.
        for_s: end after so long, s.
    """

    urls: Sequence[str]
    baud: int = INFO_BAUD
    once: bool = False
    timeout_s: float = 15.0
    every_s: float = 60.0
    for_s: float | None = None


def run_monitor(plan: MonitorPlan) -> int:
    """Watch lines until somebody ends it, or all have ended.

    Returns:
        The exit status: with ``once`` whether there was a telegram on each line.

    Raises:
        UnusableError: a URL that is none, or is given twice.
        KeyboardInterrupt: Ctrl-C; the terminal is as before.
    """
    try:
        return asyncio.run(_run(plan))
    except asyncio.CancelledError:
        return TERMINATED
    except LocalProtocolError as error:
        msg = f"{error.actual}: expected each line once, found it twice"
        raise UnusableError(msg) from error
    except TransportError as error:
        raise UnusableError(str(error)) from error


async def _run(plan: MonitorPlan) -> int:
    cancel_when_terminated()
    console = output_console()
    monitor = Monitor(plan, console)
    async with monitor.pool:
        with suppress(TimeoutError):
            async with asyncio.timeout(plan.timeout_s if plan.once else plan.for_s):
                if plan.once:
                    await monitor.wait_for_all()
                elif sys.stdout.isatty() and not console.is_dumb_terminal:
                    await monitor.show()
                else:
                    await monitor.tell()
        return monitor.print_once() if plan.once else _OK


class Monitor:
    """Watches the lines of a plan.

    Attributes:
        pool: their readers; not started yet.
    """

    def __init__(self, plan: MonitorPlan, console: Console) -> None:
        self._plan, self._console = plan, console
        self.pool = MeterPool(plan.urls, baud=plan.baud, on_telegram=self._heard, on_state=self._entered)
        self._lines = {url: Monitored(reader) for url, reader in self.pool.readers.items()}
        self._changed = asyncio.Event()
        self._told: deque[str] = deque()
        self._keys: deque[str] = deque()
        self._selected: int | None = 0 if len(self._lines) == 1 else None
        self._known: dict[str, dict[str, str]] = {url: {} for url in self._lines}

    def _heard(self, reader: MeterReader, telegram: Telegram, at: float) -> None:
        self._lines[reader.url].heard(telegram, at)
        self._changed.set()

    def _entered(self, reader: MeterReader, state: ReaderState) -> None:
        self._told.append(f"{reader.url} {state.value}")
        self._changed.set()

    def _facts(self) -> list[LineFacts]:
        return [line.facts for line in self._lines.values()]

    @property
    def _over(self) -> bool:
        return all(reader.state in _OVER for reader in self.pool.readers.values())

    # --- once -----------------------------------------------------------------------------------

    async def wait_for_all(self) -> None:
        """Wait for a telegram of each line."""
        while not self._over and any(facts.telegram is None for facts in self._facts()):
            self._changed.clear()
            await self._changed.wait()

    def print_once(self) -> int:
        """Print the telegrams, and what is wrong with the lines; tell whether each had one."""
        explained: set[str] = set()
        complete = True
        for facts in self._facts():
            if facts.telegram is not None:
                self._console.print(meter_line(facts.telegram.server_id), soft_wrap=True)
                print_telegram(self._console, facts.telegram, explained)
                continue
            complete = False
            errors = error_console()
            errors.print(Text(f"{facts.url}: no telegram in {facts.stats.age_s:.0f} s"), soft_wrap=True)
            if facts.error is not None:
                errors.print(Text(f"{facts.error}"), soft_wrap=True)
            for line in finding_lines(facts.findings, errors.width):
                errors.print(line, soft_wrap=True)
        return _OK if complete else _NOTHING

    # --- a screen -------------------------------------------------------------------------------

    async def show(self) -> None:
        """Draw a screen until the key for the end."""
        with ExitStack() as stack:
            has_keys = stack.enter_context(keyboard(self._press))
            live = stack.enter_context(Live(console=self._console, screen=True, auto_refresh=False))
            drawn: list[Text] = []
            while "q" not in self._keys and not self._over:
                while self._keys:
                    self._select(self._keys.popleft())
                lines = self._screen(has_keys=has_keys)
                if lines != drawn:
                    drawn = lines
                    live.update(Group(*lines), refresh=True)
                await asyncio.sleep(_LOOK_S)
        if self._over:  # a replay has ended: what it said stays
            for line in self._screen(has_keys=False):
                self._console.print(line)

    def _press(self, character: str) -> None:
        self._keys.append(character)

    def _select(self, key: str) -> None:
        """Choose a line to be shown in full, or the table of all."""
        count = len(self._lines)
        if count == 1:
            return
        if key.isdecimal() and 0 < int(key) <= count:
            self._selected = int(key) - 1
        elif key == "n":
            self._selected = 0 if self._selected is None else (self._selected + 1) % count
        elif key == "p":
            self._selected = count - 1 if self._selected is None else (self._selected - 1) % count
        elif key == "a":
            self._selected = None

    def _screen(self, *, has_keys: bool) -> list[Text]:
        width, height = self._console.size
        facts = self._facts()
        keys = "q quit" if has_keys else "Ctrl-C ends it"
        if has_keys and len(facts) > 1:
            keys += "  n next line  p the one before  1-9 this line  a all lines"
        if self._selected is None:
            lines = table_screen(facts, width, height - 1)
        else:
            lines = line_screen(facts[self._selected], width, height - 1)
        return [*lines, Text(keys[: max(width - 1, 0)], style="dim")]

    # --- lines of text --------------------------------------------------------------------------

    async def tell(self) -> None:
        """Print a line for each change, and a summary now and then."""
        loop = asyncio.get_running_loop()
        summary_at = loop.time()
        while True:
            over = self._over
            self._tell_changes()
            if (loop.time() >= summary_at and self._all_heard()) or over:
                summary_at = loop.time() + self._plan.every_s
                for facts in self._facts():
                    self._say(facts, summary(facts))
            self._console.file.flush()
            if over:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    self._changed.clear()
                    await self._changed.wait()

    def _all_heard(self) -> bool:
        return any(line.facts.telegram is not None for line in self._lines.values())

    def _tell_changes(self) -> None:
        while self._told:
            print_line(self._console, f"{_clock()} {self._told.popleft()}")
        for facts in self._facts():
            known, found = self._known[facts.url], {finding.word: finding for finding in facts.findings}
            for word, finding in found.items():
                if word not in known:
                    self._say(facts, f"{SIGNS[finding.severity]} {finding.text}")
            for word in known.keys() - found.keys():
                self._say(facts, f"no more: {word.replace('_', ' ')}")
            self._known[facts.url] = {word: finding.text for word, finding in found.items()}

    def _say(self, facts: LineFacts, text: str) -> None:
        print_line(self._console, f"{_clock()} {facts.url} {text}")


def summary(facts: LineFacts) -> str:
    """One line about what a meter says."""
    telegram = facts.telegram
    if telegram is None:
        return "no telegram yet"
    words = [facts.name, time_words(telegram.time)]
    if telegram.net_power is not None:
        words.append(power_words(telegram.net_power, telegram.direction))
    for code in ("1.8.0", "2.8.0"):
        entry = telegram.entries.get(code)
        if entry is not None and entry.quantity is not None:
            words.append(f"{code} {entry.quantity}")
    words.append(f"{facts.stats.rate:.2f} telegrams/s")
    trouble = trouble_counts(facts.stats.total)
    return ", ".join([*words, trouble] if trouble else words)


def _clock() -> str:
    return time.strftime("%H:%M:%S")
