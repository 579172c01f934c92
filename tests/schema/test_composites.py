"""Composites: sequences, choices, times with their deviations, values, bodies, checksums, the message."""

from __future__ import annotations

from typing import Any

import pytest

from e320proto import (
    ChecksumError,
    CosemScalerUnit,
    CrcKind,
    DecodeError,
    EncodeError,
    GetListReq,
    Integer,
    ListEntry,
    LocalTimestamp,
    Message,
    ProcParValue,
    SecIndex,
    Timestamp,
    TimestampedValue,
    Unsigned,
    Untyped,
    ValueEntry,
    decode_file,
    encode_file,
)
from e320proto.schema import sml
from e320proto.schema.composites import SequenceOf
from e320proto.schema.primitives import OS, Sink, Source
from e320proto.sml.messages import RECORDS


def parse(con: Any, octets: str) -> tuple[Any, set[str]]:  # noqa: ANN401 - any construct
    data = bytes.fromhex(octets)
    source = Source(data + b"\x01", RECORDS)
    value = con.parse_stream(source)
    assert source.tell() == len(data)
    return value, source.notes


def build(con: Any, value: object) -> str:  # noqa: ANN401 - any construct
    sink = Sink(RECORDS)
    con.build_stream(value, sink)
    return sink.getvalue().hex()


def refusal(con: Any, octets: str) -> tuple[str, int | None, str]:  # noqa: ANN401 - any construct
    with pytest.raises(DecodeError) as caught:
        con.parse_stream(Source(bytes.fromhex(octets), RECORDS))
    return caught.value.reason, caught.value.offset, caught.value.path


# --- sequences ---------------------------------------------------------------------------------------


def test_sequence() -> None:
    assert parse(sml.VALUE_ENTRY, "72620701") == (ValueEntry(value=Unsigned(7, 1)), set())
    assert build(sml.VALUE_ENTRY, ValueEntry(value=Unsigned(7, 1), value_signature=b"s")) == "7262070273"


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("7162", ("wrong_count", 0, "")),
        ("7362070101", ("wrong_count", 0, "")),
        ("01", ("missing", 0, "")),
        ("620101", ("wrong_type", 0, "")),
        ("72620742aa", ("wrong_type", 3, "value_signature")),
        ("7262", ("truncated", 0, "")),
    ],
)
def test_sequence_refused(octets: str, error: tuple[str, int, str]) -> None:
    assert refusal(sml.VALUE_ENTRY, octets) == error


def test_path_leads_to_the_field() -> None:
    entries = SequenceOf(sml.VALUE_ENTRY)
    assert refusal(entries, "72" + "72620101" + "72620142aa") == ("wrong_type", 8, "[1].value_signature")


def test_sequence_of() -> None:
    assert parse(sml.PATH, "7302aa0102bb") == ((b"\xaa", b"", b"\xbb"), set())
    assert parse(sml.PATH, "70") == ((), set())
    assert parse(sml.PATH, "f101" + "01" * 17)[0] == (b"",) * 17
    assert parse(sml.PATH, "f171" + "01" * 17)[1] == {"tl_type_repeated"}
    assert build(sml.PATH, [b""] * 17) == "f101" + "01" * 17
    assert refusal(sml.PATH, "01") == ("missing", 0, "")


def test_list_that_may_be_absent() -> None:
    entries = SequenceOf(OS, or_absent=True)
    assert parse(entries, "01") == ((), set())
    assert parse(entries, "70") == ((), set())
    assert build(entries, ()) == "70"


# --- times ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "value", "notes"),
    [
        ("72620165000000ff", SecIndex(255), set()),
        ("7262016200", SecIndex(0), set()),
        ("726300016200", SecIndex(0), set()),
        ("726201690000000000000007", SecIndex(7), set()),
        ("72620165ffffffff", SecIndex(0xFFFF_FFFF), set()),
        ("7262015207", SecIndex(7), {"sign_type"}),
        ("7262026500000007", Timestamp(7), set()),
        ("72620373650000000753003c53ffc4", LocalTimestamp(7, 60, -60), set()),
        ("726203736207523c5200", LocalTimestamp(7, 60, 0), set()),
        ("6500000007", SecIndex(7, bare=True), {"bare_time"}),
        ("6207", SecIndex(7, bare=True), {"bare_time"}),
        ("5207", SecIndex(7, bare=True), {"bare_time", "sign_type"}),
        ("72620173650000000753003c53ffc4", LocalTimestamp(7, 60, -60), {"time_list"}),
        ("72620273650000000753003c53ffc4", LocalTimestamp(7, 60, -60), {"time_list"}),
    ],
)
def test_time(octets: str, value: object, notes: set[str]) -> None:
    assert parse(sml.TIME, octets) == (value, notes)


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("72620465000000ff", ("unknown_choice", 1, "")),
        ("72620065000000ff", ("unknown_choice", 1, "")),
        ("7163000165000000ff", ("wrong_count", 0, "")),
        ("73620165000000ff01", ("wrong_count", 0, "")),
        ("01", ("missing", 0, "")),
        ("4201", ("wrong_type", 0, "")),
        ("02aa", ("wrong_type", 0, "")),
        ("72620101", ("missing", 3, "")),
        ("726201660100000000", ("out_of_range", 3, "")),
        ("660100000000", ("out_of_range", 0, "")),
        ("52ff", ("out_of_range", 0, "")),
        ("72620262", ("truncated", 3, "")),
        ("7262027262076207", ("wrong_type", 3, "")),
        ("7262036207", ("wrong_type", 3, "")),
        ("7263012c6207", ("out_of_range", 1, "")),
    ],
)
def test_time_refused(octets: str, error: tuple[str, int, str]) -> None:
    assert refusal(sml.TIME, octets) == error


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (SecIndex(7), "7262016500000007"),
        (SecIndex(7, bare=True), "6500000007"),
        (Timestamp(7), "7262026500000007"),
        (LocalTimestamp(7, 60, -60), "72620373650000000753003c53ffc4"),
    ],
)
def test_time_written(value: object, octets: str) -> None:
    assert build(sml.TIME, value) == octets


