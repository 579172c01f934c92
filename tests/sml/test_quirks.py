"""What real meters and links do differently: one test for every row of the tables in docs/quirks.md.

A test is named after its row. Telegrams are made by the library's own encoder where it can make the
deviation, else octet by octet with right checksums. Every stream goes through :func:`events_of`,
which feeds it whole, octet by octet, and without the compiled reader, and wants the same events.
"""

from __future__ import annotations

import ast
import base64
import io
import random
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import e320proto
from e320proto import (
    BytesDiscarded,
    ChecksumError,
    CosemScalerUnit,
    CrcKind,
    DecodeOptions,
    Direction,
    GetListReq,
    GetListRes,
    GetProcParameterReq,
    GetProcParameterRes,
    GetProfileListReq,
    GetProfileListRes,
    GetProfilePackReq,
    GetProfilePackRes,
    Integer,
    LimitError,
    Limits,
    ListEntry,
    LocalTimestamp,
    Malformed,
    Message,
    ObisCode,
    PeriodEntry,
    ProcParValue,
    ProfObjHeaderEntry,
    ProfObjPeriodEntry,
    PublicCloseReq,
    PublicCloseRes,
    PublicOpenReq,
    PublicOpenRes,
    Quantity,
    SecIndex,
    SetProcParameterReq,
    StatusLayout,
    Telegram,
    TelegramDecoder,
    Timestamp,
    TimestampedValue,
    Tree,
    Unit,
    Unsigned,
    Untyped,
    ValueEntry,
    decode_text,
    encode_file,
    encode_transport,
    read_capture,
)
from e320proto.events import HINTS
from e320proto.schema.sml import MODELS
from e320proto.sml import quirks
from e320proto.sml.messages import UNTYPED_NAMES, AttentionRes, MessageBody, Time, Value
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.transport import ESCAPE, START, START_2

if TYPE_CHECKING:
    from collections.abc import Iterable

Event: TypeAlias = Telegram | BytesDiscarded | Malformed

DOC = Path(__file__).parent.parent.parent / "docs" / "quirks.md"
PACKAGE = Path(e320proto.__file__).parent

WATT, WATT_HOUR = 27, 30
EMH = bytes.fromhex("0a01454d48000012d687")
RUNNING = Unsigned(0x1C0104, 3)  # FNN word: three voltages, load, import
EXPORTING = Unsigned(0x1C7904, 3)  # the same, all phases export
TIME = SecIndex(100_000)


# --- making telegrams ---------------------------------------------------------------------------


def din_id(flag: str, number: int, first: str = "0a") -> bytes:
    return bytes.fromhex(first) + b"\x01" + flag.encode() + b"\0" + number.to_bytes(4)


def register(obis: str, value: Value, *, unit: int | None = None, scaler: int | None = None, **rest: Any) -> ListEntry:  # noqa: ANN401 - fields of any type
    return ListEntry(obj_name=ObisCode.parse(obis), unit=unit, scaler=scaler, value=value, **rest)


def energy(
    value: Value = Unsigned(1_234_567, 8),  # noqa: B008 - frozen
    *,
    obis: str = "1.8.0",
    scaler: int = -1,
    status: Unsigned | None = None,
    val_time: Time | None = None,
) -> ListEntry:
    return register(obis, value, unit=WATT_HOUR, scaler=scaler, status=status, val_time=val_time)


def power(value: Integer | Unsigned, obis: str = "16.7.0", scaler: int = -2) -> ListEntry:
    return register(obis, value, unit=WATT, scaler=scaler)


def listing(*entries: ListEntry, server_id: bytes = EMH, time: Time | None = TIME) -> GetListRes:
    return GetListRes(server_id=server_id, act_sensor_time=time, val_list=entries)


def file_of(*bodies: MessageBody, crc: CrcKind = CrcKind.X25) -> list[Message]:
    """Open, the bodies, Close."""
    ends = PublicOpenRes(req_file_id=b"1", server_id=EMH), PublicCloseRes()
    return [
        Message(transaction_id=bytes([number]), message_body=body, crc16=crc)
        for number, body in enumerate((ends[0], *bodies, ends[1]), 1)
    ]


def push(*entries: ListEntry, server_id: bytes = EMH, time: Time | None = TIME) -> bytes:
    """A frame as a meter sends it every second."""
    return encode_transport(encode_file(file_of(listing(*entries, server_id=server_id, time=time))))


def handmade(tag: str, body: str, crc_kind: CrcKind = CrcKind.X25) -> bytes:
    """A message of hex digits, with a right checksum."""
    octets = bytes.fromhex(f"7605000000016200620072{tag}{body}")
    return octets + b"\x63" + crc_kind.wire(octets).to_bytes(2) + b"\0"


OPEN = handmade("630101", "7601010231" + "0b" + EMH.hex() + "0101")
CLOSE = handmade("630201", "7101")


def handmade_list(*entries: str, time: str = "01", tag: str = "630701", head: str | None = None) -> bytes:
    """A GetList.Res whose entries are hex digits; ``head`` is the TL field of the list, by default of one octet."""
    head = f"7{len(entries):x}" if head is None else head
    return handmade(tag, "7701" + "0b" + EMH.hex() + "01" + time + head + "".join(entries) + "0101")


def entry_hex(
    value: str, *, obis: str = "1.8.0", status: str = "01", time: str = "01", unit: str = "621e", scaler: str = "52ff"
) -> str:
    return "7707" + ObisCode.parse(obis).hex() + status + time + unit + scaler + value + "01"


def framed(*messages: bytes) -> bytes:
    return encode_transport(OPEN + b"".join(messages) + CLOSE)


def sealed(body: bytes, crc_kind: CrcKind = CrcKind.X25) -> bytes:
    """Add the right checksum to a frame that is complete up to its fill count."""
    return body + crc_kind.wire(body).to_bytes(2)


# --- reading them -------------------------------------------------------------------------------


def events_of(octets: bytes, options: DecodeOptions = DEFAULT_OPTIONS) -> list[Event]:
    """Everything that a stream gives, the same in whatever way it is read."""
    whole, single, schema = (TelegramDecoder(options) for _ in range(3))
    schema._reader = None  # the schema itself instead of what is compiled from it
    events = whole.feed(octets) + whole.close()
    pieces = [event for octet in octets for event in single.feed(bytes([octet]))] + single.close()
    assert pieces == events
    assert schema.feed(octets) + schema.close() == events
    return events


def telegrams(octets: bytes, options: DecodeOptions = DEFAULT_OPTIONS) -> list[Telegram]:
    """The telegrams of a stream with nothing else in it."""
    found: list[Telegram] = []
    for event in events_of(octets, options):
        assert isinstance(event, Telegram), event
        found.append(event)
    return found


def read(octets: bytes, options: DecodeOptions = DEFAULT_OPTIONS) -> Telegram:
    """The one telegram of a stream with nothing else in it."""
    (telegram,) = telegrams(octets, options)
    return telegram


def read_list(*entries: str, time: str = "01") -> Telegram:
    """A telegram with a list of hand-made entries."""
    return read(framed(handmade_list(*entries, time=time)))


def outline(events: Iterable[Event]) -> list[tuple[str, int, int]]:
    """Kind, offset and length of each event."""
    found = []
    for event in events:
        match event:
            case Telegram():
                found.append(("telegram", event.offset, len(event.raw)))
            case BytesDiscarded():
                found.append(("noise", event.offset, len(event.data)))
            case Malformed():
                found.append((event.error.reason, event.offset, len(event.raw)))
    return found


GOOD = push(energy(Unsigned(1, 4), status=RUNNING))
NEXT = push(energy(Unsigned(2, 4), status=RUNNING))


def good_neighbours(damaged: bytes, options: DecodeOptions = DEFAULT_OPTIONS) -> list[Event]:
    """Events of damaged octets between two good frames, both of which are read."""
    first, *between, last = events_of(GOOD + damaged + NEXT, options)
    assert isinstance(first, Telegram)
    assert isinstance(last, Telegram)
    assert (first.raw, last.raw, last.offset) == (GOOD, NEXT, len(GOOD + damaged))
    return between


# --- values and signs ---------------------------------------------------------------------------


