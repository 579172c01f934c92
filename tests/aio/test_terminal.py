"""A real pseudo-terminal and the readers that come and go."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import termios
import time
import tty
from contextlib import suppress
from functools import partial

import pytest

from e320proto.aio.terminal import PtyOutlet, open_pty
from e320proto.errors import TransportError
from tests.aio.ports import TerminalReader, frame, in_loop, reader_of, seconds, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix")

FRAME = len(frame())


def _has_frame(reader: TerminalReader) -> bool:
    return len(reader.octets) >= FRAME


def _ended(fd: int) -> bool:
    try:
        return not os.read(fd, 65_536)
    except BlockingIOError:
        return False


def send(outlet: PtyOutlet, *numbers: int) -> None:
    for number in numbers:
        outlet.send(frame(number))


@in_loop
async def test_a_reader_gets_every_frame() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name) as reader:
        send(outlet, 1, 2, 3)
        await until(lambda: len(reader.octets) == 3 * FRAME)
    assert seconds(reader.octets) == [1, 2, 3]
    assert outlet.dropped == 0
    await outlet.close()


@in_loop
async def test_frames_of_the_time_before_a_reader_are_dropped_and_counted() -> None:
    outlet = await open_pty()
    send(outlet, 1, 2, 3)
    assert outlet.dropped == 3
    with reader_of(outlet.name) as reader:
        send(outlet, 4)
        await until(lambda: len(reader.octets) >= FRAME)
        await asyncio.sleep(0.02)
    assert seconds(reader.octets) == [4]
    await outlet.close()


@in_loop
async def test_a_reader_gets_nothing_that_an_earlier_one_left() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name, reading=False):
        send(outlet, *range(30))  # more than the line discipline holds, so that some is behind it
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.02)
    with reader_of(outlet.name) as reader:
        await asyncio.sleep(0.02)
        assert not reader.octets
        send(outlet, 31)
        await until(lambda: len(reader.octets) >= FRAME)
        await asyncio.sleep(0.02)
    assert seconds(reader.octets) == [31]
    await outlet.close()


@in_loop
async def test_a_reader_that_leaves_is_seen_by_the_next_frame_even_if_the_loop_was_busy() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name):
        send(outlet, 1)
        await asyncio.sleep(0.02)
    send(outlet, 2)
    assert outlet.dropped == 1
    with reader_of(outlet.name) as reader:
        await asyncio.sleep(0.02)
        assert not reader.octets
    await outlet.close()


@in_loop
async def test_readers_come_and_go() -> None:
    outlet = await open_pty()
    for number in range(5):
        with reader_of(outlet.name) as reader:
            send(outlet, number)
            await until(partial(_has_frame, reader))
            assert seconds(reader.octets) == [number]
        await asyncio.sleep(0.005)
    assert outlet.dropped == 0
    await outlet.close()


@in_loop
async def test_a_reader_that_does_not_read_loses_whole_frames_only() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name, reading=False) as reader:
        send(outlet, *range(200))
        lost = outlet.dropped
        assert 100 < lost < 199
        asyncio.get_running_loop().add_reader(reader.fd, reader.read)
        await until(lambda: len(reader.octets) == (200 - lost) * FRAME)
        send(outlet, 1_000)
        await until(lambda: len(reader.octets) == (201 - lost) * FRAME)
    kept = seconds(reader.octets)
    assert len(kept) == 201 - lost
    assert kept == sorted(set(kept))
    assert kept[-1] == 1_000
    assert outlet.dropped == lost
    await outlet.close()


@in_loop
async def test_a_port_that_is_full_to_the_last_octet_takes_nothing() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name, reading=False):
        while not outlet.dropped:
            outlet.send(b"x")
        send(outlet, 1)
        assert outlet.dropped == 2
    await outlet.close()


@in_loop
async def test_a_terminal_that_the_system_does_not_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(TransportError, match="expected a free one, found none"):
            await open_pty()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@in_loop
async def test_the_rest_of_a_frame_is_dropped_with_its_reader() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name, reading=False):
        outlet.send(bytes(50_000))  # more than a terminal holds
        assert outlet.dropped == 0
    await until(lambda: outlet.dropped == 1)
    with reader_of(outlet.name) as reader:
        send(outlet, 1)
        await until(lambda: len(reader.octets) >= FRAME)
        await asyncio.sleep(0.02)
    assert seconds(reader.octets) == [1]
    await outlet.close()


@in_loop
async def test_octets_are_not_treated_and_not_echoed() -> None:
    outlet = await open_pty()
    every_octet = bytes(range(256))
    with reader_of(outlet.name) as reader:
        attributes = termios.tcgetattr(reader.fd)
        assert attributes[4:6] == [termios.B9600, termios.B9600]
        assert attributes[2] & (termios.CSIZE | termios.PARENB | termios.CSTOPB) == termios.CS8
        os.write(reader.fd, b"what a reader says")
        outlet.send(every_octet)
        await until(lambda: len(reader.octets) >= 256)
        await asyncio.sleep(0.02)
        assert reader.octets == every_octet
    await outlet.close()


@in_loop
async def test_the_mode_that_a_reader_leaves_behind_does_not_last() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name) as reader:
        send(outlet, 1)
        await until(lambda: reader.octets)
        attributes = termios.tcgetattr(reader.fd)
        attributes[tty.LFLAG] |= termios.ECHO | termios.ICANON
        termios.tcsetattr(reader.fd, termios.TCSANOW, attributes)
    await asyncio.sleep(0.02)
    with reader_of(outlet.name) as reader:
        assert not termios.tcgetattr(reader.fd)[tty.LFLAG] & (termios.ECHO | termios.ICANON)
    await outlet.close()


@in_loop
async def test_a_reader_that_writes_a_lot_is_never_blocked() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name) as reader:
        send(outlet, 1)
        left = 50_000  # more than any terminal holds
        while left:
            with suppress(BlockingIOError):
                left -= os.write(reader.fd, bytes(min(1_000, left)))
            await asyncio.sleep(0.001)
    await outlet.close()


@in_loop
async def test_nothing_is_done_while_nobody_listens() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name):
        send(outlet, 1)
        await asyncio.sleep(0.02)
    before = time.process_time()
    await asyncio.sleep(0.5)
    assert time.process_time() - before < 0.25
    await outlet.close()


@in_loop
async def test_closing_ends_the_reader_and_can_be_repeated() -> None:
    outlet = await open_pty()
    with reader_of(outlet.name, reading=False) as reader:
        send(outlet, 1)
        await outlet.close()
        await outlet.close()
        await until(lambda: _ended(reader.fd))
    send(outlet, 2)
    assert outlet.dropped == 1
