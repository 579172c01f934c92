"""What a gateway keeps of one meter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from e320proto.lmn.certificates import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKeys:
    """Keys of one meter; ``repr`` shows no secret.

    Args:
        master_key: the meter's key for the pairing, 16 octets; ``None`` if this gateway has none.
        counter: highest counter of the pairing that was sent or received.
        gateway: certificate and key of this gateway for this meter, once paired.
        meter_certificate: what the meter has to show in TLS, once paired.
    """

    master_key: bytes | None = field(default=None, repr=False)
    counter: int = 0
    gateway: Credentials | None = None
    meter_certificate: bytes | None = field(default=None, repr=False)

    @property
    def paired(self) -> bool:
        """Whether TLS is possible."""
        return self.gateway is not None and self.meter_certificate is not None

    def unpaired(self) -> MeterKeys:
        """The same without certificates."""
        return replace(self, gateway=None, meter_certificate=None)


class KeyRing(Protocol):
    """Where a gateway keeps the keys of its meters; a counter is stored before it is used."""

    def load(self, server_id: bytes) -> MeterKeys:
        """The keys of a meter; empty ones of a meter nobody knows."""

    def store(self, server_id: bytes, keys: MeterKeys) -> None:
        """Keep keys over the end of the process before this returns.

        What this raises goes to the caller of the session; what was to be kept is not used then.
        """


class MemoryKeyRing:
    """Keeps keys as long as it lives.

    >>> ring = MemoryKeyRing({b"meter": MeterKeys(master_key=bytes(16))})
    >>> ring.load(b"meter").paired, ring.load(b"other").master_key
    (False, None)
    """

    def __init__(self, keys: dict[bytes, MeterKeys] | None = None) -> None:
        self._keys = dict(keys or {})

    def load(self, server_id: bytes) -> MeterKeys:
        """The keys of a meter."""
        return self._keys.get(server_id, MeterKeys())

    def store(self, server_id: bytes, keys: MeterKeys) -> None:
        """Keep keys."""
        self._keys[server_id] = keys
