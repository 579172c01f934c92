"""Secondary station of an LMN connection: the meter's end.

::

    NDM --SNRM--> NRM --DISC, N(R) out of sequence, silence--> NDM        NDM answers all else with DM

The meter speaks only when asked. Its reply is made when it is sent, so that the upper layer has until then to
say :meth:`SecondaryLink.send` or :meth:`SecondaryLink.working`. :data:`COMMANDS` is the table of the
specification, with its row numbers; a frame that no row names is ignored.

Source: wired LMN, section 5.3.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, assert_never

from e320proto.errors import LocalProtocolError, RemoteProtocolError
from e320proto.hdlc import GATEWAY, Address, Control, Frame, FrameKind
from e320proto.lmn.link import (
    MODULO,
    SELECTORS,
    STREAM_SELECTORS,
    CloseReason,
    DataReceived,
    Failed,
    LinkClosed,
    LinkEvent,
    LinkOpened,
    SendQueue,
    limits_block,
    lowered,
    told_limits,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from e320proto.lmn.profile import LmnProfile


class SecondaryState(Enum):
    """Whether there is a connection."""

    NDM = "disconnected"
    NRM = "connected"


class Command(Enum):
    """What a frame of the gateway is to the machine: its type, selector, N(S) and N(R)."""

    SNRM_PERMITTED = "SNRM, selector permitted now"
    SNRM_REFUSED = "SNRM, selector not permitted"
    DISC = "DISC"
    I_NEXT = "I, N(S) = vr"
    I_REPEATED = "I, N(S) = vr - 1"
    I_OTHER = "I, other N(S)"
    RR = "RR or REJ"
    RNR = "RNR"
    BAD_NR = "N(R) out of sequence"
    OTHER_SELECTOR = "anything but SNRM with another selector"
    UNKNOWN = "unknown control"


class Act(Enum):
    """What a row of the table does before the answer."""

    CLOSE = "close the upper layer"
    FAIL = "close it because of the gateway's fault"
    OPEN = "vs = vr = 0, empty queues, take the selector"
    PROCESS_NR = "drop the I frame that has arrived"
    DELIVER = "hand over the information, vr + 1"


class Answer(Enum):
    """What a row of the table answers."""

    UA = "UA"
    DM = "DM"
    DISC_REPLY = "UA or DM, by disc_reply"
    A = "to an I frame"
    B = "to a poll"
    RR = "RR(vr)"


_S, _C, _A, _W = SecondaryState, Command, Act, Answer
COMMANDS: Final[dict[tuple[SecondaryState, Command], tuple[int, tuple[Act, ...], Answer, SecondaryState]]] = {
    (_S.NDM, _C.SNRM_PERMITTED): (1, (_A.OPEN,), _W.UA, _S.NRM),
    (_S.NRM, _C.SNRM_PERMITTED): (1, (_A.CLOSE, _A.OPEN), _W.UA, _S.NRM),
    (_S.NDM, _C.SNRM_REFUSED): (2, (), _W.DM, _S.NDM),
    (_S.NRM, _C.SNRM_REFUSED): (2, (), _W.DM, _S.NRM),
    (_S.NDM, _C.DISC): (3, (), _W.DM, _S.NDM),
    (_S.NDM, _C.I_NEXT): (3, (), _W.DM, _S.NDM),
    (_S.NDM, _C.RR): (3, (), _W.DM, _S.NDM),
    (_S.NDM, _C.RNR): (3, (), _W.DM, _S.NDM),
    (_S.NDM, _C.UNKNOWN): (3, (), _W.DM, _S.NDM),
    (_S.NRM, _C.DISC): (4, (_A.CLOSE,), _W.DISC_REPLY, _S.NDM),
    (_S.NRM, _C.OTHER_SELECTOR): (5, (), _W.DM, _S.NRM),
    (_S.NRM, _C.I_NEXT): (6, (_A.PROCESS_NR, _A.DELIVER), _W.A, _S.NRM),
    (_S.NRM, _C.I_REPEATED): (7, (_A.PROCESS_NR,), _W.A, _S.NRM),
    (_S.NRM, _C.I_OTHER): (8, (_A.PROCESS_NR,), _W.RR, _S.NRM),
    (_S.NRM, _C.RR): (9, (_A.PROCESS_NR,), _W.B, _S.NRM),
    (_S.NRM, _C.RNR): (10, (_A.PROCESS_NR,), _W.RR, _S.NRM),
    (_S.NRM, _C.BAD_NR): (11, (_A.FAIL,), _W.DM, _S.NDM),
    (_S.NRM, _C.UNKNOWN): (12, (), _W.DM, _S.NRM),
}
"""State and command to: row, what is done, answer, next state."""

_NUMBERED: Final = {FrameKind.I: Command.I_NEXT, FrameKind.RR: Command.RR, FrameKind.REJ: Command.RR}
_NUMBERED[FrameKind.RNR] = Command.RNR


class SecondaryLink:
    """The meter's end of its connection to the gateway.

    Args:
        profile: times, sizes and behaviour.
        permitted: says whether a selector may be opened now; asked about ``enabled_selectors`` only.

    Source: wired LMN, section 5.3.

    >>> from e320proto.lmn.profile import LmnProfile
    >>> link = SecondaryLink(LmnProfile(), permitted=lambda selector: True)
    >>> link.move(68, now=0.0)
    []
    >>> snrm = Frame(Address(68, 3), Address(1, 3), Control(FrameKind.SNRM))
    >>> link.receive_frame(snrm, now=1.0), link.frame_to_send().control.kind
    ([LinkOpened(selector=3)], <FrameKind.UA: 'UA'>)
    """

    def __init__(self, profile: LmnProfile, *, permitted: Callable[[int], bool]) -> None:
        self.address: int | None = None
        self.selector = 0
        self.state = SecondaryState.NDM
        self._profile = profile
        self._permitted = permitted
        self._queue = SendQueue(2 * profile.max_message)  # TLS makes messages longer
        self._heard_at = 0.0
        self._owed: tuple[Answer, int, bytes] | None = None  # with the selector and the block of the command
        self._clear()

    def _clear(self) -> None:
        self._vs = self._vr = 0
        self._unacked: tuple[int, bytes, bool] | None = None  # N(S), information, S
        self._max_info_tx = self._profile.max_info_tx
        self._working = False
        self._queue.clear()

    # --- upper layer ----------------------------------------------------------------------------

    def send(self, data: bytes, *, more: bool = False) -> None:
        """Queue octets for the polls of the gateway; they are cut at ``max_info_tx``.

        Raises:
            LocalProtocolError: ``send``, there is no connection; ``send_queue_full``.
        """
        if self.state is not SecondaryState.NRM:
            raise LocalProtocolError("send", state=self.state.name, expected="a connection", actual=self.state.value)
        self._queue.put(data, more=more, state=self.state.name)

    def working(self, at_work: bool) -> None:  # noqa: FBT001 - the subject of the call
        """Say whether the upper layer is at work on something that was received."""
        self._working = at_work

    @property
    def drained(self) -> bool:
        """Whether the gateway has acknowledged all that was queued."""
        return not self._queue and self._unacked is None

    def disconnect(self) -> list[LinkEvent]:
        """End the connection: from now on the answer is DM, until the gateway opens another."""
        return self._close(CloseReason.DISCONNECTED)

    def move(self, address: int | None, *, now: float) -> list[LinkEvent]:
        """Take another address, or none; a connection ends if it is not the present one."""
        if address == self.address:
            return []
        self.address = address
        self._owed = None
        self._heard_at = now
        return self._close(CloseReason.ADDRESS_CHANGED)

    def _close(self, reason: CloseReason) -> list[LinkEvent]:
        if self.state is SecondaryState.NDM:
            return []
        self.state = SecondaryState.NDM
        self._clear()
        return [LinkClosed(reason)]

    # --- bus ------------------------------------------------------------------------------------

    def receive_frame(self, frame: Frame, *, now: float) -> list[LinkEvent]:
        """Take a frame from the bus; one for another meter, or without a known selector, changes nothing."""
        selector = frame.dest.selector
        ours = frame.dest.address == self.address and frame.src == Address(GATEWAY, selector)
        if not ours or selector not in SELECTORS or len(frame.info) > self._profile.max_info_rx:
            return []
        command = self._command(frame)
        if command is None:
            return []
        self._heard_at = now
        _, acts, answer, state = COMMANDS[self.state, command]
        events = [event for act in acts for event in self._do(act, frame)]
        self.state = state
        if frame.control.poll_final:
            self._owed = (answer, selector, frame.info)
        return events

    def _command(self, frame: Frame) -> Command | None:  # noqa: PLR0911 - the rows of the table
        control, selector = frame.control, frame.dest.selector
        if control.kind is FrameKind.SNRM:
            permitted = selector in self._profile.enabled_selectors and self._permitted(selector)
            return Command.SNRM_PERMITTED if permitted else Command.SNRM_REFUSED
        if control.kind in {FrameKind.UI, FrameKind.UA, FrameKind.DM, FrameKind.FRMR}:
            return None
        connected = self.state is SecondaryState.NRM
        if connected and selector != self.selector:
            return Command.OTHER_SELECTOR
        if control.kind not in _NUMBERED:
            return Command.DISC if control.kind is FrameKind.DISC else Command.UNKNOWN
        command = _NUMBERED[control.kind]
        if not connected:
            return command
        if control.nr != self._vs and not (self._unacked and control.nr == (self._vs - 1) % MODULO):
            return Command.BAD_NR
        if command is not Command.I_NEXT or control.ns == self._vr:
            return command
        return Command.I_REPEATED if control.ns == (self._vr - 1) % MODULO else Command.I_OTHER

    def _do(self, act: Act, frame: Frame) -> list[LinkEvent]:
        control = frame.control
        match act:
            case Act.CLOSE:
                reason = CloseReason.RELEASED if control.kind is FrameKind.DISC else CloseReason.REOPENED
                return self._close(reason)
            case Act.FAIL:
                wanted = f"N(R) = {self._vs}" + (f" or {(self._vs - 1) % MODULO}" if self._unacked else "")
                error = RemoteProtocolError(
                    "bad_nr", state=self.state.name, expected=wanted, actual=f"N(R) = {control.nr}"
                )
                return [Failed(error), *self._close(CloseReason.FAILED)]
            case Act.OPEN:
                self._clear()
                self.selector = frame.dest.selector
                self._max_info_tx = lowered(self._max_info_tx, told_limits(frame.info).max_info_rx)
                return [LinkOpened(self.selector)]
            case Act.PROCESS_NR:
                if control.nr == self._vs:
                    self._unacked = None
            case Act.DELIVER:
                self._vr = (self._vr + 1) % MODULO
                return [DataReceived(frame.info, frame.segment)]
            case _:
                assert_never(act)
        return []

    @property
    def owes_reply(self) -> bool:
        """Whether the latest command wants a reply that was not made yet."""
        return self._owed is not None

    def drop_reply(self) -> None:
        """Make no reply to the latest command: the gateway has gone on."""
        self._owed = None

    def frame_to_send(self) -> Frame | None:
        """Make the reply to the latest command, if it wants one."""
        if self._owed is None:
            return None
        answer, selector, block = self._owed
        self._owed = None
        if self.state is SecondaryState.NDM and answer is not Answer.DISC_REPLY:
            answer = Answer.DM  # also when the upper layer has disconnected since the command
        match answer:
            case Answer.A:
                return self._answer_to_i()
            case Answer.B:
                return self._answer_to_poll()
            case Answer.DISC_REPLY:
                return self._frame(FrameKind[self._profile.disc_reply], selector)
            case Answer.UA | Answer.DM | Answer.RR:
                info = self._block(block) if answer is Answer.UA else b""
                return self._frame(FrameKind[answer.name], selector, info=info)
            case _:
                assert_never(answer)

    def _answer_to_i(self) -> Frame:
        if self._unacked or (self._profile.direct_answer and self._queue):
            return self._i_frame()
        busy = self._working or self._queue
        return self._frame(FrameKind.RNR if busy else FrameKind.RR, self.selector)

    def _answer_to_poll(self) -> Frame:
        if self._unacked or self._queue:
            return self._i_frame()
        kind = FrameKind[self._profile.busy_poll_reply] if self._working else FrameKind.RR
        return self._frame(kind, self.selector)

    def _i_frame(self) -> Frame:
        if self._unacked is None:
            info, segment = self._queue.take(self._max_info_tx, marked=self.selector not in STREAM_SELECTORS)
            self._unacked = (self._vs, info, segment)
            self._vs = (self._vs + 1) % MODULO
        ns, info, segment = self._unacked
        return self._frame(FrameKind.I, self.selector, ns, info, segment=segment)

    def _block(self, asked: bytes) -> bytes:
        if not asked:
            return b""
        told, profile = told_limits(asked), self._profile
        return limits_block(self._max_info_tx, lowered(profile.max_info_rx, told.max_info_tx))

    def _frame(self, kind: FrameKind, selector: int, ns: int = 0, info: bytes = b"", *, segment: bool = False) -> Frame:
        nr = self._vr if kind in {FrameKind.I, FrameKind.RR, FrameKind.RNR} else 0
        src = Address(self.address or 0, selector)
        return Frame(Address(GATEWAY, selector), src, Control(kind, ns=ns, nr=nr), info, segment)

    # --- time -----------------------------------------------------------------------------------

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has to be called."""
        inactivity_s = self._profile.inactivity_s
        if self.state is SecondaryState.NDM or not inactivity_s:
            return None
        return self._heard_at + inactivity_s

    def handle_timeout(self, *, now: float) -> list[LinkEvent]:
        """Let time pass until ``now``: after ``inactivity_s`` of silence the connection is over, row 13."""
        until = self.next_timeout()
        return [] if until is None or now < until else self._close(CloseReason.INACTIVITY)
