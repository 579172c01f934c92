"""A second receiver of the LMN, written from the rules alone: one octet after the other, nothing clever.

It shares no code with the library: the checksum is computed bit by bit, octets are taken from the front
of a list one at a time.
"""

from __future__ import annotations

from typing import TypeAlias

Event: TypeAlias = tuple[str, int, bytes]
"""``frame``, ``noise`` or the name of what is wrong; where it begins; its octets."""

BLOCK = 4096


def crc(octets: list[int]) -> int:
    """CRC-16/X-25, bit by bit."""
    register = 0xFFFF
    for octet in octets:
        for bit in range(8):
            feedback = (register ^ octet >> bit) & 1
            register = register >> 1 ^ (0x8408 if feedback else 0)
    return register ^ 0xFFFF


def right(octets: list[int]) -> bool:
    """Whether the last two octets are the checksum of those before, low octet first."""
    value = crc(octets[:-2])
    return octets[-2:] == [value & 255, value >> 8]


class Receiver:
    """Takes octets, collects events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waiting: list[int] = []
        self.place = 0  # of the first octet that waits
        self.bad: tuple[str, int, list[int]] | None = None
        self.bad_until = 0
        self.noise: list[int] = []
        self.noise_place = 0

    def octet(self, octet: int) -> None:
        """Take one octet."""
        self.waiting.append(octet)
        while self.step(silent=False):
            pass

    def silence(self) -> None:
        """The line has been silent for too long for a frame."""
        while self.step(silent=True):
            pass
        self.finish_bad()
        self.finish_noise()

    def step(self, *, silent: bool) -> bool:
        """Decide on the first octet that waits. Whether to go on."""
        waiting = self.waiting
        if not waiting:
            return False
        if waiting[0] != 0x7E or (len(waiting) > 1 and waiting[1] & 0xF0 != 0xA0):
            return self.drop()
        if len(waiting) == 1:
            return False
        if len(waiting) >= 3:
            length = (waiting[1] & 7) * 256 + waiting[2]
            if length < 9 or length == 10:
                return self.fail("length", 3)
            if len(waiting) >= length + 2:
                return self.judge(length)
        return silent and self.fail("framing", len(waiting))

    def judge(self, length: int) -> bool:
        """R3."""
        frame = self.waiting[1 : 1 + length]
        if self.waiting[1 + length] != 0x7E:
            return self.fail("framing", 1 + length)
        if not right(frame):
            return self.fail("fcs", 1 + length)
        if length > 9 and not right(frame[:9]):
            return self.fail("hcs", 1 + length)
        if [frame[at] & 1 for at in (2, 3, 4, 5)] != [0, 1, 0, 1]:
            return self.fail("address", 1 + length)
        self.finish_bad()
        self.finish_noise()
        self.events.append(("frame", self.place, bytes(self.waiting[: length + 2])))
        del self.waiting[: length + 1]  # the closing flag stays
        self.place += length + 1
        self.bad_until = 0
        return True

    def fail(self, name: str, octets: int) -> bool:
        """R4: go on one octet after the flag."""
        self.finish_bad()
        self.finish_noise()
        self.bad = name, self.place, [self.waiting.pop(0)]
        self.bad_until = self.place + octets
        self.place += 1
        return True

    def drop(self) -> bool:
        """Nothing begins at the first octet that waits."""
        octet = self.waiting.pop(0)
        if self.bad and self.place < self.bad_until:
            self.bad[2].append(octet)
        elif octet not in {0x7E, 0xFF}:
            self.finish_bad()
            if len(self.noise) == BLOCK or self.noise_place + len(self.noise) != self.place:
                self.finish_noise()
            if not self.noise:
                self.noise_place = self.place
            self.noise.append(octet)
        self.place += 1
        return True

    def finish_bad(self) -> None:
        if self.bad:
            name, place, octets = self.bad
            self.events.append((name, place, bytes(octets)))
            self.bad = None

    def finish_noise(self) -> None:
        if self.noise:
            self.events.append(("noise", self.noise_place, bytes(self.noise)))
            self.noise = []
