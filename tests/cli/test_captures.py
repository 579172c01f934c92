"""Recordings of real meters against what independent decoders found in them."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def captures(shared: Path) -> Path:
    folder = shared / "captures"
    if not (folder / "expected.json").is_file():
        pytest.skip("no recordings in ../shared/captures")
    return folder


@pytest.fixture(scope="module")
def expected(captures: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((captures / "expected.json").read_text(encoding="utf-8"))
    return found


def counts_of(text: str) -> dict[str, int]:
    """The block of counts: a name and a number on each line."""
    return {match[1]: int(match[2]) for match in re.finditer(r"^(\S.*?) {2,}(\d+)$", text, re.MULTILINE)}


def test_totals(e320: Run, captures: Path, expected: dict[str, Any]) -> None:
    files, totals = expected["files"], expected["totals"]
    done = e320("decode", "--format", "jsonl", "--stats", *(captures / name for name in files))
    assert done.status == 0
    assert len(done.out.splitlines()) == totals["frames"]
    counts = counts_of(done.err)
    trouble = [item for file in files.values() for item in file["trouble"]]
    assert counts["telegrams"] == totals["frames"] == 80
    assert counts["messages"] == totals["messages"] == 240
    assert counts["entries"] == totals["list_entries"] == 639
    assert counts["rejected"] == counts["rejected, bad_crc"] == totals["rejected_frames"] == 3
    assert counts["truncated"] == sum(item["kind"] == "truncated" for item in trouble)
    assert counts["message errors"] == 0
    assert counts["discarded bytes"] == sum(item["length"] for item in trouble if item["kind"] == "noise")
    meters = {name: count for name, count in counts.items() if name.startswith("telegrams of meter")}
    assert sum(meters.values()) == 80
    assert meters["telegrams of meter 1 ISK00 7512 6084"] == 10


def test_table_has_the_same_counts(e320: Run, captures: Path, expected: dict[str, Any]) -> None:
    paths = [captures / name for name in expected["files"]]
    table, lines = e320("decode", "--stats", *paths), e320("decode", "-f", "jsonl", "--stats", *paths)
    assert table.err == ""
    assert table.out.endswith(lines.err)
    assert counts_of(lines.err)["telegrams"] == 80


def test_every_file(e320: Run, captures: Path, expected: dict[str, Any]) -> None:
    for name, facts in expected["files"].items():
        done = e320("decode", "-f", "jsonl", "-e", captures / name)
        items = [json.loads(line, parse_float=Decimal) for line in done.out.splitlines()]
        telegrams = [item for item in items if "entries" in item]
        assert done.status == (0 if facts["frames"] else 1), name
        assert [item["offset"] for item in telegrams] == facts["frame_offsets"], name
        noise = sum(item.get("discarded", 0) for item in items)
        assert noise == sum(item["length"] for item in facts["trouble"] if item["kind"] == "noise"), name
        errors = [(item["error"], item["offset"]) for item in items if "error" in item]
        assert errors == [(item["kind"], item["offset"]) for item in facts["trouble"] if item["kind"] != "noise"], name
        assert items == sorted(items, key=lambda item: item["offset"]), name


def test_first_telegram_of_every_file(e320: Run, captures: Path, expected: dict[str, Any]) -> None:
    for name, facts in expected["files"].items():
        if not facts["frames"]:
            continue
        line = e320("decode", "-f", "jsonl", captures / name).out.partition("\n")[0]
        found = json.loads(line, parse_float=Decimal)
        assert found["server_id"] == facts["open_res"]["serverId"], name
        for entry, wanted in zip(found["entries"], facts["first_frame"]["entries"], strict=True):
            assert entry["obis"] == wanted["obis"], name
            assert (entry["unit"], entry["status"]) == (wanted["unit"], wanted["status"]), name
            if "octets" in wanted:
                assert entry["raw"] == wanted["octets"], name
            else:
                assert (None if entry["value"] is None else str(entry["value"])) == wanted["value"], name
            assert str(entry.get("corrected")) == wanted.get("corrected", "None"), name
            assert entry.get("rule") == wanted.get("rule"), name


@pytest.mark.parametrize("width", [60, 80, 200])
def test_table_shows_every_reading_of_first_telegrams(
    e320: Run, captures: Path, expected: dict[str, Any], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, facts in expected["files"].items():
        monkeypatch.setenv("COLUMNS", str(width))
        text = e320("decode", captures / name).out
        if not facts["frames"]:
            continue
        for wanted in facts["first_frame"]["entries"]:
            assert wanted["obis"] in text, name
            if wanted["value"] is not None:
                value = re.escape(wanted.get("corrected", wanted["value"]))
                assert re.search(rf" {value}(  \S+)?$", text, re.MULTILINE), (name, wanted)
