"""Readers of one learned layout: straight-line Python made from its fields.

Of a layout with one energy, :func:`compile_floats` and :func:`compile_content` make::

    def floats(raw):
        f12, = unpack(raw)
        return (None, f12 / 10)

    def content(raw):
        f2, f3, f7, f8, f9, f10, f11, f12 = unpack(raw)
        time = sec_index(f8)
        entries = (new(Entry, (K1, f9, None, None, None, None, None, None, None)),
                   new(Entry, (K2, f12, -1, K3, status(f10, 4), sec_index(f11), None, 8, None)))
        rules = ()
        if f8 and not (f11): ...                          # the zero_time rule
        return new(Content, (raw[8:308], new(Entries, entries), time, f7, NOTES, rules, 3))
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from e320proto.schema.primitives import INTEGER, OCTETS
from e320proto.sml.content import Content
from e320proto.sml.entries import Entries, Entry
from e320proto.sml.facts import FACTS
from e320proto.sml.quirks import DZG_FLAG, DZG_SIGN, ZERO_TIME, dzg_sign, may_lack_sign, without_zero_times
from e320proto.status import status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from e320proto.sml.layout import Field, Layout

_CODES: Final = {1: "B", 2: "H", 3: "BH", 4: "I", 5: "BI", 6: "HI", 7: "BHI", 8: "Q"}
"""Octets of a number to the codes of :mod:`struct` for its parts, high part first."""
_OCTETS: Final = {"B": 1, "H": 2, "I": 4, "Q": 8}
_TIMESTAMP: Final = 2


class _Writer:
    """Collects the source of one function and its namespace."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.names: dict[str, Any] = {}
        self.used: dict[int, None] = {}
        self.places = {(field.message, field.entry, field.name): at for at, field in enumerate(layout.fields)}

    def constant(self, thing: Any) -> str:  # noqa: ANN401 - anything that an entry holds
        """Code for a value that is the same in every telegram."""
        if thing is None or type(thing) is int:
            return repr(thing)
        name = f"K{len(self.names)}"
        self.names[name] = thing
        return name

    def place(self, message: int, entry: int | None, name: str) -> int | None:
        """Which field it is, if it is data."""
        return self.places.get((message, entry, name))

    def field(self, at: int) -> str:
        """Code for the octets or the number of a field."""
        self.used[at] = None
        field = self.layout.fields[at]
        if field.kind == OCTETS:
            return f"f{at}"
        shift, terms = 8 * field.octets, []
        for name, code in zip(self.parts(at), _CODES[field.octets], strict=True):
            shift -= 8 * _OCTETS[code]
            terms.append(f"{name} << {shift}" if shift else name)
        return f"({' | '.join(terms)})" if len(terms) > 1 else terms[0]

    def parts(self, at: int) -> list[str]:
        """Names of the variables that hold the parts of a field."""
        field = self.layout.fields[at]
        count = 1 if field.kind == OCTETS else len(_CODES[field.octets])
        return [f"f{at}{'abc'[part] * (count > 1)}" for part in range(count)]

    def time(self, at: int) -> str:
        """Code for a time."""
        choice = self.layout.fields[at].choice
        if choice == _TIMESTAMP:
            return f"timestamp({self.field(at)})"
        return f"sec_index({self.field(at)})" if choice else f"sec_index({self.field(at)}, True)"

    def unpack(self) -> str:
        """Code that assigns every field in use, from one unpack of the frame."""
        if not self.used:
            return ""
        order = sorted(self.used)
        self.names["unpack"] = Struct(frame_format(self.layout, (self.layout.fields[at] for at in order))).unpack
        return f"    {''.join(f'{part}, ' for at in order for part in self.parts(at))} = unpack(raw)\n"

    def function(self, name: str, body: str) -> Any:  # noqa: ANN401 - what the function gives
        """Make the function."""
        self.names["new"] = tuple.__new__
        source = f"def {name}(raw):\n{self.unpack()}{body}"
        # The text is made of numbers and of the names in this module; nothing of it comes from outside.
        exec(compile(source, f"<layout {name}>", "exec"), self.names)  # noqa: S102
        return self.names[name]


def frame_format(layout: Layout, fields: Iterable[Field]) -> str:
    """Format of :mod:`struct` that reads these fields, given in order, from a whole frame."""
    form, at = ">", 0
    for field in fields:
        form += f"{field.start - at}x" if field.start > at else ""
        codes = f"{field.octets}s" if field.kind == OCTETS else _CODES[field.octets]
        form += codes[0].lower() + codes[1:] if field.kind == INTEGER else codes
        at = field.start + field.octets
    return f"{form}{layout.octets - at}x"


