"""Certificates and keys as TLS needs them: the curve of a certificate, PEM, and a file that leaves nothing behind.

The curve of a handshake is that of the two pinned certificates, so it has to be read from them;
:func:`certificate_curve` reads just as much of a certificate as that takes.

Source: RFC 5280 (certificates), RFC 5480 and RFC 5639 (object identifiers), RFC 5915 and RFC 5208 (keys).
"""

from __future__ import annotations

import os
import tempfile
from base64 import encodebytes
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from e320proto.errors import SecurityError
from e320proto.lmn.tls_terms import NamedCurve

if TYPE_CHECKING:
    from collections.abc import Iterator

_CURVE_OF_OID: Final = {
    bytes.fromhex("2A8648CE3D030107"): NamedCurve.SECP256R1,
    bytes.fromhex("2B81040022"): NamedCurve.SECP384R1,
    bytes.fromhex("2B2403030208010107"): NamedCurve.BRAINPOOLP256R1,
    bytes.fromhex("2B240303020801010B"): NamedCurve.BRAINPOOLP384R1,
    bytes.fromhex("2B240303020801010D"): NamedCurve.BRAINPOOLP512R1,
}
_EC_PUBLIC_KEY: Final = bytes.fromhex("2A8648CE3D0201")

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
        names = ", ".join(curve.openssl_name for curve in NamedCurve)
        detail = f"certificate: expected a key on one of {names}, found one on the curve with identifier {curve.hex()}"
        raise SecurityError(detail)
    return _CURVE_OF_OID[curve]


def credentials_pem(certificate: bytes, private_key: bytes) -> bytes:
    """A certificate and its key, both in DER, as OpenSSL reads them from a file.

    Args:
        certificate: X.509.
        private_key: SEC 1 or PKCS #8.

    Raises:
        SecurityError: the key has none of the two forms.
    """
    # OpenSSL believes the label, so it has to be the right one.
    label = b"EC PRIVATE KEY" if _holds_sec1(private_key) else b"PRIVATE KEY"
    return b"".join(
        b"-----BEGIN %b-----\n%b-----END %b-----\n" % (name, encodebytes(der), name)
        for name, der in ((b"CERTIFICATE", certificate), (label, private_key))
    )


@contextmanager
def secret_file(secret: bytes) -> Iterator[str]:
    """Path of a file for OpenSSL to read, in memory where that is possible; afterwards there is nothing left of it."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor, path = os.memfd_create("credentials"), ""
    else:
        descriptor, path = tempfile.mkstemp()  # readable by nobody else
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - Path opens no descriptors
            file.write(secret)
            file.flush()
            yield path or f"/proc/self/fd/{descriptor}"
    finally:
        if path:
            Path(path).unlink()


def _holds_sec1(private_key: bytes) -> bool:
    """Whether a key in DER is of SEC 1, else of PKCS #8: the first number tells (RFC 5915, 3; RFC 5208, 5)."""
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
