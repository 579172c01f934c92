r"""A household as a load profile: made of a seed, the same at every reading.

::

    W      sun, export                     cooking
    |                                        _ _
    |     kettle            lunch           | | |  dishwasher
    |       |                |||            | | |_|--|
    |  _-_-_|-_-_-_-_-_-_-_-_|||_-_-_-_-_-__|----------|_-_     base load and fridge
    0    6      \__       12       __/    18      22      24 h
                   \__         __/
                      \_______/

The runs of a day come from the seed and the number of the day, noise and clouds from a hash of seed and instant. So the
value at any instant needs no earlier one. The shape is plausible; no standard load profile is behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import cos, pi, radians, sin
from random import Random
from typing import Final, NamedTuple

from e320proto.meter.measurement import PHASES, Inputs, Phase

_MOST: Final = 1_000_000  # of anything in a household
_HOUR: Final = 3600
_DAY: Final = 86_400
_WEEK: Final = 7
_WEEKEND: Final = 5
_SINGLE_PHASE_KWP: Final = 4.6
"""Larger inverters have to feed all three phases. Source: VDE-AR-N 4105."""
_LATITUDE_DEG: Final = 50.0
_PERFORMANCE: Final = 0.88
_TURN: Final = 2 * pi
"""Part of the rated power that modules and inverter bring in full sun, a plausible number."""
_MASK: Final = 2**64 - 1


class _Appliance(NamedTuple):
    """What runs at most once a day at about the same time."""

    phase: int
    watts: int
    hour: float
    spread_h: float
    minutes: tuple[int, int]
    weekday: float
    """How likely it runs on a working day."""
    weekend: float
    on_s: int = 0
    """Thermostat: on for so long."""
    off_s: int = 0


_APPLIANCES: Final = (
    _Appliance(1, 120, 6.4, 0.3, (60, 100), 0.9, 0.4),  # light in the morning
    _Appliance(1, 2000, 6.8, 0.4, (2, 4), 0.95, 0.8),  # kettle
    _Appliance(1, 1100, 7.0, 0.4, (3, 6), 0.7, 0.8),  # toaster
    _Appliance(2, 2000, 10.0, 2.0, (14, 22), 0.25, 0.6),  # washing machine, heating
    _Appliance(2, 240, 10.6, 2.0, (35, 60), 0.25, 0.6),  # washing machine, motor
    _Appliance(0, 1800, 12.1, 0.5, (18, 35), 0.3, 0.8, 50, 30),  # hob at noon
    _Appliance(1, 1200, 12.2, 0.5, (12, 25), 0.3, 0.8, 40, 40),
    _Appliance(1, 2000, 15.5, 0.5, (2, 4), 0.3, 0.8),  # kettle in the afternoon
    _Appliance(0, 280, 17.6, 0.5, (250, 330), 1.0, 1.0),  # light and television
    _Appliance(0, 2000, 18.3, 0.5, (25, 45), 0.85, 0.7, 60, 30),  # hob in the evening
    _Appliance(1, 1400, 18.4, 0.5, (15, 35), 0.85, 0.7, 40, 40),
    _Appliance(2, 2200, 18.5, 0.6, (30, 60), 0.35, 0.5, 70, 80),  # oven
    _Appliance(2, 1900, 20.2, 0.7, (18, 25), 0.6, 0.7),  # dishwasher
)


class _Run(NamedTuple):
    """One run of an appliance; seconds of the day."""

    start_s: int
    end_s: int
    appliance: _Appliance

    def watts(self, second: int) -> int:
        """What it takes at a second of the run."""
        appliance = self.appliance
        cycle_s = appliance.on_s + appliance.off_s
        if cycle_s and (second - self.start_s) % cycle_s >= appliance.on_s:
            return 0
        return appliance.watts


class _Cooler(NamedTuple):
    """A fridge or a freezer: its compressor runs for a part of each period."""

    phase: int
    watts: int
    vars: int
    on_s: int
    period_s: int


_COOLERS: Final = (_Cooler(0, 85, 55, 900, 2700), _Cooler(2, 100, 65, 1000, 3600))


@dataclass(frozen=True, slots=True)
class Household:
    """The profile of :func:`household`, whose arguments its fields are."""

    seed: int
    solar_kwp: float = 0.0
    base_w: float = 150.0
    day_of_year: int = 172
    step_s: int = 10
    voltage_v: float = 230.0
    _key: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what makes no household."""
        for name, low in (("solar_kwp", 0), ("base_w", 0), ("day_of_year", 1), ("step_s", 1)):
            value = getattr(self, name)
            if not low <= value <= _MOST:
                msg = f"{name}: expected {low} to {_MOST}, found {value}"
                raise ValueError(msg)
        object.__setattr__(self, "_key", Random(f"household {self.seed}").getrandbits(64))  # noqa: S311 - no secret

    def inputs(self, t_s: float) -> Inputs:
        """Tell what the meter sees; the same until the next change."""
        step = self._step(t_s)
        day, second = divmod(step * self.step_s, _DAY)
        watts, reactive = [self.base_w / PHASES] * PHASES, [-20.0] * PHASES
        for cooler_number, cooler in enumerate(_COOLERS):
            begin = self._key >> 8 * cooler_number & 0xFFF
            if (day * _DAY + second + begin) % cooler.period_s < cooler.on_s:
                watts[cooler.phase] += cooler.watts
                reactive[cooler.phase] += cooler.vars
        for run in _runs(self._key, day):
            if run.start_s <= second < run.end_s:
                watts[run.appliance.phase] += run.watts(second)
        watts[0] += 12 * _noise(self._key, step) - 6
        if self.solar_kwp:
            self._feed_in(watts, day, second)
        l1, l2, l3 = [_phase(self.voltage_v, round(p), q) for p, q in zip(watts, reactive, strict=True)]
        return Inputs((l1, l2, l3))

    def next_change(self, t_s: float) -> float:
        """Tell when the next step begins."""
        return float((self._step(t_s) + 1) * self.step_s)

    def _step(self, t_s: float) -> int:
        return round(t_s * 1000) // (self.step_s * 1000)

    def _feed_in(self, watts: list[float], day: int, second: int) -> None:
        """Subtract what the sun brings: on L1 alone, or on all phases."""
        sun = self.solar_kwp * 1000 * _PERFORMANCE * _elevation(self.day_of_year + day, second)
        if sun:
            sun *= _sky(self._key, day, second)
        if self.solar_kwp <= _SINGLE_PHASE_KWP:
            watts[0] -= sun
        else:
            for phase in range(PHASES):
                watts[phase] -= sun / PHASES


