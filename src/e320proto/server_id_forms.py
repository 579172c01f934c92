"""Forms of server ids: which there are, and their fields; where these lie is in ``schema.identifiers``.

The first octet tells the form:

============== ============================== ======= ===================================================
first octet    form                           octets  behind the first octet
============== ============================== ======= ===================================================
0A             DIN 43863-5:2012               10      medium, FLAG 3, block, number u32
09             DIN 43863-5:2010-07            10      the same, block 0 to 255
06             DIN 43863-5:2010-02            10      FLAG 3, u48: digits of medium 1, year 2, block 2, number 8
01             wireless M-Bus                 9       FLAG u16 LE, number 4 x BCD LE, version, medium
02             wired M-Bus                    9       number 4 x BCD LE, FLAG u16 LE, version, medium
05             Ethernet MAC                   7       6 octets
03 04 07 08    BCD, two of suppliers, IMEI    any     layout not known
30 to 39       ASCII, first household meters  any     printable characters; the first is a digit
============== ============================== ======= ===================================================

Forms 0A, 09, 06, 01, 02 and ASCII are seen on real meters. Form 05 and the meaning of 03, 04, 07 and 08 are
general knowledge, not verified. Whether the fields of the DIN forms are in range is for
:class:`e320proto.identity.DeviceId` to say.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from e320proto.errors import DecodeError, EncodeError, shown

_FLAG = re.compile(r"[A-Z]{3}")
_PRINTABLE = re.compile(rb"[ -~]+")
_MAX_NUMBER = 99_999_999
_MAX_OCTET = 255
_MAX_MAKER = 0xFFFF

# An M-Bus manufacturer number: three letters of five bits, A is 1.
_LETTER_BITS = 5
_LETTER_MASK = 0x1F
_BEFORE_A = ord("A") - 1


class ServerIdForm(Enum):
    """Form of a server id; the module's table has the layouts.

    >>> form_of(bytes.fromhex("0a014c475a0003c988dd"))
    <ServerIdForm.DIN_2012: 'DIN 43863-5:2012'>
    """

    DIN_2012 = "DIN 43863-5:2012"
    DIN_2010_07 = "DIN 43863-5:2010-07"
    DIN_2010_02 = "DIN 43863-5:2010-02"
    MBUS_WIRELESS = "wireless M-Bus"
    MBUS_WIRED = "wired M-Bus"
    MAC = "Ethernet MAC"
    BCD = "BCD number"
    SUPPLIER = "supplier-specific"
    IMEI = "IMEI"
    ASCII = "ASCII"
    UNKNOWN = "unknown"


class Edition(Enum):
    """Edition of DIN 43863-5 that a device id follows.

    >>> Edition("DIN 43863-5:2012")
    <Edition.DIN_2012: 'DIN 43863-5:2012'>
    """

    DIN_2012 = "DIN 43863-5:2012"
    """14 characters, block decimal; first octet 0A. The edition of the meters sold today."""
    DIN_2010_07 = "DIN 43863-5:2010-07"
    """14 characters, block hexadecimal; first octet 09."""
    DIN_2010_02 = "DIN 43863-5:2010-02"
    """16 characters, with a year; first octet 06."""


# First octet to form and length; 0 where any length goes.
_FORMS = {
    0x01: (ServerIdForm.MBUS_WIRELESS, 9),
    0x02: (ServerIdForm.MBUS_WIRED, 9),
    0x03: (ServerIdForm.BCD, 0),
    0x04: (ServerIdForm.SUPPLIER, 0),
    0x05: (ServerIdForm.MAC, 7),
    0x06: (ServerIdForm.DIN_2010_02, 10),
    0x07: (ServerIdForm.SUPPLIER, 0),
    0x08: (ServerIdForm.IMEI, 0),
    0x09: (ServerIdForm.DIN_2010_07, 10),
    0x0A: (ServerIdForm.DIN_2012, 10),
    **dict.fromkeys(range(0x30, 0x3A), (ServerIdForm.ASCII, 0)),
}
MBUS_FORMS = frozenset({ServerIdForm.MBUS_WIRELESS, ServerIdForm.MBUS_WIRED})
"""The two forms that :class:`MBusFields` describes."""


class DinFields(NamedTuple):
    """Fields of a DIN 43863-5 server id, not yet checked.

    >>> din_fields(bytes.fromhex("0a014c475a0003c988dd"))
    DinFields(medium='1', flag='LGZ', year=None, block=0, number=63539421)
    """

    medium: str
    flag: str
    year: int | None
    block: int
    number: int


class MBusFields(NamedTuple):
    """Fields of an M-Bus server id.

    >>> mbus_fields(bytes.fromhex("0224010523ac484104"))
    MBusFields(flag='REL', number=23050124, version=65, medium=4)
    """

    flag: str
    number: int
    version: int
    medium: int


def in_range(value: object, top: int) -> bool:
    """Whether a field is an integer of 0 to ``top``; a boolean is none.

    >>> in_range(99, 99), in_range(100, 99), in_range(0.5, 99), in_range(True, 99)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= top


