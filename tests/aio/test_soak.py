"""A bad line for long: every undamaged telegram is read, once and in order, and nothing is left behind."""

from __future__ import annotations

import asyncio

import pytest

from tests.aio.soak import Soaked, soak


@pytest.mark.parametrize("seed", [1, 2])
def test_a_noisy_line_that_is_pulled_now_and_then(seed: int) -> None:
    check(asyncio.run(soak(1 / 4, seed)))


def check(soaked: Soaked) -> None:
    assert soaked.sent == 900
    assert soaked.damaged > soaked.sent // 10
    assert soaked.read == soaked.sent - soaked.damaged + soaked.partial
    assert (soaked.wrong, soaked.missing, soaked.dropped) == (0, 0, 0)
    assert soaked.accounted == soaked.octets
    assert soaked.trouble.total() >= soaked.damaged - soaked.cut
    assert soaked.files[0] == soaked.files[1]
    assert soaked.tasks == 0
    early, late = soaked.blocks
    assert late < early + 2_000