def test_v1_short_positive_power_sent_as_negative() -> None:
    telegram = read(push(energy(status=RUNNING), power(Integer(-29_912, 2)), server_id=din_id("DZG", 42_000_000)))
    entry = telegram.entries["16.7.0"]
    assert bytes.fromhex("538b28") in telegram.raw
    assert (entry.raw, entry.width, entry.scaler) == (-29_912, 2, -2)
    assert str(entry.value) == "-299.12 W"
    assert (entry.corrected, entry.rule) == (Quantity(35_624, -2, Unit(WATT)), "dzg_sign")
    assert str(entry.quantity) == str(telegram.net_power) == "356.24 W"
    assert telegram.quirks == ("dzg_sign",)
    body = telegram.messages[1].message_body
    assert isinstance(body, GetListRes)
    assert body.val_list[1].value == Integer(-29_912, 2)


def test_v1_switched_off() -> None:
    octets = push(energy(status=RUNNING), power(Integer(-29_912, 2)), server_id=din_id("DZG", 42_000_000))
    telegram = read(octets, DecodeOptions(dzg_sign=False))
    entry = telegram.entries["16.7.0"]
    assert (entry.corrected, entry.rule, telegram.quirks) == (None, None, ())
    assert str(telegram.net_power) == "-299.12 W"


@pytest.mark.parametrize(
    ("number", "status", "value"),
    [
        (42_000_000, EXPORTING, Integer(-10_550, 2)),
        (42_000_000, Unsigned(0x1C0004, 3), Integer(-150, 2)),
        (42_000_000, RUNNING, Integer(-250_000, 3)),
        (42_000_000, RUNNING, Integer(-26_000, 4)),
        (60_000_000, RUNNING, Integer(-4_600, 2)),
        (60_000_000, RUNNING, Integer(-46, 1)),
    ],
)
def test_v2_true_negatives_stay(number: int, status: Unsigned, value: Integer) -> None:
    telegram = read(push(energy(status=status), power(value), server_id=din_id("DZG", number)))
    entry = telegram.entries["16.7.0"]
    assert (entry.raw, entry.corrected, telegram.quirks) == (value.value, None, ())
    assert telegram.net_power == Quantity(value.value, -2, Unit(WATT))


@pytest.mark.parametrize(
    ("status", "direction", "net"),
    [
        (Unsigned(0x0182, 2), Direction.IMPORT, "126.6 W"),
        (Unsigned(0x01A2, 2), Direction.EXPORT, "-126.6 W"),
        (Unsigned(0x01B0, 2), Direction.EXPORT, "-126.6 W"),
    ],
)
def test_v3_magnitude_with_direction_in_the_status(status: Unsigned, direction: Direction, net: str) -> None:
    telegram = read(push(energy(status=status), power(Integer(1266, 4), "15.7.0", -1)))
    assert telegram.direction is direction
    assert str(telegram.net_power) == net
    assert str(telegram.entries["15.7.0"].value) == str(telegram.entries["15.7.0"].quantity) == "126.6 W"
    assert telegram.quirks == ("edl_direction",)


def test_v4_signed_power_is_not_negated_again() -> None:
    telegram = read(push(energy(status=Unsigned(0x0101A2, 3)), power(Integer(-4281, 4), scaler=0)))
    assert telegram.direction is Direction.EXPORT
    assert str(telegram.net_power) == "-4281 W"
    assert telegram.quirks == ()


def test_v5_status_of_the_telegram_is_that_of_the_first_energy() -> None:
    telegram = read(
        push(
            register("96.5.0", Unsigned(1), status=Unsigned(0x1C0104, 3)),
            energy(obis="1.8.0"),
            energy(obis="2.8.0", status=EXPORTING),
            energy(obis="1.8.1", status=RUNNING),
            power(Unsigned(215, 2)),
        )
    )
    assert telegram.status is not None
    assert (telegram.status.value, telegram.status.width) == (0x1C7904, 3)
    assert telegram.direction is Direction.EXPORT
    entry = telegram.entries["16.7.0"]
    assert entry.status is None


def test_v6_reduced_set() -> None:
    reduced = read(
        push(energy(Unsigned(25_688, 8), scaler=3, status=RUNNING), energy(Unsigned(0, 8), obis="2.8.0", scaler=3))
    )
    assert reduced.reduced
    assert str(reduced.entries["1.8.0"].value) == "25688000 Wh"
    assert reduced.net_power is None
    extended = read(push(energy(status=RUNNING), energy(Unsigned(12, 8), obis="2.8.0", scaler=3), power(Integer(193))))
    assert not extended.reduced
    assert not read(push(register("96.1.0", EMH))).reduced


def test_v7_set_changes_between_pushes() -> None:
    reduced = push(energy(Unsigned(25_688, 8), scaler=3, status=RUNNING))
    extended = push(energy(status=RUNNING), energy(obis="2.8.0"), power(Integer(193, 4)))
    found = telegrams(reduced + extended + reduced)
    assert [(len(telegram.entries), telegram.reduced) for telegram in found] == [(1, True), (3, False), (1, True)]
    assert found[0].entries == found[2].entries


@pytest.mark.parametrize(
    ("scaler", "text"),
    [
        (-4, "123456789012345.6789 Wh"),
        (-5, "12345678901234.56789 Wh"),
        (-8, "12345678901.23456789 Wh"),
        (-20, "0.01234567890123456789"[:22] + " Wh"),
    ],
)
def test_v8_fine_scalers_stay_exact(scaler: int, text: str) -> None:
    value = read(push(energy(Unsigned(1_234_567_890_123_456_789, 8), scaler=scaler))).entries["1.8.0"].value
    assert str(value) == text
    assert isinstance(value, Quantity)
    assert value.decimal == Decimal(text.removesuffix(" Wh"))


def test_v9_integers_beyond_what_floats_hold() -> None:
    raws = [2**53 + 1, 2**63, 2**64 - 1]
    telegram = read(push(*(energy(Unsigned(raw, 8)) for raw in raws)))
    assert [entry.raw for entry in telegram.entries] == raws
    assert [str(entry.value) for entry in telegram.entries] == [
        "900719925474099.3 Wh",
        "922337203685477580.8 Wh",
        "1844674407370955161.5 Wh",
    ]


