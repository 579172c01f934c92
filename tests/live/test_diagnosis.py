"""What is found on a line: each finding by what makes it, and nothing on a line where all is well."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from e320proto import (
    E320Error,
    GetListRes,
    Message,
    Telegram,
    TelegramDecoder,
    TransportError,
    encode_file,
    encode_transport,
)
from e320proto.live import LineWatch, Severity, diagnose
from e320proto.live.findings import KINDS
from e320proto.sml.transport import START_2
from tests.contracts.pushes import USUAL, push
from tests.live.lines import D0, HDLC, NOISE, P1, PAGE, Line, flipped, pushes
from tests.live.uart import INFO, Setting, levels, received
from tests.recordings import FILES

EXTENDED = pushes(120)
REDUCED = pushes(30, extended=False)
DAMAGED = {"DZG_DVS-7420.2V.G2_mtr1_error.bin", "EMH-ED300L_delivery.bin", "EasyMeter_Q3A_A1064V1009.bin"}
"""Recordings whose lines were not well."""


# --- all is well --------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 7, 300])
def test_healthy_meter_has_no_finding_at_any_moment(piece: int) -> None:
    line = Line()
    line.wait(7)  # before the first push
    line.hear(EXTENDED[0][123:], piece=piece)  # opened in the midst of one
    line.hear_each(EXTENDED[1:30], piece=piece)
    assert line.seen == []


def test_meter_without_its_pin_has_a_note() -> None:
    line = Line()
    line.hear_each(REDUCED)
    assert line.seen_words == {"reduced"}
    assert {finding.severity for finding in line.seen} == {Severity.NOTE}
    assert line.said("reduced") == "only the reduced data set: enter the PIN or switch InF on"
    line.hear_each(EXTENDED[:2])
    assert line.words == []


@pytest.mark.parametrize("name", sorted(set(FILES) - DAMAGED))
@pytest.mark.parametrize("at_once", [False, True])
def test_real_meters_have_notes_at_most(name: str, shared: Path, *, at_once: bool) -> None:
    line = Line()
    octets = (shared / "captures" / name).read_bytes()
    pace_s = 0.0 if at_once else 32 / 960
    for begin in range(0, len(octets), 32):
        line.hear(octets[begin : begin + 32], piece=32)
        line.now += pace_s
    line.end()
    line.seen += diagnose(line.stats)
    assert {finding.severity for finding in line.seen} <= {Severity.NOTE}
    assert line.seen_words - {"ended"} == ({"reduced"} if "without_PIN" in name or name.startswith("eBZ") else set())


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_real_lines_that_are_not_well(name: str, shared: Path) -> None:
    line = Line()
    line.hear((shared / "captures" / name).read_bytes(), piece=32)
    line.end()
    (bad,) = {finding.word for finding in diagnose(line.stats)} - {"ended"}
    assert bad in {"cut", "none_whole", "noise"}


def test_a_single_damaged_telegram_is_no_finding() -> None:
    line = Line()
    line.hear_each([*EXTENDED[:20], flipped(EXTENDED[20]), *EXTENDED[21:80]])
    assert line.seen == []


def test_two_damaged_of_a_hundred_are_no_finding() -> None:
    line = Line()
    line.hear_each((flipped(frame) if index in {100, 118} else frame for index, frame in enumerate(EXTENDED)), 0.4)
    assert line.seen == []


def test_stray_light_between_telegrams_is_no_finding() -> None:
    line = Line()
    line.hear_each((part for frame in EXTENDED[:20] for part in (frame, bytes(40))), 0.5)
    assert line.seen == []


def test_little_noise_is_no_finding() -> None:
    line = Line()
    line.hear_each([NOISE[:25] + frame for frame in EXTENDED[:60]])
    assert line.stats.recent.discarded > 1_024
    assert line.seen == []


def test_a_telegram_that_came_twice_is_no_finding() -> None:
    line = Line()
    line.hear_each(frame for index, frame in enumerate(EXTENDED[:40]) for _ in range(1 + (index % 5 == 0)))
    assert line.stats.recent.repeated > 5
    assert line.seen == []


def test_plugging_anew_leaves_no_finding() -> None:
    line = Line()
    line.hear_each(EXTENDED[:10])
    line.hear(EXTENDED[10][:150])
    line.lose()
    assert line.words == ["lost"]
    line.wait(100)
    line.open()
    line.hear_each(EXTENDED[11:20])
    assert line.words == []


def test_nothing_is_known_yet() -> None:
    assert diagnose(LineWatch(0.0).stats(100.0)) == []
    line = Line()
    line.wait(7.9)
    assert line.seen == []


@pytest.mark.parametrize("every_s", [2, 4, 10, 30])
def test_rare_telegrams_are_no_silence(every_s: int) -> None:
    line = Line()
    line.hear_each(EXTENDED[:20], every_s=every_s)
    line.seen.clear()
    line.hear_each(EXTENDED[20:40], every_s=every_s)
    assert line.seen_words == ({"rare"} if every_s > 5 else set())


# --- the line itself ----------------------------------------------------------------------------


def refusal(number: int) -> TransportError:
    error = TransportError("/dev/ttyUSB0: expected a serial port,\nfound none")
    error.__cause__ = OSError(number, "no")
    return error


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (refusal(errno.ENOENT), "no_device"),
        (refusal(errno.EACCES), "no_permission"),
        (refusal(errno.EBUSY), "in_use"),
        (refusal(errno.ECONNREFUSED), "unreachable"),
        (refusal(-2), "unreachable"),
        (refusal(errno.EIO), "refused"),
        (TransportError("no idea"), "refused"),
    ],
    ids=lambda value: str(getattr(value, "__cause__", value)),
)
def test_line_that_cannot_be_opened(error: E320Error, word: str) -> None:
    line = Line()
    line.watch.refused(error, 1.0)
    line.wait(100)
    assert line.words == [word]
    assert " ".join(str(error).split()) in line.said(word)


def test_line_that_was_lost() -> None:
    line = Line()
    line.hear_each(EXTENDED[:3])
    line.lose("it vanished")
    line.wait(20)
    assert line.words == ["lost"]
    assert "it vanished" in line.said("lost")


def test_line_that_is_lost_often() -> None:
    line = Line()
    for number in range(3):
        line.hear_each(EXTENDED[5 * number : 5 * number + 5])
        line.hear(EXTENDED[50][:150])  # it is cut, and that is no finding of its own
        line.lose()
        line.wait(1)
        line.open()
    line.hear_each(EXTENDED[20:25])
    assert line.words == ["lost_often"]
    assert "3 times" in line.said("lost_often")


def test_recording_at_its_end() -> None:
    line = Line()
    line.hear(b"".join(REDUCED), piece=4096)
    line.end()
    line.wait(1000)
    assert line.words == ["ended", "reduced"]


def test_recording_of_something_else() -> None:
    for octets, word in ((D0, "d0"), (NOISE, "garbage")):
        line = Line()
        line.hear(octets)
        line.end()
        assert line.words == [word, "ended"]


def test_never_any_light() -> None:
    line = Line()
    line.wait(8.1)
    assert line.words == ["never_heard"]
    for _ in range(3):  # opened anew, it stays so
        line.wait(52)
        line.lose("expected octets, found none")
        line.wait(0.5)
        line.open()
    line.seen.clear()
    line.wait(30)
    assert line.seen_words == {"never_heard"}


def test_no_more_light() -> None:
    line = Line()
    line.hear_each(EXTENDED[:20])
    line.wait(7.1)
    assert line.words == ["silent"]
    assert line.said("silent").startswith("no light for 8 s: ")
    line.wait(52)
    line.lose("expected octets, found none")
    line.seen.clear()
    line.wait(5)
    line.open()
    line.wait(30)
    assert line.seen_words == {"silent"}
    line.hear_each(EXTENDED[20:25])
    assert line.words == []


def test_consumer_that_holds_the_line() -> None:
    line = Line()
    line.hear_each(EXTENDED[:5])
    line.watch.held(line.now)
    line.wait(0.4)
    assert line.words == []
    line.wait(60)
    assert line.words == ["held"]
    line.watch.let_go(line.now)
    assert line.words == []


def test_consumer_that_misses_telegrams() -> None:
    line = Line()
    line.hear_each(EXTENDED[:5])
    line.watch.dropped(7)
    assert line.words == ["dropped"]
    assert line.said("dropped").startswith("7 telegrams ")


# --- octets, but no telegrams -------------------------------------------------------------------


def wrong(sender: Setting = INFO, port: Setting = INFO) -> list[bytes]:
    return [received(levels(frame, sender), port) for frame in EXTENDED[:30]]


@pytest.mark.parametrize(
    ("frames", "word"),
    [
        (wrong(port=Setting(bits=7, parity=True)), "seven_bit"),
        (wrong(port=Setting(19_200)), "slow_sender"),
        (wrong(port=Setting(4_800)), "fast_sender"),
        (wrong(Setting(19_200)), "fast_sender"),
        (wrong(Setting(2_400)), "slow_sender"),
        (wrong(port=Setting(115_200)), "zeros"),
        (wrong(port=Setting(2_400)), "garbage"),
        (wrong(port=Setting(parity=True)), "parity"),
        ([received(levels(frame, inverted=True)) for frame in EXTENDED[:30]], "inverted"),
        ([D0] * 10, "d0"),
        ([received(levels(D0, Setting(bits=7, parity=True)))] * 10, "d0"),
        ([P1] * 10, "p1"),
        ([b"".join(HDLC)] * 3, "hdlc"),
        ([PAGE] * 3, "text"),
        ([frame.hex().encode() for frame in EXTENDED[:10]], "hex_text"),
        ([bytes(40)] * 20, "zeros"),
        ([b"\xff" * 40] * 20, "ones"),
        ([NOISE[at : at + 50] for at in range(0, 1000, 50)], "garbage"),
        ([frame.replace(b"\xff", b"\xff\xff") for frame in EXTENDED[:10]], "telnet"),
        ([START_2 + b"some telegram of version 2"] * 10, "version_2"),
        ([flipped(frame) for frame in EXTENDED[:10]], "none_whole"),
        ([frame[:200] for frame in EXTENDED[:10]], "none_whole"),
        ([b"!"] * 20, "garbage"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_octets_without_telegrams(frames: list[bytes], word: str) -> None:
    """From the beginning, and after all was well; whatever else is found, it is found at no moment."""
    line = Line()
    line.hear_each(frames, piece=20)
    assert line.words == [word]
    after = Line()
    after.hear_each(EXTENDED[:20])
    after.hear_each(frames, piece=20)
    after.wait(0.5)
    assert after.words == [word]


def test_seven_bits_in_words() -> None:
    line = Line()
    line.hear_each([bytes(octet & 0x7F for octet in frame) for frame in EXTENDED[:4]])
    assert [finding.text for finding in diagnose(line.stats)] == [
        "bytes arrive, but bit 7 is always 0: set 8 data bits"
    ]
    assert line.seen_words == {"seven_bit"}


def test_d0_that_comes_rarely_is_no_silence() -> None:
    line = Line()
    line.hear_each([D0] * 10, every_s=20)
    assert line.seen_words == {"d0"}
    assert line.said("d0").startswith("D0 ASCII, not SML: ")
    line.wait(100)
    assert line.words == ["silent"]


def test_echo_of_own_octets_only() -> None:
    line = Line()
    for _ in range(10):
        line.watch.sent(b"/?!\r\n", line.now)
        line.hear(b"/?!\r\n")
        line.wait(1)
    assert line.words == ["echo"]
    assert line.said("echo").startswith("echo of own bytes: ")


# --- telegrams ----------------------------------------------------------------------------------


def test_echo_beside_telegrams() -> None:
    line = Line()
    line.watch.sent(b"/?!\r\n", line.now)
    line.hear_each([b"/?!\r\n" + EXTENDED[0], *EXTENDED[1:5]])
    assert line.words == ["echo"]


def test_octets_are_changed_on_the_way() -> None:
    line = Line()
    line.hear_each([flipped(frame) if number % 5 == 0 else frame for number, frame in enumerate(EXTENDED[:41])])
    assert line.words == ["damaged"]
    assert line.said("damaged").startswith("octets are changed: 9 of 41 telegrams in 41 s (9 bad_crc): ")


def test_octets_are_lost_on_the_way() -> None:
    line = Line()
    line.hear_each(
        [frame[:80] + frame[90:] if number % 5 == 4 else frame for number, frame in enumerate(EXTENDED[:40])]
    )
    assert line.words == ["cut"]
    assert "8 of 40 telegrams" in line.said("cut")


def test_most_of_the_damage_tells_its_cause() -> None:
    line = Line()
    cut, changed = EXTENDED[0][:80] + EXTENDED[0][90:], flipped(EXTENDED[1])
    line.hear_each([EXTENDED[2], changed, cut, changed, changed, EXTENDED[3]])
    assert line.words == ["damaged"]


def test_octets_that_are_doubled_now_and_then() -> None:
    line = Line()
    doubled = [frame.replace(b"\xff", b"\xff\xff") for frame in EXTENDED[:10]]
    line.hear_each(frame for both in zip(doubled, EXTENDED[10:20], strict=True) for frame in both)
    assert line.words == ["telnet"]


def test_two_meters_on_one_line() -> None:
    other = pushes(20, number=12_345_679)
    line = Line()
    line.hear_each([frame for both in zip(EXTENDED[:20], other, strict=True) for frame in both], every_s=0.5)
    assert line.words == ["two_meters"]
    assert "1 LGZ00 1234 5678" in line.said("two_meters")
    assert "1 LGZ00 1234 5679" in line.said("two_meters")


def test_head_that_is_put_on_another_meter() -> None:
    line = Line()
    line.hear_each(EXTENDED[:20])
    line.hear_each(pushes(20, number=12_345_679))
    assert line.seen == []


def test_the_same_telegram_again_and_again() -> None:
    line = Line()
    line.hear_each([EXTENDED[0]] * 20)
    assert line.words == ["frozen"]
    assert diagnose(line.stats)[0].severity is Severity.FAULT


def test_a_meter_without_a_clock_may_repeat_itself() -> None:
    energy = replace(USUAL[1], val_time=None)
    message = Message(transaction_id=b"1", message_body=GetListRes(server_id=b"1234", val_list=(energy,)))
    line = Line()
    line.hear_each([encode_transport(encode_file([message]))] * 20)
    assert line.stats.recent.repeated == 19
    assert line.words == []


def test_messages_that_cannot_be_read() -> None:
    payload = bytearray(encode_file(push(USUAL)))
    payload[payload.index((1_234_567).to_bytes(8)) + 7] ^= 1  # a message with a wrong checksum in a right frame
    frame = encode_transport(payload)
    assert isinstance(TelegramDecoder().feed(frame)[0], Telegram)
    line = Line()
    line.hear_each([frame, *EXTENDED[:2]])
    assert line.words == ["unreadable"]


def test_no_message_that_can_be_read() -> None:
    list_res = push(USUAL)[1]
    payload = bytearray(encode_file([list_res]))
    payload[payload.index((1_234_567).to_bytes(8)) + 7] ^= 1
    line = Line()
    line.hear_each([encode_transport(payload)] * 20)
    assert line.stats.total.telegrams == 0
    assert line.words == ["unreadable"]
    assert "20 message_crc" in line.said("unreadable")


def test_noise_between_telegrams() -> None:
    line = Line()
    line.hear_each([NOISE[:100] + frame for frame in EXTENDED[:20]])
    assert line.words == ["noise"]


# --- all of them --------------------------------------------------------------------------------


def test_each_kind_is_well_formed() -> None:
    order = list(Severity)
    assert [word for word in KINDS if not word.isidentifier() or word != word.lower()] == []
    for kind in KINDS.values():
        assert kind.severity in order
        assert kind.recognised
        assert kind.seen


def test_each_kind_is_tested_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [word for word in KINDS if f'"{word}"' not in text] == []


def test_the_worst_comes_first() -> None:
    line = Line()
    line.hear_each([NOISE[:200] + flipped(frame) + NOISE[:200] + frame for frame in REDUCED])
    found = diagnose(line.stats)
    assert [finding.word for finding in found] == ["damaged", "reduced", "noise"]
