"""Words for everything that the decoders can report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import e320proto
from e320proto import Malformed, ServerId, Status, Timestamp, TransportDecoder
from e320proto.sml import quirks
from e320proto.sml.wording import (
    BROKEN_FRAMES,
    BROKEN_TEXT,
    IN_SHORT,
    NOTES,
    QUIRKS,
    meter_words,
    status_words,
    time_words,
)

SOURCES = Path(e320proto.__file__).parent


def ids_in_source(pattern: str, *folders: str) -> set[str]:
    texts = [path.read_text(encoding="utf-8") for folder in folders for path in (SOURCES / folder).glob("*.py")]
    return {name for text in texts for match in re.findall(pattern, text) for name in re.findall(r'"(\w+)"', match)}


def test_every_note_has_words() -> None:
    """Notes are strings in the code; one that is new there needs words here."""
    found = ids_in_source(r"notes\.(?:add|append)\(([^)]*)\)", "schema", "sml")
    assert len(found) > 10
    assert found == set(NOTES)


def test_every_rule_has_words() -> None:
    assert set(QUIRKS) == {quirks.DZG_SIGN, quirks.EDL_DIRECTION, quirks.ZERO_TIME}


def test_every_broken_frame_has_words() -> None:
    rows = re.findall(r"^ *(\w+) +(?:\w+Error) ", TransportDecoder.__doc__ or "", re.MULTILINE)
    assert set(BROKEN_FRAMES) == set(IN_SHORT) == set(rows)
    assert {f"{kind}_text" for kind in ("hex", "base64")} == set(BROKEN_TEXT)


@pytest.mark.parametrize(
    ("value", "width", "words"),
    [
        (0x1C0104, 4, "001c0104: started; voltage on L1, L2, L3"),
        (0x000004, 3, "000004: voltage on no phase"),
        (
            0x07A704,
            3,
            (
                "07a704: started; magnet near the meter; terminal cover opened; wrong rotating field; "
                "return stop active; fatal error; export on L2; voltage on L1"
            ),
        ),
        (0x80, 1, "80: nothing set"),
        (0x01B0, 2, "01b0: return stop; export; bits 0100 without known meaning"),
        (0x40, 1, "40: of no known layout"),
    ],
)
def test_status(value: int, width: int, words: str) -> None:
    assert status_words(Status(value, width)) == words


def test_time_that_no_calendar_has() -> None:
    assert time_words(Timestamp(1 << 60)) == f"timestamp {1 << 60}"


def test_meters_without_a_device_id() -> None:
    assert meter_words(ServerId.from_wire(b"\xff\x01")) == "ff01"
    assert meter_words(ServerId.from_wire(b"")) == "with an empty id"
    assert meter_words(ServerId.parse("01A815986480020102")) == "EMH02806498"


def test_frames_are_told_from_messages() -> None:
    decoder = TransportDecoder()
    (cut,) = decoder.feed(bytes.fromhex("1b1b1b1b01010101 76")) + decoder.close()
    assert isinstance(cut, Malformed)
    assert cut.error.reason == "truncated"