def form_of(raw: bytes) -> ServerIdForm:
    """Return the form of a server id by its first octet, its length, and in M-Bus and ASCII its content.

    Raises:
        DecodeError: ``server_id``, the octets are of no known form.

    >>> form_of(bytes.fromhex("01a815986480020102")).value
    'wireless M-Bus'
    """
    if not raw:
        raise _refused("", "a server id", "no octets")
    form, length = _FORMS.get(raw[0], (ServerIdForm.UNKNOWN, 0))
    if form is ServerIdForm.UNKNOWN:
        raise _refused("", "a first octet of 01 to 0A or 30 to 39", f"{raw[0]:02X}")
    if length and len(raw) != length:
        raise _refused("", f"{length} octets in the form {form.value}", str(len(raw)))
    if form is ServerIdForm.ASCII and not _PRINTABLE.fullmatch(raw):
        raise _refused("", "printable characters behind a digit", shown(raw))
    if form in MBUS_FORMS:
        mbus_fields(raw)
    return form


def octets_of_form(first: int) -> int:
    """Return how many octets a server id with this first octet has; 0 where any number goes.

    >>> octets_of_form(0x0A), octets_of_form(0x31)
    (10, 0)
    """
    return _FORMS.get(first, (ServerIdForm.UNKNOWN, 0))[1]


@lru_cache(maxsize=1024)  # a meter's id comes with every telegram
def din_fields(raw: bytes) -> DinFields:
    """Return the fields of the ten octets of one of the three DIN forms.

    A damaged medium comes out as more than one digit.

    >>> din_fields(bytes.fromhex("06454d4801027156cd45"))
    DinFields(medium='1', flag='EMH', year=11, block=0, number=3076421)
    """
    form = _FORMS[raw[0]][0]
    fields = _layout(form).parse(raw)
    if form is ServerIdForm.DIN_2010_02:
        digits = f"{fields.digits:013d}"
        return DinFields(digits[:-12], fields.flag, int(digits[-12:-10]), int(digits[-10:-8]), int(digits[-8:]))
    return DinFields(f"{fields.medium:X}", fields.flag, None, fields.block, fields.number)


def din_octets(form: ServerIdForm, fields: DinFields) -> bytes:
    """Return the ten octets of fields that are in range; the inverse of :func:`din_fields`.

    >>> din_octets(ServerIdForm.DIN_2012, DinFields("1", "LGZ", None, 0, 63539421)).hex()
    '0a014c475a0003c988dd'
    """
    medium, flag, year, block, number = fields
    values: dict[str, object] = {"flag": flag, "block": block, "number": number}
    if form is ServerIdForm.DIN_2010_02:
        values["digits"] = int(f"{medium}{year:02d}{block:02d}{number:08d}")
    else:
        values["medium"] = int(medium, 16)
    return bytes(_layout(form).build(values))


