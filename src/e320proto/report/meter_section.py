"""The part of a page about one meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto.report.canvas import SIZES
from e320proto.report.energy_chart import any_counted, drawn, energy_chart, line_class
from e320proto.report.markup import Markup, element, joined
from e320proto.report.meter_tables import break_table, gap_table, register_table, remark_table, status_tables
from e320proto.report.power_chart import power_chart
from e320proto.report.quarter_section import quarter_section
from e320proto.report.tables import facts
from e320proto.report.times import duration_text, time_text
from e320proto.sml.wording import REDUCED, meter_words, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.report.markup import Child
    from e320proto.report.meter_record import Extreme, MeterRecord
    from e320proto.units import Quantity

_KILO = 3  # the prefix, as a power of ten


def meter_section(meter: MeterRecord, number: int) -> Markup:
    """Make the section of a meter.

    Args:
        meter: which one.
        number: of the section.
    """
    return element(
        "section",
        element("h2", f"Meter {meter_words(meter.server_id)}"),
        facts(_facts(meter)),
        facts(_tiles(meter), class_="tiles"),
        _power(meter),
        _energy(meter),
        quarter_section(meter),
        gap_table(meter),
        break_table(meter),
        status_tables(meter),
        register_table(meter),
        remark_table(meter),
        id=f"meter-{number}",
    )


def _facts(meter: MeterRecord) -> Iterator[tuple[str, Child]]:
    server = meter.server_id
    if server is not None:
        yield "Server id", server.hex or "empty"
        yield "Manufacturer", server.manufacturer or "not known"
        if server.device_id is not None:
            yield "Medium", server.device_id.medium_name
    yield "Telegrams", f"{meter.telegrams:,}"
    stretches = meter.timeline.stretches
    first, last = stretches[0], stretches[-1]
    yield "From", time_text(first.clock, first.t_ms)
    yield "To", time_text(last.clock, last.end_t_ms)
    usual = meter.intervals.usual_ms
    if usual is not None:
        lasted = sum(stretch.end_ms - stretch.x_ms for stretch in stretches)
        yield "Duration", f"{duration_text(lasted)}, a telegram every {duration_text(usual)} as a rule"
    yield "Times", joined(*(element("div", f"{clock.value}.") for clock in meter.timeline.clocks))
    yield "Data set", _data_set(meter)


def _data_set(meter: MeterRecord) -> str:
    if not meter.first_energies:
        return "without active energy"
    if not meter.reduced:
        return "with decimals of energy, as in the extended data set"
    if meter.reduced == meter.telegrams:
        return f"reduced. {REDUCED}"
    return (
        f"reduced in {plural(meter.reduced, 'telegram')} of {meter.telegrams:,}, with decimals of energy in the others"
    )


def _tiles(meter: MeterRecord) -> Iterator[tuple[str, Child]]:
    totals = {register.last.obis.short: register.counted for register in meter.registers}
    for name, code in (("Import", "1.8.0"), ("Export", "2.8.0")):
        value = totals.get(code)
        if value is not None and meter.telegrams > 1:
            yield name, element("span", _kilo(value), class_=name.lower())
    for name, extreme in (("Highest power", meter.highest), ("Lowest power", meter.lowest)):
        if extreme is not None:
            yield name, _extreme(extreme)
    count = meter.intervals.gap_count
    missing = sum(gap.length_ms for gap in meter.intervals.gaps())
    yield "Gaps", joined(f"{count:,}", element("small", f"{duration_text(missing)} in all") if count else None)
    yield "Status changes", f"{meter.statuses.count:,}"


def _kilo(energy: Quantity) -> str:
    """An energy in kWh, exact.

    >>> from e320proto.units import Quantity
    >>> _kilo(Quantity(1234567, -1)), _kilo(Quantity(42, 3))
    ('123.4567 kWh', '42 kWh')
    """
    return f"{type(energy)(energy.raw, energy.scaler - _KILO).digits} kWh"


def _extreme(extreme: Extreme) -> Markup:
    _, power, place = extreme
    sign = " import" if power.raw > 0 else " export" if power.raw < 0 else ""
    words = element("span", str(power), class_=sign.strip() or None)
    return joined(words, element("small", f"{time_text(place.stretch.clock, place.t_ms)}{sign}"))


def _power(meter: MeterRecord) -> Markup:
    heading = element("h3", "Power")
    if meter.highest is None:
        return joined(heading, element("p", "The meter sent no power.", class_="quiet"))
    if meter.timeline.end_ms == 0:
        return joined(
            heading, element("p", f"{meter.highest.power} at the only instant of the capture.", class_="quiet")
        )
    band = duration_text(meter.bins.coarser(SIZES[0].width).width_ms)
    return joined(
        heading,
        element(
            "figure",
            element(
                "figcaption",
                element(
                    "div",
                    _legend("line import", "import (above zero)"),
                    _legend("line export", "export (below zero)"),
                    element("span", f"Line: mean of {band}. Band: from the least to the greatest power in it."),
                    _swatch_gap(meter),
                    _swatch_trouble(meter),
                    class_="legend",
                ),
            ),
            power_chart(meter),
        ),
    )


def _energy(meter: MeterRecord) -> Markup:
    if not meter.first_energies:
        return joined(element("h3", "Energy"), element("p", "The meter sent no active energy.", class_="quiet"))
    if not any_counted(meter):
        return joined(element("h3", "Energy"), element("p", "No register counted.", class_="quiet"))
    names = [_legend(line_class(code), f"{code.short} {code.name_en or ''}") for code in drawn(meter)]
    return joined(
        element("h3", "Energy since the first telegram"),
        element("figure", element("figcaption", element("div", *names, class_="legend")), energy_chart(meter)),
    )


def _legend(classes: str, words: str) -> Markup:
    line = element("path", class_=classes, d="M1 5H25")
    return element("span", element("svg", line, viewBox="0 0 26 10", aria_hidden="true"), words)


def _swatch_gap(meter: MeterRecord) -> Markup | None:
    if not meter.intervals.gap_count:
        return None
    box = element("rect", class_="gap", x=1, y=0, width=24, height=10)
    return element("span", element("svg", box, viewBox="0 0 26 10", aria_hidden="true"), "gap")


def _swatch_trouble(meter: MeterRecord) -> Markup | None:
    if not any(one.trouble for one in meter.bins.bins.values()):
        return None
    marks = element("path", class_="marks", d="M8 2v6M13 2v6M18 2v6")
    return element("span", element("svg", marks, viewBox="0 0 26 10", aria_hidden="true"), "damaged telegram or noise")
