"""The compiler of the schema: what it makes of constructs, what it leaves to them, and what it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from construct import LazyBound

from e320proto import CrcKind, DecodeError, E320Error, Limits
from e320proto.schema import compile as c
from e320proto.schema.composites import Crc16, Message, MessageBody, Sequence, SequenceOf, Value
from e320proto.schema.primitives import BOOL, OS, Number, Optional, Source, StatusWord
from e320proto.schema.sml import TIME


def maker(name: str) -> Any:  # noqa: ANN401 - any factory
    return lambda *arguments, **fields: (name, *arguments, *fields.values())


RECORDS = {name: maker(name) for name in ("Message", "Body", "Pair", "Integer", "Unsigned", "SecIndex", "Timestamp")}
PAIR = Sequence("Pair", "first" / OS, "second" / Optional(Number(32)))


def schema_of(field: Any) -> tuple[Message, dict[int, Sequence]]:  # noqa: ANN401 - any construct
    """A message schema whose body, of tag 7, has one field."""
    models = {7: Sequence("Body", "field" / field)}
    message = Message(
        "transaction_id" / OS,
        "group_no" / Number(8),
        "abort_on_error" / Number(8),
        "message_body" / MessageBody(models),
        "crc16" / Crc16(),
    )
    return message, models


def octets_of(field: str) -> bytes:
    octets = bytes.fromhex("76023162006200" + "726207" + "71" + field)
    return octets + b"\x63" + CrcKind.X25.wire(octets).to_bytes(2) + b"\0"


def outcomes(field: Any, octets: bytes, limits: Limits) -> tuple[Any, Any]:  # noqa: ANN401 - whatever is made
    """What the schema makes of a message, and what the compiled reader makes: the value and the notes."""
    message, models = schema_of(field)

    def source_of(data: bytes) -> Source:
        return Source(data, RECORDS, limits=limits)

    reader = c.compile_reader(message, models, source_of)
    assert reader is not None
    source = source_of(octets)
    value = message.parse_stream(source)
    notes: set[str] = set()
    found, end = reader(octets, 0, notes)
    assert end == len(octets) == source.tell()
    return (value, source.notes), (found, notes)


def field_of(result: Any) -> Any:  # noqa: ANN401 - whatever was made
    return result[0][4][1]


@pytest.mark.parametrize(
    ("field", "octets", "value"),
    [
        (OS, "01", b""),
        (OS, "02aa", b"\xaa"),
        (OS, "0f" + "aa" * 14, b"\xaa" * 14),
        (OS, "8101" + "aa" * 15, b"\xaa" * 15),
        (OS, "8f0f" + "aa" * 253, b"\xaa" * 253),
        (OS, "818001" + "aa" * 254, b"\xaa" * 254),
        (OS, "8002", b""),
        (BOOL, "4200", False),
        (BOOL, "42ff", True),
        (Number(8), "6280", 128),
        (Number(8), "630007", 7),
        (Number(8), "5207", 7),
        (Number(8, signed=True), "5280", -128),
        (Number(8, signed=True), "52ff", -1),
        (Number(8, signed=True), "527f", 127),
        (Number(8, signed=True, wraps=True), "62ff", -1),
        (Number(16, signed=True), "53ffc4", -60),
        (Number(16, signed=True), "52c4", -60),
        (Number(32), "65ffffffff", 0xFFFF_FFFF),
        (Number(32), "640000ff", 255),
        (Number(32), "6900000000000000ff", 255),
        (Number(64), "69ffffffffffffffff", (1 << 64) - 1),
        (StatusWord(), "641c0104", ("Unsigned", 0x1C0104, 3)),
        (StatusWord(), "5207", ("Unsigned", 7, 1)),
        (Value(), "01", None),
        (Value(), "02aa", b"\xaa"),
        (Value(), "8101" + "aa" * 15, b"\xaa" * 15),
        (Value(), "818001" + "aa" * 254, b"\xaa" * 254),
        (Value(), "4201", True),
        (Value(), "53ff38", ("Integer", -200, 2)),
        (Value(), "69ffffffffffffffff", ("Unsigned", (1 << 64) - 1, 8)),
        (Optional(OS), "01", None),
        (Optional(OS), "8002", None),
        (Optional(OS), "02aa", b"\xaa"),
        (Optional(Number(8)), "01", None),
        (Optional(TIME), "8002", None),
        (TIME, "72620165000000ff", ("SecIndex", 255)),
        (TIME, "726201641c0104", ("SecIndex", 0x1C0104)),
        (TIME, "65000000ff", ("SecIndex", 255, True)),
        (TIME, "5207", ("SecIndex", 7, True)),
        (TIME, "72620265000000ff", ("Timestamp", 255)),
        (TIME, "726300016207", ("SecIndex", 7)),
        (PAIR, "7202aa01", ("Pair", b"\xaa", None)),
        (PAIR, "f00202aa6207", ("Pair", b"\xaa", 7)),
        (SequenceOf(OS), "70", ()),
        (SequenceOf(OS), "7f" + "01" * 15, (b"",) * 15),
        (SequenceOf(OS), "f171" + "01" * 17, (b"",) * 17),
        (SequenceOf(PAIR, or_absent=True), "01", ()),
        (SequenceOf(PAIR, or_absent=True), "71720101", (("Pair", b"", None),)),
        (Optional(SequenceOf(OS)), "01", None),
        (Optional(SequenceOf(OS)), "7102aa", (b"\xaa",)),
        (LazyBound(lambda: PAIR), "7202aa01", ("Pair", b"\xaa", None)),
    ],
)
def test_every_form_of_every_construct(field: Any, octets: str, value: object) -> None:  # noqa: ANN401 - any construct
    expected, compiled = outcomes(field, octets_of(octets), Limits())
    assert field_of(expected) == value
    assert compiled == expected


@pytest.mark.parametrize(
    ("field", "octets"),
    [
        (OS, "6207"),
        (OS, "10" + "aa" * 15),
        (OS, "9005aabbcc"),
        (OS, "8110" + "aa" * 30),
        (OS, "05aa"),
        (OS, "8f0faa"),
        (Number(8), "630100"),
        (Number(8), "02aa"),
        (Number(32), "660100000000"),
        (StatusWord(), "52ff"),
        (StatusWord(), "6a" + "01" * 9),
        (Value(), "70"),
        (Value(), "5a" + "01" * 9),
        (Value(), "10" + "aa" * 15),
        (Value(), "9005aabbcc"),
        (TIME, "72620465000000ff"),
        (TIME, "66ff00000000"),
        (PAIR, "71" + "01"),
        (PAIR, "7301" + "01" + "01"),
        (PAIR, "01"),
        (SequenceOf(OS), "01"),
        (SequenceOf(OS), "72" + "01"),
        (SequenceOf(OS), "4201"),
        (SequenceOf(OS), "f10101"),
    ],
)
def test_what_does_not_fit_is_left_to_the_schema(field: Any, octets: str) -> None:  # noqa: ANN401 - any construct
    message, models = schema_of(field)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS))
    assert reader is not None
    with pytest.raises((E320Error, IndexError, KeyError)):
        reader(octets_of(octets), 0, set())
    with pytest.raises(DecodeError):
        by_schema(message, octets_of(octets))


def by_schema(message: Message, octets: bytes) -> Any:  # noqa: ANN401 - whatever is made
    message.outline(Source(octets, RECORDS), 0)
    return message.parse_stream(Source(octets, RECORDS))


@pytest.mark.parametrize("field", [OS, BOOL, Number(8), Number(32), StatusWord(), Value(), TIME, SequenceOf(BOOL)])
def test_whatever_the_reader_takes_the_schema_takes(field: Any) -> None:  # noqa: ANN401 - any construct
    """Every TL field of one or two octets, with the data octets that it could announce."""
    message, models = schema_of(field)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS))
    assert reader is not None
    taken = 0
    for octet in range(256):
        elements = [bytes((octet,)) + b"\x42" * count for count in range(18)]
        if octet & 0x80:
            seconds = (*range(18), 0x72, 0x80, 0x8F)
            elements += [
                bytes((octet, second)) + b"\x42" * ((octet & 15) * 16 + (second & 15) - 2) for second in seconds
            ]
        for element in elements:
            octets = octets_of(element.hex())
            notes: set[str] = set()
            try:
                found, _ = reader(octets, 0, notes)
            except (E320Error, IndexError, KeyError):
                continue
            source = Source(octets, RECORDS)
            assert (message.parse_stream(source), source.notes) == (found, notes)
            taken += 1
    assert taken > 0


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("76", "75"), c.NotCompiledError),
        (("76", "02"), c.NotCompiledError),
        (("726207", "736207"), c.NotCompiledError),
        (("726207", "725207"), c.NotCompiledError),
        (("726207", "726208"), KeyError),
        (("76023162", "76520162"), DecodeError),
    ],
)
def test_envelopes_that_are_left_to_the_schema(change: tuple[str, str], wanted: type[Exception]) -> None:
    message, models = schema_of(OS)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS))
    assert reader is not None
    octets = bytes.fromhex(octets_of("02aa").hex().replace(*change, 1))
    with pytest.raises(wanted):
        reader(octets, 0, set())


def test_wrong_ends() -> None:
    message, models = schema_of(OS)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS))
    assert reader is not None
    right = octets_of("02aa")
    assert reader(right, 0, set())[1] == len(right)
    with pytest.raises(c.NotCompiledError):
        reader(right[:-1] + b"\1", 0, set())
    with pytest.raises(DecodeError):
        reader(right[:-2] + bytes((right[-2] ^ 1, 0)), 0, set())
    for length in range(len(right)):
        with pytest.raises((E320Error, IndexError, KeyError)):
            reader(right[:length], 0, set())


def test_anywhere_in_a_file() -> None:
    message, models = schema_of(OS)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS))
    assert reader is not None
    octets = octets_of("02aa")
    assert reader(b"\0\0" + octets + octets, 2, set()) == (reader(octets, 0, set())[0], 2 + len(octets))


@pytest.mark.parametrize("kinds", [(CrcKind.KERMIT,), (CrcKind.KERMIT, CrcKind.X25), (CrcKind.X25, CrcKind.KERMIT)])
def test_checksums_in_the_order_asked_for(kinds: tuple[CrcKind, ...]) -> None:
    message, models = schema_of(OS)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS, crc_kinds=kinds))
    assert reader is not None
    octets = octets_of("02aa")[:-4]
    for kind in kinds:
        notes: set[str] = set()
        found, _ = reader(octets + b"\x63" + kind.wire(octets).to_bytes(2) + b"\0", 0, notes)
        assert found[5] is kind
        assert notes == ({"kermit"} if kind is CrcKind.KERMIT else set())


def test_a_construct_inside_itself_is_not_compiled() -> None:
    """Its depth must be counted."""
    tree: Sequence = Sequence("Body", "child" / Optional(SequenceOf(LazyBound(lambda: tree))))
    message, models = schema_of(tree)
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS))
    assert reader is not None
    with pytest.raises(KeyError):
        reader(octets_of("71" + "01"), 0, set())


@pytest.mark.parametrize("name", c.SMALLEST_LIMITS)
def test_no_reader_below_the_smallest_limits(name: str) -> None:
    message, models = schema_of(OS)
    for value in (c.SMALLEST_LIMITS[name] - 1, c.SMALLEST_LIMITS[name]):
        limits = Limits(**{name: value})
        reader = c.compile_reader(message, models, lambda data, limits=limits: Source(data, RECORDS, limits=limits))  # type: ignore[misc]
        assert (reader is None) == (value < c.SMALLEST_LIMITS[name])


def test_code_in_place_of_records() -> None:
    message, models = schema_of(Value())
    inline = {"Unsigned": "({1}, {0})", "Integer": "-{0}", "Message": "{3}"}
    reader = c.compile_reader(message, models, lambda data: Source(data, RECORDS), inline)
    assert reader is not None
    assert reader(octets_of("630007"), 0, set())[0] == ("Body", (2, 7))
    assert reader(octets_of("52ff"), 0, set())[0] == ("Body", 1)
