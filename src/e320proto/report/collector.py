"""Captures become a report: octets and their times go in, one page comes out.

::

    octets --> TelegramDecoder --> Telegram ---------> MeterRecord, one for each meter --+
                    |                                                                    +--> page
                    +------------> what is none -----> Causes ---------------------------+
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from e320proto.report.causes import Causes, Spot
from e320proto.report.meter_record import MeterRecord
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.telegram import Telegram, TelegramDecoder

if TYPE_CHECKING:
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.telegram import TelegramEvent

METERS: Final = 200
"""Meters that get a section; telegrams of further ones are counted."""

_MS: Final = 1000


@dataclass(slots=True)
class Capture:
    """One input of a report.

    Args:
        name: for people.
        base: octets that the decoder had before.
        octets: of it.
        telegrams: in it.
    """

    name: str
    base: int = 0
    octets: int = 0
    telegrams: int = 0


@dataclass(slots=True)
class Findings:
    """What was found in all captures."""

    captures: list[Capture] = field(default_factory=list)
    meters: dict[bytes | None, MeterRecord] = field(default_factory=dict)
    causes: Causes = field(default_factory=Causes)
    other_meters: int = 0
    """Telegrams of meters without a section."""

    @property
    def telegrams(self) -> int:
        """Those that were read."""
        return sum(capture.telegrams for capture in self.captures)


class Collector:
    """Takes captures in, one after the other: :meth:`begin`, :meth:`feed` until all is in, at last :meth:`end`.

    Memory does not grow with the captures, but for what a report has of each quarter hour (20 MB a year).

    Args:
        options: of the decoder.

    >>> from e320proto import GetListRes, ListEntry, Message, ObisCode, Unsigned, encode_file, encode_transport
    >>> energy = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, scaler=-1, value=Unsigned(1234567))
    >>> push = Message(transaction_id=b"1", message_body=GetListRes(server_id=b"", val_list=(energy,)))
    >>> collector = Collector()
    >>> collector.begin("capture.bin")
    >>> collector.feed(encode_transport(encode_file([push])))
    >>> collector.end()
    >>> collector.findings.telegrams
    1
    """

    def __init__(self, options: DecodeOptions = DEFAULT_OPTIONS) -> None:
        self.findings = Findings()
        self._options = options
        self._decoder = TelegramDecoder(options)
        self._at_ms: int | None = None
        self._last: MeterRecord | None = None

    def begin(self, name: str, *, follows: bool = False) -> None:
        """Another capture begins.

        Args:
            name: for people.
            follows: whether its octets follow those of the capture before, so that a telegram may be in both.
        """
        captures = self.findings.captures
        base = captures[-1].base + captures[-1].octets if follows and captures else 0
        if not follows:
            self.end()
        captures.append(Capture(name, base))

    def feed(self, octets: bytes, at: float | None = None) -> None:
        """Take octets in.

        Args:
            octets: the next ones.
            at: when they arrived, Unix time in seconds; ``None`` if nobody noted it.
        """
        self._at_ms = None if at is None else round(at * _MS)
        self.findings.captures[-1].octets += len(octets)
        for event in self._decoder.feed(octets):
            self._take(event)

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """Take in what gave no telegram; what a reader of captures found before there were octets, too."""
        capture = self._capture_of(event.offset)
        self.findings.causes.add(event, Spot(capture.name, event.offset - capture.base, self._at_ms))
        if self._last is not None:
            self._last.trouble()

    def end(self) -> None:
        """What was taken in is at its end."""
        for event in self._decoder.close():
            self._take(event)
        self._decoder = TelegramDecoder(self._options)
        self._at_ms = None

    def _take(self, event: TelegramEvent) -> None:
        if not isinstance(event, Telegram):
            self.trouble(event)
            return
        findings = self.findings
        self._capture_of(event.offset).telegrams += 1
        meter = findings.meters.get(event.server_octets)
        if meter is None:
            if len(findings.meters) >= METERS:
                findings.other_meters += 1
                return
            meter = findings.meters[event.server_octets] = MeterRecord(event.server_id)
        meter.add(event, self._at_ms)
        self._last = meter

    def _capture_of(self, offset: int) -> Capture:
        """The capture in which an octet of the present decoder is."""
        captures = self.findings.captures
        place = len(captures) - 1
        while captures[place].base > offset:
            place -= 1
        return captures[place]
