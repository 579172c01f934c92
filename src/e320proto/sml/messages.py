"""The SML messages as typed records: one class for every composite of the schema.

Fields have the names of the standard in snake_case, in wire order, and are given by keyword.
``None`` is an absent optional field. Octet strings stay ``bytes``; text is made on request, see
:func:`e320proto.decode_text`.

Source: SML 1.03, 1.04 (BSI TR-03109-1 annex IV b), 1.05; layouts in ``e320proto.schema.sml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal, TypeAlias

from e320proto.crc import CrcKind
from e320proto.sml.attention import ATTENTION_NUMBERS, ATTENTION_PREFIX


@dataclass(frozen=True, slots=True)
class Integer:
    """A signed number and its octets on the wire; ``width`` ``None`` is the smallest of 1, 2, 4, 8 that fits.

    >>> Integer(-215, width=8)
    Integer(value=-215, width=8)
    """

    value: int
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An unsigned number and its octets on the wire; ``width`` as in :class:`Integer`.

    >>> Unsigned(1234567, width=8).value
    1234567
    """

    value: int
    width: int | None = None


@dataclass(frozen=True, slots=True)
class SecIndex:
    """Seconds counter of a meter, 0 to 2**32 - 1. It is no date; only differences mean anything.

    ``bare`` tells that it came as a plain number without the choice around it.

    >>> SecIndex(86423)
    SecIndex(value=86423, bare=False)
    """

    value: int
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Unix time in seconds, UTC.

    >>> Timestamp(1700000000).datetime.isoformat()
    '2023-11-14T22:13:20+00:00'
    """

    value: int

    @property
    def datetime(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.fromtimestamp(self.value, UTC)


@dataclass(frozen=True, slots=True)
class LocalTimestamp:
    """Unix time in seconds, UTC, and the offsets of local time in minutes.

    >>> LocalTimestamp(1719999999, 60, 60).datetime.isoformat()
    '2024-07-03T11:46:39+02:00'
    """

    timestamp: int
    local_offset: int
    season_time_offset: int

    @property
    def datetime(self) -> datetime:
        """The time, aware, in local time; in UTC if the offsets are no real ones (a day or more)."""
        offset = timedelta(minutes=self.local_offset + self.season_time_offset)
        zone = timezone(offset) if abs(offset) < timedelta(days=1) else UTC
        return datetime.fromtimestamp(self.timestamp, zone)


Time: TypeAlias = SecIndex | Timestamp | LocalTimestamp


@dataclass(frozen=True, slots=True)
class CosemScalerUnit:
    """Scaler (-128 to 127) and unit (0 to 255) as a value.

    >>> CosemScalerUnit(-1, 30).scaler
    -1
    """

    scaler: int
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampedValue:
    """A value with its own time and status."""

    sml_time: Time
    status: Unsigned
    simple_value: bytes | bool | Integer | Unsigned | None


Value: TypeAlias = bytes | bool | Integer | Unsigned | Time | TimestampedValue | CosemScalerUnit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One register of a :class:`GetListRes`; reading = ``value`` x 10 ** ``scaler`` in ``unit``.

    >>> ListEntry(obj_name=bytes.fromhex("0100010800ff"), unit=30, scaler=-1, value=Unsigned(1234567, 8)).unit
    30
    """

    obj_name: bytes
    status: Unsigned | None = None
    val_time: Time | None = None
    unit: int | None = None
    scaler: int | None = None
    value: Value = None
    value_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodEntry:
    """One register of a :class:`GetProfileListRes`."""

    obj_name: bytes
    unit: int
    scaler: int
    value: Value
    value_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfObjHeaderEntry:
    """Head of one column of a :class:`GetProfilePackRes`."""

    obj_name: bytes
    unit: int
    scaler: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueEntry:
    """One cell of a :class:`GetProfilePackRes`."""

    value: Value
    value_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfObjPeriodEntry:
    """One row of a :class:`GetProfilePackRes`."""

    val_time: Time
    status: int
    value_list: tuple[ValueEntry, ...]
    period_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TupelEntry:
    """Six registers with two signatures: pa, ma = active import, export; r1 to r4 = reactive by quadrant."""

    server_id: bytes
    sec_index: Time
    status: int
    unit_pa: int
    scaler_pa: int
    value_pa: int
    unit_r1: int
    scaler_r1: int
    value_r1: int
    unit_r4: int
    scaler_r4: int
    value_r4: int
    signature_pa_r1_r4: bytes
    unit_ma: int
    scaler_ma: int
    value_ma: int
    unit_r2: int
    scaler_r2: int
    value_r2: int
    unit_r3: int
    scaler_r3: int
    value_r3: int
    signature_ma_r2_r3: bytes


