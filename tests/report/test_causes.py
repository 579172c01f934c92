"""Every kind of damage, by its cause and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e320proto import DecodeError, Malformed
from e320proto.report.causes import Spot
from e320proto.report.collector import Collector
from e320proto.sml.capture import read_octets
from e320proto.sml.wording import BROKEN_FRAMES, BROKEN_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.report.collector import Findings
    from tests.report.conftest import Collect, Push


def flipped(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 0x10]) + frame[at + 1 :]


def summary(findings: Findings) -> list[tuple[str, str, int, int, int]]:
    return [
        (cause.kind, cause.reason, cause.count, cause.first.offset, cause.last.offset)
        for cause in findings.causes.damaged()
    ]


def test_flipped_bits_cut_telegrams_and_noise(collect: Collect, push: Push) -> None:
    frames = [push(second) for second in range(8)]
    size = len(frames[0])
    frames[1], frames[3] = flipped(frames[1], 100), flipped(frames[3], 120)
    frames[5] = frames[5][:60]
    frames[6] = b"\x00\xfe\x7c" + frames[6]
    findings = collect(frames)
    assert findings.telegrams == 5
    assert summary(findings) == [
        ("telegram", "bad_crc", 2, size, 3 * size),
        ("telegram", "truncated", 1, 5 * size, 5 * size),
    ]
    # What stands behind a telegram that breaks off is part of it until the next start.
    assert findings.causes.noise_octets in {0, 3}


def test_noise_and_what_it_looks_like(collect: Collect, push: Push) -> None:
    findings = collect([b"/LGZ5E320-AMxD\r\n\r\n", push(1), b"\x00\xfe", push(2)])
    assert [(cause.reason, cause.count, cause.octets) for cause in findings.causes.noise()] == [
        ("d0", 1, 18),
        ("noise", 1, 2),
    ]
    assert findings.causes.damaged_count == 0


def test_a_message_with_a_wrong_checksum(collect: Collect) -> None:
    from e320proto import GetListRes, ListEntry, Message, ObisCode, Unsigned, encode_file, encode_transport  # noqa: PLC0415

    energy = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, value=Unsigned(1))
    body = GetListRes(server_id=b"", val_list=(energy,))
    payload = bytearray(encode_file([Message(transaction_id=b"1", message_body=body)] * 2))
    payload[2] ^= 1
    findings = collect([encode_transport(bytes(payload))])
    assert findings.telegrams == 1
    (cause,) = findings.causes.damaged()
    assert (cause.kind, cause.reason, cause.count) == ("message", "message_crc", 1)
    assert "a broken message inside of a right telegram" in cause.words


@pytest.mark.parametrize(("kind", "reasons"), [("frame", BROKEN_FRAMES), ("text", BROKEN_TEXT)])
def test_every_reason_has_a_sentence(kind: str, reasons: dict[str, str]) -> None:
    for reason, words in reasons.items():
        collector = Collector()
        collector.begin("capture")
        error = DecodeError(reason, "expected this, found that", offset=3)
        collector.trouble(Malformed(7, error, b"\xff" * 9, kind="frame" if kind == "frame" else "text"))
        (cause,) = collector.findings.causes.damaged()
        assert cause.reason == reason
        assert words in cause.words
        assert cause.first == cause.last == Spot("capture", 7, None)


def test_digits_missing_in_a_dump(tmp_path: Path, push: Push) -> None:
    path = tmp_path / "dump.txt"
    path.write_text(f"{push(1).hex(' ')} f {push(2).hex(' ')} xyz", encoding="ascii")
    collector = Collector()
    collector.begin("dump.txt")
    with path.open("rb") as file:
        for item in read_octets(file):
            if isinstance(item, Malformed):
                collector.trouble(item)
            else:
                collector.feed(item)
    collector.end()
    assert collector.findings.telegrams == 2
    assert [(kind, reason, count) for kind, reason, count, *_ in summary(collector.findings)] == [
        ("text dump", "hex_text", 2)
    ]


def test_places_are_told_file_by_file(push: Push) -> None:
    """A telegram in two recordings that follow each other is whole; trouble behind it is in the second."""
    first, second, third = push(1), push(2), flipped(push(3), 100)
    collector = Collector()
    collector.begin("one.bin")
    collector.feed(first + second[:50], 1000.0)
    collector.begin("two.bin", follows=True)
    collector.feed(second[50:] + third, 1002.5)
    collector.end()
    findings = collector.findings
    assert [(capture.name, capture.telegrams) for capture in findings.captures] == [("one.bin", 2), ("two.bin", 0)]
    (cause,) = findings.causes.damaged()
    assert cause.first == Spot("two.bin", len(second) - 50, 1_002_500)


def test_captures_that_do_not_follow_are_cut(push: Push) -> None:
    frame = push(2)
    collector = Collector()
    collector.begin("one.bin")
    collector.feed(push(1) + frame[:50])
    collector.begin("two.bin")
    collector.feed(frame[50:] + push(3))
    collector.end()
    assert collector.findings.telegrams == 2
    (cause,) = collector.findings.causes.damaged()
    assert (cause.reason, cause.first.source) == ("truncated", "one.bin")
