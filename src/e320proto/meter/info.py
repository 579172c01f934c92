"""The INFO push: what the optical interface sends every second, byte for byte.

::

    Open.Res     N, server id, time
    GetList.Res  1-0:96.50.1*1  maker
                 1-0:96.1.0     server id
                 1.8.0          modes 1, 3, 5      status on the first energy only
                 2.8.0          modes 2, 3, 4, 5
                 16.7.0         extended set only
    Close.Res

The three transaction ids are 3N + 1, 3N + 2 and 3N + 3, where N counts pushes. In the reduced set
energies are whole kWh (scaler 3), in the extended one 0.1 Wh (scaler -1); the unit stays Wh.

Source: pushes of real meters (modes 1 and 3), decisions of this project (modes 2, 4, 5).
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - typing.get_type_hints of the snapshot works
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from e320proto.errors import DecodeError, EncodeError
from e320proto.identity import ServerId
from e320proto.meter.modes import NEGATIVE, POSITIVE, QUADRANTS, DataSet, Mode
from e320proto.obis import ObisCode
from e320proto.sml.encoder import TelegramEncoder
from e320proto.sml.messages import (
    GetListRes,
    Integer,
    ListEntry,
    Message,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Unsigned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.sml.messages import MessageBody

MAKER: Final = b"LGZ"
POWER: Final = ObisCode.parse("16.7.0")
_MAKER_CODE: Final = ObisCode.parse("1-0:96.50.1*1")
_SERVER_ID_CODE: Final = ObisCode.parse("1-0:96.1.0")
_LIST_NAME: Final = ObisCode.parse("1-0:98.10.255*255")
_CLIENT_ID: Final = b"\xff" * 6
_SERVER_ID_OCTETS: Final = 10
_WATT_HOURS, _VAR_HOURS, _WATTS = 30, 32, 27
_DWH_PER_KWH: Final = 10_000
_FIRST_ENERGY: Final = 2  # behind the maker and the server id
_COUNTER: Final = 1 << 32
_PUSHED: Final = {
    Mode.IMPORT: (POSITIVE,),
    Mode.EXPORT: (NEGATIVE,),
    Mode.BOTH: (POSITIVE, NEGATIVE),
    Mode.BALANCED: (NEGATIVE,),
    Mode.QUADRANTS: (POSITIVE, NEGATIVE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoSnapshot:
    """What a meter says in one push.

    Args:
        server_id: 10 octets; text and :class:`ServerId` are taken too.
        sec_index: seconds counter, 0 to 2**32 - 1.
        push_counter: N, the number of pushes before this one, 0 to 2**32 - 1.
        status: FNN status word, 32 bits.
        registers: OBIS code (or its text) to energy in 0.1 Wh; those of the mode are needed. Below 0
            only in mode 4.
        power_w: active power in W, export negative; sent in the extended set only.
        mode: measurement mode, 1 to 5.
        data_set: ``reduced`` or ``extended``.
        reactive: whether mode 5 sends 5.8.0 to 8.8.0 too, which real meters do not.
        signed: whether mode 4 sends a signed number.

    Raises:
        EncodeError: ``server_id``, ``mode``, ``data_set`` or ``registers``, a value that a push cannot have.

    >>> snapshot = InfoSnapshot(
    ...     server_id="0a014c475a0003c988dd", sec_index=259217, push_counter=259190, status=0x1C0104,
    ...     registers={"1.8.0": 12345678}, power_w=1500, mode=1, data_set="extended",
    ... )
    >>> len(info_telegram(snapshot))
    244
    """

    server_id: bytes
    sec_index: int
    push_counter: int
    status: int
    registers: Mapping[ObisCode, int]
    power_w: int = 0
    mode: Mode = Mode.BOTH
    data_set: DataSet = DataSet.EXTENDED
    reactive: bool = False
    signed: bool = True

    def __post_init__(self) -> None:
        """Take words, numbers and texts for what they stand for."""
        given = object.__setattr__
        try:
            given(self, "mode", Mode(self.mode))
        except ValueError:
            raise EncodeError("mode", "expected a mode of 1 to 5", path="mode", value=self.mode) from None
        try:
            given(self, "data_set", DataSet(self.data_set))
        except ValueError:
            raise EncodeError(
                "data_set", "expected reduced or extended", path="data_set", value=self.data_set
            ) from None
        given(self, "server_id", _server_octets(self.server_id))
        try:
            registers = {
                ObisCode.parse(code) if isinstance(code, str) else code: dwh for code, dwh in self.registers.items()
            }
        except DecodeError as error:
            raise EncodeError(
                "registers", f"expected OBIS codes: {error}", path="registers", value=self.registers
            ) from error
        given(self, "registers", registers)


def _server_octets(given: object) -> bytes:
    """Ten octets of any form of server id."""
    if isinstance(given, str):
        try:
            given = ServerId.parse(given)
        except DecodeError as error:
            raise EncodeError("server_id", f"expected a server id: {error}", path="server_id", value=given) from error
    octets = bytes(given) if isinstance(given, ServerId | bytes | bytearray | memoryview) else b""
    if len(octets) != _SERVER_ID_OCTETS:
        raise EncodeError("server_id", f"expected {_SERVER_ID_OCTETS} octets", path="server_id", value=given)
    return octets


def pushed_registers(mode: Mode, *, reactive: bool = False) -> tuple[ObisCode, ...]:
    """The energies in a push of a mode, in order."""
    return _PUSHED[mode] + (QUADRANTS if reactive and mode is Mode.QUADRANTS else ())


def info_messages(snapshot: InfoSnapshot) -> tuple[Message, ...]:
    """The messages of a push as records."""
    time = SecIndex(snapshot.sec_index)
    server_id = snapshot.server_id
    entries = [
        ListEntry(obj_name=_MAKER_CODE, value=MAKER),
        ListEntry(obj_name=_SERVER_ID_CODE, value=server_id),
    ]
    number = Integer if snapshot.mode is Mode.BALANCED and snapshot.signed else Unsigned
    extended = snapshot.data_set is DataSet.EXTENDED
    for at, code in enumerate(pushed_registers(snapshot.mode, reactive=snapshot.reactive)):
        energy = _register(snapshot, code)
        entries.append(
            ListEntry(
                obj_name=code,
                status=None if at else Unsigned(snapshot.status, 4),
                val_time=time,
                unit=_VAR_HOURS if code in QUADRANTS else _WATT_HOURS,
                scaler=-1 if extended else 3,
                value=number(energy if extended else _whole_kwh(energy), 8),
            )
        )
    if extended:
        entries.append(ListEntry(obj_name=POWER, unit=_WATTS, scaler=0, value=Integer(snapshot.power_w, 8)))
    bodies: tuple[MessageBody, ...] = (
        PublicOpenRes(
            client_id=_CLIENT_ID, req_file_id=_counter(snapshot.push_counter), server_id=server_id, ref_time=time
        ),
        GetListRes(
            client_id=_CLIENT_ID,
            server_id=server_id,
            list_name=_LIST_NAME,
            act_sensor_time=time,
            val_list=tuple(entries),
        ),
        PublicCloseRes(),
    )
    return tuple(
        Message(transaction_id=_counter(3 * snapshot.push_counter + at), message_body=body)
        for at, body in enumerate(bodies, 1)
    )


def info_telegram(snapshot: InfoSnapshot) -> bytes:
    """Encode one push.

    Returns:
        The frame: 220 to 276 octets, unless an escape makes it longer.

    Raises:
        EncodeError: a register of the mode is missing, or a number is out of range; ``path`` names it.

    Source: base meter behaviour, INFO push.
    """
    form = info_form(snapshot.mode, snapshot.data_set, reactive=snapshot.reactive, signed=snapshot.signed)
    return form.encode(
        snapshot.server_id,
        snapshot.sec_index,
        snapshot.push_counter,
        snapshot.status,
        [_register(snapshot, code) for code in form.codes],
        snapshot.power_w,
    )


def _counter(number: int) -> bytes:
    return (number % _COUNTER).to_bytes(4)


def _register(snapshot: InfoSnapshot, code: ObisCode) -> int:
    try:
        return snapshot.registers[code]
    except KeyError:
        found = sorted(map(str, snapshot.registers))
        detail = f"expected {code} in mode {snapshot.mode:d}"
        raise EncodeError("registers", detail, path="registers", value=found) from None


def _whole_kwh(dwh: int) -> int:
    """Truncated toward zero."""
    return dwh // _DWH_PER_KWH if dwh >= 0 else -(-dwh // _DWH_PER_KWH)


class InfoForm:
    """One form of push, encoded through its layout; see :func:`info_form`.

    Args:
        example: any push of this form.
    """

    def __init__(self, example: InfoSnapshot) -> None:
        self.codes = pushed_registers(example.mode, reactive=example.reactive)
        self._reduced = example.data_set is DataSet.REDUCED
        encoder = TelegramEncoder(info_messages(example))
        self._encode = encoder.encode
        self._constants = encoder.values
        count = len(self.codes)
        entries = [f"list.val_list[{at}]" for at in range(_FIRST_ENERGY + count + 1)]
        at = {  # where `encode` lines up the value of each field; what is not here is a constant
            **{f"{message}.transaction_id": place for place, message in enumerate(("open", "list", "close"))},
            "open.req_file_id": 3,
            **dict.fromkeys(("open.server_id", "list.server_id", f"{entries[1]}.value"), 4),
            **dict.fromkeys(("open.ref_time", "list.act_sensor_time", *(f"{entry}.val_time" for entry in entries)), 5),
            f"{entries[_FIRST_ENERGY]}.status": 6,
            f"{entries[-1]}.value": 7,
            **{f"{entries[_FIRST_ENERGY + place]}.value": 8 + place for place in range(count)},
        }
        self._arrange = itemgetter(*(at.get(name, 8 + count + index) for index, name in enumerate(encoder.fields)))

    def encode(
        self, server_id: bytes, sec_index: int, push_counter: int, status: int, dwh: Sequence[int], power_w: int
    ) -> bytes:
        """Encode a push; ``dwh`` are the registers of ``codes`` in 0.1 Wh."""
        if self._reduced:
            dwh = [_whole_kwh(energy) for energy in dwh]
        number = 3 * push_counter
        lined_up = (
            ((number + 1) % _COUNTER).to_bytes(4),
            ((number + 2) % _COUNTER).to_bytes(4),
            ((number + 3) % _COUNTER).to_bytes(4),
            (push_counter % _COUNTER).to_bytes(4),
            server_id,
            sec_index,
            status,
            power_w,
            *dwh,
            *self._constants,
        )
        return self._encode(self._arrange(lined_up))


@lru_cache(maxsize=64)
def info_form(mode: Mode, data_set: DataSet, *, reactive: bool = False, signed: bool = True) -> InfoForm:
    """The form of push of a mode and a data set."""
    example = InfoSnapshot(
        server_id=bytes(_SERVER_ID_OCTETS),
        sec_index=0,
        push_counter=0,
        status=0,
        registers=dict.fromkeys(pushed_registers(mode, reactive=reactive), 0),
        mode=mode,
        data_set=data_set,
        reactive=reactive,
        signed=signed,
    )
    return InfoForm(example)
