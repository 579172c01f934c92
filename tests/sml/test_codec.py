"""Whole files: one bad message costs no other, and every error tells where it is."""

from __future__ import annotations

import email.message
import inspect
import sys
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import (
    ChecksumError,
    CrcKind,
    DecodeError,
    DecodeOptions,
    EncodeError,
    GetListRes,
    LimitError,
    Limits,
    ListEntry,
    Malformed,
    Message,
    PublicCloseReq,
    PublicCloseRes,
    Unsigned,
    Untyped,
    decode_file,
    encode_file,
    encode_transport,
    read_messages,
)
from e320proto.crc import x25_wire
from e320proto.sml import codec
from e320proto.sml.codec import crc_kinds, walk_messages
from tests.sml.vectors import vector

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSE = bytes.fromhex("7605000000046200620072630200710163921c00")
MESSAGE = Message(transaction_id=bytes.fromhex("00000004"), message_body=PublicCloseReq())
OPEN = vector("ms-open-res-full").octets
WRONG_FIELD = vector("mx-vallist-type").octets
WRONG_CHECKSUM = vector("mx-crc").octets
NO_MESSAGE = vector("mx-not-a-message").octets


def told(items: list[Message | Malformed]) -> list[str]:
    """Tags of messages and reasons of faults."""
    return [
        f"{item.offset} {item.error.reason}" if isinstance(item, Malformed) else type(item.message_body).__name__
        for item in items
    ]


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_any_bytes_like(form: type[bytes]) -> None:
    assert decode_file(form(CLOSE)) == tuple(read_messages(form(CLOSE))) == (MESSAGE,)


def test_empty_file() -> None:
    assert decode_file(b"") == decode_file(bytes(7)) == ()
    assert encode_file([]) == b""


def test_surplus_zeros_are_skipped() -> None:
    assert decode_file(bytes(2) + CLOSE + bytes(3) + CLOSE + bytes(1)) == (MESSAGE, MESSAGE)


def test_a_transport_frame_is_no_file() -> None:
    with pytest.raises(DecodeError, match="TransportDecoder") as caught:
        decode_file(encode_transport(CLOSE))
    assert (caught.value.reason, caught.value.offset) == ("not_a_message", 0)


def test_messages_are_read_one_by_one() -> None:
    """Nothing is read ahead, so the first messages of a large file are there at once."""
    items = read_messages(CLOSE * 3)
    assert next(items) == MESSAGE
    assert len(list(items)) == 2


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (WRONG_FIELD + CLOSE, ["0 wrong_type", "PublicCloseReq"]),
        (CLOSE + WRONG_FIELD + CLOSE, ["PublicCloseReq", "20 wrong_type", "PublicCloseReq"]),
        (CLOSE + WRONG_CHECKSUM + CLOSE, ["PublicCloseReq", "20 message_crc", "PublicCloseReq"]),
        (CLOSE + NO_MESSAGE + CLOSE, ["PublicCloseReq", "20 not_a_message", "PublicCloseReq"]),
        (CLOSE + NO_MESSAGE, ["PublicCloseReq", "20 not_a_message"]),
        (b"\x07" + CLOSE, ["0 not_a_message"]),
        (b"\x07\x00" + CLOSE, ["0 not_a_message", "PublicCloseReq"]),
        (CLOSE[:-1] + b"\x01\x00" + OPEN, ["0 missing_end", "PublicOpenRes"]),
        (WRONG_FIELD + WRONG_CHECKSUM + CLOSE, ["0 wrong_type", f"{len(WRONG_FIELD)} message_crc", "PublicCloseReq"]),
    ],
)
def test_a_bad_message_costs_no_other(payload: bytes, expected: list[str]) -> None:
    items = list(read_messages(payload))
    assert told(items) == expected
    faults = [item for item in items if isinstance(item, Malformed)]
    for fault in faults:
        assert fault.kind == "message"
        assert payload[fault.offset :].startswith(fault.raw)
        assert fault.error.offset is not None
        assert fault.offset <= fault.error.offset <= fault.offset + len(fault.raw)
        assert fault.error.__traceback__ is None
    with pytest.raises(DecodeError) as caught:
        decode_file(payload)
    assert caught.value == faults[0].error


def test_the_untyped_tree_of_a_message_that_does_not_fit_its_model() -> None:
    (fault,) = read_messages(WRONG_FIELD)
    assert isinstance(fault, Malformed)
    assert isinstance(fault.partial, Message)
    body = fault.partial.message_body
    assert isinstance(body, Untyped)
    assert body.tag == 0x0701
    assert isinstance(body.tree, tuple)
    assert len(body.tree) == 7
    assert fault.raw == WRONG_FIELD


