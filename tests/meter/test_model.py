"""The meter as a whole: hours in milliseconds, time is an argument."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import DecodeError, ObisCode, SecIndex, Telegram, TelegramDecoder
from e320proto.meter.config import E320Config
from e320proto.meter.display import DARK
from e320proto.meter.events import (
    CryptoReset,
    DayClosed,
    MenuMoved,
    Paired,
    PinRefused,
    PowerFailed,
    PowerReturned,
    Pressed,
    Pushed,
    SettingChanged,
)
from e320proto.meter.faults import Fault
from e320proto.meter.info_output import PENDING_PUSHES
from e320proto.meter.measurement import Inputs, Phase
from e320proto.meter.menu_effects import carry_out
from e320proto.meter.menu_table import Effect
from e320proto.meter.model import Meter
from e320proto.meter.modes import NEGATIVE, POSITIVE, Mode
from e320proto.meter.store import MemoryStore
from tests.meter.vectors import VECTORS

CONFIG = E320Config(pin="3025", extended_set=True)
KILOWATT = Inputs.of_power(1000, 0, 0)
EXPORT = Inputs.of_power(-3600, 0, 0)
NO_VOLTAGE = Inputs((Phase(0), Phase(0), Phase(0)))
READY_S = 24.0


def telegrams_of(meter: Meter) -> list[Telegram]:
    decoder = TelegramDecoder()
    events = [event for frame in meter.info_data_to_send() for event in decoder.feed(frame)]
    telegrams = [event for event in events if isinstance(event, Telegram)]
    assert len(telegrams) == len(events)
    return telegrams


def raw(telegram: Telegram, code: str) -> Any:  # noqa: ANN401 - any value
    return telegram.entries[code].raw


def test_pushes_every_second() -> None:
    meter = Meter(CONFIG)
    assert meter.advance(100.0, KILOWATT) == [PowerReturned(100.0, 0)]
    events = meter.advance(110.0)
    assert [event.at_s for event in events if isinstance(event, Pushed)] == [float(at) for at in range(102, 111)]
    telegrams = telegrams_of(meter)
    assert [telegram.time for telegram in telegrams] == [SecIndex(second) for second in range(2, 11)]
    assert [int.from_bytes(telegram.messages[0].transaction_id) for telegram in telegrams] == [
        3 * number + 1 for number in range(9)
    ]
    assert [raw(telegram, "16.7.0") for telegram in telegrams] == [1000] * 9
    assert raw(telegrams[-1], "1.8.0") == 27  # 10 kWs
    assert meter.info_data_to_send() == []
    assert meter.push_counter == 9


def test_power_is_that_of_the_last_whole_second() -> None:
    meter = Meter(CONFIG)
    meter.advance(0, KILOWATT)
    meter.advance(4.25, EXPORT)
    meter.advance(6.5)
    assert [raw(telegram, "16.7.0") for telegram in telegrams_of(meter)] == [1000, 1000, 1000, -2450, -3600]


@given(steps=st.lists(st.integers(1, 5_000), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_steps_make_no_difference(steps: list[int]) -> None:
    whole, stepped = Meter(CONFIG), Meter(CONFIG)
    whole.advance(0, KILOWATT)
    events = stepped.advance(0, KILOWATT)
    now = 0
    for step in steps:
        now += step
        events += stepped.advance(now / 1000)
    assert [PowerReturned(0, 0), *whole.advance(now / 1000)] == events
    assert whole.info_data_to_send() == stepped.info_data_to_send()
    assert whole.registers == stepped.registers
    assert whole.display == stepped.display


@given(
    parts=st.lists(
        st.tuples(st.integers(0, 9_000), st.sampled_from(["load", "off", "on", "new"]), st.integers(-9_000, 9_000)),
        max_size=25,
    )
)
@settings(max_examples=60, deadline=None)
def test_counters_never_go_back(parts: list[tuple[int, str, int]]) -> None:
    """Through loads, outages and processes that end at any moment."""
    store = MemoryStore()
    meter = Meter(CONFIG, store)
    now, seconds, numbers = 0, -1, []
    last = {POSITIVE: 0, NEGATIVE: 0}
    meter.advance(0)
    for duration, what, power in parts:
        now += duration
        meter.advance(now / 1000)
        for telegram in telegrams_of(meter):
            assert isinstance(telegram.time, SecIndex)
            assert telegram.time.value > seconds
            seconds = telegram.time.value
            numbers.append(int.from_bytes(telegram.messages[0].transaction_id))
        assert all(value >= last[code] for code, value in meter.registers.items())
        last = meter.registers
        match what:
            case "load":
                meter.advance(now / 1000, Inputs.of_power(power, 0, 0))
            case "new":
                meter = Meter(CONFIG, store)
                meter.advance(now / 1000)
            case _:
                meter.power(on=what == "on")
    assert numbers == [3 * number + 1 for number in range(len(numbers))]


def test_outage() -> None:
    meter = Meter(CONFIG)
    meter.advance(0, KILOWATT)
    meter.advance(10.7)
    assert meter.power(on=False) == [PowerFailed(10.7, 10)]
    assert (meter.powered, meter.display, meter.sec_index) == (False, DARK, 10)
    registers = meter.registers
    meter.info_data_to_send()
    assert meter.advance(5_000.0) == []
    assert meter.power(on=True) == [PowerReturned(5_000.0, 11)]
    assert meter.registers == registers
    meter.advance(5_002.0)
    assert [telegram.time for telegram in telegrams_of(meter)] == [SecIndex(13)]


def test_one_phase_and_the_neutral_are_enough() -> None:
    one = Inputs((Phase(0), Phase(230, 10), Phase(0)))
    meter = Meter(CONFIG, inputs=NO_VOLTAGE)
    assert meter.advance(0) == []
    assert meter.next_timeout() is None
    assert meter.advance(1, one) == [PowerReturned(1.0, 0)]
    assert meter.advance(2, Inputs(one.phases, neutral=False)) == [PowerFailed(2.0, 1)]
    low = Inputs((Phase(137), Phase(0), Phase(0)))
    assert meter.advance(3, low) == []
    assert meter.advance(4, Inputs((Phase(138), Phase(0), Phase(0)))) == [PowerReturned(4.0, 2)]
    assert meter.advance(5, Inputs((Phase(115), Phase(0), Phase(0)))) == []
    # The voltage falls at the instant of the first push: inputs come first.
    assert meter.advance(6, Inputs((Phase(114), Phase(0), Phase(0)))) == [PowerFailed(6.0, 4)]
    assert meter.info_data_to_send() == []


def test_a_new_process_goes_on() -> None:
    store = MemoryStore()
    first = Meter(CONFIG, store, registers={POSITIVE: 51_719_237})
    first.advance(0, KILOWATT)
    first.advance(3_600.4)
    second = Meter(CONFIG, store, registers={POSITIVE: 1})
    assert second.registers == first.registers == {POSITIVE: 51_729_238, NEGATIVE: 0}
    assert second.advance(0) == [PowerReturned(0.0, 3_601)]
    assert second.push_counter == first.push_counter


@pytest.mark.parametrize(
    "change",
    [
        {"device_id": "1LGZ0000000001"},
        {"seconds": "x"},
        {"totals": []},
        {"tamper": 5},
        {"history": {}},
        {"settings": {}},
    ],
    ids=str,
)
def test_state_of_something_else(change: dict[str, Any]) -> None:
    store = MemoryStore()
    Meter(CONFIG, store).advance(0)
    state = store.load()
    assert state is not None
    store.save(lambda: {**state, **change})
    with pytest.raises(DecodeError):
        Meter(CONFIG, store)


def test_menu_by_flashlight() -> None:
    """PIN, then the whole menu; the presses of the vector, begun after the commissioning sequence."""
    vector = VECTORS["model"]["pin_entry"]
    meter = Meter(E320Config(pin=vector["pin"]))
    meter.advance(0, KILOWATT)
    script: list[tuple[float, str, float]] = [(begin, "flash", end - begin) for begin, end in vector["presses_s"]]
    script += [(state["t_s"], "look", 0.0) for state in vector["states"]]
    expected = {state["t_s"]: state for state in vector["states"]}
    for at, what, duration in sorted(script):
        meter.advance(READY_S + at)
        if what == "flash":
            meter.flash(1000, duration)
            continue
        state = meter._menu.state
        assert state.place.name == expected[at]["state"]
        if "digits" in expected[at]:
            assert state.digits.ljust(4, "-") == expected[at]["digits"]


def enter_menu(meter: Meter, now: float, presses: str) -> float:
    """Shine short and long (S, L) with pauses; ``.`` lets a timer of the menu run out."""
    for press in presses:
        if press != ".":
            meter.flash(500, 0.5 if press == "S" else 6)
        now += 7 if press == "L" else 1 if press == "S" else 3.5
        meter.advance(now)
    return now


def test_data_set_of_the_menu() -> None:
    """Without PIN: display test, P, E twice, eight views, HIS, then InF is switched on by a long press."""
    meter = Meter(E320Config(pin_protection=False))
    meter.advance(0, KILOWATT)
    meter.advance(READY_S)
    events = meter.flash(500, 0.5)
    events += meter.advance(READY_S + 1)
    assert [type(event) for event in events if not isinstance(event, Pushed)] == [Pressed, MenuMoved]
    now = enter_menu(meter, READY_S + 1, "SSS")
    for _ in range(40):
        if meter._menu.state.place.name == "INF":
            break
        now = enter_menu(meter, now, "S")
    meter.info_data_to_send()
    assert not meter.extended_set
    meter.flash(500, 6)
    events = meter.advance(now + 8)
    assert [event for event in events if isinstance(event, SettingChanged)] == [
        SettingChanged(now + 5, "extended_set", value=True)
    ]
    assert meter.display.lower.value == "On"
    lengths = [len(frame) for frame in meter.info_data_to_send()]
    assert lengths == [252] * lengths.count(252) + [276] * lengths.count(276)
    assert {*lengths} == {252, 276}


def test_wrong_pin() -> None:
    meter = Meter(E320Config(pin="0001"))
    meter.advance(0)
    meter.advance(READY_S)
    meter.flash(500, 0.5)
    events = meter.advance(READY_S + 30)  # an untouched dialogue tries 0000
    assert [event.at_s for event in events if isinstance(event, PinRefused)] == [READY_S + 0.5 + 2 + 2 + 12]
    assert meter._menu.state.place.name == "STD"


@pytest.mark.parametrize(("lux", "at"), [(399, READY_S), (500, READY_S - 1)])
def test_light_that_is_no_press(lux: float, at: float) -> None:
    meter = Meter(CONFIG)
    meter.advance(0)
    meter.advance(at)
    meter.flash(lux, 0.5)
    assert not any(isinstance(event, Pressed) for event in meter.advance(at + 1))


@pytest.mark.parametrize(("rule", "kept"), [("save", True), ("reset", False)])
def test_settings_at_power_down(rule: Any, kept: bool) -> None:  # noqa: ANN401, FBT001
    store = MemoryStore()
    meter = Meter(E320Config(pin="0000", enduser_settings=rule), store)
    meter.advance(0)
    carry_out(Effect.TOGGLE_INF, meter._lasting, 0.0)
    carry_out(Effect.TOGGLE_PIN_QUERY, meter._lasting, 0.0)
    meter.advance(1)
    meter.power(on=False)
    meter.power(on=True)
    assert (meter.extended_set, meter.pin_query) == (kept, not kept)
    again = Meter(E320Config(pin="0000", enduser_settings=rule), store)
    again.advance(0)
    assert (again.extended_set, again.pin_query) == (kept, not kept)


def test_days_close() -> None:
    meter = Meter(CONFIG, pushes=False)
    meter.advance(0, KILOWATT)
    events = meter.advance(3 * 86_400)
    assert [event for event in events if isinstance(event, DayClosed)] == [
        DayClosed(86_400.0 * day, 86_400 * day) for day in (1, 2, 3)
    ]
    assert meter._lasting.history.value(7, POSITIVE, 1, {}) == 720_000  # type: ignore[arg-type]


def test_errors() -> None:
    meter = Meter(CONFIG)
    meter.advance(0, KILOWATT)
    meter.advance(READY_S)
    meter.raise_fault(Fault.TIME_BASE | Fault.LMN)
    assert meter.status_word == 0x001E0104
    assert (meter.display.upper.code, meter.display.upper.value) == ("F.F", "01000010")
    meter.end_fault(Fault.TIME_BASE | Fault.LMN)
    assert meter.error_register == Fault.TIME_BASE
    meter.raise_fault(Fault.INFO)
    meter.power(on=False)
    meter.power(on=True)
    assert meter.error_register == Fault.TIME_BASE
    meter.reset_faults()
    assert meter.status_word == 0x001C0104


def test_magnet_and_cover() -> None:
    meter = Meter(CONFIG, pushes=False)
    meter.advance(0, Inputs(magnet=True, cover_open=True))
    assert meter.status_word & 0x600 == 0x600
    meter.advance(10, Inputs())
    assert meter.status_word & 0x600 == 0x600
    meter.advance(86_400)
    assert meter.status_word & 0x600 == 0x200
    meter.advance(86_410)
    assert meter.status_word & 0x600 == 0
    meter.advance(86_411, Inputs(magnet=True))
    meter.power(on=False)
    meter.advance(86_420, Inputs())
    meter.power(on=True)
    assert meter.status_word & 0x600 == 0
    assert meter._lasting.state(0, powered=False)["tamper"] == [2, 1, 0, 0]


def test_pulses_and_disk() -> None:
    for vector in VECTORS["model"]["pulses"]:
        mode = vector["mode"]
        config = E320Config(
            pin="0000",
            mode=Mode(mode),
            type_designation=f"E320-AM1D.A{mode}A.A0-S1B-S1",
            pulse_constant=vector["pulse_constant"],
        )
        meter = Meter(config, pushes=False)
        meter.advance(0, Inputs.of_power(vector["sum_p_w"], 0, 0))
        meter.advance(vector["hours"] * 3600)
        assert (meter.pulse_count, meter.display.disk) == (vector["pulses"], vector["disk_index"])


def test_led() -> None:
    meter = Meter(CONFIG, pushes=False)  # 5,000 pulses for 1 kWh: one in 720 ms
    meter.advance(0, KILOWATT)
    lit = []
    for ms in range(700, 740):
        meter.advance(ms / 1000)
        lit.append(meter.display.led)
    assert [ms for ms, on in zip(range(700, 740), lit, strict=True) if on] == [720, 721]
    meter.advance(1, Inputs())
    assert meter.display.led


def test_power_sign_while_the_register_stands() -> None:
    rules: dict[Literal["signed", "zero"], int] = {"signed": -3600, "zero": 0}
    for rule, power in rules.items():
        config = E320Config(pin="0000", mode=Mode.IMPORT, power_sign_in_return_stop=rule)
        meter = Meter(config)
        meter.advance(0, EXPORT)
        meter.advance(3)
        assert meter.power_w == power
        assert meter.registers == {POSITIVE: 0}
        assert meter.status_word == 0x001D1904


def test_pushes_that_nobody_takes() -> None:
    meter = Meter(CONFIG)
    meter.advance(0)
    meter.advance(2 * PENDING_PUSHES)
    frames = meter.info_data_to_send()
    assert len(frames) == PENDING_PUSHES


def test_counters_without_pushes() -> None:
    meters = Meter(CONFIG), Meter(CONFIG, pushes=False)
    for meter in meters:
        meter.advance(0)
        meter.advance(1234.5)
    assert meters[0].push_counter == meters[1].push_counter == 1233
    assert meters[1].info_data_to_send() == []


def test_timeouts_are_enough() -> None:
    """Waking only when asked to gives the same pushes."""
    lazy, eager = Meter(CONFIG), Meter(CONFIG)
    lazy.advance(0)
    eager.advance(0)
    lazy.advance(60)
    while (at := eager.next_timeout()) is not None and at <= 60:
        eager.advance(at)
    assert lazy.info_data_to_send() == eager.info_data_to_send()


def test_time_does_not_go_back() -> None:
    meter = Meter(CONFIG)
    meter.advance(10)
    with pytest.raises(ValueError, match=r"^now: expected at least 10\.0, found 9"):
        meter.advance(9)
    with pytest.raises(ValueError, match=r"^flash: expected lux"):
        meter.flash(-1, 1)


def test_registers_of_the_mode() -> None:
    with pytest.raises(ValueError, match="registers"):
        Meter(CONFIG, registers={ObisCode.parse("5.8.0"): 1})


def test_light_comes_before_a_timer_of_the_same_instant() -> None:
    def menu_after(*flash_at: float) -> list[str]:
        meter = Meter(CONFIG, pushes=False)
        meter.advance(0)
        meter.flash(500, 0.5, now=30)  # display test, upper line
        events = meter.advance(34.0)  # both lines are over
        for at in flash_at:
            events += meter.flash(500, 1, now=at)
        events += meter.advance(35)
        return [str(event.state) for event in events if isinstance(event, MenuMoved)]

    assert menu_after() == ["TEST_U", "TEST_L", "PIN(0)"]
    assert menu_after(34.5) == ["TEST_U", "TEST_L"]  # the light holds up the timer that is due at 34.5 s


def test_power_that_fails_at_the_instant_of_a_push() -> None:
    made, counted = Meter(CONFIG), Meter(CONFIG, pushes=False)
    for meter in (made, counted):
        meter.advance(0)
        meter.power(on=False, now=5.0)
    assert len(made.info_data_to_send()) == made.push_counter == counted.push_counter == 3
    assert made.advance(6.0) == []


@pytest.mark.parametrize(("lux", "duration_s"), [(-1, 1), (500, -1), (float("nan"), 1), (500, float("inf"))])
def test_light_that_cannot_be(lux: float, duration_s: float) -> None:
    meter = Meter(CONFIG)
    meter.advance(0)
    with pytest.raises(ValueError, match="flash: expected lux and duration_s of at least 0"):
        meter.flash(lux, duration_s)


def test_wrong_pins_are_remembered() -> None:
    store = MemoryStore()
    config = E320Config(pin="3025", pin_max_tries=2)
    meter = Meter(config, store, pushes=False)
    meter.advance(0)
    meter.flash(500, 0.5, now=30)
    assert sum(isinstance(event, PinRefused) for event in meter.advance(60)) == 1  # 0000, tried by itself
    meter.power(on=False)
    again = Meter(config, store, pushes=False)
    again.advance(100)
    assert again._guards.pin_tries_left == 1


def test_quantities_of_the_phases() -> None:
    meter = Meter(CONFIG)
    meter.advance(0, Inputs((Phase(230, 10), Phase(231.5, 2, 180), Phase(0, 0))))
    shown = {code.short: str(quantity) for code, quantity in meter.quantities.items()}
    assert shown == {
        "16.7.0": "1837.000 W",
        "32.7.0": "230.000 V",
        "31.7.0": "10.000 A",
        "36.7.0": "2300.000 W",
        "52.7.0": "231.500 V",
        "51.7.0": "2.000 A",
        "56.7.0": "-463.000 W",
        "72.7.0": "0.000 V",
        "71.7.0": "0.000 A",
        "76.7.0": "0.000 W",
    }
    meter.power(on=False)
    assert {quantity.raw for quantity in meter.quantities.values()} == {0}


def test_crypto_reset() -> None:
    store = MemoryStore()
    config = E320Config(pin="3025", initial_key="000102030405060708090a0b0c0d0e0f")
    meter = Meter(config, store, pushes=False)
    assert meter.crypto_reset() == 0xFE0A  # there is no supply yet
    meter.advance(0, KILOWATT)
    assert meter.pair(b"own", b"key", b"gateway") == [Paired(0.0)]
    meter.security.operational_key = b"k" * 16
    meter.security.transmission_counter = 77
    meter.advance(29.999)
    assert meter.crypto_reset() == 0xFE0A
    meter.tls_session(established=True)
    meter.advance(100)
    before = meter.registers, meter.sec_index, meter.push_counter
    assert meter.crypto_reset() == 0xFE0A  # while a session is open
    meter.tls_session(established=False)
    meter.advance(129.9)
    assert meter.crypto_reset() == 0xFE0A
    assert meter.security.paired
    meter.advance(130)
    assert meter.crypto_reset(through_tls=True) == 0xFE0A
    assert meter.firmware_update() == 0xFE0A
    assert meter.crypto_reset() == 0xFD00
    assert meter.advance(130) == [CryptoReset(130.0)]
    for found in (meter, Meter(config, store)):
        security = found.security
        assert (security.paired, security.operational_key, security.transmission_counter) == (
            False,
            bytes(range(16)),
            77,
        )
        kept = security.own_certificate, security.private_key, security.gateway_certificate
        assert [bytes(secret) for secret in kept] == [bytes(3), bytes(3), bytes(7)]
    assert meter.sec_index == before[1] + 30


def test_crypto_reset_after_power_up() -> None:
    meter = Meter(CONFIG, pushes=False)
    meter.advance(0)
    meter.advance(100)
    meter.power(on=False)
    meter.power(on=True, now=110)
    meter.advance(139.9)
    assert meter.crypto_reset() == 0xFE0A
    meter.advance(140)
    assert meter.crypto_reset() == 0xFD00


@pytest.mark.parametrize(
    ("condition", "through_tls", "answers"),
    [
        ("tls_closed", False, [0xFE0A, 0xFE0A, 0xFD00, 0xFD00]),
        ("link_closed", False, [0xFE0A, 0xFE0A, 0xFE0A, 0xFD00]),
        ("none", False, [0xFD00] * 4),
    ],
)
def test_conditions_of_a_crypto_reset(condition: Any, through_tls: bool, answers: list[int]) -> None:  # noqa: ANN401, FBT001
    def answer(at: float, *, other: bool) -> int:
        meter = Meter(E320Config(pin="0000", reset_condition=condition, reset_through_tls=through_tls), pushes=False)
        meter.advance(0)
        meter.advance(at)
        return meter.crypto_reset(other_connection=other)

    assert [answer(at, other=other) for at in (1, 31) for other in (True, False)] == answers


def test_tls_may_carry_the_order_if_so_configured() -> None:
    meter = Meter(E320Config(pin="0000", reset_through_tls=True), pushes=False)
    meter.advance(0)
    meter.tls_session(established=True)
    assert meter.crypto_reset(through_tls=True) == 0xFD00
    assert not meter.security.tls_open


def test_keys_are_never_shown() -> None:
    config = E320Config(pin="3025", initial_key="5ec2e75ec2e75ec2e75ec2e75ec2e700")
    meter = Meter(config)
    meter.advance(0)
    meter.pair(b"own", b"secret", b"gateway")
    assert "5ec2e7" not in repr(config) + repr(meter.security) + repr(meter)
    with pytest.raises(ValueError, match="initial_key: expected 32 hex digits") as caught:
        E320Config(pin="3025", initial_key="5ec2e7")
    assert "5ec2e7" not in str(caught.value)
    with pytest.raises(DecodeError, match="pin: expected a text") as refused:
        E320Config.from_toml("pin = 3025")
    assert "3025" not in str(refused.value)


@pytest.mark.parametrize(("recorded", "days"), [(True, [3, 2, 1]), (False, [3, 1])])
def test_history_beside_a_gateway(recorded: bool, days: list[int]) -> None:  # noqa: FBT001
    meter = Meter(E320Config(pin="0000", history_with_gateway=recorded, t_closed_s=0), pushes=False)
    meter.advance(0, Inputs.of_power(100 / 2.4, 0, 0))
    meter.advance(86_400, Inputs.of_power(200 / 2.4, 0, 0))
    meter.pair(b"own", b"key", b"gateway")
    meter.advance(2 * 86_400, Inputs.of_power(300 / 2.4, 0, 0))
    meter.crypto_reset()
    meter.advance(3 * 86_400)
    kept = meter._lasting.history.export_state()["registers"]["1.8.0"]["days"]
    assert [round(day / 10_000) for day in kept] == days


def test_lmn_symbol() -> None:
    meter = Meter(CONFIG, pushes=False)
    meter.lmn_frame(ours=True)  # without supply nothing is heard
    meter.advance(0)
    meter.advance(30)
    lit = []
    meter.lmn_frame(ours=True)
    for at in (30.0, 31.9, 32.0, 33.9, 34.0, 39.9, 40.0, 100.0):
        meter.advance(at)
        lit.append(meter.display.lmn)
    assert lit == [True, True, False, False, True, True, False, False]
    meter.tls_session(established=True)
    meter.advance(200)
    assert meter.display.lmn
    meter.power(on=False)
    meter.power(on=True)
    meter.advance(230)
    assert not meter.display.lmn


def test_the_first_inputs_are_there_before_the_first_supply() -> None:
    meter = Meter(CONFIG)
    assert meter.advance(0.0, Inputs(neutral=False)) == []
    assert meter.advance(5.0, Inputs()) == [PowerReturned(5.0, 0)]


@pytest.mark.parametrize("now", [float("inf"), float("nan")])
def test_times_that_cannot_be(now: float) -> None:
    with pytest.raises(ValueError, match="now: expected a time in seconds"):
        Meter(CONFIG).advance(now)


def test_an_influence_is_counted_once_over_a_restart() -> None:
    store = MemoryStore()
    meter = Meter(CONFIG, store)
    near = Inputs(magnet=True, cover_open=True)
    meter.advance(0, near)
    meter.power(on=False)
    again = Meter(CONFIG, store)
    again.advance(10, near)
    assert again._lasting.tamper.state() == [1, 1, 1, 1]
    assert again.status_word & 0x600 == 0x200  # the magnet is still there


def test_a_stored_pin_is_one_that_can_be_entered() -> None:
    store = MemoryStore()
    Meter(CONFIG, store).advance(0)
    state = dict(store.load() or {})
    store.save(lambda: {**state, "pin": "12"})
    with pytest.raises(DecodeError, match="pin: expected 4 digits"):
        Meter(CONFIG, store)


def test_next_change_of_the_display() -> None:
    meter = Meter(CONFIG)
    assert meter.next_display_change() is None
    meter.advance(100)
    assert meter.next_display_change() == 102.0  # the test of the segments begins
    meter.advance(130)
    before = meter.display.upper
    at = meter.next_display_change()
    assert at is not None
    meter.advance(at - 0.001)
    assert meter.display.upper == before
    meter.advance(at)
    assert meter.display.upper != before
