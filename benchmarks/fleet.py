"""Streams of many meters, and streams made to hurt: made with fixed seeds, so every run has the same octets."""

from __future__ import annotations

import random
from dataclasses import replace

from benchmarks.streams import AMPERE, DEGREE, HERTZ, VOLT, WATT, WH, Register, Shape, Stream
from e320proto import encode_file, encode_transport
from e320proto.sml.messages import Integer, Unsigned

MODELS = 20
SHORTENED = 4
"""Models that send their numbers in as few octets as they need."""
EARLY = (6, 13)
"""Models whose telegrams have bare times."""
DAMAGED = 0.01
_SEED = 320
_ENERGIES = ("010800", "010801", "010802", "020800", "020801", "020802")
_POWERS = ("100700", "240700", "380700", "4c0700", "0f0700")
_OTHERS = {
    VOLT: ("200700", "340700", "480700"),
    AMPERE: ("1f0700", "330700", "470700"),
    DEGREE: ("510701", "510702", "510704", "51070f", "51071a"),
    HERTZ: ("0e0700",),
}


def models(count: int = MODELS) -> list[Shape]:
    """Kinds of meters that differ in their registers, widths and texts."""
    chance = random.Random(_SEED)  # noqa: S311 - the same octets in every run
    return [_model(number, chance, shortened=number < SHORTENED) for number in range(count)]


def _model(number: int, chance: random.Random, *, shortened: bool) -> Shape:
    registers = [
        Register(
            f"0100{code}ff",
            WH,
            -1,
            Unsigned,
            None if shortened else chance.choice((5, 8)),
            chance.randrange(1 << 28),
            chance.randrange(1, 9),
            Unsigned(0x001C0104, 4) if at == 0 else None,
            timed=chance.random() < 0.5,  # noqa: PLR2004 - half of them
        )
        for at, code in enumerate(_ENERGIES[: chance.randrange(1, 7)])
    ]
    registers += [
        Register(
            f"0100{code}ff",
            WATT,
            chance.choice((0, -1)),
            Integer,
            None if shortened else 4,
            chance.randrange(-200, 200),
            7,
        )
        for code in _POWERS[: chance.randrange(1, 6)]
    ]
    for unit, codes in _OTHERS.items():
        if chance.random() < 0.4:  # noqa: PLR2004 - some
            registers += [
                Register(f"0100{code}ff", unit, -1, Unsigned, None if shortened else 4, chance.randrange(2_300), 3)
                for code in codes
            ]
    texts = (("0100605a0201", bytes(chance.choices(b"0123456789ABCDEF", k=4 + number % 5))),)
    return Shape(f"model {number}", "0a014c475a0000000000", tuple(registers), texts, early=number in EARLY)


def many_meters(meters: int, name: str = "", *, damaged: float = 0) -> Stream:
    """One telegram of each of so many meters, their models in turn; some of the frames with a flipped bit.

    Each meter has its own id, counter and time. Damage is inside of the payload.
    """
    chance = random.Random(_SEED + 1)  # noqa: S311 - the same octets in every run
    kinds = models()
    frames: list[bytes] = []
    lost = 0
    for number in range(meters):
        shape = replace(kinds[number % MODELS], server_id=f"0a014c475a{number:010x}")
        frame = bytearray(_frame(shape, number))
        if chance.random() < damaged:
            frame[chance.randrange(16, len(frame) - 16)] ^= 1 << chance.randrange(8)
            lost += 1
        frames.append(bytes(frame))
    return Stream(name or f"{meters:,} meters of {MODELS} models", b"".join(frames), meters - lost)


def shortened(count: int) -> Stream:
    """Telegrams of one meter that sends numbers in as few octets as they need; three powers jump between sizes."""
    return _shortened("shortened integers", count, powers=3, energies=2)


def shortened_at_random(count: int) -> Stream:
    """The same with seven numbers that jump, in 2,187 forms."""
    return _shortened("shortened integers, all jump", count, powers=7, energies=0)


def _shortened(name: str, count: int, *, powers: int, energies: int) -> Stream:
    chance = random.Random(_SEED + 2)  # noqa: S311 - the same octets in every run
    frames = []
    for number in range(count):
        slow = [Register(f"0100{code}ff", WH, -1, Unsigned, None, 12_345_678, 3) for code in _ENERGIES[:energies]]
        fast = [
            Register(f"0100{at:02x}0700ff", WATT, -1, Integer, None, chance.choice((90, 9_000, 900_000)), 0)
            for at in range(1, powers + 1)
        ]
        frames.append(_frame(Shape("shortened", "0a014c475a0000bc614e", (*slow, *fast)), number))
    return Stream(name, b"".join(frames), count)


def unlike(count: int) -> Stream:
    """Telegrams none of which has the form of another: other registers, widths, texts and lengths each time."""
    chance = random.Random(_SEED + 3)  # noqa: S311 - the same octets in every run
    frames = []
    for number in range(count):
        registers = tuple(
            Register(
                f"0100{chance.randrange(1 << 24):06x}ff",
                chance.randrange(1, 60),
                chance.randrange(-9, 9),
                chance.choice((Integer, Unsigned)),
                chance.randrange(4, 9),
                chance.randrange(1 << 31),
                0,
                timed=chance.random() < 0.5,  # noqa: PLR2004 - half of them
            )
            for _ in range(chance.randrange(2, 12))
        )
        texts = (("0100605a0201", chance.randbytes(chance.randrange(1, 40))),)
        frames.append(_frame(Shape("unlike", chance.randbytes(10).hex(), registers, texts), number))
    return Stream("nothing repeats, other lengths", b"".join(frames), count)


def alike(count: int) -> Stream:
    """Telegrams that look like each other and are not: the same length, one register with another code each time."""
    chance = random.Random(_SEED + 4)  # noqa: S311 - the same octets in every run
    frames = []
    for number in range(count):
        registers = tuple(
            Register(f"0100{code:06x}ff", WH, -1, Unsigned, 8, 12_345_678, 1)
            for code in (0x010800, 0x020800, 0x100000 + chance.randrange(1 << 16) * 16 + number % 16)
        )
        frames.append(_frame(Shape("alike", "0a014c475a0000bc614e", registers), number))
    return Stream("nothing repeats, one length", b"".join(frames), count)


def _frame(shape: Shape, number: int) -> bytes:
    return encode_transport(encode_file(shape.messages(number)))
