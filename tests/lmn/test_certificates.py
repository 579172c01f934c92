"""Certificates: made as the profile says, read back, refused with the right word, and keys that show nowhere."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError, E320Error, EncodeError, SecurityError
from e320proto.lmn.certificates import (
    CertificateProfile,
    Credentials,
    Curve,
    check_credentials,
    check_validity,
    curve_of,
    der_octets,
    key_matches,
    make_credentials,
    private_key_as,
    renew_credentials,
    validity,
)
from tests.lmn.pairing_parts import NOW, credentials

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

CURVES = list(Curve)


def _builder(name: x509.Name, private: CertificateIssuerPrivateKeyTypes) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().issuer_name(name).subject_name(name)
    return builder.public_key(private.public_key()).serial_number(1).not_valid_before(NOW)


def foreign(private: CertificateIssuerPrivateKeyTypes, *, name: bool = True) -> bytes:
    """A self-signed certificate of any key."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, "x")] if name else []
    subject = x509.Name(attributes)
    builder = _builder(subject, private).not_valid_after(NOW + timedelta(days=1))
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private, algorithm).public_bytes(Encoding.DER)


@pytest.mark.parametrize("curve", CURVES)
def test_certificate_says_what_the_profile_says(curve: Curve) -> None:
    made = make_credentials(curve, "1LGZ0012345678.SM", now=NOW, serial=0x1234)
    loaded = x509.load_der_x509_certificate(made.certificate)
    loaded.verify_directly_issued_by(loaded)
    assert loaded.version is x509.Version.v3
    assert loaded.serial_number == 0x1234
    assert loaded.issuer == loaded.subject
    assert loaded.subject.rfc4514_string() == "CN=1LGZ0012345678.SM"
    names = {"SHA256": (23, 26), "SHA384": (24, 27), "SHA512": (28,)}
    assert loaded.signature_hash_algorithm is not None
    assert curve.value in names[loaded.signature_hash_algorithm.name.upper()]
    assert loaded.not_valid_before_utc == NOW
    assert loaded.not_valid_after_utc == NOW + timedelta(days=2555)
    assert len(loaded.extensions) == 2
    assert loaded.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = loaded.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not any((usage.value.key_agreement, usage.value.key_cert_sign, usage.value.content_commitment))


@pytest.mark.parametrize("curve", CURVES)
def test_curve_is_found_and_key_fits(curve: Curve) -> None:
    made = credentials(curve)
    assert curve_of(made.certificate) is curve
    assert check_credentials(made) is curve
    assert key_matches(made.certificate, made.private_key)
    assert not key_matches(made.certificate, credentials(curve, "another").private_key)


def test_keys_of_two_curves_do_not_match() -> None:
    p256, brainpool = credentials(Curve.SECP256R1), credentials(Curve.BRAINPOOL_P256R1)
    assert not key_matches(p256.certificate, brainpool.private_key)


def test_no_two_keys_and_serials_are_equal() -> None:
    one, other = (make_credentials(Curve.SECP256R1, "x", now=NOW) for _ in range(2))
    assert one.private_key != other.private_key
    serials = [x509.load_der_x509_certificate(each.certificate).serial_number for each in (one, other)]
    assert serials[0] != serials[1]
    assert all(0 < serial < 1 << 64 for serial in serials)


def test_other_extensions_are_configuration() -> None:
    profile = CertificateProfile(
        extended_key_usage=frozenset({"server_auth", "client_auth"}),
        key_usage=frozenset({"digital_signature", "key_agreement"}),
        basic_constraints=False,
        life=timedelta(days=30),
    )
    made = make_credentials(Curve.SECP256R1, "x", now=NOW, profile=profile)
    extensions = x509.load_der_x509_certificate(made.certificate).extensions
    assert len(extensions) == 2
    assert extensions.get_extension_for_class(x509.KeyUsage).value.key_agreement
    purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert purposes == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert validity(made.certificate) == (NOW, NOW + timedelta(days=30))