@pytest.mark.parametrize("width", range(1, 9))
@pytest.mark.parametrize("signed", [False, True])
def test_v10_integers_of_any_width(width: int, *, signed: bool) -> None:
    value = (1 << 8 * width - 2) + 1
    tl = (0x50 if signed else 0x60) + width + 1
    number = f"{tl:02x}{value.to_bytes(width).hex()}"
    telegram = read_list(entry_hex(number), entry_hex("6201", unit=f"6{width + 1:x}" + (30).to_bytes(width).hex()))
    assert (telegram.entries[0].raw, telegram.entries[0].width) == (value, width)
    assert telegram.entries[1].unit == WATT_HOUR
    body = telegram.messages[1].message_body
    assert isinstance(body, GetListRes)
    assert body.val_list[0].value == (Integer if signed else Unsigned)(value, width)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("5280", -128),
        ("538000", -32_768),
        ("54ff0001", -65_535),
        ("5580000000", -2_147_483_648),
        ("568000000000", -549_755_813_888),
        ("57800000000000", -140_737_488_355_328),
        ("58ffffffffffff01", -255),
        ("598000000000000000", -(2**63)),
    ],
)
def test_v11_sign_comes_from_the_first_octet(octets: str, value: int) -> None:
    entry = read_list(entry_hex(octets)).entries[0]
    assert (entry.raw, entry.width) == (value, len(octets) // 2 - 1)


def test_v12_entry_without_value() -> None:
    telegram = read(
        push(
            energy(status=RUNNING),
            register("96.50.2*6", None, val_time=SecIndex(500)),
            power(Integer(1367, 4), scaler=-1),
        )
    )
    entry = telegram.entries["96.50.2*6"]
    assert (entry.raw, entry.value, entry.quantity, entry.time) == (None, None, None, SecIndex(500))
    assert len(telegram.entries) == 3
    assert telegram.notes == ("value_absent",)


def test_v13_scaler_and_unit_absent_or_zero() -> None:
    telegram = read_list(
        entry_hex("6277", unit="01", scaler="01"),
        entry_hex("6277", unit="6200", scaler="5200"),
        entry_hex("6277", unit="62c8", scaler="5200"),
    )
    assert [(entry.unit, entry.scaler) for entry in telegram.entries] == [(None, None), (None, 0), (Unit(200), 0)]
    assert [str(entry.value) for entry in telegram.entries] == ["119", "119", "119 unit 200"]
    assert telegram.notes == ()


@pytest.mark.parametrize(
    ("scaler", "value", "notes"),
    [
        ("52ff", -1, ()),
        ("62ff", -1, ("sign_type",)),
        ("6280", -128, ("sign_type",)),
        ("627f", 127, ("sign_type",)),
        ("6203", 3, ("sign_type",)),
    ],
)
def test_v14_scaler_is_signed(scaler: str, value: int, notes: tuple[str, ...]) -> None:
    telegram = read_list(entry_hex("6277", scaler=scaler))
    assert (telegram.entries[0].scaler, telegram.notes) == (value, notes)


@given(st.binary(min_size=1, max_size=80))
@example(bytes.fromhex("ff41fe42"))
@example(b"12345")
@example(b"\x1b" * 9)
def test_v15_octet_strings_stay_octets(octets: bytes) -> None:
    entry = read(push(register("96.1.0", octets))).entries["96.1.0"]
    assert entry.raw == entry.value == octets
    assert entry.quantity is None
    assert decode_text(octets).encode("iso8859-15") == octets


@pytest.mark.parametrize(
    ("value", "width", "layout"),
    [
        (0x1C0104, 3, StatusLayout.FNN),
        (0x001C0104, 4, StatusLayout.FNN),
        (0x04, 1, StatusLayout.FNN),
        (0x82, 1, StatusLayout.EDL),
        (0x0180, 2, StatusLayout.EDL),
        (0x010282, 3, StatusLayout.EDL),
        (0x000080, 3, StatusLayout.EDL),
        (0x010100, 3, StatusLayout.UNKNOWN),
        (0x0C00, 2, StatusLayout.UNKNOWN),
        (2**63 + 2, 8, StatusLayout.UNKNOWN),
    ],
)
def test_v16_status_of_any_width_and_two_layouts(value: int, width: int, layout: StatusLayout) -> None:
    telegram = read(push(energy(status=Unsigned(value, width))))
    assert telegram.status is not None
    assert (telegram.status.value, telegram.status.width, telegram.status.layout) == (value, width, layout)
    assert telegram.status.hex == value.to_bytes(width).hex()


def test_v16_no_status() -> None:
    telegram = read(push(energy()))
    assert (telegram.status, telegram.entries[0].status) == (None, None)


def test_v17_shortened_integers_change_the_length() -> None:
    values = [0, 255, 256, 65_535, 65_536, 2**24 - 1, 2**24, 255]
    frames = [
        encode_transport(encode_file(file_of(listing(energy(Unsigned(value)), energy())), integers="shortest"))
        for value in values
    ]
    assert len({frame[-3] for frame in frames}) > 2, "expected different fill counts"
    found = telegrams(b"".join(frames))
    assert [telegram.entries[0].raw for telegram in found] == values
    assert {telegram.entries[1].raw for telegram in found} == {1_234_567}


def test_v18_negative_energy() -> None:
    entry = read(push(energy(Integer(-1, 8), obis="2.8.0"))).entries["2.8.0"]
    assert (entry.raw, str(entry.value), entry.corrected) == (-1, "-0.1 Wh", None)


# --- the sign rule of DZG meters, condition by condition ----------------------------------------

FAULTY = din_id("DZG", 42_000_000)
SHORT = Integer(-26_000, 2)


def dzg(
    value: Integer | Unsigned = SHORT,
    *,
    server_id: bytes = FAULTY,
    identification: bytes | None = None,
    obis: str = "16.7.0",
    status: Unsigned | None = RUNNING,
    scaler: int = -2,
) -> Quantity | None:
    """The corrected value of a power."""
    entries = [energy(status=status), power(value, obis, scaler)]
    if identification is not None:
        entries.insert(0, register("96.1.0", identification))
    telegram = read(push(*entries, server_id=server_id))
    entry = telegram.entries[obis]
    assert entry.raw == value.value
    assert (telegram.quirks == ("dzg_sign",)) is (entry.corrected is not None)
    return entry.corrected


CORRECTED = Quantity(39_536, -2, Unit(WATT))


@pytest.mark.parametrize(
    ("server_id", "identification"),
    [
        (din_id("DZG", 42_000_000, "0a"), None),
        (din_id("DZG", 42_000_000, "09"), None),
        (EMH, din_id("DZG", 42_000_000, "0a")),
        (b"", din_id("DZG", 42_000_000, "09")),
    ],
)
def test_dzg1_maker_is_dzg(server_id: bytes, identification: bytes | None) -> None:
    assert dzg(server_id=server_id, identification=identification) == CORRECTED


@pytest.mark.parametrize(
    ("server_id", "identification"),
    [
        (din_id("DZH", 42_000_000), None),
        (EMH, EMH),
        (din_id("DZG", 42_000_000, "06"), None),
        (FAULTY[:9], None),
        (FAULTY + b"\0", None),
        (b"", b"DZG"),
    ],
)
def test_dzg1_another_maker(server_id: bytes, identification: bytes | None) -> None:
    assert dzg(server_id=server_id, identification=identification) is None


def test_dzg2_number_below_60_million() -> None:
    assert dzg(server_id=din_id("DZG", 59_999_999)) == CORRECTED
    assert dzg(server_id=din_id("DZG", 50_071_463)) == CORRECTED
    assert dzg(server_id=din_id("DZG", 60_000_000)) is None


@pytest.mark.parametrize("obis", ["16.7.0", "36.7.0", "56.7.0", "76.7.0"])
def test_dzg3_power_of_the_sum_or_a_phase(obis: str) -> None:
    assert dzg(obis=obis) == CORRECTED


@pytest.mark.parametrize("obis", ["1.7.0", "15.7.0", "16.7.1", "16.8.0", "1-1:16.7.0", "16.7.0*1", "35.7.0", "2.8.0"])
def test_dzg3_another_register(obis: str) -> None:
    assert dzg(obis=obis) is None


@pytest.mark.parametrize(
    ("value", "corrected"),
    [
        (Integer(-1, 1), 255),
        (Integer(-128, 1), 128),
        (Integer(-1, 2), 65_535),
        (Integer(-32_768, 2), 32_768),
        (Integer(-1, 3), None),
        (Integer(-26_000, 4), None),
        (Integer(0, 2), None),
        (Integer(32_767, 2), None),
        (Unsigned(39_536, 2), None),
    ],
)
def test_dzg4_negative_integer_of_one_or_two_octets(value: Integer | Unsigned, corrected: int | None) -> None:
    assert dzg(value) == (None if corrected is None else Quantity(corrected, -2, Unit(WATT)))


@pytest.mark.parametrize(
    ("status", "applies"),
    [
        (Unsigned(0x1C0104, 3), True),
        (Unsigned(0x000104, 2), True),
        (Unsigned(0x1FE704 & ~0x7800, 4), True),
        (Unsigned(0x1C0004, 3), False),  # not started
        (Unsigned(0x1C0105, 3), False),  # no FNN word
        (Unsigned(0x3C0104, 3), False),  # a reserved bit
        (Unsigned(0x0182, 2), False),  # EDL word
        (None, False),
    ],
)
def test_dzg5_meter_says_that_it_runs(status: Unsigned | None, *, applies: bool) -> None:
    assert dzg(status=status) == (CORRECTED if applies else None)


@pytest.mark.parametrize(("obis", "bit"), [("16.7.0", 11), ("36.7.0", 12), ("56.7.0", 13), ("76.7.0", 14)])
def test_dzg6_direction_bit_of_the_register(obis: str, bit: int) -> None:
    others = 0x7800 & ~(1 << bit)
    assert dzg(obis=obis, status=Unsigned(0x1C0104 | others, 3)) == CORRECTED
    assert dzg(obis=obis, status=Unsigned(0x1C0104 | 1 << bit, 3)) is None


@pytest.mark.parametrize("obis", ["36.7.0", "56.7.0", "76.7.0"])
@pytest.mark.parametrize(
    ("value", "scaler", "applies"), [(-500, -2, True), (-499, -2, False), (-5, 0, True), (-4, 0, False)]
)
def test_dzg7_phase_beyond_its_noise(obis: str, value: int, scaler: int, *, applies: bool) -> None:
    assert (dzg(Integer(value, 2), obis=obis, scaler=scaler) is not None) is applies
    assert dzg(Integer(value, 2), obis="16.7.0", scaler=scaler) is not None


# --- direction and net power --------------------------------------------------------------------


@pytest.mark.parametrize("obis", ["1.8.0", "1.8.2", "2.8.0", "1-1:2.8.1*0"])
def test_n1_word_is_the_first_on_an_energy_entry(obis: str) -> None:
    telegram = read(push(energy(), energy(obis=obis, status=EXPORTING), energy(obis="2.8.4", status=RUNNING)))
    assert telegram.direction is Direction.EXPORT


@pytest.mark.parametrize("obis", ["16.7.0", "96.5.0", "1.7.0", "3.8.0", "0-0:1.8.0"])
def test_n1_word_elsewhere_does_not_count(obis: str) -> None:
    telegram = read(push(register(obis, Unsigned(1), status=EXPORTING), energy()))
    assert (telegram.status, telegram.direction) == (None, Direction.UNKNOWN)


@pytest.mark.parametrize(
    ("word", "direction"),
    [
        (0x1C0104, Direction.IMPORT),
        (0x1C0004, Direction.IMPORT),  # idle
        (0x1C0904, Direction.EXPORT),
        (0x1C7104, Direction.IMPORT),  # phases only
    ],
)
def test_n2_fnn_word_tells_by_bit_11(word: int, direction: Direction) -> None:
    assert read(push(energy(status=Unsigned(word, 3)))).direction is direction


@pytest.mark.parametrize(
    ("word", "direction"), [(0x80, Direction.IMPORT), (0xA0, Direction.EXPORT), (0x0181, Direction.IMPORT)]
)
def test_n3_edl_word_tells_by_bit_5(word: int, direction: Direction) -> None:
    assert read(push(energy(status=Unsigned(word, 2)))).direction is direction


@pytest.mark.parametrize("word", [0x20, 0x010100, 0x200104])
def test_n4_other_words_tell_nothing(word: int) -> None:
    telegram = read(push(energy(status=Unsigned(word, 4)), power(Integer(5, 4), "15.7.0")))
    assert (telegram.direction, telegram.net_power, telegram.quirks) == (Direction.UNKNOWN, None, ())


def test_n5_net_power() -> None:
    export, magnitude, signed = energy(status=EXPORTING), power(Integer(500, 4), "15.7.0"), power(Integer(-7, 4))
    assert str(read(push(export, magnitude, signed)).net_power) == "-0.07 W"
    assert str(read(push(export, magnitude)).net_power) == "-5.00 W"
    assert str(read(push(energy(status=RUNNING), magnitude)).net_power) == "5.00 W"
    assert read(push(export, power(Unsigned(5), "1.7.0"), power(Unsigned(5), "2.7.0"))).net_power is None
    without_value = register("16.7.0", None, unit=WATT)
    assert str(read(push(export, without_value, magnitude)).net_power) == "-5.00 W"


# --- times --------------------------------------------------------------------------------------


def test_t1_bare_time() -> None:
    telegram = read_list(entry_hex("6501020304", time="650012d687"))
    assert telegram.entries[0].time == SecIndex(1_234_567, bare=True)
    assert telegram.entries[0].raw == 0x01020304
    assert telegram.notes == ("bare_time",)


def test_t2_local_timestamp() -> None:
    local = LocalTimestamp(1_700_000_000, 60, 60)
    telegram = read(push(energy(val_time=local), energy(val_time=Timestamp(1_700_000_000)), time=local))
    assert telegram.time == telegram.entries[0].time == local
    assert local.datetime.isoformat() == "2023-11-15T00:13:20+02:00"
    assert local.datetime == Timestamp(1_700_000_000).datetime
    assert LocalTimestamp(1_700_000_000, -210, 0).datetime.utcoffset() == timedelta(minutes=-210)
    assert telegram.notes == ()


@pytest.mark.parametrize("choice", ["6201", "6202"])
def test_t3_list_of_three_under_another_choice(choice: str) -> None:
    telegram = read_list(entry_hex("6207", time=f"72{choice}736553724e0053003c530000"))
    assert telegram.entries[0].time == LocalTimestamp(0x53724E00, 60, 0)
    assert telegram.notes == ("time_list",)


def test_t4_counter_of_any_width() -> None:
    telegram = read_list(
        entry_hex("6201", time="7262016207"), entry_hex("6201", time="72620164010203"), time="726201640f4240"
    )
    assert [entry.time for entry in telegram.entries] == [SecIndex(7), SecIndex(0x010203)]
    assert telegram.time == SecIndex(1_000_000)


@pytest.mark.parametrize(
    ("sensor_time", "kept", "rules"),
    [("7262016207", None, ("zero_time",)), ("7262016200", SecIndex(0), ()), ("01", SecIndex(0), ())],
)
def test_t4_zero_beside_a_running_counter_is_no_time(
    sensor_time: str, kept: SecIndex | None, rules: tuple[str, ...]
) -> None:
    telegram = read_list(entry_hex("6201", time="7262016200"), time=sensor_time)
    assert telegram.entries[0].time == kept
    assert telegram.quirks == rules
    body = telegram.messages[1].message_body
    assert isinstance(body, GetListRes)
    assert body.val_list[0].val_time == SecIndex(0), "the record is as sent"


def test_t5_seconds_counter_is_no_date() -> None:
    time = read(push(energy())).time
    assert time == TIME
    assert not hasattr(time, "datetime")
    with pytest.raises(TypeError):
        datetime.fromtimestamp(time, UTC)  # type: ignore[arg-type]  # that is the point


def test_t6_counter_that_looks_like_a_date() -> None:
    telegram = read(push(energy(val_time=SecIndex(1_901_941_417)), time=SecIndex(1_901_941_417)))
    assert telegram.time == telegram.entries[0].time == SecIndex(1_901_941_417)


def test_t7_each_entry_keeps_its_own_time() -> None:
    times = [None, SecIndex(99), SecIndex(100), Timestamp(1_700_000_000), LocalTimestamp(1_700_000_000, 60, 0)]
    telegram = read(push(*(energy(val_time=time) for time in times)))
    assert [entry.time for entry in telegram.entries] == times
    assert telegram.time == TIME


@pytest.mark.parametrize(
    ("ref_time", "sensor_time", "time"),
    [(None, None, None), (SecIndex(5), None, SecIndex(5)), (None, SecIndex(6), SecIndex(6)), (SecIndex(5), TIME, TIME)],
)
def test_t8_times_of_the_telegram_are_optional(
    ref_time: SecIndex | None, sensor_time: SecIndex | None, time: SecIndex | None
) -> None:
    messages = file_of(listing(energy(), time=sensor_time))
    opening = PublicOpenRes(req_file_id=b"1", server_id=EMH, ref_time=ref_time)
    messages[0] = replace(messages[0], message_body=opening)
    telegram = read(encode_transport(encode_file(messages)))
    assert telegram.time == time
    assert telegram.notes == ()


# --- framing and checksums ----------------------------------------------------------------------


@pytest.mark.parametrize("frame_kind", list(CrcKind))
@pytest.mark.parametrize("message_kind", list(CrcKind))
def test_f1_kermit_at_either_level(frame_kind: CrcKind, message_kind: CrcKind) -> None:
    octets = encode_transport(encode_file(file_of(listing(energy()), crc=message_kind)), frame_kind)
    telegram = read(octets)
    assert telegram.entries["1.8.0"].raw == 1_234_567
    assert telegram.notes == (() if frame_kind is message_kind is CrcKind.X25 else ("kermit",))
    assert {message.crc16 for message in telegram.messages} == {message_kind}


def test_f1_kinds_mixed_in_one_file() -> None:
    messages = file_of(listing(energy()))
    messages[1] = replace(messages[1], crc16=CrcKind.KERMIT)
    telegram = read(encode_transport(encode_file(messages)))
    assert [message.crc16 for message in telegram.messages] == [CrcKind.X25, CrcKind.KERMIT, CrcKind.X25]
    assert telegram.notes == ("kermit",)


def test_f1_one_kind_only_on_request() -> None:
    payload = encode_file(file_of(listing(energy()), crc=CrcKind.KERMIT))
    frame = encode_transport(payload, CrcKind.KERMIT)
    assert [kind for kind, _, _ in outline(events_of(frame, DecodeOptions(frame_crc_kind="x25")))] == ["bad_crc"]
    refused = events_of(frame, DecodeOptions(message_crc_kind="x25"))
    assert [kind for kind, _, _ in outline(refused)] == ["message_crc"] * 3
    assert read(frame, DecodeOptions(frame_crc_kind="kermit", message_crc_kind="kermit")).notes == ("kermit",)


def test_f2_checksum_without_its_leading_zero() -> None:
    short = []
    for number in range(2000):
        octets = bytes.fromhex("7603") + number.to_bytes(2) + handmade_list(entry_hex("6207"))[6:-4]
        crc = CrcKind.X25.wire(octets)
        if crc < 256:
            short.append(octets + bytes([0x62, crc, 0]))
    assert short, "expected a message whose checksum has a low octet of 00"
    for message in short:
        telegram = read(framed(message))
        assert telegram.entries[0].raw == 7
        assert telegram.notes == ("crc_short",)
        damaged = message[:-2] + bytes([message[-2] ^ 1, 0])
        assert [kind for kind, _, _ in outline(events_of(framed(damaged)))] == ["telegram", "message_crc"]


def test_f3_four_fill_octets() -> None:
    payload = encode_transport(OPEN + handmade_list(entry_hex("6207")) + CLOSE)[8:-8]
    assert len(payload) % 4 == 0
    telegram = read(sealed(START + payload + bytes(4) + ESCAPE + bytes.fromhex("1a04")))
    assert telegram.entries[0].raw == 7
    assert telegram.notes == ("fill_4",)
    five = sealed(START + payload + bytes(8) + ESCAPE + bytes.fromhex("1a08"))
    assert outline(good_neighbours(five)) == [("bad_fill", len(GOOD), len(five))]


@pytest.mark.parametrize("surplus", [1, 3, 4, 40])
def test_f4_surplus_zeros(surplus: int) -> None:
    zeros = bytes(surplus)
    between = read(encode_transport(OPEN + zeros + handmade_list(entry_hex("6207")) + zeros + CLOSE + zeros))
    assert (between.entries[0].raw, between.notes) == (7, ())
    assert len(between.messages) == 3


@pytest.mark.parametrize("length", range(1, 21))
@pytest.mark.parametrize("behind", [b"", b"\x1a", b"\x01\x01\x01\x01", b"\x1a\x01\x02\x03"])
def test_f5_runs_of_1b_in_the_data(length: int, behind: bytes) -> None:
    octets = b"\x1b" * length + behind
    telegram = read(push(register("96.1.0", octets), energy()))
    assert telegram.entries["96.1.0"].raw == octets
    assert octets.replace(ESCAPE, ESCAPE * 2) in telegram.raw


def test_f6_run_that_was_not_doubled() -> None:
    payload = encode_file(file_of(listing(register("96.1.0", b"ab" + ESCAPE + b"cd"))))
    damaged = sealed(START + payload + bytes(-len(payload) % 4) + ESCAPE + bytes([0x1A, -len(payload) % 4]))
    end = damaged.index(ESCAPE + b"c") + 4
    assert outline(good_neighbours(damaged)) == [
        ("bad_escape", len(GOOD), end),
        ("noise", len(GOOD) + end, len(damaged) - end),
    ]


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_f7_any_octet_lost(at: int) -> None:
    damaged = GOOD[:at] + GOOD[at + 1 :]
    between = good_neighbours(damaged)
    assert sum(length for _, _, length in outline(between)) == len(damaged)
    assert "telegram" not in {kind for kind, _, _ in outline(between)}


@pytest.mark.parametrize("start", range(1, len(GOOD)))
def test_f7_start_inside_of_a_frame(start: int) -> None:
    octets = GOOD[start:] + NEXT
    assert [event.raw for event in events_of(octets) if isinstance(event, Telegram)] == [NEXT]


@pytest.mark.parametrize("end", range(1, len(GOOD)))
def test_f7_tail_cut(end: int) -> None:
    between = good_neighbours(GOOD[:end])
    assert sum(length for _, _, length in outline(between)) == end


def test_f8_noise_is_handed_out_in_bounded_blocks() -> None:
    rng = random.Random(8)  # noqa: S311 - test data
    thinned = re.sub(rb"(.)\1+", rb"\1", GOOD * 400, flags=re.DOTALL)
    noise = thinned + bytes(rng.choices(range(256), k=30_000))
    decoder = TelegramDecoder()
    sizes: list[int] = []
    for start in range(0, len(noise), 7):
        for event in decoder.feed(noise[start : start + 7]):
            assert isinstance(event, BytesDiscarded)
            sizes.append(len(event.data))
        assert decoder.buffered <= 4_104
    assert set(sizes) == {4_096}
    (telegram,) = (event for event in decoder.feed(GOOD) if isinstance(event, Telegram))
    assert telegram.offset == len(noise)


@pytest.mark.parametrize("stray", range(1, 13))
def test_f9_stray_1b_before_a_start(stray: int) -> None:
    octets = b"\x1b" * stray
    assert outline(events_of(octets + GOOD)) == [("noise", 0, stray), ("telegram", stray, len(GOOD))]
    between = good_neighbours(octets)
    assert outline(between) == [("noise", len(GOOD), stray)]


def test_f9_start_twice() -> None:
    assert outline(good_neighbours(START)) == [("truncated", len(GOOD), 8)]
    assert outline(good_neighbours(START + b"\x1b")) == [("truncated", len(GOOD), 9)]


def test_f10_port_with_seven_data_bits() -> None:
    stripped = bytes(octet & 0x7F for octet in GOOD)
    (event,) = good_neighbours(stripped)
    assert isinstance(event, Malformed)
    assert (event.error.reason, event.hint) == ("bad_crc", "seven_bit")
    assert "8N1" in HINTS["seven_bit"]
    damaged = GOOD[:20] + bytes([GOOD[20] ^ 1]) + GOOD[21:]
    (other,) = good_neighbours(damaged)
    assert isinstance(other, Malformed)
    assert (other.error.reason, other.hint) == ("bad_crc", None)


def test_f11_frame_sealed_again_around_a_changed_message() -> None:
    message = handmade_list(entry_hex("6207")).replace(EMH, EMH[:6] + b"\xff\xff\xff\xff")
    octets = framed(message)
    telegram, fault = events_of(octets)
    assert isinstance(telegram, Telegram)
    assert isinstance(fault, Malformed)
    assert telegram.entries == ()
    assert isinstance(fault.error, ChecksumError)
    assert (fault.error.reason, fault.offset, fault.raw) == ("message_crc", 8 + len(OPEN), message)
    marked = read(octets, DecodeOptions(message_crc="lenient"))
    assert (marked.entries[0].raw, marked.notes) == (7, ("message_crc",))
    assert [message.crc16 for message in marked.messages] == [CrcKind.X25, None, CrcKind.X25]


def test_f12_any_length() -> None:
    lengths = range(1, 2950, 29)
    frames = [push(register("96.1.0", bytes(length))) for length in lengths]
    decoder = TelegramDecoder()
    found = decoder.feed(b"".join(frames))
    assert [event.raw for event in found if isinstance(event, Telegram)] == frames
    assert len(frames[0]) < 130
    assert len(frames[-1]) > 3_000


def test_f13_large_telegrams() -> None:
    large = push(*(register("96.1.0", bytes([number]) * 48) for number in range(40)))
    assert len(large) > 2_000
    assert len(read(large).entries) == 40
    largest = push(*(register("96.1.0", bytes(16_000)) for _ in range(4)))
    assert len(read(largest).entries) == 4
    small = DecodeOptions(limits=Limits(max_frame=512))
    first = events_of(large + GOOD, small)[0]
    assert isinstance(first, Malformed)
    assert isinstance(first.error, LimitError)
    assert (first.error.reason, len(first.raw)) == ("too_long", 513)
    good_neighbours(large, small)


def test_f14_checksum_of_1b() -> None:
    number = next(
        number
        for number in range(2**20)
        if CrcKind.X25.wire(START + number.to_bytes(4) + ESCAPE + b"\x1a\x00") == 0x1B1B
    )
    octets = sealed(START + number.to_bytes(4) + ESCAPE + b"\x1a\x00")
    assert octets.endswith(bytes.fromhex("1b1b1b1b1a001b1b"))
    assert [length for _, _, length in outline(events_of(octets + GOOD))][-1] == len(GOOD)
    assert good_neighbours(octets)


def test_f15_length_that_is_no_multiple_of_four() -> None:
    payload = OPEN + handmade_list(entry_hex("6207")) + CLOSE
    payload += bytes(len(payload) % 4 == 0)
    telegram = read(sealed(START + payload + ESCAPE + b"\x1a\x00"))
    assert len(telegram.raw) % 4
    assert (telegram.entries[0].raw, telegram.notes) == (7, ("misaligned",))


def test_f16_transport_version_2() -> None:
    in_hunt = good_neighbours(START_2 + b"\x05\x06")
    assert outline(in_hunt) == [("unsupported_version", len(GOOD), 8), ("noise", len(GOOD) + 8, 2)]
    in_body = good_neighbours(GOOD[:20] + START_2 + b"\x05")
    assert outline(in_body) == [
        ("truncated", len(GOOD), 20),
        ("unsupported_version", len(GOOD) + 20, 8),
        ("noise", len(GOOD) + 28, 1),
    ]
    for escaped in (b"\x03\x00\x00\x01", b"\x04\x00\x00\x01"):
        assert outline(good_neighbours(GOOD[:20] + ESCAPE + escaped))[0] == ("bad_escape", len(GOOD), 24)


def test_f17_text_of_another_protocol() -> None:
    (event,) = good_neighbours(b"/ISK5MT174-0001\r\n\r\n1-0:1.8.0*255(00012.345*kWh)\r\n!\r\n")
    assert isinstance(event, BytesDiscarded)
    assert event.hint == "d0"
    assert "IEC 62056-21" in HINTS["d0"]
    (other,) = good_neighbours(b"just some octets that are not text of a meter")
    assert isinstance(other, BytesDiscarded)
    assert other.hint is None


@pytest.mark.parametrize("bit", range(8))
def test_f18_damaged_values_are_never_delivered(bit: int) -> None:
    for at in range(len(GOOD)):
        damaged = bytearray(GOOD)
        damaged[at] ^= 1 << bit
        decoder = TelegramDecoder()
        events = decoder.feed(NEXT + bytes(damaged) + NEXT) + decoder.close()
        assert [event.raw for event in events if isinstance(event, Telegram)] == [NEXT, NEXT]
        unchecked = TelegramDecoder(DecodeOptions(frame_crc_kind="none"))
        for event in unchecked.feed(bytes(damaged)) + unchecked.close():
            if isinstance(event, Telegram):  # the second level has found it
                assert "crc_unchecked" in event.notes
                assert event.entries in ((), read(GOOD).entries)


# --- structure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 14, 15, 16, 17, 21, 30, 31, 32, 48, 255, 256, 300])
def test_s1_lists_of_any_length(count: int) -> None:
    telegram = read(push(*(energy(Unsigned(number, 2)) for number in range(count))))
    assert [entry.raw for entry in telegram.entries] == list(range(count))
    heads = {0: "70", 15: "7f", 16: "f100", 21: "f105", 32: "f200", 256: "f18000"}
    assert bytes.fromhex(heads.get(count, "")) + telegram.raw[-1:0] in telegram.raw


def test_s2_type_bits_repeated_in_the_list_head() -> None:
    entries = [entry_hex(f"62{number:02x}") for number in range(25)]
    telegram = read(framed(handmade_list(*entries, head="f179")))
    assert [entry.raw for entry in telegram.entries] == list(range(25))
    assert telegram.notes == ("tl_type_repeated",)
    assert read(framed(handmade_list(*entries, head="f109"))).notes == ()


@pytest.mark.parametrize("length", [14, 15, 48, 50, 64, 253, 254, 300, 4_092, 4_093])
def test_s3_long_octet_strings(length: int) -> None:
    octets = bytes(number % 251 for number in range(length))
    telegram = read(push(register("129-129:199.130.5", octets, value_signature=octets)))
    assert (telegram.entries[0].raw, telegram.entries[0].signature) == (octets, octets)


@pytest.mark.parametrize("client_id", [None, b"\xff" * 6, b"reader", EMH])
@pytest.mark.parametrize(("version", "codepage"), [(None, None), (1, b"ISO 8859-15"), (2, b"UTF-8"), (7, b"?")])
def test_s4_optional_fields_are_not_interpreted(
    client_id: bytes | None, version: int | None, codepage: bytes | None
) -> None:
    messages = file_of(replace(listing(energy()), client_id=client_id, list_name=client_id))
    opening = PublicOpenRes(
        codepage=codepage, client_id=client_id, req_file_id=b"1", server_id=EMH, sml_version=version
    )
    messages[0] = replace(messages[0], message_body=opening)
    telegram = read(encode_transport(encode_file(messages)))
    assert telegram.messages == tuple(messages)
    assert telegram.entries["1.8.0"].raw == 1_234_567


@pytest.mark.parametrize("tag", ["630701", "64000701", "6500000701", "690000000000000701"])
def test_s5_message_tag_of_any_width(tag: str) -> None:
    assert read(framed(handmade_list(entry_hex("6207"), tag=tag))).entries[0].raw == 7


@pytest.mark.parametrize("length", [0, 1, 3, 4, 6, 8, 10, 16])
def test_s6_transaction_ids_are_opaque(length: int) -> None:
    messages = file_of(listing(energy()))
    ids = [bytes([0xF0 - 3 * number]) * length for number in range(3)]
    messages = [replace(message, transaction_id=each) for message, each in zip(messages, ids, strict=True)]
    telegram = read(encode_transport(encode_file(messages)))
    assert [message.transaction_id for message in telegram.messages] == ids
    assert telegram.notes == ()


def test_s7_every_message_type() -> None:
    path, tree = (bytes.fromhex("0100010800ff000300"), b"\0\2"), Tree(parameter_name=b"\0\2")
    bodies: list[MessageBody] = [
        GetProfilePackReq(parameter_tree_path=path, with_rawdata=True, object_list=(b"a",), das_details=tree),
        GetProfilePackRes(
            server_id=EMH,
            act_time=TIME,
            reg_period=900,
            parameter_tree_path=path,
            header_list=(ProfObjHeaderEntry(obj_name=b"a", unit=30, scaler=-1),),
            period_list=(ProfObjPeriodEntry(val_time=TIME, status=1, value_list=(ValueEntry(value=Unsigned(5, 8)),)),),
        ),
        GetProfileListReq(parameter_tree_path=path),
        GetProfileListRes(
            server_id=EMH,
            act_time=TIME,
            reg_period=900,
            parameter_tree_path=path,
            val_time=TIME,
            status=4,
            period_list=(PeriodEntry(obj_name=b"a", unit=30, scaler=0, value=Integer(-1, 4)),),
        ),
        GetProcParameterReq(parameter_tree_path=path),
        GetProcParameterRes(
            server_id=EMH,
            parameter_tree_path=path,
            parameter_tree=Tree(
                parameter_name=path[0], parameter_value=ProcParValue("value", Unsigned(3, 1)), child_list=(tree,)
            ),
        ),
        SetProcParameterReq(parameter_tree_path=path, parameter_tree=tree),
        GetListReq(client_id=b"me"),
        listing(energy()),
        AttentionRes(server_id=EMH, attention_no=bytes.fromhex("8181c7c7fd00")),
    ]
    messages = file_of(*bodies)
    telegram = read(encode_transport(encode_file(messages)))
    assert telegram.messages == tuple(messages)
    assert len(telegram.entries) == 1
    assert telegram.notes == ()
    requests: list[MessageBody] = [
        PublicOpenReq(client_id=b"me", req_file_id=b"1"),
        GetListReq(client_id=b"me"),
        PublicCloseReq(),
    ]
    octets = encode_file([Message(transaction_id=b"1", message_body=body) for body in requests])
    assert [message.message_body for message in read(encode_transport(octets)).messages] == requests


def test_s8_unknown_message_type() -> None:
    telegram = read(framed(handmade("630c42", "72" + "0303e8" + "6207"), handmade_list(entry_hex("6207"))))
    assert telegram.entries[0].raw == 7
    assert telegram.notes == ("untyped",)
    assert telegram.messages[1].message_body == Untyped(0x0C42, (b"\x03\xe8", Unsigned(7, 1)))
    assert len(telegram.messages) == 4


@pytest.mark.parametrize("tag", UNTYPED_NAMES)
def test_s8_message_with_a_name_but_no_model(tag: int) -> None:
    body = Untyped(tag, (EMH, b"", Unsigned(3, 2), (Integer(-1, 1), True)))
    messages = file_of(body, listing(energy()))
    telegram = read(encode_transport(encode_file(messages)))
    assert telegram.messages == tuple(messages)
    assert telegram.notes == ("untyped",)
    assert body.name == UNTYPED_NAMES[tag]


@pytest.mark.parametrize("damaged", range(4))
def test_s9_one_damaged_message_costs_no_other(damaged: int) -> None:
    messages = [OPEN, handmade_list(entry_hex("6207")), handmade_list(entry_hex("6208", obis="2.8.0")), CLOSE]
    right = messages[damaged]
    messages[damaged] = right[:5] + bytes([right[5] ^ 1]) + right[6:]
    telegram, fault = events_of(encode_transport(b"".join(messages)))
    assert isinstance(telegram, Telegram)
    assert isinstance(fault, Malformed)
    start = sum(map(len, messages[:damaged]))
    assert (fault.error.reason, fault.offset, fault.raw) == ("message_crc", 8 + start, messages[damaged])
    assert fault.error.offset == start + len(right) - 4
    assert len(telegram.messages) == 3
    assert [entry.raw for entry in telegram.entries] == [value for value in (7, 8) if value != damaged + 6]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("71" * 60 + "6201", "too_deep"),
        ("7f" * 40, "too_deep"),
        ("ff0f", "truncated"),
        ("ff8f8f8f8f8f8f0f", "truncated"),
        ("f88080808080808080800101", "tl_too_long"),
        ("8f8f8f8f0f" + "00" * 20, "too_many_octets"),
        ("6a" + "01" * 9, "integer_width"),
        ("430101", "boolean_width"),
        ("50", "length_underflow"),
        ("1f", "reserved_type"),
        ("8210", "bad_continuation"),
        ("00", "unexpected_end_of_message"),
    ],
)
def test_s10_hostile_structures(octets: str, reason: str) -> None:
    start = bytes.fromhex("7605000000016200620072630b00" + octets + "01" * 30)
    telegram, fault = good_neighbours(encode_transport(OPEN + start))
    assert isinstance(telegram, Telegram)
    assert isinstance(fault, Malformed)
    assert fault.error.reason == reason


