"""Whole SML files: octets to messages and back.

A file is the messages between the start and the end of a transport frame, unescaped and without
fill octets. Reading runs the schema; one bad message does not cost the others::

    skip 00 -> outline (structure, end of the message) -> checksum -> typed fields -> Message
                   | fault: the end is unknown             | fault: the end is known
                   v                                       v
               Malformed; go on at the next place      Malformed; go on behind it
               where a whole message begins
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from e320proto.crc import CrcKind
from e320proto.errors import ChecksumError, DecodeError, E320Error, EncodeError, LimitError
from e320proto.events import Malformed
from e320proto.schema.primitives import Sink, Source
from e320proto.schema.sml import MESSAGE
from e320proto.sml.messages import RECORDS, Message
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableSet

    from e320proto.schema.compile import MessageReader
    from e320proto.schema.primitives import Records

_TRANSPORT_START = b"\x1b\x1b\x1b\x1b"


def crc_kinds(kind: str) -> tuple[CrcKind, ...]:
    """The checksums to try for an option value.

    >>> crc_kinds("auto")
    (<CrcKind.X25: 'x25'>, <CrcKind.KERMIT: 'kermit'>)
    """
    return tuple(CrcKind) if kind == "auto" else (CrcKind(kind),)


def make_source(payload: bytes, options: DecodeOptions, records: Mapping[str, Any] = RECORDS) -> Source:
    """Octets with what the schema needs to read them as ``options`` say."""
    return Source(
        payload,
        records,
        limits=options.limits,
        crc_kinds=crc_kinds(options.message_crc_kind),
        lenient=options.message_crc == "lenient",
    )


def read_messages(
    data: bytes | bytearray | memoryview, options: DecodeOptions = DEFAULT_OPTIONS
) -> Iterator[Message | Malformed]:
    """Every message of an SML file, and every place that is none, in order.

    Args:
        data: the file, as for :func:`decode_file`.
        options: tolerance and limits.

    Yields:
        :class:`Message`, or :class:`Malformed` whose offsets count from the start of ``data``.
        Where only the typed reading failed, ``partial`` is the message with an untyped body.

    Source: SML 1.03, SML_Message; recovery is a decision of this project.

    >>> [item.message_body for item in read_messages(bytes.fromhex("7605000000046200620072630200710163921c00"))]
    [PublicCloseReq(global_signature=None)]
    """
    return walk_messages(bytes(memoryview(data)), options)


def walk_messages(
    payload: bytes,
    options: DecodeOptions,
    *,
    notes: MutableSet[str] | None = None,
    records: Records = RECORDS,
    fast: MessageReader | None = None,
) -> Iterator[Any]:
    """:func:`read_messages` for any records.

    Args:
        payload: the file.
        options: tolerance and limits.
        notes: receives the ids of accepted deviations.
        records: what to make of composites, by name.
        fast: tried first on every message, see ``e320proto.schema.compile``; made with the same
            options and records.
    """
    notes = set() if notes is None else notes
    tries: _Tries | None = None
    pos, end = 0, len(payload)
    while True:
        while pos < end and payload[pos] == 0:
            pos += 1
        if pos >= end:
            return
        item, after = None, pos
        if fast is not None:
            fresh: set[str] = set()
            try:
                item, after = fast(payload, pos, fresh)
            except (E320Error, IndexError, KeyError):
                fresh.clear()  # the schema below finds out what it is
            if fresh:
                notes |= fresh
        if item is None:
            source = make_source(payload, options, records)
            item, after = _read(source, pos, options)
            if after < 0:
                tries = tries or _Tries(options.limits.max_resync, len(payload))
                after = _resume(payload, pos, tries, options)
                item = Malformed(pos, item.error, payload[pos:after], kind="message")
            elif type(item) is not Malformed:
                notes |= source.notes
        yield item
        pos = after


@dataclass(slots=True)
class _Tries:
    """What may still be spent on one file to find messages behind structure faults, so that the work stays linear.

    Args:
        places: where a message may begin.
        octets: read in vain there.
    """

    places: int
    octets: int


def _read(source: Source, pos: int, options: DecodeOptions) -> tuple[Any, int]:
    """One message by the schema, or what is wrong with it; and its end, -1 if that is not known."""
    payload = source.data
    try:
        positions, end = MESSAGE.outline(source, pos)
    except (DecodeError, RecursionError) as error:
        return Malformed(pos, _reported(error, pos), b"", kind="message"), -1
    try:
        # The checksum comes before the fields: damaged octets are damaged, not wrongly typed.
        MESSAGE.check_crc(source, positions)
        source.seek(pos)
        return MESSAGE.parse_stream(source), end
    except (DecodeError, RecursionError) as error:
        partial = _untyped(payload, pos, options, error)
        return Malformed(pos, _reported(error, pos), payload[pos:end], partial, "message"), end


def _reported(error: DecodeError | RecursionError, pos: int) -> DecodeError:
    """The error for an event: on a stack that is nearly used up, Python's own limit is met first."""
    if isinstance(error, RecursionError):
        frames = sys.getrecursionlimit()
        return LimitError("too_deep", "recursion limit of Python", frames, frames + 1, offset=pos)
    # Without the traceback, whose frames would keep all that was at hand alive.
    return error.with_traceback(None)


