"""Turn the message schema into a fast reader: straight-line Python made from the same declarations.

:func:`compile_reader` walks the constructs once and writes one function for each message model. For
every field it emits the usual form of the element inline (a TL field of one octet, the widths that
meters send) and, for any other form, a call of the construct itself. So the reader knows nothing
about SML that the schema does not say, and reads every form that the schema reads.

What does not fit raises; the caller then reads the message with the schema, which finds the right
error. Reading past the end raises ``IndexError``: every element is followed by the octet of another.

What is emitted for ``"obj_name" / OS``::

    t = d[p]
    if 0 < t < 16:
        p += t
        v1 = d[p - t + 1 : p]
    else:
        v1, p = slow(K1, d, p, notes)
"""

from __future__ import annotations

from functools import singledispatchmethod
from textwrap import indent
from typing import TYPE_CHECKING, Any

from construct import LazyBound, Renamed

from e320proto.crc import CrcKind, x25_wire
from e320proto.errors import E320Error
from e320proto.schema import composites, primitives
from e320proto.schema.primitives import INTEGER, LIST, UNSIGNED, read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from e320proto.limits import Limits
    from e320proto.schema.primitives import Source

    MessageReader = Callable[[bytes, int, set[str]], tuple[Any, int]]

ONE_TL_OCTET = 15
SMALLEST_LIMITS = {"max_depth": 11, "max_list": ONE_TL_OCTET, "max_octets": 253, "max_tl_octets": 2}
"""Below these, an inline form could exceed a limit."""


class NotCompiledError(E320Error):
    """A form of message that the fast reader leaves to the schema."""


def _number(kind: int) -> str:
    """Code for the number whose TL octet ``t`` is read and which ends at ``p``."""
    octets = f"d[p - t + {(kind << 4) + 1} : p]"
    return f'from_bytes({octets}, "big", signed=True)' if kind == INTEGER else f'from_bytes({octets}, "big")'


