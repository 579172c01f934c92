"""Every parameter of the reference meter: the firmware parameters of the manual, and every decision of the model.

Each field says how sure it is (``metadata["grade"]``) and where it is described (``metadata["section"]`` of the
reference meter's documentation):

======  ==================================================
grade   meaning
======  ==================================================
MAN     the E320 manual
OBS     seen in telegrams of real meters
FNN     manuals of sibling base meters agree
GEN     general standard knowledge
OURS    decision of this project
======  ==================================================
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cache
from re import fullmatch
from typing import Any, Final, Literal, get_args, get_type_hints

from e320proto.errors import DecodeError, shown
from e320proto.identity import DeviceId
from e320proto.meter.designation import TypeDesignation
from e320proto.meter.modes import Curve, Mode, PulseLed

_SOURCE: Final = "configuration of the reference meter"
_SECRETS: Final = {"pin", "initial_key"}
_WORDS: Final = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}


def _parameter(
    default: Any,  # noqa: ANN401 - of the type of its field
    grade: str,
    section: int,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Any:  # noqa: ANN401 - stands for its field
    metadata = {"grade": grade, "section": section, "text": text, "low": low, "high": high}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class E320Config:
    """What a reference meter is and how it behaves; times are in seconds unless the name says otherwise.

    ``E320Config.describe(name)`` gives the meaning, section and evidence grade of a field.

    Raises:
        ValueError: a value that its field cannot hold, or that contradicts another; the message names the field.

    Source: E320 manual, firmware parameters; the decisions are those of ``docs/reference-meter.md``.

    >>> E320Config(pin="1234").mode
    <Mode.BOTH: 3>
    >>> E320Config.describe("roll_interval_s")
    'how long a rolling display shows an entry, s (section 7, FNN)'
    """

    device_id: str = _parameter("1LGZ0063539421", "MAN", 19, "device id, 14 characters")
    type_designation: str | None = _parameter(
        None, "MAN", 2, "type designation on the faceplate; none: a 100 A meter of the mode"
    )
    mode: Mode = _parameter(Mode.BOTH, "MAN", 4, "measurement mode, as in the type designation")
    pulse_led: PulseLed = _parameter(PulseLed.ACTIVE, "MAN", 5, "energy that the LED counts")
    curve: Curve = _parameter(Curve.NIST_P256, "MAN", 16, "curve of the meter's key")
    pin_protection: bool = _parameter(default=True, grade="MAN", section=16, text="whether the menu can ask for a PIN")
    pin: str | None = _parameter(None, "OURS", 11, "the PIN; needed with PIN protection")
    show_power: bool = _parameter(default=False, grade="MAN", section=7, text="active power on the lower line")
    enduser_settings: Literal["save", "reset"] = _parameter(
        "save", "MAN", 12, "what becomes of InF and PIN query at power-down"
    )
    extended_set: bool = _parameter(default=False, grade="MAN", section=14, text="InF at the first start")

    start_current_a: float | None = _parameter(
        None, "OURS", 3, "current from which the meter counts, A; none: 0.010 direct, 0.001 transformer", low=0, high=1
    )
    phase_direction_min_a: float | None = _parameter(
        None, "OURS", 15, "current from which a phase tells its direction, A; none: start_current_a", low=0, high=1
    )
    power_sign_in_return_stop: Literal["signed", "zero"] = _parameter(
        "signed", "FNN", 4, "power that modes 1 and 2 send while their register stands"
    )
    register_modulus_dwh: int = _parameter(
        10**10, "OURS", 4, "where registers begin again, 0.1 Wh", low=10, high=10**18
    )
    balanced_negative: Literal["signed", "wrap"] = _parameter("signed", "OURS", 4, "register of mode 4 below 0")
    pulse_constant: int | None = _parameter(
        None, "FNN", 5, "pulses for 1 kWh; none: 10,000 (60 A), 5,000 (100 A), 100,000 (transformer)", low=1, high=10**7
    )
    pulse_width_ms: int = _parameter(2, "FNN", 5, "length of a pulse, ms", low=1, high=1000)
    disk_max_step_hz: float | None = _parameter(None, "MAN", 5, "most steps of the disk, 1/s; none: all", low=0.01)
    supply_on_ratio: float = _parameter(
        0.6, "OURS", 6, "part of the nominal voltage at which supply begins", low=0, high=1
    )
    supply_off_ratio: float = _parameter(
        0.5, "OURS", 6, "part of the nominal voltage below which supply ends", low=0, high=1
    )
    phase_present_ratio: float = _parameter(
        0.8, "MAN", 8, "part of the nominal voltage that makes a phase present", low=0, high=1
    )
    nominal_voltage_v: float = _parameter(230.0, "MAN", 1, "nominal voltage of a phase, V", low=1, high=1000)
    roll_interval_s: float = _parameter(
        10.0, "FNN", 7, "how long a rolling display shows an entry, s", low=0.1, high=3600
    )
    upper_digits: int = _parameter(6, "FNN", 7, "digits of an energy on the upper line", low=1, high=8)
    info_symbol: Literal["steady", "blink"] = _parameter("steady", "OURS", 7, "INFO symbol while pushes run")
    power_follows_inf: bool = _parameter(
        default=False, grade="OBS", section=7, text="whether InF alone shows the power"
    )
    lmn_symbol_hold_s: float = _parameter(
        10.0, "OURS", 8, "how long traffic keeps the LMN symbol, s", low=0.1, high=3600
    )
    boot_dark_s: float = _parameter(2.0, "MAN", 9, "dark display after power-up, s", low=0, high=60)
    segment_test_s: float = _parameter(2.0, "MAN", 9, "one line of a segment test, s", low=0, high=60)
    segment_test_rounds: int = _parameter(3, "MAN", 9, "segment tests after power-up", low=0, high=60)
    version_display_s: float = _parameter(5.0, "FNN", 9, "firmware version after power-up, s", low=0, high=60)
    checksum_display_s: float = _parameter(5.0, "FNN", 9, "firmware checksum after power-up, s", low=0, high=60)
    firmware_version: str = _parameter("01.00", "OURS", 9, "firmware version, at most 8 characters")
    firmware_checksum: str = _parameter("0000", "OURS", 9, "firmware checksum, 4 hex digits")
    lux_threshold: float = _parameter(400.0, "MAN", 10, "illuminance from which the button is lit, lux", low=0)
    press_min_s: float = _parameter(0.1, "FNN", 10, "shortest press, s", low=0, high=60)
    short_max_s: float = _parameter(2.0, "MAN", 10, "a short press is shorter, s", low=0, high=60)
    long_min_s: float = _parameter(5.0, "MAN", 10, "a long press is longer, s", low=0, high=60)
    middle_press: Literal["ignore", "short", "long"] = _parameter("ignore", "OURS", 10, "a press between the two")
    long_fires: Literal["hold", "release"] = _parameter("hold", "OURS", 10, "when a long press counts")
    idle_timeout_s: float = _parameter(120.0, "MAN", 10, "without action, back to the standard display, s", low=1)
    menu_test_step_s: float = _parameter(2.0, "OURS", 11, "one line of the display test in the menu, s", low=0.1)
    pin_digits: int = _parameter(4, "OBS", 11, "digits of the PIN", low=1, high=6)
    pin_digit_timeout_s: float = _parameter(3.0, "FNN", 11, "a pause that accepts a digit, s", low=0.1)
    pin_max_tries: int | None = _parameter(None, "OBS", 11, "wrong PINs that lock the entry; none: no number", low=1)
    pin_auto_off: bool = _parameter(default=False, grade="FNN", section=11, text="whether a right PIN ends the query")
    history_days: int = _parameter(730, "FNN", 13, "day values kept", low=1, high=10_000)
    history_day_s: int = _parameter(86_400, "FNN", 13, "length of a day, s of the seconds counter", low=1)
    history_include_today: bool = _parameter(default=False, grade="OURS", section=13, text="the running day in views")
    history_with_gateway: bool = _parameter(default=True, grade="OURS", section=13, text="history beside a gateway")
    e_modulus_kwh: int = _parameter(100_000, "FNN", 13, "where E begins again, kWh", low=1)
    push_interval_s: int = _parameter(1, "MAN", 14, "seconds between pushes", low=1, high=3600)
    push_start_delay_s: int = _parameter(
        2, "OURS", 14, "first push after power-up, s; 0: after an interval", low=0, high=3600
    )
    push_counter_start: int = _parameter(0, "OURS", 14, "push counter of a new meter", low=0, high=2**32 - 1)
    push_reactive: bool = _parameter(default=False, grade="MAN", section=14, text="reactive energy in pushes of mode 5")
    tamper_hold_s: int = _parameter(86_400, "FNN", 15, "how long magnet and cover flags stay, s", low=0)
    ff_digits: int = _parameter(8, "OURS", 17, "hex digits of F.F on the display", low=1, high=8)
    t_closed_s: float = _parameter(30.0, "MAN", 18, "without a TLS session before a crypto reset, s", low=0)
    reset_condition: Literal["tls_closed", "link_closed", "none"] = _parameter(
        "tls_closed", "OURS", 18, "what a crypto reset needs: t_closed_s; that and no other connection; nothing"
    )
    reset_through_tls: bool = _parameter(
        default=False, grade="OURS", section=18, text="whether TLS may carry the order of a crypto reset"
    )
    initial_key: str | None = _parameter(
        None, "MAN", 18, "initial key of the meter, 32 hex digits; none: it cannot be paired"
    )

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        hints = _hints()
        for parameter in fields(self):
            _check(parameter.name, getattr(self, parameter.name), hints[parameter.name], parameter.metadata)
        self._check_texts()
        if self.supply_off_ratio > self.supply_on_ratio:
            raise _refused(
                "supply_off_ratio", f"at most supply_on_ratio, {self.supply_on_ratio}", self.supply_off_ratio
            )
        if self.short_max_s > self.long_min_s:
            raise _refused("short_max_s", f"at most long_min_s, {self.long_min_s}", self.short_max_s)

    def _check_texts(self) -> None:
        try:
            DeviceId.parse(self.device_id)
        except DecodeError as error:
            msg = f"device_id: {error}"
            raise ValueError(msg) from error
        try:
            designation = self.designation
        except DecodeError as error:
            msg = f"type_designation: {error}"
            raise ValueError(msg) from error
        if designation.variant is None:
            raise _refused("type_designation", "a maximum current of 1, 3 or C", designation.maximum_current)
        if designation.mode not in {None, self.mode}:
            raise _refused("mode", f"{designation.mode:d}, as in the type designation", int(self.mode))
        if self.pulse_led is PulseLed.REACTIVE and designation.measurement == "A":
            raise _refused("pulse_led", "active, because the meter measures nothing else", str(self.pulse_led))
        self.checked_pin(self.pin)
        if not (self.firmware_version.isascii() and 0 < len(self.firmware_version) <= 8):  # noqa: PLR2004 - the display's width
            raise _refused("firmware_version", "1 to 8 characters", self.firmware_version)
        if len(self.firmware_checksum) != 4 or not set(self.firmware_checksum) <= set("0123456789ABCDEFabcdef"):  # noqa: PLR2004
            raise _refused("firmware_checksum", "4 hex digits", self.firmware_checksum)
        if self.initial_key is not None and not fullmatch("[0-9A-Fa-f]{32}", self.initial_key):
            raise _refused("initial_key", "32 hex digits", "a key of another form")  # a key is not shown

    def checked_pin(self, pin: object) -> str | None:
        """A PIN that such a meter can have; ``None`` without PIN protection.

        Raises:
            ValueError: it cannot; the PIN is not shown.
        """
        if pin is None and not self.pin_protection:
            return None
        if pin is None:
            raise _refused("pin", f"{self.pin_digits} digits, because pin_protection is on", None)
        if not (isinstance(pin, str) and pin.isascii() and pin.isdecimal() and len(pin) == self.pin_digits):
            raise _refused("pin", f"{self.pin_digits} digits", "a PIN of another form")
        return pin

    @property
    def designation(self) -> TypeDesignation:
        """The type designation, of a 100 A meter of this mode if none was given.

        >>> str(E320Config(pin="0000", mode=Mode.QUADRANTS).designation)
        'E320-AM3D.C5A.A2-S1B-S1'
        """
        measurement = "C" if self.mode is Mode.QUADRANTS else "A"
        reactive = 2 if self.mode is Mode.QUADRANTS else 0
        return TypeDesignation.parse(
            self.type_designation or f"E320-AM3D.{measurement}{self.mode:d}A.A{reactive}-S1B-S1"
        )

    @classmethod
    def describe(cls, name: str) -> str:
        """Meaning, section and evidence grade of a field.

        Raises:
            KeyError: there is no such field.
        """
        metadata = {parameter.name: parameter.metadata for parameter in fields(cls)}[name]
        return f"{metadata['text']} (section {metadata['section']}, {metadata['grade']})"

    @classmethod
    def from_toml(cls, text: str) -> E320Config:
        r"""Read a configuration.

        Raises:
            DecodeError: ``toml``, no TOML; ``unknown_field``; ``bad_value``, a value that its field cannot hold.

        >>> E320Config.from_toml('mode = 1\npin = "0000"').mode
        <Mode.IMPORT: 1>
        """
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DecodeError("toml", f"expected TOML: {error}", source=_SOURCE) from error
        known = {parameter.name for parameter in fields(cls)}
        for name in table:
            if name not in known:
                detail = f"expected a parameter of the meter, found {shown(name)}"
                raise DecodeError("unknown_field", detail, path=name, source=_SOURCE)
        hints = _hints()
        try:
            return cls(**{name: _from_toml(value, hints[name]) for name, value in table.items()})
        except ValueError as error:
            raise DecodeError("bad_value", str(error), path=str(error).partition(":")[0], source=_SOURCE) from error

    def to_toml(self) -> str:
        """Write all parameters, each with its meaning; ``from_toml`` reads it. The PIN and the key are among them.

        >>> E320Config.from_toml(E320Config(pin="1234").to_toml()) == E320Config(pin="1234")
        True
        """
        lines = []
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            line = f"# {parameter.name} = none" if value is None else f"{parameter.name} = {_to_toml(value)}"
            lines.append(f"# {self.describe(parameter.name)}\n{line}\n")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Show what is not a default; never the PIN or a key."""
        said = [
            f"{parameter.name}={'****' if parameter.name in _SECRETS else repr(getattr(self, parameter.name))}"
            for parameter in fields(self)
            if parameter.default is MISSING or getattr(self, parameter.name) != parameter.default
        ]
        return f"E320Config({', '.join(said)})"


