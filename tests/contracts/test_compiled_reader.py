"""The compiled reader is the schema: the same items and the same notes for everything, right or wrong."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import (
    DecodeOptions,
    GetProfilePackRes,
    Limits,
    ListEntry,
    LocalTimestamp,
    Malformed,
    Message,
    ProfObjPeriodEntry,
    SecIndex,
    TimestampedValue,
    TransportDecoder,
    TransportFrame,
    Unsigned,
    ValueEntry,
    encode_file,
)
from e320proto.crc import CrcKind
from e320proto.schema.compile import compile_reader
from e320proto.schema.sml import MESSAGE, MODELS
from e320proto.sml.codec import make_source, walk_messages
from e320proto.sml.facts import FACTS, Facts, fact_reader
from e320proto.sml.messages import RECORDS
from tests.contracts import strategies as s
from tests.contracts.pushes import EVERYTHING, LARGE_PUSH, PUSH, push
from tests.sml.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e320proto.schema.compile import MessageReader

DEFAULT = DecodeOptions()
OPTIONS = {
    "default": DEFAULT,
    "lenient": DecodeOptions(message_crc="lenient"),
    "x25": DecodeOptions(message_crc_kind="x25"),
    "kermit": DecodeOptions(message_crc_kind="kermit"),
    "narrow": DecodeOptions(limits=Limits(max_depth=11, max_list=15, max_octets=253, max_tl_octets=2, max_resync=1)),
}
MODELS_WITH_TREES = {
    "GetProfilePackReq",
    "GetProfileListReq",
    "GetProcParameterRes",
    "SetProcParameterReq",
    "AttentionRes",
}


def payloads_of_vectors() -> dict[str, bytes]:
    payloads = {vector.id: vector.octets for vector in vectors_of("message") + vectors_of("quirk")}
    for vector in vectors_of("stream"):
        for event in TransportDecoder().feed(vector.octets):
            if isinstance(event, TransportFrame):
                payloads[f"{vector.id}-{event.offset}"] = event.payload
    return payloads | {"push": PUSH, "large push": LARGE_PUSH, "kermit": encode_file(push(EVERYTHING, CrcKind.KERMIT))}


PAYLOADS = payloads_of_vectors()


def _tuple_maker(name: str) -> Callable[..., tuple[Any, ...]]:
    return lambda *arguments, **fields: (name, *arguments, *fields.values())


TUPLES = {name: _tuple_maker(name) for name in RECORDS}
"""Factories that tell all they were given: fields in wire order, whether by position or by keyword."""


@cache
def tuple_reader(options: DecodeOptions) -> MessageReader | None:
    """A compiled reader of every model."""
    return compile_reader(MESSAGE, MODELS, lambda data: make_source(data, options, TUPLES))


def walked(payload: bytes, options: DecodeOptions, records: Any, fast: Any) -> tuple[list[Any], set[str]]:  # noqa: ANN401 - whatever is made
    notes: set[str] = set()
    return list(walk_messages(payload, options, notes=notes, records=records, fast=fast)), notes


def assert_same(payload: bytes, options: DecodeOptions = DEFAULT) -> list[Any]:
    """Both compiled readers against the schema. Gives the facts."""
    items, notes = walked(payload, options, FACTS, None)
    assert walked(payload, options, FACTS, fact_reader(options)) == (items, notes)
    assert walked(payload, options, TUPLES, tuple_reader(options)) == walked(payload, options, TUPLES, None)
    return items


def with_checksum(message: bytes, kind: CrcKind = CrcKind.X25) -> bytes:
    """The octets up to the checksum, and the one that fits them."""
    return message + b"\x63" + kind.wire(message).to_bytes(2) + b"\0"


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_vectors(payload: bytes, options: DecodeOptions) -> None:
    assert_same(payload, options)


@pytest.mark.parametrize("model", s.MODELS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_message(model: type[Any], data: st.DataObject) -> None:
    message = data.draw(s.messages(s.record_of(model), st.sampled_from(CrcKind)))
    for integers in ("fixed", "shortest"):
        assert_same(encode_file([message], integers=integers))


@settings(max_examples=100)
@given(st.lists(s.messages(), max_size=3), st.sampled_from(list(OPTIONS.values())))
def test_any_file(messages: list[Message], options: DecodeOptions) -> None:
    assert_same(encode_file(messages), options)


def test_the_readers_are_really_used() -> None:
    """They read pushes by themselves, or every model without a tree; else these comparisons would show nothing."""
    reader = fact_reader(DEFAULT)
    assert reader is not None
    for message in push(EVERYTHING):
        octets = encode_file([message])
        facts, end = reader(octets, 0, set())
        assert isinstance(facts, Facts)
        assert end == len(octets)
    reader = tuple_reader(DEFAULT)
    assert reader is not None
    for model in set(MODELS.values()):
        samples = [vector.octets for vector in vectors_of("message") if is_sample(vector.expect, model.record)]
        assert samples
        for octets in samples:
            if model.record in MODELS_WITH_TREES:
                with pytest.raises(KeyError):
                    reader(octets, 0, set())
            else:
                assert reader(octets, 0, set())[1] == len(octets)


def is_sample(expect: dict[str, Any], record: str) -> bool:
    name: str = expect.get("type", "")
    return name.replace(".", "") == record


# --- damaged, but with right checksums ------------------------------------------------------------

TL_OCTETS = bytes.fromhex("00010203070f 4142435152535455595a 6162636465696a 70717273767f 808183 c2d1e2f0f1f7ff 9b")
SAMPLES = {
    "open": encode_file(push(())[:1])[:-4],
    "list": encode_file(push(EVERYTHING)[1:2])[:-4],
    "profile": next(vector.octets for vector in vectors_of("message") if vector.id == "ms-profpack-res")[:-4],
    "period": next(vector.octets for vector in vectors_of("message") if vector.id == "ms-proflist-res")[:-4],
    "request": next(vector.octets for vector in vectors_of("message") if vector.id == "ms-open-req-full")[:-4],
    "attention": next(vector.octets for vector in vectors_of("message") if vector.id == "ms-attention-ok")[:-4],
}


def changed_in_one_place(message: bytes) -> Iterator[bytes]:
    """An octet replaced by what could be a TL octet."""
    for at in range(len(message)):
        for octet in TL_OCTETS:
            if octet != message[at]:
                yield message[:at] + bytes((octet,)) + message[at + 1 :]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_octet_replaced(name: str) -> None:
    outcomes = set()
    step = 1 + len(SAMPLES[name]) // 20
    for number, message in enumerate(changed_in_one_place(SAMPLES[name])):
        if number % step == 0:
            items = assert_same(with_checksum(message))
            outcomes |= {item.error.reason if isinstance(item, Malformed) else item.kind for item in items}
    # The changes reach every layer: structure, types, and messages that are still right.
    assert {"truncated", "wrong_type", "reserved_type"} <= outcomes
    assert outcomes & {"open", "list", "other"}


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """A message with octets put in, taken out or replaced, and a right checksum of either kind."""
    octets = bytearray(draw(st.sampled_from(list(SAMPLES.values()))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets) - 1))
        length = draw(st.integers(0, 3))
        octets[start : start + length] = bytes(draw(st.lists(st.sampled_from(TL_OCTETS), max_size=4)))
    return with_checksum(bytes(octets), draw(st.sampled_from(CrcKind)))


@settings(max_examples=400)
@given(st.lists(edited(), min_size=1, max_size=2), st.sampled_from(list(OPTIONS.values())))
def test_edited_messages(messages: list[bytes], options: DecodeOptions) -> None:
    assert_same(b"".join(messages) + encode_file([s.CLOSE]), options)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(TL_OCTETS) | st.integers(0, 255), max_size=60).map(bytes))
def test_random_bodies(body: bytes) -> None:
    for tag in ("630101", "630701", "630301", "630201"):
        assert_same(with_checksum(bytes.fromhex(f"7602016200620072{tag}") + body))


# --- limits ---------------------------------------------------------------------------------------


def deepest() -> bytes:
    """Eleven lists deep: the deepest that a model without trees allows."""
    stamp = TimestampedValue(sml_time=LocalTimestamp(1, 2, 3), status=Unsigned(4, 1), simple_value=None)
    row = ProfObjPeriodEntry(val_time=SecIndex(1), status=0, value_list=(ValueEntry(value=stamp),))
    body = GetProfilePackRes(
        server_id=b"",
        act_time=SecIndex(1),
        reg_period=900,
        parameter_tree_path=(),
        header_list=(),
        period_list=(row,),
    )
    return encode_file([Message(transaction_id=b"1", message_body=body)])


@pytest.mark.parametrize("max_depth", range(1, 14))
def test_depth_is_kept(max_depth: int) -> None:
    """Where a compiled reader cannot count the depth, there is none."""
    options = DecodeOptions(limits=Limits(max_depth=max_depth))
    (item,) = assert_same(deepest(), options)
    assert isinstance(item, Malformed) == (max_depth < 11)


@pytest.mark.parametrize("limit", ["max_list", "max_octets", "max_tl_octets"])
def test_other_limits_are_kept(limit: str) -> None:
    """Both readers agree at every value of a limit, on a push that has something for each of them."""
    for value in range(1, 17) if limit == "max_tl_octets" else (*range(1, 20), 47, 48, 252, 253, 254, 299, 300):
        assert_same(LARGE_PUSH, DecodeOptions(limits=Limits(**{limit: value})))


def test_octet_strings_around_the_limit() -> None:
    for length in (13, 14, 15, 47, 48, 252, 253, 254, 300):
        payload = encode_file(push((ListEntry(obj_name=bytes(length), value=b"v" * length),)))
        for limit in range(length - 2, length + 2):
            items = assert_same(payload, DecodeOptions(limits=Limits(max_octets=limit)))
            assert any(isinstance(item, Malformed) for item in items) == (limit < max(length, 10))
