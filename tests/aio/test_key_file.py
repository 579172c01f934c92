"""Keys in a file: what is written comes back, others may not read it, and a crash leaves the old one."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import FileKeyRing
from e320proto.errors import DecodeError, SecurityError, TransportError
from e320proto.lmn.certificates import Credentials
from e320proto.lmn.meter_keys import MeterKeys, TlsCertificates

if TYPE_CHECKING:
    from pathlib import Path

METER = bytes.fromhex("0a014c475a0003c988dd")
OTHER = bytes.fromhex("0a014c475a0003c988de")
SECRET = bytes(range(16)).hex()
RENEWING = MeterKeys(
    gateway=Credentials(b"0a", b"0b"),
    meter_certificate=b"0c",
    renewing=TlsCertificates(Credentials(b"1a", b"1b"), b"1c"),
)
KEYS = MeterKeys(
    master_key=bytes.fromhex(SECRET), counter=65, gateway=Credentials(b"0a", b"0b"), meter_certificate=b"0c"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_what_is_stored_is_there_for_the_next_one(path: Path) -> None:
    FileKeyRing(path).store(METER, KEYS)
    FileKeyRing(path).store(OTHER, MeterKeys())
    FileKeyRing(path).store(b"\x01\x02", RENEWING)
    ring = FileKeyRing(path)
    assert ring.server_ids == (METER, OTHER, b"\x01\x02")
    assert [ring.load(each) for each in ring.server_ids] == [KEYS, MeterKeys(), RENEWING]
    assert ring.load(b"nobody") == MeterKeys()
    assert list(json.loads(path.read_text())) == ["1LGZ0063539421", "1LGZ0063539422", "0102"]


def test_only_the_owner_may_read_it(path: Path) -> None:
    ring = FileKeyRing(path)
    old = os.umask(0)
    try:
        ring.store(METER, KEYS)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    written(path, "{}", mode)
    with pytest.raises(SecurityError, match=f"found {mode:04o}; try chmod 600"):
        FileKeyRing(path)


def test_two_programs_do_not_undo_what_the_other_has_written(path: Path) -> None:
    first, second = FileKeyRing(path), FileKeyRing(path)
    first.store(METER, KEYS)
    second.store(OTHER, KEYS)
    assert FileKeyRing(path).server_ids == (METER, OTHER)


def test_a_file_that_could_not_be_written_stays_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = FileKeyRing(path)
    ring.store(METER, KEYS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransportError, match="No space left on device"):
        ring.store(METER, MeterKeys())
    assert FileKeyRing(path).load(METER) == KEYS
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (SECRET, "", "expected JSON"),
        (f'"{SECRET}"', "", "expected an object, found str"),
        (f'{{"{SECRET[:9]}": {{}}}}', SECRET[:9], "expected a device id"),
        (f'{{"1LGZ0063539421": "{SECRET}"}}', "1LGZ0063539421", "expected an object of known fields"),
        (f'{{"1LGZ0063539421": {{"key": "{SECRET}"}}}}', "1LGZ0063539421", "known fields"),
        (
            f'{{"1LGZ0063539421": {{"master_key": "{SECRET}00"}}}}',
            "1LGZ0063539421.master_key",
            "32 hex digits, found 34",
        ),
        (f'{{"1LGZ0063539421": {{"master_key": "{SECRET}x"}}}}', "1LGZ0063539421.master_key", "expected hex digits"),
        ('{"1LGZ0063539421": {"counter": true}}', "1LGZ0063539421.counter", "a number of 32 bit"),
        ('{"1LGZ0063539421": {"counter": 4294967296}}', "1LGZ0063539421.counter", "a number of 32 bit"),
        ('{"1LGZ0063539421": {"gateway": 1}}', "1LGZ0063539421.gateway", "expected an object"),
        ('{"1LGZ0063539421": {"gateway": {"certificate": 1}}}', "1LGZ0063539421.gateway.certificate", "hex digits"),
        ('{"1LGZ0063539421": {"renewing": []}}', "1LGZ0063539421.renewing", "expected an object"),
        ('{"1LGZ0063539421": {"renewing": {}}}', "1LGZ0063539421.renewing", "gateway and meter_certificate"),
        (
            '{"1LGZ0063539421": {"renewing": {"gateway": {"certificate": 1}}}}',
            "1LGZ0063539421.renewing.gateway.certificate",
            "hex digits",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_shows_no_key(path: Path, text: str, where: str, words: str) -> None:
    written(path, text)
    with pytest.raises(DecodeError, match=words) as caught:
        FileKeyRing(path)
    assert caught.value.path == where
    assert SECRET not in str(caught.value)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="expected a file that can be read"):
        FileKeyRing(tmp_path)


def test_a_counter_that_another_gateway_has_used_does_not_go_back(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "keys.json")
    ring.store(b"meter", MeterKeys(master_key=bytes(16), counter=100))
    ring.store(b"meter", MeterKeys(master_key=bytes(16), counter=6))
    assert ring.load(b"meter").counter == 100
    ring.store(b"meter", MeterKeys(master_key=b"another key 16 o", counter=1))
    assert ring.load(b"meter").counter == 1


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "keys.json", tmp_path / "link.json"
    link.symlink_to(file)
    FileKeyRing(link).store(b"meter", MeterKeys(counter=7))
    assert link.is_symlink()
    assert FileKeyRing(file).load(b"meter").counter == 7


def test_a_file_that_is_too_deep_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.touch(0o600)
    path.write_text("[" * 100_000)
    with pytest.raises(DecodeError, match="expected JSON"):
        FileKeyRing(path)
