"""The metrics endpoint, asked as Prometheus asks it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import urllib.request
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import MeterPool, MeterServer, open_tcp
from e320proto.errors import TransportError
from e320proto.live.broker import Broker
from e320proto.live.mqtt_messages import Message
from e320proto.live.outbox import Outbox
from tests.aio.ports import in_loop, meter, until

prometheus = pytest.importorskip("e320proto.aio.prometheus", reason="prometheus_client is not installed")
parser = pytest.importorskip("prometheus_client.parser")

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.aio import MeterReader
    from e320proto.aio.prometheus import PrometheusEndpoint
    from e320proto.sml.telegram import Telegram

HOST = "127.0.0.1"
METER = "1LGZ0063539421"


async def scrape(port: int) -> dict[tuple[str, frozenset[str]], float]:
    """Values by name and labels, without the names of registers."""

    def ask() -> str:
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    found = {}
    for family in parser.text_string_to_metric_families(await asyncio.to_thread(ask)):
        for sample in family.samples:
            labels = frozenset(value for label, value in sample.labels.items() if label != "name")
            assert (sample.name, labels) not in found
            found[sample.name, labels] = sample.value
    return found


def keyed(name: str, *labels: str) -> tuple[str, frozenset[str]]:
    return name, frozenset(labels)


@in_loop
async def test_readings_and_lines_are_told() -> None:
    outlet = await open_tcp(HOST, 0)
    line = f"tcp://{outlet.name}"
    endpoint: PrometheusEndpoint
    last: list[Telegram] = []

    def told(reader: MeterReader, telegram: Telegram, _: float) -> None:
        last.append(telegram)
        endpoint.telegram(telegram, reader.url)

    pool = MeterPool([line, "tcp://127.0.0.1:1"], on_telegram=told)
    async with pool, prometheus.PrometheusEndpoint(HOST, 0, pool.readers.values()) as endpoint:
        await until(lambda: outlet.clients)
        await MeterServer(meter(), [outlet], speed=100).run(until_s=20)
        await until(lambda: len(last) == 19)
        found = await scrape(endpoint.port)
        entries = last[-1].entries
        energy, power = entries["1.8.0"].quantity, entries["16.7.0"].quantity
        assert energy is not None
        assert power is not None
        assert found[keyed("e320_energy_watt_hours_total", METER, "1.8.0", "Wh")] == float(energy)
        assert found[keyed("e320_energy_watt_hours_total", METER, "2.8.0", "Wh")] == 0
        assert found[keyed("e320_power_watts", METER, "16.7.0", "W")] == float(power) == 1200
        assert found[keyed("e320_net_power_watts", METER)] == 1200
        assert found[keyed("e320_line_telegrams_total", line)] == 19
        assert found[keyed("e320_line_octets_total", line)] > 19 * 200
        assert 0 <= found[keyed("e320_line_last_telegram_age_seconds", line)] < 60
        assert found[keyed("e320_line_state", line, "receiving")] == 1
        assert found[keyed("e320_line_state", "tcp://127.0.0.1:1", "connecting")] == 1
        await until(lambda: pool.readers["tcp://127.0.0.1:1"].stats.total.refusals)
        outlet.send(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01nonsense\x1b\x1b\x1b\x1b\x1a\x00\x00\x00")
        await until(lambda: pool.readers[line].stats.total.damaged)
        await outlet.close()
        await until(lambda: pool.readers[line].stats.total.losses)
        found = await scrape(endpoint.port)
        assert found[keyed("e320_line_losses_total", line)] == 1
        assert sum(value for (name, labels), value in found.items() if name == "e320_line_damaged_total") == 1
        assert found[keyed("e320_line_refusals_total", "tcp://127.0.0.1:1")] > 0
        assert not [name for name, _ in found if name.startswith("e320_energy")]  # nobody hears the meter


@in_loop
async def test_it_ends_without_a_thread_left() -> None:
    before = set(threading.enumerate())
    async with prometheus.PrometheusEndpoint(HOST, 0) as endpoint:
        await asyncio.gather(*(scrape(endpoint.port) for _ in range(5)))
        with socket.create_connection((HOST, endpoint.port)) as rude:
            rude.send(b"GET /metrics")
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await until(lambda: not [each for each in set(threading.enumerate()) - before if "asyncio" not in each.name])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, endpoint.port))
    await endpoint.stop()


def test_a_client_that_goes_away_is_not_worth_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    test_it_ends_without_a_thread_left()
    assert capfd.readouterr() == ("", "")


@in_loop
async def test_a_port_that_cannot_be_opened_says_why() -> None:
    async with prometheus.PrometheusEndpoint(HOST, 0) as endpoint:
        for host, port, words in (
            (HOST, endpoint.port, "expected a free port, found it in use by another program"),
            (HOST, 70_000, "expected 0 to 65535, found 70000"),
            ("192.0.2.1", 7000, "expected an address of this machine"),
            ("no such host", 7000, "expected a name or address of this machine"),
        ):
            with pytest.raises(TransportError, match=words):
                await prometheus.PrometheusEndpoint(host, port).start()


@in_loop
async def test_what_waits_for_the_broker_is_told(tmp_path: Path) -> None:
    mqtt = pytest.importorskip("e320proto.aio.mqtt", reason="aiomqtt is not installed")
    outbox = Outbox(tmp_path / "outbox.sqlite", limit=2)
    publisher = mqtt.MqttPublisher(Broker(host=HOST, port=1), "test", outbox)
    publisher.publish([Message("topic", str(number), retain=False) for number in range(3)])
    async with prometheus.PrometheusEndpoint(HOST, 0, publisher=publisher) as endpoint:
        found = await scrape(endpoint.port)
    names = ("connected", "waiting", "delivered_total", "dropped_total")
    assert [found[keyed(f"e320_mqtt_{name}")] for name in names] == [0, 2, 0, 1]
    outbox.close()
