"""What a frame of the LMN says, layer by layer, in words for people.

::

    HDLC    SNRM, I, UI ...; who to whom; numbers
      |-- UI, selector 1 and 2     participants
      |-- I, selector 1            records of TLS, by their kinds
      |-- I, selector 3            octets of SML in clear
      '-- I, selector 6            messages of the symmetric pairing, by their commands
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from e320proto.errors import DecodeError
from e320proto.hdlc import BROADCAST, GATEWAY, FrameKind, decode_records
from e320proto.identity import ServerId
from e320proto.lmn.pairing_message import REPLY, Command
from e320proto.obis import ObisCode
from e320proto.sml.codec import decode_file
from e320proto.sml.messages import (
    AttentionRes,
    GetListRes,
    GetProcParameterReq,
    GetProcParameterRes,
    SetProcParameterReq,
)
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from e320proto.hdlc import Frame
    from e320proto.sml.messages import MessageBody

_TLS, _PLAIN, _PAIRING = 1, 3, 6
_SELECTORS: Final = {_TLS: "TLS", _PLAIN: "SML", _PAIRING: "pairing"}
_BROADCASTS: Final = {1: "assignment", 2: "check"}
_RECORDS: Final = {20: "change cipher spec", 21: "alert", 22: "handshake", 23: "application data"}
_HANDSHAKES: Final = {
    0: "hello request",
    1: "client hello",
    2: "server hello",
    11: "certificate",
    12: "server key exchange",
    13: "certificate request",
    14: "server hello done",
    15: "certificate verify",
    16: "client key exchange",
    20: "finished",
}
_RECORD_HEAD: Final = 5
_NUMBERED: Final = {FrameKind.RR, FrameKind.RNR, FrameKind.REJ}


@dataclass(slots=True)
class _Direction:
    """What went one way over one connection."""

    ns: int | None = None
    tls: bytearray = field(default_factory=bytearray)
    ciphered: bool = False
    within: bool = False  # of a message in segments


class Layers:
    """Puts frames into words; of a connection it remembers what it needs for that.

    >>> from e320proto.hdlc import Address, Control, Frame
    >>> Layers().words(Frame(Address(68, 1), Address(GATEWAY, 1), Control(FrameKind.SNRM)))
    ['HDLC gateway -> 68: SNRM P, TLS']
    """

    def __init__(self) -> None:
        self._directions: dict[tuple[int, int], _Direction] = {}

    def words(self, frame: Frame) -> list[str]:
        """Give a line for each layer of a frame."""
        control = frame.control
        numbers = f" N(S)={control.ns} N(R)={control.nr}" if control.kind is FrameKind.I else ""
        numbers = f" N(R)={control.nr}" if control.kind in _NUMBERED else numbers
        final = (" P" if frame.src.address == GATEWAY else " F") if control.poll_final else ""
        selector = frame.dest.selector
        purposes = _BROADCASTS if control.kind is FrameKind.UI else _SELECTORS
        what = purposes.get(selector, f"selector {selector}")
        size = f", {plural(len(frame.info), 'octet')}" if frame.info else ""
        more = ", segment" if frame.segment else ""
        head = f"HDLC {_station(frame.src.address)} -> {_station(frame.dest.address)}: {control.kind.value}{numbers}"
        return [f"{head}{final}, {what}{size}{more}", *self._content(frame)]

    def _content(self, frame: Frame) -> list[str]:
        match frame.control.kind:
            case FrameKind.UI:
                return _participants(frame)
            case FrameKind.SNRM | FrameKind.UA:
                self._directions.pop((frame.src.address, frame.dest.address), None)
                return []
            case FrameKind.I:
                direction = self._directions.setdefault((frame.src.address, frame.dest.address), _Direction())
                if direction.ns == frame.control.ns:
                    return ["     the same again"]
                direction.ns = frame.control.ns
                return _connected(frame, direction)
            case _:
                return []


def _connected(frame: Frame, direction: _Direction) -> list[str]:
    match frame.dest.selector:
        case 1:
            direction.tls += frame.info
            return [f"TLS  {words}" for words in _records(direction)]
        case 6:
            continued, direction.within = direction.within, frame.segment
            return [] if continued else _pairing(frame.info)
        case _:
            return []


def _station(address: int) -> str:
    return {GATEWAY: "gateway", BROADCAST: "all"}.get(address, str(address))


def _participants(frame: Frame) -> list[str]:
    try:
        records = decode_records(frame.info)
    except DecodeError as error:
        return [f"LMN  {error}"]
    return [
        f"LMN  address {record.address}, slot {record.slot}: {ServerId.from_wire(record.sensor_id).text}"
        for record in records
    ]


def _records(direction: _Direction) -> list[str]:
    """Take the records that are complete."""
    lines, octets = [], direction.tls
    while len(octets) >= _RECORD_HEAD:
        end = _RECORD_HEAD + int.from_bytes(octets[3:5])
        if len(octets) < end:
            break
        kind = _RECORDS.get(octets[0], f"record {octets[0]}")
        if octets[0] == 22 and not direction.ciphered and end > _RECORD_HEAD:  # noqa: PLR2004 - the kind of handshakes
            kind += f", {_HANDSHAKES.get(octets[_RECORD_HEAD], 'another')}"
        direction.ciphered |= octets[0] == 20  # noqa: PLR2004 - change cipher spec
        lines.append(f"{kind}, {plural(end - _RECORD_HEAD, 'octet')}")
        del octets[:end]
    return lines


def _pairing(message: bytes) -> list[str]:
    if not message:
        return []
    try:
        name = Command(message[0] & ~REPLY).name.lower().replace("_", " ")
    except ValueError:
        return [f"SYM  unknown command {message[0]:02X}"]
    kind = "reply" if message[0] & REPLY else "request"
    return [f"SYM  {kind} {message[0]:02X}, {name}, counter {int.from_bytes(message[5:9])}"]


def file_words(file: bytes) -> list[str]:
    """Give a line for each message of an SML file between its opening and its closing.

    >>> from e320proto.lmn.requests import Read, request_file
    >>> file_words(request_file(Read((ObisCode.parse("1.8.0"),)), bytes(10), 1))
    ['SML  GetProcParameterReq 1-0:1.8.0*255']
    """
    try:
        bodies = [message.message_body for message in decode_file(file)]
    except DecodeError as error:
        return [f"SML  {error}"]
    return [
        f"SML  {words}" for body in bodies if not (words := _message(body)).startswith(("PublicOpen", "PublicClose"))
    ]


def _message(body: MessageBody) -> str:
    name = type(body).__name__
    match body:
        case GetProcParameterReq(parameter_tree_path=path) | SetProcParameterReq(parameter_tree_path=path):
            return f"{name} {_code(path[0]) if path else ''}"
        case GetProcParameterRes(parameter_tree=tree):
            return f"{name} {_code(tree.parameter_name)}"
        case GetListRes(val_list=entries):
            return f"{name} {' '.join(_code(entry.obj_name) for entry in entries)}"
        case AttentionRes():
            number = "" if body.number is None else f"{body.number:04X}, "
            return f"{name} {number}{body.meaning}"
        case _:
            return name


def _code(name: bytes) -> str:
    try:
        return str(ObisCode(name[:6]))
    except DecodeError:
        return name.hex()
