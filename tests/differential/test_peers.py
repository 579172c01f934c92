"""The same streams in independent decoders: every recording, and every constructed vector.

Compared are the frames found in a stream, whether a frame and its messages are accepted, and every
field: raw integers and scalers, not the numbers that a reader makes of them. Where a reader says
something else, :data:`DISAGREEMENTS` has a row for it with the reason. A test fails on a
disagreement without a row, and on a row without its disagreement.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, assert_never

import pytest

from e320proto import (
    CosemScalerUnit,
    DeviceId,
    Entry,
    GetListRes,
    Integer,
    ListEntry,
    LocalTimestamp,
    Malformed,
    Message,
    ObisCode,
    ProcParValue,
    Quantity,
    SecIndex,
    ServerId,
    Telegram,
    TelegramDecoder,
    Timestamp,
    TimestampedValue,
    TransportDecoder,
    TransportFrame,
    Unsigned,
    Untyped,
    encode_file,
    encode_transport,
    read_messages,
)
from e320proto.schema.sml import MODELS
from tests.recordings import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from e320proto.sml.messages import Value

VECTORS = Path(__file__).parent.parent / "vectors" / "sml.json"

Peer = Literal["smllib", "pysml"]


class Disagreement(NamedTuple):
    """What a peer does with some recordings or vectors, why, and how often in each of them."""

    peer: Peer
    finding: str
    reason: str
    sources: tuple[str, ...]
    times: int = 1


DISAGREEMENTS = (
    Disagreement(
        "smllib",
        "frame refused: UnsupportedChoiceValue",
        "knows three messages (PublicOpen.Res, PublicClose.Res, GetList.Res); any other refuses the whole frame",
        (
            "ms-attention-fe02",
            "ms-attention-ok",
            "ms-close-req",
            "ms-cosem-tag",
            "ms-getproc-req",
            "ms-getproc-req-full",
            "ms-getproc-res",
            "ms-getproc-res-entries",
            "ms-getproc-res-listentry",
            "ms-list-req",
            "ms-list-req-min",
            "ms-open-req-full",
            "ms-open-req-min",
            "ms-proflist-req",
            "ms-proflist-res",
            "ms-profpack-req",
            "ms-profpack-req-min",
            "ms-profpack-res",
            "ms-setproc-req",
            "ms-unknown-tag",
            "st-attention",
            "st-getproc-res",
            "st-nesting-body",
            "st-proflist",
            "st-request-file",
            "st-unknown-type",
        ),
    ),
    Disagreement(
        "smllib",
        "frame refused: UnsupportedChoiceValue",
        "of the values that are lists it knows times only; any other refuses the whole frame",
        ("own-value-is-scaler-and-unit", "own-value-is-timestamped"),
    ),
    Disagreement(
        "smllib",
        "frame refused: ValueError",
        "an entry has to have a value; one without it refuses the whole frame",
        ("EMH_eHZ-IW8E2A5L0EK2P_with_error.bin",),
        11,
    ),
    Disagreement(
        "smllib",
        "frame refused: ValueError",
        "an entry has to have a value; one without it refuses the whole frame",
        ("ms-list-res-no-value",),
    ),
    Disagreement(
        "smllib",
        "frame refused: ValueError",
        "a message has to begin where the one before it ends; surplus 00 or damage refuses the whole frame",
        ("st-damaged-middle", "st-extra-zero", "st-nesting"),
    ),
    Disagreement(
        "smllib",
        "frame refused: TypeError",
        "takes the content of time choices 1 and 2 for a number whatever it is",
        ("ms-time-list-of-3",),
    ),
    Disagreement(
        "smllib",
        "frame not found",
        "a reader knows one kind of checksum, X-25 unless told otherwise",
        ("st-kermit",),
    ),
    Disagreement(
        "smllib",
        "frame not found",
        "does not look for a start inside of an open frame, so both go together and fail the checksum",
        ("st-truncated-then-good",),
    ),
    Disagreement(
        "smllib",
        "frame delivered that is none",
        "does not look at the fill octets",
        ("st-fill-nonzero",),
    ),
    Disagreement(
        "smllib",
        "message delivered: message_crc",
        "does not check the checksums of messages",
        ("mx-crc", "mx-crc-data", "st-msg2-crc"),
    ),
    Disagreement(
        "smllib",
        "message delivered: out_of_range",
        "does not check the ranges of fields",
        ("mx-group-range",),
    ),
    Disagreement(
        "smllib",
        "value rounded",
        "scales with floats and rounds; raw integer and scaler are the same",
        ("ms-list-res-exact", "ms-list-res-odd-int", "ms-list-res-scalars"),
    ),
    Disagreement(
        "pysml",
        "frame refused: SmlParserError",
        "does not know booleans",
        (
            "ms-getproc-res-entries",
            "ms-list-res-scalars",
            "ms-proflist-req",
            "ms-profpack-req",
            "ms-setproc-req",
            "st-request-file",
        ),
    ),
    Disagreement(
        "pysml",
        "frame refused: SmlParserError",
        "takes the type bits repeated in the TL field of a list for an error",
        ("ms-list-res-type-repeated",),
    ),
    Disagreement(
        "pysml",
        "frame refused: SmlParserError",
        "one message with a fault refuses the whole frame; so does surplus 00 between messages",
        ("st-damaged-middle", "st-extra-zero", "st-msg2-crc", "st-nesting", "st-nesting-body"),
    ),
    Disagreement(
        "pysml",
        "frame refused: SmlParserError",
        "knows X-25 only",
        ("ms-kermit",),
    ),
    Disagreement(
        "pysml",
        "frame not found",
        "knows X-25 only",
        ("st-kermit",),
    ),
    Disagreement(
        "pysml",
        "frame not found",
        "a frame with a fault raises and stays in the buffer, so nothing behind it is reached",
        ("st-nesting", "st-nesting-body"),
    ),
    Disagreement(
        "pysml",
        "frame not found",
        "a frame has to hold at least one octet",
        ("st-empty-file",),
    ),
    Disagreement(
        "pysml",
        "frame delivered that is none",
        "does not look at the fill octets",
        ("st-fill-nonzero",),
    ),
    Disagreement(
        "pysml",
        "message delivered: wrong_count",
        "reads all messages but three as trees without a model",
        ("mx-wrong-count",),
    ),
    Disagreement(
        "pysml",
        "message delivered: wrong_type",
        "reads all messages but three as trees without a model",
        ("mx-tree-child",),
    ),
    Disagreement(
        "pysml",
        "message delivered: out_of_range",
        "does not check the ranges of fields",
        ("mx-group-range",),
    ),
    Disagreement(
        "pysml",
        "tree of GetListRes",
        "keeps a time of three numbers under choice 2 as it is, where this library reads it as choice 3",
        ("ms-time-list-of-3",),
    ),
    Disagreement(
        "pysml",
        "result: value rounded",
        "scales with floats; raw integer and scaler are the same",
        ("ms-list-res-odd-int",),
    ),
    Disagreement(
        "pysml",
        "result: value not corrected",
        "has the sign rule for DZG meters for the sum of the phases only",
        ("qk-dzg-phase",),
    ),
)


# --- the streams --------------------------------------------------------------------------------


def constructed() -> dict[str, bytes]:
    """Streams of the vectors; messages are put into a frame each."""
    if not VECTORS.is_file():
        pytest.skip("no constructed vectors beside the tests")
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    octets = {vector["id"]: (vector["level"], bytes.fromhex(vector["hex"])) for vector in vectors}
    streams = {name: data for name, (level, data) in octets.items() if level == "stream"}
    assert len(streams) > 30
    messages = {name: encode_transport(data) for name, (level, data) in octets.items() if level in {"message", "quirk"}}
    assert len(messages) > 50
    return streams | messages | {name: encode_transport(encode_file([message])) for name, message in OWN.items()}


def push(*entries: ListEntry) -> Message:
    return Message(transaction_id=b"1", message_body=GetListRes(server_id=b"2", val_list=entries))


def register(value: Value, **rest: Any) -> ListEntry:  # noqa: ANN401 - fields of any type
    return ListEntry(obj_name=ObisCode.parse("96.8.0"), value=value, **rest)


LOCAL = LocalTimestamp(1_719_999_999, 60, 60)
OWN = {
    "own-value-is-a-time": push(register(SecIndex(7)), register(Timestamp(1_700_000_000)), register(LOCAL)),
    "own-value-is-timestamped": push(
        register(TimestampedValue(sml_time=SecIndex(7), status=Unsigned(4), simple_value=Integer(-7, 3)))
    ),
    "own-value-is-scaler-and-unit": push(register(CosemScalerUnit(-1, 30))),
    "own-list-of-16": push(*(register(Unsigned(number)) for number in range(16))),
    "own-list-of-256": push(*(register(Unsigned(number)) for number in range(256))),
    "own-octets-of-any-length": push(*(register(bytes(length)) for length in (14, 15, 253, 254, 4_092, 4_093))),
    "own-runs-of-1b": push(*(register(b"\x1b" * length + b"\x1a") for length in range(1, 20))),
    "own-signature": push(register(Integer(-1, 8), scaler=-1, unit=30, value_signature=b"\0" * 64)),
}
"""Messages of this library's encoder, for what the vectors do not have."""


