"""Telegrams as JSON, one object on a line; :mod:`e320proto.live.telegram_json` makes the objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from e320proto.events import BytesDiscarded, Malformed
from e320proto.live.telegram_json import telegram_json

if TYPE_CHECKING:
    from e320proto.cli.sources import Source
    from e320proto.sml.telegram import Telegram


class JsonLines:
    """Writes events as lines.

    Args:
        out: where to.
        several: whether there is more than one input, so that each line names its file.
        events: write trouble as well.
    """

    def __init__(self, out: TextIO, *, several: bool, events: bool) -> None:
        self._write = out.write
        self._flush = out.flush
        self._several = several
        self._events = events
        self._live = False
        self._start = "{"

    def begin(self, source: Source) -> None:
        """Another input begins."""
        self._live = source.live
        self._start = f'{{"file": {json.dumps(source.name, ensure_ascii=False)}, ' if self._several else "{"

    def telegram(self, telegram: Telegram) -> None:
        """Write a telegram."""
        self._line(telegram_json(telegram))

    def trouble(self, event: BytesDiscarded | Malformed) -> None:
        """Write a place without a telegram, if wanted."""
        if self._events:
            self._line(trouble_json(event))

    def end(self) -> None:
        """The input is at its end."""

    def _line(self, json_object: str) -> None:
        self._write(f"{self._start}{json_object[1:]}\n")
        if self._live:
            self._flush()


def trouble_json(event: BytesDiscarded | Malformed) -> str:
    """A place without a telegram as a JSON object on one line.

    >>> trouble_json(BytesDiscarded(7, b"noise"))
    '{"offset": 7, "discarded": 5}'
    """
    content: dict[str, object] = {"offset": event.offset}
    if isinstance(event, BytesDiscarded):
        content["discarded"] = len(event.data)
    else:
        content |= {"error": event.error.reason, "message": str(event.error)}
    if event.hint is not None:
        content["hint"] = event.hint
    return json.dumps(content, ensure_ascii=False)
