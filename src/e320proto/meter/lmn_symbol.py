"""The LMN symbol: what the meter has heard on its bus, and since when.

========  ==========================================================================  ==================
state     entered when                                                                held
========  ==========================================================================  ==================
off       nothing below holds
layer2    a frame with a right checksum was on the bus, whatever its address          lmn_symbol_hold_s
hdlc      a frame of an HDLC connection went to this meter, or came from it           lmn_symbol_hold_s
tls       a TLS session is established                                                until it ends
========  ==========================================================================  ==================

The lowest line that holds counts. How the symbol blinks is in :mod:`e320proto.meter.display`.

Source: E320 manual (states and their pictures); hold time and addresses: base meter behaviour, section 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto.meter.display import LmnState

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config


class LmnSymbol:
    """Follows the traffic of one meter; times are in ms of one clock that never goes back.

    Args:
        config: how long traffic keeps the symbol.

    >>> from e320proto.meter.config import E320Config
    >>> symbol = LmnSymbol(E320Config(pin="1234"))
    >>> symbol.frame(1_000, ours=True)
    >>> symbol.frame(4_000, ours=False)
    >>> [(symbol.at(ms)[0].value, symbol.at(ms)[1]) for ms in (5_000, 11_000, 14_000)]
    [('hdlc', 1000), ('layer2', 11000), ('off', 14000)]
    """

    def __init__(self, config: E320Config) -> None:
        self._hold_ms = round(1000 * config.lmn_symbol_hold_s)
        self._state, self._since_ms = LmnState.OFF, 0
        self._frame_until_ms = self._ours_until_ms = 0
        self._tls = False

    def frame(self, now_ms: int, *, ours: bool) -> None:
        """A frame with a right checksum was heard; ``ours``: of an HDLC connection with this meter."""
        self._state, self._since_ms = self.at(now_ms)
        self._frame_until_ms = now_ms + self._hold_ms
        if ours:
            self._ours_until_ms = self._frame_until_ms
        self._enter(now_ms)

    def tls(self, now_ms: int, *, established: bool) -> None:
        """A TLS session is established, or has ended."""
        self._state, self._since_ms = self.at(now_ms)
        self._tls = established
        self._enter(now_ms)

    def at(self, now_ms: int) -> tuple[LmnState, int]:
        """The state at an instant not before the last call, and when it was entered."""
        state = self._held(now_ms)
        if state is self._state:
            return state, self._since_ms
        return state, self._ours_until_ms if state is LmnState.LAYER2 else self._frame_until_ms

    def _held(self, now_ms: int) -> LmnState:
        if self._tls:
            return LmnState.TLS
        if now_ms < self._ours_until_ms:
            return LmnState.HDLC
        return LmnState.LAYER2 if now_ms < self._frame_until_ms else LmnState.OFF

    def _enter(self, now_ms: int) -> None:
        state = self._held(now_ms)
        if state is not self._state:
            self._state, self._since_ms = state, now_ms
