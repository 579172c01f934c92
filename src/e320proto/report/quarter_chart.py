"""Quarter hours as bars: import above zero, export below; of a long time, bars of hours or days."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Final

from e320proto.report.axes import make_scale
from e320proto.report.canvas import SIZES, Canvas, Size, picture
from e320proto.report.markup import Markup, element, joined
from e320proto.report.quarters import QUARTER_MS
from e320proto.report.times import duration_text, short_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from e320proto.report.meter_record import MeterRecord
    from e320proto.report.quarters import Quarter
    from e320proto.report.timeline import Clock
    from e320proto.units import Quantity

_PERIODS: Final = tuple(QUARTER_MS * count for count in (1, 4, 24, 96, 7 * 96, 28 * 96))
_PX: Final = 2.5  # of the narrowest bar, with its gap
_DIGITS: Final = 400  # more than numbers of 64 bits with any scaler need, so sums are exact


@dataclass(slots=True)
class Period:
    """One quarter hour, or several one behind the other.

    Args:
        clock: of its times.
        t_ms: its begin.
        x_ms: its begin on the axis.
        length_ms: of it.
        imported: Wh; ``None`` where no reading tells.
        exported: the same.
        complete: whether all of its quarter hours are there and complete.
        quarters: of which something is known.
    """

    clock: Clock
    t_ms: int
    x_ms: int
    length_ms: int
    imported: Decimal | None = None
    exported: Decimal | None = None
    complete: bool = True
    quarters: int = 0


def periods(quarters: Iterable[Quarter], length_ms: int, limit_ms: float) -> list[Period]:
    """Add quarter hours up; values are exact."""
    found: list[Period] = []
    for quarter in quarters:
        t_ms = quarter.t_ms // length_ms * length_ms
        x_ms = quarter.x_ms - quarter.t_ms + t_ms
        last = found[-1] if found else None
        if last is None or (last.clock, last.t_ms, last.x_ms) != (quarter.clock, t_ms, x_ms):
            last = Period(quarter.clock, t_ms, x_ms, length_ms)
            found.append(last)
        imported, exported = quarter.energies(limit_ms)
        last.imported, last.exported = _sum(last.imported, imported), _sum(last.exported, exported)
        last.complete &= quarter.complete(limit_ms)
        last.quarters += 1
    for period in found:
        period.complete &= period.quarters * QUARTER_MS == length_ms
    return found


def _sum(total: Decimal | None, more: Quantity | None) -> Decimal | None:
    if total is None or more is None:
        return total if more is None else more.decimal
    with localcontext(prec=_DIGITS):
        return total + more.decimal


def quarter_chart(meter: MeterRecord, quarters: Sequence[Quarter]) -> Markup:
    """Draw the quarter hours of a meter, of which there is at least one."""
    return joined(*(_picture(meter, quarters, size) for size in SIZES))


def _picture(meter: MeterRecord, quarters: Sequence[Quarter], size: Size) -> Markup:
    limit = meter.intervals.limit_ms
    span = quarters[-1].x_ms + QUARTER_MS - quarters[0].x_ms
    most = (size.width - size.left) / _PX
    length_ms = next((length for length in _PERIODS if span / length <= most), _PERIODS[-1])
    bars = periods(quarters, length_ms, limit)
    highest = max(float(bar.imported or 0) for bar in bars)
    deepest = max(float(bar.exported or 0) for bar in bars)
    begin_ms, end_ms = bars[0].x_ms, bars[-1].x_ms + length_ms
    canvas = Canvas(size, begin_ms, end_ms, make_scale(-deepest, highest, "Wh", 5))
    return picture(
        canvas,
        f"Energy in each {_period_name(length_ms)}",
        "Bars above zero: import; below: export; pale with a dashed edge: incomplete.",
        canvas.frame(meter.timeline.stretches),
        *(part for bar in bars for part in _bar(canvas, bar)),
    )


def _period_name(length_ms: int) -> str:
    return "quarter hour" if length_ms == QUARTER_MS else f"part of {duration_text(length_ms)}"


def _bar(canvas: Canvas, bar: Period) -> Iterator[Markup]:
    left, right = canvas.x(bar.x_ms), canvas.x(bar.x_ms + bar.length_ms)
    gap = min(1.0, (right - left) * 0.2)
    words = bar_words(bar)
    for name, value in (("import", bar.imported), ("export", -bar.exported if bar.exported else None)):
        if value:
            edges = sorted((canvas.y(float(value)), canvas.y(0)))
            yield element(
                "rect",
                element("title", words),
                class_=name if bar.complete else f"{name} partly",
                x=round(left + gap / 2, 1),
                y=edges[0],
                width=max(0.5, round(right - left - gap, 1)),
                height=max(0.5, round(edges[1] - edges[0], 1)),
            )


def bar_words(bar: Period) -> str:
    """A period and its values."""
    values = [
        f"{name} {value:f} Wh"
        for name, value in (("import", bar.imported), ("export", bar.exported))
        if value is not None
    ]
    incomplete = "" if bar.complete else " (incomplete)"
    return f"{short_text(bar.clock, bar.t_ms)}, {duration_text(bar.length_ms)}: {', '.join(values)}{incomplete}"
