"""The objects that take new certificates through TLS; there are none until the profile names their codes.

Source: BSI TR-03116-3: certificates are renewed through the running TLS channel. Codes and form are not public:
octets as in commands 03 and 04 of the pairing are a decision of this project. The meter has the new ones when it
answers, over a loss of power as well; the connection that brought them goes on, the next one stands on them. It
refuses a key on another curve than that of its other end: TLS could not stand on them any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto.errors import DecodeError, SecurityError
from e320proto.lmn.certificates import Credentials, check_credentials, curve_of
from e320proto.lmn.pairing_message import split_credentials
from e320proto.meter.objects import DONE, OUT_OF_RANGE, REFUSED, MeterObject
from e320proto.obis import ObisCode

if TYPE_CHECKING:
    from e320proto.meter.model import Meter
    from e320proto.meter.objects import Channel
    from e320proto.sml.messages import Value


def certificate_objects(codes: tuple[str, str] | None) -> dict[ObisCode, MeterObject]:
    """The object for the meter's credentials and that for the gateway's certificate, if they have codes.

    >>> [str(code) for code in certificate_objects(("1-0:94.49.2*1", "1-0:94.49.2*2"))]
    ['1-0:94.49.2*1', '1-0:94.49.2*2']
    """
    if codes is None:
        return {}
    meter_code, gateway_code = map(ObisCode.parse, codes)
    return {meter_code: MeterObject(write=_renew_meter), gateway_code: MeterObject(write=_renew_gateway)}


def _renew_meter(meter: Meter, value: Value, channel: Channel) -> int:
    if not channel.through_tls:
        return REFUSED
    gateway = bytes(meter.security.gateway_certificate)
    try:
        certificate, private_key = split_credentials(value if isinstance(value, bytes) else b"")
        check_credentials(Credentials(certificate, private_key), frozenset({curve_of(gateway)}))
    except (DecodeError, SecurityError):
        return OUT_OF_RANGE
    meter.pair(certificate, private_key, gateway)
    return DONE


def _renew_gateway(meter: Meter, value: Value, channel: Channel) -> int:
    if not channel.through_tls:
        return REFUSED
    certificate = value if isinstance(value, bytes) else b""
    own = bytes(meter.security.own_certificate)
    try:
        fits = curve_of(certificate) is curve_of(own)
    except (DecodeError, SecurityError):
        fits = False
    if not fits:
        return OUT_OF_RANGE
    meter.pair(own, bytes(meter.security.private_key), certificate)
    return DONE
