"""Loads of a running meter, as words of the command line tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e320proto import DecodeError
from e320proto.cli.meter_profile import Timeline, parse_load
from e320proto.meter import Inputs
from e320proto.meter.profile import Script, household

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.cli.meter_profile import Load


def watts(load: Load, t_s: float = 0.0) -> list[float]:
    return [phase.power_w for phase in load.profile.inputs(t_s).phases]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("constant:100", [100, 0, 0]), ("constant:1,2", [1, 2, 0]), ("constant:1000,500.5,-300", [1000, 500.5, -300])],
)
def test_constant(text: str, expected: list[float]) -> None:
    assert watts(parse_load(text)) == expected


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("household", household(1, solar_kwp=4)),
        ("household:7", household(7, solar_kwp=4)),
        ("household:7,0", household(7)),
        ("household:7,9.5", household(7, solar_kwp=9.5)),
    ],
)
def test_household(text: str, profile: object) -> None:
    assert parse_load(text).profile == profile


def test_rows_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "LOAD.CSV"
    path.write_text("time;p1;p2;p3\n0;1;2,5;3\n10;4;5;6\n", encoding="utf-8")
    load = parse_load(str(path))
    assert (watts(load), watts(load, 10.0)) == ([1, 2.5, 3], [4, 5, 6])


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra archive is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "load.parquet"
    parquet.write_table(pa.table({"time": [0.0], "p1": [1.0], "p2": [2.0], "p3": [3.0]}), path)
    assert watts(parse_load(str(path))) == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    ["", "constant", "constant:", "constant:a", "constant:1,2,3,4", "household:x", "household:1,2,3", "load.txt"],
)
def test_words_of_another_form(text: str) -> None:
    with pytest.raises(DecodeError, match="expected constant:W,W,W, household") as caught:
        parse_load(text)
    assert repr(text) in str(caught.value)


def test_script(tmp_path: Path) -> None:
    path = tmp_path / "day.script"
    path.write_text(
        "0 load 100 0 0\n5 load 200 0 0\n  flash 0.5\n9 power off\n9 error lmn\n12 phase L1 off\n", encoding="utf-8"
    )
    load = parse_load(str(path))
    assert [watts(load, t_s)[0] for t_s in (0.0, 4.9, 5.0, 11.0, 12.0)] == [100, 100, 200, 200, 0]
    assert [act.at_s for act in load.acts] == [5.0, 9.0, 9.0]


def test_timeline_notes_each_change_once() -> None:
    script = Script.parse("0 load 1 0 0\n1 load 1 0 0\n2 load 2 0 0\n2 load 3 0 0\n4 end")
    profile = Timeline.of(script).load.profile
    assert (profile.next_change(0.0), profile.next_change(2.0)) == (2.0, None)
    assert profile.inputs(2.0) == Inputs.of_power(3, 0, 0)