def test_profile_without_extensions() -> None:
    profile = CertificateProfile(key_usage=frozenset(), basic_constraints=False)
    made = make_credentials(Curve.SECP256R1, "x", now=NOW, profile=profile)
    assert len(x509.load_der_x509_certificate(made.certificate).extensions) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"life": timedelta(0)},
        {"life": timedelta(days=2558)},
        {"key_usage": frozenset({"signing"})},
        {"extended_key_usage": frozenset({"serverAuth"})},
    ],
)
def test_profile_refuses_what_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: expected"):
        CertificateProfile(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2033, 3, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2035, 3, 1, tzinfo=UTC)),
        (datetime(2097, 1, 1, tzinfo=UTC), datetime(2104, 1, 1, tzinfo=UTC)),
    ],
)
def test_no_life_is_longer_than_seven_years(start: datetime, end: datetime) -> None:
    made = make_credentials(Curve.SECP256R1, "x", now=start, profile=CertificateProfile(life=timedelta(days=2557)))
    assert validity(made.certificate) == (start, end)
    assert check_validity(made.certificate, now=end) is None


def test_a_time_zone_and_fractions_are_no_trouble() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=2))).replace(microsecond=999_999)
    assert validity(make_credentials(Curve.SECP256R1, "x", now=local).certificate)[0] == NOW


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"now": NOW.replace(tzinfo=None)}, "now"),
        ({"now": datetime(9998, 1, 1, tzinfo=UTC)}, "now"),
        ({"now": datetime(1900, 1, 1, tzinfo=UTC)}, "now"),
        ({"common_name": ""}, "common_name"),
        ({"common_name": "x" * 65}, "common_name"),
        ({"serial": 0}, "serial"),
        ({"serial": 1 << 64}, "serial"),
    ],
)
def test_arguments_out_of_range_are_named(changed: dict[str, object], path: str) -> None:
    arguments = {"common_name": "x", "now": NOW, **changed}
    with pytest.raises(EncodeError) as caught:
        make_credentials(Curve.SECP256R1, **arguments)  # type: ignore[arg-type]
    assert caught.value.path == path


def test_both_forms_of_a_private_key_are_read_and_written() -> None:
    made = make_credentials(Curve.BRAINPOOL_P384R1, "x", now=NOW)
    pkcs8 = private_key_as(made.private_key, "pkcs8")
    # Behind tag and length stands the INTEGER that tells the form.
    assert made.private_key[:1] + made.private_key[3:6] == bytes.fromhex("30020101")
    assert pkcs8[:1] + pkcs8[3:6] == bytes.fromhex("30020100")
    assert private_key_as(pkcs8, "sec1") == made.private_key
    assert key_matches(made.certificate, pkcs8)
    other = make_credentials(Curve.BRAINPOOL_P384R1, "x", now=NOW, key_format="pkcs8")
    assert other.private_key[3:6] == pkcs8[3:6]


def test_renewal_keeps_name_and_curve_and_changes_the_key() -> None:
    old = credentials(Curve.BRAINPOOL_P256R1)
    new = renew_credentials(old.certificate, now=NOW + timedelta(days=2000))
    assert check_credentials(new) is Curve.BRAINPOOL_P256R1
    assert not key_matches(new.certificate, old.private_key)
    subjects = {x509.load_der_x509_certificate(each.certificate).subject for each in (old, new)}
    assert len(subjects) == 1


def test_renewal_of_a_nameless_certificate_is_refused() -> None:
    with pytest.raises(DecodeError, match="common name"):
        renew_credentials(foreign(ec.generate_private_key(ec.SECP256R1()), name=False), now=NOW)


def test_renewal_of_an_unreadable_name_is_refused() -> None:
    good = credentials().certificate
    position = good.rindex(b"\x0c\x111LGZ0012345678.SM")  # UTF8String, 17 characters
    wrong = good[:position] + b"\x0d" + good[position + 1 :]
    with pytest.raises(DecodeError, match="common name"):
        renew_credentials(wrong, now=NOW)


def test_what_is_no_certificate_is_refused() -> None:
    good = credentials().certificate
    for wrong in (b"", b"0", good[:-1], good + b"\0", credentials().private_key):
        with pytest.raises(DecodeError) as caught:
            curve_of(wrong)
        assert caught.value.reason == "certificate"


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_keys_of_other_kinds_are_refused(
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
) -> None:
    with pytest.raises(DecodeError) as caught:
        curve_of(foreign(private))
    assert caught.value.reason == "curve"
    with pytest.raises(DecodeError) as caught:
        private_key_as(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "sec1")
    assert caught.value.reason == "private_key"


