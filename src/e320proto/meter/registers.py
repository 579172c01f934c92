"""Energy registers: integers that count without drift.

A register is a whole number of mW·ms (mvar·ms), so that what it shows does not depend on the steps in
which time passes; 360,000,000 of them are 0.1 Wh, the resolution on the wire.

=========  ======================  =======================  ==============================
mode       sum imports             sum exports              registers
=========  ======================  =======================  ==============================
1          1.8.0 counts            stands (return stop)     1.8.0
2          stands (return stop)    2.8.0 counts             2.8.0
3          1.8.0 counts            2.8.0 counts             1.8.0, 2.8.0
4          2.8.0 counts backwards  2.8.0 counts             2.8.0
5          1.8.0 counts            2.8.0 counts             1.8.0, 2.8.0, 5.8.0 to 8.8.0
=========  ======================  =======================  ==============================

Reactive energy of mode 5 goes to the register of its quadrant: 5.8.0 import inductive, 6.8.0 export
inductive, 7.8.0 export capacitive, 8.8.0 import capacitive; an active power of 0 is on the import side.

Source: E320 manual (modes, registers); base meter behaviour, section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from e320proto.meter.modes import NEGATIVE, POSITIVE, QUADRANTS, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config
    from e320proto.meter.measurement import Measured
    from e320proto.obis import ObisCode

DWH: Final = 360_000_000
"""mW·ms in 0.1 Wh."""


class Registers:
    """The registers of one meter.

    Args:
        config: mode, range, and what becomes of a balanced register below 0.
        dwh: start values in 0.1 Wh; 0 where there is none.

    Raises:
        ValueError: a start value for a register that the mode does not have, or out of range.

    >>> from e320proto.meter.config import E320Config
    >>> registers = Registers(E320Config(pin="0000"), {POSITIVE: 51_719_237})
    >>> registers[POSITIVE], registers[NEGATIVE]
    (51719237, 0)
    """

    def __init__(self, config: E320Config, dwh: Mapping[ObisCode, int] | None = None) -> None:
        self._mode = config.mode
        self._range = config.register_modulus_dwh * DWH
        self._signed = config.mode is Mode.BALANCED and config.balanced_negative == "signed"
        self._total: dict[ObisCode, int] = dict.fromkeys(config.mode.registers, 0)
        self._cause: Measured | None = None  # what the rates are made of; they are asked for every second
        self._rates: tuple[tuple[ObisCode, int], ...] = ()
        for code, value in (dwh or {}).items():
            if code not in self._total or not (-self._range * self._signed < value * DWH < self._range):
                msg = f"registers: expected 0.1 Wh of the registers of mode {config.mode:d}, found {code}: {value}"
                raise ValueError(msg)
            self._total[code] = value * DWH

    def __getitem__(self, code: ObisCode) -> int:
        """The register in 0.1 Wh (0.1 varh), truncated toward zero."""
        total = self._total[code]
        return total // DWH if total >= 0 else -(-total // DWH)

    @property
    def codes(self) -> tuple[ObisCode, ...]:
        """The registers of the mode."""
        return tuple(self._total)

    @property
    def dwh(self) -> dict[ObisCode, int]:
        """All registers in 0.1 Wh."""
        return {code: self[code] for code in self._total}

    @property
    def totals(self) -> dict[ObisCode, int]:
        """All registers with their remainders, in mW·ms; see :meth:`restore`."""
        return dict(self._total)

    def restore(self, totals: Mapping[ObisCode, int]) -> None:
        """Take over what ``totals`` gave.

        Raises:
            ValueError: these are not all registers of the mode, or others, or one is out of range.
        """
        lowest = -self._range * self._signed
        if set(totals) != set(self._total) or not all(
            lowest < total < self._range or total == 0 for total in totals.values()
        ):
            found = {str(code): total for code, total in totals.items()}
            msg = f"totals: expected the registers of mode {self._mode:d} within their range, found {found}"
            raise ValueError(msg)
        self._total.update(totals)

    def count(self, measured: Measured, duration_ms: int) -> None:
        """Let time pass with constant inputs."""
        if measured is not self._cause:
            self._cause, self._rates = measured, self.rates(measured)
        for code, power in self._rates:
            total = self._total[code] + power * duration_ms
            if self._signed and total < 0:
                self._total[code] = -(-total % self._range)
            else:
                self._total[code] = total % self._range

    def rates(self, measured: Measured) -> tuple[tuple[ObisCode, int], ...]:
        """What counts, and by how much in a millisecond: mW or mvar, below 0 where a register counts backwards."""
        rates = []
        p_mw, q_mvar = measured.p_mw, measured.q_mvar
        if measured.started and p_mw:
            if self._mode is Mode.BALANCED:
                rates.append((NEGATIVE, -p_mw))
            elif (code := POSITIVE if p_mw > 0 else NEGATIVE) in self._total:
                rates.append((code, abs(p_mw)))
        if self._mode is Mode.QUADRANTS and measured.reactive_started and q_mvar:
            inductive, imports = q_mvar > 0, p_mw >= 0
            quadrant = (0 if imports else 1) if inductive else (3 if imports else 2)
            rates.append((QUADRANTS[quadrant], abs(q_mvar)))
        return tuple(rates)
