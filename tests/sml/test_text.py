"""Text of octet strings: the codepage if it is one and fits, else ISO 8859-15; never lossy, never an error."""

from __future__ import annotations

import encodings
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import PublicOpenReq, decode_file, decode_text
from tests.sml.vectors import vector

NO_TEXT = ("base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "zip")
"""Python calls these encodings, but they make octets of octets or text of text."""


@pytest.mark.parametrize(
    ("octets", "codepage", "text"),
    [
        (b"", None, ""),
        (b"p\xe4ss", None, "päss"),
        (b"\xa4", None, "€"),
        (b"\xa4", b"", "€"),
        (b"\xa4", b"ISO 8859-15", "€"),
        (b"\xa4", b"ISO-8859-1", "¤"),
        (b"\xc3\xa4", b"UTF-8", "ä"),
        (b"\xe4", b"UTF-8", "ä"),
        (b"\xe4", b"no such codepage", "ä"),
        (b"\xe4", b"\xff\xfe", "ä"),
        (b"\xe4", b"utf-8\0", "ä"),
        (b"ab", b"ascii", "ab"),
    ],
)
def test_text(octets: bytes, codepage: bytes | None, text: str) -> None:
    assert decode_text(octets, codepage) == text


@pytest.mark.parametrize(
    "name",
    [
        *("ascii", "us-ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-16le", "koi8-r", "cp437", "cp850"),
        *("cp852", "windows-1252", *(f"cp{number}" for number in range(1250, 1259))),
        *(f"iso8859-{part}" for part in range(1, 17) if part != 12),
    ],
)
def test_codepages(name: str) -> None:
    text = "Zaehler 1"
    octets = text.encode(name)
    for spelled in (name, name.upper(), name.replace("-", "_"), name.replace("-", " "), name.replace("iso", "ISO-")):
        assert decode_text(octets, spelled.encode()) == text
    assert decode_text(b"\xe4", name.encode()) == text_or_euro(b"\xe4", name)


def text_or_euro(octets: bytes, name: str) -> str:
    try:
        return octets.decode(name)
    except UnicodeDecodeError:
        return octets.decode("iso8859-15")


@pytest.mark.parametrize("name", ["unicode_escape", "raw_unicode_escape", "utf-7", "idna", "punycode", "mbcs", "cp037"])
def test_other_encodings_of_python_are_no_codepages(name: str) -> None:
    """Some warn, some read a text that nobody sent."""
    for octets in (rb"\d \u00e4 \400", b"+AOQ-", b"xn--p1ai-"):
        assert decode_text(octets, name.encode()) == octets.decode("iso8859-15")


def test_made_up_codepages_leave_no_trace() -> None:
    before = len(encodings._cache)
    for number in range(100):
        assert decode_text(b"\xa4", b"made up %d" % number) == "€"
    assert len(encodings._cache) == before


@pytest.mark.parametrize("name", NO_TEXT)
def test_what_is_no_codepage(name: str) -> None:
    for octets in (b"616263", b"\x78\x9c\x4b\x04\x00\x00\x62\x00\x62", b"YWJj"):
        assert decode_text(octets, name.encode()) == octets.decode("iso8859-15")


@given(st.binary(max_size=20))
def test_every_octet_can_be_read(octets: bytes) -> None:
    assert decode_text(octets).encode("iso8859-15") == octets


@given(st.binary(max_size=12), st.sampled_from(sorted(set(aliases.values()))) | st.text(max_size=5))
def test_no_codepage_is_an_error(octets: bytes, name: str) -> None:
    assert isinstance(decode_text(octets, name.encode()), str)


def test_codepage_of_an_open_message() -> None:
    (message,) = decode_file(vector("ms-open-req-full").octets)
    body = message.message_body
    assert isinstance(body, PublicOpenReq)
    assert body.password is not None
    assert decode_text(body.password, body.codepage) == "päss"
