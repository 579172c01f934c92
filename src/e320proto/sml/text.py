"""Text in octet strings, made on request only."""

from __future__ import annotations


def decode_text(octets: bytes, codepage: bytes | None = None) -> str:
    r"""Text of an octet string, never lossy.

    Args:
        octets: for example ``attention_msg``, ``username``, or a value whose object says so.
        codepage: of the Open message; its octets name an encoding in ASCII.

    Returns:
        The text in that encoding if it is known and fits, else in ISO 8859-15, which reads all octets.

    >>> decode_text(b"p\xe4ss"), decode_text(b"p\xc3\xa4ss", b"UTF-8")
    ('päss', 'päss')
    """
    if codepage:
        try:
            return octets.decode(codepage.decode("ascii"))
        except (LookupError, ValueError):
            pass
    return octets.decode("iso8859-15")