def test_s10_count_beyond_the_limit() -> None:
    octets = framed(handmade("630b00", "f1808000" + "01" * 4096), handmade("630b00", "f1808001" + "01" * 4097), CLOSE)
    telegram, fault = events_of(octets)
    assert isinstance(telegram, Telegram)
    assert isinstance(fault, Malformed)
    assert fault.error.reason == "too_many_elements"
    assert len(telegram.messages) == 4


@given(st.binary(max_size=200))
def test_s10_any_octets(octets: bytes) -> None:
    good_neighbours(encode_transport(octets))


@pytest.mark.parametrize(
    "value",
    [
        TIME,
        Timestamp(1_700_000_000),
        LocalTimestamp(1_700_000_000, 60, 0),
        TimestampedValue(sml_time=TIME, status=Unsigned(4, 1), simple_value=Unsigned(7, 2)),
        TimestampedValue(sml_time=TIME, status=Unsigned(4, 1), simple_value=Integer(-7, 2)),
        TimestampedValue(sml_time=TIME, status=Unsigned(4, 1), simple_value=b"abc"),
        CosemScalerUnit(-1, 30),
    ],
)
def test_s11_value_as_a_list(value: Time | TimestampedValue | CosemScalerUnit) -> None:
    telegram = read(push(register("129-0:96.8.0*1", value), energy()))
    entry = telegram.entries["129-0:96.8.0*1"]
    assert entry.raw == entry.value == value
    assert entry.quantity is None
    assert telegram.entries["1.8.0"].raw == 1_234_567


