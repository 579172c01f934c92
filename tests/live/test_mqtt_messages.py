"""Topics and payloads of telegrams."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from e320proto import ServerId
from e320proto.live.mqtt_messages import Message, Topics, meter_name, safe_name
from tests.live.telegrams import E320, EXTENDED, REDUCED, entry, telegram

AT = 1_700_000_000.25
LINE = "/dev/ttyUSB0"
BASE = "e320/1LGZ0063539421"


def said(*entries: object, **options: object) -> dict[str, Message]:
    messages = Topics("e320", "attic").telegram(telegram(*entries, **options), AT, LINE)  # type: ignore[arg-type]
    assert len({message.topic for message in messages}) == len(messages)
    return {message.topic.removeprefix(f"{BASE}/"): message for message in messages}


def test_every_register_has_a_retained_topic_with_every_digit() -> None:
    found = said(*EXTENDED)
    assert {name: message.payload for name, message in found.items() if name not in {"telegram", "status"}} == {
        "1-0:96.50.1*1": "LGZ",
        "96.1.0": E320.hex(),
        "1.8.0": "123456.7",
        "2.8.0": "900719925474099.3",
        "16.7.0": "-2150",
        "availability": "online",
    }
    assert {name for name, message in found.items() if not message.retain} == {"telegram"}
    assert json.loads(found["status"].payload)["flags"][:2] == ["started", "sum_export"]


def test_the_reduced_set_is_in_the_same_unit() -> None:
    assert said(*REDUCED)["1.8.0"].payload == "123000"


def test_a_telegram_is_one_object_with_its_arrival_and_the_second_of_the_meter() -> None:
    found = json.loads(said(*EXTENDED)["telegram"].payload, parse_float=Decimal)
    assert (found["arrived"], found["url"], found["meter"]) == ("2023-11-14T22:13:20.250Z", LINE, "1LGZ0063539421")
    assert found["time"] == {"sec_index": 7}
    assert [each["value"] for each in found["entries"]][3] == Decimal("900719925474099.3")


def test_what_has_no_value_has_no_message() -> None:
    """An empty payload would delete what is retained."""
    found = said(entry("1.8.0", 1, 30, 0), entry("96.5.0", b""), entry("0.2.0", None))
    assert set(found) == {"1.8.0", "status", "availability", "telegram"}


def test_of_two_entries_of_a_code_the_first_counts() -> None:
    assert said(entry("1.8.0", 1, 30, 0), entry("1.8.0", 2, 30, 0))["1.8.0"].payload == "1"


def test_a_power_without_sign_is_told_with_its_sign() -> None:
    found = said(entry("1.8.0", 1, 30, 0), entry("15.7.0", 126, 27, 0))
    assert (found["15.7.0"].payload, found["net_power"].payload) == ("126", "-126")
    assert "net_power" not in said(*EXTENDED)


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("0a014c475a0003c988dd", "1LGZ0063539421"),
        ("05001bc5000001", "05001bc5000001"),
        ("ffee#+/", None),
    ],
)
def test_names_of_meters_are_levels_of_topics(server: str, name: str | None) -> None:
    octets = bytes.fromhex(server) if name else server.encode()
    found = meter_name(ServerId.from_wire(octets), LINE)
    assert found == (name or octets.hex())
    assert safe_name(found) == found


def test_a_meter_without_an_id_has_the_name_of_its_line() -> None:
    (topic, *_) = (message.topic for message in Topics("e320", "b").telegram(telegram(*EXTENDED, server=b""), AT, LINE))
    assert topic.startswith("e320/line-dev-ttyUSB0/")


def test_a_line_that_is_lost_takes_its_meters_with_it() -> None:
    topics = Topics("house/e320", "attic")
    topics.telegram(telegram(*EXTENDED), AT, LINE)
    topics.telegram(telegram(*EXTENDED, server=E320[:-1] + b"\xde"), AT, "/dev/ttyUSB1")
    assert topics.line_lost(LINE) == [Message("house/e320/1LGZ0063539421/availability", "offline", retain=True)]
    assert topics.line_lost("/dev/ttyUSB2") == []
    back = Message("house/e320/1LGZ0063539421/availability", "online", retain=True)
    assert [back in topics.telegram(telegram(*EXTENDED), AT, LINE) for _ in range(2)] == [True, False]
