"""``e320 decode --format jsonl``: the exact lines."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import (
    CosemScalerUnit,
    Entry,
    Integer,
    LocalTimestamp,
    ObisCode,
    Quantity,
    SecIndex,
    Timestamp,
    TimestampedValue,
    Unit,
    Unsigned,
)
from e320proto.live.telegram_json import entry_json

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto import ListEntry
    from tests.cli.conftest import MakeEntry, Push, Run


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def entry_of(raw: Any, code: str = "96.99.9", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any value of a meter
    found: dict[str, Any] = json.loads(entry_json(Entry(ObisCode.parse(code), raw, **fields)), parse_float=Decimal)
    return found


def test_line_of_a_telegram(e320: Run, push: Push, entry: MakeEntry) -> None:
    telegram = push(
        entry("1-0:96.50.1*1", b"LGZ"),
        entry(
            "1.8.0",
            Unsigned(9007199254740993, 8),
            unit=30,
            scaler=-1,
            status=Unsigned(0x1C0104, 4),
            val_time=SecIndex(86423),
        ),
        entry("16.7.0", Integer(-215, 8), unit=27, scaler=0),
    )
    done = e320("decode", "--format", "jsonl", stdin=telegram)
    assert done.status == 0
    assert done.err == ""
    assert done.out == (
        '{"offset": 0, "server_id": "0a014c475a0000bc614e", "device_id": "1LGZ0012345678", '
        '"time": {"sec_index": 86423}, "entries": ['
        '{"obis": "1-0:96.50.1*1", "name": "Manufacturer code", "value": "LGZ", "raw": "4c475a", '
        '"scaler": null, "unit": null, "status": null, "time": null}, '
        '{"obis": "1-0:1.8.0*255", "name": "Active energy import, total", "value": 900719925474099.3, '
        '"raw": 9007199254740993, "scaler": -1, "unit": "Wh", "status": "001c0104", "time": {"sec_index": 86423}}, '
        '{"obis": "1-0:16.7.0*255", "name": "Active power balance, instantaneous (signed)", "value": -215, '
        '"raw": -215, "scaler": 0, "unit": "W", "status": null, "time": null}], '
        '"direction": "import", "net_power": -215, "notes": [], "quirks": []}\n'
    )


@given(raw=st.integers(-(1 << 63), (1 << 64) - 1), scaler=st.integers(-128, 127))
def test_every_digit_survives(raw: int, scaler: int) -> None:
    found = json.loads(entry_json(Entry(ObisCode.parse("1.8.0"), raw, scaler)), parse_float=str, parse_int=str)
    assert found["value"] == Quantity(raw, scaler).digits
    assert found["raw"] == str(raw)
    assert Decimal(found["value"]) == Quantity(raw, scaler).decimal


def test_octets_are_hex_unless_they_are_text_by_meaning() -> None:
    for code in ("1-0:96.50.1*1", "129-129:199.130.3*255", "1-0:0.2.0*0", "0-0:0.2.0*255", "1-0:96.90.2*1"):
        assert entry_of(b"1.02", code)["value"] == "1.02"
        assert entry_of(b"1.02", code)["raw"] == "312e3032"
        assert entry_of(b"\x00\xff", code)["value"] == "00ff"
    assert entry_of(b"1.02", "1-0:96.1.0*255")["value"] == "312e3032"
    assert entry_of(b"\xe4", "1-0:96.50.1*1")["value"] == "e4"
    assert entry_of(b"", "1-0:96.1.0*255")["value"] == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, None),
        (True, True),
        (False, False),
        (SecIndex(7), {"sec_index": 7}),
        (Timestamp(1_700_000_000), {"timestamp": 1_700_000_000}),
        (LocalTimestamp(5, 60, 0), {"timestamp": 5, "local_offset": 60, "season_time_offset": 0}),
        (CosemScalerUnit(-1, 30), {"scaler": -1, "unit": 30}),
        (
            TimestampedValue(sml_time=SecIndex(7), status=Unsigned(1, 2), simple_value=Integer(-5, 1)),
            {"time": {"sec_index": 7}, "status": "0001", "value": -5},
        ),
        (
            TimestampedValue(sml_time=SecIndex(7), status=Unsigned(1, 1), simple_value=b"\x01"),
            {"time": {"sec_index": 7}, "status": "01", "value": "01"},
        ),
    ],
)
def test_values_that_are_no_numbers(raw: object, expected: object) -> None:
    found = entry_of(raw)
    assert found["value"] == expected
    assert found["raw"] == expected


def test_names_and_units_that_are_not_known() -> None:
    found = entry_of(5, "1-0:1.99.0*7", unit=Unit(200))
    assert (found["name"], found["unit"]) == (None, "unit 200")
    assert entry_of(5, unit=Unit(255))["unit"] is None
    assert entry_of(5, unit=Unit(9))["unit"] == "°C"


def test_corrected_value_of_a_dzg_meter(e320: Run, push: Push, energy: ListEntry, entry: MakeEntry) -> None:
    power = entry("16.7.0", Integer(-29912, 2), unit=27, scaler=-2)
    telegram = push(energy, power, server_id=bytes.fromhex("0a01445a47000282225e"))
    (line,) = lines_of(e320("decode", "-f", "jsonl", "-", stdin=telegram).out)
    found = line["entries"][1]
    assert (found["value"], found["corrected"], found["rule"]) == (Decimal("-299.12"), Decimal("356.24"), "dzg_sign")
    assert line["net_power"] == Decimal("356.24")
    assert line["quirks"] == ["dzg_sign"]
    assert "corrected" not in line["entries"][0]


def test_telegram_of_an_older_meter(e320: Run, push: Push, entry: MakeEntry) -> None:
    """A device id of 16 characters is not one of 14; the direction is in the EDL status word."""
    entries = (
        entry("1.8.0", Unsigned(1, 1), unit=30, status=Unsigned(0xA2, 1)),
        entry("15.7.0", Unsigned(1266, 4), unit=27, scaler=-1),
    )
    telegram = push(*entries, server_id=bytes.fromhex("06454d4801027156cd45"), time=Timestamp(1_700_000_000))
    (line,) = lines_of(e320("decode", "-f", "jsonl", stdin=telegram).out)
    assert line["server_id"] == "06454d4801027156cd45"
    assert line["device_id"] is None
    assert line["time"] == {"timestamp": 1_700_000_000}
    assert (line["direction"], line["net_power"]) == ("export", Decimal("-126.6"))
    assert line["quirks"] == ["edl_direction"]


def test_telegram_without_readings(e320: Run, push: Push) -> None:
    (line,) = lines_of(e320("decode", "-f", "jsonl", stdin=push(server_id=b"", time=None)).out)
    assert (line["server_id"], line["device_id"], line["time"], line["entries"]) == ("", None, None, [])
    assert (line["direction"], line["net_power"]) == ("unknown", None)


def test_notes(e320: Run, push: Push, entry: MakeEntry) -> None:
    telegram = push(entry("1.8.0", Unsigned(5), val_time=SecIndex(7, bare=True)), entry("96.50.2", None))
    (line,) = lines_of(e320("decode", "-f", "jsonl", stdin=telegram).out)
    assert line["notes"] == ["bare_time", "value_absent"]
    assert line["entries"][0]["time"] == {"sec_index": 7}
    assert line["entries"][1]["value"] is None


def test_trouble_only_if_wanted(e320: Run, push: Push, energy: ListEntry) -> None:
    telegram = push(energy)
    broken = bytearray(telegram)
    broken[40] ^= 1
    stream = b"noise" + telegram + bytes(broken) + b"/LGZ5E320\r\n"
    quiet = lines_of(e320("decode", "-f", "jsonl", stdin=stream).out)
    assert [line["offset"] for line in quiet] == [5]
    noise, first, rejected, d0 = lines_of(e320("decode", "-f", "jsonl", "--events", stdin=stream).out)
    assert noise == {"offset": 0, "discarded": 5}
    assert first == quiet[0]
    assert list(rejected) == ["offset", "error", "message"]
    assert (rejected["offset"], rejected["error"]) == (5 + len(telegram), "bad_crc")
    assert rejected["message"].startswith("expected CRC ")
    assert d0 == {"offset": 5 + 2 * len(telegram), "discarded": 11, "hint": "d0"}


def test_hint_of_a_port_with_seven_bits(e320: Run, push: Push, energy: ListEntry) -> None:
    stream = bytes(octet & 0x7F for octet in push(energy, energy))
    (line,) = lines_of(e320("decode", "-f", "jsonl", "-e", stdin=stream).out)
    assert (line["error"], line["hint"]) == ("bad_crc", "seven_bit")


def test_file_is_named_only_beside_others(e320: Run, push: Push, energy: ListEntry, tmp_path: Path) -> None:
    one, two = tmp_path / 'a "quoted" name', tmp_path / "zwei"
    one.write_bytes(push(energy))
    two.write_bytes(b"noise" + push(energy))
    assert "file" not in lines_of(e320("decode", "-f", "jsonl", one).out)[0]
    found = lines_of(e320("decode", "-f", "jsonl", "-e", one, two, "-", stdin=push(energy)).out)
    assert [(line["file"], line["offset"]) for line in found] == [(str(one), 0), (str(two), 0), (str(two), 5), ("-", 0)]
    assert next(iter(found[0])) == "file"


@pytest.mark.parametrize("text", ["hex", "base64"])
def test_text_dump(e320: Run, push: Push, energy: ListEntry, text: str) -> None:
    telegram = push(energy)
    dump = telegram.hex(" ").encode() if text == "hex" else base64.encodebytes(telegram)
    binary = e320("decode", "-f", "jsonl", stdin=telegram)
    assert e320("decode", "-f", "jsonl", stdin=dump).out == binary.out


def test_lenient_shows_what_strict_refuses(e320: Run, push: Push, energy: ListEntry) -> None:
    """The outer checksum is right, that of the list is not."""
    start, value = 8, push(energy).index((1234567).to_bytes(8))
    telegram = push(energy, damage=value + 7 - start)
    strict = lines_of(e320("decode", "-f", "jsonl", "-e", stdin=telegram).out)
    assert strict[0]["entries"] == []
    assert strict[1]["error"] == "message_crc"
    (lenient,) = lines_of(e320("decode", "-f", "jsonl", "-e", "--lenient", stdin=telegram).out)
    assert lenient["notes"] == ["message_crc"]
    assert len(lenient["entries"]) == 1
