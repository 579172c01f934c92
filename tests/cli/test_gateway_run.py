"""``e320 gateway`` against ``e320 meter --lmn``, each a process of its own, over loopback TCP."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from e320proto.cli.gateway_run import parse_value
from e320proto.cli.meter_setup import UnusableError
from e320proto.cli.pcapng import PcapngWriter
from e320proto.hdlc import FrameDecoder
from e320proto.sml.messages import Integer, Unsigned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

COMMAND = (sys.executable, "-m", "e320proto.cli")
KEY = bytes(range(16)).hex()
FIRST, SECOND = "1LGZ0063539421", "1LGZ0063539422"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return key_file(tmp_path / "keys.json", KEY)


def key_file(path: Path, key: str) -> Path:
    path.write_text(json.dumps({meter: {"master_key": key} for meter in (FIRST, SECOND)}))
    path.chmod(0o600)
    return path


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def running(*args: object) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, *map(str, args)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=_interruptible)  # noqa: S603, PLW1509 - ours, and no threads
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """Two meters on a port."""
    config = tmp_path / "meter.toml"
    config.write_text(f'pin = "1234"\ninitial_key = "{KEY}"\nt_closed_s = 0\n')
    state = tmp_path / "state"
    with running("meter", "-c", config, "--state", state, "--lmn", "tcp-listen://127.0.0.1:0", "--count", 2) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"is on the bus (tcp://\S+) with 1 other", line)
        assert found, line
        yield found[1]
    assert process.returncode == 143
    assert {entry.name for entry in tmp_path.iterdir()} >= {"state", "state.1"}


def test_the_life_of_two_meters_on_a_bus(process: Run, bus: str, keys: Path, tmp_path: Path) -> None:
    capture = tmp_path / "bus.pcapng"
    found = process("gateway", bus, "scan", "-t", 1.5)
    assert (found.status, found.err) == (0, "")
    assert (
        re.findall(r"(1 LGZ00 6353 942[12]) +(0a01\w+) +\d+ +[12] +no", found.out)
        == [
            ("1 LGZ00 6353 9421", "0a014c475a0003c988dd"),
            ("1 LGZ00 6353 9422", "0a014c475a0003c988de"),
        ]
        or len(found.out.splitlines()) == 3
    )

    paired = process("gateway", bus, "pair", "-k", keys)
    assert (paired.status, sorted(paired.out.splitlines()), paired.err) == (
        0,
        ["1 LGZ00 6353 9421: paired", "1 LGZ00 6353 9422: paired"],
        "",
    )
    stored = json.loads(keys.read_text())
    assert all(stored[meter]["counter"] > 0 and stored[meter]["meter_certificate"] for meter in (FIRST, SECOND))
    assert keys.stat().st_mode & 0o777 == 0o600

    read = process("gateway", bus, "read", "1.8.0", "16.7.0", "-k", keys, "--trace", "--pcapng", capture)
    assert read.status == 0
    assert len(re.findall(r"1-0:1\.8\.0\*255 +\d+\.\d Wh +second \d+ +001c0104: started", read.out)) == 2
    for words in (
        "UI P, assignment",
        "SNRM P, TLS",
        "TLS  handshake, client hello",
        "SML  GetProcParameterRes 1-0:1.8.0",
    ):
        assert words in read.err
    frames = packets(capture.read_bytes())
    assert len(frames) > 20
    assert all(len(FrameDecoder().feed(octets)) == 1 for _, octets, _ in frames)
    assert {flags for *_, flags in frames} == {1, 2}
    assert [at for at, *_ in frames] == sorted(at for at, *_ in frames)
    assert abs(frames[0][0] - time.time()) < 60

    watched = process("gateway", bus, "watch", "-k", keys, "--rounds", 2, "--interval", 0.1, "-m", FIRST)
    assert (watched.status, watched.out.count("1 LGZ00 6353 9421"), watched.err) == (0, 2, "")
    done = process("gateway", bus, "set", "1-0:94.49.1*2", "off", "-k", keys, "-m", FIRST)
    assert (done.status, done.out, done.err) == (0, "1 LGZ00 6353 9421: 1-0:94.49.1*2 is set\n", "")
    refused = process("gateway", bus, "read", "99.1.0", "-k", keys, "-m", FIRST)
    assert (refused.status, refused.err) == (1, "")
    assert "refused" in refused.out
    reset = process("gateway", bus, "crypto-reset", "-k", keys, "-m", FIRST)
    assert (reset.status, reset.out) == (0, "1 LGZ00 6353 9421: keys and certificates as at delivery\n")
    assert "meter_certificate" not in json.loads(keys.read_text())[FIRST]
    clear = process("gateway", bus, "read", "-k", keys, "-m", FIRST)
    assert clear.status == 0
    assert "1-0:96.1.0*255" in clear.out


def packets(octets: bytes) -> list[tuple[float, bytes, int]]:
    """Time, octets and flags of the packets of a capture, read by another way than they are written."""
    assert struct.unpack_from("<III", octets) == (0x0A0D0D0A, 28, 0x1A2B3C4D)
    found, at = [], 0
    kinds = []
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        assert struct.unpack_from("<I", octets, at + length - 4) == (length,)
        kinds.append(kind)
        if kind == 1:
            assert struct.unpack_from("<H", octets, at + 8) == (147,)
        if kind == 6:
            _, high, low, captured, _ = struct.unpack_from("<IIIII", octets, at + 8)
            options = at + 28 + (captured + 3) // 4 * 4
            flags = struct.unpack_from("<HHI", octets, options)[2]
            found.append((((high << 32) + low) / 1e6, octets[at + 28 : at + 28 + captured], flags))
        at += length
    assert kinds[:2] == [0x0A0D0D0A, 1]
    return found


@pytest.mark.parametrize("size", range(5))
def test_packets_of_any_size_come_back(tmp_path: Path, size: int) -> None:
    path = tmp_path / "capture.pcapng"
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        writer.packet(bytes(size), at_s=1_800_000_000.25, sent=False)
    assert packets(path.read_bytes()) == [(1_800_000_000.25, bytes(size), 1)]


def test_a_wrong_key_is_told(process: Run, bus: str, tmp_path: Path) -> None:
    wrong = key_file(tmp_path / "wrong.json", bytes(16).hex())
    done = process("gateway", bus, "pair", "-k", wrong, "-m", FIRST, "-t", 5)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("e320: 1 LGZ00 6353 9421: ")
    assert bytes(16).hex() not in done.err


@pytest.fixture
def silent() -> Iterator[str]:
    """A port where nobody says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_nobody_there(process: Run, silent: str) -> None:
    nobody = "e320: nobody there: no meter has answered\n"
    assert process("gateway", silent, "scan", "-t", 0.3) == (1, "", nobody)
    assert process("gateway", silent, "read", "-t", 0.3) == (1, "", nobody)
    assert process("gateway", silent, "watch", "--rounds", 1, "-t", 0.3) == (1, "", nobody)
    done = process("gateway", silent, "read", "-m", FIRST, "-t", 0.3)
    assert done.status == 1
    assert "expected an answer, found nothing, no connection" in done.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["tcp://127.0.0.1:1", "scan"], "expected somebody who listens there"),
        (["/dev/no-such-port", "scan"], "is it plugged in?"),
        (["udp://127.0.0.1:1", "scan"], "expected a path, serial:PATH"),
        (["memory:b", "scan", "1.8.0"], "scan: expected nothing behind it, found '1.8.0'"),
        (["memory:b", "pair"], "pair: expected --keys FILE"),
        (["memory:b", "read", "one"], "expected A-B:C.D.E*F"),
        (["memory:b", "read", "-m", "me"], "expected pairs of hex digits or a printed device id"),
        (["memory:b", "set", "1.8.0", "1"], "set: expected --meter ID"),
        (["memory:b", "set", "1.8.0", "-m", FIRST], "set: expected CODE VALUE"),
        (["memory:b", "set", "1.8.0", "much", "-m", FIRST], "value: expected true, false"),
        (["memory:b", "crypto-reset"], "crypto-reset: expected --meter ID"),
        (["memory:b", "scan", "--pcapng", "/no/such/folder"], "cannot write /no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(e320: Run, args: list[str], words: str) -> None:
    done = e320("gateway", *args)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err


def test_keys_that_others_may_read_are_refused(e320: Run, keys: Path) -> None:
    keys.chmod(0o644)
    done = e320("gateway", "memory:b", "scan", "-k", keys)
    assert done.status == 2
    assert "expected keys that only their owner may read, found 0644; try chmod 600" in done.err
    assert KEY not in done.err


@pytest.mark.parametrize("action", ["watch", "scan"])
def test_interrupt_ends_it(action: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        with running("gateway", f"tcp://127.0.0.1:{server.getsockname()[1]}", action) as process:
            client, _ = server.accept()
            with client:
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--count", 2], "--count: expected --lmn URL beside it"),
        (["--lmn", "memory:b", "--speed", 2], "--speed: expected 1 with --lmn"),
        (["--lmn", "udp:b"], "expected a path, serial:PATH"),
    ],
)
def test_a_meter_that_cannot_be_on_a_bus(e320: Run, args: list[object], words: str) -> None:
    done = e320("meter", *args)
    assert (done.status, done.out) == (2, "")
    assert words in done.err


