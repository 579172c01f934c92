"""OBIS codes: the six octets that say what a value is.

::

    A - B : C . D . E * F            1-0:1.8.0*255  =  01 00 01 08 00 FF
    |   |   |   |   |   storage      255 current value, 0 to 99 billing period
    |   |   |   |   tariff, detail   0 total
    |   |   |   processing           7 instantaneous, 8 meter reading
    |   |   quantity                 1 active import, 2 active export
    |   channel                      0 none
    medium                           1 electricity

The set of codes is open: any six octets are a code, a name is known for some of them only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Self, final

from e320proto.errors import DecodeError, shown

if TYPE_CHECKING:
    from e320proto.obis_names import NamedObject

_OCTETS = 6
_TOP = 255
_CURRENT = b"\xff"
_ELECTRICITY = b"\x01\x00"
_SOURCE = "IEC 62056-6-1, text forms as accepted by this project"

_HEX = re.compile(r"[0-9A-Fa-f]{12}")
_TEXT = re.compile(
    r"(?:([0-9]{1,3})-([0-9]{1,3}):)?"  # A-B:
    r"([0-9]{1,3}|[CFLP])\.([0-9]{1,3}|F)(?:\.([0-9]{1,3}))?"  # C.D.E
    r"\.?"  # displays print "F.F."
    r"(?:([*&])([0-9]{1,3}))?",  # *F
    re.IGNORECASE | re.ASCII,
)
_LETTERS = {"C": 96, "F": 97, "L": 98, "P": 99}
_LETTER_OF = {value: letter for letter, value in _LETTERS.items()}
_ERROR_GROUP = _LETTERS["F"]

# Of these quantities meters send some with A = 0 (abstract) and some with A = 1 (electricity), without a difference.
_ABSTRACT_QUANTITIES = frozenset({0, 96, 97, 98, 99})

_UTILITY_CHANNELS = range(128, 200)
_UTILITY_QUANTITIES = frozenset({*range(128, 200), 240})
_UTILITY_DETAILS = range(128, 255)


@final
class ObisCode(bytes):
    r"""An OBIS code: exactly six octets A B C D E F that know their text.

    It is a ``bytes`` object, so it equals its octets on the wire, sorts and hashes like them, and goes
    wherever octets go.

    Args:
        raw: six octets.

    Raises:
        DecodeError: ``obis_length``, not six octets.

    Source: IEC 62056-6-1 (OBIS).

    >>> code = ObisCode(b"\x01\x00\x01\x08\x00\xff")
    >>> str(code), code.short, code.name_en
    ('1-0:1.8.0*255', '1.8.0', 'Active energy import, total')
    >>> code == b"\x01\x00\x01\x08\x00\xff"
    True
    """

    __slots__ = ()

    def __new__(cls, raw: bytes | bytearray | memoryview) -> Self:
        """Take six octets."""
        view = memoryview(raw)  # refuses what bytes() would take for a count or a list
        if view.nbytes != _OCTETS:
            raise DecodeError("obis_length", f"expected {_OCTETS} octets, found {view.nbytes}", source=_SOURCE)
        return super().__new__(cls, view)

    @classmethod
    def parse(cls, text: str) -> ObisCode:
        """Read a code from text.

        Twelve hex digits are the octets. All else follows
        ``[A "-" B ":"] C "." D ["." E] ["."] [("*" | "&") F]``: decimal, at most three digits each. Left out,
        A-B is 1-0, E is 0 (total) and F is 255 (current). The letters C, F, L and P stand for 96 to 99 in
        group C, and F for 97 in group D. Case does not matter. A reset mark ``&`` reads like ``*``; use
        :meth:`parse_marked` to learn of it.

        Raises:
            DecodeError: ``obis_text``, the text is none of these forms, or a group is above 255.

        >>> ObisCode.parse("1.8.0"), ObisCode.parse("F.F"), ObisCode.parse("0100605A02FF")
        (ObisCode('1-0:1.8.0*255'), ObisCode('1-0:97.97.0*255'), ObisCode('1-0:96.90.2*255'))
        """
        return _parse(text)[0]

    @classmethod
    def parse_marked(cls, text: str) -> tuple[ObisCode, bool]:
        """Read a code from text together with its reset mark.

        ``&`` in place of ``*`` says that the value was stored by a reset by hand. The six octets have no room
        for the mark, so it comes beside the code.

        Returns:
            The code, and whether the text carries the mark.

        Raises:
            DecodeError: as :meth:`parse`.

        >>> ObisCode.parse_marked("1-0:1.8.0&01")
        (ObisCode('1-0:1.8.0*1'), True)
        """
        return _parse(text)

    @property
    def a(self) -> int:
        """Medium, 0 to 255: 0 abstract, 1 electricity, 7 gas.

        >>> ObisCode.parse("1-0:2.8.1*255").a
        1
        """
        return self[0]

    @property
    def b(self) -> int:
        """Channel, 0 to 255: 0 none.

        >>> ObisCode.parse("1-0:2.8.1*255").b
        0
        """
        return self[1]

    @property
    def c(self) -> int:
        """Quantity, 0 to 255: 1 active import, 2 active export, 96 service.

        >>> ObisCode.parse("1-0:2.8.1*255").c
        2
        """
        return self[2]

    @property
    def d(self) -> int:
        """Processing, 0 to 255: 7 instantaneous, 8 meter reading.

        >>> ObisCode.parse("1-0:2.8.1*255").d
        8
        """
        return self[3]

    @property
    def e(self) -> int:
        """Tariff or detail, 0 to 255: 0 total.

        >>> ObisCode.parse("1-0:2.8.1*255").e
        1
        """
        return self[4]

    @property
    def f(self) -> int:
        """Storage, 0 to 255: 255 current.

        >>> ObisCode.parse("1-0:2.8.1*255").f
        255
        """
        return self[5]

    @property
    def short(self) -> str:
        """``C.D.E`` of a current electricity value (A-B is 1-0, F is 255), the full text of any other.

        >>> ObisCode.parse("1-0:1.8.0*255").short, ObisCode.parse("1-0:1.8.0*1").short
        ('1.8.0', '1-0:1.8.0*1')
        """
        return self._reduced(f"{self[2]}.{self[3]}.{self[4]}")

    @property
    def display(self) -> str:
        """The short form with the letters that meters show for C of 96 to 99.

        >>> [ObisCode.parse(text).display for text in ("96.90.2", "97.97", "99.1.0*5", "1.8.0")]
        ['C.90.2', 'F.F', '1-0:P.1.0*5', '1.8.0']
        """
        _, _, c, d, e, _ = self
        if c == d == _ERROR_GROUP:
            return self._reduced("F.F" if e == 0 else f"F.F.{e}")
        return self._reduced(f"{_LETTER_OF.get(c, c)}.{d}.{e}")

    @property
    def name_en(self) -> str | None:
        """English name, ``None`` when the code is not in the table.

        >>> ObisCode.parse("16.7.0").name_en
        'Active power balance, instantaneous (signed)'
        """
        entry = self._entry()
        return None if entry is None else entry.en

    @property
    def name_de(self) -> str | None:
        """German name, ``None`` when the code is not in the table.

        >>> ObisCode.parse("16.7.0").name_de
        'Wirkleistung Saldo, momentan (mit Vorzeichen)'
        """
        entry = self._entry()
        return None if entry is None else entry.de

    def name(self, language: Literal["en", "de"] = "en") -> str | None:
        """Name in a language, ``None`` when the code is not in the table.

        Among the quantities 0 and 96 to 99, ``0-0:`` and ``1-0:`` name the same object when only one of the two is
        listed.

        Raises:
            ValueError: the language is neither ``"en"`` nor ``"de"``.

        >>> ObisCode.parse("1-0:96.8.0*255").name("de")
        'Betriebszeit, gesamt'
        """
        if language not in {"en", "de"}:
            msg = f"language: expected 'en' or 'de', found {shown(language)}"
            raise ValueError(msg)
        return self.name_en if language == "en" else self.name_de

    @property
    def unit_code(self) -> int | None:
        """DLMS unit code a value of this code is expected in, 255 for a count.

        ``None`` when the code is not in the table or has no unit, as a date or a text has none.

        >>> ObisCode.parse("1.8.0").unit_code, ObisCode.parse("0.2.0").unit_code
        (30, None)
        """
        entry = self._entry()
        return None if entry is None else entry.unit_code

    @property
    def grade(self) -> str | None:
        """How well name and unit are known: ``MAN``, ``OBS``, ``FNN`` or ``GEN``; ``None`` when not in the table.

        :mod:`e320proto.obis_names` explains the grades.

        >>> ObisCode.parse("1.8.0").grade, ObisCode.parse("1.8.0*1").grade
        ('OBS', None)
        """
        entry = self._entry()
        return None if entry is None else entry.grade

    @property
    def manufacturer_specific(self) -> bool:
        """Whether the meaning is up to the manufacturer.

        That is: B or C is 128 to 199, or C is 240, or one of D, E and F is 128 to 254.

        Source: IEC 62056-6-1; the ranges are general knowledge, not verified in the text.

        >>> ObisCode.parse("129-129:199.130.3*255").manufacturer_specific
        True
        >>> ObisCode.parse("1.8.0").manufacturer_specific
        False
        """
        _, b, c, *details = self
        return (
            b in _UTILITY_CHANNELS or c in _UTILITY_QUANTITIES or any(detail in _UTILITY_DETAILS for detail in details)
        )

    def _reduced(self, middle: str) -> str:
        if self.startswith(_ELECTRICITY) and self.endswith(_CURRENT):
            return middle
        return f"{self[0]}-{self[1]}:{middle}*{self[5]}"

    def _entry(self) -> NamedObject | None:
        from e320proto.obis_names import NAMES  # noqa: PLC0415 - the table loads with the first name

        entry = NAMES.get(str(self))
        a, b, c, *_ = self
        if entry is None and c in _ABSTRACT_QUANTITIES and a in {0, 1} and b == 0:
            return NAMES.get(f"{1 - a}{str(self)[1:]}")
        return entry

    def __str__(self) -> str:
        a, b, c, d, e, f = self
        return f"{a}-{b}:{c}.{d}.{e}*{f}"

    def __repr__(self) -> str:
        return f"ObisCode('{self}')"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


@lru_cache(maxsize=4096)
def obis_code(raw: bytes) -> ObisCode:
    r"""Return the code of six octets, the same object for the same octets while it is in use.

    A meter sends the same few codes every second; decoders make them here. At most 4,096 codes are kept.

    Args:
        raw: six octets.

    Raises:
        DecodeError: ``obis_length``, not six octets.

    >>> obis_code(b"\x01\x00\x10\x07\x00\xff")
    ObisCode('1-0:16.7.0*255')
    >>> obis_code(b"\x01\x00\x10\x07\x00\xff") is obis_code(b"\x01\x00\x10\x07\x00\xff")
    True
    """
    return ObisCode(raw)


@lru_cache(maxsize=1024)  # text from configuration and command lines: few codes, again and again
def _parse(text: str) -> tuple[ObisCode, bool]:
    # Hex before all else: its digits would never match the grammar, but the order is the rule people rely on.
    if _HEX.fullmatch(text):
        return ObisCode(bytes.fromhex(text)), False
    match = _TEXT.fullmatch(text)
    if match is None:
        expected = "A-B:C.D.E*F, C.D.E or 12 hex digits"
        raise DecodeError("obis_text", f"expected {expected}, found {shown(text)}", source=_SOURCE)
    a, b, c, d, e, mark, f = match.groups()
    groups = (a or "1", b or "0", c, d, e or "0", f or "255")
    values = [_LETTERS[group.upper()] if group.isalpha() else int(group) for group in groups]
    for letter, value in zip("ABCDEF", values, strict=True):
        if value > _TOP:
            raise DecodeError(
                "obis_text",
                f"expected 0 to {_TOP} in group {letter}, found {value} in {shown(text)}",
                path=letter.lower(),
                source=_SOURCE,
            )
    return ObisCode(bytes(values)), mark == "&"