# --- values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("02aa", b"\xaa"),
        ("4201", True),
        ("53ff38", Integer(-200, 2)),
        ("62ff", Unsigned(255, 1)),
        ("72620172620165000000ff", SecIndex(255)),
        ("72620172620265000000ff", Timestamp(255)),
        ("72620173620765000000ff", None),
        ("7262016500000007", SecIndex(7, bare=True)),
        (
            "7262027372620165000000056304d252ff",
            TimestampedValue(sml_time=SecIndex(5), status=Unsigned(0x4D2, 2), simple_value=Integer(-1, 1)),
        ),
        ("72620372620172521e6203", CosemScalerUnit(30, 3)),
    ],
)
def test_value(octets: str, value: object) -> None:
    """Told by its type bits; a list by its choice."""
    if value is None:
        assert refusal(sml.VALUE, octets)[0] == "wrong_count"
        return
    assert parse(sml.VALUE, octets)[0] == value
    assert build(sml.VALUE, value) == octets


@pytest.mark.parametrize("absent", ["01", "8002"])
def test_value_absent(absent: str) -> None:
    assert parse(sml.VALUE, absent) == (None, {"value_absent"})
    assert build(sml.VALUE, None) == "01"


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("7262046207", ("unknown_choice", 1, "")),
        ("7262037262026207", ("unknown_choice", 4, "")),
        ("70", ("wrong_count", 0, "")),
        ("726202" + "73" + "7262016207" + "6207" + "7262016207", ("wrong_type", 11, "simple_value")),
        ("726202" + "73" + "7262016207" + "6207" + "70", ("wrong_type", 11, "simple_value")),
        ("726202" + "73" + "7262016207" + "01" + "6207", ("missing", 9, "status")),
    ],
)
def test_value_refused(octets: str, error: tuple[str, int, str]) -> None:
    """The value inside a timestamped value is a simple one: any list has the wrong type there."""
    assert refusal(sml.VALUE, octets) == error


def test_value_of_any_bytes_like() -> None:
    assert build(sml.VALUE, bytearray(b"a")) == build(sml.VALUE, memoryview(b"a")) == "0261"


def test_named_choice() -> None:
    entry = ListEntry(obj_name=b"n")
    for value, octets in (
        (ProcParValue("value", Unsigned(3, 1)), "7262016203"),
        (ProcParValue("value", SecIndex(3)), "7262017262017262016500000003"),
        (ProcParValue("value", None), "72620101"),
        (ProcParValue("time", SecIndex(3)), "7262047262016500000003"),
        (ProcParValue("list_entry", entry), "72620577026e010101010101"),
    ):
        assert build(sml.PROC_PAR_VALUE, value) == octets
        assert parse(sml.PROC_PAR_VALUE, octets)[0] == value
    assert refusal(sml.PROC_PAR_VALUE, "7262066203") == ("unknown_choice", 1, "")


# --- bodies, checksums, messages -------------------------------------------------------------------------


def message(body: str, kind: CrcKind = CrcKind.X25) -> bytes:
    octets = bytes.fromhex("76020162006200" + body)
    return octets + b"\x63" + kind.wire(octets).to_bytes(2) + b"\0"


@pytest.mark.parametrize("tag", ["630700", "6500000700", "690000000000000700", "530700"])
def test_tag_of_any_width(tag: str) -> None:
    (read,) = decode_file(message(f"72{tag}750101010101"))
    assert read.message_body == GetListReq(client_id=b"")


