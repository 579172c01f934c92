"""The frame of a plot: an axis of time, an axis of values, gaps and breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.report.axes import time_ticks
from e320proto.report.markup import Markup, element, joined
from e320proto.report.times import duration_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e320proto.report.axes import Scale
    from e320proto.report.intervals import Interval
    from e320proto.report.timeline import Stretch

_LABEL_PX: Final = 6.3  # width of a character, about
_BREAKS: Final = 40
_SEEN: Final = 0.5
_LONG: Final = 10


class Size(NamedTuple):
    """A size of plots: ``name`` is the class that shows it on screens of its width."""

    name: str
    width: int
    height: int
    left: int


SIZES: Final = (Size("wide", 1000, 270, 46), Size("narrow", 380, 240, 40))
"""Plots are drawn twice, because text in a picture shrinks with it."""

_BOTTOM: Final = 24
_TOP: Final = 18


class Canvas:
    """Places on a plot.

    Args:
        size: of the picture.
        begin_ms: of the axis of time.
        end_ms: of the axis of time.
        scale: axis of values.
    """

    def __init__(self, size: Size, begin_ms: int, end_ms: int, scale: Scale) -> None:
        self.size = size
        self.begin_ms, self.end_ms = begin_ms, max(end_ms, begin_ms + 1)
        self.scale = scale
        self.right = size.width - 4
        self.bottom = size.height - _BOTTOM
        self._per_ms = (self.right - size.left) / (self.end_ms - self.begin_ms)
        self._per_unit = (self.bottom - _TOP) / (scale.high - scale.low)

    def x(self, x_ms: float) -> float:
        """Where a place of the axis is; one outside of it is at its end."""
        return round(self.size.left + (min(max(x_ms, self.begin_ms), self.end_ms) - self.begin_ms) * self._per_ms, 1)

    def y(self, value: float) -> float:
        """Where a value is."""
        return round(self.bottom - (value - self.scale.low) * self._per_unit, 1)

    def gaps(self, gaps: Iterable[Interval], usual_ms: float) -> Markup:
        """Shade gaps; of those narrower than half a pixel the long ones, a hair wide.

        Args:
            gaps: to shade.
            usual_ms: usual interval between telegrams.
        """
        return joined(
            *(
                element(
                    "rect",
                    element("title", f"gap of {duration_text(gap.length_ms)} from {time_text(gap.clock, gap.t_ms)}"),
                    class_="gap",
                    x=self.x(gap.x_ms),
                    y=_TOP,
                    width=max(0.6, round(self.x(gap.x_ms + gap.length_ms) - self.x(gap.x_ms), 1)),
                    height=self.bottom - _TOP,
                )
                for gap in gaps
                if gap.length_ms * self._per_ms >= _SEEN or gap.length_ms >= _LONG * usual_ms
            )
        )

    def frame(self, stretches: list[Stretch]) -> Markup:
        """Both axes, and where the clock broke."""
        return joined(*self._values(), *self._times(stretches), *self._breaks(stretches))

    def _values(self) -> Iterator[Markup]:
        for value, label in self.scale.lines():
            y = self.y(value)
            yield element(
                "path",
                class_="grid" if abs(value) > self.scale.step / 2 else "zero",
                d=f"M{self.size.left} {y}H{self.right}",
            )
            yield element("text", label, x=self.size.left - 5, y=round(y + 3.5, 1), text_anchor="end")
        yield element("text", self.scale.unit, x=self.size.left - 5, y=10, text_anchor="end")

    def _times(self, stretches: list[Stretch]) -> Iterator[Markup]:
        most = (self.right - self.size.left) // 76
        free = 0.0
        for tick in time_ticks(stretches, self.end_ms - self.begin_ms, most):
            if not self.begin_ms <= tick.x_ms <= self.end_ms:
                continue
            x, half = self.x(tick.x_ms), len(tick.label) * _LABEL_PX / 2
            yield element("path", class_="grid", d=f"M{x} {self.bottom}v4")
            at = min(x, round(self.size.width - half, 1))  # nothing is printed over the edge of the paper
            if at - half >= free:
                yield element("text", tick.label, x=at, y=self.size.height - 8, text_anchor="middle")
                free = at + half + _LABEL_PX

    def _breaks(self, stretches: list[Stretch]) -> Iterator[Markup]:
        for stretch in stretches[1 : _BREAKS + 1]:
            words = f"{stretch.why.value}; {time_text(stretch.clock, stretch.t_ms)}"
            yield element(
                "path", element("title", words), class_="break", d=f"M{self.x(stretch.x_ms)} {_TOP}V{self.bottom}"
            )


def picture(canvas: Canvas, title: str, description: str, *parts: Markup) -> Markup:
    """Put a plot together."""
    size = canvas.size
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *parts,
        viewBox=f"0 0 {size.width} {size.height}",
        class_=size.name,
        role="img",
        xmlns="http://www.w3.org/2000/svg",
        aria_label=f"{title}. {description}",
    )
