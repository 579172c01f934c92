"""The INFO output: when pushes are made, and what becomes of them.

Source: E320 manual (one push per second); start and counter: base meter behaviour, sections 9 and 14.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from e320proto.meter.clock import SECOND_MS
from e320proto.meter.info import info_form
from e320proto.meter.modes import DataSet, Mode

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config
    from e320proto.meter.lasting import Lasting

PENDING_PUSHES: Final = 3_600
"""Pushes kept for who fetches them; nobody hears older ones."""


class InfoOutput:
    """The INFO output of one meter; times are in ms of the meter's clock.

    Args:
        config: data set, interval, delay after power-up.
        server_id: of the meter.
        makes_pushes: whether pushes are made; without, only their counter runs.
    """

    def __init__(self, config: E320Config, server_id: bytes, *, makes_pushes: bool) -> None:
        signed = config.mode is Mode.BALANCED and config.balanced_negative == "signed"
        self._forms = [
            info_form(config.mode, data_set, reactive=config.push_reactive, signed=signed)
            for data_set in (DataSet.REDUCED, DataSet.EXTENDED)
        ]
        self.makes_pushes = makes_pushes
        self.pending: deque[bytes] = deque(maxlen=PENDING_PUSHES)
        self.due_ms: int | None = None
        """When the next push is due; ``None`` without supply."""
        self._server_id = server_id
        self._interval_ms = config.push_interval_s * SECOND_MS
        self._delay_ms = config.push_start_delay_s * SECOND_MS or self._interval_ms
        self._runs_from_ms = 0

    def start(self, now_ms: int) -> None:
        """Power is up."""
        self.due_ms = self._runs_from_ms = now_ms + self._delay_ms

    def stop(self) -> None:
        """Power fails."""
        self.due_ms = None

    def runs(self, now_ms: int) -> bool:
        """Whether pushes run."""
        return self.due_ms is not None and now_ms >= self._runs_from_ms

    def push(self, lasting: Lasting, sec_index: int, status: int, power_w: int) -> None:
        """Make the push that is due."""
        form = self._forms[lasting.settings["extended_set"]]
        registers = lasting.registers
        dwh = [registers[code] for code in form.codes]
        self.pending.append(form.encode(self._server_id, sec_index, lasting.push_counter, status, dwh, power_w))
        lasting.push_counter += 1
        if self.due_ms is not None:
            self.due_ms += self._interval_ms

    def count(self, lasting: Lasting, now_ms: int) -> None:
        """Count the pushes up to now that nobody wants to have made."""
        if self.due_ms is not None and now_ms >= self.due_ms:
            count = (now_ms - self.due_ms) // self._interval_ms + 1
            lasting.push_counter += count
            self.due_ms += count * self._interval_ms
