"""Discovery messages against what Home Assistant documents; keys and values as it names them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from e320proto.live.home_assistant import Discovery
from e320proto.live.mqtt_messages import Topics
from tests.live.telegrams import E320, EXTENDED, FULL, REDUCED, entry, telegram

# Documentation of Home Assistant 2024.11: MQTT discovery, sensor.mqtt, binary_sensor.mqtt, sensor device classes.
ROOT = {"device", "origin", "availability", "availability_mode", "qos", "components"}
DEVICE = {"identifiers", "name", "manufacturer", "model", "model_id", "serial_number", "sw_version", "hw_version"}
ENTITY = {"platform", "name", "unique_id", "state_topic", "device_class", "entity_category", "expire_after"}
SENSOR = ENTITY | {"unit_of_measurement", "state_class"}
BINARY_SENSOR = ENTITY | {"value_template"}
UNITS = {
    "energy": {"Wh", "kWh"},
    "power": {"W", "kW"},
    "apparent_power": {"VA"},
    "reactive_power": {"var"},
    "voltage": {"V"},
    "current": {"A"},
    "frequency": {"Hz"},
    "temperature": {"°C"},
    "duration": {"s"},
}
BINARY_CLASSES = {"tamper", "problem", "power"}
STATE_CLASSES = {"energy": {"total", "total_increasing"}}


def topics(**options: Any) -> Topics:  # noqa: ANN401 - its own
    return Topics("e320", "attic", Discovery(version="1.0", **options))


def config_of(made: Topics, *entries: Any, **options: Any) -> dict[str, Any] | None:  # noqa: ANN401 - of the telegram
    messages = made.telegram(telegram(*entries, **options), 0.0, "/dev/ttyUSB0")
    found = [message for message in messages if message.topic.endswith("/config")]
    if not found:
        return None
    (message,) = found
    assert message.retain
    assert re.fullmatch(r"homeassistant/device/[A-Za-z0-9_-]+/config", message.topic)
    config: dict[str, Any] = json.loads(message.payload)
    check(config, {each.topic for each in messages})
    return config


def check(config: dict[str, Any], topics_said: set[str]) -> None:
    """A schema: no other keys, and values that Home Assistant takes together."""
    assert set(config) == ROOT
    assert set(config["device"]) <= DEVICE
    assert config["device"]["identifiers"]
    assert config["origin"]["name"]
    assert config["availability_mode"] == "all"
    assert [set(each) for each in config["availability"]] == [{"topic"}, {"topic"}]
    unique = [entity["unique_id"] for entity in config["components"].values()]
    assert len(set(unique)) == len(unique)
    for entity in config["components"].values():
        sensor = entity["platform"] == "sensor"
        assert set(entity) <= (SENSOR if sensor else BINARY_SENSOR)
        assert {"platform", "name", "unique_id", "state_topic"} <= set(entity)
        assert entity["expire_after"] > 0
        assert entity.get("entity_category") in {None, "diagnostic"}
        assert entity["state_topic"] in topics_said
        kind = entity.get("device_class")
        if not sensor:
            assert entity["platform"] == "binary_sensor"
            assert kind in {None, *BINARY_CLASSES}
            assert entity["value_template"].count("{{") == entity["value_template"].count("}}") == 1
        elif kind is not None:
            assert entity["unit_of_measurement"] in UNITS[kind]
            assert entity.get("state_class") in {None, *STATE_CLASSES.get(kind, {"measurement"})}
        if "state_class" in entity:
            assert "unit_of_measurement" in entity


def component(config: dict[str, Any] | None, name: str) -> dict[str, Any]:
    assert config is not None
    (found,) = (each for each in config["components"].values() if each["state_topic"] == f"e320/1LGZ0063539421/{name}")
    return {key: found.get(key) for key in ("device_class", "state_class", "unit_of_measurement")}


def kind(device_class: str | None, state_class: str | None, unit: str | None) -> dict[str, str | None]:
    return {"device_class": device_class, "state_class": state_class, "unit_of_measurement": unit}


def test_a_meter_is_a_device_with_its_registers() -> None:
    config = config_of(topics(), *FULL)
    assert config is not None
    assert config["device"] == {
        "identifiers": ["e320_1LGZ0063539421"],
        "name": "Meter 1 LGZ00 6353 9421",
        "manufacturer": "Landis+Gyr (Zug)",
        "serial_number": "1LGZ0063539421",
        "sw_version": "V1.05",
    }
    assert config["availability"] == [
        {"topic": "e320/bridge/attic/availability"},
        {"topic": "e320/1LGZ0063539421/availability"},
    ]
    assert component(config, "1.8.0") == kind("energy", "total_increasing", "Wh")
    assert component(config, "2.8.0") == kind("energy", "total_increasing", "Wh")
    assert component(config, "16.8.0") == kind("energy", "total", "Wh")
    assert component(config, "16.7.0") == kind("power", "measurement", "W")
    assert component(config, "32.7.0") == kind("voltage", "measurement", "V")
    assert component(config, "31.7.0") == kind("current", "measurement", "A")
    assert component(config, "14.7.0") == kind("frequency", "measurement", "Hz")
    assert component(config, "81.7.4") == kind(None, None, "°")
    assert component(config, "3.8.0") == kind(None, "total_increasing", "varh")
    names = {each["name"] for each in config["components"].values()}
    assert {"Active energy import, total", "Active energy export, total", "Terminal cover opened"} <= names


def test_flags_of_the_status_word_are_diagnostics() -> None:
    config = config_of(topics(), *REDUCED)
    assert config is not None
    flags = {name: each for name, each in config["components"].items() if each["platform"] == "binary_sensor"}
    assert len(flags) == 13
    assert flags["sum_export"]["value_template"] == "{{ 'ON' if 'sum_export' in value_json.flags else 'OFF' }}"
    assert flags["fatal_error"]["device_class"] == "problem"


def test_it_is_told_once_and_again_with_new_registers() -> None:
    made = topics()
    first = config_of(made, *REDUCED)
    assert config_of(made, *REDUCED, second=8) is None
    more = config_of(made, *EXTENDED)
    assert first is not None
    assert more is not None
    assert set(more["components"]) - set(first["components"]) == {"0100100700ff"}
    assert first["components"].items() <= more["components"].items()  # nothing is renamed
    assert config_of(made, *REDUCED) is None  # what was there once is not taken away
    assert config_of(made, *EXTENDED) is None


def test_each_meter_is_a_device_of_its_own() -> None:
    made = topics()
    other = config_of(made, *EXTENDED), config_of(made, *EXTENDED, server=E320[:-1] + b"\xde")
    assert other[0] is not None
    assert other[1] is not None
    assert not {str(each) for each in other[0]["device"]["identifiers"]} & set(other[1]["device"]["identifiers"])


def test_a_derived_power_is_an_entity() -> None:
    config = config_of(topics(), entry("1.8.0", 1, 30, 0), entry("15.7.0", 126, 27, 0))
    assert component(config, "net_power") == kind("power", "measurement", "W")


def test_names_in_german_and_another_patience() -> None:
    config = config_of(topics(language="de", expire_after_s=2700), *EXTENDED)
    assert config is not None
    assert config["device"]["name"] == "Zähler 1 LGZ00 6353 9421"
    assert {each["expire_after"] for each in config["components"].values()} == {2700}
    assert "Wirkarbeit Lieferung, gesamt" in {each["name"] for each in config["components"].values()}


@pytest.mark.parametrize("unit", [None, 255, 254, 200])
def test_numbers_without_a_unit_are_diagnostics(unit: int | None) -> None:
    assert component(config_of(topics(), entry("0.1.0", 3, unit)), "0.1.0") == kind(None, None, None)
