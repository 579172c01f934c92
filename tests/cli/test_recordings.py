"""Octets of a recording with the times of their arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e320proto.cli.recordings import read_times

if TYPE_CHECKING:
    from pathlib import Path

OCTETS = bytes(range(100))


@pytest.mark.parametrize(
    ("lines", "pieces"),
    [
        ("0 1000\n40 2500\n", [(1.0, OCTETS[:40]), (2.5, OCTETS[40:])]),
        ("", [(None, OCTETS)]),
        ("10 1000\n", [(None, OCTETS[:10]), (1.0, OCTETS[10:])]),
        ("0 1000\n40 25", [(1.0, OCTETS)]),  # the last line is not complete
        ("0 1000\nx y\n40\n1 2 3\n-1 5\n50 2000\n", [(1.0, OCTETS[:50]), (2.0, OCTETS[50:])]),
        ("0 1000\n300 2000\n", [(1.0, OCTETS)]),  # octets that were not kept
        (f"0 1000\n50 {'9' * 400}\n", [(1.0, OCTETS)]),
    ],
)
def test_pieces(tmp_path: Path, lines: str, pieces: list[tuple[float | None, bytes]]) -> None:
    path = tmp_path / "20261120T120000Z.bin"
    path.write_bytes(OCTETS)
    path.with_suffix(".times").write_text(lines, encoding="ascii")
    assert list(read_times(path)) == pieces
