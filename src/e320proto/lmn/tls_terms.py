"""What TLS on the LMN may use, and the numbers of it: four suites, five curves, alerts.

Source: BSI TR-03116-3, chapters 4 and 6; RFC 5246 (alerts), RFC 5289 (suites), RFC 8422 and RFC 7027 (curves).
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class CipherSuite(Enum):
    """A suite by its TLS code.

    >>> CipherSuite(0xC023).openssl_name
    'ECDHE-ECDSA-AES128-SHA256'
    """

    ECDHE_ECDSA_AES_128_CBC_SHA256 = 0xC023
    ECDHE_ECDSA_AES_256_CBC_SHA384 = 0xC024
    ECDHE_ECDSA_AES_128_GCM_SHA256 = 0xC02B
    ECDHE_ECDSA_AES_256_GCM_SHA384 = 0xC02C

    @property
    def openssl_name(self) -> str:
        """The name by which OpenSSL knows it."""
        return self.name.replace("_CBC", "").replace("AES_", "AES").replace("_", "-")


class NamedCurve(Enum):
    """A curve by its TLS code.

    >>> NamedCurve(23).openssl_name
    'prime256v1'
    """

    SECP256R1 = 23
    SECP384R1 = 24
    BRAINPOOLP256R1 = 26
    BRAINPOOLP384R1 = 27
    BRAINPOOLP512R1 = 28

    @property
    def openssl_name(self) -> str:
        """The name by which OpenSSL knows it."""
        return _OPENSSL_CURVES[self]


_OPENSSL_CURVES: Final = {
    NamedCurve.SECP256R1: "prime256v1",
    NamedCurve.SECP384R1: "secp384r1",
    NamedCurve.BRAINPOOLP256R1: "brainpoolP256r1",
    NamedCurve.BRAINPOOLP384R1: "brainpoolP384r1",
    NamedCurve.BRAINPOOLP512R1: "brainpoolP512r1",
}

ALERTS: Final = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    90: "user_canceled",
    100: "no_renegotiation",
    110: "unsupported_extension",
}
"""Alerts by their number."""

_ALERT_HEAD: Final = 0x15
_HEAD_OCTETS: Final = 5
_CLEAR_ALERT_OCTETS: Final = 7


def alert_in(flight: bytes) -> str | None:
    """Name of the alert that ends a flight; ``None`` where there is none, or an encrypted one.

    >>> alert_in(bytes.fromhex("15030300020228"))
    'handshake_failure'
    """
    offset = last = 0
    while offset + _HEAD_OCTETS <= len(flight):
        last = offset
        offset += _HEAD_OCTETS + int.from_bytes(flight[offset + 3 : offset + 5])
    if len(flight) - last != _CLEAR_ALERT_OCTETS or flight[last] != _ALERT_HEAD:
        return None
    return ALERTS.get(flight[-1], f"alert {flight[-1]}")
