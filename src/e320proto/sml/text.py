"""Text in octet strings, made on request only."""

from __future__ import annotations

_NAMES = (
    *("ascii", "us-ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "cp437", "cp850", "cp852"),
    *(f"iso8859-{part}" for part in range(1, 17) if part != 12),  # noqa: PLR2004 - there is no part 12
    *(f"{maker}{number}" for maker in ("cp", "windows-") for number in range(1250, 1259)),
)
_SEPARATORS = b"-_ "
_CODEPAGES = {name.encode().translate(None, _SEPARATORS): name for name in _NAMES}
"""Codepages by their names without separators. The set is fixed, because the name comes from the wire.

Python would look for a module of any name, keep every name it was ever asked for, and also knows encodings
that are no codepages and warn or make something else than text.
"""


def decode_text(octets: bytes, codepage: bytes | None = None) -> str:
    r"""Text of an octet string, never lossy.

    Args:
        octets: for example ``attention_msg``, ``username``, or a value whose object says so.
        codepage: of the Open message; its octets name a codepage in ASCII. Known are ASCII, all parts of
            ISO 8859, 1250 to 1258, 437, 850 and 852 of PCs (``cp1252``, ``windows-1252``), KOI8-R, UTF-8 and
            UTF-16; case, blanks, ``-`` and ``_`` do not matter.

    Returns:
        The text in that codepage if it is known and fits, else in ISO 8859-15, which reads all octets.

    >>> decode_text(b"p\xe4ss"), decode_text(b"p\xc3\xa4ss", b"UTF-8")
    ('päss', 'päss')
    """
    name = _CODEPAGES.get(codepage.lower().translate(None, _SEPARATORS)) if codepage else None
    if name is not None:
        try:
            return octets.decode(name)
        except UnicodeDecodeError:
            pass
    return octets.decode("iso8859-15")
