"""What telegrams are on MQTT: topics and payloads.

::

    e320/1LGZ0063539421/1.8.0           123456.7     each register, retained: exact digits in the meter's unit
    e320/1LGZ0063539421/net_power       -2150        retained; only of meters that send 15.7.0, which has no sign
    e320/1LGZ0063539421/status          {"word": "001c0104", "layout": "fnn", "flags": ["started", ...]}, retained
    e320/1LGZ0063539421/availability    online       retained; offline while its line is not heard
    e320/1LGZ0063539421/telegram        {"arrived": "...", "url": "...", "meter": "...", ...}, each telegram once
    e320/bridge/NAME/availability       online       retained; offline is the last will of the bridge

A retained topic says what is, so only its newest value counts. What a meter has said is the row of its telegrams: those
are handed on one by one and in order.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from e320proto.live.telegram_json import raw_json, received_json
from e320proto.obis import ObisCode
from e320proto.sml.wording import octets_text

if TYPE_CHECKING:
    from e320proto.identity import ServerId
    from e320proto.live.home_assistant import Discovery
    from e320proto.sml.entries import Entry
    from e320proto.sml.telegram import Telegram
    from e320proto.status import Status

ONLINE: Final = "online"
OFFLINE: Final = "offline"
NET_POWER: Final = "net_power"
STATUS: Final = "status"
BALANCE: Final = ObisCode.parse("16.7.0")

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_OTHERS = re.compile(r"[^A-Za-z0-9_-]+")


class Message(NamedTuple):
    """A message for a broker.

    Args:
        topic: its topic.
        payload: its text.
        retain: whether the broker keeps the newest one for those who come later.
    """

    topic: str
    payload: str
    retain: bool


def safe_name(text: str) -> str:
    """A text as a level of a topic and as an id: letters, digits, ``_`` and ``-``.

    >>> safe_name("/dev/ttyUSB0"), safe_name("1LGZ0063539421")
    ('dev-ttyUSB0', '1LGZ0063539421')
    """
    return _OTHERS.sub("-", text).strip("-") or "unnamed"


@lru_cache(maxsize=4096)
def meter_name(server: ServerId | None, url: str) -> str:
    """The name of a meter in topics and labels: its device id, else its server id in hex, else its line.

    >>> from e320proto import ServerId
    >>> meter_name(ServerId.parse("0A014C475A0003C988DD"), "/dev/ttyUSB0"), meter_name(None, "/dev/ttyUSB0")
    ('1LGZ0063539421', 'line-dev-ttyUSB0')
    """
    if server is None or not server.raw:
        return f"line-{safe_name(url)}"
    return server.text if _NAME.fullmatch(server.text) else server.hex


def value_text(entry: Entry) -> str | None:
    """The value of a register as the payload of its topic; ``None`` if it has none.

    >>> from e320proto import Entry, Unit
    >>> value_text(Entry(ObisCode.parse("1.8.0"), 9007199254740993, -1, Unit(30)))
    '900719925474099.3'
    """
    quantity = entry.quantity
    if quantity is not None:
        return quantity.digits
    raw = entry.raw
    if raw is None or raw == b"":  # an empty payload would delete what is retained
        return None
    return octets_text(entry.obis, raw) if isinstance(raw, bytes) else raw_json(raw)


def status_text(status: Status) -> str:
    """A status word as the payload of its topic.

    >>> from e320proto import Status
    >>> status_text(Status(0x040904, 3))
    '{"word": "040904", "layout": "fnn", "flags": ["started", "sum_export", "voltage_l1"]}'
    """
    return json.dumps({"word": status.hex, "layout": status.layout.value, "flags": status.names})


def has_unsigned_power(telegram: Telegram) -> bool:
    """Whether the power with its sign has to be derived, because no register holds it."""
    return telegram.entries.get(BALANCE) is None and telegram.net_power is not None


class Topics:
    """Makes messages of telegrams and of what happens to lines.

    Args:
        prefix: first level of all topics, or several with ``/`` between.
        bridge: name of the bridge.
        discovery: what tells Home Assistant of meters; ``None`` for nobody.

    >>> Topics("e320", "attic").bridge(online=False)
    Message(topic='e320/bridge/attic/availability', payload='offline', retain=True)
    """

    def __init__(self, prefix: str, bridge: str, discovery: Discovery | None = None) -> None:
        self._prefix = prefix
        self._bridge = f"{prefix}/bridge/{safe_name(bridge)}/availability"
        self._discovery = discovery
        self._meters: dict[str, str] = {}  # by name: the line where each was heard last
        self._online: set[str] = set()

    def bridge(self, *, online: bool) -> Message:
        """Whether the bridge is there; offline is its last will."""
        return _available(self._bridge, online=online)

    def telegram(self, telegram: Telegram, at: float, url: str) -> list[Message]:
        """What a telegram says, in the order to be told.

        Args:
            telegram: the telegram.
            at: when it arrived: Unix time, s.
            url: of its line.
        """
        meter = meter_name(telegram.server_id, url)
        self._meters[meter] = url
        base = f"{self._prefix}/{meter}"
        messages = []
        if self._discovery is not None:
            found = self._discovery.see(telegram, meter, base, self._bridge)
            if found is not None:
                messages.append(Message(*found, retain=True))
        messages += _registers(telegram, base)
        if meter not in self._online:
            self._online.add(meter)
            messages.append(_available(f"{base}/availability", online=True))
        messages.append(Message(f"{base}/telegram", received_json(telegram, at, url, meter), retain=False))
        return messages

    def line_lost(self, url: str) -> list[Message]:
        """What to tell when a line is not heard any more."""
        lost = [meter for meter, line in self._meters.items() if line == url]
        self._online.difference_update(lost)
        return [_available(f"{self._prefix}/{meter}/availability", online=False) for meter in lost]


def _available(topic: str, *, online: bool) -> Message:
    return Message(topic, ONLINE if online else OFFLINE, retain=True)


def _registers(telegram: Telegram, base: str) -> list[Message]:
    values: dict[str, str] = {}
    for entry in telegram.entries:
        text = value_text(entry)
        if text is not None:
            values.setdefault(entry.obis.short, text)  # of two entries of a code, the first one counts
    power, status = telegram.net_power, telegram.status
    if power is not None and has_unsigned_power(telegram):
        values[NET_POWER] = power.digits
    if status is not None:
        values[STATUS] = status_text(status)
    return [Message(f"{base}/{name}", text, retain=True) for name, text in values.items()]
