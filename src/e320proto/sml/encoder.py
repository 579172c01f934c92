"""Encoding of pushes that differ in their data only, through a learned layout.

A meter says the same every second with other numbers. Its messages are encoded once with the
schema; after that the values are put into the skeleton and the checksums computed anew::

    messages --schema--> frame --layout--> skeleton, fields
                                               |
    values ------------------------------------+--> frame, equal to that of the schema

Where a value brings an escape into the payload, the frame is made by ``encode_transport``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from e320proto.crc import x25
from e320proto.errors import EncodeError
from e320proto.schema.primitives import INTEGER, OCTETS
from e320proto.sml.codec import encode_file
from e320proto.sml.layout import MESSAGES
from e320proto.sml.layout_checks import CRC_OCTETS
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.telegram import Telegram, layout_of
from e320proto.sml.transport import ESCAPE, START, encode_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from e320proto.sml.layout import Field, Layout
    from e320proto.sml.messages import Message

_WHOLE: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""Octets of a number to its code of :mod:`struct`, if it has one."""
_CRC: Final = "crc16"


class TelegramEncoder:
    r"""Encodes the pushes of one meter: Open, GetList, Close, with other data every time.

    ``fields`` names the data in wire order, ``values`` has those of the messages given. Everything
    else (lists, register names, units, scalers, widths of numbers) stays as it was given.

    =======================================  ==============================================
    field                                    value
    =======================================  ==============================================
    ``open.transaction_id``, ...             octets of the same length
    ``open.req_file_id``                     octets of the same length
    ``open.ref_time``                        seconds, an unsigned integer of the same width
    ``list.server_id``                       octets of the same length
    ``list.act_sensor_time``                 seconds, an unsigned integer of the same width
    ``list.val_list[3].value``               integer of the same width, or octets of the same length
    ``list.val_list[3].status``              unsigned integer of the same width
    ``list.val_list[3].val_time``            seconds, an unsigned integer of the same width
    ``list.val_list[3].value_signature``     octets of the same length
    =======================================  ==============================================

    Octets are ``bytes``, integers ``int`` and no subclass of it.

    Args:
        messages: one push; or a telegram that was received, whose form is kept to the octet, except that
            its frame becomes a multiple of 4 octets long if a value needs an escape.

    Raises:
        EncodeError: ``no_layout``, the messages are no push with X-25 checksums and times in
            seconds, or their payload needs an escape; any error of :func:`e320proto.encode_file`.

    Source: SML 1.04; that a layout suffices is a property of this library, see ``e320proto.sml.layout``.

    >>> from e320proto import *
    >>> energy = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, scaler=-1, value=Unsigned(0, 8))
    >>> server_id = bytes.fromhex("0a014c475a0000bc614e")
    >>> bodies = (
    ...     PublicOpenRes(req_file_id=b"\0", server_id=server_id),
    ...     GetListRes(server_id=server_id, val_list=(energy,)),
    ...     PublicCloseRes(),
    ... )
    >>> messages = [Message(transaction_id=bytes([at]), message_body=body) for at, body in enumerate(bodies)]
    >>> encoder = TelegramEncoder(messages)
    >>> values = list(encoder.values)
    >>> values[encoder.fields.index("list.val_list[0].value")] = 1234567
    >>> telegram, = TelegramDecoder().feed(encoder.encode(values))
    >>> str(telegram.entries["1.8.0"].value)
    '123456.7 Wh'
    """

    def __init__(self, messages: Iterable[Message] | Telegram) -> None:
        if isinstance(messages, Telegram):
            raw, options = messages.raw, messages.options
        else:
            raw, options = encode_transport(encode_file(messages)), DEFAULT_OPTIONS
        layout = layout_of(raw, options)
        if layout is None:
            detail = "expected Open, GetList and Close responses with times in seconds"
            raise EncodeError("no_layout", detail, value=raw)
        self._fields = tuple(field for field in layout.fields if field.name != _CRC)
        self._encode = _compile(layout)
        self.fields = tuple(map(_name, self._fields))
        self.values: tuple[int | bytes, ...] = tuple(_value(raw, field) for field in self._fields)

    def encode(self, values: Sequence[int | bytes]) -> bytes:
        """Encode a telegram.

        Args:
            values: one for each of ``fields``, in the same order.

        Returns:
            The frame, as ``encode_transport(encode_file(...))`` of such messages would give it.

        Raises:
            EncodeError: ``wrong_count``, not as many values as fields; ``out_of_range`` or
                ``wrong_type``, a value that does not fit its field, which ``path`` names.
        """
        try:
            return self._encode(values)
        except (struct.error, OverflowError, TypeError, ValueError):
            raise self._refused(values) from None

    def _refused(self, values: Sequence[int | bytes]) -> EncodeError:
        """Find out which value does not fit."""
        if not isinstance(values, list | tuple) or len(values) != len(self._fields):
            return EncodeError("wrong_count", f"expected a list or tuple of {len(self._fields)} values", value=values)
        wrong = (
            _misfit(name, field, value) for name, field, value in zip(self.fields, self._fields, values, strict=True)
        )
        return next(error for error in wrong if error is not None)


