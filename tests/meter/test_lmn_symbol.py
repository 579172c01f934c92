"""The LMN symbol follows the bus."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from e320proto.meter.config import E320Config
from e320proto.meter.display import LmnState
from e320proto.meter.lmn_symbol import LmnSymbol

HOLD_MS = 10_000
MOMENTS = st.lists(st.tuples(st.integers(0, 15_000), st.sampled_from(["frame", "ours", "tls on", "tls off", "look"])))


def symbol() -> LmnSymbol:
    return LmnSymbol(E320Config(pin="0000"))


def test_more_frames_do_not_begin_a_state_again() -> None:
    heard = symbol()
    for at in (1_000, 5_000, 12_000):
        heard.frame(at, ours=False)
    assert heard.at(20_000) == (LmnState.LAYER2, 1_000)
    heard.frame(30_000, ours=False)
    assert heard.at(30_500) == (LmnState.LAYER2, 30_000)


def test_tls_goes_over_everything_and_leaves_what_is_held() -> None:
    heard = symbol()
    heard.frame(0, ours=True)
    heard.tls(1_000, established=True)
    heard.frame(2_000, ours=True)
    assert heard.at(50_000) == (LmnState.TLS, 1_000)
    heard.frame(55_000, ours=True)
    heard.tls(60_000, established=False)
    assert heard.at(61_000) == (LmnState.HDLC, 60_000)
    assert heard.at(65_000) == (LmnState.OFF, 65_000)


def test_foreign_frames_stay_when_the_connection_is_quiet() -> None:
    heard = symbol()
    heard.frame(0, ours=True)
    for at in range(1_000, 30_000, 1_000):
        heard.frame(at, ours=False)
    assert heard.at(29_500) == (LmnState.LAYER2, 10_000)


@given(MOMENTS)
def test_state_and_entry_as_looked_at_every_millisecond_would_find_them(moments: list[tuple[int, str]]) -> None:
    heard, now = symbol(), 0
    frame = ours = -HOLD_MS
    tls = False
    state, entered = LmnState.OFF, 0

    def plain(at: int) -> LmnState:
        if tls:
            return LmnState.TLS
        if at - ours < HOLD_MS:
            return LmnState.HDLC
        return LmnState.LAYER2 if at - frame < HOLD_MS else LmnState.OFF

    for pause, what in moments:
        for boundary in sorted({frame + HOLD_MS, ours + HOLD_MS, now + pause}):
            if now < boundary <= now + pause and plain(boundary) is not state:
                state, entered = plain(boundary), boundary
        now += pause
        match what:
            case "frame" | "ours":
                heard.frame(now, ours=what == "ours")
                frame = now
                ours = now if what == "ours" else ours
            case "tls on" | "tls off":
                tls = what == "tls on"
                heard.tls(now, established=tls)
            case _:
                pass
        if plain(now) is not state:
            state, entered = plain(now), now
        assert heard.at(now) == (state, entered)
