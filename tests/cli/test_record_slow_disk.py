"""A disk that takes long does not keep the line waiting."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from e320proto.aio import open_pipe
from e320proto.cli.record_run import Recorder, RecordPlan
from e320proto.live import recording
from e320proto.live.recording import read_recording
from tests.aio.ports import frame, in_loop, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@in_loop
async def test_octets_are_recorded_while_the_disk_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, done = threading.Event(), threading.Event()

    def sync(_: int) -> None:
        busy.set()
        assert done.wait(30)

    far = await open_pipe("memory:disk")
    recorder = Recorder(RecordPlan(url="memory:disk", folder=tmp_path, sync_s=0.01))
    async with recorder.reader, recorder.syncing():
        await until(lambda: recorder.reader.stats.is_open)
        far.send(frame(1))
        await until(lambda: recorder.recording.octets)
        monkeypatch.setattr(recording, "_sync", sync)
        recording_on = asyncio.create_task(recorder.record())
        await until(busy.is_set)
        far.send(frame(2))
        await until(lambda: recorder.reader.stats.total.telegrams == 2)
        assert b"".join(octets for _, octets in read_recording(tmp_path)) == frame(1) + frame(2)
        done.set()
        recording_on.cancel()
        await asyncio.wait([recording_on])
    await recorder.close()
    await far.close()
