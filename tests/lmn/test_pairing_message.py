"""Messages of the pairing: the vectors byte for byte, padding of all kinds, sizes, and messages in segments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError, E320Error, EncodeError, LimitError, SecurityError
from e320proto.lmn import pairing_keys
from e320proto.lmn.pairing import (
    Algorithms,
    Direction,
    MessageAssembly,
    SymMessage,
    derive_keys,
    open_,
    operational_key,
    seal,
)
from e320proto.lmn.pairing_message import (
    MAX_COUNTER,
    decode_algorithms,
    decode_max_fragment,
    decode_message,
    encode_algorithms,
    encode_max_fragment,
    encode_message,
    pad,
    split_credentials,
    unpad,
)
from e320proto.lmn.profile import SecurityProfile
from tests.lmn.pairing_parts import DEFAULT, KEY, METER_ID, VECTORS, credentials, gateway_certificate

if TYPE_CHECKING:
    from pathlib import Path

DIRECTIONS = {"G>M": Direction.FROM_GATEWAY, "M>G": Direction.FROM_METER}
COMPAT = {
    "data_aligned_tr": SecurityProfile(),
    "data_aligned_no_block": SecurityProfile(data_padding="none_if_aligned"),
    "data_zero_padded": SecurityProfile(data_padding="zero"),
    "kdf_swapped": SecurityProfile(kdf_swap_directions=True),
    "kdf_swapped_zero": SecurityProfile(kdf_swap_directions=True, kdf_zero_padding=True),
}
Padding = Literal["tr", "none_if_aligned", "zero"]
PADDINGS: list[Padding] = ["tr", "none_if_aligned", "zero"]


def named(vectors: list[dict[str, Any]]) -> list[Any]:
    assert vectors
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def test_cmac_of_the_standard(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "lmn.json").read_text(encoding="utf-8"))["cmac_rfc4493"]
    assert len(vectors) == 4
    for vector in vectors:
        key, message = bytes.fromhex(vector["key"]), bytes.fromhex(vector["message"])
        assert pairing_keys._cmac(key, message).hex().upper() == vector["mac"]


@pytest.mark.parametrize("vector", named(VECTORS["sym_kdf"] + VECTORS["sym_kdf_compat"]))
def test_keys_of_a_message(vector: dict[str, Any]) -> None:
    switches = {name: vector.get(name, False) for name in ("kdf_swap_directions", "kdf_zero_padding")}
    profile = SecurityProfile(**switches)
    parts = bytes.fromhex(vector["mk"]), int(vector["counter"], 16), bytes.fromhex(vector["meter_id"])
    for letter, direction in (("K", Direction.FROM_METER), ("L", Direction.FROM_GATEWAY)):
        keys = derive_keys(*parts, direction, profile)
        assert keys.encryption.hex().upper() == vector["keys"][f"{letter}_Enc"]["output"]
        assert keys.mac.hex().upper() == vector["keys"][f"{letter}_MAC"]["output"]


@pytest.mark.parametrize("vector", named(VECTORS["sym_exchange"]["messages"]))
def test_message_is_sealed_and_opened(vector: dict[str, Any]) -> None:
    counter, data = int(vector["counter"], 16), bytes.fromhex(vector["data"])
    keys = derive_keys(KEY, counter, METER_ID, DIRECTIONS[vector["dir"]])
    assert (keys.encryption.hex().upper(), keys.mac.hex().upper()) == (vector["enc_key"], vector["mac_key"])
    assert pad(data).hex().upper() == vector["padded"]
    wire = bytes.fromhex(vector["hex"])
    assert seal(int(vector["cmd"], 16), counter, data, keys) == wire
    assert open_(wire, keys) == data
    message = decode_message(wire, DEFAULT)
    assert (message.command, message.counter, message.length) == (int(vector["cmd"], 16), counter, None)
    assert message.mac.hex().upper() == vector["mac"]
    assert encode_message(message) == wire
    assert len(wire) == vector["length"]


@pytest.mark.parametrize("vector", named(VECTORS["sym_compat"]["messages"]))
def test_deviating_message_is_sealed_and_opened(vector: dict[str, Any]) -> None:
    profile, counter = COMPAT[vector["id"]], int(vector["counter"], 16)
    keys = derive_keys(KEY, counter, METER_ID, DIRECTIONS[vector["dir"]], profile)
    data, wire = bytes.fromhex(vector["data"]), bytes.fromhex(vector["hex"])
    assert seal(int(vector["cmd"], 16), counter, data, keys, profile) == wire
    assert open_(wire, keys, profile) == data


@pytest.mark.parametrize("vector", named([each for each in VECTORS["sym_invalid"] if "after_counter" not in each]))
def test_wrong_message_is_refused(vector: dict[str, Any]) -> None:
    wire = bytes.fromhex(vector["hex"])
    keys = derive_keys(KEY, int.from_bytes(wire[5:9]), METER_ID, DIRECTIONS[vector["dir"]])
    match vector["error"]:
        case "mac":
            with pytest.raises(SecurityError, match="expected the MAC"):
                open_(wire, keys)
        case "order":
            assert open_(wire, keys) == bytes.fromhex("3003475743")
        case reason:
            with pytest.raises(DecodeError) as caught:
                open_(wire, keys)
            assert caught.value.reason == reason


def test_operational_key() -> None:
    (vector,) = VECTORS["operational_key"]
    key, z1 = bytes.fromhex(vector["initial_key"]), bytes.fromhex(vector["z1"])
    assert operational_key(key, z1).hex().upper() == vector["operational_key"]
    for wrong in (z1[:15], z1 + b"\0", b""):
        with pytest.raises(DecodeError, match=f"expected 16 octets, found {len(wrong)}"):
            operational_key(key, wrong)


def test_a_message_with_a_cut_mac_is_eight_octets_shorter() -> None:
    profile = SecurityProfile(mac_length=8)
    keys = derive_keys(KEY, 0x18, METER_ID, Direction.FROM_GATEWAY)
    whole, cut = seal(4, 0x18, b"data", keys), seal(4, 0x18, b"data", keys, profile)
    assert len(cut) == 17 + 16
    assert cut[9:25] == whole[9:25]
    assert open_(cut, keys, profile) == b"data"
    with pytest.raises(SecurityError):
        open_(cut[:-1] + bytes([cut[-1] ^ 1]), keys, profile)


@pytest.mark.parametrize("length", [0, 24, 40, 42, 0xFFFFFFFF])
def test_length_field(length: int) -> None:
    keys = derive_keys(KEY, 0x18, METER_ID, Direction.FROM_GATEWAY)
    wire = bytearray(seal(4, 0x18, b"data", keys))
    wire[1:5] = length.to_bytes(4)
    wire[-16:] = pairing_keys._cmac(keys.mac, bytes(wire[:-16]))
    for profile in (DEFAULT, SecurityProfile(sym_length_lenient=False)):
        if length < len(wire) and profile.sym_length_lenient:
            message = decode_message(bytes(wire), profile)
            assert message.length == length
            assert encode_message(message) == wire
            assert open_(bytes(wire), keys, profile) == b"data"
        else:
            with pytest.raises(DecodeError, match=f"expected a length of 41, found {length}"):
                open_(bytes(wire), keys, profile)


def test_a_message_of_every_other_size_is_refused() -> None:
    for octets in range(80):
        data = b"\1" + octets.to_bytes(4) + bytes(75)
        if octets in {25, 41, 57, 73}:
            assert len(decode_message(data[:octets], DEFAULT).ciphertext) == octets - 25
        else:
            with pytest.raises(DecodeError) as caught:
                decode_message(data[:octets], DEFAULT)
            assert caught.value.reason == "length"


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (SymMessage(256, 0, b"", bytes(16)), "command"),
        (SymMessage(1, 1 << 32, b"", bytes(16)), "counter"),
        (SymMessage(1, -1, b"", bytes(16)), "counter"),
        (SymMessage(1, 1, b"x", bytes(16)), "ciphertext"),
        (SymMessage(1, 1, b"", bytes(16), length=1 << 32), "length"),
    ],
)
def test_what_has_no_message(message: SymMessage, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_message(message)
    assert caught.value.path == path


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_keys_of_another_size_are_refused(size: int) -> None:
    with pytest.raises(EncodeError, match=f"^expected 16 octets, found {size} "):
        derive_keys(bytes(size), 1, METER_ID, Direction.FROM_METER)
    with pytest.raises(EncodeError, match="meter_id"):
        derive_keys(KEY, 1, METER_ID[1:], Direction.FROM_METER)
    with pytest.raises(EncodeError, match="counter"):
        derive_keys(KEY, 1 << 32, METER_ID, Direction.FROM_METER)


@given(st.binary(max_size=70))
def test_padding_comes_off_again(data: bytes) -> None:
    padded = pad(data)
    assert len(padded) % 16 == 0
    assert unpad(padded, "tr", 4) == data
    assert len(padded) > len(data) or not data


@pytest.mark.parametrize("padding", PADDINGS)
@given(st.data())
def test_padding_comes_off_data_that_tell_their_length(padding: Padding, data: st.DataObject) -> None:
    # Certificates that end in octets that look like padding, too.
    tail = data.draw(st.sampled_from([b"", b"\1", b"\2\2", b"\0\0\0"]))
    content = data.draw(st.binary(max_size=100)) + tail
    certificate = b"\x30" + bytes([len(content)]) + content
    assert unpad(pad(certificate, padding), padding, 4) == certificate
    assert unpad(pad(certificate * 2, padding), padding, 3) == certificate * 2
    algorithms = encode_algorithms(Algorithms(suites=tuple(range(len(content)))))
    assert unpad(pad(algorithms, padding), padding, 0x82) == algorithms
    assert unpad(pad(b"\x08\0", padding), padding, 0x85) == b"\x08\0"


@pytest.mark.parametrize("padding", PADDINGS)
@given(st.data())
def test_other_ends_are_no_padding(padding: Padding, data: st.DataObject) -> None:
    padded = data.draw(st.binary(min_size=1, max_size=4).map(lambda octets: octets * 16))
    command = data.draw(st.integers(0, 255))
    try:
        content = unpad(padded, padding, command)
    except DecodeError as error:
        assert error.reason == "padding"  # noqa: PT017 - one of two good ends
        return
    assert pad(content, padding) == padded or (padding == "tr" and padded == bytes([16]) * 16)


def test_a_wrong_pad_octet_is_found_wherever_it_is() -> None:
    padded = pad(b"\x30\x03abc")
    for position in range(5, 16):
        for value in (0, 10, 12, 17, 255):
            wrong = bytearray(padded)
            wrong[position] = value
            with pytest.raises(DecodeError):
                unpad(bytes(wrong), "tr", 4)


def test_algorithms_are_read_and_written() -> None:
    data = bytes.fromhex(next(each["data"] for each in VECTORS["sym_exchange"]["messages"] if each["cmd"] == "82"))
    assert decode_algorithms(data) == Algorithms()
    assert encode_algorithms(Algorithms()) == data
    assert {curve.value for curve in Algorithms().curves} == {23, 24, 26, 27, 28}
    for octets in range(len(data)):
        with pytest.raises(DecodeError, match="expected a list of algorithms"):
            decode_algorithms(data[:octets])
    with pytest.raises(DecodeError, match="expected a list of algorithms of 24 octets, found 25 octets"):
        decode_algorithms(data + b"\0")
    assert Algorithms(groups=(23, 29)).curves == {curve for curve in Algorithms().curves if curve.value == 23}


@pytest.mark.parametrize(
    ("algorithms", "path"),
    [
        (Algorithms(prefix=b"abc"), "prefix"),
        (Algorithms(suites=(1 << 16,)), "suites"),
        (Algorithms(groups=tuple(range(256))), "groups"),
    ],
)
def test_what_has_no_list_of_algorithms(algorithms: Algorithms, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_algorithms(algorithms)
    assert caught.value.path == path


def test_largest_fragment_is_read_and_written() -> None:
    for octets in (0, 2048, 65_535):
        assert decode_max_fragment(encode_max_fragment(octets)) == octets
    for data in (b"", b"\x08", b"\x08\0\0"):
        with pytest.raises(DecodeError):
            decode_max_fragment(data)
    with pytest.raises(EncodeError):
        encode_max_fragment(65_536)


def test_certificate_and_key_are_cut() -> None:
    made = credentials()
    assert split_credentials(made.certificate + made.private_key) == (made.certificate, made.private_key)
    for wrong in (b"", made.certificate, made.certificate + made.private_key[:-1], made.certificate * 3):
        with pytest.raises(DecodeError) as caught:
            split_credentials(wrong)
        assert caught.value.reason == "content"


# --- segments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("marked", [True, False])
@given(st.data())
def test_segments_become_messages(marked: bool, data: st.DataObject) -> None:  # noqa: FBT001 - of a table
    assembly = MessageAssembly()
    keys = derive_keys(KEY, 1, METER_ID, Direction.FROM_GATEWAY)
    for _ in range(2):
        message = seal(4, 1, gateway_certificate()[: data.draw(st.integers(0, 200))], keys)
        rest = message
        while rest:
            cut = data.draw(st.integers(1, len(rest)))
            segment, rest = rest[:cut], rest[cut:]
            complete = assembly.feed(segment, more=marked and bool(rest))
            assert complete == (None if rest else message)


def test_a_length_that_is_too_small_does_not_cut_a_marked_message() -> None:
    assembly = MessageAssembly()
    assert assembly.feed(b"\x04\0\0\0\x09" + bytes(10), more=True) is None
    assert assembly.feed(bytes(10)) == b"\x04\0\0\0\x09" + bytes(20)


def test_a_message_has_a_bound() -> None:
    assembly = MessageAssembly(max_octets=41)
    with pytest.raises(LimitError) as caught:
        assembly.feed(b"\x04\0\0\0\x2a")
    assert (caught.value.limit, caught.value.maximum, caught.value.actual) == ("max_message", 41, 42)
    assert assembly.feed(b"\x04\0\0\0\x29" + bytes(36)) is not None  # nothing is left of the other one
    assert assembly.feed(b"\x04\0\0\0\x29" + bytes(36), more=True) is None
    with pytest.raises(LimitError):
        assembly.feed(b"\0", more=True)


def test_an_incomplete_message_is_forgotten_with_its_connection() -> None:
    assembly = MessageAssembly()
    assert assembly.feed(b"\x01\0\0\0\x19\xff") is None
    assembly.clear()
    wire = bytes.fromhex(VECTORS["sym_exchange"]["messages"][0]["hex"])
    assert assembly.feed(wire) == wire


@given(st.binary(max_size=120), st.sampled_from([0, 1, MAX_COUNTER]))
def test_any_octets_give_documented_errors_only(data: bytes, counter: int) -> None:
    keys = derive_keys(KEY, counter, METER_ID, Direction.FROM_METER)
    with pytest.raises(E320Error):
        open_(data, keys)
