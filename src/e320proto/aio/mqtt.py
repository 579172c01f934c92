"""Publishes to an MQTT broker for as long as it runs; the only user of aiomqtt.

::

    retained messages --> newest of each topic -----------.
                                                          +--> pump --> broker --PUBACK--.
    the others --> Outbox: memory, or disk if it is away -'      ^                       |
                      ^--------------------------------------- discard <-----------------'

A message leaves the outbox when the broker has acknowledged it (QoS 1). So none is lost when the broker, the network or
this process ends at any moment while the broker is away; those that were sent and not acknowledged are sent again, and
may arrive twice. Retained messages are kept by topic, and all are published anew at each connection: a broker that
forgot them has them again, and none of them is ever older than the one before.

``aiomqtt.Client.publish`` with QoS 1 returns when the PUBACK has come, or raises. It is not told of a connection that
was lost meanwhile, but those who iterate over its messages are; so one task listens, and ends the other one. Each
connection has a client of its own: what paho would send again by itself is forgotten with it, since the outbox has it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, Self

import aiomqtt

from e320proto.errors import TransportError
from e320proto.live.broker import BacklogDelivered, BacklogGrew, BrokerAway, BrokerConnected, BrokerEvent, OutboxFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from e320proto.live.broker import Broker
    from e320proto.live.mqtt_messages import Message
    from e320proto.live.outbox import Outbox

BATCH: Final = 50
"""Messages of each kind that are on their way at once."""
KEEPALIVE_S: Final = 15
"""A broker that is gone without a word is noticed after this or a little more."""
ACKNOWLEDGE_S: Final = 15.0
"""Until a message that was not acknowledged ends the connection."""
ANSWER_S: Final = 5.0
"""For the broker's answer to a new connection."""

_LOST: Final = "Unspecified error"
"""What paho calls a connection that the other end has closed."""
_CODE = re.compile(r"^\[[^]]*\] ?")
_SILENT: Final = logging.getLogger("e320proto.aio.mqtt")
_SILENT.disabled = True  # what aiomqtt has to say is said by the events


@dataclass(frozen=True, slots=True)
class PublisherTimes:
    """How patient a publisher is; all in seconds, above 0.

    Args:
        retry_min_s: until the second attempt to connect; doubled with each one.
        retry_max_s: the most that this grows to.
        linger_s: how long :meth:`MqttPublisher.stop` waits for what is on its way.
    """

    retry_min_s: float = 1.0
    retry_max_s: float = 60.0
    linger_s: float = 5.0


