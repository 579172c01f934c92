"""Frames into a pcapng file, which programs for captures read.

::

    Section Header | Interface Description: link type 147, USER0 | Enhanced Packet: time, direction, octets | ...

Every block is written whole and flushed, so a file is right whenever the program ends. The octets of a packet are
those of a frame, with both flags; octets that were no frame are packets of their own.

Source: pcapng, IETF opsawg, sections 3.1, 4.1, 4.2 and 4.3; link types of tcpdump.org.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = 0xFFFFFFFFFFFFFFFF
_USER0: Final = 147
_FLAGS: Final = 2
_INBOUND, _OUTBOUND = 1, 2
_MICROSECONDS: Final = 1_000_000


class PcapngWriter:
    """Writes a capture; the caller opens and closes the file.

    Args:
        file: to write to, from its begin.

    >>> import io
    >>> file = io.BytesIO()
    >>> PcapngWriter(file).packet(b"frame", at_s=1.5, sent=True)
    >>> file.getvalue()[:4].hex(), len(file.getvalue())
    ('0a0d0d0a', 100)
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._block(_SECTION, struct.pack("<IHHQ", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH))
        self._block(_INTERFACE, struct.pack("<HHI", _USER0, 0, 0))

    def packet(self, octets: bytes, *, at_s: float, sent: bool) -> None:
        """Write a packet.

        Args:
            octets: of the frame.
            at_s: Unix time.
            sent: whether this program has sent it.
        """
        moment = round(at_s * _MICROSECONDS)
        head = struct.pack("<IIIII", 0, moment >> 32, moment & 0xFFFFFFFF, len(octets), len(octets))
        flags = struct.pack("<HHIHH", _FLAGS, 4, _OUTBOUND if sent else _INBOUND, 0, 0)
        self._block(_PACKET, head + _padded(octets) + flags)

    def _block(self, kind: int, body: bytes) -> None:
        length = len(body) + 12
        self._file.write(struct.pack("<II", kind, length) + body + struct.pack("<I", length))
        self._file.flush()


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)
