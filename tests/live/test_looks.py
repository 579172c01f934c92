"""What octets look like: made by a UART that is set wrong, or by another protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import encode_transport
from e320proto.live.looks import LEAST, LIGHT_LEAST, Looks, is_doubled, looks_like
from e320proto.sml.transport import START
from tests.live.lines import D0, HDLC, NOISE, P1, PAGE, pushes
from tests.live.uart import INFO, TICKS, Setting, levels, received
from tests.recordings import FILES

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = pushes(4)


def heard(sender: Setting = INFO, port: Setting = INFO, *, inverted: bool = False, late: int = 0) -> bytes:
    """What a port hears of some telegrams."""
    return b"".join(received(levels(frame, sender, inverted=inverted), port, late=late) for frame in FRAMES)


def test_the_uart_itself() -> None:
    assert heard() == b"".join(FRAMES)
    assert heard(Setting(parity=True), Setting(parity=True)) == b"".join(FRAMES)
    assert TICKS % 115_200 == 0


@pytest.mark.parametrize("late", [-3, 0, 3])
@pytest.mark.parametrize(
    ("sender", "port", "looks"),
    [
        (INFO, Setting(19_200), Looks.SLOW_SENDER),
        (INFO, Setting(38_400), Looks.SLOW_SENDER),
        (INFO, Setting(57_600), Looks.SLOW_SENDER),
        (INFO, Setting(115_200), Looks.ZEROS),
        (Setting(4_800), INFO, Looks.SLOW_SENDER),
        (Setting(2_400), INFO, Looks.SLOW_SENDER),
        (Setting(300), INFO, Looks.ZEROS),
        (INFO, Setting(4_800), Looks.FAST_SENDER),
        (Setting(19_200), INFO, Looks.FAST_SENDER),
        (INFO, Setting(2_400), Looks.GARBAGE),
        (Setting(115_200), INFO, Looks.GARBAGE),
        (INFO, Setting(parity=True), Looks.PARITY),
        (INFO, Setting(bits=7), Looks.SEVEN_BIT),
        (INFO, Setting(bits=7, parity=True), Looks.SEVEN_BIT),
    ],
    ids=str,
)
def test_port_that_is_set_wrong(sender: Setting, port: Setting, looks: Looks, late: int) -> None:
    assert looks_like(heard(sender, port, late=late)) is looks


def test_light_and_dark_exchanged() -> None:
    assert looks_like(heard(inverted=True)) is Looks.INVERTED
    assert looks_like(bytes(octet ^ 0xFF for octet in b"".join(FRAMES))) is Looks.INVERTED


@pytest.mark.parametrize("text", [D0, D0.replace(b"\r\n", b"\n"), D0[30:]], ids=["whole", "newlines", "begun late"])
def test_d0(text: bytes) -> None:
    assert looks_like(text) is Looks.D0


def test_d0_with_seven_bits_and_parity() -> None:
    seen = received(levels(D0, Setting(bits=7, parity=True)))
    assert not seen.isascii()
    assert looks_like(seen) is Looks.D0


@pytest.mark.parametrize(
    ("octets", "looks"),
    [
        (P1, Looks.P1),
        (PAGE, Looks.TEXT),
        (b"Debian GNU/Linux 12 gateway ttyS0\r\n\r\ngateway login: \r\ngateway login: \r\n", Looks.TEXT),
        (FRAMES[0].hex().encode(), Looks.HEX_TEXT),
        (FRAMES[0].hex(" ").upper().encode() + b"\r\n", Looks.HEX_TEXT),
        (bytes(LIGHT_LEAST), Looks.ZEROS),
        (bytes(60) + b"\x80\x00\xf0\x00", Looks.ZEROS),
        (b"\xff" * LIGHT_LEAST, Looks.ONES),
        (NOISE, Looks.GARBAGE),
    ],
    ids=["p1", "web", "console", "hex", "spaced hex", "dark", "flicker", "light", "random"],
)
def test_what_is_no_telegram(octets: bytes, looks: Looks) -> None:
    assert looks_like(octets) is looks


def test_hdlc() -> None:
    assert looks_like(b"\xff".join(HDLC)) is Looks.HDLC
    damaged = b"".join(frame[:20] + b"##" + frame[22:] for frame in HDLC)
    assert looks_like(damaged) is Looks.GARBAGE


@pytest.mark.parametrize("count", [0, 1, LIGHT_LEAST - 1])
def test_too_few(count: int) -> None:
    assert looks_like(bytes(count)) is looks_like(b"\xff" * count) is None


def test_a_telegram_that_begins_looks_like_nothing_wrong() -> None:
    for frame in FRAMES:
        tail = frame[-100:]
        for end in range(LIGHT_LEAST, len(frame)):
            assert looks_like(frame[:end]) is None
            assert looks_like(tail + frame[:end]) in {None, Looks.GARBAGE}  # its patience is that of diagnose


@pytest.mark.parametrize("name", FILES)
def test_recordings_begin_and_go_on_without_suspicion(name: str, shared: Path) -> None:
    octets = (shared / "captures" / name).read_bytes()
    for begin in range(0, len(octets), 97):
        for size in (40, 64, 200, 1000):
            assert looks_like(octets[begin : begin + size]) in {None, Looks.GARBAGE}


def test_real_text_of_hex_in_vectors(shared: Path) -> None:
    telegrams = json.loads((shared / "vectors" / "base-meter.json").read_text(encoding="utf-8"))["telegrams"]
    for telegram in telegrams:
        assert looks_like(telegram["hex"].encode()) is Looks.HEX_TEXT


def test_doubled_octets() -> None:
    frame = FRAMES[0]
    assert b"\xff\xff" in frame
    assert is_doubled(frame.replace(b"\xff", b"\xff\xff"))
    assert not is_doubled(frame)
    assert not is_doubled(frame.replace(b"\xff", b"\xff\xff\xff"))
    assert not is_doubled(encode_transport(b"none of them"))


@given(
    st.binary(max_size=5000) | st.builds(lambda part, times: part * times, st.binary(max_size=9), st.integers(0, 999))
)
def test_never_raises(octets: bytes) -> None:
    looks = looks_like(octets)
    assert looks is None or len(octets) >= (LIGHT_LEAST if looks in {Looks.ZEROS, Looks.ONES} else LEAST)
    assert not (looks is Looks.GARBAGE and START in octets)
