"""Exact decimals of Arrow: 128-bit integers, low word first, in units of the ninth decimal.

::

    raw 1234567, scaler -1  ->  123456.7  ->  123456700000000  ->  low word, high word

What has more than nine decimals or 38 digits is not in a decimal column; ``raw`` and ``scaler`` of the
long table always hold it.
"""

from __future__ import annotations

from typing import Final

DECIMALS: Final = 9
"""Digits behind the point: of all registers known, a count of mWh with a scaler of -4 has the most, 7."""
DIGITS: Final = 38
"""What 128 bits hold."""
_LIMIT: Final = 10**DIGITS
_WORD: Final = 1 << 64
_SIGN: Final = 1 << 63


def decimal_words(raw: int, scaler: int) -> tuple[int, int] | None:
    """The two signed words of ``raw`` times ten to the ``scaler``; ``None`` if it has no exact place.

    >>> decimal_words(1234567, -1), decimal_words(-1, -9), decimal_words(1, -10), decimal_words(10, -10)
    ((123456700000000, 0), (-1, -1), None, (1, 0))
    """
    power = scaler + DECIMALS
    if power >= 0:
        number = raw * 10**power
    else:
        number, rest = divmod(raw, 10**-power)
        if rest:
            return None
    return words(number) if -_LIMIT < number < _LIMIT else None


def words(number: int) -> tuple[int, int]:
    """Split an integer of 128 bits into its two signed words, low word first.

    >>> words(-1), words(1 << 63)
    ((-1, -1), (-9223372036854775808, 0))
    """
    low = number % _WORD
    return (low - _WORD if low >= _SIGN else low), number >> 64
