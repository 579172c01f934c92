"""Counts over all inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.table import Table

from e320proto.events import BytesDiscarded
from e320proto.sml.wording import meter_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e320proto.events import Malformed
    from e320proto.identity import ServerId
    from e320proto.sml.telegram import Telegram

_METERS: Final = 1000  # meters counted one by one; further ones together


@dataclass(slots=True)
class Stats:
    """Counts of what came; as many numbers for a day as for a year.

    ``messages`` are those that are right. A frame with a wrong checksum, fill count or escape, or
    without an end within the limit, is ``rejected``; one that breaks off is ``truncated``.
    """

    telegrams: int = 0
    messages: int = 0
    entries: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    truncated: int = 0
    message_errors: Counter[str] = field(default_factory=Counter)
    discarded: int = 0
    text_errors: int = 0
    meters: Counter[ServerId | None] = field(default_factory=Counter)
    other_meters: int = 0

    def telegram(self, telegram: Telegram) -> None:
        """Count a telegram."""
        self.telegrams += 1
        self.entries += len(telegram.entries)
        self.messages += telegram.message_count
        server = telegram.server_id
        if server in self.meters or len(self.meters) < _METERS:
            self.meters[server] += 1
        else:
            self.other_meters += 1

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """Count a place without a telegram."""
        if isinstance(event, BytesDiscarded):
            self.discarded += len(event.data)
        elif event.kind == "text":
            self.text_errors += 1
        elif event.kind == "message":
            self.message_errors[event.error.reason] += 1
        elif event.error.reason == "truncated":
            self.truncated += 1
        else:
            self.rejected[event.error.reason] += 1

    def rows(self) -> Iterator[tuple[str, int]]:
        """Names and numbers, in the order to show them."""
        yield "telegrams", self.telegrams
        yield "messages", self.messages
        yield "entries", self.entries
        yield "rejected", self.rejected.total()
        for reason, count in sorted(self.rejected.items()):
            yield f"rejected, {reason}", count
        yield "truncated", self.truncated
        yield "message errors", self.message_errors.total()
        for reason, count in sorted(self.message_errors.items()):
            yield f"message errors, {reason}", count
        yield "discarded bytes", self.discarded
        if self.text_errors:
            yield "text errors", self.text_errors
        for server, count in self.meters.items():
            yield f"telegrams of meter {meter_words(server)}", count
        if self.other_meters:
            yield "telegrams of other meters", self.other_meters

    def table(self) -> Table:
        """The counts as one block."""
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(overflow="fold")
        table.add_column(overflow="fold", justify="right")
        for name, count in self.rows():
            table.add_row(name, str(count))
        return table
