"""Limits: their defaults, and that they refuse what no input could keep."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from e320proto import Limits
from e320proto.limits import DEFAULT_LIMITS

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


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "8", None, b""])
def test_a_limit_is_a_positive_integer(name: str, wrong: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(ValueError, match=rf"^{name}: expected a positive integer, found {wrong!r}$"):
        Limits(**{name: wrong})


@pytest.mark.parametrize("name", NAMES)
def test_the_least_limit_is_1(name: str) -> None:
    assert getattr(Limits(**{name: 1}), name) == 1


def test_limits_are_values() -> None:
    assert hash(Limits(max_depth=8)) == hash(Limits(max_depth=8))
    assert Limits(max_depth=8) != Limits()
    with pytest.raises(FrozenInstanceError):
        DEFAULT_LIMITS.max_depth = 1000  # type: ignore[misc]
