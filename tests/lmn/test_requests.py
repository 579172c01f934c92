"""Requests as files, and what answers mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from e320proto.errors import AttentionError, DecodeError, RemoteProtocolError
from e320proto.lmn.profile import SecurityProfile
from e320proto.lmn.requests import CryptoReset, Read, ReadList, Request, Write, request_file, response
from e320proto.meter.objects import Channel
from e320proto.meter.requests import RequestServer
from e320proto.obis import ObisCode
from e320proto.sml.codec import decode_file, encode_file
from e320proto.sml.messages import (
    AttentionRes,
    GetListReq,
    GetProcParameterReq,
    Message,
    ProcParValue,
    PublicCloseReq,
    PublicOpenReq,
    PublicOpenRes,
    SetProcParameterReq,
    Tree,
    Unsigned,
)
from tests.lmn.whole_stack import a_meter

ENERGY, POWER = ObisCode.parse("1.8.0"), ObisCode.parse("16.7.0")
NUMBER = 0x01020304
READ = Read((ENERGY, POWER))
SETTING = ObisCode.parse("1-0:94.49.1*2")


def answered(request: Request, *, through_tls: bool = True) -> tuple[bytes, list[Message]]:
    """A meter's id and its answer."""
    meter = a_meter()
    meter.advance(0.0)
    meter.advance(40.0)
    server = RequestServer(meter, SecurityProfile())
    file = request_file(request, meter.server_id, NUMBER)
    return meter.server_id, list(decode_file(server.serve(file, Channel(through_tls=through_tls))))


def test_files_of_requests() -> None:
    server_id = a_meter().server_id
    files = {
        request: [message.message_body for message in decode_file(request_file(request, server_id, NUMBER))]
        for request in (READ, ReadList(b"a list"), Write(SETTING, value=True), CryptoReset())
    }
    for bodies in files.values():
        opened = bodies[0]
        assert isinstance(opened, PublicOpenReq)
        assert opened.req_file_id == bytes.fromhex("01020304")
        assert isinstance(bodies[-1], PublicCloseReq)
    assert [body.parameter_tree_path for body in files[READ] if isinstance(body, GetProcParameterReq)] == [
        (bytes.fromhex("0100010800FF000300"),),
        (bytes.fromhex("0100100700FF000300"),),
    ]
    asked = files[ReadList(b"a list")][1]
    assert isinstance(asked, GetListReq)
    assert (asked.server_id, asked.list_name) == (server_id, b"a list")
    write, reset = files[Write(SETTING, value=True)][1], files[CryptoReset()][1]
    assert isinstance(write, SetProcParameterReq)
    assert isinstance(reset, SetProcParameterReq)
    assert write.parameter_tree_path == (bytes.fromhex("01005E310102000100"),)
    assert reset.parameter_tree_path == (bytes.fromhex("01005E310007000100"),)
    assert reset.parameter_tree == Tree(
        parameter_name=bytes.fromhex("01005E310007000100"), parameter_value=ProcParValue("value", Unsigned(1, 1))
    )


def test_transactions_are_numbered() -> None:
    numbers = [message.transaction_id for message in decode_file(request_file(READ, bytes(10), 0))]
    assert numbers == [b"\0\1", b"\0\2", b"\0\3", b"\0\4"]


@pytest.mark.parametrize("request_", [READ, ReadList(), Write(SETTING, value=True)], ids=str)
def test_right_answers(request_: Request) -> None:
    server_id, messages = answered(request_)
    result = response(request_, server_id, NUMBER, encode_file(messages))
    assert len(result) == {Read: 2, ReadList: len(result), Write: 0}[type(request_)]


def test_an_answer_without_close_is_one_too() -> None:
    server_id, messages = answered(READ)
    assert len(response(READ, server_id, NUMBER, encode_file(messages[:-1]))) == 2


