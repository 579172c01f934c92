"""Device ids and server ids in all their forms."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError, EncodeError, shown
from e320proto.identity import DeviceId, Edition, ServerId, ServerIdForm, flag_of, manufacturer_of, mbus_number
from e320proto.manufacturers import MANUFACTURERS
from e320proto.server_id_forms import MBusFields, mbus_octets

if TYPE_CHECKING:
    from pathlib import Path


flags = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
numbers = st.integers(min_value=0, max_value=99_999_999)
blocks = st.integers(min_value=0, max_value=99)
years = st.integers(min_value=0, max_value=99)
octets = st.integers(min_value=0, max_value=255)

devices_2012 = st.builds(DeviceId, st.sampled_from("01456789E"), flags, blocks, numbers)
devices_2010_07 = st.builds(
    DeviceId, st.sampled_from("01456789E"), flags, octets, numbers, st.just(Edition.DIN_2010_07)
)
devices_2010_02 = st.builds(
    DeviceId, st.sampled_from("01456789"), flags, blocks, numbers, st.just(Edition.DIN_2010_02), years
)
devices = devices_2012 | devices_2010_07 | devices_2010_02


@pytest.fixture(scope="module")
def vectors(shared: Path) -> Any:  # noqa: ANN401 - the shape of the file is what the tests are about
    return json.loads((shared / "vectors" / "base-meter.json").read_text(encoding="utf-8"))["device_ids"]


def device_error(text: str, edition: Edition | None = None) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        DeviceId.parse(text, edition=edition)
    assert caught.value.reason == "device_id"
    return caught.value


def server_error(raw: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        ServerId(raw)
    assert caught.value.reason == "server_id"
    return caught.value


class TestVectors:
    def test_valid(self, vectors: Any) -> None:  # noqa: ANN401 - see the fixture
        assert vectors["valid"]
        for case in vectors["valid"]:
            device = DeviceId.parse(case["device_id"])
            server = ServerId(bytes.fromhex(case["server_id"]))
            assert (device.medium, device.flag) == (case["medium"], case["flag"])
            assert (device.block, device.number) == (case["block"], case["number"])
            assert (str(device), device.printed) == (case["device_id"], case["display"])
            assert device.server_id() == server
            assert server.device_id == device
            assert (server.text, server.hex) == (case["device_id"], case["server_id"])

    def test_lenient(self, vectors: Any) -> None:  # noqa: ANN401 - see the fixture
        assert vectors["lenient_inputs"]
        for case in vectors["lenient_inputs"]:
            assert str(DeviceId.parse(case["input"])) == case["device_id"]

    def test_invalid_device_ids(self, vectors: Any) -> None:  # noqa: ANN401 - see the fixture
        assert vectors["invalid_device_ids"]
        for case in vectors["invalid_device_ids"]:
            device_error(case["input"])

    def test_invalid_server_ids(self, vectors: Any) -> None:  # noqa: ANN401 - see the fixture
        assert vectors["invalid_server_ids"]
        for case in vectors["invalid_server_ids"]:
            raw = bytes.fromhex(case["hex"])
            server_error(raw)
            kept = ServerId.from_wire(raw)
            assert (kept.form, kept.raw, kept.text) == (ServerIdForm.UNKNOWN, raw, case["hex"])

    def test_other_forms(self, vectors: Any) -> None:  # noqa: ANN401 - see the fixture
        assert vectors["other_forms"]
        for case in vectors["other_forms"]:
            server = ServerId.parse(case["server_id"])
            fields = case["fields"]
            assert server.form.value == case["form"]
            assert server.flag == fields["flag"]
            assert server.number == int(fields.get("number", fields.get("id")))
            assert (server.version, server.mbus_medium) == (fields.get("version"), fields.get("mbus_medium"))
            assert (server.device_id is not None) == ("device_id" in case)
            if server.device_id is not None:
                device = server.device_id
                assert (str(device), server.text) == (case["device_id"], case["device_id"])
                assert device.server_id() == server
                assert (device.medium, device.year) == (fields["medium"], fields.get("year"))
                assert device.block == (fields["block"] if "year" in fields else int(fields["block"], 16))


class TestDeviceIdText:
    def test_reads_the_three_editions(self) -> None:
        assert DeviceId.parse("1LGZ0063539421") == DeviceId("1", "LGZ", 0, 63539421)
        assert DeviceId.parse("EMUCAB12345678", edition=Edition.DIN_2010_07) == DeviceId(
            "E", "MUC", 0xAB, 12345678, Edition.DIN_2010_07
        )
        assert DeviceId.parse("1EMH110103076421") == DeviceId("1", "EMH", 1, 3076421, Edition.DIN_2010_02, 11)

    @pytest.mark.parametrize(
        "text",
        [
            "1lgz0063539421",
            "1 LGZ 00 63539421",
            "1 LGZ00 6353 9421",
            " 1 l g z 0 0 6 3 5 3 9 4 2 1 ",
            "1LGZ00 63539421",
        ],
    )
    def test_blanks_and_case_do_not_matter(self, text: str) -> None:
        assert str(DeviceId.parse(text)) == "1LGZ0063539421"

    @given(devices)
    def test_reads_back_in_every_grouping(self, device: DeviceId) -> None:
        for text in (str(device), device.printed, device.grouped, str(device).lower()):
            assert DeviceId.parse(text, edition=device.edition) == device

    @given(devices_2012 | devices_2010_02)
    def test_needs_no_edition_but_for_2010_07(self, device: DeviceId) -> None:
        assert DeviceId.parse(str(device)) == device

    @pytest.mark.parametrize(
        ("text", "path", "detail"),
        [
            ("", "", "expected 14 or 16 ASCII characters without blanks, found 0, ''"),
            ("1LGZ006353942", "", "expected 14 or 16 ASCII characters without blanks, found 13, '1LGZ006353942'"),
            ("1LGZ00635394210", "", "expected 14 or 16 ASCII characters without blanks, found 15, '1LGZ00635394210'"),
            ("1LGÄ0063539421", "", "expected 14 or 16 ASCII characters without blanks, found 14, '1LGÄ0063539421'"),
            ("1LGZ00635394٣1", "", "expected 14 or 16 ASCII characters without blanks, found 14, '1LGZ00635394٣1'"),
            ("1LGZ0\t63539421", "block", "expected 2 decimal digits, found '0\\t'"),
            ("1L1Z0063539421", "flag", "expected three letters A to Z, found 'L1Z'"),
            ("1LGZ0A63539421", "block", "expected 2 decimal digits, found '0A'"),
            ("1LGZ+163539421", "block", "expected 2 decimal digits, found '+1'"),
            ("1LGZ00635394X1", "number", "expected 8 decimal digits, found '635394X1'"),
            ("1LGZ006_539421", "number", "expected 8 decimal digits, found '6_539421'"),
            ("1EMH1X0003076421", "year", "expected 2 decimal digits, found '1X'"),
            ("BLGZ0063539421", "medium", "expected a medium out of 01456789E, found 'B'"),
            ("LGZ10063539421", "medium", "expected a medium out of 01456789E, found 'L'"),
            ("EEMH110003076421", "medium", "expected a medium out of 01456789, found 'E'"),
        ],
    )
    def test_errors_say_what_and_where(self, text: str, path: str, detail: str) -> None:
        error = device_error(text)
        assert (error.path, error.detail) == (path, detail)

    @pytest.mark.parametrize(
        ("text", "edition", "detail"),
        [
            ("1LGZ0063539421", Edition.DIN_2010_02, "expected 16 ASCII characters without blanks, found 14, "),
            ("1EMH110003076421", Edition.DIN_2012, "expected 14 ASCII characters without blanks, found 16, "),
            ("1EMH110003076421", Edition.DIN_2010_07, "expected 14 ASCII characters without blanks, found 16, "),
            ("EMUCXY12345678", Edition.DIN_2010_07, "expected 2 hex digits, found 'XY'"),
            ("EMUC+112345678", Edition.DIN_2010_07, "expected 2 hex digits, found '+1'"),
        ],
    )
    def test_errors_of_a_given_edition(self, text: str, edition: Edition, detail: str) -> None:
        error = device_error(text, edition)
        assert detail in error.detail
        assert error.source == edition.value

    def test_hostile_text_makes_a_short_error(self) -> None:
        assert len(str(device_error("1" * 1_000_000))) < 150

    @pytest.mark.parametrize(
        ("device", "compact", "printed", "grouped"),
        [
            (DeviceId("1", "LGZ", 0, 63539421), "1LGZ0063539421", "1 LGZ00 6353 9421", "1 LGZ 00 63539421"),
            (DeviceId("E", "PPC", 2, 5), "EPPC0200000005", "E PPC02 0000 0005", "E PPC 02 00000005"),
            (
                DeviceId("E", "MUC", 0xAB, 12345678, Edition.DIN_2010_07),
                "EMUCAB12345678",
                "E MUCAB 1234 5678",
                "E MUC AB 12345678",
            ),
            (
                DeviceId("1", "EMH", 0, 3076421, Edition.DIN_2010_02, 1),
                "1EMH010003076421",
                "1 EMH01 00 0307 6421",
                "1 EMH 01 00 03076421",
            ),
        ],
    )
    def test_groupings(self, device: DeviceId, compact: str, printed: str, grouped: str) -> None:
        assert (str(device), device.printed, device.grouped) == (compact, printed, grouped)


class TestDeviceIdParts:
    def test_names(self) -> None:
        device = DeviceId("1", "LGZ", 0, 63539421)
        assert (device.manufacturer, device.medium_name) == ("Landis+Gyr (Zug)", "electricity")
        stranger = DeviceId("A", "QQQ", 0, 1, allow_reserved=True)
        assert (stranger.manufacturer, stranger.medium_name) == (None, "unassigned")

    @pytest.mark.parametrize("medium", "23ABCDFG")
    def test_reserved_media_are_for_those_who_ask(self, medium: str) -> None:
        assert device_error(f"{medium}LGZ0063539421").path == "medium"
        with pytest.raises(DecodeError, match="expected a medium out of 01456789E"):
            DeviceId(medium, "LGZ", 0, 63539421)
        device = DeviceId.parse(f"{medium}LGZ0063539421", allow_reserved=True)
        assert device.medium == medium
        assert DeviceId(medium, "LGZ", 0, 63539421, allow_reserved=True) == device

    @pytest.mark.parametrize("medium", ["H", "Z", "", "11", "e", "-"])
    def test_no_medium_at_all(self, medium: str) -> None:
        with pytest.raises(DecodeError, match="expected a medium out of 0123456789ABCDEFG"):
            DeviceId(medium, "LGZ", 0, 1, allow_reserved=True)

    @pytest.mark.parametrize(
        ("medium", "edition", "year"),
        [("A", Edition.DIN_2010_02, 10), ("G", Edition.DIN_2010_02, 10), ("G", Edition.DIN_2010_07, None)],
    )
    def test_media_without_room_in_an_edition(self, medium: str, edition: Edition, year: int | None) -> None:
        with pytest.raises(DecodeError, match="expected a medium out of 0123456789") as caught:
            DeviceId(medium, "LGZ", 0, 1, edition, year, allow_reserved=True)
        assert caught.value.path == "medium"

    @pytest.mark.parametrize("medium", "23")
    def test_reserved_media_of_2010_02(self, medium: str) -> None:
        device = DeviceId(medium, "LGZ", 0, 1, Edition.DIN_2010_02, 10, allow_reserved=True)
        assert device.server_id().device_id == device

    @pytest.mark.parametrize("flag", ["", "LG", "LGZZ", "lgz", "L1Z", "LGÄ", "LGZ\n"])
    def test_flag_is_three_letters(self, flag: str) -> None:
        with pytest.raises(DecodeError, match="expected three letters A to Z") as caught:
            DeviceId("1", flag, 0, 1)
        assert caught.value.path == "flag"

    @pytest.mark.parametrize(
        ("block", "number", "edition", "year", "path"),
        [
            (-1, 0, Edition.DIN_2012, None, "block"),
            (100, 0, Edition.DIN_2012, None, "block"),
            (256, 0, Edition.DIN_2010_07, None, "block"),
            (100, 0, Edition.DIN_2010_02, 10, "block"),
            (0, -1, Edition.DIN_2012, None, "number"),
            (0, 100_000_000, Edition.DIN_2012, None, "number"),
            (0, 100_000_000, Edition.DIN_2010_07, None, "number"),
            (0, 100_000_000, Edition.DIN_2010_02, 10, "number"),
            (0, 0, Edition.DIN_2010_02, None, "year"),
            (0, 0, Edition.DIN_2010_02, -1, "year"),
            (0, 0, Edition.DIN_2010_02, 100, "year"),
            (0, 0, Edition.DIN_2012, 10, "year"),
            (0, 0, Edition.DIN_2010_07, 10, "year"),
        ],
    )
    def test_ranges(self, block: int, number: int, edition: Edition, year: int | None, path: str) -> None:
        with pytest.raises(DecodeError) as caught:
            DeviceId("1", "LGZ", block, number, edition, year)
        assert (caught.value.reason, caught.value.path) == ("device_id", path)

    @pytest.mark.parametrize("wrong", [0.5, 1.0, "1", None, True, 10**5000, -(10**5000)], ids=shown)
    def test_parts_are_integers_of_a_length_to_show(self, wrong: Any) -> None:  # noqa: ANN401 - wrong ones
        found = f"found {shown(wrong)} "
        for path, parts in {
            "block": (wrong, 1),
            "number": (0, wrong),
            "year": (0, 1, Edition.DIN_2010_02, wrong),
        }.items():
            with pytest.raises(DecodeError, match=r"^expected ") as caught:
                DeviceId("1", "LGZ", *parts)
            assert (caught.value.reason, caught.value.path) == ("device_id", path)
            assert found in str(caught.value)

    def test_a_switch_is_no_attribute(self) -> None:
        device = DeviceId("3", "LGZ", 0, 1, allow_reserved=True)
        for owner in (DeviceId, device, ServerId, device.server_id()):
            assert not hasattr(owner, "allow_reserved")
        assert DeviceId("1", "LGZ", 0, 1) == DeviceId("1", "LGZ", 0, 1, allow_reserved=False)
        assert dataclasses.replace(device, number=2, allow_reserved=True).number == 2  # type: ignore[call-arg]

    def test_edges_of_the_ranges(self) -> None:
        assert DeviceId("1", "LGZ", 99, 99_999_999).server_id().hex == "0a014c475a6305f5e0ff"
        assert DeviceId("1", "AAA", 255, 0, Edition.DIN_2010_07).server_id().hex == "0901414141ff00000000"
        last = DeviceId("9", "ZZZ", 99, 99_999_999, Edition.DIN_2010_02, 99)
        assert last.server_id().hex == "065a5a5a" + (9_999_999_999_999).to_bytes(6, "big").hex()

    def test_replace_checks_again(self) -> None:
        device = DeviceId("1", "LGZ", 0, 1)
        assert dataclasses.replace(device, number=2) == DeviceId("1", "LGZ", 0, 2)
        with pytest.raises(DecodeError):
            dataclasses.replace(device, block=100)

    def test_medium_g_has_no_octets(self) -> None:
        device = DeviceId.parse("GLGZ0063539421", allow_reserved=True)
        assert device.medium_name == "control and switching device"
        with pytest.raises(EncodeError, match="expected a medium that has an octet, found 'G'") as caught:
            device.server_id()
        assert caught.value.reason == "server_id"


class TestServerId:
    @given(devices)
    def test_device_ids_go_both_ways(self, device: DeviceId) -> None:
        server = device.server_id()
        assert server.device_id == device
        assert (server.flag, server.number, server.text) == (device.flag, device.number, str(device))
        assert (server.version, server.mbus_medium) == (None, None)
        assert server.manufacturer == device.manufacturer
        assert server.form.value == device.edition.value
        assert ServerId(server.raw) == ServerId.from_wire(server.raw) == ServerId.parse(str(server)) == server
        assert ServerId.parse(device.printed, edition=device.edition) == server

    @given(flags, numbers, octets, octets, st.booleans())
    def test_mbus_goes_both_ways(self, flag: str, number: int, version: int, medium: int, wired: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        server = ServerId.mbus(flag, number, version, medium, wired=wired)
        assert (server.flag, server.number, server.version, server.mbus_medium) == (flag, number, version, medium)
        assert server.form is (ServerIdForm.MBUS_WIRED if wired else ServerIdForm.MBUS_WIRELESS)
        assert server.text == f"{flag}{number:08d}"
        assert server.device_id is None
        assert len(server.raw) == 9

    @pytest.mark.parametrize(
        ("text", "form", "shown", "maker"),
        [
            ("0a014c475a0003c988dd", ServerIdForm.DIN_2012, "1LGZ0063539421", "Landis+Gyr (Zug)"),
            ("090e4d5543ab00bc614e", ServerIdForm.DIN_2010_07, "EMUCAB12345678", None),
            ("0649534b010e1f66299a", ServerIdForm.DIN_2010_02, "1ISK160167958938", "Iskraemeco"),
            ("01a815986480020102", ServerIdForm.MBUS_WIRELESS, "EMH02806498", "EMH metering"),
            ("0224010523ac484104", ServerIdForm.MBUS_WIRED, "REL23050124", "Relay"),
            ("05001bc5abcdef", ServerIdForm.MAC, "00:1b:c5:ab:cd:ef", None),
            ("0312345678", ServerIdForm.BCD, "0312345678", None),
            ("0412345678", ServerIdForm.SUPPLIER, "0412345678", None),
            ("0712345678", ServerIdForm.SUPPLIER, "0712345678", None),
            ("0812345678", ServerIdForm.IMEI, "0812345678", None),
            ("3030313233343536", ServerIdForm.ASCII, "00123456", None),
            ("39582d7e", ServerIdForm.ASCII, "9X-~", None),
        ],
    )
    def test_forms(self, text: str, form: ServerIdForm, shown: str, maker: str | None) -> None:
        server = ServerId(bytes.fromhex(text))
        assert (server.form, server.text, server.manufacturer) == (form, shown, maker)
        assert (server.hex, str(server), bytes(server).hex()) == (text, text.upper(), text)
        assert ServerId.from_wire(server.raw).form is form

    def test_forms_without_fields(self) -> None:
        server = ServerId.parse("05001bc5abcdef")
        assert (server.device_id, server.flag, server.number, server.manufacturer) == (None,) * 4
        assert (server.version, server.mbus_medium) == (None, None)

    @pytest.mark.parametrize(
        ("text", "path", "detail"),
        [
            ("", "", "expected a server id, found no octets"),
            ("00" * 12, "", "expected a first octet of 01 to 0A or 30 to 39, found 00"),
            ("3a3030", "", "expected a first octet of 01 to 0A or 30 to 39, found 3A"),
            ("0a014c475a0003c988", "", "expected 10 octets in the form DIN 43863-5:2012, found 9"),
            ("0a014c475a0003c988dd00", "", "expected 10 octets in the form DIN 43863-5:2012, found 11"),
            ("090e4d5543ab00bc61", "", "expected 10 octets in the form DIN 43863-5:2010-07, found 9"),
            ("064d554301001dd859", "", "expected 10 octets in the form DIN 43863-5:2010-02, found 9"),
            ("01a8159864800201", "", "expected 9 octets in the form wireless M-Bus, found 8"),
            ("0224010523ac48410400", "", "expected 9 octets in the form wired M-Bus, found 10"),
            ("05001bc5abcd", "", "expected 7 octets in the form Ethernet MAC, found 6"),
            ("0a114c475a0003c988dd", "medium", "expected a medium out of 01456789E, found '11'"),
            ("0a0b4c475a0003c988dd", "medium", "expected a medium out of 01456789E, found 'B'"),
            ("0a016c475a0003c988dd", "flag", "expected three letters A to Z, found 'lGZ'"),
            ("0a0131475a0003c988dd", "flag", "expected three letters A to Z, found '1GZ'"),
            ("0a01c4475a0003c988dd", "flag", "expected three letters A to Z, found 'ÄGZ'"),
            ("0a014c475a6403c988dd", "block", "expected 0 to 99, found 100"),
            ("0a014c475a0005f5e100", "number", "expected 0 to 99999999, found 100000000"),
            ("090e4d5543ab05f5e100", "number", "expected 0 to 99999999, found 100000000"),
            ("064d5543ffffffffffff", "medium", "expected a medium out of 01456789, found '281'"),
            ("06454d4802027156cd45", "medium", "expected a medium out of 01456789, found '2'"),
            ("01a8159864800a0102", "number", "expected 8 decimal digits, found 0a806498"),
            ("01a895986480020102", "flag", "expected an M-Bus number of three letters A to Z, found 95A8"),
            ("022401052300000104", "flag", "expected an M-Bus number of three letters A to Z, found 0000"),
            ("3031ff", "", "expected printable characters behind a digit, found b'01\\xff'"),
            ("303100", "", "expected printable characters behind a digit, found b'01\\x00'"),
        ],
    )
    def test_not_right(self, text: str, path: str, detail: str) -> None:
        raw = bytes.fromhex(text)
        error = server_error(raw)
        assert (error.path, error.detail) == (path, detail)
        kept = ServerId.from_wire(raw)
        assert (kept.form, kept.raw, kept.text, kept.device_id, kept.flag) == (
            ServerIdForm.UNKNOWN,
            raw,
            text,
            None,
            None,
        )

    @given(st.binary(max_size=12))
    def test_any_octets_are_taken_from_the_wire(self, raw: bytes) -> None:
        server = ServerId.from_wire(raw)
        shown = (server.text, str(server), repr(server), server.flag, server.number, server.manufacturer)
        assert len(shown) == 6
        assert server.raw == raw
        if server.form is ServerIdForm.UNKNOWN:
            server_error(raw)
        else:
            assert ServerId(raw).form is server.form

    @given(st.sampled_from([1, 2, 5, 6, 9, 10, 0x30]), st.binary(min_size=6, max_size=9))
    def test_what_is_read_is_written_alike(self, first: int, rest: bytes) -> None:
        server = ServerId.from_wire(bytes((first,)) + rest)
        if server.device_id is not None:
            assert server.device_id.server_id() == server
        if server.version is not None:
            fields = MBusFields(server.text[:3], int(server.text[3:]), server.version, server.mbus_medium or 0)
            assert mbus_octets(server.form, fields) == server.raw

    @pytest.mark.parametrize("medium", "23ABCDF")
    def test_reserved_media_are_for_those_who_ask(self, medium: str) -> None:
        raw = bytes.fromhex(f"0a0{medium}4c475a0003c988dd")
        assert server_error(raw).path == "medium"
        for text in (raw.hex(), f"{medium}LGZ0063539421"):
            with pytest.raises(DecodeError, match="expected a medium out of 01456789E"):
                ServerId.parse(text)
        assert ServerId.from_wire(raw).form is ServerIdForm.UNKNOWN
        server = ServerId(raw, allow_reserved=True)
        assert server == ServerId.from_wire(raw, allow_reserved=True) == ServerId.parse(raw.hex(), allow_reserved=True)
        assert server.form is ServerIdForm.DIN_2012
        assert server.text == f"{medium}LGZ0063539421"
        assert server.device_id is not None
        assert server.device_id.server_id() == server
        assert ServerId.parse(server.text, allow_reserved=True) == server

    @pytest.mark.parametrize(
        "text",
        [
            "0a014c475a0003c988dd",
            "0A 01 4C 47 5A 00 03 C9 88 DD",
            "0a:01:4c:47:5a:00:03:c9:88:dd",
            "1LGZ0063539421",
            "1 lgz00 6353 9421",
        ],
    )
    def test_text(self, text: str) -> None:
        assert ServerId.parse(text).hex == "0a014c475a0003c988dd"

    def test_text_of_16_characters(self) -> None:
        assert ServerId.parse("1 EMH 11 00 03076421").hex == "06454d4801027156cd45"

    def test_hex_as_long_as_a_device_id(self) -> None:
        assert ServerId.parse("05001BC5ABCDEF").form is ServerIdForm.MAC
        assert ServerId.parse("05ABCDEF012345").text == "ab:cd:ef:01:23:45"
        assert ServerId.parse("3030313233343536").form is ServerIdForm.ASCII

    @pytest.mark.parametrize("text", ["", "0", "0a0", "0x0a", "Landis", "0a-01", "LGZ", "٣٣"])
    def test_text_of_no_id(self, text: str) -> None:
        with pytest.raises(DecodeError, match="expected pairs of hex digits or a printed device id") as caught:
            ServerId.parse(text)
        assert caught.value.reason == "server_id"

    @pytest.mark.parametrize("text", ["1LGZ00635394X1", "1LGÄ0063539421", "XLGZ0063539421"])
    def test_text_of_a_wrong_device_id(self, text: str) -> None:
        with pytest.raises(DecodeError) as caught:
            ServerId.parse(text)
        assert caught.value.reason == "device_id"

    def test_ids_are_values(self) -> None:
        device, server = DeviceId("1", "LGZ", 0, 1), ServerId(b"00")
        assert not hasattr(device, "__dict__")
        assert not hasattr(server, "__dict__")
        with pytest.raises(dataclasses.FrozenInstanceError):
            device.block = 1  # type: ignore[misc]
        with pytest.raises(dataclasses.FrozenInstanceError):
            server.raw = b""  # type: ignore[misc]

    def test_mbus_is_wireless_unless_said(self) -> None:
        assert ServerId.mbus("EMH", 2806498, 1, 2) == ServerId.parse("01a815986480020102")
        assert ServerId.mbus("REL", 23050124, 65, 4, wired=True) == ServerId.parse("0224010523ac484104")

    def test_octets_decide_equality(self) -> None:
        raw = bytes.fromhex("0a0b4c475a0003c988dd")
        unknown, known = ServerId.from_wire(raw), ServerId(raw, allow_reserved=True)
        assert unknown.form is not known.form
        assert unknown == known
        assert len({unknown, known}) == 1

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_bytes_like(self, kind: type[bytes]) -> None:
        raw = bytes.fromhex("0a014c475a0003c988dd")
        for server in (ServerId(kind(raw)), ServerId.from_wire(kind(raw))):
            assert type(server.raw) is bytes
            assert server.raw == raw
            assert hash(server) == hash(ServerId(raw))

    def test_only_octets(self) -> None:
        for wrong in (10, "1LGZ0063539421", None):
            with pytest.raises(TypeError):
                ServerId(wrong)  # type: ignore[arg-type]

    def test_shows_copies_and_pickles(self) -> None:
        server = ServerId.from_wire(b"\x0a\x01")
        assert repr(server) == "ServerId('0A01')"
        for twin in (copy.deepcopy(server), pickle.loads(pickle.dumps(server))):  # noqa: S301 - own data
            assert twin == server
            assert twin.form is ServerIdForm.UNKNOWN

    @pytest.mark.parametrize(
        ("flag", "number", "version", "medium", "path"),
        [
            ("lgz", 0, 0, 0, "flag"),
            ("LGZ", -1, 0, 0, "number"),
            ("LGZ", 100_000_000, 0, 0, "number"),
            ("LGZ", 0, 256, 0, "version"),
            ("LGZ", 0, -1, 0, "version"),
            ("LGZ", 0, 0, 256, "medium"),
        ],
    )
    def test_mbus_ranges(self, flag: str, number: int, version: int, medium: int, path: str) -> None:
        with pytest.raises(EncodeError) as caught:
            ServerId.mbus(flag, number, version, medium)
        assert caught.value.path == path


class TestManufacturers:
    def test_table_is_whole(self) -> None:
        assert len(MANUFACTURERS) == 70
        assert all(MANUFACTURERS.values())
        assert list(MANUFACTURERS) == sorted(MANUFACTURERS)
        assert all(flag_of(mbus_number(flag)) == flag for flag in MANUFACTURERS)

    def test_names(self) -> None:
        assert manufacturer_of("ISK") == "Iskraemeco"
        assert manufacturer_of("isk") is None

    @pytest.mark.parametrize(
        ("flag", "number"), [("AAA", 0x0421), ("ZZZ", 0x6B5A), ("LGZ", 0x30FA), ("EMH", 0x15A8), ("KAM", 0x2C2D)]
    )
    def test_mbus_numbers(self, flag: str, number: int) -> None:
        assert mbus_number(flag) == number
        assert flag_of(number) == flag

    @given(flags)
    def test_mbus_numbers_go_both_ways(self, flag: str) -> None:
        assert flag_of(mbus_number(flag)) == flag

    def test_every_number_is_a_flag_or_an_error(self) -> None:
        good = 0
        for number in range(-1, 0x10001):
            try:
                assert mbus_number(flag_of(number)) == number
            except DecodeError as error:
                assert error.reason == "flag"  # noqa: PT017 - the point is that nothing else comes out
            else:
                good += 1
        assert good == 26**3

    @pytest.mark.parametrize("flag", ["", "LG", "LGZZ", "lgz", "L1Z", "LGÄ"])
    def test_no_flag(self, flag: str) -> None:
        with pytest.raises(EncodeError, match="expected three letters A to Z") as caught:
            mbus_number(flag)
        assert caught.value.reason == "flag"

    def test_table_loads_with_the_first_name(self) -> None:
        script = (
            "import sys; from e320proto.identity import DeviceId; device = DeviceId.parse('1LGZ0063539421');"
            "assert 'e320proto.manufacturers' not in sys.modules; device.manufacturer;"
            "assert 'e320proto.manufacturers' in sys.modules"
        )
        subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - own code
