"""``e320 obis`` and ``e320 id``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e320proto import DecodeError
from e320proto.cli.explain import explain_id, explain_obis

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def test_obis(e320: Run) -> None:
    done = e320("obis", "1.8.0")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "OBIS          1-0:1.8.0*255",
        "English       Active energy import, total",
        "German        Wirkarbeit Bezug, gesamt",
        "short         1.8.0",
        "on a display  1.8.0",
        "octets        01 00 01 08 00 ff",
        "unit          Wh, active energy",
        "known from    seen in real telegrams or in public device software (OBS)",
        "group A       1    medium: electricity",
        "group B       0    channel: none",
        "group C       1    quantity: active, import",
        "group D       8    processing: meter reading",
        "group E       0    tariff or detail: total",
        "group F       255  storage: current value",
    ]


def test_obis_that_is_not_known() -> None:
    lines = dict(explain_obis("1-0:1.99.7*3").lines)
    assert lines["English"] == "not known here"
    assert "unit" not in lines
    assert lines["group E"] == "7    tariff or detail"
    assert dict(explain_obis("129-129:199.240.6*255").lines)["German"] == "manufacturer-specific, not known here"


def test_obis_of_a_text_and_of_a_count() -> None:
    assert dict(explain_obis(" 96.50.1*1 ").lines)["unit"] == "none"
    assert dict(explain_obis("0.1.0").lines)["unit"] == "none, it is a count"
    assert dict(explain_obis("F.F").lines)["on a display"] == "F.F"


def test_obis_with_the_mark_of_a_reset() -> None:
    assert explain_obis("1-0:1.8.0&01").lines[-1] == ("mark &", "the value was stored by a reset by hand")


@pytest.mark.parametrize(
    "text", ["1LGZ0012345678", "1 LGZ00 1234 5678", "0a014c475a0000bc614e", "0A:01:4C:47:5A:00:00:BC:61:4E"]
)
def test_id_in_every_form(e320: Run, text: str) -> None:
    done = e320("id", *text.split())
    assert (done.status, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if not line.startswith("or else")] == [
        "device id     1LGZ0012345678",
        "printed       1 LGZ00 1234 5678",
        "server id     0a014c475a0000bc614e",
        "form          DIN 43863-5:2012",
        "manufacturer  LGZ, Landis+Gyr (Zug)",
        "medium        1, electricity",
        "block         00",
        "number        12345678",
    ]


def test_printed_id_may_be_of_an_older_edition() -> None:
    """Both editions print 14 characters; the block of the older one is hexadecimal."""
    for text in ("1LGZ1012345678", "1 LGZ10 1234 5678"):
        lines = explain_id(text).lines
        assert dict(lines)["server id"] == "0a014c475a0a00bc614e"
        assert lines[-1][0] == "or else"
        assert lines[-1][1].startswith("09014c475a1000bc614e if the meter is of the edition 2010-07")
    assert "or else" not in dict(explain_id("0a014c475a0a00bc614e").lines)
    assert "or else" not in dict(explain_id("1MUC100012345678").lines)


def test_ids_of_older_editions() -> None:
    assert explain_id("090145425a010002ec3b").lines[:2] == (
        ("device id", "1EBZ0100191547"),
        ("printed", "1 EBZ01 0019 1547"),
    )
    assert dict(explain_id("090145425aab0002ec3b").lines)["block"] == "AB hex"
    old = dict(explain_id("064D554301001DD8594E").lines)
    assert (old["year"], old["manufacturer"], old["printed"]) == ("10", "MUC, not known here", "1 MUC10 00 1234 5678")


def test_ids_that_are_no_device_ids() -> None:
    mbus = dict(explain_id("01A815986480020102").lines)
    assert mbus["text"] == "EMH02806498"
    assert (mbus["medium"], mbus["version"]) == ("2, electricity (M-Bus)", "1")
    assert dict(explain_id("01A8159864800201FE").lines)["medium"] == "254, not known here (M-Bus)"
    assert explain_id("0401").lines == (("server id", "0401"), ("form", "supplier-specific"))
    assert dict(explain_id("05001BC5000001").lines)["text"] == "00:1b:c5:00:00:01"


def test_medium_without_an_octet_has_no_server_id(e320: Run) -> None:
    done = e320("id", "GLGZ0012345678")
    assert done.status == 2
    assert done.err.startswith("e320: expected a medium that has an octet")


def test_octets_of_no_known_form(e320: Run) -> None:
    done = e320("id", "ff00")
    assert done.status == 1
    assert done.out.splitlines() == [
        "server id  ff00",
        "form       none that is known: expected a first octet of 01 to 0A or 30 to 39, found FF",
    ]


def test_neither_an_id_nor_octets() -> None:
    with pytest.raises(DecodeError, match="expected pairs of hex digits or a printed device id, found 'one'"):
        explain_id("one")