def recorded(shared: Path, name: str) -> bytes:
    path = shared / "captures" / name
    if not path.is_file():
        pytest.skip(f"no recording {name} in ../shared/captures")
    return path.read_bytes()


class Frame(NamedTuple):
    """One frame as this library reads it."""

    end: int
    raw: bytes
    payload: bytes
    items: tuple[Message | Malformed, ...]

    @property
    def readable(self) -> bool:
        return not self.items or any(isinstance(item, Message) for item in self.items)

    @property
    def telegram(self) -> Telegram:
        event, *_ = TelegramDecoder().feed(self.raw)
        assert isinstance(event, Telegram)
        return event


def frames_of(octets: bytes) -> list[Frame]:
    decoder = TransportDecoder()
    return [
        Frame(event.offset + len(event.raw), event.raw, event.payload, tuple(read_messages(event.payload)))
        for event in decoder.feed(octets) + decoder.close()
        if isinstance(event, TransportFrame)
    ]


def findings_of_items(frame: Frame, theirs: Sequence[Any], compare: Any) -> Iterator[str]:  # noqa: ANN401 - a function
    """Compare the messages of a frame one by one."""
    if len(theirs) != len(frame.items):
        yield f"messages: {len(theirs)} instead of {len(frame.items)}"
        return
    for ours, message in zip(frame.items, theirs, strict=True):
        if isinstance(ours, Malformed):
            yield f"message delivered: {ours.error.reason}"
        else:
            yield from compare(ours, message)


