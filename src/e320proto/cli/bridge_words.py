"""What a bridge tells of its lines and its broker, a line for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from e320proto.aio.reader import ReaderState
from e320proto.live.broker import BacklogDelivered, BacklogGrew, BrokerAway, BrokerConnected, OutboxFailed
from e320proto.live.diagnosis import diagnose
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.aio.reader import MeterReader
    from e320proto.live.broker import BrokerEvent


def broker_words(event: BrokerEvent, broker: str, buffer: Path) -> str:
    """One line about the connection to a broker.

    >>> from pathlib import Path
    >>> broker_words(BacklogGrew(100, 0), "mqtt://house:1883", Path("bridge.sqlite"))
    'mqtt://house:1883: 100 telegrams wait in bridge.sqlite'
    """
    match event:
        case BrokerConnected(waiting):
            backlog = f"; {plural(waiting, 'telegram')} that waited {'is' if waiting == 1 else 'are'} delivered now"
            return f"{broker}: connected{backlog if waiting else ''}"
        case BrokerAway(error):
            return f"{error}; telegrams wait in {buffer} until it is back"
        case BacklogGrew(waiting, dropped):
            lost = f"; that is all it takes: {plural(dropped, 'old telegram')} dropped" if dropped else ""
            return f"{broker}: {plural(waiting, 'telegram')} wait{'s' if waiting == 1 else ''} in {buffer}{lost}"
        case BacklogDelivered(count):
            return f"{broker}: all {plural(count, 'telegram')} that waited delivered"
        case OutboxFailed(error):
            return f"{error}; telegrams wait in memory, as many as fit"
        case _ as never:
            assert_never(never)


def line_words(reader: MeterReader, state: ReaderState) -> str:
    """One line about what a reader is at."""
    url = reader.url
    match state:
        case ReaderState.CONNECTING:
            return f"{url}: connecting" if reader.error is None else str(reader.error)
        case ReaderState.RECEIVING:
            return f"{url}: telegrams arrive"
        case ReaderState.SILENT | ReaderState.STALLED:
            findings = diagnose(reader.stats)
            return f"{url}: {findings[0].text if findings else state.value}"
        case ReaderState.FAILED:
            return f"{reader.error}; given up"
        case ReaderState.STOPPED:
            return f"{url}: stopped"
        case _ as never:
            assert_never(never)
