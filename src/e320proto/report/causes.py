"""What gave no telegram, by its cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.events import HINTS, BytesDiscarded, Malformed
from e320proto.sml.wording import BROKEN_FRAMES, BROKEN_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

NOISE: Final = "noise"
_KINDS: Final = {"frame": "telegram", "message": "message", "text": "text dump"}


class Spot(NamedTuple):
    """Where trouble was.

    Args:
        source: name of the capture.
        offset: octet in it.
        at_ms: when it was heard, Unix time, if the recording tells.
    """

    source: str
    offset: int
    at_ms: int | None


@dataclass(slots=True)
class Cause:
    """Trouble of one kind.

    Args:
        kind: what is damaged: ``"telegram"``, ``"message"``, ``"text dump"``, or ``"noise"``.
        reason: the stable word of the decoder.
        words: the same in a sentence; of messages, what is wrong with the first.
        first: where it was first.
        last: where it was last.
        count: how often.
        octets: of all of them.
    """

    kind: str
    reason: str
    words: str
    first: Spot
    last: Spot
    count: int = 0
    octets: int = 0


class Causes:
    """Counts trouble by its cause."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str | None], Cause] = {}

    def add(self, event: BytesDiscarded | Malformed, spot: Spot) -> None:
        """Count a place without a telegram."""
        kind, reason, words = _described(event)
        cause = self._found.setdefault((kind, reason, event.hint), Cause(kind, reason, words, spot, spot))
        cause.last = spot
        cause.count += 1
        cause.octets += len(event.data if isinstance(event, BytesDiscarded) else event.raw)

    def damaged(self) -> Iterator[Cause]:
        """All but noise, the most frequent first."""
        found = [cause for cause in self._found.values() if cause.kind != NOISE]
        yield from sorted(found, key=lambda cause: (-cause.count, cause.kind, cause.reason, cause.words))

    def noise(self) -> Iterator[Cause]:
        """Octets outside of telegrams; of several kinds if they look like something."""
        yield from (cause for cause in self._found.values() if cause.kind == NOISE)

    @property
    def damaged_count(self) -> int:
        """Places that would have been a telegram, a message or text."""
        return sum(cause.count for cause in self.damaged())

    @property
    def noise_octets(self) -> int:
        """Octets outside of telegrams."""
        return sum(cause.octets for cause in self.noise())


def _described(event: BytesDiscarded | Malformed) -> tuple[str, str, str]:
    hint = "" if event.hint is None else f": {HINTS[event.hint]}"
    if isinstance(event, BytesDiscarded):
        return NOISE, event.hint or NOISE, f"octets that belong to no telegram{hint}"
    reason = event.error.reason
    if event.kind == "frame":
        words = BROKEN_FRAMES.get(reason, event.error.detail)
    elif event.kind == "text":
        words = f"characters {BROKEN_TEXT[reason]}, or left over where a digit is missing"
    else:
        where = f" in {event.error.path}" if event.error.path else ""
        words = f"a broken message inside of a right telegram; the first: {event.error.detail}{where}"
    return _KINDS[event.kind], reason, f"{words}{hint}"
