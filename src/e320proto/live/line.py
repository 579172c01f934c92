"""What happens on one line, counted: octets, telegrams, damage, silence, losses.

:class:`LineWatch` is told everything and is cheap to tell; :class:`LineStats` is what it knows at one moment,
for screens, for metrics and for :func:`e320proto.live.diagnosis.diagnose`. Each number is there twice: since the
start, and of about the last minute, so that trouble of long ago is not reported for ever::

    marks    50..60 s                              10 s      now
    --|---------|---------|---------|---------|---------|-----|
      '------------------- recent = total now - total then ---'

Octets are not looked at as they come. Those since the last telegram are kept, the last ``SAMPLE`` of them, and
looked at when somebody asks what they look like; where telegrams arrive, nothing is left to look at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from e320proto.errors import ChecksumError
from e320proto.events import BytesDiscarded, Malformed
from e320proto.live.looks import is_doubled, looks_like

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.errors import E320Error
    from e320proto.live.looks import Looks
    from e320proto.sml.telegram import Telegram

SILENT_S: Final = 8
"""Seconds without an octet after which a line counts as silent."""
MARK_S: Final = 10
"""Seconds between the marks that recent counts begin at."""
MARKS: Final = 6
"""Marks kept: recent counts are of the last 50 to 60 s."""
SAMPLE: Final = 2_048
"""Octets since the last telegram that are kept."""
REASONS: Final = 32
"""Reasons counted one by one; further ones together."""
OTHER: Final = "other"
"""The name of all further ones."""
METERS: Final = 4
"""Ids of meters kept."""
LOSSES: Final = 16
"""Losses whose times are kept."""
_HOUR_S: Final = 3_600
_EVERY: Final = 16
"""Of so many telegrams two neighbours are decoded to see whose they are and what set they carry."""
_SMOOTH: Final = 8
"""A new interval weighs an eighth in the mean."""
_GAP_S: Final = 2
"""Seconds that are never too many for an interval."""
_ECHO_LEAST: Final = 4
"""Octets that are too many to come back by chance."""
_ECHO_S: Final = 5
_ECHO_MOST: Final = 4_096


class LineState(Enum):
    """What became of the line last."""

    NEW = "new"
    """Nobody has tried to open it yet."""
    OPEN = "open"
    REFUSED = "refused"
    """It could not be opened."""
    LOST = "lost"
    """It was open, and is gone."""
    ENDED = "ended"
    """A recording was replayed to its end."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What came on a line in some time.

    Args:
        octets: octets heard.
        telegrams: whole telegrams with right checksums.
        damaged: frames that were none, by reason, such as ``"bad_crc"``; the words of ``docs/sml.md``.
        unreadable: messages inside of right frames that could not be read, by reason.
        short: damaged frames that were cut, or are shorter than the whole telegram before them: octets were lost.
        discarded: octets outside of frames.
        hints: how often trouble looked like something known, by the word of ``e320proto.events.HINTS``, and
            ``"telnet"`` for a frame that is right if each FF FF is one FF.
        dropped: telegrams that a slow consumer missed.
        repeated: telegrams that were octet by octet the one before.
        switched: how often a telegram was of another meter than the one before, of those that were looked at.
        echoes: how often octets that were sent came back.
        opens: how often the line was opened.
        refusals: how often it could not be opened.
        losses: how often it was lost; the end of a recording is none.
    """

    octets: int = 0
    telegrams: int = 0
    damaged: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    short: int = 0
    discarded: int = 0
    hints: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0
    repeated: int = 0
    switched: int = 0
    echoes: int = 0
    opens: int = 0
    refusals: int = 0
    losses: int = 0

    def since(self, before: Counts) -> Counts:
        """Count what came after an earlier moment.

        >>> Counts(octets=5, damaged={"bad_crc": 3}).since(Counts(octets=4, damaged={"bad_crc": 1})).damaged
        {'bad_crc': 2}
        """
        return _made(
            {name: getattr(self, name) - getattr(before, name) for name in _PLAIN},
            {name: _less(getattr(self, name), getattr(before, name)) for name in _BY_WORD},
        )


_BY_WORD: Final = ("damaged", "unreadable", "hints")
_PLAIN: Final = tuple(each.name for each in fields(Counts) if each.name not in _BY_WORD)


def _made(plain: dict[str, int], by_word: dict[str, dict[str, int]]) -> Counts:
    parts: dict[str, Any] = {**plain, **by_word}
    return Counts(**parts)


def _less(counts: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {word: count - before.get(word, 0) for word, count in counts.items() if count > before.get(word, 0)}


def _span(begin: float, end: float) -> float:
    """The time between two moments, s; what is left in a decoder comes when the line is closed already."""
    return max(0.0, end - begin)


@dataclass(frozen=True, slots=True)
class LineStats:
    """What is known of a line at one moment.

    Args:
        total: counts since the start.
        recent: counts of about the last minute.
        recent_s: how long that was, s: at most 60.
        age_s: since the start, s.
        state: what became of the line last.
        open_s: since it was opened the last time, s; ``None`` while it is not open.
        held_s: how long reading has waited for a slow consumer, s; while it does, other times do not run. ``None``
            while it goes on.
        error: why it could not be opened, or was lost, the last time; kept when it is open again.
        losses_hour: how often it was lost in the last hour, but for those after a silence; at most 16.
        silent_s: time without an octet while the line was open, s. It goes on where a silent line is opened anew.
        telegram_s: since the last telegram, s; ``None`` if there was none.
        interval_s: mean time between telegrams, s; the last ones weigh most, and gaps do not. ``None`` before there
            are two.
        jitter_s: mean distance from that mean, s.
        meters: ids of the meters that were heard, as sent, the last one last; at most 4.
        reduced: whether the meter sends the reduced set; ``None`` while that is not known.
        has_time: whether the meter says its time.
        looks: what the octets since the last telegram look like; ``None`` if they are too few or nothing known.
    """

    total: Counts = field(default_factory=Counts)
    recent: Counts = field(default_factory=Counts)
    recent_s: float = 0.0
    age_s: float = 0.0
    state: LineState = LineState.NEW
    open_s: float | None = None
    held_s: float | None = None
    error: E320Error | None = None
    losses_hour: int = 0
    silent_s: float = 0.0
    telegram_s: float | None = None
    interval_s: float | None = None
    jitter_s: float = 0.0
    meters: tuple[bytes, ...] = ()
    reduced: bool | None = None
    has_time: bool = False
    looks: Looks | None = None

    @property
    def is_open(self) -> bool:
        """Whether the line is open."""
        return self.state is LineState.OPEN

    @property
    def rate(self) -> float:
        """Telegrams per second, of about the last minute."""
        return self.recent.telegrams / self.recent_s if self.recent_s > 0 else 0.0


class LineWatch:
    """Counts what happens on one line; in memory that does not grow.

    Every method takes the time when it happened, in seconds of any clock that does not go back.

    Args:
        now: when the line begins to be watched.

    >>> watch = LineWatch(0.0)
    >>> watch.opened(0.0)
    >>> watch.octets(b"noise", 1.0)
    >>> watch.stats(3.0).silent_s
    2.0
    """

    __slots__ = (
        "_anew",
        "_awaited",
        "_awaited_at",
        "_by_word",
        "_came_back",
        "_closed_at",
        "_error",
        "_has_time",
        "_heard_at",
        "_held_at",
        "_interval_s",
        "_jitter_s",
        "_losses",
        "_marks",
        "_meters",
        "_next_mark",
        "_opened_at",
        "_plain",
        "_raw",
        "_reduced",
        "_sample",
        "_start",
        "_state",
        "_telegram_at",
    )

    def __init__(self, now: float) -> None:
        self._start = self._opened_at = self._closed_at = self._heard_at = now
        self._anew = True  # whether silence begins when the line is opened, or goes on
        self._plain = dict.fromkeys(_PLAIN, 0)
        self._by_word: dict[str, dict[str, int]] = {name: {} for name in _BY_WORD}
        self._marks = [(now, Counts())]
        self._next_mark = now + MARK_S
        self._state = LineState.NEW
        self._error: E320Error | None = None
        self._losses: list[float] = []
        self._telegram_at: float | None = None
        self._interval_s: float | None = None
        self._jitter_s = 0.0
        self._held_at: float | None = None
        self._raw = b""
        self._meters: tuple[bytes, ...] = ()
        self._reduced: bool | None = None
        self._has_time = False
        self._sample = bytearray()
        self._awaited = b""
        self._awaited_at = now
        self._came_back = bytearray()

    # --- the line itself ------------------------------------------------------------------------

    def opened(self, now: float) -> None:
        """The line was opened."""
        self._mark(now)
        self.let_go(now)
        self._plain["opens"] += 1
        self._state = LineState.OPEN
        self._opened_at = now
        # A silence goes on; that of a line that was not there does not count.
        self._heard_at = now if self._anew else self._heard_at + now - self._closed_at
        self._sample.clear()

    def refused(self, error: E320Error, now: float) -> None:
        """The line could not be opened."""
        self._mark(now)
        self._plain["refusals"] += 1
        self._close(LineState.REFUSED, now)
        self._error = error
        self._heard_at = now
        self._anew = True

    def lost(self, error: E320Error, now: float) -> None:
        """The line was lost: unplugged, closed by the other end, given up because it was silent."""
        self._mark(now)
        self._plain["losses"] += 1
        self._close(LineState.LOST, now)
        self._anew = now - self._heard_at < SILENT_S
        if self._anew:
            self._losses = [*self._losses[1 - LOSSES :], now]
        self._error = error

    def ended(self, now: float) -> None:
        """The line is at its end, as a recording is: nothing is wrong, and nothing more will come."""
        self._mark(now)
        self._close(LineState.ENDED, now)

    def _close(self, state: LineState, now: float) -> None:
        self.let_go(now)
        self._state = state
        self._closed_at = now

    # --- what comes on it -----------------------------------------------------------------------

    def octets(self, data: bytes, now: float) -> None:
        """Octets were heard."""
        if now >= self._next_mark:
            self._mark(now)
        self._plain["octets"] += len(data)
        self._heard_at = now
        sample = self._sample
        sample += data
        if len(sample) > 2 * SAMPLE:
            del sample[:-SAMPLE]
        if self._awaited:
            self._look_for_echo(data, now)

    def sent(self, data: bytes, now: float) -> None:
        """Octets were sent; if they come back, that is an echo."""
        waiting = self._awaited if now - self._awaited_at <= _ECHO_S else b""
        self._awaited = (waiting + data)[-_ECHO_MOST:]
        self._awaited_at = now
        if not waiting:
            self._came_back.clear()

    def telegram(self, telegram: Telegram, now: float) -> None:
        """A telegram arrived; few are decoded here."""
        if now >= self._next_mark:
            self._mark(now)
        plain, raw = self._plain, telegram.raw
        if len(raw) != len(self._raw) or plain["telegrams"] % _EVERY <= 1:
            self._look_at(telegram)
        plain["telegrams"] += 1
        if raw == self._raw:
            plain["repeated"] += 1
        self._raw = raw
        self._sample.clear()
        if self._telegram_at is not None:
            self._pace(now - self._telegram_at)
        self._telegram_at = now

    def trouble(self, event: Malformed | BytesDiscarded, now: float) -> None:
        """The decoder reports trouble."""
        self._mark(now)
        if hint := event.hint:
            self._count("hints", hint)
        if isinstance(event, BytesDiscarded):
            self._plain["discarded"] += len(event.data)
            return
        reason = event.error.reason
        self._count("unreadable" if event.kind == "message" else "damaged", reason)
        if event.kind != "frame":
            return
        if reason == "truncated" or len(event.raw) < len(self._raw):
            self._plain["short"] += 1
        if isinstance(event.error, ChecksumError) and is_doubled(event.raw):
            self._count("hints", "telnet")

    def dropped(self, count: int) -> None:
        """A slow consumer missed so many telegrams."""
        self._plain["dropped"] += count

    def held(self, now: float) -> None:
        """Reading waits for a slow consumer; what is not heard now is no silence."""
        if self._held_at is None:
            self._held_at = now

    def let_go(self, now: float) -> None:
        """Reading goes on."""
        if self._held_at is not None:
            waited = now - self._held_at
            self._held_at = None
            self._heard_at = min(now, self._heard_at + waited)
            self._opened_at = min(now, self._opened_at + waited)
            if self._telegram_at is not None:
                self._telegram_at = min(now, self._telegram_at + waited)

    # --- what is known --------------------------------------------------------------------------

    def stats(self, now: float) -> LineStats:
        """Tell what is known now; of a line at its end, what was known then."""
        if self._state is LineState.ENDED:
            now = self._closed_at
        self._mark(now)
        total = self._counts()
        begin, before = self._marks[0]
        is_open = self._state is LineState.OPEN
        heard = now if self._held_at is None else self._held_at  # until when this end has listened
        closed = heard if is_open else self._closed_at
        return LineStats(
            total=total,
            recent=total.since(before),
            recent_s=_span(begin, now),
            age_s=now - self._start,
            state=self._state,
            open_s=_span(self._opened_at, heard) if is_open else None,
            held_s=None if self._held_at is None else now - self._held_at,
            error=self._error,
            losses_hour=sum(now - at <= _HOUR_S for at in self._losses),
            silent_s=_span(self._heard_at, closed),
            telegram_s=None if self._telegram_at is None else _span(self._telegram_at, heard),
            interval_s=self._interval_s,
            jitter_s=self._jitter_s,
            meters=self._meters,
            reduced=self._reduced,
            has_time=self._has_time,
            looks=looks_like(bytes(self._sample)),
        )

    def _pace(self, gap_s: float) -> None:
        """Take an interval into the mean; a long one is a gap and counts as a doubled one."""
        if self._interval_s is None:
            self._interval_s = min(gap_s, _GAP_S)
        gap_s = min(gap_s, max(_GAP_S, 2 * self._interval_s))
        self._jitter_s += (abs(gap_s - self._interval_s) - self._jitter_s) / _SMOOTH
        self._interval_s += (gap_s - self._interval_s) / _SMOOTH

    def _counts(self) -> Counts:
        return _made(self._plain, {name: dict(counts) for name, counts in self._by_word.items()})

    def _mark(self, now: float) -> None:
        """Remember the counts at the marks that have passed."""
        if now < self._next_mark:
            return
        counts = self._counts()
        passed = int((now - self._next_mark) // MARK_S) + 1
        for missed in range(min(passed, MARKS) - 1, -1, -1):
            self._marks.append((self._next_mark + (passed - 1 - missed) * MARK_S, counts))
        del self._marks[:-MARKS]
        self._next_mark += passed * MARK_S

    def _count(self, name: str, word: str) -> None:
        counts = self._by_word[name]
        known = word if word in counts or len(counts) < REASONS else OTHER
        counts[known] = counts.get(known, 0) + 1

    def _look_at(self, telegram: Telegram) -> None:
        """Decode a telegram."""
        meter = telegram.server_octets
        if not telegram.entries:
            return
        self._reduced, self._has_time = telegram.reduced, telegram.time is not None
        if meter and meter not in self._meters[-1:]:
            self._plain["switched"] += bool(self._meters)
            self._meters = (*(other for other in self._meters if other != meter), meter)[-METERS:]

    def _look_for_echo(self, data: bytes, now: float) -> None:
        self._came_back += data
        if len(set(self._awaited)) < _ECHO_LEAST or self._awaited not in self._came_back:
            if now - self._awaited_at <= _ECHO_S and len(self._came_back) <= 2 * _ECHO_MOST:
                return
        else:
            self._plain["echoes"] += 1
        self._awaited = b""
        self._came_back.clear()
