"""What a running meter needs before it runs: configuration, load, state, outlets; each error is one line for people."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from e320proto.cli.meter_profile import parse_load
from e320proto.errors import DecodeError, TransportError
from e320proto.identity import DeviceId
from e320proto.meter.config import E320Config
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.keys import MeterKey
from e320proto.meter.model import Meter
from e320proto.meter.profile import drive
from e320proto.meter.store import MemoryStore, SqliteStore
from e320proto.meter.svg import faceplate_svg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path

    from e320proto.aio.lmn_server import MeterBus
    from e320proto.aio.outlets import Outlet
    from e320proto.cli.meter_profile import Load
    from e320proto.lmn.profile import LmnProfile
    from e320proto.meter.store import Store

DEFAULT: Final = E320Config(pin="1234", extended_set=True)
"""The meter without a configuration: its menu asks for the PIN 1234, and pushes hold the extended data set."""

_SVG_AFTER_S: Final = 30.0  # the commissioning sequence is over


class UnusableError(Exception):
    """What was asked for cannot be done; the message is one line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPlan:
    """What was asked for on the command line.

    Args:
        config: file of the configuration; ``None`` for :data:`DEFAULT`.
        profile: what the meter sees, see :func:`e320proto.cli.meter_profile.parse_load`.
        state: file that keeps what lasts; ``None`` to forget it.
        pty: whether to send to a pseudo-terminal.
        tcp: host and port to listen on.
        serial: serial port to send to.
        stdout: whether to send to standard output.
        lmn: URL of an LMN bus to be on.
        count: meters on that bus, with consecutive device ids.
        speed: seconds of the meter in a second.
        start_s: time of the profile at which the meter begins.
        for_s: how long it runs, in its own seconds; ``None`` for ever.
    """

    config: Path | None = None
    profile: str
    state: Path | None = None
    pty: bool = False
    tcp: str | None = None
    serial: str | None = None
    stdout: bool = False
    lmn: str | None = None
    count: int = 1
    speed: float = 1.0
    start_s: float = 0.0
    for_s: float | None = None


def read_config(path: Path | None) -> E320Config:
    """Read a configuration.

    Raises:
        UnusableError: it cannot be read, or is wrong.
    """
    if path is None:
        return DEFAULT
    try:
        return E320Config.from_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:  # also what is no UTF-8
        msg = f"{path}: {error}"
        raise UnusableError(msg) from error


def configs_of(plan: MeterPlan) -> list[E320Config]:
    """Read the configuration, and make those of further meters on the bus.

    Raises:
        UnusableError: it cannot be read, is wrong, or does not go with the rest.
    """
    if plan.lmn is None and plan.count > 1:
        msg = "--count: expected --lmn URL beside it, found none"
        raise UnusableError(msg)
    if plan.lmn is not None and plan.speed != 1:
        msg = f"--speed: expected 1 with --lmn, since a bus has real time, found {plan.speed:g}"
        raise UnusableError(msg)
    config = read_config(plan.config)
    first = DeviceId.parse(config.device_id)
    try:
        ids = [
            DeviceId(first.medium, first.flag, first.block, first.number + number, first.edition, first.year)
            for number in range(plan.count)
        ]
    except DecodeError as error:
        msg = f"--count: {error}"
        raise UnusableError(msg) from error
    return [replace(config, device_id=str(each)) for each in ids]


def state_of(plan: MeterPlan, number: int) -> Path | None:
    """The file that keeps the state of one of the meters."""
    return plan.state if plan.state is None or number == 0 else plan.state.with_name(f"{plan.state.name}.{number}")


async def open_bus(url: str, stack: AsyncExitStack) -> tuple[MeterBus, LmnProfile]:
    """Open the bus that meters are on, and tell what times they have to keep; the stack closes it.

    Raises:
        TransportError: it cannot be opened.
    """
    from e320proto.aio.lmn_server import MeterBus  # noqa: PLC0415 - as below
    from e320proto.aio.pipe import SOFT_PROFILE, open_pipe  # noqa: PLC0415
    from e320proto.lmn.profile import LmnProfile  # noqa: PLC0415

    pipe = await open_pipe(url)
    stack.push_async_callback(pipe.close)
    apart = url.startswith(("tcp", "pty:", "memory:"))  # where nothing collides
    return MeterBus(pipe), SOFT_PROFILE if apart else LmnProfile()


