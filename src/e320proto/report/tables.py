"""Tables of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from e320proto.report.markup import Markup, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from e320proto.report.markup import Child

FOLDED: Final = 12
"""Tables with more rows are folded."""


class Faint(tuple["Child", ...]):
    """The cells of a row that is shown in a quiet colour."""

    __slots__ = ()


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Child]]) -> Markup:
    """Make a table.

    Args:
        caption: what it shows; an empty one is left out.
        columns: headings; one that begins with ``>`` is of numbers, with ``=`` of times, which are not broken.
        rows: cells; the first one of each names its row.

    >>> table("", ["A", ">B"], [("x", 1)])[:67]
    '<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">'
    """
    kinds = [{">": "n", "=": "t"}.get(column[:1]) for column in columns]
    head = joined(
        *(
            element("th", column.lstrip(">="), scope="col", class_=kind)
            for column, kind in zip(columns, kinds, strict=True)
        )
    )
    body = joined(*(_row(row, kinds) for row in rows))
    shown = element("caption", caption) if caption else None
    inner = element("table", shown, element("thead", element("tr", head)), element("tbody", body))
    return element("div", inner, class_="scroll", tabindex=0)


def _row(row: Sequence[Child], kinds: Sequence[str | None]) -> Markup:
    cells = [
        element("td" if place else "th", cell, class_=kind, scope=None if place else "row")
        for place, (cell, kind) in enumerate(zip(row, kinds, strict=True))
    ]
    return element("tr", *cells, class_="partly" if isinstance(row, Faint) else None)


def folded(summary: Child, *content: Child, rows: int) -> Markup:
    """Content that is open if it is short.

    Args:
        summary: what stays to be seen.
        content: what is folded.
        rows: of it.
    """
    return element("details", element("summary", summary), *content, open="" if rows <= FOLDED else None)


def facts(pairs: Iterable[tuple[str, Child]], class_: str = "facts") -> Markup:
    """Names with their values."""
    items = (element("div", element("dt", name), element("dd", value)) for name, value in pairs)
    return element("dl", *items, class_=class_)
