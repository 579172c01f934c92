"""A line that is recorded, for as long as somebody wants it.

::

    MeterReader --octets, when--> Recording --file is complete--> TableMaker, with --format parquet
        `-------counts----------> status line in a terminal, one line at the end
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.text import Text

from e320proto.aio import INFO_BAUD, MeterReader, ReaderState
from e320proto.aio.pipe import PipeUrl
from e320proto.cli.meter_setup import UnusableError
from e320proto.cli.monitor_screen import trouble_counts
from e320proto.cli.output import error_console
from e320proto.cli.record_tables import TableMaker, need_tables
from e320proto.cli.termination import TERMINATED, cancel_when_terminated
from e320proto.errors import E320Error, TransportError
from e320proto.live.journal import SUFFIX, journals
from e320proto.live.recording import DAY_S, Recording
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from e320proto.sml.telegram import Telegram

_OK, _NOTHING = 0, 1
_LOOK_S: Final = 0.25
_OVER: Final = {ReaderState.STOPPED, ReaderState.FAILED}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": DAY_S}
_PERIOD: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """What to record, and how.

    Args:
        url: of the line.
        folder: where to.
        rotate_s: a new file begins at multiples of so many seconds of UTC.
        tables: whether files become tables when they are complete.
        sync_s: seconds that may be lost when the power fails.
        baud: bit rate of a serial port whose URL has none.
        for_s: end after so long, s.
    """

    url: str
    folder: Path
    rotate_s: float = DAY_S
    tables: bool = False
    sync_s: float = 1.0
    baud: int = INFO_BAUD
    for_s: float | None = None


def parse_period(text: str) -> float:
    """Read a period, in s.

    Raises:
        UnusableError: it is none.

    >>> parse_period("1d"), parse_period("15m")
    (86400, 900)
    """
    found = _PERIOD.fullmatch(text)
    if found is None:
        msg = f"--rotate: expected a number with s, m, h or d, such as 1d or 6h, found {text!r}"
        raise UnusableError(msg)
    return int(found[1]) * _SECONDS[found[2]]


def run_record(plan: RecordPlan) -> int:
    """Record until somebody ends it, or what is replayed has ended.

    Returns:
        The exit status.

    Raises:
        UnusableError: a URL that is none, or a folder that nothing can be written into.
        KeyboardInterrupt: Ctrl-C; what was heard is in its files.
    """
    try:
        return asyncio.run(_run(plan))
    except asyncio.CancelledError:
        return TERMINATED
    except TransportError as error:
        raise UnusableError(str(error)) from error


async def _run(plan: RecordPlan) -> int:
    cancel_when_terminated()
    PipeUrl.parse(plan.url)  # before a folder is made for it
    if plan.tables:
        need_tables()
    recorder = Recorder(plan)
    try:
        with recorder.screen:
            async with recorder.reader, recorder.syncing():
                with suppress(TimeoutError):
                    async with asyncio.timeout(plan.for_s):
                        await recorder.record()
    finally:
        await recorder.close()
    return _OK if recorder.complete else _NOTHING


class Recorder:
    """Records the line of a plan.

    Attributes:
        recording: what it writes.
        reader: of the line; not started yet.
        screen: draws a line about it, in a terminal.
    """

    def __init__(self, plan: RecordPlan) -> None:
        self._plan, self._console = plan, error_console()
        self.recording = Recording(
            plan.folder,
            rotate_s=plan.rotate_s,
            sync_s=math.inf if plan.sync_s else 0.0,  # in a thread, or at once
            suffix=SUFFIX if plan.tables else ".bin",
            on_finished=self._finished,
        )
        self.reader = MeterReader(
            plan.url,
            baud=plan.baud,
            on_octets=self._heard,
            on_telegram=_leave,
            on_state=self._entered,
        )
        self.screen = ExitStack()
        self._live: Live | None = None
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = self.screen.enter_context(Live(console=self._console, auto_refresh=False, transient=True))
        self._tables = TableMaker(self._say) if plan.tables else None
        if self._tables is not None:
            for journal in journals(plan.folder):  # of a run that was killed
                self._tables.add(journal)
        self._over = asyncio.Event()
        self._failure: TransportError | None = None
        self._told = ""

    @property
    def complete(self) -> bool:
        """Whether something was heard, and all tables of it were made."""
        return bool(self.recording.octets) and (self._tables is None or not self._tables.failed)

    async def record(self) -> None:
        """Record until the line has ended for good.

        Raises:
            TransportError: nothing can be written any more.
        """
        while not self._over.is_set():
            self.recording.tick(time.time())
            self._tell_error()
            if self._live is not None:
                self._live.update(self._status(self._console.width - 1), refresh=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._over.wait()
        if self._failure is not None:
            raise self._failure
        await self.reader.wait()

    @asynccontextmanager
    async def syncing(self) -> AsyncIterator[None]:
        """Have the disk keep what was recorded, now and then; a disk that is slow does not keep the line waiting."""
        task = asyncio.create_task(self._sync(), name="syncs") if self._plan.sync_s else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(self._plan.sync_s)
            try:
                await asyncio.to_thread(self.recording.syncing())
            except TransportError as error:
                self._failure = error
                self._over.set()

    async def close(self) -> None:
        """End the recording; make the tables that are left to be made.

        Raises:
            TransportError: what was heard last cannot be written.
        """
        try:
            self.recording.close()
        finally:
            if self._tables is not None:
                await self._tables.close()
            self._say(self._counts())

    def _heard(self, data: bytes, at: float) -> None:
        if self._failure is None:
            try:
                self.recording.write(data, at)
            except TransportError as error:
                self._failure = error
                self._over.set()

    def _entered(self, state: ReaderState) -> None:
        if state in _OVER:
            self._over.set()

    def _finished(self, path: Path) -> None:
        if self._tables is not None:
            self._tables.add(path)

    def _tell_error(self) -> None:
        """Say why the line is not open, once."""
        error: E320Error | None = self.reader.error
        if error is not None and f"{error}" != self._told:
            self._told = f"{error}"
            self._say(f"waits for the line: {error}")
        elif self.reader.state is ReaderState.RECEIVING:
            self._told = ""

    def _status(self, width: int) -> Text:
        path = self.recording.path
        file = "no file yet" if path is None else path.name
        text = Text(f"{self.reader.state.value}: {self._counts()}, {file}")
        text.truncate(width, overflow="ellipsis")
        return text

    def _counts(self) -> str:
        total, recording = self.reader.stats.total, self.recording
        words = f"{plural(total.telegrams, 'telegram')}, {plural(recording.octets, 'octet')}"
        words += f" in {plural(recording.files, 'file')} in {recording.folder}"
        trouble = trouble_counts(total)
        return f"{words}, {trouble}" if trouble else words

    def _say(self, text: str) -> None:
        self._console.print(Text(f"e320: {text}"), soft_wrap=True)


def _leave(_: Telegram, __: float) -> None:
    """Telegrams are in what is recorded."""
