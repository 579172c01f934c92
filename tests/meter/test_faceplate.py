"""The faceplate: every marking of the manual, made of the configuration."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from e320proto.meter.config import E320Config
from e320proto.meter.datamatrix_payload import WITHOUT_SERIAL, DataMatrixPayload
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.keys import MeterKey
from e320proto.meter.modes import Curve, Mode, PulseLed
from e320proto.meter.variants import Variant

KEY = MeterKey.from_private_number(7)


def plate(public_key: bytes | None = KEY.public_key, **parameters: Any) -> Faceplate:  # noqa: ANN401 - of any parameter
    return Faceplate.of(E320Config(pin="1234", **parameters), public_key)


def test_all_markings_in_the_manual_s_order() -> None:
    markings = plate().markings
    assert [marking.position for marking in markings] == list(range(1, 17))
    assert {marking.position: marking.text for marking in markings} == {
        1: "E320-AM3D.A3A.A0-S1B-S1",
        2: "E320",
        3: "Zweirichtungszähler",
        4: "1 LGZ00 6353 9421",
        5: "3 x 230/400 V, 50 Hz, 0.25-5(100) A",
        6: "A",
        7: "-25 ... +55 °C",
        8: "",
        9: "",
        10: "protective insulation, +A/-A, three-phase meter, read the manual",
        11: "",
        12: "",
        13: KEY.public_hex,
        14: f"63539421;1LGZ0063539421;0A014C475A0003C988DD;{KEY.public_hex}",
        15: "0A014C475A0003C988DD",
        16: "5000 imp/kWh",
    }
    assert {marking.grade for marking in markings} <= {"MAN", "OBS", "FNN", "GEN", "OURS"}


def test_what_a_real_meter_bears_can_be_filled_in() -> None:
    printed = replace(
        plate(),
        type_examination="none",
        national_approval="no",
        manufacturer_address="somewhere",
        property_plate="ours",
        year=2026,
    )
    texts = {marking.position: marking.text for marking in printed.markings}
    assert (texts[8], texts[9], texts[11], texts[12]) == ("none", "no", "somewhere", "ours")
    assert texts[10].endswith(", calibrated 2026")


@pytest.mark.parametrize(
    ("mode", "designation", "name"),
    [
        (Mode.IMPORT, "E320-AM1D.A1A.A0-S1B-S1", "Einrichtungszähler +A"),
        (Mode.EXPORT, "E320-AM1D.A2A.A0-S1B-S1", "Einrichtungszähler -A"),
        (Mode.BOTH, "E320-AM1D.A3A.A0-S1B-S1", "Zweirichtungszähler"),
        (Mode.BALANCED, "E320-AM1D.A4A.A0-S1B-S1", "Saldierender Zähler -A"),
        (Mode.QUADRANTS, "E320-AM1D.C5A.A2-S1B-S1", "4-Quadranten-Zähler"),
    ],
)
def test_mode_names(mode: Mode, designation: str, name: str) -> None:
    printed = plate(mode=mode, type_designation=designation)
    assert printed.mode_name == name
    assert printed.symbols[1]


@pytest.mark.parametrize(
    ("designation", "variant", "current", "pulses"),
    [
        ("E320-AM1D.A3A.A0-S1B-S1", Variant.DIRECT_60A, "0.25-5(60) A", "10000 imp/kWh"),
        ("E320-AM3D.A3A.A0-S1B-S1", Variant.DIRECT_100A, "0.25-5(100) A", "5000 imp/kWh"),
        ("E320-AMCD.A3A.A0-S1B-S1", Variant.TRANSFORMER, "0.05-1(6) A", "100000 imp/kWh"),
    ],
)
def test_variants(designation: str, variant: Variant, current: str, pulses: str) -> None:
    printed = plate(type_designation=designation)
    assert printed.variant is variant
    assert printed.connection.endswith(current)
    assert printed.pulses == pulses


def test_classes_pulses_and_voltage_follow_the_configuration() -> None:
    assert plate(type_designation="E320-AM3D.C3A.B2-S1B-S1").accuracy == "B (2)"
    reactive = plate(pulse_constant=1000, pulse_led=PulseLed.REACTIVE, type_designation="E320-AM3D.C3A.B2-S1B-S1")
    assert reactive.pulses == "1000 imp/kvarh"
    assert plate(nominal_voltage_v=120.0).connection.startswith("3 x 120/208 V, ")


@pytest.mark.parametrize(
    ("curve", "title"), [(Curve.NIST_P256, "key NIST P-256"), (Curve.BRAINPOOL_P256R1, "key brainpoolP256r1")]
)
def test_the_curve_is_named(curve: Curve, title: str) -> None:
    printed = plate(MeterKey.from_private_number(7, curve).public_key, curve=curve)
    assert printed.markings[12].title == title
    assert len(printed.public_hex) == 130


def test_text_has_every_marking_and_the_whole_key() -> None:
    lines = plate().text().splitlines()
    assert [line[:2] for line in lines if line[:2].strip()] == [f"{position:2}" for position in range(1, 17)]
    assert max(map(len, lines)) <= 92
    assert KEY.public_hex in "".join(line[27:] for line in lines)
    assert lines[7] == " 8  type examination       -"


def test_without_a_key() -> None:
    printed = plate(None)
    assert printed.public_hex == printed.markings[12].text == ""
    assert printed.payload == DataMatrixPayload.parse("63539421;1LGZ0063539421;0A014C475A0003C988DD")


def test_payload_in_another_format_and_with_another_serial() -> None:
    printed = replace(plate(), payload_format=WITHOUT_SERIAL)
    assert printed.payload_text == f"1LGZ0063539421;0A014C475A0003C988DD;{KEY.public_hex}"
    other = Faceplate.of(E320Config(pin="1234"), KEY.public_key, serial="00000001")
    assert other.payload_text.startswith("00000001;1LGZ0063539421;")
    assert other.payload.conflicts


@pytest.mark.skipif(find_spec("pystrich") is None, reason="the extra meter is not installed")
def test_the_code_is_44_modules_wide() -> None:
    assert len(plate().modules()) == 44


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "e320proto.meter.datamatrix", raising=False)
    monkeypatch.setitem(sys.modules, "pystrich.datamatrix", None)
    printed = plate()
    assert printed.text()
    with pytest.raises(ModuleNotFoundError, match=r"extra 'meter'.*pip install e320proto\[meter\]"):
        printed.modules()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"type_designation": "E320-AM2D.A3A.A0-S1B-S1"}, "type_designation: expected a maximum current of 1, 3 or C"),
        ({"public_key": KEY.public_key[1:]}, "public_key: expected 65 octets"),
        ({"public_key": b"\x02" + KEY.public_key[1:]}, "public_key: expected 65 octets"),
    ],
)
def test_a_faceplate_that_contradicts_itself_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        plate(**parameters)


@pytest.mark.parametrize("year", [26, 10_000, -1])
def test_a_year_has_four_digits(year: int) -> None:
    with pytest.raises(ValueError, match=r"^year: expected four digits"):
        replace(plate(), year=year)


def test_a_mode_that_is_not_that_of_the_designation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^mode: expected 3 as in E320-AM3D\.A3A\.A0-S1B-S1, found 1"):
        replace(plate(), mode=Mode.IMPORT)


def test_a_mode_that_the_designation_does_not_list_is_that_of_the_configuration() -> None:
    assert plate(type_designation="E320-AM3D.A9A.A0-S1B-S1").mode_name == "Zweirichtungszähler"


def test_other_variants_only_through_the_designation() -> None:
    good = plate()
    other = type(good.designation).parse("E320-AM2D.A3A.A0-S1B-S1")
    with pytest.raises(ValueError, match=r"^designation: expected a maximum current"):
        replace(good, designation=other)