@lru_cache(maxsize=1024)
def mbus_fields(raw: bytes) -> MBusFields:
    """Return the fields of the nine octets of one of the two M-Bus forms.

    Raises:
        DecodeError: ``server_id``, the number is not decimal or the manufacturer not three letters.

    >>> mbus_fields(bytes.fromhex("01e230197600150003")).flag
    'LGB'
    """
    fields = _layout(_FORMS[raw[0]][0]).parse(raw)
    if not fields.number.isdecimal():
        raise _refused("number", "8 decimal digits", fields.number)
    try:
        flag = flag_of(fields.maker)
    except DecodeError as error:
        raise DecodeError("server_id", error.detail, path=error.path) from None
    return MBusFields(flag, int(fields.number), fields.version, fields.medium)


def mbus_octets(form: ServerIdForm, fields: MBusFields) -> bytes:
    """Return the nine octets of an M-Bus server id; the inverse of :func:`mbus_fields`.

    Args:
        form: ``MBUS_WIRELESS`` or ``MBUS_WIRED``.
        fields: manufacturer, number of 0 to 99,999,999, version and medium of 0 to 255.

    Raises:
        EncodeError: ``server_id`` or ``flag``, a field is no integer or out of its range; ``path`` names it.

    >>> mbus_octets(ServerIdForm.MBUS_WIRELESS, MBusFields("EMH", 2806498, 1, 2)).hex()
    '01a815986480020102'
    """
    tops = {"number": _MAX_NUMBER, "version": _MAX_OCTET, "medium": _MAX_OCTET}
    for path, top in tops.items():
        value = getattr(fields, path)
        if not in_range(value, top):
            raise EncodeError("server_id", f"expected 0 to {top}", path=path, value=value)
    values = {
        "maker": mbus_number(fields.flag),
        "number": f"{fields.number:08d}",
        "version": fields.version,
        "medium": fields.medium,
    }
    return bytes(_layout(form).build(values))


def _layout(form: ServerIdForm) -> Any:  # noqa: ANN401 - a construct, used here only
    """Find the layout of a form in the schema, which is loaded when it is first needed."""
    from e320proto.schema import identifiers  # noqa: PLC0415 - loads construct

    return getattr(identifiers, form.name)


def mbus_number(flag: str) -> int:
    """Return the M-Bus number of a manufacturer code: three letters of five bits.

    Args:
        flag: three capital letters (FLAG).

    Raises:
        EncodeError: ``flag``, not three capital letters.

    Source: EN 13757-3, manufacturer identification; general knowledge that the ids of real meters confirm.

    >>> hex(mbus_number("LGZ"))
    '0x30fa'
    """
    if not _FLAG.fullmatch(flag):
        raise EncodeError("flag", "expected three letters A to Z", path="flag", value=flag)
    number = 0
    for letter in flag:
        number = number << _LETTER_BITS | ord(letter) - _BEFORE_A
    return number


def flag_of(number: int) -> str:
    """Return the manufacturer code of an M-Bus number.

    Args:
        number: the M-Bus number, 0x0421 (AAA) to 0x6B5A (ZZZ).

    Raises:
        DecodeError: ``flag``, the number does not spell three letters.

    >>> flag_of(0x30FA)
    'LGZ'
    """
    shifts = (2 * _LETTER_BITS, _LETTER_BITS, 0)
    flag = "".join(chr((number >> shift & _LETTER_MASK) + _BEFORE_A) for shift in shifts)
    if number >> 3 * _LETTER_BITS != 0 or not _FLAG.fullmatch(flag):
        found = f"{number:04X}" if 0 <= number <= _MAX_MAKER else shown(number)
        raise DecodeError("flag", f"expected an M-Bus number of three letters A to Z, found {found}", path="flag")
    return flag


def _refused(path: str, expected: str, found: str) -> DecodeError:
    source = "DIN 43863-5:2012, its editions of 2010, and forms seen on meters"
    return DecodeError("server_id", f"expected {expected}, found {found}", path=path, source=source)
