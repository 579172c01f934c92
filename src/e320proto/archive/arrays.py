"""NumPy columns as Arrow arrays, without copying.

Columns are preallocated; a batch takes the filled part of each. Which values are null is noted with
one octet for each row while a batch is filled, and packed to bits at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt

Column: TypeAlias = "npt.NDArray[Any]"


def as_octets(buffer: Any) -> Column:  # noqa: ANN401 - anything that has octets
    """Octets as an array that cannot be written: the kernel is compiled for one type."""
    octets = np.frombuffer(buffer, np.uint8) if len(buffer) else np.zeros(0, np.uint8)
    octets.setflags(write=False)
    return octets


def validity(present: Column | None) -> pa.Buffer | None:
    r"""The bits of Arrow for one octet a row; ``None`` if nothing is null.

    >>> validity(np.array([True, False, True])).to_pybytes(), validity(np.array([True]))
    (b'\x05', None)
    """
    if present is None or present.all():
        return None
    return pa.py_buffer(np.packbits(present, bitorder="little"))


def fixed(kind: pa.DataType, values: Column, present: Column | None = None) -> pa.Array:
    """Values of a fixed width; decimals are two words each.

    >>> fixed(pa.uint8(), np.array([1, 0], np.uint8), np.array([True, False])).to_pylist()
    [1, None]
    """
    return pa.Array.from_buffers(kind, len(values), [validity(present), pa.py_buffer(values)])


def words(values: Column, dictionary: pa.Array) -> pa.DictionaryArray:
    """Values out of a dictionary, by their index; -1 is null.

    >>> words(np.array([0, -1], np.int32), pa.array(["Wh"])).to_pylist()
    ['Wh', None]
    """
    present = values >= 0
    np.maximum(values, 0, out=values)
    return pa.DictionaryArray.from_arrays(fixed(pa.int32(), values, present), dictionary)


def pieces(offsets: Column, data: Column, present: Column) -> pa.Array:
    """Octet strings; ``offsets`` has one item more than there are rows."""
    return pa.Array.from_buffers(
        pa.binary(), len(present), [validity(present), pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def texts(values: dict[int, str], rows: int) -> pa.Array:
    """A column of text that is null but for a few rows."""
    return pa.array([values.get(row) for row in range(rows)], pa.string()) if values else pa.nulls(rows, pa.string())


def decimals(values: dict[int, tuple[int, int]], rows: int, kind: pa.DataType) -> pa.Array:
    """A column of decimals that is null but for a few rows."""
    if not values:
        return pa.nulls(rows, kind)
    filled, present = np.zeros((rows, 2), np.int64), np.zeros(rows, np.bool_)
    for row, pair in values.items():
        filled[row], present[row] = pair, True
    return fixed(kind, filled, present)
