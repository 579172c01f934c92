"""The faceplate: every marking of the E320, in the manual's order.

::

    1 type designation    5 voltage, frequency, current     9 national approval       13 public key
    2 brand               6 accuracy class                 10 symbols                 14 Data Matrix code
    3 measurement mode    7 operating temperature          11 manufacturer address    15 server id
    4 device id           8 CE, metrology, type exam.      12 property plate          16 pulse constant

A faceplate is made of the configuration and the public key. What only a real meter can bear (8, 9, 11, 12, the year
of calibration) is empty until somebody fills it in with :func:`dataclasses.replace`.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from e320proto.errors import shown
from e320proto.identity import DeviceId, ServerId
from e320proto.meter.datamatrix_payload import DEFAULT, DataMatrixPayload, PayloadFormat
from e320proto.meter.modes import Curve, Mode, PulseLed

if TYPE_CHECKING:
    from e320proto.meter.config import E320Config
    from e320proto.meter.datamatrix import Modules
    from e320proto.meter.designation import TypeDesignation
    from e320proto.meter.variants import Ratings, Variant

OPERATING_TEMPERATURE_C: Final = (-25, 55)
"""Source: E320 manual, technical data."""
FREQUENCY_HZ: Final = 50
"""General knowledge: the manual gives no number."""

_POINT_OCTETS: Final = 65
_CURVE_TITLES: Final = {Curve.NIST_P256: "NIST P-256", Curve.BRAINPOOL_P256R1: "brainpoolP256r1"}
_MODE_SYMBOLS: Final = {
    Mode.IMPORT: "+A",
    Mode.EXPORT: "-A",
    Mode.BOTH: "+A/-A",
    Mode.BALANCED: "-A balanced",
    Mode.QUADRANTS: "4-quadrant",
}
_LINE: Final = 65  # a public key in two lines


class Marking(NamedTuple):
    """One printed field."""

    position: int
    """1 to 16, as the manual numbers them."""
    title: str
    text: str
    """What is printed; empty if the meter does not bear it."""
    grade: str
    """How sure the text is; the grades are those of :mod:`e320proto.meter.config`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faceplate:
    """What is printed on a meter.

    Raises:
        ValueError: a maximum current in the designation that is not listed, a mode other than that of the
            designation, a public key of another form, or a year of other than four digits; the message names the
            field.

    Source: E320 manual, faceplate markings and faceplate description.

    >>> from e320proto.meter.config import E320Config
    >>> plate = Faceplate.of(E320Config(pin="1234"))
    >>> plate.mode_name, str(plate.server_id), plate.connection
    ('Zweirichtungszähler', '0A014C475A0003C988DD', '3 x 230/400 V, 50 Hz, 0.25-5(100) A')
    >>> print(plate.text().splitlines()[3])
     4  device id              1 LGZ00 6353 9421
    """

    designation: TypeDesignation
    mode: Mode
    device_id: DeviceId
    nominal_voltage_v: float
    pulse_constant: int
    """Pulses for 1 kWh or 1 kvarh."""
    pulse_led: PulseLed
    curve: Curve
    public_key: bytes | None = None
    """The uncompressed point: 65 octets."""
    serial: str | None = None
    """Serial number in the Data Matrix code, 8 digits; ``None``: those at the end of the device id."""
    type_examination: str = ""
    national_approval: str = ""
    manufacturer_address: str = ""
    property_plate: str = ""
    year: int | None = None
    """Year of calibration."""
    payload_format: PayloadFormat = DEFAULT

    def __post_init__(self) -> None:
        """Refuse a faceplate that contradicts itself."""
        designation = self.designation
        if designation.variant is None:
            raise _refused("designation", "a maximum current of 1, 3 or C", designation.maximum_current)
        if designation.mode not in {None, self.mode}:
            raise _refused("mode", f"{designation.measurement_mode} as in {designation}", self.mode.value)
        key = self.public_key
        if key is not None and not (len(key) == _POINT_OCTETS and key.startswith(b"\x04")):
            raise _refused("public_key", "65 octets, 04 X Y", key)
        if self.year is not None and not 1000 <= self.year <= 9999:  # noqa: PLR2004 - four digits
            raise _refused("year", "four digits", self.year)

    @classmethod
    def of(cls, config: E320Config, public_key: bytes | None = None, *, serial: str | None = None) -> Self:
        """Print the faceplate of a meter.

        Args:
            config: the meter.
            public_key: its public key, 65 octets; without it the faceplate has none.
            serial: serial number, 8 digits, if it is not that of the device id.

        Raises:
            DecodeError: ``type_designation``, the designation in the configuration is of another form.
            ValueError: as the class says.
        """
        designation = config.designation
        if designation.variant is None:
            raise _refused("type_designation", "a maximum current of 1, 3 or C", designation.maximum_current)
        return cls(
            designation=designation,
            mode=config.mode,
            device_id=DeviceId.parse(config.device_id),
            nominal_voltage_v=config.nominal_voltage_v,
            pulse_constant=config.pulse_constant or designation.variant.ratings.pulse_constant,
            pulse_led=config.pulse_led,
            curve=config.curve,
            public_key=public_key,
            serial=serial,
        )

    @property
    def variant(self) -> Variant:
        """The variant of the meter."""
        variant = self.designation.variant
        assert variant is not None  # noqa: S101 - __post_init__ has refused it
        return variant

    @property
    def ratings(self) -> Ratings:
        """What the variant is made for."""
        return self.variant.ratings

    @property
    def mode_name(self) -> str:
        """The measurement mode as printed, in German."""
        return self.mode.title

    @property
    def server_id(self) -> ServerId:
        """The server id, made of the device id."""
        return self.device_id.server_id()

    @property
    def connection(self) -> str:
        """Voltage, frequency and currents as printed."""
        # The nominal voltage between phases is 400 V, not the 398 V that 230 V would give.
        between = 400 if self.nominal_voltage_v == 230 else round(self.nominal_voltage_v * math.sqrt(3))  # noqa: PLR2004
        return f"3 x {self.nominal_voltage_v:g}/{between} V, {FREQUENCY_HZ} Hz, {self.ratings.current}"

    @property
    def accuracy(self) -> str:
        """Accuracy class of active energy, and in brackets that of reactive energy if it is measured."""
        active, reactive = self.designation.accuracy_active, self.designation.accuracy_reactive
        return active if reactive == "0" else f"{active} ({reactive})"

    @property
    def operating_temperature(self) -> str:
        """Range of the operating temperature as printed."""
        low, high = OPERATING_TEMPERATURE_C
        return f"{low:+d} ... {high:+d} °C"

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the symbols say, in the manual's order: isolation, mode, kind of meter, manual, year."""
        year = () if self.year is None else (f"calibrated {self.year}",)
        return ("protective insulation", _MODE_SYMBOLS[self.mode], "three-phase meter", "read the manual", *year)

    @property
    def public_hex(self) -> str:
        """The public key as printed, 130 hex digits in upper case; empty without a key."""
        return "" if self.public_key is None else self.public_key.hex().upper()

    @property
    def pulses(self) -> str:
        """The pulse constant as printed."""
        unit = "kWh" if self.pulse_led is PulseLed.ACTIVE else "kvarh"
        return f"{self.pulse_constant} imp/{unit}"

    @property
    def payload(self) -> DataMatrixPayload:
        """What the Data Matrix code says."""
        return DataMatrixPayload.of(self.device_id, self.public_key, serial=self.serial)

    @property
    def payload_text(self) -> str:
        """The text in the Data Matrix code."""
        return self.payload.text(self.payload_format)

    def modules(self) -> Modules:
        """The Data Matrix code as modules.

        Raises:
            ModuleNotFoundError: the extra ``meter`` is not installed.
        """
        # Only here, so that a faceplate without its code needs no extra.
        from e320proto.meter.datamatrix import modules_of  # noqa: PLC0415

        return modules_of(self.payload_text)

    @property
    def markings(self) -> tuple[Marking, ...]:
        """All printed fields in the manual's order."""
        return (
            Marking(1, "type designation", str(self.designation), "MAN"),
            Marking(2, "brand", self.designation.brand, "MAN"),
            Marking(3, "measurement mode", self.mode_name, "MAN"),
            Marking(4, "device id", self.device_id.printed, "MAN"),
            Marking(5, "connection", self.connection, "MAN"),
            Marking(6, "accuracy", self.accuracy, "MAN"),
            Marking(7, "operating temperature", self.operating_temperature, "MAN"),
            Marking(8, "type examination", self.type_examination, "OURS"),
            Marking(9, "national approval", self.national_approval, "OURS"),
            Marking(10, "symbols", ", ".join(self.symbols), "GEN"),
            Marking(11, "manufacturer address", self.manufacturer_address, "OURS"),
            Marking(12, "property plate", self.property_plate, "OURS"),
            Marking(13, f"key {_CURVE_TITLES[self.curve]}", self.public_hex, "OURS"),
            Marking(14, "Data Matrix", self.payload_text, "OURS"),
            Marking(15, "server id", str(self.server_id), "MAN"),
            Marking(16, "pulse constant", self.pulses, "FNN"),
        )

    def text(self) -> str:
        """Write the markings, one to a line; long ones go on below."""
        lines = []
        for marking in self.markings:
            first, *more = textwrap.wrap(marking.text, _LINE) or ["-"]
            lines.append(f"{marking.position:2}  {marking.title:<21}  {first}")
            lines += [f"{'':27}{line}" for line in more]
        return "\n".join(lines)


def _refused(name: str, expected: str, found: object) -> ValueError:
    return ValueError(f"{name}: expected {expected}, found {shown(found)}")
