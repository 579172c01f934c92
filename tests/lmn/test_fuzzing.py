"""The targets of the fuzzer take what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lmn.fuzzing import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

INPUTS = [b"", b"\0", bytes(range(256)) * 4, bytes.fromhex("7EA00988070207936B957E") * 3]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("data", INPUTS, ids=len)
def test_targets(target: Callable[[bytes], None], data: bytes) -> None:
    target(data)
