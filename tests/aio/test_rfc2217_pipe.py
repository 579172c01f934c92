"""A serial port of another machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from serial import serial_for_url
from serial.rfc2217 import PortManager

from e320proto.aio import open_pipe
from e320proto.errors import TransportError
from tests.aio.lines import box
from tests.aio.ports import in_loop, until

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's


class Far:
    """The other machine: a port whose octets come back, offered on TCP by pyserial's own server side of RFC 2217."""

    def __init__(self) -> None:
        self.port = serial_for_url("loop://", timeout=0.01)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._server.getsockname()[1]}"
        self._client: socket.socket
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        self._client, _ = self._server.accept()
        self._client.settimeout(0.01)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # dropped while it writes
            self._pass_on(PortManager(self.port, self))

    def _pass_on(self, manager: PortManager) -> None:
        while True:
            try:
                octets = self._client.recv(1024)
            except TimeoutError:
                octets = None
            if octets == b"":
                return
            self.port.write(b"".join(manager.filter(octets or b"")))
            self.write(b"".join(manager.escape(self.port.read(1024))))

    def write(self, octets: bytes) -> None:
        """What the manager answers."""
        self._client.sendall(octets)

    def drop(self) -> None:
        self._client.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._client.close()
        self._server.close()


@in_loop
async def test_a_serial_port_of_another_machine() -> None:
    far = Far()
    heard = bytearray()
    lost: list[TransportError] = []
    every = bytes(range(256)) * 4  # FF is doubled on the way
    pipe = await open_pipe(f"{far.url}?baud=4800")
    assert (pipe.name, far.port.baudrate) == (far.url, 4800)
    pipe.start(heard.extend, lost.append)
    pipe.send(every)
    await until(lambda: len(heard) >= len(every))
    assert heard == every
    pipe.pause()
    await asyncio.sleep(0.3)  # the thread may be reading
    pipe.send(b"later")
    await asyncio.sleep(0.1)
    assert heard == every
    pipe.resume()
    await until(lambda: heard.endswith(b"later"))
    assert lost == []
    await asyncio.to_thread(far.drop)
    await until(lambda: lost)
    assert "expected the port that was opened, found that it is gone" in str(lost[0])
    await pipe.close()
    await pipe.close()
    assert not [thread for thread in threading.enumerate() if "2217" in thread.name]


@in_loop
async def test_nobody_who_speaks_rfc2217() -> None:
    with pytest.raises(TransportError, match=r"^rfc2217://127.0.0.1:1: expected a serial port that is offered there"):
        await open_pipe("rfc2217://127.0.0.1:1")


@in_loop
async def test_an_attempt_that_is_cancelled_leaves_no_thread() -> None:
    async with box() as silent:
        attempt = asyncio.create_task(open_pipe(silent.url.replace("tcp", "rfc2217")))
        await silent.client()
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        await until(lambda: not [thread for thread in threading.enumerate() if "2217" in thread.name])


@in_loop
async def test_an_attempt_that_is_cancelled_before_it_begins_is_not_made() -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    async with box() as silent:
        attempts = [asyncio.create_task(open_pipe(silent.url.replace("tcp", "rfc2217"))) for _ in range(3)]
        await silent.client()
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
        await loop.run_in_executor(None, lambda: None)  # behind all of them
        assert len(silent.clients) == 1
