"""What a bridge needs before it runs: broker, credentials, buffer; each error is one line for people."""

from __future__ import annotations

import os
import re
import socket
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from e320proto.cli.meter_setup import UnusableError
from e320proto.errors import DecodeError, TransportError
from e320proto.live.broker import Broker
from e320proto.live.mqtt_messages import safe_name
from e320proto.live.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.live.home_assistant import Language

USERNAME: Final = "E320_MQTT_USERNAME"
PASSWORD: Final = "E320_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
_WHOLE_PREFIX = re.compile(r"[^#+/\x00-\x1f$][^#+\x00-\x1f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePlan:
    """What was asked for on the command line.

    Args:
        urls: of the lines, each once.
        mqtt: URL of a broker; it may hold a password.
        password_file: file with the password.
        ca: certificates to trust.
        certificate: to show to the broker.
        key: of that certificate.
        topic: what all topics begin with.
        home_assistant: discovery prefix; ``None`` to tell Home Assistant nothing.
        language: of the names there.
        name: of the bridge; that of the host if not given.
        buffer: file for telegrams while the broker is away; see :func:`buffer_path` if not given.
        buffer_limit: how many it keeps.
        every_s: intervals of which the last telegram is handed on, s; 0 for every telegram.
        prometheus: host and port to answer on.
        jsonl: whether to print each telegram.
    """

    urls: tuple[str, ...]
    mqtt: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    topic: str = "e320"
    home_assistant: str | None = "homeassistant"
    language: Language = "en"
    name: str | None = None
    buffer: Path | None = None
    buffer_limit: int = 100_000
    every_s: float = 0.0
    prometheus: str | None = None
    jsonl: bool = False

    @property
    def bridge_name(self) -> str:
        """The name in topics, of the client and of the buffer."""
        return safe_name(self.name or socket.gethostname())


def check_plan(plan: BridgePlan) -> None:
    """Refuse what cannot be meant.

    Raises:
        UnusableError: nothing to hand on to; options without ``--mqtt``; a prefix that is no topic.
    """
    if plan.mqtt is None:
        if plan.prometheus is None and not plan.jsonl:
            msg = "bridge: expected --mqtt URL, --prometheus HOST:PORT or --jsonl, found none of them"
            raise UnusableError(msg)
        for option in ("password_file", "ca", "certificate", "key", "buffer"):
            if getattr(plan, option) is not None:
                msg = (
                    f"--mqtt: expected a broker beside its other options, found none ({option.replace('_', ' ')} given)"
                )
                raise UnusableError(msg)
    for option, prefix in (("--topic", plan.topic), ("--home-assistant", plan.home_assistant)):
        if prefix is not None and (not _WHOLE_PREFIX.fullmatch(prefix) or prefix.endswith("/")):
            msg = f"{option}: expected the begin of a topic, without #, + and a / at its ends, found {prefix!r}"
            raise UnusableError(msg)


def broker_of(plan: BridgePlan, environment: Mapping[str, str]) -> Broker:
    """The broker that a plan means, with all that it takes to be let in.

    A password in the URL counts first, then that of the file, then that of the environment.

    Raises:
        UnusableError: a wrong URL; a file that cannot be read; TLS options without TLS.
    """
    try:
        broker = Broker.parse(plan.mqtt or "")
    except DecodeError as error:
        msg = f"--mqtt: {error.detail}"
        raise UnusableError(msg) from None  # the cause may show a password
    for option, path in (("--mqtt-ca", plan.ca), ("--mqtt-cert", plan.certificate), ("--mqtt-key", plan.key)):
        if path is not None:
            if not broker.tls:
                msg = f"{option}: expected mqtts:// as the broker, found mqtt:// without TLS"
                raise UnusableError(msg)
            _read(option, path)
    if plan.key is not None and plan.certificate is None:
        msg = "--mqtt-key: expected --mqtt-cert beside it, found none"
        raise UnusableError(msg)
    username = broker.username or environment.get(USERNAME)
    password = broker.password
    if password is None and plan.password_file is not None:
        password = _password(plan.password_file)
    if password is None:
        password = environment.get(PASSWORD)
    if password is not None and username is None:
        msg = f"a password for the broker needs a user name: mqtt://NAME@HOST, or {USERNAME} in the environment"
        raise UnusableError(msg)
    return replace(broker, username=username, password=password, ca=plan.ca, certificate=plan.certificate, key=plan.key)


def _read(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{option}: cannot read {path}: {error.strerror or error}"
        raise UnusableError(msg) from error


def _password(path: Path) -> str:
    octets = _read("--mqtt-password-file", path)
    if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH:
        sys.stderr.write(f"e320: everybody may read the password in {path}; try chmod 600\n")
    try:
        return octets.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        msg = f"--mqtt-password-file: expected UTF-8 in {path}, found other octets"
        raise UnusableError(msg) from None


def buffer_path(plan: BridgePlan, environment: Mapping[str, str]) -> Path:
    """Where telegrams wait for the broker: as given, else in the service's folder, else in the user's.

    Raises:
        UnusableError: none is given, and the user has no home.

    >>> str(buffer_path(BridgePlan(urls=(), name="attic"), {"STATE_DIRECTORY": "/var/lib/e320"}))
    '/var/lib/e320/bridge-attic.sqlite'
    """
    if plan.buffer is not None:
        return plan.buffer
    name = f"bridge-{plan.bridge_name}.sqlite"
    service = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if service:
        return Path(service) / name
    try:
        state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError as error:
        msg = "--buffer: expected a file, since this user has no home, found none"
        raise UnusableError(msg) from error
    return Path(state) / "e320proto" / name


def open_outbox(plan: BridgePlan) -> Outbox:
    """Open the buffer, and make its folder if it is not there.

    Raises:
        UnusableError: it cannot be opened or made, or another bridge uses it.
    """
    path = buffer_path(plan, os.environ)
    try:
        if plan.buffer is None:
            path.parent.mkdir(parents=True, exist_ok=True)
        return Outbox(path, limit=plan.buffer_limit)
    except OSError as error:
        if isinstance(error, TransportError):
            advice = "; --name gives a bridge its own" if plan.buffer is None else ""
            msg = f"{error}{advice}"
            raise UnusableError(msg) from error
        msg = f"cannot make {path.parent}: {error.strerror or error}"
        raise UnusableError(msg) from error
