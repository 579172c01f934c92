"""What is counted on a line, and for how long it is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import BytesDiscarded, DecodeError, Malformed, TransportError
from e320proto.live import Counts, LineState, LineWatch
from e320proto.live.line import LOSSES, MARK_S, MARKS, METERS, OTHER, REASONS, SAMPLE
from tests.live.lines import Line, pushes

EXTENDED = pushes(90)
REDUCED = pushes(20, extended=False)
OTHERS = [pushes(4, number=number) for number in range(12_345_679, 12_345_685)]


def test_counts() -> None:
    line = Line()
    broken = bytearray(EXTENDED[2])
    broken[100] ^= 1
    line.hear_each([b"noise" + EXTENDED[0], EXTENDED[1], bytes(broken), EXTENDED[3][:100] + EXTENDED[4]])
    total = line.stats.total
    assert total.octets == 5 + 4 * 276 + 100
    assert (total.telegrams, total.discarded) == (3, 5)
    assert total.damaged == {"bad_crc": 1, "truncated": 1}
    assert total.short == 1  # the one with a flipped bit is as long as it should be
    assert line.stats.recent == total


def test_recent_counts_are_of_the_last_minute() -> None:
    line = Line()
    line.hear_each([EXTENDED[0][:50], *EXTENDED[1:30]])
    assert line.stats.recent.damaged == {"truncated": 1}
    line.hear_each(EXTENDED[30:90])
    stats = line.stats
    assert stats.total.damaged == {"truncated": 1}
    assert stats.recent.damaged == {}
    assert (MARKS - 1) * MARK_S <= stats.recent_s <= MARKS * MARK_S
    assert stats.recent.telegrams == pytest.approx(stats.recent_s, abs=1)
    assert stats.rate == pytest.approx(1.0, abs=0.05)
    assert stats.interval_s == pytest.approx(1.0)
    assert stats.jitter_s == pytest.approx(0.0, abs=1e-6)


def test_a_long_pause_empties_the_recent_counts() -> None:
    watch = LineWatch(1000.0)
    watch.opened(1000.0)
    watch.octets(b"12345", 1001.0)
    stats = watch.stats(1000.0 + 86_400)
    assert (stats.total.octets, stats.recent.octets, stats.age_s) == (5, 0, 86_400)
    assert stats.recent_s <= MARKS * MARK_S
    watch.octets(b"123", 1000.0 + 86_401)
    assert watch.stats(1000.0 + 86_402).recent.octets == 3


@given(st.lists(st.tuples(st.floats(0, 200), st.integers(1, 9)), max_size=40))
def test_windows(arrivals: list[tuple[float, int]]) -> None:
    """Recent counts are exactly of the time that they say they are of."""
    watch, now = LineWatch(0.0), 0.0
    heard: list[tuple[float, int]] = []
    for pause, octets in arrivals:
        now += pause
        watch.octets(bytes(octets), now)
        heard.append((now, octets))
        stats = watch.stats(now)
        begin = now - stats.recent_s
        assert stats.total.octets == sum(count for _, count in heard)
        # What came at the very mark belongs to what follows it.
        assert stats.recent.octets == sum(count for at, count in heard if at >= begin - 1e-9)
        assert stats.recent_s <= MARKS * MARK_S


def test_silence_goes_on_when_the_line_is_opened_anew() -> None:
    line = Line()
    line.hear(b"noise")
    line.wait(60)
    line.lose("expected octets, found none")
    line.wait(5)
    assert line.stats.silent_s == pytest.approx(60)
    assert line.stats.open_s is None
    line.open()
    line.wait(1)
    assert line.stats.silent_s == pytest.approx(61)
    assert line.stats.open_s == pytest.approx(1)
    assert line.stats.losses_hour == 0  # it was given up, not lost
    line.hear(b"noise")
    line.wait(2)
    assert line.stats.silent_s == pytest.approx(2)


def test_time_without_the_line_is_no_silence() -> None:
    line = Line()
    line.hear(b"noise")
    line.lose()
    assert line.stats.state is LineState.LOST
    line.wait(30)
    line.watch.refused(TransportError("no such device"), line.now)
    line.wait(1)
    assert line.words == ["refused"]
    line.wait(3600)
    line.open()
    assert line.stats.is_open
    assert line.stats.silent_s == 0
    assert str(line.stats.error) == "no such device"
    total = line.stats.total
    assert (total.opens, total.losses, total.refusals) == (2, 1, 1)


def test_time_that_a_consumer_takes_is_no_silence() -> None:
    line = Line()
    line.hear_each(EXTENDED[:5])
    line.watch.held(line.now)
    line.wait(100)
    assert line.stats.held_s == pytest.approx(100)
    line.watch.let_go(line.now)
    assert line.stats.held_s is None
    assert line.stats.silent_s == pytest.approx(1)
    assert line.stats.telegram_s == pytest.approx(1)
    line.hear_each(EXTENDED[5:10])
    assert line.stats.interval_s == pytest.approx(1)


def test_losses_are_remembered_for_an_hour() -> None:
    line = Line()
    for _ in range(LOSSES + 5):
        line.lose()
        line.open()
        line.wait(1)
    assert line.stats.losses_hour == LOSSES
    line.wait(3590)
    assert line.stats.losses_hour < LOSSES
    line.wait(20)
    assert line.stats.losses_hour == 0
    assert line.stats.total.losses == LOSSES + 5


def test_a_line_at_its_end_stays_as_it_was() -> None:
    line = Line()
    line.hear_each(EXTENDED[:5])
    line.end()
    stats = line.stats
    line.wait(1000)
    assert line.stats == stats
    assert stats.state is LineState.ENDED


def test_what_the_meter_sends() -> None:
    line = Line()
    assert line.stats.reduced is None
    line.hear_each(REDUCED)
    assert line.stats.reduced is True
    assert line.stats.has_time
    line.hear_each(EXTENDED[:1])
    assert line.stats.reduced is False  # at once, because it is longer
    assert [meter[2:5] for meter in line.stats.meters] == [b"LGZ"]


def test_meters_are_few() -> None:
    line = Line()
    for frames in OTHERS:
        line.hear_each([*frames, REDUCED[0]])  # of another length, so that it is looked at
    assert len(line.stats.meters) == METERS
    assert line.stats.total.switched == 2 * len(OTHERS) - 1


def test_intervals_forget_a_gap() -> None:
    line = Line()
    line.hear_each(EXTENDED[:20])
    line.wait(50)
    line.hear_each(EXTENDED[20:21])
    assert line.stats.interval_s is not None
    assert line.stats.interval_s < 1.2
    line.hear_each(EXTENDED[21:60], every_s=10)
    assert line.stats.interval_s == pytest.approx(10, rel=0.1)


def test_octets_in_one_piece_have_no_interval() -> None:
    line = Line()
    line.hear(b"".join(EXTENDED[:9]), piece=10_000)
    assert line.stats.interval_s == 0
    line.now += 1
    line.hear_each(EXTENDED[9:40])
    assert line.stats.interval_s == pytest.approx(1.0, rel=0.05)


def test_echo() -> None:
    line = Line()
    line.watch.sent(b"/?!\r\n", line.now)
    line.hear(b"xx/?!", piece=2)
    assert line.stats.total.echoes == 0
    line.hear(b"\r\nyy", piece=2)
    assert line.stats.total.echoes == 1
    line.hear(b"/?!\r\n")
    assert line.stats.total.echoes == 1  # only what was sent comes back


def test_an_echo_comes_soon() -> None:
    line = Line()
    line.watch.sent(b"/?!\r\n", line.now)
    line.wait(6)
    line.hear(b"no")
    line.hear(b"/?!\r\n")
    assert line.stats.total.echoes == 0


def test_octets_that_wake_a_head_come_back_by_chance() -> None:
    line = Line()
    line.watch.sent(bytes(40), line.now)
    line.hear(bytes(100))
    assert line.stats.total.echoes == 0


def test_own_telegram_is_an_echo() -> None:
    line = Line()
    line.watch.sent(EXTENDED[0], line.now)
    line.hear(EXTENDED[0])
    assert line.stats.total.echoes == 1


def test_messages_and_frames_are_counted_apart() -> None:
    watch = LineWatch(0.0)
    error = DecodeError("truncated", "cut")
    watch.trouble(Malformed(0, error, b"1234", kind="message"), 0.0)
    watch.trouble(Malformed(0, error, b"1234"), 0.0)
    watch.trouble(BytesDiscarded(0, b"/LGZ5E320-AMxD\r\n"), 0.0)
    total = watch.stats(1.0).total
    assert (total.unreadable, total.damaged, total.short) == ({"truncated": 1}, {"truncated": 1}, 1)
    assert (total.hints, total.discarded) == ({"d0": 1}, 16)


def test_memory_does_not_grow() -> None:
    watch = LineWatch(0.0)
    for number in range(3 * REASONS):
        watch.trouble(Malformed(0, DecodeError(f"reason {number}", "none"), b""), number)
        watch.octets(bytes(SAMPLE), number)
        watch.sent(b"0123456789" * SAMPLE, number)
    total = watch.stats(100.0).total
    assert len(total.damaged) == REASONS + 1
    assert total.damaged[OTHER] == 2 * REASONS
    assert len(watch._sample) <= 2 * SAMPLE
    assert len(watch._awaited) + len(watch._came_back) < 8 * SAMPLE


def test_dropped_telegrams() -> None:
    watch = LineWatch(0.0)
    watch.dropped(3)
    watch.dropped(1)
    assert watch.stats(0.0).recent == Counts(dropped=4)
