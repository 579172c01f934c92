"""``e320 bridge`` as a process, between running reference meters and a real broker."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from e320proto.aio import MeterServer, TcpOutlet, open_tcp
from tests.aio.brokers import HOST, Gate, Mosquitto, free_port, listening, needs_mosquitto
from tests.aio.ports import in_loop, meter, until

aiomqtt = pytest.importorskip("aiomqtt", reason="aiomqtt is not installed")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

COMMAND = (sys.executable, "-m", "e320proto.cli", "bridge")
BASE = "e320/1LGZ0063539421"
SECRET = "s3cret/word"  # noqa: S105 - of a test


class Bridge:
    """A bridge that runs, and what it prints."""

    def __init__(self, folder: Path, *args: object, environment: dict[str, str] | None = None) -> None:
        self._out, self._err = folder / "out", folder / "err"
        state = {"XDG_STATE_HOME": str(folder / "state"), **(environment or {})}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            command = [*COMMAND, *map(str, args)]
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **state})  # noqa: S603 - ours

    @property
    def err(self) -> str:
        return self._err.read_text()

    @property
    def telegrams(self) -> list[dict[str, Any]]:
        """Complete lines of JSON."""
        return [json.loads(line) for line in self._out.read_text().split("\n")[:-1]]

    @property
    def seconds(self) -> list[int]:
        return seconds_of(self.telegrams)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it while the gate goes on."""
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, timeout=60)


@contextmanager
def bridging(folder: Path, *args: object, **options: Any) -> Iterator[Bridge]:  # noqa: ANN401 - its own
    bridge = Bridge(folder, *args, **options)
    try:
        yield bridge
    finally:
        bridge.process.kill()
        bridge.process.wait()


def seconds_of(telegrams: list[dict[str, Any]]) -> list[int]:
    return [telegram["time"]["sec_index"] for telegram in telegrams]


def unrepeated(payloads: list[str]) -> list[int]:
    """Seconds of telegrams, without those that came a second time."""
    return list(dict.fromkeys(seconds_of([json.loads(payload) for payload in payloads])))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


class RunningMeter:
    """A meter that sends to a port, twenty times as fast as real ones; it can pause."""

    def __init__(self, outlet: TcpOutlet) -> None:
        self._meter, self._outlet = meter(), outlet
        self._now_s = 0.0
        self.go()

    def go(self) -> None:
        self._server = MeterServer(self._meter, [self._outlet], speed=20, start_s=self._now_s)
        self._task = asyncio.create_task(self._server.run())

    async def pause(self) -> None:
        self._now_s = self._server.now_s
        self._task.cancel()
        await asyncio.wait([self._task])


@needs_mosquitto
@in_loop
async def test_every_telegram_arrives_while_brokers_and_bridges_come_and_go(broker: Mosquitto, tmp_path: Path) -> None:
    outlet, gate = await open_tcp(HOST, 0), Gate(broker.port)
    await gate.open()
    line, topic = f"tcp://{outlet.name}", f"{BASE}/telegram"
    args = (line, "--mqtt", f"mqtt://{HOST}:{gate.port}", "--jsonl", "--name", "test")
    async with listening(broker.port) as subscriber:
        with bridging(tmp_path, *args) as bridge:
            await until(lambda: outlet.clients and "connected" in bridge.err)
            server = RunningMeter(outlet)
            await until(lambda: len(subscriber.payloads(topic)) > 5)
            broker.kill()
            await until(lambda: "telegrams wait in" in bridge.err and not subscriber.present)
            await gate.close()
            count = len(bridge.seconds)
            await until(lambda: len(bridge.seconds) > count + 10)
            broker.start()  # it has forgotten everything
            await until(lambda: subscriber.present)
            await gate.open()
            await until(lambda: "that waited delivered" in bridge.err)
            assert subscriber.last(f"{BASE}/availability") == "online"
            await gate.close()
            broker.kill()
            await until(lambda: not subscriber.present)
            count = len(bridge.seconds)
            await until(lambda: len(bridge.seconds) > count + 10)
            await server.pause()  # so that what was heard is what was printed
            await asyncio.sleep(0.3)
            bridge.process.kill()
            first = bridge.seconds
        broker.start()
        await until(lambda: subscriber.present)
        await gate.open()
        with bridging(tmp_path, *args) as bridge:
            await until(lambda: "that waited delivered" in bridge.err)
            await until(lambda: outlet.clients)
            server.go()
            await until(lambda: len(bridge.seconds) > 5)
            await server.pause()
            assert await bridge.end() == 0
            second = bridge.seconds
        await until(lambda: unrepeated(subscriber.payloads(topic))[-1:] == second[-1:])
        assert first == list(range(first[0], first[0] + len(first)))
        assert unrepeated(subscriber.payloads(topic)) == first + second
        assert "dropped" not in bridge.err
        assert subscriber.last(f"{BASE}/availability") == "offline"
        assert subscriber.last("e320/bridge/test/availability") == "offline"
        assert {each.topic for each in subscriber.heard if each.topic.startswith("homeassistant")} == {
            "homeassistant/device/e320-1LGZ0063539421/config"
        }
    await gate.close()
    await outlet.close()


