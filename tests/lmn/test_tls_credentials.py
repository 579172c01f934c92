"""What is read from certificates, and how keys get to OpenSSL."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import SecurityError
from e320proto.lmn.tls_credentials import certificate_curve, credentials_pem, secret_file
from e320proto.lmn.tls_terms import NamedCurve
from tests.lmn.tls_peers import METER, identity


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


@pytest.mark.parametrize("curve", NamedCurve)
def test_a_key_in_each_of_its_forms(curve: NamedCurve) -> None:
    own = identity(METER, curve)
    for key in (own.sec1, own.pkcs8):
        pem = credentials_pem(own.certificate, key)
        assert load_pem_x509_certificate(pem).public_bytes(Encoding.DER) == own.certificate
        loaded = load_pem_private_key(pem[pem.index(b"-----END CERT") :], None)
        assert isinstance(loaded, EllipticCurvePrivateKey)
        assert loaded.private_numbers() == own.key.private_numbers()


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x02", b"\x30\x03\x04\x01\x01", b"secret key"])
def test_no_key_and_nothing_of_it_in_the_error(octets: bytes) -> None:
    with pytest.raises(SecurityError) as raised:
        credentials_pem(b"", octets)
    assert str(raised.value) == "private key: expected SEC 1 or PKCS #8 in DER, found other octets"


def test_the_file_is_gone_when_something_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with suppress(ZeroDivisionError), secret_file(b"secret") as path:
        assert list(tmp_path.iterdir()) == [Path(path)]
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