def rounded(theirs: object, ours: Quantity) -> bool:
    """Whether a number is not exactly ours."""
    return Decimal(repr(theirs)) != ours.decimal


# --- smllib -------------------------------------------------------------------------------------


class Smllib:
    """smllib: three message types, one checksum kind for each reader, values as text or numbers."""

    name: Peer = "smllib"

    def __init__(self) -> None:
        self.reader: Any = pytest.importorskip("smllib").SmlStreamReader
        self.errors: Any = pytest.importorskip("smllib.errors")

    def found(self, octets: bytes) -> list[Any]:
        """Frames of a stream, unparsed; the reader goes on behind one with a wrong checksum."""
        reader, found = self.reader(), list[Any]()
        reader.add(octets)
        while True:
            try:
                frame = reader.get_frame()
            except self.errors.CrcError:
                continue
            if frame is None:
                return found
            found.append(frame)

    def findings(self, octets: bytes) -> Iterator[str]:
        ours, theirs = frames_of(octets), self.found(octets)
        raws = [bytes(frame.msg_ctx) for frame in theirs]
        yield from ("frame delivered that is none" for raw in raws if raw not in {frame.raw for frame in ours})
        for frame in ours:
            if frame.raw not in raws:
                yield "frame not found"
                continue
            try:
                messages = theirs[raws.index(frame.raw)].parse_frame()
            except Exception as error:  # noqa: BLE001 - whatever a peer raises
                if frame.readable:
                    yield f"frame refused: {type(error).__name__}"
                continue
            yield from findings_of_items(frame, messages, self.compare)

    def compare(self, ours: Message, theirs: Any) -> Iterator[str]:  # noqa: ANN401 - of the peer
        yield from self.fields(ours, theirs, {"crc16", "message_body"})
        body = theirs.message_body
        if type(body).__name__ != f"Sml{type(ours.message_body).__name__.removeprefix('Public')}ponse":
            yield f"{type(body).__name__} instead of {type(ours.message_body).__name__}"
            return
        yield from self.fields(ours.message_body, body, {"val_list"})
        entries = getattr(ours.message_body, "val_list", ())
        for entry, their_entry in zip(entries, getattr(body, "val_list", ()), strict=True):
            yield from self.entry(entry, their_entry)

    def entry(self, ours: ListEntry, theirs: Any) -> Iterator[str]:  # noqa: ANN401 - of the peer
        yield from self.fields(ours, theirs, {"obj_name", "value"})
        if str(theirs.obis) != ours.obj_name.hex():
            yield "obis"
        value = theirs.value
        if isinstance(ours.value, bytes) and isinstance(value, str) and value != ours.value.hex():
            if value.encode() != ours.value:
                yield "value: octets lost in text"
        elif not self.same(ours.value, value):
            yield "value"
        elif isinstance(ours.value, Integer | Unsigned):
            result = theirs.get_value()
            if rounded(result, Quantity(ours.value.value, ours.scaler or 0)):
                yield "value rounded"

    def fields(self, ours: object, theirs: Any, without: set[str]) -> Iterator[str]:  # noqa: ANN401 - of the peer
        names = [field.name for field in fields(ours)]  # type: ignore[arg-type]  # any of our records
        for name in names:
            if name not in without and not self.same(getattr(ours, name), getattr(theirs, name)):
                yield name

    @staticmethod
    def same(ours: Any, theirs: Any) -> bool:  # noqa: ANN401 - fields of any type
        match ours:
            case bytes():
                return bool(theirs == (ours.hex() or None))
            case Integer() | Unsigned():
                return type(theirs) is int and theirs == ours.value
            case SecIndex():
                return type(theirs) is int and theirs == ours.value
            case Timestamp() | LocalTimestamp():
                when = ours.datetime
                return isinstance(theirs, datetime) and theirs == when and theirs.utcoffset() == when.utcoffset()
        return type(theirs) is type(ours) and bool(theirs == ours)


