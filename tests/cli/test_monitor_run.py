"""``e320 monitor``: as a process, in a terminal and without one, at meters that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import MeterServer, open_tcp
from e320proto.meter import E320Config, Inputs, Meter
from tests.cli.terminals import COMMAND, PATIENCE_S, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Run


class Running:
    """A reference meter on a TCP port, in a thread; pushes ten times a second."""

    def __init__(self, port: int = 0, device_id: str = "1LGZ0063539421") -> None:
        self.port = port
        self._device_id = device_id
        self._ready = threading.Event()
        self._ended: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    async def _run(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        outlet = await open_tcp("127.0.0.1", self.port)
        self.port = outlet.address[1]
        config = E320Config(pin="1234", extended_set=True, device_id=self._device_id)
        server = MeterServer(Meter(config, inputs=Inputs.of_power(1000, 500, -300)), [outlet], speed=10)
        running = asyncio.create_task(server.run())
        self._ready.set()
        await self._ended.wait()
        running.cancel()
        await asyncio.wait([running])
        await outlet.close()

    def end(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()


@pytest.fixture
def meter() -> Iterator[Running]:
    running = Running()
    yield running
    running.end()


def test_a_screen_of_one_line(meter: Running) -> None:
    with terminal("monitor", meter.url) as shown:
        shown.wait_for("1 LGZ00 6353 9421")
        shown.wait_for("import → 1200 W")
        meter.end()
        shown.wait_for("lost|does not answer")
        again = Running(meter.port)
        try:
            shown.wait_for("receiving")
            shown.press("q")
            assert shown.end()[0] == 0
        finally:
            again.end()


def test_a_screen_of_two_lines_and_its_keys(meter: Running) -> None:
    other = Running(device_id="1LGZ0000000007")
    try:
        with terminal("monitor", meter.url, other.url, columns=120) as shown:
            shown.wait_for("1 LGZ00 0000 0007")
            shown.press("2")
            shown.wait_for("Meter 1 LGZ00 0000 0007")
            shown.press("n")
            shown.wait_for("Meter 1 LGZ00 6353 9421")
            shown.press("a")
            shown.wait_for("trouble")
            shown.press("p")
            shown.wait_for("Meter 1 LGZ00 0000 0007")
            os.kill(shown.process.pid, signal.SIGINT)
            assert shown.end()[0] == 130
    finally:
        other.end()


def test_a_screen_that_is_terminated_leaves_the_terminal_as_it_was(meter: Running) -> None:
    with terminal("monitor", meter.url, lines=8, columns=30) as shown:
        shown.wait_for("LGZ00")
        shown.process.terminate()
        status, _ = shown.end()
        assert status == 128 + signal.SIGTERM


def test_lines_of_text_where_there_is_no_terminal(meter: Running) -> None:
    command = [*COMMAND, "monitor", meter.url, "--every", "0.3", "--for", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:  # noqa: S603 - ours
        assert watching.stdout is not None
        lines: list[str] = []

        def read_until(words: str) -> None:
            for line in watching.stdout or ():
                lines.append(line)
                if words in line:
                    return
            pytest.fail(f"{words}: not in {lines}")

        read_until("receiving")
        read_until("import → 1200 W, 1.8.0")
        meter.end()
        read_until("connecting")
        read_until("the other end does not answer")
        again = Running(meter.port)
        read_until("receiving")
        again.end()
        watching.send_signal(signal.SIGINT)
        with contextlib.suppress(KeyboardInterrupt):
            assert watching.wait(PATIENCE_S) == 130
    assert all(meter.url in line for line in lines)


def test_once(meter: Running, process: Run) -> None:
    status, out, err = process("monitor", "--once", meter.url)
    assert (status, err) == (0, "")
    assert out.startswith("Meter 1 LGZ00 6353 9421")
    assert "1-0:16.7.0*255" in out


def test_once_says_what_is_wrong(process: Run) -> None:
    status, out, err = process("monitor", "--once", "--timeout", "0.5", "/dev/ttyUSB999")
    assert (status, out) == (1, "")
    assert "no telegram in" in err
    assert "is it plugged in?" in err
    assert "✗ there is no such device" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["modem:1"], "modem:1: expected a path, serial:PATH"),
        (["pty:", "pty:"], "pty:: expected each line once, found it twice"),
        ([], "Missing argument 'URL...'"),
    ],
)
def test_wrong_usage_is_one_line(process: Run, args: list[str], words: str) -> None:
    status, out, err = process("monitor", *args)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
