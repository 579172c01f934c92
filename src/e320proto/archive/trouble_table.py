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

    def add(self, event: BytesDiscarded | Malformed, source: int) -> None:
        """Add an event of file or row number ``source``."""
        if isinstance(event, Malformed):
            raw, error = event.raw, event.error
            self._rows.append((source, event.offset, len(raw), event.kind, error.reason, str(error), raw))
        else:
            raw = event.data
            self._rows.append((source, event.offset, len(raw), "discarded", None, None, raw))
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