class MqttPublisher:
    """Publishes to one broker; connects, and connects again, for as long as it runs.

    Args:
        broker: where it is.
        client_id: name of this client, the same after a restart; of two with one name the broker knows one only.
        outbox: keeps what is not retained; it is closed by who made it, after :meth:`stop`.
        will: what the broker publishes when this client is gone without a word.
        listen_to: a topic to listen to.
        on_message: is told what is said there, except for what was retained.
        on_event: is told what happens to the connection.
        times: how patient it is.

    Attributes:
        connected: whether the broker is there.
        delivered: messages that were acknowledged, without those that are retained.

    >>> from e320proto.live.broker import Broker
    >>> from e320proto.live.mqtt_messages import Message
    >>> from e320proto.live.outbox import Outbox
    >>> async def publish() -> None:
    ...     outbox = Outbox(":memory:")
    ...     async with MqttPublisher(Broker.parse("mqtt://127.0.0.1:1"), "example", outbox) as publisher:
    ...         publisher.publish([Message("readings", "123456.7", retain=False)])
    ...         print(publisher.connected, publisher.waiting)
    ...     outbox.close()
    >>> asyncio.run(publish())
    False 1
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        outbox: Outbox,
        *,
        will: Message | None = None,
        listen_to: str | None = None,
        on_message: Callable[[str], object] | None = None,
        on_event: Callable[[BrokerEvent], object] | None = None,
        times: PublisherTimes = PublisherTimes(),
    ) -> None:
        self.connected = False
        self.delivered = 0
        self._broker, self._client_id, self._outbox = broker, client_id, outbox
        self._will, self._listen_to = will, listen_to
        self._on_message, self._on_event = on_message, on_event
        self._times = times
        self._state: dict[str, Message] = {}
        self._changed: dict[str, None] = {}  # topics, in the order to be published
        self._work = asyncio.Event()
        self._settled = asyncio.Event()  # nothing is to be done, or nothing can be
        self._task: asyncio.Task[None] | None = None
        self._away: str | None = None
        self._failed = str(outbox.error)
        self._digits = len(str(len(outbox))), len(str(outbox.dropped or ""))  # of the numbers that were told of
        self._backlog = 0  # messages that were waiting at the time of the connection

    @property
    def waiting(self) -> int:
        """Messages that wait for the broker, without those that are retained."""
        return len(self._outbox)

    @property
    def dropped(self) -> int:
        """Messages that were dropped because there was no more room for them."""
        return self._outbox.dropped

    # --- for who uses it ------------------------------------------------------------------------

    def publish(self, messages: Iterable[Message]) -> None:
        """Publish messages, as soon as that is possible; those that are not retained in this order."""
        for message in messages:
            if message.retain:
                self._state[message.topic] = message
                self._changed[message.topic] = None
            else:
                self._outbox.put(message.topic, message.payload)
                if not self.connected:
                    self._save()
        self._settled.clear()
        self._work.set()

    def publish_again(self, topics: Iterable[str]) -> None:
        """Publish once more what is retained under these topics."""
        self.publish([self._state[topic] for topic in topics if topic in self._state])

    async def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run(), name=f"publishes to {self._broker}")

    async def stop(self) -> None:
        """Wait a little for what is on its way, disconnect, and save the rest."""
        task, self._task = self._task, None
        if task is None:
            return
        if self.connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._times.linger_s):
                    await self._settled.wait()
        task.cancel()
        await asyncio.wait([task])
        self.connected = False
        self._outbox.save()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- the connection -------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = self._times.retry_min_s
        while True:
            begun = loop.time()
            try:
                await self._stay_connected()
            except TransportError as error:
                self._leave(error)
            if loop.time() - begun > pause_s + ANSWER_S:  # it was connected for a while
                pause_s = self._times.retry_min_s
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))  # noqa: S311 - no secret
            pause_s = min(2 * pause_s, self._times.retry_max_s)

    async def _stay_connected(self) -> None:
        """Connect, and publish until the connection is lost.

        Raises:
            TransportError: why it is lost, or could not be made.
        """
        try:
            client = self._client()
            await _connect(client)
            try:
                if self._listen_to is not None:
                    await client.subscribe(self._listen_to, qos=1)
                self._enter()
                await self._work_with(client)
            finally:
                await _disconnect(client)
        except (aiomqtt.MqttError, OSError, ValueError) as error:  # a ValueError: a host that cannot be a name
            words = _CODE.sub("", str(error.__cause__ or error)).strip().rstrip(".") or type(error).__name__
            words = "the connection was lost" if words == _LOST else words
            msg = f"{self._broker}: {words}"
            raise TransportError(msg) from error

    async def _work_with(self, client: aiomqtt.Client) -> None:
        tasks = [asyncio.create_task(self._listen(client)), asyncio.create_task(self._pump(client))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _client(self) -> aiomqtt.Client:
        broker, will = self._broker, self._will
        ca, certificate, key = (
            None if path is None else str(path) for path in (broker.ca, broker.certificate, broker.key)
        )
        # With a password, even an empty one, nothing is asked for in the terminal.
        tls = aiomqtt.TLSParameters(ca_certs=ca, certfile=certificate, keyfile=key, keyfile_password="")
        return _Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=self._client_id,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
            tls_params=tls if broker.tls else None,
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            max_inflight_messages=2 * BATCH,
            logger=_SILENT,
        )

    def _enter(self) -> None:
        self.connected, self._away = True, None
        self._changed = dict.fromkeys(self._state)
        self._digits = (1, self._digits[1])
        self._backlog = len(self._outbox)
        self._settled.clear()
        self._work.set()
        self._tell(BrokerConnected(self._backlog))

    def _leave(self, error: TransportError) -> None:
        self.connected = False
        self._settled.set()
        if str(error) != self._away:
            self._away = str(error)
            self._tell(BrokerAway(error))
        if len(self._outbox):
            self._save()

    def _save(self) -> None:
        """Put messages on disk; tell where that fails, and how many there are whenever the number has a digit more."""
        self._outbox.save()
        waiting, dropped, error = len(self._outbox), self._outbox.dropped, self._outbox.error
        if error is not None and str(error) != self._failed:
            self._tell(OutboxFailed(error))
        self._failed = str(error)
        digits = len(str(waiting)), len(str(dropped or ""))
        if digits[0] > self._digits[0] or digits[1] > self._digits[1]:
            self._tell(BacklogGrew(waiting, dropped))
            self._digits = digits

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if self._on_message is not None and not message.retain and isinstance(message.payload, bytes):
                self._on_message(message.payload.decode(errors="replace"))

    async def _pump(self, client: aiomqtt.Client) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._changed or len(self._outbox):
                await self._deliver(client)
                if self._backlog and not len(self._outbox):
                    self._tell(BacklogDelivered(self._backlog))
                    self._backlog = 0
            self._settled.set()

    async def _deliver(self, client: aiomqtt.Client) -> None:
        """Publish some messages of each kind; discard those that are acknowledged."""
        topics = list(self._changed)[:BATCH]
        kept = [self._state[topic] for topic in topics]
        for topic in topics:
            del self._changed[topic]  # if this fails, all are published anew
        waiting = self._outbox.take(BATCH)

        def begin(topic: str, payload: str, *, retain: bool) -> asyncio.Task[None]:
            return asyncio.create_task(client.publish(topic, payload, qos=1, retain=retain, timeout=ACKNOWLEDGE_S))

        tasks = [begin(*message[:2], retain=True) for message in kept]
        ordered = [begin(each.topic, each.payload, retain=False) for each in waiting]
        try:
            await asyncio.gather(*tasks, *ordered)
        finally:
            for task in (*tasks, *ordered):
                task.cancel()
            results = await asyncio.gather(*tasks, *ordered, return_exceptions=True)
            answers = zip(waiting, results[len(tasks) :], strict=True)
            acknowledged = [each.number for each, _ in takewhile(lambda answer: answer[1] is None, answers)]
            if acknowledged:
                self._outbox.discard(acknowledged[-1])
                self.delivered += len(acknowledged)

    def _tell(self, event: BrokerEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)


class _Client(aiomqtt.Client):
    """A client that leaves a socket alone once it is closed.

    aiomqtt asks the loop to write to a socket by its number, one round later. When it was closed meanwhile, that fails;
    and when the number is another file's by then, the loop writes to that one without end.

    And it forgets, in a new connection, the future of a loss that came at the same moment; nobody has to ask for that.
    """

    def __setattr__(self, name: str, value: object) -> None:
        """See that the exception of a future counts as looked at."""
        if isinstance(value, asyncio.Future):
            value.add_done_callback(lambda done: done.cancelled() or done.exception())
        super().__setattr__(name, value)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:  # noqa: ANN401, ARG002 - of paho
        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001 - as aiomqtt does it
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def register() -> None:
            if sock.fileno() >= 0:
                self._loop.add_writer(sock.fileno(), write)

        self._loop.call_soon_threadsafe(register)


async def _connect(client: aiomqtt.Client) -> None:
    """Connect; whoever cancels this waits until the thread that connects is done, so that nothing of it is left."""
    connecting = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.wait([connecting])
        connecting.result()
    except BaseException:
        await asyncio.wait([connecting])
        connecting.exception()
        await _disconnect(client)
        raise


async def _disconnect(client: aiomqtt.Client) -> None:
    with suppress(aiomqtt.MqttError):  # a farewell that fails is as good as one
        await client.__aexit__(None, None, None)
