"""Files, or ranges of them, block by block.

::

    file     |------------|------------|--------
    block 1  [frame frame fra]
    block 2              [frame frame frame f]      what is not decoded yet moves to the front
    block 3                              [frame ...]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from e320proto.archive.arrays import as_octets
from e320proto.archive.octets import Octets, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.archive.passes import Pass
    from e320proto.archive.registers import PathLike

BLOCK: Final = 1 << 19
"""Octets read at once: few enough to stay in the cache of the processor between reading and decoding."""
NO_END: Final = 1 << 62


def decode_file(found: Pass, path: PathLike, source: int, begin: int = 0, stop: int = NO_END) -> Iterator[int]:
    """Decode a file, or the events that begin in a range of it.

    Args:
        found: takes the rows.
        path: of the file.
        source: number of the file in the table.
        begin: first octet; a decoder has made events of all before it.
        stop: events are wanted up to here; octets behind it are read if one goes beyond.

    Yields:
        Octets done since the last time. When all is done, the sum is where the last event ended, minus ``begin``.
    """
    found.begin()
    buffer = bytearray(BLOCK)
    base, filled, place, final = begin, 0, Place(), False
    with Path(path).open("rb", buffering=0) as file:
        file.seek(begin)
        while not final:
            if filled > len(buffer) // 2:
                buffer = buffer[:filled] + bytearray(len(buffer))
            read = file.readinto(memoryview(buffer)[filled:])
            final = not read
            filled += read
            wanted = max(0, min(filled, stop - base))
            found.run(_octets(buffer, filled, wanted, base, source, final=final), place)
            done = place.position
            yield done
            if base + done >= stop:
                return
            buffer[: filled - done] = buffer[done:filled]
            base, filled, place.position = base + done, filled - done, 0


def _octets(buffer: bytearray, filled: int, wanted: int, base: int, source: int, *, final: bool) -> Octets:
    start, stop, end = (np.array([at], np.int64) for at in (0, wanted, filled))
    return Octets(as_octets(buffer), start, stop, end, base, source, final)