@pytest.mark.parametrize("name", ["mx-crc", "mx-missing-end", "mx-truncated", "mx-group-range", "mx-body-type"])
def test_no_tree_where_not_even_the_envelope_is_right(name: str) -> None:
    (fault,) = read_messages(vector(name).octets)
    assert isinstance(fault, Malformed)
    assert fault.partial is None


def test_path_of_an_error() -> None:
    (fault,) = read_messages(WRONG_FIELD)
    assert isinstance(fault, Malformed)
    assert fault.error.path == "message_body.val_list"
    assert str(fault.error) == ("expected a list, found octet string, at offset 29 (message_body.val_list)")


def test_checksum_before_fields() -> None:
    """Damaged octets are damaged, not wrongly typed."""
    damaged = WRONG_FIELD[:-3] + bytes((WRONG_FIELD[-3] ^ 1,)) + WRONG_FIELD[-2:]
    (fault,) = read_messages(damaged)
    assert isinstance(fault, Malformed)
    assert isinstance(fault.error, ChecksumError)


def test_lenient_checksums() -> None:
    options = DecodeOptions(message_crc="lenient")
    notes: set[str] = set()
    (message,) = walk_messages(WRONG_CHECKSUM, options, notes=notes)
    assert isinstance(message, Message)
    assert message.crc16 is None
    assert notes == {"message_crc"}
    assert decode_file(WRONG_CHECKSUM, options) == (message,)


def test_lenient_is_not_lenient_when_looking_for_the_next_message() -> None:
    options = DecodeOptions(message_crc="lenient")
    assert told(list(read_messages(b"\x07\x00" + WRONG_CHECKSUM, options))) == ["0 not_a_message"]


def test_notes_of_refused_messages_are_not_kept() -> None:
    notes: set[str] = set()
    wrong = vector("ms-list-res-type-repeated").octets
    wrong = wrong[:-3] + bytes((wrong[-3] ^ 1,)) + wrong[-2:]
    (fault,) = walk_messages(wrong, DecodeOptions(), notes=notes)
    assert isinstance(fault, Malformed)
    assert notes == set()


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("ms-open-res-full", set()),
        ("ms-list-res-type-repeated", {"tl_type_repeated"}),
        ("ms-list-res-bare-time", {"bare_time"}),
        ("ms-list-res-no-value", {"value_absent"}),
        ("ms-kermit", {"kermit"}),
        ("ms-unknown-tag", {"untyped"}),
        ("ms-cosem-tag", {"untyped"}),
        ("ms-time-list-of-3", {"time_list"}),
    ],
)
def test_notes(name: str, notes: set[str]) -> None:
    found: set[str] = set()
    list(walk_messages(vector(name).octets, DecodeOptions(), notes=found))
    assert found == notes


def test_checksum_kinds_to_try() -> None:
    assert crc_kinds("auto") == (CrcKind.X25, CrcKind.KERMIT)
    assert crc_kinds("kermit") == (CrcKind.KERMIT,)
    kermit = encode_file([Message(transaction_id=b"1", message_body=PublicCloseRes(), crc16=CrcKind.KERMIT)])
    assert decode_file(kermit)[0].crc16 is CrcKind.KERMIT
    assert decode_file(kermit, DecodeOptions(message_crc_kind="kermit"))[0].crc16 is CrcKind.KERMIT
    with pytest.raises(ChecksumError) as caught:
        decode_file(kermit, DecodeOptions(message_crc_kind="x25"))
    assert set(caught.value.computed) == {"x25"}


def test_widths() -> None:
    message = Message(transaction_id=b"1", message_body=Untyped(7, (Unsigned(1, 8), Unsigned(1))))
    assert encode_file([message]).hex().startswith("760231620062007263000772" + "690000000000000001" + "6201")
    assert encode_file([message], integers="shortest").hex().startswith("7602316200620072620772" + "6201" + "6201")


def test_not_a_message() -> None:
    with pytest.raises(EncodeError, match=r"expected a message \(list of 6\), found None"):
        encode_file([None])  # type: ignore[list-item]


def test_messages_are_written_from_any_iterable() -> None:
    assert encode_file(message for message in (MESSAGE, MESSAGE)) == CLOSE * 2