def test_s12_value_that_looks_like_an_entry() -> None:
    ghost = bytes.fromhex(entry_hex("6263", obis="2.8.0"))
    telegram = read(push(register("96.1.0", ghost), energy(Unsigned(0x77070100, 4))))
    assert [str(code) for code in telegram.entries.keys()] == ["1-0:96.1.0*255", "1-0:1.8.0*255"]  # noqa: SIM118 - keys() is under test
    assert [entry.raw for entry in telegram.entries] == [ghost, 0x77070100]


def test_s13_codes_repeat_and_end_in_any_group() -> None:
    codes = ["96.50.2*4", "0.2.0*0", "96.50.1*1", "0.2.0", "0.2.0*0"]
    telegram = read(push(*(register(text, Unsigned(number, 1)) for number, text in enumerate(codes))))
    assert telegram.entries.keys() == tuple(ObisCode.parse(text) for text in codes)
    assert [entry.raw for entry in telegram.entries.all("0.2.0*0")] == [1, 4]
    assert telegram.entries["0.2.0*0"].raw == 1
    assert telegram.entries["0.2.0"].raw == 3


def test_s14_unknown_registers_and_units_are_delivered() -> None:
    telegram = read(push(register("200-99:250.251.252*253", Unsigned(5, 1), unit=200, scaler=-1), energy()))
    entry = telegram.entries[0]
    assert (str(entry.obis), entry.obis.name_en) == ("200-99:250.251.252*253", None)
    assert (entry.unit, str(entry.value)) == (Unit(200), "0.5 unit 200")


