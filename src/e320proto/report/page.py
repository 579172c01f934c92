"""The page of a report: one file that needs no other, no network and no script."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING

from e320proto.report.markup import Markup, element, joined
from e320proto.report.meter_section import meter_section
from e320proto.report.style import STYLE
from e320proto.report.tables import folded, table
from e320proto.report.timeline import Clock
from e320proto.report.times import time_text
from e320proto.sml.wording import meter_words, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.report.causes import Cause, Spot
    from e320proto.report.collector import Findings


def report_page(findings: Findings, *, version: str) -> str:
    """Make the page of a report.

    Args:
        findings: of a collector that was told the end of its last capture.
        version: of this library.

    Returns:
        An HTML document that is well-formed XML too. It forbids the browser whatever it does not hold.
    """
    title = _title(findings)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    meters = list(findings.meters.values())
    body = element(
        "body",
        element("header", element("h1", "Meter report"), *_captures(findings)),
        element("main", *(meter_section(meter, number) for number, meter in enumerate(meters, 1)), _trouble(findings)),
        element(
            "footer", f"Made by e320proto {version}. Nothing in this page is loaded from elsewhere.", class_="quiet"
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _policy() -> str:
    """Forbid all but this style sheet."""
    digest = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _title(findings: Findings) -> str:
    meters = list(findings.meters.values())
    if len(meters) == 1:
        return f"Meter report: {meter_words(meters[0].server_id)}"
    return f"Meter report: {plural(len(meters), 'meter')}"


def _captures(findings: Findings) -> Iterator[Markup]:
    damaged, noise = findings.causes.damaged_count, findings.causes.noise_octets
    trouble = element("a", f"{damaged:,} damaged, {plural(noise, 'octet')} of noise", href="#trouble", class_="trouble")
    sums = f"{plural(findings.telegrams, 'telegram')} in {plural(sum(c.octets for c in findings.captures), 'octet')}; "
    yield element("p", sums, trouble if damaged or noise else "nothing damaged, no noise", ".")
    names = [f"{capture.name} ({plural(capture.telegrams, 'telegram')})" for capture in findings.captures]
    if len(names) == 1:
        yield element("p", findings.captures[0].name, class_="quiet")
    else:
        items = element("ul", *(element("li", name) for name in names), class_="quiet")
        yield folded(plural(len(names), "capture"), items, rows=len(names))
    if len(findings.meters) > 1:
        yield element(
            "ul",
            *(
                element(
                    "li",
                    element("a", meter_words(meter.server_id), href=f"#meter-{number}"),
                    f": {plural(meter.telegrams, 'telegram')}",
                )
                for number, meter in enumerate(findings.meters.values(), 1)
            ),
        )
    if findings.other_meters:
        yield element("p", f"{plural(findings.other_meters, 'telegram')} of further meters are not shown.")


def _trouble(findings: Findings) -> Markup:
    damaged, noise = list(findings.causes.damaged()), list(findings.causes.noise())
    several = len(findings.captures) > 1
    parts = [element("h2", "Damaged telegrams and noise")]
    if damaged:
        columns = ("What", "Reason", "Cause", ">Times", ">Octets", "First", "Last")
        rows = [
            (
                cause.kind,
                cause.reason,
                element("div", cause.words, class_="wide-words"),
                f"{cause.count:,}",
                f"{cause.octets:,}",
                _spot(cause.first, several=several),
                _spot(cause.last, several=several),
            )
            for cause in damaged
        ]
        parts.append(table("", columns, rows))
    else:
        parts.append(element("p", "No telegram was damaged.", class_="quiet"))
    parts.append(
        joined(*(element("p", _noise(cause, several=several)) for cause in noise))
        if noise
        else element("p", "There was no noise between telegrams.", class_="quiet")
    )
    return element("section", *parts, id="trouble")


def _noise(cause: Cause, *, several: bool) -> str:
    where = _spot(cause.first, several=several)
    more = "" if cause.count == 1 else f", last at {_spot(cause.last, several=several)}"
    size = f"{plural(cause.octets, 'octet')} in {plural(cause.count, 'place')}"
    return f"Noise: {size}, {cause.words}; first at {where}{more}."


def _spot(spot: Spot, *, several: bool) -> str:
    """A place in a capture, and its time if it has one."""
    when = "" if spot.at_ms is None else f", {time_text(Clock.ARRIVAL, spot.at_ms)}"
    return f"octet {spot.offset:,}{f' of {spot.source}' if several else ''}{when}"
