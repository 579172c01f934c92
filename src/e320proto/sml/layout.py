"""Learned layouts: where the data of a meter's telegrams are, so that the next one needs no parsing.

A meter sends the same skeleton every second. After one telegram was read with the schema, the
positions of its data are known (ids, counters, times, values, status words, signatures, checksums);
every other octet is skeleton: lists, types and lengths, register names, units, scalers::

    raw        1b1b1b1b01010101 76 05 00a1b2c3 62 00 62 00 ... 62 1e 52 ff 59 0000000000bc614e ... c1c2
    mask       ffffffffffffffff ff ff 00000000 ff ff ff ff ... ff ff ff ff ff 0000000000000000 ... 0000
    skeleton   1b1b1b1b01010101 76 05 00000000 62 00 62 00 ... 62 1e 52 ff 59 0000000000000000 ... 0000

A frame of the same length whose octets under the mask are the skeleton, and whose checksums are
right, says the same as the first one but for its data: the schema would take the same way through
it. So the skeleton decides what is known beforehand (entries, units, scalers, notes), and what the
data may change is done for every telegram (zero times, the DZG rule). A frame that fits no layout
is read in the ordinary way, and teaches a new one.

Source: the fields are those of ``e320proto.schema.sml``; that meters repeat themselves is seen in
every recording.
"""

from __future__ import annotations

import re
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.crc import X25_RESIDUE, CrcKind, x25
from e320proto.schema.primitives import BOOLEAN, INTEGER, LIST, OCTETS, UNSIGNED
from e320proto.schema.sml import MESSAGE
from e320proto.sml.codec import make_source
from e320proto.sml.facts import FACTS
from e320proto.sml.layout_checks import CRC_OCTETS, make_check
from e320proto.sml.layout_reader import compile_content, compile_floats
from e320proto.sml.quirks import may_lack_sign
from e320proto.sml.transport import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e320proto.sml.content import Content
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.transport import TransportFrame

CAPACITY: Final = 256
"""Layouts kept: 20 models with a dozen forms each; 10 to 30 KiB for one."""
PER_LENGTH: Final = 16
"""Layouts kept of one length of frames: each is tried on every unknown frame of that length."""
FREE_LAYOUTS: Final = 24
"""Layouts that a stream may learn from its start; one costs half a millisecond to one and a half."""
OCTETS_PER_LAYOUT: Final = 1 << 18
"""A stream may learn one more for each so many octets: some 1,000 telegrams, 20 milliseconds without layouts."""
REMEMBERED: Final = 64
"""Lengths of which the last unknown frames are remembered."""
REMEMBERED_OF_ONE: Final = 4
"""How many of one length: meters of several models may take turns."""
SIMILAR: Final = 5
"""Of two frames of one layout, less than a fifth of the bits differ: most octets are skeleton."""
LARGEST: Final = 2_048
"""Octets of the largest frame that a stream learns; real ones stay below 1,024."""
MESSAGES: Final = ("open", "list", "close")
_CRC_TL: Final = 0x63
_NUMBERS: Final = {
    **dict.fromkeys(("ref_time", "act_sensor_time", "act_gateway_time", "val_time"), ({UNSIGNED}, 4)),
    "status": ({UNSIGNED}, 8),
    "value": ({UNSIGNED, INTEGER}, 8),
    "crc16": ({UNSIGNED}, CRC_OCTETS),
}
"""Numbers that are data, their types, and the most octets that cannot be out of range; all others are skeleton."""
_WITHOUT: Final = frozenset({"object_name", "kermit", "message_crc"})
"""Notes of telegrams that have no layout: entries left out, and messages whose X-25 is not right."""
_PLACE: Final = re.compile(r"(?:message_body\.(?:val_list\[([0-9]+)\]\.)?)?([a-z_0-9]+)")


class Field(NamedTuple):
    """One piece of data in the frames of a layout.

    Args:
        message: 0 Open, 1 GetList, 2 Close.
        entry: index in ``val_list``; ``None`` outside of it.
        name: name in the schema: ``transaction_id``, ``server_id``, ``act_sensor_time``, ``value``,
            ``status``, ``crc16``, ...
        kind: type of the element: octet string, integer or unsigned, see ``e320proto.schema.primitives``.
        start: position in the frame.
        octets: how many.
        choice: of a time: 1 seconds index, 2 timestamp, 0 a bare number, which is a seconds index too.
    """

    message: int
    entry: int | None
    name: str
    kind: int
    start: int
    octets: int
    choice: int = 0


