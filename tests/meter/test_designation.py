"""Type designations: every position both ways, what is odd in them, and the variants they name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError
from e320proto.meter.designation import Issue, TypeDesignation
from e320proto.meter.modes import Mode
from e320proto.meter.variants import Variant
from tests.meter.vectors import VECTORS

CASES: list[dict[str, Any]] = VECTORS["type_designations"]

GOOD = "E320-AM1D.A1A.A0-S1B-S1"

LISTED = ["A", "M", "13C", "D", "AC", "12345", "A", "AB", "02", "SR", "1", "B"]
"""The values of positions 2 to 13 in the manual's table."""

printable = st.characters(min_codepoint=0x21, max_codepoint=0x7E).filter(lambda letter: not letter.islower())


def text_of(brand: str, letters: list[str], series: str) -> str:
    a = "".join(letters)
    return f"{brand}-{a[:4]}.{a[4:7]}.{a[7:9]}-{a[9:]}-{series}"


def error_of(text: str, *, strict: bool = False) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        TypeDesignation.parse(text, strict=strict)
    assert caught.value.reason == "type_designation"
    return caught.value


@pytest.mark.parametrize("vector", CASES, ids=[case["input"] for case in CASES])
def test_vectors(vector: dict[str, Any]) -> None:
    designation = TypeDesignation.parse(vector["input"])
    assert str(designation) == vector["input"]
    assert [issue._asdict() for issue in designation.issues] == vector["issues"]
    assert designation.mode == vector["mode"]
    assert designation.imax_a == vector["imax_a"]
    if vector["strict_accepts"]:
        assert TypeDesignation.parse(vector["input"], strict=True) == designation
    else:
        unlisted = next(issue for issue in vector["issues"] if issue["kind"] == "unlisted")
        assert error_of(vector["input"], strict=True).path == unlisted["field"]


def test_every_position_is_read() -> None:
    designation = TypeDesignation.parse("E32-AMCD.C5A.B2-R1B-S1")
    assert (designation.brand, designation.product_family, designation.network) == ("E32", "A", "M")
    assert (designation.maximum_current, designation.voltage) == ("C", "D")
    assert (designation.measurement, designation.measurement_mode, designation.additional_quantities) == ("C", "5", "A")
    assert (designation.accuracy_active, designation.accuracy_reactive) == ("B", "2")
    assert (designation.billing_kind, designation.tariffs, designation.lmn_interface) == ("R", "1", "B")
    assert designation.hardware_series == "S1"
    assert designation.issues == ()
    assert None not in designation.meanings.values()


def test_the_lmn_interface_of_the_manual_s_example_has_no_meaning() -> None:
    designation = TypeDesignation.parse("E32-AM1D.A3A.A0-S10-S1")
    assert designation.lmn is None
    assert TypeDesignation.parse(GOOD).lmn == "wired RS-485, 2 x RJ-12"


@pytest.mark.parametrize("position", range(2, 14))
def test_an_unlisted_value_is_an_issue_of_its_position(position: int) -> None:
    letters = list("AM1DA1AA0S1B")
    letters[position - 2] = "Z"
    designation = TypeDesignation.parse(text_of("E320", letters, "S1"))
    unlisted = [issue for issue in designation.issues if issue.kind == "unlisted"]
    assert [(issue.position, issue.value) for issue in unlisted] == [(position, "Z")]
    assert designation.meanings[unlisted[0].field] is None
    error = error_of(str(designation), strict=True)
    assert error.path == unlisted[0].field
    assert f"position {position}" in error.detail
    assert "'Z'" in error.detail


def test_another_hardware_series_is_an_issue() -> None:
    designation = TypeDesignation.parse("E320-AM1D.A1A.A0-S1B-S12")
    assert designation.issues == (Issue(14, "hardware_series", "S12", "unlisted"),)
    assert str(designation).endswith("-S12")


