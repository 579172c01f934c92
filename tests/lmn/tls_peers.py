"""Certificates and pairs of engines for tests of TLS, and records and hellos built by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from e320proto.lmn.certificates import Curve
from e320proto.lmn.tls import TlsContext, TlsEngine, TlsSession

if TYPE_CHECKING:
    from e320proto.lmn.profile import SecurityProfile
    from e320proto.lmn.tls_events import TlsEvent

METER: Final = "1LGZ0012345678.SM"
GATEWAY: Final = "ETIT0100001234.SMGW"

_KINDS: Final[dict[Curve, tuple[ec.EllipticCurve, SHA256 | SHA384 | SHA512]]] = {
    Curve.SECP256R1: (ec.SECP256R1(), SHA256()),
    Curve.SECP384R1: (ec.SECP384R1(), SHA384()),
    Curve.BRAINPOOL_P256R1: (ec.BrainpoolP256R1(), SHA256()),
    Curve.BRAINPOOL_P384R1: (ec.BrainpoolP384R1(), SHA384()),
    Curve.BRAINPOOL_P512R1: (ec.BrainpoolP512R1(), SHA512()),
}


@dataclass(frozen=True)
class Identity:
    """A key pair and its self-signed certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: bytes

    @property
    def sec1(self) -> bytes:
        return self.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    @property
    def pkcs8(self) -> bytes:
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def new_identity(
    name: str,
    curve: Curve = Curve.SECP256R1,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    days: tuple[int, int] = (-1, 7 * 365 - 1),
    usages: tuple[x509.ObjectIdentifier, ...] = (),
) -> Identity:
    """A certificate as the LMN has them, valid for ``days`` from now."""
    kind, digest = _KINDS[curve]
    key = key or ec.generate_private_key(kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number() >> 96)
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)  # noqa: FBT003 - digital_signature alone
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return Identity(key, builder.sign(key, digest).public_bytes(Encoding.DER))


BOTH_USAGES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
_shared: dict[tuple[str, Curve], Identity] = {}


def identity(name: str, curve: Curve = Curve.SECP256R1) -> Identity:
    """A certificate that many tests share."""
    if (name, curve) not in _shared:
        _shared[name, curve] = new_identity(name, curve, usages=BOTH_USAGES)
    return _shared[name, curve]


def context(
    *,
    server: bool,
    curve: Curve = Curve.SECP256R1,
    own: Identity | None = None,
    pin: Identity | None = None,
    profile: SecurityProfile | None = None,
) -> TlsContext:
    """Meter or gateway of a pairing of the two names above."""
    names = (METER, GATEWAY) if server else (GATEWAY, METER)
    own, pin = own or identity(names[0], curve), pin or identity(names[1], curve)
    return TlsContext(
        server=server,
        certificate=own.certificate,
        private_key=own.sec1,
        peer_certificate=pin.certificate,
        profile=profile,
    )


class Pair:
    """A gateway and a meter with a wire between them that keeps what went over it."""

    def __init__(
        self, gateway: TlsContext | None = None, meter: TlsContext | None = None, session: TlsSession | None = None
    ) -> None:
        self.gateway = TlsEngine(gateway or context(server=False), session)
        self.meter = TlsEngine(meter or context(server=True))
        self.gateway_events: list[TlsEvent] = []
        self.meter_events: list[TlsEvent] = []
        self.flights: list[tuple[str, bytes]] = []

    def handshake(self, now: float = 0.0) -> Pair:
        self.meter_events += self.meter.start(now=now)
        self.gateway_events += self.gateway.start(now=now)
        return self.run(now)

    def run(self, now: float = 0.0) -> Pair:
        """Carry octets until nobody has any."""
        while True:
            to_meter, to_gateway = self.gateway.data_to_send(), self.meter.data_to_send()
            self.flights += [("C", item) for item in to_meter] + [("S", item) for item in to_gateway]
            if not to_meter and not to_gateway:
                return self
            for item in to_meter:
                self.meter_events += self.meter.receive_data(item, now=now)
            for item in to_gateway:
                self.gateway_events += self.gateway.receive_data(item, now=now)

    def events(self) -> tuple[list[TlsEvent], list[TlsEvent]]:
        """What both have told since the last call: gateway, meter."""
        told = self.gateway_events, self.meter_events
        self.gateway_events, self.meter_events = [], []
        return told


def records(octets: bytes) -> list[tuple[int, bytes]]:
    """Type and content of each record."""
    found = []
    while octets:
        end = 5 + int.from_bytes(octets[3:5])
        found.append((octets[0], octets[5:end]))
        octets = octets[end:]
    return found


def messages(octets: bytes) -> list[tuple[int, bytes]]:
    """Type and content of each handshake message in records in clear."""
    joined = b"".join(content for kind, content in records(octets) if kind == 22)
    found = []
    while joined:
        end = 4 + int.from_bytes(joined[1:4])
        found.append((joined[0], joined[4:end]))
        joined = joined[end:]
    return found


def extension(number: int, content: bytes) -> bytes:
    return number.to_bytes(2) + len(content).to_bytes(2) + content


def u16s(*numbers: int) -> bytes:
    """Numbers with the octets of their length before them."""
    return (2 * len(numbers)).to_bytes(2) + b"".join(number.to_bytes(2) for number in numbers)


def hello(
    *,
    suites: tuple[int, ...] = (0xC023, 0xC024, 0xC02B, 0xC02C, 0x00FF),
    groups: tuple[int, ...] = (23, 24, 26, 27, 28),
    version: int = 0x0303,
    record_version: int = 0x0301,
    more: bytes = extension(35, b"") + extension(15, b"\x01"),
) -> bytes:
    """A ClientHello, by default that of a real gateway: empty session_ticket, heartbeat mode 1, no EtM, no EMS."""
    extensions = (
        extension(11, b"\x03\x00\x01\x02")
        + extension(10, u16s(*groups))
        + extension(13, u16s(0x0403, 0x0503, 0x0603))
        + more
    )
    body = version.to_bytes(2) + bytes(range(32)) + b"\x00" + u16s(*suites) + b"\x01\x00"
    body += len(extensions).to_bytes(2) + extensions
    message = b"\x01" + len(body).to_bytes(3) + body
    return b"\x16" + record_version.to_bytes(2) + len(message).to_bytes(2) + message


@dataclass(frozen=True)
class Hello:
    """What a ClientHello says."""

    version: int
    random: bytes
    session_id: bytes
    suites: tuple[int, ...]
    compressions: bytes
    extensions: dict[int, bytes]

    @classmethod
    def of(cls, flight: bytes) -> Hello:
        ((kind, body),) = messages(flight)
        assert kind == 1
        at = 35 + body[34]
        suites_end = at + 2 + int.from_bytes(body[at : at + 2])
        compressions_end = suites_end + 1 + body[suites_end]
        rest, extensions = body[compressions_end + 2 :], {}
        while rest:
            end = 4 + int.from_bytes(rest[2:4])
            extensions[int.from_bytes(rest[:2])] = rest[4:end]
            rest = rest[end:]
        return cls(
            int.from_bytes(body[:2]),
            body[2:34],
            body[35:at],
            numbers(body[at + 2 : suites_end]),
            body[suites_end + 1 : compressions_end],
            extensions,
        )


def numbers(octets: bytes) -> tuple[int, ...]:
    """Pairs of octets as numbers."""
    return tuple(int.from_bytes(octets[at : at + 2]) for at in range(0, len(octets), 2))
