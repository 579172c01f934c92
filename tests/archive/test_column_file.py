"""Files of columns: nothing under their name before they are complete, and dictionaries that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("e320proto.archive", reason="needs the extra archive", exc_type=ModuleNotFoundError)

import pyarrow as pa
import pyarrow.parquet as pq

from e320proto.archive.column_file import ColumnFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e320proto.archive.column_file import ColumnFormat

FORMATS = ("parquet", "arrow")


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.ipc.open_file(path) as file:
        return file.read_all()


@pytest.fixture(params=FORMATS)
def make_file(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[pa.Schema], ColumnFile]:
    form: ColumnFormat = request.param
    part = tmp_path / "part"
    part.mkdir()
    return lambda schema: ColumnFile(tmp_path / f"words.{form}", part, schema, form)


def test_dictionaries_may_differ_from_batch_to_batch(make_file: Callable[[pa.Schema], ColumnFile]) -> None:
    pieces: list[list[str | None]] = [["a", "b", "a"], ["b", None, "c"], [None], ["d", "a"], ["c"]]
    batches = [pa.record_batch({"word": pa.array(words, pa.string()).dictionary_encode()}) for words in pieces]
    file = make_file(batches[0].schema)
    for batch in batches:
        file.write(batch)
    file.publish()
    assert file.rows == 10
    assert [row["word"] for row in _read(file.path).to_pylist()] == [word for words in pieces for word in words]
    if file.path.suffix == ".arrow":
        with pa.ipc.open_file(file.path) as reader:  # not only in order
            assert reader.get_batch(3).column("word").to_pylist() == ["d", "a"]


def test_there_is_no_file_before_it_is_complete(make_file: Callable[[pa.Schema], ColumnFile]) -> None:
    file = make_file(pa.schema([("word", pa.string())]))
    file.write(pa.record_batch({"word": ["a"]}))
    file.close()
    assert not file.path.exists()
