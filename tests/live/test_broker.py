"""URLs of brokers."""

from __future__ import annotations

import pytest

from e320proto.errors import DecodeError
from e320proto.live.broker import Broker


@pytest.mark.parametrize(
    ("url", "text", "username", "password"),
    [
        ("mqtt://house", "mqtt://house:1883", None, None),
        ("mqtts://house/", "mqtts://house:8883", None, None),
        ("mqtt://me@house:1884", "mqtt://house:1884", "me", None),
        ("mqtt://me:p%40ss%3A%2F@[::1]:1884", "mqtt://[::1]:1884", "me", "p@ss:/"),
    ],
)
def test_right_ones(url: str, text: str, username: str | None, password: str | None) -> None:
    broker = Broker.parse(url)
    assert (str(broker), broker.username, broker.password) == (text, username, password)
    assert broker.tls is url.startswith("mqtts")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "house",
        "house:1883",
        "http://me:secret@house",
        "mqtt://",
        "mqtt://me:secret@",
        "mqtt://me:secret@house:0",
        "mqtt://me:secret@house:99999",
        "mqtt://me:secret@house:port",
        "mqtt://me:sec/ret@house",
        "mqtt://me:secret@house/topic",
        "mqtt://me:secret@house?x=1",
        "mqtt://[me:secret",
    ],
)
def test_wrong_ones_are_refused_without_a_word_of_what_may_be_secret(url: str) -> None:
    with pytest.raises(DecodeError, match="expected mqtt://") as caught:
        Broker.parse(url)
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None
