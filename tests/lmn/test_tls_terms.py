"""Names and numbers of TLS."""

from __future__ import annotations

import ssl

import pytest

from e320proto.lmn.tls_terms import CipherSuite, alert_in


def test_openssl_knows_the_suites_by_their_names() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for suite in CipherSuite:
        context.set_ciphers(suite.openssl_name)
        (found,) = (cipher["id"] & 0xFFFF for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2")
        assert found == suite.value


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
