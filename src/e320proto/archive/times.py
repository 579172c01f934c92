"""Times of telegrams and entries as numbers of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from e320proto.sml.messages import LocalTimestamp, SecIndex, Timestamp

if TYPE_CHECKING:
    from e320proto.sml.messages import Time


def seconds_of(time: Time | None) -> int | None:
    """The seconds of any time.

    >>> seconds_of(SecIndex(7)), seconds_of(LocalTimestamp(8, 60, 0)), seconds_of(None)
    (7, 8, None)
    """
    match time:
        case None:
            return None
        case SecIndex() | Timestamp():
            return time.value
        case LocalTimestamp():
            return time.timestamp
        case _ as never:
            assert_never(never)


def telegram_times(time: Time | None) -> tuple[int | None, int | None]:
    """The columns ``sec_index`` and ``timestamp`` of a telegram with this time.

    >>> telegram_times(SecIndex(7)), telegram_times(Timestamp(8))
    ((7, None), (None, 8))
    """
    seconds = seconds_of(time)
    return (seconds, None) if isinstance(time, SecIndex) else (None, seconds)
