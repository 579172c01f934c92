r"""Key pairs and self-signed certificates of the LMN: make them, read them, check them.

::

    gateway: make_credentials ----> Credentials(certificate, private key) --pairing, renewal--> meter
                             \----> its own Credentials; only the certificate --pairing--> meter

Peers are told apart by the exact octets of their certificates, never by names or other fields. So what is in a
certificate is free; :class:`CertificateProfile` has it as configuration, since the official fields are not known.

Private keys and their signatures are made with the operating system's randomness, which is what ``cryptography``
uses: it takes no other, and a key from a seeded source would be no secret.

Source: LMN security, 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, datetime, timedelta
from enum import Enum
from typing import Final, Literal, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from e320proto.errors import DecodeError, EncodeError, SecurityError

SOURCE: Final = "LMN security, 3"
MAX_YEARS: Final = 7
"""The longest life of a certificate and of the use of its private key."""

_SEQUENCE: Final = 0x30
_LONG_FORM: Final = 0x80
_SERIAL_BITS: Final = 64
_MAX_NAME: Final = 64  # ub-common-name of RFC 5280
_FOREIGN = (ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.InvalidVersion, Warning)
"""What ``cryptography`` raises for octets that are no certificate or key; its warnings where they are errors."""

KeyFormat = Literal["sec1", "pkcs8"]
_FORMATS: Final = {"sec1": PrivateFormat.TraditionalOpenSSL, "pkcs8": PrivateFormat.PKCS8}


class Curve(Enum):
    """The five curves of the LMN; the value is the number of the group in TLS.

    >>> Curve(23)
    <Curve.SECP256R1: 23>
    """

    SECP256R1 = 23
    SECP384R1 = 24
    BRAINPOOL_P256R1 = 26
    BRAINPOOL_P384R1 = 27
    BRAINPOOL_P512R1 = 28


_CURVES: Final[dict[Curve, ec.EllipticCurve]] = {
    Curve.SECP256R1: ec.SECP256R1(),
    Curve.SECP384R1: ec.SECP384R1(),
    Curve.BRAINPOOL_P256R1: ec.BrainpoolP256R1(),
    Curve.BRAINPOOL_P384R1: ec.BrainpoolP384R1(),
    Curve.BRAINPOOL_P512R1: ec.BrainpoolP512R1(),
}
_OF_NAME: Final = {curve.name: name for name, curve in _CURVES.items()}
_HASHES: Final[dict[int, hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    256: hashes.SHA256(),
    384: hashes.SHA384(),
    512: hashes.SHA512(),
}
_PURPOSES: Final = {"server_auth": ExtendedKeyUsageOID.SERVER_AUTH, "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH}
_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate and its private key; ``repr`` shows no octet of the key.

    Args:
        certificate: X.509 in DER.
        private_key: in DER, SEC 1 or PKCS #8, not encrypted.

    >>> Credentials(b"0", b"secret")
    Credentials(certificate=b'0')
    """

    certificate: bytes
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """What a new certificate says. The defaults are general knowledge: the official fields are not known.

    Args:
        meter_name: common name of a meter; ``{device_id}`` stands for its device id.
        gateway_name: common name of a gateway.
        life: from the beginning to the end of validity, at most seven years.
        key_usage: names of the usages, in the spelling of RFC 5280 with underscores; none: no such extension.
        extended_key_usage: ``server_auth`` and ``client_auth``, or none of them. One of them alone makes a
            certificate that one of the two ends refuses.
        basic_constraints: whether the certificate says that it is none of an authority.

    Raises:
        ValueError: a life or a usage that cannot be.

    Source: LMN security, 3.

    >>> CertificateProfile().meter_name.format(device_id="1LGZ0063539421")
    '1LGZ0063539421.SM'
    """

    meter_name: str = "{device_id}.SM"
    gateway_name: str = "{device_id}.SMGW"
    life: timedelta = timedelta(days=MAX_YEARS * 365)
    key_usage: frozenset[str] = frozenset({"digital_signature"})
    extended_key_usage: frozenset[str] = frozenset()
    basic_constraints: bool = True

    def __post_init__(self) -> None:
        """Refuse what no certificate of the LMN can say."""
        if not timedelta(0) < self.life <= timedelta(days=MAX_YEARS * 365 + 2):
            msg = f"life: expected more than 0 and at most {MAX_YEARS} years, found {self.life}"
            raise ValueError(msg)
        for name, known in (("key_usage", _USAGES), ("extended_key_usage", tuple(_PURPOSES))):
            unknown = getattr(self, name) - set(known)
            if unknown:
                msg = f"{name}: expected any of {', '.join(known)}, found {', '.join(sorted(unknown))}"
                raise ValueError(msg)


DEFAULT_PROFILE: Final = CertificateProfile()


