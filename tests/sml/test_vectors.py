"""All constructed vectors, at every level they speak of: element, message, stream, quirk."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import (
    BytesDiscarded,
    DecodeError,
    LimitError,
    Malformed,
    ObisCode,
    Telegram,
    TelegramDecoder,
    TransportDecoder,
    TruncatedError,
    decode_file,
    encode_file,
    encode_transport,
    read_messages,
)
from e320proto.schema.primitives import Sink, Source, Untyped, read_element
from e320proto.sml.messages import RECORDS
from tests.sml.vectors import VECTORS, Vector, element_form, error_form, event_form, message_form, vectors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS_WITH_CLASS = {
    "truncated": TruncatedError,
    "too_deep": LimitError,
    "too_many_elements": LimitError,
    "too_many_octets": LimitError,
    "tl_too_long": LimitError,
}


def run(vectors: Sequence[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=str)


def levels(level: str) -> pytest.MarkDecorator:
    return run(vectors_of(level))


def test_every_vector_is_run_by_one_of_these_tests() -> None:
    assert Counter(vector.level for vector in VECTORS) == {"element": 34, "message": 48, "stream": 32, "quirk": 9}
    assert len({vector.id for vector in VECTORS}) == 123


@levels("element")
def test_element(vector: Vector) -> None:
    source = Source(vector.octets, RECORDS)
    if "error" in vector.expect:
        with pytest.raises(DecodeError) as caught:
            read_element(source, 0, 0)
        assert error_form(caught.value) == vector.expect
        assert type(caught.value) is KINDS_WITH_CLASS.get(caught.value.reason, DecodeError)
        return
    value, end = read_element(source, 0, 0)
    assert element_form(value) == vector.expect
    assert end == len(vector.octets)
    sink = Sink(RECORDS)
    Untyped().build_stream(value, sink)
    if vector.encode:
        assert sink.getvalue() == vector.octets
    else:
        assert read_element(Source(sink.getvalue(), RECORDS), 0, 0)[0] == value


@levels("message")
def test_message(vector: Vector) -> None:
    (item,) = read_messages(vector.octets)
    assert message_form(item) == vector.expect
    if isinstance(item, Malformed):
        assert (item.offset, item.raw) == (0, vector.octets)
        with pytest.raises(DecodeError) as caught:
            decode_file(vector.octets)
        assert caught.value == item.error
        return
    assert decode_file(vector.octets) == (item,)
    octets = encode_file([item])
    if vector.encode:
        assert octets == vector.octets
    else:
        assert decode_file(octets) == (item,)


@run([vector for vector in vectors_of("message") if "error" not in vector.expect])
def test_message_in_as_few_octets_as_possible(vector: Vector) -> None:
    """The form with shortened integers says the same and is never longer."""
    messages = decode_file(vector.octets)
    octets = encode_file(messages, integers="shortest")
    assert len(octets) <= len(encode_file(messages))
    (short,) = decode_file(octets)
    assert _without_widths(message_form(short)) == _without_widths(message_form(messages[0]))


def _without_widths(form: Any) -> Any:  # noqa: ANN401 - JSON
    match form:
        case dict():
            return {key: _without_widths(value) for key, value in form.items() if key != "width"}
        case list():
            return [_without_widths(value) for value in form]
    return form


@levels("stream")
def test_stream(vector: Vector) -> None:
    decoder = TransportDecoder()
    events = decoder.feed(vector.octets) + decoder.close()
    assert {"events": [event_form(event) for event in events]} == vector.expect


@levels("stream")
def test_stream_octet_by_octet(vector: Vector) -> None:
    decoder = TransportDecoder()
    events = [event for octet in vector.octets for event in decoder.feed(bytes((octet,)))] + decoder.close()
    assert {"events": [event_form(event) for event in events]} == vector.expect


@run([vector for vector in vectors_of("stream") if vector.encode])
def test_stream_encoded_again(vector: Vector) -> None:
    """Frames marked so come back octet by octet from their payload, and if it is regular, from its messages."""
    (frame,) = vector.expect["events"]
    payload = bytes.fromhex(frame["payload"])
    assert encode_transport(payload, frame["crc"]) == vector.octets
    if not any("error" in message for message in frame["messages"]) and vector.id != "st-extra-zero":
        assert encode_file(decode_file(payload)) == payload


@levels("stream")
def test_telegrams_of_stream(vector: Vector) -> None:
    """The telegram decoder gives the same messages, and every trouble of the stream and of the messages in order."""
    decoder = TelegramDecoder()
    events = decoder.feed(vector.octets) + decoder.close()
    found: list[Any] = []
    for event in events:
        if isinstance(event, Telegram):
            found.append([message_form(message) for message in event.messages])
        elif isinstance(event, BytesDiscarded):
            found.append("noise")
        else:
            found.append((event.error.reason, event.error.offset))
    expected: list[Any] = []
    for event in vector.expect["events"]:
        if event["event"] == "trouble":
            expected.append("noise" if event["kind"] == "noise" else (event["kind"], event["offset"]))
            continue
        messages = event["messages"]
        good = [message for message in messages if "error" not in message]
        if good or not messages:
            expected.append(good)
        expected += [(each["error"]["kind"], each["error"]["offset"]) for each in messages if "error" in each]
    assert found == expected
    assert all(before.offset < after.offset for before, after in pairwise(events))


@levels("quirk")
def test_quirk(vector: Vector) -> None:
    decoder = TelegramDecoder()
    (telegram,) = decoder.feed(encode_transport(vector.octets))
    assert decoder.close() == []
    assert isinstance(telegram, Telegram)
    # A message alone in its frame: neither Open nor Close.
    assert telegram.notes == ("order",)
    entry = telegram.entries[ObisCode(bytes.fromhex(vector.expect["entry"]))]
    assert entry.quantity is not None
    found = {
        "entry": entry.obis.hex(),
        "raw": entry.raw,
        "decimal": entry.quantity.digits,
        "corrected": entry.rule,
    }
    if "direction" in vector.expect:
        found["direction"] = telegram.direction
        assert telegram.net_power is not None
        found["net_power"] = telegram.net_power.digits
    assert found == vector.expect
