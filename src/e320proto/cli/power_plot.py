"""Power over a day as characters: import above the line of the hours, export below it.

::

     W
  2000 ┤                  ▂
  1000 ┤▂▂▂▂▂▄▂▂         ▂█▂▄▂▂▂
     0 ┼┬──┬──┬──┬──┬──┬──┬──┬──
 -1000 ┤        ▀███▀▔
     h  0  3  6  9  12 15 18 21 24

Every column shows two means over its part of the day, that of what was imported and that of what was exported, so the
two areas are the energies that the registers count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HOURS: Final = 24
_ROWS: Final = 12  # of import and export together
_TICK_H: Final = 3
_MOST_PER_HOUR: Final = 4
_STEPS: Final = (1, 2, 5)
_UP: Final = " ▁▂▃▄▅▆▇█"
_DOWN: Final = " ▔▀█"  # fonts have no more that hang from above
_DOWN_FROM: Final = (0.05, 0.25, 0.75)  # part of a row from which each of them is the nearest


def power_plot(watts: Sequence[float], width: int) -> list[str]:
    """Draw the power of a day.

    Args:
        watts: at equal distances over 24 hours, import positive; at least one for each column.
        width: characters of a line; lines are shorter where hours would not end at columns.

    Returns:
        Lines without blanks at their ends.

    >>> day = [600.0] * 48 + [-1500.0] * 24 + [1000.0] * 24
    >>> for line in power_plot(day, 32):
    ...     print(line)
         W
      1000 ┤▂▂▂▂▂▂▂▂▂▂▂▂      ██████
       500 ┤████████████      ██████
         0 ┼┬──┬──┬──┬──┬──┬──┬──┬──
      -500 ┤            ██████
     -1000 ┤            ██████
     -1500 ┤            ██████
         h  0  3  6  9  12 15 18 21 24
    """
    label = max(len(f"{-max(map(abs, watts)):.0f}") + 1, 6)
    per_hour = max(1, min(_MOST_PER_HOUR, (width - label - 4) // HOURS))
    imports, exports = _means(watts, HOURS * per_hour)
    step = _step(max(imports), max(exports))
    above, below = (-int(-max(means) // step) for means in (imports, exports))
    lines = [f"{'W':>{label}}"]
    lines += [f"{row * step:>{label}} ┤{_bars(imports, row, step, grown)}" for row in range(above, 0, -1)]
    tick = _TICK_H * per_hour
    lines.append(f"{0:>{label}} ┼{('┬' + '─' * (tick - 1)) * (HOURS // _TICK_H)}")
    lines += [f"{-row * step:>{label}} ┤{_bars(exports, row, step, hung)}" for row in range(1, below + 1)]
    hours = "".join(f"{hour:<{tick}}" for hour in range(0, HOURS + 1, _TICK_H))
    return [line.rstrip() for line in (*lines, f"{'h':>{label}}  {hours}")]


def _means(watts: Sequence[float], columns: int) -> tuple[list[float], list[float]]:
    """What is imported and what is exported in each column, W."""
    imports, exports = [], []
    for column in range(columns):
        part = watts[column * len(watts) // columns : (column + 1) * len(watts) // columns]
        imports.append(sum(watt for watt in part if watt > 0) / len(part))
        exports.append(-sum(watt for watt in part if watt < 0) / len(part))
    return imports, exports


def _step(highest: float, deepest: float) -> int:
    """Find the least round number of watts for a row with which all rows are few enough."""
    return next(step for step in _round_numbers() if -(-highest // step) - (-deepest // step) <= _ROWS)


def _round_numbers() -> Iterator[int]:
    power = 1
    while True:
        yield from (power * step for step in _STEPS)
        power *= 10


def _bars(means: Sequence[float], row: int, step: int, character: Callable[[float], str]) -> str:
    return "".join(character(min(1.0, max(0.0, mean / step - row + 1))) for mean in means)


def grown(part: float) -> str:
    """Choose the character of a bar that stands on the line below; whatever is there can be seen."""
    return _UP[-int(-part * (len(_UP) - 1) // 1)] if part > 0 else _UP[0]


def hung(part: float) -> str:
    """Choose the character of a bar that hangs from the line above."""
    return _DOWN[sum(part >= least for least in _DOWN_FROM)]