def test_ids_that_do_not_go_on_are_refused(e320: Run, tmp_path: Path) -> None:
    config = tmp_path / "last.toml"
    config.write_text('device_id = "1LGZ0099999999"\npin = "1234"\n')
    done = e320("meter", "-c", config, "--lmn", "memory:b", "--count", 2)
    assert done.status == 2
    assert "--count: expected 0 to 99999999, found 100000000" in done.err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TRUE", True),
        ("off", False),
        ("0", Unsigned(0, 1)),
        ("256", Unsigned(256, 2)),
        ("65536", Unsigned(65536, 4)),
        ("18446744073709551615", Unsigned(2**64 - 1, 8)),
        ("-128", Integer(-128, 1)),
        ("-129", Integer(-129, 2)),
        ("hex:", b""),
    ],
)
def test_values_have_the_least_width(text: str, value: object) -> None:
    assert parse_value(text) == value


@pytest.mark.parametrize("text", ["", "1.5", "hex:0", str(2**64), str(-(2**63) - 1)])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(UnusableError, match="value: expected"):
        parse_value(text)


def test_the_bus_in_memory_tells_its_story(e320: Run) -> None:
    done = e320("demo", "--lmn")
    assert (done.status, done.err) == (0, "")
    again = e320("demo", "--lmn")
    told, once_more = (re.sub(r"\d[\d.,]*", "#", one.out).splitlines() for one in (done, again))
    assert told == once_more  # certificates, and so times, differ by an octet or two
    assert len(re.findall("is on the bus", done.out)) == 4
    assert len(re.findall("is paired", done.out)) == 3
    assert len(re.findall(r": 1-0:16\.7\.0\*255 -?\d+ W, second \d+, 001c", done.out)) == 4
    assert "does not answer the checks any more" in done.out
    assert "is connected: resumed" in done.out
