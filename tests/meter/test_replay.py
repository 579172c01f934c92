"""Recorded load: CSV and Parquet."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError
from e320proto.meter.measurement import Inputs, Phase
from e320proto.meter.replay import Replay, replay_csv, replay_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = "time,p1,p2,p3"


def test_rows_hold_until_the_next() -> None:
    profile = replay_csv([HEADER, "10,1,2,3", "", "20.5,4,5,6"])
    assert profile.times_s == (10.0, 20.5)
    first, second = Inputs.of_power(1, 2, 3), Inputs.of_power(4, 5, 6)
    assert [profile.inputs(t_s) for t_s in (0, 10, 20.4, 20.5, 1e9)] == [first, first, first, second, second]
    assert [profile.next_change(t_s) for t_s in (0, 10, 20.4, 20.5)] == [10.0, 20.5, 20.5, None]


def test_powers_with_reactive_power_and_voltage() -> None:
    profile = replay_csv(["Time, P1, P2, P3, Q1, Q2, Q3, U1, U2, U3", "0,100,200,300,10,20,30,229,230,0"])
    assert profile.inputs(0).phases == (
        Phase(229.0, p_w=100.0, q_var=10.0),
        Phase(230.0, p_w=200.0, q_var=20.0),
        Phase(0.0, p_w=300.0, q_var=30.0),
    )


def test_currents_with_angles_in_any_order_of_columns() -> None:
    profile = replay_csv(["u1,u2,u3,angle1,angle2,angle3,i1,i2,i3,time", "229,230,231,0,90,180,1,2,3,0"])
    assert profile.inputs(0).phases == (Phase(229.0, 1.0, 0.0), Phase(230.0, 2.0, 90.0), Phase(231.0, 3.0, 180.0))


def test_currents_alone() -> None:
    assert replay_csv(["time,i1,i2,i3", "0,1,0,0"]).inputs(0).phases[0] == Phase(230.0, 1.0)


def test_semicolons_and_decimal_commas() -> None:
    profile = replay_csv(['\ufeff"time";p1;p2;p3\n', "0,5;1000,25;0;-3\n"])
    assert profile.times_s == (0.5,)
    assert profile.inputs(0).phases[0].power_w == 1000.25


@pytest.mark.parametrize(
    ("lines", "reason", "message"),
    [
        ([], "bad_column", "expected one of angle1, .*, found '' \\(header\\)"),
        (["p1,p2,p3"], "bad_column", r"expected a column time, found 'p1, p2, p3' \(header\)"),
        (["time,p1,p3"], "bad_column", r"expected a column p2, found 'time, p1, p3' \(header\)"),
        (["time,i1,i2"], "bad_column", "expected a column i3"),
        (["time,p1,p2,p3,watt"], "bad_column", r"found 'watt' \(header\)"),
        (["time,p1,p2,p3,P1"], "bad_column", r"expected each column once, found 'p1' \(header\)"),
        (["time,p1,p2,p3,i2"], "bad_column", "expected no such column beside p1, found 'i2'"),
        (["time,i1,i2,i3,q1"], "bad_column", "expected no such column beside i1, found 'q1'"),
        ([HEADER], "no_rows", "expected a row of values, found none"),
        ([HEADER, "0,1,2"], "bad_row", r"expected 4 values, found 3 \(line 2\)"),
        ([HEADER, "0,1,2,3", "1,1,2,3,4"], "bad_row", r"expected 4 values, found 5 \(line 3\)"),
        ([HEADER, "0,1,2,3", "", "1,1,x,3"], "bad_value", r"found 'x' \(line 4, column p2\)"),
        ([HEADER, "0,1,,3"], "bad_value", r"expected a number, .*found '' \(line 2, column p2\)"),
        ([HEADER, "0,1,2,nan"], "bad_value", r"found nan \(line 2, column p3\)"),
        ([HEADER, "0,1,2,-1.1e9"], "bad_value", r"at most 1e\+09 large, found -1100000000.0 \(line 2, column p3\)"),
        ([HEADER, "1e13,1,2,3"], "bad_value", r"at most 1e\+12 large, found 10000000000000.0 \(line 2, column time\)"),
        ([HEADER, "0,1,2,1e300"], "bad_value", r"found 1e\+300 \(line 2, column p3\)"),
        ([HEADER, "1,0,0,0", "1,0,0,0"], "bad_row", r"expected a time after 1, found 1.0 \(line 3, column time\)"),
        ([HEADER, "1,0,0,0", "1.0001,0,0,0"], "bad_row", r"line 3, column time"),
        (["time,i1,i2,i3", "0,1,-2,3"], "bad_value", r"expected 0 or above, found -2.0 \(line 2, column i2\)"),
        (["time,p1,p2,p3,u3", "0,1,2,3,-230"], "bad_value", r"found -230.0 \(line 2, column u3\)"),
    ],
)
def test_errors_name_line_and_column(lines: list[str], reason: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        replay_csv(lines)
    assert caught.value.reason == reason


def test_a_field_beyond_the_reader_s_limit() -> None:
    with pytest.raises(DecodeError, match=r"expected a row of CSV: .* \(line 2\)"):
        replay_csv([HEADER, "9" * 200_000])


@given(st.lists(st.text(st.sampled_from('timepiqu123,;.-" \n\x00e9')), max_size=5))
def test_any_lines_give_a_profile_or_a_clear_error(lines: list[str]) -> None:
    try:
        profile = replay_csv(lines)
    except DecodeError:
        return
    assert len(profile.times_s) == len(profile.rows) > 0


@given(st.dictionaries(st.integers(0, 10**7), st.tuples(*[st.floats(-1e5, 1e5)] * 3), min_size=1, max_size=20))
def test_what_was_written_is_replayed(rows: dict[int, tuple[float, float, float]]) -> None:
    times = sorted(rows)
    profile = replay_csv([HEADER, *(",".join(map(repr, (at / 1000, *rows[at]))) for at in times)])
    assert [profile.inputs(at / 1000) for at in times] == [Inputs.of_power(*rows[at]) for at in times]

    def changes() -> Iterator[float]:
        at_s: float | None = -1.0
        while (at_s := profile.next_change(at_s or 0.0)) is not None:
            yield at_s

    assert [round(1000 * at_s) for at_s in changes()] == times


def parquet(columns: dict[str, list[Any]]) -> bytes:
    pa = pytest.importorskip("pyarrow")
    sink = pa.BufferOutputStream()
    importlib.import_module("pyarrow.parquet").write_table(pa.table(columns), sink)
    octets: bytes = sink.getvalue().to_pybytes()
    return octets


def test_parquet_has_the_columns_of_csv() -> None:
    data = parquet({"time": [0, 10], "p1": [1, 4], "p2": [2, 5], "p3": [3.5, 6.5]})
    assert replay_parquet(data) == replay_csv([HEADER, "0,1,2,3.5", "10,4,5,6.5"])
    assert isinstance(replay_parquet(data), Replay)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"time": [0, 1], "p1": [1, 1], "p2": [1, None], "p3": [1, 1]}, r"found None \(row 2, column p2\)"),
        ({"time": [0, 0], "p1": [1, 1], "p2": [1, 1], "p3": [1, 1]}, r"a time after 0, found 0 \(row 2, column time\)"),
        ({"time": [0], "p1": [True], "p2": [1], "p3": [1]}, r"found True \(row 1, column p1\)"),
        ({"time": [0], "p1": ["x"], "p2": [1], "p3": [1]}, r"found 'x' \(row 1, column p1\)"),
        ({"time": [0], "p1": [1], "p2": [1]}, "expected a column p3"),
    ],
)
def test_errors_of_parquet_name_row_and_column(columns: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        replay_parquet(parquet(columns))


def test_other_octets_are_no_parquet() -> None:
    pytest.importorskip("pyarrow")
    for data in (b"", b"PAR1", b"time,p1,p2,p3\n0,1,2,3\n", parquet({"time": [0]})[:-3]):
        with pytest.raises(DecodeError, match="expected a Parquet file") as caught:
            replay_parquet(data)
        assert caught.value.reason == "parquet"


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install e320proto\[archive\]"):
        replay_parquet(b"")
