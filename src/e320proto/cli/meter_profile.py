"""The load of a running meter, as told on the command line: constant, a household, a file of rows, a script.

A script does more than change what the meter sees: light, mains and errors. :class:`Timeline` splits it: what the meter
sees becomes a profile, the rest a list of acts, each with its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from e320proto.errors import DecodeError
from e320proto.meter.measurement import PHASES
from e320proto.meter.profile import constant, household, replay_csv, replay_parquet
from e320proto.meter.replay import Replay
from e320proto.meter.script import Script, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.aio.server import MeterServer
    from e320proto.meter.faults import Fault
    from e320proto.meter.measurement import Inputs
    from e320proto.meter.model import Meter
    from e320proto.meter.profile import Profile

_SOURCE: Final = "load profile"
_FORMS: Final = "constant:W,W,W, household[:SEED[,KWP]], or a file .csv, .parquet or .script"
_SEED, _KWP = 1, 4.0


class Act(NamedTuple):
    """What a script does beside changing inputs."""

    at_s: float
    do: Callable[[MeterServer], None]


@dataclass(frozen=True, slots=True)
class Load:
    """What a meter sees, and what else happens to it."""

    profile: Profile
    acts: tuple[Act, ...] = ()


def parse_load(text: str) -> Load:
    """Make a load of the words of the command line.

    Raises:
        DecodeError: of another form, or a file that is wrong inside.
        ValueError: a number that cannot be.
        OSError: a file that cannot be read.
        ModuleNotFoundError: a Parquet file, and the extra ``archive`` is not installed.

    >>> load = parse_load("constant:1000,500,-300")
    >>> [phase.power_w for phase in load.profile.inputs(0.0).phases]
    [1000.0, 500.0, -300.0]
    """
    kind, _, rest = text.partition(":")
    match kind, Path(text).suffix.lower():
        case "constant", _:
            return Load(constant(*_numbers(rest, PHASES, text)))
        case "household", _:
            seed, kwp = (*_numbers(rest, 2, text), _SEED, _KWP)[:2] if rest else (_SEED, _KWP)
            return Load(household(int(seed), solar_kwp=kwp if rest.count(",") else _KWP))
        case _, ".csv":
            with Path(text).open(encoding="utf-8", newline="") as lines:
                return Load(replay_csv(lines))
        case _, ".parquet":
            return Load(replay_parquet(Path(text).read_bytes()))
        case _, ".script":
            return Timeline.of(Script.parse(Path(text).read_text(encoding="utf-8"))).load
    raise _refused(text)


def _numbers(text: str, most: int, whole: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        raise _refused(whole) from None
    if len(numbers) > most:
        raise _refused(whole)
    return numbers


def _refused(text: str) -> DecodeError:
    return DecodeError("profile", f"expected {_FORMS}, found {text!r}", source=_SOURCE)


class Timeline:
    r"""Stands where a script expects a meter, and notes what the script does to it.

    >>> timeline = Timeline.of(Script.parse("0 load 1000 0 0\n30 flash 0.5\n60 load 0 0 0"))
    >>> timeline.load.profile.next_change(0.0), [act.at_s for act in timeline.load.acts]
    (60.0, [30.0])
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._inputs: dict[float, Inputs] = {}  # of several at one time the last counts
        self._acts: list[Act] = []

    @classmethod
    def of(cls, script: Script) -> Timeline:
        """Play a script to a timeline."""
        timeline = cls()
        run(cast("Meter", timeline), script)
        return timeline

    @property
    def load(self) -> Load:
        """What was noted."""
        return Load(Replay(tuple(self._inputs), tuple(self._inputs.values())), tuple(self._acts))

    def advance(self, now: float, inputs: Inputs | None = None) -> list[object]:
        """Note what is seen from then on; of what stays the same no note is needed."""
        self._now_s = now
        if inputs is not None and (not self._inputs or inputs != next(reversed(self._inputs.values()))):
            self._inputs[now] = inputs
        return []

    def flash(self, lux: float, duration_s: float, *, now: float) -> list[object]:
        """Note a light."""
        self._now_s = now
        return self._note(lambda server: server.flash(lux, duration_s))

    def power(self, on: bool, *, now: float) -> list[object]:  # noqa: FBT001 - the signature is that of the meter
        """Note that the mains go off or on."""
        self._now_s = now
        return self._note(lambda server: server.power(on=on))

    def raise_fault(self, fault: Fault) -> None:
        """Note an error."""
        self._note(lambda server: server.meter.raise_fault(fault))

    def end_fault(self, fault: Fault) -> None:
        """Note that a communication error ends."""
        self._note(lambda server: server.meter.end_fault(fault))

    def reset_faults(self) -> None:
        """Note the command that clears the error register."""
        self._note(lambda server: server.meter.reset_faults())

    def _note(self, do: Callable[[MeterServer], None]) -> list[object]:
        self._acts.append(Act(self._now_s, do))
        return []
