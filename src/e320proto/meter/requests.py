"""The meter's end of SML: a file of requests comes in, the file of responses goes out.

::

    Open.Req  GetProcParameter.Req  SetProcParameter.Req ... Close.Req
    Open.Res  GetProcParameter.Res  Attention.Res        ... Close.Res

==========================================  ==========================================
request                                     response
==========================================  ==========================================
GetProcParameter, object and attributes     GetProcParameter.Res, one child for each
SetProcParameter                            Attention FD00, or what is wrong
GetList, no name or that of the push        GetList.Res, the entries of the push
without TLS when paired                     Attention, ``plain_refusal``
for another server id                       Attention FE03
unknown object, or not for reading          Attention FE06, for writing FE05
wrong type or value                         Attention FE09
a message nobody can read                   Attention FE08
anything else                               Attention FE0D
==========================================  ==========================================

Source: LMN security, section 8: what is echoed, and the attention numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from e320proto.events import Malformed
from e320proto.meter.certificate_objects import certificate_objects
from e320proto.meter.info import InfoSnapshot, info_messages
from e320proto.meter.modes import DataSet, Mode
from e320proto.meter.objects import (
    CANNOT_READ,
    CANNOT_WRITE,
    VALUE,
    Channel,
    MeterObject,
    objects_of,
)
from e320proto.obis import ObisCode
from e320proto.sml.attention import ATTENTION_PREFIX
from e320proto.sml.codec import encode_file, read_messages
from e320proto.sml.messages import (
    AttentionRes,
    GetListReq,
    GetListRes,
    GetProcParameterReq,
    GetProcParameterRes,
    Message,
    ProcParValue,
    PublicCloseReq,
    PublicCloseRes,
    PublicOpenReq,
    PublicOpenRes,
    SecIndex,
    SetProcParameterReq,
    Tree,
)

if TYPE_CHECKING:
    from e320proto.lmn.profile import SecurityProfile
    from e320proto.meter.model import Meter
    from e320proto.sml.messages import MessageBody, Value

UNKNOWN_SERVER: Final = 0xFE03
UNREADABLE: Final = 0xFE08
UNEXPECTED: Final = 0xFE0D
_PUSH_LIST: Final = bytes(ObisCode.parse("1-0:98.10.255*255"))
_CRYPTO_RESET: Final = ObisCode.parse("1-0:94.49.0*7")
_OBJECT_OCTETS, _ATTRIBUTE_OCTETS = 9, 2


class _Refused(Exception):  # noqa: N818 - it is an answer
    """Why a request gets an attention instead of what it asks for."""

    def __init__(self, number: int) -> None:
        self.number = number


class RequestServer:
    r"""Answers the requests of one meter.

    Args:
        meter: whose values are read and settings written, at its present instant.
        profile: ``plain_refusal`` and ``strict_class``.

    >>> from e320proto import decode_file
    >>> from e320proto.lmn.profile import SecurityProfile
    >>> from e320proto.meter import E320Config, Meter
    >>> meter = Meter(E320Config(pin="1234"))
    >>> events = meter.advance(0.0)
    >>> path = (bytes.fromhex("0100600500ff000100"), b"\0\2")  # status word, class 1 version 0, attribute 2
    >>> bodies = PublicOpenReq(client_id=b"GW", req_file_id=b"1"), GetProcParameterReq(parameter_tree_path=path)
    >>> request = encode_file(Message(transaction_id=b"1", message_body=body) for body in bodies)
    >>> opened, answer, closed = decode_file(RequestServer(meter, SecurityProfile()).serve(request, Channel()))
    >>> f"{answer.message_body.parameter_tree.child_list[0].parameter_value.content.value:08x}"
    '001c0004'
    """

    def __init__(self, meter: Meter, profile: SecurityProfile) -> None:
        self._meter = meter
        self._profile = profile
        config = meter.config
        self._objects = {
            **objects_of(config.mode, signed=config.balanced_negative == "signed"),
            **certificate_objects(profile.cert_objects),
        }

    def serve(self, file: bytes, channel: Channel) -> bytes:
        """Answer a file of requests.

        Args:
            file: SML file without transport frame.
            channel: how it came.

        Returns:
            The file of responses; without any octet if nothing in ``file`` was a message.
        """
        requests: list[tuple[Message, bool]] = []  # each with whether all of it could be read
        for item in read_messages(file):
            message = item.partial if isinstance(item, Malformed) else item
            if isinstance(message, Message):
                requests.append((message, message is item))
        if not requests:
            return b""
        first, last = requests[0][0], requests[-1][0]
        responses = [self._open(first)]
        for request, readable in requests:
            kind = type(request.message_body)
            if (kind is PublicOpenReq and request is first) or (kind is PublicCloseReq and request is last):
                continue
            body = self._answer(request, channel) if readable else self._attention(UNREADABLE)
            responses.append(_message(request, body))
        responses.append(_message(last, PublicCloseRes()))
        return encode_file(responses)

    def _open(self, first: Message) -> Message:
        opened = first.message_body
        told = opened if isinstance(opened, PublicOpenReq) else PublicOpenReq(client_id=b"", req_file_id=b"")
        body = PublicOpenRes(
            client_id=told.client_id or None,
            req_file_id=told.req_file_id,
            server_id=self._meter.server_id,
            ref_time=SecIndex(self._meter.sec_index),
        )
        return _message(first, body)

    def _answer(self, request: Message, channel: Channel) -> MessageBody:
        body = request.message_body
        path: tuple[bytes, ...] = getattr(body, "parameter_tree_path", ())
        refusal = self._refusal(body, channel)
        if refusal is not None:
            return self._attention(refusal, path)
        try:
            match body:
                case GetProcParameterReq():
                    return self._read(path)
                case SetProcParameterReq():
                    return self._attention(self._write(path, body.parameter_tree, channel), path)
                case GetListReq():
                    return self._list(body)
                case _:
                    return self._attention(UNEXPECTED, path)
        except _Refused as refused:
            return self._attention(refused.number, path)

    def _refusal(self, body: MessageBody, channel: Channel) -> int | None:
        """What speaks against a request, whatever it asks for."""
        if getattr(body, "server_id", None) not in {None, b"", self._meter.server_id}:
            return UNKNOWN_SERVER
        if self._meter.security.paired and not channel.through_tls and not _is_crypto_reset(body):
            return self._profile.plain_refusal
        return None

    def _attention(self, number: int, path: tuple[bytes, ...] = ()) -> AttentionRes:
        return AttentionRes(
            server_id=self._meter.server_id,
            attention_no=ATTENTION_PREFIX + number.to_bytes(2),
            attention_details=Tree(parameter_name=path[0]) if path else None,
        )

    def _object(self, path: tuple[bytes, ...], number: int) -> tuple[ObisCode, MeterObject, list[int]]:
        """The object and the attributes that a path names; ``number`` says what is wrong with it otherwise."""
        if not path or len(path[0]) != _OBJECT_OCTETS or any(len(part) != _ATTRIBUTE_OCTETS for part in path[1:]):
            raise _Refused(number)
        code, class_id, version = ObisCode(path[0][:6]), int.from_bytes(path[0][6:8]), path[0][8]
        known = self._objects.get(code)
        if known is None or (self._profile.strict_class and (class_id, version) != (known.class_id, 0)):
            raise _Refused(number)
        return code, known, [int.from_bytes(part) for part in path[1:]]

    def _read(self, path: tuple[bytes, ...]) -> GetProcParameterRes:
        code, known, asked = self._object(path, CANNOT_READ)
        found = known.attributes(self._meter, code)
        if not found or not found.keys() >= set(asked):
            raise _Refused(CANNOT_READ)
        children = tuple(
            Tree(parameter_name=number.to_bytes(2), parameter_value=ProcParValue("value", found[number]))
            for number in asked or found
        )
        return GetProcParameterRes(
            server_id=self._meter.server_id,
            parameter_tree_path=path,
            parameter_tree=Tree(parameter_name=path[0], child_list=children),
        )

    def _write(self, path: tuple[bytes, ...], tree: Tree, channel: Channel) -> int:
        _, known, asked = self._object(path, CANNOT_WRITE)
        if known.write is None or asked not in ([], [VALUE]):
            raise _Refused(CANNOT_WRITE)
        return known.write(self._meter, _written(tree), channel)

    def _list(self, request: GetListReq) -> GetListRes:
        if request.list_name not in {None, b"", _PUSH_LIST}:
            raise _Refused(CANNOT_READ)
        meter, config = self._meter, self._meter.config
        snapshot = InfoSnapshot(
            server_id=meter.server_id,
            sec_index=meter.sec_index,
            push_counter=meter.push_counter,
            status=meter.status_word,
            registers=meter.registers,
            power_w=meter.power_w,
            mode=config.mode,
            data_set=DataSet.EXTENDED,
            reactive=config.mode is Mode.QUADRANTS,
            signed=config.balanced_negative == "signed",
        )
        pushed = cast("GetListRes", info_messages(snapshot)[1].message_body)
        return GetListRes(
            client_id=request.client_id,
            server_id=pushed.server_id,
            list_name=pushed.list_name,
            act_sensor_time=pushed.act_sensor_time,
            val_list=pushed.val_list,
        )


def _message(request: Message, body: MessageBody) -> Message:
    """A response: what the requester chose comes back."""
    return Message(transaction_id=request.transaction_id, group_no=request.group_no, message_body=body)


def _is_crypto_reset(body: Any) -> bool:  # noqa: ANN401 - any message
    path = body.parameter_tree_path if isinstance(body, SetProcParameterReq) else ()
    return bool(path) and path[0][:6] == _CRYPTO_RESET


def _written(tree: Tree) -> Value:
    """The value in a tree: its own, or that of its only child, attribute 2."""
    parameter = tree.parameter_value
    if parameter is None and tree.child_list is not None and len(tree.child_list) == 1:
        child = tree.child_list[0]
        parameter = child.parameter_value if child.parameter_name == VALUE.to_bytes(2) else None
    return cast("Value", parameter.content) if parameter is not None and parameter.choice == "value" else None