ProcParChoice: TypeAlias = Literal["value", "period_entry", "tupel_entry", "time", "list_entry"]


@dataclass(frozen=True, slots=True)
class ProcParValue:
    """The value of a parameter: which kind, and the content of that kind.

    >>> ProcParValue("value", Unsigned(3)).content
    Unsigned(value=3, width=None)
    """

    choice: ProcParChoice
    content: Value | PeriodEntry | TupelEntry | ListEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A parameter with its value or children."""

    parameter_name: bytes
    parameter_value: ProcParValue | None = None
    child_list: tuple[Tree, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOpenReq:
    """Tag 0100: opens a file of requests. ``sml_version`` absent means 1."""

    codepage: bytes | None = None
    client_id: bytes
    req_file_id: bytes
    server_id: bytes | None = None
    username: bytes | None = None
    password: bytes | None = None
    sml_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOpenRes:
    """Tag 0101: opens a file of responses, or a push."""

    codepage: bytes | None = None
    client_id: bytes | None = None
    req_file_id: bytes
    server_id: bytes
    ref_time: Time | None = None
    sml_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCloseReq:
    """Tag 0200: closes a file of requests."""

    global_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCloseRes:
    """Tag 0201: closes a file of responses, or a push."""

    global_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProfileReq:
    server_id: bytes | None = None
    username: bytes | None = None
    password: bytes | None = None
    with_rawdata: bool | None = None
    begin_time: Time | None = None
    end_time: Time | None = None
    parameter_tree_path: tuple[bytes, ...]
    object_list: tuple[bytes, ...] | None = None
    das_details: Tree | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfilePackReq(_ProfileReq):
    """Tag 0300: asks for a profile as one message. ``object_list`` absent asks for all columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfileListReq(_ProfileReq):
    """Tag 0400: asks for a profile as one message for each period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfilePackRes:
    """Tag 0301: a profile, one header and rows of values. ``reg_period`` in seconds."""

    server_id: bytes
    act_time: Time
    reg_period: int
    parameter_tree_path: tuple[bytes, ...]
    header_list: tuple[ProfObjHeaderEntry, ...]
    period_list: tuple[ProfObjPeriodEntry, ...]
    rawdata: bytes | None = None
    profile_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfileListRes:
    """Tag 0401: one period of a profile. ``reg_period`` in seconds."""

    server_id: bytes
    act_time: Time
    reg_period: int
    parameter_tree_path: tuple[bytes, ...]
    val_time: Time
    status: int
    period_list: tuple[PeriodEntry, ...]
    rawdata: bytes | None = None
    period_signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProcParameterReq:
    """Tag 0500: asks for a parameter. On the LMN the path is a 9-octet object and 2-octet attributes."""

    server_id: bytes | None = None
    username: bytes | None = None
    password: bytes | None = None
    parameter_tree_path: tuple[bytes, ...]
    attribute: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProcParameterRes:
    """Tag 0501: a parameter; the path repeats the request's."""

    server_id: bytes
    parameter_tree_path: tuple[bytes, ...]
    parameter_tree: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProcParameterReq:
    """Tag 0600: writes a parameter; the answer is an :class:`AttentionRes`."""

    server_id: bytes | None = None
    username: bytes | None = None
    password: bytes | None = None
    parameter_tree_path: tuple[bytes, ...]
    parameter_tree: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class GetListReq:
    """Tag 0700: asks for a list of current values."""

    client_id: bytes
    server_id: bytes | None = None
    username: bytes | None = None
    password: bytes | None = None
    list_name: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetListRes:
    """Tag 0701: a list of current values; the heart of every push."""

    client_id: bytes | None = None
    server_id: bytes
    list_name: bytes | None = None
    act_sensor_time: Time | None = None
    val_list: tuple[ListEntry, ...]
    list_signature: bytes | None = None
    act_gateway_time: Time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRes:
    """Tag FF01: answer to a write, or why a request failed.

    >>> refused = AttentionRes(server_id=b"", attention_no=bytes.fromhex("8181c7c7fe0a"))
    >>> refused.number, refused.positive, refused.meaning
    (65034, False, 'order not executed')
    """

    server_id: bytes
    attention_no: bytes
    attention_msg: bytes | None = None
    attention_details: Tree | None = None

    @property
    def number(self) -> int | None:
        """``hh ll`` of 81 81 C7 C7 hh ll; ``None`` for an attention number of another form."""
        prefix, code = self.attention_no[:4], self.attention_no[4:]
        return int.from_bytes(code) if prefix == ATTENTION_PREFIX and len(code) == 2 else None  # noqa: PLR2004 - hh ll

    @property
    def positive(self) -> bool:
        """Whether it confirms: FD .. is positive, FE .. negative."""
        return self.number is not None and self.number >> 8 == 0xFD  # noqa: PLR2004 - FD confirms

    @property
    def meaning(self) -> str:
        """The meaning of the number, or the octets as hex where it has none known."""
        number = self.number
        return self.attention_no.hex() if number is None else ATTENTION_NUMBERS.get(number, f"{number:04X}")


