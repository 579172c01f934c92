"""The type designation on the faceplate: what a meter is, in fourteen positions.

::

    E320 - A M 1 D . A 1 A . A 0 - S 1 B - S1
    1      2 3 4 5   6 7 8   9 10  11  13  14       position; 12 is the tariff
    |      | | | |   | | |   | |   | | |   |
    |      | | | |   | | |   | |   | | |   hardware series
    |      | | | |   | | |   | |   | | LMN interface
    |      | | | |   | | |   | |   | number of tariffs
    |      | | | |   | | |   | |   load profile: SLP or RLM
    |      | | | |   | | |   accuracy class, active and reactive
    |      | | | |   | | additional quantities
    |      | | | |   | measurement mode, 1 to 5
    |      | | | |   active, or active and reactive
    |      | | | voltage
    |      | | maximum current: the variant of the meter
    |      | network
    |      product family
    brand

The manual's own example, ``E32-AM1D.A3A.A0-S10-S1``, has an LMN interface that its table does not list, and real
faceplates print ``E320`` for its ``E32``. So a designation is kept as read, and what is odd in it is listed in
:attr:`TypeDesignation.issues`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self

from e320proto.errors import DecodeError, shown
from e320proto.meter.modes import Mode
from e320proto.meter.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = "E320 manual, type designation"

_SHAPE: Final = re.compile(
    r"(E32|E320)-([!-~])([!-~])([!-~])([!-~])\.([!-~])([!-~])([!-~])\.([!-~])([!-~])-([!-~])([!-~])([!-~])-(S[0-9]+)"
)
_VECTOR_SUM: Final = "vector summation, return stop on the sum of the phases"

_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "brand": dict.fromkeys(("E32", "E320"), "E320 residential smart meter"),  # E32 in the manual, E320 on faceplates
    "product_family": {"A": "residential"},
    "network": {"M": "3-phase, 4-wire, DIN"},
    "maximum_current": {variant.code: f"{variant.ratings.imax_a} A, {variant.ratings.title}" for variant in Variant},
    "voltage": {"D": "230 V phase to neutral, 400 V phase to phase"},
    "measurement": {"A": f"active energy; {_VECTOR_SUM}", "C": f"active and reactive energy; {_VECTOR_SUM}"},
    "measurement_mode": {
        "1": "+A with return stop",
        "2": "-A with return stop",
        "3": "+A and -A",
        "4": "-A balanced, without return stop",
        "5": "4-quadrant",
    },
    "additional_quantities": {"A": "energy only"},
    "accuracy_active": {"A": "class A (MID)", "B": "class B (MID)"},
    "accuracy_reactive": {"0": "no reactive measurement", "2": "class 2 (IEC 62053-23)"},
    "billing_kind": {"S": "standard load profile (SLP)", "R": "registered power measurement (RLM)"},
    "tariffs": {"1": "1 tariff"},
    "lmn_interface": {"B": "wired RS-485, 2 x RJ-12"},
    "hardware_series": {"S1": "series 1"},
}
"""Every listed value of every field, in the order of the positions.

