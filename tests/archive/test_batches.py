"""Arrow in, Arrow out; schemas; what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

pa = pytest.importorskip("pyarrow", reason="the extra archive is not installed")
pytest.importorskip("numba", reason="the extra archive is not installed")

from e320proto import DecodeError, DecodeOptions, ObisCode  # noqa: E402 - after the skips
from e320proto.archive import (  # noqa: E402
    Register,
    decode_archive,
    decode_batch,
    find_registers,
    long_schema,
    trouble_schema,
    wide_schema,
)
from e320proto.archive.known import Known, known_layouts  # noqa: E402
from e320proto.sml.options import DEFAULT_OPTIONS  # noqa: E402
from tests.archive import meters  # noqa: E402
from tests.archive.expected import events_of, long_rows, trouble_rows, wide_rows  # noqa: E402
from tests.archive.test_archive import rows_of  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

STREAMS: list[bytes | None] = [
    meters.frame(1, meters.usual(1)),
    None,
    b"",
    meters.plain(30),
    meters.damaged(meters.EVERYTHING, 4, 2_000),
    *[meters.frame(number, meters.usual(number)) for number in range(40)],
    meters.frame(2, meters.usual(2))[:-1],
    None,
    meters.frame(2, meters.usual(2)) + b"\x1b\x1b",
]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
@pytest.mark.parametrize("table", ["long", "wide", "trouble"])
def test_each_row_is_a_stream(table: Any, kind: Any) -> None:  # noqa: ANN401
    streams = pa.array([b"left out", *STREAMS], kind)[1:]
    made = decode_batch(pa.record_batch({"number": range(len(STREAMS)), "raw": streams}), table=table)
    every = [event for octets in STREAMS if octets is not None for event in events_of(octets)]
    columns = _registers() if table == "wide" else []
    make: Any = {"long": long_rows, "trouble": trouble_rows}.get(table, lambda events: wide_rows(events, columns))
    expected = [(row, found) for row, octets in enumerate(STREAMS) if octets for found in make(events_of(octets))]
    assert len(every) > 100
    assert made.column("row").to_pylist() == [row for row, _ in expected]
    assert rows_of([made], "row") == [found for _, found in expected]


def _registers() -> list[tuple[str, int | None]]:
    found: dict[str, int | None] = {}
    for octets in STREAMS:
        for event in events_of(octets or b""):
            for entry in getattr(event, "entries", ()):
                if entry.quantity is not None:
                    found.setdefault(str(entry.obis), entry.unit)
    return list(found.items())


def test_rows_of_one_telegram_go_through_the_kernel() -> None:
    known: Known = known_layouts(DEFAULT_OPTIONS)
    batch = pa.record_batch({"raw": [meters.frame(number, meters.usual(number)) for number in range(1_000)]})
    decode_batch(batch)
    before = known.taken
    assert decode_batch(batch).num_rows == 4_000
    assert known.taken == before + 1_000


@pytest.mark.parametrize("table", ["long", "wide", "trouble"])
@pytest.mark.parametrize("rows", [[], [None, None], [b""]])
def test_nothing_to_decode(table: Any, rows: list[bytes | None]) -> None:  # noqa: ANN401
    made = decode_batch(pa.record_batch({"raw": pa.array(rows, pa.binary())}), table=table, registers=["1.8.0"])
    schemas: dict[str, Any] = {"long": long_schema, "trouble": trouble_schema, "wide": partial(wide_schema, ["1.8.0"])}
    assert made.num_rows == 0
    assert made.schema.equals(schemas[table](source="row"), check_metadata=True)


def test_a_batch_larger_than_the_batches_of_files() -> None:
    octets = meters.plain(900)
    made = decode_batch(pa.record_batch({"raw": [octets] * 20}))
    assert made.num_rows == 72_000
    assert made.column("row").to_pylist() == [row for row in range(20) for _ in range(3_600)]
    assert set(made.column("obis").dictionary.to_pylist()) >= {"1-0:1.8.0*255"}
    assert made.slice(68_400).column("value").to_pylist() == [row["value"] for row in long_rows(events_of(octets))]


def test_the_column_has_to_be_told_among_many() -> None:
    batch = pa.record_batch({"a": [b"1"], "b": [b"noise"], "c": ["text"]})
    assert decode_batch(batch, "b", table="trouble").column("raw").to_pylist() == [b"noise"]
    assert decode_batch(batch, 0, table="trouble").column("raw").to_pylist() == [b"1"]
    with pytest.raises(ValueError, match="expected one binary column, found 2 among"):
        decode_batch(batch)
    with pytest.raises(ValueError, match="expected binary, found string"):
        decode_batch(batch, "c")
    with pytest.raises(ValueError, match="expected one of"):
        decode_batch(batch, "d")


def test_schemas_of_batches(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(meters.plain(5) + b"noise")
    for table, schema in (("long", long_schema()), ("trouble", trouble_schema()), ("wide", wide_schema(["1.8.0"]))):
        (batch,) = decode_archive(path, table=table, registers=["1.8.0"])  # type: ignore[arg-type]
        assert batch.schema.equals(schema, check_metadata=True)


def test_every_column_says_what_it_is() -> None:
    for schema in (long_schema(), trouble_schema(), wide_schema([])):
        assert all(field.metadata[b"description"] for field in schema)


def test_columns_of_registers() -> None:
    schema = wide_schema(["1.8.0", ObisCode.parse("16.7.0"), Register("1-0:99.1.2*3", 200), Register("1-0:99.1.3*3")])
    assert schema.names[6:] == [
        "1-0:1.8.0*255",
        "1-0:16.7.0*255",
        "1-0:99.1.2*3",
        "1-0:99.1.3*3",
        "other",
    ]
    energy, _, unnamed, without = (schema.field(at).metadata for at in range(6, 10))
    assert energy == {
        b"obis": b"1-0:1.8.0*255",
        b"name": b"Active energy import, total",
        b"unit": b"Wh",
        b"unit_code": b"30",
    }
    assert unnamed[b"unit"] == b"unit 200"
    assert b"unit" not in without
    with pytest.raises(DecodeError):
        wide_schema(["no code"])
    with pytest.raises(TypeError, match="expected OBIS codes"):
        wide_schema([5])  # type: ignore[list-item]


def test_registers_are_found_in_the_order_sent(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"noise" + meters.plain(5))
    assert find_registers([path]) == (("1-0:1.8.0*255", 30), ("1-0:2.8.0*255", 30), ("1-0:16.7.0*255", 27))


def test_another_unit_than_that_of_the_column_goes_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(meters.plain(50))
    (batch,) = decode_archive(path, table="wide", registers=[Register("1.8.0", 27), "16.7.0"])
    row = batch.slice(49).to_pylist()[0]
    assert row["1-0:1.8.0*255"] is None
    assert [code for code, _ in row["other"]] == ["1-0:1.8.0*255", "1-0:2.8.0*255"]


def test_many_meters(tmp_path: Path) -> None:
    path = tmp_path / "file"
    made = [meters.frame(1, meters.usual(1), number.to_bytes(10)) for number in range(300)]
    path.write_bytes(b"".join(made * 2))
    (batch,) = decode_archive(path, table="wide")
    assert batch.column("meter").to_pylist() == [f"{number:020x}" for number in range(300)] * 2
    assert len(batch.column("meter").dictionary) == 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table": "tall"}, "table: expected one of long, wide, trouble, found 'tall'"),
        ({"batch_rows": 0}, "batch_rows: expected an integer of at least 1, found 0"),
        ({"jobs": True}, "jobs: expected an integer of at least 1, found True"),
    ],
)
def test_arguments_are_checked_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_archive("file", **arguments)


def test_files(tmp_path: Path) -> None:
    assert list(decode_archive([])) == []
    assert list(decode_archive([], table="wide")) == []
    missing = decode_archive([tmp_path / "missing"])
    with pytest.raises(FileNotFoundError, match="missing"):
        next(missing)
    with pytest.raises(OSError, match="directory"):
        list(decode_archive(tmp_path))


def test_progress(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(meters.plain(50) + b"noise")
    seen: list[tuple[int, int]] = []
    list(decode_archive([path, path], on_progress=lambda done, total: seen.append((done, total))))
    size = path.stat().st_size
    assert seen[-1] == (2 * size, 2 * size)
    assert seen == sorted(seen)


def test_options_reach_the_decoder(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(meters.dzg(64))
    (changed,) = decode_archive(path)
    (as_sent,) = decode_archive(path, options=DecodeOptions(dzg_sign=False))
    assert changed.column("corrected").null_count < as_sent.column("corrected").null_count == as_sent.num_rows


def test_missing_extra_is_named() -> None:
    program = """
import sys
sys.modules["pyarrow"] = None
try:
    import e320proto.archive
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert "pip install e320proto[archive]" in done.stdout


def test_the_library_itself_does_not_load_it() -> None:
    program = "import sys, e320proto; print({'numpy', 'numba', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.strip() == "set()"