@needs_mosquitto
@in_loop
async def test_what_a_bridge_tells_of_a_day(broker: Mosquitto, tmp_path: Path) -> None:
    """A line that is not there yet, Home Assistant that starts, a bridge that is killed; and Ctrl-C."""
    port = free_port()
    args = (f"tcp://{HOST}:{port}", "--mqtt", f"mqtt://{HOST}:{broker.port}", "--name", "test", "--topic", "a/b")
    config = "homeassistant/device/e320-1LGZ0063539421/config"
    (tmp_path / "other").mkdir()
    async with listening(broker.port) as subscriber:
        with bridging(tmp_path, *args) as bridge:
            await until(lambda: f"{port}: expected" in bridge.err)
            outlet = await open_tcp(HOST, port)
            server = RunningMeter(outlet)
            await until(lambda: subscriber.last("a/b/1LGZ0063539421/1.8.0"))
            assert len(subscriber.payloads(config)) == 1
            async with Telling(broker.port) as home_assistant:
                await home_assistant.say("homeassistant/status", "online")
                await until(lambda: len(subscriber.payloads(config)) == 2)
            with bridging(tmp_path / "other", *args, environment={"XDG_STATE_HOME": str(tmp_path / "state")}) as other:
                await until(lambda: other.process.poll() is not None)
                assert "bridge-test.sqlite: expected a file of its own for each bridge" in other.err
                assert other.err.count("\n") == 1
                assert other.process.returncode == 2
            bridge.process.kill()
            await until(lambda: subscriber.last("a/b/bridge/test/availability") == "offline")
        with bridging(tmp_path, *args) as bridge:
            await until(lambda: subscriber.last("a/b/bridge/test/availability") == "online")
            await until(lambda: "telegrams arrive" in bridge.err)
            await server.pause()
            await outlet.close()
            await until(lambda: subscriber.last("a/b/1LGZ0063539421/availability") == "offline")
            assert subscriber.last("a/b/bridge/test/availability") == "online"
            assert "the other end has closed it" in bridge.err
            assert await bridge.end(signal.SIGINT) == 130
            assert "Traceback" not in bridge.err


class Telling:
    """Somebody else at the broker."""

    def __init__(self, port: int) -> None:
        self._client = aiomqtt.Client(HOST, port)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)

    async def say(self, topic: str, text: str) -> None:
        await self._client.publish(topic, text)


