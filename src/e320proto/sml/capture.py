"""Captures: files of octets from an optical head, as they came or as a text dump.

A text dump is recognised by its first octets: hex digits with blanks, colons, commas or line ends
between them, or base64 of a stream that holds a transport frame. Offsets of events count octets of
the stream, not characters of the dump.
"""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from e320proto.errors import DecodeError
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.telegram import TelegramDecoder
from e320proto.sml.transport import ESCAPE

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from e320proto.sml.telegram import TelegramEvent

BLOCK = 65_536
_HEX = re.compile(rb"(?:0[xX])?[0-9A-Fa-f]{2}[0-9A-Fa-fxX\s:,;-]*")
_HEX_SEPARATORS = re.compile(rb"0[xX]|[\s:,;-]+")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_SPACE = re.compile(rb"\s+")


def read_capture(
    source: str | os.PathLike[str] | IO[bytes], options: DecodeOptions = DEFAULT_OPTIONS
) -> Iterator[TelegramEvent]:
    """Decode a capture of any size, piece by piece.

    Args:
        source: path of a file, or a binary file that is open for reading; it is read to its end and
            left open.
        options: as for :class:`TelegramDecoder`.

    Yields:
        :class:`Telegram`, :class:`BytesDiscarded` and :class:`Malformed` in the order of the stream.

    Raises:
        OSError: the file cannot be read.
        DecodeError: ``hex_text`` or ``base64_text``, a text dump with something else in it; ``offset``
            counts its characters. What came before has been yielded then.

    >>> import io
    >>> [event.offset for event in read_capture(io.BytesIO(b"1b1b1b1b 01010101 1b1b1b1b 1a00c6e5"))]
    [0]
    """
    decoder = TelegramDecoder(options)
    opened = (
        Path(source).open("rb") if isinstance(source, str) or hasattr(source, "__fspath__") else nullcontext(source)
    )
    with opened as file:
        for octets in read_octets(file):
            yield from decoder.feed(octets)
    yield from decoder.close()


def read_octets(file: IO[bytes]) -> Iterator[bytes]:
    """The octets of a capture in blocks, whether it is binary, hex text or base64.

    Raises:
        DecodeError: as :func:`read_capture`.
    """
    blocks = iter(lambda: file.read(BLOCK), b"")
    first = next(blocks, b"")
    form = text_form(first)
    blocks = _chain(first, blocks)
    if form == "hex":
        return _from_hex(blocks)
    if form == "base64":
        return _from_base64(blocks)
    return blocks


def text_form(head: bytes) -> str | None:
    """Tell ``"hex"`` and ``"base64"`` dumps from binary captures (``None``) by their first octets.

    >>> text_form(b"1b 1b 1b 1b 01"), text_form(b"GxsbGwEBAQE="), text_form(b"/LGZ5E320")
    ('hex', 'base64', None)
    """
    if _HEX.fullmatch(head.strip()):
        return "hex"
    if _BASE64.fullmatch(head):
        text = _SPACE.sub(b"", head)
        if ESCAPE in base64.b64decode(text[: len(text) // 4 * 4]):
            return "base64"
    return None


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _from_hex(blocks: Iterator[bytes]) -> Iterator[bytes]:
    kept, position = b"", 0
    for block in blocks:
        text = kept + block
        # A digit pair, or 0x, may be cut by the end of the block.
        digits = _HEX_SEPARATORS.sub(b"", text)
        wrong = _NOT_HEX.search(digits)
        if wrong:
            at = text.index(wrong[0])
            if digits[: wrong.start()]:
                yield bytes.fromhex(digits[: wrong.start() // 2 * 2].decode())
            found = text[at : at + 16]
            raise DecodeError("hex_text", f"expected hex digits, found {found!r}", offset=position + at - len(kept))
        even = len(digits) // 2 * 2
        yield bytes.fromhex(digits[:even].decode())
        kept = digits[even:]
        position += len(block)


def _from_base64(blocks: Iterator[bytes]) -> Iterator[bytes]:
    kept, position = b"", 0
    for block in blocks:
        text = kept + _SPACE.sub(b"", block)
        whole = len(text) // 4 * 4
        try:
            yield base64.b64decode(text[:whole], validate=True)
        except binascii.Error as error:
            raise DecodeError("base64_text", f"expected base64, found {error}", offset=position) from error
        kept = text[whole:]
        position += len(block)
