"""What stream decoders report beside the things they decode: trouble on the wire, as values.

Trouble never stops a decoder. Together with the frames, the items of a frame decoder cover every
octet of its input once, in order; a message in a frame that cannot be read is reported beside them
(``Malformed.kind`` tells).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from e320proto.errors import DecodeError

_HINT_OCTETS = 64
_HEX_OCTETS = 8  # fewer are a line end or a word by chance
_D0 = re.compile(rb"/[A-Za-z]{3}[0-9]")
_HEX_TEXT = re.compile(rb"[0-9A-Fa-f \t:\r\n]+")


@dataclass(frozen=True, slots=True)
class BytesDiscarded:
    r"""Octets outside of any frame: line noise, the tail of a frame whose start was missed.

    Args:
        offset: absolute position of the first octet since the decoder was made.
        data: the octets, at most ``noise_block`` + 7 in one item.

    >>> BytesDiscarded(0, b"/LGZ5E320-AMxD\r\n").hint
    'd0'
    """

    offset: int
    data: bytes

    @property
    def hint(self) -> str | None:
        """What the octets look like: ``"d0"`` (IEC 62056-21 text), ``"hex_text"`` (a hex dump), or ``None``."""
        head = self.data[:_HINT_OCTETS]
        if _D0.search(head):
            return "d0"
        if len(head) >= _HEX_OCTETS and _HEX_TEXT.fullmatch(head):
            return "hex_text"
        return None


@dataclass(frozen=True, slots=True)
class Malformed:
    """Octets that were recognised as a frame or a message but are not a right one.

    Args:
        offset: absolute position of the first octet since the decoder was made.
        error: what is wrong; ``error.reason`` is a stable word. For a message, ``error.offset``
            counts from the start of the payload.
        raw: the octets; of a message, as they are in the payload, without escapes.
        partial: what could be read nevertheless, if anything: for an SML message whose body does
            not fit its model, the message with an untyped body.
        kind: ``"frame"``; ``"message"`` for a message inside of a right frame; ``"text"`` for characters
            of a text dump.

    >>> from e320proto.errors import DecodeError
    >>> Malformed(4, DecodeError("bad_escape", "expected a known escape"), b"").error.reason
    'bad_escape'
    """

    offset: int
    error: DecodeError
    raw: bytes
    partial: object = None
    kind: Literal["frame", "message", "text"] = "frame"

    @property
    def hint(self) -> str | None:
        """``"seven_bit"`` when a frame with a wrong CRC holds no octet above 7F hex: set the port to 8 data bits."""
        if self.error.reason == "bad_crc" and len(self.raw) >= _HINT_OCTETS and self.raw.isascii():
            return "seven_bit"
        return None


HINTS = {
    "seven_bit": "the port reads 7 data bits; use 8N1",
    "d0": "this is IEC 62056-21 text, not SML",
    "hex_text": "this is a hex dump; decode it to octets first",
}
"""Hint to a sentence for people."""
