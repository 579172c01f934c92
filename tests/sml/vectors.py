"""The constructed vectors of ``tests/vectors/sml.json``, and records in the form that the file writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from e320proto import (
    BytesDiscarded,
    Integer,
    ListEntry,
    LocalTimestamp,
    Malformed,
    Message,
    ProcParValue,
    SecIndex,
    Timestamp,
    TransportFrame,
    TupelEntry,
    Unsigned,
    Untyped,
    read_messages,
)
from e320proto.schema.sml import MODELS
from e320proto.sml.messages import UNTYPED_NAMES

FILE = Path(__file__).parent.parent / "vectors" / "sml.json"
TAGS = {model.record: tag for tag, model in MODELS.items()}


@dataclass(frozen=True)
class Vector:
    """One vector: octets and what has to become of them."""

    id: str
    level: str
    octets: bytes
    expect: dict[str, Any]
    encode: bool

    def __str__(self) -> str:
        return self.id


def _load() -> tuple[Vector, ...]:
    return tuple(
        Vector(item["id"], item["level"], bytes.fromhex(item["hex"]), item["expect"], item.get("encode", False))
        for item in json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
    )


VECTORS = _load()


def vectors_of(level: str) -> list[Vector]:
    return [vector for vector in VECTORS if vector.level == level]


def vector(name: str) -> Vector:
    return next(each for each in VECTORS if each.id == name)


def good_frames() -> dict[str, bytes]:
    """Every frame of the streams that is right, by the vector's id and the position in the stream."""
    return {
        f"{each.id}-{event['offset']}": each.octets[event["offset"] : event["offset"] + event["length"]]
        for each in vectors_of("stream")
        for event in each.expect["events"]
        if event["event"] == "frame"
    }


def element_form(value: object) -> dict[str, Any]:
    """Any untyped element."""
    match value:
        case bool():
            return {"type": "boolean", "value": value}
        case bytes():
            return {"type": "octets", "value": value.hex()}
        case Integer():
            return {"type": "integer", "value": value.value, "width": value.width}
        case Unsigned():
            return {"type": "unsigned", "value": value.value, "width": value.width}
        case tuple():
            return {"type": "list", "value": [element_form(item) for item in value]}
    msg = f"no element: {value!r}"
    raise TypeError(msg)


def tree_form(value: object) -> Any:  # noqa: ANN401 - JSON
    """The body of a message without a model."""
    match value:
        case bytes():
            return f"h:{value.hex()}"
        case Integer() | Unsigned():
            return value.value
        case tuple():
            return [tree_form(item) for item in value]
    return value


def value_form(value: object) -> Any:  # noqa: ANN401 - JSON
    """A field of the type SML_Value."""
    return element_form(value) if isinstance(value, bool | bytes | Integer | Unsigned) else record_form(value)


def record_form(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Any other field, and every composite."""
    form: Any = value
    match value:
        case None | bool() | int():
            pass
        case bytes():
            form = value.hex()
        case tuple():
            form = [record_form(item) for item in value]
        case SecIndex(seconds, bare):
            form = {"secIndex": seconds} | ({"bare": True} if bare else {})
        case Timestamp(seconds):
            form = {"timestamp": seconds}
        case LocalTimestamp():
            form = {"localTimestamp": _fields_form(value)}
        case ProcParValue(choice, content):
            form = {_camel(choice): value_form(content) if choice == "value" else record_form(content)}
        case ListEntry():
            form = _fields_form(value) | {"decimal": _decimal(value)}
        case _:
            form = _fields_form(value)
    return form


def _fields_form(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    spell = _tupel_name if isinstance(record, TupelEntry) else _camel
    is_value = {"value", "simple_value"} if not isinstance(record, Unsigned) else set()
    return {
        spell(field.name): (value_form if field.name in is_value else record_form)(getattr(record, field.name))
        for field in fields(record)
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _tupel_name(name: str) -> str:
    if name in {"server_id", "sec_index"}:
        return _camel(name)
    return name.replace("_pa", "_pA").replace("_ma", "_mA").replace("_r", "_R")


def _decimal(entry: ListEntry) -> str | None:
    if not isinstance(entry.value, Integer | Unsigned):
        return None
    return format(Decimal(entry.value.value).scaleb(entry.scaler or 0), "f")


def message_form(item: Message | Malformed) -> dict[str, Any]:
    """One message, or what is wrong with it."""
    if isinstance(item, Malformed):
        return error_form(item.error)
    body = item.message_body
    head = {
        "transactionId": item.transaction_id.hex(),
        "groupNo": item.group_no,
        "abortOnError": item.abort_on_error,
        "crc": item.crc16,
    }
    if isinstance(body, Untyped):
        name = UNTYPED_NAMES.get(body.tag, "unknown")
        return {"type": name, "tag": f"{body.tag:04x}", **head, "untyped": tree_form(body.tree)}
    record = type(body).__name__
    name = f"{record[:-3]}.{record[-3:]}"
    return {"type": name, "tag": f"{TAGS[record]:04x}", **head, "body": record_form(body)}


def error_form(error: Any) -> dict[str, Any]:  # noqa: ANN401 - any error with an offset
    return {"error": {"kind": error.reason, "offset": error.offset}}


def event_form(event: TransportFrame | BytesDiscarded | Malformed) -> dict[str, Any]:
    """One event of the transport decoder; a frame with its messages."""
    if isinstance(event, TransportFrame):
        return {
            "event": "frame",
            "offset": event.offset,
            "length": len(event.raw),
            "crc": event.crc_kind,
            "fill": event.fill,
            "notes": list(event.notes),
            "payload": event.payload.hex(),
            "messages": [message_form(item) for item in read_messages(event.payload)],
        }
    octets = event.data if isinstance(event, BytesDiscarded) else event.raw
    kind = "noise" if isinstance(event, BytesDiscarded) else event.error.reason
    hint = {} if event.hint is None else {"hint": event.hint}
    return {"event": "trouble", "kind": kind, "offset": event.offset, "length": len(octets), **hint}
