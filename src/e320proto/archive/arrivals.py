"""One more column for tables made of a recording: when the octets of a row arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

ARRIVED: Final = pa.field(
    "arrived",
    pa.timestamp("ms", tz="UTC"),
    metadata={"description": "when the first octet arrived, as the host said; null if not known", "unit": "ms"},
)


class Arrivals:
    """Says when octets of a stream arrived.

    Args:
        times: offsets of octets that go up, each with a Unix time in ms; what is behind an octet came with it.

    >>> batch = pa.record_batch({"offset": pa.array([0, 5, 9], pa.uint64())})
    >>> Arrivals([(5, 1000), (7, 2000)]).added(batch).column("arrived").cast(pa.int64()).to_pylist()
    [None, 1000, 2000]
    """

    def __init__(self, times: Iterable[tuple[int, int]]) -> None:
        pairs = np.fromiter(times, np.dtype((np.int64, 2)))
        self._offsets, self._times = pairs[:, 0], pairs[:, 1]

    def added(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same rows with a column more."""
        offsets = batch.column("offset").to_numpy(zero_copy_only=False).astype(np.int64)
        lines = np.searchsorted(self._offsets, offsets, side="right") - 1
        known = lines >= 0
        times = np.zeros(len(offsets), np.int64)
        times[known] = self._times[lines[known]]
        return batch.append_column(ARRIVED, pa.array(times, mask=~known).cast(ARRIVED.type))
