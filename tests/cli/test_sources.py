"""Inputs: files, pipes, and what may not be text at the beginning of a pipe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e320proto.cli.sources import Source, UnreadableError, open_source
from e320proto.sml.options import DEFAULT_OPTIONS
from e320proto.sml.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto import ListEntry
    from tests.cli.conftest import Push


class Pipe:
    """A pipe that hands out given pieces, one at a time."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read1(self, _: int) -> bytes:
        return next(self._pieces, b"")

    read = None


def telegrams_of(pieces: Iterable[bytes]) -> tuple[list[Telegram], int]:
    """What comes out of a pipe, and the octets that were counted."""
    counts: list[int] = []
    source = Source("pipe", Pipe(pieces), None, counts.append)  # type: ignore[arg-type]
    events = list(source.events(DEFAULT_OPTIONS))
    assert all(isinstance(event, Telegram) for event in events)
    return [event for event in events if isinstance(event, Telegram)], sum(counts)


@pytest.mark.parametrize("piece", [1, 3, 63, 64, 1000])
@pytest.mark.parametrize("text", [False, True])
def test_pieces_make_no_difference(push: Push, energy: ListEntry, piece: int, *, text: bool) -> None:
    octets = push(energy) * 3
    stream = octets.hex().encode() if text else octets
    found, counted = telegrams_of(stream[at : at + piece] for at in range(0, len(stream), piece))
    assert [telegram.raw for telegram in found] == [push(energy)] * 3
    assert counted == len(stream)


def test_octets_are_handed_on_before_more_is_asked_for(push: Push, energy: ListEntry) -> None:
    def pieces() -> Iterable[bytes]:
        yield push(energy)
        pytest.fail("the first telegram should have come by now")

    source = Source("pipe", Pipe(pieces()), None)  # type: ignore[arg-type]
    assert isinstance(next(source.events(DEFAULT_OPTIONS)), Telegram)


def test_kinds_of_inputs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    with open_source(str(path)) as source:
        assert (source.name, source.title, source.size, source.live) == (str(path), str(path), 4, False)
    with open_source(os.devnull) as source:
        assert (source.size, source.live) == (None, True)


def test_named_pipe_is_read_as_it_comes(push: Push, energy: ListEntry, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)  # reading and writing, so that opening does not wait for the other side
    with open_source(str(path)) as source:
        assert source.live
        os.write(writer, push(energy))
        assert isinstance(next(source.events(DEFAULT_OPTIONS)), Telegram)
    os.close(writer)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "missing"
    with pytest.raises(UnreadableError, match=r"^cannot read .*missing: No such file or directory$"):
        open_source(str(path)).__enter__()


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableError, match=r"^cannot read .*secret: Permission denied$"):
        open_source(str(tmp_path / "secret")).__enter__()
