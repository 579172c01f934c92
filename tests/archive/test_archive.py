"""The tables of archives are what the streaming decoder says, on any input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pa = pytest.importorskip("pyarrow", reason="the extra archive is not installed")
pytest.importorskip("numba", reason="the extra archive is not installed")

from e320proto.archive import decode_archive, decode_batch, find_registers  # noqa: E402 - after the skip
from tests.archive.expected import events_of, long_rows, trouble_rows, wide_rows  # noqa: E402
from tests.recordings import FILES  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path


def rows_of(batches: list[Any], first: str = "file") -> list[dict[str, Any]]:
    """The rows of batches, times as seconds, without the first column."""
    found = []
    for batch in batches:
        batch.validate(full=True)
        table = pa.Table.from_batches([batch])
        if "timestamp" in table.column_names:
            at = table.column_names.index("timestamp")
            table = table.set_column(at, "timestamp", table["timestamp"].cast(pa.int64()))
        found += table.drop_columns([first]).to_pylist()
    return found


@pytest.mark.parametrize("batch_rows", [1, 5, 65_536])
@pytest.mark.parametrize("name", FILES)
def test_recordings(shared: Path, name: str, batch_rows: int) -> None:
    path = shared / "captures" / name
    if not path.exists():
        pytest.skip("recording is absent")
    octets = path.read_bytes()
    check(path, octets, batch_rows)


def check(path: Path, octets: bytes, batch_rows: int) -> None:
    events = events_of(octets)
    trouble: list[Any] = []
    batches = list(decode_archive(path, batch_rows=batch_rows, on_trouble=trouble.append))
    assert all(0 < batch.num_rows <= batch_rows for batch in batches)
    assert rows_of(batches) == long_rows(events)
    assert rows_of(trouble) == trouble_rows(events)
    assert rows_of(list(decode_archive(path, table="trouble", batch_rows=batch_rows))) == trouble_rows(events)
    found = find_registers(path)
    assert rows_of(list(decode_archive(path, table="wide", batch_rows=batch_rows))) == wide_rows(events, found)
    batch = pa.record_batch({"octets": [octets]})
    assert rows_of([decode_batch(batch)], "row") == long_rows(events)
