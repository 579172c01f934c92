"""SML transport protocol version 1: frames in a stream of octets.

::

    1b 1b 1b 1b  01 01 01 01   payload, escaped   00 ... (fill)   1b 1b 1b 1b  1a  FF  c1 c2

FF is the number of fill octets; the frame is a multiple of 4 octets long. c1 c2 is the checksum
over everything before it, as transmitted. A run of four 1b in the payload is doubled.

The receiver, octet by octet (r = run of 1b)::

    HUNT  outside of a frame. 1b x4 01 x4 opens a frame, 1b x4 02 x4 is reported; all else is noise.
    BODY  inside. r = 8: four data octets. r >= 4 and then
            1a     TAIL: three octets, taken blindly; judge the frame
            01 x4  the open frame was cut; a new one begins
            02 x4  the open frame was cut; version 2 is reported
            other  an escape nobody knows: reject the frame

:class:`TransportDecoder` gives exactly the events of that machine but looks for the next run of
four 1b with ``bytes.find``, and not at all before enough octets have come for an event: the
shortest way from here to any event is a run and one octet more. So an octet costs the same
whether it comes alone or in a large piece.

Most octets of a meter are whole frames without any trouble, one behind the other. Those are taken
by a short loop, ``_whole_frames``, before the machine sees them; it takes a frame only if the machine
would deliver it.

A rejected frame may hide the start of a good one, so before it is reported its octets are searched
for the last start sequence; the rejected item ends there and decoding restarts there. A start that
only begins in them counts too: where octets of an end are lost, those taken blindly are the next
frame's. So a rejected frame is held until the octets behind it tell, at most 7.

Source: SML 1.03, clause on SML transport protocol version 1; the receiver's rules for damaged
input are decisions of this project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from e320proto.crc import WIRE, X25_RESIDUE, CrcKind, x25
from e320proto.errors import ChecksumError, DecodeError, EncodeError, LimitError, TruncatedError
from e320proto.events import BytesDiscarded, Malformed
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from e320proto.crc import Checksum

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"
START_2 = ESCAPE + b"\x02\x02\x02\x02"
_END = 0x1A
_RUN = 0x1B
_MARKS = {0x01: b"\x01\x01\x01\x01", 0x02: b"\x02\x02\x02\x02"}
_ANY_START = re.compile(b"|".join((START, START_2)))
_MAX_FILL = 4
_WINDOW = 8_192
"""Octets that are copied at once to look for whole frames: more than a usual piece, little beside a large one."""
_ALIGNMENT = 4


@dataclass(frozen=True, slots=True)
class TransportFrame:
    """One frame with a right checksum.

    Args:
        offset: absolute position of the first octet since the decoder was made.
        raw: the frame as transmitted.
        payload: the SML file in it: unescaped, without fill octets.
        crc_kind: kind of the checksum; ``None`` where checking is switched off and it is wrong.
        fill: number of fill octets, 0 to 4.
        notes: ids of deviations that were accepted: ``fill_4``, ``misaligned``.
    """

    offset: int
    raw: bytes
    payload: bytes
    crc_kind: CrcKind | None
    fill: int
    notes: tuple[str, ...] = ()


TransportEvent: TypeAlias = TransportFrame | BytesDiscarded | Malformed
"""What :class:`TransportDecoder` gives, if nobody told it to make something else of frames."""


def escape(payload: bytes) -> bytes:
    """Double every four consecutive 1b, counted from the left.

    >>> escape(bytes.fromhex("001b1b1b1b1b1a")).hex()
    '001b1b1b1b1b1b1b1b1b1a'
    """
    return payload.replace(ESCAPE, ESCAPE + ESCAPE)


def _hides_start(raw: bytes) -> bool:
    """Whether another start is in a frame, or begins in its last three octets, which are taken blindly."""
    return raw.find(START, 1) >= 0 or raw.endswith((ESCAPE[:1], ESCAPE[:2], ESCAPE[:3]))


def _no_event(_raw: bytes, _offset: int) -> None:
    """Recognise nothing."""


def _frame_itself(frame: TransportFrame) -> tuple[TransportFrame]:
    """Deliver a frame as it is."""
    return (frame,)


def _usual_frame(raw: bytes, offset: int) -> TransportFrame | None:
    """The frame of octets up to the first escape behind their start, if nothing about it is unusual."""
    fill = raw[-3]
    if not raw.startswith(START) or x25(raw) != X25_RESIDUE or fill >= _MAX_FILL or len(raw) % _ALIGNMENT:
        return None
    end = len(raw) - 8 - fill
    if raw[end:-8] != bytes(fill):
        return None
    return TransportFrame(offset, raw, raw[len(START) : end], CrcKind.X25, fill)


def _find_start(buffer: bytearray, pos: int) -> int:
    match = _ANY_START.search(buffer, pos)  # local: a match in use forbids resizing the buffer
    return match.start() if match else -1


def encode_transport(payload: bytes | bytearray | memoryview, crc_kind: CrcKind | str = CrcKind.X25) -> bytes:
    """Put an SML file into a transport frame.

    Args:
        payload: the octets of :func:`e320proto.encode_file`; any octets do.
        crc_kind: ``x25``, which all meters but some of Holley use, or ``kermit``.

    Returns:
        The frame; its length is a multiple of 4.

    Raises:
        EncodeError: ``crc_kind`` is not one of the two.

    Source: SML 1.03, transport protocol version 1.

    >>> encode_transport(b"").hex(" ", 4)
    '1b1b1b1b 01010101 1b1b1b1b 1a00c6e5'
    """
    if not isinstance(crc_kind, str) or crc_kind not in set(CrcKind):
        raise EncodeError("wrong_type", "expected x25 or kermit", path="crc_kind", value=crc_kind)
    data = bytes(memoryview(payload))
    fill = -len(data) % _ALIGNMENT
    body = START + escape(data) + bytes(fill) + ESCAPE + bytes((_END, fill))
    return body + CrcKind(crc_kind).wire(body).to_bytes(2)


class TransportDecoder:
    """Finds the frames in a stream.

    ``feed`` takes octets in pieces of any size and gives what they complete; the pieces make no
    difference. Frames and trouble cover every octet once, in order. At most ``max_frame`` + 8
    octets are held inside of a frame, ``noise_block`` + 7 outside.

    ====================  ====================  ============================================
    trouble               event, error          octets
    ====================  ====================  ============================================
    noise                 BytesDiscarded        outside of frames, in pieces
    truncated             TruncatedError        up to the next start or the end of input
    bad_escape            DecodeError           up to and with the escape
    bad_crc               ChecksumError         the frame
    bad_fill              DecodeError           the frame
    too_long              LimitError            so far
    unsupported_version   DecodeError           the start of version 2, 8 octets
    ====================  ====================  ============================================

    Args:
        options: ``frame_crc_kind`` and ``limits`` are used.
        recognise: tried first on what looks like a whole frame; gives the event for octets and
            offset, or ``None``. It must know no frame that this decoder would reject.
        decode: what to make of every other frame: any number of events in its place.

    >>> decoder = TransportDecoder()
    >>> events = decoder.feed(b"noise" + encode_transport(b"") ) + decoder.close()
    >>> [(type(event).__name__, event.offset) for event in events]
    [('BytesDiscarded', 0), ('TransportFrame', 5)]
    """

    def __init__(
        self,
        options: DecodeOptions = DEFAULT_OPTIONS,
        *,
        recognise: Callable[[bytes, int], Any] | None = None,
        decode: Callable[[TransportFrame], Iterable[Any]] | None = None,
    ) -> None:
        self.options = options
        kind = options.frame_crc_kind
        kinds = CrcKind if kind in {"auto", "none"} else (CrcKind(kind),)
        self._crcs: list[tuple[CrcKind, Checksum]] = [(each, WIRE[each]) for each in kinds]
        self._x25_first = self._crcs[0][0] is CrcKind.X25
        self._recognise = recognise or _no_event
        self._decode = decode or _frame_itself
        self._buffer = bytearray()
        self._base = 0  # absolute position of the first octet in the buffer
        self._open = False  # whether the buffer begins with the start of a frame
        self._scan = 0  # all octets before this one have been looked at
        self._data: list[bytes] = []  # payload before _plain
        self._plain = len(START)  # octets from here on are payload as they stand
        self._rejected: tuple[int, DecodeError] | None = None  # a frame to reject that may end in a start
        self._unusual = -1  # absolute position of a frame that the short loop has left to the machine
        self._wake = len(START)  # nothing can happen before the buffer is that long

    @property
    def buffered(self) -> int:
        """Octets held back because they do not make an event yet."""
        return len(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> list[TransportEvent]:
        """Take octets in; give the events they complete, in order. Never raises for what the octets say."""
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._wake:
            return []
        return self._advance()

    def close(self) -> list[TransportEvent]:
        """End of input: report what is left. The decoder is as new then, but offsets go on."""
        events = self._advance()
        while self._rejected:
            self._rescue(events, *self._rejected, final=True)
            events += self._advance()
        if self._open:
            detail = "expected the end of the frame, found the end of the input"
            self._reject(events, len(self._buffer), TruncatedError("truncated", detail, needed=1, offset=self._base))
        elif self._buffer:
            self._discard(events, len(self._buffer))
        self._wake = len(START)
        return events

    # --- the machine ----------------------------------------------------------------------------

    def _advance(self) -> list[Any]:
        events: list[Any] = []
        while True:
            # Not where the machine has seen more of the frame than its payload so far.
            begins = not self._open or self._plain == len(START)
            if begins and self._base != self._unusual and self._x25_first and not self._rejected:
                self._whole_frames(events)
            if not self._step(events):
                return events

    def _whole_frames(self, events: list[Any]) -> None:
        """Take the whole frames at the front of the buffer, as long as nothing is unusual."""
        buffer = self._buffer
        while buffer.startswith(START):
            at = buffer.find(ESCAPE, self._scan if self._open else len(START), self.options.limits.max_frame)
            if at < 0 or at + 8 > len(buffer) or buffer[at + 4] != _END:
                return
            taken = self._take_frames(bytes(buffer[: max(_WINDOW, at + 8)]), at, events)
            if not taken:
                self._unusual = self._base
                return
            del buffer[:taken]
            self._base += taken
            self._scan = 0
            self._open = False

    def _take_frames(self, octets: bytes, at: int, events: list[Any]) -> int:
        """Take the whole frames in some octets, the first of which ends with the escape at ``at``; where they end."""
        find, recognise, append = octets.find, self._recognise, events.append
        base, last = self._base, len(octets) - 8
        pos = 0
        while 0 < at <= last and octets[at + 4] == _END:
            end = at + 8
            raw = octets[pos:end]
            event = recognise(raw, base + pos)
            if event is not None:
                append(event)
            else:
                frame = _usual_frame(raw, base + pos)
                if frame is None or end - pos > self.options.limits.max_frame:
                    break
                events += self._decode(frame)
            pos = end
            at = find(ESCAPE, end + 8)
        return pos

    def _step(self, events: list[Any]) -> bool:
        """Do the next thing. Whether to go on."""
        if self._rejected:
            return self._rescue(events, *self._rejected)
        return self._body(events) if self._open else self._hunt(events)

    def _take(self, count: int) -> bytes:
        """Remove octets from the front of the buffer."""
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._base += count
        self._scan = 0
        return taken

    def _discard(self, events: list[Any], count: int) -> None:
        offset = self._base
        events.append(BytesDiscarded(offset, self._take(count)))

    def _reject(self, events: list[Any], count: int, error: DecodeError) -> None:
        """Report the first ``count`` octets as malformed and hunt on behind them."""
        offset = self._base
        events.append(Malformed(offset, error, self._take(count)))
        self._open = False

    def _hunt(self, events: list[Any]) -> bool:
        """Look for a start. Whether to go on."""
        buffer, block = self._buffer, self.options.limits.noise_block
        at = 0 if buffer.startswith(START) else _find_start(buffer, self._scan)
        if at < 0:
            while len(buffer) >= block + len(START):
                self._discard(events, block)
            self._scan = max(0, len(buffer) - len(START) + 1)
            # A start needs 8 octets; the last 7 may be the beginning of one.
            near = buffer.find(_RUN, self._scan)
            missing = 1 if near >= 0 else len(START)
            self._wake = min(len(buffer) + missing, block + len(START))
            return False
        version_2 = buffer[at + 4] == _MARKS[2][0]
        while at > 0:
            count = min(at, block)
            self._discard(events, count)
            at -= count
        if version_2:
            self._reject_version_2(events)
        else:
            self._open_frame()
        return True

    def _reject_version_2(self, events: list[Any]) -> None:
        detail = "expected transport version 1, found version 2, which no known meter sends"
        self._reject(events, len(START_2), DecodeError("unsupported_version", detail, offset=self._base))

    def _open_frame(self) -> None:
        self._open = True
        self._data.clear()
        self._scan = self._plain = len(START)

    def _body(self, events: list[Any]) -> bool:
        """Look for the next escape inside the open frame. Whether to go on."""
        buffer = self._buffer
        size = len(buffer)
        last = self.options.limits.max_frame  # the octet here must not be payload any more
        at = buffer.find(ESCAPE, self._scan)
        if at < 0:
            if size > last:
                return self._too_long(events)
            self._scan = max(self._plain, size - len(ESCAPE) + 1)
            # An escape is four 1b and one more; the last three octets may belong to it.
            missing = 1 if size and buffer[-1] == _RUN else len(ESCAPE) + 1
            self._wake = min(size + missing, last + 1)
            return False
        after = at + 4
        while after < size and buffer[after] == _RUN and after < at + 8:
            after += 1
        if min(after + (after < at + 8), size) > last:
            return self._too_long(events)
        if after == at + 8:  # eight 1b are four data octets
            self._data.append(bytes(buffer[self._plain : at + 4]))
            self._scan = self._plain = after
            return True
        if after == size:
            self._scan, self._wake = at, size + 1
            return False
        return self._escape(events, after)

    def _escape(self, events: list[Any], at: int) -> bool:
        """Act on the escape before ``at``. Whether to go on."""
        buffer = self._buffer
        mark = buffer[at]
        if mark == _END:
            if len(buffer) < at + 4:
                return self._wait(at)
            self._data.append(bytes(buffer[self._plain : at - 4]))
            return self._judge(events, at)
        expected = _MARKS.get(mark, b"")
        found = buffer[at : at + 4]
        if expected and expected.startswith(found):
            if len(found) < len(expected):
                return self._wait(at)
            detail = "expected the end of the frame, found another start"
            self._reject(events, at - 4, TruncatedError("truncated", detail, needed=1, offset=self._base))
            if mark == _MARKS[1][0]:
                self._open_frame()
            else:
                self._reject_version_2(events)
            return True
        wrong = next(index for index in range(4) if expected[index : index + 1] != found[index : index + 1])
        detail = f"expected 1b, 01, 02 or 1a after an escape, found {found[: wrong + 1].hex(' ')}"
        return self._rescue(events, at, DecodeError("bad_escape", detail, offset=self._base))

    def _wait(self, at: int) -> bool:
        """Come back to the escape before ``at`` when one more octet is there."""
        self._scan = at - 4
        self._wake = len(self._buffer) + 1
        return False

    def _too_long(self, events: list[Any]) -> bool:
        maximum = self.options.limits.max_frame
        error = LimitError("too_long", "max_frame", maximum, maximum + 1, offset=self._base)
        return self._rescue(events, maximum + 1, error)

    def _rescue(self, events: list[Any], count: int, error: DecodeError, *, final: bool = False) -> bool:
        """Reject ``count`` octets, but not from the last start sequence on that begins in them. Whether to go on."""
        buffer, reach = self._buffer, count
        if count <= self.options.limits.max_frame + 1:  # else held octets could become too many
            reach += len(START) - 1
            near = buffer.find(_RUN, max(1, len(buffer) - 7), count)
            if not final and near >= 0 and any(START.startswith(buffer[at:reach]) for at in range(near, count)):
                self._rejected = count, error
                self._wake = len(buffer) + 1
                return False
        self._rejected = None
        again = buffer.rfind(START, 1, reach)
        self._reject(events, count if again < 0 else again, error)
        if again >= 0:
            self._open_frame()
        return True

    def _judge(self, events: list[Any], end: int) -> bool:
        """Deliver or reject the frame whose 1a is at ``end``. Whether to go on."""
        buffer = self._buffer
        size = end + 4
        raw = bytes(buffer[:size])
        found = int.from_bytes(raw[-2:])
        covered = raw[:-2]
        crc_kind, computed = None, {}
        for kind, crc in self._crcs:
            computed[str(kind)] = value = crc(covered)
            if value == found:
                crc_kind = kind
                break
        if crc_kind is None and (self.options.frame_crc_kind != "none" or _hides_start(raw)):
            return self._rescue(events, size, ChecksumError("bad_crc", computed, found, offset=self._base))
        data, fill = b"".join(self._data), raw[-3]
        if fill > min(_MAX_FILL, len(data)) or not data.endswith(bytes(fill)):
            detail = f"expected 0 to {_MAX_FILL} fill octets 00, found fill count {fill}"
            return self._rescue(events, size, DecodeError("bad_fill", detail, offset=self._base))
        notes = []
        if fill == _MAX_FILL:
            notes.append("fill_4")
        if size % _ALIGNMENT:
            notes.append("misaligned")
        offset = self._base
        self._take(size)
        self._open = False
        events += self._decode(TransportFrame(offset, raw, data[: len(data) - fill], crc_kind, fill, tuple(notes)))
        return True
