"""The example of docs/archives.md on a real cluster that loses a worker in the middle of its work."""

from __future__ import annotations

import importlib
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import (
    GetListRes,
    ListEntry,
    Message,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Unsigned,
    encode_file,
    encode_transport,
)

pytest.importorskip("e320proto.archive", reason="needs the extra archive", exc_type=ModuleNotFoundError)
pytest.importorskip("distributed", reason="needs the extra dask")

import distributed
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable

    DecodePart = Callable[[str, str], int]

PAGE = Path(__file__).parent.parent.parent / "docs" / "archives.md"
PARTS = 8
FATAL = "part-3"
PATIENCE_S = 60.0


@pytest.fixture
def decode_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DecodePart:
    """The function as the documentation has it, in a module that workers can import too."""
    if not PAGE.is_file():
        pytest.skip("no docs beside the tests")
    page = PAGE.read_text(encoding="utf-8")
    script = re.search(r"^```python file=fleet.py\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert script is not None
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "documented_fleet.py").write_text(script[1], encoding="utf-8")
    monkeypatch.syspath_prepend(folder)  # processes that are started find it there as well
    found: DecodePart = importlib.import_module("documented_fleet").decode_part
    return found


def push(meter: int, number: int) -> bytes:
    server_id = bytes.fromhex("0a014c475a") + meter.to_bytes(5, "big")
    energy = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, scaler=-1, value=Unsigned(1000 * meter + number, 8))
    bodies = (
        PublicOpenRes(req_file_id=b"1", server_id=server_id),
        GetListRes(server_id=server_id, act_sensor_time=SecIndex(number), val_list=(energy,)),
        PublicCloseRes(),
    )
    return encode_transport(encode_file([Message(transaction_id=b"1", message_body=body) for body in bodies]))


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    """A file for each meter, rows of several telegrams, one of them damaged."""
    paths = []
    for part in range(PARTS):
        rows = [b"".join(push(part, 10 * row + number) for number in range(10)) for row in range(20)]
        rows[part] = rows[part].replace(b"LGZ", b"XYZ", 1)
        paths.append(tmp_path / f"part-{part}.parquet")
        pq.write_table(pa.table({"received": range(len(rows)), "octets": rows}), paths[-1])
    return paths


def wait_for(marker: Path) -> int:
    """The process that has come to the fatal part."""
    until = time.monotonic() + PATIENCE_S
    while not marker.exists():
        assert time.monotonic() < until, "no worker has come to the fatal part"
        time.sleep(0.02)
    return int(marker.read_text(encoding="ascii"))


def test_a_lost_worker_costs_nothing(archive: list[Path], decode_part: DecodePart, tmp_path: Path) -> None:
    folders = alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in folders:
        folder.mkdir()
    expected = [decode_part(str(path), str(alone / path.name)) for path in archive]
    assert set(expected) == {199}

    marker = tmp_path / "marker"

    def decode_or_die(source: str, target: str) -> int:
        """Decode; but the first worker that gets the fatal part has half of the file when its end comes."""
        if FATAL in source and not marker.exists():
            Path(f"{target}.{os.getpid()}").write_bytes(b"half")
            marker.with_suffix(".new").write_text(str(os.getpid()), encoding="ascii")
            marker.with_suffix(".new").replace(marker)
            time.sleep(10 * PATIENCE_S)
        return decode_part(source, target)

    dask: Any = distributed  # its functions have no types
    cluster = dask.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, dask.Client(cluster) as client:
        client.wait_for_workers(2, timeout=PATIENCE_S)
        workers = set(client.run(os.getpid).values())
        targets = [str(together / path.name) for path in archive]
        futures = client.map(decode_or_die, [str(path) for path in archive], targets)
        lost = wait_for(marker)
        assert lost in workers
        os.kill(lost, signal.SIGKILL)
        assert client.submit(sum, futures).result(timeout=PATIENCE_S) == sum(expected)

    for path in archive:
        assert pq.read_table(together / path.name).to_pylist() == pq.read_table(alone / path.name).to_pylist()
    assert sorted(path.name for path in together.glob("*.parquet")) == sorted(path.name for path in archive)
