"""What a gateway asks of a meter, as SML files, and what it makes of the answers.

=====================  ==================================================  ==================================
request                messages between Open and Close                     result
=====================  ==================================================  ==================================
:class:`Read`          a GetProcParameter for each code, all attributes    a :class:`Reading` for each code
:class:`ReadList`      GetList                                             a :class:`Reading` for each entry
:class:`Write`         SetProcParameter                                    nothing
:class:`Renewal`       SetProcParameter with octets, through TLS           nothing
:class:`CryptoReset`   SetProcParameter of its object, always in clear     nothing
=====================  ==================================================  ==================================

Where the meter refuses one of several codes, an :class:`~e320proto.AttentionError` stands in its place.

Source: LMN security, section 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from e320proto.errors import AttentionError, DecodeError, RemoteProtocolError
from e320proto.obis import ObisCode
from e320proto.sml.codec import decode_file, encode_file
from e320proto.sml.messages import (
    AttentionRes,
    CosemScalerUnit,
    GetListReq,
    GetListRes,
    GetProcParameterReq,
    GetProcParameterRes,
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
)
from e320proto.units import Quantity, unit

if TYPE_CHECKING:
    from e320proto.lmn.certificates import Credentials
    from e320proto.sml.messages import MessageBody, Value

CLIENT_ID: Final = b"E320GW"
_CRYPTO_RESET: Final = ObisCode.parse("1-0:94.49.0*7")
_DATA_GROUPS: Final = frozenset({0, 94, 96, 97})  # C of what is class 1; all else is a register
_DATA, _REGISTER = 1, 3
_VALUE, _SCALER_UNIT, _STATUS, _TIME = 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Reading:
    """One object as the meter tells it.

    Args:
        code: of the object.
        value: an exact quantity where a unit or a scaler came with it, else octets, a truth value or a number.
        status: the status word beside it.
        sec_index: the meter's seconds counter when it was captured.
    """

    code: ObisCode
    value: Quantity | bytes | bool | int | None
    status: int | None = None
    sec_index: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """Read objects, each with all its attributes.

    Args:
        codes: at least one.
    """

    codes: tuple[ObisCode, ...]
    repeatable = True
    in_clear = False


@dataclass(frozen=True, slots=True)
class ReadList:
    """Read the list that the meter pushes, with all entries.

    Args:
        list_name: of another list.
    """

    list_name: bytes | None = None
    repeatable = True
    in_clear = False


@dataclass(frozen=True, slots=True)
class Write:
    """Write the value of an object.

    Args:
        code: of the object.
        value: as it goes over the wire.
    """

    code: ObisCode
    value: Value
    repeatable = False
    in_clear = False


@dataclass(frozen=True, slots=True)
class Renewal:
    """Replace the meter's credentials or the gateway's certificate through the TLS that stands on the old ones.

    Args:
        code: of the object that takes it, see ``cert_objects``.
        octets: certificate and private key of the meter, or certificate of the gateway, in DER.
        meter_certificate: what the gateway expects of the meter from then on; ``None``: as before.
        gateway: what the gateway shows from then on; ``None``: as before.
    """

    code: ObisCode
    octets: bytes = field(repr=False)
    meter_certificate: bytes | None = field(default=None, repr=False)
    gateway: Credentials | None = None
    repeatable = False
    in_clear = False


@dataclass(frozen=True, slots=True)
class CryptoReset:
    """Bring the meter's keys and certificates back to delivery; the gateway forgets its own."""

    repeatable = False
    in_clear = True


Request: TypeAlias = Read | ReadList | Write | Renewal | CryptoReset
Result: TypeAlias = tuple[Reading | AttentionError, ...]


def request_file(request: Request, server_id: bytes, number: int) -> bytes:
    """Make the SML file of a request.

    Args:
        request: what is asked.
        server_id: of the meter.
        number: of the file, 0 to 2**32 - 1; the answer repeats it.

    >>> len(request_file(Read((ObisCode.parse("1.8.0"),)), bytes(10), 42))
    94
    """
    bodies: list[MessageBody] = []
    match request:
        case Read(codes):
            bodies += [
                GetProcParameterReq(server_id=server_id, parameter_tree_path=(_element(code),)) for code in codes
            ]
        case ReadList(list_name):
            bodies.append(GetListReq(client_id=CLIENT_ID, server_id=server_id, list_name=list_name))
        case Write(code, value):
            bodies.append(_write(server_id, code, value))
        case Renewal(code, octets):
            bodies.append(_write(server_id, code, octets))
        case CryptoReset():
            bodies.append(_write(server_id, _CRYPTO_RESET, Unsigned(1, 1)))
    everything = (PublicOpenReq(client_id=CLIENT_ID, req_file_id=number.to_bytes(4)), *bodies, PublicCloseReq())
    return encode_file(
        Message(transaction_id=at.to_bytes(2), message_body=body) for at, body in enumerate(everything, 1)
    )


