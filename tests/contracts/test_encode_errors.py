"""What has no encoding is refused with an EncodeError that names the field, whatever it is."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import (
    AttentionRes,
    EncodeError,
    FnnFlag,
    GetListRes,
    GetProcParameterRes,
    Integer,
    ListEntry,
    LocalTimestamp,
    Message,
    ProcParValue,
    PublicCloseRes,
    SecIndex,
    Timestamp,
    TimestampedValue,
    Tree,
    Unsigned,
    Untyped,
    decode_file,
    encode_file,
)
from e320proto.crc import CrcKind
from tests.contracts import strategies as s

WRONG: tuple[Any, ...] = (1.5, "text", object(), {}, Decimal(1), 1j, [1], ((),), Message, len)
"""No field of any record may hold one of these."""


def around(body: Any) -> Message:  # noqa: ANN401 - wrong ones too
    return Message(transaction_id=b"1", message_body=body)


def entry_with(**changes: Any) -> Message:  # noqa: ANN401 - wrong ones too
    entry: Any = ListEntry(obj_name=b"name", value=b"value")
    return around(GetListRes(server_id=b"", val_list=(ListEntry(obj_name=b"first"), replace(entry, **changes))))


def tree_with(value: Any) -> Message:  # noqa: ANN401 - wrong ones too
    tree = Tree(parameter_name=b"name", parameter_value=value)
    return around(
        AttentionRes(server_id=b"", attention_no=b"", attention_details=Tree(parameter_name=b"", child_list=(tree,)))
    )


def refused(message: Any) -> EncodeError:  # noqa: ANN401 - wrong ones too
    with pytest.raises(EncodeError) as caught:
        encode_file([message])
    with pytest.raises(EncodeError):
        encode_file([message], integers="shortest")
    return caught.value


# --- every field of every record -------------------------------------------------------------------


def smallest(model: type[Any]) -> Any:  # noqa: ANN401 - any record
    """A message body with as little in it as its fields allow."""
    hints = get_type_hints(model)
    least: dict[Any, Any] = {bytes: b"", int: 0, Tree: Tree(parameter_name=b"")}
    values: dict[str, Any] = {}
    for field in fields(model):
        hint = hints[field.name]
        if type(None) in get_args(hint):
            values[field.name] = None
        else:
            values[field.name] = () if get_args(hint)[1:] == (...,) else least.get(hint, SecIndex(0))
    return model(**values)


@pytest.mark.parametrize(("model", "name"), [(model, field.name) for model in s.MODELS for field in fields(model)])
def test_wrong_type_in_every_field_of_every_message(model: type[Any], name: str) -> None:
    body = smallest(model)
    assert decode_file(encode_file([around(body)])) == (around(body),)
    for wrong in WRONG:
        if wrong == ((),) and "tuple" not in str(get_type_hints(model)[name]):
            continue
        error = refused(around(replace(body, **{name: wrong})))
        assert error.reason == "wrong_type"
        assert error.path.removesuffix("[0]") == f"message_body.{name}"
        assert error.path in str(error)


@pytest.mark.parametrize("name", [field.name for field in fields(Message)])
def test_wrong_type_in_every_field_of_a_message(name: str) -> None:
    for wrong in WRONG:
        error = refused(replace(s.CLOSE, **{name: wrong}))
        assert (error.reason, error.path) == ("wrong_type", name)


@pytest.mark.parametrize("name", [field.name for field in fields(ListEntry)])
def test_wrong_type_in_every_field_of_an_entry(name: str) -> None:
    for wrong in WRONG:
        error = refused(entry_with(**{name: wrong}))
        assert (error.reason, error.path) == ("wrong_type", f"message_body.val_list[1].{name}")


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_message(wrong: object) -> None:
    assert refused(wrong).reason == "wrong_type"


@pytest.mark.parametrize("name", ["obj_name", "val_time"])
def test_mandatory_field_without_a_value(name: str) -> None:
    message = entry_with(**{name: None})
    if name == "val_time":
        assert encode_file([message])
    else:
        assert refused(message).path == "message_body.val_list[1].obj_name"


# --- ranges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (replace(s.CLOSE, group_no=256), "group_no"),
        (replace(s.CLOSE, group_no=-1), "group_no"),
        (replace(s.CLOSE, abort_on_error=1 << 80), "abort_on_error"),
        (entry_with(unit=256), "message_body.val_list[1].unit"),
        (entry_with(scaler=128), "message_body.val_list[1].scaler"),
        (entry_with(scaler=-129), "message_body.val_list[1].scaler"),
        (entry_with(val_time=SecIndex(1 << 32)), "message_body.val_list[1].val_time"),
        (entry_with(val_time=SecIndex(-1, bare=True)), "message_body.val_list[1].val_time"),
        (entry_with(val_time=Timestamp(-1)), "message_body.val_list[1].val_time"),
        (entry_with(status=Unsigned(-1)), "message_body.val_list[1].status"),
        (entry_with(status=Unsigned(1 << 64)), "message_body.val_list[1].status"),
        (entry_with(value=Integer(1 << 63)), "message_body.val_list[1].value"),
        (around(Untyped(1 << 32, ())), "message_body"),
        (around(Untyped(-1, ())), "message_body"),
        (around(Untyped(7, (b"", Unsigned(-1)))), "message_body[1]"),
    ],
)
def test_out_of_range(message: Message, path: str) -> None:
    error = refused(message)
    assert (error.reason, error.path) == ("out_of_range", path)


@pytest.mark.parametrize(
    "value",
    [
        *(record(1, width) for record in (Integer, Unsigned) for width in (-1, 0, 9, 100)),
        Unsigned(256, 1),
        Integer(128, 1),
        Integer(-129, 1),
        Integer(1 << 62, 7),
    ],
)
def test_width_out_of_range(value: Integer | Unsigned) -> None:
    """Where every number takes as few octets as possible, the width asked for does not matter."""
    with pytest.raises(EncodeError) as caught:
        encode_file([entry_with(value=value)])
    assert (caught.value.reason, caught.value.path) == ("out_of_range", "message_body.val_list[1].value")
    (message,) = decode_file(encode_file([entry_with(value=value)], integers="shortest"))
    assert isinstance(message.message_body, GetListRes)
    assert s.without_widths(value) == message.message_body.val_list[1].value


@pytest.mark.parametrize("width", ["4", 2.0, b"", (), object()])
@pytest.mark.parametrize("record", [Integer, Unsigned])
def test_width_that_is_no_number(record: type[Any], width: object) -> None:
    for message, path in (
        (entry_with(value=record(1, width)), "message_body.val_list[1].value"),
        (around(Untyped(7, (record(1, width),))), "message_body[0]"),
    ):
        error = refused(message)
        assert (error.reason, error.path) == ("wrong_type", path)


@pytest.mark.parametrize("value", ["1", 1.0, None, b"\x01", True])
def test_number_that_is_no_number(value: object) -> None:
    for record in (Integer, Unsigned, SecIndex, Timestamp):
        error = refused(entry_with(value=record(value)))  # type: ignore[arg-type]
        assert (error.reason, error.path) == ("wrong_type", "message_body.val_list[1].value")


def test_flags_are_numbers() -> None:
    word = FnnFlag.STARTED | FnnFlag.VOLTAGE_L1
    assert encode_file([entry_with(status=Unsigned(word))]) == encode_file([entry_with(status=Unsigned(int(word)))])


@pytest.mark.parametrize("name", ["group_no", "abort_on_error"])
def test_boolean_is_no_number(name: str) -> None:
    changes: dict[str, Any] = {name: True}
    assert refused(replace(s.CLOSE, **changes)).path == name


# --- composites --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (ProcParValue("value", 1.5), ""),  # type: ignore[arg-type]
        (ProcParValue("time", Unsigned(1)), ".time"),
        (ProcParValue("list_entry", None), ".list_entry"),
        (ProcParValue("period_entry", ListEntry(obj_name=b"")), ".period_entry"),
        (ProcParValue("other", None), ""),  # type: ignore[arg-type]
        (b"value", ""),
    ],
)
def test_parameter_value(value: Any, path: str) -> None:  # noqa: ANN401 - wrong ones too
    error = refused(tree_with(value))
    assert error.reason == "wrong_type"
    assert error.path.startswith(f"message_body.attention_details.child_list[0].parameter_value{path}")


def test_list_type_inside_a_timestamped_value() -> None:
    """Its value is a simple one."""
    stamp = TimestampedValue(sml_time=SecIndex(1), status=Unsigned(1), simple_value=SecIndex(2))  # type: ignore[arg-type]
    error = refused(entry_with(value=stamp))
    assert (error.reason, error.path) == ("wrong_type", "message_body.val_list[1].value.simple_value")


def test_integer_as_a_status() -> None:
    assert refused(entry_with(status=Integer(1))).path == "message_body.val_list[1].status"


@pytest.mark.parametrize("kind", ["crc32", "X25", "", 0, False, b"x25", [], {}])
def test_checksum_of_no_known_kind(kind: Any) -> None:  # noqa: ANN401 - wrong ones too
    error = refused(replace(s.CLOSE, crc16=kind))
    assert (error.reason, error.path) == ("wrong_type", "crc16")


def test_checksum_kind_by_its_name() -> None:
    for kind in CrcKind:
        named: Any = kind.value
        assert encode_file([replace(s.CLOSE, crc16=named)]) == encode_file([replace(s.CLOSE, crc16=kind)])


# --- recursion ---------------------------------------------------------------------------------------


def deep_tree(levels: int) -> Tree:
    tree = Tree(parameter_name=b"leaf")
    for _ in range(levels):
        tree = Tree(parameter_name=b"", child_list=(tree,))
    return tree


def deep_tuple(levels: int) -> tuple[Any, ...]:
    item: tuple[Any, ...] = ()
    for _ in range(levels):
        item = (item,)
    return item


def test_deep_recursion() -> None:
    path = (b"",)
    for body in (
        GetProcParameterRes(server_id=b"", parameter_tree_path=path, parameter_tree=deep_tree(5_000)),
        Untyped(7, deep_tuple(5_000)),
    ):
        error = refused(around(body))
        assert error.reason == "too_deep"
        assert "a tree" in str(error)


def test_recursion_without_end() -> None:
    endless: list[Any] = []
    endless.append(Tree(parameter_name=b"", child_list=endless))  # type: ignore[arg-type]
    error = refused(around(AttentionRes(server_id=b"", attention_no=b"", attention_details=endless[0])))
    assert error.reason == "too_deep"


def test_trees_as_deep_as_a_decoder_reads() -> None:
    """A tree of n levels and an entry lies up to 2n + 6 lists deep; 13 levels fit into the default of 32."""
    entry = ListEntry(obj_name=b"", val_time=LocalTimestamp(1, 2, 3))
    for levels, fits in ((13, True), (14, False)):
        tree = Tree(parameter_name=b"", parameter_value=ProcParValue("list_entry", entry))
        for _ in range(levels - 1):
            tree = Tree(parameter_name=b"", child_list=(tree,))
        message = around(AttentionRes(server_id=b"", attention_no=b"", attention_details=tree))
        octets = encode_file([message])
        if fits:
            assert decode_file(octets) == (message,)
        else:
            with pytest.raises(ValueError, match="max_depth"):
                decode_file(octets)


# --- anything -----------------------------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.builds(Unsigned, st.integers(), st.none() | st.integers())
    | st.builds(Integer, st.integers(), st.none() | st.integers() | st.text(max_size=1))
    | st.builds(SecIndex, st.integers())
    | st.sampled_from((PublicCloseRes(), Untyped(1, b""), CrcKind.X25)),
    lambda item: (
        st.lists(item, max_size=3)
        | st.lists(item, max_size=3).map(tuple)
        | st.builds(Untyped, item, item)
        | st.builds(ProcParValue, st.sampled_from(("value", "time", "x")), item)
        | st.builds(Tree, parameter_name=item, parameter_value=item, child_list=item)
        | st.builds(ListEntry, obj_name=item, status=item, val_time=item, unit=item, value=item)
    ),
    max_leaves=8,
)


@settings(max_examples=400)
@given(anything, st.sampled_from([field.name for field in fields(Message)]), st.sampled_from(("fixed", "shortest")))
def test_anything_anywhere_is_written_or_refused(value: Any, name: str, integers: Any) -> None:  # noqa: ANN401
    message = replace(s.CLOSE, **{name: value})
    try:
        octets = encode_file([message], integers=integers)
    except EncodeError as error:
        assert error.path.split("[")[0].split(".")[0] in {name, ""}  # noqa: PT017 - written or refused, both are right
    else:
        assert decode_file(octets)
