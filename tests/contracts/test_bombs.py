"""Few octets that announce much: refused at once, without the memory they ask for."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from e320proto import (
    DecodeError,
    DecodeOptions,
    LimitError,
    Limits,
    Malformed,
    Telegram,
    TelegramDecoder,
    TransportDecoder,
    decode_file,
    encode_transport,
    read_messages,
)
from tests.contracts.pushes import FRAME
from tests.sml.vectors import vector

if TYPE_CHECKING:
    from collections.abc import Callable

MEBIBYTE = 1 << 20
HEAD = bytes.fromhex("7602016200620072630b00")
"""A message up to the body of a type without a model."""

BODIES = {
    "lists in lists": b"\x71" * 60_000,
    "wide lists in lists": b"\x7f" * 60_000,
    "lists of 4095 in lists": b"\xff\x8f\x0f" * 20_000,
    "list of 2**32 - 1": b"\xff\x8f\x8f\x8f\x8f\x8f\x8f\x0f",
    "list of as many as octets are left": b"\xf0\x8e\x8a\x86\x00" + b"\x01" * 60_000,
    "octets 2**32 - 1": b"\x8f\x8f\x8f\x8f\x8f\x8f\x8f\x0f",
    "octets beyond the limit": b"\x80\x84\x80\x80\x06" + bytes(20_000),
    "endless TL field": b"\x8f" * 60_000,
    "endless TL field of a list": b"\xff" * 60_000,
    "integer of 2**32 - 1": b"\xdf\x8f\x8f\x8f\x8f\x8f\x8f\x0f",
}
every_bomb = pytest.mark.parametrize("payload", [HEAD + body for body in BODIES.values()], ids=BODIES)


def peak(action: Callable[[], object]) -> int:
    """Most octets held at any moment while something is done, beyond those held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        action()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_the_measurement_sees_memory() -> None:
    assert peak(lambda: bytes(2 * MEBIBYTE)) >= 2 * MEBIBYTE


@every_bomb
def test_bomb_in_a_file(payload: bytes) -> None:
    def refuse() -> None:
        with pytest.raises(DecodeError) as caught:
            decode_file(payload)
        assert caught.value.reason in {
            "too_deep",
            "too_many_elements",
            "too_many_octets",
            "tl_too_long",
            "truncated",
            "integer_width",
        }
        assert len(list(read_messages(payload))) == 1

    assert peak(refuse) < MEBIBYTE


@every_bomb
def test_bomb_in_a_frame(payload: bytes) -> None:
    stream = encode_transport(payload) + FRAME

    def refuse() -> None:
        decoder = TelegramDecoder()
        malformed, telegram = decoder.feed(stream) + decoder.close()
        assert isinstance(malformed, Malformed)
        assert isinstance(telegram, Telegram)

    assert peak(refuse) < MEBIBYTE


@every_bomb
def test_bomb_after_bomb_in_one_file(payload: bytes) -> None:
    """Each looks like a message, so reading would go on at the next; how often is limited."""
    payload = (payload[:2_000] + b"\0") * 30
    items = list(read_messages(payload))
    assert all(isinstance(item, Malformed) for item in items)
    assert b"".join(item.raw for item in items if isinstance(item, Malformed)) == payload


def test_places_to_go_on_are_tried_a_few_times_only() -> None:
    """Behind the fault each 00 76 could be a message; the good one comes after more of them than are tried."""
    fault, good = bytes.fromhex("7602"), bytes.fromhex("7605000000046200620072630200710163921c00")
    for tries in range(1, 17):
        payload = fault + b"\x00\x76" * 15 + b"\x00" + good
        items = list(read_messages(payload, DecodeOptions(limits=Limits(max_resync=tries))))
        assert len(items) == (2 if tries == 16 else 1)
    assert len(list(read_messages(payload))) == 2


def test_depth_of_the_vector() -> None:
    payload = HEAD + vector("el-depth-32").octets
    with pytest.raises(LimitError) as caught:
        decode_file(payload)
    assert (caught.value.limit, caught.value.maximum, caught.value.actual) == ("max_depth", 32, 33)
    # The message and its body are lists too.
    assert caught.value.offset == len(HEAD) + 30


def test_stream_of_bombs_is_not_kept() -> None:
    """Starts without ends, escapes without meaning and endless bodies, a megabyte of them."""
    pieces = [b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" * 100, b"\x1b\x1b\x1b\x1b\x05" * 100, b"\x1b" * 1000, bytes(70_000)]
    decoder = TransportDecoder()

    def feed() -> None:
        for _ in range(15):
            for piece in pieces:
                decoder.feed(piece)
                assert decoder.buffered <= 65_544

    assert peak(feed) < MEBIBYTE
