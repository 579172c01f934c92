"""Recordings: files of octets with the times of their arrival beside them, alone or in a folder."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from e320proto.sml.capture import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MS = 1000
_DIGITS = 15  # of a time that is one


def read_times(path: Path) -> Iterator[tuple[float | None, bytes]]:
    """Octets of a recording with the times of their arrival."""
    marks: list[tuple[int, float | None]] = [(0, None)]
    for line in path.with_suffix(".times").read_text(encoding="ascii", errors="replace").splitlines(keepends=True):
        parts = line.split()
        if line.endswith("\n") and len(parts) == 2 and all(part.isdecimal() and len(part) <= _DIGITS for part in parts):  # noqa: PLR2004
            marks.append((int(parts[0]), int(parts[1]) / _MS))
    with path.open("rb") as file:
        for (begin, at), (end, _) in pairwise([*marks, (path.stat().st_size, None)]):
            left = end - begin
            while left > 0 and (octets := file.read(min(BLOCK, left))):
                yield at, octets
                left -= len(octets)