def certificates(folder: Path) -> None:
    """A certificate of a broker and that of who signed it, and a second signer who did not."""

    def write(name: str, octets: bytes) -> None:
        (folder / name).write_bytes(octets)

    def certify(subject: str, key: Any, issuer: str, signer: Any, *, ca: bool) -> bytes:  # noqa: ANN401 - keys
        now = datetime.now(UTC)
        names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name) for name in (subject, issuer)]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(names[:1]))
            .issuer_name(x509.Name(names[1:]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        )
        made: bytes = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return made

    for signer, ends in (("ca", ("broker", "client")), ("other", ())):
        signing = ec.generate_private_key(ec.SECP256R1())
        write(f"{signer}.pem", certify(signer, signing, signer, signing, ca=True))
        for end in ends:
            key = ec.generate_private_key(ec.SECP256R1())
            write(f"{end}.pem", certify(end, key, signer, signing, ca=False))
            plain = serialization.NoEncryption()
            pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
            write(f"{end}.key", pem)


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that wants TLS, a certificate and a password."""
    certificates(tmp_path)
    passwords = tmp_path / "passwords"
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-b", "-c", str(passwords), "house", SECRET], check=True, capture_output=True)  # noqa: S603
    tmp_path.chmod(0o755)
    passwords.chmod(0o644)
    mosquitto = Mosquitto(
        tmp_path,
        "allow_anonymous false",
        "user root",
        f"password_file {passwords}",
        f"cafile {tmp_path}/ca.pem",
        f"certfile {tmp_path}/broker.pem",
        f"keyfile {tmp_path}/broker.key",
        "require_certificate true",
    )
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@needs_mosquitto
@in_loop
async def test_tls_and_passwords(secured: Mosquitto, tmp_path: Path) -> None:
    url = f"mqtts://house@{HOST}:{secured.port}"
    ca, *own = [
        f"--mqtt-{option}={tmp_path}/{name}"
        for option, name in (("ca", "ca.pem"), ("cert", "client.pem"), ("key", "client.key"))
    ]
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    wrong = "wr0ng"
    cases: list[tuple[tuple[object, ...], str]] = [
        ((url, ca, *own, f"--mqtt-password-file={file}"), "connected"),
        ((url.replace("house", f"house:{wrong}"), ca, *own), "Not authorized"),
        ((url, ca.replace("ca.pem", "other.pem"), *own), "certificate verify failed"),
    ]
    bridges = []
    try:
        for number, (args, _) in enumerate(cases):
            folder = tmp_path / str(number)
            folder.mkdir()
            options = ("--name", f"test-{number}", f"tcp://{HOST}:1", "--mqtt")
            bridges.append(Bridge(folder, *options, *args))
        for bridge, (_, words) in zip(bridges, cases, strict=True):
            await until(lambda bridge=bridge, words=words: words in bridge.err)  # type: ignore[misc]
            assert not [secret for secret in (SECRET, wrong, "Traceback") if secret in bridge.err]
    finally:
        for bridge in bridges:
            assert await bridge.end() == 0


@in_loop
async def test_intervals_lines_and_a_reader_that_goes_away(tmp_path: Path) -> None:
    outlet = await open_tcp(HOST, 0)
    with bridging(tmp_path, f"tcp://{outlet.name}", "--jsonl", "--every", "0.5") as bridge:
        await until(lambda: outlet.clients)
        server = RunningMeter(outlet)
        await until(lambda: len(bridge.telegrams) >= 3)
        await server.pause()
        assert await bridge.end() == 0  # what was held is printed as well
        arrived = [datetime.fromisoformat(telegram["arrived"]).timestamp() for telegram in bridge.telegrams]
        intervals = [moment // 0.5 for moment in arrived]
        assert sorted(set(intervals)) == intervals
        assert bridge.seconds[-1] - bridge.seconds[0] > len(bridge.seconds)
        assert {telegram["url"] for telegram in bridge.telegrams} == {f"tcp://{outlet.name}"}
    command = [*COMMAND, f"tcp://{outlet.name}", "--jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603, ASYNC220 - ours
    await until(lambda: outlet.clients)
    server = RunningMeter(outlet)
    assert process.stdout is not None
    assert process.stderr is not None
    await asyncio.to_thread(process.stdout.readline)
    process.stdout.close()
    await until(lambda: process.poll() is not None)
    assert process.returncode == 141
    assert process.stderr.read() == f"e320: tcp://{outlet.name}: connecting\n".encode() + (
        f"e320: tcp://{outlet.name}: telegrams arrive\ne320: tcp://{outlet.name}: stopped\n".encode()
    )
    process.stderr.close()
    await server.pause()
    await outlet.close()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["tcp://h:1"], "expected --mqtt URL, --prometheus HOST:PORT or --jsonl, found none of them"),
        (["tcp://h:1", "--mqtt", "http://me:s3cret@house"], "--mqtt: expected mqtt://[USER[:PASSWORD]@]HOST[:PORT]"),
        (["tcp://h:1", "--mqtt", "mqtt://me:s3cret@ho use:x"], "found another form"),
        (["tcp://h:1", "--jsonl", "--mqtt-ca", "x.pem"], "--mqtt: expected a broker beside its other options"),
        (["tcp://h:1", "--mqtt", "mqtt://house", "--mqtt-ca", "x.pem"], "--mqtt-ca: expected mqtts://"),
        (["tcp://h:1", "--mqtt", "mqtts://house", "--mqtt-ca", "x.pem"], "--mqtt-ca: cannot read x.pem: No such file"),
        (["tcp://h:1", "--mqtt", "mqtt://a@house", "--mqtt-password-file", "x"], "--mqtt-password-file: cannot read x"),
        (["tcp://h:1", "--mqtt", "mqtt://house", "--topic", "e320/#"], "--topic: expected the begin of a topic"),
        (
            ["tcp://h:1", "--mqtt", "mqtt://house", "--buffer", "/none/x"],
            "/none/x: expected a file to keep messages in",
        ),
        (["udp://h:1", "--mqtt", "mqtt://127.0.0.1:1"], "udp://h:1: expected"),
        (["tcp://h:1", "--prometheus", "house"], "--prometheus: expected HOST:PORT or PORT, found 'house'"),
    ],
)
def test_wrong_usage_is_one_line(e320: Run, args: list[str], words: str) -> None:
    done = e320("bridge", *args)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("e320: ")
    assert done.err.count("\n") == 1
    assert words in done.err
    assert "s3cret" not in done.err


@pytest.mark.parametrize(
    ("library", "option", "extra"),
    [("aiomqtt", "--mqtt=mqtt://house", "mqtt"), ("prometheus_client", "--prometheus=0", "prometheus")],
)
def test_a_library_that_is_not_installed_is_named(
    e320: Run, monkeypatch: pytest.MonkeyPatch, library: str, option: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"e320proto.aio.{extra}", raising=False)
    done = e320("bridge", "tcp://h:1", option)
    words = f"e320: --{extra}: {library} is not installed, try: pip install e320proto[{extra}]\n"
    assert (done.status, done.out, done.err) == (2, "", words)
