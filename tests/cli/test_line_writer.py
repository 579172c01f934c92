"""Lines into real pipes: slow readers, none, and ones that go away."""

from __future__ import annotations

import os
import threading
import time

import pytest

from e320proto.cli.line_writer import LineWriter

PATIENCE_S = 20.0


def until(condition: object) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.002)


def test_lines_arrive_in_order_and_all_of_them_at_the_end() -> None:
    source, sink = os.pipe()
    writer = LineWriter(sink, lambda error: pytest.fail(str(error)))
    for number in range(500):
        assert writer.write(str(number))
    writer.close()
    os.close(sink)
    with open(source, encoding="utf-8") as lines:  # noqa: PTH123 - a descriptor
        assert lines.read() == "".join(f"{number}\n" for number in range(500))


def test_a_reader_that_does_not_read_holds_up_nobody_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e320proto.cli.line_writer._CLOSING_S", 0.1)
    source, sink = os.pipe()
    writer = LineWriter(sink, lambda _: None, limit=10)
    written = [writer.write("x" * 100_000)]  # more than a pipe takes
    until(writer._lines.empty)
    written += [writer.write(str(number)) for number in range(15)]
    assert written == [True] * 11 + [False] * 5
    assert writer.dropped == 5
    writer.close()
    os.close(source)
    until(lambda: not writer._thread.is_alive())
    os.close(sink)


def test_a_reader_that_goes_away_is_told_once() -> None:
    source, sink = os.pipe()
    told: list[OSError] = []
    writer = LineWriter(sink, told.append)
    os.close(source)
    writer.write("one")
    writer.write("two")
    until(lambda: told)
    writer.close()
    os.close(sink)
    assert [type(error) for error in told] == [BrokenPipeError]
    assert "writes lines" not in {thread.name for thread in threading.enumerate()}
