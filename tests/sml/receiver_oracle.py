"""The receiver of transport version 1, octet by octet, as its state table says it; slow and plain.

Nothing of the library is used, so that it can tell the library's decoder right from wrong. Three
things that the table leaves to the reader are decided here as follows: an octet that comes in BODY
and exceeds ``max_frame`` is ``too_long`` whatever else it would be; octets that are looked at again
are looked at in HUNT with r = 0; and rescue finds a start that begins in the rejected octets even if
it ends behind them, because no frame may be lost to what precedes it, unless the tail alone exceeds
``max_frame``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"


class Item(NamedTuple):
    """A frame (kind ``frame``) or trouble, with the octets it covers."""

    kind: str
    offset: int
    raw: bytes
    payload: bytes = b""
    crc: str | None = None
    fill: int = 0
    notes: tuple[str, ...] = ()


def crc16(data: bytes, start: int, final: int) -> int:
    """CRC of polynomial 1021 hex, reflected, bit by bit."""
    crc = start
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ final


def crc_octets(kind: str, data: bytes) -> bytes:
    """The two octets of the wire: X-25 low octet first, Kermit high octet first."""
    if kind == "x25":
        return crc16(data, 0xFFFF, 0xFFFF).to_bytes(2, "little")
    return crc16(data, 0, 0).to_bytes(2, "big")


@dataclass
class Receiver:
    """The state table. ``raw``: octets since the start; ``pending``: octets outside of a frame."""

    max_frame: int = 65_536
    noise_block: int = 4_096
    crc_kind: Literal["auto", "x25", "kermit", "none"] = "auto"

    def __post_init__(self) -> None:
        self.items: list[Item] = []
        self.ahead: deque[int] = deque()
        self.position = 0
        self.pending = bytearray()
        self.raw = bytearray()
        self.data = bytearray()
        self.state = "HUNT"
        self.r = self.v = self.k = 0

    def receive(self, octets: bytes) -> list[Item]:
        """All items of a whole input."""
        self.ahead.extend(octets)
        while self.ahead:
            self.step(self.ahead.popleft())
        self.close()
        return self.items

    def step(self, x: int) -> None:
        if self.state in {"HUNT", "START"}:
            self.pending.append(x)
            self.hunt(x) if self.state == "HUNT" else self.start(x)
            if len(self.pending) >= self.noise_block + 8:
                self.noise(self.noise_block)
            return
        self.raw.append(x)
        if self.state == "BODY":
            self.body(x)
        elif self.state == "MARK":
            self.mark(x)
        else:
            self.tail()

    def hunt(self, x: int) -> None:
        if x == 0x1B:
            self.r += 1
        elif x in {0x01, 0x02} and self.r >= 4:
            self.v, self.k, self.state = x, 1, "START"
        else:
            self.r = 0

    def start(self, x: int) -> None:
        if x != self.v:
            self.r, self.state = (1 if x == 0x1B else 0), "HUNT"
            return
        self.k += 1
        if self.k < 4:
            return
        self.noise(len(self.pending) - 8)
        octets = bytes(self.pending)
        self.pending.clear()
        if self.v == 0x01:
            self.open(octets)
        else:
            self.emit("unsupported_version", octets)
            self.r, self.state = 0, "HUNT"

    def body(self, x: int) -> None:
        if len(self.raw) > self.max_frame:
            self.reject("too_long", len(self.raw))
        elif x == 0x1B:
            self.r += 1
            if self.r == 8:
                self.data += ESCAPE
                self.r = 0
        elif self.r < 4:
            self.data += b"\x1b" * self.r + bytes((x,))
            self.r = 0
        elif x == 0x1A:
            self.data += b"\x1b" * (self.r - 4)
            self.k, self.state = 0, "TAIL"
        elif x in {0x01, 0x02}:
            self.data += b"\x1b" * (self.r - 4)
            self.v, self.k, self.state = x, 1, "MARK"
        else:
            self.reject("bad_escape", len(self.raw) - 1)

    def mark(self, x: int) -> None:
        if x != self.v:
            self.reject("bad_escape", len(self.raw) - 1 - self.k)
            return
        self.k += 1
        if self.k < 4:
            return
        octets = bytes(self.raw[-8:])
        self.emit("truncated", bytes(self.raw[:-8]))
        if self.v == 0x01:
            self.open(octets)
        else:
            self.emit("unsupported_version", octets)
            self.r, self.state = 0, "HUNT"

    def tail(self) -> None:
        self.k += 1
        if self.k == 3:
            self.judge()

    def judge(self) -> None:
        raw = bytes(self.raw)
        kinds = ["x25", "kermit"] if self.crc_kind in {"auto", "none"} else [self.crc_kind]
        right = [kind for kind in kinds if crc_octets(kind, raw[:-2]) == raw[-2:]]
        hides_start = START in raw[1:] or raw.endswith((b"\x1b", b"\x1b" * 2, b"\x1b" * 3))
        if not right and (self.crc_kind != "none" or hides_start):
            self.reject("bad_crc", len(raw))
            return
        fill = raw[-3]
        if fill > 4 or fill > len(self.data) or any(self.data[len(self.data) - fill :]):
            self.reject("bad_fill", len(raw))
            return
        notes = (("fill_4",) if fill == 4 else ()) + (("misaligned",) if len(raw) % 4 else ())
        payload = bytes(self.data[: len(self.data) - fill])
        self.emit("frame", raw, payload, right[0] if right else None, fill, notes)
        self.r, self.state = 0, "HUNT"

    def close(self) -> None:
        if self.state in {"HUNT", "START"}:
            self.noise(len(self.pending))
        else:
            self.emit("truncated", bytes(self.raw))
        self.r, self.state = 0, "HUNT"

    # --- actions --------------------------------------------------------------------------------

    def emit(
        self,
        kind: str,
        raw: bytes,
        payload: bytes = b"",
        crc: str | None = None,
        fill: int = 0,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.items.append(Item(kind, self.position, raw, payload, crc, fill, notes))
        self.position += len(raw)

    def noise(self, count: int) -> None:
        if count:
            self.emit("noise", bytes(self.pending[:count]))
            del self.pending[:count]

    def open(self, octets: bytes) -> None:
        self.raw[:] = octets
        self.data.clear()
        self.r, self.state = 0, "BODY"

    def reject(self, kind: str, count: int) -> None:
        """Rescue: the rejected item ends before the last start in it, and decoding restarts there."""
        octets = bytes(self.raw)
        if count <= self.max_frame + 1:
            octets = octets[:count] + (octets[count:] + bytes(islice(self.ahead, 7)))[:7]
        last = octets.rfind(START, 1)
        if last > 0:
            # Octets of a start that are still ahead stay there.
            count = last
        self.ahead.extendleft(reversed(self.raw[count:]))
        self.emit(kind, bytes(self.raw[:count]))
        self.r, self.state = 0, "HUNT"
