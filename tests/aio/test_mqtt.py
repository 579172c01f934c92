"""A publisher against a real broker that is killed, frozen, and started again."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from e320proto.live.broker import BacklogDelivered, BacklogGrew, Broker, BrokerAway, BrokerConnected, OutboxFailed
from e320proto.live.mqtt_messages import Message
from e320proto.live.outbox import Outbox
from tests.aio.brokers import HOST, Gate, Mosquitto, listening, needs_mosquitto
from tests.aio.ports import in_loop, until

mqtt = pytest.importorskip("e320proto.aio.mqtt", reason="aiomqtt is not installed")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from e320proto.aio.mqtt import MqttPublisher
    from e320proto.live.broker import BrokerEvent

pytestmark = needs_mosquitto
QUICK = mqtt.PublisherTimes(retry_min_s=0.02, retry_max_s=0.1)
WILL = Message("test/bridge", "offline", retain=True)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@asynccontextmanager
async def publishing(
    path: Path,
    port: int,
    *,
    limit: int = 1_000,
    memory: int = 100,
    **options: Any,  # noqa: ANN401 - its own
) -> AsyncIterator[tuple[MqttPublisher, list[BrokerEvent]]]:
    events: list[BrokerEvent] = []
    outbox = Outbox(path / "outbox.sqlite", limit=limit, memory=memory)
    publisher = mqtt.MqttPublisher(
        Broker(host=HOST, port=port), "test", outbox, will=WILL, on_event=events.append, times=QUICK, **options
    )
    try:
        async with publisher:
            yield publisher, events
    finally:
        outbox.close()


def say(publisher: MqttPublisher, *numbers: int) -> None:
    publisher.publish([Message("test/say", str(number), retain=False) for number in numbers])


def kept(publisher: MqttPublisher, number: int) -> None:
    publisher.publish([Message("test/kept", str(number), retain=True)])


def written(folder: Path) -> dict[Path, int]:
    """When the files of the outbox were written to."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("outbox*")}


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - without a generator that holds one


def numbers(payloads: list[str]) -> list[int]:
    """What arrived, without what came a second time."""
    return list(dict.fromkeys(map(int, payloads)))


@in_loop
async def test_messages_arrive_in_order_and_nothing_is_written_to_disk(broker: Mosquitto, tmp_path: Path) -> None:
    async with listening(broker.port) as subscriber, publishing(tmp_path, broker.port) as (publisher, events):
        await until(lambda: publisher.connected)
        before = written(tmp_path)
        for number in range(50):
            say(publisher, number)
            kept(publisher, number)
        await until(lambda: len(subscriber.payloads("test/say")) == 50 and subscriber.last("test/kept") == "49")
        assert subscriber.payloads("test/say") == [str(number) for number in range(50)]
        await until(lambda: publisher.delivered == 50)
        assert written(tmp_path) == before
        assert events == [BrokerConnected(0)]


@in_loop
async def test_what_is_retained_is_there_for_those_who_come_later(broker: Mosquitto, tmp_path: Path) -> None:
    async with publishing(tmp_path, broker.port) as (publisher, _):
        for number in range(20):
            kept(publisher, number)
        say(publisher, 1)
        await until(lambda: publisher.delivered == 1)
        async with listening(broker.port) as subscriber:
            await until(lambda: subscriber.heard)
            assert subscriber.heard == [("test/kept", "19", True)]


