"""Recorded load as a profile: rows of a CSV or Parquet file.

::

    time,p1,p2,p3            time;u1;u2;u3;i1;i2;i3;angle1;angle2;angle3
    0,1000,500,-300          0;230,1;229,8;230,4;4,35;0;1,2;0;0;180
    10.5,1200,500,-300       (a header with semicolons: decimal commas are read)

==================  ===========================================================  =============
column              what                                                         needed
==================  ===========================================================  =============
time                seconds on the clock of the meter; each row is later         yes
p1 p2 p3            active power of each phase, W, import positive               one of both
i1 i2 i3            current of each phase, A                                     one of both
q1 q2 q3            reactive power, var, beside p                                no, 0
angle1 to angle3    how far the current lags, degrees, beside i                  no, 0
u1 u2 u3            voltage, V                                                   no, 230
==================  ===========================================================  =============

A row holds until the next one, the first one also before its time, the last one for ever.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from e320proto.errors import DecodeError, shown
from e320proto.meter.measurement import LARGEST, Inputs, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LATEST_S: Final = 1e12
_SOURCE: Final = "load profile"
_TIME: Final = "time"
_POWERS: Final = ("p1", "p2", "p3")
_CURRENTS: Final = ("i1", "i2", "i3")
_BESIDE: Final = {"p": ("q1", "q2", "q3"), "i": ("angle1", "angle2", "angle3")}
_VOLTAGES: Final = ("u1", "u2", "u3")
_COLUMNS: Final = {_TIME, *_POWERS, *_CURRENTS, *_VOLTAGES, *_BESIDE["p"], *_BESIDE["i"]}
_NOMINAL_V: Final = 230.0


@dataclass(frozen=True, slots=True)
class Replay:
    """Rows with their times; each time is later than the one before."""

    times_s: tuple[float, ...]
    rows: tuple[Inputs, ...]

    def inputs(self, t_s: float) -> Inputs:
        """Tell what the last row says that is not later."""
        return self.rows[max(0, bisect_right(self.times_s, t_s) - 1)]

    def next_change(self, t_s: float) -> float | None:
        """Tell when the next row begins; ``None`` after the last."""
        index = bisect_right(self.times_s, t_s)
        return self.times_s[index] if index < len(self.times_s) else None


def replay_csv(lines: Iterable[str]) -> Replay:
    r"""Read a profile from the lines of a CSV file, an open text file for example.

    Raises:
        DecodeError: ``bad_column``, a column is missing, unknown or there twice; ``bad_row``, a row with another
            number of values, or not later than the one before; ``bad_value``, no such number; ``no_rows``. Line and
            column are in the path and in the message.

    >>> profile = replay_csv(["time,p1,p2,p3", "0,1000,0,0", "10.5,2000,0,0"])
    >>> profile.next_change(0.0), profile.inputs(11.0).phases[0].power_w
    (10.5, 2000.0)
    """
    rest = iter(lines)
    header = next(rest, "").removeprefix("\ufeff")
    european = ";" in header
    names = _names(header.split(";" if european else ","))
    return _replay(names, _csv_rows(rest, names, european=european))


def _csv_rows(lines: Iterator[str], names: list[str], *, european: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(lines, delimiter=";" if european else ",")
    try:
        for values in reader:
            where = f"line {reader.line_num + 1}"
            if not values:
                continue
            if len(values) != len(names):
                raise _refused("bad_row", f"{len(names)} values", len(values), where)
            yield where, {name: _read(text, european=european) for name, text in zip(names, values, strict=True)}
    except csv.Error as error:
        detail = f"expected a row of CSV: {error}"
        raise DecodeError("bad_row", detail, path=f"line {reader.line_num + 1}", source=_SOURCE) from error


def _read(text: str, *, european: bool) -> object:
    """Read a number; what is none stays a text, for the error to show."""
    try:
        return float(text.replace(",", ".") if european else text)
    except ValueError:
        return text


def replay_parquet(data: bytes) -> Replay:
    """Read a profile from the octets of a Parquet file, with the columns of the CSV file.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
        DecodeError: ``parquet``, the octets are no such file; else as :func:`replay_csv`, with rows from 1.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - only for those who have Parquet files
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"Parquet files need the extra 'archive' ({error.name} is missing): pip install e320proto[archive]"
        raise ModuleNotFoundError(msg, name=error.name) from error
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise DecodeError("parquet", f"expected a Parquet file: {error}", source=_SOURCE) from error
    names = _names(table.column_names)
    columns = [column.to_pylist() for column in table.columns]
    rows = (
        (f"row {number}", dict(zip(names, values, strict=True)))
        for number, values in enumerate(zip(*columns, strict=True), start=1)
    )
    return _replay(names, rows)


def _names(header: Iterable[str]) -> list[str]:
    """Check the names of the columns."""
    names = [name.strip().strip('"').lower() for name in header]
    for index, name in enumerate(names):
        if name not in _COLUMNS:
            raise _refused("bad_column", f"one of {', '.join(sorted(_COLUMNS))}", name, "header")
        if name in names[:index]:
            raise _refused("bad_column", "each column once", name, "header")
    kind = "i" if "i1" in names else "p"
    for name in (_TIME, *(_CURRENTS if kind == "i" else _POWERS)):
        if name not in names:
            raise _refused("bad_column", f"a column {name}", ", ".join(names), "header")
    other = {"p": (*_CURRENTS, *_BESIDE["i"]), "i": (*_POWERS, *_BESIDE["p"])}[kind]
    for name in names:
        if name in other:
            raise _refused("bad_column", f"no such column beside {kind}1", name, "header")
    return names


def _replay(names: list[str], rows: Iterable[tuple[str, dict[str, Any]]]) -> Replay:
    times: list[float] = []
    inputs: list[Inputs] = []
    kind = "i" if "i1" in names else "p"
    for where, row in rows:
        for name in names:
            _check(row[name], _LATEST_S if name == _TIME else LARGEST, f"{where}, column {name}")
        # The meter knows whole milliseconds.
        if times and round(row[_TIME] * 1000) <= round(times[-1] * 1000):
            raise _refused("bad_row", f"a time after {times[-1]:g}", row[_TIME], f"{where}, column {_TIME}")
        times.append(float(row[_TIME]))
        inputs.append(_inputs(kind, row, where))
    if not times:
        detail = "expected a row of values, found none"
        raise DecodeError("no_rows", detail, source=_SOURCE)
    return Replay(tuple(times), tuple(inputs))


def _inputs(kind: str, row: dict[str, Any], where: str) -> Inputs:
    """Make inputs of a row; voltages and currents are not below 0."""
    for name in (*_VOLTAGES, *_CURRENTS):
        if row.get(name, 0) < 0:
            raise _refused("bad_value", "0 or above", row[name], f"{where}, column {name}")
    first, second, third = (_phase(kind, row, index) for index in range(3))
    return Inputs((first, second, third))


def _phase(kind: str, row: dict[str, Any], index: int) -> Phase:
    voltage_v, beside = row.get(_VOLTAGES[index], _NOMINAL_V), row.get(_BESIDE[kind][index], 0.0)
    if kind == "p":
        return Phase(voltage_v, p_w=row[_POWERS[index]], q_var=beside)
    return Phase(voltage_v, row[_CURRENTS[index]], beside)


def _check(value: object, most: float, where: str) -> None:
    # A value that is no number is not below the limit either.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
        raise _refused("bad_value", f"a number, at most {most:g} large", value, where)


def _refused(reason: str, expected: str, found: object, where: str) -> DecodeError:
    return DecodeError(reason, f"expected {expected}, found {shown(found)}", path=where, source=_SOURCE)
