"""Telegrams to decode, and the ways to run the command: in this process and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
from typer.testing import CliRunner

from e320proto import (
    GetListRes,
    ListEntry,
    Message,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Unsigned,
    encode_file,
    encode_transport,
)
from e320proto.cli.app import app

if TYPE_CHECKING:
    from e320proto import LocalTimestamp, Timestamp

SERVER = bytes.fromhex("0a014c475a0000bc614e")
SECOND = SecIndex(86423)
COMMAND = (sys.executable, "-m", "e320proto.cli")


class Outcome(NamedTuple):
    """What a run of the command printed, and its exit status."""

    status: int
    out: str
    err: str


class MakeEntry(Protocol):
    """Makes a register of a telegram."""

    def __call__(self, code: str, value: object, **fields: object) -> ListEntry:
        """Give the entry of an OBIS code."""


class Push(Protocol):
    """Makes a telegram of entries."""

    def __call__(
        self,
        *entries: ListEntry,
        server_id: bytes = ...,
        time: SecIndex | Timestamp | LocalTimestamp | None = ...,
        damage: int | None = ...,
    ) -> bytes:
        """Give the octets; ``damage`` is an octet of the payload to change before the outer checksum is made."""


class Run(Protocol):
    """Runs the command."""

    def __call__(self, *args: object, stdin: bytes = ...) -> Outcome:
        """Give what it printed and its exit status."""


@pytest.fixture(scope="session")
def entry() -> MakeEntry:
    def make(code: str, value: Any, **fields: Any) -> ListEntry:  # noqa: ANN401 - the record says what it takes
        return ListEntry(obj_name=ObisCode.parse(code), value=value, **fields)

    return make


@pytest.fixture(scope="session")
def energy(entry: MakeEntry) -> ListEntry:
    """123456.7 Wh with the status word of a meter that imports."""
    return entry("1.8.0", Unsigned(1234567, 8), unit=30, scaler=-1, status=Unsigned(0x1C0104, 4))


@pytest.fixture(scope="session")
def push() -> Push:
    def make(
        *entries: ListEntry,
        server_id: bytes = SERVER,
        time: SecIndex | Timestamp | LocalTimestamp | None = SECOND,
        damage: int | None = None,
    ) -> bytes:
        bodies = (
            PublicOpenRes(req_file_id=b"1", server_id=server_id),
            GetListRes(server_id=server_id, act_sensor_time=time, val_list=entries),
            PublicCloseRes(),
        )
        payload = bytearray(encode_file([Message(transaction_id=b"1", message_body=body) for body in bodies]))
        if damage is not None:
            payload[damage] ^= 1
        return encode_transport(bytes(payload))

    return make


@pytest.fixture
def e320(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process, where lines are 120 characters wide."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*args: object, stdin: bytes = b"") -> Outcome:
        done = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, catch_exceptions=False)
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def process() -> Run:
    """The command as a process of its own."""

    def run(*args: object, stdin: bytes = b"") -> Outcome:
        command = [*COMMAND, *(str(arg) for arg in args)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)  # noqa: S603 - ours
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
