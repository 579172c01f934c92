"""A bus within one event loop: whoever opens the same name hears what the others send."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.errors import TransportError

_BUSES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, list[MemoryPipe]]]] = WeakKeyDictionary()
"""Who is on which bus; a bus without anyone is none."""


class MemoryPipe:
    """One end of a bus in memory.

    Args:
        name: of the bus.
        noise: probability that an octet arrives here as another one.
        loss: probability that a transmission does not arrive here.
        seed: of both.
    """

    def __init__(self, name: str, *, noise: float = 0.0, loss: float = 0.0, seed: int = 0) -> None:
        self.name = f"memory:{name}"
        self._bus = name
        self._noise, self._loss, self._random = noise, loss, Random(seed)  # noqa: S311 - simulated trouble
        self._loop = asyncio.get_running_loop()
        self._heard: Callable[[bytes], None] | None = None
        self._kept: list[bytes] | None = None  # while paused
        _BUSES.setdefault(self._loop, {}).setdefault(name, []).append(self)

    def start(self, heard: Callable[[bytes], None], lost: Callable[[TransportError], None]) -> None:  # noqa: ARG002 - memory is not lost
        """Begin to listen."""
        self._heard = heard

    def send(self, data: bytes) -> None:
        """Have the others hear it, soon."""
        for other in _BUSES[self._loop].get(self._bus, []):
            if other is not self:
                self._loop.call_soon(other._hear, data)  # noqa: SLF001 - of the same class

    def _hear(self, data: bytes) -> None:
        random = self._random
        if self._heard is None or random.random() < self._loss:
            return
        if self._noise:
            data = bytes(random.randrange(256) if random.random() < self._noise else octet for octet in data)
        if self._kept is None:
            self._heard(data)
        else:
            self._kept.append(data)

    def pause(self) -> None:
        """Keep what arrives, until :meth:`resume`."""
        if self._kept is None:
            self._kept = []

    def resume(self) -> None:
        """Go on listening, with what was kept."""
        kept, self._kept = self._kept, None
        if kept and self._heard is not None:
            self._heard(b"".join(kept))

    async def close(self) -> None:
        """Leave the bus."""
        self._heard = None
        buses = _BUSES[self._loop]
        pipes = buses.get(self._bus, [])
        if self in pipes:
            pipes.remove(self)
        if not pipes:
            buses.pop(self._bus, None)
