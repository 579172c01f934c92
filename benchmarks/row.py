"""What a run consists of: its size, its rows, and the jobs that make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHUNK = 4_096
OURS = "e320proto"


@dataclass(frozen=True)
class Size:
    """How much a run does.

    Args:
        rounds: rounds of each row.
        telegrams: telegrams of a stream.
        slow_telegrams: the same for ways that do without layouts.
        distinct: telegrams with values of their own in a generated stream, which is then repeated.
        meters: meters of the stream of many meters.
        transport_octets: octets for the rows of the transport decoder.
        files: SML files for the rows of whole files.
        archive_telegrams: telegrams of an archive.
        archive_octets: size of the file for peak memory.
        running_meters: numbers of meters that run at once.
        running_s: how long they are watched, s.
        lmn_meters: numbers of meters on one bus.
        quick: which of the shares of the peers.
    """

    rounds: int
    telegrams: int
    slow_telegrams: int
    distinct: int
    meters: int
    transport_octets: int
    files: int
    archive_telegrams: int
    archive_octets: int
    running_meters: tuple[int, ...]
    running_s: float
    lmn_meters: tuple[int, ...]
    quick: bool


FULL = Size(
    rounds=5,
    telegrams=40_000,
    slow_telegrams=8_000,
    distinct=400,
    meters=10_000,
    transport_octets=1 << 20,
    files=200,
    archive_telegrams=1_000_000,
    archive_octets=400_000_000,
    running_meters=(1_000, 10_000),
    running_s=10.0,
    lmn_meters=(1, 32),
    quick=False,
)
QUICK = Size(
    rounds=2,
    telegrams=300,
    slow_telegrams=100,
    distinct=30,
    meters=100,
    transport_octets=1 << 16,
    files=10,
    archive_telegrams=2_000,
    archive_octets=2_000_000,
    running_meters=(20,),
    running_s=1.0,
    lmn_meters=(2,),
    quick=True,
)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: the job and what it is done on.
        unit: what is counted.
        units_per_s: rate of e320proto; ``None`` where nothing is counted.
        octets_per_s: the same in octets, where the job has any.
        peak_octets: what Python allocated at most, where it was measured.
        figures: everything a target may be about, by a name that says what is compared:
            ``x smllib`` is the rate divided by that of smllib.
        note: anything else.
    """

    name: str
    unit: str
    units_per_s: float | None = None
    octets_per_s: float | None = None
    peak_octets: int | None = None
    figures: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Job:
    """Measures some rows together, because they share contenders.

    Args:
        names: how the names of the rows begin, known before anything is measured.
        rows: measures them.
    """

    names: tuple[str, ...]
    rows: Callable[[], Iterable[Row]]

    def wanted(self, text: str) -> bool:
        """Whether a row of it has the text in its name."""
        return any(text in name for name in self.names)

    def measure(self, text: str) -> Iterator[Row]:
        """The rows with the text in their names."""
        return (row for row in self.rows() if text in row.name)


def chunked(octets: bytes, size: int = CHUNK) -> list[bytes]:
    """Octets in pieces, as a port would deliver them."""
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def ratios(ours: float, others: dict[str, float]) -> dict[str, float]:
    """How many times as fast as each of the others."""
    return {f"x {name}": ours / rate for name, rate in others.items() if rate}
