"""Units and exact quantities."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError, EncodeError
from e320proto.units import Quantity, Unit, unit

WIDE = Context(prec=400)
LISTED = {*range(1, 58), *range(60, 68), 70, 71, 72, 253, 254, 255}
SHARED_SYMBOLS = {14: 13, 16: 15, 18: 17}

integers = st.integers(min_value=-(2**63), max_value=2**64 - 1)
scalers = st.integers(min_value=-128, max_value=127)
unit_codes = st.integers(min_value=0, max_value=255)


class TestUnit:
    @pytest.mark.parametrize(
        ("code", "symbol", "quantity", "text"),
        [
            (0, "", "", ""),
            (1, "a", "time, year", "a"),
            (7, "s", "time, second", "s"),
            (8, "°", "phase angle", "°"),
            (9, "°C", "temperature", "°C"),
            (27, "W", "active power", "W"),
            (28, "VA", "apparent power", "VA"),
            (29, "var", "reactive power", "var"),
            (30, "Wh", "active energy", "Wh"),
            (31, "VAh", "apparent energy", "VAh"),
            (32, "varh", "reactive energy", "varh"),
            (33, "A", "current", "A"),
            (35, "V", "voltage", "V"),
            (44, "Hz", "frequency", "Hz"),
            (45, "1/Wh", "pulse constant, active", "1/Wh"),
            (58, "", "", "unit 58"),
            (72, "dB", "ratio", "dB"),
            (200, "", "", "unit 200"),
            (253, "", "reserved", "unit 253"),
            (254, "", "other unit", "unit 254"),
            (255, "", "no unit, count", ""),
        ],
    )
    def test_known_and_unknown_codes(self, code: int, symbol: str, quantity: str, text: str) -> None:
        one = unit(code)
        assert (one.code, one.symbol, one.quantity, str(one), f"{one}") == (code, symbol, quantity, text, text)

    def test_the_table_lists_these_codes(self) -> None:
        assert {code for code in range(256) if unit(code).quantity} == LISTED
        assert {code for code in range(256) if unit(code).symbol} == LISTED - {253, 254, 255}

    @given(unit_codes)
    def test_text_reads_back(self, code: int) -> None:
        one = unit(code)
        if str(one):
            assert Unit.parse(str(one)) is unit(SHARED_SYMBOLS.get(code, code))
        assert Unit.parse(f"unit {code}") is one

    @pytest.mark.parametrize(
        "text", ["", "kWh", "wh", "WH", " Wh", "Wh ", "unit", "unit ", "unit 256", "unit -1", "30"]
    )
    def test_text_of_no_unit(self, text: str) -> None:
        with pytest.raises(DecodeError) as caught:
            Unit.parse(text)
        assert caught.value.reason == "unit_text"
        assert str(caught.value) == f"expected the symbol of a DLMS unit, found {text!r}"

    @pytest.mark.parametrize("code", [-1, 256, 1 << 40])
    def test_no_such_code(self, code: int) -> None:
        for make in (Unit, unit):
            with pytest.raises(EncodeError, match="expected a unit code of 0 to 255") as caught:
                make(code)
            assert (caught.value.reason, caught.value.value) == ("unit", code)

    @pytest.mark.parametrize("code", [30.0, 30.5, "30", None, True, Decimal(30), b"\x1e"])
    def test_no_integer(self, code: Any) -> None:  # noqa: ANN401 - wrong ones
        unit(30)
        unit(1)
        for make in (Unit, unit):
            with pytest.raises(EncodeError) as caught:
                make(code)
            assert str(caught.value) == f"expected a unit code of 0 to 255, found {code!r} (unit)"
            assert caught.value.reason == "unit"

    def test_a_number_too_long_to_show(self) -> None:
        with pytest.raises(EncodeError, match="expected a unit code of 0 to 255, found an integer of 16610 bits"):
            Unit(10**5000)

    @pytest.mark.parametrize("text", ["x" * 1_000_000, "unit " + "9" * 5000])
    def test_hostile_text_makes_a_short_error(self, text: str) -> None:
        for parse in (Unit.parse, Quantity.parse):
            with pytest.raises(DecodeError) as caught:
                parse(text)
            assert len(str(caught.value)) < 150

    @pytest.mark.parametrize(
        ("spec", "text"),
        [
            ("", "Wh"),
            (">4", "  Wh"),
            ("s", "Wh"),
            ("x>4s", "xxWh"),
            ("d", "30"),
            ("03d", "030"),
            ("x", "1e"),
            ("#04X", "0X1E"),
            ("b", "11110"),
            ("o", "36"),
            (",d", "30"),
            (".1f", "30.0"),
            ("%", "3000.000000%"),
            ("n", "30"),
        ],
    )
    def test_formats_as_text_or_as_a_number(self, spec: str, text: str) -> None:
        assert format(unit(30), spec) == text

    def test_is_its_code(self) -> None:
        assert unit(30) == 30
        assert {30: "energy"}[unit(30)] == "energy"
        assert type(unit(30).code) is int
        assert repr(unit(30)) == "Unit(30)"
        assert f"{unit(27):>3}" == "  W"

    def test_one_object_for_each_code(self) -> None:
        assert all(unit(code) is unit(code) is unit(unit(code)) is unit(Unit(code)) for code in range(256))

    def test_copies_and_pickles(self) -> None:
        for twin in (copy.deepcopy(unit(30)), pickle.loads(pickle.dumps(unit(30)))):  # noqa: S301 - own data
            assert twin == unit(30)
            assert type(twin) is Unit


class TestDigits:
    @pytest.mark.parametrize(
        ("raw", "scaler", "digits"),
        [
            (9007199254740993, -1, "900719925474099.3"),
            (18446744073709551615, -1, "1844674407370955161.5"),
            (18446744073709551615, 3, "18446744073709551615000"),
            (-9223372036854775808, -3, "-9223372036854775.808"),
            (0, 0, "0"),
            (0, -1, "0.0"),
            (0, 3, "0"),
            (12340, -1, "1234.0"),
            (12340, -3, "12.340"),
            (5, 3, "5000"),
            (5, -1, "0.5"),
            (-5, -1, "-0.5"),
            (-5, -2, "-0.05"),
            (-15, -1, "-1.5"),
            (-1, -12, "-0.000000000001"),
            (7, 0, "7"),
        ],
    )
    def test_plain_and_exact(self, raw: int, scaler: int, digits: str) -> None:
        assert Quantity(raw, scaler).digits == digits
        assert str(Quantity(raw, scaler)) == digits
        assert Quantity(raw, scaler).decimal == WIDE.create_decimal(digits)

    @given(integers, scalers)
    def test_agree_with_decimal_arithmetic(self, raw: int, scaler: int) -> None:
        expected = WIDE.scaleb(Decimal(raw), Decimal(scaler))
        quantity = Quantity(raw, scaler)
        assert quantity.digits == f"{expected:f}"
        assert quantity.decimal == expected

    @given(integers, scalers)
    def test_agree_with_fractions(self, raw: int, scaler: int) -> None:
        exact = Fraction(raw) * Fraction(10) ** scaler
        quantity = Quantity(raw, scaler)
        assert Fraction(quantity.digits) == Fraction(quantity.decimal) == exact

    @given(integers, scalers)
    def test_no_context_rounds(self, raw: int, scaler: int) -> None:
        with localcontext(Context(prec=1)):
            assert Fraction(Quantity(raw, scaler).decimal) == Fraction(raw) * Fraction(10) ** scaler

    def test_decimal_has_the_exponent_of_the_scaler(self) -> None:
        assert str(Quantity(12340, -1).decimal) == "1234.0"
        assert str(Quantity(5, 3).decimal) == "5000"
        assert Quantity(1, -12).decimal.as_tuple() == (0, (1,), -12)


class TestFloat:
    @given(integers, scalers)
    def test_is_the_nearest_number(self, raw: int, scaler: int) -> None:
        number = float(Quantity(raw, scaler))
        assert isfinite(number)
        assert number == float(Fraction(raw) * Fraction(10) ** scaler)

    def test_rounds_once(self) -> None:
        assert float(Quantity(3, -1)) == 0.3
        assert float(Quantity(2**53 + 1, -1)) == 900719925474099.2  # halfway goes to even


class TestText:
    @pytest.mark.parametrize(
        ("quantity", "text"),
        [
            (Quantity(1234, -1, unit(30)), "123.4 Wh"),
            (Quantity(-5, 0, unit(27)), "-5 W"),
            (Quantity(5, 0, unit(255)), "5"),
            (Quantity(5, 0, unit(0)), "5"),
            (Quantity(5), "5"),
            (Quantity(5, 0, unit(200)), "5 unit 200"),
            (Quantity(2301, -1, unit(13)), "230.1 m³"),
        ],
    )
    def test_shows_digits_and_unit(self, quantity: Quantity, text: str) -> None:
        assert str(quantity) == text
        assert f"{quantity}" == text

    @given(integers, scalers, st.none() | unit_codes.map(unit))
    def test_reads_back(self, raw: int, scaler: int, one: Unit | None) -> None:
        quantity = Quantity(raw, scaler, one)
        again = Quantity.parse(str(quantity))
        assert str(again) == str(quantity)
        assert again.decimal == quantity.decimal
        assert again.scaler == min(scaler, 0)

    def test_reads_the_representation_back(self) -> None:
        assert Quantity.parse("123.4 Wh") == Quantity(1234, -1, unit(30))
        assert Quantity.parse("-0.050") == Quantity(-50, -3)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "Wh",
            "+1",
            "--1",
            "1.",
            ".5",
            "1,5",
            "1e3",
            "1_0",
            " 1",
            "1 ",
            "1  Wh"[:2],
            "1Wh",
            "1\n",
            "٣",
            "1.5.2",
        ],
    )
    def test_no_number(self, text: str) -> None:
        with pytest.raises(DecodeError, match="expected a decimal number") as caught:
            Quantity.parse(text)
        assert caught.value.reason == "quantity_text"

    @pytest.mark.parametrize("text", ["1 kWh", "1  Wh", "1 Wh "])
    def test_no_unit(self, text: str) -> None:
        with pytest.raises(DecodeError) as caught:
            Quantity.parse(text)
        assert caught.value.reason == "unit_text"

    @pytest.mark.parametrize("text", ["1" * 148, "0." + "1" * 129, "1" * 1_000_000])
    def test_longer_than_any_value_on_the_wire(self, text: str) -> None:
        with pytest.raises(DecodeError) as caught:
            Quantity.parse(text)
        assert len(str(caught.value)) < 150


class TestComparison:
    def test_equal_means_written_alike(self) -> None:
        assert Quantity(1, 3) == Quantity(1, 3)
        assert Quantity(1, 3) != Quantity(1000)
        assert Quantity(1, 3).decimal == Quantity(1000).decimal
        assert len({Quantity(1, 3), Quantity(1, 3), Quantity(1000)}) == 2

    @given(integers, scalers, integers, scalers)
    def test_order_is_that_of_the_values(self, raw: int, scaler: int, other_raw: int, other_scaler: int) -> None:
        one, other = Quantity(raw, scaler, unit(30)), Quantity(other_raw, other_scaler, unit(30))
        exact, other_exact = Fraction(one.digits), Fraction(other.digits)
        assert (one < other) == (exact < other_exact)
        assert (one <= other) == (exact <= other_exact)
        assert (one > other) == (exact > other_exact)
        assert (one >= other) == (exact >= other_exact)

    @pytest.mark.parametrize(("one", "other"), [((1, 3), (10000, -1)), ((10000, -1), (1, 3)), ((5, 0), (5, 0))])
    def test_same_value_in_two_ways(self, one: tuple[int, int], other: tuple[int, int]) -> None:
        left, right = Quantity(*one), Quantity(*other)
        assert left <= right
        assert left >= right
        assert not left < right
        assert not left > right

    @pytest.mark.parametrize(("one", "other"), [((1, 0), (2, 0)), ((9999, -1), (1, 3)), ((1, 3), (10001, -1))])
    def test_values_one_step_apart(self, one: tuple[int, int], other: tuple[int, int]) -> None:
        left, right = Quantity(*one), Quantity(*other)
        assert left < right
        assert left <= right
        assert right > left
        assert right >= left
        assert not right < left
        assert not right <= left
        assert not left > right
        assert not left >= right

    def test_other_units_do_not_compare(self) -> None:
        for other in (Quantity(1, 0, unit(27)), Quantity(1)):
            with pytest.raises(TypeError, match="expected quantities of one unit, found Unit\\(30\\) and"):
                _ = Quantity(1, 0, unit(30)) < other

    def test_other_types_do_not_compare(self) -> None:
        one = Quantity(1)
        with pytest.raises(TypeError):
            _ = one < 2  # type: ignore[operator]
        with pytest.raises(TypeError):
            _ = one <= 2  # type: ignore[operator]
        with pytest.raises(TypeError):
            _ = one > 2  # type: ignore[operator]
        with pytest.raises(TypeError):
            _ = one >= 2  # type: ignore[operator]


def test_negation() -> None:
    assert -Quantity(5, -1, unit(27)) == Quantity(-5, -1, unit(27))


def test_quantities_are_values() -> None:
    quantity = Quantity(5)
    assert (quantity.scaler, quantity.unit) == (0, None)
    assert not hasattr(quantity, "__dict__")
    with pytest.raises(FrozenInstanceError):
        quantity.raw = 6  # type: ignore[misc]


def test_quantities_copy_and_pickle() -> None:
    quantity = Quantity(5, -1, unit(27))
    assert pickle.loads(pickle.dumps(quantity)) == copy.deepcopy(quantity) == quantity  # noqa: S301 - own data
