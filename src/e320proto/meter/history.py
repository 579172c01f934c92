"""Historical values: how much energy in the last day, 7, 30 and 365 days, and since the last reset (E).

::

    day values of a register, newest first       10  9  8  7  6  5  4  3  2  1     (10 days have passed)
    1d                                           10  9  8  7  6  5  4  3  2  1
    7d                                           49 ................... 6 .....
    30d, 365d                                    55 ...........................

A day is 86,400 s of the seconds counter: the meter has no calendar, so a day is one of operation. It closes when
the counter reaches a multiple of that. The running day is in no value. A window that is not full yet is the sum
of the days that exist.

Energies are integers of 0.1 Wh. Only registers of active energy have a history.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, final

from e320proto.errors import DecodeError, shown
from e320proto.meter.modes import NEGATIVE, POSITIVE, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.config import E320Config
    from e320proto.obis import ObisCode

_SOURCE: Final = "history of the reference meter"
_DWH_PER_KWH: Final = 10_000


class View(IntEnum):
    """A view of the history; its value is the days that one of its values covers.

    >>> [view.label for view in View], View.WEEK.following
    (['1d', '7d', '30d', '365d'], <View.MONTH: 30>)
    """

    DAY = 1
    WEEK = 7
    MONTH = 30
    YEAR = 365

    @property
    def label(self) -> str:
        """What the display shows for it."""
        return f"{self.value}d"

    @property
    def following(self) -> View | None:
        """The next longer view, ``None`` after the longest."""
        return next((view for view in View if view > self), None)


@final
class _Record:
    """History of one register."""

    __slots__ = ("days", "reference", "start")

    def __init__(self, start: int, reference: int, days: deque[int]) -> None:
        self.start = start  # the register when the running day began
        self.reference = reference  # the register at the last reset of E
        self.days = days  # newest first


@final
class History:
    """Day values and E of the registers of active energy of one meter.

    Args:
        config: mode, length of a day, depth, and where registers and E begin again.
        registers: registers at the first start, in 0.1 Wh; 0 where there is none.
        counter: seconds counter at the first start.

    Source: E320 manual, sections 5.5.1.3 to 5.5.1.5 (views, resets); day, depth and modulus of E after sibling
    meters; incomplete windows are a decision of this project.

    >>> from e320proto.meter.config import E320Config
    >>> history = History(E320Config(pin="1234"))
    >>> history.count(86_400, {POSITIVE: 51_234, NEGATIVE: 7})
    True
    >>> history.value(View.DAY, POSITIVE, 1, {}), history.value(View.DAY, POSITIVE, 2, {})
    (51234, None)
    """

    def __init__(self, config: E320Config, registers: Mapping[ObisCode, int] | None = None, counter: int = 0) -> None:
        self._config = config
        self._registers = tuple(code for code in (POSITIVE, NEGATIVE) if code in config.mode.registers)
        self._closed_at = counter
        self._exported: dict[str, Any] | None = None  # a meter stores it far more often than it changes
        self._records = {
            code: _Record(start, start, deque(maxlen=config.history_days))
            for code in self._registers
            for start in [(registers or {}).get(code, 0)]
        }

    @property
    def registers(self) -> tuple[ObisCode, ...]:
        """The registers with a history, in the order of the menu."""
        return self._registers

    @property
    def next_closing(self) -> int:
        """The seconds counter at which the running day closes."""
        day_s = self._config.history_day_s
        return (self._closed_at // day_s + 1) * day_s

    def count(self, counter: int, registers: Mapping[ObisCode, int], *, gateway: bool = False) -> bool:
        """Close the running day if the seconds counter has reached its end; call it there at least.

        Multiples of a day that nobody called it at make one day: no day is made up.

        Args:
            counter: seconds counter.
            registers: registers at that second, in 0.1 Wh.
            gateway: whether the meter works with a gateway: without ``history_with_gateway`` the day is not kept.

        Returns:
            Whether a day closed, so that what is stored has to be written.
        """
        if counter < self.next_closing:
            return False
        self._closed_at, self._exported = counter, None
        for code, record in self._records.items():
            if self._config.history_with_gateway or not gateway:
                record.days.appendleft(self._difference(registers[code], record.start))
            record.start = registers[code]
        return True

    def value(self, view: View, code: ObisCode, index: int, registers: Mapping[ObisCode, int]) -> int | None:
        """A value of a view.

        Args:
            view: how many days a value covers.
            code: a register with a history.
            index: 1 for the newest value, 2 for the one before it.
            registers: registers now; needed with ``history_include_today`` only.

        Returns:
            The energy in 0.1 Wh; ``None`` when no day of the window exists, or it is beyond the depth.

        Raises:
            KeyError: the register has no history.
        """
        record = self._records[code]
        if not 0 < index <= self._config.history_days // view:
            return None
        today = (self._difference(registers[code], record.start),) if self._config.history_include_today else ()
        window = list(islice((*today, *record.days), (index - 1) * view, index * view))
        return sum(window) if window else None

    def since_reset(self, code: ObisCode, register: int) -> int:
        """E: the energy since its last reset, in 0.1 Wh; it begins again at ``e_modulus_kwh``.

        Args:
            code: a register with a history.
            register: the register now, in 0.1 Wh.

        Raises:
            KeyError: the register has no history.

        >>> from e320proto.meter.config import E320Config
        >>> History(E320Config(pin="1234")).since_reset(POSITIVE, 10**9 + 5)
        5
        """
        energy = self._difference(register, self._records[code].reference)
        modulus = self._config.e_modulus_kwh * _DWH_PER_KWH
        return energy % modulus if energy >= 0 else -(-energy % modulus)

    def clear_e(self, registers: Mapping[ObisCode, int]) -> None:
        """Begin E of all registers at 0; ``registers`` are those of now, in 0.1 Wh."""
        self._exported = None
        for code, record in self._records.items():
            record.reference = registers[code]

    def clear_days(self) -> None:
        """Delete the day values of all registers; E and the start of the running day stay."""
        self._exported = None
        for record in self._records.values():
            record.days.clear()

    def export_state(self) -> dict[str, Any]:
        """Everything that lasts, as plain values that nobody may change; :meth:`import_state` reads it.

        >>> from e320proto.meter.config import E320Config
        >>> History(E320Config(pin="1234", mode=Mode.IMPORT)).export_state()
        {'closed_at': 0, 'registers': {'1.8.0': {'start': 0, 'reference': 0, 'days': []}}}
        """
        if self._exported is None:
            self._exported = {
                "closed_at": self._closed_at,
                "registers": {
                    code.short: {"start": record.start, "reference": record.reference, "days": list(record.days)}
                    for code, record in self._records.items()
                },
            }
        return self._exported

    @classmethod
    def import_state(cls, config: E320Config, state: object) -> History:
        """Bring back what :meth:`export_state` wrote; days beyond ``history_days`` are left out.

        Raises:
            DecodeError: ``history_state``, a state of another form or of other registers; the path names the part.
        """
        history = cls(config)
        parts = _table(state, "history", {"closed_at", "registers"})
        history._closed_at = _integer(parts, "closed_at")
        if history._closed_at < 0:
            raise _refused("closed_at", "a seconds counter", history._closed_at)
        records = _table(parts["registers"], "registers", {code.short for code in history.registers})
        history._records = {
            code: _record(records[code.short], code.short, config.history_days) for code in history.registers
        }
        return history

    def _difference(self, register: int, earlier: int) -> int:
        """Energy between two readings of a register that may have begun again in between."""
        modulus = self._config.register_modulus_dwh
        if self._config.mode is not Mode.BALANCED:
            return (register - earlier) % modulus
        # This one counts both ways: of the two differences that the readings allow, the smaller one.
        difference = register - earlier
        if abs(difference) > modulus // 2:
            return difference + (modulus if difference < 0 else -modulus)
        return difference


def _record(found: object, path: str, depth: int) -> _Record:
    parts = _table(found, path, {"start", "reference", "days"})
    days = parts["days"]
    if not (isinstance(days, list | tuple) and all(type(day) is int for day in days)):
        name = f"{path}.days"
        raise _refused(name, "a list of integers", days)
    kept = deque(days[:depth], maxlen=depth)
    return _Record(_integer(parts, "start", path), _integer(parts, "reference", path), kept)


def _table(found: object, path: str, names: set[str]) -> dict[str, Any]:
    if not isinstance(found, dict) or set(found) != names:
        raise _refused(path, f"a table of {', '.join(sorted(names))}", found)
    return found


def _integer(parts: dict[str, Any], name: str, path: str = "") -> int:
    found = parts[name]
    if type(found) is not int:
        where = f"{path}.{name}" if path else name
        raise _refused(where, "an integer", found)
    return found


def _refused(path: str, expected: str, found: object) -> DecodeError:
    return DecodeError("history_state", f"expected {expected}, found {shown(found)}", path=path, source=_SOURCE)
