"""What the Data Matrix code on the faceplate says: a text of four fields, in a format that can be replaced.

::

    63539421;1LGZ0063539421;0A014C475A0003C988DD;046B17...        175 characters
    |        |              |                    |
    serial   device id      server id            public key, 04 X Y in hex

The manual names the fields and their order; how they are written it does not say, and no payload of a real meter is
known. So a :class:`PayloadFormat` holds every decision, with its evidence grade, and nothing else depends on it:

=================  ==================================================  =====
format             payload                                             grade
=================  ==================================================  =====
``DEFAULT``        as above                                            OURS
``WITHOUT_SERIAL`` the manual's second list: device id, server id,     OURS
                   public key
``ISO_15434``      as above in an envelope of ISO/IEC 15434, format    OURS
                   06, with a data identifier before each field
=================  ==================================================  =====
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar

from e320proto.errors import DecodeError, EncodeError, shown
from e320proto.identity import DeviceId, ServerId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = TypeVar("_T")

SOURCE: Final = "Data Matrix payload of the reference meter"

GS: Final = "\x1d"
"""Group separator, between the fields in an envelope."""
_HEADER: Final = f"[)>\x1e06{GS}"
_TRAILER: Final = "\x1e\x04"
_RESERVED: Final = "\x1e\x04"

_MAX_CHARACTERS: Final = 3116  # digits in the largest ECC 200 symbol; no text is longer
_SERIAL_CHARACTERS: Final = 8
_POINT_OCTETS: Final = 65
_UNCOMPRESSED: Final = b"\x04"
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_SERIAL: Final = re.compile(r"[0-9]{8}")


class PayloadField(StrEnum):
    """A field of the payload, in the manual's order."""

    SERIAL = "serial"
    DEVICE_ID = "device_id"
    SERVER_ID = "server_id"
    PUBLIC_KEY = "public_key"


