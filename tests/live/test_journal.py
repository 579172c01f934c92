"""Journals become tables: all of them, once, and nothing is removed before it is in them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("e320proto.archive", reason="needs the extra archive", exc_type=ModuleNotFoundError)

import pyarrow as pa
import pyarrow.parquet as pq

from e320proto import TransportError
from e320proto.archive import column_file, decode_archive
from e320proto.live.journal import SUFFIX, journals, make_tables
from e320proto.live.recording import Recording, read_recording
from tests.aio.ports import frame

if TYPE_CHECKING:
    from pathlib import Path

DAY = 1_795_392_000.0
NOISE = b"\xaa" * 40


def journal(folder: Path, *pieces: bytes) -> Path:
    recording = Recording(folder, suffix=SUFFIX)
    for number, piece in enumerate(pieces):
        recording.write(piece, DAY + number)
    recording.close()
    assert recording.path is not None
    return recording.path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def arrived(table: pa.Table) -> list[int | None]:
    found: list[int | None] = table.column("arrived").cast(pa.int64()).to_pylist()
    return found


def test_tables_are_what_is_decoded_and_when_it_came(tmp_path: Path) -> None:
    random = Random(3)  # noqa: S311 - damage of a test
    pieces = [frame(number) for number in range(200)]
    for number in random.sample(range(200), 20):
        damaged = bytearray(pieces[number])
        damaged[random.randrange(20, len(damaged))] ^= 0x55
        pieces[number] = bytes(damaged)
    path = journal(tmp_path, frame(0)[50:], *pieces, frame(300)[:100])
    troubles: list[pa.RecordBatch] = []
    wanted = pa.Table.from_batches(decode_archive(path, on_trouble=troubles.append)).to_pylist()
    trouble = pa.Table.from_batches(troubles).to_pylist()
    when: dict[int, int] = {}
    begin = 0
    for at, piece in read_recording(path):
        assert at is not None
        when |= dict.fromkeys(range(begin, begin + len(piece)), round(at * 1000))
        begin += len(piece)

    made = make_tables(path)
    assert made is not None
    assert (made.rows, made.trouble) == (len(wanted), len(trouble))
    assert names(tmp_path) == ["20261123T000000Z.parquet", "20261123T000000Z.trouble.parquet"]
    for name, rows in zip(names(tmp_path), (wanted, trouble), strict=True):
        table = pq.read_table(tmp_path / name)
        assert table.drop_columns(["arrived"]).to_pylist() == rows
        assert arrived(table) == [when[row["offset"]] for row in rows]
    assert len(trouble) >= 22


def test_without_trouble_there_is_no_such_table(tmp_path: Path) -> None:
    made = make_tables(journal(tmp_path, frame(1), frame(2)))
    assert made is not None
    assert made.trouble == 0
    assert names(tmp_path) == ["20261123T000000Z.parquet"]


def test_octets_without_any_telegram_are_kept_as_trouble(tmp_path: Path) -> None:
    made = make_tables(journal(tmp_path, NOISE))
    assert made is not None
    assert made.rows == 0
    assert pq.read_table(made.path).num_rows == 0
    table = pq.read_table(tmp_path / "20261123T000000Z.trouble.parquet")
    assert b"".join(table.column("raw").to_pylist()) == NOISE


def test_a_time_that_is_not_known_is_null(tmp_path: Path) -> None:
    path = journal(tmp_path, frame(1))
    path.with_suffix(".times").unlink()
    made = make_tables(path)
    assert made is not None
    assert set(arrived(pq.read_table(made.path))) == {None}


def test_what_a_killed_run_left_is_made_again(tmp_path: Path) -> None:
    path = journal(tmp_path, frame(1), frame(2))
    whole, times = path.read_bytes(), path.with_suffix(".times").read_bytes()
    made = make_tables(path)
    assert made is not None
    table = pq.read_table(made.path)
    path.write_bytes(whole)
    path.with_suffix(".times").write_bytes(times)
    made.path.write_bytes(b"PAR1 half of it")
    part = tmp_path / ".20261123T000000Z.part"
    part.mkdir()
    (part / made.path.name).write_bytes(b"PAR1 less of it")
    assert journals(tmp_path) == [path]
    assert make_tables(path) == made
    assert pq.read_table(made.path).equals(table)
    assert names(tmp_path) == [made.path.name]


def test_what_somebody_writes_is_left_alone(tmp_path: Path) -> None:
    recording = Recording(tmp_path, suffix=SUFFIX)
    recording.write(frame(1), DAY)
    before = names(tmp_path)
    assert make_tables(journals(tmp_path)[0]) is None
    assert names(tmp_path) == before
    recording.close()
    assert make_tables(journals(tmp_path)[0]) is not None
    assert make_tables(tmp_path / f"absent{SUFFIX}") is None


def test_recordings_are_no_journals(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(frame(1), DAY)
    recording.close()
    assert journals(tmp_path) == []


def test_a_table_that_is_not_complete_keeps_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = journal(tmp_path, frame(1))
    monkeypatch.setattr(column_file, "rows_in", lambda _: 0)
    with pytest.raises(TransportError, match=r"expected to make tables of it, found: .*expected \d+ rows, found 0"):
        make_tables(path)
    assert path.read_bytes() == frame(1)
    assert path.with_suffix(".times").exists()


def test_a_table_that_cannot_be_written_keeps_the_journal(tmp_path: Path) -> None:
    path = journal(tmp_path, frame(1))
    (tmp_path / "20261123T000000Z.parquet").mkdir()
    with pytest.raises(TransportError, match="it stays"):
        make_tables(path)
    assert path.exists()
    assert names(tmp_path) == [
        "20261123T000000Z.journal.bin",
        "20261123T000000Z.journal.times",
        "20261123T000000Z.parquet",
    ]
