"""SML composites as construct building blocks: sequences, explicit choices, times, the message.

==============  ==========================================================================
form            wire
==============  ==========================================================================
Sequence        list with exactly the given number of fields
SequenceOf      list of elements of one type
Choice          list of 2: tag (Unsigned8), content
Message         list of 6; ends with its checksum and ``00``
==============  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from construct import Construct, Container, Renamed, Subconstruct

from e320proto.crc import CrcKind
from e320proto.errors import ChecksumError, DecodeError, EncodeError
from e320proto.schema.primitives import (
    BOOLEAN,
    INTEGER,
    KIND_NAMES,
    LIST,
    NUMBERS,
    OCTETS,
    UNSIGNED,
    AnyNumber,
    Boolean,
    Field,
    Number,
    OctetString,
    Untyped,
    field_path,
    read_header,
    read_tl,
    skip_element,
    write_tl,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    _Subconstruct = Subconstruct[Any, Any, Any, Any]
    AnyConstruct = Construct[Any, Any]
    NamedField = Renamed[Any, Any]
else:
    _Subconstruct = Subconstruct


class Sequence(Field):
    """A list with one element for each field; made by ``records[name]`` of the fields by name.

    Args:
        name: name of the record.
        fields: in wire order, each named with ``"name" / field``.
    """

    kinds = (LIST,)

    def __init__(self, name: str, *fields: NamedField) -> None:
        super().__init__()
        self.record = name
        self.fields = fields
        self.record_names = frozenset({name})
        self.what = f"{name} (list of {len(fields)})"

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos, _, count, start = self.header(stream, path)
        if count != len(self.fields):
            detail = f"expected {self.what}, found {count} elements"
            raise DecodeError("wrong_count", detail, offset=pos, path=field_path(path))
        stream.seek(start)
        return stream.records[self.record](
            **{str(field.name): field._parsereport(stream, context, path) for field in self.fields}
        )

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not stream.is_record(obj, (self.record,)):
            raise self.refuse(obj, path)
        stream.write(write_tl(LIST, len(self.fields)))
        for field in self.fields:
            field._build(getattr(obj, str(field.name)), stream, context, path)
        return obj


class SequenceOf(Field):
    """A list of elements of one type, as a tuple. ``or_absent`` reads ``01`` as an empty list."""

    kinds = (LIST,)

    def __init__(self, item: AnyConstruct, *, or_absent: bool = False) -> None:
        super().__init__()
        self.item = item
        self.or_absent = or_absent
        self.what = "a list"

    def _parse(self, stream: Any, context: Any, path: str) -> tuple[Any, ...]:
        if self.or_absent:
            kind, count, start = read_header(stream.data, stream.tell(), 0, stream.limits, stream.notes)
            if kind == OCTETS and count == 0:
                stream.seek(start)
                return ()
        _, _, count, start = self.header(stream, path)
        stream.seek(start)
        return tuple(self.item._parsereport(stream, context, f"{path} -> [{index}]") for index in range(count))

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, tuple | list):
            raise self.refuse(obj, path)
        stream.write(write_tl(LIST, len(obj)))
        for index, item in enumerate(obj):
            self.item._build(item, stream, context, f"{path} -> [{index}]")
        return obj


class Scalar(_Subconstruct):
    """A plain field that is a record of its own: ``records[name](value)``."""

    def __init__(self, name: str, subcon: AnyConstruct) -> None:
        super().__init__(subcon)
        self.record = name
        self.record_names = frozenset({name})

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        return stream.records[self.record](self.subcon._parsereport(stream, context, path))

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        self.subcon._build(obj.value, stream, context, path)
        return obj


TAG = Number(8)


class Choice(Field):
    """An explicit choice whose cases are told apart by their records: ``{tag: case}``."""

    kinds: tuple[int, ...] = (LIST,)

    def __init__(self, name: str, cases: Mapping[int, Any], record_names: frozenset[str] | None = None) -> None:
        super().__init__()
        self.cases = cases
        if record_names is None:
            record_names = frozenset(record for case in cases.values() for record in case.record_names)
        self.record_names = record_names
        self.what = f"{name} (a choice)"

    def choose(self, stream: Any, context: Any, path: str) -> tuple[int, Any]:
        """Tag and case; the stream stands at the content then."""
        pos, _, count, start = self.header(stream, path)
        if count != 2:  # noqa: PLR2004 - tag and content
            detail = f"expected {self.what}, found {count} elements"
            raise DecodeError("wrong_count", detail, offset=pos, path=field_path(path))
        stream.seek(start)
        tag = TAG._parse(stream, context, path)
        if tag not in self.cases:
            detail = f"expected {self.what} with tag {', '.join(map(str, self.cases))}, found {tag}"
            raise DecodeError("unknown_choice", detail, offset=start, path=field_path(path))
        return tag, self.cases[tag]

    def write_tag(self, tag: int, stream: Any, context: Any, path: str) -> None:
        """Write the list of 2 and the tag."""
        stream.write(write_tl(LIST, 2))
        TAG._build(tag, stream, context, path)

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        _, case = self.choose(stream, context, path)
        return case._parsereport(stream, context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        for tag, case in self.cases.items():
            if stream.is_record(obj, case.record_names):
                self.write_tag(tag, stream, context, path)
                case._build(obj, stream, context, path)
                return obj
        raise self.refuse(obj, path)


class NamedChoice(Choice):
    """An explicit choice that keeps which case it was: ``records[name](choice, content)``, ``{tag: "name" / case}``."""

    def __init__(self, name: str, cases: Mapping[int, NamedField]) -> None:
        super().__init__(name, cases, frozenset({name}))
        self.record = name

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        _, case = self.choose(stream, context, path)
        return stream.records[self.record](choice=case.name, content=case._parsereport(stream, context, path))

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if stream.is_record(obj, (self.record,)):
            for tag, case in self.cases.items():
                if obj.choice == case.name:
                    self.write_tag(tag, stream, context, path)
                    case._build(obj.content, stream, context, path)
                    return obj
        raise self.refuse(obj, path)


class Time(Choice):
    """SML_Time with the deviations of real meters.

    A plain number without a choice is a seconds index (note ``bare_time``, Holley). A list of three
    under choice 1 or 2 is a local timestamp (note ``time_list``, FROETEC).
    """

    SEC_INDEX: Final = 1
    LOCAL: Final = 3
    kinds = (LIST, UNSIGNED, INTEGER)

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos = stream.tell()
        kind, _, _ = read_header(stream.data, pos, 0, stream.limits, stream.notes)
        if kind in {UNSIGNED, INTEGER}:
            stream.notes.add("bare_time")
            sec_index = self.cases[self.SEC_INDEX]
            return stream.records[sec_index.record](sec_index.subcon._parse(stream, context, path), bare=True)
        tag, case = self.choose(stream, context, path)
        if tag != self.LOCAL:
            local = self.cases[self.LOCAL]
            kind, count, _ = read_header(stream.data, stream.tell(), 0, stream.limits, stream.notes)
            if kind == LIST and count == len(local.fields):
                stream.notes.add("time_list")
                case = local
        return case._parsereport(stream, context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        sec_index = self.cases[self.SEC_INDEX]
        if stream.is_record(obj, sec_index.record_names) and obj.bare:
            return sec_index._build(obj, stream, context, path)
        return super()._build(obj, stream, context, path)


class Value(Field):
    """SML_Value, an implicit choice: the type bits tell what it is.

    ``01`` is ``None`` with the note ``value_absent``: some meters send entries without a value.
    Without ``list_type`` it is a simple value, which is never a list.
    """

    def __init__(self, list_type: Choice | None = None) -> None:
        super().__init__()
        self.list_type = list_type
        self.list_records: frozenset[str] = list_type.record_names if list_type else frozenset()
        self.parts: dict[int, AnyConstruct] = {
            OCTETS: OctetString(),
            BOOLEAN: Boolean(),
            INTEGER: AnyNumber(),
            UNSIGNED: AnyNumber(),
        }
        if list_type:
            self.parts[LIST] = list_type
        self.what = f"octets, a boolean, an Integer{', an Unsigned or a ListType' if list_type else ' or an Unsigned'}"

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos = stream.tell()
        kind, count, start = read_header(stream.data, pos, 0, stream.limits, stream.notes)
        if kind == OCTETS and count == 0:
            stream.notes.add("value_absent")
            stream.seek(start)
            return None
        if kind not in self.parts:
            detail = f"expected {self.what}, found {KIND_NAMES[kind]}"
            raise DecodeError("wrong_type", detail, offset=pos, path=field_path(path))
        return self.parts[kind]._parsereport(stream, context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if obj is None:
            stream.write(b"\x01")
            return obj
        if isinstance(obj, bool):
            kind = BOOLEAN
        elif isinstance(obj, bytes | bytearray | memoryview):
            kind = OCTETS
        elif stream.is_record(obj, self.list_records):
            kind = LIST
        elif stream.is_record(obj, NUMBERS):
            kind = INTEGER
        else:
            raise self.refuse(obj, path)
        self.parts[kind]._build(obj, stream, context, path)
        return obj


class MessageBody(Field):
    """List of 2: message tag and body; a tag without a model is read as an untyped tree (note ``untyped``)."""

    kinds = (LIST,)
    what = "a messageBody (list of 2)"
    tag = Number(32, width=2)
    untyped = Untyped()

    def __init__(self, models: Mapping[int, Sequence]) -> None:
        super().__init__()
        self.models = models

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        pos, _, count, start = self.header(stream, path)
        if count != 2:  # noqa: PLR2004 - tag and body
            detail = f"expected {self.what}, found {count} elements"
            raise DecodeError("wrong_count", detail, offset=pos, path=field_path(path))
        stream.seek(start)
        tag = self.tag._parse(stream, context, path)
        model = None if stream.untyped else self.models.get(tag)
        if model is not None:
            return model._parsereport(stream, context, path)
        stream.notes.add("untyped")
        return stream.records["Untyped"](tag=tag, tree=self.untyped._parse(stream, context, path))

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        tag, model, body = self._form(obj, stream, path)
        stream.write(write_tl(LIST, 2))
        self.tag._build(tag, stream, context, path)
        model._build(body, stream, context, path)
        return obj

    def _form(self, obj: Any, stream: Any, path: str) -> tuple[Any, Field, Any]:
        if stream.is_record(obj, ("Untyped",)):
            return obj.tag, self.untyped, obj.tree
        for tag, model in self.models.items():
            if stream.is_record(obj, (model.record,)):
                return tag, model, obj
        raise EncodeError("wrong_type", "expected a message body", path=field_path(path), value=obj)


class Crc16(Field):
    """Checksum over the message so far, as the :class:`CrcKind` that matches.

    A leading 00 may be left out on the wire (note ``crc_short``); always written in full.
    """

    number = Number(16)
    what = "x25, kermit or None"

    def _parse(self, stream: Any, context: Any, path: str) -> CrcKind | None:
        pos = stream.tell()
        actual = self.number._parse(stream, context, path)
        if stream.tell() - pos == 2:  # noqa: PLR2004 - TL and one octet
            stream.notes.add("crc_short")
        data = stream.data[stream.message_start : pos]
        kinds: tuple[CrcKind, ...] = stream.crc_kinds
        for kind in kinds:
            if kind.wire(data) == actual:
                if kind is CrcKind.KERMIT:
                    stream.notes.add("kermit")
                return kind
        if stream.lenient:
            stream.notes.add("message_crc")
            return None
        computed = {str(kind): kind.wire(data) for kind in kinds}
        raise ChecksumError("message_crc", computed, actual, offset=pos, path=field_path(path))

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if obj is not None and not (isinstance(obj, str) and obj in set(CrcKind)):
            raise self.refuse(obj, path)
        kind = CrcKind.X25 if obj is None else CrcKind(obj)
        crc = kind.wire(bytes(stream.getbuffer()[stream.message_start :]))
        stream.write(bytes((0x63, crc >> 8, crc & 0xFF)))
        return obj


class Message(Field):
    """List of 6: five fields and ``00``. Made by ``records["Message"]`` of the five."""

    kinds = (LIST,)

    def __init__(self, *fields: NamedField) -> None:
        super().__init__()
        self.fields = fields
        self.record = "Message"
        self.what = f"a message (list of {len(fields) + 1})"

    def open(self, stream: Any, pos: int) -> int:
        """Check the list of 6 at ``pos``; the position of its first field."""
        stream.message_start = pos
        kind, count, start = read_tl(stream.data, pos, stream.limits, stream.notes)
        if kind != LIST or count != len(self.fields) + 1:
            detail = f"expected {self.what}, found {KIND_NAMES[kind]} of {count}"
            raise DecodeError("not_a_message", detail, offset=pos)
        read_header(stream.data, pos, 0, stream.limits, stream.notes)
        return start

    @staticmethod
    def close(stream: Any, pos: int) -> int:
        """Check the end of the message, ``00``; the position after it."""
        found = stream.data[pos : pos + 1]
        if found != b"\0":
            detail = f"expected 00 (end of message), found {found.hex() or 'the end of the input'}"
            raise DecodeError("missing_end", detail, offset=pos, path="end_of_sml_msg")
        return pos + 1

    def outline(self, stream: Any, pos: int) -> tuple[list[int], int]:
        """Walk the message as a tree: positions of its fields, and where it ends.

        Raises errors of structure only, in the order of the octets; afterwards the typed reading
        cannot meet one, nor nesting beyond the limit.
        """
        positions = []
        after = self.open(stream, pos)
        for _ in self.fields:
            positions.append(after)
            after = skip_element(stream, after, 1)
        return positions, self.close(stream, after)

    def check_crc(self, stream: Any, positions: list[int]) -> None:
        """Check the checksum of a message whose outline is known."""
        stream.seek(positions[-1])
        context: Any = Container()
        self.fields[-1]._parsereport(stream, context, "(parsing)")

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        stream.seek(self.open(stream, stream.tell()))
        values = {str(field.name): field._parsereport(stream, context, path) for field in self.fields}
        stream.seek(self.close(stream, stream.tell()))
        return stream.records[self.record](**values)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not stream.is_record(obj, (self.record,)):
            raise self.refuse(obj, path)
        stream.message_start = stream.tell()
        stream.write(write_tl(LIST, len(self.fields) + 1))
        for field in self.fields:
            field._build(getattr(obj, str(field.name)), stream, context, path)
        stream.write(b"\0")
        return obj
