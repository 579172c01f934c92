"""What both ends of a connection share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import LocalProtocolError
from e320proto.hdlc import Parameters, encode_frame
from e320proto.lmn.link import SELECTORS, STREAM_SELECTORS, SendQueue, frame_octets, limits_block, lowered, told_limits
from tests.lmn.dialogues import from_gateway


@pytest.mark.parametrize("octets", [0, 1, 2036])
def test_octets_of_a_frame(octets: int) -> None:
    frame = from_gateway("I 0 0", bytes(octets))
    assert frame_octets(frame) == len(encode_frame(frame))


def test_every_stream_is_a_selector() -> None:
    assert STREAM_SELECTORS < SELECTORS


def test_block() -> None:
    assert told_limits(limits_block(254, 2036)) == Parameters(254, 2036, 1, 1)
    assert told_limits(b"") == told_limits(b"\x81") == Parameters()
    assert (lowered(10, None), lowered(10, 0), lowered(10, 9), lowered(10, 11)) == (10, 10, 9, 10)


@given(st.lists(st.tuples(st.binary(max_size=50), st.booleans())), st.integers(1, 20), st.booleans())
def test_the_queue_cuts_and_marks(messages: list[tuple[bytes, bool]], octets_max: int, marked: bool) -> None:  # noqa: FBT001 - drawn
    queue = SendQueue(10_000)
    for data, more in messages:
        queue.put(data, more=more, state="READY")
    pieces = []
    while queue:
        pieces.append(queue.take(octets_max, marked=marked))
    assert b"".join(data for data, _ in pieces) == b"".join(data for data, _ in messages)
    assert all(0 < len(data) <= octets_max for data, _ in pieces)
    ends = [not mark for _, mark in pieces]
    assert sum(ends) == (sum(bool(data) and not more for data, more in messages) if marked else len(pieces))


def test_the_queue_counts_what_is_in_it() -> None:
    queue = SendQueue(10)
    queue.put(bytes(10), more=False, state="READY")
    with pytest.raises(LocalProtocolError) as caught:
        queue.put(b"x", more=False, state="READY")
    assert caught.value == LocalProtocolError(
        "send_queue_full", state="READY", expected="at most 10 octets to send", actual="11 octets"
    )
    queue.take(4, marked=False)
    queue.put(bytes(4), more=False, state="READY")
    queue.clear()
    assert not queue
    queue.put(bytes(10), more=False, state="READY")
