"""What a fuzzer does to the layers of the LMN: a target takes octets of a peer; whatever escapes is a defect."""

from __future__ import annotations

from functools import cache
from random import Random

from e320proto.errors import DecodeError, SecurityError
from e320proto.hdlc import FrameDecoder, FrameKind, encode_frame
from e320proto.hdlc.frame import Address, Control, Frame
from e320proto.lmn.pairing import MessageAssembly
from e320proto.lmn.pairing_message import decode_message
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.session import GatewaySession
from e320proto.meter import E320Config, Meter
from e320proto.meter.lmn import MeterLmn
from e320proto.meter.objects import Channel
from e320proto.meter.requests import RequestServer

PROFILE = LmnProfile(initial_address=68)
CONFIG = E320Config(pin="0000", initial_key="00" * 16)
STEP_S = 0.02


def frames(data: bytes) -> None:
    """Octets of the bus."""
    decoder = FrameDecoder()
    decoder.feed(data)
    decoder.idle()
    decoder.close()


def pairing(data: bytes) -> None:
    """A message of the pairing, in segments."""
    assembly = MessageAssembly()
    try:
        message = assembly.feed(data)
        if message is not None:
            decode_message(message, SecurityProfile())
    except (DecodeError, SecurityError):
        pass


@cache
def _server() -> RequestServer:
    meter = Meter(CONFIG, pushes=False)
    meter.advance(0.0)
    return RequestServer(meter, SecurityProfile())


def requests(data: bytes) -> None:
    """A file of requests."""
    _server().serve(data, Channel())


def meter(data: bytes) -> None:
    """Information of I frames on a connection whose selector the first octet chooses."""
    lmn = MeterLmn(Meter(CONFIG, pushes=False), random=Random(1), profile=PROFILE)  # noqa: S311 - no secret
    selector = (3, 6, 1)[data[0] % 3] if data else 3
    now, dest, src = 0.0, Address(68, selector), Address(1, selector)
    kinds = [Frame(dest, src, Control(FrameKind.SNRM))]
    kinds += [
        Frame(dest, src, Control(FrameKind.I, ns=number % 8, nr=0), data[begin : begin + 200])
        for number, begin in enumerate(range(1, min(len(data), 1600), 200))
    ]
    for frame in kinds:
        now += STEP_S
        lmn.receive_data(encode_frame(frame), now=now)
        lmn.handle_timeout(now=now + STEP_S / 2)
        lmn.data_to_send()


def gateway(data: bytes) -> None:
    """Octets of the bus at a gateway that asks a meter."""
    session = GatewaySession(now=0.0, profile=LmnProfile())
    session.read(b"meter", "1.8.0", now=0.0)
    for number, begin in enumerate(range(0, len(data), 40)):
        now = number * STEP_S
        session.handle_timeout(now=now)
        session.data_to_send()
        session.receive_data(data[begin : begin + 40], now=now + STEP_S / 2)


TARGETS = {"frames": frames, "pairing": pairing, "requests": requests, "meter": meter, "gateway": gateway}
