"""What the measuring elements see at an instant, as quantities with OBIS codes.

==========================  =======================  ==========  =============================
codes of L1, L2, L3         quantity                 step        sign
==========================  =======================  ==========  =============================
32.7.0, 52.7.0, 72.7.0      voltage to neutral       1 mV
31.7.0, 51.7.0, 71.7.0      current                  1 mA        none: RMS
36.7.0, 56.7.0, 76.7.0      active power             1 mW        import positive
1-0:16.7.0                  sum of active power      1 mW        import positive
==========================  =======================  ==========  =============================

The E320 itself tells the sum only, in whole W, averaged over a second (``Meter.power_w``); the rest is for users of
the model, who want to see what goes into it.

Source: OBIS codes of IEC 62056-6-1; that the meter forms the sum with sign, E320 manual.
"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Final

from e320proto.obis import ObisCode
from e320proto.units import Quantity, unit

if TYPE_CHECKING:
    from e320proto.meter.measurement import Inputs, Measured

POWER: Final = ObisCode.parse("1-0:16.7.0")
_PHASES: Final = (20, 40, 60)
_CURRENT, _VOLTAGE, _ACTIVE = 11, 12, 16
_WATT, _AMPERE, _VOLT = unit(27), unit(33), unit(35)
_MILLI: Final = -3


def quantities(inputs: Inputs, measured: Measured, *, mains: bool = True) -> dict[ObisCode, Quantity]:
    """Quantities of inputs.

    Args:
        inputs: what the meter sees.
        measured: what it makes of that.
        mains: false while all phases are cut; all quantities are 0 then.
    """
    found = {POWER: Quantity(measured.p_mw * mains, _MILLI, _WATT)}
    for phase, group in zip(inputs.phases, _PHASES, strict=True):
        voltage_v = phase.voltage_v * mains
        p_w, q_var = phase.powers
        current_a = hypot(p_w, q_var) / voltage_v if voltage_v else 0.0
        for offset, value, measured_in in (
            (_VOLTAGE, voltage_v, _VOLT),
            (_CURRENT, current_a, _AMPERE),
            (_ACTIVE, p_w * mains, _WATT),
        ):
            found[ObisCode(bytes((1, 0, group + offset, 7, 0, 255)))] = Quantity(
                round(value * 1000), _MILLI, measured_in
            )
    return found
