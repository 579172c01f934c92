"""Primary station of an LMN connection: the gateway's end, one machine per meter.

::

    CLOSED --open--> OPENING --UA--> READY --frame--> WAIT --reply--> READY --DISC--> CLOSING --UA, DM--> CLOSED

The machine sends only when it is asked by :meth:`PrimaryLink.frame_to_send`; being asked is the permission to use
the bus. :data:`REPLIES` and :data:`TIME_OUTS` are the tables of the specification, with its row numbers; a
frame that no row names is ignored.

Source: wired LMN, section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final, assert_never

from e320proto.errors import LocalProtocolError, RemoteProtocolError
from e320proto.hdlc import GATEWAY, METER_MAX, METER_MIN, Address, Control, Frame, FrameKind
from e320proto.lmn.link import (
    MODULO,
    STREAM_SELECTORS,
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
    SendQueue,
    frame_octets,
    limits_block,
    lowered,
    told_limits,
)

if TYPE_CHECKING:
    from e320proto.lmn.profile import LmnProfile

_LONGEST_FRAME: Final = 2049


class PrimaryState(Enum):
    """Where a connection is, seen from the gateway."""

    CLOSED = "closed"
    OPENING = "SNRM to be sent or answered"
    READY = "nothing on its way"
    WAIT = "a frame to be answered"
    CLOSING = "DISC to be sent or answered"


class Reply(Enum):
    """What a frame of the meter is to the machine: its type, N(S) and N(R)."""

    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    RR_OK = "RR or REJ, N(R) = vs"
    RNR_OK = "RNR, N(R) = vs"
    I_OK = "I, N(S) = vr, N(R) = vs"
    I_OTHER_OK = "I, N(S) not vr, N(R) = vs"
    RR_OLD = "RR or REJ, N(R) = vs - 1 with an unacknowledged I"
    RNR_OLD = "RNR, the same"
    I_OLD = "I, N(S) = vr, the same"
    I_OTHER_OLD = "I, N(S) not vr, the same"
    BAD = "N(R) out of sequence"


class Act(Enum):
    """What a row of the table does."""

    TAKE_LIMITS = "take the limits of the parameter block"
    DROP_UNACKED = "the I frame has arrived"
    REMOTE_READY = "the meter takes I frames"
    REMOTE_BUSY = "the meter takes no I frame now"
    DELIVER = "hand over the information, vr + 1"
    OWE_ACK = "acknowledgement due"
    REPEAT = "send the same I again"
    OPENED = "report that the connection is there"
    REFUSED = "report that it is refused"
    PEER_CLOSED = "report that the meter has closed it"
    CLOSED = "report that it is closed"
    FAIL = "report that the meter broke the protocol"


_S, _R, _A = PrimaryState, Reply, Act
REPLIES: Final[dict[tuple[PrimaryState, Reply], tuple[int, tuple[Act, ...], PrimaryState]]] = {
    (_S.OPENING, _R.UA): (2, (_A.TAKE_LIMITS, _A.OPENED), _S.READY),
    (_S.OPENING, _R.DM): (3, (_A.REFUSED,), _S.CLOSED),
    (_S.WAIT, _R.RR_OK): (9, (_A.DROP_UNACKED, _A.REMOTE_READY), _S.READY),
    (_S.WAIT, _R.RNR_OK): (10, (_A.DROP_UNACKED, _A.REMOTE_BUSY), _S.READY),
    (_S.WAIT, _R.I_OK): (11, (_A.DROP_UNACKED, _A.DELIVER, _A.OWE_ACK, _A.REMOTE_READY), _S.READY),
    (_S.WAIT, _R.I_OTHER_OK): (12, (_A.DROP_UNACKED, _A.OWE_ACK), _S.READY),
    (_S.WAIT, _R.RR_OLD): (13, (_A.REMOTE_READY, _A.REPEAT), _S.WAIT),
    (_S.WAIT, _R.I_OLD): (13, (_A.DELIVER, _A.REMOTE_READY, _A.REPEAT), _S.WAIT),
    (_S.WAIT, _R.I_OTHER_OLD): (13, (_A.REPEAT,), _S.WAIT),
    (_S.WAIT, _R.RNR_OLD): (14, (_A.REMOTE_BUSY,), _S.READY),
    (_S.WAIT, _R.DM): (17, (_A.PEER_CLOSED,), _S.CLOSED),
    (_S.WAIT, _R.FRMR): (18, (_A.FAIL,), _S.CLOSING),
    (_S.WAIT, _R.BAD): (18, (_A.FAIL,), _S.CLOSING),
    (_S.CLOSING, _R.UA): (19, (_A.CLOSED,), _S.CLOSED),
    (_S.CLOSING, _R.DM): (19, (_A.CLOSED,), _S.CLOSED),
}
"""State and reply to: row, what is done, next state."""
_REPORTS: Final[dict[Act, LinkEvent]] = {
    Act.REFUSED: Refused(),
    Act.PEER_CLOSED: PeerClosed(),
    Act.CLOSED: LinkClosed(CloseReason.RELEASED),
}

TIME_OUTS: Final[dict[PrimaryState, tuple[FrameKind, LinkEvent]]] = {
    PrimaryState.OPENING: (FrameKind.SNRM, NoAnswer()),  # row 4
    PrimaryState.WAIT: (FrameKind.RR, LinkLost()),  # rows 15, 16
    PrimaryState.CLOSING: (FrameKind.DISC, LinkClosed(CloseReason.RELEASED)),  # row 19
}
"""State to: what is sent after a time-out, what is reported after the last one."""


@dataclass(slots=True)
class _Counters:
    """Sequence numbers of one connection, and what is still open in it."""

    vs: int = 0
    vr: int = 0
    tries: int = 0
    resent: int = 0
    unacked: tuple[int, bytes, bool] | None = None  # N(S), information, S
    remote_busy: bool = False
    ack_due: bool = False
    repeat: bool = False


class PrimaryLink:
    """The gateway's end of the connection to one meter.

    After any call ask :meth:`next_timeout`; an instant in the past means now. What was queued when :meth:`close`
    is called is sent first, unless the meter takes nothing.

    Args:
        address: of the meter, 3 to 126.
        profile: times and sizes of the bus.

    Raises:
        ValueError: the address is none of a meter.

    Source: wired LMN, section 5.2.

    >>> from e320proto.lmn.profile import LmnProfile
    >>> link = PrimaryLink(68, LmnProfile())
    >>> link.open(3, now=0.0)
    >>> link.frame_to_send(now=0.0).control.kind
    <FrameKind.SNRM: 'SNRM'>
    >>> link.receive_frame(Frame(Address(1, 3), Address(68, 3), Control(FrameKind.UA)), now=0.1)
    [LinkOpened(selector=3)]
    """

    def __init__(self, address: int, profile: LmnProfile) -> None:
        if not METER_MIN <= address <= METER_MAX:
            msg = f"address: expected {METER_MIN} to {METER_MAX}, found {address}"
            raise ValueError(msg)
        self.address = address
        self.selector = 0
        self.state = PrimaryState.CLOSED
        self._profile = profile
        self._queue = SendQueue(2 * profile.max_message)  # TLS makes messages longer
        self._reset()

    def _reset(self) -> None:
        self._counters = _Counters()
        self._queue.clear()
        self._max_info_tx = self._profile.max_info_tx
        self._since = -inf  # when the state was entered, or something to send came up
        self._reply_until: float | None = None  # a frame was sent and its reply is awaited
        self._reply_ends_before = inf
        self._answer_until: float | None = None
        self._close_asked = False

    # --- upper layer ----------------------------------------------------------------------------

    def open(self, selector: int, *, now: float) -> None:
        """Open a connection.

        Raises:
            LocalProtocolError: ``open``, there is one already.
        """
        if self.state is not PrimaryState.CLOSED:
            raise self._wrong_moment("open", "a closed link")
        self._reset()
        self.selector = selector
        self._enter(PrimaryState.OPENING, now)

    def send(self, data: bytes, *, more: bool = False, now: float) -> None:
        """Queue octets; they are cut at ``max_info_tx``.

        Args:
            data: octets of the upper layer.
            more: the message goes on with the next call. A stream ignores it.
            now: the time.

        Raises:
            LocalProtocolError: ``send``, there is no connection; ``send_queue_full``.
        """
        if self.state in {PrimaryState.CLOSED, PrimaryState.CLOSING}:
            raise self._wrong_moment("send", "an open link")
        self._queue.put(data, more=more, state=self.state.name)
        if self.state is PrimaryState.READY:
            self._since = now

    def expect_answer(self, expected: bool, *, now: float) -> None:  # noqa: FBT001 - the subject of the call
        """Say whether the meter owes an answer: then it is polled every ``poll_s``, ``answer_timeout_s`` long."""
        self._answer_until = now + self._profile.answer_timeout_s if expected else None

    def close(self, *, now: float) -> None:
        """Release the connection; nothing happens if there is none."""
        if self.state in {PrimaryState.CLOSED, PrimaryState.CLOSING}:
            return
        self._close_asked = True
        self._answer_until = None
        if self.state is PrimaryState.READY:
            self._since = now

    def _wrong_moment(self, what: str, expected: str) -> LocalProtocolError:
        return LocalProtocolError(what, state=self.state.name, expected=expected, actual=self.state.value)

    # --- bus ------------------------------------------------------------------------------------

    @property
    def awaits_reply(self) -> bool:
        """Whether a frame was sent and the bus belongs to its reply."""
        return self._reply_until is not None

    def frame_to_send(self, *, now: float) -> Frame | None:
        """The frame that is to be sent now, if there is one; the bus has to be free."""
        if self.awaits_reply:
            return None
        frame = self._next_frame(now)
        if frame is not None:
            sent_at = now + self._profile.octets_s(frame_octets(frame))
            self._reply_until = sent_at + self._profile.response_timeout_s
            longest_s = self._profile.octets_s(_LONGEST_FRAME)
            self._reply_ends_before = self._reply_until + longest_s + self._profile.inter_octet_s
        return frame

    def _next_frame(self, now: float) -> Frame | None:
        if self.state is PrimaryState.CLOSED:
            return None
        if self.state is PrimaryState.READY:
            return self._frame_from_ready(now)
        if self._counters.repeat:
            return self._i_frame()
        return self._frame(TIME_OUTS[self.state][0])

    def _frame_from_ready(self, now: float) -> Frame | None:
        counters = self._counters
        if (counters.unacked or self._queue) and not counters.remote_busy:  # row 5
            frame = self._i_frame()
        elif self._close_asked:  # row 8
            self._enter(PrimaryState.CLOSING, now)
            frame = self._frame(FrameKind.DISC)
        elif counters.ack_due or now >= self._poll_at:  # rows 6, 7
            frame = self._frame(FrameKind.RR)
        else:
            return None
        counters.tries = 0
        if self.state is PrimaryState.READY:
            self.state = PrimaryState.WAIT
        return frame

    def _i_frame(self) -> Frame:
        counters = self._counters
        counters.repeat = False
        if counters.unacked is None:
            info, segment = self._queue.take(self._max_info_tx, marked=self.selector not in STREAM_SELECTORS)
            counters.unacked = (counters.vs, info, segment)
            counters.vs = (counters.vs + 1) % MODULO
            counters.resent = 0
        ns, info, segment = counters.unacked
        return self._frame(FrameKind.I, ns, info, segment=segment)

    def _frame(self, kind: FrameKind, ns: int = 0, info: bytes = b"", *, segment: bool = False) -> Frame:
        nr = 0
        if kind in {FrameKind.I, FrameKind.RR}:
            nr, self._counters.ack_due = self._counters.vr, False
        elif kind is FrameKind.SNRM and self._profile.negotiate:
            info = limits_block(self._profile.max_info_tx, self._profile.max_info_rx)
        dest, src = Address(self.address, self.selector), Address(GATEWAY, self.selector)
        return Frame(dest, src, Control(kind, ns=ns, nr=nr), info, segment)

    def reply_begun(self, *, now: float) -> None:
        """Octets arrive: from the first one on, ``inter_octet_s`` governs."""
        if self._reply_until is not None:
            until = max(self._reply_until, now + self._profile.inter_octet_s)
            self._reply_until = min(until, self._reply_ends_before)

    def receive_frame(self, frame: Frame, *, now: float) -> list[LinkEvent]:
        """Take a frame from the bus; one of another meter or selector changes nothing."""
        ours = frame.src == Address(self.address, self.selector) and frame.dest == Address(GATEWAY, self.selector)
        if not ours or len(frame.info) > self._profile.max_info_rx:
            return []
        reply = self._reply(frame)
        row = None if reply is None else REPLIES.get((self.state, reply))
        if row is None or reply is None:
            return []
        _, acts, state = row
        self._counters.tries = 0
        self._enter(state, now)
        events = [event for act in acts for event in self._do(act, frame, reply)]
        if self.state is PrimaryState.CLOSED:
            self._reset()
        return events

    def _reply(self, frame: Frame) -> Reply | None:
        control, counters = frame.control, self._counters
        match control.kind:
            case FrameKind.UA | FrameKind.DM | FrameKind.FRMR:
                return Reply[control.kind.name]
            case FrameKind.I | FrameKind.RR | FrameKind.RNR | FrameKind.REJ:
                pass
            case _:
                return None
        if control.nr == counters.vs:
            progress = "OK"
        elif counters.unacked and control.nr == (counters.vs - 1) % MODULO:
            progress = "OLD"
        else:
            return Reply.BAD
        kind = FrameKind.RR if control.kind is FrameKind.REJ else control.kind
        other = "_OTHER" if kind is FrameKind.I and control.ns != counters.vr else ""
        return Reply[f"{kind.name}{other}_{progress}"]

    def _do(self, act: Act, frame: Frame, reply: Reply) -> list[LinkEvent]:  # noqa: C901 - one line each
        counters = self._counters
        match act:
            case Act.TAKE_LIMITS:
                self._max_info_tx = lowered(self._max_info_tx, told_limits(frame.info).max_info_rx)
            case Act.DROP_UNACKED:
                counters.unacked = None
            case Act.REMOTE_READY:
                counters.remote_busy = False
            case Act.REMOTE_BUSY:
                counters.remote_busy = True
            case Act.DELIVER:
                counters.vr = (counters.vr + 1) % MODULO
                return [DataReceived(frame.info, frame.segment)]
            case Act.OWE_ACK:
                counters.ack_due = True
            case Act.REPEAT:
                return self._repeat()
            case Act.OPENED:
                return [LinkOpened(self.selector)]
            case Act.REFUSED | Act.PEER_CLOSED | Act.CLOSED:
                return [_REPORTS[act]]
            case Act.FAIL:
                return [Failed(self._broken(frame, reply))]
            case _:
                assert_never(act)
        return []

    def _repeat(self) -> list[LinkEvent]:
        counters = self._counters
        counters.resent += 1
        counters.repeat = True
        return self._lost() if counters.resent > self._profile.n_retries else []  # row 16

    def _lost(self) -> list[LinkEvent]:
        self.state = PrimaryState.CLOSED
        return [LinkLost()]

    def _broken(self, frame: Frame, reply: Reply) -> RemoteProtocolError:
        vs = self._counters.vs
        wanted = f"N(R) = {vs}" + (f" or {(vs - 1) % MODULO}" if self._counters.unacked else "")
        found = f"N(R) = {frame.control.nr}" if reply is Reply.BAD else "FRMR"
        return RemoteProtocolError(
            "bad_nr" if reply is Reply.BAD else "frame_rejected", state="WAIT", expected=wanted, actual=found
        )

    # --- time -----------------------------------------------------------------------------------

    def _enter(self, state: PrimaryState, now: float) -> None:
        self.state = state
        self._since = now
        self._reply_until = None

    @property
    def _poll_at(self) -> float:
        soon = self._answer_until is not None or self._counters.remote_busy
        return self._since + (self._profile.poll_s if soon else self._profile.keepalive_s)

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has to be called, or :meth:`frame_to_send` if no reply is awaited."""
        if self.state is PrimaryState.CLOSED:
            return None
        if self.state is not PrimaryState.READY:
            return self._since if self._reply_until is None else self._reply_until
        counters = self._counters
        data = (counters.unacked or self._queue) and not counters.remote_busy
        if data or counters.ack_due or self._close_asked:
            return self._since
        return self._poll_at if self._answer_until is None else min(self._poll_at, self._answer_until)

    def handle_timeout(self, *, now: float) -> list[LinkEvent]:
        """Let time pass until ``now``."""
        if self.state is PrimaryState.READY and self._answer_until is not None and now >= self._answer_until:
            self._enter(PrimaryState.CLOSING, now)
            self._counters.tries = 0
            return [AnswerTimedOut()]  # row 8
        if self._reply_until is None or now < self._reply_until:
            return []
        counters = self._counters
        counters.tries += 1
        counters.repeat = False  # ask before the I frame is sent once more
        self._enter(self.state, now)
        if counters.tries <= (1 if self.state is PrimaryState.CLOSING else self._profile.n_retries):
            return []
        event = TIME_OUTS[self.state][1]
        self.state = PrimaryState.CLOSED
        self._reset()
        return [event]
