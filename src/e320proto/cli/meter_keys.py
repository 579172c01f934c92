"""What keys do to a running meter: one table for the keyboard, the help line and the documentation.

=====  ==========================================
key    what it does
=====  ==========================================
s      short flash of light on the optical button
l      long flash
1 2 3  cut a phase, or connect it again
+ -    500 W more or less
e      export 3,000 W more, or no more
m      mains off, or on again
> <    twice as fast, half as fast
q      quit
=====  ==========================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.meter.measurement import PHASES, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.meter.measurement import Inputs

LUX: Final = 1000.0
SHORT_S: Final = 0.5
LONG_S: Final = 5.5
LOAD_STEP_W: Final = 500
EXPORT_W: Final = 3000
SPEEDS: Final = (0.001, 100_000)
"""The slowest and the fastest, as for the option."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What was done to a meter by hand, beside its profile.

    Args:
        cut: numbers of the phases without voltage.
        load_w: more load than the profile's, W.
        export: whether :data:`EXPORT_W` are exported besides.
        mains: whether there is voltage at all.
        speed: seconds of the meter in a second.
    """

    cut: frozenset[int] = frozenset()
    load_w: int = 0
    export: bool = False
    mains: bool = True
    speed: float = 1.0

    def inputs(self, inputs: Inputs) -> Inputs:
        """Tell what the meter sees; more load is spread over all phases.

        >>> from e320proto.meter import Inputs
        >>> seen = Bench(cut=frozenset({2}), load_w=900).inputs(Inputs.of_power(100, 100, 100))
        >>> [phase.power_w for phase in seen.phases]
        [400.0, 0.0, 400.0]
        """
        more_w = (self.load_w - EXPORT_W * self.export) / PHASES
        first, second, third = (
            self._phase(number, phase, more_w) for number, phase in enumerate(inputs.phases, start=1)
        )
        return replace(inputs, phases=(first, second, third))

    def _phase(self, number: int, phase: Phase, more_w: float) -> Phase:
        voltage_v = 0.0 if number in self.cut else phase.voltage_v
        if not more_w:
            return replace(phase, voltage_v=voltage_v)
        return Phase(voltage_v, p_w=phase.power_w + more_w, q_var=phase.reactive_var)

    def with_phase(self, number: int) -> Bench:
        """Cut a phase, or connect it again."""
        return replace(self, cut=self.cut ^ {number})

    def faster(self, factor: float) -> Bench:
        """Let time pass faster, or slower with a factor below 1."""
        slowest, fastest = SPEEDS
        return replace(self, speed=min(fastest, max(slowest, self.speed * factor)))

    def __str__(self) -> str:
        """Say what differs from the profile."""
        said = [f"L{number} cut" for number in sorted(self.cut)]
        said += [f"{self.load_w:+d} W"] if self.load_w else []
        said += [f"{-EXPORT_W} W"] if self.export else []
        return ", ".join([*said, *([] if self.mains else ["mains off"])])


class Key(NamedTuple):
    """A key: what it is called in the help, and what it does."""

    key: str
    help: str
    change: Callable[[Bench], Bench] = lambda bench: bench
    lit_s: float = 0.0
    """How long it has a light shine on the optical button."""


QUIT: Final = Key("q", "quit")
KEYS: Final = {
    key.key: key
    for key in (
        Key("s", "short flash", lit_s=SHORT_S),
        Key("l", "long flash", lit_s=LONG_S),
        Key("1", "cut L1", lambda bench: bench.with_phase(1)),
        Key("2", "L2", lambda bench: bench.with_phase(2)),
        Key("3", "L3", lambda bench: bench.with_phase(3)),
        Key("+", f"{LOAD_STEP_W} W more", lambda bench: replace(bench, load_w=bench.load_w + LOAD_STEP_W)),
        Key("-", "less", lambda bench: replace(bench, load_w=bench.load_w - LOAD_STEP_W)),
        Key("e", "export", lambda bench: replace(bench, export=not bench.export)),
        Key("m", "mains", lambda bench: replace(bench, mains=not bench.mains)),
        Key(">", "faster", lambda bench: bench.faster(2)),
        Key("<", "slower", lambda bench: bench.faster(1 / 2)),
        QUIT,
    )
}
"""All keys, in the order of the help."""


def key_help(width: int) -> list[str]:
    """Write the help in as many lines as it takes.

    >>> key_help(100)[0][:37]
    's short flash  l long flash  1 cut L1'
    """
    lines = [""]
    for key in KEYS.values():
        words = f"{key.key} {key.help}"
        if lines[-1] and len(lines[-1]) + 2 + len(words) > width:
            lines.append("")
        lines[-1] += f"  {words}" if lines[-1] else words
    return lines
