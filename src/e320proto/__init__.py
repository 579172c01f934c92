"""Protocols of German base meters such as the Landis+Gyr E320: SML telegrams, decoded and encoded exactly.

The names below are loaded when they are first used, so that ``import e320proto`` costs little.

>>> from e320proto import ObisCode
>>> ObisCode.parse("1.8.0").name_en
'Active energy import, total'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e320proto.crc import CrcKind
    from e320proto.errors import (
        AttentionError,
        ChecksumError,
        DecodeError,
        E320Error,
        EncodeError,
        EndOfReplay,
        LimitError,
        LocalProtocolError,
        ProtocolError,
        RemoteProtocolError,
        ResponseTimeout,
        SecurityError,
        TransportError,
        TruncatedError,
    )
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.identity import DeviceId, Edition, ServerId, ServerIdForm
    from e320proto.limits import Limits
    from e320proto.obis import ObisCode
    from e320proto.sml.capture import read_capture
    from e320proto.sml.codec import decode_file, encode_file, read_messages
    from e320proto.sml.encoder import TelegramEncoder
    from e320proto.sml.entries import (
        Entries,
        Entry,
        RawValue,
    )
    from e320proto.sml.messages import (
        AttentionRes,
        CosemScalerUnit,
        GetListReq,
        GetListRes,
        GetProcParameterReq,
        GetProcParameterRes,
        GetProfileListReq,
        GetProfileListRes,
        GetProfilePackReq,
        GetProfilePackRes,
        Integer,
        ListEntry,
        LocalTimestamp,
        Message,
        MessageBody,
        PeriodEntry,
        ProcParValue,
        ProfObjHeaderEntry,
        ProfObjPeriodEntry,
        PublicCloseReq,
        PublicCloseRes,
        PublicOpenReq,
        PublicOpenRes,
        SecIndex,
        SetProcParameterReq,
        Time,
        Timestamp,
        TimestampedValue,
        Tree,
        TupelEntry,
        Unsigned,
        Untyped,
        Value,
        ValueEntry,
    )
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.quirks import Direction
    from e320proto.sml.telegram import (
        Telegram,
        TelegramDecoder,
        TelegramEvent,
    )
    from e320proto.sml.text import decode_text
    from e320proto.sml.transport import (
        TransportDecoder,
        TransportEvent,
        TransportFrame,
        encode_transport,
    )
    from e320proto.status import EdlFlag, FnnFlag, Status, StatusLayout
    from e320proto.units import Quantity, Unit

__version__ = "0.1.0"

_MODULES = {
    "crc": ("CrcKind",),
    "errors": (
        "AttentionError",
        "ChecksumError",
        "DecodeError",
        "E320Error",
        "EncodeError",
        "EndOfReplay",
        "LimitError",
        "LocalProtocolError",
        "ProtocolError",
        "RemoteProtocolError",
        "ResponseTimeout",
        "SecurityError",
        "TransportError",
        "TruncatedError",
    ),
    "events": ("BytesDiscarded", "Malformed"),
    "identity": ("DeviceId", "Edition", "ServerId", "ServerIdForm"),
    "limits": ("Limits",),
    "obis": ("ObisCode",),
    "sml.capture": ("read_capture",),
    "sml.codec": ("decode_file", "encode_file", "read_messages"),
    "sml.encoder": ("TelegramEncoder",),
    "sml.entries": ("Entries", "Entry", "RawValue"),
    "sml.messages": (
        "AttentionRes",
        "CosemScalerUnit",
        "GetListReq",
        "GetListRes",
        "GetProcParameterReq",
        "GetProcParameterRes",
        "GetProfileListReq",
        "GetProfileListRes",
        "GetProfilePackReq",
        "GetProfilePackRes",
        "Integer",
        "ListEntry",
        "LocalTimestamp",
        "Message",
        "MessageBody",
        "PeriodEntry",
        "ProcParValue",
        "ProfObjHeaderEntry",
        "ProfObjPeriodEntry",
        "PublicCloseReq",
        "PublicCloseRes",
        "PublicOpenReq",
        "PublicOpenRes",
        "SecIndex",
        "SetProcParameterReq",
        "Time",
        "Timestamp",
        "TimestampedValue",
        "Tree",
        "TupelEntry",
        "Unsigned",
        "Untyped",
        "Value",
        "ValueEntry",
    ),
    "sml.options": ("DecodeOptions",),
    "sml.quirks": ("Direction",),
    "sml.telegram": ("Telegram", "TelegramDecoder", "TelegramEvent"),
    "sml.text": ("decode_text",),
    "sml.transport": ("TransportDecoder", "TransportEvent", "TransportFrame", "encode_transport"),
    "status": ("EdlFlag", "FnnFlag", "Status", "StatusLayout"),
    "units": ("Quantity", "Unit"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AttentionError",
    "AttentionRes",
    "BytesDiscarded",
    "ChecksumError",
    "CosemScalerUnit",
    "CrcKind",
    "DecodeError",
    "DecodeOptions",
    "DeviceId",
    "Direction",
    "E320Error",
    "Edition",
    "EdlFlag",
    "EncodeError",
    "EndOfReplay",
    "Entries",
    "Entry",
    "FnnFlag",
    "GetListReq",
    "GetListRes",
    "GetProcParameterReq",
    "GetProcParameterRes",
    "GetProfileListReq",
    "GetProfileListRes",
    "GetProfilePackReq",
    "GetProfilePackRes",
    "Integer",
    "LimitError",
    "Limits",
    "ListEntry",
    "LocalProtocolError",
    "LocalTimestamp",
    "Malformed",
    "Message",
    "MessageBody",
    "ObisCode",
    "PeriodEntry",
    "ProcParValue",
    "ProfObjHeaderEntry",
    "ProfObjPeriodEntry",
    "ProtocolError",
    "PublicCloseReq",
    "PublicCloseRes",
    "PublicOpenReq",
    "PublicOpenRes",
    "Quantity",
    "RawValue",
    "RemoteProtocolError",
    "ResponseTimeout",
    "SecIndex",
    "SecurityError",
    "ServerId",
    "ServerIdForm",
    "SetProcParameterReq",
    "Status",
    "StatusLayout",
    "Telegram",
    "TelegramDecoder",
    "TelegramEncoder",
    "TelegramEvent",
    "Time",
    "Timestamp",
    "TimestampedValue",
    "TransportDecoder",
    "TransportError",
    "TransportEvent",
    "TransportFrame",
    "Tree",
    "TruncatedError",
    "TupelEntry",
    "Unit",
    "Unsigned",
    "Untyped",
    "Value",
    "ValueEntry",
    "__version__",
    "decode_file",
    "decode_text",
    "encode_file",
    "encode_transport",
    "read_capture",
    "read_messages",
]


if not TYPE_CHECKING:  # a type checker knows the names from above, and refuses any other

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used."""
        module = _MODULE_OF.get(name)
        if module is None:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
