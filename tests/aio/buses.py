"""Reference meters on a real bus, for gateways to talk to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from random import SystemRandom
from typing import TYPE_CHECKING

from e320proto.aio import SOFT_PROFILE, LmnMeterServer, MeterBus, open_pipe, run_meters
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.meter import E320Config, Inputs, Meter
from e320proto.meter.lmn import MeterLmn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from e320proto.lmn.profile import LmnProfile, SecurityProfile

MASTER_KEY = bytes(range(16))


def new_meter(number: int = 0) -> Meter:
    config = E320Config(device_id=f"1LGZ00{number:08d}", pin="1234", initial_key=MASTER_KEY.hex())
    return Meter(config, pushes=False, inputs=Inputs.of_power(1000, 0, 0))


def keys_of(*meters: Meter, master_key: bytes = MASTER_KEY) -> MemoryKeyRing:
    return MemoryKeyRing({meter.server_id: MeterKeys(master_key=master_key) for meter in meters})


@asynccontextmanager
async def meters_on(
    url: str, *meters: Meter, profile: LmnProfile = SOFT_PROFILE, security: SecurityProfile | None = None
) -> AsyncIterator[str]:
    """Run meters on a bus; gives what a gateway opens."""
    pipe = await open_pipe(url)
    bus = MeterBus(pipe)
    ends = [MeterLmn(meter, random=SystemRandom(), profile=profile, security=security) for meter in meters]
    servers = [LmnMeterServer(end, bus) for end in ends]
    running = asyncio.ensure_future(run_meters(servers))
    await asyncio.sleep(0)
    try:
        yield bus.name
    finally:
        running.cancel()
        await asyncio.wait({running})
        await pipe.close()
