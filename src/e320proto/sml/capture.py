"""Captures: files of octets from an optical head, as they came or as a text dump.

A text dump is recognised by its first octets: hex digits with blanks, colons, commas or line ends
between them, or base64 of a stream that holds a transport frame. Offsets of events count octets of
the stream, not characters of the dump.
"""

from __future__ import annotations

import base64
import os
import re
import string
from pathlib import Path
from typing import IO, TYPE_CHECKING

from e320proto.errors import DecodeError
from e320proto.events import Malformed
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.telegram import TelegramDecoder
from e320proto.sml.transport import ESCAPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e320proto.sml.telegram import TelegramEvent

BLOCK = 65_536
_HEAD = 64  # octets that tell text from binary
_TEXT_HEAD = 8192  # octets of text that tell base64 of a stream from any other
_BOM = b"\xef\xbb\xbf"
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_HEX_DUMP = re.compile(rb"(?:0[xX])?[0-9A-Fa-f]{2}[0-9A-Fa-fxX\s:,;-]*")
_HEX_TOKEN = re.compile(rb"(?P<gap>0[xX]|[\s:,;-]+)|(?P<digits>[0-9A-Fa-f]+)|(?P<odd>[^0-9A-Fa-f\s:,;-]+)")
_BASE64_DUMP = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}[A-Za-z0-9+/=\s]*")
_BASE64_TOKEN = re.compile(rb"(?P<gap>\s+)|(?P<digits>[A-Za-z0-9+/]+)|(?P<end>=+)|(?P<odd>[^A-Za-z0-9+/=\s]+)")
_QUANTUM = 4  # base64 characters that make whole octets


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
        What is neither hex nor base64 in a text dump is a :class:`Malformed` too (``hex_text``,
        ``base64_text``; its ``error.offset`` counts characters) and costs nothing around it.

    Raises:
        OSError: the file cannot be read.

    >>> import io
    >>> [event.offset for event in read_capture(io.BytesIO(b"1b1b1b1b 01010101 1b1b1b1b 1a00c6e5"))]
    [0]
    """
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield from read_capture(file, options)
        return
    decoder = TelegramDecoder(options)
    for item in read_octets(source):
        if isinstance(item, Malformed):
            yield item
        else:
            yield from decoder.feed(item)
    yield from decoder.close()


def read_octets(file: IO[bytes]) -> Iterator[bytes | Malformed]:
    """The octets of a capture in blocks, whether it is binary, hex text or base64."""
    # What a pipe or a port has is taken at once; only what tells a text dump is waited for.
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    first = b""
    while len(first) < (_TEXT_HEAD if _is_text(first.removeprefix(_BOM)) else _HEAD) and (more := read(BLOCK)):
        first += more
    form = text_form(first)
    blocks = _blocks(first if form is None else first.removeprefix(_BOM), read)
    if form is None:
        yield from blocks
    else:
        yield from _from_text(blocks, form)


def text_form(head: bytes) -> str | None:
    """Tell ``"hex"`` and ``"base64"`` dumps from binary captures (``None``) by their first octets.

    >>> text_form(b"1b 1b 1b 1b 01"), text_form(b"GxsbGwEBAQE="), text_form(b"/LGZ5E320")
    ('hex', 'base64', None)
    """
    head = head.removeprefix(_BOM)
    if not _is_text(head):
        return None
    if _HEX_DUMP.fullmatch(head[:_HEAD].strip()):
        return "hex"
    if _BASE64_DUMP.fullmatch(head[:_HEAD]):
        text = _NOT_BASE64.sub(b"", head)
        if ESCAPE in base64.b64decode(text[: len(text) // _QUANTUM * _QUANTUM]):
            return "base64"
    return None


def _is_text(head: bytes) -> bool:
    return not head[:_HEAD].translate(None, string.printable.encode())


def _blocks(first: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
    block = first
    while block:
        yield block
        block = read(BLOCK)


def _from_text(blocks: Iterator[bytes], form: str) -> Iterator[bytes | Malformed]:
    """Octets of a text dump; what does not belong there is reported, and reading goes on behind it."""
    token = _HEX_TOKEN if form == "hex" else _BASE64_TOKEN
    step = 2 if form == "hex" else _QUANTUM
    kept, characters, octets = b"", 0, 0
    for block in _with_prefixes(blocks):
        ready: list[bytes | Malformed] = []
        for match in token.finditer(block):
            if match.lastgroup == "digits":
                digits = kept + match[0]
                whole = len(digits) // step * step
                ready.append(_decode(digits[:whole], form))
                kept = digits[whole:]
            elif match.lastgroup == "end":
                ready.append(_decode(kept, form))
                kept = b""
            elif match.lastgroup == "odd":
                at = characters + match.start()
                error = DecodeError(f"{form}_text", f"expected {form} digits, found {match[0][:16]!r}", offset=at)
                offset = octets + sum(len(part) for part in ready if isinstance(part, bytes))
                ready.append(Malformed(offset, error, match[0], kind="text"))
                kept = b""
        for item in ready:
            octets += len(item) if isinstance(item, bytes) else 0
            yield item
        characters += len(block)
    if form == "base64":
        yield _decode(kept, form)


def _with_prefixes(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in blocks that do not end between the two characters of ``0x``."""
    kept = b""
    for block in blocks:
        text = kept + block
        kept = b"0" if text.endswith(b"0") else b""
        yield text.removesuffix(kept)
    yield kept


def _decode(text: bytes, form: str) -> bytes:
    """Octets of whole digits; of base64 also of a last group of 2 or 3 characters."""
    if form == "hex":
        return bytes.fromhex(text.decode())
    return base64.b64decode(text + b"==") if len(text) % _QUANTUM != 1 else b""
