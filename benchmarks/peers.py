"""The same jobs done by other libraries in Python, as their documentation shows it; ``libsml`` is beside this."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType


@dataclass(frozen=True)
class Peer:
    """Another library.

    Args:
        name: heading of its column.
        module: what to import.
        telegrams: how many telegrams it gets in a full run and in a quick one.
        decode_stream: decode chunks, read every value, return the number of telegrams.
        decode_files: decode SML files without their transport frame; ``None`` if it has no such entry.
    """

    name: str
    module: str
    telegrams: tuple[int, int]
    decode_stream: Callable[[Sequence[bytes]], int]
    decode_files: Callable[[Sequence[bytes]], int] | None = None


def _smllib_frames(chunks: Sequence[bytes], read: Callable[[Any], object]) -> int:
    smllib = importlib.import_module("smllib")
    errors = importlib.import_module("smllib.errors")
    reader = smllib.SmlStreamReader()
    count = 0
    for chunk in chunks:
        reader.add(chunk)
        while True:
            try:
                frame = reader.get_frame()
                if frame is None:
                    break
                read(frame)
            except (errors.SmlLibException, ValueError):
                continue  # a frame that the peer does not read is not counted
            count += 1
    return count


def _smllib_values(frame: Any) -> None:  # noqa: ANN401 - the peer is loaded at run time
    for message in frame.parse_frame():
        for entry in getattr(message.message_body, "val_list", ()):
            entry.get_value()


def _smllib_obis_values(frame: Any) -> None:  # noqa: ANN401 - the peer is loaded at run time
    for entry in frame.get_obis():
        entry.get_value()


def _smllib_files(contents: Sequence[bytes]) -> int:
    smllib = importlib.import_module("smllib")
    for content in contents:
        smllib.SmlFrame(content).parse_frame()
    return len(contents)


def _pysml_stream(chunks: Sequence[bytes]) -> int:
    sml = importlib.import_module("sml")
    buffer = b""
    count = 0
    for chunk in chunks:
        buffer += chunk
        while True:
            try:
                end, frame = sml.SmlBase.find_frame(buffer)
            except sml.SmlParserError:
                return count  # it does not say where to go on
            buffer = buffer[end:]
            if frame is None:
                break
            for message in frame:
                body = message["messageBody"]
                for entry in body.get("valList", ()) if isinstance(body, dict) else ():
                    entry.get("value")
            count += 1
    return count


def _pysml_files(contents: Sequence[bytes]) -> int:
    sml = importlib.import_module("sml")
    for content in contents:
        sml.SmlFrame(content)
    return len(contents)


PEERS = (
    Peer("smllib", "smllib", (2_000, 30), lambda chunks: _smllib_frames(chunks, _smllib_values), _smllib_files),
    Peer("smllib get_obis", "smllib", (2_000, 30), lambda chunks: _smllib_frames(chunks, _smllib_obis_values)),
    Peer("pysml", "sml", (200, 10), _pysml_stream, _pysml_files),
)


def _load(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def installed() -> list[Peer]:
    """The peers that can be imported here."""
    return [peer for peer in PEERS if _load(peer.module)]
