"""The page: well-formed whatever came, complete, and made of nothing but itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from e320proto import ListEntry, ObisCode, SecIndex, Timestamp
from e320proto.report.collector import METERS, Collector
from e320proto.report.page import report_page

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.report.collector import Findings
    from tests.report.conftest import Collect, Push

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "path", "rect", "br"}


class Balance(HTMLParser):
    """Follows the tags as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.loads += [f"{tag} {name}={value}" for name, value in attrs if name in {"src", "srcset", "data", "style"}]
        self.loads += [
            f"{tag} {value}" for name, value in attrs if "href" in name and not (value or "").startswith("#")
        ]
        self.loads += [tag] if tag in {"script", "link", "iframe", "object", "base"} else []
        self.loads += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        assert self.open.pop() in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(findings: Findings) -> ET.Element:
    """The page, after checks of its form."""
    text = report_page(findings, version="1.2.3")
    balance = Balance()
    balance.feed(text)
    balance.close()
    assert balance.open == []
    assert balance.loads == []
    root = ET.fromstring(text)  # noqa: S314 - our own page
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert {(node.get("href") or "")[1:] for node in root.iter("a")} <= set(ids)
    return root


def words(node: ET.Element) -> str:
    return " ".join(" ".join(node.itertext()).split())


def rows(root: ET.Element, first_column: str) -> list[list[str]]:
    """The cells of the table whose first heading this is."""
    for table in root.iter("table"):
        heads = [words(head) for head in table.iterfind("thead/tr/th")]
        if heads[0] == first_column:
            return [[words(cell) for cell in row] for row in table.iterfind("tbody/tr")]
    pytest.fail(f"no table {first_column}")


@settings(max_examples=60)
@given(pieces=st.lists(st.binary(max_size=300), max_size=5), timed=st.booleans())
def test_any_octets_give_a_page(collect: Collect, pieces: list[bytes], *, timed: bool) -> None:
    page_of(collect(((float(number), piece) for number, piece in enumerate(pieces)) if timed else pieces))


TIMES = st.one_of(st.none(), st.integers(0, 2**32 - 1), st.builds(Timestamp, st.integers(0, 2**32 - 1)))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(TIMES, st.none() | st.integers(0, 2**64 - 1), st.none() | st.integers(-(2**31), 2**31 - 1)),
        max_size=12,
    ),
    st.integers(-128, 127),
    st.none() | st.floats(-1e12, 1e12),
)
@example(  # no register has a place in time
    telegrams=[*[(None, None, None)] * 6, (None, 0, None), (None, 1, None), (0, None, None), (3032, None, None)],
    scaler=0,
    at=None,
)
def test_any_values_and_times_give_a_page(
    collect: Collect,
    push: Push,
    telegrams: list[tuple[SecIndex | Timestamp | int | None, int | None, int | None]],
    scaler: int,
    at: float | None,
) -> None:
    frames = [push(time, imported=energy, watts=watts, scaler=scaler) for time, energy, watts in telegrams]
    findings = collect(frames if at is None else [(at, frame) for frame in frames])
    assert findings.telegrams == len(telegrams)
    page_of(findings)


