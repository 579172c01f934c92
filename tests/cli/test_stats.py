"""``e320 decode --stats``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto import BytesDiscarded, DecodeError, Malformed
from e320proto.cli.stats import Stats
from e320proto.sml.telegram import Telegram, TelegramDecoder

if TYPE_CHECKING:
    from e320proto import ListEntry
    from tests.cli.conftest import Push, Run


def counted(octets: bytes) -> dict[str, int]:
    stats, decoder = Stats(), TelegramDecoder()
    for event in decoder.feed(octets) + decoder.close():
        if isinstance(event, Telegram):
            stats.telegram(event)
        else:
            stats.trouble(event)
    return dict(stats.rows())


def test_counts(push: Push, energy: ListEntry) -> None:
    telegram, start = push(energy), 8
    damaged = push(energy, damage=telegram.index((1234567).to_bytes(8)) + 7 - start)
    broken = bytearray(telegram)
    broken[40] ^= 1
    # The octet that makes the escape an unknown one is noise.
    bad_escape = telegram[:60] + b"\x1b\x1b\x1b\x1b\x05" + telegram
    assert counted(b"noise" + telegram + damaged + bytes(broken) + bad_escape + telegram[:70]) == {
        "telegrams": 3,
        "messages": 3 + 2 + 3,
        "entries": 2,
        "rejected": 2,
        "rejected, bad_crc": 1,
        "rejected, bad_escape": 1,
        "truncated": 1,
        "message errors": 1,
        "message errors, message_crc": 1,
        "discarded bytes": 5 + 1,
        "telegrams of meter 1 LGZ00 1234 5678": 3,
    }


def test_message_that_is_cut_is_no_cut_telegram() -> None:
    stats = Stats()
    stats.trouble(Malformed(0, DecodeError("truncated", "cut"), bytes.fromhex("760500"), kind="message"))
    stats.trouble(Malformed(0, DecodeError("truncated", "cut"), bytes.fromhex("1b1b1b1b01010101")))
    stats.trouble(Malformed(0, DecodeError("hex_text", "odd"), b"??", kind="text"))
    stats.trouble(BytesDiscarded(0, b"1234"))
    rows = dict(stats.rows())
    assert rows["message errors, truncated"] == rows["truncated"] == rows["text errors"] == 1
    assert rows["rejected"] == 0
    assert rows["discarded bytes"] == 4


def test_many_meters_are_counted_together(push: Push) -> None:
    rows = counted(b"".join(push(server_id=b"%04d" % number) for number in range(1003)) * 2)
    assert rows["telegrams"] == 2006
    assert rows["telegrams of other meters"] == 6
    assert rows["telegrams of meter 0000"] == 2


def test_counts_stay_out_of_the_data(e320: Run, push: Push, energy: ListEntry) -> None:
    telegram = push(energy)
    for form in ("jsonl", "csv"):
        plain, counts = e320("decode", "-f", form, stdin=telegram), e320("decode", "-f", form, "-s", stdin=telegram)
        assert counts.out == plain.out
        assert counts.err.startswith("telegrams ")
    table = e320("decode", "--stats", stdin=telegram)
    assert table.err == ""
    assert table.out.endswith(f"\n\n{counts.err}")
