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

from e320proto.errors import DecodeError
from e320proto.lmn.certificates import Curve
from e320proto.lmn.tls_credentials import credentials_pem, secret_file
from tests.lmn.tls_peers import METER, identity


@pytest.mark.parametrize("curve", Curve)
def test_a_key_in_each_of_its_forms(curve: Curve) -> None:
    own = identity(METER, curve)
    for key in (own.sec1, own.pkcs8):
        pem = credentials_pem(own.certificate, key)
        assert load_pem_x509_certificate(pem).public_bytes(Encoding.DER) == own.certificate
        loaded = load_pem_private_key(pem[pem.index(b"-----END CERT") :], None)
        assert isinstance(loaded, EllipticCurvePrivateKey)
        assert loaded.private_numbers() == own.key.private_numbers()


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x02", b"\x30\x03\x04\x01\x01", b"secret key"])
def test_no_key_and_nothing_of_it_in_the_error(octets: bytes) -> None:
    with pytest.raises(DecodeError) as raised:
        credentials_pem(b"", octets)
    assert raised.value.reason == "private_key"
    assert "secret" not in str(raised.value)


def test_the_file_is_gone_when_something_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with suppress(ZeroDivisionError), secret_file(b"secret") as path:
        assert list(tmp_path.iterdir()) == [Path(path)]
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
