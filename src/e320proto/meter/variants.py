"""The three variants of the E320 and what they are made for.

=================  ====  ==============  ==============  =========  ===================
variant            type  current         wire diameter   circuit    LED pulses for 1 kWh
=================  ====  ==============  ==============  =========  ===================
DIRECT_60A         AM1D  0.25-5(60) A    1.5 to 7.0 mm   4000       10,000
DIRECT_100A        AM3D  0.25-5(100) A   1.5 to 9.5 mm   4000       5,000
TRANSFORMER        AMCD  0.05-1(6) A     1.5 to 5.5 mm   4010       100,000
=================  ====  ==============  ==============  =========  ===================

A meter at current transformers counts secondary energy; it knows no transformer ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TERMINALS: Final = "cage clamp, Pozidriv 2"
"""Terminals of all variants. Source: E320 manual, connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What a variant is made for; currents in A, diameters in mm.

    Source: E320 manual, mechanical variants and connections; where a field says so, another one.
    """

    title: str
    type_start: str
    """First letters of the type designation behind the brand."""
    imin_a: float
    """Smallest printed current."""
    iref_a: float
    """Reference current; rated current at transformers."""
    imax_a: int
    """Largest current."""
    itr_a: float
    """Transitional current: a tenth of the reference current, a twentieth at transformers. Source: EN 50470."""
    wire_min_mm: float
    wire_max_mm: float
    circuit: str
    """Circuit of DIN 43856."""
    start_limits_a: Mapping[str, float]
    """Current from which the meter has to count, by accuracy class. Source: EN 50470-3, general knowledge."""
    start_current_a: float
    """Current from which the reference meter counts. A decision: real ones count at a few watts."""
    pulse_constant: int
    """Pulses for 1 kWh. Source: manuals of sibling meters; at transformers a decision."""

    @property
    def current(self) -> str:
        """The currents as printed.

        >>> Variant.DIRECT_60A.ratings.current
        '0.25-5(60) A'
        """
        return f"{self.imin_a:g}-{self.iref_a:g}({self.imax_a}) A"


class Variant(StrEnum):
    """A variant of the E320; its value is the maximum current in the type designation.

    >>> Variant.TRANSFORMER.ratings.imax_a, Variant.DIRECT_100A.ratings.start_limits_a["A"]
    (6, 0.025)
    """

    DIRECT_60A = "1"
    DIRECT_100A = "3"
    TRANSFORMER = "C"

    @property
    def code(self) -> str:
        """Character of the maximum current, position 4 of the type designation."""
        return self.value

    @property
    def ratings(self) -> Ratings:
        """What the variant is made for."""
        return _RATINGS[self]


_DIRECT_LIMITS: Final = MappingProxyType({"A": 0.025, "B": 0.020})
_TRANSFORMER_LIMITS: Final = MappingProxyType({"A": 0.003, "B": 0.002})

_RATINGS: Final = {
    Variant.DIRECT_60A: Ratings(
        title="direct",
        type_start="AM1D",
        imin_a=0.25,
        iref_a=5.0,
        imax_a=60,
        itr_a=0.5,
        wire_min_mm=1.5,
        wire_max_mm=7.0,
        circuit="4000",
        start_limits_a=_DIRECT_LIMITS,
        start_current_a=0.010,
        pulse_constant=10_000,
    ),
    Variant.DIRECT_100A: Ratings(
        title="direct",
        type_start="AM3D",
        imin_a=0.25,
        iref_a=5.0,
        imax_a=100,
        itr_a=0.5,
        wire_min_mm=1.5,
        wire_max_mm=9.5,
        circuit="4000",
        start_limits_a=_DIRECT_LIMITS,
        start_current_a=0.010,
        pulse_constant=5_000,
    ),
    Variant.TRANSFORMER: Ratings(
        title="current transformer",
        type_start="AMCD",
        imin_a=0.05,
        iref_a=1.0,
        imax_a=6,
        itr_a=0.05,
        wire_min_mm=1.5,
        wire_max_mm=5.5,
        circuit="4010",
        start_limits_a=_TRANSFORMER_LIMITS,
        start_current_a=0.001,
        pulse_constant=100_000,
    ),
}
