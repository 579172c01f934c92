"""Three measuring elements: from voltages and currents to power, direction and what the status word tells.

::

    U, I, angle (or P, Q) of each phase -> P, Q of each phase -> sum (with sign) -> started, direction, power

The sum decides what is counted, never a single phase. Inputs hold until they are changed; their
power is rounded once, to whole mW, so energy is a product of integers and does not depend on the
steps in which time passes.

Source: E320 manual, vector summation; base meter behaviour, sections 3, 8 and 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING, Final, Literal

from e320proto.errors import shown
from e320proto.status import FnnFlag

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config
    from e320proto.meter.modes import Mode

PHASES: Final = 3
LARGEST: Final = 1e9
"""No voltage, current, angle or power is larger: the sum of all phases fits into the 64 bits of a push."""
_NUMBERS: Final = frozenset((float, int))
_IDENTIFICATION: Final = 0x04
# Plain integers: operations of IntFlag are slow, and a word is made for every push.
_STARTED, _SUM_EXPORT, _RETURN_STOP, _MAGNET, _COVER, _ROTATION, _FATAL = map(
    int,
    (
        FnnFlag.STARTED,
        FnnFlag.SUM_EXPORT,
        FnnFlag.RETURN_STOP_ACTIVE,
        FnnFlag.MAGNETIC_INFLUENCE,
        FnnFlag.COVER_OPENED,
        FnnFlag.WRONG_ROTATING_FIELD,
        FnnFlag.FATAL_ERROR,
    ),
)
_PHASE_EXPORT: Final = tuple(map(int, (FnnFlag.L1_EXPORT, FnnFlag.L2_EXPORT, FnnFlag.L3_EXPORT)))
_VOLTAGE: Final = tuple(map(int, (FnnFlag.VOLTAGE_L1, FnnFlag.VOLTAGE_L2, FnnFlag.VOLTAGE_L3)))


@dataclass(frozen=True, slots=True)
class Phase:
    """What one element sees: a voltage, and a current with its angle, or powers directly.

    Args:
        voltage_v: phase to neutral, V, 0 or above.
        current_a: RMS, A, 0 or above.
        angle_deg: how far the current lags, degrees; above 90 and below 270 is export.
        p_w: active power, W, import positive; in place of current and angle.
        q_var: reactive power, var, inductive positive; with ``p_w``.

    Raises:
        ValueError: a number that cannot be; the message names it.

    >>> Phase(230.0, current_a=10, angle_deg=180).power_w
    -2300.0
    >>> Phase(230.0, p_w=1000).power_w
    1000.0
    """

    voltage_v: float = 230.0
    current_a: float = 0.0
    angle_deg: float = 0.0
    p_w: float | None = None
    q_var: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no meter can see."""
        voltage_v, current_a, angle_deg, p_w, q_var = numbers = (
            self.voltage_v,
            self.current_a,
            self.angle_deg,
            self.p_w,
            self.q_var,
        )
        # Nearly all inputs pass here, once for each change of a load profile; what does not is looked at closely.
        if (
            _NUMBERS.issuperset(map(type, numbers))
            and p_w is not None
            and q_var is not None
            and LARGEST >= voltage_v >= 0 == current_a
            and abs(p_w) <= LARGEST
            and abs(q_var) <= LARGEST
            and abs(angle_deg) <= LARGEST
        ):
            return
        self._check()

    def _check(self) -> None:
        for name in ("voltage_v", "current_a", "angle_deg", "p_w", "q_var"):
            value = getattr(self, name)
            if value is None and name in {"p_w", "q_var"}:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
                raise _refused(name, f"a number, at most {LARGEST:g} large", value)  # NaN is not, either
        for name in ("voltage_v", "current_a"):
            if getattr(self, name) < 0:
                raise _refused(name, "0 or above", getattr(self, name))
        if self.p_w is None and self.q_var is not None:
            raise _refused("p_w", "a number beside q_var", None)
        if self.p_w is not None and self.current_a:
            raise _refused("current_a", "0 beside p_w", self.current_a)

    @property
    def powers(self) -> tuple[float, float]:
        """Active power in W and reactive power in var; both 0 without voltage."""
        if not self.voltage_v:
            return 0.0, 0.0
        if self.p_w is not None:
            return float(self.p_w), float(self.q_var or 0)
        apparent = self.voltage_v * self.current_a
        return apparent * _exact(cos, self.angle_deg), apparent * _exact(sin, self.angle_deg)

    @property
    def power_w(self) -> float:
        """Active power in W; 0 without voltage."""
        return self.powers[0]

    @property
    def reactive_var(self) -> float:
        """Reactive power in var; 0 without voltage."""
        return self.powers[1]


