"""Telegrams of meters in their different forms."""

from __future__ import annotations

from e320proto import (
    GetListRes,
    Integer,
    ListEntry,
    Message,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Telegram,
    TelegramDecoder,
    Unsigned,
    encode_file,
    encode_transport,
)

E320 = bytes.fromhex("0a014c475a0003c988dd")
FNN = Unsigned(0x1C0904, 4)


def entry(code: str, value: int | bytes | None, unit: int | None = None, scaler: int | None = None) -> ListEntry:
    """A register; energies carry the status word."""
    number = Integer(value, 8) if isinstance(value, int) else value
    status = FNN if code in {"1.8.0", "2.8.0"} else None
    return ListEntry(obj_name=ObisCode.parse(code), value=number, unit=unit, scaler=scaler, status=status)


REDUCED = (entry("1.8.0", 123, 30, 3), entry("2.8.0", 0, 30, 3))
EXTENDED = (
    entry("1-0:96.50.1*1", b"LGZ"),
    entry("96.1.0", E320),
    entry("1.8.0", 1_234_567, 30, -1),
    entry("2.8.0", 9_007_199_254_740_993, 30, -1),
    entry("16.7.0", -2150, 27, 0),
)
FULL = (
    *EXTENDED,
    entry("32.7.0", 2301, 35, -1),
    entry("31.7.0", 123, 33, -2),
    entry("14.7.0", 4999, 44, -2),
    entry("81.7.4", 359, 8, 0),
    entry("3.8.0", 12, 32, 0),
    entry("16.8.0", 12, 30, 0),
    entry("0.2.0", b"V1.05"),
)


def telegram(*entries: ListEntry, server: bytes = E320, second: int = 7) -> Telegram:
    bodies = (
        PublicOpenRes(req_file_id=b"1", server_id=server),
        GetListRes(server_id=server, act_sensor_time=SecIndex(second), val_list=entries),
        PublicCloseRes(),
    )
    messages = [Message(transaction_id=b"1", message_body=body) for body in bodies]
    (event,) = TelegramDecoder(layouts=False).feed(encode_transport(encode_file(messages)))
    assert isinstance(event, Telegram)
    return event
