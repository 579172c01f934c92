"""Captures: files of octets from an optical head, as they came or as a text dump.

A text dump is recognised by its first octets: hex digits with blanks, colons, commas or line ends
between them, or base64 of a stream that holds a transport frame. Offsets of events count octets of
the stream, not characters of the dump.

A token, that is digits without a gap between them, normally makes whole octets. Two neighbours that
both do not were cut from each other by a line end, and are joined. One alone lost a digit: what is
left over at its end is reported, and reading starts anew behind the gap.
"""

from __future__ import annotations

import base64
import io
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
# A digit may be missing in the first octet, too.
_HEX_DUMP = re.compile(rb"(?:0[xX])?[0-9A-Fa-f][\s:,;-]*[0-9A-Fa-f][0-9A-Fa-fxX\s:,;-]*")
_BASE64_DUMP = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}[A-Za-z0-9+/=\s]*")
_UNIT = {"hex": 2, "base64": 4}  # characters that make whole octets
_LONGEST = 4096  # characters that wait for what comes behind them
_PIECES = {
    # Possessive (++): a long run would leave a way back for each of its units.
    "hex": re.compile(
        rb"(?P<gap>0[xX]|[\s:,;-]+)|(?P<whole>(?:[0-9A-Fa-f]{2})++)|(?P<part>[0-9A-Fa-f])"
        rb"|(?P<odd>[^0-9A-Fa-f\s:,;-]{1,%d})" % _LONGEST
    ),
    "base64": re.compile(
        rb"(?P<gap>\s+)|(?P<whole>(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)++)"
        rb"|(?P<part>[A-Za-z0-9+/]{1,3}=?|=)|(?P<odd>[^A-Za-z0-9+/=\s]{1,%d})" % _LONGEST
    ),
}
_WANTED = {"hex": "octets of two hex digits", "base64": "groups of four base64 digits"}
_PADDED = re.compile(rb"[^=]+=*")
_WITHOUT_PADDING = re.compile(rb"[^=]{2,3}")  # the end of base64: one or two octets


def read_capture(
    source: str | os.PathLike[str] | IO[bytes], options: DecodeOptions = DEFAULT_OPTIONS
) -> Iterator[TelegramEvent]:
    """Decode a capture of any size, piece by piece.

    Nothing is opened or read before the first event is asked for: a file that is missing raises at
    the first ``next()``.

    Args:
        source: path of a file, or a binary file that is open for reading; it is read to its end and
            left open.
        options: as for :class:`TelegramDecoder`.

    Returns:
        :class:`Telegram`, :class:`BytesDiscarded` and :class:`Malformed` in the order of the stream.
        Characters of a text dump that make no octets are a :class:`Malformed` too (``hex_text``,
        ``base64_text``; its ``error.offset`` counts characters): what is neither hex nor base64, and
        what is left over where a digit is missing. They cost the telegram they stand in, no other.

    Raises:
        TypeError: the source is neither a path nor a binary file, at once.
        OSError: the file cannot be read, from the iterator.

    >>> import io
    >>> [event.offset for event in read_capture(io.BytesIO(b"1b1b1b1b 01010101 1b1b1b1b 1a00c6e5"))]
    [0]
    """
    readable = hasattr(source, "read") and not isinstance(source, io.TextIOBase)
    if not readable and not isinstance(source, str | os.PathLike):
        message = f"expected a path or a binary file that is open for reading, found {type(source).__name__}"
        raise TypeError(message)
    return _events(source, options)


def _events(source: str | os.PathLike[str] | IO[bytes], options: DecodeOptions) -> Iterator[TelegramEvent]:
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield from _events(file, options)
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
    while len(first) < _enough(first) and (more := read(BLOCK)):
        first += more
    form = text_form(first)
    blocks = _blocks(first if form is None else first.removeprefix(_BOM), read)
    if form is None:
        yield from blocks
    else:
        reader = _TextReader(form)
        for block in blocks:
            yield from reader.feed(block)
        yield from reader.close()


def _enough(first: bytes) -> int:
    """Octets that have to be there before the form is told."""
    undecided = len(first) < _HEAD or (_is_text(first.removeprefix(_BOM)) and text_form(first) is None)
    return _TEXT_HEAD if undecided and ESCAPE not in first else _HEAD


