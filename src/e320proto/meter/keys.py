"""The meter's key pair: 256-bit elliptic curve, NIST P-256 or brainpoolP256r1.

::

    private number, 1 to n - 1 --> point (X, Y) --> 04 XX..XX YY..YY       public key: 65 octets
    never shown                                     on the faceplate in hex, 130 digits

The private key is in no ``repr``, no error and no text; only :meth:`MeterKey.to_octets` and :meth:`MeterKey.to_pem`
give it away, for the meter's store. This module is where the meter meets ``cryptography``.
"""

from __future__ import annotations

from typing import Final, NoReturn, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from e320proto.errors import DecodeError
from e320proto.meter.modes import Curve

SOURCE: Final = "key of the reference meter"

_CURVES: Final[dict[Curve, ec.EllipticCurve]] = {
    Curve.NIST_P256: ec.SECP256R1(),
    Curve.BRAINPOOL_P256R1: ec.BrainpoolP256R1(),
}
_ORDERS: Final = {
    Curve.NIST_P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Curve.BRAINPOOL_P256R1: 0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7,
}
"""Number of points. Source: FIPS 186-4, D.1.2.3; RFC 5639, 3.4."""
_OF_NAME: Final = {curve.name: name for name, curve in _CURVES.items()}


class MeterKey:
    """A key pair. Equal keys have the same curve and the same public key.

    Make one with :meth:`generate`, :meth:`from_private_number`, :meth:`from_octets` or :meth:`from_pem`.

    Source: E320 manual, signature curve (NIST P-256 or Brainpool) and public key; the uncompressed point is that of
    SEC 1, its use on the faceplate a decision.

    >>> MeterKey.from_private_number(1, Curve.NIST_P256)
    MeterKey(nist-p256, public key 046B17D1F2E12C42...)
    """

    __slots__ = ("_private",)

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        if private.curve.name not in _OF_NAME:
            wanted = " or ".join(_OF_NAME)
            raise DecodeError("key_curve", f"expected a key on {wanted}, found {private.curve.name}", source=SOURCE)
        self._private = private

    @classmethod
    def generate(cls, curve: Curve = Curve.NIST_P256) -> Self:
        """Make a new key pair, from the randomness of the operating system.

        >>> MeterKey.generate() == MeterKey.generate()
        False
        """
        return cls(ec.generate_private_key(_CURVES[curve]))

    @classmethod
    def from_private_number(cls, number: int, curve: Curve = Curve.NIST_P256) -> Self:
        """Make the key pair of a known private number: the same meter in every run of a test.

        Args:
            number: 1 to the order of the curve less 1.
            curve: the curve.

        Raises:
            DecodeError: ``private_number``, out of range. The number is not part of the error.

        >>> MeterKey.from_private_number(1).public_hex[:18]
        '046B17D1F2E12C4247'
        """
        # Here and not by the library: some of its versions take a larger number and reduce it.
        if not (isinstance(number, int) and 0 < number < _ORDERS[curve]):
            _refuse("private_number", f"expected 1 to the order of {curve} less 1, found something else")
        return cls(ec.derive_private_key(number, _CURVES[curve]))

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """Restore what :meth:`to_octets` stored.

        Raises:
            DecodeError: ``key``, no private key, or an encrypted one; ``key_curve``, a key on another curve.

        >>> key = MeterKey.generate(Curve.BRAINPOOL_P256R1)
        >>> MeterKey.from_octets(key.to_octets()) == key
        True
        """
        try:
            private = load_der_private_key(octets, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            _refuse("key", "expected an unencrypted private key in PKCS #8 DER, found other octets")
        return cls(_on_a_curve(private))

    @classmethod
    def from_pem(cls, pem: bytes | str) -> Self:
        """Read a private key in PEM, PKCS #8 or the older form of SEC 1.

        Raises:
            DecodeError: ``key``, no private key, or an encrypted one; ``key_curve``, a key on another curve.
        """
        octets = pem.encode() if isinstance(pem, str) else pem
        try:
            private = load_pem_private_key(octets, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            _refuse("key", "expected an unencrypted private key in PEM, found other text")
        return cls(_on_a_curve(private))

    def to_octets(self) -> bytes:
        """The **private** key with its curve, PKCS #8 in DER, not encrypted: for the meter's store."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def to_pem(self) -> bytes:
        """The **private** key with its curve, PKCS #8 in PEM, not encrypted."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def curve(self) -> Curve:
        """The curve of the key."""
        return _OF_NAME[self._private.curve.name]

    @property
    def public_key(self) -> bytes:
        """The public key as uncompressed point: 65 octets, 04, X, Y."""
        return self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def public_hex(self) -> str:
        """The public key as printed: 130 hex digits in upper case."""
        return self.public_key.hex().upper()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MeterKey):
            return NotImplemented
        return (self.curve, self.public_key) == (other.curve, other.public_key)

    def __hash__(self) -> int:
        return hash((self.curve, self.public_key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.curve}, public key {self.public_hex[:16]}...)"

    def __reduce__(self) -> NoReturn:
        # Pickles and copies travel further than one thinks; to_octets() says what it hands out.
        msg = "a MeterKey is not pickled: store to_octets()"
        raise TypeError(msg)


def _on_a_curve(private: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        kind = type(private).__name__
        raise DecodeError("key", f"expected a key on an elliptic curve, found {kind}", source=SOURCE)
    return private


def _refuse(reason: str, detail: str) -> NoReturn:
    # Without the cause: what another library says about a secret is not ours to pass on.
    raise DecodeError(reason, detail, source=SOURCE) from None
