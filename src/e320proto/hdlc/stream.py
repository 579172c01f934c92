"""Frames of the wired LMN in a stream of octets.

The receiver (R1 to R6 of its source)::

    HUNT   octets outside of a frame. 7E Ax may open one; 7E and FF are fill; all else is noise.
    FRAME  until the length field says that it is whole. Then it is delivered, and its closing flag may
           open the next one; or it is rejected, and the hunt goes on one octet after its opening flag.

A rejected frame is reported up to the place where the next one may begin, so nothing good beside damage is
lost and no octet is reported twice. The decoder comes back to its octets only when as many are there
as the shortest thing in sight needs; until then a piece costs one comparison.

Source: wired LMN, section 2.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from e320proto.errors import DecodeError
from e320proto.events import BytesDiscarded, Malformed
from e320proto.hdlc.envelope import FORMAT_OCTETS, cut, length_of, unclosed, wrong_fcs, wrong_hcs, wrong_length
from e320proto.hdlc.frame import HEAD, LENGTH_GAP, LENGTH_MIN, Frame, read_checked
from e320proto.limits import DEFAULT_LIMITS
from e320proto.schema.hdlc import FLAG

FrameEvent: TypeAlias = Frame | BytesDiscarded | Malformed
"""What :class:`FrameDecoder` gives."""

_OPENING: Final = re.compile(rb"\x7e[\xa0-\xaf]")
_NEXT: Final = re.compile(rb"\x7e(?:[\xa0-\xaf]|\Z)")  # where nothing follows yet, a flag may open a frame
_NOISE: Final = re.compile(rb"[^\x7e\xff]+")
_SHORTEST: Final = LENGTH_MIN + 2


class FrameDecoder:
    """Finds the frames in a stream.

    ``feed`` takes octets in pieces of any size and gives what they complete; the pieces make no
    difference. Frames, trouble and fill (7E and FF outside of frames) cover every octet in order. At most
    2048 octets are held beside a piece, and 4096 of noise.

    ==================  ====================  =====================================================
    trouble             event, error          octets
    ==================  ====================  =====================================================
    noise               BytesDiscarded        outside of frames, in pieces, without fill
    length              DecodeError           the flag and the format field
    framing             DecodeError           up to the next place where a frame may begin, at most
    framing, cut short  TruncatedError        as far as the length says or the octets go
    fcs, hcs            ChecksumError         the same, without the closing flag
    address             DecodeError           the same
    ==================  ====================  =====================================================

    Offsets count from the first octet that the decoder was fed.

    >>> decoder = FrameDecoder()
    >>> frame = bytes.fromhex("7EA0090203880311969E7E")
    >>> [type(event).__name__ for event in decoder.feed(b"noise" + frame + frame[:4]) + decoder.idle()]
    ['BytesDiscarded', 'Frame', 'Malformed']
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._base = 0
        self._wake = _SHORTEST
        self._noise = bytearray()
        self._noise_offset = 0

    @property
    def frame_begun(self) -> bool:
        """Whether octets of a frame that is not whole yet are there: silence now means that it is damaged."""
        return _OPENING.search(self._buffer) is not None

    def feed(self, data: bytes | bytearray | memoryview) -> list[FrameEvent]:
        """Take the next octets of the stream and return what they complete, in order."""
        buffer = self._buffer
        buffer += data
        return [] if len(buffer) < self._wake else self._read(final=False)

    def idle(self) -> list[FrameEvent]:
        """Give up a frame that has begun, because its octets have stopped for longer than they may.

        A flag at the end may still open the next frame.
        """
        return self._read(final=True)

    def close(self) -> list[FrameEvent]:
        """End the stream and return what is left of it; the decoder can be used for another, from offset 0."""
        events = self._read(final=True)
        self._buffer.clear()
        self._base = 0
        self._wake = _SHORTEST
        return events

    def _read(self, *, final: bool) -> list[FrameEvent]:
        """Act on everything that is there for certain; at a silence, on all there is."""
        octets = bytes(self._buffer)
        size, base = len(octets), self._base
        events: list[FrameEvent] = []
        at = 0
        self._wake = _SHORTEST
        while (opening := _OPENING.search(octets, at)) is not None:
            start = opening.start()
            if start > at and octets[at:start] != FLAG:  # which is what is usual between two frames
                self._skip(events, octets, at, start)
            at = start
            if not final:
                length = length_of(octets, start) if size - start > FORMAT_OCTETS else 0
                needed = max(length + 2, _SHORTEST)
                if needed > size - start:
                    self._wake = needed
                    break
            verdict, at = _judge(octets, start, base + start)
            if self._noise:
                self._flush(events)
            if isinstance(verdict, Frame):
                events.append(verdict)
                continue
            if (again := _NEXT.search(octets, start + 1, min(size, at + 1))) is not None:
                at = again.start()
            events.append(Malformed(base + start, verdict, octets[start:at]))
        else:  # a flag at the end may open a frame
            end = size - 1 if octets.endswith(FLAG) else size
            if end > at:
                self._skip(events, octets, at, end)
                at = end
        if final:
            self._flush(events)
        del self._buffer[:at]
        self._base += at
        return events

    def _skip(self, events: list[FrameEvent], octets: bytes, start: int, end: int) -> None:
        """Collect the noise of octets outside of frames."""
        block = DEFAULT_LIMITS.noise_block
        for run in _NOISE.finditer(octets, start, end):
            offset = self._base + run.start()
            if offset != self._noise_offset + len(self._noise):
                self._flush(events)
                self._noise_offset = offset
            self._noise += run[0]
            while len(self._noise) >= block:
                events.append(BytesDiscarded(self._noise_offset, bytes(self._noise[:block])))
                del self._noise[:block]
                self._noise_offset += block

    def _flush(self, events: list[FrameEvent]) -> None:
        if self._noise:
            events.append(BytesDiscarded(self._noise_offset, bytes(self._noise)))
            self._noise_offset += len(self._noise)
            self._noise.clear()


def _judge(octets: bytes, start: int, offset: int) -> tuple[Frame | DecodeError, int]:
    """Return the frame that begins at ``start``, or what is wrong with it, and the end of it without closing flag.

    What ends before it is whole is damaged. ``offset`` is the place of ``start`` in the stream.
    """
    size = len(octets) - start
    if size <= FORMAT_OCTETS:
        return cut(1, offset + size), len(octets)
    length = length_of(octets, start)
    if (wrong := wrong_length(length, LENGTH_MIN, LENGTH_GAP, offset)) is not None:
        return wrong, start + 1 + FORMAT_OCTETS
    end = start + 1 + length
    if size < length + 2:
        return cut(length + 2 - size, offset + size), len(octets)
    if octets[end] != FLAG[0]:
        return unclosed(octets[end], offset + 1 + length), end
    frame = octets[start : end + 1]
    try:
        return wrong_fcs(frame, offset) or wrong_hcs(frame, HEAD, offset) or read_checked(frame, offset), end
    except DecodeError as error:
        return error, end
