"""Events beside the decoded things: hints for people, and that they are values."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from e320proto import BytesDiscarded, ChecksumError, DecodeError, Malformed, TelegramDecoder, TransportDecoder
from e320proto.events import HINTS
from tests.sml.vectors import Vector, vectors_of

ERROR = DecodeError("bad_escape", "expected a known escape", offset=4)
CHECKSUM = ChecksumError("bad_crc", {"x25": 1}, 2, offset=4)


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"/LGZ5E320-AMxD\r\n", "d0"),
        (b"\r\n/EMH5", "d0"),
        (b"/lgz4", "d0"),
        (b"/LG5", None),
        (b"/LGZX", None),
        (bytes(59) + b"/LGZ5", "d0"),
        (bytes(60) + b"/LGZ5", None),
        (b"1b1b1b1b 01010101 76", "hex_text"),
        (b"1B:1B:1B:1B:01:01:01:01\r\n", "hex_text"),
        (b"1b 1b 1b 1b\t01 01 01 01", "hex_text"),
        (b"1b1b1b1b 01010101 76 and then", None),
        (b"1b" * 32 + b"and then", "hex_text"),
        (b"0x1b 0x1b 0x1b 0x1b", None),
        (b"", None),
        (b"\x1b\x1b", None),
        (bytes(100), None),
    ],
)
def test_hint_of_noise(data: bytes, hint: str | None) -> None:
    assert BytesDiscarded(0, data).hint == hint


@pytest.mark.parametrize(
    ("error", "raw", "hint"),
    [
        (CHECKSUM, bytes(64), "seven_bit"),
        (CHECKSUM, b"\x7f" * 300, "seven_bit"),
        (CHECKSUM, bytes(63), None),
        (CHECKSUM, bytes(63) + b"\x80", None),
        (ERROR, bytes(64), None),
    ],
)
def test_hint_of_a_malformed_frame(error: DecodeError, raw: bytes, hint: str | None) -> None:
    assert Malformed(4, error, raw).hint == hint


def test_every_hint_has_a_sentence() -> None:
    assert set(HINTS) == {"seven_bit", "d0", "hex_text"}
    assert all(HINTS.values())


def test_what_a_malformed_thing_is_of() -> None:
    assert Malformed(4, ERROR, b"").kind == "frame"
    assert Malformed(4, ERROR, b"").partial is None


@pytest.mark.parametrize("decoder", [TransportDecoder, TelegramDecoder])
@pytest.mark.parametrize("vector", vectors_of("stream"), ids=str)
def test_events_compare_and_pickle_by_value(vector: Vector, decoder: Any) -> None:  # noqa: ANN401 - either decoder
    """The same octets give equal events, and events survive the way to another process."""
    one, other = decoder(), decoder()
    events = one.feed(vector.octets) + one.close()
    assert events
    assert events == other.feed(vector.octets) + other.close()
    assert pickle.loads(pickle.dumps(events)) == events  # noqa: S301 - our own octets


def test_events_that_differ() -> None:
    assert BytesDiscarded(0, b"a") == BytesDiscarded(0, b"a")
    assert len({BytesDiscarded(0, b"a"), BytesDiscarded(0, b"b"), BytesDiscarded(1, b"a")}) == 3
    assert len({Malformed(0, ERROR, b"a"), Malformed(0, CHECKSUM, b"a"), Malformed(0, ERROR, b"b")}) == 3
