"""Tables about one meter: gaps, status changes, registers, remarks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from e320proto.report.intervals import KEPT as KEPT_INTERVALS
from e320proto.report.markup import Markup, element, joined
from e320proto.report.readings import counted
from e320proto.report.status_changes import KEPT as KEPT_CHANGES
from e320proto.report.tables import folded, table
from e320proto.report.times import duration_text, time_text
from e320proto.sml.wording import NOTES, QUIRKS, plural, status_words, value_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from e320proto.report.markup import Child
    from e320proto.report.meter_record import MeterRecord
    from e320proto.report.registers import Register
    from e320proto.report.timeline import Place
    from e320proto.sml.entries import Entry
    from e320proto.units import Quantity

GAPS: Final = 200
"""Gaps that are shown, the longest ones."""


def gap_table(meter: MeterRecord) -> Markup:
    """Show where telegrams are missing."""
    usual = meter.intervals.usual_ms
    heading = element("h3", "Gaps")
    if usual is None:
        return joined(
            heading, element("p", "Not known: no two telegrams have different times of one clock.", class_="quiet")
        )
    longer = f"longer than {duration_text(round(meter.intervals.limit_ms))}"
    rule = f"As a rule a telegram comes every {duration_text(usual)}; a gap is {longer}."
    count, gaps = meter.intervals.gap_count, list(meter.intervals.gaps())
    if not count:
        return joined(heading, element("p", f"{rule} There is none.", class_="quiet"))
    shown = sorted(sorted(gaps, key=lambda gap: -gap.length_ms)[:GAPS], key=lambda gap: gap.x_ms)
    words = plural(count, "gap") + (f", of which the longest {len(shown)} are shown" if count > len(shown) else "")
    more = "more than " if count > KEPT_INTERVALS else ""
    rows = [
        (
            time_text(gap.clock, gap.t_ms),
            time_text(gap.clock, gap.t_ms + gap.length_ms),
            duration_text(gap.length_ms),
            _wh(counted(gap.before.imported, gap.after.imported)),
            _wh(counted(gap.before.exported, gap.after.exported)),
        )
        for gap in shown
    ]
    columns = ("=Last telegram before", "=First telegram after", ">Distance", ">Import meanwhile", ">Export meanwhile")
    total = f"{words}, {more}{duration_text(sum(gap.length_ms for gap in gaps))} in all"
    return joined(heading, element("p", rule, class_="quiet"), folded(total, table("", columns, rows), rows=len(rows)))


def break_table(meter: MeterRecord) -> Markup | None:
    """Show where the clock broke, if it did."""
    stretches = meter.timeline.stretches
    if len(stretches) == 1:
        return None
    rows = [
        (time_text(before.clock, before.end_t_ms), time_text(after.clock, after.t_ms), after.why.value)
        for before, after in pairwise(stretches)
    ]
    columns = ("=Last telegram before", "=First telegram after", "Why")
    words = "How much time went by at a break is not known. The plots leave no room for it."
    summary = plural(len(rows), "break")
    return joined(
        element("h3", "Breaks of the clock"),
        element("p", words, class_="quiet"),
        folded(summary, table("", columns, rows), rows=len(rows)),
    )


def _wh(value: Quantity | None) -> str:
    return "not known" if value is None else str(value)


def status_tables(meter: MeterRecord) -> Markup:
    """Show what the status word said, and when it changed."""
    statuses = meter.statuses
    heading = element("h3", "Status word")
    if statuses.first is None or statuses.last is None:
        return joined(heading, element("p", "The meter sent none.", class_="quiet"))
    first = element("p", f"First: {status_words(statuses.first)}.", class_="quiet")
    if not statuses.count:
        return joined(heading, first, element("p", "It never changed.", class_="quiet"))
    bits = [
        (bit.words, f"{bit.risen:,}", f"{bit.fallen:,}", _when(bit.first), _when(bit.last)) for bit in statuses.bits()
    ]
    kept = f", the first {KEPT_CHANGES:,} of them shown" if statuses.count > len(statuses.kept) else ""
    changes = table("", ("=When", "Set", "Cleared", "Word"), _changes(meter))
    return joined(
        heading,
        first,
        element("p", f"Last: {status_words(statuses.last)}.", class_="quiet"),
        table("", ("What", ">Set", ">Cleared", "=First change", "=Last change"), bits),
        folded(f"{plural(statuses.count, 'change')}{kept}", changes, rows=len(statuses.kept)),
    )


def _changes(meter: MeterRecord) -> Iterator[Sequence[Child]]:
    for change in meter.statuses.kept:
        risen, fallen = change.words()
        yield _when(change.place), ", ".join(risen), ", ".join(fallen), change.after.hex


def _when(place: Place) -> str:
    return time_text(place.stretch.clock, place.t_ms)


def register_table(meter: MeterRecord) -> Markup:
    """Show every register with its first and its last value."""
    rows = [_register(register) for register in meter.registers]
    if not rows:
        return joined(element("h3", "Registers"), element("p", "The meter sent none.", class_="quiet"))
    columns = ("=OBIS", "Name", ">First", ">Last", "Unit", ">Counted", ">Telegrams")
    left_out = meter.registers.left_out
    more = f" At least {left_out} further ones are not followed." if left_out else ""
    return joined(
        element("h3", "Registers"),
        element("p", f"All values as the meter sent them.{more}", class_="quiet"),
        table("", columns, rows),
    )


def _register(register: Register) -> Sequence[Child]:
    first, last, grown = register.first, register.last, register.counted
    return (
        str(last.obis),
        last.obis.name_en or ("manufacturer-specific" if last.obis.manufacturer_specific else "no name known"),
        _value(first),
        _value(last),
        "" if last.unit is None else str(last.unit),
        "" if grown is None else grown.digits,
        f"{register.telegrams:,}",
    )


def _value(entry: Entry) -> Child:
    value = value_words(entry)
    if entry.quantity is None:
        return element("span", value, class_="octets")
    return value if entry.corrected is None else f"{entry.corrected.digits} (sent {value})"


def remark_table(meter: MeterRecord) -> Markup | None:
    """Show what is special about the telegrams of a meter, if anything is."""
    if not meter.remarks:
        return None
    words = {**NOTES, **QUIRKS}
    rows = [
        (name, words.get(name, "see the documentation"), f"{count:,}") for name, count in sorted(meter.remarks.items())
    ]
    return joined(element("h3", "Remarks"), table("", ("=Word", "What it means", ">Telegrams"), rows))
