"""The meters of one batch: server ids to indices of a dictionary."""

from __future__ import annotations

import pyarrow as pa


class Meters:
    r"""Gives server ids an index each.

    >>> meters = Meters()
    >>> meters.index(b"\x0a\x01"), meters.index(None), meters.index(b"\x0a\x01"), meters.array().to_pylist()
    (0, -1, 0, ['0a01'])
    """

    def __init__(self) -> None:
        self._index: dict[bytes, int] = {}

    def index(self, octets: bytes | None) -> int:
        """The index of a server id; -1 if there is none."""
        return -1 if octets is None else self._index.setdefault(octets, len(self._index))

    def array(self) -> pa.Array:
        """All ids in hex, by index."""
        return pa.array([octets.hex() for octets in self._index], pa.string())
