"""Energy over time: what each register counted since the first telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from e320proto.report.axes import make_scale
from e320proto.report.canvas import SIZES, Canvas, Size, picture
from e320proto.report.markup import Markup, element, joined
from e320proto.report.readings import IMPORT

if TYPE_CHECKING:
    from e320proto.obis import ObisCode
    from e320proto.report.meter_record import MeterRecord

_KILO: Final = 1000


def energy_chart(meter: MeterRecord) -> Markup:
    """Draw the energy of a meter that sent some."""
    return joined(*(_picture(meter, size) for size in SIZES))


def line_class(code: ObisCode) -> str:
    """The classes of a register's line: direction and tariff."""
    return f"line {'import' if code.c == IMPORT else 'export'} tariff{code.e}"


def any_counted(meter: MeterRecord) -> bool:
    """Whether there is anything to draw."""
    return bool(_counting(meter))


def drawn(meter: MeterRecord) -> list[ObisCode]:
    """The registers that get a line: the totals, and tariffs that counted."""
    counting = _counting(meter)
    return [code for code in meter.first_energies if code.e == 0 or code in counting]


def _counting(meter: MeterRecord) -> set[ObisCode]:
    return {
        code
        for one in meter.bins.bins.values()
        for code, value in one.energies.items()
        if value.decimal != meter.first_energies[code].decimal
    }


def _picture(meter: MeterRecord, size: Size) -> Markup:
    bins = meter.bins.coarser(size.width)
    codes = drawn(meter)
    lines: dict[ObisCode, list[tuple[int, float]]] = {code: [] for code in codes}
    for number, one in sorted(bins.bins.items()):
        x_ms = min((number + 1) * bins.width_ms, meter.timeline.end_ms)
        for code in codes:
            if code in one.energies:
                if not lines[code]:
                    lines[code].append((number * bins.width_ms, 0.0))
                grown = one.energies[code].decimal - meter.first_energies[code].decimal
                lines[code].append((x_ms, float(grown)))
    lines = {code: line for code, line in lines.items() if line}  # telegrams without a time have no place
    values = [value for line in lines.values() for _, value in line]
    canvas = Canvas(size, 0, meter.timeline.end_ms, make_scale(min(values), max(values), "Wh", 5))
    limit = meter.intervals.limit_ms + bins.width_ms
    growth = ", ".join(f"{code.short} by {line[-1][1] / _KILO:,.6g} kWh" for code, line in lines.items())
    return picture(
        canvas,
        "Energy over time",
        f"Growth of the registers since the first telegram: {growth}.",
        canvas.gaps(meter.intervals.gaps(), meter.intervals.usual_ms or 0),
        canvas.frame(meter.timeline.stretches),
        *(element("path", class_=line_class(code), d=_path(canvas, line, limit)) for code, line in lines.items()),
    )


def _path(canvas: Canvas, line: list[tuple[int, float]], limit: float) -> str:
    """Draw a line; what a register did during a gap is not known, so there is none."""
    parts: list[str] = []
    before: int | None = None
    for x_ms, value in line:
        point = f"{canvas.x(x_ms):g} {canvas.y(value):g}"
        if before is None or x_ms - before > limit:
            parts.append(f"M{point}h0")
        elif parts[-1] != f"L{point}":
            parts.append(f"L{point}")
        before = x_ms
    return "".join(parts)
