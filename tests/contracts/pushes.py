"""A push telegram as the reference meter sends it, with something of everything in its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from e320proto import (
    CosemScalerUnit,
    CrcKind,
    GetListRes,
    Integer,
    ListEntry,
    LocalTimestamp,
    Message,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Telegram,
    TelegramDecoder,
    Timestamp,
    TimestampedValue,
    Unsigned,
    encode_file,
    encode_transport,
)

if TYPE_CHECKING:
    from e320proto.sml.messages import MessageBody

SERVER_ID: Final = bytes.fromhex("0a014c475a0000bc614e")


def push(val_list: tuple[ListEntry, ...], kind: CrcKind = CrcKind.X25) -> tuple[Message, ...]:
    """Open, list and Close around any entries."""
    open_res = PublicOpenRes(
        client_id=b"\xff" * 6, req_file_id=b"\0\0\4\xa9", server_id=SERVER_ID, ref_time=SecIndex(86_423)
    )
    get_list = GetListRes(
        client_id=b"\xff" * 6,
        server_id=SERVER_ID,
        list_name=bytes.fromhex("0100620affff"),
        act_sensor_time=SecIndex(86_423),
        val_list=val_list,
    )
    bodies: tuple[MessageBody, ...] = (open_res, get_list, PublicCloseRes())
    return tuple(
        Message(transaction_id=bytes((0, 0, 13, 252 + number)), message_body=body, crc16=kind)
        for number, body in enumerate(bodies)
    )


USUAL: Final = (
    ListEntry(obj_name=ObisCode.parse("1-0:96.1.0"), value=SERVER_ID),
    ListEntry(
        obj_name=ObisCode.parse("1.8.0"),
        status=Unsigned(0x1C7904, 4),
        val_time=SecIndex(86_423),
        unit=30,
        scaler=-1,
        value=Unsigned(1_234_567, 8),
    ),
    ListEntry(obj_name=ObisCode.parse("16.7.0"), unit=27, scaler=0, value=Integer(-215, 8)),
)
EVERYTHING: Final = (
    *USUAL,
    ListEntry(obj_name=b"no code", status=Unsigned(5, 1), value=True, value_signature=b"\x1b" * 9),
    ListEntry(obj_name=b"time 1", val_time=SecIndex(7, bare=True), value=SecIndex(4)),
    ListEntry(obj_name=b"time 2", val_time=Timestamp(1_700_000_000), value=Timestamp(5)),
    ListEntry(obj_name=b"time 3", val_time=LocalTimestamp(1_700_000_000, 60, -60), value=LocalTimestamp(6, 7, 8)),
    ListEntry(obj_name=b"cosem ", unit=0, scaler=-128, value=CosemScalerUnit(-1, 30)),
    ListEntry(
        obj_name=b"stamp ",
        value=TimestampedValue(sml_time=SecIndex(1), status=Unsigned(4, 8), simple_value=Integer(-3, 3)),
    ),
    ListEntry(obj_name=b"key   ", value=bytes(range(48)), value_signature=bytes(300)),
    ListEntry(obj_name=b"absent"),
)

PUSH: Final = encode_file(push(USUAL))
FRAME: Final = encode_transport(PUSH)
LARGE_PUSH: Final = encode_file(push(EVERYTHING))
LARGE_FRAME: Final = encode_transport(LARGE_PUSH)


def telegram_of(frame: bytes) -> Telegram:
    """The one telegram in a frame that is right."""
    decoder = TelegramDecoder()
    (telegram,) = decoder.feed(frame) + decoder.close()
    assert isinstance(telegram, Telegram)
    return telegram
