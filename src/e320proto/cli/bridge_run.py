"""``e320 bridge``: reads meters for ever, and hands on what they say.

::

    MeterPool --telegrams--> LastOfInterval --.--> Topics --> MqttPublisher --> broker
         |                                    `--> JSON lines
         `--telegrams, counts ---------------------> PrometheusEndpoint
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

import e320proto
from e320proto.aio.pool import MeterPool
from e320proto.aio.reader import ReaderState
from e320proto.cli.bridge_setup import BridgePlan, broker_of, check_plan, open_outbox
from e320proto.cli.bridge_words import broker_words, line_words
from e320proto.cli.line_writer import LineWriter
from e320proto.cli.meter_setup import UnusableError, listen_address
from e320proto.errors import E320Error
from e320proto.live.home_assistant import Discovery
from e320proto.live.intervals import LastOfInterval
from e320proto.live.mqtt_messages import ONLINE, Topics, meter_name
from e320proto.live.telegram_json import received_json
from e320proto.sml.wording import plural

if TYPE_CHECKING:
    from e320proto.aio.mqtt import MqttPublisher
    from e320proto.aio.prometheus import PrometheusEndpoint
    from e320proto.aio.reader import MeterReader
    from e320proto.live.broker import BrokerEvent
    from e320proto.sml.telegram import Telegram

__all__ = ["BridgePlan", "run_bridge"]

_OK: Final = 0
_LEAST_EXPIRY_S: Final = 60
_EXPIRY_INTERVALS: Final = 3
_LOOK_S: Final = 1.0


def run_bridge(plan: BridgePlan) -> int:
    """Read meters and hand on what they say, until SIGTERM comes or all lines are at their ends.

    Returns:
        The exit status.

    Raises:
        UnusableError: something that was asked for cannot be done.
        KeyboardInterrupt: Ctrl-C; all is said and saved.
        BrokenPipeError: nobody reads standard output any more.
    """
    check_plan(plan)
    try:
        return asyncio.run(_run(plan))
    except E320Error as error:
        raise UnusableError(str(error)) from error


async def _run(plan: BridgePlan) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report_trouble)
    bridge = Bridge(plan)
    with suppress(NotImplementedError):  # Windows
        loop.add_signal_handler(signal.SIGTERM, bridge.end)
    async with AsyncExitStack() as stack:
        await bridge.open_sinks(stack)
        async with bridge.pool:
            await bridge.wait()
    if bridge.output_error is not None:
        raise bridge.output_error
    return _OK


def _report(words: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads it: go on all the same
        sys.stderr.write(f"e320: {words}\n")
        sys.stderr.flush()


def _report_trouble(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what a library did not expect."""
    error = context.get("exception")
    _report(f"{context.get('message')}{f': {type(error).__name__}: {error}' if error else ''}")