class _Emitter:
    """Collects the lines of one function, and the objects that its namespace needs."""

    def __init__(self, names: dict[str, Any], records: Any, inline: Mapping[str, str]) -> None:
        self.names = names
        self.records = records
        self.inline = inline
        self.text = ""
        self.level = 1
        self.within: list[Any] = []
        self.variables = 0

    def code(self, text: str) -> None:
        self.text += indent(text.strip("\n") + "\n", "    " * self.level)

    def variable(self) -> str:
        self.variables += 1
        return f"v{self.variables}"

    def refer(self, prefix: str, thing: Any) -> str:
        """Name of an object in the namespace of the generated code."""
        name = f"{prefix}{len(self.names)}"
        self.names[name] = thing
        return name

    def otherwise(self, target: str, con: Any) -> None:
        """Every other form: the construct itself."""
        self.code(f"else:\n    {target}, p = slow({self.refer('K', con)}, d, p, notes)")

    def emit(self, con: Any, target: str, whole: Any = None) -> None:
        """Emit code that reads ``con`` at ``p`` into ``target`` and moves ``p``.

        ``whole`` is the construct to fall back on, where ``con`` is only a part of it.
        """
        while isinstance(con, Renamed | LazyBound):
            con = con.subcon if isinstance(con, Renamed) else con.subconfunc()
        if any(con is outer for outer in self.within):
            raise NotCompiledError  # a tree: rare, and its depth must be counted
        self.within.append(con)
        self.form(con, target, whole or con)
        self.within.pop()

    def nested(self, con: Any, target: str, whole: Any = None) -> None:
        self.level += 1
        self.emit(con, target, whole)
        self.level -= 1

    def fields(self, record: str, fields: Iterable[Any], target: str) -> None:
        """Emit fields one after the other and call the factory of their record."""
        variables = []
        for field in fields:
            variables.append(self.variable())
            self.emit(field, variables[-1])
        self.code(f"{target} = {self.made(record, *variables)}")

    def made(self, record: str, *arguments: str) -> str:
        """Code that makes a record."""
        if record in self.inline:
            return self.inline[record].format(*arguments)
        return f"{self.refer('R', self.records[record])}({', '.join(arguments)})"

    def any_number(self, kind: int, target: str) -> str:
        """Code for a number of any width whose TL octet is in ``t``."""
        base = kind << 4
        made = self.made("Integer" if kind == INTEGER else "Unsigned", _number(kind), f"t - {base + 1}")
        return f"""\
if {base + 2} <= t <= {base + 9}:
    p += t - {base}
    {target} = {made}
"""

    @singledispatchmethod
    def form(self, con: Any, target: str, whole: Any) -> None:
        """Emit the usual form of ``con``; without one, the construct itself."""
        del con
        self.code(f"{target}, p = slow({self.refer('K', whole)}, d, p, notes)")

    @form.register
    def _(self, con: primitives.OctetString, target: str, whole: Any) -> None:
        del con
        self.code(f"""\
t = d[p]
if 0 < t < 16:
    p += t
    {target} = d[p - t + 1 : p]
{self.longer(target)}\
""")
        self.otherwise(target, whole)

    @staticmethod
    def longer(target: str) -> str:
        """Code for an octet string of 14 to 253 octets, whose first TL octet is in ``t``: keys, signatures."""
        return f"""\
elif 128 < t < 144 and d[p + 1] < 16:
    t = (t & 15) << 4 | d[p + 1]
    p += t
    {target} = d[p - t + 2 : p]
"""

    @form.register
    def _(self, con: primitives.Number, target: str, whole: Any) -> None:
        base = con.kind << 4
        if con.octets == 1:
            value = "(d[p + 1] ^ 128) - 128" if con.signed else "d[p + 1]"
            self.code(f"if d[p] == {base + 2}:\n    {target} = {value}\n    p += 2")
            self.otherwise(target, whole)
            return
        self.code(f"""\
t = d[p]
if {base + 2} <= t <= {base + 1 + con.octets}:
    p += t - {base}
    {target} = {_number(con.kind)}
""")
        self.otherwise(target, whole)

    @form.register
    def _(self, con: primitives.StatusWord, target: str, whole: Any) -> None:
        del con
        self.code(f"t = d[p]\n{self.any_number(UNSIGNED, target)}")
        self.otherwise(target, whole)

    @form.register
    def _(self, con: composites.Value, target: str, whole: Any) -> None:
        del con
        self.code(f"""\
t = d[p]
{self.any_number(UNSIGNED, target)}\
el{self.any_number(INTEGER, target)}\
elif 1 < t < 16:
    p += t
    {target} = d[p - t + 1 : p]
{self.longer(target)}\
""")
        self.otherwise(target, whole)

    @form.register
    def _(self, con: primitives.Optional, target: str, whole: Any) -> None:
        self.code(f"""\
if d[p] == 1:
    {target} = None
    p += 1
else:
""")
        self.nested(con.subcon, target, whole)

    @form.register
    def _(self, con: composites.Time, target: str, whole: Any) -> None:
        record = con.cases[con.SEC_INDEX].record
        base, head = UNSIGNED << 4, bytes((LIST << 4 | 2, UNSIGNED << 4 | 2, con.SEC_INDEX))
        self.code(f"""\
if d[p : p + 4] == {head + bytes((base + 5,))!r}:
    p += 8
    {target} = {self.made(record, "from_bytes(d[p - 4 : p], 'big')")}
else:
    bare = d[p] != {head[0]}
    t = d[p] if bare else d[p + 3] if d[p : p + 3] == {head!r} else 0
    if {base + 2} <= t <= {base + 5}:
        if bare:
            p += t - {base}
            {target} = {self.made(record, _number(UNSIGNED), "True")}
            notes.add("bare_time")
        else:
            p += t - {base - 3}
            {target} = {self.made(record, _number(UNSIGNED))}
""")
        self.level += 1
        self.otherwise(target, whole)
        self.level -= 1

    @form.register
    def _(self, con: composites.Sequence, target: str, whole: Any) -> None:
        del whole
        self.list_head(len(con.fields))
        self.fields(con.record, con.fields, target)

    def list_head(self, count: int) -> None:
        """Read the TL field of a list with a fixed number of elements."""
        self.code(f"""\
if d[p] == {LIST << 4 | count if count <= ONE_TL_OCTET else None}:
    p += 1
else:
    n, p = count(d, p, notes)
    if n != {count}:
        raise NotCompiledError
""")

    @form.register
    def _(self, con: composites.SequenceOf, target: str, whole: Any) -> None:
        del whole
        items, item = self.variable(), self.variable()
        self.code(f"""\
if {con.or_absent} and d[p] == 1:
    n = 0
    p += 1
elif d[p] >> 4 == {LIST}:
    n = d[p] & 15
    p += 1
else:
    n, p = count(d, p, notes)
{items} = []
for _ in range(n):
""")
        self.nested(con.item, item)
        self.code(f"    {items}.append({item})\n{target} = tuple({items})")

    @form.register
    def _(self, con: composites.MessageBody, target: str, whole: Any) -> None:
        del con, whole
        self.list_head(2)
        base = UNSIGNED << 4
        self.code(f"""\
t = d[p]
if not {base + 2} <= t <= {base + 5}:
    raise NotCompiledError
p += t - {base}
{target}, p = bodies[{_number(UNSIGNED)}](d, p, notes)
""")

    @form.register
    def _(self, con: composites.Crc16, target: str, whole: Any) -> None:
        del con
        self.code(f"""\
if d[p] == {UNSIGNED << 4 | 3} and x25_first and x25(d[start:p]) == d[p + 1] << 8 | d[p + 2]:
    {target} = X25
    p += 3
else:
    {target}, p = slow({self.refer("K", whole)}, d, p, notes, start)
""")

    def function(self, name: str, result: str) -> Any:
        """Make the function of the lines so far."""
        source = f"def {name}(d, p, notes):\n    start = p\n{self.text}    return {result}, p\n"
        # The text is made of the schema's own words; nothing of it comes from outside.
        exec(compile(source, f"<compiled {name}>", "exec"), self.names)  # noqa: S102
        return self.names[name]


