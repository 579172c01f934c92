"""What a gateway keeps of one meter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from e320proto.lmn.certificates import Credentials


@dataclass(frozen=True, slots=True)
class TlsCertificates:
    """What TLS with one meter stands on.

    Args:
        gateway: certificate and key of this gateway for this meter.
        meter: certificate that the meter has to show.
    """

    gateway: Credentials
    meter: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKeys:
    """Keys of one meter; ``repr`` shows no secret.

    Args:
        master_key: the meter's key for the pairing, 16 octets; ``None`` if this gateway has none.
        counter: highest counter of the pairing that was sent or received.
        gateway: certificate and key of this gateway for this meter, once paired.
        meter_certificate: what the meter has to show in TLS, once paired.
        renewing: what the meter may have in place of these two, from before new ones are sent to it until TLS stands
            with the ones or the others.
    """

    master_key: bytes | None = field(default=None, repr=False)
    counter: int = 0
    gateway: Credentials | None = None
    meter_certificate: bytes | None = field(default=None, repr=False)
    renewing: TlsCertificates | None = None

    @property
    def paired(self) -> bool:
        """Whether TLS is possible."""
        return self.certificates is not None

    @property
    def certificates(self) -> TlsCertificates | None:
        """What TLS is tried with first, once paired."""
        if self.gateway is None or self.meter_certificate is None:
            return None
        return TlsCertificates(self.gateway, self.meter_certificate)

    def paired_by(self, certificates: TlsCertificates) -> MeterKeys:
        """The same with these certificates and no others."""
        return replace(self, gateway=certificates.gateway, meter_certificate=certificates.meter, renewing=None)

    def swapped(self) -> MeterKeys:
        """The same, with those first that were in the second place; unchanged if there are none."""
        if self.renewing is None:
            return self
        return replace(self.paired_by(self.renewing), renewing=self.certificates)

    def unpaired(self) -> MeterKeys:
        """The same without certificates."""
        return replace(self, gateway=None, meter_certificate=None, renewing=None)


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
