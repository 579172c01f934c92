r"""The protection of one message of the symmetric exchange: its keys, its cipher and its MAC.

::

    key of the meter --AES-CMAC(constant, counter, id)--> key of the cipher --AES-128-CBC--> ciphertext
                                                     \--> key of the MAC --AES-CMAC-------> MAC over all before it

First the MAC is checked, in constant time; only then is anything decrypted.

Source: LMN security, 6.2, 6.3 and 6.8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from e320proto.errors import DecodeError, EncodeError, SecurityError
from e320proto.lmn.pairing_message import (
    BLOCK,
    COUNTER_QUERY,
    Padding,
    SymMessage,
    decode_message,
    encode_message,
    pad,
    unpad,
)
from e320proto.lmn.profile import SecurityProfile

ID_OCTETS: Final = 10
"""Octets of a meter's id."""
DEFAULT_PROFILE: Final = SecurityProfile()


class Direction(Enum):
    """Who sends; the value is the first octet of what the keys are derived from, for the key of the cipher."""

    FROM_METER = 0x00
    FROM_GATEWAY = 0x10


@dataclass(frozen=True, slots=True)
class SymKeys:
    """The two keys of one message; ``repr`` shows neither.

    Args:
        encryption: of the cipher, 16 octets.
        mac: of the MAC, 16 octets.
    """

    encryption: bytes = field(repr=False)
    mac: bytes = field(repr=False)


def derive_keys(
    key: bytes, counter: int, meter_id: bytes, direction: Direction, profile: SecurityProfile = DEFAULT_PROFILE
) -> SymKeys:
    """Make the keys of one message.

    Args:
        key: the meter's, 16 octets.
        counter: of the message.
        meter_id: the meter's server id, 10 octets.
        direction: who sends it.
        profile: ``kdf_swap_directions`` and ``kdf_zero_padding`` are of interest.

    Raises:
        EncodeError: a key, a counter or an id of another size.

    Source: LMN security, 6.2.

    >>> derive_keys(bytes(range(16)), 1, bytes.fromhex("0a014c475a00000bc614"), Direction.FROM_METER)
    SymKeys()
    """
    sized(meter_id, ID_OCTETS, "meter_id")
    if not 0 <= counter <= COUNTER_QUERY:
        raise EncodeError("out_of_range", "expected a number of 32 bit", path="counter", value=counter)
    constant = direction.value
    if profile.kdf_swap_directions:
        constant ^= Direction.FROM_METER.value ^ Direction.FROM_GATEWAY.value
    rest = counter.to_bytes(4) + meter_id
    padding: Padding = "zero" if profile.kdf_zero_padding else "tr"
    encryption, mac = (_cmac(key, pad(bytes([octet]) + rest, padding)) for octet in (constant, constant + 1))
    return SymKeys(encryption, mac)


def seal(command: int, counter: int, data: bytes, keys: SymKeys, profile: SecurityProfile = DEFAULT_PROFILE) -> bytes:
    """Encrypt data, put the message around them, and the MAC behind.

    Raises:
        EncodeError: a command or counter out of its range, a key of another size.

    Source: LMN security, 6.3.

    >>> seal(1, 0xFFFFFFFF, b"", SymKeys(bytes(16), bytes(16))).hex()[:18]
    '0100000019ffffffff'
    """
    padded = pad(data, profile.data_padding)
    encryptor = _cipher(keys).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    bare = encode_message(SymMessage(command, counter, ciphertext, bytes(profile.mac_length)))[: -profile.mac_length]
    return bare + _cmac(keys.mac, bare)[: profile.mac_length]


def open_(message: bytes, keys: SymKeys, profile: SecurityProfile = DEFAULT_PROFILE) -> bytes:
    """Check a message and return its data; its counter and its turn are for the caller to check.

    Raises:
        DecodeError: ``length``; ``padding``, only of a message whose MAC is right.
        SecurityError: the MAC is wrong.

    >>> keys = SymKeys(bytes(16), bytes(16))
    >>> open_(seal(4, 1, b"data", keys), keys)
    b'data'
    """
    found = decode_message(message, profile)
    verify(message, keys, profile)
    return decrypt(found, keys, profile)


def operational_key(initial_key: bytes, z1: bytes) -> bytes:
    """Make the operational key of a key change.

    Args:
        initial_key: 16 octets.
        z1: what the gateway sends through TLS, 16 octets.

    Raises:
        DecodeError: ``z1``, of another size: a meter answers attention FE09.
        EncodeError: an initial key of another size.

    Source: LMN security, 6.8; general knowledge, not verified.
    """
    if len(z1) != BLOCK:
        raise DecodeError("z1", f"expected {BLOCK} octets, found {len(z1)}", source="LMN security, 6.8")
    return _cmac(initial_key, z1)


def verify(message: bytes, keys: SymKeys, profile: SecurityProfile) -> None:
    """Compare the MAC of a message, in constant time.

    Raises:
        SecurityError: it is wrong.
    """
    bare, mac = message[: -profile.mac_length], message[-profile.mac_length :]
    if not compare_digest(_cmac(keys.mac, bare)[: profile.mac_length], mac):
        msg = f"expected the MAC of {len(bare)} octets under the meter's key, found another one"
        raise SecurityError(msg)


def decrypt(message: SymMessage, keys: SymKeys, profile: SecurityProfile) -> bytes:
    """Decrypt a message whose MAC is right; its data.

    Raises:
        DecodeError: ``padding``.
    """
    decryptor = _cipher(keys).decryptor()
    padded = decryptor.update(message.ciphertext) + decryptor.finalize()
    return unpad(padded, profile.data_padding, message.command)


def _cipher(keys: SymKeys) -> Cipher[modes.CBC]:
    # No other start value than 0: each key is that of one message.
    return Cipher(algorithms.AES(sized(keys.encryption, BLOCK, "key")), modes.CBC(bytes(BLOCK)))


def _cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC, RFC 4493."""
    cmac = CMAC(algorithms.AES(sized(key, BLOCK, "key")))
    cmac.update(message)
    return cmac.finalize()


def sized(octets: bytes, size: int, path: str) -> bytes:
    """Return octets of the right size.

    Raises:
        EncodeError: of another size; of their value nothing is told.
    """
    if len(octets) != size:
        raise EncodeError("out_of_range", f"expected {size} octets", path=path, value=len(octets))
    return octets
