r"""The meters of one batch: server ids to indices of a dictionary.

Ids of up to 16 octets, which all real ones are, are in a hash table that the kernel uses too. Each batch
has a dictionary of its own, so it stays small however many meters there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from e320proto.archive.arrays import as_octets
from e320proto.archive.kernel import find_meter

if TYPE_CHECKING:
    from e320proto.archive.arrays import Column

_ID_OCTETS: Final = 16
_DIGITS: Final = np.frombuffer(b"".join(b"%02x" % octet for octet in range(256)), np.uint8).reshape(256, 2)


class MeterArrays(NamedTuple):
    """The hash table: ``slots`` hold indices of ``ids``, -1 if free; ``shift`` makes a slot of a hash."""

    slots: Column
    ids: Column
    lengths: Column
    used: Column
    shift: Column


class Meters:
    r"""Gives server ids an index each.

    Args:
        most: how many there may be.

    >>> meters = Meters(8)
    >>> meters.index(b"\x0a\x01"), meters.index(None), meters.index(b"\x0a\x01"), meters.array().to_pylist()
    (0, -1, 0, ['0a01'])
    """

    def __init__(self, most: int) -> None:
        bits = (2 * most).bit_length()
        self.arrays = MeterArrays(
            slots=np.full(1 << bits, -1, np.int32),
            ids=np.empty((most, _ID_OCTETS), np.uint8),
            lengths=np.empty(most, np.int32),
            used=np.zeros(1, np.int64),
            shift=np.array([64 - bits], np.uint64),
        )
        self._long: dict[bytes, int] = {}

    def index(self, octets: bytes | None) -> int:
        """The index of a server id; -1 if there is none."""
        if octets is None:
            return -1
        if len(octets) <= _ID_OCTETS:
            return int(find_meter(as_octets(octets), 0, len(octets), self.arrays))
        found = self._long.get(octets)
        if found is None:
            found = self._long[octets] = int(self.arrays.used[0])
            self.arrays.used[0] += 1
        return found

    def array(self) -> pa.Array:
        """All ids in hex, by index."""
        count = int(self.arrays.used[0])
        if self._long:
            return self._plain(count)
        lengths = 2 * self.arrays.lengths[:count]
        longest = int(lengths.max(initial=0))
        digits = _DIGITS[self.arrays.ids[:count, : longest // 2]].reshape(count, longest)
        data = digits if (lengths == longest).all() else digits[np.arange(longest) < lengths[:, None]]
        ends = np.zeros(count + 1, np.int32)
        np.cumsum(lengths, out=ends[1:])
        return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(ends), pa.py_buffer(data)])

    def _plain(self, count: int) -> pa.Array:
        ids, lengths = self.arrays.ids, self.arrays.lengths
        texts = [ids[at, : lengths[at]].tobytes().hex() for at in range(count)]
        for octets, at in self._long.items():
            texts[at] = octets.hex()
        return pa.array(texts, pa.string())
