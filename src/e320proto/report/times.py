"""Times and durations of a report in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from e320proto.report.timeline import SECOND, Clock

_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def date_of(t_ms: int) -> datetime | None:
    """The date of a Unix time in milliseconds; ``None`` beyond the years that have one."""
    try:
        return datetime.fromtimestamp(t_ms // SECOND, UTC).replace(microsecond=t_ms % SECOND * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def time_text(clock: Clock, t_ms: int) -> str:
    """What a clock showed.

    >>> time_text(Clock.ARRIVAL, 1_700_000_000_250), time_text(Clock.DATE, 1_700_000_000_000)
    ('2023-11-14 22:13:20.250', '2023-11-14 22:13:20')
    >>> time_text(Clock.COUNTER, 2_005_971_000), time_text(Clock.NUMBER, 3000)
    ('second 2005971 (557:12:51 h)', 'telegram 4')
    """
    if clock is Clock.COUNTER:
        return f"second {t_ms // SECOND} ({t_ms // _HOUR}:{t_ms % _HOUR // _MINUTE:02}:{t_ms % _MINUTE // SECOND:02} h)"
    if clock is Clock.NUMBER:
        return f"telegram {t_ms // SECOND + 1}"
    date = date_of(t_ms)
    if date is None:
        return f"timestamp {t_ms / SECOND:g}"
    return date.isoformat(" ", "milliseconds" if clock is Clock.ARRIVAL else "seconds").removesuffix("+00:00")


def short_text(clock: Clock, t_ms: int) -> str:
    """The same without milliseconds, for edges that are whole seconds.

    >>> short_text(Clock.ARRIVAL, 1_700_000_100_000)
    '2023-11-14 22:15:00'
    """
    return time_text(Clock.DATE if clock is Clock.ARRIVAL else clock, t_ms)


def duration_text(duration_ms: int) -> str:
    """A duration.

    >>> [duration_text(ms) for ms in (0, 250, 1500, 61_000, 7_200_000, 93_784_000)]
    ['0 s', '0.25 s', '1.5 s', '1 min 1 s', '2 h', '1 d 2 h 3 min 4 s']
    """
    if duration_ms < _MINUTE:
        return f"{duration_ms / SECOND:g} s"
    parts, rest = [], duration_ms // SECOND * SECOND
    for size, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (SECOND, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts)
