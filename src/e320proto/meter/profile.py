r"""Load profiles: what a meter sees, as a function of time.

::

    constant   ____________        household  __/\_/\~~\__      of a seed: base load, fridge, cooking, sun
    replay     _|--|__|---|_       script     10.5 load 1000 500 -300

======================  =====================================================================
profile                 made of
======================  =====================================================================
:func:`constant`        three powers
:func:`household`       a seed, see :mod:`e320proto.meter.household`
:func:`replay_csv`      rows of a CSV file, see :mod:`e320proto.meter.replay`
:func:`replay_parquet`  rows of a Parquet file
======================  =====================================================================

A profile tells the inputs at any instant without looking at earlier ones, and when they change next; so
:func:`drive` has a meter live from change to change. A :class:`Script` also flashes and cuts the power, and
:func:`run` plays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from e320proto.meter.household import household
from e320proto.meter.measurement import Inputs
from e320proto.meter.replay import replay_csv, replay_parquet
from e320proto.meter.script import Script, run

if TYPE_CHECKING:
    from e320proto.meter.events import MeterEvent
    from e320proto.meter.model import Meter

__all__ = [
    "Constant",
    "Profile",
    "Script",
    "constant",
    "drive",
    "household",
    "replay_csv",
    "replay_parquet",
    "run",
]


class Profile(Protocol):
    """What a meter sees as time goes by; times are in seconds on the clock of the meter."""

    def inputs(self, t_s: float) -> Inputs:
        """Tell what the meter sees from this instant on, until the next change."""

    def next_change(self, t_s: float) -> float | None:
        """Tell when the inputs may change next, after ``t_s``; ``None`` if never."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same inputs for ever."""

    always: Inputs

    def inputs(self, t_s: float) -> Inputs:  # noqa: ARG002 - at any time
        """Tell what the meter sees."""
        return self.always

    def next_change(self, t_s: float) -> None:
        """Tell that there is no change."""


def constant(p1_w: float, p2_w: float = 0.0, p3_w: float = 0.0, *, voltage_v: float = 230.0) -> Constant:
    """Make a profile of three powers that never change.

    Args:
        p1_w: active power of L1, W, import positive.
        p2_w: the same of L2.
        p3_w: the same of L3.
        voltage_v: of all phases, V.

    >>> constant(1000, 500, -300).inputs(0.0).phases[2].power_w
    -300.0
    """
    return Constant(Inputs.of_power(p1_w, p2_w, p3_w, voltage_v=voltage_v))


def drive(meter: Meter, profile: Profile, until_s: float, *, from_s: float = 0.0) -> list[MeterEvent]:
    """Have a meter live with a profile, from change to change.

    Args:
        meter: on whose clock the times are; it is advanced to ``until_s``.
        profile: what it sees.
        until_s: where to stop; from there on the profile's inputs of that instant hold.
        from_s: where to begin: not before the meter's present. To go on, the last ``until_s``.

    Returns:
        What happened, in order.

    Raises:
        ValueError: ``from_s`` is in the meter's past, or ``until_s`` is before it.

    >>> from e320proto.meter.config import E320Config
    >>> from e320proto.meter.model import Meter
    >>> meter = Meter(E320Config(pin="1234"), pushes=False)
    >>> events = drive(meter, constant(1000), 3600.0)
    >>> [str(code) for code, dwh in meter.registers.items() if dwh == 10_000]
    ['1-0:1.8.0*255']
    """
    if until_s < from_s:
        msg = f"until_s: expected at least from_s, {from_s}, found {until_s}"
        raise ValueError(msg)
    events = meter.advance(from_s, profile.inputs(from_s))
    change_s = profile.next_change(from_s)
    while change_s is not None and change_s < until_s:
        events += meter.advance(change_s, profile.inputs(change_s))
        change_s = profile.next_change(change_s)
    return events + meter.advance(until_s, profile.inputs(until_s))