def test_s14_object_name_of_another_length() -> None:
    odd = replace(energy(), obj_name=b"\1\0\1\10\0\xff\0")
    telegram = read(push(odd, energy()))
    assert telegram.notes == ("object_name",)
    assert len(telegram.entries) == 1
    body = telegram.messages[1].message_body
    assert isinstance(body, GetListRes)
    assert body.val_list[0] == odd


@pytest.mark.parametrize("wanted", [[0, 1], [1, 2], [1, 0, 2], [0, 0, 1, 2], [0, 2, 1], [0, 1, 2, 2]])
def test_order_of_open_and_close_is_noted(wanted: list[int]) -> None:
    messages = [OPEN, handmade_list(entry_hex("6207")), CLOSE]
    telegram = read(encode_transport(b"".join(messages[each] for each in wanted)))
    assert telegram.notes == ("order",)
    assert telegram.entries[0].raw == 7


# --- identity and containers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "text", "form"),
    [
        ("0a01454d48000012d687", "1EMH0001234567", "DIN 43863-5:2012"),
        ("0901454d48000012d687", "1EMH0001234567", "DIN 43863-5:2010-07"),
        ("064d554301001dd8594e", "1MUC100012345678", "DIN 43863-5:2010-02"),
        ("01a815986480020102", "EMH02806498", "wireless M-Bus"),
        ("0224010523ac484104", "REL23050124", "wired M-Bus"),
        ("3136303338343732", "16038472", "ASCII"),
        ("c0ffee0123456789", "c0ffee0123456789", "unknown"),
        ("0a01", "0a01", "unknown"),
    ],
)
def test_i1_all_forms_of_server_ids(octets: str, text: str, form: str) -> None:
    server_id = read(push(energy(), server_id=bytes.fromhex(octets))).server_id
    assert server_id is not None
    assert (server_id.raw.hex(), server_id.text, server_id.form.value) == (octets, text, form)