@cache
def _hints() -> dict[str, Any]:
    """Types of the fields; thousands of meters ask for them."""
    return get_type_hints(E320Config)


def _check(name: str, value: object, hint: Any, metadata: Any) -> None:  # noqa: ANN401 - a type, a mapping
    """Refuse a value that is not of the type of its field, or out of its range."""
    found = "a value that is not shown" if name in _SECRETS else value
    members = get_args(hint) or (hint,)
    if type(None) in members:
        if value is None:
            return
        members = tuple(member for member in members if member is not type(None))
    if not any(_is_of(value, member) for member in members):
        raise _refused(name, " or ".join(_word(member) for member in members), found)
    low, high = metadata["low"], metadata["high"]
    if isinstance(value, int | float) and ((low is not None and value < low) or (high is not None and value > high)):
        wanted = (
            f"at least {low:g}" if high is None else f"{low:g} to {high:g}" if low is not None else f"at most {high:g}"
        )
        raise _refused(name, wanted, value)


def _is_of(value: object, member: Any) -> bool:  # noqa: ANN401 - a type or a word
    if member is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - not NaN
    if member in {bool, int, str} or (isinstance(member, type) and issubclass(member, Enum)):
        return type(value) is member
    return type(value) is type(member) and value == member


def _word(member: Any) -> str:  # noqa: ANN401 - a type or a word
    if isinstance(member, type) and issubclass(member, Enum):
        return " or ".join(str(item.value) for item in member)
    return _WORDS.get(member) or repr(member)


def _from_toml(value: Any, hint: Any) -> Any:  # noqa: ANN401 - of any field
    """Turn a number or a word into the enum of its field; all else is checked later."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError:
            return value
    return value


def _to_toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value.value if isinstance(value, Enum) else value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _refused(name: str, expected: str, found: object) -> ValueError:
    return ValueError(f"{name}: expected {expected}, found {shown(found)}")
