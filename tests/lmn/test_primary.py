"""The gateway's end of a connection: every row of its table, dialogues, hostile peers."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import LocalProtocolError, RemoteProtocolError
from e320proto.hdlc import Address, Control, Frame, FrameKind, encode_frame
from e320proto.lmn.link import (
    AnswerTimedOut,
    CloseReason,
    DataReceived,
    Failed,
    LinkClosed,
    LinkEvent,
    LinkLost,
    LinkOpened,
    NoAnswer,
    PeerClosed,
    Refused,
    frame_octets,
)
from e320proto.lmn.primary import REPLIES, TIME_OUTS, PrimaryLink, PrimaryState, Reply
from e320proto.lmn.profile import LmnProfile
from tests.lmn.dialogues import DIALOGUES, METER, SML, TLS, Step, from_gateway, from_meter

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED = LinkClosed(CloseReason.RELEASED)


class Gateway:
    """A link with a clock that stands still between two calls."""

    def __init__(self, profile: LmnProfile | None = None, selector: int = SML) -> None:
        self.profile = profile or LmnProfile()
        self.link = PrimaryLink(METER, self.profile)
        self.selector = selector
        self.now = 100.0

    def opened(self) -> Gateway:
        self.link.open(self.selector, now=self.now)
        assert self.sent() == from_gateway("SNRM", selector=self.selector)
        assert self.hear("UA") == [LinkOpened(self.selector)]
        return self

    def waiting(self, *words: str) -> Gateway:
        """Open, and send an I frame."""
        self.opened().send(b"request")
        assert self.sent() == from_gateway("I 0 0", b"request", selector=self.selector)
        for word in words:
            self.hear(word)
        return self

    def send(self, data: bytes, *, more: bool = False) -> None:
        self.link.send(data, more=more, now=self.now)

    def sent(self) -> Frame | None:
        return self.link.frame_to_send(now=self.now)

    def hear(self, word: str, info: bytes = b"", *, segment: bool = False) -> list[LinkEvent]:
        frame = from_meter(word, info, segment=segment, selector=self.selector)
        return self.link.receive_frame(frame, now=self.now)

    def wait(self) -> list[LinkEvent]:
        """Let time pass until the link wants something."""
        due = self.link.next_timeout()
        assert due is not None
        self.now = max(self.now, due)
        return self.link.handle_timeout(now=self.now)

    @property
    def state(self) -> PrimaryState:
        return self.link.state


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def test_row_1_open_sends_snrm(gateway: Gateway) -> None:
    gateway.link.open(SML, now=gateway.now)
    assert gateway.state is PrimaryState.OPENING
    assert gateway.link.next_timeout() == gateway.now
    assert gateway.sent() == from_gateway("SNRM")
    assert gateway.sent() is None  # the bus belongs to the reply


def test_row_1_counters_begin_anew(gateway: Gateway) -> None:
    gateway.waiting("RNR 1")
    gateway.link.close(now=gateway.now)
    gateway.wait()
    gateway.sent()
    assert gateway.hear("UA") == [CLOSED]
    gateway.opened().send(b"again")
    assert gateway.sent() == from_gateway("I 0 0", b"again")


def test_row_2_ua_opens(gateway: Gateway) -> None:
    gateway.opened()
    assert gateway.state is PrimaryState.READY


def test_row_2_the_block_of_a_ua_lowers_the_limit(gateway: Gateway) -> None:
    gateway.link.open(SML, now=gateway.now)
    gateway.sent()
    gateway.hear("UA", bytes.fromhex("8180120501FE0601FE070400000001080400000001"))
    gateway.send(bytes(300))
    frame = gateway.sent()
    assert frame is not None
    assert (len(frame.info), frame.segment) == (254, True)


@pytest.mark.parametrize("block", ["8180", "00", "818003060100", "81800406020FFF"])
def test_row_2_a_block_that_cannot_be_read_or_is_larger_changes_nothing(gateway: Gateway, block: str) -> None:
    gateway.link.open(SML, now=gateway.now)
    gateway.sent()
    assert gateway.hear("UA", bytes.fromhex(block)) == [LinkOpened(SML)]
    gateway.send(bytes(2000))
    frame = gateway.sent()
    assert frame is not None
    assert len(frame.info) == 1011


def test_row_3_dm_refuses(gateway: Gateway) -> None:
    gateway.link.open(SML, now=gateway.now)
    gateway.sent()
    assert gateway.hear("DM") == [Refused()]
    assert gateway.state is PrimaryState.CLOSED
    assert gateway.link.next_timeout() is None


def test_row_4_four_snrm_then_no_answer(gateway: Gateway) -> None:
    gateway.link.open(SML, now=gateway.now)
    for _ in range(4):
        assert gateway.sent() == from_gateway("SNRM")
        assert gateway.state is PrimaryState.OPENING
        events = gateway.wait()
    assert events == [NoAnswer()]
    assert gateway.state is PrimaryState.CLOSED
    assert gateway.sent() is None


def test_row_5_send(gateway: Gateway) -> None:
    gateway.waiting()
    assert gateway.state is PrimaryState.WAIT


def test_row_5_unacknowledged_first(gateway: Gateway) -> None:
    gateway.waiting()
    gateway.send(b"second")
    gateway.hear("RNR 0")  # not taken, busy
    gateway.wait()
    assert gateway.sent() == from_gateway("RR 0")
    gateway.hear("RR 0")  # free now, still not taken
    assert gateway.sent() == from_gateway("I 0 0", b"request")
    gateway.hear("RR 1")
    assert gateway.sent() == from_gateway("I 1 0", b"second")


def test_row_5_not_while_the_meter_is_busy(gateway: Gateway) -> None:
    gateway.waiting("RNR 1")
    gateway.send(b"next")
    assert gateway.sent() is None
    assert gateway.link.next_timeout() == gateway.now + gateway.profile.poll_s


def test_row_6_acknowledges_at_once(gateway: Gateway) -> None:
    gateway.waiting("RNR 1")
    gateway.wait()
    assert gateway.sent() == from_gateway("RR 0")
    assert gateway.hear("I 0 1", b"answer") == [DataReceived(b"answer")]
    assert gateway.link.next_timeout() == gateway.now
    assert gateway.sent() == from_gateway("RR 1")
    assert gateway.hear("RR 1") == []
    assert gateway.sent() is None


def test_row_6_the_next_i_frame_acknowledges_too(gateway: Gateway) -> None:
    gateway.waiting("I 0 1")
    gateway.send(b"next")
    assert gateway.sent() == from_gateway("I 1 1", b"next")
    gateway.hear("RR 2")
    assert gateway.sent() is None


def test_row_7_polls_soon_for_an_answer_and_seldom_without(gateway: Gateway) -> None:
    gateway.opened()
    assert gateway.link.next_timeout() == gateway.now + gateway.profile.keepalive_s
    gateway.link.expect_answer(expected=True, now=gateway.now)
    assert gateway.link.next_timeout() == gateway.now + gateway.profile.poll_s
    gateway.now += gateway.profile.poll_s
    assert gateway.sent() == from_gateway("RR 0")
    gateway.hear("RR 0")
    gateway.link.expect_answer(expected=False, now=gateway.now)
    assert gateway.link.next_timeout() == gateway.now + gateway.profile.keepalive_s


def test_row_8_close_sends_disc_behind_what_is_queued(gateway: Gateway) -> None:
    gateway.opened().send(b"last")
    gateway.link.close(now=gateway.now)
    assert gateway.sent() == from_gateway("I 0 0", b"last")
    gateway.hear("RR 1")
    assert gateway.link.next_timeout() == gateway.now
    assert gateway.sent() == from_gateway("DISC")
    assert gateway.state is PrimaryState.CLOSING
    assert gateway.hear("UA") == [CLOSED]


def test_row_8_close_does_not_wait_for_a_busy_meter(gateway: Gateway) -> None:
    gateway.waiting("RNR 1")
    gateway.send(b"too late")
    gateway.link.close(now=gateway.now)
    assert gateway.sent() == from_gateway("DISC")


def test_row_8_late_answer(gateway: Gateway) -> None:
    gateway.opened()
    gateway.link.expect_answer(expected=True, now=gateway.now)
    until = gateway.now + gateway.profile.answer_timeout_s
    events: list[LinkEvent] = []
    while not events:
        events = gateway.wait()
        if not events:
            assert gateway.sent() == from_gateway("RR 0")
            gateway.hear("RR 0")
    assert events == [AnswerTimedOut()]
    assert until <= gateway.now < until + gateway.profile.poll_s
    assert gateway.sent() == from_gateway("DISC")
    assert gateway.hear("DM") == [CLOSED]


def test_row_9_rr_acknowledges(gateway: Gateway) -> None:
    gateway.waiting()
    assert gateway.hear("RR 1") == []
    assert gateway.state is PrimaryState.READY
    gateway.send(b"next")
    assert gateway.sent() == from_gateway("I 1 0", b"next")


def test_row_9_rr_ends_being_busy(gateway: Gateway) -> None:
    gateway.waiting("RNR 1")
    gateway.send(b"next")
    gateway.wait()
    assert gateway.sent() == from_gateway("RR 0")
    gateway.hear("RR 1")
    assert gateway.sent() == from_gateway("I 1 0", b"next")


def test_row_10_rnr_acknowledges_and_is_polled(gateway: Gateway) -> None:
    gateway.waiting("RNR 1")
    assert gateway.state is PrimaryState.READY
    assert gateway.link.next_timeout() == gateway.now + gateway.profile.poll_s


def test_row_11_direct_answer(gateway: Gateway) -> None:
    gateway.waiting()
    assert gateway.hear("I 0 1", b"answer", segment=True) == [DataReceived(b"answer", more=True)]
    assert gateway.state is PrimaryState.READY


def test_row_12_a_repeated_i_frame_is_acknowledged_again_not_delivered(gateway: Gateway) -> None:
    gateway.waiting("I 0 1")
    assert gateway.sent() == from_gateway("RR 1")
    assert gateway.hear("I 0 1", b"answer") == []
    assert gateway.state is PrimaryState.READY
    assert gateway.sent() == from_gateway("RR 1")


@pytest.mark.parametrize("word", ["RR 0", "REJ 0", "I 1 0"])
def test_row_13_sends_the_same_i_again(gateway: Gateway, word: str) -> None:
    gateway.waiting()
    assert gateway.hear(word) == []
    assert gateway.state is PrimaryState.WAIT
    assert gateway.link.next_timeout() == gateway.now
    assert gateway.sent() == from_gateway("I 0 0", b"request")


def test_row_13_delivers_the_i_frame_that_does_not_acknowledge(gateway: Gateway) -> None:
    gateway.waiting()
    assert gateway.hear("I 0 0", b"unasked") == [DataReceived(b"unasked")]
    assert gateway.sent() == from_gateway("I 0 1", b"request")
    gateway.hear("RR 1")
    assert gateway.sent() is None  # that was the acknowledgement


def test_row_14_rnr_keeps_the_i_frame(gateway: Gateway) -> None:
    gateway.waiting("RNR 0")
    assert gateway.state is PrimaryState.READY
    assert gateway.link.next_timeout() == gateway.now + gateway.profile.poll_s


def test_row_15_check_point_after_a_lost_frame(gateway: Gateway) -> None:
    gateway.waiting()
    gateway.wait()
    assert gateway.state is PrimaryState.WAIT
    assert gateway.sent() == from_gateway("RR 0")


def test_row_15_time_out_counts_from_the_last_octet(gateway: Gateway) -> None:
    gateway.waiting()
    profile = gateway.profile
    frame_s = profile.octets_s(frame_octets(from_gateway("I 0 0", b"request")))
    assert gateway.link.next_timeout() == gateway.now + frame_s + profile.response_timeout_s


def test_row_15_octets_of_a_reply_extend_it_but_not_for_ever(gateway: Gateway) -> None:
    gateway.waiting()
    first = due = gateway.link.next_timeout()
    assert first is not None
    assert due is not None
    while due is not None and (gateway.link.awaits_reply and due < inf):
        gateway.now = due - 0.001
        gateway.link.reply_begun(now=gateway.now)
        if gateway.link.next_timeout() == due:
            break
        due = gateway.link.next_timeout()
    assert due == pytest.approx(first + gateway.profile.octets_s(2049) + gateway.profile.inter_octet_s)


def test_row_16_link_lost_by_silence(gateway: Gateway) -> None:
    gateway.waiting()
    frames = []
    events = gateway.wait()
    while not events:
        frames.append(gateway.sent())
        events = gateway.wait()
    assert frames == [from_gateway("RR 0")] * 3
    assert events == [LinkLost()]
    assert gateway.state is PrimaryState.CLOSED
    assert gateway.link.next_timeout() is None


def test_row_16_link_lost_by_repeats_that_are_never_taken(gateway: Gateway) -> None:
    gateway.waiting()
    for _ in range(3):
        assert gateway.hear("RR 0") == []
        assert gateway.sent() == from_gateway("I 0 0", b"request")
    assert gateway.hear("RR 0") == [LinkLost()]
    assert gateway.state is PrimaryState.CLOSED


def test_row_16_a_valid_frame_resets_the_tries(gateway: Gateway) -> None:
    gateway.waiting()
    for _ in range(3):
        assert gateway.wait() == []
        gateway.sent()
    gateway.hear("RNR 1")
    gateway.wait()
    gateway.sent()
    for _ in range(3):
        assert gateway.wait() == []
        gateway.sent()
    assert gateway.wait() == [LinkLost()]


def test_row_17_dm_closes(gateway: Gateway) -> None:
    gateway.waiting()
    assert gateway.hear("DM") == [PeerClosed()]
    assert gateway.state is PrimaryState.CLOSED


@pytest.mark.parametrize(
    ("word", "reason", "found"), [("FRMR", "frame_rejected", "FRMR"), ("RR 2", "bad_nr", "N(R) = 2")]
)
def test_row_18_protocol_error(gateway: Gateway, word: str, reason: str, found: str) -> None:
    gateway.waiting()
    (event,) = gateway.hear(word)
    assert isinstance(event, Failed)
    assert event.error == RemoteProtocolError(reason, state="WAIT", expected="N(R) = 1 or 0", actual=found)
    assert gateway.sent() == from_gateway("DISC")
    assert gateway.hear("I 0 1", b"too late") == []
    assert gateway.hear("UA") == [CLOSED]


@pytest.mark.parametrize("word", ["UA", "DM"])
def test_row_19_ua_or_dm_closes(gateway: Gateway, word: str) -> None:
    gateway.opened().link.close(now=gateway.now)
    gateway.sent()
    assert gateway.hear(word) == [CLOSED]
    assert gateway.state is PrimaryState.CLOSED


def test_row_19_disc_is_sent_twice(gateway: Gateway) -> None:
    gateway.opened().link.close(now=gateway.now)
    assert gateway.sent() == from_gateway("DISC")
    assert gateway.wait() == []
    assert gateway.sent() == from_gateway("DISC")
    assert gateway.wait() == [CLOSED]
    assert gateway.state is PrimaryState.CLOSED


def test_the_table_has_every_row_that_a_frame_can_choose() -> None:
    assert {row for row, _, _ in REPLIES.values()} == {2, 3, 9, 10, 11, 12, 13, 14, 17, 18, 19}
    assert set(TIME_OUTS) == set(PrimaryState) - {PrimaryState.CLOSED, PrimaryState.READY}
    assert {reply for state, reply in REPLIES if state is PrimaryState.WAIT} == set(Reply) - {Reply.UA}


@pytest.mark.parametrize("word", ["UA", "SNRM", "UI", "DISC"])
def test_frames_that_no_row_names_are_ignored(gateway: Gateway, word: str) -> None:
    gateway.waiting()
    due = gateway.link.next_timeout()
    assert gateway.hear(word) == []
    assert (gateway.state, gateway.link.next_timeout()) == (PrimaryState.WAIT, due)


@pytest.mark.parametrize("word", ["I 0 0", "RR 5", "DM", "FRMR"])
def test_everything_is_ignored_in_ready(gateway: Gateway, word: str) -> None:
    gateway.opened()
    assert gateway.hear(word) == []
    assert gateway.state is PrimaryState.READY


def test_frames_of_others_are_ignored(gateway: Gateway) -> None:
    gateway.waiting()
    for frame in (from_meter("RR 1", address=69), from_meter("RR 1", selector=TLS), from_gateway("RR 1")):
        assert gateway.link.receive_frame(frame, now=gateway.now) == []
    assert gateway.state is PrimaryState.WAIT


def test_information_beyond_the_limit_is_no_valid_frame() -> None:
    gateway = Gateway(LmnProfile(max_info_rx=10)).waiting()
    assert gateway.hear("I 0 1", bytes(11)) == []
    assert gateway.hear("I 0 1", bytes(10)) == [DataReceived(bytes(10))]


def test_a_late_reply_counts_while_the_repeat_waits_for_the_bus(gateway: Gateway) -> None:
    gateway.waiting()
    gateway.wait()
    assert gateway.hear("RNR 1") == []
    assert gateway.state is PrimaryState.READY
    assert gateway.sent() is None


def test_snrm_carries_limits_when_negotiating() -> None:
    gateway = Gateway(LmnProfile(negotiate=True))
    gateway.link.open(SML, now=gateway.now)
    frame = gateway.sent()
    assert frame is not None
    assert frame.info.hex() == "818014" + "050203f3" + "060207f4" + "070400000001" + "080400000001"


def test_a_message_is_cut_with_marks_and_a_stream_without() -> None:
    for selector, marks in ((SML, [True, True, False]), (TLS, [False, False, False])):
        gateway = Gateway(LmnProfile(max_info_tx=2), selector).opened()
        gateway.send(b"abcde")
        frames = []
        for number in range(3):
            frames.append(gateway.sent())
            gateway.hear(f"RR {number + 1}")
        assert [(frame.info, frame.segment) for frame in frames if frame] == list(
            zip([b"ab", b"cd", b"e"], marks, strict=True)
        )


def test_more_marks_the_last_frame_too(gateway: Gateway) -> None:
    gateway.opened().send(b"abc", more=True)
    assert gateway.sent() == from_gateway("I 0 0", b"abc", segment=True)


def test_wrong_moments_change_nothing(gateway: Gateway) -> None:
    with pytest.raises(LocalProtocolError, match=r"send: expected an open link, found closed, in state CLOSED"):
        gateway.send(b"data")
    gateway.link.close(now=gateway.now)
    assert gateway.sent() is None
    gateway.opened()
    with pytest.raises(LocalProtocolError, match=r"open: expected a closed link, found nothing on its way"):
        gateway.link.open(SML, now=gateway.now)
    gateway.send(bytes(2 * 65_536))
    with pytest.raises(LocalProtocolError, match=r"expected at most 131072 octets to send, found 131073 octets"):
        gateway.send(b"x")


def test_no_octets_are_nothing_to_send(gateway: Gateway) -> None:
    gateway.opened().send(b"")
    assert gateway.sent() is None


@pytest.mark.parametrize("address", [0, 1, 2, 127, 128])
def test_address_of_no_meter(address: int) -> None:
    with pytest.raises(ValueError, match=rf"address: expected 3 to 126, found {address}"):
        PrimaryLink(address, LmnProfile())


# --- dialogues ----------------------------------------------------------------------------------

PROFILES = {"segmented_request": LmnProfile(max_info_tx=64)}
CONNECTIONS = [name for name in DIALOGUES if name not in {"assignment", "not_connected"}]


def _request(steps: list[Step], at: int) -> bytes:
    """The whole message whose first frame is ``steps[at]``."""
    data = b""
    for step in steps[at:]:
        if step.from_gateway:
            data += step.frame.info
            if not step.frame.segment:
                break
    return data


@pytest.mark.parametrize("name", CONNECTIONS)
def test_dialogue(name: str) -> None:
    steps = DIALOGUES[name]
    gateway = Gateway(PROFILES.get(name), steps[0].frame.dest.selector)
    asked = -1  # N(S) of the latest request
    for at, step in enumerate(steps):
        if not step.from_gateway:
            events = [] if step.lost else gateway.link.receive_frame(step.frame, now=gateway.now)
            expected = step.frame.control.kind is FrameKind.I and not step.lost
            assert [event for event in events if isinstance(event, DataReceived)] == (
                [DataReceived(step.frame.info)] if expected else []
            )
            if expected:
                gateway.link.expect_answer(expected=False, now=gateway.now)
            continue
        control = step.frame.control
        if control.kind is FrameKind.SNRM:
            gateway.link.open(step.frame.dest.selector, now=gateway.now)
        elif control.kind is FrameKind.DISC:
            gateway.link.close(now=gateway.now)
        elif control.kind is FrameKind.I and control.ns > asked:
            if not steps[at - 2].frame.segment:
                gateway.send(_request(steps, at))
                gateway.link.expect_answer(expected=True, now=gateway.now)
            asked = control.ns
        assert gateway.wait() == []
        frame = gateway.sent()
        assert frame is not None
        assert encode_frame(frame).hex() == step.data.hex(), step.what


# --- any peer -----------------------------------------------------------------------------------

FRAMES = st.builds(
    Frame,
    dest=st.builds(Address, st.sampled_from([1, 1, 1, 3]), st.sampled_from([SML, SML, SML, TLS])),
    src=st.builds(Address, st.sampled_from([METER, METER, METER, 5]), st.sampled_from([SML, SML, SML, TLS])),
    control=st.integers(0, 255).map(Control.decode),
    info=st.binary(max_size=40),
    segment=st.booleans(),
)
ACTIONS = st.one_of(FRAMES, st.sampled_from(["wait", "speak", "open", "close", "send", "expect", "octet"]))
TERMINAL = (Refused, NoAnswer, LinkLost, PeerClosed, LinkClosed)


def _act(gateway: Gateway, action: Frame | str) -> Iterator[LinkEvent]:
    match action:
        case Frame():
            yield from gateway.link.receive_frame(action, now=gateway.now)
        case "wait" if gateway.link.next_timeout() is not None:
            yield from gateway.wait()
        case "speak":
            frame = gateway.sent()
            assert frame is None or len(encode_frame(frame)) == frame_octets(frame)
        case "open" if gateway.state is PrimaryState.CLOSED:
            gateway.link.open(SML, now=gateway.now)
        case "send" if gateway.state not in {PrimaryState.CLOSED, PrimaryState.CLOSING}:
            gateway.send(b"some octets")
        case "expect":
            gateway.link.expect_answer(expected=True, now=gateway.now)
        case "close":
            gateway.link.close(now=gateway.now)
        case "octet":
            gateway.link.reply_begun(now=gateway.now)


@given(st.lists(ACTIONS, max_size=80))
def test_any_peer_gives_only_documented_events_in_their_order(actions: list[Frame | str]) -> None:
    gateway = Gateway()
    opened = False
    for action in actions:
        for event in _act(gateway, action):
            if isinstance(event, LinkOpened):
                assert not opened
                opened = True
            elif isinstance(event, DataReceived):
                assert opened
            elif isinstance(event, (AnswerTimedOut, Failed)):
                assert opened
                assert gateway.state is PrimaryState.CLOSING
            else:
                assert isinstance(event, TERMINAL)
                assert gateway.state is PrimaryState.CLOSED
                opened = False
    if gateway.state is PrimaryState.CLOSED:
        assert gateway.link.next_timeout() is None
    gateway.link.close(now=gateway.now)
    for _ in range(200):  # a meter that says nothing more never keeps the link open
        if gateway.state is PrimaryState.CLOSED:
            break
        gateway.wait()
        gateway.sent()
    assert gateway.state is PrimaryState.CLOSED