def test_an_encrypted_key_is_refused() -> None:
    private = load_der_private_key(credentials().private_key, None)
    octets = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(DecodeError, match="unencrypted"):
        private_key_as(octets, "sec1")


def test_credentials_have_to_fit() -> None:
    one, other = credentials(), credentials(common_name="other")
    with pytest.raises(SecurityError, match="another one"):
        check_credentials(Credentials(one.certificate, other.private_key))
    with pytest.raises(SecurityError, match="expected a key on SECP384R1, found one on SECP256R1"):
        check_credentials(one, frozenset({Curve.SECP384R1}))


def test_dates_are_compared() -> None:
    certificate = credentials().certificate
    start, end = validity(certificate)
    second = timedelta(seconds=1)
    for now in (start, end):
        assert check_validity(certificate, now=now) is None
    for now, alert in ((start - second, "bad_certificate"), (end + second, "certificate_expired")):
        with pytest.raises(SecurityError, match="expected one that is valid at") as caught:
            check_validity(certificate, now=now)
        assert caught.value.alert == alert
        assert "valid at" in (check_validity(certificate, now=now, check="warn") or "")
        assert check_validity(certificate, now=now, check="off") is None


@pytest.mark.parametrize(("years", "good"), [(7, True), (8, False)])
def test_a_life_of_more_than_seven_years_is_told(years: int, good: bool) -> None:  # noqa: FBT001 - of a table
    private, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    end = NOW.replace(year=NOW.year + years)
    certificate = _builder(name, private).not_valid_after(end).sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
    trouble = check_validity(certificate, now=NOW, check="warn")
    assert (trouble is None) is good


def test_dates_that_do_not_exist_are_refused() -> None:
    good = credentials().certificate
    month_13 = good.replace(b"260301120000Z", b"261301120000Z")
    # The year 0 as GeneralizedTime, 4 octets more than two UTCTimes; the outer three lengths grow with it.
    start = good.index(b"\x30\x1e\x17\x0d260301120000Z")
    year_0 = bytearray(good[:start] + b"\x30\x22" + b"\x18\x0f00000101000000Z" * 2 + good[start + 32 :])
    year_0[3] += 4
    year_0[6] += 4
    for wrong in (month_13, bytes(year_0)):
        for call in (lambda: validity(wrong), lambda: check_validity(wrong, now=NOW)):  # noqa: B023 - called at once
            with pytest.raises(DecodeError):
                call()


def test_der_of_every_length() -> None:
    for size in (0, 1, 127, 128, 255, 256, 65_535, 65_536):
        head = bytes([size]) if size < 128 else bytes([0x80 + (size.bit_length() + 7) // 8])
        if size >= 128:
            head += size.to_bytes((size.bit_length() + 7) // 8)
        whole = b"\x30" + head + bytes(size)
        assert der_octets(whole + b"more") == len(whole)
        with pytest.raises(DecodeError):
            der_octets(whole[:-1])


@given(st.binary(max_size=12))
def test_der_of_any_octets(data: bytes) -> None:
    try:
        octets = der_octets(data)
    except DecodeError:
        return
    assert 2 <= octets <= len(data)
    assert data[:1] == b"\x30"
    assert data[1] != 0x80


@given(st.data())
def test_damage_gives_documented_errors_only(data: st.DataObject) -> None:
    made = credentials(data.draw(st.sampled_from(Curve)))
    certificate, private_key = bytearray(made.certificate), bytearray(made.private_key)
    for octets in (certificate, private_key):
        for _ in range(data.draw(st.integers(0, 3))):
            octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    for call in (
        lambda: check_credentials(Credentials(bytes(certificate), bytes(private_key))),
        lambda: check_validity(bytes(certificate), now=NOW),
        lambda: renew_credentials(bytes(certificate), now=NOW),
    ):
        try:
            call()
        except E320Error as error:
            text = "".join(traceback.format_exception(error)).lower()
            assert made.private_key[20:28].hex() not in text
            assert repr(bytes(private_key))[2:40] not in text


def test_private_key_is_not_shown() -> None:
    made = credentials()
    assert repr(made) == f"Credentials(certificate={made.certificate!r})"
    assert str(made) == repr(made)
