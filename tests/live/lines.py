"""A line as a reader hears it: what arrives goes to the watch, to the decoder, and what that says to the watch."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from e320proto import Telegram, TelegramDecoder, TransportError
from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameKind, encode_frame
from e320proto.live import LineWatch, diagnose
from e320proto.meter import E320Config, Inputs, Meter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto.live import Finding, LineStats

NOISE = Random(1).randbytes(2048)  # noqa: S311 - no secret
D0 = (
    b"/LGZ5E320-AMxD\r\n\r\n1-0:0.0.0*255(1LGZ0012345678)\r\n1-0:1.8.0*255(00012345.678*kWh)\r\n"
    b"1-0:2.8.0*255(00000042.000*kWh)\r\n0-0:96.1.255*255(0012345678)\r\n!\r\n"
)
P1 = (
    b"/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n0-0:1.0.0(170124213128W)\r\n1-0:1.8.1(000306.946*kWh)\r\n"
    b"1-0:1.7.0(00.332*kW)\r\n!8F46\r\n"
)
PAGE = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><body>no</body></html>\r\n"
)
HDLC = [
    encode_frame(Frame(Address(68, 1), Address(GATEWAY, 1), Control(FrameKind.UI), NOISE[at : at + 40]))
    for at in (0, 40)
]


class Line:
    """A line that was opened at second 0; ``now`` is the time on it, s."""

    def __init__(self) -> None:
        self.now = 0.0
        self.watch = LineWatch(0.0)
        self.watch.opened(0.0)
        self.decoder = TelegramDecoder()
        self.seen: list[Finding] = []
        """Every finding that was there at some moment."""

    @property
    def stats(self) -> LineStats:
        return self.watch.stats(self.now)

    def hear(self, octets: bytes, *, piece: int = 96) -> None:
        """Octets arrive in pieces; at each of them the line is diagnosed."""
        for begin in range(0, len(octets), piece):
            self._take(octets[begin : begin + piece])
            self.seen += diagnose(self.stats)

    def _take(self, octets: bytes) -> None:
        self.watch.octets(octets, self.now)
        self._events(self.decoder.feed(octets))

    def _events(self, events: Iterable[object]) -> None:
        for event in events:
            if isinstance(event, Telegram):
                self.watch.telegram(event, self.now)
            else:
                self.watch.trouble(event, self.now)  # type: ignore[arg-type]

    def hear_each(self, frames: Iterable[bytes], every_s: float = 1.0, *, piece: int = 96) -> None:
        """One thing arrives after the other, in the same distance."""
        for frame in frames:
            self.hear(frame, piece=piece)
            self.wait(every_s)

    def wait(self, seconds: float) -> None:
        """Time passes; the line is diagnosed ten times a second, and less often in long pauses."""
        steps = min(round(seconds * 10) or 1, 100)
        for _ in range(steps):
            self.now += seconds / steps
            self.seen += diagnose(self.stats)

    def lose(self, why: str = "unplugged") -> None:
        self.watch.lost(TransportError(why), self.now)
        self._events(self.decoder.close())
        self.decoder = TelegramDecoder()

    def open(self) -> None:
        self.watch.opened(self.now)

    def end(self) -> None:
        self.watch.ended(self.now)
        self._events(self.decoder.close())

    @property
    def words(self) -> list[str]:
        """The words of what is found now."""
        return [finding.word for finding in diagnose(self.stats)]

    @property
    def seen_words(self) -> set[str]:
        return {finding.word for finding in self.seen}

    def said(self, word: str) -> str:
        """The text of what is found now."""
        return next(finding.text for finding in diagnose(self.stats) if finding.word == word)


def pushes(count: int, *, extended: bool = True, number: int = 12_345_678) -> list[bytes]:
    """What a reference meter pushes, one in each second."""
    config = E320Config(device_id=f"1LGZ00{number:08d}", pin="1234", extended_set=extended)
    meter = Meter(config)
    frames: list[bytes] = []
    meter.advance(0.0, Inputs.of_power(1000, 500, -300))
    second = 0
    while len(frames) < count:
        second += 1
        meter.advance(float(second))
        frames += meter.info_data_to_send()
    return frames[:count]


def flipped(frame: bytes, at: int = 100) -> bytes:
    """A frame with one bit changed."""
    broken = bytearray(frame)
    broken[at] ^= 0x10
    return bytes(broken)
