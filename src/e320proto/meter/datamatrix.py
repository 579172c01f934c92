"""The Data Matrix code on the faceplate as a matrix of modules, ECC 200.

::

    X . X . X . X . X .        top and right: every other module dark
    X X . . . X X X . X
    X X . . X . X X X .
    X . X . X X . . X X
    X . . X . . . . . .        X dark, True
    X . X X X X . X X X        . light, False
    X X . X . . . X . .
    X X X X . . . . . X
    X . X . . . X X X .
    X X X X X X X X X X        left and bottom: all dark

The symbol is square and as small as the text allows; one of 175 characters has 44 by 44 modules. It has no quiet
zone: leave at least one module of light around it.

Needs the extra ``meter`` (pystrich): ``pip install e320proto[meter]``.
"""

from __future__ import annotations

from typing import Final

from e320proto.errors import EncodeError

try:
    from pystrich.datamatrix import DataMatrixData, DataMatrixEncoder
    from pystrich.exceptions import PyStrichError
except ModuleNotFoundError as error:
    message = f"Data Matrix codes need the extra 'meter' ({error.name} is missing): pip install e320proto[meter]"
    raise ModuleNotFoundError(message, name=error.name) from error

Modules = tuple[tuple[bool, ...], ...]
"""Rows from the top, modules from the left, ``True`` is dark."""

_MAX_CHARACTERS: Final = 3116  # digits in the largest symbol, 144 by 144


def modules_of(text: str) -> Modules:
    """Draw the Data Matrix code of a text.

    Args:
        text: 1 or more ASCII characters, see :meth:`e320proto.meter.datamatrix_payload.DataMatrixPayload.text`.

    Raises:
        EncodeError: ``data_matrix``, no text, a character beyond ASCII, or more than a symbol can hold.

    Source: ISO/IEC 16022, ECC 200, as pystrich implements it.

    >>> modules = modules_of("E32")
    >>> len(modules), modules[0]
    (10, (True, False, True, False, True, False, True, False, True, False))
    """
    if not text or not text.isascii() or len(text) > _MAX_CHARACTERS:
        raise EncodeError("data_matrix", f"expected 1 to {_MAX_CHARACTERS} ASCII characters", value=text)
    try:
        encoder = DataMatrixEncoder(DataMatrixData(text, encoding="ascii"), quiet_zone=0, symbol_shape="square")
    except PyStrichError as error:
        raise EncodeError("data_matrix", f"expected a text that a symbol can hold ({error})", value=text) from error
    return tuple(tuple(module == 1 for module in row) for row in encoder.init_renderer().matrix)


def drawn(modules: Modules) -> str:
    """Draw modules as text, for tests and documents.

    >>> print(drawn(((True, False), (True, True))))
    X .
    X X
    """
    return "\n".join(" ".join("X" if module else "." for module in row) for row in modules)
