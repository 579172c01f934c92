"""TCP ports as outlets: frames go to whoever connects.

::

    open_tcp(host, port)               one meter, any number of clients: each gets all frames
    open_tcp_each(host, port, count)   many meters, one port: each client gets a meter of its own

A client that reads too slowly loses whole frames, never parts of one: the system takes a frame at once, or its
rest waits here while the client loses the next ones. So at most one frame per client is kept in memory.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from e320proto.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

_SYSTEM_BUFFER: Final = 1 << 16
"""Octets that the system may keep for a client: some minutes of pushes. Left to itself it keeps hours of them."""

_BACKLOG: Final = 1_024
"""Clients that may wait to be accepted, for a thousand that come at once."""

_REASONS: Final = {
    errno.EADDRINUSE: "a free port, found it in use by another program",
    errno.EACCES: "a port that this user may open, found no permission; ports from 1024 on are free to all",
    errno.EADDRNOTAVAIL: "an address of this machine, found another one",
}


def named(host: str, port: int) -> str:
    """Write an address as URLs have it.

    >>> named("::1", 7000)
    '[::1]:7000'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, arrived: Callable[[_Client], None], left: Callable[[_Client], None]) -> None:
        self._arrived = arrived
        self._left = left
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SYSTEM_BUFFER)
        self._arrived(self)

    def eof_received(self) -> bool:
        """Go on sending: a client that has nothing to say may still listen."""
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it was lost
        self._left(self)

    def send(self, frame: bytes) -> bool:
        """Send a frame if the one before is gone; tell whether it was sent."""
        if self._transport.get_write_buffer_size() or self._transport.is_closing():
            return False
        self._transport.write(frame)
        return True

    def abort(self) -> None:
        self._transport.abort()


class _Listener:
    """A port and its clients."""

    def __init__(self) -> None:
        self.address = ("", 0)
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    @property
    def name(self) -> str:
        """Host and port, for a client to connect to."""
        return named(*self.address)

    @property
    def clients(self) -> int:
        """Clients that are connected now."""
        return len(self._clients)

    async def listen(self, host: str, port: int) -> None:
        """Let clients come.

        Raises:
            TransportError: the port is in use or not allowed, or the address is not one of this machine.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Client(self.arrived, self.left), host, port, backlog=_BACKLOG
            )
        except OverflowError as error:
            msg = f"TCP port: expected 0 to 65535, found {port}"
            raise TransportError(msg) from error
        except OSError as error:
            raise TransportError(listen_refusal(error, f"{host}:{port}")) from error
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        """Stop listening, if it does, and let the clients go."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.abort()
        while self._clients:  # noqa: ASYNC110 - the next round of the loop closes their sockets
            await asyncio.sleep(0)

    def arrived(self, client: _Client) -> None:
        """Serve this client from now on."""
        self._clients.add(client)

    def left(self, client: _Client) -> None:
        """Serve this client no more."""
        self._clients.discard(client)


class TcpOutlet(_Listener):
    """Frames to the clients of a TCP port; made by :func:`open_tcp` and :func:`open_tcp_each`.

    Attributes:
        address: host and port, for a client to connect to.
        dropped: frames that a client was too slow for, counted for each client; and those without any client.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0

    def send(self, frame: bytes) -> None:
        """Send a frame to every client that can take it."""
        self.dropped += not self._clients
        for client in self._clients:
            self.dropped += not client.send(frame)


class TcpOutlets(_Listener):
    """Outlets for many meters behind one TCP port; made by :func:`open_tcp_each`.

    Attributes:
        address: host and port of all of them.
        outlets: one for each meter.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.outlets = [TcpOutlet() for _ in range(count)]
        self._free = deque(self.outlets)
        self._taken: dict[_Client, TcpOutlet] = {}

    async def listen(self, host: str, port: int) -> None:
        """Let clients come."""
        await super().listen(host, port)
        for outlet in self.outlets:
            outlet.address = self.address

    def arrived(self, client: _Client) -> None:
        """Give a client the outlet that has been free for longest; without one, let it go again."""
        super().arrived(client)
        if not self._free:
            client.abort()
            return
        outlet = self._taken[client] = self._free.popleft()
        outlet.arrived(client)

    def left(self, client: _Client) -> None:
        """Take back the outlet of a client."""
        super().left(client)
        outlet = self._taken.pop(client, None)
        if outlet is not None:
            outlet.left(client)
            self._free.append(outlet)


def listen_refusal(error: OSError, where: str) -> str:
    """Say in words why a port cannot be listened on."""
    if isinstance(error, socket.gaierror):
        return f"{where}: expected a name or address of this machine, found one that nobody knows ({error.strerror})"
    number = error.errno or errno.EADDRNOTAVAIL  # newer versions of Python leave that one out
    found = _REASONS.get(number, f"a port to listen on, found: {os.strerror(number)}")
    return f"{where}: expected {found}"


async def open_tcp(host: str, port: int) -> TcpOutlet:
    """Listen on a TCP port; every client gets all frames.

    Args:
        host: name or address of this machine; ``"127.0.0.1"`` lets in programs on it only.
        port: 0 to 65535; 0 takes any free one, and the outlet tells which.

    Raises:
        TransportError: the port is in use or not allowed, or the address is not one of this machine.
    """
    outlet = TcpOutlet()
    await outlet.listen(host, port)
    return outlet


async def open_tcp_each(host: str, port: int, count: int) -> TcpOutlets:
    """Listen on one TCP port for many meters: each client gets a meter of its own.

    A client gets the meter that has been free for longest. When all are taken, further clients are let go at once.

    Args:
        host: as for :func:`open_tcp`.
        port: as for :func:`open_tcp`.
        count: number of outlets, one for each meter.

    Raises:
        TransportError: as for :func:`open_tcp`.
    """
    outlets = TcpOutlets(count)
    await outlets.listen(host, port)
    return outlets
