"""Options: every switch does what it says, and words that mean nothing are refused."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from typing import Any, get_args

import pytest

from e320proto import CrcKind, DecodeOptions, Limits, TelegramDecoder, TransportDecoder, encode_transport
from e320proto.sml import options
from e320proto.sml.options import DEFAULT_OPTIONS
from tests.sml.vectors import vector

WORDS = {
    "frame_crc_kind": options.FrameCrc,
    "message_crc_kind": options.MessageCrcKind,
    "message_crc": options.MessageCrc,
}


def test_defaults_read_every_meter_known() -> None:
    assert DecodeOptions() == DEFAULT_OPTIONS
    assert {field.name: getattr(DEFAULT_OPTIONS, field.name) for field in fields(DEFAULT_OPTIONS)} == {
        "frame_crc_kind": "auto",
        "message_crc_kind": "auto",
        "message_crc": "strict",
        "dzg_sign": True,
        "limits": Limits(),
    }


@pytest.mark.parametrize(("name", "word"), [(name, word) for name, kind in WORDS.items() for word in get_args(kind)])
def test_words_that_mean_something(name: str, word: Any) -> None:  # noqa: ANN401 - a word of that option
    assert getattr(DecodeOptions(**{name: word}), name) == word
    assert TelegramDecoder(DecodeOptions(**{name: word})).feed(b"") == []


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("wrong", ["", "AUTO", "crc32", None, True, 1])
def test_words_that_mean_nothing(name: str, wrong: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(ValueError, match=f"^{name}: expected one of .*, found {wrong!r}$"):
        DecodeOptions(**{name: wrong})


@pytest.mark.parametrize("kind", CrcKind)
def test_kinds_are_words_too(kind: CrcKind) -> None:
    found = DecodeOptions(frame_crc_kind=kind.value, message_crc_kind=kind.value)
    assert found == DecodeOptions(frame_crc_kind=kind, message_crc_kind=kind)


@pytest.mark.parametrize("wrong", [None, {}, Limits, 65_536])
def test_limits_are_limits(wrong: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(ValueError, match=f"^limits: expected Limits, found {re.escape(repr(wrong))}$"):
        DecodeOptions(limits=wrong)


@pytest.mark.parametrize("wrong", [None, 0, 1, "yes"])
def test_a_switch_is_on_or_off(wrong: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(ValueError, match=f"^dzg_sign: expected True or False, found {wrong!r}$"):
        DecodeOptions(dzg_sign=wrong)


@pytest.mark.parametrize("name", [*WORDS, "dzg_sign", "limits"])
def test_hostile_values_make_a_short_error(name: str) -> None:
    for wrong in (10**5000, bytes(5_000_000), "x" * 5_000_000):
        with pytest.raises(ValueError, match=f"^{name}: expected ") as caught:
            DecodeOptions(**{name: wrong})  # type: ignore[arg-type]
        assert len(str(caught.value)) < 200


def test_options_are_values() -> None:
    assert hash(DecodeOptions(dzg_sign=False)) == hash(DecodeOptions(dzg_sign=False))
    with pytest.raises(FrozenInstanceError):
        DEFAULT_OPTIONS.dzg_sign = False  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        ("auto", ["TransportFrame", "TransportFrame"]),
        ("x25", ["Malformed", "TransportFrame"]),
        ("kermit", ["TransportFrame", "Malformed"]),
        ("none", ["TransportFrame", "TransportFrame"]),
    ],
)
def test_frame_checksum_kinds(kind: Any, events: list[str]) -> None:  # noqa: ANN401 - a word of that option
    """A frame of each kind."""
    stream = vector("st-kermit").octets
    decoder = TransportDecoder(DecodeOptions(frame_crc_kind=kind))
    assert [type(event).__name__ for event in decoder.feed(stream) + decoder.close()] == events


def test_corrections_can_be_switched_off() -> None:
    frame = encode_transport(vector("qk-dzg-fix").octets)
    rules = [getattr(TelegramDecoder(DecodeOptions(dzg_sign=on)).feed(frame)[0], "rules", None) for on in (True, False)]
    assert rules == [("dzg_sign",), ()]
