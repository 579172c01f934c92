"""Archives: captures of any size to columns, as Arrow record batches.

Needs the extra ``archive`` (numpy, numba, pyarrow): ``pip install e320proto[archive]``.

::

    files -> kernel: frames of known layouts, some million a second -----> columns -> RecordBatch
                |                                                             ^
                +--> TelegramDecoder: everything else, one by one ------------+

The tables hold what :class:`e320proto.TelegramDecoder` says about the same octets, damaged ones too:

========  =====================================================================
long      one row for each entry of each telegram
wide      one row for each telegram, one column for each register
trouble   one row for each piece that was no telegram or no message
========  =====================================================================
"""

from __future__ import annotations

try:
    import numba  # noqa: F401 - only whether all three are there
    import numpy as np  # noqa: F401
    import pyarrow as pa  # noqa: F401
except ModuleNotFoundError as error:
    message = f"archives need the extra 'archive' ({error.name} is missing): pip install e320proto[archive]"
    raise ModuleNotFoundError(message, name=error.name) from error

from e320proto.archive.decode import decode_archive, decode_batch
from e320proto.archive.registers import Register, find_registers
from e320proto.archive.schemas import long_schema, trouble_schema, wide_schema

__all__ = [
    "Register",
    "decode_archive",
    "decode_batch",
    "find_registers",
    "long_schema",
    "trouble_schema",
    "wide_schema",
]