class Bridge:
    """Lines, and where their telegrams go.

    Args:
        plan: what was asked for.
    """

    def __init__(self, plan: BridgePlan) -> None:
        self.pool = MeterPool(plan.urls, on_telegram=self._telegram, on_state=self._state)
        self.output_error: OSError | None = None
        self._plan = plan
        self._thin: LastOfInterval[tuple[Telegram, float, str]] = LastOfInterval(plan.every_s)
        self._over = asyncio.Event()
        self._told: dict[str, str] = {}
        self._topics: Topics | None = None
        self._publisher: MqttPublisher | None = None
        self._prometheus: PrometheusEndpoint | None = None
        self._lines: LineWriter | None = None

    async def open_sinks(self, stack: AsyncExitStack) -> None:
        """Open what telegrams go to; the stack closes it.

        Raises:
            UnusableError: something cannot be opened, or is not installed.
        """
        if self._plan.jsonl:
            loop = asyncio.get_running_loop()
            self._lines = LineWriter(
                sys.stdout.fileno(), lambda error: loop.call_soon_threadsafe(self._output_failed, error)
            )
            stack.callback(self._lines.close)
        if self._plan.mqtt is not None:
            await self._open_mqtt(stack)
        if self._plan.prometheus is not None:
            await self._open_prometheus(stack, *listen_address("--prometheus", self._plan.prometheus))

    async def _open_mqtt(self, stack: AsyncExitStack) -> None:
        plan = self._plan
        broker = broker_of(plan, os.environ)
        try:
            from e320proto.aio.mqtt import MqttPublisher  # noqa: PLC0415 - its library may be missing
        except ModuleNotFoundError as error:
            raise _missing(error, "mqtt") from error
        outbox = open_outbox(plan)
        stack.callback(outbox.close)
        if outbox.moved is not None:
            _report(f"{outbox.path}: could not be read, it was moved to {outbox.moved}; a new one was begun")
        discovery = None
        if plan.home_assistant is not None:
            discovery = Discovery(
                prefix=plan.home_assistant,
                expire_after_s=max(_LEAST_EXPIRY_S, int(_EXPIRY_INTERVALS * plan.every_s)),
                language=plan.language,
                version=e320proto.__version__,
            )
        topics = self._topics = Topics(plan.topic, plan.bridge_name, discovery)

        def home_assistant_says(text: str) -> None:
            if text == ONLINE and discovery is not None:
                publisher.publish_again(discovery.config_topics)

        def tell(event: BrokerEvent) -> None:
            _report(broker_words(event, str(broker), outbox.path))

        publisher = self._publisher = MqttPublisher(
            broker,
            f"e320-{plan.bridge_name}",
            outbox,
            will=topics.bridge(online=False),
            listen_to=None if discovery is None else discovery.status_topic,
            on_message=home_assistant_says,
            on_event=tell,
        )
        publisher.publish([topics.bridge(online=True)])
        await stack.enter_async_context(publisher)
        stack.callback(lambda: publisher.publish([topics.bridge(online=False)]))

    async def _open_prometheus(self, stack: AsyncExitStack, host: str, port: int) -> None:
        try:
            from e320proto.aio.prometheus import PrometheusEndpoint  # noqa: PLC0415 - its library may be missing
        except ModuleNotFoundError as error:
            raise _missing(error, "prometheus") from error
        endpoint = self._prometheus = PrometheusEndpoint(host, port, self.pool.readers.values(), self._publisher)
        await stack.enter_async_context(endpoint)
        _report(f"metrics are at http://{f'[{host}]' if ':' in host else host}:{endpoint.port}/metrics")

    def end(self) -> None:
        """Let :meth:`wait` return."""
        self._over.set()

    async def wait(self) -> None:
        """Wait until somebody ends it, or there is nothing more to read."""
        while not self._over.is_set():
            self._look()
            if all(reader.state in {ReaderState.STOPPED, ReaderState.FAILED} for reader in self.pool.readers.values()):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), _LOOK_S)

    def _look(self) -> None:
        """Tell of lines that cannot be opened, once for each reason."""
        for reader in self.pool.readers.values():
            if reader.error is not None and reader.state is ReaderState.CONNECTING:
                self._tell_line(reader.url, str(reader.error))

    def _tell_line(self, url: str, words: str) -> None:
        if self._told.get(url) != words:
            self._told[url] = words
            _report(words)

    # --- what the lines say -----------------------------------------------------------------------

    def _telegram(self, reader: MeterReader, telegram: Telegram, at: float) -> None:
        if self._prometheus is not None:
            self._prometheus.telegram(telegram, reader.url)
        source = f"{reader.url} {meter_name(telegram.server_id, reader.url)}"
        found = self._thin.take(source, (telegram, at, reader.url), at)
        if found is not None:
            self._hand_on(*found)

    def _hand_on(self, telegram: Telegram, at: float, url: str) -> None:
        if self._lines is not None:
            line = received_json(telegram, at, url, meter_name(telegram.server_id, url))
            if not self._lines.write(line) and str(self._lines.dropped).strip("0") == "1":  # 1, 10, 100 and so on
                _report(
                    f"standard output: {plural(self._lines.dropped, 'line')} dropped, nobody reads them fast enough"
                )
        if self._publisher is not None and self._topics is not None:
            self._publisher.publish(self._topics.telegram(telegram, at, url))

    def _state(self, reader: MeterReader, state: ReaderState) -> None:
        self._tell_line(reader.url, line_words(reader, state))
        if state is not ReaderState.RECEIVING:
            for held in self._thin.rest(f"{reader.url} "):
                self._hand_on(*held)
            if self._publisher is not None and self._topics is not None:
                self._publisher.publish(self._topics.line_lost(reader.url))

    def _output_failed(self, error: OSError) -> None:
        self.output_error = error
        self._over.set()


def _missing(error: ModuleNotFoundError, extra: str) -> UnusableError:
    return UnusableError(f"--{extra}: {error.name} is not installed, try: pip install e320proto[{extra}]")
