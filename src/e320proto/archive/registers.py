"""Registers: the columns of the wide table, and how they are found.

A register is a code with its unit. A telegram that sends another unit than the column has is not put
into that column, so every column is of one unit.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from e320proto.errors import shown
from e320proto.obis import ObisCode
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.telegram import Telegram, TelegramDecoder
from e320proto.units import unit as unit_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SAMPLE: Final = 1 << 20
"""Octets at the beginning of a file that are looked at: some 3,000 telegrams."""

PathLike: TypeAlias = "str | os.PathLike[str]"


class Register(NamedTuple):
    """One column of the wide table.

    Args:
        obis: OBIS code in full, for example ``1-0:1.8.0*255``.
        unit: DLMS unit code; ``None`` if values come without one.

    >>> Register("1-0:1.8.0*255", 30).metadata["name"]
    'Active energy import, total'
    """

    obis: str
    unit: int | None = None

    @property
    def code(self) -> ObisCode:
        """The code as octets."""
        return ObisCode.parse(self.obis)

    @property
    def metadata(self) -> dict[str, str]:
        """What is written into the schema: code, symbol and code of the unit, English name."""
        found = {"obis": self.obis, "name": self.code.name_en or ""}
        if self.unit is not None:
            found |= {"unit": str(unit_of(self.unit)), "unit_code": str(self.unit)}
        return found


RegisterLike: TypeAlias = str | ObisCode | Register


def as_registers(registers: Iterable[RegisterLike]) -> tuple[Register, ...]:
    """Registers of codes, each code once; the unit of a bare code is the usual one.

    Raises:
        DecodeError: text that is no OBIS code.
        TypeError: something that is no code.

    >>> as_registers(["1.8.0", Register("16.7.0", 27), "1-0:1.8.0*255"])
    (Register(obis='1-0:1.8.0*255', unit=30), Register(obis='1-0:16.7.0*255', unit=27))
    """
    found: dict[ObisCode, Register] = {}
    for register in (registers,) if isinstance(registers, str | bytes | Register) else registers:
        if isinstance(register, Register):
            code, unit = register.code, register.unit
        elif isinstance(register, str):
            code = ObisCode.parse(register)
            unit = code.unit_code
        elif isinstance(register, bytes):
            code = ObisCode(register)
            unit = code.unit_code
        else:
            msg = f"registers: expected OBIS codes, found {shown(register)}"
            raise TypeError(msg)
        found.setdefault(code, Register(str(code), unit))
    return tuple(found.values())


def registers_of(streams: Iterable[bytes], options: DecodeOptions) -> Iterator[Register]:
    """The numeric registers of streams, in the order seen, each code once.

    Args:
        streams: octets, each a stream of its own.
        options: as for :class:`e320proto.TelegramDecoder`.
    """
    seen: set[ObisCode] = set()
    for octets in streams:
        decoder = TelegramDecoder(options)
        for event in decoder.feed(octets) + decoder.close():
            # Entries take time to make; codes and floats tell whether there is anything new.
            if not isinstance(event, Telegram) or seen.issuperset(_numeric(event)):
                continue
            for entry in event.entries:
                if entry.obis not in seen and (quantity := entry.quantity) is not None:
                    seen.add(entry.obis)
                    yield Register(str(entry.obis), None if quantity.unit is None else quantity.unit.code)


def _numeric(telegram: Telegram) -> Iterator[ObisCode]:
    """The codes of entries that are numbers."""
    return (code for code, number in zip(telegram.codes, telegram.floats, strict=True) if number is not None)


def find_registers(
    paths: PathLike | Iterable[PathLike], *, options: DecodeOptions = DEFAULT_OPTIONS
) -> tuple[Register, ...]:
    """The numeric registers in the first MiB of each file: the columns of the wide table if none are given.

    Args:
        paths: one path or many.
        options: as for :class:`e320proto.TelegramDecoder`.

    Raises:
        OSError: a file cannot be read.
    """
    return tuple(registers_of(map(_sample, as_paths(paths)), options))


def _sample(path: PathLike) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(SAMPLE)


def as_paths(paths: PathLike | Iterable[PathLike]) -> tuple[PathLike, ...]:
    """One path or many as a tuple.

    >>> as_paths("day.bin"), as_paths(["a", "b"])
    (('day.bin',), ('a', 'b'))
    """
    return (paths,) if isinstance(paths, str | os.PathLike) else tuple(paths)