_IDENTIFIERS: Final = {
    PayloadField.SERIAL: "S",
    PayloadField.DEVICE_ID: "1Z",
    PayloadField.SERVER_ID: "2Z",
    PayloadField.PUBLIC_KEY: "3Z",
}
"""Data identifiers in an envelope: S is a serial number (ANSI MH10.8.2, general knowledge), Z is free for agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFormat:
    """How the fields are written.

    Args:
        name: name of the format.
        grade: evidence grade; the grades are those of :mod:`e320proto.meter.config`.
        fields: which fields, in which order; each at most once.
        separator: one ASCII character that no field can hold; in an envelope always GS.
        envelope: in an envelope of ISO/IEC 15434.
        serial: the serial number alone, or the whole device id in its place.
        public_key: the point in hex, its coordinates without the leading 04 in hex, or the point in base64.

    Raises:
        ValueError: a field twice or none at all, or a separator that a field can hold.

    >>> PayloadFormat(name="mine", separator="|", public_key="base64").separator
    '|'
    """

    name: str
    grade: str = "OURS"
    fields: tuple[PayloadField, ...] = tuple(PayloadField)
    separator: str = ";"
    envelope: bool = False
    serial: Literal["number", "device_id"] = "number"
    public_key: Literal["point", "coordinates", "base64"] = "point"

    def __post_init__(self) -> None:
        """Refuse formats that could not be read again."""
        if not self.fields or len(set(self.fields)) != len(self.fields):
            msg = f"fields: expected one field or more, each once, found {shown(self.fields)}"
            raise ValueError(msg)
        ends = _RESERVED if self.envelope else ""
        in_a_field = self.separator.isalnum() or self.separator in f"+/={ends}"
        if len(self.separator) != 1 or not self.separator.isascii() or in_a_field:
            msg = f"separator: expected one ASCII character, no letter, digit, +, / or =, found {shown(self.separator)}"
            raise ValueError(msg)
        if self.envelope and self.separator != GS:
            msg = f"separator: expected GS in an envelope, found {shown(self.separator)}"
            raise ValueError(msg)


DEFAULT: Final = PayloadFormat(name="default")
WITHOUT_SERIAL: Final = PayloadFormat(name="without serial", fields=tuple(PayloadField)[1:])
ISO_15434: Final = PayloadFormat(name="ISO 15434", envelope=True, separator=GS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMatrixPayload:
    """What a Data Matrix code says about its meter; a field that it does not say is ``None``.

    Args:
        serial: 8 digits.
        device_id: the device id.
        server_id: the server id.
        public_key: the point, 65 octets with the leading 04.
        extra: fields beyond those of the format, as read.

    Source: E320 manual, faceplate description; the way of writing is a decision.

    >>> device = DeviceId.parse("1LGZ0063539421")
    >>> payload = DataMatrixPayload.of(device)
    >>> payload.text()
    '63539421;1LGZ0063539421;0A014C475A0003C988DD;'
    >>> DataMatrixPayload.parse("63539421;1LGZ0063539421;0A014C475A0003C988DD") == payload
    True
    >>> DataMatrixPayload.parse("63539422;1LGZ0063539421;0A014C475A0003C988DD").conflicts
    ("serial: 63539422, but 63539421 after device_id '1LGZ0063539421'",)
    """

    serial: str | None = None
    device_id: DeviceId | None = None
    server_id: ServerId | None = None
    public_key: bytes | None = None
    extra: tuple[str, ...] = ()

    @classmethod
    def of(cls, device_id: DeviceId, public_key: bytes | None = None, *, serial: str | None = None) -> Self:
        """Make the payload of a meter.

        Args:
            device_id: the device id.
            public_key: the point, 65 octets.
            serial: 8 digits; by default those at the end of the device id.
        """
        return cls(
            serial=_serial_of(device_id) if serial is None else serial,
            device_id=device_id,
            server_id=device_id.server_id(),
            public_key=public_key,
        )

    @classmethod
    def parse(cls, text: str, form: PayloadFormat = DEFAULT, *, strict: bool = False) -> Self:
        """Read a payload.

        Args:
            text: the text in the code.
            form: its format.
            strict: exactly the fields of the format. By default the public key may be missing, and further fields
                at the end are kept in ``extra``.

        Raises:
            DecodeError: ``payload``, no ASCII or too long; ``envelope``, no envelope; ``field_count``, too few fields
                or, if strict, too many; ``field_value``, a field of another form. ``path`` names the field.
        """
        if not text.isascii() or len(text) > _MAX_CHARACTERS:
            detail = f"expected at most {_MAX_CHARACTERS} ASCII characters, found {len(text)}, {shown(text)}"
            raise DecodeError("payload", detail, source=SOURCE)
        texts = _fields_in(text, form)
        wanted = form.fields
        if not strict and len(texts) == len(wanted) - 1:
            wanted = tuple(name for name in wanted if name is not PayloadField.PUBLIC_KEY)
        if len(texts) < len(wanted) or (strict and len(texts) > len(wanted)):
            detail = f"expected {len(wanted)} fields, found {len(texts)} in {shown(text)}"
            raise DecodeError("field_count", detail, source=SOURCE)
        found = dict(zip(wanted, texts, strict=False))
        key = _parts(found, PayloadField.PUBLIC_KEY, form)
        if key == "" and not strict:  # so is a missing key written
            key = None
        return cls(
            serial=_read(PayloadField.SERIAL, _parts(found, PayloadField.SERIAL, form), _read_serial(form)),
            device_id=_read(PayloadField.DEVICE_ID, _parts(found, PayloadField.DEVICE_ID, form), DeviceId.parse),
            server_id=_read(PayloadField.SERVER_ID, _parts(found, PayloadField.SERVER_ID, form), _read_server_id),
            public_key=_read(PayloadField.PUBLIC_KEY, key, _read_key(form)),
            extra=tuple(texts[len(wanted) :]),
        )

    def text(self, form: PayloadFormat = DEFAULT) -> str:
        """Write the payload; a missing public key is an empty field.

        Raises:
            EncodeError: ``missing_field``, the format has a field that is not there; ``field_value``, a value that
                the format cannot write. ``path`` names the field.

        >>> device = DeviceId.parse("1LGZ0063539421")
        >>> DataMatrixPayload.of(device).text(WITHOUT_SERIAL)
        '1LGZ0063539421;0A014C475A0003C988DD;'
        """
        inner = form.separator.join(
            [*(f"{_identifier(name, form)}{self._written(name, form)}" for name in form.fields), *self._extra(form)]
        )
        text = f"{_HEADER}{inner}{_TRAILER}" if form.envelope else inner
        if len(text) > _MAX_CHARACTERS:
            raise EncodeError("too_long", f"expected at most {_MAX_CHARACTERS} characters", value=len(text))
        return text

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Where serial number, device id and server id do not agree; which of them is right is not decided."""
        device = self.device_id or (None if self.server_id is None else self.server_id.device_id)
        if device is None:
            return ()
        by = f"after {'device_id' if self.device_id else 'server_id'} {str(device)!r}"
        found = []
        if self.serial is not None and self.serial != _serial_of(device):
            found.append(f"serial: {self.serial}, but {_serial_of(device)} {by}")
        if self.server_id is not None and self.server_id != device.server_id():
            found.append(f"server_id: {self.server_id}, but {device.server_id()} {by}")
        return tuple(found)

    def _written(self, name: PayloadField, form: PayloadFormat) -> str:
        if name is PayloadField.PUBLIC_KEY:
            return "" if self.public_key is None else _written_key(self.public_key, form)
        value: object = getattr(self, name)
        if value is None:
            raise EncodeError("missing_field", f"expected a value for format {form.name!r}", path=name)
        if name is PayloadField.SERIAL and not _SERIAL.fullmatch(str(value)):
            raise EncodeError("field_value", "expected 8 digits", path=name, value=value)
        if name is PayloadField.SERIAL and form.serial == "device_id":
            if self.device_id is None or value != _serial_of(self.device_id):
                expected = f"expected the device id with number {value}"
                raise EncodeError("field_value", expected, path=name, value=self.device_id)
            return str(self.device_id)
        return str(value)

    def _extra(self, form: PayloadFormat) -> tuple[str, ...]:
        for text in self.extra:
            # Without an envelope nothing but the separator ends a field.
            ends = {form.separator, *(_RESERVED if form.envelope else "")}
            if not text.isascii() or ends & set(text):
                raise EncodeError("field_value", "expected ASCII without the separator", path="extra", value=text)
        return self.extra


