"""The SML message catalogue: every field of every message, in wire order.

Each message and composite is declared here and nowhere else. To add a message type, declare its
:class:`Sequence`, enter it in :data:`MODELS`, and add a record of the same name and fields to
``e320proto.sml.messages``; a test tells if they disagree.

Source: SML 1.03 and 1.04 (BSI TR-03109-1 annex IV b); ListType choices 2 and 3: SML 1.05.
"""

from __future__ import annotations

from typing import Final

from construct import LazyBound

from e320proto.schema.composites import (
    Choice,
    Crc16,
    Message,
    MessageBody,
    NamedChoice,
    Scalar,
    Sequence,
    SequenceOf,
    Time,
    Value,
)
from e320proto.schema.primitives import BOOL, OS, Number, Optional, StatusWord

U8 = Number(8)
U32 = Number(32)
U64 = Number(64)
I8 = Number(8, signed=True)
I16 = Number(16, signed=True)
I64 = Number(64, signed=True)
SCALER = Number(8, signed=True, wraps=True)

OPTIONAL_OS = Optional(OS)

LOCAL_TIMESTAMP = Sequence(
    "LocalTimestamp",
    "timestamp" / U32,
    "local_offset" / I16,
    "season_time_offset" / I16,
)
TIME = Time("Time", {1: Scalar("SecIndex", U32), 2: Scalar("Timestamp", U32), 3: LOCAL_TIMESTAMP})
OPTIONAL_TIME = Optional(TIME)
STATUS = StatusWord()
SIGNATURE = OPTIONAL_OS
PATH = SequenceOf(OS)

TIMESTAMPED_VALUE = Sequence(
    "TimestampedValue",
    "sml_time" / TIME,
    "status" / STATUS,
    "simple_value" / LazyBound(lambda: SIMPLE_VALUE),
)
COSEM_SCALER_UNIT = Sequence("CosemScalerUnit", "scaler" / SCALER, "unit" / U8)
LIST_TYPE = Choice("ListType", {1: TIME, 2: TIMESTAMPED_VALUE, 3: Choice("CosemValue", {1: COSEM_SCALER_UNIT})})
VALUE = Value(LIST_TYPE)
SIMPLE_VALUE: Value = Value()

LIST_ENTRY = Sequence(
    "ListEntry",
    "obj_name" / OS,
    "status" / Optional(STATUS),
    "val_time" / OPTIONAL_TIME,
    "unit" / Optional(U8),
    "scaler" / Optional(SCALER),
    "value" / VALUE,
    "value_signature" / SIGNATURE,
)
PERIOD_ENTRY = Sequence(
    "PeriodEntry",
    "obj_name" / OS,
    "unit" / U8,
    "scaler" / SCALER,
    "value" / VALUE,
    "value_signature" / SIGNATURE,
)
PROF_OBJ_HEADER_ENTRY = Sequence("ProfObjHeaderEntry", "obj_name" / OS, "unit" / U8, "scaler" / SCALER)
VALUE_ENTRY = Sequence("ValueEntry", "value" / VALUE, "value_signature" / SIGNATURE)
PROF_OBJ_PERIOD_ENTRY = Sequence(
    "ProfObjPeriodEntry",
    "val_time" / TIME,
    "status" / U64,
    "value_list" / SequenceOf(VALUE_ENTRY),
    "period_signature" / SIGNATURE,
)
TUPEL_ENTRY = Sequence(
    "TupelEntry",
    "server_id" / OS,
    "sec_index" / TIME,
    "status" / U64,
    *(
        name / field
        for code in ("pa", "r1", "r4")
        for name, field in ((f"unit_{code}", U8), (f"scaler_{code}", SCALER), (f"value_{code}", I64))
    ),
    "signature_pa_r1_r4" / OS,
    *(
        name / field
        for code in ("ma", "r2", "r3")
        for name, field in ((f"unit_{code}", U8), (f"scaler_{code}", SCALER), (f"value_{code}", I64))
    ),
    "signature_ma_r2_r3" / OS,
)
PROC_PAR_VALUE = NamedChoice(
    "ProcParValue",
    {
        1: "value" / VALUE,
        2: "period_entry" / PERIOD_ENTRY,
        3: "tupel_entry" / TUPEL_ENTRY,
        4: "time" / TIME,
        5: "list_entry" / LIST_ENTRY,
    },
)
TREE: Sequence = Sequence(
    "Tree",
    "parameter_name" / OS,
    "parameter_value" / Optional(PROC_PAR_VALUE),
    "child_list" / Optional(SequenceOf(LazyBound(lambda: TREE))),
)

