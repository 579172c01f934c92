"""Quarter-hour values: bars, and a table for each day."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from e320proto.report.markup import Markup, element, joined
from e320proto.report.quarter_chart import periods, quarter_chart
from e320proto.report.quarters import QUARTER_MS
from e320proto.report.tables import Faint, folded, table
from e320proto.report.timeline import SECOND
from e320proto.report.times import date_of, duration_text, short_text
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from e320proto.report.markup import Child
    from e320proto.report.meter_record import MeterRecord
    from e320proto.report.quarter_chart import Period
    from e320proto.report.quarters import Quarter
    from e320proto.units import Quantity

DAYS: Final = 31
"""Days with a table of their quarter hours: the last ones. Each of the others has one line."""

_DAY_MS: Final = 96 * QUARTER_MS
_ALL: Final = 4000  # days with a line


def quarter_section(meter: MeterRecord) -> Markup:
    """Show the quarter hours of a meter."""
    quarters, limit = list(meter.quarters), meter.intervals.limit_ms
    heading = element("h3", "Quarter hours")
    if not quarters:
        return joined(heading, element("p", "There are none, because there are no times.", class_="quiet"))
    if not meter.first_energies:
        return joined(heading, element("p", "There are none, because the meter sent no active energy.", class_="quiet"))
    complete = sum(quarter.complete(limit) for quarter in quarters)
    words = (
        "What the registers 1.8.0 and 2.8.0 counted between multiples of 900 s of the clock: differences of readings "
        f"as they were sent. {complete:,} of {plural(len(quarters), 'quarter hour')} "
        f"{'is' if complete == 1 else 'are'} complete. A quarter hour without a telegram at one of its edges is "
        "incomplete: its values are those between its own first and last telegram."
    )
    return joined(
        heading,
        element("p", words, class_="quiet"),
        element("figure", quarter_chart(meter, quarters)) if _any_energy(quarters, limit) else None,
        *_days(quarters, limit),
    )


def _any_energy(quarters: Sequence[Quarter], limit: float) -> bool:
    return any(value is not None and value.raw for quarter in quarters for value in quarter.energies(limit))


def _days(quarters: Sequence[Quarter], limit: float) -> Iterator[Markup]:
    days = [list(group) for _, group in groupby(quarters, key=_day_key)]
    if len(days) > _ALL:
        yield element("p", f"{plural(len(days) - _ALL, 'day')} before these are not shown.", class_="quiet")
    lines = days[-_ALL:-DAYS]
    if lines:
        rows = [_period_row(period) for day in lines for period in periods(day, _DAY_MS, limit)]
        caption = f"The {plural(len(lines), 'day')} before the last {DAYS}, Wh; their quarter hours are not shown"
        yield folded(caption, table("", ("=Day", ">Import", ">Export", "Complete"), rows), rows=len(rows))
    for day in days[-DAYS:]:
        (total,) = periods(day, _DAY_MS, limit)
        summary = f"{_day_name(total)}: {_values(total)} in {plural(len(day), 'quarter hour')}{_partly(total)}"
        columns = ("=Begin", "=End", ">Import, Wh", ">Export, Wh", ">Telegrams", "Complete")
        yield folded(summary, table("", columns, [_row(quarter, limit) for quarter in day]), rows=len(day))


def _day_key(quarter: Quarter) -> tuple[object, int, int]:
    """Quarter hours of one day have the same; behind a break another day begins."""
    day_ms = quarter.t_ms // _DAY_MS * _DAY_MS
    return quarter.clock, day_ms, quarter.x_ms - quarter.t_ms


def _day_name(period: Period) -> str:
    if period.clock.dated:
        date = date_of(period.t_ms)
        return short_text(period.clock, period.t_ms) if date is None else date.date().isoformat()
    return f"Second {period.t_ms // SECOND} to {(period.t_ms + _DAY_MS) // SECOND}"


def _partly(period: Period) -> str:
    return "" if period.complete else ", incomplete"


def _values(period: Period) -> str:
    values = (("import", period.imported), ("export", period.exported))
    return ", ".join(f"{name} {value:f} Wh" for name, value in values if value is not None) or "no values"


def _period_row(period: Period) -> Sequence[Child]:
    cells = (_day_name(period), _decimal(period.imported), _decimal(period.exported))
    return (*cells, "yes") if period.complete else Faint((*cells, "no"))


def _decimal(value: Decimal | None) -> str:
    return "not known" if value is None else f"{value:f}"


def _row(quarter: Quarter, limit: float) -> Sequence[Child]:
    imported, exported = quarter.energies(limit)
    times = (short_text(quarter.clock, quarter.t_ms), short_text(quarter.clock, quarter.t_ms + QUARTER_MS))
    cells = (*times, _digits(imported), _digits(exported), f"{quarter.telegrams:,}")
    return (*cells, "yes") if quarter.complete(limit) else Faint((*cells, _why(quarter, limit)))


def _digits(value: Quantity | None) -> str:
    return "not known" if value is None else value.digits


def _why(quarter: Quarter, limit: float) -> str:
    edges = (("begin", quarter.begin_step_ms), ("end", quarter.end_step_ms))
    words = [
        f"nothing known at its {name}" if step is None else f"gap of {duration_text(step)} at its {name}"
        for name, step in edges
        if step is None or step > limit
    ]
    return f"no: {', '.join(words)}"
