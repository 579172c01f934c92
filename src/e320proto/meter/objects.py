"""The objects that the meter shows on its LMN: one table of what can be read and written, and how.

====================  =====  ======  =================  =========================================
object                class  access  value              meaning
====================  =====  ======  =================  =========================================
1-0:94.49.0*1         1      r       u32                seconds counter
1-0:94.49.0*7         1      w       any                crypto reset
1-0:94.49.1*1         1      rw      bool               power on the display
1-0:94.49.1*2         1      rw      bool               extended data set, InF
1-0:94.49.1*3         1      r       u32                count of magnetic influences
1-0:94.49.1*4         1      rw      u8                 magnet detection: 0 off, 1 on, 2 reset
1-0:94.49.1*7         1      w       digits as octets   the PIN
1-0:94.49.1*9         1      rw      u8                 cover detection: 0 off, 1 on, 2 reset
1-0:94.49.1*10        1      r       u32                count of cover openings
1-0:94.49.1*14        1      rw      bool               settings of the end user survive a restart
registers             3      r       u64 (i64), 0.1 Wh  the registers of the mode, with their status
1-0:16.7.0*255        3      r       i64, W             power
1-0:96.1.0*255        1      r       octets             server id
1-0:96.50.1*1         1      r       octets             maker
1-0:96.5.0*255        1      r       u32                status word
1-0:97.97.0*255       1      rw      u32                error register; 0 is the reset command
1-0:0.2.0*255         1      r       octets             firmware version
1-0:96.90.2*255       1      r       octets             firmware checksum
====================  =====  ======  =================  =========================================

Attributes of class 1: 1 logical name, 2 value. Class 3 has 3 scaler and unit, 4 status word (u32) and 5 the
seconds counter at capture (u32) besides; there is no attribute 6, because the meter does not sign.

Source: base meter behaviour, section 16; LMN security, section 8. Classes, access and types are decisions of this
project, codes are those of sibling meters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from e320proto.meter.info import MAKER
from e320proto.meter.modes import QUADRANTS, Mode
from e320proto.obis import ObisCode
from e320proto.sml.messages import CosemScalerUnit, Integer, Unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.meter.model import Meter
    from e320proto.sml.messages import Value

DONE: Final = 0xFD00
CANNOT_WRITE: Final = 0xFE05
CANNOT_READ: Final = 0xFE06
OUT_OF_RANGE: Final = 0xFE09
REFUSED: Final = 0xFE0A

VALUE: Final = 2
"""The attribute that holds the value, of every class."""
_NAME, _SCALER_UNIT, _STATUS, _TIME = 1, 3, 4, 5
_DATA, _REGISTER = 1, 3  # classes
_WATT_HOURS, _VAR_HOURS, _WATTS = 30, 32, 27
_U8_MAX: Final = 0xFF

Order: TypeAlias = "Callable[[Meter, Value, Channel], int]"


@dataclass(frozen=True, slots=True)
class Channel:
    """How a request came.

    Args:
        through_tls: whether through TLS.
        other_connection: whether the LMN has another HDLC connection besides.
    """

    through_tls: bool = False
    other_connection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterObject:
    """One object.

    Args:
        class_id: COSEM class, 1 or 3.
        read: gives the value; ``None`` where it cannot be read.
        write: takes a value and gives the attention number; ``None`` where it cannot be written.
        scaler_unit: of class 3.
    """

    class_id: int = _DATA
    read: Callable[[Meter], Value] | None = None
    write: Order | None = None
    scaler_unit: CosemScalerUnit | None = None

    def attributes(self, meter: Meter, code: ObisCode) -> dict[int, Value]:
        """All attributes that can be read, by their numbers."""
        if self.read is None:
            return {}
        found: dict[int, Value] = {_NAME: bytes(code), VALUE: self.read(meter)}
        if self.scaler_unit is not None:
            found[_SCALER_UNIT] = self.scaler_unit
            found[_STATUS] = Unsigned(meter.status_word, 4)
            found[_TIME] = Unsigned(meter.sec_index, 4)
        return found


def _boolean(change: Callable[[Meter, bool], None]) -> Order:
    """A write that takes true or false."""

    def write(meter: Meter, value: Value, _channel: Channel) -> int:
        if not isinstance(value, bool):
            return OUT_OF_RANGE
        change(meter, value)
        return DONE

    return write


def _detection(flag: Literal["magnet", "cover"]) -> Order:
    """A write that takes off, on or reset."""

    def write(meter: Meter, value: Value, _channel: Channel) -> int:
        match value:
            case Unsigned(value=0 | 1 as wanted):
                meter.change_setting(f"{flag}_detection", value=bool(wanted))
            case Unsigned(value=2):
                meter.reset_tamper(flag)
            case _:
                return OUT_OF_RANGE
        return DONE

    return write


def _setting(name: str) -> MeterObject:
    return MeterObject(
        read=lambda meter: meter.settings[name],
        write=_boolean(lambda meter, value: meter.change_setting(name, value=value)),
    )


def _set_pin(meter: Meter, value: Value, _channel: Channel) -> int:
    try:
        meter.set_pin(value.decode("ascii") if isinstance(value, bytes) else "")
    except ValueError:
        return OUT_OF_RANGE
    return DONE


def _reset_faults(meter: Meter, value: Value, _channel: Channel) -> int:
    if not isinstance(value, Unsigned) or value.value:
        return OUT_OF_RANGE
    meter.reset_faults()
    return DONE


def _crypto_reset(meter: Meter, _value: Value, channel: Channel) -> int:
    return meter.crypto_reset(through_tls=channel.through_tls, other_connection=channel.other_connection)


def _no_update(meter: Meter, _value: Value, _channel: Channel) -> int:
    return meter.firmware_update()


def _u32(read: Callable[[Meter], int]) -> MeterObject:
    return MeterObject(read=lambda meter: Unsigned(read(meter), 4))


def _u8(read: Callable[[Meter], int], write: Order) -> MeterObject:
    return MeterObject(read=lambda meter: Unsigned(int(read(meter)), 1), write=write)


def _octets(read: Callable[[Meter], bytes], write: Order | None = None) -> MeterObject:
    return MeterObject(read=read, write=write)


_OBJECTS: Final = {
    ObisCode.parse(code): meter_object
    for code, meter_object in {
        "1-0:94.49.0*1": _u32(lambda meter: meter.sec_index),
        "1-0:94.49.0*7": MeterObject(write=_crypto_reset),
        "1-0:94.49.1*1": _setting("show_power"),
        "1-0:94.49.1*2": _setting("extended_set"),
        "1-0:94.49.1*3": _u32(lambda meter: meter.tamper.magnet_count),
        "1-0:94.49.1*4": _u8(lambda meter: meter.settings["magnet_detection"], _detection("magnet")),
        "1-0:94.49.1*7": MeterObject(write=_set_pin),
        "1-0:94.49.1*9": _u8(lambda meter: meter.settings["cover_detection"], _detection("cover")),
        "1-0:94.49.1*10": _u32(lambda meter: meter.tamper.cover_count),
        "1-0:94.49.1*14": _setting("settings_survive"),
        "1-0:16.7.0*255": MeterObject(
            class_id=_REGISTER,
            read=lambda meter: Integer(meter.power_w, 8),
            scaler_unit=CosemScalerUnit(0, _WATTS),
        ),
        "1-0:96.1.0*255": _octets(lambda meter: meter.server_id),
        "1-0:96.50.1*1": _octets(lambda _meter: MAKER),
        "1-0:96.5.0*255": _u32(lambda meter: meter.status_word),
        "1-0:97.97.0*255": MeterObject(read=lambda meter: Unsigned(int(meter.error_register), 4), write=_reset_faults),
        "1-0:0.2.0*255": _octets(lambda meter: meter.config.firmware_version.encode("ascii"), _no_update),
        "0-0:44.0.0*255": MeterObject(write=_no_update),  # where DLMS keeps the transfer of firmware
        "1-0:96.90.2*255": _octets(lambda meter: meter.config.firmware_checksum.encode("ascii")),
    }.items()
}


@cache
def objects_of(mode: Mode, *, signed: bool = True) -> dict[ObisCode, MeterObject]:
    """All objects of a meter of a mode; ``signed``: whether a balanced register is sent with its sign.

    >>> sorted(str(code) for code, known in objects_of(Mode.IMPORT).items() if known.class_id == 3)
    ['1-0:1.8.0*255', '1-0:16.7.0*255']
    """
    return {**_OBJECTS, **{code: _register(code, signed=signed and mode is Mode.BALANCED) for code in mode.registers}}


def _register(code: ObisCode, *, signed: bool) -> MeterObject:
    number = Integer if signed else Unsigned
    unit = _VAR_HOURS if code in QUADRANTS else _WATT_HOURS
    return MeterObject(
        class_id=_REGISTER,
        read=lambda meter: number(meter.registers[code], 8),
        scaler_unit=CosemScalerUnit(-1, unit),
    )
