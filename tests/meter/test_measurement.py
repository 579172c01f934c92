"""Measuring elements: sums with sign, thresholds, the status word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import Telegram, TelegramDecoder
from e320proto.meter.config import E320Config
from e320proto.meter.measurement import LARGEST, Elements, Inputs, Measured, Phase, return_stop, status_word
from e320proto.meter.model import Meter
from e320proto.meter.modes import Mode
from e320proto.status import status
from tests.meter.vectors import VECTORS

CONFIG = E320Config(pin="0000")
ELEMENTS = Elements(0.010, 0.010, CONFIG)
IDLE = ELEMENTS.measure(Inputs())


def word(inputs: Inputs, mode: Mode = Mode.BOTH, **flags: bool) -> int:
    lit = {"magnet": False, "cover": False, "fatal": False, **flags}
    return status_word(ELEMENTS.measure(inputs), mode, **lit)


@pytest.mark.parametrize("vector", VECTORS["model"]["measurement"], ids=lambda vector: vector["name"])
def test_sums_of_the_vectors(vector: dict[str, Any]) -> None:
    measured = ELEMENTS.measure(Inputs.of_power(*vector["p_w"], q_var=tuple(vector["q_var"])))
    assert (measured.p_mw, measured.q_mvar) == (1000 * vector["sum_p_w"], 1000 * vector["sum_q_var"])
    for mode, stands in vector["return_stop_active"].items():
        assert return_stop(measured, Mode(int(mode))) is stands


@pytest.mark.parametrize(
    ("angle", "p_w", "q_var"),
    [(0, 2300, 0), (90, 0, 2300), (180, -2300, 0), (270, 0, -2300), (-90, 0, -2300), (360, 2300, 0), (450, 0, 2300)],
)
def test_right_angles_are_exact(angle: float, p_w: float, q_var: float) -> None:
    phase = Phase(230, 10, angle)
    assert (phase.power_w, phase.reactive_var) == (p_w, q_var)


def test_lagging_current_is_inductive() -> None:
    phase = Phase(230, 10, 60)
    assert phase.power_w == pytest.approx(1150)
    assert phase.reactive_var == pytest.approx(1991.858)


@given(
    voltage=st.floats(0, 300),
    current=st.floats(0, 100),
    angle=st.floats(-720, 720),
)
def test_apparent_power_is_conserved(voltage: float, current: float, angle: float) -> None:
    phase = Phase(voltage, current, angle)
    assert (phase.power_w**2 + phase.reactive_var**2) ** 0.5 == pytest.approx(voltage * current, abs=1e-6)


def test_a_phase_without_voltage_has_no_power() -> None:
    phase = Phase(0, p_w=1000, q_var=100)
    assert (phase.power_w, phase.reactive_var) == (0, 0)
    measured = ELEMENTS.measure(Inputs((phase, Phase(), Phase())))
    assert (measured.p_mw, measured.present) == (0, (False, True, True))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"voltage_v": -1}, "voltage_v"),
        ({"voltage_v": float("nan")}, "voltage_v"),
        ({"current_a": -0.1}, "current_a"),
        ({"current_a": float("inf")}, "current_a"),
        ({"angle_deg": "90"}, "angle_deg"),
        ({"q_var": 5}, "p_w"),
        ({"p_w": 5, "current_a": 1}, "current_a"),
        ({"p_w": True}, "p_w"),
        ({"p_w": -1.1e9}, "p_w"),
        ({"p_w": 1, "q_var": 1.1e9}, "q_var"),
        ({"voltage_v": 1.1e9}, "voltage_v"),
        ({"current_a": 10**400}, "current_a"),
    ],
)
def test_what_no_meter_can_see(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected "):
        Phase(**fields)


def test_the_largest_inputs_can_be_sent() -> None:
    meter = Meter(E320Config(pin="1234", extended_set=True))
    meter.advance(0.0, Inputs((Phase(LARGEST, LARGEST), Phase(LARGEST, LARGEST), Phase(LARGEST, LARGEST))))
    meter.advance(5.0)
    (telegram,) = TelegramDecoder().feed(meter.info_data_to_send()[-1])
    assert isinstance(telegram, Telegram)
    assert str(telegram.entries[-1].value) == f"{meter.power_w} W" == f"{3 * 10**18} W"


def test_inputs_that_are_no_three_phase_meter() -> None:
    with pytest.raises(ValueError, match=r"^phases: expected three"):
        Inputs((Phase(), Phase()))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^rotation: expected L1L2L3"):
        Inputs(rotation="L2L1L3")  # type: ignore[arg-type]


def test_a_load_at_a_voltage_next_to_nothing() -> None:
    phase = Phase(2.2250738585e-313, p_w=1.0)
    measured = ELEMENTS.measure(Inputs((phase, phase, Phase(2.2250738585e-313, p_w=-1.0))))
    assert (measured.p_mw, measured.present) == (1000, (False, False, False))


def test_starting_current_of_the_sum() -> None:
    assert ELEMENTS.measure(Inputs.of_power(2.3, 0, 0)).started
    assert not ELEMENTS.measure(Inputs.of_power(2.29, 0, 0)).started
    assert not ELEMENTS.measure(Inputs.of_power(500, -500, 0)).started
    assert ELEMENTS.measure(Inputs.of_power(-1, -1, -1)).direction == -1
    assert IDLE.direction == 0


@pytest.mark.parametrize(
    ("expected", "inputs"),
    [
        (0x001C0104, Inputs.of_power(500, 0, 0)),
        (0x001C7904, Inputs.of_power(-500, -500, -500)),
        (0x001C1104, Inputs.of_power(-500, 500, 500)),
        (0x001C3104, Inputs.of_power(-500, -500, 5000)),
        (0x001C6904, Inputs.of_power(50, -500, -500)),
        (0x001C0004, Inputs()),
        (0x001C8104, replace(Inputs.of_power(500, 0, 0), rotation="L1L3L2")),
        (0x00100104, Inputs((Phase(0), Phase(0), Phase(230, p_w=100)))),
        (0x00040104, Inputs((Phase(230, p_w=100), Phase(0), Phase(0)), rotation="L1L3L2")),
        (0x000C0104, Inputs((Phase(230, p_w=100), Phase(230), Phase(183)), rotation="L1L3L2")),  # L3 is not present
    ],
    ids=lambda value: f"{value:08x}" if isinstance(value, int) else "",
)
def test_words_seen_on_real_meters(expected: int, inputs: Inputs) -> None:
    assert word(inputs) == expected
    assert status(expected, 4).layout.value == "fnn"


def test_flags_of_the_status_word() -> None:
    export, supply = Inputs.of_power(-500, -500, -500), Inputs.of_power(500, 0, 0)
    assert word(export, Mode.IMPORT) == 0x001D7904
    assert word(supply, Mode.EXPORT) == 0x001D0104
    assert word(supply, fatal=True) == 0x001E0104
    assert word(supply, magnet=True, cover=True) == 0x001C0704


def test_presence_and_supply() -> None:
    measured = ELEMENTS.measure(Inputs((Phase(184), Phase(183.9), Phase(0))))
    assert measured.present == (True, False, False)
    assert measured.supply_v == 184
    assert ELEMENTS.measure(Inputs(neutral=False)).supply_v == 0


def test_measured_is_a_value() -> None:
    assert ELEMENTS.measure(Inputs()) == IDLE
    assert isinstance(IDLE, Measured)
