"""Rows of the tables, made the plain way: one decoder without layouts, Python objects, exact decimals.

Nothing of ``e320proto.archive`` is used here, so that the two can be compared.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any, TypeAlias

from e320proto import LocalTimestamp, Malformed, SecIndex, Telegram, TelegramDecoder
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from e320proto import Entry, Quantity, TelegramEvent

Row: TypeAlias = dict[str, Any]


def events_of(octets: bytes, options: DecodeOptions = DEFAULT_OPTIONS) -> list[TelegramEvent]:
    decoder = TelegramDecoder(options, layouts=False)
    return decoder.feed(octets) + decoder.close()


def exact(quantity: Quantity | None) -> Decimal | None:
    """The value with nine decimals, if 38 digits hold it."""
    if quantity is None:
        return None
    with localcontext() as context:
        context.prec = 400
        value = quantity.decimal
        written = value.quantize(Decimal("0.000000001"))
        if written != value or abs(written) >= Decimal(10) ** 29:
            return None
        return written


def common(telegram: Telegram) -> Row:
    octets, time = telegram.server_octets, telegram.time
    counter = isinstance(time, SecIndex)
    return {
        "meter": None if octets is None else octets.hex(),
        "offset": telegram.offset,
        "sec_index": time.value if isinstance(time, SecIndex) else None,
        "timestamp": None if time is None or counter else seconds(time),
    }


def seconds(time: Any) -> int | None:  # noqa: ANN401 - any time
    if time is None:
        return None
    return time.timestamp if isinstance(time, LocalTimestamp) else time.value


def entry_row(index: int, entry: Entry) -> Row:
    number = type(entry.raw) is int
    kind = "raw" if number else "octets" if isinstance(entry.raw, bytes) else "other"
    return {
        "entry": index,
        "obis": str(entry.obis),
        "raw": Decimal(entry.raw) if isinstance(entry.raw, int) and number else None,
        "scaler": entry.scaler,
        "unit": None if entry.unit is None else str(entry.unit),
        "value": exact(entry.value) if number else None,  # type: ignore[arg-type]  # a Quantity, of a number
        "corrected": exact(entry.corrected),
        "status": None if entry.status is None else entry.status.value,
        "val_time": seconds(entry.time),
        "signature": entry.signature,
        "octets": entry.raw if kind == "octets" else None,
        "other": str(entry.raw) if kind == "other" and entry.raw is not None else None,
    }


def long_rows(events: Iterable[TelegramEvent]) -> list[Row]:
    return [
        common(event) | entry_row(index, entry)
        for event in events
        if isinstance(event, Telegram)
        for index, entry in enumerate(event.entries)
    ]


def wide_rows(events: Iterable[TelegramEvent], columns: Sequence[tuple[str, int | None]]) -> list[Row]:
    """Rows for columns given as code and unit."""
    return [_wide_row(event, dict(columns)) for event in events if isinstance(event, Telegram)]


def _wide_row(telegram: Telegram, columns: dict[str, int | None]) -> Row:
    first: dict[str, Quantity] = {}
    for entry in telegram.entries:
        if entry.quantity is not None:
            first.setdefault(str(entry.obis), entry.quantity)
    row = common(telegram) | {"status": None if telegram.status is None else telegram.status.value}
    row |= dict.fromkeys(columns)
    others = []
    for code, quantity in first.items():
        if code in columns and columns[code] == quantity.unit:
            row[code] = exact(quantity)
        else:
            others.append((code, exact(quantity)))
    return row | {"other": others or None}


def trouble_rows(events: Iterable[TelegramEvent]) -> list[Row]:
    rows = []
    for event in events:
        if isinstance(event, Telegram):
            continue
        error = event.error if isinstance(event, Malformed) else None
        raw = event.raw if isinstance(event, Malformed) else event.data
        rows.append(
            {
                "offset": event.offset,
                "octets": len(raw),
                "kind": event.kind if isinstance(event, Malformed) else "discarded",
                "reason": None if error is None else error.reason,
                "detail": None if error is None else str(error),
                "raw": raw,
            }
        )
    return rows
