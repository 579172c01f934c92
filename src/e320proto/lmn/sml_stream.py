"""SML files in the octets of a connection, in clear or inside of TLS; both ends use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto.limits import Limits
from e320proto.sml.options import DecodeOptions
from e320proto.sml.transport import TransportDecoder, TransportFrame, encode_transport

if TYPE_CHECKING:
    from e320proto.lmn.profile import LmnProfile


class SmlStream:
    """Files as they go through one connection: each in its transport frame.

    Args:
        profile: ``max_message``, the longest frame.

    >>> from e320proto.lmn.profile import LmnProfile
    >>> stream = SmlStream(LmnProfile())
    >>> octets = stream.encode(b"file")
    >>> stream.feed(octets[:9]), stream.feed(octets[9:])
    ([], [b'file'])
    """

    def __init__(self, profile: LmnProfile) -> None:
        limits = Limits(max_frame=max(16, profile.max_message))
        self._decoder = TransportDecoder(DecodeOptions(limits=limits))
        self.broken = 0
        """Pieces that were no file."""

    def encode(self, file: bytes) -> bytes:
        """Frame a file."""
        return encode_transport(file)

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets, and give the files that they complete."""
        files = []
        for event in self._decoder.feed(data):
            if isinstance(event, TransportFrame):
                files.append(event.payload)
            else:
                self.broken += 1
        return files
