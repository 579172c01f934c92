"""What a bridge takes from its options, its environment and its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from e320proto.cli.bridge_setup import BridgePlan, broker_of, buffer_path
from e320proto.cli.meter_setup import UnusableError

BOTH = {"E320_MQTT_USERNAME": "house", "E320_MQTT_PASSWORD": "from environment"}


def credentials(url: str, file: Path | None = None, environment: dict[str, str] | None = None) -> object:
    broker = broker_of(BridgePlan(urls=(), mqtt=url, password_file=file), environment or {})
    assert broker.password is None or broker.password not in f"{broker!r}{broker}"
    return broker.username, broker.password


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("from file\n")
    path.chmod(0o600)
    return path


def test_the_url_counts_before_the_file_and_that_before_the_environment(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert credentials("mqtt://h") == (None, None)
    assert credentials("mqtt://h", environment=BOTH) == ("house", "from environment")
    assert credentials("mqtt://me@h", environment=BOTH) == ("me", "from environment")
    assert credentials("mqtt://me@h", file, BOTH) == ("me", "from file")
    assert credentials("mqtt://me:from%20url@h", file, BOTH) == ("me", "from url")
    assert capsys.readouterr() == ("", "")


def test_a_password_that_everybody_may_read_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.chmod(0o640)  # as systemd hands out credentials
    assert credentials("mqtt://me@h", file) == ("me", "from file")
    assert capsys.readouterr().err == ""
    file.chmod(0o644)
    assert credentials("mqtt://me@h", file) == ("me", "from file")
    assert capsys.readouterr().err == f"e320: everybody may read the password in {file}; try chmod 600\n"


def test_what_cannot_be_a_password_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff")
    with pytest.raises(UnusableError, match="expected UTF-8"):
        credentials("mqtt://me@h", file)
    with pytest.raises(UnusableError, match="needs a user name"):
        credentials("mqtt://h", environment={"E320_MQTT_PASSWORD": "x"})


def test_a_key_needs_its_certificate(file: Path) -> None:
    with pytest.raises(UnusableError, match="expected --mqtt-cert beside it"):
        broker_of(BridgePlan(urls=(), mqtt="mqtts://h", key=file), {})


def test_where_telegrams_wait() -> None:
    plan = BridgePlan(urls=(), name="the attic")
    assert str(buffer_path(plan, {"XDG_STATE_HOME": "/home/me/state"})) == (
        "/home/me/state/e320proto/bridge-the-attic.sqlite"
    )
    assert str(buffer_path(plan, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"})) == "/var/lib/a/bridge-the-attic.sqlite"
    assert buffer_path(replace(plan, buffer=Path("here")), {"STATE_DIRECTORY": "/var/lib/a"}) == Path("here")
    assert buffer_path(plan, {}).name == "bridge-the-attic.sqlite"


def test_a_user_without_a_home_has_to_say_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(UnusableError, match="--buffer: expected a file"):
        buffer_path(BridgePlan(urls=()), {})