class Layout:
    """The common form of telegrams that differ in their data only.

    Args:
        raw: a whole frame, without escapes in its payload.
        fields: its data, in order, the checksums of the messages among them.
        spans: first octet of each of the three messages, and position of its checksum's TL octet.
        example: what that frame says.
        options: of the decoder.
    """

    __slots__ = (
        "codes",
        "content",
        "dzg",
        "example",
        "fields",
        "floats",
        "last_used",
        "mask",
        "octets",
        "payload",
        "raw",
        "skeleton",
        "sound",
        "spans",
    )

    def __init__(
        self,
        raw: bytes,
        fields: tuple[Field, ...],
        spans: tuple[tuple[int, int], ...],
        example: Content,
        options: DecodeOptions,
    ) -> None:
        mask = bytearray(b"\xff" * len(raw))
        for field in fields:
            mask[field.start : field.start + field.octets] = bytes(field.octets)
        mask[-2:] = b"\0\0"
        self.raw = raw
        self.fields = fields
        self.spans = spans
        self.example = example
        self.codes = example.entries.keys()
        self.octets = len(raw)
        self.payload = slice(len(START), len(START) + len(example.payload))
        self.mask = int.from_bytes(mask, "little")
        self.skeleton = int.from_bytes(raw, "little") & self.mask
        self.sound = make_check(raw, spans)
        """Whether all checksums of a frame with this skeleton are right."""
        self.dzg = options.dzg_sign and may_lack_sign(example.entries)
        self.last_used = 0
        self.content: Callable[[bytes], Content] = self._first_content
        """What a frame of this layout says."""
        self.floats: Callable[[bytes], tuple[float | None, ...]] = self._first_floats
        """The scaled numbers of a frame of this layout; ``None`` in place of what is no number."""

    def _first_content(self, raw: bytes) -> Content:
        """Compile ``content`` when it is needed."""
        self.content = compile_content(self)
        return self.content(raw)

    def _first_floats(self, raw: bytes) -> tuple[float | None, ...]:
        """Compile ``floats`` when it is needed."""
        self.floats = compile_floats(self)
        return self.floats(raw)


def learn(raw: bytes, example: Content, options: DecodeOptions) -> Layout | None:
    """Find the layout of a frame; ``None`` if it is of a form that has none.

    It has one if it is Open, GetList, Close, has X-25 checksums, no escapes in its payload, and
    no times but seconds.
    """
    begin = len(START)
    if example.message_count != len(MESSAGES) or raw[begin : begin + len(example.payload)] != example.payload:
        return None
    if x25(raw) != X25_RESIDUE or options.message_crc_kind == CrcKind.KERMIT or not _WITHOUT.isdisjoint(example.notes):
        return None
    try:
        return _learn(raw, begin, example, options)
    except RecursionError:  # little of Python's stack is left: then it is learned another time
        return None


def _learn(raw: bytes, begin: int, example: Content, options: DecodeOptions) -> Layout | None:
    fields: list[Field] = []
    spans: list[tuple[int, int]] = []
    source = make_source(raw, options, FACTS)
    for message, kind in enumerate(MESSAGES):
        while raw[begin] == 0:
            begin += 1
        source.seek(begin)
        source.trace = []
        if MESSAGE.parse_stream(source).kind != kind:
            return None
        found = _data(raw, message, source.trace)
        if not found or raw[found[-1].start - 1] != _CRC_TL:
            return None
        fields += found
        spans.append((begin, found[-1].start - 1))
        begin = source.tell()
    layout = Layout(raw, tuple(fields), tuple(spans), example, options)
    return layout if layout.sound(raw) else None


