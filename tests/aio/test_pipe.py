"""Pipes: real pseudo-terminals, loopback TCP, a bus in memory, and URLs that are none."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import open_pipe
from e320proto.errors import TransportError
from tests.aio.ports import in_loop, until

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.aio import Pipe


class Ear:
    """Keeps what a pipe hears."""

    def __init__(self, pipe: Pipe) -> None:
        self.octets = b""
        self.lost: list[TransportError] = []
        pipe.start(self._hear, self.lost.append)

    def _hear(self, octets: bytes) -> None:
        self.octets += octets


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("udp://127.0.0.1:1", "expected a path, serial:PATH"),
        ("", "expected a path, serial:PATH"),
        ("serial:", "expected a path, serial:PATH"),
        ("pty:here", "expected a path, serial:PATH"),
        ("tcp://127.0.0.1", "expected HOST:PORT"),
        ("tcp://127.0.0.1:70000", "found Port out of range 0-65535"),
        ("tcp-listen://:7000/path", "expected HOST:PORT"),
        ("serial:/dev/null?bits=7", "expected options out of baud, found bits"),
        ("pty:?baud=1", "expected options out of none, found baud"),
        ("serial:/dev/null?baud=fast", "expected baud of 1 to 1e+07, found fast"),
        ("serial:/dev/null?baud=0", "expected baud of 1 to 1e+07, found 0"),
        ("socket://127.0.0.1", "expected HOST:PORT"),
        ("tcp://a..b:7000", "expected a path, serial:PATH"),
        (f"tcp-listen://{'x' * 64}:7000", "expected a path, serial:PATH"),
        ("file:%00", "expected a path, serial:PATH"),
        ("rfc2217://127.0.0.1:7000?bits=7", "expected options out of baud, found bits"),
        ("file:", "expected a path, serial:PATH"),
        ("file:day.bin?speed=slow", "expected speed of 0.001 to 1e+06, found slow"),
        ("serial://dev/ttyUSB0", "expected a path, serial:PATH"),
        ("memory:bus?noise=2", "expected noise of 0 to 1, found 2"),
    ],
)
def test_a_wrong_url_says_what_it_should_be(url: str, words: str) -> None:
    with pytest.raises(TransportError, match=rf"^{url.replace('?', '.').replace('+', '.')}: ") as caught:
        asyncio.run(open_pipe(url))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/dev/no-such-port", "no such device; is it plugged in?"),
        ("serial:/dev/no-such-port", "no such device; is it plugged in?"),
        ("tcp://127.0.0.1:1", "expected somebody who listens there, found: Connection refused"),
        ("tcp://host.invalid:1", "expected a host with an address, found none"),
        ("rfc2217://[::1]:1", "Connection refused"),
        ("tcp-listen://192.0.2.1:0", "expected an address of this machine"),
    ],
)
def test_what_is_not_there_is_named(url: str, words: str) -> None:
    with pytest.raises(TransportError) as caught:
        asyncio.run(open_pipe(url))
    assert words in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is permitted to root")
def test_no_permission_names_the_group(tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.touch(0)
    with pytest.raises(TransportError, match="sudo usermod -aG"):
        asyncio.run(open_pipe(f"serial:{port}"))


@in_loop
async def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransportError, match="expected a serial port, found something else"):
        await open_pipe(str(tmp_path / "file"))


@in_loop
async def test_a_port_without_rs485_says_so() -> None:
    pty = await open_pipe("pty:")
    with pytest.raises(TransportError, match="driver switches the direction of RS-485, found one that cannot"):
        await open_pipe(f"rs485:{pty.name}")
    await pty.close()


@in_loop
async def test_a_pseudo_terminal_carries_every_octet_both_ways() -> None:
    every = bytes(range(256)) * 4
    pty = await open_pipe("pty:")
    ear = Ear(pty)
    for _ in range(2):  # a program may leave and come again
        serial = await open_pipe(f"serial:{pty.name}?baud=115200")
        other = Ear(serial)
        serial.send(every)
        pty.send(every)
        while (len(ear.octets), len(other.octets)) != (len(every), len(every)):  # noqa: ASYNC110 - until both are there
            await asyncio.sleep(0.002)
        assert (ear.octets, other.octets) == (every, every)
        ear.octets = b""
        await serial.close()
    await pty.close()
    await pty.close()


@in_loop
async def test_nobody_at_a_pseudo_terminal_does_not_stop_anybody() -> None:
    pty = await open_pipe("pty:")
    pty.start(lambda _: None, lambda _: None)
    for _ in range(1000):
        pty.send(bytes(1000))
    await pty.close()


@in_loop
async def test_a_cable_that_is_pulled_is_told_once() -> None:
    pty = await open_pipe("pty:")
    serial = await open_pipe(pty.name)
    ear = Ear(serial)
    await pty.close()
    await until(lambda: ear.lost)
    assert "was it unplugged?" in str(ear.lost[0])
    await serial.close()
    assert len(ear.lost) == 1


@in_loop
async def test_clients_of_a_port_are_on_one_bus() -> None:
    listening = await open_pipe("tcp-listen://127.0.0.1:0")
    here = Ear(listening)
    pipes = [await open_pipe(listening.name) for _ in range(3)]
    ears = [Ear(pipe) for pipe in pipes]
    await asyncio.sleep(0.05)
    pipes[0].send(b"from a client")
    await until(lambda: all(ear.octets for ear in (here, *ears[1:])))
    assert [ear.octets for ear in (here, *ears)] == [b"from a client", b"", b"from a client", b"from a client"]
    listening.send(b", and one for all")
    await until(lambda: ears[0].octets)
    assert ears[0].octets == b", and one for all"
    await listening.close()
    await until(lambda: all(ear.lost for ear in ears))
    assert "the other end has closed it" in str(ears[0].lost[0])
    for pipe in pipes:
        pipe.send(b"to nobody")
        await pipe.close()


@pytest.mark.parametrize("turns", [0, 1, 3, 4])  # after 2, asyncio itself forgets the connection
@in_loop
async def test_a_client_that_comes_while_the_port_is_closed_does_not_stay(turns: int) -> None:
    listening = await open_pipe("tcp-listen://127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", int(listening.name.rpartition(":")[2]))) as client:
        client.settimeout(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        await listening.close()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b""


@in_loop
async def test_a_loss_before_anyone_listens_is_told() -> None:
    listening = await open_pipe("tcp-listen://127.0.0.1:0")
    pipe = await open_pipe(listening.name)
    await asyncio.sleep(0.05)
    await listening.close()
    await asyncio.sleep(0.05)
    ear = Ear(pipe)
    await until(lambda: ear.lost)
    await pipe.close()


@in_loop
async def test_a_bus_in_memory_has_seeded_troubles() -> None:
    sender, other_bus = await open_pipe("memory:a"), await open_pipe("memory:b")
    deaf = await open_pipe("memory:a?loss=1")
    twins = [await open_pipe("memory:a?noise=0.1&loss=0.1&seed=3") for _ in range(2)]
    own, elsewhere, nothing, first, second = (Ear(pipe) for pipe in (sender, other_bus, deaf, *twins))
    for _ in range(50):
        sender.send(bytes(20))
    await asyncio.sleep(0.05)
    assert own.octets == elsewhere.octets == nothing.octets == b""
    assert first.octets == second.octets
    assert 0 < len(first.octets) < 1000
    assert 0 < sum(map(bool, first.octets)) < 300
    for pipe in (sender, other_bus, deaf, *twins):
        await pipe.close()
