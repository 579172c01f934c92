"""Landis+Gyr telegrams of real meters come out of their own decoded values; they lie outside of this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e320proto import Message, Telegram, TelegramDecoder, encode_file, encode_transport
from e320proto.meter.info import InfoSnapshot, info_messages, info_telegram
from e320proto.meter.modes import DataSet, Mode

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "base-meter.json"
needs_recordings = pytest.mark.skipif(not VECTORS.is_file(), reason="needs ../shared/vectors")


def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


@needs_recordings
def test_push_of_a_real_meter() -> None:
    (vector,) = (vector for vector in recorded()["telegrams"] if vector["name"] == "lgz_extended_import")
    octets = bytes.fromhex(vector["hex"])
    frame = encode_transport(octets)
    (telegram,) = TelegramDecoder().feed(frame)
    assert isinstance(telegram, Telegram)
    request = vector["messages"][0]["body"]["req_file_id"]
    assert telegram.status is not None
    snapshot = InfoSnapshot(
        server_id=telegram.server_octets or b"",
        sec_index=vector["messages"][0]["body"]["ref_time"]["value"],
        push_counter=int(request, 16),
        status=telegram.status.value,
        registers={entry.obis: entry.raw for entry in telegram.entries if entry.unit == 30},  # type: ignore[misc]
        power_w=telegram.entries["16.7.0"].raw,  # type: ignore[arg-type]
    )
    assert info_telegram(snapshot) == frame
    assert len(frame) == vector["framed_length"]


@needs_recordings
def test_entries_of_a_real_e320() -> None:
    """Single entries of the reduced set; the frame around them was not recorded."""
    entries = recorded()["fragments"]["entries"]
    first, second = (fragment["entry"] for fragment in entries)
    snapshot = InfoSnapshot(
        server_id=bytes(10),
        sec_index=first["val_time"]["value"],
        push_counter=0,
        status=first["status"]["value"],
        registers={"1.8.0": 10_000 * first["value"]["value"], "2.8.0": 10_000 * second["value"]["value"]},  # type: ignore[dict-item]
        mode=Mode.BOTH,
        data_set=DataSet.REDUCED,
    )
    messages: tuple[Message, ...] = info_messages(snapshot)
    payload = encode_file(messages)
    for fragment in entries:
        assert bytes.fromhex(fragment["hex"]) in payload
