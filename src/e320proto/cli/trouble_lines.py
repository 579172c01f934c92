"""Lines about trouble between telegrams: the first of a kind at once, repetitions in one line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from e320proto.cli.output import print_line
from e320proto.events import BytesDiscarded, Malformed
from e320proto.sml.wording import BROKEN_TEXT, IN_SHORT, plural, trouble_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

LINES: Final = 40
"""Lines about trouble in one input; the rest is counted."""

_NOISE, _MESSAGE = "noise", "message "


def kind_of(event: BytesDiscarded | Malformed) -> str:
    """A few words that put trouble of the same kind together."""
    if isinstance(event, BytesDiscarded):
        return _NOISE
    return f"{_MESSAGE if event.kind == 'message' else ''}{event.error.reason}"


class TroubleLines:
    """Prints trouble as it comes.

    Args:
        console: where to.
        limit: lines to print; ``None`` for all, and repetitions one by one.
    """

    def __init__(self, console: Console, limit: int | None = LINES) -> None:
        self._console = console
        self._left = limit
        self._kind: tuple[str, str | None] | None = None
        self._repeated = self._octets = 0
        self.kinds: Counter[str] = Counter()
        """How often each kind came."""
        self.octets: Counter[str] = Counter()
        """Octets of each kind."""

    def add(self, event: BytesDiscarded | Malformed) -> None:
        """Print the event, or remember that it is like the one before."""
        octets = len(event.data if isinstance(event, BytesDiscarded) else event.raw)
        kind = (kind_of(event), event.hint)
        self.kinds[kind[0]] += 1
        self.octets[kind[0]] += octets
        if kind == self._kind and self._left is not None:
            self._repeated += 1
            self._octets += octets
            return
        self.flush()
        self._kind = kind
        self._print(f"octet {event.offset}: {trouble_words(event)}")

    def flush(self) -> None:
        """Something else comes: tell how often the last line was repeated."""
        if self._repeated:
            self._print(f"and {self._repeated:,} more like it ({plural(self._octets, 'octet')})")
        self._kind = None
        self._repeated = self._octets = 0

    def _print(self, line: str) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                if self._left == -1:
                    self._say("more trouble is only counted from here on (--all shows all of it)")
                return
        self._say(line)

    def _say(self, line: str) -> None:
        print_line(self._console, f"! {line}", "yellow")

    def summary(self) -> Iterator[str]:
        """Each kind with its count and octets."""
        for kind, count in sorted(self.kinds.items()):
            octets = plural(self.octets[kind], "octet")
            if kind == _NOISE:
                yield f"{octets} outside of telegrams"
            elif kind in IN_SHORT:
                yield f"{plural(count, 'telegram')} {IN_SHORT[kind]} ({octets})"
            elif kind in BROKEN_TEXT:
                yield f"{plural(count, 'place')} {BROKEN_TEXT[kind]}"
            else:
                yield f"{plural(count, 'message')} not readable, {kind.removeprefix(_MESSAGE)} ({octets})"
