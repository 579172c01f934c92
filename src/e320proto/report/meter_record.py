"""All that a report keeps of one meter while its telegrams go by; only quarter hours grow with time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from e320proto.report.bins import Bins
from e320proto.report.intervals import Interval, Intervals
from e320proto.report.quarters import Quarters
from e320proto.report.readings import EXPORTED, IMPORTED, WATT, Readings, energies, energy_places
from e320proto.report.registers import Registers
from e320proto.report.status_changes import StatusChanges
from e320proto.report.timeline import Timeline
from e320proto.sml.quirks import direction, net_power

if TYPE_CHECKING:
    from e320proto.identity import ServerId
    from e320proto.obis import ObisCode
    from e320proto.report.timeline import Place
    from e320proto.sml.telegram import Telegram
    from e320proto.units import Quantity


class Extreme(NamedTuple):
    """A power, and where it was first."""

    watts: float
    power: Quantity
    place: Place


@dataclass(slots=True)
class MeterRecord:
    """One meter.

    Args:
        server_id: of it; ``None`` if it sends none.
    """

    server_id: ServerId | None
    telegrams: int = 0
    reduced: int = 0
    timeline: Timeline = field(default_factory=Timeline)
    bins: Bins = field(default_factory=Bins)
    intervals: Intervals = field(default_factory=Intervals)
    quarters: Quarters = field(default_factory=Quarters)
    registers: Registers = field(default_factory=Registers)
    statuses: StatusChanges = field(default_factory=StatusChanges)
    remarks: Counter[str] = field(default_factory=Counter)
    """Ids of rules and notes, and how many telegrams have them."""
    lowest: Extreme | None = None
    highest: Extreme | None = None
    first_energies: dict[ObisCode, Quantity] = field(default_factory=dict)
    _places: dict[tuple[ObisCode, ...], dict[ObisCode, int]] = field(default_factory=dict)
    _readings: Readings = field(default_factory=Readings)

    def add(self, telegram: Telegram, at_ms: int | None) -> None:
        """Take the next telegram in.

        Args:
            telegram: of this meter.
            at_ms: when it arrived, Unix time, if the recording tells.
        """
        place = self.timeline.place(telegram, at_ms)
        codes, entries, status = telegram.codes, telegram.entries, telegram.status
        found = energies(entries, self._energy_places(codes))
        readings = Readings(found.get(IMPORTED), found.get(EXPORTED))
        if place.step_ms is not None and self.intervals.wants(place.step_ms):
            self._keep_interval(place, place.step_ms, readings)
        self.quarters.add(place, readings)
        self.registers.add(codes, entries)
        self.statuses.add(place, status)
        if remarks := (*telegram.quirks, *telegram.notes):
            self.remarks.update(remarks)
        self.reduced += telegram.reduced
        one = self.bins.at(place.x_ms)
        if found:
            one.energies = found
            if len(found) > len(self.first_energies) or found.keys() != self.first_energies.keys():
                self.first_energies = {**found, **self.first_energies}
        power = net_power(entries, direction(status))
        if power is not None and power.unit == WATT:
            watts = float(power)
            one.add(watts)
            if self.lowest is None or watts < self.lowest.watts:
                self.lowest = Extreme(watts, power, place)
            if self.highest is None or watts > self.highest.watts:
                self.highest = Extreme(watts, power, place)
        self.telegrams += 1
        self._readings = readings

    def trouble(self) -> None:
        """Mark that a place without a telegram came behind the last one."""
        self.bins.at(self.timeline.end_ms).trouble += 1

    def _energy_places(self, codes: tuple[ObisCode, ...]) -> dict[ObisCode, int]:
        places = self._places.get(codes)
        if places is None:
            self._places.clear()  # a meter sends one set of registers, now and then another one
            places = self._places[codes] = energy_places(codes)
        return places

    def _keep_interval(self, place: Place, step_ms: int, readings: Readings) -> None:
        begin_x, begin_t = place.x_ms - step_ms, place.t_ms - step_ms
        before = self._readings
        clock = place.stretch.clock
        self.intervals.keep(Interval(step_ms, -self.telegrams, clock, begin_x, begin_t, before, readings))