def test_what_comes_from_wire_or_file_system_is_no_markup(push: Push) -> None:
    evil = '<script>alert(1)</script>"&\x00\x1b'
    entry = ListEntry(obj_name=ObisCode.parse("1-0:96.50.1*1"), value=b"<b>&amp;</b>")
    firmware = ListEntry(obj_name=ObisCode.parse("0.2.0"), value=b"<i>1</i>")
    collector = Collector()
    for name in (evil, "other"):
        collector.begin(name)
        collector.feed(push(1, others=(entry, firmware)) + b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01<u>")
    collector.end()
    root = page_of(collector.findings)
    assert not [node for node in root.iter() if node.tag in {"script", "b", "i", "u"}]
    assert "<script>alert(1)</script>" in words(root)
    assert "<i>1</i>" in words(root)


def test_the_head_of_a_meter(collect: Collect, push: Push) -> None:
    root = page_of(collect(push(second, imported=42_718_093 + 7 * second, exported=5) for second in range(100, 200)))
    facts = {words(pair[0]): words(pair[1]) for pair in root.iterfind(".//section[@id='meter-1']/dl/div")}
    assert words(next(root.iter("h2"))) == "Meter 1 LGZ00 1234 5678"
    assert facts["Server id"] == "0a014c475a0000bc614e"
    assert facts["Manufacturer"].startswith("Landis+Gyr")
    assert facts["From"] == "second 100 (0:01:40 h)"
    assert facts["To"] == "second 199 (0:03:19 h)"
    assert facts["Duration"] == "1 min 39 s, a telegram every 1 s as a rule"
    assert facts["Times"] == "the meter's own counter of seconds, which is no date."
    assert facts["Import"] == "0.0693 kWh"
    assert facts["Export"] == "0.0000 kWh"
    assert "1970" not in words(root), "a counter is never made a date"


def test_the_reduced_data_set_is_explained(collect: Collect, push: Push) -> None:
    reduced = words(page_of(collect([push(1, imported=42, scaler=3, watts=None)])))
    assert "Enter its PIN" in reduced
    assert "The meter sent no power." in reduced
    both = words(page_of(collect([push(1, imported=42, scaler=3), push(2, imported=42), push(3, imported=42)])))
    assert "reduced in 1 telegram of 3" in both


def test_tables_hold_exact_values(collect: Collect, push: Push) -> None:
    numbers = [second for second in range(890, 1950) if not 1000 <= second < 1100]
    root = page_of(collect(push(second, imported=10**15 + second, exported=3 * second) for second in numbers))
    assert rows(root, "Begin") == [
        ["second 0 (0:00:00 h)", "second 900 (0:15:00 h)", "1.0", "3.0", "10", "no: nothing known at its begin"],
        ["second 900 (0:15:00 h)", "second 1800 (0:30:00 h)", "90.0", "270.0", "800", "yes"],
        ["second 1800 (0:30:00 h)", "second 2700 (0:45:00 h)", "14.9", "44.7", "150", "no: nothing known at its end"],
    ]
    assert rows(root, "Last telegram before") == [
        ["second 999 (0:16:39 h)", "second 1100 (0:18:20 h)", "1 min 41 s", "10.1 Wh", "30.3 Wh"]
    ]
    assert rows(root, "OBIS")[0] == [
        "1-0:1.8.0*255",
        "Active energy import, total",
        "100000000000089.0",
        "100000000000194.9",
        "Wh",
        "105.9",
        "960",
    ]


def test_plots_show_the_extremes(collect: Collect, push: Push) -> None:
    """A spike of one telegram in many is still the top of the plot."""
    watts = [300] * 3000
    watts[1234], watts[2000] = 9870, -4560
    root = page_of(collect(push(second, imported=second, watts=one) for second, one in enumerate(watts)))
    wide = root.find(f".//{SVG}svg[@class='wide']")
    assert wide is not None
    labels = [node.text for node in wide.iter(f"{SVG}text")]
    assert "10.0" in labels or "10" in labels
    bands = {(node.get("class") or ""): node.get("d") or "" for node in wide.iter(f"{SVG}path")}
    tops = [float(top) for top in re.findall(r"V([0-9.]+)", bands["band import"])]
    bottoms = [float(bottom) for bottom in re.findall(r"M[0-9.]+ ([0-9.]+)V", bands["band export"])]
    assert min(tops) < sorted(tops)[1] - 50
    assert len(bottoms) == 1
    assert "9,870 W" in words(root)
    tiles = {words(pair[0]): words(pair[1]) for pair in root.iterfind(".//dl[@class='tiles']/div")}
    assert tiles["Highest power"] == "9870 W second 1234 (0:20:34 h) import"
    assert tiles["Lowest power"] == "-4560 W second 2000 (0:33:20 h) export"


def test_tariffs_that_count_are_drawn(collect: Collect, push: Push) -> None:
    def tariff(code: str, raw: int) -> ListEntry:
        from e320proto import Unsigned  # noqa: PLC0415

        return ListEntry(obj_name=ObisCode.parse(code), unit=30, scaler=-1, value=Unsigned(raw, 8))

    frames = [push(n, imported=n, others=(tariff("1.8.1", n), tariff("1.8.2", 7))) for n in range(20)]
    classes = {node.get("class") for node in page_of(collect(frames)).iter(f"{SVG}path")}
    assert "line import tariff1" in classes
    assert "line import tariff2" not in classes


def test_every_meter_has_a_section(collect: Collect, push: Push) -> None:
    meters = ["1LGZ0012345678", "1EMH0012345678", "1ISK0012345678"]
    root = page_of(collect(push(second, meter=meter) for second in range(5) for meter in meters))
    headings = [words(node) for node in root.iter("h2")]
    assert headings == [f"Meter 1 {maker}00 1234 5678" for maker in ("LGZ", "EMH", "ISK")] + [
        "Damaged telegrams and noise"
    ]


def test_meters_beyond_the_limit_are_counted(collect: Collect, push: Push) -> None:
    root = page_of(collect(push(1, meter=f"1LGZ{number:010}") for number in range(METERS + 3)))
    assert len(list(root.iterfind(".//section"))) == METERS + 1
    assert "3 telegrams of further meters are not shown." in words(root)


def test_a_power_failure_is_told(collect: Collect, push: Push) -> None:
    root = page_of(collect(push(second) for second in [*range(5000, 5050), *range(3, 40)]))
    assert [node for node in root.iter("summary") if words(node) == "1 break"]
    ((before, after, why),) = [row for row in rows(root, "Last telegram before") if "clock" in row[2]]
    assert (before, after) == ("second 5049 (1:24:09 h)", "second 3 (0:00:03 h)")
    assert why.startswith("the clock ran backwards")
    assert [node.get("class") for node in root.iter(f"{SVG}path")].count("break") >= 2


def test_long_tables_are_folded_and_limited(collect: Collect, push: Push) -> None:
    root = page_of(collect(push(second, status=0x1C0104 + 0x800 * (second % 2)) for second in range(300)))
    summaries = {words(node[0]): node.get("open") for node in root.iter("details")}
    assert summaries["299 changes, the first 200 of them shown"] is None
    assert len(rows(root, "When")) == 200


def test_a_year_of_days_is_shown_in_lines(collect: Collect, push: Push) -> None:
    root = page_of(collect(push(900 * quarter, imported=quarter) for quarter in range(40 * 96)))
    days = rows(root, "Day")
    assert len(days) == 9
    assert days[0] == ["Second 0 to 86400", "9.6", "0.0", "yes"]
    assert len([node for node in root.iter("details") if "Second" in words(node[0])]) == 31


def test_recordings_of_real_meters(shared: Path) -> None:
    files = sorted((shared / "captures").glob("*.bin"))
    if not files:
        pytest.skip("no recordings in ../shared/captures")
    collector = Collector()
    for file in files:
        collector.begin(file.name)
        collector.feed(file.read_bytes())
    collector.end()
    root = page_of(collector.findings)
    assert len(list(root.iterfind(".//section"))) == len(collector.findings.meters) + 1
    assert "dzg_sign" in [row[0] for row in rows(root, "Word")]


def test_no_line_crosses_a_gap(collect: Collect, push: Push) -> None:
    seconds = [*range(100), *range(400, 500)]
    root = page_of(collect(push(second, imported=second, watts=second) for second in seconds))
    lines = [node.get("d") or "" for node in root.iter(f"{SVG}path") if node.get("class") == "line import tariff0"]
    drawn = [line for line in lines if "L" in line]
    assert len(drawn) == 2, "wide and narrow"
    assert [line.count("M") for line in drawn] == [2, 2]


def test_without_energy_there_is_no_data_set(collect: Collect, push: Push) -> None:
    text = words(page_of(collect([push(1, imported=None, exported=None), push(2, imported=None, exported=None)])))
    assert "Data set without active energy" in text
    assert "The meter sent no active energy." in text
