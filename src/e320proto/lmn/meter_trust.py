"""What a gateway trusts a meter by: its keys, and the TLS context and session that stand on them.

::

    certificates      other ones
    -----------       ----------
    old               -            TLS stands on the old ones
    old               new          renew: kept, then sent
    new               old          renewed: the meter has answered that it has them
    old               -            settle: it has refused them
    old, new in turn  new, old     fall_back: the answer was lost, a handshake fails, the others are tried
    new               -            settle: TLS stands with them

One of both is what the meter has, at every moment, over restarts of either end as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from e320proto.errors import SecurityError
from e320proto.lmn.meter_keys import TlsCertificates
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
        self._fell_back = False

    def engine(self) -> TlsEngine:
        """TLS for a new connection.

        Raises:
            SecurityError: there are no certificates, or they are of no use.
        """
        if self._context is None:
            self._context = self._make_context(self._certificates())
        return TlsEngine(self._context, self.session)

    def _certificates(self) -> TlsCertificates:
        found = self.keys.certificates
        if found is None:
            msg = f"certificates of {self._server_id.hex()}: expected a paired meter, found none"
            raise SecurityError(msg)
        return found

    def _make_context(self, certificates: TlsCertificates) -> TlsContext:
        return TlsContext(
            server=False,
            certificate=certificates.gateway.certificate,
            private_key=certificates.gateway.private_key,
            peer_certificate=certificates.meter,
            profile=self._security,
        )

    def keep_session(self, engine: TlsEngine) -> None:
        """A connection ends: its session may be resumed, unless a full handshake has to show what the meter has."""
        self.session = engine.session if self._security.tls_resumption and self.keys.renewing is None else None

    def count(self, counter: int) -> None:
        """Keep a counter of the pairing before it is used."""
        self._store(replace(self.keys, counter=counter))

    def pair(self, pair: Pair) -> None:
        """An exchange has brought certificates."""
        self._change(self.keys.paired_by(TlsCertificates(pair.gateway, pair.meter.certificate)))

    def renew(self, renewal: Renewal) -> None:
        """Keep other certificates before they are sent to the meter; TLS stands.

        Raises:
            SecurityError: TLS could not stand on them, or there are none to be renewed.
        """
        used = self._certificates()
        others = TlsCertificates(renewal.gateway or used.gateway, renewal.meter_certificate or used.meter)
        self._make_context(others)
        self._store(replace(self.keys, renewing=others))

    def renewed(self) -> None:
        """The meter has answered that it has taken them."""
        self._change(self.keys.swapped())

    def settle(self) -> None:
        """TLS stands, or the meter has refused others: it has the certificates that are in use."""
        self._fell_back = False
        if self.keys.renewing is not None:
            self._store(replace(self.keys, renewing=None))

    def swap(self) -> None:
        """Use the other certificates next time, if there are others."""
        if self.keys.renewing is not None:
            self.keys = self.keys.swapped()
            self._context = self.session = None

    def fall_back(self) -> bool:
        """A handshake has failed; whether others are left that were not tried before it."""
        self._fell_back = self.keys.renewing is not None and not self._fell_back
        self.swap()
        return self._fell_back

    def unpair(self) -> None:
        """The meter has no certificates any more."""
        self._change(self.keys.unpaired())

    def _change(self, keys: MeterKeys) -> None:
        self._context = self.session = None
        self._store(keys)

    def _store(self, keys: MeterKeys) -> None:
        self.keys = keys
        self._ring.store(self._server_id, keys)