def make_credentials(
    curve: Curve,
    common_name: str,
    *,
    now: datetime,
    serial: int | None = None,
    key_format: KeyFormat = "sec1",
    profile: CertificateProfile = DEFAULT_PROFILE,
) -> Credentials:
    """Make a new key pair and its self-signed certificate.

    Args:
        curve: of the key; it decides on the hash of the signature as well.
        common_name: of issuer and subject, 1 to 64 characters.
        now: begin of validity, with a time zone; fractions of a second are dropped.
        serial: 1 to 2**64 - 1; by default random, with the randomness of the key.
        key_format: of the private key.
        profile: everything else.

    Raises:
        EncodeError: an argument out of its range.

    >>> from datetime import MAXYEAR, UTC, datetime
    >>> credentials = make_credentials(Curve.SECP256R1, "1LGZ0063539421.SM", now=datetime(2026, 1, 1, tzinfo=UTC))
    >>> check_credentials(credentials)
    <Curve.SECP256R1: 23>
    """
    if now.tzinfo is None:
        raise EncodeError("out_of_range", "expected a time with a time zone", path="now", value=now)
    if not 1 <= len(common_name) <= _MAX_NAME:
        detail = f"expected 1 to {_MAX_NAME} characters"
        raise EncodeError("out_of_range", detail, path="common_name", value=common_name)
    if serial is None:
        serial = x509.random_serial_number() % (1 << _SERIAL_BITS) or 1
    if not 0 < serial < 1 << _SERIAL_BITS:
        raise EncodeError("out_of_range", f"expected 1 to 2**{_SERIAL_BITS} - 1", path="serial", value=serial)
    start = now.astimezone(UTC).replace(microsecond=0)
    try:
        end = min(start + profile.life, _years_after(start))
    except (OverflowError, ValueError):
        raise EncodeError("out_of_range", "expected a time whose end has a date", path="now", value=now) from None
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    private = ec.generate_private_key(_CURVES[curve])
    try:
        builder = (
            x509.CertificateBuilder()
            .issuer_name(name)
            .subject_name(name)
            .public_key(private.public_key())
            .serial_number(serial)
            .not_valid_before(start)
            .not_valid_after(end)
        )
    except ValueError:
        raise EncodeError("out_of_range", "expected a time from 1950 on", path="now", value=now) from None
    for extension, critical in _extensions(profile):
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(private, _HASHES[private.curve.key_size])
    return Credentials(certificate.public_bytes(Encoding.DER), _key_octets(private, key_format))


def renew_credentials(
    certificate: bytes,
    *,
    now: datetime,
    serial: int | None = None,
    key_format: KeyFormat = "sec1",
    profile: CertificateProfile = DEFAULT_PROFILE,
) -> Credentials:
    """Make the successor of a certificate: a new key pair of the same curve and common name.

    The gateway makes its own and those of its meters; either way to the meter is through TLS.

    Raises:
        DecodeError: ``certificate``, ``curve``: there is nothing to succeed.
        EncodeError: as :func:`make_credentials`.
    """
    loaded = _load(certificate)
    try:
        names = loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except _FOREIGN:
        names = []
    if not names:
        _refuse("certificate", "expected a subject with a common name, found none")
    return make_credentials(
        curve_of(certificate), str(names[0].value), now=now, serial=serial, key_format=key_format, profile=profile
    )


def curve_of(certificate: bytes) -> Curve:
    """Return the curve of a certificate's key.

    Raises:
        DecodeError: ``certificate``, not an X.509 certificate in DER; ``curve``, its key is on none of the five.
    """
    return _OF_NAME[_public_key(certificate).curve.name]


def private_key_as(private_key: bytes, key_format: KeyFormat) -> bytes:
    """Rewrite a private key in DER; either format is read.

    Raises:
        DecodeError: ``private_key``, not an unencrypted key on one of the five curves. No octet of it is told.
    """
    return _key_octets(_load_key(private_key), key_format)


def key_matches(certificate: bytes, private_key: bytes) -> bool:
    """Tell whether a private key is that of a certificate.

    Raises:
        DecodeError: as :func:`curve_of` and :func:`private_key_as`.
    """
    return _load_key(private_key).public_key().public_numbers() == _public_key(certificate).public_numbers()


def check_credentials(credentials: Credentials, curves: frozenset[Curve] = frozenset(Curve)) -> Curve:
    """Check that certificate and private key are ones of the LMN and belong together; return their curve.

    Dates are another matter: a meter has no clock. See :func:`check_validity`.

    Args:
        credentials: what to check.
        curves: those that are allowed.

    Raises:
        DecodeError: ``certificate``, ``curve`` or ``private_key``: not in the grammar.
        SecurityError: the curve is not allowed, or the key is that of another certificate.
    """
    curve = curve_of(credentials.certificate)
    if curve not in curves:
        allowed = ", ".join(sorted(each.name for each in curves))
        msg = f"certificate: expected a key on {allowed}, found one on {curve.name}"
        raise SecurityError(msg)
    if not key_matches(credentials.certificate, credentials.private_key):
        msg = "private key: expected that of the certificate, found another one"
        raise SecurityError(msg)
    return curve


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """Return the first and the last instant at which a certificate is valid, both in UTC.

    Raises:
        DecodeError: ``certificate``, not an X.509 certificate in DER, or one whose dates do not exist.
    """
    loaded = _load(certificate)
    try:
        return loaded.not_valid_before_utc, loaded.not_valid_after_utc
    except (*_FOREIGN, OverflowError):
        _refuse("certificate", "expected two dates of validity, found others")


