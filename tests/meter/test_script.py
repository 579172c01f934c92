"""Scripts: parsing and playing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError
from e320proto.meter.button import PressEvent
from e320proto.meter.config import E320Config
from e320proto.meter.events import MenuMoved, PowerFailed, PowerReturned, Pressed
from e320proto.meter.faults import Fault
from e320proto.meter.measurement import Inputs
from e320proto.meter.menu_table import Place
from e320proto.meter.model import Meter
from e320proto.meter.modes import NEGATIVE, POSITIVE, QUADRANTS, Mode
from e320proto.meter.script import Script, Step, run
from e320proto.status import FnnFlag

CONFIG = E320Config(pin="1234", mode=Mode.QUADRANTS)


def played(text: str, **parameters: object) -> Meter:
    meter = Meter(replace(CONFIG, **parameters), pushes=False)  # type: ignore[arg-type]  # of any field
    run(meter, Script.parse(text))
    return meter


def test_times_are_absolute_relative_or_those_of_the_line_before() -> None:
    script = Script.parse("""
        # the beginning
        end
        1.5 end     # absolute
        +2 end
        neutral off
        10 magnet on
    """)
    assert [step.at_s for step in script.steps] == [0.0, 1.5, 3.5, 3.5, 10.0]


def test_what_is_left_out_is_filled_in() -> None:
    assert Script.parse("flash 0.5\ncurrent L2 4\nerror lmn\nerror reset").steps == (
        Step(0.0, "flash", (0.5, 1000.0)),
        Step(0.0, "current", ("L2", 4.0, 0.0)),
        Step(0.0, "error", ("lmn", "on")),
        Step(0.0, "error", ("reset",)),
    )


@pytest.mark.parametrize(
    ("text", "reason", "message"),
    [
        ("10 lod 1 2 3", "unknown_order", r"expected one of load, .*, found 'lod' \(line 1, word 2\)"),
        ("\n\n10", "unknown_order", r"found the end of the line \(line 3, word 2\)"),
        ("lod 1", "bad_time", r"expected a time or one of load, .*, found 'lod' \(line 1, word 1\)"),
        ("5 end\n4 end", "bad_time", r"expected a time from 5 on, found '4' \(line 2, word 1\)"),
        ("-1 end", "bad_time", r"expected a time from 0 on, found '-1' \(line 1, word 1\)"),
        ("nan end", "bad_time", "found 'nan'"),
        ("0 load 1 2", "missing_word", r"expected watts of L3, found the end of the line \(line 1, word 5\)"),
        ("load 1 2", "missing_word", r"\(line 1, word 4\)"),
        ("0 load 1 2 3 4", "extra_word", r"expected no more words of load, found '4' \(line 1, word 6\)"),
        ("0 load 1 x 3", "bad_word", r"expected watts of L2, found 'x' \(line 1, word 4\)"),
        ("0 load 1 inf 3", "bad_word", "found 'inf'"),
        (
            "0 load 1 1.1e9 3",
            "bad_word",
            r"expected watts of L2, at most 1e\+09 large, found '1.1e9' \(line 1, word 4\)",
        ),
        ("0 flash -1", "bad_word", r"expected seconds of at least 0, found '-1' \(line 1, word 3\)"),
        ("0 power down", "bad_word", r"expected on or off, found 'down' \(line 1, word 3\)"),
        ("0 phase L4 off", "bad_word", r"expected L1 or L2 or L3, found 'L4' \(line 1, word 3\)"),
        ("0 phase L1 -5", "bad_word", r"expected on or off or volts of at least 0, found '-5' \(line 1, word 4\)"),
        ("0 rotation L3L2L1", "bad_word", "expected L1L2L3 or L1L3L2, found 'L3L2L1'"),
        ("0 error reset off", "extra_word", "expected no more words of error, found 'off'"),
        ("0 error smoke", "bad_word", "expected time_base or .* or reset, found 'smoke'"),
        ("0 end 5", "extra_word", "found '5'"),
    ],
)
def test_errors_name_line_and_word(text: str, reason: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        Script.parse(text)
    assert caught.value.reason == reason


WORDS = [
    "load",
    "flash",
    "phase",
    "power",
    "error",
    "reset",
    "L1",
    "on",
    "off",
    "5",
    "+1.5",
    "-3",
    "x",
    "#",
    "\n",
    "end",
]


@given(st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_words_are_a_script_or_a_clear_error(text: str) -> None:
    try:
        script = Script.parse(text)
    except DecodeError:
        return
    assert Script.parse(str(script)) == script


def numbers(low: float = -1e6, high: float = 1e6) -> st.SearchStrategy[float]:
    return st.floats(low, high)


STATES = st.sampled_from(["on", "off"])
PHASES = st.sampled_from(["L1", "L2", "L3"])
ORDERS = st.one_of(
    st.tuples(st.sampled_from(["load", "reactive"]), st.tuples(numbers(), numbers(), numbers())),
    st.tuples(st.just("current"), st.tuples(PHASES, numbers(0, 1e5), numbers())),
    st.tuples(st.just("phase"), st.tuples(PHASES, STATES | numbers(0, 1e4))),
    st.tuples(st.sampled_from(["neutral", "magnet", "power"]), st.tuples(STATES)),
    st.tuples(st.just("cover"), st.tuples(st.sampled_from(["open", "closed"]))),
    st.tuples(st.just("rotation"), st.tuples(st.sampled_from(["L1L2L3", "L1L3L2"]))),
    st.tuples(st.just("flash"), st.tuples(st.floats(0, 10), numbers(0))),
    st.tuples(st.just("error"), st.tuples(st.sampled_from(["lmn", "time_base"]), STATES) | st.just(("reset",))),
    st.tuples(st.just("end"), st.just(())),
)


@given(st.lists(st.tuples(st.floats(0, 300), ORDERS), max_size=12))
def test_every_script_can_be_written_read_and_played(
    lines: list[tuple[float, tuple[str, tuple[str | float, ...]]]],
) -> None:
    ordered = sorted(lines, key=lambda line: line[0])
    script = Script(tuple(Step(at_s, order, arguments) for at_s, (order, arguments) in ordered))
    assert Script.parse(str(script)) == script
    meter = Meter(CONFIG, pushes=False)
    events = run(meter, script)
    assert [event.at_s for event in events] == sorted(event.at_s for event in events)


# Playing.


def test_loads_are_counted() -> None:
    meter = played("0 load 1000 500 -300\n3600 load 0 0 -2000\n7200 end")
    assert meter.registers[POSITIVE] == 12_000
    assert meter.registers[NEGATIVE] == 20_000


def test_a_current_with_its_angle() -> None:
    meter = played("current L1 10 180\ncurrent L2 5\n3600 end")
    assert meter.registers[NEGATIVE] == 11_500


def test_powers_and_currents_replace_each_other() -> None:
    assert played("current L1 10\nload 100 0 0\n3600 end").registers[POSITIVE] == 1_000
    assert played("load 100 0 0\ncurrent L1 10\n3600 end").registers[POSITIVE] == 23_000


def test_reactive_power_beside_the_active() -> None:
    for before in ("load 1000 0 0", "phase L1 200\ncurrent L1 5"):
        meter = played(f"{before}\nreactive 300 0 0\n3600 end")
        assert meter.registers[POSITIVE] == 10_000
        assert meter.registers[QUADRANTS[0]] == 3_000


def test_a_phase_is_cut_and_comes_back_with_its_load() -> None:
    meter = played("load 1000 1000 0\n60 phase L2 off\n61 end")
    assert meter.display.phases == (True, False, True)
    assert meter.power_w == 1000
    meter = played("load 1000 1000 0\n60 phase L2 off\n70 phase L2 on\n72 end")
    assert meter.power_w == 2000
    assert played("phase L3 100\n30 end").display.phases == (True, True, False)


def test_without_neutral_there_is_no_supply() -> None:
    assert not played("30 neutral off").powered
    assert played("30 neutral off\n31 neutral on").powered


def test_the_status_word_sees_magnet_cover_and_rotation() -> None:
    script = "magnet on\ncover open\nrotation L1L3L2\n1 end"
    word = FnnFlag(played(script).status_word)
    assert FnnFlag.MAGNETIC_INFLUENCE | FnnFlag.COVER_OPENED | FnnFlag.WRONG_ROTATING_FIELD in word
    later = played(f"{script}\n2 magnet off\ncover closed\nrotation L1L2L3\n3 end", tamper_hold_s=0)
    flags = FnnFlag.MAGNETIC_INFLUENCE | FnnFlag.COVER_OPENED | FnnFlag.WRONG_ROTATING_FIELD
    assert not FnnFlag(later.status_word) & flags


def test_flashes_and_outages_tell_events_in_order() -> None:
    meter = Meter(CONFIG, pushes=False)
    events = run(meter, Script.parse("30 flash 0.5\n40 flash 6\n50 power off\n55 power on\n56 end"))
    told = [(type(event), event.at_s) for event in events if not isinstance(event, MenuMoved)]
    assert told == [(PowerReturned, 0), (Pressed, 30.5), (Pressed, 45), (PowerFailed, 50), (PowerReturned, 55)]
    assert [event.press for event in events if isinstance(event, Pressed)] == [PressEvent.SHORT, PressEvent.LONG]


def test_a_dim_light_is_no_flash() -> None:
    assert not [
        event for event in run(Meter(CONFIG), Script.parse("30 flash 0.5 300\n31 end")) if isinstance(event, Pressed)
    ]


def test_errors_occur_and_end() -> None:
    assert played("10 error lmn").error_register == Fault.LMN
    assert played("10 error lmn\n11 error lmn off").error_register == Fault(0)
    assert played("10 error time_base\n11 error time_base off").error_register == Fault.TIME_BASE
    assert played("10 error time_base\n11 error reset").error_register == Fault(0)


def test_a_script_begins_where_the_clock_says_and_with_given_inputs() -> None:
    meter = Meter(CONFIG, pushes=False)
    events = run(meter, Script.parse("30 flash 0.5\n3600 end"), inputs=Inputs.of_power(1000, 0, 0), start_s=1000.0)
    assert [event.at_s for event in events[:3]] == [1000.0, 1030.5, 1030.5]
    assert meter.registers[POSITIVE] == 10_000
    moves = [event.state.place for event in events if isinstance(event, MenuMoved)]
    assert moves[0] is Place.TEST_U


def test_powers_that_no_phase_can_have() -> None:
    script = Script.parse("0 current L1 1e5\nphase L1 1e4\nreactive 0 0 0")
    events = run(Meter(CONFIG, pushes=False), script)  # 1 GW, the most
    assert events
    for line in ("0 current L1 1.1e5", "0 phase L1 1.1e4"):
        with pytest.raises(DecodeError, match="at most"):
            Script.parse(line)