def test_i2_id_as_printed_on_the_meter() -> None:
    device_id = read(push(energy(), server_id=din_id("LGZ", 12_345_678))).device_id
    assert device_id is not None
    assert (str(device_id), device_id.printed) == ("1LGZ0012345678", "1 LGZ00 1234 5678")
    assert device_id.grouped == "1 LGZ 00 12345678"


@pytest.mark.parametrize("end", range(len(GOOD) + 1))
def test_c1_body_cut_at_every_octet(end: int) -> None:
    events = events_of(GOOD[:end])
    assert sum(length for _, _, length in outline(events)) == end
    assert [kind for kind, _, _ in outline(events)] == (
        [] if end == 0 else ["noise"] if end < 8 else ["truncated"] if end < len(GOOD) else ["telegram"]
    )


@pytest.mark.parametrize("body", [b"", b"404: Not Found", b"{}", GOOD[100:] + NEXT + GOOD[:50], GOOD[:70] + NEXT[60:]])
def test_c1_bodies_that_are_mixed_or_no_telegram(body: bytes) -> None:
    raws = [event.raw for event in events_of(body) if isinstance(event, Telegram)]
    assert raws == ([NEXT] if NEXT in body else [])


@pytest.mark.parametrize(
    "dump",
    [
        GOOD.hex().encode(),
        GOOD.hex(" ").upper().encode() + b"\r\n",
        GOOD.hex(" ", -2).encode().replace(b" ", b"\n"),
        GOOD.hex(":", 16).encode(),
        ", ".join(f"0x{octet:02x}" for octet in GOOD).encode(),
        base64.b64encode(GOOD),
        base64.encodebytes(GOOD),
    ],
)
def test_c2_text_dumps(dump: bytes, tmp_path: Path) -> None:
    events = list(read_capture(io.BytesIO(dump)))
    assert events == telegrams(GOOD)
    path = tmp_path / "dump"
    path.write_bytes(dump)
    assert list(read_capture(path)) == events


