"""A pipe over a transport of the event loop: a TCP connection, a serial port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from e320proto.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_WAITING: Final = 1 << 16
"""Octets that may wait to be sent; a peer that is so far behind will not answer them in time."""


class StreamPipe(asyncio.Protocol):
    """Octets of one connection.

    Args:
        name: what the connection is to.
        gone: what to say when it is lost.
    """

    def __init__(self, name: str, gone: str) -> None:
        self.name = name
        self._gone = gone
        self._heard: Callable[[bytes], None] | None = None
        self._lost: Callable[[TransportError], None] | None = None
        self._transport: asyncio.Transport
        self._ended = asyncio.get_running_loop().create_future()

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:
        """Begin to listen."""
        self._heard, self._lost = heard, lost
        if self._ended.done():
            asyncio.get_running_loop().call_soon(self._tell_lost)

    def send(self, data: bytes) -> None:
        """Send octets, unless too many wait already."""
        if not self._transport.is_closing() and self._transport.get_write_buffer_size() <= _MOST_WAITING:
            self._transport.write(data)

    def pause(self) -> None:
        """Leave octets where they are, until :meth:`resume`; a loss is not noticed meanwhile."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on listening."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """End the connection, soon."""
        self._heard = self._lost = None
        if not self._transport.is_closing():
            self._transport.abort()

    async def close(self) -> None:
        """End the connection."""
        self.abort()
        await asyncio.shield(self._ended)  # the transport ends it, also when nobody waits

    # --- what the transport tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass octets on."""
        if self._heard is not None:
            self._heard(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it was lost
        """Tell who listens."""
        self._ended.set_result(None)
        self._tell_lost()

    def _tell_lost(self) -> None:
        if self._lost is not None:
            lost, self._lost = self._lost, None
            lost(TransportError(f"{self.name}: {self._gone}"))