@pytest.mark.parametrize(
    ("body", "reason", "path"),
    [
        ("02aa", "wrong_type", "message_body"),
        ("71630700", "wrong_count", "message_body"),
        ("7363070001" + "01", "wrong_count", "message_body"),
        ("72" + "01" + "01", "missing", "message_body"),
        ("72" + "660100000000" + "01", "out_of_range", "message_body"),
        ("72" + "52ff" + "01", "out_of_range", "message_body"),
        ("72" + "630700" + "01", "missing", "message_body"),
        ("72" + "630700" + "74" + "01010101", "wrong_count", "message_body"),
        ("72" + "630700" + "75" + "010101016207", "wrong_type", "message_body.list_name"),
    ],
)
def test_body_refused(body: str, reason: str, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_file(message(body))
    assert (caught.value.reason, caught.value.path) == (reason, path)


def test_tag_without_a_model() -> None:
    (read,) = decode_file(message("72" + "630b00" + "720102aa"))
    assert read.message_body == Untyped(0x0B00, (b"", b"\xaa"))


def test_body_of_a_model_written_untyped() -> None:
    """Somebody may want to write what the model forbids; it is read by the model again."""
    (read,) = decode_file(encode_file([Message(transaction_id=b"1", message_body=Untyped(0x0700, (b"",) * 5))]))
    assert read.message_body == GetListReq(client_id=b"")


def test_no_message_body() -> None:
    for body in (None, Message(transaction_id=b"1", message_body=GetListReq(client_id=b"")), ListEntry(obj_name=b"")):
        wrong: Any = body
        with pytest.raises(EncodeError) as caught:
            encode_file([Message(transaction_id=b"1", message_body=wrong)])
        assert (caught.value.reason, caught.value.path) == ("wrong_type", "message_body")


def source_of(data: bytes, **options: Any) -> Source:  # noqa: ANN401 - any option
    return Source(data, RECORDS, **options)


def test_checksum_kinds() -> None:
    body = "72630700750101010101"
    for kind in CrcKind:
        data = message(body, kind)
        source = source_of(data)
        assert sml.MESSAGE.parse_stream(source).crc16 is kind
        assert source.notes == ({"kermit"} if kind is CrcKind.KERMIT else set())
        only_other = tuple(other for other in CrcKind if other is not kind)
        with pytest.raises(ChecksumError) as caught:
            sml.MESSAGE.parse_stream(source_of(data, crc_kinds=only_other))
        assert set(caught.value.computed) == {str(only_other[0])}
        assert caught.value.offset == len(data) - 4


def test_wrong_checksum_tells_both() -> None:
    data = message("72630700750101010101")[:-3] + b"\x12\x34\0"
    with pytest.raises(ChecksumError) as caught:
        sml.MESSAGE.parse_stream(source_of(data))
    error = caught.value
    expected = {str(kind): kind.wire(data[:-4]) for kind in CrcKind}
    assert (error.reason, error.computed, error.actual, error.path) == ("message_crc", expected, 0x1234, "crc16")
    source = source_of(data, lenient=True)
    assert sml.MESSAGE.parse_stream(source).crc16 is None
    assert source.notes == {"message_crc"}


@pytest.mark.parametrize("kind", CrcKind)
def test_checksum_with_its_zero_left_out(kind: CrcKind) -> None:
    """Found by search: a message whose checksum begins with 00 on the wire."""
    for number in range(1 << 16):
        data = bytes.fromhex("7603") + number.to_bytes(2) + bytes.fromhex("6200620072630700750101010101")
        if kind.wire(data) < 0x100 and all(other is kind or other.wire(data) >= 0x100 for other in CrcKind):
            short = data + bytes((0x62, kind.wire(data), 0))
            break
    else:
        pytest.fail("none found")
    source = source_of(short)
    assert sml.MESSAGE.parse_stream(source).crc16 is kind
    assert source.notes == ({"crc_short", "kermit"} if kind is CrcKind.KERMIT else {"crc_short"})
    assert encode_file(decode_file(short)) == data + bytes((0x63, 0, kind.wire(data), 0))


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("75020162006200", ("not_a_message", 0)),
        ("6207", ("not_a_message", 0)),
        ("0701", ("not_a_message", 0)),
        ("76", ("truncated", 0)),
        ("f1", ("truncated", 0)),
        ("10", ("reserved_type", 0)),
        ("7602016200620072630700750101010101630000", ("missing_end", 20)),
        ("760201620062007263070075010101010163000001", ("missing_end", 20)),
        ("7602016200620072630700750101010100", ("unexpected_end_of_message", 16)),
        ("f6", ("truncated", 0)),
    ],
)
def test_outline_refused(octets: str, error: tuple[str, int]) -> None:
    with pytest.raises(DecodeError) as caught:
        sml.MESSAGE.outline(source_of(bytes.fromhex(octets)), 0)
    assert (caught.value.reason, caught.value.offset) == error


def test_outline_of_a_message() -> None:
    data = message("72630700750101010101")
    assert sml.MESSAGE.outline(source_of(b"\0\0" + data + b"\0"), 2) == ([3, 5, 7, 9, 19], 2 + len(data))


def test_long_form_of_the_message_list() -> None:
    """Six elements, written with a leading zero nibble."""
    octets = b"\xf0\x06" + message("72630700750101010101")[1:-4]
    data = octets + b"\x63" + CrcKind.X25.wire(octets).to_bytes(2) + b"\0"
    assert decode_file(data)[0].message_body == GetListReq(client_id=b"")