def compile_reader(
    message: composites.Message,
    models: dict[int, composites.Sequence],
    open_source: Callable[[bytes], Source],
    inline: Mapping[str, str] | None = None,
) -> MessageReader | None:
    """Make a fast reader of whole messages.

    Args:
        message: the envelope.
        models: message tag to body.
        open_source: prepares octets for reading with the schema; its records, limits and checksums
            are those of the reader. Inline forms call the records with positional arguments in
            wire order, the constructs with keywords.
        inline: code to use in place of a record, with ``{0}``, ``{1}``, ... for its arguments.

    Returns:
        A function of octets, position and a set for notes that gives what ``message`` gives, and the
        position after it. It raises :class:`NotCompiledError`, ``DecodeError``, ``IndexError`` or
        ``KeyError`` where the octets are no right message or one that is left to the schema.
        ``None`` if the limits are too small for any inline form.
    """
    example = open_source(b"")
    if any(getattr(example.limits, name) < least for name, least in SMALLEST_LIMITS.items()):
        return None
    limits, records = example.limits, example.records

    def slow(con: Any, data: bytes, pos: int, notes: set[str], message_start: int = 0) -> tuple[Any, int]:
        source = open_source(data)
        source.seek(pos)
        source.message_start = message_start
        value = con.parse_stream(source)
        notes |= source.notes
        return value, source.tell()

    bodies: dict[int, Any] = {}
    names: dict[str, Any] = {
        "slow": slow,
        "count": _counter(limits),
        "from_bytes": int.from_bytes,
        "NotCompiledError": NotCompiledError,
        "x25": x25_wire,
        "x25_first": example.crc_kinds[0] is CrcKind.X25,
        "X25": CrcKind.X25,
        "bodies": bodies,
    }
    for tag, model in models.items():
        emitter = _Emitter(names, records, inline or {})
        try:
            emitter.emit(model, "body")
        except NotCompiledError:
            continue
        bodies[tag] = emitter.function(f"read_{model.record}", "body")
    emitter = _Emitter(names, records, inline or {})
    emitter.list_head(len(message.fields) + 1)
    emitter.fields(message.record, message.fields, "message")
    emitter.code("if d[p] != 0:\n    raise NotCompiledError\np += 1")
    reader: MessageReader = emitter.function("read_message", "message")
    return reader


def _counter(limits: Limits) -> Callable[[bytes, int, set[str]], tuple[int, int]]:
    def count(data: bytes, pos: int, notes: set[str]) -> tuple[int, int]:
        kind, elements, start = read_header(data, pos, 0, limits, notes)
        if kind != LIST:
            raise NotCompiledError
        return elements, start

    return count
