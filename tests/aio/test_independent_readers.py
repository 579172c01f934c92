"""Readers that share no code with this project, at real ports: what they read is what the meter counted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import ObisCode
from e320proto.aio import MeterServer, open_pty, open_tcp
from e320proto.meter.household import household
from e320proto.meter.profile import drive
from tests.aio.ports import in_loop, meter, reader_of, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from e320proto.aio import Outlet

SEED = 320
BEGIN_S = 12 * 3_600.0 + 0.25
"""About noon, when the sun gives and the kitchen takes."""

Reading = tuple[float, float, float]
TELEGRAMS = 12
IMPORT, EXPORT = ObisCode.parse("1.8.0"), ObisCode.parse("2.8.0")


def counted(until_s: float) -> dict[int, Reading]:
    """What the meter counts: imported and exported energy in Wh, power in W, after each of its seconds."""
    alone, profile, found = meter(), household(SEED), {}
    now_s = BEGIN_S
    while now_s < until_s:
        drive(alone, profile, now_s + 1, from_s=now_s)
        now_s += 1
        registers = alone.registers
        found[alone.sec_index] = (registers[IMPORT] / 10, registers[EXPORT] / 10, float(alone.power_w))
    return found


@asynccontextmanager
async def pushing(outlet: Outlet) -> AsyncIterator[MeterServer]:
    """A meter that pushes twenty times a second, at a household."""
    server = MeterServer(meter(), [outlet], profile=household(SEED), speed=20, start_s=BEGIN_S)
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        running.cancel()
        await asyncio.wait([running])
        await outlet.close()


def check(read: dict[int, Reading], until_s: float) -> None:
    assert len(read) >= TELEGRAMS
    assert max(read) - min(read) == len(read) - 1  # none is missing
    expected = counted(until_s + 1)
    assert read == {second: pytest.approx(expected[second]) for second in read}
    assert any(reading != (0, 0, 0) for reading in read.values())


@in_loop
async def test_smllib_at_a_pseudo_terminal() -> None:
    smllib = pytest.importorskip("smllib", reason="smllib is not installed")
    outlet = await open_pty()
    stream, read = smllib.SmlStreamReader(), dict[int, Reading]()
    async with pushing(outlet) as server:
        with reader_of(outlet.name) as port:

            def enough() -> bool:
                stream.add(bytes(port.octets))
                port.octets.clear()
                while frame := stream.get_frame():
                    body = frame.parse_frame()[1].message_body
                    values = {entry.obis.obis_short: entry.get_value() for entry in body.val_list}
                    read[body.act_sensor_time] = (values["1.8.0"], values["2.8.0"], values["16.7.0"])
                return len(read) >= TELEGRAMS

            await until(enough)
        check(read, server.now_s)


def _pysml_listener(read: dict[int, Reading]) -> Any:  # noqa: ANN401 - a function of messages without types
    def listen(body: Any) -> None:  # noqa: ANN401
        values = {entry["objName"]: entry["value"] for entry in body["valList"]}
        wh, exported_wh, power_w = (values[f"1-0:{code}*255"] for code in ("1.8.0", "2.8.0", "16.7.0"))
        read[body["actSensorTime"]] = (wh, exported_wh, power_w)

    return listen


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@in_loop
async def test_pysml_and_its_event_loop(kind: str) -> None:
    pysml = pytest.importorskip("sml.asyncio", reason="pysml is not installed")
    outlet = await (open_pty() if kind == "pty" else open_tcp("127.0.0.1", 0))
    reader = pysml.SmlProtocol(outlet.name if kind == "pty" else f"socket://{outlet.name}")
    read: dict[int, Reading] = {}
    reader.add_listener(_pysml_listener(read), ["SmlGetListResponse"])
    async with pushing(outlet) as server:
        await reader.connect()
        await until(lambda: len(read) >= TELEGRAMS)
        await reader._impl._disconnect()
        check(read, server.now_s)
    await asyncio.sleep(0.01)  # its watchdog ends
