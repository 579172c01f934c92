"""The conversation with one meter, on a link without a bus."""

from __future__ import annotations

import pytest

from e320proto.errors import RemoteProtocolError
from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameKind
from e320proto.lmn.conversation import Conversation, State
from e320proto.lmn.link import AnswerTimedOut, CloseReason, LinkClosed, LinkLost, NoAnswer
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.primary import PrimaryLink, PrimaryState
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.request_queue import Pair
from e320proto.lmn.requests import CryptoReset, Read, Request, Write
from e320proto.lmn.session_events import RequestFailed, SessionEnded, SessionEvent, SessionOpened
from e320proto.obis import ObisCode
from tests.lmn.whole_stack import MASTER_KEY, credentials

READ = Read((ObisCode.parse("1.8.0"),))
WRITE = Write(ObisCode.parse("1-0:94.49.1*2"), value=True)
METER, ADDRESS = b"\x0a\x01LGZ\0\0\0\0\1", 68


def a_conversation(keys: MeterKeys | None = None) -> Conversation:
    ring = MemoryKeyRing({METER: keys or MeterKeys()})
    return Conversation(METER, ring, LmnProfile(), SecurityProfile())


class Line:
    """A conversation and its link, without a bus between link and meter."""

    def __init__(self, keys: MeterKeys | None = None) -> None:
        self.talk = a_conversation(keys)
        self.link = PrimaryLink(ADDRESS, LmnProfile())
        self.talk.attach(self.link, now=0.0)
        self.numbers = 0

    def ask(self, request: Request | Pair, *, now: float = 0.0, timeout_s: float = 60.0) -> int:
        self.numbers += 1
        self.talk.ask(self.numbers, request, now=now, timeout_s=timeout_s)
        return self.numbers

    def reply(self, kind: FrameKind, now: float) -> list[SessionEvent]:
        """Let the link send what it wants, and the meter reply."""
        assert self.link.frame_to_send(now=now) is not None
        frame = Frame(Address(GATEWAY, self.link.selector), Address(ADDRESS, self.link.selector), Control(kind))
        happened = self.link.receive_frame(frame, now=now)
        return [event for one in happened for event in self.talk.receive_event(one, now=now)]


def test_nothing_is_opened_without_a_request() -> None:
    line = Line()
    assert (line.link.state, line.talk.state, line.talk.next_timeout()) == (PrimaryState.CLOSED, State.IDLE, None)


@pytest.mark.parametrize(
    ("request_", "paired", "selector"),
    [(READ, False, 3), (READ, True, 1), (WRITE, True, 1), (CryptoReset(), False, 3), (CryptoReset(), True, 3)],
)
def test_selector_by_request(request_: Request, paired: bool, selector: int) -> None:  # noqa: FBT001 - a parameter
    gateway, meter = credentials("gateway"), credentials("meter")
    keys = MeterKeys(gateway=gateway, meter_certificate=meter.certificate) if paired else None
    line = Line(keys)
    line.ask(request_)
    assert (line.link.state, line.link.selector) == (PrimaryState.OPENING, selector)


def test_pairing_opens_its_own() -> None:
    line = Line(MeterKeys(master_key=MASTER_KEY))
    line.ask(Pair(credentials("meter"), credentials("gateway")))
    assert line.link.selector == 6
    assert line.reply(FrameKind.UA, 0.1) == []
    assert line.talk.state is State.PAIRING


def test_deadlines_are_kept_in_any_order() -> None:
    talk = a_conversation()
    for number, timeout_s in enumerate((30.0, 10.0, 20.0), 1):
        talk.ask(number, READ, now=0.0, timeout_s=timeout_s)
    ended = []
    while (due := talk.next_timeout()) is not None:
        ended += [(due, event.number) for event in talk.handle_timeout(now=due) if isinstance(event, RequestFailed)]
    assert ended == [(10.0, 2), (20.0, 3), (30.0, 1)]


