"""Errors: the tree, what they say to people and to programs, and that they are values."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import e320proto
from e320proto import (
    AttentionError,
    ChecksumError,
    DecodeError,
    E320Error,
    EncodeError,
    EndOfReplay,
    LimitError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    ResponseTimeout,
    SecurityError,
    TransportError,
    TruncatedError,
    errors,
)

PARENTS = {
    E320Error: (Exception,),
    DecodeError: (E320Error, ValueError),
    TruncatedError: (DecodeError,),
    ChecksumError: (DecodeError,),
    LimitError: (DecodeError,),
    EncodeError: (E320Error, ValueError),
    ProtocolError: (E320Error,),
    LocalProtocolError: (ProtocolError,),
    RemoteProtocolError: (ProtocolError,),
    AttentionError: (RemoteProtocolError,),
    SecurityError: (E320Error,),
    TransportError: (E320Error, OSError),
    ResponseTimeout: (TransportError, TimeoutError),
    EndOfReplay: (TransportError,),
}

SAMPLES: dict[str, E320Error] = {
    "decode": DecodeError("reserved_type", "expected a type", offset=3, path="val_list[3].scaler", source="SML 1.04"),
    "decode, text": DecodeError("no_code", "expected a code"),
    "truncated": TruncatedError("truncated", "expected 4 octets", needed=4, offset=7, path="value"),
    "checksum": ChecksumError("bad_crc", {"x25": 0x6E90, "kermit": 0x2189}, 0x1234, offset=0),
    "limit": LimitError("too_deep", "max_depth", 32, 33, offset=32),
    "encode": EncodeError("out_of_range", "expected 0 to 255", path="group_no", value=300),
    "local": LocalProtocolError("send", state="CLOSED", expected="an open link", actual="send"),
    "remote": RemoteProtocolError("frame", state="OPEN", expected="I", actual="SNRM", reply=b"\x73"),
    "remote, silent": RemoteProtocolError("frame", state="OPEN", expected="I", actual="SNRM"),
    "attention": AttentionError(0xFE0A, "a crypto reset", meaning="order not executed"),
    "security": SecurityError("expected a certificate", alert="bad_certificate"),
    "transport": TransportError("port is gone"),
    "transport, system": TransportError(2, "No such file or directory"),
    "transport, path": TransportError(2, "No such file or directory", "/dev/ttyUSB0"),
    "timeout": ResponseTimeout("no answer in 5 s"),
    "end of replay": EndOfReplay("day.bin: the recording is at its end"),
}
every_sample = pytest.mark.parametrize("error", SAMPLES.values(), ids=SAMPLES)


def test_tree() -> None:
    found = {
        value: value.__bases__
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, BaseException)
    }
    assert found == PARENTS
    assert {type(error) for error in SAMPLES.values()} == set(PARENTS) - {E320Error, ProtocolError}


def test_docstring_is_the_tree() -> None:
    drawn = re.findall(r"(?m)^ *[│ ]*[├└]? ?(\w+)\(([\w, ]+)\)", errors.__doc__ or "") + re.findall(
        r"(?m)^ *[│ ]*[├└] (\w+)  ", errors.__doc__ or ""
    )
    names = {entry if isinstance(entry, str) else entry[0] for entry in drawn}
    assert {error.__name__ for error in PARENTS} <= names
    for entry in drawn:
        if not isinstance(entry, str):
            name, bases = entry
            assert [base.__name__ for base in PARENTS[getattr(errors, name)]] == bases.split(", ")


def test_all_errors_are_public() -> None:
    assert {error.__name__ for error in PARENTS} <= set(e320proto.__all__)


@every_sample
def test_errors_can_be_pickled_and_copied(error: E320Error) -> None:
    """So that events can be sent between processes, on the way of every protocol."""
    again = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]  # noqa: S301 - our own octets
    for other in (*again, copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert other == error
        assert str(other) == str(error)
        assert vars(other) == vars(error)
        assert other.args == error.args
        if isinstance(error, OSError) and isinstance(other, OSError):
            assert (other.errno, other.strerror, other.filename) == (error.errno, error.strerror, error.filename)


@every_sample
def test_errors_are_values(error: E320Error) -> None:
    other = copy.copy(error)
    assert hash(other) == hash(error)
    assert len({error, other}) == 1
    other.args = ("something else",)
    assert other != error
    assert error != str(error)
    assert error.__eq__(str(error)) is NotImplemented


def test_errors_of_other_types_are_other_values() -> None:
    assert DecodeError("a", "b") != EncodeError("a", "b")
    assert DecodeError("a", "b", offset=0) != TruncatedError("a", "b", offset=0, needed=1)
    assert DecodeError("a", "b") != DecodeError("c", "b")
    assert DecodeError("a", "b", source="x") != DecodeError("a", "b")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("decode", "expected a type, at offset 3 (val_list[3].scaler)"),
        ("decode, text", "expected a code"),
        ("truncated", "expected 4 octets, at offset 7 (value)"),
        ("checksum", "expected CRC 6E90 (x25) or 2189 (kermit), found 1234, at offset 0"),
        ("limit", "expected at most 32 (max_depth), found 33, at offset 32"),
        ("encode", "expected 0 to 255, found 300 (group_no)"),
        ("local", "send: expected an open link, found send, in state CLOSED"),
        ("remote", "frame: expected I, found SNRM, in state OPEN"),
        ("security", "expected a certificate"),
        ("transport", "port is gone"),
        ("transport, path", "[Errno 2] No such file or directory: '/dev/ttyUSB0'"),
        ("timeout", "no answer in 5 s"),
    ],
)
def test_what_people_read(error: str, text: str) -> None:
    assert str(SAMPLES[error]) == text


def facts(name: str) -> dict[str, Any]:
    return vars(SAMPLES[name])


def test_what_programs_read() -> None:
    assert facts("decode") == {
        "reason": "reserved_type",
        "detail": "expected a type",
        "offset": 3,
        "path": "val_list[3].scaler",
        "source": "SML 1.04",
    }
    assert facts("decode, text")["offset"] is None
    assert facts("truncated")["needed"] == 4
    assert facts("encode") == {"reason": "out_of_range", "path": "group_no", "value": 300}
    assert {name: facts("limit")[name] for name in ("limit", "maximum", "actual")} == {
        "limit": "max_depth",
        "maximum": 32,
        "actual": 33,
    }
    assert facts("remote")["reply"] == b"\x73"
    assert facts("remote, silent")["reply"] is None
    assert {name: facts("local")[name] for name in ("reason", "state", "expected", "actual")} == {
        "reason": "send",
        "state": "CLOSED",
        "expected": "an open link",
        "actual": "send",
    }
    assert facts("security")["alert"] == "bad_certificate"


def test_checksums() -> None:
    """The first algorithm is the one expected; the mapping is a copy."""
    computed = {"kermit": 0x2189, "x25": 0x6E90}
    error = ChecksumError("message_crc", computed, 0, offset=5, path="crc16", source="SML")
    computed.clear()
    assert (error.algorithm, error.expected, error.actual) == ("kermit", 0x2189, 0)
    assert error.computed == {"kermit": 0x2189, "x25": 0x6E90}
    assert (error.reason, error.offset, error.path, error.source) == ("message_crc", 5, "crc16", "SML")
    assert str(error) == "expected CRC 2189 (kermit) or 6E90 (x25), found 0000, at offset 5 (crc16)"


def raise_(error: Exception) -> None:
    raise error


def test_errors_are_caught_by_their_builtin_kin() -> None:
    for error, kin in (
        (SAMPLES["decode"], ValueError),
        (SAMPLES["limit"], ValueError),
        (SAMPLES["encode"], ValueError),
        (SAMPLES["transport"], OSError),
        (SAMPLES["timeout"], TimeoutError),
        (SAMPLES["security"], E320Error),
    ):
        with pytest.raises(kin):
            raise_(error)


def test_notes_and_causes_do_not_make_another_error() -> None:
    error, other = DecodeError("a", "b"), DecodeError("a", "b")
    other.__cause__ = ValueError("why")
    assert error == other


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


def nested(levels: int) -> tuple[object, ...]:
    tree: tuple[object, ...] = ()
    for _ in range(levels):
        tree = (tree,) * 10
    return tree


HOSTILE: dict[str, object] = {
    "number": 10**5000,
    "negative number": -(10**5000),
    "fraction": Fraction(10**5000, 3),
    "decimal": Decimal(10) ** 5000,
    "numbers": [10**5000] * 9,
    "octets": bytes(5_000_000),
    "bytearray": bytearray(5_000_000),
    "text": "\0" * 5_000_000,
    "list of octets": [bytes(1_000_000)] * 100,
    "mapping": dict.fromkeys(range(1000), "x" * 1000),
    "tree": nested(8),
    "deep tree": [nested(1)] * 1000,
    "unshowable": Unshowable(),
    "record": SAMPLES,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_any_value_makes_a_short_error(value: object) -> None:
    error = EncodeError("wrong_type", "expected 0 to 255", path="group_no", value=value)
    assert len(str(error)) < 250
    assert re.fullmatch(r"expected 0 to 255, found .+ \(group_no\)", str(error))
    assert error.value is value


def test_a_tree_deeper_than_python_can_follow_makes_an_error() -> None:
    tree: object = None
    for _ in range(sys.getrecursionlimit() * 2):
        tree = TransportError(tree)
    assert errors.shown(tree) == "a value of type TransportError"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (300, "300"),
        (2**128 - 1, str(2**128 - 1)),
        (-(2**128) + 1, str(-(2**128) + 1)),
        (2**128, "an integer of 129 bits"),
        (10**5000, "an integer of 16610 bits"),
        (True, "True"),
        (None, "None"),
        (1.5, "1.5"),
        ("text", "'text'"),
        ("x" * 60, "'" + "x" * 60 + "'"),
        ("x" * 5000, "'" + "x" * 28 + "..." + "x" * 29 + "'"),
        (bytes(24), repr(bytes(24))),
        (b"\1" + bytes(24), "b'\\x01" + "\\x00" * 11 + "'... (25 octets)"),
        (bytearray(3), "bytearray(b'\\x00\\x00\\x00')"),
        ([1, (2, 3)], "[1, (2, 3)]"),
        ([10**5000], "[an integer of 16610 bits]"),
        (Fraction(10**5000, 3), "a value of type Fraction"),
        ([Fraction(10**5000, 3), 1], "[a value of type Fraction, 1]"),
        (Unshowable(), "a value of type Unshowable"),
    ],
    ids=errors.shown,
)
def test_values_are_shown_in_short(value: object, text: str) -> None:
    assert errors.shown(value) == text


def test_shown_numbers_of_a_limit() -> None:
    error = LimitError("too_long", "max_frame", 10**5000, 10**5001)
    assert error.detail == "expected at most an integer of 16610 bits (max_frame), found an integer of 16613 bits"