def household(
    seed: int,
    *,
    solar_kwp: float = 0.0,
    base_w: float = 150.0,
    day_of_year: int = 172,
    step_s: int = 10,
    voltage_v: float = 230.0,
) -> Household:
    """Make the profile of a household; its clock is 0 at midnight before a Monday.

    Args:
        seed: the same seed makes the same household.
        solar_kwp: rated power of its solar modules; 0 without.
        base_w: what always runs, W.
        day_of_year: of the first day, from 1; it tells how high the sun stands.
        step_s: the inputs change at multiples of it.
        voltage_v: of all phases, V.

    Raises:
        ValueError: a number that cannot be; the message names it.

    >>> home = household(7, solar_kwp=8)
    >>> home.inputs(43_200.0) == household(7, solar_kwp=8).inputs(43_205.0), home.next_change(43_205.0)
    (True, 43210.0)
    """
    return Household(seed, solar_kwp, base_w, day_of_year, step_s, voltage_v)


@lru_cache(maxsize=4096)
def _phase(voltage_v: float, p_w: int, q_var: float) -> Phase:
    """What a phase sees; most of them come again and again."""
    return Phase(voltage_v, p_w=p_w, q_var=q_var)


@lru_cache(maxsize=1024)
def _runs(key: int, day: int) -> tuple[_Run, ...]:
    """What runs on a day; nothing runs beyond midnight."""
    chance = Random(f"{key} {day}")  # noqa: S311 - no secret
    weekend = day % _WEEK >= _WEEKEND
    runs = []
    for appliance in _APPLIANCES:
        likely = chance.random() < (appliance.weekend if weekend else appliance.weekday)
        later_h = weekend * 1.0 if appliance.hour < _DAY / _HOUR / 2 else 0.0
        hour = appliance.hour + later_h + appliance.spread_h * (2 * chance.random() - 1)
        shortest, longest = appliance.minutes
        minutes = shortest + (longest - shortest) * chance.random()
        if likely:
            start_s = int(hour * _HOUR)
            runs.append(_Run(start_s, min(start_s + int(minutes * 60), _DAY), appliance))
    return tuple(runs)


def _elevation(day_of_year: int, second: int) -> float:
    """Sine of the sun's elevation, 0 at night; noon is at 12."""
    base, swing = _path_of_the_sun(day_of_year)
    return max(0.0, base + swing * cos(_TURN * (second / _DAY - 0.5)))


@lru_cache(maxsize=64)
def _path_of_the_sun(day_of_year: int) -> tuple[float, float]:
    """Sine of the elevation on a day: a constant, and what swings with the hour angle."""
    declination, latitude = radians(-23.44) * cos(_TURN / 365 * (day_of_year + 10)), radians(_LATITUDE_DEG)
    return sin(latitude) * sin(declination), cos(latitude) * cos(declination)


def _sky(key: int, day: int, second: int) -> float:
    """Part of the sun that the clouds let through: a clear day has few of them, a dull one a veil besides."""
    clear = _knot(key ^ 1, day)
    now_s = day * _DAY + second
    cloud = 0.7 * _smooth(key ^ 2, now_s / 900) + 0.3 * _smooth(key ^ 3, now_s / 90)
    return (0.45 + 0.55 * clear) * (1 - 0.75 * max(0.0, cloud - clear) / (1 - clear))


def _smooth(key: int, position: float) -> float:
    """Noise from 0 to 1 that goes straight from one whole number to the next."""
    index = int(position // 1)
    before, after = _knot(key, index), _knot(key, index + 1)
    return before + (after - before) * (position - index)


def _noise(key: int, index: int) -> float:
    """Noise from 0 up to 1, below 1: SplitMix64 at any place of its sequence."""
    mixed = (key + (index + 1) * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ mixed >> 31) >> 11) / 2**53


_knot: Final = lru_cache(maxsize=1024)(_noise)  # the same ones are asked for many times in a row
