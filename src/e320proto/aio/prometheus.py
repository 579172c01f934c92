"""Metrics for Prometheus; the only user of prometheus_client.

What meters say now, and what their lines have seen, is put together when somebody asks for it. The server of
prometheus_client asks from threads of its own, so the event loop does it for them.

==================================  ========================================  ======================================
metric                              labels                                    what
==================================  ========================================  ======================================
``e320_energy_watt_hours_total``    meter, obis, name, unit                   meter readings
``e320_power_watts`` and others     the same                                  instantaneous values, by their unit
``e320_register``                   the same                                  all other numbers
``e320_net_power_watts``            meter                                     power, export negative, of every model
``e320_line_telegrams_total``       line                                      and octets, damage, losses, age, state
``e320_mqtt_waiting``               none                                      and dropped, delivered, connected
==================================  ========================================  ======================================

Samples are floating-point numbers of 64 bits, as always with Prometheus: some 15 digits of a reading are right. Exact
values are on MQTT and in JSON lines. Prometheus asks for base units; all are, but for energy: joules would be 3,600
times the reading, and nobody could compare them with a display or a bill. A meter that is not heard has no readings
here, so a graph has a gap and no line of old values.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Final, Self

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, StateSetMetricFamily

from e320proto.aio.reader import ReaderState
from e320proto.aio.tcp import listen_refusal
from e320proto.errors import TransportError
from e320proto.live.mqtt_messages import meter_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from prometheus_client.metrics_core import Metric

    from e320proto.aio.mqtt import MqttPublisher
    from e320proto.aio.reader import MeterReader
    from e320proto.sml.entries import Entry
    from e320proto.sml.telegram import Telegram

ANSWER_S: Final = 5.0
"""For the event loop to put the metrics together."""

_READING, _CURRENT_VALUE, _NET_ENERGY = 8, 255, 16
_ENERGIES: Final = {
    30: "e320_energy_watt_hours",
    31: "e320_apparent_energy_volt_ampere_hours",
    32: "e320_reactive_energy_var_hours",
}
_GAUGES: Final = {
    8: "e320_phase_angle_degrees",
    9: "e320_temperature_celsius",
    27: "e320_power_watts",
    28: "e320_apparent_power_volt_amperes",
    29: "e320_reactive_power_vars",
    33: "e320_current_amperes",
    35: "e320_voltage_volts",
    44: "e320_frequency_hertz",
}
_OTHER: Final = "e320_register"
_LABELS: Final = ("meter", "obis", "name", "unit")


class PrometheusEndpoint:
    """Answers Prometheus with what is known of meters and lines.

    Args:
        host: name or address of this machine to listen on.
        port: 0 to 65535; 0 takes any free one.
        lines: the readers of the lines.
        publisher: whose counters are shown, too.

    Attributes:
        port: that is listened on.

    >>> async def answer() -> None:
    ...     async with PrometheusEndpoint("127.0.0.1", 0) as endpoint:
    ...         print(endpoint.port > 0)
    >>> asyncio.run(answer())
    True
    """

    def __init__(
        self, host: str, port: int, lines: Collection[MeterReader] = (), publisher: MqttPublisher | None = None
    ) -> None:
        self.port = port
        self._host = host
        self._lines, self._publisher = lines, publisher
        self._telegrams: dict[str, tuple[Telegram, str]] = {}  # by meter, with the line
        self._server: tuple[WSGIServer, Thread] | None = None
        self._loop: asyncio.AbstractEventLoop

    def telegram(self, telegram: Telegram, url: str) -> None:
        """Show this telegram of its meter from now on."""
        self._telegrams[meter_name(telegram.server_id, url)] = telegram, url

    async def start(self) -> None:
        """Begin to answer.

        Raises:
            TransportError: the port is in use or not allowed, or the address is not one of this machine.
        """
        self._loop = asyncio.get_running_loop()
        registry = CollectorRegistry()
        registry.register(self)
        try:
            # In a thread, because it asks for the name of the host.
            self._server = await asyncio.to_thread(start_http_server, self.port, self._host, registry)
        except OverflowError as error:
            msg = f"TCP port: expected 0 to 65535, found {self.port}"
            raise TransportError(msg) from error
        except OSError as error:
            raise TransportError(listen_refusal(error, f"{self._host}:{self.port}")) from error
        server = self._server[0]
        self.port = server.server_port
        vars(server)["handle_error"] = lambda *_: None  # it would print a traceback for a client that goes away

    async def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            (server, thread), self._server = self._server, None
            await asyncio.to_thread(server.shutdown)  # those who ask at this moment get their answer
            await asyncio.to_thread(thread.join)
            server.server_close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the meters."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All metrics, put together in the event loop; called in another thread."""
        made = asyncio.run_coroutine_threadsafe(self._collect(), self._loop)
        try:
            return made.result(ANSWER_S)
        except (concurrent.futures.CancelledError, TimeoutError):  # it is about to end
            made.cancel()
            return ()

    async def _collect(self) -> list[Metric]:
        return [*self._readings(), *self._line_metrics(), *self._publisher_metrics()]

    def _readings(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        net_power = GaugeMetricFamily(
            "e320_net_power_watts", "Active power, import positive, export negative.", labels=["meter"]
        )
        receiving = {reader.url for reader in self._lines if reader.state is ReaderState.RECEIVING}
        for meter, (telegram, url) in self._telegrams.items():
            if url not in receiving:
                continue
            power = telegram.net_power
            if power is not None:
                net_power.add_metric([meter], float(power))
            first = {entry.obis: entry for entry in reversed(telegram.entries)}  # of two of a code, the first counts
            for entry in first.values():
                _add_register(families, meter, entry)
        yield from families.values()
        yield net_power

    def _line_metrics(self) -> Iterator[Metric]:
        stats = {reader.url: reader.stats for reader in self._lines}
        for name, words in (
            ("octets", "Octets heard."),
            ("telegrams", "Whole telegrams with right checksums."),
            ("discarded", "Octets outside of telegrams."),
            ("dropped", "Telegrams that a slow consumer missed."),
            ("losses", "How often the line was lost."),
            ("refusals", "How often the line could not be opened."),
        ):
            counter = CounterMetricFamily(f"e320_line_{name}", words, labels=["line"])
            for url, line in stats.items():
                counter.add_metric([url], getattr(line.total, name))
            yield counter
        for name, words in (
            ("damaged", "Telegrams that were none, by reason."),
            ("unreadable", "Messages inside of right telegrams that could not be read, by reason."),
        ):
            counter = CounterMetricFamily(f"e320_line_{name}", words, labels=["line", "reason"])
            for url, line in stats.items():
                for reason, count in getattr(line.total, name).items():
                    counter.add_metric([url, reason], count)
            yield counter
        age = GaugeMetricFamily("e320_line_last_telegram_age_seconds", "Since the last telegram.", labels=["line"])
        for url, line in stats.items():
            if line.telegram_s is not None:
                age.add_metric([url], line.telegram_s)
        yield age
        states = StateSetMetricFamily("e320_line_state", "What the reader is at.", labels=["line"])
        for reader in self._lines:
            states.add_metric([reader.url], {state.value: state is reader.state for state in ReaderState})
        yield states

    def _publisher_metrics(self) -> Iterator[Metric]:
        publisher = self._publisher
        if publisher is not None:
            yield GaugeMetricFamily("e320_mqtt_connected", "Whether the broker is there.", publisher.connected)
            yield GaugeMetricFamily("e320_mqtt_waiting", "Telegrams that wait for the broker.", publisher.waiting)
            yield CounterMetricFamily("e320_mqtt_delivered", "Telegrams acknowledged.", publisher.delivered)
            yield CounterMetricFamily("e320_mqtt_dropped", "Telegrams dropped for want of room.", publisher.dropped)


def _add_register(families: dict[str, Metric], meter: str, entry: Entry) -> None:
    quantity, obis = entry.quantity, entry.obis
    if quantity is None:
        return
    unit = -1 if entry.unit is None else int(entry.unit)
    is_reading = obis.d == _READING and obis.f == _CURRENT_VALUE and obis.c != _NET_ENERGY
    name = _ENERGIES[unit] if unit in _ENERGIES and is_reading else _GAUGES.get(unit, _OTHER)
    if name not in families:
        kind = CounterMetricFamily if name in _ENERGIES.values() else GaugeMetricFamily
        words = f"Registers in {entry.unit}." if name != _OTHER else "Registers of other units."
        families[name] = kind(name, words, labels=_LABELS)
    family = families[name]
    labels = (meter, obis.short, obis.name_en or "", "" if entry.unit is None else str(entry.unit))
    if isinstance(family, CounterMetricFamily | GaugeMetricFamily):
        family.add_metric(labels, float(quantity))