@pytest.mark.parametrize("kills", [1, 3])
@in_loop
async def test_nothing_is_lost_over_a_broker_that_is_killed(broker: Mosquitto, tmp_path: Path, kills: int) -> None:
    gate = Gate(broker.port)
    await gate.open()
    said = 0

    def more(count: int) -> None:
        nonlocal said
        say(publisher, *range(said, said + count))
        kept(publisher, said)
        said += count

    async with listening(broker.port) as subscriber, publishing(tmp_path, gate.port) as (publisher, events):
        await until(lambda: publisher.connected)
        for _ in range(kills):
            more(130)
            await asyncio.sleep(0.005)  # some are on their way
            broker.kill()
            await until(lambda: not publisher.connected and not subscriber.present)
            await gate.close()
            more(130)
            broker.start()  # it has forgotten everything
            await until(lambda: subscriber.present)
            await gate.open()
            await until(lambda: publisher.connected)
            more(10)
        await until(lambda: numbers(subscriber.payloads("test/say"))[-1:] == [said - 1])
        assert numbers(subscriber.payloads("test/say")) == list(range(said))
        await until(lambda: subscriber.last("test/kept") == str(said - 10))
    assert publisher._outbox.dropped == 0
    assert [type(event) for event in events].count(BrokerConnected) == kills + 1
    await gate.close()


@in_loop
async def test_messages_outlive_the_bridge_while_the_broker_is_away(broker: Mosquitto, tmp_path: Path) -> None:
    broker.kill()
    async with publishing(tmp_path, broker.port) as (publisher, events):
        await until(lambda: events)
        assert isinstance(events[0], BrokerAway)
        assert str(events[0].error) == f"mqtt://{HOST}:{broker.port}: Connection refused"
        say(publisher, *range(120))
        await until(lambda: len(events) > 2)
        assert events[1:] == [BacklogGrew(10, 0), BacklogGrew(100, 0)]
    broker.start()
    async with listening(broker.port) as subscriber, publishing(tmp_path, broker.port) as (publisher, events):
        say(publisher, 120)
        await until(lambda: len(subscriber.payloads("test/say")) == 121)
        assert subscriber.payloads("test/say") == [str(number) for number in range(121)]
        await until(lambda: len(events) == 2)
        assert events == [BrokerConnected(121), BacklogDelivered(121)]


@in_loop
async def test_at_the_limit_the_oldest_go_and_are_counted(broker: Mosquitto, tmp_path: Path) -> None:
    broker.kill()
    async with publishing(tmp_path, broker.port, limit=100) as (publisher, events):
        for number in range(250):
            say(publisher, number)
        assert [event for event in events if isinstance(event, BacklogGrew)] == [
            BacklogGrew(10, 0),
            BacklogGrew(100, 0),
            BacklogGrew(100, 1),
            BacklogGrew(100, 10),
            BacklogGrew(100, 100),
        ]
    broker.start()
    async with listening(broker.port) as subscriber, publishing(tmp_path, broker.port, limit=100) as (publisher, _):
        assert publisher._outbox.dropped == 150
        await until(lambda: len(subscriber.payloads("test/say")) == 100)
        assert subscriber.payloads("test/say") == [str(number) for number in range(150, 250)]


@in_loop
async def test_a_broker_that_freezes_is_noticed(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "ACKNOWLEDGE_S", 0.2)
    monkeypatch.setattr(mqtt, "ANSWER_S", 0.2)
    async with publishing(tmp_path, broker.port) as (publisher, events):
        await until(lambda: publisher.connected)
        broker.freeze()
        say(publisher, 1)
        await until(lambda: len(publisher._outbox) == 1 and publisher._outbox._saved == 1)
        assert isinstance(events[1], BrokerAway)
        assert str(events[1].error).endswith(": Operation timed out")


@in_loop
async def test_a_bridge_that_is_gone_without_a_word_leaves_its_will(broker: Mosquitto, tmp_path: Path) -> None:
    gate = Gate(broker.port)
    await gate.open()
    async with listening(broker.port) as subscriber, publishing(tmp_path, gate.port) as (publisher, _):
        publisher.publish([Message(WILL.topic, "online", retain=True)])
        await until(lambda: subscriber.last(WILL.topic) == "online")
        await gate.close()
        await until(lambda: subscriber.last(WILL.topic) == "offline")