def test_c2_hex_fed_as_octets_gets_a_hint() -> None:
    (event,) = good_neighbours(GOOD.hex(" ").encode())
    assert isinstance(event, BytesDiscarded)
    assert event.hint == "hex_text"
    assert "hex dump" in HINTS["hex_text"]


@pytest.mark.parametrize("size", range(1, 8))
def test_c3_any_chunks(size: int) -> None:
    stream = b"noise" + GOOD + GOOD[:50] + NEXT + START_2 + GOOD
    decoder = TelegramDecoder()
    events = [event for at in range(0, len(stream), size) for event in decoder.feed(stream[at : at + size])]
    assert events + decoder.close() == events_of(stream)


@given(st.lists(st.integers(0, len(GOOD) + 60), max_size=8).map(sorted))
def test_c3_pauses_and_reconnects(cuts: list[int]) -> None:
    stream = GOOD[90:] + GOOD + NEXT
    bounds = [0, *cuts, len(stream)]
    decoder = TelegramDecoder()
    events = [event for start, end in pairwise(bounds) for event in decoder.feed(stream[start:end])]
    assert events + decoder.close() == events_of(stream)


def test_c3_decoder_goes_on_after_close() -> None:
    decoder = TelegramDecoder()
    assert outline(decoder.feed(GOOD[:80]) + decoder.close()) == [("truncated", 0, 80)]
    assert outline(decoder.feed(GOOD) + decoder.close()) == [("telegram", 80, len(GOOD))]


# --- the documentation --------------------------------------------------------------------------

ROW = re.compile(r"^\| (?P<id>[A-Z]{1,3}[0-9]+) \|.*\| `(?P<test>test_\w+)` \|$", re.MULTILINE)
needs_docs = pytest.mark.skipif(not DOC.is_file(), reason="no docs beside the tests")


def documented_rows() -> dict[str, str]:
    """Row id to test name, of the tables in docs/quirks.md."""
    rows = [(match["id"], match["test"]) for match in ROW.finditer(DOC.read_text(encoding="utf-8"))]
    assert len({row for row, _ in rows}) == len(rows) > 60
    return dict(rows)


@needs_docs
def test_every_documented_row_has_its_test() -> None:
    for row, test in documented_rows().items():
        assert test.startswith(f"test_{row.lower()}_")
        assert callable(globals().get(test)), f"{row}: no test {test}"


@needs_docs
def test_every_test_of_a_row_is_documented() -> None:
    tested = {name.split("_")[1].upper() for name in globals() if re.match(r"test_[a-z]{1,3}[0-9]+_", name)}
    assert tested == set(documented_rows())


@needs_docs
def test_every_row_of_the_specification_is_documented(shared: Path) -> None:
    text = (shared / "spec" / "quirks.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| ([VTFSIC][0-9]+) \|", text, flags=re.MULTILINE))
    rows |= {f"DZG{number}" for number in re.findall(r"^\| ([0-9]) \|", text, flags=re.MULTILINE)}
    assert len(rows) == 18 + 8 + 18 + 14 + 2 + 3 + 7
    assert rows <= set(documented_rows())


def words_in_code(*calls: str) -> set[str]:
    """Constant words that the package hands to functions or methods of these names."""
    words = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                word = node.args[0].value
                if ast.unparse(node.func) in calls and isinstance(word, str):
                    words.add(word)
    return words


def section(heading: str, path: Path = DOC) -> set[str]:
    """First cells, in backquotes, of the tables below a heading."""
    text = path.read_text(encoding="utf-8")
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, f"no section {heading} in {path.name}"
    return set(re.findall(r"^\| `(\w+)` \|", rest.partition("\n## ")[0], flags=re.MULTILINE))


@needs_docs
def test_every_note_is_documented() -> None:
    notes = words_in_code("notes.add", "stream.notes.add", "notes.append")
    generated = set(
        re.findall(r'notes\.add\("(\w+)"\)', (PACKAGE / "schema" / "compile.py").read_text(encoding="utf-8"))
    )
    assert len(notes) > 10
    assert generated <= notes
    assert section("Notes") == notes


@needs_docs
def test_every_rule_is_documented() -> None:
    rules = {quirks.DZG_SIGN, quirks.ZERO_TIME, quirks.EDL_DIRECTION}
    assert section("Rules") == rules


@needs_docs
def test_every_hint_is_documented() -> None:
    assert section("Hints") == set(HINTS)


@needs_docs
def test_every_switch_is_documented() -> None:
    fields = set(DecodeOptions.__dataclass_fields__)
    assert section("Switches") == fields


# docs/sml.md

SML_DOC = DOC.parent / "sml.md"


@needs_docs
def test_every_reason_is_documented_with_its_class() -> None:
    folders = [PACKAGE / "sml", PACKAGE / "schema"]
    others = {"hdlc.py", "sym.py"}  # schemas of the LMN
    reasons = set()
    for path in (path for folder in folders for path in folder.glob("*.py") if path.name not in others):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name, word = ast.unparse(node.func), node.args[0].value
                if name in {"DecodeError", "TruncatedError", "ChecksumError", "LimitError"}:
                    reasons.add((word, name))
    rows = re.findall(r"^\| `(\w+)` \| (\w+Error) \|", SML_DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(rows) == len(set(rows)) > 20
    assert set(rows) == reasons


@needs_docs
def test_every_message_is_documented() -> None:
    text = SML_DOC.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([0-9A-F]{4}) \| ([\w.]+) \| `(\w+)` \| (typed|tree) \|", text, flags=re.MULTILINE)
    typed = {
        (f"{tag:04X}", re.sub(r"(Req|Res)$", r".\1", model.record), model.record, "typed")
        for tag, model in MODELS.items()
    }
    trees = {(f"{tag:04X}", name, "Untyped", "tree") for tag, name in UNTYPED_NAMES.items()}
    assert set(rows) == typed | trees
    assert [tag for tag, *_ in rows] == sorted(tag for tag, *_ in rows)


@needs_docs
def test_every_limit_is_documented_with_its_default() -> None:
    text = SML_DOC.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([0-9,]+) ", text, flags=re.MULTILINE)
    defaults = {field.name: f"{getattr(Limits(), field.name):,}" for field in fields(Limits)}
    assert dict(rows) == defaults


@needs_docs
def test_layers_names_modules_that_exist() -> None:
    text = (DOC.parent / "layers.md").read_text(encoding="utf-8")
    table = text.partition("\n## Which module answers which question\n")[2].partition("\n## ")[0]
    modules = re.findall(r"`([a-z_.]+)`", table)
    assert len(modules) > 15
    for module in modules:
        assert find_spec(f"e320proto.{module}") is not None, module
