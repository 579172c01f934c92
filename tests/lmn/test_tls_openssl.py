"""The TLS engine against the ``openssl`` program over loopback sockets, both roles: every suite on every curve."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

import pytest

from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.tls import TlsEngine, TlsSession, TlsState
from e320proto.lmn.tls_events import Failed, PlainReceived, TlsClosed, TlsEstablished, TlsEvent
from e320proto.lmn.tls_terms import CipherSuite, NamedCurve
from tests.lmn.tls_peers import GATEWAY, METER, Identity, context, identity, new_identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e320proto.errors import SecurityError
    from e320proto.lmn.tls import TlsContext

OPENSSL: Final = shutil.which("openssl")
PATIENCE_S: Final = 20.0
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="the program openssl is not installed")

every_curve = pytest.mark.parametrize("curve", NamedCurve, ids=lambda curve: curve.openssl_name)
every_suite = pytest.mark.parametrize("suite", CipherSuite, ids=lambda suite: suite.openssl_name)


class Wire:
    """An engine on a socket."""

    def __init__(self, engine: TlsEngine, wire: socket.socket) -> None:
        self.engine = engine
        self.wire = wire
        self.events: list[TlsEvent] = engine.start(now=0)

    def until(self, *kinds: type[TlsEvent]) -> TlsEvent:
        """Carry octets until an event of these kinds, and return it; what came before is gone."""
        while True:
            self.flush()
            while self.events:
                event = self.events.pop(0)
                if isinstance(event, kinds):
                    return event
                assert not isinstance(event, Failed), event.error
            try:
                data = self.wire.recv(4096)
            except ConnectionResetError:
                data = b""
            self.events += self.engine.receive_data(data, now=0) if data else self.engine.link_closed(now=0)

    def until_plain(self, expected: bytes) -> None:
        plain = b""
        while expected not in plain:
            event = self.until(PlainReceived)
            assert isinstance(event, PlainReceived)
            plain += event.data

    def flush(self) -> None:
        for item in self.engine.data_to_send():
            self.wire.sendall(item)

    def established(self) -> TlsEstablished:
        event = self.until(TlsEstablished)
        assert isinstance(event, TlsEstablished)
        return event

    def failure(self) -> SecurityError:
        event = self.until(Failed)
        assert isinstance(event, Failed)
        self.flush()
        return event.error


class Program:
    """A running ``openssl``, its output and how it is talked to."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = b""

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def types(self, text: bytes) -> None:
        self.stdin.write(text)
        self.stdin.flush()

    def says(self, words: bytes) -> bytes:
        """Read its output up to a line with these words."""
        assert self.process.stdout is not None
        while True:
            line = self.process.stdout.readline()
            self.said += line
            if words in line:
                return line
            assert line, f"no {words!r} in {self.said!r}"

    def ends(self) -> bytes:
        """Everything it said, once it has ended."""
        rest, _ = self.process.communicate(timeout=PATIENCE_S)
        self.said += rest
        return self.said


