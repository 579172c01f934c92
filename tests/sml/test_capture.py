"""Captures: octets as they came, hex and base64 dumps in any spelling, in pieces of any size."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from threading import Thread

import pytest

from e320proto import BytesDiscarded, DecodeOptions, Malformed, Telegram, TelegramDecoder, read_capture
from e320proto.sml import capture
from e320proto.sml.capture import read_octets, text_form
from tests.sml.vectors import good_frames

FRAMES = good_frames()
STREAM = b"\x00\x26" + FRAMES["st-fill-0-0"] + FRAMES["st-escape-8-0"] + b"\xff" + FRAMES["st-kermit-0"]
TELEGRAMS = 3


def spaced(octets: bytes, separator: str = " ", width: int = 16) -> str:
    """A dump in lines."""
    lines = (octets[start : start + width] for start in range(0, len(octets), width))
    return "\n".join(line.hex(separator) for line in lines)


DUMPS = {
    "hex": STREAM.hex(),
    "hex capitals": STREAM.hex().upper(),
    "hex lines": spaced(STREAM),
    "hex colons": spaced(STREAM, ":"),
    "hex dashes": spaced(STREAM, "-"),
    "hex windows lines": spaced(STREAM).replace("\n", "\r\n"),
    "hex lines of odd length": "\n".join(STREAM.hex()[start : start + 33] for start in range(0, 2 * len(STREAM), 33)),
    "hex digits apart": STREAM.hex()[:2] + " ".join(STREAM.hex()[2:]),
    "hex blanks in front": "  \n\t" + spaced(STREAM) + "\n\n",
    "hex mark in front": "\ufeff" + spaced(STREAM),
    "hex 0x": " ".join(f"0x{octet:02x}" for octet in STREAM),
    "hex 0X": ",".join(f"0X{octet:02X}" for octet in STREAM),
    "hex of C": ", ".join(f"0x{octet:02x}" for octet in STREAM) + ";\n",
    "hex of one 0x": "0x" + STREAM.hex(),
    "base64": base64.b64encode(STREAM).decode(),
    "base64 lines": base64.encodebytes(STREAM).decode(),
    "base64 windows lines": base64.encodebytes(STREAM).decode().replace("\n", "\r\n"),
    "base64 short lines": "\n".join(
        base64.b64encode(STREAM).decode()[start : start + 5] for start in range(0, 4 * len(STREAM), 5)
    ).strip(),
    "base64 without padding": base64.b64encode(STREAM).decode().rstrip("="),
    "base64 mark in front": "\ufeff" + base64.encodebytes(STREAM).decode(),
}
SHORT_HEAD = 700  # characters that tell a text dump, so that the rest of these dumps comes in pieces


def events_of(octets: bytes, options: DecodeOptions | None = None) -> list[object]:
    return list(read_capture(io.BytesIO(octets), options or DecodeOptions()))


def expected(octets: bytes) -> list[object]:
    decoder = TelegramDecoder()
    return [*decoder.feed(octets), *decoder.close()]


def test_binary() -> None:
    events = events_of(STREAM)
    assert events == expected(STREAM)
    assert sum(isinstance(event, Telegram) for event in events) == TELEGRAMS


@pytest.mark.parametrize("name", DUMPS)
def test_dump(name: str) -> None:
    dump = DUMPS[name].encode()
    assert text_form(dump) == name.partition(" ")[0]
    assert events_of(dump) == expected(STREAM)
    assert b"".join(part for part in read_octets(io.BytesIO(dump)) if isinstance(part, bytes)) == STREAM


def test_base64_whose_first_frame_is_far() -> None:
    noise = b"\xff" * 2_000
    assert events_of(base64.encodebytes(noise + STREAM)) == expected(noise + STREAM)


class Pieces(io.RawIOBase):
    """A file that gives a few octets at a time, as a pipe does."""

    def __init__(self, octets: bytes, size: int) -> None:
        super().__init__()
        self.octets = octets
        self.size = size

    def read(self, count: int = -1) -> bytes:
        taken, self.octets = self.octets[: min(self.size, count)], self.octets[min(self.size, count) :]
        return taken


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 16, 63, 64, 65, 1000])
@pytest.mark.parametrize("name", ["binary", *DUMPS])
def test_pieces_of_any_size(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "_TEXT_HEAD", SHORT_HEAD)
    dump = DUMPS[name].encode() if name in DUMPS else STREAM
    assert list(read_capture(Pieces(dump, size))) == events_of(dump)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", [1, 2, 3, 5, 64, 100])
@pytest.mark.parametrize("name", ["binary", *DUMPS])
def test_blocks_of_any_size(name: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = DUMPS[name].encode() if name in DUMPS else STREAM
    whole = events_of(dump)
    monkeypatch.setattr(capture, "BLOCK", block)
    monkeypatch.setattr(capture, "_TEXT_HEAD", SHORT_HEAD)
    assert events_of(dump) == whole


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"", None),
        (b" \n\t ", None),
        (b"1b1b1b1b01010101", "hex"),
        (b"0x1b, 0x1b", "hex"),
        (b"1b", "hex"),
        (b"1", None),
        (b"x1b1b", None),
        (b"/LGZ5E320-AMxD\r\n", None),
        (b"no dump at all", None),
        (b"GxsbGwEBAQE", "base64"),
        (b"GxsbGwEBAQE=", "base64"),
        (b"Zm9vYmFyZm9vYmFy", None),
        (b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", None),
        (b"12\x1b\x1b\x1b\x1b\x01\x01\x01\x01", None),
        (b"12 34\x00", None),
    ],
)
def test_form_is_told_by_the_first_octets(head: bytes, form: str | None) -> None:
    assert text_form(head) == form


def test_empty_capture() -> None:
    assert events_of(b"") == []
    assert events_of(b" ") == [BytesDiscarded(0, b" ")]


def test_junk_in_a_hex_dump() -> None:
    first, second = FRAMES["st-fill-0-0"], FRAMES["st-fill-1-0"]
    dump = f"{spaced(first)}\n-- zzz --\n{spaced(second)}\n".encode()
    events = events_of(dump)
    assert [type(event) for event in events] in ([Telegram, Malformed, Telegram], [Malformed, Telegram, Telegram])
    (junk,) = (event for event in events if isinstance(event, Malformed))
    assert (junk.kind, junk.raw, junk.offset) == ("text", b"zzz", len(first))
    assert (junk.error.reason, junk.error.offset) == ("hex_text", dump.index(b"zzz"))
    assert str(junk.error) == f"expected hex digits, found b'zzz', at offset {dump.index(b'zzz')}"


def test_junk_in_a_later_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is told in characters of the whole dump."""
    monkeypatch.setattr(capture, "_TEXT_HEAD", SHORT_HEAD)
    dump = f"{spaced(STREAM)}\nzzz\n{spaced(STREAM)}\n".encode()
    at = dump.index(b"zzz")
    for size in (SHORT_HEAD, at - 1, at):
        (junk,) = (item for item in read_octets(Pieces(dump, size)) if isinstance(item, Malformed))  # type: ignore[arg-type]
        assert (junk.raw, junk.offset, junk.error.offset) == (b"zzz", len(STREAM), at)