def _identifier(name: PayloadField, form: PayloadFormat) -> str:
    return _IDENTIFIERS[name] if form.envelope else ""


def _fields_in(text: str, form: PayloadFormat) -> Sequence[str]:
    if not form.envelope:
        return text.split(form.separator)
    if not (text.startswith(_HEADER) and text.endswith(_TRAILER) and len(text) >= len(_HEADER) + len(_TRAILER)):
        raise DecodeError("envelope", f"expected {_HEADER!r} ... {_TRAILER!r}, found {shown(text)}", source=SOURCE)
    return text[len(_HEADER) : -len(_TRAILER)].split(form.separator)


def _parts(found: dict[PayloadField, str], name: PayloadField, form: PayloadFormat) -> str | None:
    """The text of a field without its data identifier, ``None`` if the field is not there."""
    text = found.get(name)
    if text is None:
        return None
    identifier = _identifier(name, form)
    if not text.startswith(identifier):
        detail = f"expected data identifier {identifier}, found {shown(text)}"
        raise DecodeError("field_value", detail, path=name, source=SOURCE)
    return text[len(identifier) :]


def _read(name: PayloadField, text: str | None, read: Callable[[str], _T]) -> _T | None:
    if text is None:
        return None
    try:
        return read(text)
    except DecodeError as error:
        raise DecodeError("field_value", error.detail, path=name, source=SOURCE) from error


def _serial_of(device: DeviceId) -> str:
    return str(device)[-_SERIAL_CHARACTERS:]


def _read_serial(form: PayloadFormat) -> Callable[[str], str]:
    if form.serial == "device_id":
        return lambda text: _serial_of(DeviceId.parse(text))
    return _eight_digits


def _eight_digits(text: str) -> str:
    if not _SERIAL.fullmatch(text):
        raise DecodeError("serial", f"expected 8 digits, found {shown(text)}")
    return text


def _read_server_id(text: str) -> ServerId:
    # Not ServerId.parse: it would take a device id, too.
    if not _HEX.fullmatch(text):
        raise DecodeError("server_id", f"expected pairs of hex digits, found {shown(text)}")
    return ServerId(bytes.fromhex(text))


def _read_key(form: PayloadFormat) -> Callable[[str], bytes]:
    def read(text: str) -> bytes:
        try:
            octets = base64.b64decode(text, validate=True) if form.public_key == "base64" else bytes.fromhex(text)
        except (binascii.Error, ValueError):
            octets = b""
        if form.public_key == "coordinates":
            octets = _UNCOMPRESSED + octets
        if len(octets) != _POINT_OCTETS or not octets.startswith(_UNCOMPRESSED):
            raise DecodeError("public_key", f"expected {_KEY_FORMS[form.public_key]}, found {shown(text)}")
        return octets

    return read


_KEY_FORMS: Final = {
    "point": "130 hex digits, 04 X Y",
    "coordinates": "128 hex digits, X Y",
    "base64": "65 octets 04 X Y in base64",
}


def _written_key(point: bytes, form: PayloadFormat) -> str:
    if len(point) != _POINT_OCTETS or not point.startswith(_UNCOMPRESSED):
        raise EncodeError("field_value", "expected 65 octets, 04 X Y", path=PayloadField.PUBLIC_KEY, value=point)
    if form.public_key == "base64":
        return base64.b64encode(point).decode("ascii")
    return (point if form.public_key == "point" else point[1:]).hex().upper()
