"""HDLC frames of the LMN bus and of IEC 62056-46: values, codec, streaming decoder.

>>> from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameDecoder, FrameKind, encode_frame
>>> snrm = Frame(Address(68, 1), Address(GATEWAY, 1), Control(FrameKind.SNRM))
>>> FrameDecoder().feed(encode_frame(snrm)) == [snrm]
True
"""

from e320proto.hdlc.frame import (
    BROADCAST,
    GATEWAY,
    INFO_MAX,
    METER_MAX,
    METER_MIN,
    Address,
    Control,
    Frame,
    FrameKind,
    decode_frame,
    encode_frame,
)
from e320proto.hdlc.generic import (
    HdlcAddress,
    HdlcFrame,
    decode_hdlc_address,
    decode_hdlc_frame,
    encode_hdlc_address,
    encode_hdlc_frame,
)
from e320proto.hdlc.parameters import Parameters, decode_parameters, encode_parameters
from e320proto.hdlc.record import RECORDS_MAX, Record, decode_records, encode_records
from e320proto.hdlc.stream import FrameDecoder, FrameEvent

__all__ = [
    "BROADCAST",
    "GATEWAY",
    "INFO_MAX",
    "METER_MAX",
    "METER_MIN",
    "RECORDS_MAX",
    "Address",
    "Control",
    "Frame",
    "FrameDecoder",
    "FrameEvent",
    "FrameKind",
    "HdlcAddress",
    "HdlcFrame",
    "Parameters",
    "Record",
    "decode_frame",
    "decode_hdlc_address",
    "decode_hdlc_frame",
    "decode_parameters",
    "decode_records",
    "encode_frame",
    "encode_hdlc_address",
    "encode_hdlc_frame",
    "encode_parameters",
    "encode_records",
]
