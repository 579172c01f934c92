"""What tests of the whole stack share: a gateway and meters on a simulated bus, and what all of them tell."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from e320proto.lmn.certificates import Credentials, Curve, make_credentials
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.session_events import Answered, MeterPaired, RequestFailed
from e320proto.lmn.simulated_bus import SimulatedBus, Transmission, Troubles
from e320proto.meter import E320Config, Inputs, Meter
from e320proto.meter.lmn import MeterLmn

if TYPE_CHECKING:
    from e320proto.errors import E320Error

MASTER_KEY: Final = bytes(range(0x40, 0x50))
LOAD_W: Final = 1000
NOISY: Final = LmnProfile(
    max_info_tx=32, n_retries=60, n_check_misses=30, answer_timeout_s=300.0, inactivity_s=600.0, poll_s=0.05
)
"""For a line that changes one octet in a hundred: frames so small that two of three arrive, and patience."""
PATIENT: Final = SecurityProfile(tls_handshake_timeout_s=600.0, sym_answer_timeout_s=300.0)

_T = TypeVar("_T")


@cache
def credentials(name: str, curve: Curve = Curve.SECP256R1) -> Credentials:
    """Certificate and key, the same for a name in all tests of one run, valid now."""
    return make_credentials(curve, name, now=datetime.now(UTC))


def a_meter(number: int = 0, **config: Any) -> Meter:  # noqa: ANN401 - any parameter
    """A meter as it is delivered."""
    settings = {"pin": "1234", "initial_key": MASTER_KEY.hex(), **config}
    device_id = f"1LGZ00{number:08d}"
    return Meter(E320Config(device_id=device_id, **settings), pushes=False, inputs=Inputs.of_power(LOAD_W, 0, 0))


class Stack:
    """A bus with a gateway and meters.

    Args:
        meters: how many.
        paired: whether gateway and meters have each other's certificates from the beginning.
        profile: of both ends.
        security: of both ends.
        troubles: of the line.
        seed: of everything random.
        config: of the meters.
    """

    def __init__(
        self,
        meters: int = 1,
        *,
        paired: bool = False,
        profile: LmnProfile | None = None,
        security: SecurityProfile | None = None,
        troubles: Troubles | None = None,
        seed: int = 1,
        config: dict[str, Any] | None = None,
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a simulation
        self.profile, self.security = profile or LmnProfile(), security or SecurityProfile()
        self.sent: list[Transmission] = []
        self.bus = SimulatedBus(self.profile, self.random, troubles, trace=self.sent.append)
        self.events: list[tuple[float, Any]] = []
        self.meter_events: list[tuple[float, Any]] = []
        models = [a_meter(number, **(config or {})) for number in range(meters)]
        self.keys = MemoryKeyRing({model.server_id: MeterKeys(master_key=MASTER_KEY) for model in models})
        for number, model in enumerate(models if paired else []):
            self.provide(model, credentials(f"meter {number}"), credentials("gateway"))
        self.meters = [self.join(model) for model in models]
        self.gateway = self.start_gateway()

    def provide(self, model: Meter, meter: Credentials, gateway: Credentials) -> None:
        """Give both ends their certificates without an exchange."""
        model.pair(meter.certificate, meter.private_key, gateway.certificate)
        known = self.keys.load(model.server_id)
        self.keys.store(
            model.server_id,
            MeterKeys(
                master_key=known.master_key,
                counter=known.counter,
                gateway=gateway,
                meter_certificate=meter.certificate,
            ),
        )

    def join(self, model: Meter) -> MeterLmn:
        """Plug in a meter."""
        meter = MeterLmn(model, random=self.random, profile=self.profile, security=self.security)
        self.bus.plug(meter, lambda event, at: self.meter_events.append((at, event)))
        return meter

    def start_gateway(self) -> GatewaySession:
        """Plug in a gateway with the keys that are stored."""
        gateway = GatewaySession(now=self.now, keys=self.keys, profile=self.profile, security=self.security)
        self.bus.plug(gateway, lambda event, at: self.events.append((at, event)))
        return gateway

    def restart_gateway(self) -> None:
        """End the gateway and start another with what it has stored; it numbers requests from 1 again."""
        self.bus.remove(self.gateway)
        self.events = []
        self.gateway = self.start_gateway()

    def restart_meter(self, number: int = 0, *, off_s: float = 1.0) -> None:
        """Cut a meter's power for a while."""
        model = self.meters[number].meter
        model.power(on=False, now=self.now)
        self.run(off_s)
        model.power(on=True, now=self.now)

    @property
    def now(self) -> float:
        return self.bus.now

    @property
    def id(self) -> bytes:
        """Server id of the first meter."""
        return self.meters[0].meter.server_id

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.bus.run(until=self.now + seconds)

    def read(self, *codes: str, number: int = 0, timeout_s: float = 60.0) -> int:
        """Ask for objects of a meter."""
        server_id = self.meters[number].meter.server_id
        return self.gateway.read(server_id, *(codes or ("1.8.0",)), now=self.now, timeout_s=timeout_s)

    def pair(self, number: int = 0, name: str | None = None, *, timeout_s: float = 60.0) -> int:
        """Ask for a pairing with a meter."""
        return self.gateway.pair(
            self.meters[number].meter.server_id,
            meter=credentials(name or f"meter {number}"),
            gateway=credentials("gateway"),
            now=self.now,
            timeout_s=timeout_s,
        )

    def paired(self) -> None:
        """Pair the first meter now."""
        number = self.pair()
        self.run(5.0)
        assert isinstance(self.outcome(number), MeterPaired)

    def outcome(self, number: int) -> Answered | MeterPaired | RequestFailed | None:
        """What has become of a request; that it came to one end only is checked."""
        found = [
            event
            for _, event in self.events
            if isinstance(event, Answered | MeterPaired | RequestFailed) and event.number == number
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def result(self, number: int) -> tuple[Any, ...]:
        """Answer to a request."""
        outcome = self.outcome(number)
        assert isinstance(outcome, Answered), outcome
        return outcome.result

    def error(self, number: int) -> E320Error:
        """Why a request has failed."""
        outcome = self.outcome(number)
        assert isinstance(outcome, RequestFailed), outcome
        return outcome.error

    def told(self, kind: type[_T]) -> list[_T]:
        """Events of the gateway of one kind."""
        return [event for _, event in self.events if isinstance(event, kind)]

    def meter_told(self, kind: type[_T]) -> list[_T]:
        """Events of the meters of one kind."""
        return [event for _, event in self.meter_events if isinstance(event, kind)]

    def sent_by_gateway(self, since: float = 0.0) -> list[bytes]:
        """Frames that the gateway has begun to send since an instant."""
        return [one.data for one in self.sent if one.sender is self.gateway and one.start >= since]
