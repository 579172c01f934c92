"""``e320 decode``: what people see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from e320proto import Integer, LocalTimestamp, SecIndex, Timestamp, Unsigned, encode_transport
from e320proto.cli.sources import Source
from e320proto.cli.table import ROWS, TableView
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.telegram import Telegram

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto import ListEntry
    from tests.cli.conftest import MakeEntry, Push, Run


def shown(
    octets: bytes, width: int = 120, *, live: bool = False, complete: bool = False, terminal: bool = False
) -> str:
    """What the table looks like at a width."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, no_color=True, color_system=None)
    view = TableView(console, several=False, complete=complete)
    source = Source("test", io.BytesIO(octets), None if live else len(octets))
    view.begin(source)
    for event in source.events(DEFAULT_OPTIONS):
        if isinstance(event, Telegram):
            view.telegram(event)
        else:
            view.trouble(event)
    view.end()
    return out.getvalue()


@pytest.fixture
def extended(energy: ListEntry, entry: MakeEntry) -> tuple[ListEntry, ...]:
    return (
        entry("1-0:96.50.1*1", b"LGZ"),
        energy,
        entry("16.7.0", Integer(412, 8), unit=27, scaler=0),
    )


def test_telegram_in_full(e320: Run, push: Push, extended: tuple[ListEntry, ...]) -> None:
    done = e320("decode", stdin=push(*extended))
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Meter 1 LGZ00 1234 5678  Landis+Gyr (Zug), electricity, server id 0a014c475a0000bc614e",
        "Telegram at octet 0, second 86423 of the meter's counter",
        "  OBIS            Name                                             Value  Unit",
        "  1-0:96.50.1*1   Manufacturer code                                  LGZ",
        "  1-0:1.8.0*255   Active energy import, total                   123456.7  Wh",
        "  1-0:16.7.0*255  Active power balance, instantaneous (signed)       412  W",
        "  direction  import: energy is drawn from the grid, or the meter idles",
        "  net power  412 W",
        "  status     001c0104: started; voltage on L1, L2, L3 (1.8.0)",
        "",
        "1 telegram of 1 meter. No trouble.",
    ]


def test_rows_for_the_telegrams_that_follow(push: Push, extended: tuple[ListEntry, ...]) -> None:
    text = shown(b"".join(push(*extended, time=SecIndex(second)) for second in (1, 2, 3)))
    assert text.count("Telegram at") == 1
    size = len(push(*extended))
    assert text.splitlines()[-5:] == [
        "    octet  second   1.8.0 Wh  16.7.0 W",
        f"      {size}       2   123456.7       412  import",
        f"      {2 * size}       3   123456.7       412  import",
        "",
        "3 telegrams of 1 meter. No trouble.",
    ]


def test_long_file_is_cut_and_says_so(push: Push, energy: ListEntry) -> None:
    count = ROWS + 6
    text = shown(b"".join(push(energy, time=SecIndex(second)) for second in range(1, count + 1)))
    assert "further telegrams of this meter are counted, not shown (--all shows each in full)" in text
    assert "  5 telegrams of meter 1 LGZ00 1234 5678 not shown; the last one:" in text
    assert text.count(" import\n") == ROWS + 1
    assert f" {count}   123456.7  import\n" in text
    assert f"{count} telegrams of 1 meter." in text


def test_all_shows_each_in_full(e320: Run, push: Push, energy: ListEntry) -> None:
    text = e320("decode", "--all", stdin=push(energy) * 30).out
    assert text.count("Telegram at") == 30
    assert "not shown" not in text


def test_pipe_is_never_cut(push: Push, energy: ListEntry) -> None:
    text = shown(push(energy) * (ROWS + 10), live=True)
    assert text.count(" import\n") == ROWS + 9
    assert "not shown" not in text


def test_other_entries_are_shown_in_full_again(push: Push, energy: ListEntry, entry: MakeEntry) -> None:
    """The extended set of some meters falls back to the reduced one after a while."""
    reduced = entry("1.8.0", Unsigned(123, 8), unit=30, scaler=3)
    text = shown(push(energy, entry("16.7.0", Integer(5))) + push(reduced) + push(energy, entry("16.7.0", Integer(6))))
    assert text.count("Telegram at") == 2
    assert text.count("Enter its PIN") == 1
    assert "1.8.0 Wh  16.7.0" in text


