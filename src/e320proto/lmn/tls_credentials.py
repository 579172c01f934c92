"""Certificates and keys as OpenSSL needs them: PEM, and a file that leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
from base64 import encodebytes
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from e320proto.lmn.certificates import private_key_as

if TYPE_CHECKING:
    from collections.abc import Iterator


def credentials_pem(certificate: bytes, private_key: bytes) -> bytes:
    """A certificate and its key, both in DER, as OpenSSL reads them from a file.

    Args:
        certificate: X.509.
        private_key: SEC 1 or PKCS #8.

    Raises:
        DecodeError: ``private_key``, the key has none of the two forms.
    """
    parts = (b"CERTIFICATE", certificate), (b"EC PRIVATE KEY", private_key_as(private_key, "sec1"))
    return b"".join(b"-----BEGIN %b-----\n%b-----END %b-----\n" % (name, encodebytes(der), name) for name, der in parts)


@contextmanager
def secret_file(secret: bytes) -> Iterator[str]:
    """Path of a file for OpenSSL to read, in memory where that is possible; afterwards there is nothing left of it."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor, path = os.memfd_create("credentials"), ""
    else:
        descriptor, path = tempfile.mkstemp()  # readable by nobody else
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - Path opens no descriptors
            file.write(secret)
            file.flush()
            yield path or f"/proc/self/fd/{descriptor}"
    finally:
        if path:
            Path(path).unlink()
