"""``python -m benchmarks``: run every row and print the table."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import benchmarks
import e320proto
from benchmarks.peers import PEERS
from benchmarks.rows import FULL, QUICK, Row, all_rows
from e320proto import crc

if TYPE_CHECKING:
    from collections.abc import Sequence

PEER_NAMES = [peer.name for peer in PEERS]
HEADINGS = ["row", "unit", "units/s", "MB/s", "peak KiB", *(f"x {name}" for name in PEER_NAMES), "note"]


def machine() -> dict[str, str]:
    """What a figure needs beside it to mean anything."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": f"{os.cpu_count()} x {model}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "e320proto": e320proto.__version__,
        "checksums": crc.IMPLEMENTATION,
    }


def cells(row: Row) -> list[str]:
    """A row as text, in the order of ``HEADINGS``."""
    return [
        row.name,
        row.unit,
        f"{row.units_per_s:,.0f}",
        "-" if row.octets_per_s is None else f"{row.octets_per_s / 1e6:.3f}",
        "-" if row.peak_octets is None else f"{row.peak_octets / 1024:,.0f}",
        *(f"{row.ratios[name]:.1f}" if name in row.ratios else "-" for name in PEER_NAMES),
        row.note,
    ]


def table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells in columns; all but the first two and the last are numbers."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numbers = range(2, len(widths) - 1)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=benchmarks.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="everything once, small: shows that it works, not how fast"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    arguments = parser.parse_args()
    rows = list(all_rows(QUICK if arguments.quick else FULL))
    if arguments.json:
        print(json.dumps({**machine(), "rows": [dataclasses.asdict(row) for row in rows]}, indent=1))
        return
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(table([HEADINGS, *map(cells, rows)]))


if __name__ == "__main__":
    main()
