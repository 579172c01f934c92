"""What can be said of a line: every kind of finding, with its sentence and how it is recognised.

:mod:`e320proto.live.diagnosis` says which of them apply; the table in ``docs/diagnosis.md`` is made of this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(Enum):
    """How bad a finding is."""

    FAULT = "fault"
    """No telegrams arrive, or none that tell of now."""
    WARNING = "warning"
    """Telegrams arrive, but some are lost or doubtful."""
    NOTE = "note"
    """Nothing is wrong; good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is to be said of a line.

    Args:
        word: stable name for programs, such as ``"seven_bit"``; one of :data:`KINDS`.
        text: one sentence for people: what is seen, and what to do.
        severity: how bad it is.
    """

    word: str
    text: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    Args:
        severity: how bad it is.
        seen: what is seen; names in braces stand for facts.
        remedy: what to do.
        recognised: how it is recognised.
    """

    severity: Severity
    seen: str
    remedy: str
    recognised: str


_FAULT, _WARNING, _NOTE = Severity.FAULT, Severity.WARNING, Severity.NOTE
_SETTING: Final = "set the port to 9600 baud, 8 data bits, no parity, 1 stop bit"

KINDS: Final[Mapping[str, Kind]] = {
    # the line
    "ended": Kind(_NOTE, "the line is at its end", "nothing more comes", "a recording was replayed to its end"),
    "no_device": Kind(
        _FAULT, "there is no such device ({error})", "plug it in, or name another one", "errors ENOENT, ENODEV, ENXIO"
    ),
    "no_permission": Kind(
        _FAULT,
        "this user may not open the device ({error})",
        "join the group that owns it, and log in again",
        "errors EACCES, EPERM",
    ),
    "in_use": Kind(_FAULT, "another program uses the device ({error})", "stop one of the two", "errors EBUSY, EAGAIN"),
    "unreachable": Kind(
        _FAULT,
        "the other end does not answer ({error})",
        "look at its address, its port and the network",
        "errors ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, an unknown host",
    ),
    "refused": Kind(
        _FAULT, "the line cannot be opened ({error})", "see what the error says", "any other error of opening"
    ),
    "lost": Kind(
        _FAULT, "the line was lost ({error})", "look at plug and cable", "it was open, and was not opened again yet"
    ),
    "held": Kind(
        _WARNING,
        "nothing was read for {held_s:.1f} s because telegrams are taken too slowly",
        "make what takes them faster",
        "the queue of a consumer is full, and the reader has waited half a second for it",
    ),
    "silent": Kind(
        _FAULT,
        "no light for {silent_s:.0f} s",
        "put the head on the INFO port, cable downwards, and see whether the meter has power",
        "no octet for 8 s, or for three times the usual time between telegrams",
    ),
    "never_heard": Kind(
        _FAULT,
        "no light since the start, {silent_s:.0f} s ago",
        "put the head on the INFO port, cable downwards, and see whether this is the right port",
        "the same, and no octet was ever heard",
    ),
    # octets, but no telegrams
    "zeros": Kind(
        _FAULT,
        "only octets 00 arrive",
        "keep daylight and lamps from the head; or the port is set much too fast, then set 9600 baud",
        "95 % of the octets are 00",
    ),
    "ones": Kind(
        _FAULT,
        "only octets FF arrive",
        "keep flickering light from the head, and look at its plug",
        "95 % of the octets are FF",
    ),
    "seven_bit": Kind(
        _FAULT,
        "bytes arrive, but bit 7 is always 0",
        "set 8 data bits",
        "a telegram begins, and no octet is above 7F",
    ),
    "slow_sender": Kind(
        _FAULT,
        "bytes arrive, but their bits are several times as long as those of the port",
        "set a lower rate: 9600 baud",
        "bits come in pairs: 95 % of the octets are 16 of the 256",
    ),
    "fast_sender": Kind(
        _FAULT,
        "bytes arrive, but their bits are half as long as those of the port",
        "set a higher rate: 9600 baud",
        "the start of a telegram, as a port sees it at half the rate",
    ),
    "parity": Kind(
        _FAULT,
        "bytes arrive, but the port waits for a parity bit that is not sent",
        "set no parity",
        "the start of a telegram, as a port sees it that expects parity",
    ),
    "inverted": Kind(
        _FAULT,
        "bytes arrive, but light and dark are exchanged",
        "invert the signal of the head, or use another input",
        "the start of a telegram, as a port sees it with every bit inverted",
    ),
    "d0": Kind(
        _FAULT,
        "D0 ASCII, not SML",
        "this meter speaks IEC 62056-21; use a reader for that",
        "text with an identification (/ABC5...) or data lines",
    ),
    "p1": Kind(
        _FAULT,
        "DSMR P1 text, not SML",
        "this is the P1 port of a Dutch or Belgian meter; use a reader for that",
        "text with ! and a checksum, or with 1-3:0.2.8",
    ),
    "hex_text": Kind(
        _FAULT,
        "hex digits arrive in place of octets",
        "set the sender to raw or binary",
        "only hex digits, blanks and line ends",
    ),
    "text": Kind(
        _FAULT,
        "text arrives, not SML",
        "see whether this is the right port; it may be a console or a web server",
        "95 % of the octets are printable",
    ),
    "hdlc": Kind(
        _FAULT,
        "HDLC frames arrive, not SML telegrams",
        "this is a DLMS port or the LMN bus, not the INFO port",
        "a frame between two 7E with a right checksum",
    ),
    "telnet": Kind(
        _FAULT,
        "each octet FF arrives twice",
        "switch telnet off in the serial server: raw mode",
        "telegrams are right if each FF FF is one FF",
    ),
    "version_2": Kind(
        _FAULT,
        "telegrams of SML transport version 2 arrive, which cannot be read",
        "look for another setting of the meter",
        "starts of version 2, and no telegram of version 1",
    ),
    "garbage": Kind(
        _FAULT,
        "bytes arrive, but there is no telegram in them",
        f"{_SETTING}, and keep other light from the head",
        "no telegram for 15 s and no start of one in the octets",
    ),
    "none_whole": Kind(
        _FAULT,
        "telegrams arrive, but none of them is whole ({reasons} in {recent_s:.0f} s)",
        f"put the head on anew, keep other light away, and {_SETTING}",
        "damaged telegrams, and no right one for 15 s",
    ),
    "echo": Kind(
        _WARNING,
        "echo of own bytes",
        "switch the echo of the head off, or shield its receiver from its sender",
        "octets come back within 5 s after they were sent",
    ),
    # telegrams
    "frozen": Kind(
        _FAULT,
        "the same telegram comes again and again, its seconds counter stands still",
        "start the adapter or the meter anew",
        "5 times in a minute the octets of the one before, with a time in them",
    ),
    "two_meters": Kind(
        _WARNING,
        "telegrams of two meters come in turns ({meters})",
        "read each meter with a head of its own",
        "the server id changes, and changes back, within a minute",
    ),
    "cut": Kind(
        _WARNING,
        "octets are lost: {bad} of {all} telegrams in {recent_s:.0f} s ({reasons})",
        "look at cable, USB hub and Wi-Fi bridge, and at the load of this machine",
        "as damaged, and most of them are shorter than the whole one before",
    ),
    "damaged": Kind(
        _WARNING,
        "octets are changed: {bad} of {all} telegrams in {recent_s:.0f} s ({reasons})",
        "put the head on anew, and keep other light away",
        "two damaged telegrams in a minute, and one of 50",
    ),
    "unreadable": Kind(
        _WARNING,
        "telegrams are whole, but messages in them cannot be read ({reasons})",
        "keep a recording and report it",
        "messages that cannot be read in telegrams whose checksum is right",
    ),
    "dropped": Kind(
        _WARNING,
        "{dropped} telegrams were dropped in {recent_s:.0f} s because they were taken too slowly",
        "make what takes them faster, or its queue longer",
        "the queue of a consumer was full",
    ),
    "lost_often": Kind(
        _WARNING,
        "the line was lost {losses_hour} times in the last hour",
        "look at plug and cable, and switch off power saving of USB",
        "three losses or more, those of a silent line not counted",
    ),
    "reduced": Kind(
        _NOTE,
        "only the reduced data set",
        "enter the PIN or switch InF on",
        "all energies are in whole kWh: no scaler is below 0",
    ),
    "rare": Kind(
        _NOTE,
        "a telegram comes each {interval_s:.0f} s only",
        "some meters are so",
        "more than 5 s between telegrams, in the mean",
    ),
    "noise": Kind(
        _NOTE,
        "{discarded} octets in {recent_s:.0f} s were outside of telegrams",
        "keep other light from the head",
        "1024 octets or more in a minute, and a tenth of all",
    ),
}
"""All kinds of findings by their words."""


def found(word: str, **facts: object) -> Finding:
    """Make a finding of a kind.

    >>> found("lost_often", losses_hour=5).text
    'the line was lost 5 times in the last hour: look at plug and cable, and switch off power saving of USB'
    """
    kind = KINDS[word]
    text = f"{kind.seen.format(**facts)}: {kind.remedy}"
    return Finding(word, " ".join(text.split()), kind.severity)