def _other_open(messages: list[Message], **other: Any) -> list[Message]:  # noqa: ANN401 - of any field
    opened = messages[0].message_body
    assert isinstance(opened, PublicOpenRes)
    return [replace(messages[0], message_body=replace(opened, **other)), *messages[1:]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda messages: _other_open(messages, req_file_id=b"\1\2\3\5"), "an answer to this file"),
        (lambda messages: _other_open(messages, server_id=bytes(10)), "server id "),
        (lambda messages: messages[1:], "an answer to this file"),
        (lambda messages: [messages[0], messages[1], messages[-1]], "2 messages"),
        (lambda messages: [*messages[:3], messages[2], messages[-1]], "2 messages"),
        (lambda messages: [messages[0], messages[2], messages[1], messages[-1]], "1-0:1.8.0*255"),
        (lambda messages: [messages[0], messages[0], messages[0], messages[-1]], "1-0:1.8.0*255"),
    ],
)
def test_what_is_no_answer(change: Any, expected: str) -> None:  # noqa: ANN401 - a function
    server_id, messages = answered(READ)
    with pytest.raises(RemoteProtocolError) as caught:
        response(READ, server_id, NUMBER, encode_file(change(messages)))
    assert caught.value.reason == "answer"
    assert caught.value.expected.startswith(expected)


@pytest.mark.parametrize("octets", [b"", b"\x00", b"nothing", bytes(100)])
def test_what_is_no_file(octets: bytes) -> None:
    with pytest.raises((DecodeError, RemoteProtocolError)):
        response(READ, bytes(10), NUMBER, octets)


@pytest.mark.parametrize("request_", [ReadList(), Write(SETTING, value=True), CryptoReset()], ids=str)
def test_an_answer_of_another_kind(request_: Request) -> None:
    server_id, messages = answered(Read((ENERGY,)))
    with pytest.raises(RemoteProtocolError, match="answer"):
        response(request_, server_id, NUMBER, encode_file(messages))


@pytest.mark.parametrize(
    ("request_", "number"),
    [
        (ReadList(b"another"), 0xFE06),
        (Write(SETTING, b"octets"), 0xFE09),
        (Write(ENERGY, Unsigned(1, 1)), 0xFE05),
        (CryptoReset(), 0xFE0A),
    ],
    ids=str,
)
def test_refusals(request_: Request, number: int) -> None:
    server_id, messages = answered(request_)
    with pytest.raises(AttentionError) as caught:
        response(request_, server_id, NUMBER, encode_file(messages))
    assert caught.value.number == number


def test_the_right_moment_for_a_crypto_reset() -> None:
    server_id, messages = answered(CryptoReset(), through_tls=False)
    assert isinstance(messages[1].message_body, AttentionRes)
    assert response(CryptoReset(), server_id, NUMBER, encode_file(messages)) == ()


def test_a_value_alone_is_a_reading() -> None:
    """A meter may answer with the value at the root of the tree."""
    server_id, messages = answered(Read((POWER,)))
    answer: Any = messages[1].message_body
    tree = Tree(
        parameter_name=answer.parameter_tree.parameter_name, parameter_value=ProcParValue("value", Unsigned(7, 1))
    )
    messages[1] = replace(messages[1], message_body=replace(answer, parameter_tree=tree))
    (reading,) = response(Read((POWER,)), server_id, NUMBER, encode_file(messages))
    assert not isinstance(reading, AttentionError)
    assert (reading.value, reading.status, reading.sec_index) == (7, None, None)


def test_names_of_another_kind_in_a_list_are_left_out() -> None:
    server_id, messages = answered(ReadList())
    answer: Any = messages[1].message_body
    whole = response(ReadList(), server_id, NUMBER, encode_file(messages))
    entries = (replace(answer.val_list[0], obj_name=b"no code"), *answer.val_list[1:])
    messages[1] = replace(messages[1], message_body=replace(answer, val_list=entries))
    assert response(ReadList(), server_id, NUMBER, encode_file(messages)) == whole[1:]
