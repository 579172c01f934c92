"""Captures: octets as they came, hex and base64 dumps in any spelling, in pieces of any size."""

from __future__ import annotations

import base64
import io
import os
import time
from pathlib import Path
from threading import Thread, Timer

import pytest

from e320proto import (
    BytesDiscarded,
    DecodeOptions,
    Malformed,
    Telegram,
    TelegramDecoder,
    read_capture,
)
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
DUMPS |= {
    # 80 columns of a terminal: every third line end stands inside of an octet
    "hex wrapped": "\n".join(STREAM.hex(" ")[start : start + 80] for start in range(0, 3 * len(STREAM), 80)),
    "base64 lines of 75": "\n".join(
        base64.b64encode(STREAM).decode()[start : start + 75] for start in range(0, 4 * len(STREAM), 75)
    ).strip(),
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
        (b"b 1b 1b 1b 01", "hex"),
        (base64.b64encode(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" * 2)[1:], "base64"),
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
    assert [event.raw for event in text_trouble(events)] == [b"7", b"!"]


def text_trouble(events: list[object]) -> list[Malformed]:
    return [event for event in events if isinstance(event, Malformed) and event.kind == "text"]


def frames_read(events: list[object]) -> list[bytes]:
    return [event.raw for event in events if isinstance(event, Telegram)]


def every_block(dump: bytes, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The events of a dump, which are the same in blocks of any size."""
    events = events_of(dump)
    with monkeypatch.context() as patch:
        patch.setattr(capture, "_TEXT_HEAD", SHORT_HEAD)
        for block in (1, 2, 3, 7, 64):
            patch.setattr(capture, "BLOCK", block)
            assert events_of(dump) == events
    return events


FRAME = FRAMES["st-fill-0-0"]
FOUR = FRAME * 4


@pytest.mark.parametrize("separator", [" ", ":", ", ", "-", "\r\n", ", 0x"])
@pytest.mark.parametrize("digit", [0, 1])
def test_missing_hex_digit(separator: str, digit: int) -> None:
    """It costs the telegram that it is missing in, wherever in it that is."""
    octets = [f"{octet:02x}" for octet in FOUR]
    for number in (*range(len(FRAME) + 1), len(FOUR) - 1):
        damaged = octets.copy()
        damaged[number] = left = octets[number][digit]
        dump = separator.join(damaged).encode()
        events = events_of(dump)
        assert frames_read(events) == [FRAME] * 3
        (trouble,) = text_trouble(events)
        assert (trouble.raw, trouble.error.reason, trouble.offset) == (left.encode(), "hex_text", number)
        assert trouble.error.offset == len(separator.join(damaged[: number + 1])) - 1


def test_missing_hex_digit_says_where() -> None:
    events = events_of(b"1b 1b 1b 1 01 01 01 01 " + FRAME.hex(" ").encode())
    (trouble,) = text_trouble(events)
    assert str(trouble.error) == "expected octets of two hex digits, found b'1', at offset 9"
    assert trouble.offset == 3


@pytest.mark.parametrize("separator", ["", " "])
@pytest.mark.parametrize("line", [0, 1, 5, 12])
def test_missing_hex_digit_in_lines(line: int, separator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, in the middle or at the end of a line: the next line starts anew."""
    lines = [FOUR[start : start + 16].hex(*separator) for start in range(0, len(FOUR), 16)]
    hit = {number // len(FRAME) for number in range(16 * line, 16 * (line + 1))}
    for place in (0, 8, len(lines[line]) - 1):
        dump = "\n".join([*lines[:line], lines[line][:place] + lines[line][place + 1 :], *lines[line + 1 :]])
        events = every_block(dump.encode(), monkeypatch)
        assert len(frames_read(events)) >= 4 - len(hit)
        assert len(text_trouble(events)) == (0 if separator and lines[line][place] == " " else 1)


def test_missing_octets_of_neighbours_are_one_telegram() -> None:
    """Two halves side by side look like an octet that a line end cut."""
    octets = [f"{octet:02x}" for octet in FOUR]
    octets[10:12] = [octets[10][0], octets[11][1]]
    assert frames_read(events_of(" ".join(octets).encode())) == [FRAME] * 3


@pytest.mark.parametrize("end", ["", "\n", " ;\n"])
def test_odd_digit_at_the_end(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for gap in ("", " "):
        dump = f"{FRAME.hex()}{gap}7{end}"
        events = every_block(dump.encode(), monkeypatch)
        assert frames_read(events) == [FRAME]
        (trouble,) = text_trouble(events)
        assert (trouble.raw, trouble.error.offset, trouble.offset) == (b"7", dump.rindex("7"), len(FRAME))


def test_long_line_behind_half_an_octet() -> None:
    """No line wrapped at an odd count is as long as this: the octets do not wait for its end."""
    noise = b"\xff" * 3000
    dump = b"7 " + (noise + FRAME).hex().encode() + b"7"
    events = events_of(b"ff " + dump)
    assert frames_read(events) == [FRAME]
    assert [event.raw for event in text_trouble(events)] == [b"7", b"7"]


@pytest.mark.parametrize("columns", [64, 76])
def test_missing_base64_character(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs the telegrams of its line."""
    text = base64.b64encode(FOUR).decode()
    lines = [text[start : start + columns] for start in range(0, len(text), columns)]
    octets = columns // 4 * 3
    for line in range(len(lines) - 1):
        hit = {number // len(FRAME) for number in range(octets * line, octets * (line + 1))}
        for place in (0, columns // 2, columns - 1):
            shortened = lines[line][:place] + lines[line][place + 1 :]
            dump = "\n".join([*lines[:line], shortened, *lines[line + 1 :]]) + "\n"
            events = events_of(dump.encode()) if place else every_block(dump.encode(), monkeypatch)
            assert len(frames_read(events)) >= 4 - len(hit)
            (trouble,) = text_trouble(events)
            assert (trouble.raw, trouble.error.reason) == (shortened[-3:].encode(), "base64_text")
            assert trouble.error.offset == (columns + 1) * line + columns - 4


@pytest.mark.parametrize(("end", "raw"), [("A", b"A"), ("A\n", b"A"), ("AA=", b"AA="), ("A==", b"A=="), ("=", b"=")])
def test_base64_left_over_at_the_end(end: str, raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = base64.b64encode(FRAME).decode() + "\n" + end
    events = every_block(dump.encode(), monkeypatch)
    assert frames_read(events) == [FRAME]
    assert b"".join(event.raw for event in text_trouble(events)) == raw


def test_padding_in_the_wrong_place_is_trouble_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("A=BC", "A=\nBC", "AB=\nC", "A\nBCDE", "====", "A=BCDEF", "AB=C=D=="):
        events = every_block(f"{base64.b64encode(FRAME * 3).decode()}\n{wrong}\n".encode() * 2, monkeypatch)
        assert len(frames_read(events)) >= 3
        assert text_trouble(events)


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_long_junk(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes in pieces of one size, whatever the blocks are."""
    dump = FRAME.hex() if form == "hex" else base64.b64encode(FRAME).decode()
    events = every_block(f"{dump}\n{'?' * 5000}\n{dump}".encode(), monkeypatch)
    assert frames_read(events) == [FRAME] * 2
    assert [len(event.raw) for event in text_trouble(events)] == [4096, 904]


def test_much_junk_takes_little_time() -> None:
    start = time.process_time()
    events = events_of(b"00 " * 30 + b"1b z " * 32_000)
    assert len(text_trouble(events)) == 32_000
    assert time.process_time() - start < 2  # a tenth of it on a usual machine


@pytest.mark.parametrize("dump", [b"1b 0", b"1b 0x", b"1b,0X1", b"1b0x1b", b"10x1b 1b", b"1b x1b", b"0x1b0 0x1b"])
def test_prefixes_in_pieces(dump: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    every_block(FRAME.hex().encode() + b" " + dump, monkeypatch)


def test_several_base64_pieces_with_padding() -> None:
    frames = [frame[:-1] + b"\0" * number + frame[-1:] for number, frame in enumerate(FRAMES.values())]
    dump = b"\n".join(base64.b64encode(frame) for frame in frames)
    assert events_of(dump) == expected(b"".join(frames))


def test_base64_that_breaks_off() -> None:
    """Two or three characters of the last four still hold one or two octets; one character holds none."""
    dump = base64.b64encode(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01abc")
    for characters, octets in ((12, 9), (13, 9), (14, 10), (15, 11)):
        *left, event = events_of(dump[:characters])
        assert [trouble.raw for trouble in text_trouble(left)] == ([dump[12:13]] if characters == 13 else [])
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
    events = read_capture(tmp_path / "missing.bin")
    with pytest.raises(FileNotFoundError):
        next(events)
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


@pytest.mark.parametrize("form", ["hex", "spaced", "base64"])
def test_dump_in_a_pipe_is_read_as_it_comes(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A telegram is there as soon as its last digit is, also if that is one that 0x could begin with."""
    monkeypatch.setattr(capture, "_TEXT_HEAD", 64)
    frame = next(frame for frame in FRAMES.values() if frame[-1] & 0x0F == 0 and frames_read(events_of(frame)))
    dump = {"hex": frame.hex().encode(), "spaced": frame.hex(" ").encode(), "base64": base64.b64encode(frame)}[form]
    receiver, sender = os.pipe()
    with open(receiver, "rb") as file:  # noqa: PTH123 - a pipe has no path
        os.write(sender, dump)
        watchdog = Timer(5, os.close, (sender,))
        watchdog.start()
        events = read_capture(file)
        assert isinstance(next(events), Telegram)
        assert watchdog.is_alive()
        watchdog.cancel()
        os.close(sender)
        assert list(events) == []


@pytest.mark.parametrize("source", [b"1b1b", bytearray(b"1b"), 1, None, io.StringIO("1b")])
def test_wrong_source(source: object) -> None:
    with pytest.raises(TypeError, match=f"expected a path or a binary file.*found {type(source).__name__}"):
        read_capture(source)  # type: ignore[arg-type]
