"""The run of ``e320 decode``: every input to its end, through one writer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from e320proto.cli.sources import UnreadableError, open_source
from e320proto.sml.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e320proto.cli.progress import Bar
    from e320proto.cli.sources import Source
    from e320proto.cli.stats import Stats
    from e320proto.events import BytesDiscarded, Malformed
    from e320proto.sml.options import DecodeOptions

OK, NOTHING, UNREADABLE, INTERRUPTED = 0, 1, 2, 130


class Writer(Protocol):
    """What becomes of the events."""

    def begin(self, source: Source) -> None:
        """Another input begins."""

    def telegram(self, telegram: Telegram) -> None:
        """A telegram."""

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """A place without a telegram."""

    def end(self) -> None:
        """The input is at its end."""


def decode_all(
    names: Sequence[str],
    writer: Writer,
    stats: Stats | None,
    options: DecodeOptions,
    make_bar: Callable[[int | None], Bar],
) -> int:
    """Decode inputs one after the other; one that cannot be read does not keep the others from it.

    Args:
        names: paths, or ``-``.
        writer: gets the events.
        stats: counts them, if there is one.
        options: of the decoder, a new one for each input.
        make_bar: makes a progress bar for a number of octets.

    Returns:
        The exit status.
    """
    unreadable, telegrams = False, 0
    try:
        for name in names:
            try:
                with open_source(name) as source, make_bar(source.size) as bar:
                    source.advance = bar.advance
                    telegrams += _decode(source, writer, stats, options)
            except UnreadableError as error:
                sys.stdout.flush()  # the line shall stand behind what came before, if both are one terminal
                sys.stderr.write(f"e320: {error}\n")
                unreadable = True
    except KeyboardInterrupt:
        return INTERRUPTED
    if unreadable:
        return UNREADABLE
    return OK if telegrams else NOTHING


def _decode(source: Source, writer: Writer, stats: Stats | None, options: DecodeOptions) -> int:
    """Decode one input and return the number of telegrams."""
    telegrams = 0
    sinks = (writer,) if stats is None else (stats, writer)
    writer.begin(source)
    try:
        for event in source.events(options):
            if isinstance(event, Telegram):
                telegrams += 1
                for sink in sinks:
                    sink.telegram(event)
            else:
                for sink in sinks:
                    sink.trouble(event)
    finally:
        writer.end()
    return telegrams
