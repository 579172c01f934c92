"""What TLS on the LMN may use, and the numbers of it: suites, curves, alerts; the curve of a certificate.

The LMN allows four suites and five curves and nothing else. The curve of a handshake is that of the two
pinned certificates, so it has to be read from them; :func:`certificate_curve` reads just as much of a
certificate as that takes.

Source: BSI TR-03116-3, chapters 4 and 6; RFC 5246 (alerts), RFC 5289 (suites), RFC 8422 and RFC 7027 (curves),
RFC 5280 (certificates), RFC 5480 and RFC 5639 (object identifiers).
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from e320proto.errors import SecurityError


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

_CURVE_OF_OID: Final = {
    bytes.fromhex("2A8648CE3D030107"): NamedCurve.SECP256R1,
    bytes.fromhex("2B81040022"): NamedCurve.SECP384R1,
    bytes.fromhex("2B2403030208010107"): NamedCurve.BRAINPOOLP256R1,
    bytes.fromhex("2B240303020801010B"): NamedCurve.BRAINPOOLP384R1,
    bytes.fromhex("2B240303020801010D"): NamedCurve.BRAINPOOLP512R1,
}
_EC_PUBLIC_KEY: Final = bytes.fromhex("2A8648CE3D0201")

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


_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_VERSION: Final = 0xA0
_LONG_FORM: Final = 0x80
_MOST_LENGTH_OCTETS: Final = 3


def certificate_curve(certificate: bytes) -> NamedCurve:
    """Curve of the key in a certificate.

    Args:
        certificate: X.509, DER.

    Raises:
        SecurityError: these are no octets of a certificate, or its key is not on one of the five curves.

    Source: RFC 5280, 4.1; RFC 5480, 2.1.1.
    """
    position, end = _inside(certificate, *_inside(certificate, 0, len(certificate)))
    if certificate[position : position + 1] == bytes((_VERSION,)):
        position = _element(certificate, position, end)[2]
    for _ in range(5):  # serial number, signature algorithm, issuer, validity, subject
        position = _element(certificate, position, end)[2]
    position, end = _inside(certificate, *_inside(certificate, position, end))
    algorithm, position = _identifier(certificate, position, end)
    if algorithm != _EC_PUBLIC_KEY:
        detail = f"certificate: expected a key on an elliptic curve, found one of algorithm {algorithm.hex()}"
        raise SecurityError(detail)
    curve, _ = _identifier(certificate, position, end)
    if curve not in _CURVE_OF_OID:
        names = ", ".join(_OPENSSL_CURVES.values())
        detail = f"certificate: expected a key on one of {names}, found one on the curve with identifier {curve.hex()}"
        raise SecurityError(detail)
    return _CURVE_OF_OID[curve]


def holds_sec1(private_key: bytes) -> bool:
    """Whether a private key in DER is an ECPrivateKey of SEC 1; if not, it is PKCS #8: the first number tells.

    Raises:
        SecurityError: it is neither.

    Source: RFC 5915, 3 (version 1); RFC 5208, 5 (version 0).
    """
    try:
        position, end = _inside(private_key, 0, len(private_key))
        tag, start, end = _element(private_key, position, end)
    except SecurityError:
        tag, start, end = 0, 0, 0
    version = private_key[start:end]
    if tag != 0x02 or version not in {b"\x00", b"\x01"}:  # noqa: PLR2004 - an INTEGER
        detail = "private key: expected SEC 1 or PKCS #8 in DER, found other octets"  # which may be a key nevertheless
        raise SecurityError(detail)
    return version == b"\x01"


def _element(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of an element."""
    start = position + 2
    length = data[position + 1] if start <= end else _LONG_FORM
    if length > _LONG_FORM and length - _LONG_FORM <= _MOST_LENGTH_OCTETS:
        octets = data[start : start + length - _LONG_FORM]
        start += length - _LONG_FORM
        length = int.from_bytes(octets)
    elif length >= _LONG_FORM:
        length = end  # an indefinite or absurd length, or no room for one: certainly too long
    if start + length > end:
        detail = (
            f"certificate: expected a whole DER element at offset {position}, found {max(end - position, 0)} octets"
        )
        raise SecurityError(detail)
    return data[position], start, start + length


def _inside(data: bytes, position: int, end: int) -> tuple[int, int]:
    tag, start, end = _element(data, position, end)
    if tag != _SEQUENCE:
        detail = f"certificate: expected a SEQUENCE at offset {position}, found tag {tag:02X}"
        raise SecurityError(detail)
    return start, end


def _identifier(data: bytes, position: int, end: int) -> tuple[bytes, int]:
    tag, start, end = _element(data, position, end)
    if tag != _OBJECT_IDENTIFIER:
        detail = f"certificate: expected an object identifier at offset {position}, found tag {tag:02X}"
        raise SecurityError(detail)
    return data[start:end], end