def called_deep(frames: int, read: Callable[[], list[Message | Malformed]]) -> list[Message | Malformed]:
    return called_deep(frames - 1, read) if frames else read()


def test_a_stack_that_is_nearly_used_up() -> None:
    """Then the error is that of too many nested lists, whatever was reached, and nothing foreign escapes."""
    tree = bytes.fromhex("73010101")
    for _ in range(40):
        tree = bytes.fromhex("73010171") + tree
    octets = bytes.fromhex("7602016200620072630501" + "73" + "01" + "70") + tree
    message = octets + b"\x63" + CrcKind.X25.wire(octets).to_bytes(2) + b"\0"
    options = DecodeOptions(limits=Limits(max_depth=100))
    assert all(isinstance(item, Message) for item in read_messages(message + CLOSE, options))
    left = sys.getrecursionlimit() - len(inspect.stack(0))
    for spare in (150, 250):
        fault, *_ = called_deep(left - spare, lambda: list(read_messages(message + CLOSE, options)))
        assert isinstance(fault, Malformed)
        assert isinstance(fault.error, LimitError)
        assert (fault.error.reason, fault.error.limit) == ("too_deep", "recursion limit of Python")


def test_a_stack_that_is_nearly_used_up_where_the_next_message_is_looked_for() -> None:
    """Then there is none to be found."""
    octets = bytes.fromhex("7602016200620072630b00") + b"\x71" * 90 + b"\x01"
    payload = NO_MESSAGE + octets + b"\x63" + CrcKind.X25.wire(octets).to_bytes(2) + b"\0"
    options = DecodeOptions(limits=Limits(max_depth=100))
    assert told(list(read_messages(payload, options))) == ["0 not_a_message", "Untyped"]
    left = sys.getrecursionlimit() - len(inspect.stack(0))
    items = called_deep(left - 60, lambda: list(read_messages(payload, options)))
    assert told(items) == ["0 not_a_message"]


class Integer:
    """Named like a record of the library, but none."""


class PublicClose(PublicCloseReq):
    """A record with a name of its own."""


def test_a_name_alone_makes_no_record() -> None:
    value: Any = Integer()
    entry = ListEntry(obj_name=b"", value=value)
    bodies: tuple[Any, ...] = (GetListRes(server_id=b"", val_list=(entry,)), value, email.message.Message())
    for body in bodies:
        with pytest.raises(EncodeError):
            encode_file([Message(transaction_id=b"", message_body=body)])
        with pytest.raises(EncodeError):
            encode_file([body])


def test_a_subclass_of_a_record_is_one() -> None:
    assert encode_file([Message(transaction_id=MESSAGE.transaction_id, message_body=PublicClose())]) == CLOSE


def test_words_and_octets_that_are_none() -> None:
    with pytest.raises(ValueError, match="integers: expected fixed or shortest, found 'short'"):
        encode_file([], integers="short")  # type: ignore[arg-type]
    for refused in (5, [0, 0], "00"):
        with pytest.raises(TypeError):
            decode_file(refused)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            read_messages(refused)  # type: ignore[arg-type]


def test_a_wrong_checksum_names_its_field() -> None:
    (fault,) = read_messages(WRONG_CHECKSUM)
    assert isinstance(fault, Malformed)
    assert fault.error.path == "crc16"


@pytest.mark.parametrize("absent", ["01", "8002"])
def test_absent_val_list_is_empty(absent: str) -> None:
    body = bytes.fromhex(f"76 02 31 62 00 62 00 72 63 07 01 77 01 01 01 01 {absent} 01 01")
    message = body + b"\x63" + x25_wire(body).to_bytes(2) + b"\0"
    (read,) = decode_file(message)
    assert isinstance(read.message_body, GetListRes)
    assert read.message_body.val_list == ()


def test_looking_for_the_next_message_is_bounded_by_the_size_of_the_file() -> None:
    """Every place looks like the start of a long message; only as many octets as the file has are read in vain."""
    wide = bytes.fromhex("0076") + bytes.fromhex("f08f0f") + b"\x01" * 255
    deep = bytes.fromhex("0076 0131 6200 6200 72") + (bytes.fromhex("f10f") + b"\x01" * 30) * 20
    payload = NO_MESSAGE + (deep + wide) * 16
    tries = codec._Tries(1000, len(payload))
    assert codec._resume(payload, 0, tries, DecodeOptions()) == len(payload)
    assert tries.places > 0
    assert tries.octets > -len(payload)
