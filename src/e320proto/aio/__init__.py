"""Meters and gateways on real ports, in real time: the only place with sockets, serial ports and clocks.

The names below are loaded when they are first used: who reads a meter does not wait for a gateway and its TLS.

>>> import asyncio, io
>>> from e320proto.aio import MeterServer, StreamOutlet
>>> from e320proto.meter import E320Config, Meter
>>> stream = io.BytesIO()
>>> server = MeterServer(Meter(E320Config(pin="1234")), [StreamOutlet(stream)], speed=1000)
>>> asyncio.run(server.run(until_s=10))
>>> stream.getvalue().count(bytes.fromhex("1b1b1b1b01010101"))
9
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from e320proto.aio.gateway import Gateway, GatewayEvent, Listener, PipeLost, PipeOpened
    from e320proto.aio.key_file import FileKeyRing
    from e320proto.aio.lmn_server import LmnMeterServer, MeterBus
    from e320proto.aio.outlets import (
        Outlet,
        PtyOutlet,
        SerialOutlet,
        StreamOutlet,
        TcpOutlet,
        TcpOutlets,
        open_pty,
        open_serial,
        open_tcp,
        open_tcp_each,
    )
    from e320proto.aio.pipe import SOFT_PROFILE, Pipe, open_pipe
    from e320proto.aio.pool import MeterPool
    from e320proto.aio.reader import INFO_BAUD, MeterReader, ReaderState, ReaderTimes
    from e320proto.aio.reading import read_serial, telegrams
    from e320proto.aio.server import MeterServer, run_meters

_NAMES: Final = {
    "gateway": ("Gateway", "GatewayEvent", "Listener", "PipeLost", "PipeOpened"),
    "key_file": ("FileKeyRing",),
    "lmn_server": ("LmnMeterServer", "MeterBus"),
    "outlets": (
        "Outlet",
        "PtyOutlet",
        "SerialOutlet",
        "StreamOutlet",
        "TcpOutlet",
        "TcpOutlets",
        "open_pty",
        "open_serial",
        "open_tcp",
        "open_tcp_each",
    ),
    "pipe": ("Pipe", "SOFT_PROFILE", "open_pipe"),
    "pool": ("MeterPool",),
    "reader": ("INFO_BAUD", "MeterReader", "ReaderState", "ReaderTimes"),
    "reading": ("read_serial", "telegrams"),
    "server": ("MeterServer", "run_meters"),
}
_MODULE_OF: Final = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "INFO_BAUD",
    "SOFT_PROFILE",
    "FileKeyRing",
    "Gateway",
    "GatewayEvent",
    "Listener",
    "LmnMeterServer",
    "MeterBus",
    "MeterPool",
    "MeterReader",
    "MeterServer",
    "Outlet",
    "Pipe",
    "PipeLost",
    "PipeOpened",
    "PtyOutlet",
    "ReaderState",
    "ReaderTimes",
    "SerialOutlet",
    "StreamOutlet",
    "TcpOutlet",
    "TcpOutlets",
    "open_pipe",
    "open_pty",
    "open_serial",
    "open_tcp",
    "open_tcp_each",
    "read_serial",
    "run_meters",
    "telegrams",
]


if not TYPE_CHECKING:  # a type checker knows the names from above, and refuses any other

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used."""
        module = _MODULE_OF.get(name)
        if module is None:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
