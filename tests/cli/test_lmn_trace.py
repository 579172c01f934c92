"""Frames in words: each layer, what is damaged, what comes twice."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from e320proto.cli.lmn_layers import Layers, file_words
from e320proto.cli.lmn_trace import Trace
from e320proto.cli.pcapng import PcapngWriter
from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameKind, encode_frame
from e320proto.lmn.assignment import Broadcast, MeterIds, answer_frame, broadcast_frame
from e320proto.lmn.requests import CryptoReset, ReadList, request_file

METER = bytes.fromhex("0a014c475a0003c988dd")


def from_gateway(selector: int, info: bytes = b"", ns: int = 0, *, segment: bool = False) -> Frame:
    control = Control(FrameKind.I, ns=ns)
    return Frame(Address(68, selector), Address(GATEWAY, selector), control, info, segment)


def test_broadcasts_tell_who_is_on_the_list() -> None:
    record = MeterIds.of_meter(METER).record(68, 2)
    assert Layers().words(broadcast_frame(Broadcast.CHECK, [record])) == [
        "HDLC gateway -> all: UI P, check, 32 octets",
        "LMN  address 68, slot 2: 1LGZ0063539421",
    ]
    assert Layers().words(answer_frame(Broadcast.ASSIGNMENT, record))[0] == (
        "HDLC 68 -> gateway: UI F, assignment, 32 octets"
    )


def test_a_broken_list_is_told() -> None:
    broken = replace(broadcast_frame(Broadcast.CHECK, []), info=bytes(5))
    assert "expected a multiple of 32 octets" in Layers().words(broken)[1]


def test_records_of_tls_are_told_when_they_are_complete() -> None:
    layers = Layers()
    assert layers.words(from_gateway(1, bytes.fromhex("160303000401"))) == [
        "HDLC gateway -> 68: I N(S)=0 N(R)=0 P, TLS, 6 octets"
    ]
    rest = bytes.fromhex("000000 1403030001 01 1603030002 0102 1503030002 0100 6303030000")
    assert layers.words(from_gateway(1, rest, 1))[1:] == [
        "TLS  handshake, client hello, 4 octets",
        "TLS  change cipher spec, 1 octet",
        "TLS  handshake, 2 octets",
        "TLS  alert, 2 octets",
        "TLS  record 99, 0 octets",
    ]


def test_what_comes_again_is_not_taken_twice() -> None:
    layers = Layers()
    frame = from_gateway(1, bytes.fromhex("15030300020100"))
    assert layers.words(frame)[1:] == ["TLS  alert, 2 octets"]
    assert layers.words(frame)[1:] == ["     the same again"]
    layers.words(Frame(Address(68, 1), Address(GATEWAY, 1), Control(FrameKind.SNRM)))
    assert layers.words(frame)[1:] == ["TLS  alert, 2 octets"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("0100000019ffffffff", ["SYM  request 01, counter, counter 4294967295"]),
        ("820000001900000007", ["SYM  reply 82, algorithms, counter 7"]),
        ("7f0000001900000007", ["SYM  unknown command 7F"]),
        ("", []),
    ],
)
def test_messages_of_the_pairing(message: str, words: list[str]) -> None:
    assert Layers().words(from_gateway(6, bytes.fromhex(message)))[1:] == words


def test_segments_are_one_message() -> None:
    layers = Layers()
    first = from_gateway(6, bytes.fromhex("030000001900000007"), segment=True)
    assert layers.words(first) == [
        "HDLC gateway -> 68: I N(S)=0 N(R)=0 P, pairing, 9 octets, segment",
        "SYM  request 03, credentials, counter 7",
    ]
    assert len(layers.words(from_gateway(6, bytes(9), 1))) == 1
    assert len(layers.words(from_gateway(6, bytes.fromhex("040000001900000008"), 2))) == 2


def test_files_are_told_by_their_messages() -> None:
    assert file_words(request_file(CryptoReset(), METER, 1)) == ["SML  SetProcParameterReq 1-0:94.49.0*7"]
    assert file_words(request_file(ReadList(), METER, 1)) == ["SML  GetListReq"]
    (trouble,) = file_words(b"\xff")
    assert trouble.startswith("SML  ")


def test_damage_is_shown_and_kept() -> None:
    shown, kept = io.StringIO(), io.BytesIO()
    trace = Trace(Console(file=shown, width=200), PcapngWriter(kept))
    octets = encode_frame(from_gateway(3, b"octets"))
    broken = octets[:-4] + bytes([octets[-4] ^ 1]) + octets[-3:]
    for piece in (b"noise", octets, broken, octets):
        for at in range(len(piece)):
            trace.octets(piece[at : at + 1], sent=False)
    lines = shown.getvalue().splitlines()
    assert sum("I N(S)=0" in line for line in lines) == 2
    assert any("octets of no frame: 6e6f697365" in line for line in lines)
    assert any("HDLC broken: " in line for line in lines)
    assert all(piece in kept.getvalue() for piece in (b"noise", octets, broken[1:-1]))
