"""A serial port, for which a pseudo-terminal stands: its master is the wire."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import open_pipe
from e320proto.aio.serial_port import _refusal, open_serial
from e320proto.errors import TransportError
from tests.aio.ports import frame, in_loop, seconds, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix")

FRAME = len(frame())


class Wire:
    """The other end of a serial port."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        self.port = os.ttyname(slave)
        self.slave = slave
        os.set_blocking(self.master, False)

    def read(self) -> bytes:
        try:
            return os.read(self.master, 65_536)
        except BlockingIOError:
            return b""

    def vanish(self) -> None:
        """Unplug the adapter."""
        for end in (self.slave, self.master):
            if end >= 0:
                os.close(end)
        self.slave = self.master = -1


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.vanish()


async def all_of(wire: Wire, size: int) -> bytes:
    octets = bytearray()

    def enough() -> bool:
        octets.extend(wire.read())
        return len(octets) >= size

    await until(enough)
    return bytes(octets)


@in_loop
async def test_frames_go_through_at_9600_8n1(wire: Wire) -> None:
    outlet = await open_serial(wire.port)
    assert outlet.name == wire.port
    outlet.send(frame(1))
    outlet.send(frame(2))
    assert seconds(await all_of(wire, 2 * FRAME)) == [1, 2]
    attributes = termios.tcgetattr(wire.slave)
    assert attributes[4:6] == [termios.B9600, termios.B9600]
    assert attributes[2] & (termios.CSIZE | termios.PARENB | termios.CSTOPB) == termios.CS8
    os.write(wire.master, b"what comes in means nothing")
    await asyncio.sleep(0.01)
    await outlet.close()
    await outlet.close()
    outlet.send(frame(3))
    assert outlet.dropped == 1


@in_loop
async def test_what_the_line_is_too_slow_for_is_dropped_whole(wire: Wire) -> None:
    outlet = await open_serial(wire.port)
    for number in range(200):
        outlet.send(frame(number))
    lost = outlet.dropped
    assert 0 < lost < 199
    kept = seconds(await all_of(wire, (200 - lost) * FRAME))
    assert len(kept) == 200 - lost
    assert kept == sorted(set(kept))
    await outlet.close()


@in_loop
async def test_the_rest_of_a_frame_follows_when_there_is_room(wire: Wire) -> None:
    outlet = await open_serial(wire.port)
    large = bytes(range(256)) * 80  # more than a port holds
    outlet.send(large)
    outlet.send(frame(1))
    assert outlet.dropped == 1
    assert await all_of(wire, len(large)) == large
    before = time.process_time()
    await asyncio.sleep(0.2)
    assert time.process_time() - before < 0.1  # and then there is nothing to do
    outlet.send(frame(2))
    assert seconds(await all_of(wire, FRAME)) == [2]
    await outlet.close()


@in_loop
async def test_a_device_that_vanishes_is_told_by_the_next_frame(wire: Wire) -> None:
    outlet = await open_serial(wire.port)
    outlet.send(frame(1))
    wire.vanish()
    await until(lambda: outlet._line.lost)
    with pytest.raises(TransportError, match=f"^{wire.port}: .* vanished; was it unplugged"):
        outlet.send(frame(2))
    await outlet.close()


@in_loop
async def test_a_device_may_vanish_while_a_frame_is_written(wire: Wire) -> None:
    outlet = await open_serial(wire.port)
    await asyncio.sleep(0)
    wire.vanish()
    outlet.send(frame(1))  # the loop has not seen it yet
    await until(lambda: outlet._line.lost)
    with pytest.raises(TransportError, match="vanished"):
        outlet.send(frame(2))
    await outlet.close()


@in_loop
async def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        TransportError, match="ttyUSB77: expected a serial port, found no such device; is it plugged in"
    ):
        await open_serial(str(tmp_path / "ttyUSB77"))


@in_loop
async def test_something_that_is_no_serial_port(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no port")
    with pytest.raises(TransportError, match=r"notes\.txt: expected a serial port, found something else"):
        await open_serial(str(path))


@in_loop
async def test_a_port_that_another_program_uses(wire: Wire) -> None:
    outlet = await open_serial(wire.port)
    with pytest.raises(TransportError, match="expected a serial port that is free, found it in use"):
        await open_serial(wire.port)
    await outlet.close()


def test_no_permission_names_the_group_to_join(wire: Wire) -> None:
    text = _refusal(PermissionError(13, "Permission denied"), wire.port)
    assert "no permission" in text
    assert f"sudo usermod -aG {Path(wire.port).group()} $USER" in text
    assert "usermod -aG dialout $USER" in _refusal(PermissionError(13, "Permission denied"), "/nowhere")


@in_loop
async def test_a_port_that_vanishes_while_it_is_opened() -> None:
    """Whatever step of opening it is, it is an error of this project, and nothing is left open."""
    found: set[str] = set()
    for delay in range(400):
        master, slave = os.openpty()
        name = os.ttyname(slave)
        os.close(slave)
        begin = threading.Event()

        def vanish(master: int = master, delay: int = delay, begin: threading.Event = begin) -> None:
            begin.wait()
            for _ in range(delay % 40 * 20):
                pass
            os.close(master)

        vanishing = threading.Thread(target=vanish)
        vanishing.start()
        begin.set()
        try:
            await (await open_pipe(name)).close()
        except TransportError as error:
            found.add(str(error).partition("found ")[2])
        vanishing.join()
    assert found


ENDS = """
import asyncio
from e320proto.aio import open_pipe

async def read(serial):
    try:
        await asyncio.sleep(60)
    finally:
        await serial.close()

async def main():
    pty = await open_pipe("pty:")
    serial = await open_pipe(pty.name)
    serial.start(lambda _: None, lambda _: None)
    reading = asyncio.create_task(read(serial))
    await asyncio.sleep(0.01)
    await pty.close()
    while not serial._transport.is_closing():
        await asyncio.sleep(0)

asyncio.run(main())
"""


def test_a_program_that_ends_while_a_port_vanishes() -> None:
    """All tasks are cancelled then, and none may wait for one that is gone."""
    subprocess.run([sys.executable, "-c", ENDS], check=True, timeout=20)  # noqa: S603 - this program