def _element(code: ObisCode) -> bytes:
    class_id = _DATA if code[2] in _DATA_GROUPS else _REGISTER
    return bytes(code) + class_id.to_bytes(2) + b"\0"


def _write(server_id: bytes, code: ObisCode, value: Value) -> SetProcParameterReq:
    name = _element(code)
    tree = Tree(parameter_name=name, parameter_value=ProcParValue("value", value))
    return SetProcParameterReq(server_id=server_id, parameter_tree_path=(name,), parameter_tree=tree)


def response(request: Request, server_id: bytes, number: int, file: bytes) -> Result:
    """Read the answer to a request.

    Args:
        request: what was asked.
        server_id: of the meter.
        number: of the file that asked.
        file: the answer.

    Returns:
        Readings, or refusals in their places; nothing for what was written.

    Raises:
        AttentionError: what is no reading was refused.
        RemoteProtocolError: it is no answer to this request.
        DecodeError: it is no SML file.
    """
    messages = decode_file(file)
    opened = messages[0].message_body if messages else None
    if not isinstance(opened, PublicOpenRes) or opened.req_file_id != number.to_bytes(4):
        raise _foreign(expected="an answer to this file", found=f"{type(opened).__name__}")
    if opened.server_id != server_id:
        raise _foreign(expected=f"server id {server_id.hex()}", found=opened.server_id.hex())
    answers = [message.message_body for message in messages[1:]]
    if answers and isinstance(answers[-1], PublicCloseRes):
        answers.pop()
    expected = len(request.codes) if isinstance(request, Read) else 1
    if len(answers) != expected:
        raise _foreign(expected=f"{expected} messages", found=f"{len(answers)}")
    match request:
        case Read(codes):
            return tuple(_reading(code, answer) for code, answer in zip(codes, answers, strict=True))
        case ReadList():
            return _list(answers[0])
        case Write(code, _):
            return _done(answers[0], f"{code} to be written")
        case Renewal(code):
            return _done(answers[0], f"{code} to be written")
        case CryptoReset():
            return _done(answers[0], "a crypto reset")


def _reading(code: ObisCode, answer: MessageBody) -> Reading | AttentionError:
    if isinstance(answer, AttentionRes):
        return _refusal(answer, f"{code} to be read")
    if not isinstance(answer, GetProcParameterRes) or answer.parameter_tree.parameter_name[:6] != code:
        raise _foreign(expected=f"{code}", found=type(answer).__name__)
    found: dict[int, object] = {}
    for child in answer.parameter_tree.child_list or (answer.parameter_tree,):
        number = _VALUE if child is answer.parameter_tree else int.from_bytes(child.parameter_name)
        if child.parameter_value is not None:
            found[number] = child.parameter_value.content
    scale, status, captured = found.get(_SCALER_UNIT), found.get(_STATUS), found.get(_TIME)
    scaler, in_unit = (scale.scaler, scale.unit) if isinstance(scale, CosemScalerUnit) else (None, None)
    return Reading(code, _value(found.get(_VALUE), scaler, in_unit), _number(status), _number(captured))


def _list(answer: MessageBody) -> Result:
    if isinstance(answer, AttentionRes):
        raise _refusal(answer, "a list")
    if not isinstance(answer, GetListRes):
        raise _foreign(expected="GetListRes", found=type(answer).__name__)
    read = []
    for entry in answer.val_list:
        try:
            code = ObisCode(entry.obj_name)
        except DecodeError:
            continue  # a name of another kind
        time = entry.val_time or answer.act_sensor_time
        value = _value(entry.value, entry.scaler, entry.unit)
        read.append(Reading(code, value, _number(entry.status), time.value if isinstance(time, SecIndex) else None))
    return tuple(read)


def _done(answer: MessageBody, what: str) -> Result:
    if not isinstance(answer, AttentionRes):
        raise _foreign(expected="an attention", found=type(answer).__name__)
    if not answer.positive:
        raise _refusal(answer, what)
    return ()


def _value(found: object, scaler: int | None, in_unit: int | None) -> Quantity | bytes | bool | int | None:
    if isinstance(found, Integer | Unsigned):
        if scaler is None and in_unit is None:
            return found.value
        return Quantity(found.value, scaler or 0, None if in_unit is None else unit(in_unit))
    return found if isinstance(found, bytes | bool) else None


def _number(found: object) -> int | None:
    match found:
        case Integer(value=number) | Unsigned(value=number) | SecIndex(value=number):
            return number
        case _:
            return None


def _refusal(answer: AttentionRes, request: str) -> AttentionError:
    return AttentionError(answer.number, request, meaning=answer.meaning)


def _foreign(*, expected: str, found: str) -> RemoteProtocolError:
    return RemoteProtocolError("answer", state="ASKED", expected=expected, actual=found)
