"""Power over time: the mean as a line, from the least to the greatest as a band, import above zero and export below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from e320proto.report.axes import make_scale
from e320proto.report.canvas import SIZES, Canvas, picture
from e320proto.report.markup import Markup, element, joined
from e320proto.report.timeline import SECOND
from e320proto.report.times import duration_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.report.bins import Bin, Bins
    from e320proto.report.meter_record import MeterRecord
    from e320proto.report.timeline import Stretch

_HITS: Final = 120  # places on a plot that tell their numbers
_HALF: Final = 0.6  # of the least height of a band


def power_chart(meter: MeterRecord) -> Markup:
    """Draw the power of a meter that sent some."""
    return joined(*(_picture(meter, index) for index in range(len(SIZES))))


def _picture(meter: MeterRecord, index: int) -> Markup:
    size = SIZES[index]
    bins = meter.bins.coarser(size.width)
    powers = {number: one for number, one in sorted(bins.bins.items()) if one.count}
    least, greatest = min(one.least for one in powers.values()), max(one.greatest for one in powers.values())
    end_ms = meter.timeline.end_ms if bins.width_ms > SECOND else meter.timeline.end_ms + SECOND
    canvas = Canvas(size, 0, end_ms, make_scale(least, greatest, "W"))
    stretches = meter.timeline.stretches
    description = (
        f"Power from {least:,.6g} W to {greatest:,.6g} W. Band: least to greatest in {duration_text(bins.width_ms)}; "
        "line: mean; positive: import, negative: export."
    )
    limit = meter.intervals.limit_ms + bins.width_ms
    return picture(
        canvas,
        "Power over time",
        description,
        canvas.gaps(meter.intervals.gaps(), meter.intervals.usual_ms or 0),
        canvas.frame(stretches),
        _bands(canvas, bins.width_ms, powers),
        _lines(canvas, bins.width_ms, powers, limit),
        _marks(canvas, bins),
        joined(*_hits(canvas, meter, bins)) if index == 0 else Markup(),
    )


def _bands(canvas: Canvas, width_ms: int, powers: dict[int, Bin]) -> Markup:
    width = max(1.0, canvas.x(width_ms) - canvas.x(0))
    above, below = [], []
    for number, one in powers.items():
        x = canvas.x((number + 0.5) * width_ms)
        if one.greatest > 0:
            above.append(_bar(canvas, x, max(one.least, 0.0), one.greatest))
        if one.least < 0:
            below.append(_bar(canvas, x, one.least, min(one.greatest, 0.0)))
    return joined(
        element("path", class_="band import", stroke_width=round(width, 2), d="".join(above)),
        element("path", class_="band export", stroke_width=round(width, 2), d="".join(below)),
    )


def _bar(canvas: Canvas, x: float, low: float, high: float) -> str:
    bottom, top = canvas.y(low), canvas.y(high)
    if bottom - top < 2 * _HALF:
        bottom, top = round(bottom + _HALF, 1), round(top - _HALF, 1)
    return f"M{x:g} {bottom:g}V{top:g}"


def _lines(canvas: Canvas, width_ms: int, powers: dict[int, Bin], limit: float) -> Markup:
    """Draw the means, in two colours, which change where the line meets zero."""
    paths: dict[bool, list[str]] = {False: [], True: []}
    before: tuple[int, float] | None = None
    for number, one in powers.items():
        mean, x = one.mean, canvas.x((number + 0.5) * width_ms)
        if before is None or (number - before[0]) * width_ms > limit:
            paths[mean < 0].append(f"M{x:g} {canvas.y(mean):g}h0")
        else:
            last_x, last = canvas.x((before[0] + 0.5) * width_ms), before[1]
            if (last < 0) == (mean < 0):
                paths[mean < 0].append(f"L{x:g} {canvas.y(mean):g}")
            else:
                zero_x = round(last_x + (x - last_x) * last / (last - mean), 1)
                paths[last < 0].append(f"L{zero_x:g} {canvas.y(0):g}")
                paths[mean < 0].append(f"M{zero_x:g} {canvas.y(0):g}L{x:g} {canvas.y(mean):g}")
        before = number, mean
    return joined(
        element("path", class_="line import", d="".join(paths[False])),
        element("path", class_="line export", d="".join(paths[True])),
    )


def _marks(canvas: Canvas, bins: Bins) -> Markup:
    """Mark where trouble was, below the axis."""
    places = [canvas.x((number + 0.5) * bins.width_ms) for number, one in sorted(bins.bins.items()) if one.trouble]
    return element("path", class_="marks", d="".join(f"M{x:g} {canvas.bottom - 7}v6" for x in dict.fromkeys(places)))


def _hits(canvas: Canvas, meter: MeterRecord, bins: Bins) -> Iterator[Markup]:
    """Columns that tell their numbers when a pointer is on them."""
    columns = bins.coarser(_HITS)
    for number, one in sorted(columns.bins.items()):
        if not one.count:
            continue
        begin_ms, end_ms = number * columns.width_ms, (number + 1) * columns.width_ms
        stretch = _stretch_at(meter.timeline.stretches, begin_ms)
        when = time_text(stretch.clock, stretch.time_at(max(begin_ms, stretch.x_ms)))
        numbers = f"mean {one.mean:,.1f} W, least {one.least:,.6g} W, greatest {one.greatest:,.6g} W"
        x = canvas.x(begin_ms)
        yield element(
            "rect",
            element("title", f"{when}, {duration_text(columns.width_ms)}: {numbers}"),
            class_="hit",
            x=x,
            y=0,
            width=round(canvas.x(end_ms) - x, 1),
            height=canvas.bottom,
        )


def _stretch_at(stretches: list[Stretch], x_ms: int) -> Stretch:
    return next((stretch for stretch in reversed(stretches) if stretch.x_ms <= x_ms), stretches[0])
