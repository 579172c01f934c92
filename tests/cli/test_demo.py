"""``e320 demo``."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from e320proto import BytesDiscarded, Malformed, TelegramDecoder
from e320proto.cli import main
from e320proto.cli.demo import Day, decoded_day, demo_stream, pushes
from e320proto.sml.messages import SecIndex
from e320proto.sml.telegram import Telegram

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def day() -> Day:
    return decoded_day()


@pytest.fixture(scope="module")
def last_minute() -> list[bytes]:
    *_, last_hour = pushes()
    return last_hour[-60:]


@pytest.fixture(scope="module")
def stream() -> bytes:
    return demo_stream()


def test_day_is_whole(day: Day) -> None:
    assert (day.count, day.octets) == (86_400, 86_400 * 276 + 12)
    assert len(day.watts) == 86_399
    assert day.last is not None
    assert str(day.last.device_id) == "1LGZ0012345678"
    assert day.last.time == SecIndex(86_400)
    assert [str(code) for code in day.last.entries.keys()] == [  # noqa: SIM118 - entries, not a dict
        "1-0:96.50.1*1",
        "1-0:96.1.0*255",
        "1-0:1.8.0*255",
        "1-0:2.8.0*255",
        "1-0:16.7.0*255",
    ]


def test_energies_are_those_of_the_powers(day: Day) -> None:
    imported, exported = day.energies_kwh
    watt_seconds = sum(watt for watt in day.watts if watt > 0), -sum(watt for watt in day.watts if watt < 0)
    assert [round(energy / 3_600_000, 3) for energy in watt_seconds] == [
        pytest.approx(imported, abs=0.002),
        pytest.approx(exported, abs=0.002),
    ]
    assert imported > 1
    assert exported > 1


def test_damage_is_where_the_text_says(day: Day, stream: bytes, last_minute: list[bytes]) -> None:
    decoder = TelegramDecoder()
    events = decoder.feed(stream) + decoder.close()
    kinds = [Telegram] * 2 + [Malformed] + [Telegram] + [BytesDiscarded] + [Telegram] * 56
    assert [type(event) for event in events] == kinds
    flipped = [a ^ b for a, b in zip(events[2].raw, last_minute[2], strict=True) if a != b]  # type: ignore[union-attr]
    assert len(flipped) == 1
    assert flipped[0].bit_count() == 1
    assert [type(event) for event in day.trouble] == [Malformed, BytesDiscarded]
    assert day.trouble[0].offset == 86_340 * 276 + events[2].offset


def test_demo(e320: Run, day: Day) -> None:
    done = e320("demo")
    assert (done.status, done.err) == (0, "")
    imported, exported = day.energies_kwh
    assert f"Energy of the day: {imported:.2f} kWh imported, {exported:.2f} kWh exported." in done.out
    assert day.last is not None
    for energy in day.last.floats[2:4]:
        assert re.search(rf"total +{energy:.1f}  Wh\n", done.out)
    assert "  device id              1 LGZ00 1234 5678\n" in done.out
    assert "Meter 1 LGZ00 1234 5678  Landis+Gyr (Zug), electricity" in done.out
    assert "second 86400 of the meter's counter" in done.out
    assert "! octet 23830392: 276 octets, a telegram with a wrong checksum" in done.out
    assert "! octet 23830944: 12 octets that belong to no telegram" in done.out
    assert "86,399 of 86,400 telegrams were read" in done.out
    assert done.out.rstrip().endswith("what the id of a meter says")


@pytest.mark.parametrize("width", [60, 100])
def test_plot_fits(e320: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = e320("demo").out.splitlines()
    (zero,) = (number for number, line in enumerate(lines) if line.strip().startswith("0 ┼"))
    assert re.fullmatch(r" +h  0 +3 +6 +9 +12 +15 +18 +21 +24", next(line for line in lines[zero:] if " h  0 " in line))
    plot = [line for line in lines if "┤" in line or "┼" in line]
    assert max(map(len, plot)) <= width
    assert all("█" in line for line in (lines[zero - 1], lines[zero + 1]))


def test_raw_stream_is_nothing_but_octets(monkeypatch: pytest.MonkeyPatch, stream: bytes) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["demo", "--raw"]) == 0
    assert isinstance(out.buffer, io.BytesIO)
    assert out.buffer.getvalue() == stream


def test_raw_stream_can_be_decoded(process: Run, stream: bytes) -> None:
    command = [sys.executable, "-m", "e320proto.cli", "demo", "--raw"]
    octets = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout  # noqa: S603 - ours
    assert octets == stream
    assert len(process("decode", "-f", "jsonl", "-", stdin=octets).out.splitlines()) == 59


def test_commands_it_names_exist(e320: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert e320("obis", "16.7.0").status == 0
    assert e320("id", "1LGZ0012345678").status == 0
    assert e320("meter", "--print-config").status == 0
