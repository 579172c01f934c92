"""``e320 meter``: as a process on real ports and terminals, and what it says when something is wrong."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from e320proto import ObisCode, SecIndex, TelegramDecoder
from e320proto.cli.meter_setup import DEFAULT
from e320proto.meter import E320Config, SqliteStore
from e320proto.sml.telegram import Telegram
from e320proto.status import FnnFlag
from tests.cli import terminals
from tests.cli.terminals import PATIENCE_S, interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.cli.terminals import Terminal

COMMAND = (sys.executable, "-m", "e320proto.cli", "meter")
ENERGY, POWER = ObisCode.parse("1.8.0"), ObisCode.parse("16.7.0")


def telegrams_of(octets: bytes) -> list[Telegram]:
    decoder = TelegramDecoder()
    events = decoder.feed(octets) + decoder.close()
    telegrams = [event for event in events if isinstance(event, Telegram)]
    assert len(telegrams) == len(events)
    return telegrams


def second_of(telegram: Telegram) -> int:
    assert isinstance(telegram.time, SecIndex)
    return telegram.time.value


def watts_of(telegram: Telegram) -> object:
    return telegram.entries[POWER].raw


def played(*args: object) -> list[Telegram]:
    """What a meter sends to its standard output until its end."""
    command = [*COMMAND, "--stdout", *(str(arg) for arg in args)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.decode() == "meter 1 LGZ00 6353 9421 sends to standard output; Ctrl-C ends it\n"
    return telegrams_of(done.stdout)


@contextmanager
def started(*args: object) -> Iterator[subprocess.Popen[bytes]]:
    """A meter that runs until somebody ends it."""
    command = [*COMMAND, *(str(arg) for arg in args)]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=interruptible,  # noqa: PLW1509 - no threads
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode()


def read_telegrams(port: int, count: int) -> list[Telegram]:
    """The next telegrams that come at a port that is open."""
    decoder, found = TelegramDecoder(), list[Telegram]()
    until = time.monotonic() + PATIENCE_S
    while len(found) < count:
        ready, _, _ = select.select([port], [], [], max(0.0, until - time.monotonic()))
        assert ready, "no telegram came"
        events = decoder.feed(os.read(port, 4096))
        assert all(isinstance(event, Telegram) for event in events)
        found += [event for event in events if isinstance(event, Telegram)]
    return found


def terminal(*args: object, **environment: Any) -> contextlib.AbstractContextManager[Terminal]:  # noqa: ANN401 - strings
    return terminals.terminal("meter", *args, **environment)


# --- octets ---------------------------------------------------------------------------------------------------------


def test_standard_output_gets_the_pushes() -> None:
    telegrams = played("--profile", "constant:1000,500,-300", "--for", 20, "--speed", 100)
    assert [second_of(telegram) for telegram in telegrams] == list(range(2, 21))
    assert {watts_of(telegram) for telegram in telegrams} == {1200}
    assert telegrams[-1].entries[ENERGY].raw == 1200 * 20 * 10 // 3600


def test_profile_begins_where_it_is_told_to() -> None:
    night = played("--for", 4, "--speed", 100)
    noon = played("--for", 4, "--speed", 100, "--start", 43_200)
    assert [second_of(telegram) for telegram in night] == [second_of(telegram) for telegram in noon]
    assert all(int(str(watts_of(telegram))) > 0 for telegram in night)
    assert all(int(str(watts_of(telegram))) < 0 for telegram in noon)


def test_configuration_makes_the_meter(tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    path.write_text('device_id = "1LGZ0063539421"\nmode = 1\npin = "0000"\n', encoding="utf-8")
    telegrams = played("--config", path, "--for", 3, "--speed", 100)
    assert len(telegrams[-1].raw) == 220, "the reduced data set of mode 1"


def test_script_acts_on_the_meter(tmp_path: Path) -> None:
    path = tmp_path / "day.script"
    script = "0 load 100 0 0\n4 error measuring_system\n6 load 300 0 0\n10 power off\n14 power on\n"
    path.write_text(script, encoding="utf-8")
    telegrams = played("--profile", path, "--for", 20, "--speed", 10)
    fatal = {
        second_of(telegram) for telegram in telegrams if telegram.status and telegram.status.value & FnnFlag.FATAL_ERROR
    }
    seconds = [second_of(telegram) for telegram in telegrams]
    assert seconds[0] == 2
    assert 4 <= min(fatal) < 10
    assert min(second_of(telegram) for telegram in telegrams if watts_of(telegram) == 300) in {6, 7}
    assert len(seconds) < 19, "no pushes without mains, nor in the first seconds after"
    assert seconds == sorted(set(seconds))


def test_tcp_port_sends_to_who_connects() -> None:
    with started("--tcp", "127.0.0.1:0", "--speed", 10) as process:
        found = re.search(r"sends to 127\.0\.0\.1:(\d+)", first_line(process))
        assert found is not None
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=PATIENCE_S) as port:
            assert len(read_telegrams(port.fileno(), 3)) == 3


def test_pseudo_terminal_is_a_serial_port() -> None:
    with started("--pty", "--tcp", "0", "--speed", 10) as process:
        found = re.search(r"sends to (/dev/\S+), 127\.0\.0\.1:\d+;", first_line(process))
        assert found is not None
        port = os.open(found[1], os.O_RDONLY | os.O_NOCTTY)
        try:
            seconds = [second_of(telegram) for telegram in read_telegrams(port, 3)]
        finally:
            os.close(port)
        assert seconds == list(range(seconds[0], seconds[0] + 3))


def test_reader_that_goes_away_ends_it_quietly() -> None:
    with started("--stdout", "--speed", 50) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(100)
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 141
        assert process.stderr.read().count(b"\n") == 1


def test_without_outlets_it_runs_to_its_end(process: Run) -> None:
    done = process("meter", "--for", 3, "--speed", 100)
    assert done == (0, "meter 1 LGZ00 6353 9421 sends to nobody; Ctrl-C ends it\n", "")


# --- the terminal ---------------------------------------------------------------------------------------------------


def test_face_keys_and_readings() -> None:
    with terminal("--pty", "--profile", "constant:1000,500,-300", "--speed", 4) as shown:
        name = shown.wait_for(r"sends to (/dev/\S+)")[1]
        assert "\x1b[?1049h" in shown.shown
        shown.wait_for("P 1200 W")
        assert "1 LGZ00 6353 9421" in shown.shown
        assert "s short flash" in shown.shown
        port = os.open(name.strip(), os.O_RDONLY | os.O_NOCTTY)
        try:
            assert watts_of(read_telegrams(port, 2)[-1]) == 1200
            shown.press("2e")
            shown.wait_for(r"L2 cut, -3000 W")
            shown.wait_for("◀━ -A")
            while watts_of(read_telegrams(port, 1)[-1]) != -1300:
                pass  # what was sent before
        finally:
            os.close(port)
        shown.press("2")
        shown.wait_for("L1 L2 L3")
        shown.press("m")
        shown.wait_for("supply is gone")
        shown.press("m")
        shown.wait_for("supply is there, second")
        shown.press("?q")
        status, rest = shown.end()
        assert status == 0
        assert "\x1b[?1049l" in rest
        assert "\x1b[?25h" in rest


def test_flashes_walk_through_the_menu() -> None:
    with terminal("--speed", 8) as shown:
        shown.wait_for(r"second (2[5-9]|[3-9]\d|\d{3})")
        shown.press("s")
        shown.wait_for("menu: PIN entry")
        shown.press("<")
        shown.wait_for("4 x speed")
        shown.press("l")
        shown.wait_for("menu: standard display")
        shown.press("q")
        assert shown.end()[0] == 0


def test_interrupt_leaves_the_terminal_as_it_was() -> None:
    with terminal("--for", 100) as shown:
        shown.wait_for("second 1")
        shown.press("\x03")
        status, rest = shown.end()
        assert status == 130
        assert "\x1b[?1049l" in rest
        assert "Traceback" not in rest


def test_terminal_that_can_draw_nothing_gets_a_line() -> None:
    with terminal("--for", 2, "--speed", 20, TERM="dumb") as shown:
        status, rest = shown.end()
        assert (status, rest) == (0, "meter 1 LGZ00 6353 9421 sends to nobody; Ctrl-C ends it\r\n")


def test_termination_leaves_the_terminal_as_it_was() -> None:
    with terminal() as shown:
        shown.wait_for("second 0")
        shown.process.terminate()
        status, rest = shown.end()
        assert status == 143
        assert "\x1b[?25h" in rest
        assert "Traceback" not in rest


def test_octets_are_not_for_a_terminal() -> None:
    with terminal("--stdout") as shown:
        status, rest = shown.end()
        assert (status, rest) == (2, "e320: octets are not for a terminal; send them to a file or a pipe\r\n")


# --- state ----------------------------------------------------------------------------------------------------------


def test_state_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "meter.state"
    args = ("--profile", "constant:3600", "--for", 10, "--speed", 50, "--state", state)
    first, second = played(*args), played(*args)
    assert (second_of(first[-1]), second_of(second[0])) == (10, 10 + 1 + 2)
    energies = [int(str(telegram.entries[ENERGY].raw)) for telegram in (first[-1], second[0], second[-1])]
    assert energies == [100, 120, 200], "1 Wh a second"
    assert first[-1].messages[0].transaction_id != second[0].messages[0].transaction_id


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_every_end_loses_at_most_the_present_second(tmp_path: Path, ending: signal.Signals) -> None:
    state = tmp_path / "meter.state"
    with started("--stdout", "--speed", 10, "--state", state) as process:
        assert process.stdout is not None
        last = read_telegrams(process.stdout.fileno(), 8)[-1]
        process.send_signal(ending)
        rest = process.stdout.read()
        status = process.wait(PATIENCE_S)
    assert status == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}[ending]
    sent = [second_of(last), *(second_of(telegram) for telegram in telegrams_of(rest))]
    store = SqliteStore(state)
    with contextlib.closing(store):
        kept = store.load()
    assert kept is not None
    assert kept["seconds"] >= sent[-1]


def test_corrupt_state_is_moved_aside(e320: Run, tmp_path: Path) -> None:
    state = tmp_path / "meter.state"
    state.write_bytes(b"no state at all" * 100)
    done = e320("meter", "--state", state, "--for", 1)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"{state} was moved to {state}.corrupt-1" in done.err
    assert (tmp_path / "meter.state.corrupt-1").read_bytes().startswith(b"no state")
    assert played("--state", state, "--for", 3, "--speed", 100)


def test_state_of_another_meter_is_refused(e320: Run, tmp_path: Path) -> None:
    state, config = tmp_path / "meter.state", tmp_path / "other.toml"
    config.write_text('device_id = "1LGZ0012345678"\npin = "0000"\n', encoding="utf-8")
    played("--state", state, "--for", 3, "--speed", 100)
    done = e320("meter", "--state", state, "--config", config)
    assert (done.status, done.out) == (2, "")
    assert "expected the state of 1LGZ0012345678, found that of 1LGZ0063539421" in done.err


# --- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("mode = ", "expected TOML"),
        ("color = 1", "expected a parameter of the meter, found 'color'"),
        ("mode = 9", "mode: expected"),
        ('pin = "12"', "pin: expected 4 digits"),
        ('type_designation = "E320-AM9D.A3A.A0-S1B-S1"\npin = "1234"', "expected a maximum current of 1, 3 or C"),
        ("\ufffe", "expected TOML"),
    ],
)
@pytest.mark.parametrize("options", [["--for", "1"], ["--svg"]])
def test_wrong_configuration_is_one_line(
    e320: Run, tmp_path: Path, config: str, message: str, options: list[str]
) -> None:
    path = tmp_path / "meter.toml"
    path.write_text(config, encoding="utf-8")
    done = e320("meter", "--config", path, *options)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("e320: ")
    assert message in done.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--config", "missing.toml"], "cannot read missing.toml: No such file or directory"),
        (["--profile", "missing.csv"], "cannot read missing.csv: No such file or directory"),
        (["--profile", "sunny"], "profile sunny: expected constant:W,W,W, household"),
        (["--profile", "bad.csv"], "profile bad.csv: expected"),
        (["--profile", "bad.script"], "profile bad.script: expected one of load, reactive"),
        (["--profile", "household:1,-5"], "profile household:1,-5: solar_kwp: expected 0"),
        (["--tcp", "here"], "--tcp: expected HOST:PORT or PORT, found 'here'"),
        (["--tcp", "127.0.0.1:70000"], "expected 0 to 65535, found 70000"),
        (["--serial", "/dev/missing"], "/dev/missing: expected a serial port, found no such device"),
        (["--state", "missing/meter.state"], "cannot open the state file missing/meter.state"),
        (["--speed", "0"], "Invalid value for '--speed'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    process: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("time,p1,p2,p3\n0,a,2,3\n", encoding="utf-8")
    (tmp_path / "bad.script").write_text("0 dance\n", encoding="utf-8")
    done = process("meter", "--for", "1", *args)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("e320: ")
    assert message in done.err


def test_port_in_use(process: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = process("meter", "--tcp", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (done.status, done.out) == (2, "")
    assert "in use" in done.err


# --- what is printed ------------------------------------------------------------------------------------------------


def test_configuration_to_edit(e320: Run, tmp_path: Path) -> None:
    done = e320("meter", "--print-config")
    assert (done.status, done.err) == (0, "")
    assert E320Config.from_toml(done.out) == DEFAULT
    assert 'pin = "1234"' in done.out
    path = tmp_path / "meter.toml"
    path.write_text('mode = 5\npin = "0000"\n', encoding="utf-8")
    assert "\nmode = 5\n" in e320("meter", "--config", path, "--print-config").out


def test_picture_of_the_face(e320: Run, tmp_path: Path) -> None:
    done = e320("meter", "--svg")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("<svg ")
    assert done.out.endswith("</svg>\n")
    assert "1 LGZ00 6353 9421" in done.out
    (key,) = set(re.findall(r">(04[0-9A-F]{63})<", done.out))
    assert done == e320("meter", "--svg"), "a meter has one key"
    path = tmp_path / "other.toml"
    path.write_text('device_id = "1LGZ0012345678"\npin = "0000"\n', encoding="utf-8")
    assert key not in e320("meter", "--svg", "--config", path).out


def test_picture_shows_the_state_and_leaves_it(e320: Run, tmp_path: Path) -> None:
    state = tmp_path / "meter.state"
    played("--state", state, "--for", 40, "--speed", 100, "--profile", "constant:90000000")
    before = state.read_bytes()
    picture = e320("meter", "--svg", "--state", state, "--profile", "constant:0").out
    assert re.search(r"1\.8\.0 +001000  kWh", picture)
    assert state.read_bytes() == before


def test_picture_with_its_code(e320: Run) -> None:
    pytest.importorskip("pystrich", reason="the extra meter is not installed")
    assert "<title>Data Matrix</title>" in e320("meter", "--svg").out


def test_picture_without_the_extra() -> None:
    program = (
        "import sys; sys.modules['pystrich'] = None; from e320proto.cli import main; sys.exit(main(['meter', '--svg']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    assert (done.returncode, done.stderr) == (0, "")
    assert "<title>Data Matrix</title>" not in done.stdout