@contextmanager
def openssl(*arguments: str) -> Iterator[Program]:
    with subprocess.Popen(  # noqa: S603 - the program found above, with arguments of this file
        [str(OPENSSL), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def files(folder: Path, own: Identity, pin: Identity) -> list[str]:
    """The arguments of ``openssl`` for credentials, and that it accepts the pin alone."""
    for name, octets in (("own", own.certificate), ("pin", pin.certificate)):
        (folder / f"{name}.pem").write_text(ssl.DER_cert_to_PEM_cert(octets))
    (folder / "key.der").write_bytes(own.sec1)
    return [
        *("-cert", str(folder / "own.pem"), "-key", str(folder / "key.der"), "-keyform", "DER"),
        *("-CAfile", str(folder / "pin.pem"), "-no-CApath", "-no-CAstore", "-verify_return_error"),
    ]


def suited(suite: CipherSuite, curve: NamedCurve) -> list[str]:
    return ["-tls1_2", "-cipher", suite.openssl_name, "-groups", curve.openssl_name]


@contextmanager
def meter_and_client(meter: TlsContext, *arguments: str) -> Iterator[tuple[Wire, Program]]:
    """Our meter, and ``openssl s_client`` connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        port = listener.getsockname()[1]
        with openssl("s_client", "-connect", f"127.0.0.1:{port}", *arguments) as program:
            wire, _ = listener.accept()
            with wire:
                wire.settimeout(PATIENCE_S)
                yield Wire(TlsEngine(meter), wire), program


@contextmanager
def server(*arguments: str) -> Iterator[tuple[Program, int]]:
    """``openssl s_server``, which asks for a certificate, and its port."""
    with openssl("s_server", "-accept", "127.0.0.1:0", "-Verify", "1", *arguments) as program:
        yield program, int(program.says(b"ACCEPT").rsplit(b":", 1)[1])


@contextmanager
def gateway_on(port: int, gateway: TlsContext, session: TlsSession | None = None) -> Iterator[Wire]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as wire:
        yield Wire(TlsEngine(gateway, session), wire)


# --- every suite on every curve -----------------------------------------------------------------


@every_curve
@every_suite
def test_our_meter_and_openssl(suite: CipherSuite, curve: NamedCurve, tmp_path: Path) -> None:
    arguments = files(tmp_path, identity(GATEWAY, curve), identity(METER, curve)) + suited(suite, curve)
    with meter_and_client(context(server=True, curve=curve), *arguments) as (meter, program):
        established = meter.established()
        assert (established.cipher, established.curve, established.resumed) == (suite, curve, False)
        program.types(b"request\n")
        meter.until_plain(b"request\n")
        meter.engine.send(b"response\n")
        meter.flush()
        program.says(b"response")
        program.stdin.close()
        assert meter.until(TlsClosed) == TlsClosed(clean=True)
        meter.flush()
        meter.wire.close()  # which openssl waits for
        assert program.process.wait(PATIENCE_S) == 0
    assert b"Verify return code: 0 (ok)" in program.said


@every_curve
def test_our_gateway_and_openssl(curve: NamedCurve, tmp_path: Path) -> None:
    arguments = files(tmp_path, identity(METER, curve), identity(GATEWAY, curve))
    with server(*arguments, "-tls1_2", "-groups", curve.openssl_name, "-rev") as (_, port):
        for suite in CipherSuite:
            profile = SecurityProfile(gateway_cipher_order=(suite.value,))
            with gateway_on(port, context(server=False, curve=curve, profile=profile)) as gateway:
                established = gateway.established()
                assert (established.cipher, established.curve, established.resumed) == (suite, curve, False)
                gateway.engine.send(b"request\n")
                gateway.until_plain(b"tseuqer\n")
                gateway.engine.close(now=0)
                gateway.flush()
                assert isinstance(gateway.until(TlsClosed), TlsClosed)


# --- resumption, renegotiation, small fragments --------------------------------------------------


def test_openssl_resumes_a_session_with_our_meter(tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(GATEWAY), identity(METER)), "-tls1_2"]
    meter = context(server=True)
    for option, resumed in (("-sess_out", False), ("-sess_in", True)):
        with meter_and_client(meter, *arguments, option, str(tmp_path / "session")) as (wire, program):
            assert wire.established().resumed == resumed
            program.stdin.close()
            wire.until(TlsClosed)
            wire.flush()
            wire.wire.close()
            assert program.process.wait(PATIENCE_S) == 0


def test_our_gateway_resumes_a_session_with_openssl(tmp_path: Path) -> None:
    gateway = context(server=False)
    session = None
    with server(*files(tmp_path, identity(METER), identity(GATEWAY)), "-tls1_2", "-rev") as (_, port):
        for resumed in (False, True, True):
            with gateway_on(port, gateway, session) as wire:
                assert wire.established().resumed == resumed
                session = wire.engine.session
                wire.engine.close(now=0)
                wire.flush()
                wire.until(TlsClosed)


def test_our_meter_does_not_renegotiate(tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(GATEWAY), identity(METER)), "-tls1_2"]
    with meter_and_client(context(server=True), *arguments) as (meter, program):
        meter.established()
        program.types(b"R\n")
        error = meter.failure()  # openssl gives up when it hears so
        assert error.alert in {"handshake_failure", None}
        assert b"no renegotiation" in program.ends()


def test_our_gateway_does_not_renegotiate(tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(METER), identity(GATEWAY)), "-tls1_2"]
    with server(*arguments) as (program, port), gateway_on(port, context(server=False)) as gateway:
        gateway.established()
        program.says(b"CIPHER")
        program.types(b"r\n")
        assert gateway.failure().alert == "handshake_failure"  # openssl gives up when it hears no_renegotiation
        program.says(b"no renegotiation")


def test_our_meter_keeps_to_fragments_of_512_octets(tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(GATEWAY), identity(METER)), "-tls1_2", "-maxfraglen", "512"]
    meter = context(server=True, profile=SecurityProfile(tls_write_chunk=4096, meter_cipher_order=(0xC023,)))
    with meter_and_client(meter, *arguments) as (wire, program):
        wire.established()
        wire.engine.send(b"x" * 999 + b"\n")
        items = wire.engine.data_to_send()
        assert max(int.from_bytes(item[3:5]) for item in items) <= 576
        for item in items:
            wire.wire.sendall(item)
        program.says(b"x" * 999)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [GATEWAY, "another.SMGW"])
def test_our_meter_refuses_another_gateway(name: str, tmp_path: Path) -> None:
    arguments = [*files(tmp_path, new_identity(name), identity(METER)), "-tls1_2"]
    with meter_and_client(context(server=True), *arguments) as (meter, program):
        assert meter.failure().alert == "unknown_ca"
        assert b"alert unknown ca" in program.ends()


@pytest.mark.parametrize("name", [METER, "another.SM"])
def test_our_gateway_refuses_another_meter(name: str, tmp_path: Path) -> None:
    with server(*files(tmp_path, new_identity(name), identity(GATEWAY)), "-tls1_2", "-naccept", "1") as (program, port):
        with gateway_on(port, context(server=False)) as gateway:
            assert gateway.failure().alert == "unknown_ca"
        assert b"alert unknown ca" in program.ends()


def test_openssl_refuses_a_foreign_gateway_of_ours(tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(METER), new_identity("another.SMGW")), "-tls1_2"]
    with server(*arguments) as (_, port), gateway_on(port, context(server=False)) as gateway:
        error = gateway.failure()
    assert error.alert == "unknown_ca"
    assert str(error).endswith("found the peer's alert unknown_ca")


def test_our_gateway_refuses_an_expired_certificate(tmp_path: Path) -> None:
    expired = new_identity(METER, days=(-100, -1))
    with server(*files(tmp_path, expired, identity(GATEWAY)), "-tls1_2", "-naccept", "1") as (program, port):
        with gateway_on(port, context(server=False, pin=expired)) as gateway:
            error = gateway.failure()
        assert b"alert certificate expired" in program.ends()
    assert error.alert == "certificate_expired"
    assert str(error).endswith("found certificate has expired (code 10)")


def test_our_meter_refuses_a_gateway_without_a_certificate() -> None:
    with meter_and_client(context(server=True), "-tls1_2") as (meter, program):
        error = meter.failure()
        assert b"alert handshake failure" in program.ends()
    assert error.alert == "handshake_failure"
    assert str(error).endswith("found peer did not return a certificate")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_3"])
def test_our_meter_refuses_another_version(version: str, tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(GATEWAY), identity(METER)), version, "-cipher", "ALL:@SECLEVEL=0"]
    with meter_and_client(context(server=True), *arguments) as (meter, program):
        assert meter.failure().alert == "protocol_version"
        assert b"alert protocol version" in program.ends()


@pytest.mark.parametrize(("version", "alert"), [("-tls1_1", "handshake_failure"), ("-tls1_3", "protocol_version")])
def test_our_gateway_refuses_another_version(version: str, alert: str, tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(METER), identity(GATEWAY)), version, "-cipher", "ALL:@SECLEVEL=0"]
    with server(*arguments) as (_, port), gateway_on(port, context(server=False)) as gateway:
        assert gateway.failure().alert == alert  # 1.1: none of our suites is for it
        assert gateway.engine.state is TlsState.FAILED


@pytest.mark.parametrize(
    "suite", ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES128-SHA", "AES128-SHA"]
)
def test_a_foreign_suite_is_refused(suite: str, tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(GATEWAY), identity(METER)), "-tls1_2", "-cipher", suite]
    with meter_and_client(context(server=True), *arguments) as (meter, program):
        assert meter.failure().alert == "handshake_failure"
        assert b"alert handshake failure" in program.ends()
    arguments = [*files(tmp_path, identity(METER), identity(GATEWAY)), "-tls1_2", "-cipher", suite]
    with server(*arguments) as (_, port), gateway_on(port, context(server=False)) as gateway:
        assert gateway.failure().alert == "handshake_failure"


def test_openssl_that_is_gone_is_an_unclean_end(tmp_path: Path) -> None:
    arguments = [*files(tmp_path, identity(GATEWAY), identity(METER)), "-tls1_2"]
    with meter_and_client(context(server=True), *arguments) as (meter, program):
        meter.established()
        program.process.kill()
        assert meter.until(TlsClosed) == TlsClosed(clean=False)
