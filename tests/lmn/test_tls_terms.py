"""Names and numbers of TLS; what is read from certificates and keys."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import SecurityError
from e320proto.lmn.tls_terms import CipherSuite, NamedCurve, alert_in, certificate_curve, holds_sec1
from tests.lmn.tls_peers import METER, identity


def test_openssl_knows_the_suites_by_their_names() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for suite in CipherSuite:
        context.set_ciphers(suite.openssl_name)
        (found,) = (cipher["id"] & 0xFFFF for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2")
        assert found == suite.value


@pytest.mark.parametrize("curve", NamedCurve)
def test_the_curve_of_a_certificate(curve: NamedCurve) -> None:
    assert certificate_curve(identity(METER, curve).certificate) is curve


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("", "certificate: expected a whole DER element at offset 0, found 0 octets"),
        ("30", "certificate: expected a whole DER element at offset 0, found 1 octets"),
        ("3080", "certificate: expected a whole DER element at offset 0, found 2 octets"),
        ("3084000000010000", "certificate: expected a whole DER element at offset 0, found 8 octets"),
        ("3100", "certificate: expected a SEQUENCE at offset 0, found tag 31"),
        ("30023000", "certificate: expected a whole DER element at offset 4, found 0 octets"),
        ("3013 3011 0500 0500 0500 0500 0500 3005 3003 050100", "certificate: expected an object identifier at offset"),
        (
            "3014 3012 0500 0500 0500 0500 0500 3006 3004 06022A03",
            "certificate: expected a key on an elliptic curve, found one of algorithm 2a03",
        ),
        (
            "301F 301D 0500 0500 0500 0500 0500 3011 300F 06072A8648CE3D0201 06042B810400",
            "found one on the curve with identifier 2b810400",
        ),
    ],
)
def test_octets_that_are_no_certificate_of_the_lmn(octets: str, message: str) -> None:
    with pytest.raises(SecurityError, match=message):
        certificate_curve(bytes.fromhex(octets))


@given(st.data())
def test_a_damaged_certificate_raises_nothing_else(data: st.DataObject) -> None:
    octets = bytearray(identity(METER).certificate)
    for at, octet in data.draw(st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), max_size=4)):
        octets[at] = octet
    damaged = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    with suppress(SecurityError):
        assert certificate_curve(damaged) in NamedCurve


def test_the_form_of_a_key() -> None:
    assert holds_sec1(identity(METER).sec1)
    assert not holds_sec1(identity(METER).pkcs8)
    other = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    assert not holds_sec1(other)  # looks like PKCS #8 from here; OpenSSL refuses it


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x02", b"\x30\x03\x04\x01\x01", b"secret key"])
def test_no_key_and_nothing_of_it_in_the_error(octets: bytes) -> None:
    with pytest.raises(SecurityError) as raised:
        holds_sec1(octets)
    assert str(raised.value) == "private key: expected SEC 1 or PKCS #8 in DER, found other octets"


@pytest.mark.parametrize(
    ("flight", "expected"),
    [
        ("", None),
        ("15030300020230", "unknown_ca"),
        ("1503010002021F", "alert 31"),
        ("1603030001FF15030300020228", "handshake_failure"),
        ("1503030002022816030300010E", None),
        ("16030300020228", None),
        ("1503030003022800", None),
        ("150303", None),
    ],
)
def test_the_alert_at_the_end_of_a_flight(flight: str, expected: str | None) -> None:
    assert alert_in(bytes.fromhex(flight)) == expected
