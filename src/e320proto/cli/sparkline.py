"""Power of the last while as one line of characters, or two where there is import and export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto.cli.power_plot import grown, hung

if TYPE_CHECKING:
    from collections.abc import Sequence


def sparkline(values: Sequence[float | None], width: int) -> list[str]:
    """Draw numbers as bars, the last ones if there is not room for all.

    Args:
        values: the oldest first; ``None`` where there is none, and nothing is drawn.
        width: characters of a line.

    Returns:
        A line of what is above zero, if anything is not below it; a second one, hanging from it, of what is below zero.
        Both have the same scale: the largest magnitude fills a character.

    >>> for line in sparkline([100, 500, 1000, None, -100, -1000], 6):
    ...     print(repr(line))
    '▁▄█   '
    '    ▔█'
    >>> sparkline([0, 0], 6)
    ['▁▁']
    """
    shown = values[-width:]
    numbers = [value for value in shown if value is not None]
    scale = max(map(abs, numbers), default=0.0) or 1.0
    above = "".join(" " if value is None or value < 0 else _at_least(value / scale) for value in shown)
    below = "".join(" " if value is None else hung(max(-value / scale, 0.0)) for value in shown)
    if not below.strip():
        return [above]
    return [above, below] if above.strip() else [below]


def _at_least(part: float) -> str:
    """Draw nothing as the least bar: a power of zero is one that was measured."""
    return grown(part) if part > 0 else grown(1e-9)
