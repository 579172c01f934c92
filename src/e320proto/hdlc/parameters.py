"""The parameter block that SNRM and UA may carry: ``81 80 length``, then tag, length and value of each parameter.

Source: wired LMN, sections 5.4 and 9; ISO/IEC 13239 as far as generally known. On the LMN no block is
usual, and the defaults of IEC 62056-46 (128 octets) do not apply.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from e320proto.errors import DecodeError, EncodeError
from e320proto.schema.hdlc import PARAMETER_TAGS, PARAMETERS, read_parameters

_WIDTHS: Final = (1, 2, 4)
_WINDOW_OCTETS: Final = 4
_MOST: Final = {"max_info_tx": 0xFFFF, "max_info_rx": 0xFFFF, "window_tx": 0xFFFF_FFFF, "window_rx": 0xFFFF_FFFF}


@dataclass(frozen=True, slots=True)
class Parameters:
    """Limits of a connection, as seen by the station that sends them; ``None`` is not told.

    Args:
        max_info_tx: octets of information that it sends in one frame at most.
        max_info_rx: octets that it can receive.
        window_tx: I frames that it sends without an acknowledgement at most.
        window_rx: I frames that it can receive.

    >>> decode_parameters(bytes.fromhex("8180120501FE0601FE070400000001080400000001"))
    Parameters(max_info_tx=254, max_info_rx=254, window_tx=1, window_rx=1)
    """

    max_info_tx: int | None = None
    max_info_rx: int | None = None
    window_tx: int | None = None
    window_rx: int | None = None


def decode_parameters(info: bytes) -> Parameters:
    """Return the parameters of a block; unknown ones are passed over.

    Raises:
        DecodeError: ``parameters``, no such block, or a value that has not 1, 2 or 4 octets.
    """
    values = read_parameters(info)
    known = {name: values[tag] for name, tag in PARAMETER_TAGS.items() if tag in values}
    for name, value in known.items():
        if len(value) not in _WIDTHS:
            detail = f"expected a value of 1, 2 or 4 octets, found {len(value)}"
            raise DecodeError("parameters", detail, path=name, source="wired LMN, section 9")
    return Parameters(**{name: int.from_bytes(value) for name, value in known.items()})


def encode_parameters(parameters: Parameters) -> bytes:
    """Return the block of the parameters that are told: sizes in one octet if that is enough, windows in four.

    Raises:
        EncodeError: ``parameters``, a value out of range; ``path`` names it.

    >>> encode_parameters(Parameters(max_info_tx=1011, window_tx=1)).hex(" ")
    '81 80 0a 05 02 03 f3 07 04 00 00 00 01'
    """
    items = []
    for field in fields(parameters):
        value, most = getattr(parameters, field.name), _MOST[field.name]
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            raise EncodeError("parameters", f"expected 1 to {most}", path=field.name, value=value)
        width = _WINDOW_OCTETS if field.name.startswith("window") else (value.bit_length() + 7) // 8
        items.append({"tag": PARAMETER_TAGS[field.name], "value": value.to_bytes(width)})
    return bytes(PARAMETERS.build({"items": items}))