# --- pysml --------------------------------------------------------------------------------------


class Pysml:
    """pysml: every message as a tree, three message types, values as floats."""

    name: Peer = "pysml"

    def __init__(self) -> None:
        self.sml: Any = pytest.importorskip("sml")
        self.bitstring: Any = pytest.importorskip("bitstring")

    def ends(self, octets: bytes) -> set[int]:
        """Where frames of a stream end; an exception leaves the reader before the frame for good."""
        position, ends = 0, set[int]()
        while True:
            try:
                taken, frame = self.sml.SmlBase.find_frame(octets[position:])
            except Exception:  # noqa: BLE001 - whatever a peer raises
                return ends
            position += taken
            if frame is None:
                return ends
            ends.add(position)

    def findings(self, octets: bytes) -> Iterator[str]:
        ours, ends = frames_of(octets), self.ends(octets)
        yield from ("frame delivered that is none" for _ in ends - {frame.end for frame in ours})
        for frame in ours:
            try:
                _, theirs = self.sml.SmlBase.find_frame(frame.raw)
            except Exception as error:  # noqa: BLE001 - whatever a peer raises
                if frame.readable:
                    yield f"frame refused: {type(error).__name__}"
                continue
            if theirs is None or frame.end not in ends:
                yield "frame not found"
                continue
            pairs = list(zip(self.trees(frame.payload), theirs, strict=True))
            yield from findings_of_items(frame, pairs, self.compare)
            if frame.readable:
                yield from self.results(frame.telegram, theirs)

    def trees(self, payload: bytes) -> list[Any]:
        """The messages of a file as trees of octets, numbers and lists: before they are scaled and rounded."""
        reader = self.bitstring.Reader(self.bitstring.Bits.from_bytes(payload))
        found = []
        while not reader.at_end:
            message = self.sml.SmlMessage.__new__(self.sml.SmlMessage)
            message._bits = reader
            _, count, _ = message._read_tag_length()
            found.append([self.plain(item) for item in message._read_list(count)])
        return found

    def plain(self, item: Any) -> Any:  # noqa: ANN401 - of the peer
        return [self.plain(each) for each in item.value] if isinstance(item.value, list) else item.value

    def compare(self, ours: Message, theirs: Any) -> Iterator[str]:  # noqa: ANN401 - of the peer
        transaction_id, group_no, abort_on_error, body, _crc, end = theirs[0]
        envelope = [ours.transaction_id, ours.group_no, ours.abort_on_error, None]
        if [transaction_id, group_no, abort_on_error, end] != envelope:
            yield "envelope"
        expected = [tag_of(ours), tree_of(ours.message_body)]
        if body != expected:
            yield f"tree of {type(ours.message_body).__name__}"

    def results(self, telegram: Telegram, theirs: Any) -> Iterator[str]:  # noqa: ANN401 - of the peer
        """What is made of the entries: scaled numbers, unit symbols, readable ids."""
        bodies = [message["messageBody"] for message in theirs]
        entries = [entry for body in bodies if type(body).__name__ == "SmlGetListResponse" for entry in body["valList"]]
        for ours, entry in zip(telegram.entries, entries, strict=True):
            if entry["objName"] != str(ours.obis):
                yield "result: objName"
            if entry.get("status") != (ours.status and ours.status.value):
                yield "result: status"
            if (entry.get("unit") or "") != ("" if ours.unit is None else ours.unit.symbol):
                yield "result: unit"
            yield from self.value(ours, entry.get("value"))

    @staticmethod
    def value(ours: Entry, theirs: Any) -> Iterator[str]:  # noqa: ANN401 - of the peer
        value = ours.value
        if isinstance(value, Quantity):
            assert ours.quantity is not None
            if rounded(theirs, ours.quantity):
                corrected = ours.corrected is not None and not rounded(theirs, value)
                yield "result: value not corrected" if corrected else "result: value rounded"
        elif isinstance(value, bytes) and isinstance(theirs, str):
            texts = {value.hex(), value.decode("latin-1"), "-".join(f"{octet:02X}" for octet in value)}
            device_id = ServerId.from_wire(value).device_id
            if theirs not in texts | ({device_id.printed} if isinstance(device_id, DeviceId) else set()):
                yield "result: text"
        elif theirs != value and (value is None or isinstance(value, bytes | bool)):
            yield "result: value"


