"""Magnet and cover: flags of the status word that outlast their cause, and their counts.

=======  ===========================================  =================================
flag     lit from                                     until
=======  ===========================================  =================================
magnet   the influence begins                         ``tamper_hold_s`` after its end
cover    the cover opens                              ``tamper_hold_s`` later
=======  ===========================================  =================================

Both are dark after a loss of power; the counts stay. Source: sibling meters; base meter behaviour, section 15.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e320proto.meter.measurement import Inputs


class Tamper:
    """Follows the magnet and the cover.

    Args:
        hold_ms: how long a flag outlasts its cause.
        magnet_count: influences so far.
        cover_count: openings so far.
        magnet: whether a magnet was near when power failed: that influence is counted already.
        cover_open: whether the cover was open then.
    """

    def __init__(
        self,
        hold_ms: int,
        magnet_count: int = 0,
        cover_count: int = 0,
        *,
        magnet: bool = False,
        cover_open: bool = False,
    ) -> None:
        self.magnet_count = magnet_count
        self.cover_count = cover_count
        self._hold_ms = hold_ms
        self._magnet, self._open = magnet, cover_open
        self._magnet_until_ms = self._cover_until_ms = 0
        self._restarted = True

    def state(self) -> list[int]:
        """What lasts, as plain values: both counts, and whether magnet and open cover are there."""
        return [self.magnet_count, self.cover_count, int(self._magnet), int(self._open)]

    @classmethod
    def restored(cls, hold_ms: int, state: list[int]) -> Tamper:
        """Take over what :meth:`state` gave."""
        magnet_count, cover_count, magnet, cover_open = state
        return cls(hold_ms, magnet_count, cover_count, magnet=bool(magnet), cover_open=bool(cover_open))

    def see(self, inputs: Inputs, now_ms: int) -> None:
        """Take new inputs."""
        if inputs.magnet and not self._magnet:
            self.magnet_count += 1
        if self._magnet and not inputs.magnet and not self._restarted:
            self._magnet_until_ms = now_ms + self._hold_ms
        if inputs.cover_open and not self._open:
            self.cover_count += 1
            self._cover_until_ms = now_ms + self._hold_ms
        self._magnet, self._open, self._restarted = inputs.magnet, inputs.cover_open, False

    def forget(self) -> None:
        """Power fails. A magnet that goes away meanwhile leaves no flag; one that stays is no new influence."""
        self._magnet_until_ms = self._cover_until_ms = 0
        self._restarted = True

    def magnet_flag(self, now_ms: int) -> bool:
        """Whether the flag of the magnet is lit."""
        return self._magnet or now_ms < self._magnet_until_ms

    def cover_flag(self, now_ms: int) -> bool:
        """Whether the flag of the cover is lit."""
        return now_ms < self._cover_until_ms
