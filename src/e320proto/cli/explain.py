"""What an OBIS code or the id of a meter says, as lines of a label and a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from e320proto.errors import DecodeError, E320Error
from e320proto.identity import DeviceId, Edition, ServerId
from e320proto.obis import ObisCode
from e320proto.units import unit

if TYPE_CHECKING:
    from collections.abc import Iterator

_GRADES = {
    "MAN": "the manual of the E320",
    "OBS": "seen in real telegrams or in public device software",
    "FNN": "manuals of sibling FNN base meters agree",
    "GEN": "general knowledge of the standard, not verified on a meter",
}
_QUANTITIES = {
    0: "general",
    1: "active, import",
    2: "active, export",
    16: "active, balance",
    96: "service",
    97: "errors",
    98: "lists",
    99: "profiles",
}
_GROUPS: tuple[tuple[str, str, dict[int, str]], ...] = (
    ("A", "medium", {0: "abstract", 1: "electricity", 6: "heat", 7: "gas", 8: "cold water", 9: "hot water"}),
    ("B", "channel", {0: "none"}),
    ("C", "quantity", _QUANTITIES),
    ("D", "processing", {6: "maximum", 7: "instantaneous", 8: "meter reading"}),
    ("E", "tariff or detail", {0: "total"}),
    ("F", "storage", {255: "current value"}),
)
_MBUS_MEDIA = {2: "electricity", 3: "gas", 4: "heat", 6: "warm water", 7: "water", 8: "heat cost allocator"}
_SPACED = " :-"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Lines of a label and a text, and whether it could be explained at all."""

    lines: tuple[tuple[str, str], ...]
    known: bool = True

    def table(self) -> Table:
        """The lines in two columns."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, text in self.lines:
            table.add_row(label, Text(text))
        return table


def explain_obis(text: str) -> Explanation:
    """Explain an OBIS code in any written form.

    Raises:
        DecodeError: the text is no OBIS code.
    """
    code, marked = ObisCode.parse_marked(text.strip())
    return Explanation(tuple(_obis_lines(code, reset_by_hand=marked)))


def _obis_lines(code: ObisCode, *, reset_by_hand: bool) -> Iterator[tuple[str, str]]:
    yield "OBIS", str(code)
    unknown = "manufacturer-specific, not known here" if code.manufacturer_specific else "not known here"
    yield "English", code.name_en or unknown
    yield "German", code.name_de or unknown
    yield "short", code.short
    yield "on a display", code.display
    yield "octets", code.hex(" ")
    if code.unit_code is not None:
        expected = unit(code.unit_code)
        yield "unit", f"{expected}, {expected.quantity}" if str(expected) else "none, it is a count"
    elif code.grade is not None:
        yield "unit", "none"
    if code.grade is not None:
        yield "known from", f"{_GRADES[code.grade]} ({code.grade})"
    for value, (letter, meaning, words) in zip(code, _GROUPS, strict=True):
        word = words.get(value)
        yield f"group {letter}", f"{value:<3}  {meaning}{f': {word}' if word else ''}"
    if reset_by_hand:
        yield "mark &", "the value was stored by a reset by hand"


def explain_id(text: str) -> Explanation:
    """Explain a device id as printed, or a server id in hex.

    Raises:
        DecodeError: the text is neither; octets that are of no known form are explained as such.
    """
    try:
        server = ServerId.parse(text, allow_reserved=True)
    except E320Error as error:
        digits = "".join(character for character in text if character not in _SPACED)
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            raise DecodeError("server_id", str(error)) from error
        lines = (("server id", raw.hex()), ("form", f"none that is known: {error}"))
        return Explanation(lines, known=False)
    return Explanation((*_id_lines(server), *_older_edition(text)))


def _id_lines(server: ServerId) -> Iterator[tuple[str, str]]:
    device = server.device_id
    if device is not None:
        yield "device id", str(device)
        yield "printed", device.printed
    elif server.text != server.hex:
        yield "text", server.text
    yield "server id", server.hex
    yield "form", server.form.value
    if server.flag is not None:
        yield "manufacturer", f"{server.flag}, {server.manufacturer or 'not known here'}"
    if device is not None:
        yield "medium", f"{device.medium}, {device.medium_name}"
        if device.year is not None:
            yield "year", f"{device.year:02d}"
        yield "block", f"{device.block:02X} hex" if device.edition is Edition.DIN_2010_07 else f"{device.block:02d}"
    if server.number is not None:
        yield "number", f"{server.number:08d}"
    if server.mbus_medium is not None:
        yield "medium", f"{server.mbus_medium}, {_MBUS_MEDIA.get(server.mbus_medium, 'not known here')} (M-Bus)"
        yield "version", str(server.version)


def _older_edition(text: str) -> Iterator[tuple[str, str]]:
    """The octets of a printed device id after the edition of July 2010, which nobody can tell from that of 2012."""
    try:
        if DeviceId.parse(text, allow_reserved=True).edition is Edition.DIN_2012:
            other = DeviceId.parse(text, allow_reserved=True, edition=Edition.DIN_2010_07).server_id()
            yield "or else", f"{other.hex} if the meter is of the edition 2010-07, which is printed alike"
    except E320Error:
        return
