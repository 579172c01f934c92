"""TelegramEncoder: the octets of the schema, whatever the values are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import (
    CrcKind,
    DecodeOptions,
    EncodeError,
    GetListRes,
    Integer,
    Limits,
    ListEntry,
    Message,
    MessageBody,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Telegram,
    TelegramDecoder,
    TelegramEncoder,
    Unsigned,
    encode_file,
    encode_transport,
)
from tests.contracts.pushes import EVERYTHING, FRAME, SERVER_ID, USUAL, push

WIDTHS = range(1, 9)
octets_4 = st.binary(min_size=4, max_size=4) | st.just(b"\x1b" * 4)
times = st.integers(0, (1 << 32) - 1) | st.just(0x1B1B1B1B)


def messages(ids: list[bytes], time: int, numbers: list[tuple[int, int]], word: int, text: bytes) -> list[Message]:
    """A push with an entry of every width, signed and unsigned, a status and a text."""
    entries = [ListEntry(obj_name=ObisCode.parse("96.1.0"), value=text)]
    for width, (unsigned, signed) in zip(WIDTHS, numbers, strict=True):
        fields: dict[str, Any] = {"obj_name": ObisCode.parse("1.8.0"), "unit": 30, "scaler": -width}
        entries.append(ListEntry(**fields, status=Unsigned(word, 3), value=Unsigned(unsigned, width)))
        entries.append(ListEntry(**fields, val_time=SecIndex(time), value=Integer(signed, width)))
    bodies: tuple[MessageBody, ...] = (
        PublicOpenRes(req_file_id=ids[0], server_id=SERVER_ID, ref_time=SecIndex(time)),
        GetListRes(server_id=SERVER_ID, act_sensor_time=SecIndex(time), val_list=tuple(entries)),
        PublicCloseRes(),
    )
    return [Message(transaction_id=number, message_body=body) for number, body in zip(ids[1:], bodies, strict=True)]


def values_of(ids: list[bytes], time: int, numbers: list[tuple[int, int]], word: int, text: bytes) -> list[int | bytes]:
    """The same in the order of the wire."""
    entries = [part for unsigned, signed in numbers for part in (word, unsigned, time, signed)]
    return [ids[1], ids[0], SERVER_ID, time, ids[2], SERVER_ID, time, text, *entries, ids[3]]


TEMPLATE = messages([b"0000"] * 4, 0, [(0, 0)] * 8, 0, b"text")


@given(
    ids=st.lists(octets_4, min_size=4, max_size=4),
    time=times,
    numbers=st.tuples(
        *(
            st.tuples(
                st.integers(0, (1 << 8 * width) - 1) | st.just(int.from_bytes(b"\x1b" * width)),
                st.integers(-(1 << 8 * width - 1), (1 << 8 * width - 1) - 1),
            )
            for width in WIDTHS
        )
    ).map(list),
    word=st.integers(0, 0xFFFFFF),
    text=octets_4,
)
def test_equal_to_the_schema(
    ids: list[bytes], time: int, numbers: list[tuple[int, int]], word: int, text: bytes
) -> None:
    encoder = TelegramEncoder(TEMPLATE)
    expected = encode_transport(encode_file(messages(ids, time, numbers, word, text)))
    assert encoder.encode(values_of(ids, time, numbers, word, text)) == expected


def test_values_of_the_messages_given() -> None:
    encoder = TelegramEncoder(push(USUAL))
    assert encoder.encode(encoder.values) == FRAME
    named = dict(zip(encoder.fields, encoder.values, strict=True))
    assert named["open.req_file_id"] == b"\0\0\4\xa9"
    assert named["list.act_sensor_time"] == 86_423
    assert named["list.val_list[1].status"] == 0x1C7904
    assert named["list.val_list[2].value"] == -215
    assert named["close.transaction_id"] == b"\0\0\r\xfe"
    assert not any("crc" in name or "obj_name" in name for name in encoder.fields)


@pytest.mark.parametrize("layouts", [True, False])
def test_form_of_a_telegram_received(layouts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    *_, telegram = TelegramDecoder(layouts=layouts).feed(FRAME * 3)
    assert isinstance(telegram, Telegram)
    encoder = TelegramEncoder(telegram)
    assert encoder.encode(encoder.values) == FRAME


def test_form_is_kept_to_the_octet() -> None:
    """A tag of 4 octets, as some meters send; the schema writes 2."""
    payload = encode_file(push(USUAL))
    wide = payload.replace(b"\x63\x07\x01", b"\x65\0\0\7\1")
    (telegram,) = TelegramDecoder().feed(encode_transport(_with_right_crcs(payload, wide)))
    assert isinstance(telegram, Telegram)
    encoder = TelegramEncoder(telegram)
    assert encoder.encode(encoder.values) == telegram.raw


def _with_right_crcs(payload: bytes, changed: bytes) -> bytes:
    """The changed payload with the checksum of its second message made right."""
    first, second = (len(encode_file(push(USUAL)[:count])) for count in (1, 2))
    more = len(changed) - len(payload)
    end = second + more - 4  # 63, checksum, 00
    crc = CrcKind.X25.wire(changed[first:end]).to_bytes(2)
    return changed[: end + 1] + crc + changed[end + 3 :]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("open.transaction_id", b"12345", "out_of_range"),
        ("open.transaction_id", b"", "out_of_range"),
        ("open.transaction_id", 1234, "wrong_type"),
        ("open.transaction_id", "1234", "wrong_type"),
        ("open.ref_time", -1, "out_of_range"),
        ("open.ref_time", 1 << 32, "out_of_range"),
        ("open.ref_time", 1.0, "wrong_type"),
        ("open.ref_time", None, "wrong_type"),
        ("open.ref_time", b"0000", "wrong_type"),
        ("list.val_list[1].status", -1, "out_of_range"),
        ("list.val_list[1].status", 1 << 24, "out_of_range"),
        ("list.val_list[2].value", 128, "out_of_range"),
        ("list.val_list[2].value", -129, "out_of_range"),
        ("list.val_list[6].value", 1 << 23, "out_of_range"),
        ("list.val_list[6].value", b"123", "wrong_type"),
        ("list.val_list[16].value", 1 << 63, "out_of_range"),
        ("list.val_list[16].value", True, "wrong_type"),
        ("list.val_list[5].value", True, "wrong_type"),
        ("open.transaction_id", bytearray(4), "wrong_type"),
    ],
)
def test_values_that_do_not_fit(name: str, value: Any, reason: str) -> None:  # noqa: ANN401 - anything
    encoder = TelegramEncoder(TEMPLATE)
    values: list[Any] = list(encoder.values)
    values[encoder.fields.index(name)] = value
    with pytest.raises(EncodeError) as caught:
        encoder.encode(values)
    assert (caught.value.reason, caught.value.path) == (reason, name)


def test_pushes_of_few_fields() -> None:
    """Ids may be empty, so that a push has numbers only, or nothing that changes."""
    bodies: tuple[MessageBody, ...] = (
        PublicOpenRes(req_file_id=b"", server_id=b""),
        GetListRes(server_id=b"", val_list=(ListEntry(obj_name=ObisCode.parse("1.8.0"), value=Unsigned(5, 3)),)),
        PublicCloseRes(),
    )
    pushed = [Message(transaction_id=b"", message_body=body) for body in bodies]
    encoder = TelegramEncoder(pushed)
    assert encoder.fields == ("list.val_list[0].value",)
    assert encoder.encode([5]) == encode_transport(encode_file(pushed))
    with pytest.raises(EncodeError) as caught:
        encoder.encode([1 << 24])
    assert caught.value.path == "list.val_list[0].value"
    pushed[1] = Message(transaction_id=b"", message_body=GetListRes(server_id=b"", val_list=()))
    assert TelegramEncoder(pushed).encode([]) == encode_transport(encode_file(pushed))


@pytest.mark.parametrize("values", [iter([]), None, 5, {}])
def test_values_that_are_no_list(values: Any) -> None:  # noqa: ANN401 - anything
    with pytest.raises(EncodeError) as caught:
        TelegramEncoder(TEMPLATE).encode(values)
    assert caught.value.reason == "wrong_count"


def test_options_of_a_telegram() -> None:
    options = DecodeOptions(limits=Limits(max_octets=400))
    pushed = push((replace(USUAL[0], value=bytes(300)),))
    (telegram,) = TelegramDecoder(options).feed(encode_transport(encode_file(pushed)))
    assert isinstance(telegram, Telegram)
    encoder = TelegramEncoder(telegram)
    assert encoder.encode(encoder.values) == telegram.raw


@pytest.mark.parametrize("change", [-1, 1])
def test_wrong_number_of_values(change: int) -> None:
    encoder = TelegramEncoder(TEMPLATE)
    values = encoder.values[:-1] if change < 0 else (*encoder.values, 0)
    with pytest.raises(EncodeError) as caught:
        encoder.encode(values)
    assert caught.value.reason == "wrong_count"


@pytest.mark.parametrize(
    "pushed",
    [
        push(EVERYTHING),
        push(USUAL)[:2],
        push(USUAL, CrcKind.KERMIT),
        (),
        push((replace(USUAL[1], value=Unsigned(0x1B1B1B1B, 8)),)),
    ],
    ids=["times as values", "no Close", "kermit", "nothing", "escape"],
)
def test_messages_without_a_layout(pushed: tuple[Message, ...]) -> None:
    with pytest.raises(EncodeError) as caught:
        TelegramEncoder(pushed)
    assert caught.value.reason == "no_layout"