Source: E320 manual, type designation; ``E320`` of the brand is seen on faceplates.
"""


class Issue(NamedTuple):
    """Something odd in a designation.

    >>> print(Issue(13, "lmn_interface", "0", "unlisted"))
    position 13 (lmn_interface): '0' is not in the manual's table
    """

    position: int
    """1 to 14."""
    field: str
    value: str
    kind: Literal["unlisted", "conflict"]
    """A value that the manual does not list, or one that contradicts another position."""

    def __str__(self) -> str:
        what = "is not in the manual's table" if self.kind == "unlisted" else "contradicts another position"
        return f"position {self.position} ({self.field}): {self.value!r} {what}"


@dataclass(frozen=True, slots=True)
class TypeDesignation:
    """A type designation: every position as read.

    Each position is one printable ASCII character, not in lower case; ``brand`` is ``E32`` or ``E320``,
    ``hardware_series`` is ``S`` and digits.

    Raises:
        DecodeError: ``type_designation``, a position of another form; ``path`` names it.

    Source: E320 manual, type designation.

    >>> designation = TypeDesignation.parse("E320-AM1D.A1A.A0-S1B-S1")
    >>> designation.mode, designation.imax_a, designation.variant
    (<Mode.IMPORT: 1>, 60, <Variant.DIRECT_60A: '1'>)
    >>> designation.meanings["lmn_interface"]
    'wired RS-485, 2 x RJ-12'
    """

    brand: str
    product_family: str
    network: str
    maximum_current: str
    voltage: str
    measurement: str
    measurement_mode: str
    additional_quantities: str
    accuracy_active: str
    accuracy_reactive: str
    billing_kind: str
    tariffs: str
    lmn_interface: str
    hardware_series: str
    issues: tuple[Issue, ...] = field(init=False, compare=False)
    """What the manual does not list, and what contradicts itself, in the order of the positions."""

    def __post_init__(self) -> None:
        """Refuse what could not be printed and read again; list what is odd."""
        for name, value in self._values():
            shape, expected = _shape_of(name)
            if not shape.fullmatch(value):
                raise DecodeError(
                    "type_designation", f"expected {expected}, found {shown(value)}", path=name, source=SOURCE
                )
        object.__setattr__(self, "issues", tuple(self._issues()))

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> Self:
        """Read a designation; blanks and case do not matter.

        Args:
            text: the designation as printed.
            strict: refuse values that the manual does not list; contradictions are reported in either case.

        Raises:
            DecodeError: ``type_designation``, the text is of another form, or, if strict, has a value that is not
                listed; then ``path`` names the position.

        >>> TypeDesignation.parse("e32 - AM1D.A3A.A0 - S10 - S1").issues
        (Issue(position=13, field='lmn_interface', value='0', kind='unlisted'),)
        """
        # Before upper(): it turns some letters beyond ASCII into ASCII ones.
        match = _SHAPE.fullmatch(text.replace(" ", "").upper()) if text.isascii() else None
        if match is None:
            expected = "a type designation such as 'E320-AM1D.A1A.A0-S1B-S1'"
            raise DecodeError("type_designation", f"expected {expected}, found {shown(text)}", source=SOURCE)
        designation = cls(*match.groups())
        for issue in designation.issues:
            if strict and issue.kind == "unlisted":
                listed = " or ".join(_MEANINGS[issue.field])
                detail = f"expected {listed} at position {issue.position}, found {shown(issue.value)}"
                raise DecodeError("type_designation", detail, path=issue.field, source=SOURCE)
        return designation

    def __str__(self) -> str:
        brand, *letters, series = (value for _, value in self._values())
        family, measurement, accuracy, rest = ("".join(letters[a:b]) for a, b in ((0, 4), (4, 7), (7, 9), (9, 12)))
        return f"{brand}-{family}.{measurement}.{accuracy}-{rest}-{series}"

    @property
    def meanings(self) -> dict[str, str | None]:
        """What each position says in words, by field; ``None`` where the manual does not list the value.

        >>> TypeDesignation.parse("E320-AM1D.A1A.B0-S10-S1").meanings["accuracy_active"]
        'class B (MID)'
        """
        return {name: _MEANINGS[name].get(value) for name, value in self._values()}

    @property
    def variant(self) -> Variant | None:
        """The variant with its ratings; ``None`` for a maximum current that is not listed.

        Position 4 alone decides; other values than ``AM`` and ``D`` around it are issues.
        """
        return next((variant for variant in Variant if variant.code == self.maximum_current), None)

    @property
    def imax_a(self) -> int | None:
        """Maximum current, A; ``None`` if not listed."""
        return None if self.variant is None else self.variant.ratings.imax_a

    @property
    def mode(self) -> Mode | None:
        """Measurement mode; ``None`` if not listed."""
        return next((mode for mode in Mode if str(mode.value) == self.measurement_mode), None)

    @property
    def lmn(self) -> str | None:
        """The LMN interface in words; ``None`` if not listed: then RS-485 is assumed, all E320 have it."""
        return self.meanings["lmn_interface"]

    @property
    def start_limit_a(self) -> float | None:
        """Current from which a meter of this variant and accuracy class has to count, A; ``None`` if not listed.

        Source: EN 50470-3, from general knowledge.

        >>> TypeDesignation.parse("E320-AM3D.A3A.B0-S1B-S1").start_limit_a
        0.02
        """
        return None if self.variant is None else self.variant.ratings.start_limits_a.get(self.accuracy_active)

    def _values(self) -> Iterator[tuple[str, str]]:
        return ((name, getattr(self, name)) for name in _MEANINGS)

    def _issues(self) -> Iterator[Issue]:
        contradicted = set(self._contradicted())
        for position, (name, value) in enumerate(self._values(), 1):
            if value not in _MEANINGS[name]:
                yield Issue(position, name, value, "unlisted")
            elif name in contradicted:
                yield Issue(position, name, value, "conflict")

    def _contradicted(self) -> Iterator[str]:
        if self.measurement_mode == "5" and self.measurement != "C":
            yield "measurement"  # four quadrants are of active and reactive energy
        if self.accuracy_reactive != {"A": "0", "C": "2"}.get(self.measurement, self.accuracy_reactive):
            yield "accuracy_reactive"


_SHAPES: Final = {
    "brand": (re.compile("E32|E320"), "'E32' or 'E320'"),
    "hardware_series": (re.compile("S[0-9]+"), "'S' and digits"),
}
_ONE_CHARACTER: Final = (re.compile("[!-`{-~]"), "one printable ASCII character, no lower case")


def _shape_of(name: str) -> tuple[re.Pattern[str], str]:
    return _SHAPES.get(name, _ONE_CHARACTER)
