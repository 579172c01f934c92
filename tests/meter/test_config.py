"""The configuration: every parameter typed, described, refused by name, and read back from TOML."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest

from e320proto import DecodeError
from e320proto.meter.config import E320Config
from e320proto.meter.modes import Curve, Mode, PulseLed

CONFIG = E320Config(pin="1234")
WRONG: dict[str, Any] = {
    "device_id": "1LGZ00",
    "type_designation": "E320",
    "mode": 3,
    "pulse_led": PulseLed.REACTIVE,
    "curve": "nist-p256",
    "pin_protection": 1,
    "pin": "123",
    "enduser_settings": "keep",
    "start_current_a": -0.1,
    "register_modulus_dwh": 5,
    "balanced_negative": "both",
    "pulse_constant": 0,
    "supply_off_ratio": 0.7,
    "nominal_voltage_v": float("nan"),
    "upper_digits": 6.0,
    "info_symbol": True,
    "firmware_version": "much too long",
    "firmware_checksum": "00G0",
    "short_max_s": 6,
    "pin_max_tries": 0,
    "history_days": True,
    "push_counter_start": 1 << 32,
    "ff_digits": 9,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_value_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected "):
        replace(CONFIG, **{name: WRONG[name]})


def test_pin_is_never_shown() -> None:
    assert repr(CONFIG) == "E320Config(pin=****)"
    with pytest.raises(ValueError, match="pin: expected 4 digits") as caught:
        replace(CONFIG, pin="98765")
    assert "98765" not in str(caught.value)
    with pytest.raises(ValueError, match="pin: expected 4 digits, because pin_protection is on"):
        E320Config()
    assert E320Config(pin_protection=False).pin is None


@pytest.mark.parametrize("parameter", fields(E320Config), ids=lambda parameter: parameter.name)
def test_every_parameter_is_described(parameter: Any) -> None:  # noqa: ANN401 - a dataclass field
    assert re.fullmatch(r".+ \(section [0-9]+, (MAN|OBS|FNN|GEN|OURS)\)", E320Config.describe(parameter.name))


def test_no_such_parameter() -> None:
    with pytest.raises(KeyError):
        E320Config.describe("colour")


@pytest.mark.parametrize("mode", Mode)
def test_designation_of_the_mode(mode: Mode) -> None:
    designation = replace(CONFIG, mode=mode).designation
    assert (designation.mode, designation.issues) == (mode, ())
    text = f"E320-AM1D.{'C' if mode == 5 else 'A'}{mode:d}A.A{2 if mode == 5 else 0}-S1B-S1"
    assert str(replace(CONFIG, mode=mode, type_designation=text).designation) == text


def test_mode_against_the_designation() -> None:
    with pytest.raises(ValueError, match=r"^mode: expected 1, as in the type designation, found 3"):
        replace(CONFIG, type_designation="E320-AM1D.A1A.A0-S1B-S1")


def test_toml_both_ways() -> None:
    config = replace(
        CONFIG,
        mode=Mode.QUADRANTS,
        pulse_led=PulseLed.REACTIVE,
        curve=Curve.BRAINPOOL_P256R1,
        pin_max_tries=3,
        start_current_a=0.02,
        firmware_version='"\\',
    )
    text = config.to_toml()
    assert E320Config.from_toml(text) == config
    assert "# mode" not in text
    assert "# pulse_constant = none" in text
    assert E320Config.describe("mode") in text


@pytest.mark.parametrize(
    ("text", "reason", "path"),
    [
        ("mode = ", "toml", None),
        ("pin = '1234'\ncolour = 5", "unknown_field", "colour"),
        ("pin = '1234'\nmode = 7", "bad_value", "mode"),
        ("pin = 1234", "bad_value", "pin"),
        ("pin = '1234'\nroll_interval_s = 'ten'", "bad_value", "roll_interval_s"),
        ("pin = '1234'\n[display]\nroll = 5", "unknown_field", "display"),
    ],
)
def test_wrong_toml(text: str, reason: str, path: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        E320Config.from_toml(text)
    assert (caught.value.reason, caught.value.path or None) == (reason, path)