def check_validity(
    certificate: bytes, *, now: datetime, check: Literal["enforce", "warn", "off"] = "enforce"
) -> str | None:
    """Compare the dates of a certificate with the present time and with the longest life.

    Args:
        certificate: X.509 in DER.
        now: the present time, with a time zone.
        check: ``cert_time_check`` of :class:`~e320proto.lmn.profile.SecurityProfile`.

    Returns:
        What is wrong, under ``warn``; ``None`` if nothing is.

    Raises:
        SecurityError: something is wrong, under ``enforce``.
        DecodeError: as :func:`validity`; not under ``off``.
    """
    if check == "off":
        return None
    start, end = validity(certificate)
    if not start <= now <= end:
        trouble = f"certificate: expected one that is valid at {now}, found one from {start} to {end}"
    elif start.year + MAX_YEARS <= MAXYEAR and end > _years_after(start):
        trouble = f"certificate: expected a life of at most {MAX_YEARS} years, found {start} to {end}"
    else:
        return None
    if check == "enforce":
        raise SecurityError(trouble, alert="certificate_expired" if now > end else "bad_certificate")
    return trouble


def der_octets(data: bytes) -> int:
    """Return how long the DER SEQUENCE is that ``data`` begins with: tag, length and content.

    Raises:
        DecodeError: ``content``, there is none, or it is longer than the data.

    >>> der_octets(bytes.fromhex("30034b4559 0101"))
    5
    """
    head = 2
    if len(data) < head or data[0] != _SEQUENCE:
        found = f"an octet {data[0]:02X}" if data else "no octets"
        raise DecodeError("content", f"expected a DER SEQUENCE, found {found}", offset=0, source="X.690, 8.1")
    length = data[1]
    if length >= _LONG_FORM:
        head += length - _LONG_FORM
        length = int.from_bytes(data[2:head])
    if head + length > len(data) or data[1] == _LONG_FORM:  # 80: ends somewhere, which DER does not have
        detail = f"expected a DER SEQUENCE in {len(data)} octets, found one of another length"
        raise DecodeError("content", detail, offset=1, source="X.690, 8.1")
    return head + length


def _years_after(start: datetime) -> datetime:
    try:
        return start.replace(year=start.year + MAX_YEARS)
    except ValueError:  # 29 February
        return start.replace(year=start.year + MAX_YEARS, month=3, day=1)


def _extensions(profile: CertificateProfile) -> list[tuple[x509.ExtensionType, bool]]:
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if profile.basic_constraints:
        extensions.append((x509.BasicConstraints(ca=False, path_length=None), False))
    if profile.key_usage:
        usages = {name: name in profile.key_usage for name in _USAGES}
        extensions.append((x509.KeyUsage(**usages), True))
    if profile.extended_key_usage:
        purposes = [oid for name, oid in _PURPOSES.items() if name in profile.extended_key_usage]
        extensions.append((x509.ExtendedKeyUsage(purposes), False))
    return extensions


def _load(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate)
    except _FOREIGN:
        _refuse("certificate", "expected an X.509 certificate in DER, found other octets")


def _public_key(certificate: bytes) -> ec.EllipticCurvePublicKey:
    loaded = _load(certificate)
    try:
        public = loaded.public_key()
    except _FOREIGN:
        _refuse("curve", "expected a key on an elliptic curve, found one that cannot be read")
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name not in _OF_NAME:
        found = public.curve.name if isinstance(public, ec.EllipticCurvePublicKey) else type(public).__name__
        _refuse("curve", f"expected a key on one of {', '.join(_OF_NAME)}, found {found}")
    return public


def _load_key(private_key: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        private = load_der_private_key(private_key, password=None)
    except _FOREIGN:
        private = None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name not in _OF_NAME:
        _refuse("private_key", "expected an unencrypted SEC 1 or PKCS #8 key on one of the five curves, found another")
    return private


def _key_octets(private: ec.EllipticCurvePrivateKey, key_format: KeyFormat) -> bytes:
    return private.private_bytes(Encoding.DER, _FORMATS[key_format], NoEncryption())


def _refuse(reason: str, detail: str) -> NoReturn:
    # Without the cause: what another library says about a secret is not ours to pass on.
    raise DecodeError(reason, detail, source=SOURCE) from None