def test_meter_that_always_changes_is_not_always_in_full(push: Push, entry: MakeEntry) -> None:
    text = shown(b"".join(push(entry(f"1.8.{tariff}", Unsigned(1))) for tariff in range(20)))
    assert text.count("Telegram at") == 6
    assert text.count("\n    octet") == 14


def test_meters_in_turn(push: Push, energy: ListEntry) -> None:
    other = bytes.fromhex("0a01454d480000a1bd34")
    text = shown((push(energy) + push(energy, server_id=other)) * 3)
    assert text.count("\nMeter 1 EMH00 1059 9732") == 3
    assert text.count("Telegram at") == 2
    assert "6 telegrams of 2 meters." in text


def test_more_meters_than_can_be_followed(push: Push, energy: ListEntry) -> None:
    stream = b"".join(push(energy, server_id=b"%03d" % number) for number in range(203))
    text = shown(stream)
    assert text.count("Telegram at") == 200
    assert "203 telegrams of more than 200 meters." in text
    assert shown(stream, complete=True).count("Telegram at") == 203


def test_status_that_changes(push: Push, entry: MakeEntry) -> None:
    def energy(word: int) -> ListEntry:
        return entry("1.8.0", Unsigned(5), status=Unsigned(word, 4))

    text = shown(b"".join(push(energy(word)) for word in (0x1C0104, 0x1C0104, 0x1C7904)))
    assert text.count("status is now") == 1
    assert "status is now 001c7904: started; export on sum, L1, L2, L3; voltage on L1, L2, L3" in text
    assert text.count("  export\n") == 1


def test_corrected_value_and_its_rule(push: Push, energy: ListEntry, entry: MakeEntry) -> None:
    power = entry("16.7.0", Integer(-29912, 2), unit=27, scaler=-2)
    text = shown(push(energy, power, server_id=bytes.fromhex("0a01445a47000282225e")) * 2, 200)
    name = "Active power balance, instantaneous (signed), corrected (dzg_sign); the meter sent -299.12"
    assert f"  1-0:16.7.0*255  {name}    356.24  W\n" in text
    assert "  rule       dzg_sign: this meter sends powers of 327.68 to 655.35 W with a wrong sign" in text
    assert "   356.24*  import\n" in text


def test_notes_are_explained_once(push: Push, entry: MakeEntry) -> None:
    text = shown(push(entry("1.8.0", None)) * 2, complete=True)
    assert text.count("note       value_absent: an entry comes without a value\n") == 1
    assert text.count("note       value_absent\n") == 1
    assert "none\n" in text


def test_unknown_entries_and_other_values(push: Push, entry: MakeEntry) -> None:
    telegram = push(
        entry("1.99.0", Unsigned(1), value_signature=b"\x01"),
        entry("129-129:199.240.6*255", value=True),
        entry("0.9.1", SecIndex(5)),
        entry("96.5.0", Unsigned(0x1C0104, 4)),
    )
    text = shown(telegram)
    assert "no name known" in text
    assert f"manufacturer-specific{'yes':>10}\n" in text
    assert "second 5" in text
    assert "  status     001c0104: started; voltage on L1, L2, L3 (96.5.0)" in text
    assert "  signature  sent with 1.99.0; not checked" in text
    assert "direction" not in text


def test_times(push: Push, entry: MakeEntry) -> None:
    counted = entry("1.8.0", Unsigned(1))
    late = entry("2.8.0", Unsigned(1), val_time=SecIndex(80))
    assert "octet 0, no time\n" in shown(push(counted, time=None))
    assert "octet 0, second 80 of the meter's counter\n" in shown(push(counted, late, time=None))
    assert "  time       second 80 (2.8.0)\n" in shown(push(counted, late))
    dated = shown(push(counted, time=Timestamp(1_700_000_000)) * 2)
    assert "octet 0, 2023-11-14T22:13:20+00:00\n" in dated
    assert f"octet  {'time':>25}  1.8.0\n" in dated
    assert "2024-07-03T11:46:39+02:00" in shown(push(counted, time=LocalTimestamp(1719999999, 60, 60)))


def test_telegram_without_readings(push: Push) -> None:
    text = shown(push(server_id=b""))
    assert "Meter with an empty id" in text
    assert "  entries    none\n" in text


def test_frame_without_an_id() -> None:
    assert shown(encode_transport(b"")).startswith("Meter without an id\n")


