"""What goes over a bus, as lines for people and as packets of a capture file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from e320proto.cli.lmn_layers import Layers, file_words
from e320proto.cli.output import print_line
from e320proto.events import BytesDiscarded, Malformed
from e320proto.hdlc import Frame, FrameDecoder, encode_frame
from e320proto.identity import ServerId
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from rich.console import Console

    from e320proto.cli.pcapng import PcapngWriter


class Trace:
    """Listens to a gateway's bus, see :class:`e320proto.aio.Listener`.

    Args:
        console: where lines go; nowhere if not given.
        capture: where frames go; nowhere if not given.
    """

    def __init__(self, console: Console | None, capture: PcapngWriter | None) -> None:
        self._console, self._capture = console, capture
        self._layers = Layers()
        self._decoders = {True: FrameDecoder(), False: FrameDecoder()}
        self._begun = time.monotonic()

    def octets(self, data: bytes, *, sent: bool) -> None:
        """Show the frames that octets complete."""
        for event in self._decoders[sent].feed(data):
            match event:
                case Frame():
                    self._packet(encode_frame(event), sent=sent)
                    self._show(self._layers.words(event), sent=sent)
                case Malformed():
                    self._packet(event.raw, sent=sent)
                    self._show([f"HDLC broken: {event.error}"], sent=sent)
                case BytesDiscarded():
                    self._packet(event.data, sent=sent)
                    self._show([f"HDLC {plural(len(event.data), 'octet')} of no frame: {event.data.hex()}"], sent=sent)

    def file(self, server_id: bytes, file: bytes, *, sent: bool) -> None:
        """Show an SML file in clear."""
        meter = ServerId.from_wire(server_id).text
        self._show([f"{line} ({'to' if sent else 'from'} {meter})" for line in file_words(file)], sent=sent)

    def _packet(self, octets: bytes, *, sent: bool) -> None:
        if self._capture is not None:
            self._capture.packet(octets, at_s=time.time(), sent=sent)

    def _show(self, lines: list[str], *, sent: bool) -> None:
        if self._console is None:
            return
        passed = time.monotonic() - self._begun
        for number, line in enumerate(lines):
            head = f"{passed:9.3f} {'>' if sent else '<'} " if number == 0 else " " * 12
            print_line(self._console, f"{head}{line}")
