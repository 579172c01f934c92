"""The tables of archives are what the streaming decoder says, on any input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pa = pytest.importorskip("pyarrow", reason="the extra archive is not installed")
pytest.importorskip("numba", reason="the extra archive is not installed")

from hypothesis import given, settings  # noqa: E402 - after the skips
from hypothesis import strategies as st  # noqa: E402

from e320proto import DecodeOptions, Limits  # noqa: E402
from e320proto.archive import decode_archive, find_registers, parts  # noqa: E402
from e320proto.archive.known import Known, known_layouts  # noqa: E402
from e320proto.sml.options import DEFAULT_OPTIONS  # noqa: E402
from tests.archive import meters  # noqa: E402
from tests.archive.expected import Row, events_of, long_rows, trouble_rows, wide_rows  # noqa: E402
from tests.recordings import FILES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SOME_OPTIONS = (
    DEFAULT_OPTIONS,
    DecodeOptions(frame_crc_kind="none", message_crc="lenient", dzg_sign=False),
    DecodeOptions(frame_crc_kind="kermit"),
    DecodeOptions(limits=Limits(max_frame=300, noise_block=64)),
)


def rows_of(batches: Iterable[Any], first: str = "file") -> list[Row]:
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


def check(path: Path, octets: bytes, batch_rows: int = 65_536, options: DecodeOptions = DEFAULT_OPTIONS) -> None:
    """Compare all tables of a file with the rows of a plain decoder."""
    path.write_bytes(octets)
    events = events_of(octets, options)
    trouble: list[Any] = []
    batches = list(decode_archive(path, batch_rows=batch_rows, on_trouble=trouble.append, options=options))
    assert all(0 < batch.num_rows <= batch_rows for batch in batches)
    assert rows_of(batches) == long_rows(events)
    assert rows_of(trouble) == trouble_rows(events)
    assert rows_of(decode_archive(path, table="trouble", batch_rows=batch_rows, options=options)) == trouble_rows(
        events
    )
    for registers in (find_registers(path, options=options), (), [("1-0:1.8.0*255", 30)]):
        names = [code for code, _ in registers]
        wide = decode_archive(
            path, table="wide", batch_rows=batch_rows, options=options, registers=names if len(names) < 2 else None
        )
        assert rows_of(wide) == wide_rows(events, registers)


@pytest.fixture
def taken() -> Known:
    """The layouts of the default options, with a fresh count."""
    known = known_layouts(DEFAULT_OPTIONS)
    known.taken = 0
    return known


@pytest.mark.parametrize("batch_rows", [1, 5, 65_536])
@pytest.mark.parametrize("name", FILES)
def test_recordings(shared: Path, tmp_path: Path, name: str, batch_rows: int) -> None:
    path = shared / "captures" / name
    if not path.exists():
        pytest.skip("recording is absent")
    check(tmp_path / name, path.read_bytes() * 3, batch_rows)


@pytest.mark.parametrize("batch_rows", [3, 65_536])
@pytest.mark.parametrize("name", meters.STREAMS)
def test_made_streams(tmp_path: Path, name: str, batch_rows: int) -> None:
    check(tmp_path / "file", meters.STREAMS[name], batch_rows)


@pytest.mark.parametrize("options", SOME_OPTIONS)
def test_options(tmp_path: Path, options: DecodeOptions) -> None:
    check(tmp_path / "file", meters.damaged(meters.EVERYTHING, 1), options=options)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_streams(tmp_path: Path, seed: int) -> None:
    check(tmp_path / "file", meters.damaged(meters.EVERYTHING, seed, 300 + 200 * seed), 1000)


_PIECES = [meters.frame(number, meters.usual(number)) for number in range(6)] + [
    bytes.fromhex(text) for text in ("1b1b1b1b01010101", "1b1b1b1b02020202", "1b1b1b1b1a00", "1b", "00", "1b1b1b")
]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=9), max_size=24), st.integers(0, 400))
def test_any_order_of_pieces(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], cut: int) -> None:
    octets = b"".join(pieces)
    path = tmp_path_factory.getbasetemp() / "pieces"
    path.write_bytes(octets[: len(octets) - cut])
    events = events_of(octets[: len(octets) - cut])
    trouble: list[Any] = []
    assert rows_of(decode_archive(path, on_trouble=trouble.append)) == long_rows(events)
    assert rows_of(trouble) == trouble_rows(events)


def test_every_flipped_bit(tmp_path: Path) -> None:
    """Each bit of a frame among others, one after the other, in one file."""
    learned = b"".join(meters.frame(number, meters.usual(number)) for number in range(3))
    raw = meters.frame(9, meters.usual(9))
    octets = bytearray(learned)
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        octets += flipped + raw
    path = tmp_path / "file"
    path.write_bytes(octets)
    events = events_of(bytes(octets))
    trouble: list[Any] = []
    assert rows_of(decode_archive(path, on_trouble=trouble.append)) == long_rows(events)
    assert rows_of(trouble) == trouble_rows(events)


def test_most_frames_go_through_the_kernel(tmp_path: Path, taken: Known) -> None:
    path = tmp_path / "file"
    path.write_bytes(meters.plain(500))
    tables: tuple[Any, ...] = ("long", "wide", "trouble")
    for table in tables:
        before = taken.taken
        list(decode_archive(path, table=table))
        assert taken.taken - before >= 497


@pytest.mark.parametrize("name", ["extremes", "zero_times", "interleaved", "escapes", "dzg"])
def test_hard_streams_go_through_the_kernel_too(tmp_path: Path, taken: Known, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(meters.STREAMS[name])
    list(decode_archive(path))
    assert taken.taken > 10


def test_large_files_are_read_in_blocks(tmp_path: Path, taken: Known) -> None:
    octets = meters.damaged(meters.plain(4_000), 3, 20_000)
    assert len(octets) > 1 << 19
    check(tmp_path / "file", octets)
    assert taken.taken > 10_000


def test_more_models_than_there_is_room_for(tmp_path: Path) -> None:
    check(
        tmp_path / "file",
        b"".join(
            meters.frame(number, meters.usual(number)[: 1 + model % 4], bytes(1 + model // 4))
            for model in range(40)
            for number in range(4)
        ),
    )


def test_many_files_in_order(tmp_path: Path) -> None:
    contents = {"b": meters.plain(40), "empty": b"", "a": meters.damaged(meters.plain(60), 5), "noise": b"noise"}
    for name, octets in contents.items():
        (tmp_path / name).write_bytes(octets)
    paths = [str(tmp_path / name) for name in contents]
    for batch_rows in (7, 65_536):
        batches = list(decode_archive(paths, batch_rows=batch_rows))
        files = [row["file"] for batch in batches for row in batch.select(["file"]).to_pylist()]
        expected = [long_rows(events_of(octets)) for octets in contents.values()]
        assert files == [path for path, rows in zip(paths, expected, strict=True) for _ in rows]
        assert rows_of(batches) == [row for rows in expected for row in rows]


@pytest.mark.parametrize("table", ["long", "wide", "trouble"])
def test_two_processes_make_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Any) -> None:  # noqa: ANN401
    monkeypatch.setattr(parts, "PART", 30_000)
    octets = meters.damaged(meters.EVERYTHING, 7, 900) + b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" + bytes(70_000)
    paths = [tmp_path / "large", tmp_path / "small", tmp_path / "empty"]
    for path, content in zip(paths, (octets, meters.plain(3), b""), strict=True):
        path.write_bytes(content)
    trouble: list[list[Any]] = [[], []]
    progress: list[tuple[int, int]] = []
    one = list(decode_archive(paths, table=table, on_trouble=trouble[0].append))
    two = list(
        decode_archive(
            paths,
            table=table,
            jobs=2,
            on_trouble=trouble[1].append,
            on_progress=lambda done, total: progress.append((done, total)),
        )
    )
    assert rows_of(one) == rows_of(two)
    assert rows_of(trouble[0]) == rows_of(trouble[1])
    assert len(progress) > 4
    total = sum(path.stat().st_size for path in paths)
    assert progress == sorted(progress)
    assert progress[-1] == (total, total)
