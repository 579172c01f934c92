"""Device ids and server ids: the name of a meter on its faceplate and on the wire.

::

    printed     1   LGZ        00      6353 9421         device id: 14 characters
    wire    0A  01  4C 47 5A   00      03 C9 88 DD       server id: 10 octets
            |   |   |          |       |
            |   |   |          |       number, u32, high octet first, at most 99,999,999
            |   |   |          block, 0 to 99
            |   |   manufacturer (FLAG), three capital letters
            |   medium, 1 electricity
            form: DIN 43863-5:2012

Older meters and meters behind M-Bus send other forms, see :mod:`e320proto.server_id_forms`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self, assert_never

from e320proto.errors import DecodeError, EncodeError, shown
from e320proto.server_id_forms import (
    MBUS_FORMS,
    DinFields,
    Edition,
    MBusFields,
    ServerIdForm,
    din_fields,
    din_octets,
    flag_of,
    form_of,
    in_range,
    mbus_fields,
    mbus_number,
    mbus_octets,
)

__all__ = ["DeviceId", "Edition", "ServerId", "ServerIdForm", "flag_of", "manufacturer_of", "mbus_number"]

_FLAG = re.compile(r"[A-Z]{3}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")

_PRINTED_LENGTHS = (14, 16)
_MAX_NUMBER = 99_999_999
_MAX_BLOCK = 99
_MAX_BLOCK_HEX = 255
_MAX_YEAR = 99

_MEDIA = {
    "0": "abstract",
    "1": "electricity",
    "2": "DC electricity",
    "4": "heat cost allocator",
    "5": "cooling",
    "6": "heat",
    "7": "gas",
    "8": "cold water",
    "9": "hot water",
    "E": "communication device",
    "F": "other media",
    "G": "control and switching device",
}
_ASSIGNED_MEDIA = frozenset("01456789E")
_ALL_MEDIA = frozenset("0123456789ABCDEFG")
_TEXT_ONLY_MEDIUM = "G"  # of DIN 43849; no octet is known for it


_EDITIONS = {
    ServerIdForm.DIN_2012: Edition.DIN_2012,
    ServerIdForm.DIN_2010_07: Edition.DIN_2010_07,
    ServerIdForm.DIN_2010_02: Edition.DIN_2010_02,
}
_FORM_OF = {edition: form for form, edition in _EDITIONS.items()}


def manufacturer_of(flag: str) -> str | None:
    """Return the maker behind a manufacturer code, ``None`` when the code is not in the table.

    Args:
        flag: three capital letters (FLAG).

    >>> manufacturer_of("LGZ"), manufacturer_of("QQQ")
    ('Landis+Gyr (Zug)', None)
    """
    from e320proto.manufacturers import MANUFACTURERS  # noqa: PLC0415 - the table loads with the first name

    return MANUFACTURERS.get(flag)


@dataclass(frozen=True, slots=True, init=False)
class DeviceId:
    """A device id after DIN 43863-5: the identity of a meter as printed on its faceplate.

    Args:
        medium: one hex digit, upper case: ``"1"`` electricity, ``"7"`` gas, ``"E"`` communication device.
        flag: manufacturer, three capital letters.
        block: 0 to 99; 0 to 255 in the edition 2010-07.
        number: 0 to 99,999,999.
        edition: edition of the standard, which decides text and octets.
        year: 0 to 99 in the edition 2010-02, else ``None``.
        allow_reserved: also accept the media 2, 3, A to D and F, and G, which has no server id; not a field.

    Raises:
        DecodeError: ``device_id``, a part is no integer or out of its range; ``path`` names the part.

    Source: DIN 43863-5:2012, compared with faceplates and telegrams; DIN 43849 for the media 2 and G.

    >>> device = DeviceId("1", "LGZ", 0, 63539421)
    >>> str(device), device.printed, device.manufacturer
    ('1LGZ0063539421', '1 LGZ00 6353 9421', 'Landis+Gyr (Zug)')
    >>> str(device.server_id())
    '0A014C475A0003C988DD'
    """

    medium: str
    flag: str
    block: int
    number: int
    edition: Edition
    year: int | None

    # Written out, because a dataclass keeps the default of what is no field as an attribute, whatever was given.
    def __init__(
        self,
        medium: str,
        flag: str,
        block: int,
        number: int,
        edition: Edition = Edition.DIN_2012,
        year: int | None = None,
        *,
        allow_reserved: bool = False,
    ) -> None:
        object.__setattr__(self, "medium", medium)
        object.__setattr__(self, "flag", flag)
        object.__setattr__(self, "block", block)
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "edition", edition)
        object.__setattr__(self, "year", year)
        self._check_medium(allow_reserved=allow_reserved)
        self._check_others()

    def _check_others(self) -> None:
        if not _FLAG.fullmatch(self.flag):
            raise _refused(self.edition, "flag", "three letters A to Z", shown(self.flag))
        with_year = self.edition is Edition.DIN_2010_02
        if with_year and not in_range(self.year, _MAX_YEAR):
            raise _refused(self.edition, "year", f"a year of 0 to {_MAX_YEAR}", shown(self.year))
        if not with_year and self.year is not None:
            raise _refused(self.edition, "year", "no year in this edition", shown(self.year))
        max_block = _MAX_BLOCK_HEX if self.edition is Edition.DIN_2010_07 else _MAX_BLOCK
        for path, value, top in (("block", self.block, max_block), ("number", self.number, _MAX_NUMBER)):
            if not in_range(value, top):
                raise _refused(self.edition, path, f"0 to {top}", shown(value))

    def _check_medium(self, *, allow_reserved: bool) -> None:
        media = _ALL_MEDIA if allow_reserved else _ASSIGNED_MEDIA
        if self.edition is Edition.DIN_2010_07:
            media -= {_TEXT_ONLY_MEDIUM}
        elif self.edition is Edition.DIN_2010_02:  # the medium is a decimal digit of the u48
            media = frozenset(medium for medium in media if medium.isdigit())
        if self.medium not in media:
            expected = f"a medium out of {''.join(sorted(media))}"
            raise _refused(self.edition, "medium", expected, shown(self.medium))

    @classmethod
    def parse(cls, text: str, *, allow_reserved: bool = False, edition: Edition | None = None) -> Self:
        """Read a device id as printed: 14 characters, or 16 with a year; blanks and case do not matter.

        Args:
            text: the id, in any grouping.
            allow_reserved: also accept media that are not assigned.
            edition: the edition, because the text of 2010-07 looks like that of 2012. By default 14
                characters are of 2012 and 16 of 2010-02.

        Raises:
            DecodeError: ``device_id``, the length or a part is wrong; ``path`` names the part.

        >>> DeviceId.parse("1 LGZ00 6353 9421").number
        63539421
        >>> DeviceId.parse("EMUCAB12345678", edition=Edition.DIN_2010_07).block
        171
        >>> DeviceId.parse("1MUC100012345678").year
        10
        """
        compact = text.replace(" ", "")
        short, long = _PRINTED_LENGTHS
        lengths = f"{short} or {long}" if edition is None else ""
        if edition is None:
            edition = Edition.DIN_2010_02 if len(compact) == long else Edition.DIN_2012
        length = long if edition is Edition.DIN_2010_02 else short
        # Before upper(): it turns some letters beyond ASCII into ASCII ones.
        if len(compact) != length or not compact.isascii():
            found = f"{len(compact)}, {shown(text)}"
            raise _refused(edition, "", f"{lengths or length} ASCII characters without blanks", found)
        compact = compact.upper()
        block_base = 16 if edition is Edition.DIN_2010_07 else 10
        return cls(
            compact[0],
            compact[1:4],
            _digits(edition, "block", compact[-10:-8], block_base),
            _digits(edition, "number", compact[-8:]),
            edition,
            _digits(edition, "year", compact[4:6]) if length == long else None,
            allow_reserved=allow_reserved,
        )

    def __str__(self) -> str:
        return self.grouped.replace(" ", "")

    @property
    def printed(self) -> str:
        """The grouping printed on meters.

        >>> DeviceId.parse("1LGZ0063539421").printed, DeviceId.parse("1EMH110003076421").printed
        ('1 LGZ00 6353 9421', '1 EMH11 00 0307 6421')
        """
        number = f"{self.number:08d}"
        return f"{self.medium} {self.flag}{self._middle} {number[:4]} {number[4:]}"

    @property
    def grouped(self) -> str:
        """The grouping by meaning: medium, manufacturer, block, number.

        >>> DeviceId.parse("1LGZ0063539421").grouped, DeviceId.parse("1EMH110003076421").grouped
        ('1 LGZ 00 63539421', '1 EMH 11 00 03076421')
        """
        return f"{self.medium} {self.flag} {self._middle} {self.number:08d}"

    @property
    def _middle(self) -> str:
        match self.edition:
            case Edition.DIN_2012:
                return f"{self.block:02d}"
            case Edition.DIN_2010_07:
                return f"{self.block:02X}"
            case Edition.DIN_2010_02:
                return f"{self.year:02d} {self.block:02d}"
            case _ as never:
                assert_never(never)

    @property
    def manufacturer(self) -> str | None:
        """Maker behind the manufacturer code, ``None`` when the code is not in the table.

        >>> DeviceId.parse("1EMH0005347102").manufacturer
        'EMH metering'
        """
        return manufacturer_of(self.flag)

    @property
    def medium_name(self) -> str:
        """What the device measures, in English; ``"unassigned"`` for the media 3 and A to D.

        >>> DeviceId.parse("EPPC0210486901").medium_name
        'communication device'
        """
        return _MEDIA.get(self.medium, "unassigned")

    def server_id(self) -> ServerId:
        """Return the octets of this id, in the form of its edition.

        Raises:
            EncodeError: ``server_id``, the medium is G, for which no octet is known.

        >>> DeviceId("1", "EMH", 0, 3076421, Edition.DIN_2010_02, 11).server_id().hex
        '06454d4801027156cd45'
        """
        if self.medium == _TEXT_ONLY_MEDIUM:
            expected = "a medium that has an octet"
            raise EncodeError("server_id", f"expected {expected}", path="medium", value=self.medium)
        fields = DinFields(self.medium, self.flag, self.year, self.block, self.number)
        raw = din_octets(_FORM_OF[self.edition], fields)
        return ServerId(raw, allow_reserved=True)


@dataclass(frozen=True, slots=True, init=False, repr=False)
class ServerId:
    r"""A server id: the identity of a meter as sent on the wire, in any of its historic forms.

    The constructor is strict. Decoders use :meth:`from_wire`, which takes whatever a meter sends. The octets
    are always kept, and they alone decide equality.

    Args:
        raw: the octets.
        allow_reserved: also accept media that are not assigned, in the DIN forms; not a field.

    Raises:
        DecodeError: ``server_id``, the octets are of no known form, or not right in theirs; ``path`` names
            the part.

    Source: DIN 43863-5:2012 and its editions of 2010; EN 13757-3; the other forms as the module says.

    >>> server = ServerId(bytes.fromhex("0a014c475a0003c988dd"))
    >>> server.form.value, server.text, str(server)
    ('DIN 43863-5:2012', '1LGZ0063539421', '0A014C475A0003C988DD')
    >>> bytes(server)
    b'\n\x01LGZ\x00\x03\xc9\x88\xdd'
    """

    raw: bytes
    form: ServerIdForm = field(init=False, compare=False)
    """Form of the octets; ``UNKNOWN`` only from :meth:`from_wire`."""

    def __init__(self, raw: bytes | bytearray | memoryview, *, allow_reserved: bool = False) -> None:
        raw = bytes(memoryview(raw))
        object.__setattr__(self, "raw", raw)
        object.__setattr__(self, "form", _form_of(raw, allow_reserved=allow_reserved))

    @classmethod
    def from_wire(cls, raw: bytes | bytearray | memoryview, *, allow_reserved: bool = False) -> Self:
        r"""Take the octets that a meter sent; what is of no known form is kept with the form ``UNKNOWN``.

        >>> ServerId.from_wire(b"\x0a\x01").form
        <ServerIdForm.UNKNOWN: 'unknown'>
        """
        raw = bytes(memoryview(raw))
        try:
            form = _form_of(raw, allow_reserved=allow_reserved)
        except DecodeError:
            form = ServerIdForm.UNKNOWN
        server = object.__new__(cls)
        object.__setattr__(server, "raw", raw)
        object.__setattr__(server, "form", form)
        return server

    @classmethod
    def parse(cls, text: str, *, allow_reserved: bool = False, edition: Edition | None = None) -> ServerId:
        """Read a server id from hex digits, or from a printed device id.

        Args:
            text: hex digits with blanks and colons anywhere, either case; or a device id as
                :meth:`DeviceId.parse` reads it. The two cannot be confused: no form has a first octet that begins
                like a device id of the same length.
            allow_reserved: also accept media that are not assigned.
            edition: edition of a printed device id.

        Raises:
            DecodeError: ``server_id``, no hex or no valid server id; ``device_id``, no valid device id.
            EncodeError: ``server_id``, a printed device id of medium G.

        >>> ServerId.parse("0A 01 4C 47 5A 00 03 C9 88 DD") == ServerId.parse("1 LGZ00 6353 9421")
        True
        """
        compact = text.replace(" ", "")
        if len(compact) in _PRINTED_LENGTHS and compact[1:4].isalpha():
            return DeviceId.parse(compact, allow_reserved=allow_reserved, edition=edition).server_id()
        digits = compact.replace(":", "")
        if not _HEX.fullmatch(digits):
            expected = "pairs of hex digits or a printed device id"
            raise DecodeError("server_id", f"expected {expected}, found {shown(text)}", source=Edition.DIN_2012.value)
        return cls(bytes.fromhex(digits), allow_reserved=allow_reserved)

    @classmethod
    def mbus(cls, flag: str, number: int, version: int, medium: int, *, wired: bool = False) -> Self:
        """Make the server id of a meter on M-Bus.

        Args:
            flag: manufacturer, three capital letters.
            number: 0 to 99,999,999.
            version: 0 to 255.
            medium: M-Bus medium, 0 to 255.
            wired: wired instead of wireless M-Bus.

        Raises:
            EncodeError: ``server_id`` or ``flag``, an argument is out of its range; ``path`` names it.

        >>> ServerId.mbus("EMH", 2806498, 1, 2).hex
        '01a815986480020102'
        """
        form = ServerIdForm.MBUS_WIRED if wired else ServerIdForm.MBUS_WIRELESS
        return cls(mbus_octets(form, MBusFields(flag, number, version, medium)))

    def __bytes__(self) -> bytes:
        return self.raw

    def __str__(self) -> str:
        return self.raw.hex().upper()

    def __repr__(self) -> str:
        return f"ServerId('{self}')"

    @property
    def hex(self) -> str:
        """The octets in lower-case hex; ``str`` gives upper case.

        >>> ServerId.parse("1LGZ0063539421").hex
        '0a014c475a0003c988dd'
        """
        return self.raw.hex()

    @property
    def text(self) -> str:
        """The id as people know it: as printed, FLAG and 8 digits, a MAC address, characters; else hex.

        >>> ServerId.parse("01A815986480020102").text, ServerId.parse("05 00 1B C5 00 00 01").text
        ('EMH02806498', '00:1b:c5:00:00:01')
        """
        if self.form in _EDITIONS:
            return str(self.device_id)
        if self.form in MBUS_FORMS:
            return f"{self.flag}{self.number:08d}"
        if self.form is ServerIdForm.MAC:
            return self.raw[1:].hex(":")
        return self.raw.decode("ascii") if self.form is ServerIdForm.ASCII else self.raw.hex()

    @property
    def device_id(self) -> DeviceId | None:
        """The device id in the three DIN forms, else ``None``.

        >>> ServerId.parse("064D554301001DD8594E").device_id.grouped
        '1 MUC 10 00 12345678'
        """
        edition = _EDITIONS.get(self.form)
        return None if edition is None else _device_of(self.raw, edition, allow_reserved=True)

    @property
    def flag(self) -> str | None:
        """Manufacturer code in the DIN and M-Bus forms, else ``None``.

        >>> ServerId.parse("0224010523AC484104").flag
        'REL'
        """
        if self.form in MBUS_FORMS:
            return mbus_fields(self.raw).flag
        device = self.device_id
        return None if device is None else device.flag

    @property
    def number(self) -> int | None:
        """Number of the meter in the DIN and M-Bus forms, 0 to 99,999,999, else ``None``.

        >>> ServerId.parse("0224010523AC484104").number
        23050124
        """
        if self.form in MBUS_FORMS:
            return mbus_fields(self.raw).number
        device = self.device_id
        return None if device is None else device.number

    @property
    def manufacturer(self) -> str | None:
        """Maker behind the manufacturer code; ``None`` without a code, or with one that is not in the table.

        >>> ServerId.parse("01E230197600150003").manufacturer
        'Landis+Gyr UK'
        """
        flag = self.flag
        return None if flag is None else manufacturer_of(flag)

    @property
    def version(self) -> int | None:
        """Version of the device in the M-Bus forms, 0 to 255, else ``None``.

        >>> ServerId.parse("0224010523AC484104").version
        65
        """
        return mbus_fields(self.raw).version if self.form in MBUS_FORMS else None

    @property
    def mbus_medium(self) -> int | None:
        """Medium in the M-Bus forms, 0 to 255, else ``None``; the numbers are not those of DIN 43863-5.

        >>> ServerId.parse("0224010523AC484104").mbus_medium
        4
        """
        return mbus_fields(self.raw).medium if self.form in MBUS_FORMS else None


def _refused(edition: Edition, path: str, expected: str, found: str) -> DecodeError:
    return DecodeError("device_id", f"expected {expected}, found {found}", path=path, source=edition.value)


def _digits(edition: Edition, path: str, text: str, base: int = 10) -> int:
    try:
        # int() alone would also take "+1" and "1_0".
        return int(text if text.isalnum() else "", base)
    except ValueError:
        kind = "hex" if base > 10 else "decimal"  # noqa: PLR2004 - ten digits are what decimal means
        raise _refused(edition, path, f"{len(text)} {kind} digits", shown(text)) from None


def _form_of(raw: bytes, *, allow_reserved: bool) -> ServerIdForm:
    """Find the form and check all that is known of it."""
    form = form_of(raw)
    edition = _EDITIONS.get(form)
    if edition is not None:
        try:
            _device_of(raw, edition, allow_reserved=allow_reserved)
        except DecodeError as error:
            raise DecodeError("server_id", error.detail, path=error.path, source=error.source) from None
    return form


def _device_of(raw: bytes, edition: Edition, *, allow_reserved: bool) -> DeviceId:
    medium, flag, year, block, number = din_fields(raw)
    return DeviceId(medium, flag, block, number, edition, year, allow_reserved=allow_reserved)
