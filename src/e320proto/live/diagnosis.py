"""What is wrong with a line, in words: what is seen, and what to do.

::

    reading waits for a slow consumer ........................ that
    nothing is heard ......................................... no light
    the line could not be opened, or was lost ................ that, and whether it is lost often
    octets come, but no telegrams ............................ what they look like, else what was damaged
    telegrams come ........................................... what is doubtful about them, and notes

Each row hides those below it, because it is their cause: who hears nothing receives no telegrams either.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from e320proto.identity import ServerId
from e320proto.live.findings import Finding, Severity, found
from e320proto.live.line import SILENT_S, LineState
from e320proto.live.looks import Looks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from e320proto.errors import E320Error
    from e320proto.live.line import LineStats

__all__ = ["Finding", "Severity", "diagnose"]

UNREAD_S: Final = 3
"""Seconds without a telegram after which octets are looked at, where telegrams came before."""
STALLED_S: Final = 15
"""Seconds without a telegram that are too many, whatever the octets look like."""
HELD_S: Final = 0.5
"""Seconds that reading may wait for a consumer."""
INTERVALS: Final = 3
"""Telegrams that may be missing one after the other before the line counts as silent or unread."""
SAME: Final = 5
"""Telegrams that are the one before, octet by octet, in a minute: then the seconds counter stands still."""
SWITCHES: Final = 2
"""Changes between meters in a minute that are more than a head put on another one."""
DAMAGED: Final = 2
"""Damaged telegrams in a minute that are more than an accident, if they are also one of ``DAMAGED_OF``."""
DAMAGED_OF: Final = 50
LOST: Final = 3
"""Losses of the line in an hour that are too many."""
RARE_S: Final = 5
"""Seconds between telegrams that are more than usual."""
NOISE: Final = 1_024
"""Octets outside of telegrams in a minute that are worth a note, if they are also one of ``NOISE_OF``."""
NOISE_OF: Final = 10
_WORST: Final = 3

_WITH_PAUSES: Final = {Looks.D0, Looks.P1, Looks.TEXT, Looks.HEX_TEXT, Looks.HDLC}
"""What comes every ten seconds on some ports: to say what it is says more than that it pauses."""
_BY_NUMBER: Final = {
    **dict.fromkeys((errno.ENOENT, errno.ENODEV, errno.ENXIO), "no_device"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "no_permission"),
    **dict.fromkeys((errno.EBUSY, errno.EAGAIN), "in_use"),
    **dict.fromkeys((errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT), "unreachable"),
}


_ORDER: Final = {severity: place for place, severity in enumerate(Severity)}


def diagnose(stats: LineStats) -> list[Finding]:
    """Say what is wrong with a line.

    Args:
        stats: what is known of it.

    Returns:
        The worst first, faults before warnings before notes; nothing if all is well, or nothing is known yet.

    >>> from e320proto.live.line import LineWatch
    >>> watch = LineWatch(0.0)
    >>> watch.opened(0.0)
    >>> [finding.text for finding in diagnose(watch.stats(9.0))][0][:32]
    'no light since the start, 9 s ag'
    """
    return sorted(_findings(stats), key=lambda finding: _ORDER[finding.severity])


def _findings(stats: LineStats) -> Iterator[Finding]:
    if stats.state is LineState.NEW:
        return
    if stats.held_s is not None and stats.held_s >= HELD_S:
        yield found("held", held_s=stats.held_s)
        return
    if stats.state is LineState.ENDED:
        yield found("ended")
    elif (silence := _silence(stats)) is not None:
        yield silence
        return
    if stats.losses_hour >= LOST:
        yield found("lost_often", losses_hour=stats.losses_hour)
    if stats.state is LineState.LOST:
        yield found("lost", error=stats.error)
    elif stats.state is LineState.REFUSED:
        yield found(_refusal(stats.error), error=stats.error)
    elif stats.telegram_s is not None and _unread_s(stats) < _patience_s(stats, UNREAD_S):
        yield from _about_telegrams(stats)
    elif stats.recent.echoes:
        yield found("echo")
    else:
        yield from _without_telegrams(stats)


# --- the line -----------------------------------------------------------------------------------


def _refusal(error: E320Error | None) -> str:
    """Why a line could not be opened."""
    cause: BaseException | None = error
    while cause is not None:
        number = getattr(cause, "errno", None)
        if isinstance(number, int):
            # Those below 0 are of the resolver: no such host.
            return "unreachable" if number < 0 else _BY_NUMBER.get(number, "refused")
        cause = cause.__cause__
    return "refused"


def _silence(stats: LineStats) -> Finding | None:
    """Whether nothing is heard; also of a line that is opened anew for that."""
    if stats.silent_s < _patience_s(stats, SILENT_S):
        return None
    if stats.looks in _WITH_PAUSES and stats.recent.octets:
        return None
    return found("silent" if stats.total.octets else "never_heard", silent_s=stats.silent_s)


def _patience_s(stats: LineStats, least_s: float) -> float:
    """How long something may be missing on this line, s."""
    return max(least_s, INTERVALS * (stats.interval_s or 0))


def _unread_s(stats: LineStats) -> float:
    """How long no telegram came although the line was open, s."""
    open_s = stats.age_s if stats.open_s is None else stats.open_s
    return open_s if stats.telegram_s is None else min(open_s, stats.telegram_s)


# --- octets, but no telegrams -------------------------------------------------------------------


def _without_telegrams(stats: LineStats) -> Iterator[Finding]:
    """What the octets are in which there is no telegram: one finding, or none as long as it is not clear."""
    recent = stats.recent
    late = stats.state is LineState.ENDED or _unread_s(stats) >= _patience_s(stats, STALLED_S)
    if stats.looks is not None and (late or stats.looks is not Looks.GARBAGE):
        yield found(stats.looks.value)
    elif "telnet" in recent.hints:
        yield found("telnet")
    elif "unsupported_version" in recent.damaged:
        yield found("version_2")
    elif _bad(stats) >= (1 if late else DAMAGED):
        yield found("none_whole", reasons=_words(recent.damaged), recent_s=stats.recent_s)
    elif recent.unreadable:
        yield found("unreadable", reasons=_words(recent.unreadable))
    elif late:
        yield found("garbage")


# --- telegrams ----------------------------------------------------------------------------------


def _about_telegrams(stats: LineStats) -> Iterator[Finding]:
    """What is doubtful about telegrams that come."""
    recent = stats.recent
    if stats.has_time and recent.repeated >= SAME and recent.repeated * 2 >= recent.telegrams:
        yield found("frozen")
    if recent.switched >= SWITCHES:
        yield found("two_meters", meters=" and ".join(_name(meter) for meter in stats.meters[-2:]))
    bad, all_ = _bad(stats), _bad(stats) + recent.telegrams
    if bad >= DAMAGED and bad * DAMAGED_OF >= all_:
        word = "telnet" if "telnet" in recent.hints else "cut" if recent.short * 2 > bad else "damaged"
        yield found(word, bad=bad, all=all_, reasons=_words(recent.damaged), recent_s=stats.recent_s)
    if recent.unreadable:
        yield found("unreadable", reasons=_words(recent.unreadable))
    if recent.echoes:
        yield found("echo")
    if recent.dropped:
        yield found("dropped", dropped=recent.dropped, recent_s=stats.recent_s)
    if stats.reduced:
        yield found("reduced")
    if stats.interval_s is not None and stats.interval_s > RARE_S:
        yield found("rare", interval_s=stats.interval_s)
    if recent.discarded >= NOISE and recent.discarded * NOISE_OF >= recent.octets:
        yield found("noise", discarded=recent.discarded, recent_s=stats.recent_s)


def _name(meter: bytes) -> str:
    """What is printed on a meter, if its id tells."""
    server_id = ServerId.from_wire(meter)
    return server_id.hex if server_id.device_id is None else server_id.device_id.printed


def _bad(stats: LineStats) -> int:
    """Damaged telegrams of about the last minute; those that a loss of the line has cut do not count."""
    return sum(stats.recent.damaged.values()) - stats.recent.losses


def _words(counts: Mapping[str, int]) -> str:
    """The reasons that come most often."""
    most = sorted(counts.items(), key=lambda each: -each[1])[:_WORST]
    return ", ".join(f"{count} {word}" for word, count in most)
