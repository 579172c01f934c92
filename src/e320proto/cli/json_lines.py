"""Telegrams as JSON, one object on a line, with every digit that the meter sent.

Numbers go from the exact text of a quantity to the line; nothing becomes a float on the way. What is
the same for every telegram of a meter (names, ids, times of a second) is made once and kept.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, TextIO, assert_never

from e320proto.events import BytesDiscarded, Malformed
from e320proto.sml.messages import (
    CosemScalerUnit,
    Integer,
    LocalTimestamp,
    SecIndex,
    Time,
    Timestamp,
    TimestampedValue,
    Unsigned,
)
from e320proto.sml.wording import octets_text
from e320proto.units import Quantity

if TYPE_CHECKING:
    from e320proto.cli.sources import Source
    from e320proto.identity import DeviceId, ServerId
    from e320proto.obis import ObisCode
    from e320proto.sml.entries import Entry, RawValue
    from e320proto.sml.telegram import Telegram
    from e320proto.units import Unit

_DEVICE_ID_LENGTH = 14


class JsonLines:
    """Writes events as lines.

    Args:
        out: where to.
        several: whether there is more than one input, so that each line names its file.
        events: write trouble as well.
    """

    def __init__(self, out: TextIO, *, several: bool, events: bool) -> None:
        self._write = out.write
        self._flush = out.flush
        self._several = several
        self._events = events
        self._live = False
        self._start = "{"

    def begin(self, source: Source) -> None:
        """Another input begins."""
        self._live = source.live
        self._start = f'{{"file": {_text(source.name)}, ' if self._several else "{"

    def telegram(self, telegram: Telegram) -> None:
        """Write a telegram."""
        self._line(telegram_json(telegram))

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """Write a place without a telegram, if wanted."""
        if self._events:
            self._line(trouble_json(event))

    def end(self) -> None:
        """The input is at its end."""

    def _line(self, json_object: str) -> None:
        self._write(f"{self._start}{json_object[1:]}\n")
        if self._live:
            self._flush()


def telegram_json(telegram: Telegram) -> str:
    """A telegram as a JSON object on one line."""
    power = telegram.net_power
    entries = ", ".join([entry_json(entry) for entry in telegram.entries])
    return (
        f'{{"offset": {telegram.offset}, {_ids(telegram.server_id)}, "time": {time_json(telegram.time)}, '
        f'"entries": [{entries}], "direction": "{telegram.direction}", '
        f'"net_power": {"null" if power is None else power.digits}, '
        f'"notes": {_texts(telegram.notes)}, "quirks": {_texts(telegram.quirks)}}}'
    )


def entry_json(entry: Entry) -> str:
    """An entry as a JSON object on one line.

    >>> from e320proto import Entry, ObisCode, Unit
    >>> text = entry_json(Entry(ObisCode.parse("1.8.0"), 9007199254740993, -1, Unit(30)))
    >>> text[text.index('"value"'):text.index('"unit"')]
    '"value": 900719925474099.3, "raw": 9007199254740993, "scaler": -1, '
    """
    raw, scaler, status, corrected = entry.raw, entry.scaler, entry.status, entry.corrected
    value = Quantity(raw, scaler or 0).digits if type(raw) is int else _value(entry.obis, raw)
    extra = "" if corrected is None else f', "corrected": {corrected.digits}, "rule": "{entry.rule}"'
    return (
        f'{_head(entry.obis)}"value": {value}, "raw": {raw if type(raw) is int else raw_json(raw)}, '
        f'"scaler": {"null" if scaler is None else scaler}, "unit": {_unit(entry.unit)}, '
        f'"status": {"null" if status is None else _text(status.hex)}, "time": {time_json(entry.time)}{extra}}}'
    )


def trouble_json(event: BytesDiscarded | Malformed) -> str:
    """A place without a telegram as a JSON object on one line.

    >>> trouble_json(BytesDiscarded(7, b"noise"))
    '{"offset": 7, "discarded": 5}'
    """
    content: dict[str, object] = {"offset": event.offset}
    if isinstance(event, BytesDiscarded):
        content["discarded"] = len(event.data)
    else:
        content |= {"error": event.error.reason, "message": str(event.error)}
    if event.hint is not None:
        content["hint"] = event.hint
    return json.dumps(content, ensure_ascii=False)


@lru_cache(maxsize=256)
def time_json(time: Time | None) -> str:
    """A time as a JSON object that names its kind.

    >>> time_json(SecIndex(5)), time_json(LocalTimestamp(1719999999, 60, 60))
    ('{"sec_index": 5}', '{"timestamp": 1719999999, "local_offset": 60, "season_time_offset": 60}')
    """
    match time:
        case None:
            return "null"
        case SecIndex(value):
            return f'{{"sec_index": {value}}}'
        case Timestamp(value):
            return f'{{"timestamp": {value}}}'
        case LocalTimestamp(value, local, season):
            return f'{{"timestamp": {value}, "local_offset": {local}, "season_time_offset": {season}}}'
        case _ as never:
            assert_never(never)


def device_id_text(device: DeviceId | None) -> str | None:
    """The 14 characters of a device id; ``None`` for one of the edition that has 16."""
    text = str(device)
    return text if device is not None and len(text) == _DEVICE_ID_LENGTH else None


def raw_json(raw: RawValue) -> str:
    """JSON of a value as sent: octets are lower hex.

    >>> raw_json(b"LGZ"), raw_json(True), raw_json(-215)
    ('"4c475a"', 'true', '-215')
    """
    match raw:
        case None | bool() | int():
            return json.dumps(raw)
        case bytes():
            return f'"{raw.hex()}"'
        case CosemScalerUnit(scaler, unit):
            return f'{{"scaler": {scaler}, "unit": {unit}}}'
        case TimestampedValue():
            return _timestamped(raw)
        case _:
            return time_json(raw)


def _timestamped(raw: TimestampedValue) -> str:
    inner, status = raw.simple_value, raw.status
    value = inner.value if isinstance(inner, Integer | Unsigned) else inner
    word = f"{status.value:0{2 * (status.width or 0)}x}"
    return f'{{"time": {time_json(raw.sml_time)}, "status": "{word}", "value": {raw_json(value)}}}'


def _value(obis: ObisCode, raw: RawValue) -> str:
    return _text(octets_text(obis, raw)) if isinstance(raw, bytes) else raw_json(raw)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@lru_cache(maxsize=256)
def _texts(texts: tuple[str, ...]) -> str:
    return json.dumps(texts)


@lru_cache(maxsize=4096)
def _head(obis: ObisCode) -> str:
    return f'{{"obis": "{obis}", "name": {json.dumps(obis.name_en, ensure_ascii=False)}, '


@lru_cache(maxsize=1024)
def _ids(server: ServerId | None) -> str:
    if server is None:
        return '"server_id": null, "device_id": null'
    return f'"server_id": "{server.hex}", "device_id": {json.dumps(device_id_text(server.device_id))}'


@lru_cache(maxsize=256)
def _unit(unit: Unit | None) -> str:
    return json.dumps(None if unit is None else str(unit) or None, ensure_ascii=False)
