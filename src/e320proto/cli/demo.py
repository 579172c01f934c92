"""A stream of a meter like the E320, made in memory and decoded: damage, noise, readings."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Final

from e320proto.cli.sources import Source
from e320proto.cli.table import TableView
from e320proto.identity import DeviceId
from e320proto.obis import ObisCode
from e320proto.sml.codec import encode_file
from e320proto.sml.messages import (
    GetListRes,
    Integer,
    ListEntry,
    Message,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Unsigned,
)
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.telegram import Telegram
from e320proto.sml.transport import encode_transport

if TYPE_CHECKING:
    from rich.console import Console

    from e320proto.sml.messages import MessageBody

_METER = bytes(DeviceId.parse("1LGZ0012345678").server_id())
_CLIENT = b"\xff" * 6
_LIST = ObisCode.parse("1-0:98.10.255*255")
_STATUS = Unsigned(0x001C0104, 4)
_WATT_HOURS, _WATTS = 30, 27

_FIRST_SECOND = 86_423
_FIRST_PUSH = 1_193
_IMPORT = 1_234_567  # tenths of a Wh
_EXPORT = 89_012
_POWERS: Final = (412, 409, 415, 2_317, 2_322)

_PARAGRAPH = 100  # longer lines are hard to read

_DAMAGED = 2  # the third telegram
_DAMAGED_AT = 237  # an octet of its power
_NOISE_BEFORE = 4  # the fifth
_NOISE = bytes.fromhex("00fe7c8013e0f89a40ff0681")

_INTRODUCTION = (
    "A meter like the Landis+Gyr E320 tells its readings once a second, by infrared light at its front. "
    "Here are {count} such telegrams, made in memory: no meter, no file. One bit of the third was flipped, as a bad "
    "optical head might do, and line noise comes before the last. This is how {octets} octets look when decoded:"
)
_CONCLUSION = (
    "{good} of {count} telegrams were read, and none of them is wrong: the checksum caught the flipped bit, and the "
    "noise cost nothing. The times are seconds of the meter's own counter, not dates."
)
_NEXT = (
    ("e320 decode FILE", "a capture of your own: octets, hex or base64"),
    ("e320 demo --raw | e320 decode -f jsonl -", "the same stream for programs"),
    ("e320 obis 16.7.0", "what a register means"),
    ("e320 id 1LGZ0012345678", "what the id of a meter says"),
)


def push(number: int) -> bytes:
    """The telegram of one second, as the meter sends it: 276 octets.

    Args:
        number: 0 for the first.
    """
    time, count = SecIndex(_FIRST_SECOND + number), _FIRST_PUSH + number
    entries = (
        ListEntry(obj_name=ObisCode.parse("1-0:96.50.1*1"), value=b"LGZ"),
        ListEntry(obj_name=ObisCode.parse("96.1.0"), value=_METER),
        _energy("1.8.0", _IMPORT + number, time, _STATUS),
        _energy("2.8.0", _EXPORT, time),
        ListEntry(obj_name=ObisCode.parse("16.7.0"), unit=_WATTS, scaler=0, value=Integer(_POWERS[number], 8)),
    )
    bodies: tuple[MessageBody, ...] = (
        PublicOpenRes(client_id=_CLIENT, req_file_id=count.to_bytes(4), server_id=_METER, ref_time=time),
        GetListRes(client_id=_CLIENT, server_id=_METER, list_name=bytes(_LIST), act_sensor_time=time, val_list=entries),
        PublicCloseRes(),
    )
    messages = [
        Message(transaction_id=(3 * count + place).to_bytes(4), message_body=body)
        for place, body in enumerate(bodies, start=1)
    ]
    return encode_transport(encode_file(messages))


def _energy(code: str, value: int, time: SecIndex, status: Unsigned | None = None) -> ListEntry:
    name, sent = ObisCode.parse(code), Unsigned(value, 8)
    return ListEntry(obj_name=name, status=status, val_time=time, unit=_WATT_HOURS, scaler=-1, value=sent)


def demo_stream() -> bytes:
    """All telegrams, one of them damaged, and the noise."""
    stream = bytearray()
    for number in range(len(_POWERS)):
        telegram = bytearray(push(number))
        if number == _DAMAGED:
            telegram[_DAMAGED_AT] ^= 1 << 4
        if number == _NOISE_BEFORE:
            stream += _NOISE
        stream += telegram
    return bytes(stream)


def run_demo(console: Console) -> None:
    """Decode the stream and tell what happened."""
    octets, count = demo_stream(), len(_POWERS)
    _say(console, _INTRODUCTION.format(count=count, octets=len(octets)))
    view, good = TableView(console, several=False, complete=False), 0
    source = Source("the demo", io.BytesIO(octets), len(octets))
    view.begin(source)
    for event in source.events(DEFAULT_OPTIONS):
        if isinstance(event, Telegram):
            good += 1
            view.telegram(event)
        else:
            view.trouble(event)
    view.end()
    console.print()
    _say(console, _CONCLUSION.format(good=good, count=count))
    console.print("Try next:")
    for command, purpose in _NEXT:
        console.print(f"  {command:42}  {purpose}", soft_wrap=True)


def _say(console: Console, text: str) -> None:
    """Print a paragraph."""
    console.print(textwrap.fill(text, min(console.width, _PARAGRAPH)), soft_wrap=True)
    console.print()
