"""Both checksums, from either library, against a bit-by-bit computation."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import CrcKind, crc

if TYPE_CHECKING:
    from collections.abc import Callable

CHECK = b"123456789"


def bit_by_bit(data: bytes, start: int, final: int) -> int:
    value = start
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value ^ final


def libraries() -> dict[str, tuple[Callable[[bytes], int], Callable[[bytes], int]]]:
    """X-25 and Kermit of every library that is installed, and those in use."""
    found = {"in use": (crc.x25, crc.kermit)}
    predefined = importlib.import_module("crcmod.predefined")
    found["crcmod"] = (predefined.mkPredefinedCrcFun("x-25"), predefined.mkPredefinedCrcFun("kermit"))
    if importlib.util.find_spec("fastcrc"):
        crc16 = importlib.import_module("fastcrc").crc16
        found["fastcrc"] = (crc16.ibm_sdlc, crc16.kermit)
    return found


LIBRARIES = libraries()


@pytest.mark.parametrize("name", LIBRARIES)
def test_check_values(name: str) -> None:
    x25, kermit = LIBRARIES[name]
    assert (x25(CHECK), kermit(CHECK)) == (0x906E, 0x2189)
    assert (x25(b""), kermit(b"")) == (0, 0)


@given(st.binary(max_size=300))
def test_libraries_agree_with_the_definition(data: bytes) -> None:
    expected = (bit_by_bit(data, 0xFFFF, 0xFFFF), bit_by_bit(data, 0, 0))
    for x25, kermit in LIBRARIES.values():
        assert (x25(data), kermit(data)) == expected


@given(st.binary(max_size=300))
def test_wire_order(data: bytes) -> None:
    """X-25 low octet first, Kermit high octet first."""
    assert CrcKind.X25.wire(data).to_bytes(2, "big") == crc.x25(data).to_bytes(2, "little")
    assert CrcKind.KERMIT.wire(data) == crc.kermit(data)
    assert crc.WIRE[CrcKind.X25](data) == crc.x25_wire(data) == CrcKind.X25.wire(data)


@given(st.binary(min_size=1, max_size=40))
def test_residue(data: bytes) -> None:
    """Over data and its own checksum, low octet first, both give a constant: how receivers in hardware check."""
    assert crc.x25(data + crc.x25(data).to_bytes(2, "little")) == 0x0F47
    assert crc.kermit(data + crc.kermit(data).to_bytes(2, "little")) == 0


def test_kinds() -> None:
    assert [kind.value for kind in CrcKind] == ["x25", "kermit"]
    assert list(crc.WIRE) == list(CrcKind)
    assert (CrcKind.X25, str(CrcKind.KERMIT)) == ("x25", "kermit")


_PROGRAM = """
import sys
if {blocked}:
    sys.modules["fastcrc"] = None
from e320proto import CrcKind, crc, encode_transport
print(crc.IMPLEMENTATION, *[f"{{kind.wire(b'123456789'):04x}}" for kind in CrcKind], encode_transport(b"good!").hex())
"""


def computed(*, blocked: bool) -> list[str]:
    program = _PROGRAM.format(blocked=blocked)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return done.stdout.split()


def test_without_fastcrc_the_other_library_computes_the_same() -> None:
    """In a fresh interpreter that cannot import fastcrc."""
    assert computed(blocked=True) == ["crcmod", *computed(blocked=False)[1:]]
    assert computed(blocked=True)[1:3] == ["6e90", "2189"]


def test_without_fastcrc_in_this_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastcrc", None)
    name, x25, kermit = crc._implementation()
    assert (name, x25(CHECK), kermit(CHECK)) == ("crcmod", 0x906E, 0x2189)


@pytest.mark.skipif(not importlib.util.find_spec("fastcrc"), reason="fastcrc is not installed")
def test_with_fastcrc() -> None:
    name, x25, kermit = crc._implementation()
    assert (name, x25(CHECK), kermit(CHECK)) == ("fastcrc", 0x906E, 0x2189)
    assert crc.IMPLEMENTATION == "fastcrc"
