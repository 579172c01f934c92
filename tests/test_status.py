"""Status words: layouts, flags, text."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.status import EdlFlag, FnnFlag, Status, StatusLayout, status

if TYPE_CHECKING:
    from pathlib import Path

VOLTAGES = ("voltage_l1", "voltage_l2", "voltage_l3")
FNN_NAMES = {
    8: "started",
    9: "magnetic_influence",
    10: "cover_opened",
    11: "sum_export",
    12: "l1_export",
    13: "l2_export",
    14: "l3_export",
    15: "wrong_rotating_field",
    16: "return_stop_active",
    17: "fatal_error",
    18: "voltage_l1",
    19: "voltage_l2",
    20: "voltage_l3",
}
EDL_NAMES = {
    0: "fault",
    1: "synchronous",
    3: "clock_synchronous",
    4: "return_stop",
    5: "export",
    6: "magnet",
    7: "identification",
}


@pytest.fixture(scope="module")
def vectors(shared: Path) -> Any:  # noqa: ANN401 - the shape of the file is what the tests are about
    return json.loads((shared / "vectors" / "base-meter.json").read_text(encoding="utf-8"))["status_words"]


def test_vectors_of_bits(vectors: Any) -> None:  # noqa: ANN401 - see the fixture
    assert {entry["bit"]: entry["name"] for entry in vectors["bits"]} == FNN_NAMES


def test_vectors_of_fnn_words(vectors: Any) -> None:  # noqa: ANN401 - see the fixture
    assert vectors["fnn"]
    for case in vectors["fnn"]:
        word = Status(case["value"], 4)
        assert word.layout is StatusLayout.FNN, case
        assert word.hex == case["hex"]
        assert word.names == tuple(case["set"])
        assert word.exporting is ("sum_export" in case["set"])


def test_vectors_of_other_words(vectors: Any) -> None:  # noqa: ANN401 - see the fixture
    assert vectors["not_fnn"]
    for case in vectors["not_fnn"]:
        word = Status(case["value"], 4)
        assert word.layout is not StatusLayout.FNN, case
        assert word.exporting is case.get("edl_bit5_export")


@pytest.mark.parametrize(("bit", "name"), FNN_NAMES.items())
def test_each_fnn_bit(bit: int, name: str) -> None:
    word = Status(4 | 1 << bit, 4)
    assert word.layout is StatusLayout.FNN
    assert word.names == (name,)
    assert word.flags == FnnFlag[name.upper()] == 1 << bit
    assert word.exporting is (name == "sum_export")
    assert word.unnamed_bits == 0


@pytest.mark.parametrize(("bit", "name"), EDL_NAMES.items())
def test_each_edl_bit(bit: int, name: str) -> None:
    word = Status(0x80 | 1 << bit, 1)
    assert word.layout is StatusLayout.EDL
    assert word.names == ((name,) if bit == 7 else (name, "identification"))
    assert word.flags == EdlFlag[name.upper()] | EdlFlag.IDENTIFICATION
    assert word.exporting is (name == "export")


def test_all_flags_are_listed() -> None:
    assert {flag.value.bit_length() - 1: str(flag.name).lower() for flag in FnnFlag} == FNN_NAMES
    assert {flag.value.bit_length() - 1: str(flag.name).lower() for flag in EdlFlag} == EDL_NAMES


@pytest.mark.parametrize(
    ("value", "width", "names", "exporting"),
    [
        (0x1C0104, 4, ("started", *VOLTAGES), False),
        (0x1C0104, 3, ("started", *VOLTAGES), False),
        (0x1C7904, 4, ("started", "sum_export", "l1_export", "l2_export", "l3_export", *VOLTAGES), True),
        (0x1C1104, 4, ("started", "l1_export", *VOLTAGES), False),
        (0x1C0004, 4, VOLTAGES, False),
        (0x040104, 3, ("started", "voltage_l1"), False),
        (0x1E0104, 8, ("started", "fatal_error", *VOLTAGES), False),
        (0x000004, 1, (), False),
    ],
)
def test_fnn_words(value: int, width: int, names: tuple[str, ...], *, exporting: bool) -> None:
    word = Status(value, width)
    assert (word.layout, word.names, word.exporting) == (StatusLayout.FNN, names, exporting)


@pytest.mark.parametrize(
    ("value", "names", "unnamed", "exporting"),
    [
        (0x82, ("synchronous", "identification"), 0, False),
        (0xA2, ("synchronous", "export", "identification"), 0, True),
        (0x80, ("identification",), 0, False),
        (0x0182, ("synchronous", "identification"), 0x100, False),
        (0x01B0, ("return_stop", "export", "identification"), 0x100, True),
        (0x0101A2, ("synchronous", "export", "identification"), 0x10100, True),
        (0x84, ("identification",), 0x4, False),
        (1 << 63 | 0xA0, ("export", "identification"), 1 << 63, True),
    ],
)
def test_edl_words(value: int, names: tuple[str, ...], unnamed: int, *, exporting: bool) -> None:
    word = Status(value, 8)
    assert word.layout is StatusLayout.EDL
    assert (word.names, word.unnamed_bits, word.exporting) == (names, unnamed, exporting)


@pytest.mark.parametrize("value", [0, 0x40, 0x5C0104, 0x811C0104, 1 << 32 | 0x1C0104, 0x24, 1 << 63])
def test_unknown_words_stay_numbers(value: int) -> None:
    word = Status(value, 8)
    assert word.layout is StatusLayout.UNKNOWN
    assert (word.flags, word.exporting, word.names) == (None, None, ())
    assert word.unnamed_bits == value


@pytest.mark.parametrize("bit", [0, 1, 3, 4, 5, 6, *range(21, 64)])
def test_a_reserved_bit_makes_no_fnn_word(bit: int) -> None:
    assert Status(0x1C0104 | 1 << bit, 8).layout is StatusLayout.UNKNOWN


@given(st.integers(min_value=0, max_value=2**64 - 1), st.integers(min_value=1, max_value=8))
def test_no_word_is_refused_and_no_bit_lost(value: int, width: int) -> None:
    word = Status(value, width)
    mark = 0x04 if word.layout is StatusLayout.FNN else 0
    assert int(word.flags or 0) | word.unnamed_bits | mark == value
    assert int(word.hex, 16) == value
    assert str(word).startswith(f"{word.hex} ({word.layout.value}")


def test_flags_remember_a_bounded_number_of_values() -> None:
    known = len(EdlFlag._value2member_map_)
    for extra in range(2000):
        assert Status(extra << 8 | 0xA2, 4).flags == EdlFlag(0xA2)
    assert len(EdlFlag._value2member_map_) <= known + 1


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (0x1C0104, 4, "001c0104 (fnn: started, voltage_l1, voltage_l2, voltage_l3)"),
        (0x1C0104, 3, "1c0104 (fnn: started, voltage_l1, voltage_l2, voltage_l3)"),
        (0x04, 4, "00000004 (fnn)"),
        (0x0182, 2, "0182 (edl: synchronous, identification)"),
        (0x80, 3, "000080 (edl: identification)"),
        (0, 1, "00 (unknown)"),
    ],
)
def test_text(value: int, width: int, text: str) -> None:
    assert str(Status(value, width)) == text


def test_width_is_part_of_the_value() -> None:
    assert Status(0x82, 1) != Status(0x82, 2)


def test_is_a_value() -> None:
    word = Status(0x82, 1)
    assert not hasattr(word, "__dict__")
    with pytest.raises(FrozenInstanceError):
        word.value = 6  # type: ignore[misc]


def test_cached_constructor_shares() -> None:
    assert status(0x1C0104, 4) is status(0x1C0104, 4) == Status(0x1C0104, 4)
    assert status.cache_info().maxsize == 1024


def test_pickles() -> None:
    word = Status(0x1C0104, 4)
    assert pickle.loads(pickle.dumps(word)) == word  # noqa: S301 - own data
