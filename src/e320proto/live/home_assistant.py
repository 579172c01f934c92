"""What Home Assistant has to be told to show meters by itself: MQTT discovery.

One message for each meter, ``homeassistant/device/e320-<meter>/config``, holds the device with all its entities
(Home Assistant 2024.11 and newer). So a meter is always described as a whole, a new register changes that one message,
and one topic is to be emptied to remove it. The older form, a message for each entity, has none of this.

Energies stay in the meter's unit, Wh, with every digit: Home Assistant converts to what its user wants to see, and a
meter that changes from the reduced to the extended data set keeps its unit and its history.

Source: documentation of Home Assistant: MQTT discovery, MQTT sensor, MQTT binary sensor, sensor device classes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from e320proto.live.mqtt_messages import NET_POWER, STATUS, has_unsigned_power
from e320proto.obis import ObisCode
from e320proto.sml.wording import octets_text
from e320proto.status import EdlFlag, FnnFlag, StatusLayout
from e320proto.units import Unit

if TYPE_CHECKING:
    from e320proto.identity import ServerId
    from e320proto.sml.telegram import Telegram
    from e320proto.status import Status

Language = Literal["en", "de"]

_ENERGY: Final = 30
_ENERGIES: Final = frozenset({_ENERGY, 31, 32})
_DEVICE_CLASSES: Final = {
    7: "duration",
    9: "temperature",
    27: "power",
    28: "apparent_power",
    29: "reactive_power",
    _ENERGY: "energy",
    33: "current",
    35: "voltage",
    44: "frequency",
}
"""By unit code. Angles and reactive energy have none in the versions of Home Assistant that this is for."""

_NO_STATISTICS: Final = frozenset({7, 8})
"""Units whose mean says nothing: durations only grow, and the mean of 359° and 1° is not 180°."""

_METER_READING, _NET_ENERGY, _CURRENT_VALUE = 8, 16, 255
_FIRMWARE: Final = ObisCode.parse("1-0:0.2.0*255")

_FLAGS: Final[dict[str, tuple[str, str, str | None]]] = {
    "started": ("Current above start current", "Strom über Anlaufstrom", None),
    "magnetic_influence": ("Magnet detected", "Magnet erkannt", "tamper"),
    "cover_opened": ("Terminal cover opened", "Klemmendeckel geöffnet", "tamper"),
    "sum_export": ("Export, sum", "Lieferung, Summe", None),
    "l1_export": ("Export L1", "Lieferung L1", None),
    "l2_export": ("Export L2", "Lieferung L2", None),
    "l3_export": ("Export L3", "Lieferung L3", None),
    "wrong_rotating_field": ("Wrong rotating field", "Falsches Drehfeld", "problem"),
    "return_stop_active": ("Return stop active", "Rücklaufsperre aktiv", None),
    "fatal_error": ("Fatal error", "Fataler Fehler", "problem"),
    "voltage_l1": ("Voltage present L1", "Spannung vorhanden L1", "power"),
    "voltage_l2": ("Voltage present L2", "Spannung vorhanden L2", "power"),
    "voltage_l3": ("Voltage present L3", "Spannung vorhanden L3", "power"),
    "export": ("Export", "Lieferung", None),
}
_FLAGS_OF: Final = {
    StatusLayout.FNN: tuple(flag.name.lower() for flag in FnnFlag if flag.name),
    StatusLayout.EDL: (str(EdlFlag.EXPORT.name).lower(),),  # the one that was seen on real meters
    StatusLayout.UNKNOWN: (),
}
_WORDS: Final = {
    "en": {"meter": "Meter", NET_POWER: "Active power, signed"},
    "de": {"meter": "Zähler", NET_POWER: "Wirkleistung mit Vorzeichen"},
}


class Config(NamedTuple):
    """A discovery message, to be retained."""

    topic: str
    payload: str


class Discovery:
    """Describes meters to Home Assistant; what was once seen of a meter stays described.

    Args:
        prefix: the discovery prefix that Home Assistant is set to.
        expire_after_s: without a new value for so long, an entity is unavailable.
        language: of the names.
        version: of the program that sends this.

    >>> Discovery(version="1.0").status_topic
    'homeassistant/status'
    """

    def __init__(
        self, *, prefix: str = "homeassistant", expire_after_s: int = 60, language: Language = "en", version: str
    ) -> None:
        self._prefix = prefix
        self._expire_after_s = expire_after_s
        self._language: Language = language
        self._version = version
        self._components: dict[str, dict[str, dict[str, Any]]] = {}
        self._seen: dict[str, object] = {}

    @property
    def status_topic(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self._prefix}/status"

    @property
    def config_topics(self) -> list[str]:
        """The topics of all configurations made."""
        return [self._topic(meter) for meter in self._components]

    def _topic(self, meter: str) -> str:
        return f"{self._prefix}/device/e320-{meter}/config"

    def see(self, telegram: Telegram, meter: str, base: str, bridge: str) -> Config | None:
        """Look for what is new in a telegram.

        Args:
            telegram: the telegram.
            meter: name of the meter.
            base: what the topics of the meter begin with.
            bridge: topic of the availability of the bridge.

        Returns:
            The configuration, if there is more to it than before.
        """
        status = telegram.status
        form = (telegram.codes, None if status is None else status.layout)
        if self._seen.get(meter) == form:
            return None
        self._seen[meter] = form
        known = self._components.setdefault(meter, {})
        new = {name: each for name, each in self._entities(telegram, meter, base, status).items() if name not in known}
        if not new:
            return None
        known.update(new)
        availability = [{"topic": bridge}, {"topic": f"{base}/availability"}]
        config = {
            "device": self._device(telegram, meter),
            "origin": {"name": "e320proto", "sw_version": self._version},
            "availability": availability,
            "availability_mode": "all",
            "qos": 1,
            "components": known,
        }
        return Config(self._topic(meter), json.dumps(config, ensure_ascii=False))

    def _device(self, telegram: Telegram, meter: str) -> dict[str, Any]:
        server = telegram.server_id
        device: dict[str, Any] = {
            "identifiers": [f"e320_{meter}"],
            "name": f"{_WORDS[self._language]['meter']} {_printed(server, meter)}",
        }
        if server is not None and server.raw:
            device["serial_number"] = meter
            if server.manufacturer is not None:
                device["manufacturer"] = server.manufacturer
        firmware = telegram.entries.get(_FIRMWARE)
        if firmware is not None and isinstance(firmware.raw, bytes) and firmware.raw:
            device["sw_version"] = octets_text(_FIRMWARE, firmware.raw)
        return device

    def _entities(self, telegram: Telegram, meter: str, base: str, status: Status | None) -> dict[str, dict[str, Any]]:
        entities: dict[str, dict[str, Any]] = {}
        for entry in telegram.entries:
            if entry.quantity is not None and entry.obis.hex() not in entities:
                entities[entry.obis.hex()] = self._register(entry.obis, entry.unit, f"{base}/{entry.obis.short}")
        if has_unsigned_power(telegram):
            entities[NET_POWER] = {
                **_sensor_kind(Unit(27), None),
                "name": _WORDS[self._language][NET_POWER],
                "state_topic": f"{base}/{NET_POWER}",
            }
        if status is not None:
            for flag in _FLAGS_OF[status.layout]:
                entities[flag] = self._flag(flag, f"{base}/{STATUS}")
        for name, entity in entities.items():
            entity["unique_id"] = f"e320_{meter}_{name}"
            entity["expire_after"] = self._expire_after_s
        return entities

    def _register(self, obis: ObisCode, unit: Unit | None, topic: str) -> dict[str, Any]:
        name = obis.name_de if self._language == "de" else obis.name_en
        return {**_sensor_kind(unit, obis), "name": name or obis.short, "state_topic": topic}

    def _flag(self, flag: str, topic: str) -> dict[str, Any]:
        english, german, device_class = _FLAGS[flag]
        entity = {
            "platform": "binary_sensor",
            "name": german if self._language == "de" else english,
            "state_topic": topic,
            "value_template": f"{{{{ 'ON' if '{flag}' in value_json.flags else 'OFF' }}}}",
            "entity_category": "diagnostic",
        }
        return entity if device_class is None else {**entity, "device_class": device_class}


def _sensor_kind(unit: Unit | None, obis: ObisCode | None) -> dict[str, Any]:
    """Unit, device class and state class of a sensor."""
    if unit is None or not unit.symbol:
        return {"platform": "sensor", "entity_category": "diagnostic"}
    kind: dict[str, Any] = {"platform": "sensor", "unit_of_measurement": unit.symbol}
    if unit in _DEVICE_CLASSES:
        kind["device_class"] = _DEVICE_CLASSES[unit]
    if unit in _ENERGIES:
        if obis is not None and obis.d == _METER_READING and obis.f == _CURRENT_VALUE:
            kind["state_class"] = "total" if obis.c == _NET_ENERGY else "total_increasing"
    elif unit not in _NO_STATISTICS:
        kind["state_class"] = "measurement"
    return kind


def _printed(server: ServerId | None, meter: str) -> str:
    device = None if server is None else server.device_id
    return meter if device is None else device.printed
