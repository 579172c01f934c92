"""SML elements as construct building blocks: how every field of ``schema.sml`` looks on the wire.

An element is a TL field and its data. First TL octet: bit 7 = another TL octet follows, bits 6-4 =
type, bits 3-0 = length nibble; following octets carry one nibble each.

=====  ============  ==========================================
bits   type          length counts
=====  ============  ==========================================
000    octet string  all octets of the element, TL included
100    boolean       the same; the TL field is one octet
101    integer       the same, two's complement
110    unsigned      the same
111    list          elements
=====  ============  ==========================================

:func:`read_header` is the only place that reads a TL field; it makes every check of the limits
before anything is allocated. The construct classes below read and write typed fields with it; what
they make of a composite is up to ``Source.records``, so that one schema serves full records, the
streaming decoder and the tests.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from construct import Construct, Subconstruct

from e320proto.crc import CrcKind
from e320proto.errors import DecodeError, EncodeError, LimitError, TruncatedError
from e320proto.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableSet

    Records = Mapping[str, Callable[..., Any]]
    _Construct = Construct[Any, Any]
    _Subconstruct = Subconstruct[Any, Any, Any, Any]
else:
    _Construct, _Subconstruct = Construct, Subconstruct

OCTETS: Final = 0
BOOLEAN: Final = 4
INTEGER: Final = 5
UNSIGNED: Final = 6
LIST: Final = 7
KIND_NAMES: Final = {OCTETS: "octet string", BOOLEAN: "boolean", INTEGER: "integer", UNSIGNED: "unsigned", LIST: "list"}

NUMBERS: Final = ("Integer", "Unsigned")
"""Records of numbers that keep their width."""

MAX_INTEGER_OCTETS: Final = 8
_SOURCE = "SML 1.04, TL field"


class Source(io.BytesIO):
    """Octets being decoded, with what the schema needs while it reads them.

    Args:
        data: the octets.
        records: makes a composite of its fields, by its name in the schema.
        limits: see :class:`e320proto.Limits`.
        crc_kinds: message checksums to try, in this order.
        lenient: deliver messages with a wrong checksum (with ``crc16 = None``).
        untyped: read every message body as an untyped tree.

    ``notes`` collects the ids of deviations that were accepted. ``trace``, if it is a list, collects
    where the fields are: path, type, position of the data, and its octets (elements of a list).
    """

    def __init__(
        self,
        data: bytes,
        records: Records,
        *,
        limits: Limits = DEFAULT_LIMITS,
        crc_kinds: tuple[CrcKind, ...] = tuple(CrcKind),
        lenient: bool = False,
        untyped: bool = False,
    ) -> None:
        super().__init__(data)
        self.data = data
        self.records = records
        self.limits = limits
        self.crc_kinds = crc_kinds
        self.lenient = lenient
        self.untyped = untyped
        self.notes: set[str] = set()
        self.trace: list[tuple[str, int, int, int]] | None = None
        self.message_start = 0


class Sink(io.BytesIO):
    """Octets being encoded.

    Args:
        records: the classes of composites, by their names in the schema.
        shortest: leave out the leading octets of every integer.
    """

    def __init__(self, records: Mapping[str, type], *, shortest: bool = False) -> None:
        super().__init__()
        self.records = records
        self.shortest = shortest
        self.message_start = 0

    def is_record(self, thing: object, names: Iterable[str]) -> bool:
        """Whether a thing is a composite of one of these names."""
        return isinstance(thing, tuple(self.records[name] for name in names))


# --- the TL field -------------------------------------------------------------------------------


def read_tl(data: bytes, pos: int, limits: Limits, notes: MutableSet[str]) -> tuple[int, int, int]:
    """Type, length as sent, and position after the TL field at ``pos``."""
    if pos >= len(data):
        detail = "expected a TL octet, found the end of the input"
        raise TruncatedError("truncated", detail, needed=1, offset=pos, source=_SOURCE)
    octet = data[pos]
    if octet == 0:
        detail = "expected an element, found 00 (end of message)"
        raise DecodeError("unexpected_end_of_message", detail, offset=pos, source=_SOURCE)
    kind = octet >> 4 & 7
    if kind not in KIND_NAMES or octet >> 4 == BOOLEAN + 8:
        detail = f"expected a TL octet of a known type, found {octet:02x}"
        raise DecodeError("reserved_type", detail, offset=pos, source=_SOURCE)
    length = octet & 15
    after = pos + 1
    while octet & 0x80:
        if after - pos >= limits.max_tl_octets:
            raise LimitError("tl_too_long", "max_tl_octets", limits.max_tl_octets, after - pos + 1, offset=pos)
        if after >= len(data):
            detail = "expected another TL octet, found the end of the input"
            raise TruncatedError("truncated", detail, needed=1, offset=pos, source=_SOURCE)
        octet = data[after]
        repeated = octet >> 4 & 7
        if repeated:
            if repeated != LIST or kind != LIST:
                detail = f"expected type bits 000 in a following TL octet, found {octet:02x}"
                raise DecodeError("bad_continuation", detail, offset=after, source=_SOURCE)
            notes.add("tl_type_repeated")
        length = length << 4 | octet & 15
        after += 1
    if kind != LIST and length < after - pos:
        detail = f"expected a length of at least {after - pos} (the TL octets themselves), found {length}"
        raise DecodeError("length_underflow", detail, offset=pos, source=_SOURCE)
    return kind, length, after


def read_header(data: bytes, pos: int, depth: int, limits: Limits, notes: MutableSet[str]) -> tuple[int, int, int]:
    """Type, number of elements (list) or data octets (all others), and where they begin.

    ``depth`` counts the lists around the element. After this call the data octets are known to be
    there, and a list is known to hold no more elements than octets are left.
    """
    kind, length, start = read_tl(data, pos, limits, notes)
    left = len(data) - start
    if kind == LIST:
        if depth >= limits.max_depth:
            raise LimitError("too_deep", "max_depth", limits.max_depth, depth + 1, offset=pos)
        if length > left:
            detail = f"expected {length} elements, found {left} octets"
            raise TruncatedError("truncated", detail, needed=length - left, offset=pos, source=_SOURCE)
        if length > limits.max_list:
            raise LimitError("too_many_elements", "max_list", limits.max_list, length, offset=pos)
        return kind, length, start
    octets = length - (start - pos)
    if kind == BOOLEAN and octets != 1:
        detail = f"expected 1 octet for a boolean, found {octets}"
        raise DecodeError("boolean_width", detail, offset=pos, source=_SOURCE)
    if kind in {INTEGER, UNSIGNED} and not 1 <= octets <= MAX_INTEGER_OCTETS:
        detail = f"expected 1 to {MAX_INTEGER_OCTETS} octets for a number, found {octets}"
        raise DecodeError("integer_width", detail, offset=pos, source=_SOURCE)
    if kind == OCTETS and octets > limits.max_octets:
        raise LimitError("too_many_octets", "max_octets", limits.max_octets, octets, offset=pos)
    if octets > left:
        detail = f"expected {octets} octets of data, found {left}"
        raise TruncatedError("truncated", detail, needed=octets - left, offset=pos, source=_SOURCE)
    return kind, octets, start


def write_tl(kind: int, count: int) -> bytes:
    """The shortest TL field for ``count`` elements (list) or data octets (all others).

    >>> write_tl(OCTETS, 14).hex(), write_tl(OCTETS, 48).hex(), write_tl(LIST, 16).hex()
    ('0f', '8302', 'f100')
    """
    size = 1
    while (count if kind == LIST else count + size) >> 4 * size:
        size += 1
    length = count if kind == LIST else count + size
    nibbles = [length >> 4 * place & 15 for place in reversed(range(size))]
    octets = [nibbles[0] | kind << 4, *nibbles[1:]]
    return bytes([octet | 0x80 for octet in octets[:-1]] + octets[-1:])


def read_element(source: Source, pos: int, depth: int) -> tuple[Any, int]:
    """Any element as an untyped value, and the position after it.

    Octet strings are ``bytes``, booleans ``bool``, lists tuples; numbers are made by
    ``records["Integer"]`` and ``records["Unsigned"]`` of value and width in octets.
    """
    data = source.data
    kind, count, start = read_header(data, pos, depth, source.limits, source.notes)
    if kind == LIST:
        items = []
        for _ in range(count):
            item, start = read_element(source, start, depth + 1)
            items.append(item)
        return tuple(items), start
    end = start + count
    octets = data[start:end]
    if kind == OCTETS:
        return octets, end
    if kind == BOOLEAN:
        return octets != b"\0", end
    signed = kind == INTEGER
    return source.records["Integer" if signed else "Unsigned"](int.from_bytes(octets, signed=signed), count), end


def skip_element(source: Source, pos: int, depth: int) -> int:
    """Check any element like :func:`read_element`, without making anything; the position after it."""
    kind, count, start = read_header(source.data, pos, depth, source.limits, source.notes)
    if kind != LIST:
        return start + count
    for _ in range(count):
        start = skip_element(source, start, depth + 1)
    return start


# --- fields -------------------------------------------------------------------------------------


def field_path(path: str) -> str:
    """Turn the path of construct into ours: ``(parsing) -> val_list -> [3] -> unit`` is ``val_list[3].unit``."""
    return ".".join(path.split(" -> ")[1:]).replace(".[", "[")


class Field(_Construct):
    """Base of all fields: checks the type on reading, turns foreign values into errors on writing.

    ``kinds`` are the element types accepted, ``what`` names them in messages.
    """

    kinds: tuple[int, ...] = ()
    what: str = ""

    def header(self, source: Source, path: str) -> tuple[int, int, int, int]:
        """Position, type, count and data position of the element at hand, if its type is right."""
        pos = source.tell()
        # Depth is checked beforehand, when the message is read as a tree.
        kind, count, start = read_header(source.data, pos, 0, source.limits, source.notes)
        if kind not in self.kinds:
            where = field_path(path)
            if kind == OCTETS and count == 0:
                raise DecodeError("missing", f"expected {self.what}, found an absent field", offset=pos, path=where)
            detail = f"expected {self.what}, found {KIND_NAMES[kind]}"
            raise DecodeError("wrong_type", detail, offset=pos, path=where)
        if source.trace is not None:
            source.trace.append((field_path(path), kind, start, count))
        return pos, kind, count, start

    def refuse(self, value: object, path: str) -> EncodeError:
        """Build the error for a value that this field cannot hold."""
        return EncodeError("wrong_type", f"expected {self.what}", path=field_path(path), value=value)


class OctetString(Field):
    """Octets, passed on as they are; ``01`` is the empty string."""

    kinds = (OCTETS,)
    what = "an octet string"

    def _parse(self, stream: Any, context: Any, path: str) -> bytes:
        _, _, count, start = self.header(stream, path)
        stream.seek(start + count)
        octets: bytes = stream.data[start : start + count]
        return octets

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, bytes | bytearray | memoryview):
            raise self.refuse(obj, path)
        octets = bytes(obj)
        stream.write(write_tl(OCTETS, len(octets)) + octets)
        return obj


class Boolean(Field):
    """``42 00`` is false, any other octet true; written as ``42 01``."""

    kinds = (BOOLEAN,)
    what = "a boolean"

    def _parse(self, stream: Any, context: Any, path: str) -> bool:
        _, _, _, start = self.header(stream, path)
        stream.seek(start + 1)
        return bool(stream.data[start])

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, bool):
            raise self.refuse(obj, path)
        stream.write(b"\x42\x01" if obj else b"\x42\x00")
        return obj


def is_integer(value: object) -> bool:
    """Whether it is a number to write; a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def shortest_width(value: int, *, signed: bool) -> int:
    """Octets that hold ``value``, at least 1.

    >>> shortest_width(255, signed=False), shortest_width(-129, signed=True), shortest_width(128, signed=True)
    (1, 2, 2)
    """
    bits = (value if value >= 0 else ~value).bit_length() + signed
    return max(1, (bits + 7) // 8)


def write_number(value: int, width: int, *, signed: bool) -> bytes:
    """A number as an element of ``width`` data octets."""
    return bytes([(INTEGER if signed else UNSIGNED) << 4 | width + 1]) + value.to_bytes(width, signed=signed)


class Number(Field):
    """A number of a given range; any width of 1 to 8 octets is read.

    Args:
        bits: range of the field, 8 to 64.
        signed: Integer instead of Unsigned.
        width: octets written, if not those of the range.
        wraps: an Unsigned8 of 80 hex and above is read as negative (scalers of some meters).

    The other sign type is accepted if the value fits, with the note ``sign_type``.
    """

    kinds = (UNSIGNED, INTEGER)

    def __init__(self, bits: int, *, signed: bool = False, width: int | None = None, wraps: bool = False) -> None:
        super().__init__()
        self.signed = signed
        self.kind = INTEGER if signed else UNSIGNED
        self.low, self.high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        self.octets = bits // 8
        self.width = width or self.octets
        self.wraps = wraps
        self.what = f"a number from {self.low} to {self.high}"

    def _parse(self, stream: Any, context: Any, path: str) -> int:
        pos, kind, count, start = self.header(stream, path)
        stream.seek(start + count)
        value = int.from_bytes(stream.data[start : start + count], signed=kind == INTEGER)
        if kind != self.kind:
            stream.notes.add("sign_type")
            if self.wraps and count == 1 and value > self.high:
                value -= 256
        if not self.low <= value <= self.high:
            detail = f"expected {self.what}, found {value}"
            raise DecodeError("out_of_range", detail, offset=pos, path=field_path(path))
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not is_integer(obj):
            raise self.refuse(obj, path)
        if not self.low <= obj <= self.high:
            raise EncodeError("out_of_range", f"expected {self.what}", path=field_path(path), value=obj)
        least = shortest_width(obj, signed=self.signed)
        width = least if stream.shortest else max(self.width, least)
        stream.write(write_number(obj, width, signed=self.signed))
        return obj


class AnyNumber(Field):
    """A number that keeps its width on the wire: ``records["Integer"]`` or ``records["Unsigned"]``.

    On writing, a ``width`` of ``None`` is the smallest of 1, 2, 4, 8 octets that holds the value.
    """

    kinds = (UNSIGNED, INTEGER)
    what = "an Integer or Unsigned"

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos, _, _, _ = self.header(stream, path)
        value, end = read_element(stream, pos, 0)
        stream.seek(end)
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not stream.is_record(obj, NUMBERS):
            raise self.refuse(obj, path)
        signed = stream.is_record(obj, ("Integer",))
        if not is_integer(obj.value) or not (obj.width is None or is_integer(obj.width)):
            raise self.refuse(obj, path)
        least = MAX_INTEGER_OCTETS + 1
        if signed or obj.value >= 0:
            least = shortest_width(obj.value, signed=signed)
        width = least if stream.shortest else obj.width
        if width is None:
            width = next((octets for octets in (1, 2, 4, 8) if octets >= least), least)
        if not least <= width <= MAX_INTEGER_OCTETS:
            detail = f"expected a number that fits {obj.width or MAX_INTEGER_OCTETS} octets"
            raise EncodeError("out_of_range", detail, path=field_path(path), value=obj)
        stream.write(write_number(obj.value, width, signed=signed))
        return obj


class StatusWord(AnyNumber):
    """An Unsigned of any width; an Integer is read too if it is not negative (note ``sign_type``)."""

    what = "an Unsigned"

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos, kind, count, start = self.header(stream, path)
        stream.seek(start + count)
        value = int.from_bytes(stream.data[start : start + count], signed=kind == INTEGER)
        if kind == INTEGER:
            stream.notes.add("sign_type")
            if value < 0:
                detail = f"expected {self.what}, found {value}"
                raise DecodeError("out_of_range", detail, offset=pos, path=field_path(path))
        return stream.records["Unsigned"](value, count)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not stream.is_record(obj, ("Unsigned",)):
            raise self.refuse(obj, path)
        return super()._build(obj, stream, context, path)


class Untyped(Field):
    """Any element as a tree, see :func:`read_element`."""

    what = "octets, a boolean, an Integer, an Unsigned or a tuple of these"

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        value, end = read_element(stream, stream.tell(), 0)
        stream.seek(end)
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        match obj:
            case bool():
                BOOL._build(obj, stream, context, path)
            case bytes() | bytearray() | memoryview():
                OS._build(obj, stream, context, path)
            case tuple() | list():
                stream.write(write_tl(LIST, len(obj)))
                for index, item in enumerate(obj):
                    self._build(item, stream, context, f"{path} -> [{index}]")
            case _ if stream.is_record(obj, NUMBERS):
                ANY_NUMBER._build(obj, stream, context, path)
            case _:
                raise self.refuse(obj, path)
        return obj


class Optional(_Subconstruct):
    """A field that may be absent: ``01`` is ``None``."""

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos = stream.tell()
        kind, count, start = read_header(stream.data, pos, 0, stream.limits, stream.notes)
        if kind == OCTETS and count == 0:
            stream.seek(start)
            return None
        return self.subcon._parsereport(stream, context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if obj is None:
            stream.write(b"\x01")
            return obj
        return self.subcon._build(obj, stream, context, path)


OS = OctetString()
BOOL = Boolean()
ANY_NUMBER = AnyNumber()
