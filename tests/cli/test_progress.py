"""The progress bar, on a console that says it is a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from e320proto.cli import progress
from e320proto.cli.progress import LARGE, Bar


class Clock:
    """Time as the test wants it."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def make(total: int | None, *, terminal: bool = True) -> tuple[Bar, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, color_system=None)
    return Bar(console, total), out


def test_bar_goes_before_output_and_comes_back_after_a_quiet_while(clock: Clock) -> None:
    bar, out = make(LARGE)
    with bar:
        bar.advance(LARGE // 2)
        assert "50 %" in out.getvalue()
        drawn = len(out.getvalue())
        clock.now = 0.05
        bar.advance(1000)
        assert len(out.getvalue()) == drawn  # not that often
        bar.hide()
        hidden = len(out.getvalue())
        assert hidden > drawn
        clock.now = 0.3
        bar.advance(1000)
        bar.hide()
        assert len(out.getvalue()) == hidden  # not that soon after output
        clock.now = 1.0
        bar.advance(1000)
        assert len(out.getvalue()) > hidden
        drawn = len(out.getvalue())
        clock.now = 1.2
        bar.advance(1000)
        assert len(out.getvalue()) > drawn
    assert out.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize(("total", "terminal"), [(LARGE - 1, True), (None, True), (LARGE, False)])
def test_no_bar(clock: Clock, total: int | None, *, terminal: bool) -> None:
    bar, out = make(total, terminal=terminal)
    with bar:
        clock.now = 10.0
        bar.advance(LARGE)
    assert out.getvalue() == ""
