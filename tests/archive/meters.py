"""Pushes of made-up meters, with everything that tells meters apart."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from e320proto import (
    CrcKind,
    GetListRes,
    Integer,
    ListEntry,
    Message,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Timestamp,
    Unsigned,
    encode_file,
    encode_transport,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from e320proto.sml.messages import MessageBody, Time

    Number = Callable[[int], int]

LGZ = bytes.fromhex("0a014c475a0000bc614e")
DZG = bytes.fromhex("0a01445a47000282220e")  # number 42,082,830: of the time of the sign fault
ENERGY = bytes.fromhex("0100010800ff")
EXPORT = bytes.fromhex("0100020800ff")
POWER = bytes.fromhex("0100100700ff")
POWER_L1 = bytes.fromhex("0100240700ff")
SERVER = bytes.fromhex("0100600100ff")
KEY = bytes.fromhex("8181c78205ff")
RUNNING = 0x1C0104
EXPORTING = 0x1C7904


def messages(
    number: int,
    entries: Iterable[ListEntry],
    server_id: bytes = LGZ,
    time: Time | None = None,
    kind: CrcKind = CrcKind.X25,
) -> list[Message]:
    """Telegram ``number`` of a meter: ids and times count with it."""
    now = SecIndex(80_000 + number) if time is None else time
    bodies: tuple[MessageBody, ...] = (
        PublicOpenRes(client_id=b"\xff" * 6, req_file_id=number.to_bytes(4), server_id=server_id, ref_time=now),
        GetListRes(server_id=server_id, act_sensor_time=now, val_list=tuple(entries)),
        PublicCloseRes(),
    )
    return [
        Message(transaction_id=(3 * number + at).to_bytes(4), message_body=body, crc16=kind)
        for at, body in enumerate(bodies)
    ]


def frame(
    number: int,
    entries: Iterable[ListEntry],
    server_id: bytes = LGZ,
    time: Time | None = None,
    kind: CrcKind = CrcKind.X25,
) -> bytes:
    """The same as a frame."""
    return encode_transport(encode_file(messages(number, entries, server_id, time, kind)), kind)


def usual(number: int, power: int | None = None, width: int = 4) -> tuple[ListEntry, ...]:
    """Id, two energies, and a power that changes its sign."""
    now = SecIndex(80_000 + number)
    value = (number * 37) % 400 - 200 if power is None else power
    return (
        ListEntry(obj_name=SERVER, value=LGZ),
        ListEntry(
            obj_name=ENERGY,
            status=Unsigned(RUNNING, 4),
            val_time=now,
            unit=30,
            scaler=-1,
            value=Unsigned(1_234_567 + 3 * number, 8),
        ),
        ListEntry(obj_name=EXPORT, val_time=now, unit=30, scaler=-1, value=Unsigned(number * 70_001, 8)),
        ListEntry(obj_name=POWER, unit=27, scaler=0, value=Integer(value, width)),
    )


def plain(count: int) -> bytes:
    return b"".join(frame(number, usual(number)) for number in range(count))


def of_entry(count: int, entry: Callable[[int], ListEntry], server_id: bytes = LGZ) -> bytes:
    """Telegrams that have the usual entries and one more."""
    return b"".join(frame(number, (*usual(number), entry(number)), server_id) for number in range(count))


def extremes(count: int) -> bytes:
    """Both ends of 64 bits, and all around them."""
    signed = (-(1 << 63), (1 << 63) - 1, -1, 0, 1, -(10**10), 10**18, -(10**18))
    unsigned = ((1 << 64) - 1, 1 << 63, (1 << 63) - 1, 0, 10**19, 9_223_372_037)
    out = b""
    for scaler in (-9, -3, 0, 9):
        for number in range(count):
            entries = (
                ListEntry(obj_name=ENERGY, unit=30, scaler=scaler, value=Unsigned(unsigned[number % 6], 8)),
                ListEntry(obj_name=POWER, unit=27, scaler=scaler, value=Integer(signed[number % 8], 8)),
            )
            out += frame(number, entries)
    return out


def scalers() -> bytes:
    """Every scaler, thrice each, so that each has a layout if it may have one."""
    return b"".join(
        frame(
            number, (ListEntry(obj_name=ENERGY, unit=30, scaler=scaler, value=Unsigned(10**9 * (number % 3) + 10, 8)),)
        )
        for scaler in range(-128, 128)
        for number in range(3)
    )


def widths(count: int) -> bytes:
    """Numbers in as few octets as they need."""
    return b"".join(
        frame(
            number,
            (
                ListEntry(obj_name=ENERGY, unit=30, scaler=-1, value=Unsigned((7**number) % (1 << 40))),
                ListEntry(obj_name=POWER, unit=27, value=Integer((-3) ** (number % 30))),
            ),
        )
        for number in range(count)
    )


def zero_times(count: int) -> bytes:
    """Times of 0, beside a counter that runs, that stands still, and beside a date."""
    out = b""
    for time in (SecIndex(5), SecIndex(0), Timestamp(1_700_000_000)):
        for number in range(count):
            entries = [
                ListEntry(obj_name=ENERGY, val_time=SecIndex(0 if number % 3 else 9), value=Unsigned(1, 2)),
                ListEntry(obj_name=EXPORT, val_time=Timestamp(0 if number % 2 else 9), value=Unsigned(2, 2)),
            ]
            out += frame(number, entries, time=time)
    return out


def dzg(count: int) -> bytes:
    """Negative powers of two octets, some of them by the sign fault."""
    out = b""
    for number in range(count):
        entries = [
            ListEntry(
                obj_name=ENERGY,
                status=Unsigned((RUNNING, EXPORTING, 0x1C0004, 0x82)[number // 4 % 4], 4),
                unit=30,
                scaler=-1,
                value=Unsigned(number, 8),
            ),
            ListEntry(obj_name=POWER, unit=27, scaler=-2, value=Integer((-29_912, 200)[number % 2], 2)),
            ListEntry(obj_name=POWER_L1, unit=27, scaler=0, value=Integer((-3, -300, 5)[number % 3], 2)),
        ]
        out += frame(number, entries, (DZG, LGZ)[number // 64 % 2])
    return out


def escapes(count: int) -> bytes:
    """Four 1b in values, in ids, and across their ends."""
    values = (0x1B1B1B1B, 0x1B1B1B, 0x1B1B1B1B1B1B1B1B, 0x1B1B1B1B00, 7, 0x1B, 0x1B1B1B1B1B)
    return b"".join(
        frame(
            number,
            (
                *usual(number),
                ListEntry(obj_name=ENERGY, unit=27, scaler=0, value=Unsigned(values[number % 7], 8)),
                ListEntry(obj_name=KEY, value=(b"\x1b" * 8 + bytes(8))[number % 9 :][:7]),
            ),
        )
        for number in range(count)
    )


def unescaped(count: int) -> bytes:
    """Four 1b in values, at every position, of a meter that does not double them."""
    start, end = bytes.fromhex("1b1b1b1b01010101"), bytes.fromhex("1b1b1b1b1a")
    out = b""
    for number in range(count):
        key = bytearray(number.to_bytes(2) * 8)
        if number % 3:
            key[number % 13 : number % 13 + 4] = bytes(4 * [0x1B])
        payload = encode_file(messages(number, (*usual(number), ListEntry(obj_name=KEY, value=bytes(key)))))
        fill = -len(payload) % 4
        raw = start + payload + bytes(fill) + end + bytes([fill])
        out += raw + CrcKind.X25.wire(raw).to_bytes(2)
    return out


def wrong_messages(count: int) -> bytes:
    """Right frames in which a message has a wrong checksum now and then."""
    out = b""
    for number in range(count):
        raw = bytearray(frame(number, usual(number)))
        if number % 5 == 4:
            raw[70 + number % 40] ^= 4
            raw[-2:] = CrcKind.X25.wire(bytes(raw[:-2])).to_bytes(2)
        out += raw
    return out


def kinds(count: int) -> bytes:
    """All kinds of values, and checksums of the other kind."""
    return b"".join(
        frame(
            number,
            (
                *usual(number),
                ListEntry(obj_name=KEY, value=number.to_bytes(2) * 8, value_signature=bytes([number % 256]) * 48),
                ListEntry(obj_name=EXPORT, value=None if number % 16 < 8 else b""),
                ListEntry(obj_name=POWER_L1, value=(True, SecIndex(number), Timestamp(number), 5)[number // 4 % 3]),  # type: ignore[arg-type]
                ListEntry(obj_name=SERVER, unit=200, scaler=-128),
            ),
            kind=(CrcKind.X25, CrcKind.KERMIT)[number // 20 % 2],
        )
        for number in range(count)
    )


def interleaved(count: int) -> bytes:
    """Meters of two models in turn, three meters of one of them, ids of many lengths among them."""
    ids = (LGZ, DZG, b"\x01", b"\x02" * 16, b"\x03" * 17, b"")
    return b"".join(
        frame(number, usual(number) if number % 2 else usual(number)[1:], ids[number * 7 % 6])
        for number in range(count)
    )


def damaged(octets: bytes, seed: int, every: int = 700) -> bytes:
    """The same with flipped bits, lost octets, noise, starts and ends out of place; cut somewhere."""
    chance = random.Random(seed)  # noqa: S311 - the same octets in every run
    out = bytearray(octets)
    for _ in range(len(octets) // every):
        at = chance.randrange(len(out))
        match chance.randrange(6):
            case 0 | 1:
                out[at] ^= 1 << chance.randrange(8)
            case 2:
                del out[at : at + chance.randrange(1, 30)]
            case 3:
                out[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 4:
                out[at:at] = bytes.fromhex(chance.choice(("1b1b1b1b01010101", "1b1b1b1b", "1b1b1b1b1a00", "1b1b")))
            case _:
                out[at : at + 4] = b"\x1b\x1b\x1b\x1b"
    return bytes(out[: len(out) - chance.randrange(100)])


STREAMS = {
    "nothing": b"",
    "noise": bytes(range(256)) * 40,
    "plain": plain(120),
    "extremes": extremes(12),
    "scalers": scalers(),
    "widths": widths(150),
    "zero_times": zero_times(12),
    "dzg": dzg(160),
    "escapes": escapes(90),
    "unescaped": unescaped(60),
    "wrong_messages": wrong_messages(40),
    "kinds": kinds(80),
    "interleaved": interleaved(120),
}
EVERYTHING = b"".join(STREAMS.values())
