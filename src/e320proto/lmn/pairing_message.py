"""Messages of the symmetric exchange: their octets, their commands, their data, and how segments become one.

::

    offset  0        1            5              9                9+16k            25+16k
          +--------+------------+--------------+----------------+----------------+
          | command| length u32 | counter u32  | ciphertext 16k | MAC 16 (or 8)  |
          +--------+------------+--------------+----------------+----------------+
            high octet first; the MAC is over everything before it; length = of the whole message

What is in the ciphertext and how the MAC is made is in :mod:`e320proto.lmn.pairing`.

Source: LMN security, 6.3 to 6.5 and 6.8; segments: wired LMN, 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal

from e320proto.errors import DecodeError, EncodeError, LimitError
from e320proto.lmn.certificates import Curve, der_octets
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.schema import sym

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE: Final = "LMN security, 6.4"
BLOCK: Final = 16
"""Octets of a block of AES; also of a key and of a whole MAC."""
REPLY: Final = 0x80
"""A reply's command is that of its request with this bit."""
COUNTER_QUERY: Final = 0xFFFFFFFF
"""Counter of request 01, which asks for the real one."""
MAX_COUNTER: Final = 0xFFFFFFFE

_MAX_U8: Final = 0xFF
_MAX_U16: Final = 0xFFFF

Padding = Literal["tr", "none_if_aligned", "zero"]


class Command(IntEnum):
    """What a request asks for; they come in this order, each once.

    >>> Command(3).name
    'CREDENTIALS'
    """

    COUNTER = 1
    ALGORITHMS = 2
    CREDENTIALS = 3
    GATEWAY_CERTIFICATE = 4
    MAX_FRAGMENT = 5


@dataclass(frozen=True, slots=True)
class SymMessage:
    """One message as it is on the wire.

    Args:
        command: 1 to 5 in a request, 81 to 85 hex in a reply.
        counter: 32 bit.
        ciphertext: whole blocks of 16 octets.
        mac: 16 octets, or 8.
        length: the length field, where it is not the length of the message.
    """

    command: int
    counter: int
    ciphertext: bytes
    mac: bytes
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Algorithms:
    """What a meter can do, by the numbers of TLS: the data of reply 82.

    Args:
        prefix: four octets of unknown meaning.
        suites: cipher suites.
        groups: curves.

    >>> Algorithms().groups[-1]
    26
    """

    prefix: bytes = SecurityProfile().sym_algorithms_prefix
    suites: tuple[int, ...] = (0xC023, 0xC02B, 0xC02C, 0xC024)
    groups: tuple[int, ...] = (28, 24, 27, 23, 26)

    @property
    def curves(self) -> frozenset[Curve]:
        """Those of the groups that the LMN has."""
        return frozenset(curve for curve in Curve if curve.value in self.groups)


def decode_message(data: bytes, profile: SecurityProfile) -> SymMessage:
    """Read a message; its length is the only thing that can be wrong here.

    Args:
        data: the message, all octets that came.
        profile: ``mac_length`` and ``sym_length_lenient`` are of interest.

    Raises:
        DecodeError: ``length``.
    """
    octets, overhead = len(data), sym.HEADER_OCTETS + profile.mac_length
    if octets < overhead or (octets - overhead) % BLOCK:
        detail = f"expected a message of {overhead} octets and whole blocks of {BLOCK}, found {octets} octets"
        raise DecodeError("length", detail, source=SOURCE)
    sizes = {"ciphertext_octets": octets - overhead, "mac_octets": profile.mac_length}
    found = sym.parse(sym.MESSAGE, bytes(data), "a message", **sizes)
    if found.length > octets or (found.length < octets and not profile.sym_length_lenient):
        detail = f"expected a length of {octets}, found {found.length}"
        raise DecodeError("length", detail, offset=1, path="length", source=SOURCE)
    length = None if found.length == octets else found.length
    return SymMessage(found.command, found.counter, found.ciphertext, found.mac, length)


