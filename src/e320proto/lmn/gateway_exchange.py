"""The exchange of certificates over one connection to selector 6: the gateway's side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from e320proto.errors import DecodeError
from e320proto.lmn.pairing import Check, GatewayPairing, MessageAssembly, PairingFailed

if TYPE_CHECKING:
    from e320proto.lmn.link import DataReceived
    from e320proto.lmn.meter_trust import MeterTrust
    from e320proto.lmn.pairing import Paired
    from e320proto.lmn.primary import PrimaryLink
    from e320proto.lmn.profile import LmnProfile, SecurityProfile
    from e320proto.lmn.request_queue import Pair


class GatewayExchange:
    """An exchange and its connection; counters are kept among the meter's keys.

    Args:
        pair: what is exchanged.
        server_id: of the meter.
        link: the connection, just opened.
        trust: the meter's keys, its master key among them.
        profile: of the bus.
        security: of the pairing.

    Raises:
        EncodeError: a key, an id or a counter of another size.
        DecodeError: certificates or a private key that are none.
        SecurityError: they do not fit to each other.
    """

    def __init__(
        self,
        pair: Pair,
        server_id: bytes,
        link: PrimaryLink,
        trust: MeterTrust,
        profile: LmnProfile,
        security: SecurityProfile,
    ) -> None:
        self._link = link
        self._assembly = MessageAssembly(profile.max_message)
        self._pairing = GatewayPairing(
            trust.keys.master_key or b"",
            server_id,
            pair.meter,
            pair.gateway.certificate,
            counter=trust.keys.counter,
            store_counter=trust.count,
            profile=security,
        )

    def start(self, *, now: float) -> None:
        """Send the first message."""
        self._pairing.start(now=now)
        self._flush(now)

    def receive(self, data: DataReceived, *, now: float) -> list[Paired | PairingFailed]:
        """Take what the meter has sent, and answer it."""
        try:
            message = self._assembly.feed(data.data, more=data.more)
        except DecodeError as error:
            return [replace(event, check=Check.LENGTH, error=error) for event in self.closed()]
        if message is None:
            return []
        events = self._pairing.receive_data(message, now=now)
        self._flush(now)
        return events

    def closed(self) -> list[PairingFailed]:
        """The connection is over."""
        return [event for event in self._pairing.closed() if isinstance(event, PairingFailed)]

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` is due."""
        return self._pairing.next_timeout()

    def handle_timeout(self, *, now: float) -> list[Paired | PairingFailed]:
        """Let time pass."""
        return self._pairing.handle_timeout(now=now)

    def _flush(self, now: float) -> None:
        for octets in self._pairing.data_to_send():
            self._link.send(octets, now=now)
            self._link.expect_answer(True, now=now)  # noqa: FBT003 - the signature of the link
