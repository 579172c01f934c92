"""The meter's end of SML: every object read and written, every refusal with its number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import ObisCode, TransportDecoder, decode_file, encode_file, encode_transport
from e320proto.lmn.profile import SecurityProfile
from e320proto.meter import E320Config, Fault, Inputs, Meter, Mode
from e320proto.meter.modes import POSITIVE
from e320proto.meter.objects import Channel, objects_of
from e320proto.meter.requests import RequestServer
from e320proto.sml.messages import (
    AttentionRes,
    CosemScalerUnit,
    GetListReq,
    GetListRes,
    GetProcParameterReq,
    GetProcParameterRes,
    GetProfileListReq,
    Integer,
    Message,
    ProcParValue,
    PublicCloseReq,
    PublicCloseRes,
    PublicOpenReq,
    PublicOpenRes,
    SecIndex,
    SetProcParameterReq,
    Tree,
    Unsigned,
    Untyped,
)
from tests.meter.vectors import LMN_SML

TLS, PLAIN = Channel(through_tls=True), Channel()
VECTORS = {vector["id"]: bytes.fromhex(vector["hex"]) for vector in LMN_SML["sml_lmn"]}
SERVER_ID = bytes.fromhex("0A014C475A0000BC614E")


def meter_of(**settings: Any) -> Meter:  # noqa: ANN401
    config = E320Config(**{"device_id": "1LGZ0012345678", "pin": "3025", **settings})
    meter = Meter(config, pushes=False, registers={POSITIVE: 1_234_567} if config.mode is Mode.BOTH else None)
    meter.advance(0, Inputs.of_power(0, 0, 0))
    return meter


def element(code: str, class_id: int = 1) -> bytes:
    return bytes(ObisCode.parse(code)) + class_id.to_bytes(2) + b"\0"


def asked(meter: Meter, *bodies: Any, channel: Channel = PLAIN, **profile: Any) -> list[Any]:  # noqa: ANN401
    everything = PublicOpenReq(client_id=b"GW", req_file_id=b"\7"), *bodies, PublicCloseReq()
    messages = [Message(transaction_id=bytes([at]), message_body=body) for at, body in enumerate(everything, 1)]
    answers = decode_file(RequestServer(meter, SecurityProfile(**profile)).serve(encode_file(messages), channel))
    assert [answer.transaction_id for answer in answers] == [message.transaction_id for message in messages]
    assert answers[0].message_body == PublicOpenRes(
        client_id=b"GW", req_file_id=b"\7", server_id=SERVER_ID, ref_time=SecIndex(meter.sec_index)
    )
    assert answers[-1].message_body == PublicCloseRes()
    return [answer.message_body for answer in answers[1:-1]]


def values(meter: Meter, path: tuple[bytes, ...], **options: Any) -> dict[int, Any] | int:  # noqa: ANN401
    (answer,) = asked(meter, GetProcParameterReq(server_id=SERVER_ID, parameter_tree_path=path), **options)
    if isinstance(answer, AttentionRes):
        assert answer.attention_details == Tree(parameter_name=path[0])
        assert answer.number is not None
        return answer.number
    assert isinstance(answer, GetProcParameterRes)
    assert answer.parameter_tree_path == path
    assert answer.parameter_tree.parameter_name == path[0]
    assert answer.parameter_tree.child_list is not None
    found = {}
    for child in answer.parameter_tree.child_list:
        assert child.parameter_value is not None
        found[int.from_bytes(child.parameter_name)] = child.parameter_value.content
    return found


def written(meter: Meter, code: str, value: Any, *, child: bool = False, **options: Any) -> int:  # noqa: ANN401
    name = element(code)
    content = ProcParValue("value", value)
    tree = Tree(parameter_name=name, parameter_value=content)
    if child:
        tree = Tree(parameter_name=name, child_list=(Tree(parameter_name=b"\0\2", parameter_value=content),))
    path = (name, b"\0\2") if child else (name,)
    (answer,) = asked(meter, SetProcParameterReq(parameter_tree_path=path, parameter_tree=tree), **options)
    assert isinstance(answer, AttentionRes)
    assert answer.number is not None
    return answer.number


def payload_of(frame: bytes) -> bytes:
    (event,) = TransportDecoder().feed(frame)
    return event.payload  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("request_id", "response_id", "paired", "after_s"),
    [
        ("getproc_req_1_8_0", "getproc_res_1_8_0", False, 123_456),
        ("getproc_req_1_8_0", "attention_plain_refused", True, 123_456),
        ("setproc_req_crypto_reset", "attention_crypto_reset_done", True, 123_456),
        ("setproc_req_crypto_reset", "attention_crypto_reset_refused", True, 123_456),
    ],
)
def test_vectors(request_id: str, response_id: str, paired: bool, after_s: int) -> None:  # noqa: FBT001
    meter = meter_of()
    meter.advance(after_s)
    if paired:
        meter.pair(b"own", b"key", b"gateway")
    if response_id == "attention_crypto_reset_refused":
        meter.tls_session(established=True)
        meter.tls_session(established=False)
    answer = RequestServer(meter, SecurityProfile()).serve(payload_of(VECTORS[request_id]), PLAIN)
    assert encode_transport(answer) == VECTORS[response_id]


def test_every_object_can_be_read() -> None:
    meter = meter_of()
    meter.advance(10, Inputs.of_power(-500, 0, 0))
    meter.advance(12)
    read = {
        str(code): values(meter, (element(str(code), known.class_id), b"\0\2"))
        for code, known in objects_of(Mode.BOTH).items()
    }
    only_written = {"1-0:94.49.0*7", "1-0:94.49.1*7", "0-0:44.0.0*255"}
    assert {code for code, found in read.items() if found == 0xFE06} == only_written
    contents = {code: found[2] for code, found in read.items() if isinstance(found, dict)}
    assert contents == {
        "1-0:94.49.0*1": Unsigned(12, 4),
        "1-0:94.49.1*1": False,
        "1-0:94.49.1*2": False,
        "1-0:94.49.1*3": Unsigned(0, 4),
        "1-0:94.49.1*4": Unsigned(1, 1),
        "1-0:94.49.1*9": Unsigned(1, 1),
        "1-0:94.49.1*10": Unsigned(0, 4),
        "1-0:94.49.1*14": True,
        "1-0:1.8.0*255": Unsigned(1_234_567, 8),
        "1-0:2.8.0*255": Unsigned(2, 8),
        "1-0:16.7.0*255": Integer(-500, 8),
        "1-0:96.1.0*255": SERVER_ID,
        "1-0:96.50.1*1": b"LGZ",
        "1-0:96.5.0*255": Unsigned(0x001C1904, 4),
        "1-0:97.97.0*255": Unsigned(0, 4),
        "1-0:0.2.0*255": b"01.00",
        "1-0:96.90.2*255": b"0000",
    }


def test_attributes_of_a_register() -> None:
    meter = meter_of()
    name = element("1.8.0", 3)
    everything = {
        1: name[:6],
        2: Unsigned(1_234_567, 8),
        3: CosemScalerUnit(-1, 30),
        4: Unsigned(0x001C0004, 4),
        5: Unsigned(0, 4),
    }
    assert values(meter, (name,)) == everything
    assert values(meter, (name, b"\0\4", b"\0\2")) == {4: everything[4], 2: everything[2]}
    assert values(meter, (name, b"\0\6")) == 0xFE06  # the meter does not sign


@pytest.mark.parametrize("mode", Mode)
def test_registers_of_the_modes(mode: Mode) -> None:
    meter = meter_of(mode=mode)
    for code in objects_of(Mode.QUADRANTS):
        found = values(meter, (element(str(code), 3), b"\0\2"))
        if code.short.endswith(".8.0"):
            assert isinstance(found, dict) == (code in mode.registers)
    if mode is Mode.BALANCED:
        assert values(meter, (element("2.8.0"), b"\0\2")) == {2: Integer(0, 8)}
        wrapped = meter_of(mode=mode, balanced_negative="wrap")
        assert values(wrapped, (element("2.8.0"), b"\0\2")) == {2: Unsigned(0, 8)}


@pytest.mark.parametrize("child", [False, True])
def test_settings(child: bool) -> None:  # noqa: FBT001
    meter = meter_of()
    assert written(meter, "1-0:94.49.1*2", True, child=child) == 0xFD00  # noqa: FBT003
    assert meter.extended_set
    assert written(meter, "1-0:94.49.1*1", True, child=child) == 0xFD00  # noqa: FBT003
    assert meter.settings["show_power"]
    assert written(meter, "1-0:94.49.1*14", False, child=child) == 0xFD00  # noqa: FBT003
    meter.power(on=False)
    meter.power(on=True)
    assert not meter.extended_set
    assert meter.settings["show_power"]
    for wrong in (Unsigned(1, 1), b"\1", None):
        assert written(meter, "1-0:94.49.1*2", wrong, child=child) == 0xFE09


def test_pin() -> None:
    meter = meter_of()
    assert written(meter, "1-0:94.49.1*7", b"4711") == 0xFD00
    assert meter._guards.pin_is_right("4711")
    for wrong in (b"471", b"47112", b"47a1", b"\xff123", Unsigned(4711, 2), "²²²²".encode()):
        assert written(meter, "1-0:94.49.1*7", wrong) == 0xFE09
    assert meter._guards.pin_is_right("4711")
    assert written(meter_of(pin_protection=False), "1-0:94.49.1*7", b"4711") == 0xFE09


def test_magnet_and_cover() -> None:
    meter = meter_of()
    meter.advance(1, Inputs(magnet=True, cover_open=True))
    assert meter.status_word & 0x600 == 0x600
    assert values(meter, (element("1-0:94.49.1*3"), b"\0\2")) == {2: Unsigned(1, 4)}
    assert written(meter, "1-0:94.49.1*4", Unsigned(2, 1)) == 0xFD00
    assert meter.status_word & 0x600 == 0x400
    assert written(meter, "1-0:94.49.1*9", Unsigned(0, 1)) == 0xFD00
    assert meter.status_word & 0x600 == 0
    assert written(meter, "1-0:94.49.1*9", Unsigned(1, 1)) == 0xFD00
    assert meter.status_word & 0x600 == 0x400
    assert written(meter, "1-0:94.49.1*9", Unsigned(2, 1)) == 0xFD00
    assert meter.status_word & 0x600 == 0
    assert written(meter, "1-0:94.49.1*9", Unsigned(3, 1)) == 0xFE09
    meter.advance(2, Inputs())
    meter.advance(3, Inputs(magnet=True))
    assert meter.status_word & 0x600 == 0x200
    assert values(meter, (element("1-0:94.49.1*3"), b"\0\2")) == {2: Unsigned(2, 4)}


def test_error_register() -> None:
    meter = meter_of()
    meter.raise_fault(Fault.TIME_BASE)
    assert written(meter, "97.97.0", Unsigned(1, 4)) == 0xFE09
    assert meter.error_register == Fault.TIME_BASE
    assert written(meter, "97.97.0", Unsigned(0, 4)) == 0xFD00
    assert meter.error_register == Fault(0)


def test_firmware_is_never_replaced() -> None:
    meter = meter_of()
    for code in ("0-0:44.0.0*255", "1-0:0.2.0*255"):
        assert written(meter, code, b"firmware") == 0xFE0A


@pytest.mark.parametrize(
    ("code", "number"), [("1.8.0", 0xFE05), ("96.1.0", 0xFE05), ("1-0:99.1.0*255", 0xFE05), ("21.7.0", 0xFE05)]
)
def test_what_cannot_be_written(code: str, number: int) -> None:
    assert written(meter_of(), code, Unsigned(1, 4)) == number


def test_requests_that_are_refused() -> None:
    meter = meter_of()
    name = element("1.8.0", 3)
    open_path = (name, b"\0\2")
    foreign = GetProcParameterReq(server_id=b"\x0a\x01LGZ\0\0\0\0\1", parameter_tree_path=open_path)
    profile = GetProfileListReq(parameter_tree_path=open_path)
    answers = asked(
        meter,
        foreign,
        profile,
        Untyped(0x0800, (b"", b"")),
        GetListReq(client_id=b"GW", list_name=b"other"),
        GetProcParameterReq(parameter_tree_path=()),
        GetProcParameterReq(parameter_tree_path=(b"short",)),
        GetProcParameterReq(parameter_tree_path=(name, b"\2")),
        GetProcParameterReq(parameter_tree_path=(element("21.7.0", 3),)),
    )
    assert [answer.number for answer in answers] == [0xFE03, 0xFE0D, 0xFE0D, *[0xFE06] * 5]


def test_class_and_version_count_if_so_configured() -> None:
    meter = meter_of()
    assert values(meter, (element("1.8.0", 0x8002), b"\0\2")) == {2: Unsigned(1_234_567, 8)}
    assert values(meter, (element("1.8.0", 0x8002), b"\0\2"), strict_class=True) == 0xFE06
    assert values(meter, (element("1.8.0", 3), b"\0\2"), strict_class=True) == {2: Unsigned(1_234_567, 8)}


def test_paired_meters_want_tls() -> None:
    meter = meter_of()
    meter.pair(b"own", b"key", b"gateway")
    path = (element("1.8.0", 3), b"\0\2")
    assert values(meter, path) == 0xFE02
    assert values(meter, path, plain_refusal=0xFE0A) == 0xFE0A
    assert written(meter, "1-0:94.49.1*2", True) == 0xFE02  # noqa: FBT003
    assert isinstance(values(meter, path, channel=TLS), dict)
    meter.advance(60)
    assert written(meter, "1-0:94.49.0*7", Unsigned(1, 1), channel=TLS) == 0xFE0A
    assert meter.security.paired
    assert written(meter, "1-0:94.49.0*7", Unsigned(1, 1)) == 0xFD00
    assert not meter.security.paired


def test_list() -> None:
    meter = meter_of()
    (answer,) = asked(meter, GetListReq(client_id=b"GW"))
    assert isinstance(answer, GetListRes)
    assert [str(ObisCode(entry.obj_name)) for entry in answer.val_list] == [
        "1-0:96.50.1*1",
        "1-0:96.1.0*255",
        "1-0:1.8.0*255",
        "1-0:2.8.0*255",
        "1-0:16.7.0*255",
    ]
    assert answer.val_list[2].value == Unsigned(1_234_567, 8)
    assert answer.client_id == b"GW"


def test_a_file_without_open_and_close() -> None:
    path = (element("96.1.0"), b"\0\2")
    request = Message(transaction_id=b"x", message_body=GetProcParameterReq(parameter_tree_path=path))
    answers = decode_file(RequestServer(meter_of(), SecurityProfile()).serve(encode_file([request]), PLAIN))
    assert [type(answer.message_body).__name__ for answer in answers] == [
        "PublicOpenRes",
        "GetProcParameterRes",
        "PublicCloseRes",
    ]


@given(st.binary(max_size=200), st.integers(0, 111), st.integers(0, 7))
def test_any_octets_get_an_answer_or_none(noise: bytes, at: int, bit: int) -> None:
    server = RequestServer(meter_of(), SecurityProfile())
    flipped = bytearray(payload_of(VECTORS["getproc_req_1_8_0"]))
    flipped[at % len(flipped)] ^= 1 << bit
    for octets in (noise, bytes(flipped), bytes(flipped) + noise):
        answer = server.serve(octets, PLAIN)
        assert not answer or isinstance(decode_file(answer)[-1].message_body, PublicCloseRes)