def test_what_only_reads_is_asked_again_four_times() -> None:
    line = Line()
    line.ask(READ, timeout_s=1e4)
    now, told, opened = 0.0, list[SessionEvent](), []
    for _ in range(10):
        if line.link.state is PrimaryState.OPENING:
            opened.append(now)
            told += line.reply(FrameKind.UA, now)
            assert line.link.frame_to_send(now=now) is not None  # the request
            line.link.state = PrimaryState.CLOSED
            line.link._reset()
            told += line.talk.receive_event(LinkLost(), now=now)
        now = line.talk.next_timeout() or now
        told += line.talk.handle_timeout(now=now)
    assert opened == [0.0, 5.0, 15.0, 35.0]
    kinds = [type(event) for event in told]
    assert kinds == [SessionOpened, SessionEnded] * 4 + [RequestFailed]


def test_what_may_have_arrived_is_not_written_again() -> None:
    line = Line()
    line.ask(WRITE)
    line.reply(FrameKind.UA, 0.0)
    assert line.link.frame_to_send(now=0.0) is not None
    line.link.state = PrimaryState.CLOSED
    line.link._reset()
    told = line.talk.receive_event(LinkLost(), now=0.1)
    assert [type(event) for event in told] == [SessionEnded, RequestFailed]


def test_what_was_not_sent_is_asked_later() -> None:
    line = Line()
    line.ask(WRITE)
    line.link.state = PrimaryState.CLOSED
    assert line.talk.receive_event(NoAnswer(), now=0.1) == []
    line.talk.handle_timeout(now=5.1)
    assert line.link.state is PrimaryState.OPENING


def test_two_refusals_are_one() -> None:
    line = Line()
    number = line.ask(READ)
    assert line.reply(FrameKind.DM, 0.0) == []
    (event,) = [*line.talk.handle_timeout(now=5.0), *line.reply(FrameKind.DM, 5.0)]
    assert isinstance(event, RequestFailed)
    assert event.number == number
    assert isinstance(event.error, RemoteProtocolError)
    assert (event.error.reason, event.error.actual) == ("refused", "the meter does not open SML in clear")


def test_an_answer_that_is_late_is_not_that_of_the_next_request() -> None:
    line = Line()
    line.ask(READ, timeout_s=1.0)
    line.ask(READ, timeout_s=100.0)
    line.reply(FrameKind.UA, 0.0)
    told = line.talk.handle_timeout(now=1.0)
    assert [type(event) for event in told] == [RequestFailed]
    assert line.talk.state is State.CLOSING  # the second one gets a connection of its own
    told = line.talk.receive_event(LinkClosed(CloseReason.RELEASED), now=1.1)
    assert [type(event) for event in told] == [SessionEnded]


def test_why_a_connection_has_ended() -> None:
    line = Line()
    line.ask(READ)
    line.reply(FrameKind.UA, 0.0)
    line.talk.receive_event(AnswerTimedOut(), now=30.0)
    line.link.state = PrimaryState.CLOSED
    ended = line.talk.receive_event(LinkClosed(CloseReason.RELEASED), now=30.1)[0]
    assert ended == SessionEnded(METER, "the meter did not answer the request in time")


def test_a_meter_that_is_gone_keeps_its_requests() -> None:
    line = Line()
    line.ask(READ)
    line.reply(FrameKind.UA, 0.0)
    assert [type(event) for event in line.talk.detach(now=1.0)] == [SessionEnded]
    assert line.talk.next_timeout() == 60.0
    link = PrimaryLink(5, LmnProfile())
    line.talk.attach(link, now=2.0)
    assert link.state is PrimaryState.OPENING


def test_idle() -> None:
    talk = a_conversation()
    assert talk.idle
    talk.ask(1, READ, now=0.0, timeout_s=1.0)
    assert not talk.idle
    talk.handle_timeout(now=1.0)
    assert talk.idle
    assert not a_conversation(MeterKeys(master_key=MASTER_KEY)).idle
    assert not Line().talk.idle