TAGS = {model.record: tag for tag, model in MODELS.items()}
PROC_PAR_VALUES = ("value", "period_entry", "tupel_entry", "time", "list_entry")


def tag_of(message: Message) -> int:
    body = message.message_body
    return body.tag if isinstance(body, Untyped) else TAGS[type(body).__name__]


def tree_of(ours: Any) -> Any:  # noqa: ANN401, PLR0911 - every kind of field
    """A record as the tree that is on the wire: fields in order, choices as pairs, absent as empty octets."""
    match ours:
        case None:
            return b""
        case bytes() | int():
            return ours
        case Integer() | Unsigned():
            return ours.value
        case SecIndex() | Timestamp() | LocalTimestamp():
            return time_tree(ours)
        case tuple():
            return [tree_of(item) for item in ours]
        case Untyped():
            return tree_of(ours.tree)
        case ProcParValue():
            content = value_tree(ours.content) if ours.choice == "value" else tree_of(ours.content)
            return [1 + PROC_PAR_VALUES.index(ours.choice), content]
    trees = {field.name: getattr(ours, field.name) for field in fields(ours)}
    return [value_tree(item) if name in {"value", "simple_value"} else tree_of(item) for name, item in trees.items()]


def time_tree(ours: SecIndex | Timestamp | LocalTimestamp) -> Any:  # noqa: ANN401 - of the peer
    match ours:
        case SecIndex():
            return ours.value if ours.bare else [1, ours.value]
        case Timestamp():
            return [2, ours.value]
        case LocalTimestamp():
            return [3, [ours.timestamp, ours.local_offset, ours.season_time_offset]]
        case _ as never:
            assert_never(never)


