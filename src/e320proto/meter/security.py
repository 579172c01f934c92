"""Keys, certificates and states of the LMN, and the crypto reset.

::

                       pair (certificates of both ends)
    outside of a  ------------------------------------>  inside of a
    secured gateway                                      secured gateway
    environment   <------------------------------------  environment
                       crypto reset

What the crypto reset does: the operational key is the initial key again; certificates and the private key are
overwritten with 00; the environment is left. The transmission counter goes on, and nothing else changes.

It is carried out when no TLS session is open and none was for ``t_closed_s`` (``reset_condition``), counted from
power-up or from the end of the last session, and only without TLS (``reset_through_tls``). It is the only thing
that can be updated: a firmware update is refused like a crypto reset at the wrong moment.

Source: E320 manual (effects, Tclosed, no firmware update); conditions: LMN security, section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config

DONE: Final = 0xFD00
"""Attention number of an order that was carried out."""
REFUSED: Final = 0xFE0A
"""Attention number of an order that was not executed."""
_OBJECTS: Final = ("own_certificate", "private_key", "gateway_certificate")
_KEY_OCTETS: Final = 16
_COUNTER_END: Final = 1 << 32


class Security:
    r"""What one meter keeps for its LMN; times are in ms of one clock that never goes back.

    Nothing of it is shown by ``repr``.

    Args:
        config: initial key and conditions.

    >>> from e320proto.meter.config import E320Config
    >>> security = Security(E320Config(pin="1234", initial_key="00" * 16))
    >>> security.pair(b"own", b"key", b"gateway")
    >>> security.start(0)
    >>> [f"{security.crypto_reset(ms):04x}" for ms in (29_999, 30_000)], security.paired
    (['fe0a', 'fd00'], False)
    >>> bytes(security.private_key)
    b'\x00\x00\x00'
    """

    def __init__(self, config: E320Config) -> None:
        self._config = config
        self.initial_key = None if config.initial_key is None else bytes.fromhex(config.initial_key)
        self.operational_key = self.initial_key
        """16 octets; protects the exchange of certificates. None without an initial key."""
        self.transmission_counter = 0
        """The highest counter that was authentically sent or received; it never goes back."""
        self.paired = False
        """Whether the meter works in a secured gateway environment."""
        self.own_certificate = bytearray()
        self.private_key = bytearray()
        self.gateway_certificate = bytearray()
        self.tls_open = False
        self._closed_since_ms = 0

    def start(self, now_ms: int) -> None:
        """Power is up: no session outlasts its loss."""
        self.tls_open, self._closed_since_ms = False, now_ms

    def tls(self, now_ms: int, *, established: bool) -> None:
        """A TLS session is established, or has ended; an unfinished handshake is neither."""
        if self.tls_open and not established:
            self._closed_since_ms = now_ms
        self.tls_open = established

    def pair(self, own_certificate: bytes, private_key: bytes, gateway_certificate: bytes) -> None:
        """Enter the secured gateway environment with what the exchange has brought."""
        self.own_certificate[:] = own_certificate
        self.private_key[:] = private_key
        self.gateway_certificate[:] = gateway_certificate
        self.paired = True

    def crypto_reset(self, now_ms: int, *, through_tls: bool = False, other_connection: bool = False) -> int:
        """Carry out the crypto reset, or refuse it.

        Args:
            now_ms: the instant.
            through_tls: whether the order came through TLS.
            other_connection: whether there is another HDLC connection than the one it came through.

        Returns:
            :data:`DONE` or :data:`REFUSED`.
        """
        condition = self._config.reset_condition
        too_soon = self.tls_open or now_ms - self._closed_since_ms < round(1000 * self._config.t_closed_s)
        if (
            (through_tls and not self._config.reset_through_tls)
            or (condition != "none" and not through_tls and too_soon)
            or (condition == "link_closed" and other_connection)
        ):
            return REFUSED
        for name in _OBJECTS:
            kept = getattr(self, name)
            kept[:] = bytes(len(kept))
        self.operational_key = self.initial_key
        self.paired = False
        self.tls(now_ms, established=False)
        return DONE

    def state(self) -> dict[str, Any]:
        """Everything that lasts, as plain values; :meth:`restore` reads it."""
        return {
            "operational_key": None if self.operational_key is None else self.operational_key.hex(),
            "transmission_counter": self.transmission_counter,
            "paired": self.paired,
            **{name: getattr(self, name).hex() for name in _OBJECTS},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state` gave.

        Raises:
            KeyError: a part is missing.
            TypeError: a part of another type.
            ValueError: a part with no such value.
        """
        key = state["operational_key"]
        self.operational_key = None if key is None else bytes.fromhex(key)
        if self.operational_key is not None and len(self.operational_key) != _KEY_OCTETS:
            msg = f"operational_key: expected {_KEY_OCTETS} octets"
            raise ValueError(msg)
        counter = state["transmission_counter"]
        if type(counter) is not int or not 0 <= counter < _COUNTER_END:
            msg = "transmission_counter: expected a number of 32 bit"
            raise ValueError(msg)
        self.transmission_counter = counter
        for name in _OBJECTS:
            setattr(self, name, bytearray.fromhex(state[name]))
        self.paired = bool(state["paired"])