PUBLIC_OPEN_REQ = Sequence(
    "PublicOpenReq",
    "codepage" / OPTIONAL_OS,
    "client_id" / OS,
    "req_file_id" / OS,
    "server_id" / OPTIONAL_OS,
    "username" / OPTIONAL_OS,
    "password" / OPTIONAL_OS,
    "sml_version" / Optional(U8),
)
PUBLIC_OPEN_RES = Sequence(
    "PublicOpenRes",
    "codepage" / OPTIONAL_OS,
    "client_id" / OPTIONAL_OS,
    "req_file_id" / OS,
    "server_id" / OS,
    "ref_time" / OPTIONAL_TIME,
    "sml_version" / Optional(U8),
)
PUBLIC_CLOSE_REQ = Sequence("PublicCloseReq", "global_signature" / SIGNATURE)
PUBLIC_CLOSE_RES = Sequence("PublicCloseRes", "global_signature" / SIGNATURE)

_PROFILE_REQUEST = (
    "server_id" / OPTIONAL_OS,
    "username" / OPTIONAL_OS,
    "password" / OPTIONAL_OS,
    "with_rawdata" / Optional(BOOL),
    "begin_time" / OPTIONAL_TIME,
    "end_time" / OPTIONAL_TIME,
    "parameter_tree_path" / PATH,
    "object_list" / Optional(SequenceOf(OS)),
    "das_details" / Optional(TREE),
)
GET_PROFILE_PACK_REQ = Sequence("GetProfilePackReq", *_PROFILE_REQUEST)
GET_PROFILE_LIST_REQ = Sequence("GetProfileListReq", *_PROFILE_REQUEST)
GET_PROFILE_PACK_RES = Sequence(
    "GetProfilePackRes",
    "server_id" / OS,
    "act_time" / TIME,
    "reg_period" / U32,
    "parameter_tree_path" / PATH,
    "header_list" / SequenceOf(PROF_OBJ_HEADER_ENTRY),
    "period_list" / SequenceOf(PROF_OBJ_PERIOD_ENTRY),
    "rawdata" / OPTIONAL_OS,
    "profile_signature" / SIGNATURE,
)
GET_PROFILE_LIST_RES = Sequence(
    "GetProfileListRes",
    "server_id" / OS,
    "act_time" / TIME,
    "reg_period" / U32,
    "parameter_tree_path" / PATH,
    "val_time" / TIME,
    "status" / U64,
    "period_list" / SequenceOf(PERIOD_ENTRY),
    "rawdata" / OPTIONAL_OS,
    "period_signature" / SIGNATURE,
)
GET_PROC_PARAMETER_REQ = Sequence(
    "GetProcParameterReq",
    "server_id" / OPTIONAL_OS,
    "username" / OPTIONAL_OS,
    "password" / OPTIONAL_OS,
    "parameter_tree_path" / PATH,
    "attribute" / OPTIONAL_OS,
)
GET_PROC_PARAMETER_RES = Sequence(
    "GetProcParameterRes",
    "server_id" / OS,
    "parameter_tree_path" / PATH,
    "parameter_tree" / TREE,
)
SET_PROC_PARAMETER_REQ = Sequence(
    "SetProcParameterReq",
    "server_id" / OPTIONAL_OS,
    "username" / OPTIONAL_OS,
    "password" / OPTIONAL_OS,
    "parameter_tree_path" / PATH,
    "parameter_tree" / TREE,
)
GET_LIST_REQ = Sequence(
    "GetListReq",
    "client_id" / OS,
    "server_id" / OPTIONAL_OS,
    "username" / OPTIONAL_OS,
    "password" / OPTIONAL_OS,
    "list_name" / OPTIONAL_OS,
)
GET_LIST_RES = Sequence(
    "GetListRes",
    "client_id" / OPTIONAL_OS,
    "server_id" / OS,
    "list_name" / OPTIONAL_OS,
    "act_sensor_time" / OPTIONAL_TIME,
    "val_list" / SequenceOf(LIST_ENTRY, or_absent=True),
    "list_signature" / SIGNATURE,
    "act_gateway_time" / OPTIONAL_TIME,
)
ATTENTION_RES = Sequence(
    "AttentionRes",
    "server_id" / OS,
    "attention_no" / OS,
    "attention_msg" / OPTIONAL_OS,
    "attention_details" / Optional(TREE),
)

MODELS: Final = {
    0x0100: PUBLIC_OPEN_REQ,
    0x0101: PUBLIC_OPEN_RES,
    0x0200: PUBLIC_CLOSE_REQ,
    0x0201: PUBLIC_CLOSE_RES,
    0x0300: GET_PROFILE_PACK_REQ,
    0x0301: GET_PROFILE_PACK_RES,
    0x0400: GET_PROFILE_LIST_REQ,
    0x0401: GET_PROFILE_LIST_RES,
    0x0500: GET_PROC_PARAMETER_REQ,
    0x0501: GET_PROC_PARAMETER_RES,
    0x0600: SET_PROC_PARAMETER_REQ,
    0x0700: GET_LIST_REQ,
    0x0701: GET_LIST_RES,
    0xFF01: ATTENTION_RES,
}
"""Message tag to its model. Tags not listed are read as untyped trees."""

CRC16 = Crc16()
MESSAGE = Message(
    "transaction_id" / OS,
    "group_no" / U8,
    "abort_on_error" / U8,
    "message_body" / MessageBody(MODELS),
    "crc16" / CRC16,
)
