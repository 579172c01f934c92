"""The payload of the Data Matrix code: every format both ways, and what of it contradicts itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError, EncodeError
from e320proto.identity import DeviceId, ServerId
from e320proto.meter.datamatrix_payload import (
    DEFAULT,
    ISO_15434,
    WITHOUT_SERIAL,
    DataMatrixPayload,
    PayloadField,
    PayloadFormat,
)
from tests.meter.vectors import VECTORS

DEVICE = DeviceId.parse("1LGZ0063539421")
POINT = bytes([4, *range(64)])
HEX = POINT.hex().upper()
TEXT = f"63539421;1LGZ0063539421;0A014C475A0003C988DD;{HEX}"
PAYLOAD = DataMatrixPayload.of(DEVICE, POINT)

BASE64 = PayloadFormat(name="base64", separator="|", public_key="base64")
LONG = PayloadFormat(name="long serial", serial="device_id")
COORDINATES = PayloadFormat(name="coordinates", public_key="coordinates", separator="\x1d")
BACKWARDS = PayloadFormat(name="backwards", fields=tuple(PayloadField)[::-1])
FORMATS = [DEFAULT, WITHOUT_SERIAL, ISO_15434, BASE64, LONG, COORDINATES, BACKWARDS]

devices = st.builds(
    DeviceId,
    st.sampled_from("147E"),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
    st.integers(0, 99),
    st.integers(0, 99_999_999),
)
points = st.binary(min_size=64, max_size=64).map(lambda xy: b"\x04" + xy)


def with_extra(text: str) -> DataMatrixPayload:
    return replace(DataMatrixPayload.of(DEVICE), extra=(text,))


def error_of(text: str, form: PayloadFormat = DEFAULT, *, strict: bool = False) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        DataMatrixPayload.parse(text, form, strict=strict)
    return caught.value


def test_the_default_payload() -> None:
    assert PAYLOAD.text() == TEXT
    assert len(TEXT) == 175
    payload = DataMatrixPayload.parse(TEXT, strict=True)
    assert payload == PAYLOAD
    assert (payload.serial, payload.device_id, payload.public_key) == ("63539421", DEVICE, POINT)
    assert payload.server_id == ServerId.parse("0A014C475A0003C988DD")
    assert payload.conflicts == payload.extra == ()


def test_device_ids_of_the_vectors() -> None:
    valid = VECTORS["device_ids"]["valid"]
    assert valid
    for vector in valid:
        text = DataMatrixPayload.of(DeviceId.parse(vector["device_id"])).text()
        assert text == f"{vector['number']:08d};{vector['device_id']};{vector['server_id'].upper()};"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (WITHOUT_SERIAL, f"1LGZ0063539421;0A014C475A0003C988DD;{HEX}"),
        (
            ISO_15434,
            f"[)>\x1e06\x1dS63539421\x1d1Z1LGZ0063539421\x1d2Z0A014C475A0003C988DD\x1d3Z{HEX}\x1e\x04",
        ),
        (LONG, f"1LGZ0063539421;1LGZ0063539421;0A014C475A0003C988DD;{HEX}"),
        (COORDINATES, f"63539421\x1d1LGZ0063539421\x1d0A014C475A0003C988DD\x1d{HEX[2:]}"),
        (BACKWARDS, f"{HEX};0A014C475A0003C988DD;1LGZ0063539421;63539421"),
    ],
    ids=lambda value: value.name if isinstance(value, PayloadFormat) else None,
)
def test_other_formats(form: PayloadFormat, text: str) -> None:
    assert PAYLOAD.text(form) == text


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@given(device=devices, point=points | st.none(), extra=st.lists(st.from_regex(r"\A[A-Za-z0-9 ]*\Z"), max_size=2))
def test_every_format_goes_both_ways(
    form: PayloadFormat, device: DeviceId, point: bytes | None, extra: list[str]
) -> None:
    made = DataMatrixPayload.of(device, point)
    with_serial = PayloadField.SERIAL in form.fields
    payload = DataMatrixPayload(
        serial=made.serial if with_serial else None,
        device_id=device,
        server_id=made.server_id,
        public_key=point,
        extra=tuple(extra),
    )
    text = payload.text(form)
    assert DataMatrixPayload.parse(text, form) == payload
    assert DataMatrixPayload.parse(text, form).text(form) == text
    assert payload.conflicts == ()


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_key_may_be_missing_unless_strict(form: PayloadFormat) -> None:
    with_key = PAYLOAD.text(form)
    key = DataMatrixPayload.of(DEVICE).text(form)  # the field is there and empty
    assert DataMatrixPayload.parse(key, form).public_key is None
    assert error_of(key, form, strict=True).path == "public_key"
    head, body, tail = ("[)>\x1e06\x1d", with_key[7:-2], "\x1e\x04") if form.envelope else ("", with_key, "")
    fields = body.split(form.separator)
    del fields[form.fields.index(PayloadField.PUBLIC_KEY)]
    short = f"{head}{form.separator.join(fields)}{tail}"
    assert DataMatrixPayload.parse(short, form) == DataMatrixPayload.parse(key, form)
    assert error_of(short, form, strict=True).reason == "field_count"


def test_further_fields_are_kept_unless_strict() -> None:
    payload = DataMatrixPayload.parse(f"{TEXT};x;;y z")
    assert payload.extra == ("x", "", "y z")
    assert payload.text() == f"{TEXT};x;;y z"
    assert error_of(f"{TEXT};x", strict=True).reason == "field_count"


def test_small_letters_and_blanks_are_read() -> None:
    text = f"63539421;1 lgz00 6353 9421;0a014c475a0003c988dd;{HEX.lower()}"
    assert DataMatrixPayload.parse(text) == PAYLOAD


@pytest.mark.parametrize(
    ("text", "conflicts"),
    [
        ("63539422;1LGZ0063539421;0A014C475A0003C988DD", ["serial: 63539422, but 63539421"]),
        ("63539421;1LGZ0063539421;0A014C475A0003C988DE", ["server_id: 0A014C475A0003C988DE, but 0A014C475A0003C988DD"]),
        ("63539420;1LGZ0063539421;0A014C475A0003C988DE", ["serial: 63539420", "server_id: 0A014C475A0003C988DE"]),
    ],
)
def test_conflicts_are_reported_and_nothing_is_chosen(text: str, conflicts: list[str]) -> None:
    payload = DataMatrixPayload.parse(text)
    assert payload.text() == f"{text};"
    assert len(payload.conflicts) == len(conflicts)
    for said, wanted in zip(payload.conflicts, conflicts, strict=True):
        assert said.startswith(wanted)
        assert "after device_id '1LGZ0063539421'" in said


def test_conflicts_without_a_device_id() -> None:
    server = DEVICE.server_id()
    assert DataMatrixPayload(serial="63539421", server_id=server).conflicts == ()
    (said,) = DataMatrixPayload(serial="00000001", server_id=server).conflicts
    assert "after server_id '1LGZ0063539421'" in said
    assert DataMatrixPayload(serial="00000001").conflicts == ()
    assert DataMatrixPayload(serial="00000001", server_id=ServerId.parse("01A815986480020102")).conflicts == ()


@pytest.mark.parametrize(
    ("text", "reason", "path"),
    [
        ("", "field_count", ""),
        ("63539421;1LGZ0063539421", "field_count", ""),
        (f"6353942;1LGZ0063539421;0A014C475A0003C988DD;{HEX}", "field_value", "serial"),
        (f"6353942x;1LGZ0063539421;0A014C475A0003C988DD;{HEX}", "field_value", "serial"),
        (f"63539421;1L1Z0063539421;0A014C475A0003C988DD;{HEX}", "field_value", "device_id"),
        (f"63539421;1LGZ0063539421;0A014C475A0003C988;{HEX}", "field_value", "server_id"),
        (f"63539421;1LGZ0063539421;1LGZ0063539421;{HEX}", "field_value", "server_id"),
        (f"63539421;1LGZ0063539421;0A014C475A0003C988DD;{HEX[:-2]}", "field_value", "public_key"),
        (f"63539421;1LGZ0063539421;0A014C475A0003C988DD;03{HEX[2:]}", "field_value", "public_key"),
        (f"63539421;1LGZ0063539421;0A014C475A0003C988DD;0X{HEX[2:]}", "field_value", "public_key"),
        (f"63539421\u0661;1LGZ0063539421;0A014C475A0003C988DD;{HEX}", "payload", ""),
        ("x" * 3117, "payload", ""),
    ],
)
def test_payloads_of_another_form_are_refused(text: str, reason: str, path: str) -> None:
    error = error_of(text)
    assert (error.reason, error.path) == (reason, path)
    assert "expected" in error.detail
    assert "found" in error.detail
    assert len(str(error)) < 400


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(0, 8), slice(0, 0)])
def test_an_envelope_has_both_ends(cut: slice) -> None:
    assert error_of(PAYLOAD.text(ISO_15434)[cut], ISO_15434).reason == "envelope"


def test_a_field_in_an_envelope_has_its_identifier() -> None:
    error = error_of(PAYLOAD.text(ISO_15434).replace("2Z0A", "4Z0A"), ISO_15434)
    assert (error.reason, error.path) == ("field_value", "server_id")
    assert "expected data identifier 2Z" in error.detail


def test_base64_is_read_strictly() -> None:
    text = PAYLOAD.text(BASE64)
    assert DataMatrixPayload.parse(text, BASE64) == PAYLOAD
    assert error_of(text[:-2], BASE64).path == "public_key"
    assert error_of(text.replace("A", "!"), BASE64).reason == "field_value"


@pytest.mark.parametrize(
    ("payload", "form", "reason", "path"),
    [
        (DataMatrixPayload(), DEFAULT, "missing_field", "serial"),
        (DataMatrixPayload(), WITHOUT_SERIAL, "missing_field", "device_id"),
        (DataMatrixPayload(device_id=DEVICE), WITHOUT_SERIAL, "missing_field", "server_id"),
        (DataMatrixPayload.of(DEVICE, serial="123"), DEFAULT, "field_value", "serial"),
        (DataMatrixPayload.of(DEVICE, serial="00000001"), LONG, "field_value", "serial"),
        (DataMatrixPayload.of(DEVICE, POINT[1:]), DEFAULT, "field_value", "public_key"),
        (DataMatrixPayload.of(DEVICE, b"\x02" + POINT[1:]), DEFAULT, "field_value", "public_key"),
        (with_extra("a;b"), DEFAULT, "field_value", "extra"),
        (with_extra("\x04"), ISO_15434, "field_value", "extra"),
    ],
)
def test_what_cannot_be_written_is_refused(
    payload: DataMatrixPayload, form: PayloadFormat, reason: str, path: str
) -> None:
    with pytest.raises(EncodeError) as caught:
        payload.text(form)
    assert (caught.value.reason, caught.value.path) == (reason, path)


def test_a_payload_that_no_symbol_holds_is_refused() -> None:
    device = DataMatrixPayload.of(DEVICE)
    payload = DataMatrixPayload(serial=device.serial, device_id=DEVICE, server_id=device.server_id, extra=("x" * 3100,))
    with pytest.raises(EncodeError, match="at most 3116 characters"):
        payload.text()


@pytest.mark.parametrize("separator", ["", "A", "z", "7", "+", "/", "=", ";;", "\u00a7", "\u0661"])
def test_separators_that_a_field_can_hold_are_refused(separator: str) -> None:
    with pytest.raises(ValueError, match=r"^separator: expected"):
        PayloadFormat(name="bad", separator=separator)


@pytest.mark.parametrize("separator", [";", "\x1e", "\x04"])
def test_an_envelope_separates_by_gs(separator: str) -> None:
    with pytest.raises(ValueError, match=r"^separator: expected"):
        PayloadFormat(name="bad", envelope=True, separator=separator)


@pytest.mark.parametrize("fields", [(), (PayloadField.SERIAL, PayloadField.SERIAL)])
def test_each_field_is_there_once(fields: tuple[PayloadField, ...]) -> None:
    with pytest.raises(ValueError, match=r"^fields: expected"):
        PayloadFormat(name="bad", fields=fields)