def compile_floats(layout: Layout) -> Callable[[bytes], tuple[float | None, ...]]:
    """Make the function that gives the scaled numbers of all entries, each as ``float(entry.quantity)`` does."""
    writer = _Writer(layout)
    items, suspects = [], []
    for index, entry in enumerate(layout.example.entries):
        at = writer.place(1, index, "value")
        if at is None or layout.fields[at].kind == OCTETS:
            items.append("None")
            continue
        scaler = entry.scaler or 0
        number = writer.field(at)
        if layout.dzg and may_lack_sign([entry]):
            suspects.append(f"{number} < 0")
        factor = f" * {10**scaler}" if scaler else ""
        items.append(f"{number} / {10**-scaler}" if scaler < 0 else f"float({number}{factor})")
    body = f"    return ({''.join(f'{item}, ' for item in items)})\n"
    if suspects:
        writer.names |= {"DZG_FLAG": DZG_FLAG, "layout": layout, "floats_of": floats_of}
        by_rule = "        return floats_of(layout.content(raw).entries)\n"
        body = f"    if ({' or '.join(suspects)}) and DZG_FLAG in raw:\n{by_rule}{body}"
    floats: Callable[[bytes], tuple[float | None, ...]] = writer.function("floats", body)
    return floats


def floats_of(entries: Iterable[Entry]) -> tuple[float | None, ...]:
    """The numbers to use, the plain way."""
    return tuple([_float(entry) for entry in entries])


def _float(entry: Entry) -> float | None:
    """``float(entry.quantity)`` without making the quantity."""
    raw, scaler = entry.raw, entry.scaler
    if entry.corrected is not None:
        return float(entry.corrected)
    if type(raw) is not int:
        return None
    if not scaler:
        return float(raw)
    return raw / 10**-scaler if scaler < 0 else float(raw * 10**scaler)


def _entry(writer: _Writer, index: int, entry: Entry) -> str:
    """Code for an entry: what differs from telegram to telegram from its fields, all else from the example."""
    places = [writer.place(1, index, name) for name in ("value", "status", "val_time", "value_signature")]
    value, word, time, signature = places
    if not any(at is not None for at in places):
        return writer.constant(entry)
    parts = (
        writer.constant(entry.obis),
        writer.constant(entry.raw) if value is None else writer.field(value),
        writer.constant(entry.scaler),
        writer.constant(entry.unit),
        "None" if word is None else f"status({writer.field(word)}, {writer.layout.fields[word].octets})",
        "None" if time is None else writer.time(time),
        "None" if signature is None else writer.field(signature),
        writer.constant(entry.width),
        "None",
    )
    return f"new(Entry, ({', '.join(parts)}))"


def compile_content(layout: Layout) -> Callable[[bytes], Content]:
    """Make the function that gives the content of a frame, equal to that of the schema."""
    writer = _Writer(layout)
    example = layout.example
    entries = "".join(f"{_entry(writer, index, entry)}, " for index, entry in enumerate(example.entries))
    sensor_time, ref_time = writer.place(1, None, "act_sensor_time"), writer.place(0, None, "ref_time")
    clock = ref_time if sensor_time is None else sensor_time
    servers = (writer.place(1, None, "server_id"), writer.place(0, None, "server_id"))
    server = next((at for at in servers if at is not None), None)
    body = f"""\
    time = {"None" if clock is None else writer.time(clock)}
    server = {writer.constant(example.server_octets) if server is None else writer.field(server)}
    entries = ({entries})
    rules = ()
"""
    times = [writer.place(1, index, "val_time") for index in range(len(example.entries))]
    entry_times = [writer.field(at) for at in times if at is not None and layout.fields[at].choice != _TIMESTAMP]
    if entry_times and sensor_time is not None and layout.fields[sensor_time].choice != _TIMESTAMP:
        body += f"""\
    if {writer.field(sensor_time)} and not ({" and ".join(entry_times)}):
        entries = without_zero_times(entries, time)
        rules = (ZERO_TIME,)
"""
    if layout.dzg:
        body += """\
    if DZG_FLAG in raw:
        changed = dzg_sign(entries, server)
        if changed is not None:
            entries = changed
            rules += (DZG_SIGN,)
"""
    payload = f"raw[{layout.payload.start}:{layout.payload.stop}]"
    notes = writer.constant(example.notes)
    body += f"""\
    return new(Content, ({payload}, new(Entries, entries), time, server, {notes}, rules, {example.message_count}))
"""
    writer.names |= {
        "Content": Content,
        "DZG_FLAG": DZG_FLAG,
        "DZG_SIGN": DZG_SIGN,
        "Entries": Entries,
        "Entry": Entry,
        "ZERO_TIME": ZERO_TIME,
        "dzg_sign": dzg_sign,
        "sec_index": FACTS["SecIndex"],
        "status": status,
        "timestamp": FACTS["Timestamp"],
        "without_zero_times": without_zero_times,
    }
    content: Callable[[bytes], Content] = writer.function("content", body)
    return content
