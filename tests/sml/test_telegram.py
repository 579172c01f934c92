"""Telegrams: what a frame of a meter becomes, entry by entry, and what happens when parts of it are bad."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import (
    AttentionRes,
    BytesDiscarded,
    CosemScalerUnit,
    CrcKind,
    DecodeError,
    DecodeOptions,
    Direction,
    Entries,
    Entry,
    GetListRes,
    GetProcParameterRes,
    Integer,
    Limits,
    ListEntry,
    LocalTimestamp,
    Malformed,
    Message,
    ObisCode,
    PublicCloseRes,
    PublicOpenReq,
    PublicOpenRes,
    Quantity,
    SecIndex,
    Status,
    Telegram,
    TelegramDecoder,
    Timestamp,
    TimestampedValue,
    Tree,
    Unit,
    Unsigned,
    Untyped,
    encode_file,
    encode_transport,
)
from e320proto.sml import telegram as telegram_module
from e320proto.sml.facts import FACTS, Facts, fact_reader
from e320proto.sml.transport import escape
from tests.contracts.pushes import EVERYTHING, FRAME, LARGE_FRAME, PUSH, SERVER_ID, USUAL, push, telegram_of
from tests.sml.vectors import good_frames, vector

if TYPE_CHECKING:
    from e320proto.sml.telegram import TelegramEvent

ENERGY = ObisCode.parse("1.8.0")
POWER = ObisCode.parse("16.7.0")


def events_of(stream: bytes, options: DecodeOptions | None = None) -> list[TelegramEvent]:
    decoder = TelegramDecoder(options or DecodeOptions())
    return decoder.feed(stream) + decoder.close()


def frame_of(*bodies: Any, kind: CrcKind = CrcKind.X25) -> bytes:  # noqa: ANN401 - any body
    messages = [Message(transaction_id=b"1", message_body=body, crc16=kind) for body in bodies]
    return encode_transport(encode_file(messages))


def listed(*entries: ListEntry, time: Any = None) -> GetListRes:  # noqa: ANN401 - any time
    return GetListRes(server_id=SERVER_ID, act_sensor_time=time, val_list=entries)


# --- a usual push -------------------------------------------------------------------------------------


def test_push_in_full() -> None:
    telegram = telegram_of(FRAME)
    assert (telegram.offset, telegram.raw, telegram.payload) == (0, FRAME, PUSH)
    assert telegram.time == SecIndex(86_423)
    assert telegram.server_octets == SERVER_ID
    assert str(telegram.device_id) == "1LGZ0012345678"
    assert (telegram.notes, telegram.rules, telegram.quirks) == ((), (), ())
    assert telegram.message_count == 3
    assert telegram.options == DecodeOptions()
    assert telegram.entries == (
        Entry(ObisCode.parse("96.1.0"), SERVER_ID),
        Entry(ENERGY, 1_234_567, -1, Unit(30), Status(0x1C7904, 4), SecIndex(86_423), None, 8),
        Entry(POWER, -215, 0, Unit(27), width=8),
    )
    assert telegram.status == Status(0x1C7904, 4)
    assert telegram.direction is Direction.EXPORT
    assert telegram.net_power == Quantity(-215, 0, Unit(27))
    assert not telegram.reduced


def test_worked_example_of_the_specification() -> None:
    """The frame of 276 octets that the documentation explains octet by octet has the same list."""
    assert len(FRAME) <= 276
    assert telegram_of(FRAME).entries["1.8.0"].value == Quantity(1_234_567, -1, Unit(30))
    assert str(telegram_of(FRAME).entries["16.7.0"].value) == "-215 W"


def test_entries_are_what_the_records_say() -> None:
    """An entry is made without its record; both have to say the same."""
    telegram = telegram_of(LARGE_FRAME)
    body = telegram.messages[1].message_body
    assert isinstance(body, GetListRes)
    assert body.val_list == EVERYTHING
    sent = [record for record in body.val_list if len(record.obj_name) == 6]
    for entry, record in zip(telegram.entries, sent, strict=True):
        assert entry.obis == record.obj_name
        value = record.value
        if isinstance(value, Integer | Unsigned):
            assert (entry.raw, entry.width) == (value.value, value.width)
        else:
            assert (entry.raw, entry.width) == (value, None)
        assert entry.scaler == record.scaler
        assert (entry.unit or 0) == (record.unit or 0)
        assert (entry.time, entry.signature) == (record.val_time, record.value_signature)
        assert (entry.status is None) == (record.status is None)
    assert telegram.notes == ("bare_time", "object_name", "value_absent")


@pytest.mark.parametrize("narrow", [True, False])
def test_numbers_inside_a_timestamped_value_are_records(narrow: bool) -> None:  # noqa: FBT001 - two cases
    """With and without the compiled reader."""
    stamp = TimestampedValue(sml_time=Timestamp(1), status=Unsigned(4, 8), simple_value=Integer(-3, 3))
    other = replace(stamp, simple_value=Unsigned(3, 1))
    third = replace(stamp, simple_value=b"octets")
    bodies = [listed(*(ListEntry(obj_name=ENERGY, value=value) for value in (stamp, other, third)))]
    options = DecodeOptions(limits=Limits(max_octets=200)) if narrow else DecodeOptions()
    assert (fact_reader(options) is None) == narrow
    (telegram,) = events_of(frame_of(*bodies), options)
    assert isinstance(telegram, Telegram)
    assert [entry.raw for entry in telegram.entries] == [stamp, other, third]
    assert [entry.value for entry in telegram.entries] == [stamp, other, third]
    assert telegram.entries[0].quantity is None


def test_same_events_in_pieces_of_any_size() -> None:
    stream = b"noise" + LARGE_FRAME + FRAME[:100] + FRAME + vector("st-damaged-middle").octets
    whole = events_of(stream)
    assert len(whole) == 6
    for size in (1, 7, 64):
        decoder = TelegramDecoder()
        events = [event for at in range(0, len(stream), size) for event in decoder.feed(stream[at : at + size])]
        assert events + decoder.close() == whole


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_feed_takes_any_bytes_like(form: type[bytes]) -> None:
    assert TelegramDecoder().feed(form(FRAME)) == [telegram_of(FRAME)]


# --- messages, lazily ---------------------------------------------------------------------------------


def test_messages_are_read_when_asked_for() -> None:
    telegram = telegram_of(FRAME)
    assert telegram.messages == push(USUAL)
    assert telegram.messages == telegram.messages
    assert telegram.messages is not telegram.messages


def test_messages_are_the_right_ones_only() -> None:
    (telegram, _) = events_of(vector("st-msg2-crc").octets)
    assert isinstance(telegram, Telegram)
    assert [type(message.message_body) for message in telegram.messages] == [PublicOpenRes, PublicCloseRes]
    assert telegram.message_count == 2


def test_messages_are_read_with_the_options_of_the_decoder() -> None:
    options = DecodeOptions(message_crc="lenient")
    (telegram,) = events_of(vector("st-msg2-crc").octets, options)
    assert isinstance(telegram, Telegram)
    assert [message.crc16 for message in telegram.messages] == [CrcKind.X25, None, CrcKind.X25]
    assert telegram.notes == ("message_crc",)
    assert telegram.message_count == 3


def test_telegram_can_be_pickled() -> None:
    for frame in (FRAME, LARGE_FRAME, good_frames()["st-kermit-0"]):
        telegram = telegram_of(frame)
        again = pickle.loads(pickle.dumps(telegram))  # noqa: S301 - our own octets
        assert again == telegram
        assert isinstance(again.entries, Entries)
        assert (again.device_id, again.messages) == (telegram.device_id, telegram.messages)


# --- time and server id -------------------------------------------------------------------------------

OPEN = PublicOpenRes(req_file_id=b"1", server_id=b"open", ref_time=Timestamp(1))


@pytest.mark.parametrize(
    ("bodies", "time", "server_octets"),
    [
        ((OPEN, listed(time=SecIndex(2)), PublicCloseRes()), SecIndex(2), SERVER_ID),
        ((OPEN, listed(), PublicCloseRes()), Timestamp(1), SERVER_ID),
        ((OPEN, PublicCloseRes()), Timestamp(1), b"open"),
        ((replace(OPEN, ref_time=None), listed(), PublicCloseRes()), None, SERVER_ID),
        ((listed(), listed(time=LocalTimestamp(3, 0, 0))), LocalTimestamp(3, 0, 0), SERVER_ID),
        ((PublicOpenReq(client_id=b"", req_file_id=b""), PublicCloseRes()), None, None),
        ((PublicOpenReq(client_id=b"", req_file_id=b"", server_id=b"asked"), PublicCloseRes()), None, b"asked"),
        ((AttentionRes(server_id=b"attention", attention_no=b""),), None, b"attention"),
        ((Untyped(0x0B00, (b"tree",)),), None, None),
        ((PublicCloseRes(),), None, None),
    ],
)
def test_time_and_server_id(bodies: tuple[Any, ...], time: object, server_octets: bytes | None) -> None:
    """What a list says goes before what an Open says."""
    telegram = telegram_of(frame_of(*bodies))
    assert telegram.time == time
    assert telegram.server_octets == server_octets
    assert (telegram.server_id is None) == (server_octets is None)
    assert telegram.server_id is None or bytes(telegram.server_id) == server_octets


def test_no_server_id_is_no_device_id() -> None:
    assert telegram_of(frame_of(PublicCloseRes())).device_id is None
    assert telegram_of(frame_of(OPEN)).device_id is None


def test_placeholder_times_are_dropped_beside_a_running_counter() -> None:
    """The record has them; which rule changed the entries is told."""
    entry = ListEntry(obj_name=ENERGY, val_time=SecIndex(0), value=Unsigned(1, 1))
    for time, rules, expected in ((SecIndex(7), ("zero_time",), None), (None, (), SecIndex(0))):
        telegram = telegram_of(frame_of(OPEN, listed(entry, time=time), PublicCloseRes()))
        assert (telegram.rules, telegram.entries[0].time) == (rules, expected)
        body = telegram.messages[1].message_body
        assert isinstance(body, GetListRes)
        assert body.val_list == (entry,)


def test_entries_of_several_lists() -> None:
    first, second = ListEntry(obj_name=ENERGY, value=Unsigned(1, 1)), ListEntry(obj_name=ENERGY, value=Unsigned(2, 1))
    telegram = telegram_of(frame_of(listed(first), OPEN, listed(second)))
    assert [entry.raw for entry in telegram.entries.all("1.8.0")] == [1, 2]
    assert telegram.entries["1.8.0"].raw == 1


# --- notes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "in_order"),
    [
        ((OPEN, PublicCloseRes()), True),
        ((OPEN, listed(), PublicCloseRes()), True),
        ((OPEN, listed(), listed(), PublicCloseRes()), True),
        ((), False),
        ((OPEN,), False),
        ((PublicCloseRes(),), False),
        ((listed(),), False),
        ((OPEN, listed()), False),
        ((listed(), PublicCloseRes()), False),
        ((PublicCloseRes(), OPEN), False),
        ((OPEN, OPEN, PublicCloseRes()), False),
        ((OPEN, PublicCloseRes(), PublicCloseRes()), False),
        ((listed(), OPEN, PublicCloseRes()), False),
        ((OPEN, PublicCloseRes(), listed()), False),
    ],
)
def test_order(bodies: tuple[Any, ...], in_order: bool) -> None:  # noqa: FBT001 - expected result
    """Exactly one Open, first, and exactly one Close, last; the messages are delivered all the same."""
    telegram = telegram_of(frame_of(*bodies))
    assert telegram.notes == (() if in_order else ("order",))
    assert telegram.message_count == len(telegram.messages) == len(bodies)


def test_order_is_judged_by_the_messages_that_could_be_read() -> None:
    telegram, _ = events_of(vector("st-damaged-middle").octets)
    assert isinstance(telegram, Telegram)
    assert telegram.notes == ()
    without_open = encode_file([Message(transaction_id=b"1", message_body=listed())]) + vector("mx-crc").octets
    telegram, _ = events_of(encode_transport(without_open))
    assert isinstance(telegram, Telegram)
    assert telegram.notes == ("order",)


def test_kermit_is_noted_for_frames_and_for_messages() -> None:
    messages = encode_file(push(USUAL, CrcKind.KERMIT))
    for payload, kind, notes in (
        (messages, CrcKind.KERMIT, ("kermit",)),
        (messages, CrcKind.X25, ("kermit",)),
        (PUSH, CrcKind.KERMIT, ("kermit",)),
        (PUSH, CrcKind.X25, ()),
    ):
        assert telegram_of(encode_transport(payload, kind)).notes == notes


def test_without_frame_checksums_every_telegram_says_so() -> None:
    options = DecodeOptions(frame_crc_kind="none")
    for frame in (FRAME, FRAME[:-2] + b"\0\0"):
        (telegram,) = events_of(frame, options)
        assert isinstance(telegram, Telegram)
        assert telegram.notes == ("crc_unchecked",)


def test_notes_of_the_frame() -> None:
    assert telegram_of(vector("st-misaligned").octets).notes == ("misaligned",)
    assert telegram_of(vector("st-fill-count-4").octets).notes == ("fill_4",)


def test_notes_are_sorted() -> None:
    frame = encode_transport(encode_file(push(EVERYTHING, CrcKind.KERMIT))[:-20])
    notes = next(event for event in events_of(frame) if isinstance(event, Telegram)).notes
    assert notes == tuple(sorted(notes))
    assert len(notes) == 5


def test_object_name_that_is_no_code() -> None:
    """It cannot be an entry; the record has it."""
    telegram = telegram_of(frame_of(OPEN, listed(ListEntry(obj_name=b"name"), *USUAL), PublicCloseRes()))
    assert telegram.notes == ("object_name", "value_absent")
    assert len(telegram.entries) == len(USUAL)


# --- messages that are bad ----------------------------------------------------------------------------


def test_bad_message_follows_the_telegram_of_the_others() -> None:
    payload = encode_file(push(USUAL)[:1]) + vector("mx-vallist-type").octets + encode_file(push(USUAL)[2:])
    telegram, fault = events_of(b"\0" * 5 + encode_transport(payload))[1:]
    assert isinstance(telegram, Telegram)
    assert isinstance(fault, Malformed)
    assert telegram.message_count == 2
    at = len(encode_file(push(USUAL)[:1]))
    assert (fault.kind, fault.offset) == ("message", 5 + 8 + at)
    assert fault.error.offset == at + 29
    assert fault.raw == vector("mx-vallist-type").octets
    assert isinstance(fault.partial, Message)


@pytest.mark.parametrize("run", range(20))
def test_offset_of_a_bad_message_behind_escapes(run: int) -> None:
    """The event counts octets of the stream, where escapes are; the error counts octets of the payload."""
    first = encode_file([Message(transaction_id=b"\x1b" * run, message_body=PublicCloseRes())])
    bad = vector("mx-vallist-type").octets
    frame = encode_transport(first + bad)
    telegram, fault = events_of(b"noise" + frame)[1:]
    assert isinstance(telegram, Telegram)
    assert isinstance(fault, Malformed)
    assert (b"noise" + frame)[fault.offset :].startswith(bad[:20])
    assert fault.error.offset == len(first) + 29
    assert fault.offset == 5 + 8 + len(first) + run // 4 * 4


@pytest.mark.parametrize("name", ["mx-vallist-type", "mx-crc", "mx-not-a-message", "mx-truncated"])
def test_frame_without_a_readable_message_is_no_telegram(name: str) -> None:
    events = events_of(encode_transport(vector(name).octets) + FRAME)
    assert [type(event) for event in events] == [Malformed, Telegram]
    assert isinstance(events[0], Malformed)
    assert (events[0].kind, events[0].offset) == ("message", 8)


def test_several_bad_messages() -> None:
    bad = vector("mx-vallist-type").octets
    events = events_of(encode_transport(bad + PUSH + bad + bad))
    assert [type(event) for event in events] == [Telegram, Malformed, Malformed, Malformed]
    assert [event.offset for event in events[1:]] == [
        8,
        8 + len(bad + PUSH),
        8 + len(bad + PUSH + bad),
    ]


def test_empty_frame_is_an_empty_telegram() -> None:
    telegram = telegram_of(encode_transport(b""))
    assert (telegram.entries, telegram.messages, telegram.message_count) == ((), (), 0)
    assert (telegram.time, telegram.server_id, telegram.status, telegram.net_power) == (None, None, None, None)
    assert telegram.direction is Direction.UNKNOWN


def test_tree_messages_are_left_to_the_schema() -> None:
    body = GetProcParameterRes(server_id=b"s", parameter_tree_path=(), parameter_tree=Tree(parameter_name=b"n"))
    telegram = telegram_of(frame_of(OPEN, body, listed(*USUAL), PublicCloseRes()))
    assert telegram.message_count == 4
    assert telegram.messages[1].message_body == body
    assert len(telegram.entries) == len(USUAL)


# --- the decoder --------------------------------------------------------------------------------------


def test_decoder_goes_on_after_close() -> None:
    decoder = TelegramDecoder()
    assert decoder.feed(FRAME[:50]) == []
    assert decoder.buffered == 50
    (cut,) = decoder.close()
    assert isinstance(cut, Malformed)
    assert (cut.error.reason, cut.kind, decoder.buffered) == ("truncated", "frame", 0)
    (telegram,) = decoder.feed(FRAME)
    assert telegram == telegram_of(FRAME).at(50)
    assert decoder.close() == []


def test_trouble_and_telegrams_in_order() -> None:
    stream = b"noise" + FRAME + FRAME[:30] + FRAME + b"tail"
    events = events_of(stream)
    assert [type(event) for event in events] == [BytesDiscarded, Telegram, Malformed, Telegram, BytesDiscarded]
    assert [event.offset for event in events] == [0, 5, 5 + len(FRAME), 35 + len(FRAME), 35 + 2 * len(FRAME)]


def test_decoders_share_nothing() -> None:
    one, other = TelegramDecoder(), TelegramDecoder()
    one.feed(FRAME[:40])
    assert other.feed(FRAME) == [telegram_of(FRAME)]
    assert one.feed(FRAME[40:]) == [telegram_of(FRAME)]


def test_entries_differ_where_the_telegrams_do() -> None:
    """Nothing of a telegram is kept for the next one."""
    stream, expected = b"", []
    for number in range(200):
        value = Unsigned(number * 1_000_003, 8)
        stream += frame_of(
            OPEN, listed(ListEntry(obj_name=ENERGY, value=value), time=SecIndex(number)), PublicCloseRes()
        )
        expected.append((value.value, SecIndex(number)))
    found = [(event.entries[0].raw, event.time) for event in events_of(stream) if isinstance(event, Telegram)]
    assert found == expected


# --- entries ------------------------------------------------------------------------------------------

ENTRIES = Entries(
    [
        Entry(ENERGY, 1, -1, Unit(30)),
        Entry(POWER, -2, None, Unit(27)),
        Entry(ENERGY, 3),
        Entry(ObisCode.parse("96.1.0"), b"octets"),
        Entry(ObisCode.parse("96.2.0"), True),  # noqa: FBT003 - a value
        Entry(ObisCode.parse("96.3.0")),
        Entry(ObisCode.parse("96.4.0"), CosemScalerUnit(-1, 30)),
        Entry(ObisCode.parse("96.5.0"), -26_000, -2, Unit(27), width=2, corrected=Quantity(39_536, -2, Unit(27))),
    ]
)


@pytest.mark.parametrize(
    "key", ["1.8.0", "1-0:1.8.0*255", "1.8", "0100010800ff", bytes.fromhex("0100010800ff"), ENERGY]
)
def test_entries_by_code(key: str | bytes) -> None:
    assert ENTRIES[key] is ENTRIES[0]
    assert ENTRIES.get(key) is ENTRIES[0]
    assert key in ENTRIES  # type: ignore[comparison-overlap]
    assert ENTRIES.all(key) == (ENTRIES[0], ENTRIES[2])


@pytest.mark.parametrize("key", ["2.8.0", b"", b"no code", ObisCode.parse("2.8.0")])
def test_code_that_is_not_there(key: str | bytes) -> None:
    with pytest.raises(KeyError):
        ENTRIES[key]
    assert ENTRIES.get(key) is None
    assert key not in ENTRIES  # type: ignore[comparison-overlap]
    assert ENTRIES.all(key) == ()


def test_text_that_is_no_code() -> None:
    """To look whether there is one is no error, to take it for granted is."""
    for ask in (ENTRIES.__getitem__, ENTRIES.all):
        with pytest.raises(DecodeError):
            ask("energy")
    assert "energy" not in ENTRIES  # type: ignore[comparison-overlap]
    assert ENTRIES.get("energy") is None
    assert ENTRIES.get("energy", 7) == 7


def test_get_is_that_of_a_mapping() -> None:
    assert ENTRIES.get("2.8.0", 7) == ENTRIES.get("2.8.0", default=7) == 7
    assert ENTRIES.get("2.8.0", ENTRIES[0]) is ENTRIES[0]
    assert ENTRIES.get("1.8.0", 7) is ENTRIES[0]


def test_entries_are_a_tuple() -> None:
    assert len(ENTRIES) == 8
    assert ENTRIES[-1] is ENTRIES[7]
    assert ENTRIES[1:3] == (ENTRIES[1], ENTRIES[2])
    assert list(ENTRIES) == [ENTRIES[number] for number in range(8)]
    assert ENTRIES[3] in ENTRIES
    assert Entry(ENERGY, 99) not in ENTRIES
    assert None not in ENTRIES
    assert hash(ENTRIES) == hash(tuple(ENTRIES))
    with pytest.raises(IndexError):
        ENTRIES[len(ENTRIES)]


def test_keys_and_items() -> None:
    assert ENTRIES.keys()[:3] == (ENERGY, POWER, ENERGY)
    assert ENTRIES.items() == tuple(zip(ENTRIES.keys(), ENTRIES, strict=True))


def test_values_and_quantities() -> None:
    assert [entry.value for entry in ENTRIES] == [
        Quantity(1, -1, Unit(30)),
        Quantity(-2, 0, Unit(27)),
        Quantity(3, 0, None),
        b"octets",
        True,
        None,
        CosemScalerUnit(-1, 30),
        Quantity(-26_000, -2, Unit(27)),
    ]
    assert [entry.quantity for entry in ENTRIES] == [
        Quantity(1, -1, Unit(30)),
        Quantity(-2, 0, Unit(27)),
        Quantity(3, 0, None),
        None,
        None,
        None,
        None,
        Quantity(39_536, -2, Unit(27)),
    ]
    assert [entry.rule for entry in ENTRIES] == [None] * 7 + ["dzg_sign"]


# --- facts --------------------------------------------------------------------------------------------


def test_facts_of_every_message_type() -> None:
    """Each record's name has a factory; those of messages give facts."""
    reader = fact_reader(DecodeOptions())
    assert reader is fact_reader(DecodeOptions())
    assert fact_reader(DecodeOptions(limits=Limits(max_list=3))) is None
    assert FACTS["Untyped"](tag=1, tree=()) == Facts("other")
    assert FACTS["SetProcParameterReq"](server_id=b"s", username=None) == Facts("other", b"s")
    assert FACTS["PublicOpenReq"](server_id=None) == Facts("open")


