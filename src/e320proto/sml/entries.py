"""The registers of a telegram: one :class:`Entry` for each, and all of them as :class:`Entries`."""

from __future__ import annotations

from typing import NamedTuple, SupportsIndex, TypeAlias, TypeVar, overload

from e320proto.errors import DecodeError
from e320proto.obis import ObisCode
from e320proto.sml.messages import CosemScalerUnit, Time, TimestampedValue
from e320proto.sml.quirks import DZG_SIGN
from e320proto.status import Status  # noqa: TC001 - typing.get_type_hints of a record works
from e320proto.units import Quantity, Unit

_T = TypeVar("_T")

RawValue: TypeAlias = int | bytes | bool | Time | TimestampedValue | CosemScalerUnit | None


class Entry(NamedTuple):
    """One register of a telegram, as the meter sent it.

    Args:
        obis: which register.
        raw: the value as sent: an integer, octets, a boolean, a time, or ``None`` where it is absent.
        scaler: power of ten for an integer, -128 to 127; ``None`` where none was sent.
        unit: the unit; ``None`` where none (or code 0) was sent.
        status: the status word of this entry.
        time: the time of this entry; a placeholder of 0 beside a running counter is ``None``.
        signature: the signature of this value.
        width: octets of an integer on the wire, 1 to 8; else ``None``.
        corrected: second value where a rule of this library gives one; ``rule`` names it.

    Source: SML 1.04, SML_ListEntry; rules: ``docs/quirks.md``.

    >>> Entry(ObisCode.parse("1.8.0"), 1234567, -1, Unit(30)).value.digits
    '123456.7'
    """

    obis: ObisCode
    raw: RawValue = None
    scaler: int | None = None
    unit: Unit | None = None
    status: Status | None = None
    time: Time | None = None
    signature: bytes | None = None
    width: int | None = None
    corrected: Quantity | None = None

    @property
    def value(self) -> Quantity | bytes | bool | Time | TimestampedValue | CosemScalerUnit | None:
        """The value as sent: an exact :class:`Quantity` for integers, anything else as it is."""
        raw = self.raw
        return Quantity(raw, self.scaler or 0, self.unit) if type(raw) is int else raw  # type: ignore[return-value]

    @property
    def quantity(self) -> Quantity | None:
        """The value to use if it is a number: the corrected one if there is one, else as sent."""
        if self.corrected is not None:
            return self.corrected
        return Quantity(self.raw, self.scaler or 0, self.unit) if type(self.raw) is int else None

    @property
    def rule(self) -> str | None:
        """Id of the rule that gave ``corrected``."""
        return None if self.corrected is None else DZG_SIGN


class Entries(tuple[Entry, ...]):
    """The entries of a telegram in the order sent, and by OBIS code.

    A tuple; ``entries["1.8.0"]`` is the first entry of that code, :meth:`all` gives every one of
    them. Codes may be text, :class:`ObisCode` or six octets.

    >>> entries = Entries([Entry(ObisCode.parse("1.8.0"), 17)])
    >>> entries["1-0:1.8.0*255"].raw, entries[0].raw, "2.8.0" in entries, entries.get("2.8.0")
    (17, 17, False, None)
    """

    __slots__ = ()

    @overload
    def __getitem__(self, key: SupportsIndex | str | bytes) -> Entry: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, key: SupportsIndex | slice | str | bytes) -> Entry | tuple[Entry, ...]:
        """Return the entry at a position, the first one of a code, or a slice.

        Raises:
            KeyError: no entry of this code.
            IndexError: no such position.
            DecodeError: text that is no OBIS code.
        """
        if not isinstance(key, str | bytes):
            return super().__getitem__(key)
        entry = self._first(key)
        if entry is None:
            raise KeyError(key)
        return entry

    def __contains__(self, key: object) -> bool:
        """Whether there is an entry of this code, or this entry; of text that is no code there is none."""
        if isinstance(key, str | bytes):
            return self.get(key) is not None
        return super().__contains__(key)

    @overload
    def get(self, key: str | bytes) -> Entry | None: ...
    @overload
    def get(self, key: str | bytes, default: _T) -> Entry | _T: ...
    def get(self, key: str | bytes, default: object = None) -> object:
        """Return the first entry of a code; ``default`` if there is none, or if the text is no code."""
        try:
            return self._first(key) or default
        except DecodeError:
            return default

    def all(self, key: str | bytes) -> tuple[Entry, ...]:
        """Every entry of a code, in order.

        Raises:
            DecodeError: text that is no OBIS code.
        """
        code = ObisCode.parse(key) if isinstance(key, str) else key
        return tuple(entry for entry in self if entry.obis == code)

    def keys(self) -> tuple[ObisCode, ...]:
        """The codes in order; a code that was sent twice is there twice."""
        return tuple(entry.obis for entry in self)

    def items(self) -> tuple[tuple[ObisCode, Entry], ...]:
        """Codes and entries in order."""
        return tuple((entry.obis, entry) for entry in self)

    def _first(self, key: str | bytes) -> Entry | None:
        code = ObisCode.parse(key) if isinstance(key, str) else key
        return next((entry for entry in self if entry.obis == code), None)
