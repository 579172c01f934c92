"""Telegrams as CSV, one row for each entry."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, TextIO

from e320proto.live.telegram_json import device_id_text, raw_json
from e320proto.sml.messages import LocalTimestamp, SecIndex, Time, Timestamp
from e320proto.sml.wording import octets_text, trouble_words
from e320proto.units import Quantity

if TYPE_CHECKING:
    from e320proto.cli.sources import Source
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.sml.entries import Entry
    from e320proto.sml.telegram import Telegram

COLUMNS = (
    "offset",
    "server_id",
    "device_id",
    "time_kind",
    "time",
    "obis",
    "name",
    "value",
    "unit",
    "status",
    "corrected",
    "rule",
)
_KINDS = {SecIndex: "sec_index", Timestamp: "timestamp", LocalTimestamp: "local_timestamp"}


class CsvRows:
    """Writes entries as rows below a header; what is absent is an empty field.

    Args:
        out: where to.
        several: whether there is more than one input, so that each row names its file first.
        events: write trouble to standard error, because it has no place in the rows.
    """

    def __init__(self, out: TextIO, *, several: bool, events: bool) -> None:
        self._rows = csv.writer(out, lineterminator="\n")
        self._flush = out.flush
        self._several = several
        self._events = events
        self._live = False
        self._file: tuple[str, ...] = ()
        self._title = ""
        self._rows.writerow(("file", *COLUMNS) if several else COLUMNS)

    def begin(self, source: Source) -> None:
        """Another input begins."""
        self._live = source.live
        self._file = (source.name,) if self._several else ()
        self._title = source.title

    def telegram(self, telegram: Telegram) -> None:
        """Write the entries of a telegram."""
        server = telegram.server_id
        ids = (None, None) if server is None else (server.hex, device_id_text(server.device_id))
        first = (*self._file, telegram.offset, *ids)
        self._rows.writerows([(*first, *_fields(entry, telegram.time)) for entry in telegram.entries])
        if self._live:
            self._flush()

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """Tell of a place without a telegram, if wanted."""
        if self._events:
            place = f"{self._title}, octet" if self._file else "octet"
            sys.stderr.write(f"{place} {event.offset}: {trouble_words(event)}\n")

    def end(self) -> None:
        """The input is at its end."""


def _fields(entry: Entry, telegram_time: Time | None) -> tuple[str | int | None, ...]:
    time = telegram_time if entry.time is None else entry.time
    status, corrected = entry.status, entry.corrected
    return (
        _KINDS.get(type(time)),
        time.timestamp if isinstance(time, LocalTimestamp) else None if time is None else time.value,
        str(entry.obis),
        entry.obis.name_en,
        _value(entry),
        None if entry.unit is None else str(entry.unit),
        None if status is None else status.hex,
        None if corrected is None else corrected.digits,
        entry.rule,
    )


def _value(entry: Entry) -> str | None:
    """The value as sent: exact digits, hex or text; JSON for what is neither a number nor octets."""
    match value := entry.value:
        case None:
            return None
        case Quantity():
            return value.digits
        case bytes():
            return octets_text(entry.obis, value)
        case _:
            return raw_json(value)
