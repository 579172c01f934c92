"""What the figures should be: the table of targets, and whether a row meets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.row import Row


@dataclass(frozen=True)
class Target:
    """One limit of one figure of some rows.

    Args:
        what: for people.
        rows: how the names of the rows begin that it is for.
        figure: key in ``Row.figures``.
        limit: the least that the figure should be.
        at_most: the limit is the most instead.
    """

    what: str
    rows: str
    figure: str
    limit: float
    at_most: bool = False

    def concerns(self, row: Row) -> bool:
        """Whether the row has such a figure."""
        return row.name.startswith(self.rows) and self.figure in row.figures

    def met_by(self, row: Row) -> bool:
        """Whether the row is as good as it should be."""
        found = row.figures[self.figure]
        return found <= self.limit if self.at_most else found >= self.limit

    @property
    def bound(self) -> str:
        """The limit for people."""
        return f"{'<=' if self.at_most else '>='} {self.limit:g} {self.figure}"


TARGETS = (
    Target("streaming, scaled floats read", "floats: ", "x smllib", 50),
    Target("streaming, scaled floats read", "floats: ", "x pysml", 300),
    Target("streaming, every entry object built", "entries: ", "x smllib", 25),
    Target("streaming, 512-octet chunks", "floats, chunks of 512: ", "x smllib", 30),
    Target("streaming, layouts disabled", "floats, no layouts: ", "x smllib", 5),
    Target("streaming, without fastcrc", "floats, crcmod: ", "x fastcrc", 0.6),
    Target("learned layouts, nothing repeats", "layouts: ", "x time without layouts", 1.3, at_most=True),
    Target("learned layouts kept", "layouts: ", "layouts kept", 256, at_most=True),
    Target("encode push telegrams through layouts", "encode telegrams", "x streaming decode", 0.5),
    Target("archive of one meter, wide", "archive wide, one meter", "x smllib", 600),
    Target("archive of one meter, wide", "archive wide, one meter", "x streaming", 10),
    Target("archive of one meter, long", "archive long, one meter", "x smllib", 150),
    Target("archive, 20 models, 1 % damaged", "archive wide, 20 models", "x smllib", 150),
    Target("archive, 20 models, 1 % damaged", "archive long, 20 models", "x smllib", 150),
    Target("peak memory, streaming", "memory: streaming", "MB", 20, at_most=True),
    Target("peak memory, archive", "memory: archive", "MB", 300, at_most=True),
    Target("transport, octet by octet", "transport, chunks of 1: ", "x time of 4096", 60, at_most=True),
    Target("HDLC, a full line of 921,600 baud", "hdlc, ", "% of a core at 921,600 baud", 5, at_most=True),
    Target("1,000 meters in real time", "meters in real time: 1,000", "% of a core", 25, at_most=True),
    Target("1,000 meters in real time", "meters in real time: 1,000", "ms late", 100, at_most=True),
    Target("a reader at 9,600 baud", "reader at 9,600 baud", "% of a core", 1, at_most=True),
    Target("1,000 meters read in real time", "meters read in real time: 1,000", "% of a core", 25, at_most=True),
    Target("LMN, 32 meters once per second, gateway", "lmn, 32 meters", "% of a core", 25, at_most=True),
    Target("import", "import", "ms", 50, at_most=True),
)


def verdict(row: Row) -> str:
    """What a row should be and whether it is."""
    concerned = [target for target in TARGETS if target.concerns(row)]
    return ", ".join(f"{target.bound} {_word(met=target.met_by(row))}" for target in concerned)


def summary(rows: Sequence[Row], *, everything: bool) -> list[list[str]]:
    """A line for each target: what, limit, the worst and the best figure found, whether it is met.

    Targets that no row is about are named only if everything was to be measured.
    """
    lines = [["target", "limit", "worst", "best", "rows", ""]]
    for target in TARGETS:
        concerned = [row for row in rows if target.concerns(row)]
        if not concerned and not everything:
            continue
        if not concerned:
            lines.append([target.what, target.bound, "-", "-", "0", "not measured"])
            continue
        found = sorted((row.figures[target.figure] for row in concerned), reverse=target.at_most)
        met = sum(map(target.met_by, concerned))
        word = _word(met=met == len(concerned))
        if 0 < met < len(concerned):
            word = f"{word}, met by {met} of {len(concerned)}"
        lines.append([target.what, target.bound, _short(found[0]), _short(found[-1]), str(len(concerned)), word])
    return lines


def _word(*, met: bool) -> str:
    return "met" if met else "missed"


def _short(number: float) -> str:
    return f"{number:.3g}" if number < 100 else f"{number:,.0f}"  # noqa: PLR2004 - three digits