def test_junk_in_a_base64_dump() -> None:
    first, second = FRAMES["st-fill-0-0"], FRAMES["st-fill-1-0"]
    dump = base64.encodebytes(first) + b"---\n" + base64.encodebytes(second)
    events = events_of(dump)
    assert [event.payload for event in events if isinstance(event, Telegram)] == [
        event.payload for event in events_of(first + second) if isinstance(event, Telegram)
    ]
    (junk,) = (event for event in events if isinstance(event, Malformed))
    assert (junk.kind, junk.raw, junk.offset, junk.error.reason) == ("text", b"---", len(first), "base64_text")


def test_half_an_octet_before_junk_is_dropped() -> None:
    """What is left of it cannot be joined with anything behind."""
    frame = FRAMES["st-fill-0-0"]
    noise = b"noise" * 10
    events = events_of(f"{spaced(noise)} 7 ! {spaced(frame)}".encode())
    assert sum(isinstance(event, Telegram) for event in events) == 1
    assert BytesDiscarded(0, noise) in events


def test_several_base64_pieces_with_padding() -> None:
    frames = [frame[:-1] + b"\0" * number + frame[-1:] for number, frame in enumerate(FRAMES.values())]
    dump = b"\n".join(base64.b64encode(frame) for frame in frames)
    assert events_of(dump) == expected(b"".join(frames))


def test_base64_that_breaks_off() -> None:
    """Two or three characters of the last four still hold one or two octets; one character holds none."""
    dump = base64.b64encode(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01abc")
    for characters, octets in ((12, 9), (13, 9), (14, 10), (15, 11)):
        (event,) = events_of(dump[:characters])
        assert isinstance(event, Malformed)
        assert event.raw == b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01abc"[:octets]


def test_offsets_count_octets_of_the_stream() -> None:
    events = events_of(DUMPS["hex of C"].encode())
    assert [getattr(event, "offset", None) for event in events] == [
        getattr(event, "offset", None) for event in expected(STREAM)
    ]


def test_options_are_used() -> None:
    (telegram,) = (event for event in events_of(FRAMES["st-kermit-0"]) if isinstance(event, Telegram))
    assert telegram.notes == ("kermit",)
    (trouble,) = events_of(FRAMES["st-kermit-0"], DecodeOptions(frame_crc_kind="x25"))
    assert isinstance(trouble, Malformed)


@pytest.mark.parametrize("form", [str, Path])
def test_path(form: type[str | Path], tmp_path: Path) -> None:
    path = tmp_path / "capture.bin"
    path.write_bytes(STREAM)
    assert list(read_capture(form(path))) == expected(STREAM)


def test_file_that_is_open(tmp_path: Path) -> None:
    """It is read from where it stands, and left open."""
    path = tmp_path / "capture.bin"
    path.write_bytes(b"header" + STREAM)
    with path.open("rb") as file:
        file.seek(6)
        assert list(read_capture(file)) == expected(STREAM)
        assert not file.closed
        assert file.read() == b""


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_capture(tmp_path / "missing.bin"))
    with pytest.raises(OSError, match="directory"):
        list(read_capture(tmp_path))


def test_pipe_is_read_as_it_comes() -> None:
    """A telegram is there before the pipe is closed."""
    receiver, sender = os.pipe()
    frame = FRAMES["st-fill-0-0"]
    with open(receiver, "rb") as file:  # noqa: PTH123 - a pipe has no path
        writer = Thread(target=os.write, args=(sender, frame))
        writer.start()
        events = read_capture(file)
        assert isinstance(next(events), Telegram)
        writer.join()
        os.close(sender)
        assert list(events) == []