@dataclass(frozen=True, slots=True)
class Untyped:
    """A message body without a model: octets, booleans, Integer, Unsigned and tuples of these.

    >>> Untyped(0x0B00, (b"", Unsigned(7, 1))).name
    '0B00'
    """

    tag: int
    tree: object

    @property
    def name(self) -> str:
        """The message name of the standard, or the tag in hex."""
        return UNTYPED_NAMES.get(self.tag, f"{self.tag:04X}")


UNTYPED_NAMES: Final = {
    0x0601: "SetProcParameter.Res",
    0x0800: "GetCosem.Req",
    0x0801: "GetCosem.Res",
    0x0900: "SetCosem.Req",
    0x0901: "SetCosem.Res",
    0x0A00: "ActionCosem.Req",
    0x0A01: "ActionCosem.Res",
}
"""Tags with a name but no model: no layout of their bodies is known well enough."""

MessageBody: TypeAlias = (
    PublicOpenReq
    | PublicOpenRes
    | PublicCloseReq
    | PublicCloseRes
    | GetProfilePackReq
    | GetProfilePackRes
    | GetProfileListReq
    | GetProfileListRes
    | GetProcParameterReq
    | GetProcParameterRes
    | SetProcParameterReq
    | GetListReq
    | GetListRes
    | AttentionRes
    | Untyped
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One SML message.

    Args:
        transaction_id: octets the requester chose; a response repeats them.
        message_body: one of the records above.
        group_no: 0 to 255.
        abort_on_error: 0 to 255.
        crc16: kind of the checksum; ``None`` after lenient decoding of a wrong one, written as X-25.

    >>> Message(transaction_id=b"1", message_body=PublicCloseRes()).crc16
    <CrcKind.X25: 'x25'>
    """

    transaction_id: bytes
    group_no: int = 0
    abort_on_error: int = 0
    message_body: MessageBody
    crc16: CrcKind | None = CrcKind.X25


RECORDS: Final[dict[str, type]] = {
    record.__name__: record
    for record in (
        *MessageBody.__args__,
        *Time.__args__,
        Integer,
        Unsigned,
        CosemScalerUnit,
        TimestampedValue,
        ListEntry,
        PeriodEntry,
        ProfObjHeaderEntry,
        ValueEntry,
        ProfObjPeriodEntry,
        TupelEntry,
        ProcParValue,
        Tree,
        Message,
    )
}
"""Record classes by their names in the schema."""
