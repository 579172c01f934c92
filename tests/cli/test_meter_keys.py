"""Keys of the running meter: one table, and what it does to the bench."""

from __future__ import annotations

from e320proto.cli import meter_keys
from e320proto.cli.meter_keys import KEYS, LONG_S, QUIT, SHORT_S, SPEEDS, Bench, key_help
from e320proto.meter import E320Config, Inputs

LOAD = Inputs.of_power(1000, 500, -300, q_var=(10.0, 0.0, 0.0))


def after(keys: str) -> Bench:
    bench = Bench()
    for key in keys:
        bench = KEYS[key].change(bench)
    return bench


def watts(keys: str) -> list[float]:
    return [round(phase.power_w, 6) for phase in after(keys).inputs(LOAD).phases]


def test_untouched_bench_changes_nothing() -> None:
    assert Bench().inputs(LOAD) == LOAD
    assert str(Bench()) == ""


def test_phases() -> None:
    assert watts("1") == [0, 500, -300]
    assert watts("23") == [1000, 0, 0]
    assert watts("232") == [1000, 500, 0]
    assert [phase.voltage_v for phase in after("13").inputs(LOAD).phases] == [0, 230, 0]
    assert str(after("31")) == "L1 cut, L3 cut"


def test_load_and_export() -> None:
    assert round(sum(watts("+"))) == 1700
    assert round(sum(watts("--"))) == 200
    assert watts("e") == [0, -500, -1300]
    assert watts("e+e") == watts("+")
    assert after("+").inputs(LOAD).phases[0].reactive_var == 10
    assert str(after("+e")) == "+500 W, -3000 W"


def test_more_load_is_no_load_on_a_cut_phase() -> None:
    assert watts("1+++")[0] == 0


def test_currents_take_more_load_too() -> None:
    phase = type(LOAD.phases[0])(230.0, 10.0, 60.0)
    (seen, _, _) = after("+++").inputs(Inputs((phase, phase, phase))).phases
    assert round(seen.power_w) == round(phase.power_w) + 500
    assert round(seen.reactive_var) == round(phase.reactive_var)


def test_mains() -> None:
    assert (after("m").mains, after("mm").mains, str(after("m"))) == (False, True, "mains off")


def test_speed_has_limits() -> None:
    assert after(">>").speed == 4
    assert after("<").speed == 1 / 2
    assert (after("<" * 100).speed, after(">" * 100).speed) == SPEEDS


def test_flashes_are_short_and_long_presses() -> None:
    config = E320Config(pin="1234")
    assert config.press_min_s < KEYS["s"].lit_s == SHORT_S < config.short_max_s
    assert KEYS["l"].lit_s == LONG_S > config.long_min_s


def test_help_names_every_key_once() -> None:
    for width in (40, 78, 200):
        lines = key_help(width)
        assert max(map(len, lines)) <= width
        words = "  ".join(lines).split("  ")
        assert [word.split(" ")[0] for word in words] == list(KEYS)
    assert len(key_help(78)) == 2
    assert KEYS["q"] is QUIT


def test_documentation_names_every_key() -> None:
    rows = [line.split() for line in (meter_keys.__doc__ or "").splitlines()]
    documented = {word for row in rows for word in row if word in KEYS and len(word) == 1}
    assert documented >= set(KEYS)
