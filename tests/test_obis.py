"""OBIS codes: octets, text in all its forms, names."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import DecodeError
from e320proto.obis import ObisCode, obis_code
from e320proto.obis_names import NAMES
from e320proto.units import Unit

if TYPE_CHECKING:
    from pathlib import Path

IMPORT_ENERGY = bytes.fromhex("0100010800ff")

codes = st.binary(min_size=6, max_size=6).map(ObisCode)
group = st.integers(min_value=0, max_value=255)


@pytest.fixture(scope="module")
def vectors(shared: Path) -> Any:  # noqa: ANN401 - the shape of the file is what the tests are about
    return json.loads((shared / "vectors" / "base-meter.json").read_text(encoding="utf-8"))["obis_text"]


def parse_error(text: str) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        ObisCode.parse(text)
    assert caught.value.reason == "obis_text"
    return caught.value


def test_vectors_of_valid_text(vectors: Any) -> None:  # noqa: ANN401 - see the fixture
    assert vectors["valid"]
    for case in vectors["valid"]:
        code = ObisCode.parse(case["input"])
        assert code.hex() == case["hex"], case
        assert str(code) == case["full"], case


def test_vectors_of_reset_marks(vectors: Any) -> None:  # noqa: ANN401 - see the fixture
    assert vectors["reset_mark"]
    for case in vectors["reset_mark"]:
        code, marked = ObisCode.parse_marked(case["input"])
        assert (code.hex(), marked) == (case["hex"], case["reset_mark"])


def test_vectors_of_invalid_text(vectors: Any) -> None:  # noqa: ANN401 - see the fixture
    assert vectors["invalid"]
    for text in vectors["invalid"]:
        parse_error(text)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("1-0:1.8.0*255", "1-0:1.8.0*255"),
        ("1-0:1.8.0", "1-0:1.8.0*255"),
        ("1.8.0*01", "1-0:1.8.0*1"),
        ("1.8.0*001", "1-0:1.8.0*1"),
        ("1.8", "1-0:1.8.0*255"),
        ("1.8.", "1-0:1.8.0*255"),
        ("1.8.0.", "1-0:1.8.0*255"),
        ("1.8*3", "1-0:1.8.0*3"),
        ("0-0:1.0", "0-0:1.0.0*255"),
        ("1-0:1.8.0&01", "1-0:1.8.0*1"),
        ("0100010800FF", "1-0:1.8.0*255"),
        ("0100010800ff", "1-0:1.8.0*255"),
        ("010001080007", "1-0:1.8.0*7"),
        ("F.F", "1-0:97.97.0*255"),
        ("f.f.", "1-0:97.97.0*255"),
        ("F.F.0", "1-0:97.97.0*255"),
        ("C.1.0", "1-0:96.1.0*255"),
        ("c.90.2", "1-0:96.90.2*255"),
        ("0-0:C.F.3", "0-0:96.97.3*255"),
        ("P.1", "1-0:99.1.0*255"),
        ("L.1.0", "1-0:98.1.0*255"),
        ("255-255:255.255.255*255", "255-255:255.255.255*255"),
        ("000-000:000.000.000*000", "0-0:0.0.0*0"),
    ],
)
def test_text_forms(text: str, full: str) -> None:
    assert str(ObisCode.parse(text)) == full


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.",
        "1-0:",
        "1-0:1",
        "1.8.0*",
        "1.8.0&",
        "1.8.0.0",
        "1.8.0..",
        "-1.8.0",
        "+1.8.0",
        "1-1.8.0",
        "1:1.8.0",
        "0001.8.0",
        "X.1.0",
        "1.C.0",
        "1.P.0",
        "1.8.F",
        "C-0:1.8.0",
        "1,8,0",
        " 1.8.0",
        "1.8.0 ",
        "1.8.0\n",
        "1-0:1.8.0*255 x",
        "0100010800F",
        "0100010800FF00",
        "0100010800FG",
        "01 00 01 08 00 FF",
        "\N{FULLWIDTH DIGIT ONE}.8.0",
        "\N{LATIN SMALL LETTER LONG S}.1.0",
    ],
)
def test_text_beyond_the_grammar(text: str) -> None:
    error = parse_error(text)
    assert error.detail == f"expected A-B:C.D.E*F, C.D.E or 12 hex digits, found {text!r}"
    assert error.path == ""


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("256-0:1.8.0*255", "A"),
        ("1-256:1.8.0*255", "B"),
        ("256.8.0", "C"),
        ("1.256.0", "D"),
        ("1.8.256", "E"),
        ("1-0:1.8.0*256", "F"),
        ("1.8.999&999", "E"),
    ],
)
def test_group_above_255(text: str, letter: str) -> None:
    error = parse_error(text)
    assert f"expected 0 to 255 in group {letter}, found " in str(error)
    assert error.path == letter.lower()


def test_hostile_text_makes_a_short_error() -> None:
    assert len(str(parse_error("1" * 1_000_000))) < 120


def test_reset_mark_comes_beside_the_code() -> None:
    assert ObisCode.parse_marked("1.8.0&12") == (ObisCode.parse("1.8.0*12"), True)
    assert ObisCode.parse_marked("1.8.0*12") == (ObisCode.parse("1.8.0*12"), False)
    assert ObisCode.parse_marked("01000108000C") == (ObisCode.parse("1.8.0*12"), False)


@given(codes)
def test_every_text_form_reads_back(code: ObisCode) -> None:
    for text in (str(code), code.short, code.display, code.hex(), code.hex().upper()):
        assert ObisCode.parse(text) == code


@given(group, group, group)
def test_reduced_forms_read_back(c: int, d: int, e: int) -> None:
    code = ObisCode(bytes((1, 0, c, d, e, 255)))
    assert code.short == f"{c}.{d}.{e}"
    assert ObisCode.parse(code.short) == ObisCode.parse(code.display) == code


@given(st.text(alphabet="0123456789.-:*&CFLPcflpx ", max_size=20))
def test_any_text_is_a_code_or_a_decode_error(text: str) -> None:
    try:
        code = ObisCode.parse(text)
    except DecodeError as error:
        assert error.reason == "obis_text"  # noqa: PT017 - the point is that nothing else comes out
    else:
        assert ObisCode.parse(str(code)) == code


@given(group, group, group, group, group, group)
def test_groups(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    code = ObisCode(bytes((a, b, c, d, e, f)))
    assert (code.a, code.b, code.c, code.d, code.e, code.f) == (a, b, c, d, e, f)
    assert str(code) == f"{a}-{b}:{c}.{d}.{e}*{f}"


@pytest.mark.parametrize("length", [0, 1, 5, 7, 12])
def test_not_six_octets(length: int) -> None:
    for make in (ObisCode, obis_code):
        with pytest.raises(DecodeError, match=f"expected 6 octets, found {length}") as caught:
            make(bytes(length))
        assert caught.value.reason == "obis_length"


def test_only_octets_make_a_code() -> None:
    for wrong in (6, "1.8.0*", [1, 0, 1, 8, 0, 255], None):
        with pytest.raises(TypeError):
            ObisCode(wrong)  # type: ignore[arg-type]


def test_counts_octets_not_items() -> None:
    with pytest.raises(DecodeError, match="found 12"):
        ObisCode(memoryview(bytes(12)).cast("H"))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like(kind: type[bytes | bytearray | memoryview]) -> None:
    assert ObisCode(kind(IMPORT_ENERGY)) == IMPORT_ENERGY


def test_is_its_octets() -> None:
    code = ObisCode(IMPORT_ENERGY)
    assert code == IMPORT_ENERGY
    assert hash(code) == hash(IMPORT_ENERGY)
    assert {IMPORT_ENERGY: "energy"}[code] == "energy"
    assert b"".join([code, b"\x00"]) == IMPORT_ENERGY + b"\x00"
    assert bytes(code) == IMPORT_ENERGY
    assert type(bytes(code)) is bytes
    assert sorted([ObisCode.parse("2.8.0"), code]) == [code, ObisCode.parse("2.8.0")]


def test_has_no_room_for_more() -> None:
    with pytest.raises(AttributeError):
        ObisCode(IMPORT_ENERGY).note = 1  # type: ignore[attr-defined]


@given(codes)
def test_copies_and_pickles(code: ObisCode) -> None:
    twins = [pickle.loads(pickle.dumps(code, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]  # noqa: S301 - own data
    for twin in (*twins, copy.copy(code), copy.deepcopy(code)):
        assert twin == code
        assert type(twin) is ObisCode


def test_shows_itself() -> None:
    code = ObisCode(IMPORT_ENERGY)
    assert repr(code) == "ObisCode('1-0:1.8.0*255')"
    assert f"{code}" == "1-0:1.8.0*255"
    assert f"{code:>15}|" == "  1-0:1.8.0*255|"


def test_cached_constructor_shares() -> None:
    assert obis_code(IMPORT_ENERGY) is obis_code(bytes.fromhex("0100010800ff"))
    assert obis_code.cache_info().maxsize == 4096
    assert ObisCode.parse("1.8.0") is ObisCode.parse("1.8.0")


@pytest.mark.parametrize(
    ("text", "short", "display"),
    [
        ("1-0:1.8.0*255", "1.8.0", "1.8.0"),
        ("1-0:1.8.0*1", "1-0:1.8.0*1", "1-0:1.8.0*1"),
        ("0-0:1.0.0*255", "0-0:1.0.0*255", "0-0:1.0.0*255"),
        ("1-1:1.8.0*255", "1-1:1.8.0*255", "1-1:1.8.0*255"),
        ("1-0:95.1.0*255", "95.1.0", "95.1.0"),
        ("1-0:96.90.2*255", "96.90.2", "C.90.2"),
        ("1-0:96.97.0*255", "96.97.0", "C.97.0"),
        ("1-0:97.97.0*255", "97.97.0", "F.F"),
        ("1-0:97.97.3*255", "97.97.3", "F.F.3"),
        ("1-0:97.98.0*255", "97.98.0", "F.98.0"),
        ("1-0:98.1.0*255", "98.1.0", "L.1.0"),
        ("1-0:99.1.0*255", "99.1.0", "P.1.0"),
        ("1-0:100.1.0*255", "100.1.0", "100.1.0"),
        ("0-0:97.97.0*255", "0-0:97.97.0*255", "0-0:F.F*255"),
        ("0-0:96.1.0*7", "0-0:96.1.0*7", "0-0:C.1.0*7"),
    ],
)
def test_output_forms(text: str, short: str, display: str) -> None:
    code = ObisCode.parse(text)
    assert (code.short, code.display) == (short, display)


@pytest.mark.parametrize(
    ("text", "specific"),
    [
        ("1-0:1.8.0*255", False),
        ("1-127:1.8.0", False),
        ("1-128:1.8.0", True),
        ("1-199:1.8.0", True),
        ("1-200:1.8.0", False),
        ("127.8.0", False),
        ("128.8.0", True),
        ("199.8.0", True),
        ("200.8.0", False),
        ("239.8.0", False),
        ("240.8.0", True),
        ("241.8.0", False),
        ("1.127.0", False),
        ("1.128.0", True),
        ("1.254.0", True),
        ("1.255.0", False),
        ("1.8.127", False),
        ("1.8.128", True),
        ("1.8.254", True),
        ("98.10.255", False),
        ("1.8.0*127", False),
        ("1.8.0*128", True),
        ("1.8.0*254", True),
        ("128-0:1.8.0", False),  # group A does not count
    ],
)
def test_manufacturer_specific(text: str, specific: bool) -> None:  # noqa: FBT001 - a parametrized expectation
    assert ObisCode.parse(text).manufacturer_specific is specific


def test_names_of_a_listed_code() -> None:
    code = ObisCode.parse("1.8.0")
    assert code.name_en == code.name() == code.name("en") == "Active energy import, total"
    assert code.name_de == code.name("de") == "Wirkarbeit Bezug, gesamt"
    assert (code.unit_code, code.grade) == (30, "OBS")


@pytest.mark.parametrize("text", ["1.8.0*1", "1.8.99", "2-0:1.8.0", "1-1:1.8.0", "255-255:255.255.255*255"])
def test_a_code_without_entry(text: str) -> None:
    code = ObisCode.parse(text)
    assert (code.name_en, code.name_de, code.name(), code.name("de"), code.unit_code, code.grade) == (None,) * 6


def test_a_language_without_names() -> None:
    with pytest.raises(ValueError, match="expected 'en' or 'de', found 'fr'"):
        ObisCode.parse("1.8.0").name("fr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected 'en' or 'de', found 'x+\.\.\.x+'$"):
        ObisCode.parse("1.8.0").name("x" * 1_000_000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listed", "twin"),
    [
        ("1-0:0.2.0", "0-0:0.2.0"),
        ("0-0:96.8.0", "1-0:96.8.0"),
        ("1-0:97.97.0", "0-0:97.97.0"),
        ("1-0:98.1.0", "0-0:98.1.0"),
        ("1-0:99.98.0", "0-0:99.98.0"),
        ("1-0:96.90.2*1", "0-0:96.90.2*1"),
    ],
)
def test_general_objects_have_one_name_with_a_0_and_a_1(listed: str, twin: str) -> None:
    assert str(ObisCode.parse(listed)) in NAMES
    assert str(ObisCode.parse(twin)) not in NAMES
    assert ObisCode.parse(twin).name_en == ObisCode.parse(listed).name_en is not None


@pytest.mark.parametrize("text", ["0-0:1.8.0", "1-0:1.0.0", "2-0:96.8.0", "0-1:96.8.0", "0-0:94.49.0*1"])
def test_other_objects_have_not(text: str) -> None:
    assert ObisCode.parse(text).name_en is None


def test_table_is_whole() -> None:
    assert len(NAMES) == 176
    for text, entry in NAMES.items():
        code = ObisCode.parse(text)
        assert str(code) == text
        assert code.name_en == entry.en != ""
        assert code.name_de == entry.de != ""
        assert entry.grade in {"MAN", "OBS", "FNN", "GEN"}
        assert entry.unit_code is None or Unit(entry.unit_code).quantity
    assert len({entry.en for entry in NAMES.values()}) == len({entry.de for entry in NAMES.values()})


def test_units_of_the_table_fit_the_codes() -> None:
    processing = {"Wh": {8, 9, 29}, "W": {2, 4, 5, 6, 7}, "°": {7}}
    for text, entry in NAMES.items():
        code = ObisCode.parse(text)
        symbol = "" if entry.unit_code is None else Unit(entry.unit_code).symbol
        assert code.d in processing.get(symbol, {code.d}), text


def test_table_loads_with_the_first_name() -> None:
    script = (
        "import sys; from e320proto.obis import ObisCode; code = ObisCode.parse('1.8.0');"
        "assert 'e320proto.obis_names' not in sys.modules; code.name_en;"
        "assert 'e320proto.obis_names' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - own code