def encode_message(message: SymMessage) -> bytes:
    """Write a message.

    Raises:
        EncodeError: a field that is too large, or a ciphertext of broken blocks.

    >>> encode_message(SymMessage(1, COUNTER_QUERY, b"", bytes(8))).hex()
    '0100000011ffffffff0000000000000000'
    """
    octets = sym.HEADER_OCTETS + len(message.ciphertext) + len(message.mac)
    length = octets if message.length is None else message.length
    for path, value, bits in (
        ("command", message.command, 8),
        ("length", length, 32),
        ("counter", message.counter, 32),
    ):
        if not 0 <= value < 1 << bits:
            raise EncodeError("out_of_range", f"expected a number of {bits} bit", path=path, value=value)
    if len(message.ciphertext) % BLOCK:
        detail = f"expected whole blocks of {BLOCK} octets"
        raise EncodeError("out_of_range", detail, path="ciphertext", value=message.ciphertext)
    fields = {
        "command": message.command,
        "length": length,
        "counter": message.counter,
        "ciphertext": message.ciphertext,
        "mac": message.mac,
    }
    sizes = {"ciphertext_octets": len(message.ciphertext), "mac_octets": len(message.mac)}
    return bytes(sym.MESSAGE.build(fields, **sizes))


def decode_algorithms(data: bytes) -> Algorithms:
    """Read the data of reply 82.

    Raises:
        DecodeError: ``content``.
    """
    found = _algorithms(data)
    _expect_end(data, len(encode_algorithms(found)), "a list of algorithms")
    return found


def encode_algorithms(algorithms: Algorithms) -> bytes:
    """Write the data of reply 82.

    Raises:
        EncodeError: a prefix of another size, a number above 16 bit, or more than 255 of them.

    >>> encode_algorithms(Algorithms(groups=(23,))).hex()
    'ffff000104c023c02bc02cc024010017'
    """
    if len(algorithms.prefix) != sym.ALGORITHMS.prefix.sizeof():
        raise EncodeError("out_of_range", "expected 4 octets", path="prefix", value=algorithms.prefix)
    for path, numbers in (("suites", algorithms.suites), ("groups", algorithms.groups)):
        if len(numbers) > _MAX_U8 or not all(0 <= number <= _MAX_U16 for number in numbers):
            raise EncodeError("out_of_range", "expected at most 255 numbers of 16 bit", path=path, value=numbers)
    fields = {"prefix": algorithms.prefix, "suites": algorithms.suites, "groups": algorithms.groups}
    return bytes(sym.ALGORITHMS.build(fields))


def decode_max_fragment(data: bytes) -> int:
    """Read the data of reply 85: octets.

    Raises:
        DecodeError: ``content``.
    """
    found = sym.parse(sym.MAX_FRAGMENT, data, "a number of two octets")
    _expect_end(data, sym.MAX_FRAGMENT.sizeof(), "a number of two octets")
    return int(found.octets)


def encode_max_fragment(octets: int) -> bytes:
    """Write the data of reply 85.

    Raises:
        EncodeError: no number of 16 bit.

    >>> encode_max_fragment(2048).hex()
    '0800'
    """
    if not 0 <= octets <= _MAX_U16:
        raise EncodeError("out_of_range", "expected a number of 16 bit", path="max_fragment", value=octets)
    return bytes(sym.MAX_FRAGMENT.build({"octets": octets}))


def split_credentials(data: bytes) -> tuple[bytes, bytes]:
    r"""Cut the data of request 03: certificate and private key.

    Raises:
        DecodeError: ``content``.

    >>> split_credentials(bytes.fromhex("300343455230034b4559"))
    (b'0\x03CER', b'0\x03KEY')
    """
    _expect_end(data, _credentials_octets(data), "a certificate and a private key")
    cut = der_octets(data)
    return data[:cut], data[cut:]


def expect_nothing(data: bytes) -> None:
    """Check the data of all other messages.

    Raises:
        DecodeError: ``content``.
    """
    _expect_end(data, 0, "no data")