def read_load(text: str) -> Load:
    """Read what the meter sees.

    Raises:
        UnusableError: it cannot be read, or is wrong.
    """
    try:
        return parse_load(text)
    except OSError as error:
        raise _unreadable(text, error) from error
    except (ValueError, ModuleNotFoundError) as error:
        msg = f"profile {text}: {error}"
        raise UnusableError(msg) from error


@contextmanager
def opened_meter(config: E320Config, state: Path | None) -> Iterator[Meter]:
    """Make a meter, or have it go on where its state ends.

    Raises:
        UnusableError: the state cannot be used; a file that is corrupt was moved aside.
    """
    if state is None:
        yield Meter(config)
        return
    with closing(_opened_store(state)) as store:
        yield _made(config, store, state)


def _opened_store(state: Path) -> SqliteStore:
    try:
        return SqliteStore(state)
    except OSError as error:
        raise UnusableError(error.strerror or str(error)) from error
    except ValueError as error:
        raise UnusableError(str(error)) from error


def _made(config: E320Config, store: Store, state: Path | None, *, pushes: bool = True) -> Meter:
    try:
        return Meter(config, store, pushes=pushes)
    except ValueError as error:
        msg = f"{state}: {error}"
        raise UnusableError(msg) from error


def _remembered(state: Path | None) -> MemoryStore:
    """Copy a state, so that the file stays as it is."""
    store = MemoryStore()
    if state is not None and state.exists():
        with closing(_opened_store(state)) as kept:
            found = kept.load()
        if found is not None:
            store.save(lambda: found)
    return store


async def open_outlets(plan: MeterPlan, stack: AsyncExitStack) -> list[Outlet]:
    """Open what pushes go to; the stack closes it.

    Raises:
        UnusableError: a port that cannot be opened.
    """
    # Only here: whoever decodes a file does not wait for asyncio.
    from e320proto.aio import outlets as aio  # noqa: PLC0415

    outlets: list[Outlet] = []
    try:
        if plan.pty:
            outlets.append(await aio.open_pty())
        if plan.tcp is not None:
            outlets.append(await aio.open_tcp(*listen_address("--tcp", plan.tcp)))
        if plan.serial is not None:
            outlets.append(await aio.open_serial(plan.serial))
        if plan.stdout:
            outlets.append(aio.StreamOutlet(sys.stdout.buffer, "standard output"))
    except TransportError as error:
        raise UnusableError(str(error)) from error
    finally:
        for outlet in outlets:
            stack.push_async_callback(outlet.close)
    return outlets


def listen_address(option: str, text: str) -> tuple[str, int]:
    """Read host and port of an option; a port alone is one of this machine only.

    Raises:
        UnusableError: it is neither.

    >>> listen_address("--tcp", "7000"), listen_address("--tcp", "[::]:7000")
    (('127.0.0.1', 7000), ('::', 7000))
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal()):
        msg = f"{option}: expected HOST:PORT or PORT, found {text!r}"
        raise UnusableError(msg)
    return host.strip("[]") or "127.0.0.1", int(port)


def face_svg(plan: MeterPlan) -> str:
    """Draw the face of a meter after it has run for a while; its state stays what it is.

    Raises:
        UnusableError: configuration, load or state cannot be used.
    """
    config, load = read_config(plan.config), read_load(plan.profile)
    meter = _made(config, _remembered(plan.state), plan.state, pushes=False)
    drive(meter, load.profile, plan.start_s + (_SVG_AFTER_S if plan.for_s is None else plan.for_s), from_s=plan.start_s)
    plate = faceplate(config)
    try:
        modules = plate.modules()
    except ImportError:  # without the extra, the place of the code is empty
        modules = None
    return faceplate_svg(plate, meter.display, modules=modules)


def faceplate(config: E320Config) -> Faceplate:
    """Print the faceplate with a public key.

    The key is made of the device id, so a meter always bears the same one; it protects nothing.

    Raises:
        UnusableError: a type designation that no faceplate can bear.
    """
    # 248 bits, below the orders of both curves.
    number = int.from_bytes(sha256(config.device_id.encode()).digest()[1:]) or 1
    try:
        return Faceplate.of(config, MeterKey.from_private_number(number, config.curve).public_key)
    except ValueError as error:
        raise UnusableError(str(error)) from error


def _unreadable(name: object, error: OSError) -> UnusableError:
    return UnusableError(f"cannot read {name}: {error.strerror or error}")
