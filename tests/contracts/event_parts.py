"""Everything that an event says, so that two decoders can be compared by more than octets and offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e320proto import Malformed, Telegram, TelegramDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e320proto import BytesDiscarded


def parts(event: Telegram | Malformed | BytesDiscarded) -> tuple[Any, ...]:
    """Every public part of an event."""
    match event:
        case Telegram():
            return (
                event.offset,
                event.raw,
                event.payload,
                tuple(event.entries),
                [tuple(map(type, entry)) for entry in event.entries],
                event.time,
                event.server_octets,
                event.notes,
                event.rules,
                event.message_count,
                event.options,
                event.floats,
                event.codes,
                event.net_power,
                event.status,
                event.quirks,
                event.direction,
                event.reduced,
                event.server_id,
                event.messages,
                repr(event),
                hash(event),
            )
        case Malformed(offset, error, raw, partial, kind):
            return offset, type(error), str(error), error.reason, error.offset, error.path, raw, partial, kind
        case _:
            return event.offset, event.data


def pieces(octets: bytes, size: int) -> Iterator[bytes]:
    """Octets as a port would deliver them."""
    return (octets[at : at + size] for at in range(0, len(octets), size))


def events_of(decoder: TelegramDecoder, chunks: Iterable[bytes]) -> list[tuple[Any, ...]]:
    """What a decoder makes of a whole stream, and how many telegrams came by a layout at the end."""
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
    return list(map(parts, events))
