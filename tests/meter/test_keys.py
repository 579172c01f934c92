"""The meter's key: known points, storing and restoring, and a private key that shows nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError
from e320proto.meter.keys import MeterKey
from e320proto.meter.modes import Curve

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
"""Private key of the examples of RFC 6979, A.2.5."""
POINT = (
    "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)

# Prime, a, b and order, of FIPS 186-4, D.1.2.3 and RFC 5639, 3.4.
CURVES = {
    Curve.NIST_P256: (
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        -3,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    Curve.BRAINPOOL_P256R1: (
        0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377,
        0x7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9,
        0x26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6,
        0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7,
    ),
}

curves = st.sampled_from(Curve)
numbers = st.integers(min_value=1, max_value=min(order for *_, order in CURVES.values()) - 1)


def error_of(call: Callable[[], object]) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        call()
    return caught.value


def test_a_known_point_of_nist_p256() -> None:
    key = MeterKey.from_private_number(NUMBER)
    assert key.curve is Curve.NIST_P256
    assert key.public_hex == POINT


def test_the_generator_of_brainpool() -> None:
    # Source: RFC 5639, 3.4.
    assert MeterKey.from_private_number(1, Curve.BRAINPOOL_P256R1).public_hex == (
        "048BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262"
        "547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997"
    )


@given(curves, numbers)
def test_the_public_key_is_a_point_of_the_curve(curve: Curve, number: int) -> None:
    prime, a, b, _ = CURVES[curve]
    point = MeterKey.from_private_number(number, curve).public_key
    assert len(point) == 65
    assert point[0] == 4
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    assert (y * y - (x**3 + a * x + b)) % prime == 0


@given(curves, numbers)
def test_stored_keys_come_back(curve: Curve, number: int) -> None:
    key = MeterKey.from_private_number(number, curve)
    for restored in (
        MeterKey.from_octets(key.to_octets()),
        MeterKey.from_pem(key.to_pem()),
        MeterKey.from_pem(key.to_pem().decode()),
    ):
        assert restored == key
        assert hash(restored) == hash(key)
        assert restored.curve is curve
        assert restored.to_octets() == key.to_octets()  # the private key, too


@pytest.mark.parametrize("curve", Curve)
def test_generated_keys_differ(curve: Curve) -> None:
    keys = {MeterKey.generate(curve) for _ in range(20)}
    assert len(keys) == 20
    assert {key.curve for key in keys} == {curve}


def test_equality_is_that_of_curve_and_public_key() -> None:
    one = MeterKey.from_private_number(1)
    assert one == MeterKey.from_private_number(1, Curve.NIST_P256)
    assert one != MeterKey.from_private_number(1, Curve.BRAINPOOL_P256R1)
    assert one != MeterKey.from_private_number(2)
    assert one != one.public_hex


def test_a_key_in_the_form_of_sec_1_is_read() -> None:
    private = ec.derive_private_key(NUMBER, ec.SECP256R1())
    old = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert old.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert MeterKey.from_pem(old).public_hex == POINT


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("off", [0, 1, 2**300, "minus"])
def test_numbers_out_of_range_are_refused_and_not_shown(curve: Curve, off: int | str) -> None:
    order = CURVES[curve][-1]
    number = -NUMBER if off == "minus" else order + int(off)
    error = error_of(lambda: MeterKey.from_private_number(number, curve))
    assert error.reason == "private_number"
    assert str(number) not in "".join(traceback.format_exception(error))
    assert f"{abs(number):x}" not in "".join(traceback.format_exception(error)).lower()


@pytest.mark.parametrize("curve", Curve)
def test_the_largest_number_gives_the_generator_with_the_other_y(curve: Curve) -> None:
    prime, *_, order = CURVES[curve]
    first = MeterKey.from_private_number(1, curve).public_key
    last = MeterKey.from_private_number(order - 1, curve).public_key
    assert last[:33] == first[:33]
    assert int.from_bytes(first[33:], "big") + int.from_bytes(last[33:], "big") == prime


def test_zero_and_what_is_no_number_are_refused() -> None:
    assert error_of(lambda: MeterKey.from_private_number(0)).reason == "private_number"
    assert error_of(lambda: MeterKey.from_private_number("1")).reason == "private_number"  # type: ignore[arg-type]


@given(st.binary(max_size=200))
def test_other_octets_are_refused(octets: bytes) -> None:
    assert error_of(lambda: MeterKey.from_octets(octets)).reason == "key"
    assert error_of(lambda: MeterKey.from_pem(octets)).reason == "key"


def test_a_damaged_key_is_restored_as_another_one_or_refused() -> None:
    octets = MeterKey.from_private_number(NUMBER).to_octets()
    for length in range(len(octets)):
        assert error_of(lambda length=length: MeterKey.from_octets(octets[:length])).reason == "key"  # type: ignore[misc]
    for bit in range(len(octets) * 8):
        damaged = bytearray(octets)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            MeterKey.from_octets(bytes(damaged))
        except DecodeError as error:
            assert error.reason in {"key", "key_curve"}  # noqa: PT017 - some flips give another good key


def test_keys_of_another_kind_are_refused() -> None:
    der = (Encoding.DER, PrivateFormat.PKCS8)
    other_curve = ec.derive_private_key(NUMBER, ec.SECP384R1()).private_bytes(*der, NoEncryption())
    error = error_of(lambda: MeterKey.from_octets(other_curve))
    assert error.reason == "key_curve"
    assert error.detail == "expected a key on secp256r1 or brainpoolP256r1, found secp384r1"
    not_elliptic = rsa.generate_private_key(65537, 2048).private_bytes(*der, NoEncryption())
    assert "found RSAPrivateKey" in error_of(lambda: MeterKey.from_octets(not_elliptic)).detail
    locked = ec.derive_private_key(NUMBER, ec.SECP256R1()).private_bytes(*der, BestAvailableEncryption(b"secret"))
    assert "unencrypted" in error_of(lambda: MeterKey.from_octets(locked)).detail


def test_the_private_key_shows_nowhere() -> None:
    key = MeterKey.from_private_number(NUMBER)
    shown = f"{key!r} {key!s} {key} {[key]} {key.public_hex}"
    assert f"{NUMBER:x}" not in shown.lower()
    assert str(NUMBER) not in shown
    assert repr(key) == f"MeterKey(nist-p256, public key {POINT[:16]}...)"
    assert not hasattr(key, "__dict__")
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="to_octets"):
            copied(key)


def test_a_wrong_pem_is_not_quoted() -> None:
    pem = MeterKey.from_private_number(NUMBER).to_pem().replace(b"MIG", b"XIG", 1)
    error = error_of(lambda: MeterKey.from_pem(pem))
    secret = pem.splitlines()[1].decode()
    assert secret not in "".join(traceback.format_exception(error))