def value_tree(ours: Any) -> Any:  # noqa: ANN401 - any value
    """A value; one that is a list is a choice around another."""
    match ours:
        case SecIndex() | Timestamp() | LocalTimestamp():
            return [1, time_tree(ours)]
        case TimestampedValue():
            return [2, [time_tree(ours.sml_time), ours.status.value, tree_of(ours.simple_value)]]
        case CosemScalerUnit():
            return [3, [1, [ours.scaler, ours.unit]]]
    return tree_of(ours)


# --- the tests ----------------------------------------------------------------------------------


@pytest.fixture(params=[Smllib, Pysml], ids=["smllib", "pysml"])
def peer(request: pytest.FixtureRequest) -> Smllib | Pysml:
    found: Smllib | Pysml = request.param()
    return found


def listed(peer: Peer, source: str) -> Counter[str]:
    return Counter({row.finding: row.times for row in DISAGREEMENTS if row.peer == peer and source in row.sources})


@pytest.mark.parametrize("name", FILES)
def test_recording(peer: Smllib | Pysml, name: str, shared: Path) -> None:
    assert Counter(peer.findings(recorded(shared, name))) == listed(peer.name, name)


def test_vectors(peer: Smllib | Pysml) -> None:
    streams = constructed()
    found = {name: Counter(peer.findings(octets)) for name, octets in streams.items()}
    expected = {name: listed(peer.name, name) for name in streams}
    assert _nonempty(found) == _nonempty(expected)


def _nonempty(counters: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    return {name: counter for name, counter in counters.items() if counter}


CHANGES: dict[str, Callable[[ListEntry], ListEntry]] = {
    "obj_name": lambda entry: replace(entry, obj_name=entry.obj_name[:-1] + b"\0"),
    "status": lambda entry: replace(entry, status=Unsigned(5)),
    "val_time": lambda entry: replace(entry, val_time=None),
    "unit": lambda entry: replace(entry, unit=27),
    "scaler": lambda entry: replace(entry, scaler=0),
    "value": lambda entry: replace(entry, value=Unsigned(1)),
    "value_signature": lambda entry: replace(entry, value_signature=b"a"),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_difference_in_any_field_is_found(peer: Smllib | Pysml, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this library read one field of one entry otherwise, a test above would fail."""
    octets = constructed()["st-fill-1"]
    assert list(peer.findings(octets)) == []
    unchanged = read_messages

    def changed(payload: bytes) -> Iterator[Message | Malformed]:
        for item in unchanged(payload):
            if isinstance(item, Message) and isinstance(item.message_body, GetListRes):
                head, body = item.message_body.val_list[:2], item.message_body
                entries = (*head, *map(CHANGES[field], body.val_list[2:]))
                yield replace(item, message_body=replace(body, val_list=entries))
            else:
                yield item

    monkeypatch.setitem(globals(), "read_messages", changed)
    assert list(peer.findings(octets)) != []


def test_rows_are_of_known_sources() -> None:
    keys = [(source, row.peer, row.finding) for row in DISAGREEMENTS for source in row.sources]
    assert len(set(keys)) == len(keys), "two rows for one finding"
    assert {source for source, _, _ in keys} <= constructed().keys() | set(FILES)