@in_loop
async def test_what_others_say_is_heard_but_not_what_they_said_before(broker: Mosquitto, tmp_path: Path) -> None:
    heard: list[str] = []
    options: dict[str, Any] = {"listen_to": "house/status", "on_message": heard.append}
    async with publishing(tmp_path, broker.port, **options) as (publisher, _):
        await until(lambda: publisher.connected)
        publisher.publish([Message("house/status", "online", retain=True)])
        await until(lambda: heard == ["online"])
        kept(publisher, 1)
        async with listening(broker.port) as subscriber:
            await until(lambda: subscriber.last("test/kept") == "1")
            publisher.publish_again(["test/kept", "test/unknown"])
            await until(lambda: subscriber.payloads("test/kept") == ["1", "1"])
    async with publishing(tmp_path, broker.port, **options) as (publisher, _):
        say(publisher, 1)
        await until(lambda: publisher.delivered == 1)
    assert heard == ["online"]


@in_loop
async def test_reconnecting_leaves_no_file_open(broker: Mosquitto, tmp_path: Path) -> None:
    gate = Gate(broker.port)
    async with publishing(tmp_path, gate.port) as (publisher, _):
        counts = []
        for _ in range(8):
            await gate.open()
            await until(lambda: publisher.connected)
            say(publisher, 1)
            await gate.close()
            await until(lambda: not publisher.connected)
            counts.append(open_files())
    assert counts[-1] <= counts[1] + 1


@in_loop
async def test_somebody_who_is_no_broker_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "ANSWER_S", 0.1)
    heard: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: heard.append(writer), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with publishing(tmp_path, port) as (publisher, events):
        await until(lambda: len(heard) > 2)
        assert [str(event.error) for event in events if isinstance(event, BrokerAway)] == [
            f"mqtt://{HOST}:{port}: Operation timed out"
        ]
        say(publisher, 1)
    for writer in heard:
        writer.close()
    server.close()
    await server.wait_closed()


@in_loop
async def test_a_host_that_cannot_be_one_is_said_once_and_tried_again(tmp_path: Path) -> None:
    events: list[BrokerEvent] = []
    outbox = Outbox(tmp_path / "outbox.sqlite")
    broker = Broker(host="x" * 70 + ".example", port=1883)
    async with mqtt.MqttPublisher(broker, "test", outbox, on_event=events.append, times=QUICK) as publisher:
        await until(lambda: events)
        assert not publisher.connected
        await asyncio.sleep(0.2)
    assert [type(event) for event in events] == [BrokerAway]
    outbox.close()


@in_loop
async def test_messages_that_cannot_be_saved_are_told_once_and_delivered_all_the_same(
    broker: Mosquitto, tmp_path: Path
) -> None:
    gate = Gate(broker.port)
    async with listening(broker.port) as subscriber, publishing(tmp_path, gate.port) as (publisher, events):
        await until(lambda: events)
        publisher._outbox._connection.close()  # as a disk that is gone
        for number in range(5):
            say(publisher, number)
        assert [type(event) for event in events] == [BrokerAway, OutboxFailed]
        await gate.open()
        await until(lambda: numbers(subscriber.payloads("test/say")) == list(range(5)))
        await gate.close()


@in_loop
async def test_nothing_is_lost_over_many_cuts(broker: Mosquitto, tmp_path: Path) -> None:
    """Connections that are cut at any moment, bridges that are started anew, memories of any size."""
    gate, chance, said = Gate(broker.port), random.Random(7), 0  # noqa: S311 - no secret
    async with listening(broker.port) as subscriber:
        for memory in (5, 50, 1_000):
            async with publishing(tmp_path, gate.port, limit=100_000, memory=memory) as (publisher, _):
                for _ in range(12):
                    await gate.open()
                    for _ in range(chance.randrange(4)):
                        count = chance.randrange(1, 120)
                        say(publisher, *range(said, said + count))
                        said += count
                        await asyncio.sleep(chance.random() * 0.02)
                    await gate.close()
                assert publisher.dropped == 0
        await gate.open()
        async with publishing(tmp_path, gate.port) as (publisher, _):
            await until(lambda: numbers(subscriber.payloads("test/say"))[-1:] == [said - 1])
        await gate.close()
    assert numbers(subscriber.payloads("test/say")) == list(range(said))
