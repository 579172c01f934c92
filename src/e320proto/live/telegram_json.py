"""A telegram as one JSON object, with every digit that the meter sent.

Numbers go from the exact text of a quantity to the line; nothing becomes a float on the way. What is
the same for every telegram of a meter (names, ids, times of a second) is made once and kept.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, assert_never

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
    from e320proto.identity import DeviceId, ServerId
    from e320proto.obis import ObisCode
    from e320proto.sml.entries import Entry, RawValue
    from e320proto.sml.telegram import Telegram
    from e320proto.units import Unit

_DEVICE_ID_LENGTH = 14


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


def received_json(telegram: Telegram, at: float, url: str, meter: str) -> str:
    """A telegram as a JSON object that also says when it arrived, where, and from which meter.

    Args:
        telegram: the telegram.
        at: when it arrived: Unix time of this machine, s.
        url: of the line.
        meter: name of the meter, as in topics.

    >>> from e320proto import Telegram
    >>> from e320proto.sml.content import Content
    >>> from e320proto.sml.entries import Entries
    >>> from e320proto.sml.options import DEFAULT_OPTIONS
    >>> empty = Telegram(0, b"", DEFAULT_OPTIONS, None, Content(b"", Entries(), SecIndex(7), None, (), (), 1))
    >>> received_json(empty, 1700000000.5, "/dev/ttyUSB0", "1LGZ0063539421")[:95]
    '{"arrived": "2023-11-14T22:13:20.500Z", "url": "/dev/ttyUSB0", "meter": "1LGZ0063539421", "offs'
    """
    arrived = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'{{"arrived": "{arrived}", "url": {_text(url)}, "meter": {_text(meter)}, {telegram_json(telegram)[1:]}'


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