def test_trouble_is_told_where_it_was(push: Push, energy: ListEntry) -> None:
    telegram = push(energy)
    broken = bytearray(telegram)
    broken[40] ^= 1
    lines = shown(b"noise" + telegram + bytes(broken) * 3 + telegram + telegram[:50]).splitlines()
    size = len(telegram)
    assert lines[0] == "! octet 0: 5 octets that belong to no telegram"
    first = lines.index(
        f"! octet {5 + size}: {size} octets, a telegram with a wrong checksum; "
        "octets were changed or lost on the way (bad_crc)"
    )
    assert lines[first + 1] == f"! and 2 more like it ({2 * size} octets)"
    assert lines[-3] == f"! octet {5 + 5 * size}: 50 octets, a telegram that breaks off (truncated)"
    assert lines[-1] == (
        f"2 telegrams of 1 meter. Trouble: 3 telegrams with a wrong checksum ({3 * size} octets), "
        "5 octets outside of telegrams, 1 telegram cut off (50 octets)."
    )


def test_hints_are_spelled_out(push: Push, energy: ListEntry) -> None:
    assert "! octet 0: 11 octets that belong to no telegram: this is IEC 62056-21 text, not SML" in shown(
        b"/LGZ5E320\r\n"
    )
    seven_bit = shown(bytes(octet & 0x7F for octet in push(energy, energy)))
    assert "(bad_crc): the port reads 7 data bits; use 8N1" in seven_bit


def test_much_trouble_is_counted(push: Push, energy: ListEntry) -> None:
    telegram = push(energy)
    text = shown((b"x" + telegram) * 60)
    assert text.count("! octet") == 40
    assert "! more trouble is only counted from here on (--all shows all of it)" in text
    assert "60 octets outside of telegrams." in text
    assert shown((b"x" + telegram) * 60, complete=True).count("! octet") == 60
    assert shown(telegram[:50] * 60, complete=True).count("! octet") == 60


def test_broken_message(push: Push, energy: ListEntry) -> None:
    start, value = 8, push(energy).index((1234567).to_bytes(8))
    text = shown(push(energy, damage=value + 7 - start))
    assert "octets, a broken message inside of a telegram: expected CRC" in text
    assert "(message_crc); --lenient shows it" in text
    assert "1 message not readable, message_crc (" in text


def test_dump_with_something_else_in_it(push: Push, energy: ListEntry) -> None:
    dump = push(energy).hex().encode()
    text = shown(dump[:40] + b"\n" + dump[40:] + b"\n??")
    where = f"octet {len(dump) // 2}: 2 characters in the text dump that are no hex digits"
    assert f"! {where}, near character {len(dump) + 2} (hex_text)" in text
    assert "1 place in the text dump that are no hex digits" in text
    assert "1 telegram of 1 meter." in text


def test_empty_input(e320: Run) -> None:
    done = e320("decode", stdin=b"")
    assert (done.status, done.out) == (1, "\nNo telegram found: the input is empty.\n")


def test_nothing_found(e320: Run) -> None:
    done = e320("decode", stdin=b"\xfe\xff")
    assert done.status == 1
    assert done.out.endswith("right?\n")
    assert "\nNo telegram found. Trouble: 2 octets outside of telegrams. If this is from a meter: " in done.out


def test_heading_of_each_file(e320: Run, push: Push, energy: ListEntry, tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(push(energy))
    text = e320("decode", path, "-", stdin=push(energy)).out
    assert text.startswith(f"== {path}\nMeter ")
    assert "\n\n== standard input\nMeter " in text


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("terminal", [False, True])
def test_readings_are_never_cut(push: Push, entry: MakeEntry, width: int, *, terminal: bool) -> None:
    octets = bytes(range(48))
    telegram = push(
        entry("129-129:199.130.5*255", octets),
        entry("1.8.0", Unsigned((1 << 64) - 1, 8), unit=30, scaler=-20),
        entry("16.7.0", Unsigned((1 << 64) - 1, 8), unit=27, scaler=20),
    )
    text = shown(telegram * 2, width, terminal=terminal)
    assert text.count("0.18446744073709551615") == 2
    assert "1844674407370955161500000000000000000000" in text
    assert "…" not in text
    if not terminal:
        assert octets.hex() in text
    folded = "".join("".join(word for word in text.split() if word in octets.hex()))
    assert octets.hex() in folded


def test_long_series_says_how_many_columns_are_missing(push: Push, entry: MakeEntry) -> None:
    entries = [entry(f"{phase}.7.0", Unsigned(230, 2), unit=35) for phase in range(32, 45)]
    text = shown(push(*entries, entry("1.8.0", Unsigned(5), unit=30)) * 2, 80)
    assert "  1.8.0 Wh  (+9 more)\n" in text
