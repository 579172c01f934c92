"""The table of what was no telegram or no message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pyarrow as pa

from e320proto.archive.schemas import trouble_schema
from e320proto.archive.table import Table
from e320proto.events import BytesDiscarded, Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.errors import DecodeError

_OCTETS: Final = 16 << 20
"""Octets of trouble after which a batch ends, though it has few rows."""
_Row: TypeAlias = tuple[int, int, int, str, str | None, str | None, bytes]


class TroubleTable(Table):
    """Collects the trouble table.

    Args:
        batch_rows: rows of a batch at most.
        files: names by number; ``None`` if the first column is ``row``.
    """

    def __init__(self, batch_rows: int, files: Sequence[str] | None) -> None:
        super().__init__(trouble_schema(source="row" if files is None else "file"), batch_rows, files)
        self._renew()

    def _renew(self) -> None:
        self._rows: list[_Row] = []
        self._octets = 0

    def add(self, event: BytesDiscarded | Malformed, source: int, base: int) -> None:
        """Add an event of file or row number ``source``, of a decoder whose first octet is at ``base``."""
        offset = event.offset + base
        if isinstance(event, Malformed):
            raw, error = event.raw, event.error
            # Where a message is wrong counts from the start of its payload.
            text = text_of(error, 0 if event.kind == "message" else base)
            self._rows.append((source, offset, len(raw), event.kind, error.reason, text, raw))
        else:
            raw = event.data
            self._rows.append((source, offset, len(raw), "discarded", None, None, raw))
        self.rows += 1
        self._octets += len(raw)
        if self.rows == self.batch_rows or self._octets > _OCTETS:
            self.flush()

    def _columns(self) -> list[pa.Array]:
        sources, *columns = zip(*self._rows, strict=True)
        fields = list(self.schema)[1:]
        made = []
        for field, values in zip(fields, columns, strict=True):
            if pa.types.is_dictionary(field.type):
                made.append(pa.array(values, pa.string()).dictionary_encode())
            else:
                made.append(pa.array(values, field.type))
        return [self._source(np.array(sources, np.int32)), *made]


def text_of(error: DecodeError, base: int) -> str:
    """What is wrong, with its place in the whole stream.

    >>> from e320proto import DecodeError
    >>> text_of(DecodeError("bad_fill", "expected 0 to 4 fill octets", offset=3), 100)
    'expected 0 to 4 fill octets, at offset 103'
    """
    text, offset = str(error), error.offset
    if offset is None or not base:
        return text
    field = f" ({error.path})" if error.path else ""
    return f"{text.removesuffix(f', at offset {offset}{field}')}, at offset {offset + base}{field}"