def text_form(head: bytes) -> str | None:
    """Tell ``"hex"`` and ``"base64"`` dumps from binary captures (``None``) by their first octets.

    >>> text_form(b"1b 1b 1b 1b 01"), text_form(b"GxsbGwEBAQE="), text_form(b"/LGZ5E320")
    ('hex', 'base64', None)
    """
    head = head.removeprefix(_BOM)
    if not _is_text(head) or ESCAPE in head:  # noise may look like text, a dump never holds an escape
        return None
    if _HEX_DUMP.fullmatch(head[:_HEAD].strip()):
        return "hex"
    if _BASE64_DUMP.fullmatch(head[:_HEAD]):
        text = _NOT_BASE64.sub(b"", head)
        # One digit missing near the start shifts all that follows.
        if any(ESCAPE in _octets(text[shift : shift + (len(text) - shift) // 4 * 4], "base64") for shift in range(4)):
            return "base64"
    return None


def _is_text(head: bytes) -> bool:
    return not head[:_HEAD].translate(None, string.printable.encode())


def _blocks(first: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
    block = first
    while block:
        yield block
        block = read(BLOCK)


class _TextReader:
    """Octets of a text dump, block by block; what makes none is reported, and reading goes on behind it."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._kept = b""  # characters at the end of a block that may belong to what comes next
        self._characters = 0  # of the dump, in front of the kept ones
        self._part = b""  # end of a token that is not whole octets: joined with the next token, or given up
        self._part_at = 0
        self._behind = b""  # digits of the next token while it may still show that it is not whole either
        self._digits: list[bytes] = []
        self._octets = 0
        self._ready: list[bytes | Malformed] = []

    def feed(self, block: bytes, *, last: bool = False) -> list[bytes | Malformed]:
        """Take characters in; give the octets they complete, and what is wrong between them."""
        text, self._kept = self._kept + block, b""
        for match in _PIECES[self._form].finditer(text):
            kind, found = match.lastgroup, match[0]
            at = self._characters + match.start()
            if kind == "whole":
                self._whole(found)
            elif kind == "gap":
                if self._behind:
                    self._give_up()
            elif match.end() == len(text) and len(found) < _LONGEST and not last:
                self._kept = found
            elif kind == "part":
                self._join(found, at)
            else:
                self._give_up()
                self._report(found, at, f"{self._form} digits")
        self._characters += len(text) - len(self._kept)
        return self._taken()

    def close(self) -> list[bytes | Malformed]:
        """End of the dump: nothing comes that could be joined."""
        items = self.feed(b"", last=True)
        if self._form == "base64" and not self._behind and _WITHOUT_PADDING.fullmatch(self._part):
            self._digits.append(self._part.ljust(_UNIT["base64"], b"="))
        else:
            self._give_up()
        return items + self._taken()

    def _whole(self, digits: bytes) -> None:
        if not self._part:
            self._digits.append(digits)
            return
        self._behind += digits
        if len(self._behind) > _LONGEST:  # no line of a dump is that long
            self._give_up()

    def _join(self, part: bytes, at: int) -> None:
        """A token ends in a part of octets: join it with the part before, if there is one."""
        joined = self._part + self._behind + part
        match = _PIECES[self._form].match(joined)
        size = match.end() if match and match.lastgroup == "whole" else 0
        if len(joined) - size < _UNIT[self._form]:
            self._digits.append(joined[:size])
            self._part = joined[size:]
        else:  # padding inside of what would be joined
            self._give_up()
            self._part = part
        self._part_at, self._behind = at, b""

    def _give_up(self) -> None:
        """Report the part that has nothing to be joined with; what came behind it is good."""
        if self._part:
            self._report(self._part, self._part_at, _WANTED[self._form])
        self._digits.append(self._behind)
        self._part = self._behind = b""

    def _report(self, found: bytes, at: int, wanted: str) -> None:
        self._decode()
        error = DecodeError(f"{self._form}_text", f"expected {wanted}, found {found[:16]!r}", offset=at)
        self._ready.append(Malformed(self._octets, error, found, kind="text"))

    def _decode(self) -> None:
        octets = _octets(b"".join(self._digits), self._form)
        self._digits.clear()
        if octets:
            self._ready.append(octets)
            self._octets += len(octets)

    def _taken(self) -> list[bytes | Malformed]:
        self._decode()
        items, self._ready = self._ready, []
        return items


def _octets(digits: bytes, form: str) -> bytes:
    """Octets of whole units; base64 may be padded anywhere."""
    if form == "hex":
        return bytes.fromhex(digits.decode())
    return b"".join(base64.b64decode(piece) for piece in _PADDED.findall(digits))
