"""``e320 decode --format csv``."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from e320proto import Integer, LocalTimestamp, SecIndex, Timestamp, Unsigned

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto import ListEntry
    from tests.cli.conftest import MakeEntry, Push, Run

HEADER = "offset,server_id,device_id,time_kind,time,obis,name,value,unit,status,corrected,rule\n"


def test_rows_of_a_telegram(e320: Run, push: Push, energy: ListEntry, entry: MakeEntry) -> None:
    telegram = push(
        energy,
        entry("1-0:96.50.1*1", b"LGZ"),
        entry("2.8.0", Unsigned(9007199254740993, 8), unit=30, scaler=-1, val_time=SecIndex(86420)),
        entry("1.99.0", b"\x01\xff"),
        entry("96.50.2", None),
        entry("96.50.3", value=True),
    )
    done = e320("decode", "--format", "csv", stdin=telegram)
    ids = "0,0a014c475a0000bc614e,1LGZ0012345678,sec_index"
    assert done.status == 0
    assert done.out == (
        f"{HEADER}"
        f'{ids},86423,1-0:1.8.0*255,"Active energy import, total",123456.7,Wh,001c0104,,\n'
        f"{ids},86423,1-0:96.50.1*1,Manufacturer code,LGZ,,,,\n"
        f'{ids},86420,1-0:2.8.0*255,"Active energy export, total",900719925474099.3,Wh,,,\n'
        f"{ids},86423,1-0:1.99.0*255,,01ff,,,,\n"
        f"{ids},86423,1-0:96.50.2*255,,,,,,\n"
        f"{ids},86423,1-0:96.50.3*255,,true,,,,\n"
    )


def test_times(e320: Run, push: Push, entry: MakeEntry) -> None:
    counted = entry("1.8.0", Unsigned(1))
    stream = b"".join(push(counted, time=time) for time in (Timestamp(7), LocalTimestamp(8, 60, 60), None))
    rows = list(csv.DictReader(io.StringIO(e320("decode", "-f", "csv", stdin=stream).out)))
    assert [(row["time_kind"], row["time"]) for row in rows] == [("timestamp", "7"), ("local_timestamp", "8"), ("", "")]


def test_corrected_value(e320: Run, push: Push, energy: ListEntry, entry: MakeEntry) -> None:
    power = entry("16.7.0", Integer(-29912, 2), unit=27, scaler=-2)
    telegram = push(energy, power, server_id=bytes.fromhex("0a01445a47000282225e"))
    rows = list(csv.DictReader(io.StringIO(e320("decode", "-f", "csv", stdin=telegram).out)))
    assert (rows[1]["value"], rows[1]["corrected"], rows[1]["rule"]) == ("-299.12", "356.24", "dzg_sign")


def test_nothing_but_the_header(e320: Run) -> None:
    done = e320("decode", "-f", "csv", stdin=b"noise")
    assert (done.status, done.out) == (1, HEADER)
    assert done.err == "e320: no telegram found; --format table explains what was there instead\n"


def test_file_is_named_beside_others_and_trouble_is_apart(e320: Run, push: Push, tmp_path: Path) -> None:
    path = tmp_path / "a,b"
    path.write_bytes(b"noise" + push())
    done = e320("decode", "-f", "csv", "-e", path, path)
    assert done.out == f"file,{HEADER}"
    assert done.err == f"{path}, octet 0: 5 octets that belong to no telegram\n" * 2
    assert e320("decode", "-f", "csv", "-e", path).err == "octet 0: 5 octets that belong to no telegram\n"
    assert e320("decode", "-f", "csv", path).err == ""


def test_telegram_without_an_id(e320: Run, push: Push, energy: ListEntry) -> None:
    rows = list(csv.DictReader(io.StringIO(e320("decode", "-f", "csv", stdin=push(energy, server_id=b"")).out)))
    assert (rows[0]["server_id"], rows[0]["device_id"]) == ("", "")
