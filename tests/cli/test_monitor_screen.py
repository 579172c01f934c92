"""Screens of lines: what stands on them, at any size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import Telegram, TelegramDecoder, TransportError, Unsigned
from e320proto.cli.monitor_run import summary
from e320proto.cli.monitor_screen import finding_lines, line_screen, table_screen, trouble_counts
from e320proto.cli.monitored import LineFacts
from e320proto.cli.sparkline import sparkline
from e320proto.live.findings import KINDS, Finding, Severity
from e320proto.live.line import Counts, LineStats
from e320proto.meter import E320Config, Inputs, Meter

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from rich.text import Text

    from tests.cli.conftest import MakeEntry, Push


def telegram(*watts: float) -> Telegram:
    meter = Meter(E320Config(pin="1234", extended_set=True), inputs=Inputs.of_power(*watts))
    meter.advance(0)
    meter.advance(5)
    (last,) = TelegramDecoder().feed(meter.info_data_to_send()[-1])
    assert isinstance(last, Telegram)
    return last


def facts(shown: Telegram | None = None, findings: Sequence[Finding] = (), stats: LineStats | None = None) -> LineFacts:
    return LineFacts(
        url="tcp://127.0.0.1:7000",
        state="receiving" if shown else "silent",
        error=None if shown else TransportError("no such device"),
        telegram=shown,
        powers=(1.0, None, -2.0),
        stats=stats or LineStats(),
        findings=findings,
    )


def plain(lines: Sequence[Text]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def test_a_line_in_full() -> None:
    stats = LineStats(total=Counts(damaged={"bad_crc": 2, "truncated": 1}, discarded=17, dropped=1, losses=2))
    shown = plain(line_screen(facts(telegram(1000, 500, -300), stats=stats), 100, 40))
    text = " ".join(" ".join(shown).split())
    assert shown[0].startswith("Meter 1 LGZ00 6353 9421  Landis+Gyr")
    assert shown[1] == "tcp://127.0.0.1:7000  receiving"
    assert shown[3].startswith("  import → 1200 W")
    assert "1-0:1.8.0*255" in text
    assert "voltage on L1, L2, L3" in text
    assert "3 frames damaged (2 bad_crc, 1 truncated), 17 octets of noise, 1 telegram not taken in time, lost 2" in text


def test_export_is_told_by_word_and_sign() -> None:
    shown = plain(line_screen(facts(telegram(-1000, -500, -300)), 100, 40))
    assert any(line.startswith("  export ← -1800 W") for line in shown)


def test_a_line_without_a_telegram() -> None:
    finding = Finding("silent", "no light for 8 s: look at the head", Severity.FAULT)
    assert plain(line_screen(facts(findings=[finding]), 80, 24)) == [
        "tcp://127.0.0.1:7000  silent",
        "no such device",
        "",
        "✗ no light for 8 s: look at the head",
    ]


def test_a_window_that_is_not_high_enough_says_so() -> None:
    shown = plain(line_screen(facts(telegram(1000, 500, -300)), 80, 14))
    assert len(shown) == 14
    assert any("more lines: the window is not high enough" in line for line in shown)
    assert any("status" in line for line in shown)


def test_many_lines_in_a_table() -> None:
    finding = Finding("silent", "no light for 8 s", Severity.FAULT)
    lines = [facts(telegram(1000, 0, 0)), facts(findings=[finding]), facts(telegram(-3000, 0, 0))]
    shown = plain(table_screen(lines, 120, 30))
    assert shown[0].split() == ["meter", "state", "power", "import", "export", "per", "s", "trouble"]
    assert shown[1].startswith("1  1 LGZ00 6353 9421")
    assert "1000 W" in shown[1]
    assert "-3000 W" in shown[3]
    assert shown[-1] == "✗ 2 tcp://127.0.0.1:7000: no light for 8 s"


@pytest.mark.parametrize("word", KINDS)
def test_each_finding_is_folded_and_not_cut(word: str) -> None:
    kind = KINDS[word]
    finding = Finding(word, f"{kind.seen}: {kind.remedy}", kind.severity)
    for width in (30, 80):
        shown = plain(finding_lines([finding], width))
        assert all(len(line) <= width for line in shown)
        assert " ".join(" ".join(line[2:] for line in shown).split()) == " ".join(finding.text.split())


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=40), st.integers(1, 60))
def test_a_sparkline_fits_and_shows_each_sign_in_its_row(values: list[float | None], width: int) -> None:
    rows = sparkline(values, width)
    assert 1 <= len(rows) <= 2
    shown = values[-width:]
    assert all(len(row) == len(shown) for row in rows)
    if len(rows) == 2:
        for value, above, below in zip(shown, *rows, strict=True):
            assert value is not None or (above, below) == (" ", " ")
            assert value is None or value >= 0 or above == " "
            assert value is None or value < 0 or below == " "


@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 5), st.randoms(use_true_random=False))
def test_any_size_is_filled_and_not_more(width: int, height: int, count: int, luck: random.Random) -> None:
    shown = [telegram(1000, 500, -300), None, telegram(-1000, -500, -300)]
    findings = [Finding(word, kind.seen, kind.severity) for word, kind in KINDS.items()]
    lines = [facts(luck.choice(shown), luck.sample(findings, luck.randrange(4))) for _ in range(count + 1)]
    for drawn in (line_screen(lines[0], width, height), table_screen(lines, width, height)):
        assert len(drawn) <= height
        assert all("\n" not in line.plain for line in drawn)


def test_telegrams_of_other_meters(push: Push, entry: MakeEntry) -> None:
    for octets in (push(entry("1.8.0", Unsigned(1, 8)), time=None), push(entry("96.1.0", b"x" * 200)), push()):
        (found,) = TelegramDecoder().feed(octets)
        assert isinstance(found, Telegram)
        shown = facts(found)
        assert plain(line_screen(shown, 80, 24))
        assert plain(table_screen([shown, shown], 80, 24))
        assert summary(shown)


def test_a_summary_in_one_line() -> None:
    shown = replace(facts(telegram(1000, 500, -300)), stats=LineStats(total=Counts(losses=1)))
    assert summary(shown) == (
        "1 LGZ00 6353 9421, second 5, import → 1200 W, 1.8.0 1.6 Wh, 2.8.0 0.0 Wh, 0.00 telegrams/s, lost once"
    )
    assert trouble_counts(Counts()) == ""