def pad(data: bytes, padding: Padding = "tr") -> bytes:
    """Fill data up to whole blocks; of none nothing comes.

    ``tr``: n octets of value n, n from 1 to 16; ``none_if_aligned``: the same, but nothing behind whole blocks;
    ``zero``: octets 00, nothing behind whole blocks.

    >>> pad(b"12345678").hex(), pad(b"")
    ('31323334353637380808080808080808', b'')
    """
    missing = -len(data) % BLOCK
    if padding == "tr" and data:
        missing = missing or BLOCK
    return data + bytes([0 if padding == "zero" else missing]) * missing


def unpad(padded: bytes, padding: Padding, command: int) -> bytes:
    """Take the padding off again.

    What is not ``tr`` does not tell where the data end, so there the data have to: by their own lengths.

    Args:
        padded: whole blocks.
        padding: which one.
        command: that of the message.

    Raises:
        DecodeError: ``padding``.
    """
    if not padded:
        return b""
    try:
        octets = len(padded) - padded[-1] if padding == "tr" else _SIZES[command](padded)
    except (DecodeError, KeyError):
        octets = -1
    data = padded[: max(octets, 0)]
    # Of the filled blocks that hold no data, only those of "tr" are a form of this padding.
    if octets < 0 or (pad(data, padding) != padded and not (padding == "tr" and padded == bytes([BLOCK]) * BLOCK)):
        detail = f"expected padding of the kind {padding!r} at the end of {len(padded)} octets, found other octets"
        raise DecodeError("padding", detail, source="LMN security, 6.3")
    return data


class MessageAssembly:
    r"""Collects the information fields of HDLC frames until they are a message.

    A message is complete when it has as many octets as its length field says and no segment is to follow. So a
    sender that cuts without a mark is understood as well as one whose length field is too small.

    Args:
        max_octets: the longest message.

    >>> assembly = MessageAssembly()
    >>> assembly.feed(b"\1\0\0\0\x19" + bytes(10), more=True), len(assembly.feed(bytes(10)))
    (None, 25)
    """

    def __init__(self, max_octets: int = LmnProfile().max_message) -> None:
        self._max_octets = max_octets
        self._octets = bytearray()

    def feed(self, information: bytes, *, more: bool = False) -> bytes | None:
        """Take one information field; ``more`` is the frame's mark that another segment follows.

        Returns:
            The message, ``None`` while it is incomplete.

        Raises:
            LimitError: ``too_long``; what was collected is forgotten.
        """
        self._octets += information
        known = len(self._octets) >= sym.LENGTH_END
        length = int.from_bytes(self._octets[1 : sym.LENGTH_END]) if known else sym.LENGTH_END
        wanted = max(length, len(self._octets))
        if wanted > self._max_octets:
            self.clear()
            raise LimitError("too_long", "max_message", self._max_octets, wanted, source="wired LMN, 5.5")
        if more or len(self._octets) < length:
            return None
        message = bytes(self._octets)
        self.clear()
        return message

    def clear(self) -> None:
        """Forget an incomplete message: the connection has ended."""
        self._octets.clear()


def _algorithms(data: bytes) -> Algorithms:
    found = sym.parse(sym.ALGORITHMS, data, "a list of algorithms")
    return Algorithms(found.prefix, tuple(found.suites), tuple(found.groups))


def _expect_end(data: bytes, octets: int, what: str) -> None:
    if len(data) != octets:
        detail = f"expected {what} of {octets} octets, found {len(data)} octets"
        raise DecodeError("content", detail, offset=octets, source="LMN security, 6.5")


def _credentials_octets(data: bytes) -> int:
    cut = der_octets(data)
    return cut + der_octets(data[cut:])


_SIZES: Final[dict[int, Callable[[bytes], int]]] = {
    Command.CREDENTIALS: _credentials_octets,
    Command.GATEWAY_CERTIFICATE: der_octets,
    REPLY | Command.ALGORITHMS: lambda data: len(encode_algorithms(_algorithms(data))),
    REPLY | Command.MAX_FRAGMENT: lambda _: sym.MAX_FRAGMENT.sizeof(),
}
"""Octets of the data at the beginning of padded data."""