def test_zero_time_is_one_beside_the_time_of_its_own_list() -> None:
    entry = ListEntry(obj_name=ENERGY, val_time=SecIndex(0), value=Unsigned(1))
    telegram = telegram_of(frame_of(OPEN, listed(entry), PublicCloseRes()))
    assert telegram.time == OPEN.ref_time
    assert telegram.entries[0].time == SecIndex(0)
    assert telegram.quirks == ()
    telegram = telegram_of(frame_of(OPEN, listed(entry, time=SecIndex(5)), listed(entry), PublicCloseRes()))
    assert [each.time for each in telegram.entries] == [None, SecIndex(0)]
    assert telegram.quirks == ("zero_time",)


def test_empty_server_id_hides_no_other() -> None:
    nameless = GetListRes(server_id=b"", val_list=())
    assert telegram_of(frame_of(OPEN, nameless, PublicCloseRes())).server_octets == OPEN.server_id
    assert telegram_of(frame_of(nameless)).server_octets == b""
    assert telegram_of(frame_of(PublicCloseRes())).server_octets is None


def test_repr_is_short() -> None:
    text = repr(telegram_of(LARGE_FRAME))
    assert "1LGZ" not in text
    assert "0A014C475A0000BC614E" in text
    assert len(text) < 300


def test_places_of_many_faults_cost_no_more_than_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = vector("mx-crc").octets * 50
    escaped: list[int] = []

    def counting(piece: bytes) -> bytes:
        escaped.append(len(piece))
        return escape(piece)

    monkeypatch.setattr(telegram_module, "escape", counting)
    events = events_of(encode_transport(payload))
    assert [event.offset - 8 for event in events] == list(range(0, len(payload), len(payload) // 50))
    assert sum(escaped) <= len(payload)


def test_net_power_is_the_first_number_of_its_code() -> None:
    empty, power = ListEntry(obj_name=POWER), ListEntry(obj_name=POWER, unit=27, value=Unsigned(55))
    telegram = telegram_of(frame_of(listed(empty, power)))
    assert telegram.net_power is not None
    assert telegram.net_power.digits == "55"