@pytest.mark.parametrize(
    ("text", "issues"),
    [
        ("E320-AM1D.A1A.A2-S1B-S1", [(10, "accuracy_reactive", "2")]),
        ("E320-AM1D.C1A.A0-S1B-S1", [(10, "accuracy_reactive", "0")]),
        ("E320-AM1D.A5A.A2-S1B-S1", [(6, "measurement", "A"), (10, "accuracy_reactive", "2")]),
        ("E320-AM1D.C5A.A2-S1B-S1", []),
    ],
)
def test_contradictions_are_reported_and_never_refused(text: str, issues: list[tuple[int, str, str]]) -> None:
    designation = TypeDesignation.parse(text, strict=True)
    assert designation.issues == tuple(Issue(*issue, "conflict") for issue in issues)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E320",
        "E330-AM1D.A1A.A0-S1B-S1",
        "E320-AM1D.A1A.A0-S1B",
        "E320-AM1D.A1A.A0-S1B-",
        "E320-AM1D.A1A.A0-S1B-S",
        "E320-AM1D.A1A.A0-S1B-S1X",
        "E320-AM1DA1A.A0-S1B-S1",
        "E320-AM1D.A1A.A0-S1B-S\u0661",
        "E320-\u00c4M1D.A1A.A0-S1B-S1",
        "E320-AM1D.A1A.A0-S1B-\u017f1",
        "E320-AM\t D.A1A.A0-S1B-S1",
        "E320-AM1D.A1A.A0-S1B-S1\n",
        "x" * 100_000,
    ],
)
def test_text_of_another_shape_is_refused(text: str) -> None:
    error = error_of(text)
    assert "E320-AM1D.A1A.A0-S1B-S1" in error.detail
    assert "found" in error.detail
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("field", "value"), [("brand", "E33"), ("voltage", ""), ("voltage", "DD"), ("voltage", "d"), ("voltage", " ")]
)
def test_the_constructor_takes_only_what_can_be_read_again(field: str, value: str) -> None:
    good = TypeDesignation.parse(GOOD)
    values = {name: getattr(good, name) for name in good.meanings} | {field: value}
    with pytest.raises(DecodeError) as caught:
        TypeDesignation(**values)
    assert caught.value.path == field


@given(
    st.sampled_from(["E32", "E320"]),
    st.tuples(*(st.sampled_from(values) for values in LISTED)).map(list),
    st.just("S1"),
)
def test_all_listed_values_go_both_ways(brand: str, letters: list[str], series: str) -> None:
    text = text_of(brand, letters, series)
    designation = TypeDesignation.parse(text, strict=True)
    assert str(designation) == text
    assert TypeDesignation.parse(str(designation)) == designation
    assert designation.mode in set(Mode)
    assert designation.variant is not None
    assert designation.start_limit_a is not None
    assert all(issue.kind == "conflict" for issue in designation.issues)


@given(
    st.sampled_from(["E32", "E320"]), st.lists(printable, min_size=12, max_size=12), st.from_regex(r"\AS[0-9]{1,9}\Z")
)
def test_any_value_is_printed_as_read(brand: str, letters: list[str], series: str) -> None:
    text = text_of(brand, letters, series)
    assert str(TypeDesignation.parse(text)) == text
    assert TypeDesignation.parse(" ".join(text.lower())) == TypeDesignation.parse(text)


@pytest.mark.parametrize(
    ("text", "variant", "limit_a"),
    [
        ("E320-AM1D.A1A.A0-S1B-S1", Variant.DIRECT_60A, 0.025),
        ("E320-AM1D.A1A.B0-S1B-S1", Variant.DIRECT_60A, 0.020),
        ("E320-AM3D.A1A.A0-S1B-S1", Variant.DIRECT_100A, 0.025),
        ("E320-AMCD.A1A.A0-S1B-S1", Variant.TRANSFORMER, 0.003),
        ("E320-AMCD.A1A.B0-S1B-S1", Variant.TRANSFORMER, 0.002),
        ("E320-AMCD.A1A.C0-S1B-S1", Variant.TRANSFORMER, None),
        ("E320-AM2D.A1A.A0-S1B-S1", None, None),
    ],
)
def test_variant_and_starting_limit(text: str, variant: Variant | None, limit_a: float | None) -> None:
    designation = TypeDesignation.parse(text)
    assert designation.variant is variant
    assert designation.start_limit_a == limit_a


@pytest.mark.parametrize(
    ("variant", "current", "wire_max_mm", "circuit", "itr_a", "start_current_a", "pulse_constant"),
    [
        (Variant.DIRECT_60A, "0.25-5(60) A", 7.0, "4000", 0.5, 0.010, 10_000),
        (Variant.DIRECT_100A, "0.25-5(100) A", 9.5, "4000", 0.5, 0.010, 5_000),
        (Variant.TRANSFORMER, "0.05-1(6) A", 5.5, "4010", 0.05, 0.001, 100_000),
    ],
)
def test_ratings(
    variant: Variant,
    current: str,
    wire_max_mm: float,
    circuit: str,
    itr_a: float,
    start_current_a: float,
    pulse_constant: int,
) -> None:
    ratings = variant.ratings
    assert ratings.current == current
    assert (ratings.wire_min_mm, ratings.wire_max_mm, ratings.circuit) == (1.5, wire_max_mm, circuit)
    assert (ratings.itr_a, ratings.start_current_a, ratings.pulse_constant) == (itr_a, start_current_a, pulse_constant)
    assert ratings.type_start == f"AM{variant.code}D"
    # The meter counts earlier than each class asks for.
    assert ratings.start_current_a < min(ratings.start_limits_a.values())


def test_an_issue_says_where_and_what() -> None:
    (issue,) = TypeDesignation.parse("E320-AM1D.A5A.A0-S1B-S1").issues
    assert str(issue) == "position 6 (measurement): 'A' contradicts another position"
