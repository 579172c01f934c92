"""Scripts: what happens to a meter, one line of text after the other.

::

    0     load 1000 500 -300      # W of L1, L2 and L3, import positive
    25    flash 0.5               # light on the optical button for half a second
    +3    flash 6 800             # 3 s later, for 6 s, with 800 lux
    60    phase L2 off
          neutral off             # at the time of the line before
    90    power off
    120   end

=======================================  ==========================================================
order                                    what
=======================================  ==========================================================
load W W W                               active power of each phase
reactive VAR VAR VAR                     reactive power of each phase, inductive positive
current PHASE A [DEGREES]                current and how far it lags, in place of the powers
phase PHASE off | on | V                 voltage of a phase; on is 230 V
neutral off | on                         the neutral
rotation L1L2L3 | L1L3L2                 order of the phases
magnet on | off                          a magnet near the meter
cover open | closed                      the terminal cover
flash S [LUX]                            light on the optical button, 1,000 lux if not said
power off | on                           the mains
error NAME [on | off]                    an error occurs or ends, see :class:`e320proto.meter.faults.Fault`
error reset                              the command that clears the error register
end                                      nothing but time passes until here
=======================================  ==========================================================

A line is a time in seconds, ``+`` and seconds after the line before, or no time: that of the line before. Times do
not go back. What follows ``#`` is a comment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from e320proto.errors import DecodeError, shown
from e320proto.meter.faults import Fault
from e320proto.meter.measurement import LARGEST, Inputs, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e320proto.meter.events import MeterEvent
    from e320proto.meter.model import Meter

_LATEST_S: Final = 1e12
_SOURCE: Final = "script of the reference meter"
_NOMINAL_V: Final = 230.0
_BRIGHT_LUX: Final = 1000.0
_PHASES: Final = ("L1", "L2", "L3")
_RESET: Final = "reset"
_MOST_V, _MOST_A = 1e4, 1e5  # their product is a power that a phase can have


class _Argument(NamedTuple):
    """A word of an order: one of some words, or a number."""

    name: str
    words: tuple[str, ...] = ()
    number: bool = False
    low: float | None = None
    default: str | float | None = None
    high: float = LARGEST

    @property
    def expected(self) -> str:
        """What may stand there."""
        least = "" if self.low is None else f" of at least {self.low:g}"
        number = (f"{self.name}{least}",) if self.number else ()
        return " or ".join(self.words + number)


_ON_OFF: Final = ("on", "off")
_PHASE: Final = _Argument("phase", _PHASES)
_ORDERS: Final[Mapping[str, tuple[_Argument, ...]]] = MappingProxyType(
    {
        "load": tuple(_Argument(f"watts of {phase}", number=True) for phase in _PHASES),
        "reactive": tuple(_Argument(f"vars of {phase}", number=True) for phase in _PHASES),
        "current": (
            _PHASE,
            _Argument("amperes", number=True, low=0, high=_MOST_A),
            _Argument("degrees", number=True, default=0.0),
        ),
        "phase": (_PHASE, _Argument("volts", _ON_OFF, number=True, low=0, high=_MOST_V)),
        "neutral": (_Argument("state", _ON_OFF),),
        "rotation": (_Argument("order", ("L1L2L3", "L1L3L2")),),
        "magnet": (_Argument("state", _ON_OFF),),
        "cover": (_Argument("state", ("open", "closed")),),
        "flash": (
            _Argument("seconds", number=True, low=0),
            _Argument("lux", number=True, low=0, default=_BRIGHT_LUX),
        ),
        "power": (_Argument("state", _ON_OFF),),
        "error": (
            _Argument("error", (*(fault.name.lower() for fault in Fault if fault.name), _RESET)),
            _Argument("state", _ON_OFF, default="on"),
        ),
        "end": (),
    }
)


class Step(NamedTuple):
    """One line: when, which order, and its words and numbers with nothing left out."""

    at_s: float
    order: str
    arguments: tuple[str | float, ...] = ()

    def __str__(self) -> str:
        return " ".join([_written(self.at_s), self.order, *(_written(argument) for argument in self.arguments)])


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to a meter; make one with :meth:`parse`, play it with :func:`run`.

    Args:
        steps: in order.

    >>> script = Script.parse("10.5 load 1000 500 -300  # three phases")
    >>> script.steps
    (Step(at_s=10.5, order='load', arguments=(1000.0, 500.0, -300.0)),)
    >>> str(script)
    '10.5 load 1000 500 -300'
    """

    steps: tuple[Step, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a script.

        Raises:
            DecodeError: ``bad_time``, ``unknown_order``, ``bad_word``, ``missing_word`` or ``extra_word``; line and
                word are in the path and in the message.
        """
        steps: list[Step] = []
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.partition("#")[0].split()
            if words:
                steps.append(_step(words, steps[-1].at_s if steps else 0.0, number))
        return cls(tuple(steps))

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps)


def run(meter: Meter, script: Script, *, inputs: Inputs | None = None, start_s: float = 0.0) -> list[MeterEvent]:
    r"""Play a script; it ends with its last line, so a flash in it ends only when the meter is advanced further.

    Args:
        meter: the meter, advanced to the time of the last line.
        script: what happens.
        inputs: what the meter sees before the first line: by default 230 V and no load.
        start_s: the instant on the meter's clock that is 0 in the script, not before the meter's present.

    Returns:
        What happened, in order.

    >>> from e320proto.meter.config import E320Config
    >>> from e320proto.meter.model import Meter
    >>> script = Script.parse("0 load 1000 0 0\n30 flash 0.5\n31 end")
    >>> events = run(Meter(E320Config(pin="1234"), pushes=False), script)
    >>> [(type(event).__name__, event.at_s) for event in events]
    [('PowerReturned', 0.0), ('Pressed', 30.5), ('MenuMoved', 30.5)]
    """
    inputs = inputs or Inputs()
    events = meter.advance(start_s, inputs)
    for at_s, order, arguments in script.steps:
        inputs, now = _changed(inputs, order, arguments), start_s + at_s
        match order, arguments:
            case "flash", (float(seconds), float(lux)):
                events += meter.flash(lux, seconds, now=now)
            case "power", (state,):
                events += meter.power(state == "on", now=now)
            case "error", (str(name), *state):
                events += meter.advance(now)
                _error(meter, name, on=state == ["on"])
            case _:
                events += meter.advance(now, inputs)
    return events


def _error(meter: Meter, name: str, *, on: bool) -> None:
    if name == _RESET:
        meter.reset_faults()
    elif on:
        meter.raise_fault(Fault[name.upper()])
    else:
        meter.end_fault(Fault[name.upper()])


def _changed(inputs: Inputs, order: str, arguments: tuple[Any, ...]) -> Inputs:
    """Tell what the meter sees after an order."""
    changed: dict[str, Any] = {}
    match order:
        case "load" | "reactive" | "current" | "phase":
            phases = zip(_PHASES, inputs.phases, strict=True)
            changed["phases"] = tuple(_phase(phase, label, order, arguments) for label, phase in phases)
        case "neutral" | "magnet":
            changed[order] = arguments[0] == "on"
        case "cover":
            changed["cover_open"] = arguments[0] == "open"
        case "rotation":
            changed["rotation"] = arguments[0]
        case _:
            pass  # the runner carries it out
    return replace(inputs, **changed)


def _phase(phase: Phase, label: str, order: str, arguments: tuple[Any, ...]) -> Phase:
    """Tell what one phase is after an order; powers and a current replace each other."""
    voltage_v, index = phase.voltage_v, _PHASES.index(label)
    match order:
        case "load":
            return Phase(voltage_v, p_w=arguments[index], q_var=phase.q_var or 0.0)
        case "reactive":
            return Phase(voltage_v, p_w=phase.power_w if phase.p_w is None else phase.p_w, q_var=arguments[index])
        case _ if label != arguments[0]:
            return phase
        case "current":
            return Phase(voltage_v, arguments[1], arguments[2])
        case _:
            volts = {"on": _NOMINAL_V, "off": 0.0}.get(arguments[1], arguments[1])
            return replace(phase, voltage_v=volts)


def _step(words: list[str], before_s: float, line: int) -> Step:
    """Read the words of a line; ``before_s`` is the time of the line before."""
    at_s, position = _time(words[0], before_s, line)
    rest = words[position:]
    order = rest[0] if rest else ""
    if order not in _ORDERS:
        raise _refused("unknown_order", f"one of {', '.join(_ORDERS)}", order or None, line, position + 1)
    places = _ORDERS[order]
    if rest[1:2] == [_RESET] and order == "error":
        places = places[:1]
    if len(rest) - 1 > len(places):
        surplus = position + 1 + len(places)
        raise _refused("extra_word", f"no more words of {order}", words[surplus], line, surplus + 1)
    arguments = [
        _argument(place, rest[index] if index < len(rest) else None, line, position + index + 1)
        for index, place in enumerate(places, start=1)
    ]
    return Step(at_s, order, tuple(arguments))


def _time(word: str, before_s: float, line: int) -> tuple[float, int]:
    """Read the time, and tell how many words it takes."""
    if word in _ORDERS:
        return before_s, 0
    seconds = _number(word)
    if seconds is None:
        raise _refused("bad_time", f"a time or one of {', '.join(_ORDERS)}", word, line, 1)
    at_s = before_s + seconds if word.startswith("+") else seconds
    if at_s < before_s:
        raise _refused("bad_time", f"a time from {_written(before_s)} on", word, line, 1)
    return at_s, 1


def _argument(place: _Argument, word: str | None, line: int, position: int) -> str | float:
    if word is None:
        if place.default is None:
            raise _refused("missing_word", place.expected, None, line, position)
        return place.default
    if word in place.words:
        return word
    value = _number(word) if place.number else None
    if value is not None and abs(value) > place.high:
        raise _refused("bad_word", f"{place.name}, at most {place.high:g} large", word, line, position)
    if value is None or (place.low is not None and value < place.low):
        raise _refused("bad_word", place.expected, word, line, position)
    return value


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) <= _LATEST_S else None  # not if it is no number


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def _refused(reason: str, expected: str, found: object, line: int, word: int) -> DecodeError:
    what = "the end of the line" if found is None else shown(found)
    detail = f"expected {expected}, found {what}"
    return DecodeError(reason, detail, path=f"line {line}, word {word}", source=_SOURCE)
