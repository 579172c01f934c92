"""Whatever happens on a line, in whatever order: it is diagnosed, in well-formed sentences."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from e320proto import BytesDiscarded, DecodeError, Malformed, TransportError
from e320proto.live import Finding, diagnose
from e320proto.live.findings import KINDS
from tests.live.lines import D0, P1, PAGE, Line, flipped, pushes

if TYPE_CHECKING:
    from collections.abc import Callable

EXTENDED = pushes(4)
REDUCED = pushes(2, extended=False)
OCTETS = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([*EXTENDED, *REDUCED, D0, P1, PAGE, bytes(200), b"\xff" * 100, EXTENDED[0].hex().encode()]),
    st.builds(flipped, st.sampled_from(EXTENDED), st.integers(0, 275)),
)
ACTS: dict[str, Callable[[Line, bytes], object]] = {
    "hear": lambda line, octets: line.hear(octets),
    "send": lambda line, octets: line.watch.sent(octets, line.now),
    "open": lambda line, _: line.open(),
    "lose": lambda line, octets: line.lose(octets.decode("latin-1")),
    "end": lambda line, _: line.end(),
    "refuse": lambda line, octets: line.watch.refused(TransportError(octets.decode("latin-1") + "{x}"), line.now),
    "hold": lambda line, _: line.watch.held(line.now),
    "let go": lambda line, _: line.watch.let_go(line.now),
    "drop": lambda line, octets: line.watch.dropped(len(octets)),
    "noise": lambda line, octets: line.watch.trouble(BytesDiscarded(0, octets), line.now),
    "message": lambda line, octets: line.watch.trouble(
        Malformed(0, DecodeError("new\nword {0}", "none"), octets, kind="message"), line.now
    ),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), OCTETS, st.floats(0, 200)), max_size=30))
def test_whatever_happens(happenings: list[tuple[str, bytes, float]]) -> None:
    line = Line()
    for act, octets, pause_s in happenings:
        ACTS[act](line, octets)
        line.now += pause_s
        line.seen += diagnose(line.stats)
        words = line.words
        assert len(words) == len(set(words))
        stats = line.stats
        assert min(stats.silent_s, stats.recent_s, stats.age_s, stats.telegram_s or 0, stats.open_s or 0) >= 0
    for finding in line.seen:
        assert isinstance(finding, Finding)
        assert finding.severity is KINDS[finding.word].severity
        assert finding.text.strip()
        assert len(finding.text.splitlines()) == 1


def test_no_octets_raise() -> None:
    source = Random(7)  # noqa: S311 - no secret
    line = Line()
    for _ in range(200):
        line.hear(source.randbytes(source.randrange(300)))
        line.wait(0.3)
    assert "garbage" in line.seen_words
