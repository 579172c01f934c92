"""Debian's ``libsml1``, a parser in C, through ctypes where it is installed.

What is counted: ``sml_file_parse`` and ``sml_file_free`` on SML files without their transport frame.
The parser makes every message and every value as a structure of C, numbers in the machine's order;
the scaled value is then one multiplication away, and is not computed here, because a call through
ctypes for each of them would be most of the time. No framing, no checksum of the frame, and the
version of Debian 12 (0.1.1+git20180125) takes messages whose checksum is wrong as well.

Two files go into one call: so the share of ctypes is small, and the memory of the structures is
still warm when they are freed; with more files in one call it is slower.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILES_IN_A_CALL = 2
MESSAGES_IN_A_FILE = 3


class _File(ctypes.Structure):
    """``sml_file`` of the library."""

    _fields_ = (("messages", ctypes.c_void_p), ("messages_len", ctypes.c_short), ("buf", ctypes.c_void_p))


@lru_cache
def load() -> Any:  # noqa: ANN401 - functions of a C library have no types
    """The library, or ``None`` where it is not installed."""
    name = ctypes.util.find_library("sml")
    try:
        library = ctypes.CDLL(name or "libsml.so.1")
    except OSError:
        return None
    library.sml_file_parse.restype = ctypes.POINTER(_File)
    library.sml_file_parse.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.sml_file_free.restype = None
    library.sml_file_free.argtypes = [ctypes.POINTER(_File)]
    return library


def grouped(files: Sequence[bytes]) -> list[bytes]:
    """Files put together as one call takes them; an incomplete group at the end is left out."""
    whole = len(files) // FILES_IN_A_CALL * FILES_IN_A_CALL
    return [b"".join(files[at : at + FILES_IN_A_CALL]) for at in range(0, whole, FILES_IN_A_CALL)]


def parse(groups: Sequence[bytes]) -> int:
    """Parse groups of files; the number of files of which every message was read."""
    library = load()
    parse_file, free = library.sml_file_parse, library.sml_file_free
    messages = 0
    for group in groups:
        file = parse_file(group, len(group))
        messages += file.contents.messages_len
        free(file)
    return messages // MESSAGES_IN_A_FILE


def reads(files: Sequence[bytes]) -> bool:
    """Whether the library is there and reads these files; it does not read times without a choice, for example."""
    if load() is None or not files:
        return False
    with _silence():
        return parse(files[:1]) == 1 and parse(grouped(files)) == len(files) // FILES_IN_A_CALL * FILES_IN_A_CALL


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the library prints about files that it does not read from standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as sink:  # noqa: PTH123 - no path, a device
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
