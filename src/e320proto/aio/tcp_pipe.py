"""Pipes over TCP: a connection, and a port whose clients are all on one bus."""

from __future__ import annotations

import asyncio
import os
import socket
from functools import partial
from typing import TYPE_CHECKING

from e320proto.aio.stream_pipe import StreamPipe
from e320proto.aio.tcp import listen_refusal, named
from e320proto.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable


def _at_once(connection: socket.socket) -> None:
    """Have each frame leave when it is sent."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def connect_tcp(host: str, port: int) -> StreamPipe:
    """Connect to a TCP port.

    Raises:
        TransportError: nobody listens there, or there is no such host.
    """
    where = named(host, port)
    gone = "expected the connection that was made, found that the other end has closed it"
    try:
        transport, pipe = await asyncio.get_running_loop().create_connection(
            lambda: StreamPipe(f"tcp://{where}", gone), host, port
        )
    except socket.gaierror as error:
        msg = f"tcp://{where}: expected a host with an address, found none ({error.strerror})"
        raise TransportError(msg) from error
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        msg = f"tcp://{where}: expected somebody who listens there, found: {why}"
        raise TransportError(msg) from error
    _at_once(transport.get_extra_info("socket"))
    return pipe


class ListeningPipe:
    """A TCP port as a bus; made by :func:`listen_tcp`. A client hears this end and the other clients.

    Attributes:
        name: what clients connect to.
    """

    def __init__(self) -> None:
        self.name = ""
        self._clients: set[StreamPipe] = set()
        self._server: asyncio.Server | None = None
        self._paused = False
        self._heard: Callable[[bytes], None] | None = None

    async def listen(self, host: str, port: int) -> None:
        """Let clients come.

        Raises:
            TransportError: the port is in use or not allowed, or the address is not one of this machine.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Client(self.name, self._arrived), host, port)
        except OSError as error:
            raise TransportError(listen_refusal(error, named(host, port))) from error
        self.name = f"tcp://{named(*self._server.sockets[0].getsockname()[:2])}"

    def _arrived(self, client: StreamPipe) -> None:
        if self._server is None:  # closed while it came
            client.abort()
            return
        self._clients.add(client)
        client.start(partial(self._hear, client), lambda _: self._clients.discard(client))
        if self._paused:
            client.pause()

    def _hear(self, client: StreamPipe, data: bytes) -> None:
        for other in self._clients:
            if other is not client:
                other.send(data)
        if self._heard is not None:
            self._heard(data)

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:  # noqa: ARG002 - a port that listens is not lost
        """Begin to listen."""
        self._heard = heard

    def send(self, data: bytes) -> None:
        """Send octets to all clients."""
        for client in self._clients:
            client.send(data)

    def pause(self) -> None:
        """Take nothing from the clients, until :meth:`resume`."""
        self._paused = True
        for client in self._clients:
            client.pause()

    def resume(self) -> None:
        """Go on listening."""
        self._paused = False
        for client in self._clients:
            client.resume()

    async def close(self) -> None:
        """Stop listening, and let the clients go."""
        self._heard = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            await client.close()
        self._clients.clear()


class _Client(StreamPipe):
    """A connection that tells that it has come."""

    def __init__(self, name: str, arrived: Callable[[StreamPipe], None]) -> None:
        super().__init__(name, "expected a client, found that it has left")
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _at_once(transport.get_extra_info("socket"))
        self._arrived(self)


async def listen_tcp(host: str, port: int) -> ListeningPipe:
    """Listen on a TCP port; 0 takes any free one, and ``name`` tells which.

    Raises:
        TransportError: the port is in use or not allowed, or the address is not one of this machine.
    """
    pipe = ListeningPipe()
    await pipe.listen(host, port)
    return pipe
