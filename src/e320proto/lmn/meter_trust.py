"""What a gateway trusts a meter by: its keys, and the TLS context and session that stand on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from e320proto.errors import SecurityError
from e320proto.lmn.tls import TlsContext, TlsEngine, TlsSession

if TYPE_CHECKING:
    from e320proto.lmn.meter_keys import KeyRing, MeterKeys
    from e320proto.lmn.profile import SecurityProfile
    from e320proto.lmn.request_queue import Pair
    from e320proto.lmn.requests import Renewal


class MeterTrust:
    """Keys of one meter in use; what changes is kept in the key ring.

    Args:
        server_id: of the meter.
        ring: where its keys are kept.
        security: of TLS.
    """

    def __init__(self, server_id: bytes, ring: KeyRing, security: SecurityProfile) -> None:
        self.keys = ring.load(server_id)
        """What the gateway has of the meter."""
        self.session: TlsSession | None = None
        """What the next TLS connection may resume."""
        self._server_id, self._ring, self._security = server_id, ring, security
        self._context: TlsContext | None = None

    def engine(self) -> TlsEngine:
        """TLS for a new connection.

        Raises:
            SecurityError: there are no certificates, or they are of no use.
        """
        if self._context is None:
            self._context = self._make_context(self.keys)
        return TlsEngine(self._context, self.session)

    def _make_context(self, keys: MeterKeys) -> TlsContext:
        if keys.gateway is None or keys.meter_certificate is None:
            msg = f"certificates of {self._server_id.hex()}: expected a paired meter, found none"
            raise SecurityError(msg)
        return TlsContext(
            server=False,
            certificate=keys.gateway.certificate,
            private_key=keys.gateway.private_key,
            peer_certificate=keys.meter_certificate,
            profile=self._security,
        )

    def keep_session(self, engine: TlsEngine) -> None:
        """A connection ends: its session may be resumed."""
        self.session = engine.session if self._security.tls_resumption else None

    def count(self, counter: int) -> None:
        """Keep a counter of the pairing before it is used."""
        self._store(replace(self.keys, counter=counter))

    def pair(self, pair: Pair) -> None:
        """An exchange has brought certificates."""
        self._change(replace(self.keys, gateway=pair.gateway, meter_certificate=pair.meter.certificate))

    def renew(self, renewal: Renewal) -> None:
        """The meter has taken other certificates."""
        kept = self.keys
        certificate = renewal.meter_certificate or kept.meter_certificate
        self._change(replace(kept, meter_certificate=certificate, gateway=renewal.gateway or kept.gateway))

    def unpair(self) -> None:
        """The meter has no certificates any more."""
        self._change(self.keys.unpaired())

    def _change(self, keys: MeterKeys) -> None:
        self._context = self.session = None
        self._store(keys)

    def _store(self, keys: MeterKeys) -> None:
        self.keys = keys
        self._ring.store(self._server_id, keys)
