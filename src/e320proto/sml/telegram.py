"""Push telegrams: what a meter says every second, as its reader sees it.

::

    octets -> transport -> frame -> messages (compiled reader, else the schema) -> Telegram
                  |                     |
                  v                     v
            BytesDiscarded,        Malformed (one message; the others of the frame are kept)
            Malformed

Of every message only what a telegram needs is made (``sml.facts``); the full records are made when
somebody asks for :attr:`Telegram.messages`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from e320proto.crc import CrcKind
from e320proto.events import BytesDiscarded, Malformed
from e320proto.identity import DeviceId, ServerId
from e320proto.sml.codec import read_messages, walk_messages
from e320proto.sml.entries import Entries, Entry
from e320proto.sml.facts import FACTS, Facts, fact_reader
from e320proto.sml.messages import Message
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.quirks import (
    DZG_FLAG,
    DZG_SIGN,
    EDL_DIRECTION,
    ZERO_TIME,
    Direction,
    direction,
    dzg_sign,
    needs_direction,
    net_power,
    reduced,
    telegram_status,
    without_zero_times,
)
from e320proto.sml.transport import START, TransportDecoder, TransportFrame, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.sml.messages import Time
    from e320proto.status import Status
    from e320proto.units import Quantity


@dataclass(frozen=True, slots=True, repr=False)
class Telegram:
    """One frame of a meter, decoded.

    Args:
        offset: absolute position of the frame's first octet since the decoder was made.
        raw: the frame as transmitted.
        payload: the SML file in it: unescaped, without fill octets.
        entries: the registers of its lists.
        time: the meter's time of the list, else of the Open message: :class:`SecIndex` (a counter,
            never a date), :class:`Timestamp`, :class:`LocalTimestamp`, or ``None`` if it said none.
        server_octets: the server id as sent, ``None`` if no message carries one.
        notes: ids of deviations that were accepted, sorted; see ``docs/quirks.md``.
        rules: ids of the rules that changed what the entries say.
        message_count: number of right messages in the frame.
        options: of the decoder.

    Source: SML 1.04; derived properties: FNN status word and quirk rules, ``docs/quirks.md``.
    """

    offset: int
    raw: bytes
    payload: bytes
    entries: Entries
    time: Time | None
    server_octets: bytes | None
    notes: tuple[str, ...]
    rules: tuple[str, ...]
    message_count: int
    options: DecodeOptions

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

    Args:
        options: every switch; the defaults read every meter known.

    >>> from e320proto import GetListRes, ListEntry, Message, ObisCode, Unsigned, encode_file, encode_transport
    >>> energy = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, scaler=-1, value=Unsigned(1234567))
    >>> push = Message(transaction_id=b"1", message_body=GetListRes(server_id=b"", val_list=(energy,)))
    >>> decoder = TelegramDecoder()
    >>> for event in decoder.feed(encode_transport(encode_file([push]))):
    ...     print(event.entries["1.8.0"].value)
    123456.7 Wh
    """

    def __init__(self, options: DecodeOptions = DEFAULT_OPTIONS) -> None:
        self.options = options
        self._transport = TransportDecoder(options)
        self._reader = fact_reader(options)

    @property
    def buffered(self) -> int:
        """Octets held back because they do not make an event yet."""
        return self._transport.buffered

    def feed(self, data: bytes | bytearray | memoryview) -> list[TelegramEvent]:
        """Take octets in; give the events they complete, in order. Never raises for what the octets say."""
        events = self._transport.feed(data)
        return self._decode(events) if events else []

    def close(self) -> list[TelegramEvent]:
        """End of input: report what is left."""
        return self._decode(self._transport.close())

    def _decode(self, events: list[Any]) -> list[TelegramEvent]:
        decoded: list[TelegramEvent] = []
        for event in events:
            if type(event) is TransportFrame:
                decoded += self._frame(event)
            else:
                decoded.append(event)
        return decoded

    def _frame(self, frame: TransportFrame) -> Iterator[TelegramEvent]:
        payload, notes = frame.payload, set(frame.notes)
        facts: list[Facts] = []
        faults: list[Malformed] = []
        for item in walk_messages(payload, self.options, notes=notes, records=FACTS, fast=self._reader):
            if type(item) is Facts:
                facts.append(item)
            else:
                faults.append(item)
        if facts or not faults:
            yield _telegram(frame, facts, notes, self.options)
        begin, offset = 0, frame.offset + len(START)
        for fault in faults:
            # A message never begins inside a run of 1b, so the pieces are escaped as the whole was.
            offset += len(escape(payload[begin : fault.offset]))
            begin = fault.offset
            yield replace(fault, offset=offset)


def _in_order(facts: list[Facts]) -> bool:
    """Whether there is exactly one Open, first, and exactly one Close, last."""
    kinds = [fact.kind for fact in facts]
    if kinds == ["open", "list", "close"]:
        return True
    return kinds[:1] == ["open"] and kinds[-1:] == ["close"] and kinds.count("open") == kinds.count("close") == 1


def _telegram(frame: TransportFrame, facts: list[Facts], notes: set[str], options: DecodeOptions) -> Telegram:
    """Put together what the messages of a frame say."""
    lists = [fact for fact in facts if fact.kind == "list"]
    ranked = lists + facts  # what a list says of time and meter goes first
    time = next((fact.time for fact in ranked if fact.time is not None), None)
    server_id = next((fact.server_id for fact in ranked if fact.server_id), None)
    if server_id is None and any(fact.server_id is not None for fact in facts):
        server_id = b""
    rules = []
    entries: list[Entry] = []
    for fact in lists:
        part = [entry for entry in fact.entries if entry is not None]
        if len(part) < len(fact.entries):
            notes.add("object_name")
        timed = without_zero_times(part, fact.time)
        if timed is not None and ZERO_TIME not in rules:
            rules.append(ZERO_TIME)
        entries += timed or part
    if not _in_order(facts):
        notes.add("order")
    if frame.crc_kind is CrcKind.KERMIT:
        notes.add("kermit")
    if options.frame_crc_kind == "none":
        notes.add("crc_unchecked")
    changed = dzg_sign(entries, server_id) if options.dzg_sign and DZG_FLAG in frame.payload else None
    if changed is not None:
        entries = changed
        rules.append(DZG_SIGN)
    return Telegram(
        frame.offset,
        frame.raw,
        frame.payload,
        Entries(entries),
        time,
        server_id,
        tuple(sorted(notes)) if notes else (),
        tuple(rules) if rules else (),
        len(facts),
        options,
    )