def _misfit(name: str, field: Field, value: int | bytes) -> EncodeError | None:
    """What is wrong with a value, if it does not fit."""
    expected = f"{field.octets} octets"
    if field.kind == OCTETS:
        if type(value) is not bytes:
            return EncodeError("wrong_type", f"expected {expected} as bytes", path=name, value=value)
        fits = len(value) == field.octets
    else:
        if type(value) is not int:
            return EncodeError("wrong_type", "expected an integer", path=name, value=value)
        signed, bits = field.kind == INTEGER, 8 * field.octets
        fits = -(1 << bits - 1) <= value < 1 << bits - 1 if signed else 0 <= value < 1 << bits
        expected = f"{'a signed' if signed else 'an unsigned'} number of {expected}"
    return None if fits else EncodeError("out_of_range", f"expected {expected}", path=name, value=value)


def _name(field: Field) -> str:
    entry = "" if field.entry is None else f"val_list[{field.entry}]."
    return f"{MESSAGES[field.message]}.{entry}{field.name}"


def _value(raw: bytes, field: Field) -> int | bytes:
    octets = raw[field.start : field.start + field.octets]
    return octets if field.kind == OCTETS else int.from_bytes(octets, signed=field.kind == INTEGER)


def _compile(layout: Layout) -> Callable[[Sequence[int | bytes]], bytes]:
    """Make the function from values to a frame.

    For a layout with two fields in its first message, an id of 4 octets and a number, it begins so::

        def encode(values):
            [v0, v1, ...] = values
            if not (type(v0) is bytes and len(v0) == 4 and type(v1) is int and ...): raise ValueError
            m0 = pack_0(K1, v0, K2, v1, K3)
            m1 = ...
            body = pack(K9, m0, 99, x25(m0), ..., K14)
    """
    raw = layout.raw
    names: dict[str, Any] = {"START": START, "ESCAPE": ESCAPE, "x25": x25, "encode_transport": encode_transport}

    def constant(octets: bytes) -> str:
        name = f"K{len(names)}"
        names[name] = octets
        return name

    lines: list[str] = []
    wanted: list[str] = []
    variables: list[str] = []
    form, arguments, at = "<", [], 0
    for message, (start, end) in enumerate(layout.spans):
        part, items, pos = ">", [], start
        for field in layout.fields:
            if field.message != message or field.name == _CRC:
                continue
            variable = f"v{len(variables)}"
            variables.append(variable)
            octets = f"type({variable}) is bytes and len({variable}) == {field.octets}"
            wanted.append(octets if field.kind == OCTETS else f"type({variable}) is int")
            code, item = _packed(field, variable)
            items += [constant(raw[pos : field.start]), item]
            part += f"{field.start - pos}s{code}"
            pos = field.start + field.octets
        names[f"pack_{message}"] = struct.Struct(f"{part}{end - pos}s").pack
        lines.append(f"m{message} = pack_{message}({', '.join([*items, constant(raw[pos:end])])})")
        form += f"{start - at}s{end - start}sBH"
        arguments += [constant(raw[at:start]), f"m{message}", str(raw[end]), f"x25(m{message})"]
        at = end + 1 + CRC_OCTETS
    names["pack"] = struct.Struct(f"{form}{len(raw) - at - CRC_OCTETS}s").pack
    payload = f"{layout.payload.start}:{layout.payload.stop}"
    source = f"""
def encode(values):
    [{", ".join(variables)}] = values
    if not ({" and ".join(wanted) or "True"}):
        raise ValueError
    {"; ".join(lines)}
    body = pack({", ".join([*arguments, constant(raw[at:-CRC_OCTETS])])})
    if body.find(ESCAPE, len(START)) < {len(raw) - 8}:
        return encode_transport(body[{payload}])
    return body + x25(body).to_bytes({CRC_OCTETS}, "little")
"""
    # The text is made of numbers and of the names above; nothing of it comes from outside.
    exec(compile(source, "<layout encode>", "exec"), names)  # noqa: S102
    encode: Callable[[Sequence[int | bytes]], bytes] = names["encode"]
    return encode


def _packed(field: Field, variable: str) -> tuple[str, str]:
    """Code of :mod:`struct` for a field, and what to hand over for it."""
    code = None if field.kind == OCTETS else _WHOLE.get(field.octets)
    if code is not None:
        return (code.lower() if field.kind == INTEGER else code), variable
    if field.kind != OCTETS:
        variable += f".to_bytes({field.octets}, 'big', signed={field.kind == INTEGER})"
    return f"{field.octets}s", variable