def _resume(payload: bytes, pos: int, tries: _Tries, options: DecodeOptions) -> int:
    """Where the next whole message with a right checksum begins; the end of the file if nowhere."""
    while tries.places > 0 and tries.octets > 0:
        pos = payload.find(b"\0\x76", pos) + 1
        if pos == 0:
            break
        tries.places -= 1
        source = make_source(payload, options)
        source.lenient = False
        try:
            positions, _ = MESSAGE.outline(source, pos)
            MESSAGE.check_crc(source, positions)
        except DecodeError as error:
            tries.octets -= (error.offset or pos) - pos
        except RecursionError:
            tries.octets = 0
        else:
            return pos
    return len(payload)


def _untyped(payload: bytes, pos: int, options: DecodeOptions, error: Exception) -> Message | None:
    """Read a message that does not fit its model with an untyped body, if at least its envelope is right."""
    if isinstance(error, ChecksumError):
        return None
    source = make_source(payload, options)
    source.untyped = True
    source.seek(pos)
    try:
        message: Message = MESSAGE.parse_stream(source)
    except (DecodeError, RecursionError):
        return None
    return message


def decode_file(data: bytes | bytearray | memoryview, options: DecodeOptions = DEFAULT_OPTIONS) -> tuple[Message, ...]:
    """Decode an SML file.

    Args:
        data: the messages, as they stand between the start and the end of a transport frame,
            unescaped; surplus ``00`` between them is skipped. For transport frames use
            :class:`e320proto.TransportDecoder` or :class:`e320proto.TelegramDecoder`.
        options: tolerance and limits.

    Returns:
        The messages in order. To keep the good messages of a file with a bad one, use
        :func:`e320proto.read_messages`.

    Raises:
        DecodeError: the first thing that is no right message; ``offset`` counts from the start of
            ``data``, ``path`` names the field. :class:`ChecksumError`, :class:`TruncatedError` and
            :class:`LimitError` are kinds of it.

    Source: SML 1.03 and 1.04, SML_File and SML_Message.

    >>> message, = decode_file(bytes.fromhex("7605000000046200620072630200710163921c00"))
    >>> message.transaction_id.hex(), message.message_body
    ('00000004', PublicCloseReq(global_signature=None))
    """
    payload = bytes(memoryview(data))
    if payload.startswith(_TRANSPORT_START):
        detail = "expected messages, found a transport frame; use TransportDecoder or TelegramDecoder"
        raise DecodeError("not_a_message", detail, offset=0)
    messages = []
    for item in read_messages(payload, options):
        if isinstance(item, Malformed):
            raise item.error
        messages.append(item)
    return tuple(messages)


def encode_file(messages: Iterable[Message], *, integers: Literal["fixed", "shortest"] = "fixed") -> bytes:
    """Encode messages to an SML file; checksums are computed.

    Args:
        messages: in the order of the file.
        integers: ``fixed`` writes fields at the width of their type (unit 1 octet, times 4, ...)
            and values and statuses at their own ``width``; ``shortest`` writes every number in as
            few octets as hold it.

    Returns:
        The octets to hand to :func:`e320proto.encode_transport`.

    Raises:
        EncodeError: a value that has no encoding; ``path`` names the field.
        ValueError: ``integers`` is neither word.

    Source: SML 1.03 and 1.04; the widths are those that meters send.

    >>> from e320proto.sml.messages import PublicCloseReq
    >>> message = Message(transaction_id=bytes.fromhex("00000004"), message_body=PublicCloseReq())
    >>> encode_file([message]).hex()
    '7605000000046200620072630200710163921c00'
    """
    if integers not in {"fixed", "shortest"}:
        msg = f"integers: expected fixed or shortest, found {integers!r}"
        raise ValueError(msg)
    sink = Sink(RECORDS, shortest=integers == "shortest")
    try:
        for message in messages:
            MESSAGE.build_stream(message, sink)
    except RecursionError as error:
        raise EncodeError("too_deep", "expected lists nested less deeply", value="a tree") from error
    return sink.getvalue()