def _data(raw: bytes, message: int, trace: list[tuple[str, int, int, int]]) -> list[Field]:
    """The data of one message, the checksum last; nothing if what it says may depend on more than the skeleton."""
    fields: dict[tuple[str | None, str], Field] = {}
    for path, kind, start, octets in trace:
        if kind == LIST and not path.endswith(".value"):
            continue
        match = _PLACE.fullmatch(path)
        if match is None or kind == LIST:
            return []  # a time of several numbers, or a list as the value of an entry
        name, place = match[2], (match[1], match[2])
        field = Field(message, None if match[1] is None else int(match[1]), name, kind, start, octets)
        if kind == OCTETS:
            if octets and name != "obj_name":
                fields[place] = field
        elif kind != BOOLEAN and name in _NUMBERS:
            kinds, most = _NUMBERS[name]
            if kind not in kinds or octets > most:
                return []  # the number may be out of range
            tag = fields.get(place)  # of the two numbers of a time, the first is its choice
            choice = 0 if tag is None else int.from_bytes(raw[tag.start : tag.start + tag.octets])
            fields[place] = field._replace(choice=choice)
    found = list(fields.values())
    return found if found[-1].octets == CRC_OCTETS else []


class Layouts:
    """The layouts of all decoders with the same options; at most ``capacity``, the longest unused one goes first.

    Args:
        options: of the decoders.
        capacity: how many to keep.
    """

    def __init__(self, options: DecodeOptions, capacity: int = CAPACITY) -> None:
        self.options = options
        self.capacity = capacity
        self.by_octets: dict[int, tuple[Layout, ...]] = {}
        """Length of a frame to the layouts of that length."""
        self.age = 0
        """Grows with every layout learned; ``Layout.last_used`` is its value when the layout fitted last."""
        self._count = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._count

    def add(self, layout: Layout) -> None:
        """Keep a layout."""
        with self._lock:
            same = self.by_octets.get(layout.octets, ())
            if any((kept.skeleton, kept.mask) == (layout.skeleton, layout.mask) for kept in same):
                return  # learned by another thread meanwhile
            self.age += 1
            layout.last_used = self.age
            if len(same) >= PER_LENGTH:
                self._remove(min(same, key=_last_used))
            elif self._count >= self.capacity:
                self._remove(min(self, key=_last_used))
            self.by_octets[layout.octets] = (layout, *self.by_octets.get(layout.octets, ()))
            self._count += 1

    def __iter__(self) -> Iterator[Layout]:
        for layouts in tuple(self.by_octets.values()):
            yield from layouts

    def _remove(self, layout: Layout) -> None:
        rest = tuple(kept for kept in self.by_octets[layout.octets] if kept is not layout)
        if rest:
            self.by_octets[layout.octets] = rest
        else:
            del self.by_octets[layout.octets]
        self._count -= 1


def _last_used(layout: Layout) -> int:
    return layout.last_used


@lru_cache(maxsize=16)
def shared_layouts(options: DecodeOptions) -> Layouts:
    """The layouts that all decoders with these options share."""
    return Layouts(options)


class Sightings:
    """The last unknown frames of each length, to tell which of them come again with other data only."""

    def __init__(self) -> None:
        self.numbers: dict[int, tuple[int, ...]] = {}

    def again(self, raw: bytes) -> bool:
        """Whether one of the last frames of this length was much like this one.

        Then both are forgotten: where nothing can be learned of them, it is not tried with every frame.
        """
        number = int.from_bytes(raw, "little")
        last = self.numbers.pop(len(raw), ())
        unlike = tuple(other for other in last if (other ^ number).bit_count() * SIMILAR > 8 * len(raw))
        found = len(unlike) < len(last)
        if len(self.numbers) >= REMEMBERED:
            del self.numbers[next(iter(self.numbers))]
        self.numbers[len(raw)] = unlike if found else (*last[1 - REMEMBERED_OF_ONE :], number)
        return found


class Learner:
    """Decides for one stream when to learn.

    Learning costs as much as dozens of telegrams, so it must not be wasted on octets that do not come again:

    - a frame is worth it if one of the last unknown ones of its length was much like it;
    - a stream may learn ``FREE_LAYOUTS``, and one more for each ``OCTETS_PER_LAYOUT`` that have passed.

    Args:
        layouts: where to keep what is learned.
    """

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts
        self._spent = 0
        self._unknown = Sightings()

    def see(self, frame: TransportFrame, content: Content) -> None:
        """Take notice of a right frame that fitted no layout."""
        raw = frame.raw
        if len(raw) > LARGEST or not self._unknown.again(raw):
            return
        if frame.crc_kind is not CrcKind.X25 or self._spent >= FREE_LAYOUTS + frame.offset // OCTETS_PER_LAYOUT:
            return
        self._spent += 1
        layout = learn(raw, content, self._layouts.options)
        if layout is not None:
            self._layouts.add(layout)
