"""Debian's ``libsml``, a parser in C, at the pseudo-terminal of a meter: its receiver, its messages, its numbers.

The library waits for octets in a thread of its own while the meter pushes. What it reads has to be what the
meter counted. The structures are those of its header files, as far as they are needed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from ctypes import POINTER, Structure, c_char_p, c_double, c_int, c_int8, c_short, c_size_t, c_uint8, c_uint32, c_void_p
from functools import lru_cache
from math import ceil
from typing import Any

import pytest

from e320proto.aio import MeterServer, open_pty
from e320proto.meter import E320Config, Meter
from e320proto.meter.profile import constant, drive

GET_LIST_RES = 0x0701
ENVELOPE = 8
"""Octets in front of a file, and behind it."""

TELEGRAMS = 12
POWERS_W = (1234.0, -517.0, 801.0)
POWER = bytes.fromhex("0100100700ff")


class Octets(Structure):
    _fields_ = (("str", POINTER(c_uint8)), ("len", c_int))


class Value(Structure):
    _fields_ = (("type", c_uint8), ("data", c_void_p))


class Entry(Structure):
    pass


Entry._fields_ = (
    ("obj_name", POINTER(Octets)),
    ("status", c_void_p),
    ("val_time", c_void_p),
    ("unit", POINTER(c_uint8)),
    ("scaler", POINTER(c_int8)),
    ("value", POINTER(Value)),
    ("value_signature", c_void_p),
    ("next", POINTER(Entry)),
)


class GetListRes(Structure):
    _fields_ = (
        ("client_id", POINTER(Octets)),
        ("server_id", POINTER(Octets)),
        ("list_name", POINTER(Octets)),
        ("act_sensor_time", c_void_p),
        ("val_list", POINTER(Entry)),
    )


class Body(Structure):
    _fields_ = (("tag", POINTER(c_uint32)), ("data", c_void_p))


class Message(Structure):
    _fields_ = (
        ("transaction_id", POINTER(Octets)),
        ("group_no", c_void_p),
        ("abort_on_error", c_void_p),
        ("message_body", POINTER(Body)),
        ("crc", c_void_p),
    )


class File(Structure):
    _fields_ = (("messages", POINTER(POINTER(Message))), ("messages_len", c_short), ("buf", c_void_p))


@lru_cache
def load() -> Any:  # noqa: ANN401 - functions of a C library have no types
    try:
        library = ctypes.CDLL("libsml.so.1")
    except OSError:
        pytest.skip("libsml.so.1 is not installed (Debian: libsml1)")
    library.sml_transport_read.argtypes = [c_int, c_char_p, c_size_t]
    library.sml_transport_read.restype = c_size_t
    library.sml_file_parse.argtypes = [c_char_p, c_size_t]
    library.sml_file_parse.restype = POINTER(File)
    library.sml_file_free.argtypes = [POINTER(File)]
    library.sml_file_free.restype = None
    library.sml_value_to_double.argtypes = [POINTER(Value)]
    library.sml_value_to_double.restype = c_double
    return library


def entries(file: bytes) -> dict[bytes, float]:
    """The scaled numbers of a file by their names."""
    library, found = load(), dict[bytes, float]()
    parsed = library.sml_file_parse(file, len(file))
    try:
        for index in range(parsed.contents.messages_len):
            body = parsed.contents.messages[index].contents.message_body.contents
            if body.tag[0] != GET_LIST_RES:
                continue
            entry = ctypes.cast(body.data, POINTER(GetListRes)).contents.val_list
            while entry:
                name = entry.contents.obj_name.contents
                if entry.contents.unit:
                    number = library.sml_value_to_double(entry.contents.value)
                    found[bytes(name.str[: name.len])] = number * 10.0 ** entry.contents.scaler[0]
                entry = entry.contents.next
    finally:
        library.sml_file_free(parsed)
    return found


def received(path: str) -> list[bytes]:
    """Frames as the library receives them from an open port."""
    library, frames = load(), list[bytes]()
    buffer = ctypes.create_string_buffer(8_096)
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        while len(frames) < TELEGRAMS:
            size = library.sml_transport_read(port, buffer, len(buffer))
            assert size > 2 * ENVELOPE
            frames.append(buffer.raw[:size])
    finally:
        os.close(port)
    return frames


async def frames_at_a_terminal() -> tuple[list[bytes], float]:
    outlet = await open_pty()
    server = MeterServer(a_meter(), [outlet], profile=constant(*POWERS_W), speed=20)
    running = asyncio.create_task(server.run())
    try:
        async with asyncio.timeout(20):
            return await asyncio.to_thread(received, outlet.name), server.now_s
    finally:
        running.cancel()
        await asyncio.wait([running])
        await outlet.close()


def a_meter() -> Meter:
    return Meter(E320Config(pin="1234", extended_set=True))


def test_libsml_reads_at_a_pseudo_terminal_what_the_meter_counted() -> None:
    load()
    frames, until_s = asyncio.run(frames_at_a_terminal())
    pushed: dict[bytes, dict[bytes, float]] = {}  # what the meter counted, by the octets of its push
    alone, profile = a_meter(), constant(*POWERS_W)
    for second in range(ceil(until_s)):
        drive(alone, profile, second + 1, from_s=second)
        counted: dict[bytes, float] = {bytes(code): dwh / 10 for code, dwh in alone.registers.items()}
        counted[POWER] = float(alone.power_w)
        for frame in alone.info_data_to_send():
            pushed[frame] = counted
    octets = list(pushed)
    first = octets.index(frames[0])
    assert frames == octets[first : first + TELEGRAMS]  # none is missing
    for frame in frames:
        assert entries(frame[ENVELOPE:-ENVELOPE]) == pytest.approx(pushed[frame])
    assert entries(frames[-1][ENVELOPE:-ENVELOPE])[POWER] == sum(POWERS_W)
