"""Streams: files, and pipes that are full or that nobody reads any more."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from e320proto.aio.outlets import StreamOutlet
from e320proto.errors import TransportError
from tests.aio.ports import frame, in_loop, seconds

if TYPE_CHECKING:
    from pathlib import Path

FRAME = len(frame())


@in_loop
async def test_a_file_gets_every_frame_and_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "pushes.bin"
    with path.open("wb") as file:
        outlet = StreamOutlet(file)
        assert outlet.name == str(path)
        for number in range(3):
            outlet.send(frame(number))
        assert seconds(path.read_bytes()) == [0, 1, 2]
        await outlet.close()
        assert not file.closed


def test_a_stream_in_memory_has_the_name_that_it_is_given() -> None:
    stream = io.BytesIO()
    outlet = StreamOutlet(stream, "memory")
    outlet.send(frame(1))
    assert (outlet.name, seconds(stream.getvalue())) == ("memory", [1])


def test_a_full_pipe_loses_whole_frames() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as reader, open(writing, "wb") as writer:  # noqa: PTH123 - no paths
        outlet = StreamOutlet(writer)
        for number in range(1_000):
            outlet.send(frame(number))
        lost = outlet.dropped
        assert 0 < lost < 999
        assert seconds(reader.read(1 << 20)) == list(range(1_000 - lost))
        outlet.send(frame(1_000))
        assert seconds(reader.read(1 << 20)) == [1_000]
        assert outlet.dropped == lost


def test_a_pipe_that_nobody_reads_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with (
        open(writing, "wb", buffering=0) as writer,  # noqa: PTH123 - no path
        pytest.raises(TransportError, match=r"expected a stream that takes octets, found: .*Broken pipe"),
    ):
        StreamOutlet(writer, "pipe").send(frame(1))


def test_a_stream_that_was_closed() -> None:
    stream = io.BytesIO()
    outlet = StreamOutlet(stream, "memory")
    stream.close()
    with pytest.raises(TransportError, match="memory: expected a stream that takes octets"):
        outlet.send(frame(1))
