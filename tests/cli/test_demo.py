"""``e320 demo``."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

from e320proto import BytesDiscarded, Malformed, PublicOpenRes, TelegramDecoder
from e320proto.cli import main
from e320proto.cli.demo import demo_stream, push
from e320proto.sml.telegram import Telegram

if TYPE_CHECKING:
    import pytest

    from tests.cli.conftest import Run


def test_push_is_that_of_an_e320() -> None:
    octets = push(0)
    assert len(octets) == 276
    (telegram,) = TelegramDecoder().feed(octets)
    assert isinstance(telegram, Telegram)
    assert str(telegram.device_id) == "1LGZ0012345678"
    assert [str(code) for code in telegram.entries.keys()] == [  # noqa: SIM118 - entries, not a dict
        "1-0:96.50.1*1",
        "1-0:96.1.0*255",
        "1-0:1.8.0*255",
        "1-0:2.8.0*255",
        "1-0:16.7.0*255",
    ]
    assert str(telegram.status) == "001c0104 (fnn: started, voltage_l1, voltage_l2, voltage_l3)"
    assert [str(telegram.entries[code].quantity) for code in ("1.8.0", "2.8.0", "16.7.0")] == [
        "123456.7 Wh",
        "8901.2 Wh",
        "412 W",
    ]
    opened, listed, closed = telegram.messages
    assert isinstance(opened.message_body, PublicOpenRes)
    counts = [int.from_bytes(message.transaction_id) for message in (opened, listed, closed)]
    count = int.from_bytes(opened.message_body.req_file_id)
    assert counts == [3 * count + 1, 3 * count + 2, 3 * count + 3]


def test_stream_has_its_damage_where_the_text_says() -> None:
    decoder = TelegramDecoder()
    events = decoder.feed(demo_stream()) + decoder.close()
    assert [type(event) for event in events] == [Telegram, Telegram, Malformed, Telegram, BytesDiscarded, Telegram]
    flipped = [a ^ b for a, b in zip(events[2].raw, push(2), strict=True) if a != b]  # type: ignore[union-attr]
    assert len(flipped) == 1
    assert flipped[0].bit_count() == 1


def test_demo(e320: Run) -> None:
    done = e320("demo")
    assert (done.status, done.err) == (0, "")
    assert "Meter 1 LGZ00 1234 5678  Landis+Gyr (Zug), electricity" in done.out
    assert "123456.7  Wh" in done.out
    assert "! octet 552: 276 octets, a telegram with a wrong checksum" in done.out
    assert "! octet 1104: 12 octets that belong to no telegram" in done.out
    assert "4 of 5 telegrams were read" in done.out
    assert done.out.rstrip().endswith("what the id of a meter says")


def test_raw_stream_is_nothing_but_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["demo", "--raw"]) == 0
    assert isinstance(out.buffer, io.BytesIO)
    assert out.buffer.getvalue() == demo_stream()


def test_raw_stream_can_be_decoded(process: Run) -> None:
    command = [sys.executable, "-m", "e320proto.cli", "demo", "--raw"]
    octets = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout  # noqa: S603 - ours
    assert octets == demo_stream()
    assert len(process("decode", "-f", "jsonl", "-", stdin=octets).out.splitlines()) == 4


def test_commands_it_names_exist(e320: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert e320("obis", "16.7.0").status == 0
    assert e320("id", "1LGZ0012345678").status == 0
