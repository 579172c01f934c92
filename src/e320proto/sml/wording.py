"""What the decoders report, in words for people: trouble, deviations, rules, times, status words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from e320proto.errors import ChecksumError
from e320proto.events import HINTS, BytesDiscarded, Malformed
from e320proto.sml.messages import CosemScalerUnit, LocalTimestamp, SecIndex, Time, Timestamp, TimestampedValue
from e320proto.sml.quirks import Direction
from e320proto.status import EdlFlag, FnnFlag, StatusLayout
from e320proto.units import Quantity

if TYPE_CHECKING:
    from e320proto.identity import ServerId
    from e320proto.obis import ObisCode
    from e320proto.sml.entries import Entry
    from e320proto.sml.telegram import Telegram
    from e320proto.status import Status

BROKEN_FRAMES: Final = {
    "truncated": "a telegram that breaks off",
    "bad_crc": "a telegram with a wrong checksum; octets were changed or lost on the way",
    "bad_escape": "a telegram with an escape sequence nobody knows; octets were changed or lost on the way",
    "bad_fill": "a telegram with a wrong count of fill octets",
    "too_long": "the start of a telegram without an end near enough",
    "unsupported_version": "the start of transport version 2, which no known meter sends",
}
"""What a frame that was not accepted is, by the reason."""

IN_SHORT: Final = {
    "truncated": "cut off",
    "bad_crc": "with a wrong checksum",
    "bad_escape": "with an unknown escape sequence",
    "bad_fill": "with a wrong fill count",
    "too_long": "without an end",
    "unsupported_version": "of transport version 2",
}
"""The same behind the word telegrams."""

BROKEN_TEXT: Final = {
    "hex_text": "in the text dump that are no hex digits",
    "base64_text": "in the text dump that are no base64",
}
"""What characters of a text dump that were not accepted are."""

_LEFT_OVER: Final = {"hex_text": re.compile(rb"[0-9A-Fa-f]"), "base64_text": re.compile(rb"[A-Za-z0-9+/=]+")}
"""Those that would be right if a digit beside them were not missing."""

NOTES: Final = {
    "bare_time": "times come as plain numbers, without the choice around them",
    "crc_short": "a message checksum comes without its leading zero octet",
    "crc_unchecked": "the checksum of the telegram was not checked",
    "fill_4": "four fill octets where three would be the most",
    "kermit": "the checksums are of the Kermit kind, and right",
    "message_crc": "a message has a wrong checksum and is shown all the same: do not trust it",
    "misaligned": "the length of the telegram is not a multiple of 4",
    "object_name": "an entry was left out because its name is no OBIS code of six octets",
    "order": "the messages are not one Open, then lists, then one Close",
    "sign_type": "a number has the sign type that the standard does not give it",
    "time_list": "times come as lists of three where a number is expected",
    "tl_type_repeated": "the length of a list repeats its type",
    "untyped": "a message is of a type that has no model here",
    "value_absent": "an entry comes without a value",
}
"""Deviations that were accepted: :attr:`Telegram.notes`."""

QUIRKS: Final = {
    "dzg_sign": "this meter sends powers of 327.68 to 655.35 W with a wrong sign; use the corrected value",
    "edl_direction": "15.7.0 comes without a sign; the status word tells the direction of the power",
    "zero_time": "a time of 0 beside a running seconds counter is no time",
}
"""Rules that gave a value a second meaning: :attr:`Telegram.quirks`."""

DIRECTIONS: Final = {
    Direction.IMPORT: "import: energy is drawn from the grid, or the meter idles",
    Direction.EXPORT: "export: energy is fed into the grid",
    Direction.UNKNOWN: "not told by the status word",
}

REDUCED: Final = (
    "This meter sends energy without decimals, as in the reduced data set. "
    "Enter its PIN (the metering operator has it) and set the menu item InF to on to get more."
)

_TEXT_OBJECTS = frozenset(
    {bytes.fromhex("010060320101"), bytes.fromhex("000060320101"), bytes.fromhex("8181c78203ff")}  # manufacturer
)
_FIRMWARE = (bytes.fromhex("000200"), bytes.fromhex("605a02"))  # 0.2.0*x, 96.90.2*x
_CHANNELS = (b"\x01\x00", b"\x00\x00")

_PHASES = ("sum", "L1", "L2", "L3")
_FNN_WORDS = {
    FnnFlag.STARTED: "started",
    FnnFlag.MAGNETIC_INFLUENCE: "magnet near the meter",
    FnnFlag.COVER_OPENED: "terminal cover opened",
    FnnFlag.WRONG_ROTATING_FIELD: "wrong rotating field",
    FnnFlag.RETURN_STOP_ACTIVE: "return stop active",
    FnnFlag.FATAL_ERROR: "fatal error",
}
_FNN_EXPORT = (FnnFlag.SUM_EXPORT, FnnFlag.L1_EXPORT, FnnFlag.L2_EXPORT, FnnFlag.L3_EXPORT)
_FNN_VOLTAGE = (FnnFlag.VOLTAGE_L1, FnnFlag.VOLTAGE_L2, FnnFlag.VOLTAGE_L3)
_FNN_BITS = {
    **_FNN_WORDS,
    **{flag: f"export on {phase}" for phase, flag in zip(_PHASES, _FNN_EXPORT, strict=True)},
    **{flag: f"voltage on {phase}" for phase, flag in zip(_PHASES[1:], _FNN_VOLTAGE, strict=True)},
}


def trouble_words(event: BytesDiscarded | Malformed) -> str:
    """One sentence without an end about octets that gave no telegram, with the hint if there is one.

    >>> from e320proto import DecodeError
    >>> trouble_words(BytesDiscarded(0, b"/LGZ5E320-AMxD"))
    '14 octets that belong to no telegram: this is IEC 62056-21 text, not SML'
    >>> trouble_words(Malformed(0, DecodeError("hex_text", "odd", offset=7), b"b", kind="text"))
    '1 character left over in the text dump where a digit is missing, near character 7 (hex_text)'
    """
    size = plural(len(event.raw if isinstance(event, Malformed) else event.data), "octet")
    hint = "" if event.hint is None else f": {HINTS[event.hint]}"
    if isinstance(event, BytesDiscarded):
        return f"{size} that belong{'s' if len(event.data) == 1 else ''} to no telegram{hint}"
    error, reason = event.error, event.error.reason
    if event.kind == "frame":
        return f"{size}, {BROKEN_FRAMES[reason]} ({reason}){hint}"
    if event.kind == "text":
        left_over = _LEFT_OVER[reason].fullmatch(event.raw)
        what = "left over in the text dump where a digit is missing" if left_over else BROKEN_TEXT[reason]
        return f"{plural(len(event.raw), 'character')} {what}, near character {error.offset} ({reason})"
    where = f" in {error.path}" if error.path else ""
    advice = "; --lenient shows it" if isinstance(error, ChecksumError) else ""
    return f"{size}, a broken message inside of a telegram: {error.detail}{where} ({reason}){advice}"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "octet"), plural(12345, "octet")
    ('1 octet', '12,345 octets')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def meter_words(server: ServerId | None) -> str:
    """The name of a meter as people know it.

    >>> from e320proto import ServerId
    >>> meter_words(ServerId.parse("1LGZ0012345678")), meter_words(None)
    ('1 LGZ00 1234 5678', 'without an id')
    """
    if server is None:
        return "without an id"
    device = server.device_id
    return server.text or "with an empty id" if device is None else device.printed


def time_words(time: Time | None) -> str:
    """A time of a meter; a seconds counter is never a date.

    >>> time_words(SecIndex(2005970)), time_words(Timestamp(1700000000)), time_words(None)
    ('second 2005970', '2023-11-14T22:13:20+00:00', 'no time')
    """
    match time:
        case None:
            return "no time"
        case SecIndex(value):
            return f"second {value}"
        case Timestamp(value) | LocalTimestamp(value):
            try:
                return time.datetime.isoformat()
            except (ValueError, OverflowError, OSError):  # beyond the year 9999
                return f"timestamp {value}"
        case _ as never:
            assert_never(never)


def moment(telegram: Telegram) -> Time | None:
    """The time to show for a telegram: its own, else the first one that an entry has."""
    return telegram.time or next((entry.time for entry in telegram.entries if entry.time is not None), None)


def status_words(status: Status) -> str:
    """What a status word says.

    >>> from e320proto import Status
    >>> status_words(Status(0x1C2904, 4))
    '001c2904: started; export on sum, L2; voltage on L1, L2, L3'
    >>> status_words(Status(0x101A2, 3))
    '0101a2: synchronous; export; bits 010100 without known meaning'
    >>> status_words(Status(0x40, 1))
    '40: of no known layout'
    """
    match status.layout:
        case StatusLayout.FNN:
            words = [text for flag, text in _FNN_WORDS.items() if status.value & flag]
            export = [phase for phase, flag in zip(_PHASES, _FNN_EXPORT, strict=True) if status.value & flag]
            voltage = [phase for phase, flag in zip(_PHASES[1:], _FNN_VOLTAGE, strict=True) if status.value & flag]
            words += [f"export on {', '.join(export)}"] if export else []
            words.append(f"voltage on {', '.join(voltage) or 'no phase'}")
        case StatusLayout.EDL:
            marker = EdlFlag.IDENTIFICATION.name or ""
            words = [name.replace("_", " ") for name in status.names if name != marker.lower()]
            if status.unnamed_bits:
                words.append(f"bits {status.unnamed_bits:0{2 * status.width}x} without known meaning")
        case StatusLayout.UNKNOWN:
            words = ["of no known layout"]
        case _ as never:
            assert_never(never)
    return f"{status.hex}: {'; '.join(words) or 'nothing set'}"


def status_bit_words(status: Status, bit: int) -> str:
    """What one bit of a status word says when it is set.

    Args:
        status: the word, for its layout.
        bit: a power of two.

    >>> from e320proto import Status
    >>> status_bit_words(Status(0x1C2904, 4), 0x800), status_bit_words(Status(0xA2, 1), 0x20)
    ('export on sum', 'export')
    >>> status_bit_words(Status(0x40, 1), 0x40)
    'bit 6'
    """
    number = f"bit {bit.bit_length() - 1}"
    match status.layout:
        case StatusLayout.FNN:
            return next((words for flag, words in _FNN_BITS.items() if flag == bit), number)
        case StatusLayout.EDL:
            return next((flag.name.lower().replace("_", " ") for flag in EdlFlag if flag == bit and flag.name), number)
        case StatusLayout.UNKNOWN:
            return number
        case _ as never:
            assert_never(never)


def octets_text(obis: ObisCode, octets: bytes) -> str:
    """Text for octets that are text by the meaning of their object, and printable; else hex.

    >>> from e320proto import ObisCode
    >>> octets_text(ObisCode.parse("1-0:96.50.1*1"), b"LGZ"), octets_text(ObisCode.parse("96.1.0"), b"LGZ")
    ('LGZ', '4c475a')
    """
    named = obis in _TEXT_OBJECTS or (obis[:2] in _CHANNELS and obis[2:5] in _FIRMWARE)
    if named and octets.isascii() and (text := octets.decode("ascii")).isprintable():
        return text
    return octets.hex()


def value_words(entry: Entry) -> str:
    """The value of an entry as sent, without its unit."""
    match value := entry.value:
        case Quantity():
            text = value.digits
        case bytes():
            text = octets_text(entry.obis, value)
        case None:
            text = "none"
        case bool():
            text = "yes" if value else "no"
        case CosemScalerUnit(scaler, unit):
            text = f"scaler {scaler}, unit {unit}"
        case TimestampedValue(sml_time=time, simple_value=inner):
            shown = inner.hex() if isinstance(inner, bytes) else getattr(inner, "value", inner)
            text = f"{shown} at {time_words(time)}"
        case _:
            text = time_words(value)
    return text
