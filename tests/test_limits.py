"""Limits: their defaults, and that they refuse what no input could keep."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from e320proto import CrcKind, DecodeError, DecodeOptions, LimitError, Limits, Malformed, read_messages
from e320proto.limits import DEFAULT_LIMITS
from e320proto.schema.primitives import read_header

NAMES = [field.name for field in fields(Limits)]


def test_defaults() -> None:
    assert {name: getattr(Limits(), name) for name in NAMES} == {
        "max_frame": 65_536,
        "max_depth": 32,
        "max_list": 4_096,
        "max_octets": 16_384,
        "max_tl_octets": 8,
        "max_resync": 16,
        "noise_block": 4_096,
    }
    assert Limits() == DEFAULT_LIMITS


RANGES = {
    "max_frame": (16, None),
    "max_depth": (1, 100),
    "max_list": (1, None),
    "max_octets": (1, None),
    "max_tl_octets": (1, 16),
    "max_resync": (1, None),
    "noise_block": (1, None),
}


def expected(name: str) -> str:
    least, most = RANGES[name]
    return f"of at least {least}" if most is None else f"from {least} to {most}"


def test_every_limit_has_a_range() -> None:
    assert list(RANGES) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [0, -1, 1.5, 32.0, "8", None, b"", True, False])
def test_a_limit_is_a_positive_integer(name: str, wrong: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(ValueError, match=rf"^{name}: expected an integer {expected(name)}, found {wrong!r}$"):
        Limits(**{name: wrong})


@pytest.mark.parametrize("name", NAMES)
def test_edges_of_the_ranges(name: str) -> None:
    least, most = RANGES[name]
    assert getattr(Limits(**{name: least}), name) == least
    outside = [least - 1]
    if most is None:
        assert getattr(Limits(**{name: 10**5000}), name) == 10**5000
    else:
        assert getattr(Limits(**{name: most}), name) == most
        outside.append(most + 1)
    for wrong in outside:
        with pytest.raises(ValueError, match=rf"^{name}: expected an integer {expected(name)}, found {wrong}$"):
            Limits(**{name: wrong})


@pytest.mark.parametrize("number", [10**5000, -(10**5000)], ids=["high", "low"])
def test_a_number_too_long_to_show(number: int) -> None:
    with pytest.raises(ValueError, match=r"^max_depth: expected an integer from 1 to 100, found one of 16610 bits$"):
        Limits(max_depth=number)


def test_the_greatest_depth_can_be_read() -> None:
    """The typed reader meets the limit before Python's own, and so does the reader of untyped trees."""
    tree = bytes.fromhex("73010101")
    for _ in range(48):
        tree = bytes.fromhex("73010171") + tree
    options = DecodeOptions(limits=Limits(max_depth=100))
    for around, reason in ((tree, ""), (bytes.fromhex("73010171") + tree, "too_deep")):
        octets = bytes.fromhex("7602016200620072630501" + "73" + "01" + "7101") + around
        octets += b"\x63" + CrcKind.X25.wire(octets).to_bytes(2) + b"\0"
        (item,) = read_messages(octets, options)
        assert isinstance(item, Malformed) == bool(reason)
        if isinstance(item, Malformed):
            assert isinstance(item.error, LimitError)
            assert (item.error.limit, item.error.actual) == ("max_depth", 101)


def test_the_longest_tl_field_is_a_length_of_64_bits() -> None:
    octets = b"\xff" + b"\x8f" * 14 + b"\x0f"
    with pytest.raises(DecodeError, match=f"expected {2**64 - 1} elements, found 0 octets"):
        read_tl_of(octets)
    with pytest.raises(LimitError, match=r"expected at most 16 \(max_tl_octets\), found 17"):
        read_tl_of(b"\xff" + b"\x8f" * 15 + b"\x0f")


def read_tl_of(octets: bytes) -> None:
    read_header(octets, 0, 0, Limits(max_tl_octets=16), set())


def test_limits_are_values() -> None:
    assert hash(Limits(max_depth=8)) == hash(Limits(max_depth=8))
    assert Limits(max_depth=8) != Limits()
    with pytest.raises(FrozenInstanceError):
        DEFAULT_LIMITS.max_depth = 1000  # type: ignore[misc]
