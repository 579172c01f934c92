"""The columns of the three tables, each with a description, and with its unit where it has one.

>>> long_schema().field("value").type
Decimal128Type(decimal128(38, 9))
>>> long_schema().field("sec_index").metadata[b"unit"]
b's'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

from e320proto.archive.decimals import DECIMALS, DIGITS
from e320proto.archive.registers import as_registers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto.archive.registers import RegisterLike

Source = Literal["file", "row"]
"""Where telegrams come from: files, or the rows of another batch."""

VALUE: Final = pa.decimal128(DIGITS, DECIMALS)
RAW: Final = pa.decimal128(20, 0)
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_TIME: Final = pa.timestamp("s", tz="UTC")

_FILE: Final = ("file", _WORD, "path of the capture, as given", "")
_ROW: Final = ("row", pa.uint32(), "index of the row in the batch that was decoded", "")
_TELEGRAM: Final = (
    ("meter", _WORD, "server id, octets in lower-case hex; null if the telegram has none", ""),
    ("offset", pa.uint64(), "position of the first octet of the telegram in the stream", "octet"),
    ("sec_index", pa.uint32(), "time of the telegram as the meter's seconds counter, which is no date", "s"),
    ("timestamp", _TIME, "time of the telegram as a date", "s"),
)
_LONG: Final = (
    *_TELEGRAM,
    ("entry", pa.uint16(), "index of the entry in its telegram", ""),
    ("obis", _WORD, "OBIS code of the register", ""),
    ("raw", RAW, "integer as sent; null if the value is none", ""),
    ("scaler", pa.int8(), "power of ten for raw; null if none was sent", ""),
    ("unit", _WORD, "DLMS unit of the value; null if none was sent", ""),
    ("value", VALUE, "raw times ten to the scaler, exactly; null if nine decimals do not hold it", "see unit"),
    ("corrected", VALUE, "value to use instead where a rule of the library gives one", "see unit"),
    ("status", pa.uint64(), "status word of the entry", ""),
    ("val_time", pa.uint32(), "time of the entry, in seconds", "s"),
    ("signature", pa.binary(), "signature of the value", ""),
    ("octets", pa.binary(), "the value as sent, if it is octets", ""),
    ("other", pa.string(), "the value as text, if it is neither a number nor octets", ""),
)
_TROUBLE: Final = (
    ("offset", pa.uint64(), "position of the first octet in the stream", "octet"),
    ("octets", pa.uint32(), "how many octets", "octet"),
    ("kind", _WORD, "discarded: outside of frames; frame, message or text: malformed", ""),
    ("reason", _WORD, "stable word for what is wrong; null if discarded", ""),
    ("detail", pa.string(), "sentence on what is wrong; null if discarded", ""),
    ("raw", pa.binary(), "the octets", ""),
)


def _field(name: str, kind: pa.DataType, description: str, unit: str) -> pa.Field:
    metadata = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, metadata=metadata)


def _first(source: Source) -> pa.Field:
    return _field(*(_FILE if source == "file" else _ROW))


def long_schema(*, source: Source = "file") -> pa.Schema:
    """The long table: one row for each entry of each telegram.

    Args:
        source: ``file`` for archives; ``row`` for :func:`decode_batch`.

    >>> long_schema().names[:6]
    ['file', 'meter', 'offset', 'sec_index', 'timestamp', 'entry']
    """
    return pa.schema([_first(source), *(_field(*column) for column in _LONG)])


def trouble_schema(*, source: Source = "file") -> pa.Schema:
    """The table of what was no telegram or no message: one row for each piece.

    Args:
        source: ``file`` for archives; ``row`` for :func:`decode_batch`.

    >>> trouble_schema().names
    ['file', 'offset', 'octets', 'kind', 'reason', 'detail', 'raw']
    """
    return pa.schema([_first(source), *(_field(*column) for column in _TROUBLE)])


def wide_schema(registers: Iterable[RegisterLike], *, source: Source = "file") -> pa.Schema:
    """The wide table: one row for each telegram, one column for each register.

    Args:
        registers: codes as text or :class:`ObisCode`, or a :class:`Register` where the unit is not the usual one.
        source: ``file`` for archives; ``row`` for :func:`decode_batch`.

    Raises:
        DecodeError: text that is no OBIS code.

    >>> schema = wide_schema(["1.8.0"])
    >>> schema.names
    ['file', 'meter', 'offset', 'sec_index', 'timestamp', 'status', '1-0:1.8.0*255', 'other']
    >>> schema.field("1-0:1.8.0*255").metadata[b"unit"]
    b'Wh'
    """
    fields = [_first(source), *(_field(*column) for column in _TELEGRAM)]
    fields.append(_field("status", pa.uint64(), "status word of the telegram", ""))
    fields += [pa.field(register.obis, VALUE, metadata=register.metadata) for register in as_registers(registers)]
    others = "numbers of registers that have no column, or another unit than their column; null if there are none"
    fields.append(_field("other", pa.map_(pa.string(), VALUE), others, ""))
    return pa.schema(fields)