def _exact(function: object, degrees: float) -> float:
    """Sine or cosine; exact where the angle is a multiple of 90 degrees."""
    quarter, rest = divmod(degrees, 90)
    if rest:
        return cos(radians(degrees)) if function is cos else sin(radians(degrees))
    return float((1, 0, -1, 0)[(int(quarter) - (function is sin)) % 4])


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that the meter sees, until it changes.

    Args:
        phases: L1, L2, L3.
        neutral: whether the neutral is connected.
        rotation: order of the phases.
        magnet: whether a magnet is near.
        cover_open: whether the terminal cover is open.

    Raises:
        ValueError: not three phases, or no such rotation.
    """

    phases: tuple[Phase, Phase, Phase] = (Phase(), Phase(), Phase())
    neutral: bool = True
    rotation: Literal["L1L2L3", "L1L3L2"] = "L1L2L3"
    magnet: bool = False
    cover_open: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no three-phase meter."""
        if len(self.phases) != PHASES or set(map(type, self.phases)) != {Phase}:
            raise _refused("phases", "three of Phase", self.phases)
        if self.rotation not in {"L1L2L3", "L1L3L2"}:
            raise _refused("rotation", "L1L2L3 or L1L3L2", self.rotation)

    @classmethod
    def of_power(cls, *p_w: float, q_var: tuple[float, ...] = (), voltage_v: float = 230.0) -> Inputs:
        """Inputs of three active powers, and reactive ones, at one voltage.

        >>> Inputs.of_power(1000, 500, -300).phases[2].p_w
        -300
        """
        reactive = (*q_var, 0, 0, 0)[:PHASES]
        first, second, third = [Phase(voltage_v, p_w=p, q_var=q) for p, q in zip(p_w, reactive, strict=True)]
        return cls((first, second, third))


@dataclass(frozen=True, slots=True)
class Measured:
    """What the elements and the processor make of inputs.

    Args:
        p_mw: sum of the active powers, mW, import positive.
        q_mvar: sum of the reactive powers, mvar.
        started: whether active energy is counted.
        reactive_started: whether reactive energy is counted.
        present: whether each phase has voltage.
        exporting: whether each phase exports.
        wrong_rotation: whether the rotating field is not L1, L2, L3; only with all of them present.
        supply_v: the highest voltage of a phase; 0 without neutral.
    """

    p_mw: int
    q_mvar: int
    started: bool
    reactive_started: bool
    present: tuple[bool, ...]
    exporting: tuple[bool, ...]
    wrong_rotation: bool
    supply_v: float

    @property
    def direction(self) -> int:
        """1 imports, -1 exports, 0 idles: not started."""
        return ((self.p_mw > 0) - (self.p_mw < 0)) * self.started


class Elements:
    """Measures; its thresholds come from the configuration.

    Args:
        start_current_a: sum of currents from which the meter counts, A.
        phase_direction_min_a: current from which a phase tells its direction, A.
        config: of the meter.
    """

    def __init__(self, start_current_a: float, phase_direction_min_a: float, config: E320Config) -> None:
        self._start = round(start_current_a * 1_000_000)
        self._direction = round(phase_direction_min_a * 1_000_000)
        self._present_v = config.phase_present_ratio * config.nominal_voltage_v

    def measure(self, inputs: Inputs) -> Measured:
        """Measure inputs."""
        power = reactive = current = reactive_current = 0.0
        present, exporting, voltages = [], [], []
        for phase in inputs.phases:
            voltage = phase.voltage_v
            voltages.append(voltage)
            present.append(voltage >= self._present_v)
            p_w, q_var = phase.powers
            phase_current = p_w / voltage if voltage else 0.0
            exporting.append(phase_current < 0 and _reaches(phase_current, self._direction))
            power += p_w
            reactive += q_var
            current += phase_current
            reactive_current += q_var / voltage if voltage else 0.0
        return Measured(
            round(1000 * power),
            round(1000 * reactive),
            _reaches(current, self._start),
            _reaches(reactive_current, self._start),
            tuple(present),
            tuple(exporting),
            inputs.rotation != "L1L2L3" and all(present),
            max(voltages) if inputs.neutral else 0.0,
        )


def _reaches(current_a: float, limit_ua: int) -> bool:
    """Whether a current, rounded to microamperes, reaches a limit, so that 2.3 W at 230 V are 10 mA.

    A load at a voltage next to nothing has a current without end; nothing is rounded to an integer for that.
    """
    return abs(current_a) * 1_000_000 + 0.5 >= limit_ua


def status_word(measured: Measured, mode: Mode, *, magnet: bool, cover: bool, fatal: bool) -> int:
    """The FNN status word.

    >>> from e320proto.meter.modes import Mode
    >>> measured = Measured(1_000, 0, True, False, (True,) * 3, (False,) * 3, False, 230.0)
    >>> f"{status_word(measured, Mode.BOTH, magnet=False, cover=False, fatal=False):08x}"
    '001c0104'
    """
    flags = (
        (_STARTED, measured.started),
        (_SUM_EXPORT, measured.direction < 0),
        (_RETURN_STOP, return_stop(measured, mode)),
        (_MAGNET, magnet),
        (_COVER, cover),
        (_ROTATION, measured.wrong_rotation),
        (_FATAL, fatal),
        *zip(_PHASE_EXPORT, measured.exporting, strict=True),
        *zip(_VOLTAGE, measured.present, strict=True),
    )
    return _IDENTIFICATION + sum(bit for bit, lit in flags if lit)


def return_stop(measured: Measured, mode: Mode) -> bool:
    """Whether the register of a mode with return stop stands because energy flows the other way."""
    against = {1: -1, 2: 1}.get(mode)
    return against is not None and measured.direction == against


def _refused(name: str, expected: str, found: object) -> ValueError:
    return ValueError(f"{name}: expected {expected}, found {shown(found)}")
