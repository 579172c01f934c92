"""Rows of whole SML files through the schema, both ways, and of the import."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import libsml, streams
from benchmarks.measure import import_seconds, peak_octets, rates
from benchmarks.peers import installed
from benchmarks.row import OURS, Job, Row, ratios
from benchmarks.streaming import LIBSML
from e320proto import decode_file, encode_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.row import Size


def jobs(size: Size) -> Iterator[Job]:
    """Decoding, encoding, the import."""
    yield Job(("decode_file",), partial(_decode, size))
    yield Job(("encode_file",), partial(_encode, size))
    yield Job(("import",), partial(_import, size))


def _decode(size: Size) -> Iterator[Row]:
    contents = streams.contents(streams.E320, size.files)

    def decode() -> int:
        return sum(bool(decode_file(content)) for content in contents)

    contenders: dict[str, Callable[[], int]] = {OURS: decode}
    for peer in installed():
        if peer.decode_files:
            contenders[peer.name] = partial(peer.decode_files, contents)
    if libsml.reads(contents):
        contenders[LIBSML] = partial(libsml.parse, libsml.grouped(contents))
    found = rates(contenders, size.rounds)
    rate = found.pop(OURS)
    octets = sum(map(len, contents)) / len(contents)
    yield Row("decode_file", "files", rate, rate * octets, peak_octets(decode), ratios(rate, found))


def _encode(size: Size) -> Iterator[Row]:
    messages = [streams.E320.messages(number) for number in range(size.files)]
    octets = sum(map(len, map(encode_file, messages))) / len(messages)

    def encode() -> int:
        return sum(bool(encode_file(file)) for file in messages)

    rate = rates({OURS: encode}, size.rounds)[OURS]
    yield Row("encode_file", "files", rate, rate * octets, peak_octets(encode))


def _import(size: Size) -> Iterator[Row]:
    modules = {peer.module: peer.name for peer in reversed(installed())}
    found = import_seconds([OURS, *modules], size.rounds + 3)
    ours = found.pop(OURS)
    others = {modules[module]: 1 / seconds for module, seconds in found.items()}
    yield Row("import", "imports", 1 / ours, figures={**ratios(1 / ours, others), "ms": ours * 1e3})
