"""Push telegrams: what a meter says every second, as its reader sees it.

::

    octets -> transport -> frame -> layout (hit) ----------------------------------> Telegram
                  |          |                                                          ^
                  |          +----> messages (compiled reader, else the schema) --------+--> layout learned
                  v                     v
            BytesDiscarded,        Malformed (one message; the others of the frame are kept)
            Malformed

Of every message only what a telegram needs is made (``sml.facts``); the full records are made when
somebody asks for :attr:`Telegram.messages`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from e320proto.events import BytesDiscarded, Malformed
from e320proto.identity import DeviceId, ServerId
from e320proto.sml.codec import read_messages, walk_messages
from e320proto.sml.content import Content, make_content
from e320proto.sml.facts import FACTS, Facts, fact_reader
from e320proto.sml.layout import Learner, learn, shared_layouts
from e320proto.sml.layout_reader import floats_of
from e320proto.sml.messages import Message
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.quirks import (
    EDL_DIRECTION,
    Direction,
    direction,
    needs_direction,
    net_power,
    reduced,
    telegram_status,
)
from e320proto.sml.transport import START, TransportDecoder, TransportFrame, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e320proto.obis import ObisCode
    from e320proto.sml.entries import Entries
    from e320proto.sml.layout import Layout, Layouts
    from e320proto.sml.messages import Time
    from e320proto.status import Status
    from e320proto.units import Quantity


class Telegram:
    """One frame of a meter, decoded.

    Its parts are made when they are first asked for, so what nobody reads costs little. Two telegrams are
    equal if they have the same octets at the same offset and were decoded with the same options.

    Args:
        offset: absolute position of the frame's first octet since the decoder was made.
        raw: the frame as transmitted.
        options: of the decoder.
        layout: learned layout that the frame has, if it has one.
        content: what the frame says; needed if there is no layout.

    Source: SML 1.04; derived properties: FNN status word and quirk rules, ``docs/quirks.md``.
    """

    __slots__ = ("_content", "_layout", "_offset", "_options", "_raw")

    def __init__(
        self, offset: int, raw: bytes, options: DecodeOptions, layout: Layout | None, content: Content | None = None
    ) -> None:
        self._offset = offset
        self._raw = raw
        self._options = options
        self._layout = layout
        self._content = content

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the telegram says; a layout is of this process only."""
        return Telegram, (self._offset, self._raw, self._options, None, self.content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Telegram):
            return NotImplemented
        return (self._offset, self._raw, self._options) == (other._offset, other._raw, other._options)

    def __hash__(self) -> int:
        return hash((self._offset, self._raw))

    def _read(self) -> Content:
        if self._layout is None:
            msg = "expected a layout or a content, found neither"
            raise ValueError(msg)
        content = self._content = self._layout.content(self._raw)
        return content

    def at(self, offset: int) -> Telegram:
        """Return the same telegram at another position of the stream."""
        return Telegram(offset, self._raw, self._options, self._layout, self._content)

    @property
    def offset(self) -> int:
        """Absolute position of the frame's first octet since the decoder was made."""
        return self._offset

    @property
    def raw(self) -> bytes:
        """The frame as transmitted."""
        return self._raw

    @property
    def options(self) -> DecodeOptions:
        """Those of the decoder."""
        return self._options

    @property
    def content(self) -> Content:
        """All parts that take work, at once; each is a property of its own, too."""
        return self._content or self._read()

    @property
    def payload(self) -> bytes:
        """The SML file in it: unescaped, without fill octets."""
        layout = self._layout
        return (self._content or self._read()).payload if layout is None else self._raw[layout.payload]

    @property
    def entries(self) -> Entries:
        """The registers of its lists."""
        return (self._content or self._read()).entries

    @property
    def floats(self) -> tuple[float | None, ...]:
        """The number of each entry as floating point, in the order of ``entries``; ``None`` where it is no number.

        The same as ``float(entry.quantity)`` of every entry, many times as fast; for exact values
        use :attr:`entries`.
        """
        layout = self._layout
        return floats_of((self._content or self._read()).entries) if layout is None else layout.floats(self._raw)

    @property
    def codes(self) -> tuple[ObisCode, ...]:
        """The code of each entry, in the order of ``entries``."""
        layout = self._layout
        return (self._content or self._read()).entries.keys() if layout is None else layout.codes

    @property
    def time(self) -> Time | None:
        """The meter's time of the list, else of the Open message.

        :class:`SecIndex` (a counter, never a date), :class:`Timestamp`, :class:`LocalTimestamp`, or
        ``None`` if it said none.
        """
        return (self._content or self._read()).time

    @property
    def server_octets(self) -> bytes | None:
        """The server id as sent, ``None`` if no message carries one."""
        return (self._content or self._read()).server_octets

    @property
    def notes(self) -> tuple[str, ...]:
        """Ids of deviations that were accepted, sorted; see ``docs/quirks.md``."""
        return (self._content or self._read()).notes

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that changed what the entries say."""
        return (self._content or self._read()).rules

    @property
    def message_count(self) -> int:
        """Number of right messages in the frame."""
        return (self._content or self._read()).message_count

    def __repr__(self) -> str:
        """Show the little that tells telegrams apart, not their octets."""
        size, entries = len(self.raw), len(self.entries)
        said = f"time={self.time!r}, {entries} entries, notes={self.notes!r}, quirks={self.quirks!r}"
        return f"<Telegram of {self.server_id!r} at {self.offset}, {size} octets, {said}>"

    @property
    def server_id(self) -> ServerId | None:
        """The server id; one of no known form is kept and says so."""
        return None if self.server_octets is None else _server_id(self.server_octets)

    @property
    def device_id(self) -> DeviceId | None:
        """The device id that is printed on the meter, if the server id tells it."""
        server_id = self.server_id
        return None if server_id is None else server_id.device_id

    @property
    def status(self) -> Status | None:
        """Status word of the meter: the first one on an entry of 1.8.x or 2.8.x."""
        return telegram_status(self.entries)

    @property
    def direction(self) -> Direction:
        """Whether energy flows from the grid or to it, by the status word; idle counts as import."""
        return direction(self.status)

    @property
    def net_power(self) -> Quantity | None:
        """Signed power, export negative: 16.7.0, or 15.7.0 with the sign of ``direction``."""
        return net_power(self.entries, self.direction)

    @property
    def reduced(self) -> bool:
        """Whether no energy has decimals (all scalers are 0 or more), as in the reduced set.

        A meter sends that set, whole kWh, until its PIN is entered.
        """
        return reduced(self.entries)

    @property
    def quirks(self) -> tuple[str, ...]:
        """Ids of the rules that applied: those of ``rules``, and ``edl_direction`` for the sign of ``net_power``."""
        derived = needs_direction(self.entries) and self.direction is not Direction.UNKNOWN
        return (*self.rules, EDL_DIRECTION) if derived else self.rules

    @property
    def messages(self) -> tuple[Message, ...]:
        """The full records of every right message, read anew at each call."""
        return tuple(item for item in read_messages(self.payload, self.options) if isinstance(item, Message))


_server_id = lru_cache(maxsize=1024)(ServerId.from_wire)

TelegramEvent: TypeAlias = Telegram | BytesDiscarded | Malformed


class TelegramDecoder:
    """Decodes telegrams from a stream of octets.

    ``feed`` takes octets in pieces of any size and gives what they complete, in order; trouble on
    the wire is an item among the telegrams and never costs a neighbour. Every frame with a right
    checksum gives a :class:`Telegram`, followed by a :class:`Malformed` for each message of it that
    could not be read (its ``error.offset`` counts from the start of ``payload``); a frame with no
    readable message at all gives the :class:`Malformed` items only. One decoder is for one stream,
    and for one thread at a time.

    Frames like earlier ones are not parsed again: see ``e320proto.sml.layout``.

    Args:
        options: every switch; the defaults read every meter known.
        layouts: whether to learn layouts and use them. The events are the same without, only later.

    >>> from e320proto import GetListRes, ListEntry, Message, ObisCode, Unsigned, encode_file, encode_transport
    >>> energy = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, scaler=-1, value=Unsigned(1234567))
    >>> push = Message(transaction_id=b"1", message_body=GetListRes(server_id=b"", val_list=(energy,)))
    >>> decoder = TelegramDecoder()
    >>> for event in decoder.feed(encode_transport(encode_file([push]))):
    ...     print(event.entries["1.8.0"].value)
    123456.7 Wh
    """

    def __init__(self, options: DecodeOptions = DEFAULT_OPTIONS, *, layouts: bool = True) -> None:
        self.options = options
        self._reader = fact_reader(options)
        self._layouts = shared_layouts(options) if layouts else None
        self._learner = None if self._layouts is None else Learner(self._layouts)
        recognise = None if self._layouts is None else _recogniser(self._layouts)
        self._transport = TransportDecoder(options, recognise=recognise, decode=self._telegrams)

    @property
    def buffered(self) -> int:
        """Octets held back because they do not make an event yet."""
        return self._transport.buffered

    def feed(self, data: bytes | bytearray | memoryview) -> list[TelegramEvent]:
        """Take octets in; give the events they complete, in order. Never raises for what the octets say."""
        events: list[Any] = self._transport.feed(data)  # of frames it gives what ``_telegrams`` makes of them
        return events

    def close(self) -> list[TelegramEvent]:
        """End of input: report what is left."""
        events: list[Any] = self._transport.close()
        return events

    def _telegrams(self, frame: TransportFrame) -> Iterator[TelegramEvent]:
        payload, notes = frame.payload, set(frame.notes)
        facts: list[Facts] = []
        faults: list[Malformed] = []
        for item in walk_messages(payload, self.options, notes=notes, records=FACTS, fast=self._reader):
            if type(item) is Facts:
                facts.append(item)
            else:
                faults.append(item)
        if facts or not faults:
            content = make_content(frame, facts, notes, self.options)
            if self._learner is not None and not faults:
                self._learner.see(frame, content)
            yield Telegram(frame.offset, frame.raw, self.options, None, content)
        begin, offset = 0, frame.offset + len(START)
        for fault in faults:
            # A message never begins inside a run of 1b, so the pieces are escaped as the whole was.
            offset += len(escape(payload[begin : fault.offset]))
            begin = fault.offset
            yield replace(fault, offset=offset)


def _recogniser(layouts: Layouts) -> Callable[[bytes, int], Telegram | None]:
    """Make the function that turns a frame of a known layout into a telegram."""
    known, options, number_of = layouts.by_octets, layouts.options, int.from_bytes

    def recognise(raw: bytes, offset: int) -> Telegram | None:
        candidates = known.get(len(raw))
        if candidates is None:
            return None
        number = number_of(raw, "little")
        for layout in candidates:
            if number & layout.mask == layout.skeleton:
                if not layout.sound(raw):
                    return None
                layout.last_used = layouts.age
                return Telegram(offset, raw, options, layout)
        return None

    return recognise


def layout_of(frame: bytes, options: DecodeOptions = DEFAULT_OPTIONS) -> Layout | None:
    """Find the layout of one frame; ``None`` if the octets are no telegram, or one of a form that has none."""
    match TelegramDecoder(options, layouts=False).feed(frame):
        case [Telegram(raw=raw, content=content)] if raw == frame:
            return learn(raw, content, options)
    return None
