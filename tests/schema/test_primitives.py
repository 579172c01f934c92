"""Elements and fields: the TL field against its table, and every field with what it reads, notes and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import DecodeError, EncodeError, Integer, LimitError, Limits, SecIndex, TruncatedError, Unsigned
from e320proto.limits import DEFAULT_LIMITS
from e320proto.schema import primitives as p
from e320proto.sml.messages import RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = {0: "octets", 4: "boolean", 5: "integer", 6: "unsigned", 7: "list"}


def header_by_the_table(data: bytes, depth: int, limits: Limits) -> tuple[str, int, int] | tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 - one line for each row
    """Kind, count and data position of the element at 0, or reason and offset of what is wrong: the rows 1 to 8."""
    if not data:
        return "truncated", 0
    if data[0] == 0:
        return "unexpected_end_of_message", 0
    kind = data[0] >> 4 & 7
    if kind in {1, 2, 3} or (kind == 4 and data[0] & 0x80):
        return "reserved_type", 0
    length, at = data[0] & 15, 0
    while data[at] & 0x80:
        at += 1
        if at + 1 > limits.max_tl_octets:
            return "tl_too_long", 0
        if at >= len(data):
            return "truncated", 0
        if data[at] >> 4 & 7 and not (kind == 7 and data[at] >> 4 & 7 == 7):
            return "bad_continuation", at
        length = length * 16 + (data[at] & 15)
    start = at + 1
    left = len(data) - start
    if kind == 7:
        if depth + 1 > limits.max_depth:
            return "too_deep", 0
        if length > left:
            return "truncated", 0
        if length > limits.max_list:
            return "too_many_elements", 0
        return "list", length, start
    if length < start:
        return "length_underflow", 0
    count = length - start
    if kind == 4 and count != 1:
        return "boolean_width", 0
    if kind in {5, 6} and not 1 <= count <= 8:
        return "integer_width", 0
    if kind == 0 and count > limits.max_octets:
        return "too_many_octets", 0
    if count > left:
        return "truncated", 0
    return TYPES[kind], count, start


def header(data: bytes, depth: int, limits: Limits) -> tuple[str, int, int] | tuple[str, int | None]:
    """What the library says, in the same words."""
    try:
        kind, count, start = p.read_header(data, 0, depth, limits, set())
    except DecodeError as error:
        return error.reason, error.offset
    return TYPES[kind], count, start


@pytest.mark.parametrize(
    "limits",
    [DEFAULT_LIMITS, Limits(max_depth=1, max_list=3, max_octets=2, max_tl_octets=1), Limits(max_tl_octets=2)],
)
def test_every_pair_of_first_octets(limits: Limits) -> None:
    for tail in (b"", b"\x01", bytes(20)):
        for number in range(0x1_0000):
            data = number.to_bytes(2) + tail
            assert header(data, 0, limits) == header_by_the_table(data, 0, limits), data.hex()
    for octet in range(256):
        data = bytes((octet,))
        assert header(data, 0, limits) == header_by_the_table(data, 0, limits)


@given(
    st.lists(st.sampled_from(bytes.fromhex("808f818287 f0f1ff c0c1 d0d2 e0e9 70 01 02 7f 0f")), max_size=11).map(bytes),
    st.integers(0, 40),
    st.sampled_from((DEFAULT_LIMITS, Limits(max_tl_octets=3, max_octets=40), Limits(max_list=20))),
    st.sampled_from((b"", bytes(9), bytes(300), bytes(17_000))),
)
def test_long_tl_fields(octets: bytes, depth: int, limits: Limits, tail: bytes) -> None:
    data = octets + tail
    assert header(data, depth, limits) == header_by_the_table(data, depth, limits)


def error_of(data: str, depth: int = 0, limits: Limits = DEFAULT_LIMITS) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        p.read_header(bytes.fromhex(data), 0, depth, limits, set())
    return caught.value


@pytest.mark.parametrize(
    ("data", "needed"), [("", 1), ("81", 1), ("05aa", 3), ("73", 3), ("63aa", 1), ("810f00", 28), ("f10101", 16)]
)
def test_truncated_tells_how_much_is_missing_at_least(data: str, needed: int) -> None:
    error = error_of(data)
    assert type(error) is TruncatedError
    assert error.needed == needed


@pytest.mark.parametrize(
    ("data", "depth", "limits", "fact"),
    [
        ("71", 32, DEFAULT_LIMITS, ("too_deep", "max_depth", 32, 33)),
        ("73010101", 0, Limits(max_list=2), ("too_many_elements", "max_list", 2, 3)),
        ("04aabbcc", 0, Limits(max_octets=2), ("too_many_octets", "max_octets", 2, 3)),
        ("808005", 0, Limits(max_tl_octets=2), ("tl_too_long", "max_tl_octets", 2, 3)),
    ],
)
def test_limits_name_themselves(data: str, depth: int, limits: Limits, fact: tuple[object, ...]) -> None:
    error = error_of(data, depth, limits)
    assert type(error) is LimitError
    assert (error.reason, error.limit, error.maximum, error.actual) == fact


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "expected a TL octet, found the end of the input, at offset 0"),
        ("00", "expected an element, found 00 (end of message), at offset 0"),
        ("10", "expected a TL octet of a known type, found 10, at offset 0"),
        ("8115", "expected type bits 000 in a following TL octet, found 15, at offset 1"),
        ("8001", "expected a length of at least 2 (the TL octets themselves), found 1, at offset 0"),
        ("6a", "expected 1 to 8 octets for a number, found 9, at offset 0"),
        ("43", "expected 1 octet for a boolean, found 2, at offset 0"),
        ("03aa", "expected 2 octets of data, found 1, at offset 0"),
        ("72aa", "expected 2 elements, found 1 octets, at offset 0"),
    ],
)
def test_what_people_read(data: str, text: str) -> None:
    assert str(error_of(data)) == text


def test_repeated_type_bits_are_noted_in_lists_only() -> None:
    notes: set[str] = set()
    assert p.read_tl(bytes.fromhex("f174"), 0, DEFAULT_LIMITS, notes) == (p.LIST, 20, 2)
    assert notes == {"tl_type_repeated"}
    notes.clear()
    assert p.read_tl(bytes.fromhex("f104"), 0, DEFAULT_LIMITS, notes) == (p.LIST, 20, 2)
    assert notes == set()
    for other in ("d175", "e176", "8117", "f165"):
        assert error_of(other).reason == "bad_continuation"


# --- writing TL fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "octets"),
    [
        (0, "01"),
        (14, "0f"),
        (15, "8101"),
        (48, "8302"),
        (253, "8f0f"),
        (254, "818001"),
        (300, "81820f"),
        (4_092, "8f8f0f"),
        (4_093, "81808001"),
        (5_000, "8183880c"),
        (65_531, "8f8f8f0f"),
    ],
)
def test_tl_of_octets(count: int, octets: str) -> None:
    assert p.write_tl(p.OCTETS, count).hex() == octets


@pytest.mark.parametrize(
    ("count", "octets"),
    [(0, "70"), (15, "7f"), (16, "f100"), (255, "ff0f"), (256, "f18000"), (4_095, "ff8f0f"), (4_096, "f1808000")],
)
def test_tl_of_lists(count: int, octets: str) -> None:
    assert p.write_tl(p.LIST, count).hex() == octets


@given(st.sampled_from((p.OCTETS, p.LIST)), st.integers(0, 20_000) | st.integers(0, 1 << 27))
def test_tl_written_is_tl_read_and_none_is_shorter(kind: int, count: int) -> None:
    octets = p.write_tl(kind, count)
    length = count if kind == p.LIST else count + len(octets)
    assert p.read_tl(octets + b"\x01", 0, DEFAULT_LIMITS, set()) == (kind, length, len(octets))
    shorter = len(octets) - 1
    assert shorter == 0 or (count if kind == p.LIST else count + shorter) >= 16**shorter


# --- any element --------------------------------------------------------------------------------------


def test_element_of_every_type() -> None:
    data = bytes.fromhex("7702aa 4200 42ff 53ffff 6380ff 70 01 99")
    source = p.Source(data, RECORDS)
    assert p.read_element(source, 0, 0) == (
        (b"\xaa", False, True, Integer(-1, 2), Unsigned(0x80FF, 2), (), b""),
        len(data) - 1,
    )
    assert p.skip_element(source, 0, 0) == len(data) - 1


@given(st.lists(st.sampled_from(bytes.fromhex("71 72 73 01 02 42 52 62 63 81 f0 00 10")), max_size=12).map(bytes))
def test_skipping_is_reading(octets: bytes) -> None:
    """The same end and the same error, without making anything."""

    def outcome(walk: Callable[[p.Source], int]) -> object:
        source = p.Source(octets, RECORDS, limits=Limits(max_depth=3))
        try:
            return walk(source), source.notes
        except DecodeError as error:
            return error

    assert outcome(lambda source: p.skip_element(source, 0, 0)) == outcome(
        lambda source: p.read_element(source, 0, 0)[1]
    )


# --- fields -------------------------------------------------------------------------------------------


def parse(con: Any, octets: str) -> tuple[Any, set[str]]:  # noqa: ANN401 - any field
    source = p.Source(bytes.fromhex(octets) + b"\x01", RECORDS)
    value = con.parse_stream(source)
    assert source.tell() == len(bytes.fromhex(octets))
    return value, source.notes


def build(con: Any, value: Any, *, shortest: bool = False) -> str:  # noqa: ANN401 - any field
    sink = p.Sink(RECORDS, shortest=shortest)
    con.build_stream(value, sink)
    return sink.getvalue().hex()


def refusal(con: Any, octets: str) -> str:  # noqa: ANN401 - any field
    """Reason of the error; its offset is that of the element."""
    source = p.Source(b"\x01" + bytes.fromhex(octets), RECORDS)
    source.seek(1)
    with pytest.raises(DecodeError) as caught:
        con.parse_stream(source)
    assert caught.value.offset == 1
    return caught.value.reason


@pytest.mark.parametrize(
    ("octets", "value"), [("01", b""), ("02aa", b"\xaa"), ("8005c0ffee", b"\xc0\xff\xee"), ("8002", b"")]
)
def test_octet_string(octets: str, value: bytes) -> None:
    assert parse(p.OS, octets) == (value, set())
    assert parse(p.OS, build(p.OS, value))[0] == value


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_octet_string_takes_any_bytes_like(form: type[bytes]) -> None:
    assert build(p.OS, form(b"\xaa\xbb")) == "03aabb"


@pytest.mark.parametrize("octets", ["6201", "5201", "4201", "70"])
def test_octet_string_refuses_other_types(octets: str) -> None:
    assert refusal(p.OS, octets) == "wrong_type"


@pytest.mark.parametrize(("octets", "value"), [("4200", False), ("4201", True), ("42ff", True), ("4280", True)])
def test_boolean(octets: str, value: bool) -> None:  # noqa: FBT001 - it is the value
    read, notes = parse(p.BOOL, octets)
    assert read is value
    assert notes == set()
    assert build(p.BOOL, value) == ("4201" if value else "4200")


def test_boolean_refuses_other_types() -> None:
    assert refusal(p.BOOL, "6201") == "wrong_type"
    assert refusal(p.BOOL, "01") == "missing"
    for value in (1, 0, None, b"\x01"):
        with pytest.raises(EncodeError):
            build(p.BOOL, value)


U8, U32, U64, I8, I64 = p.Number(8), p.Number(32), p.Number(64), p.Number(8, signed=True), p.Number(64, signed=True)
SCALER = p.Number(8, signed=True, wraps=True)


@pytest.mark.parametrize(
    ("con", "octets", "value", "notes"),
    [
        (U8, "62ff", 255, set()),
        (U8, "6900000000000000ff", 255, set()),
        (U8, "52ff", None, set()),
        (U8, "527f", 127, {"sign_type"}),
        (U8, "5300ff", 255, {"sign_type"}),
        (U8, "630100", None, set()),
        (U32, "641c0104", 0x1C0104, set()),
        (U32, "660100000000", None, set()),
        (U64, "69ffffffffffffffff", (1 << 64) - 1, set()),
        (I8, "52ff", -1, set()),
        (I8, "54ffff80", -128, set()),
        (I8, "53ff7f", None, set()),
        (I8, "627f", 127, {"sign_type"}),
        (I8, "6280", None, set()),
        (SCALER, "6280", -128, {"sign_type"}),
        (SCALER, "62ff", -1, {"sign_type"}),
        (SCALER, "627f", 127, {"sign_type"}),
        (SCALER, "6300ff", None, set()),
        (SCALER, "530080", None, set()),
        (I64, "54ff0001", -65_535, set()),
        (I64, "697fffffffffffffff", (1 << 63) - 1, {"sign_type"}),
        (I64, "698000000000000000", None, set()),
        (U32, "d0050007d0", 2000, {"sign_type"}),
    ],
)
def test_number(con: p.Number, octets: str, value: int | None, notes: set[str]) -> None:
    """Any width is read, the other sign too if the value fits; ``None``: out of range."""
    if value is None:
        assert refusal(con, octets) == "out_of_range"
    else:
        assert parse(con, octets) == (value, notes)


@pytest.mark.parametrize("con", [U8, I8, U64, p.AnyNumber(), p.StatusWord()])
def test_numbers_refuse_other_types(con: p.Field) -> None:
    assert refusal(con, "02aa") == "wrong_type"
    assert refusal(con, "4201") == "wrong_type"
    assert refusal(con, "70") == "wrong_type"
    assert refusal(con, "01") == "missing"
    assert refusal(con, "8002") == "missing"


@pytest.mark.parametrize(
    ("con", "value", "octets", "shortest"),
    [
        (U8, 0, "6200", "6200"),
        (U32, 7, "6500000007", "6207"),
        (U32, 0x1234, "6500001234", "631234"),
        (U64, 255, "6900000000000000ff", "62ff"),
        (I8, -1, "52ff", "52ff"),
        (I64, -129, "59ffffffffffffff7f", "53ff7f"),
        (I64, 128, "590000000000000080", "530080"),
        (p.Number(32, width=2), 0x0701, "630701", "630701"),
        (p.Number(32, width=2), 1, "630001", "6201"),
        (p.Number(32, width=2), 0x1_0000, "64010000", "64010000"),
    ],
)
def test_number_written(con: p.Number, value: int, octets: str, shortest: str) -> None:
    assert build(con, value) == octets
    assert build(con, value, shortest=True) == shortest


@given(st.integers(-(1 << 64), 1 << 65))
def test_shortest_width(value: int) -> None:
    """The width holds the value and one octet less does not."""
    for signed in (False, True):
        if signed or value >= 0:
            width = p.shortest_width(value, signed=signed)
            assert int.from_bytes(value.to_bytes(width, signed=signed), signed=signed) == value
            if width > 1:
                with pytest.raises(OverflowError):
                    value.to_bytes(width - 1, signed=signed)


def test_any_number_keeps_sign_and_width() -> None:
    assert parse(p.AnyNumber(), "640000ff") == (Unsigned(255, 3), set())
    assert parse(p.AnyNumber(), "54ff0001") == (Integer(-65_535, 3), set())
    assert build(p.AnyNumber(), Unsigned(255, 3)) == "640000ff"
    assert build(p.AnyNumber(), Unsigned(255, 3), shortest=True) == "62ff"
    assert build(p.AnyNumber(), Integer(255), shortest=True) == "5300ff"
    assert build(p.AnyNumber(), Integer(1 << 32)) == "590000000100000000"


@pytest.mark.parametrize("con", [p.AnyNumber(), p.StatusWord()])
@pytest.mark.parametrize("value", [5, None, True, b"\x05", SecIndex(5), (5, 1)])
def test_only_the_records_of_numbers_are_numbers_with_a_width(con: p.Field, value: object) -> None:
    with pytest.raises(EncodeError):
        build(con, value)


def test_status_word() -> None:
    assert parse(p.StatusWord(), "641c0104") == (Unsigned(0x1C0104, 3), set())
    assert parse(p.StatusWord(), "530104") == (Unsigned(0x104, 2), {"sign_type"})
    assert refusal(p.StatusWord(), "53ff04") == "out_of_range"
    with pytest.raises(EncodeError):
        build(p.StatusWord(), Integer(1, 1))


def test_untyped() -> None:
    value = (b"", True, (Integer(-1, 2), (), Unsigned(7, 1)))
    assert build(p.Untyped(), value) == "7301420173" + "53ffff" + "70" + "6207"
    assert parse(p.Untyped(), build(p.Untyped(), value)) == (value, set())
    assert build(p.Untyped(), [bytearray(), True]) == build(p.Untyped(), (b"", True))


@pytest.mark.parametrize("value", [[1], 1, None, "text", 1.0, (b"", "text")])
def test_untyped_refuses_what_it_never_reads(value: object) -> None:
    with pytest.raises(EncodeError) as caught:
        build(p.Untyped(), value)
    assert caught.value.path == ("[1]" if isinstance(value, tuple) else "[0]" if isinstance(value, list) else "")


@pytest.mark.parametrize("absent", ["01", "8002", "808003"])
def test_optional(absent: str) -> None:
    assert parse(p.Optional(U8), absent) == (None, set())
    assert parse(p.Optional(U8), "6207") == (7, set())
    assert parse(p.Optional(p.OS), absent) == (None, set())
    assert (build(p.Optional(U8), None), build(p.Optional(U8), 7)) == ("01", "6207")
    assert refusal(p.Optional(U8), "02aa") == "wrong_type"


def test_path_in_our_words() -> None:
    assert p.field_path("(parsing)") == ""
    assert p.field_path("(building) -> message_body -> val_list -> [3] -> unit") == "message_body.val_list[3].unit"
    assert p.field_path("(parsing) -> [0] -> [1]") == "[0][1]"
