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
from benchmarks import libsml
from benchmarks.peers import PEERS, installed
from benchmarks.row import FULL, QUICK
from benchmarks.rows import measured
from benchmarks.streaming import LIBSML
from benchmarks.targets import summary, verdict
from e320proto import crc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.row import Row

PEER_FIGURES = [*(f"x {peer.name}" for peer in PEERS), f"x {LIBSML}"]
HEADINGS = ["row", "unit", "units/s", "MB/s", "peak KiB", *PEER_FIGURES, "targets", "note"]
_FIRST_SMALL = 10
"""Ratios below show two digits behind the point."""


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
        "peers": " ".join([*dict.fromkeys(peer.module for peer in installed()), *["libsml"] * bool(libsml.load())])
        or "none",
    }


def cells(row: Row) -> list[str]:
    """A row as text, in the order of ``HEADINGS``."""
    others = [f"{number:.3g} {name}" for name, number in row.figures.items() if name not in PEER_FIGURES]
    return [
        row.name,
        row.unit,
        "-" if row.units_per_s is None else f"{row.units_per_s:,.0f}",
        "-" if row.octets_per_s is None else f"{row.octets_per_s / 1e6:.1f}",
        "-" if row.peak_octets is None else f"{row.peak_octets / 1024:,.0f}",
        *(_ratio(row.figures.get(name)) for name in PEER_FIGURES),
        verdict(row) or "-",
        "; ".join(filter(None, [*others, row.note])),
    ]


def _ratio(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:.2f}" if number < _FIRST_SMALL else f"{number:,.1f}"


def table(lines: Sequence[Sequence[str]], numbers: range) -> str:
    """Lines of cells in columns, some of them numbers."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
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
    parser.add_argument("--only", metavar="TEXT", default="", help="only rows whose name contains TEXT")
    arguments = parser.parse_args()
    rows = list(measured(QUICK if arguments.quick else FULL, arguments.only))
    if arguments.json:
        found = [{**dataclasses.asdict(row), "targets": verdict(row)} for row in rows]
        print(json.dumps({**machine(), "rows": found}, indent=1))
        return
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(table([HEADINGS, *map(cells, rows)], range(2, len(HEADINGS) - 2)))
    print("\nA small run says nothing about targets:" if arguments.quick else "")
    print(table(summary(rows, everything=not arguments.only), range(2, 5)))


if __name__ == "__main__":
    main()
