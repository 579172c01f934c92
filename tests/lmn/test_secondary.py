"""The meter's end of a connection: every row of its table, dialogues, any gateway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto.errors import LocalProtocolError, RemoteProtocolError
from e320proto.hdlc import Address, Control, Frame, FrameKind, encode_frame
from e320proto.lmn.link import CloseReason, DataReceived, Failed, LinkClosed, LinkEvent, LinkOpened
from e320proto.lmn.profile import LmnProfile
from e320proto.lmn.secondary import COMMANDS, Command, SecondaryLink, SecondaryState
from tests.lmn.dialogues import DIALOGUES, METER, SML, TLS, from_gateway, from_meter

BLOCK = "8180120501FE0601FE070400000001080400000001"


class Meter:
    """A link whose upper layer permits everything but ``refused``."""

    def __init__(self, profile: LmnProfile | None = None) -> None:
        self.refused: set[int] = set()
        self.profile = profile or LmnProfile()
        self.link = SecondaryLink(self.profile, permitted=lambda selector: selector not in self.refused)
        self.link.move(METER, now=0.0)
        self.now = 1.0

    def connected(self, selector: int = SML) -> Meter:
        assert self.ask("SNRM", selector=selector) == [LinkOpened(selector)]
        assert self.reply == from_meter("UA", selector=selector)
        return self

    def ask(self, word: str, info: bytes = b"", *, segment: bool = False, selector: int = SML) -> list[LinkEvent]:
        frame = from_gateway(word, info, segment=segment, selector=selector)
        return self.link.receive_frame(frame, now=self.now)

    def answers(self, word: str, info: bytes = b"") -> Frame | None:
        """Ask, pass the events over, and return the reply."""
        self.ask(word, info)
        return self.reply

    @property
    def reply(self) -> Frame | None:
        return self.link.frame_to_send()

    @property
    def state(self) -> SecondaryState:
        return self.link.state


@pytest.fixture
def meter() -> Meter:
    return Meter()


def test_row_1_snrm_connects(meter: Meter) -> None:
    meter.connected()
    assert meter.state is SecondaryState.NRM


def test_row_1_snrm_ends_what_was_before(meter: Meter) -> None:
    meter.connected()
    meter.ask("I 0 0", b"request")
    meter.link.send(b"never sent")
    assert meter.ask("SNRM", selector=TLS) == [LinkClosed(CloseReason.REOPENED), LinkOpened(TLS)]
    assert meter.reply == from_meter("UA", selector=TLS)
    meter.ask("RR 0", selector=TLS)
    assert meter.reply == from_meter("RR 0", selector=TLS)


@pytest.mark.parametrize("selector", [2, 4, 5, 7, 8])
def test_row_2_a_selector_that_is_switched_off_is_refused(meter: Meter, selector: int) -> None:
    meter.connected()
    assert meter.ask("SNRM", selector=selector) == []
    assert meter.reply == from_meter("DM", selector=selector)
    assert meter.answers("RR 0") == from_meter("RR 0")  # the connection stays


def test_row_2_a_selector_that_is_not_permitted_now_is_refused(meter: Meter) -> None:
    meter.refused = {SML}
    assert meter.ask("SNRM") == []
    assert meter.reply == from_meter("DM")
    assert meter.state is SecondaryState.NDM


@pytest.mark.parametrize("word", ["DISC", "I 0 0", "I 5 5", "RR 0", "RNR 0", "REJ 0", "UNKNOWN"])
def test_row_3_dm_without_connection(meter: Meter, word: str) -> None:
    frame = from_gateway("DISC") if word == "UNKNOWN" else from_gateway(word)
    control = Control.decode(0xFF) if word == "UNKNOWN" else frame.control
    assert meter.link.receive_frame(Frame(frame.dest, frame.src, control, b"octets"), now=1.0) == []
    assert meter.reply == from_meter("DM")


@pytest.mark.parametrize(("profile", "word"), [(LmnProfile(), "UA"), (LmnProfile(disc_reply="DM"), "DM")])
def test_row_4_disc(profile: LmnProfile, word: str) -> None:
    meter = Meter(profile).connected()
    assert meter.ask("DISC") == [LinkClosed(CloseReason.RELEASED)]
    assert meter.reply == from_meter(word)
    assert meter.state is SecondaryState.NDM
    assert meter.answers("DISC") == from_meter("DM")


@pytest.mark.parametrize("word", ["I 0 0", "RR 0", "DISC"])
def test_row_5_another_selector(meter: Meter, word: str) -> None:
    meter.connected()
    assert meter.ask(word, selector=TLS) == []
    assert meter.reply == from_meter("DM", selector=TLS)
    assert meter.answers("RR 0") == from_meter("RR 0")


def test_row_6_delivers_and_works(meter: Meter) -> None:
    meter.connected()
    assert meter.ask("I 0 0", b"request") == [DataReceived(b"request")]
    meter.link.working(at_work=True)
    assert meter.reply == from_meter("RNR 1")


def test_row_6_a_segment_that_completes_nothing(meter: Meter) -> None:
    meter.connected()
    assert meter.ask("I 0 0", b"requ", segment=True) == [DataReceived(b"requ", more=True)]
    assert meter.reply == from_meter("RR 1")


def test_row_6_data_queued(meter: Meter) -> None:
    meter.connected()
    meter.ask("I 0 0", b"request")
    meter.link.send(b"answer")
    assert meter.reply == from_meter("RNR 1")


def test_row_6_direct_answer() -> None:
    meter = Meter(LmnProfile(direct_answer=True)).connected()
    meter.ask("I 0 0", b"request")
    meter.link.send(b"answer")
    assert meter.reply == from_meter("I 0 1", b"answer")


def test_row_6_unacknowledged_first(meter: Meter) -> None:
    meter.connected()
    meter.link.send(b"answer")
    assert meter.answers("RR 0") == from_meter("I 0 0", b"answer")
    assert meter.ask("I 0 0", b"next") == [DataReceived(b"next")]
    assert meter.reply == from_meter("I 0 1", b"answer")


def test_row_7_a_repeat_is_answered_alike_not_delivered(meter: Meter) -> None:
    meter.connected()
    meter.ask("I 0 0", b"request")
    meter.link.working(at_work=True)
    assert meter.reply == from_meter("RNR 1")
    assert meter.ask("I 0 0", b"request") == []
    assert meter.reply == from_meter("RNR 1")


def test_row_8_an_i_frame_out_of_sequence(meter: Meter) -> None:
    meter.connected()
    meter.link.working(at_work=True)
    assert meter.ask("I 3 0", b"what") == []
    assert meter.reply == from_meter("RR 0")


@pytest.mark.parametrize("word", ["RR", "REJ"])
def test_row_9_polls(meter: Meter, word: str) -> None:
    meter.connected()
    meter.link.send(b"answer")
    assert meter.answers(f"{word} 0") == from_meter("I 0 0", b"answer")
    assert meter.answers(f"{word} 0") == from_meter("I 0 0", b"answer")  # until it is acknowledged
    assert meter.answers(f"{word} 1") == from_meter("RR 0")


@pytest.mark.parametrize(("profile", "word"), [(LmnProfile(), "RR 0"), (LmnProfile(busy_poll_reply="RNR"), "RNR 0")])
def test_row_9_poll_while_working(profile: LmnProfile, word: str) -> None:
    meter = Meter(profile).connected()
    meter.link.working(at_work=True)
    assert meter.answers("RR 0") == from_meter(word)


def test_row_10_rnr_gets_no_data(meter: Meter) -> None:
    meter.connected()
    meter.link.send(b"one")
    assert meter.answers("RNR 0") == from_meter("RR 0")
    assert meter.answers("RR 0") == from_meter("I 0 0", b"one")
    meter.link.send(b"two")
    assert meter.answers("RNR 1") == from_meter("RR 0")
    assert meter.answers("RR 1") == from_meter("I 1 0", b"two")


@pytest.mark.parametrize("word", ["RR 1", "RR 7", "I 0 1", "RNR 3", "REJ 2"])
def test_row_11_n_r_out_of_sequence(meter: Meter, word: str) -> None:
    meter.connected()
    (failed, closed) = meter.ask(word, b"octets")
    found = f"N(R) = {word[-1]}"
    error = RemoteProtocolError("bad_nr", state="NRM", expected="N(R) = 0", actual=found)
    assert (failed, closed) == (Failed(error), LinkClosed(CloseReason.FAILED))
    assert meter.reply == from_meter("DM")
    assert meter.state is SecondaryState.NDM


def test_row_11_names_both_numbers_that_would_do(meter: Meter) -> None:
    meter.connected()
    meter.link.send(b"one")
    meter.answers("RR 0")
    failed = meter.ask("RR 2")[0]
    assert isinstance(failed, Failed)
    assert failed.error.expected == "N(R) = 1 or 0"


def test_row_12_unknown_control(meter: Meter) -> None:
    meter.connected()
    frame = from_gateway("DISC")
    assert meter.link.receive_frame(Frame(frame.dest, frame.src, Control.decode(0xFF)), now=1.0) == []
    assert meter.reply == from_meter("DM")
    assert meter.state is SecondaryState.NRM


def test_row_13_silence(meter: Meter) -> None:
    meter.connected()
    meter.now = 50.0
    meter.answers("RR 0")
    assert meter.link.next_timeout() == 170.0
    assert meter.link.handle_timeout(now=169.9) == []
    assert meter.link.handle_timeout(now=170.0) == [LinkClosed(CloseReason.INACTIVITY)]
    assert meter.reply is None
    assert meter.link.next_timeout() is None


def test_row_13_never() -> None:
    meter = Meter(LmnProfile(inactivity_s=0)).connected()
    assert meter.link.next_timeout() is None
    assert meter.link.handle_timeout(now=1e9) == []


@pytest.mark.parametrize("address", [None, 69])
def test_row_13_address(meter: Meter, address: int | None) -> None:
    meter.connected()
    meter.ask("RR 0")
    assert meter.link.move(address, now=2.0) == [LinkClosed(CloseReason.ADDRESS_CHANGED)]
    assert meter.reply is None
    assert meter.answers("RR 0") is None
    assert meter.link.move(address, now=2.0) == []


def test_the_table_has_every_row_that_a_frame_can_choose() -> None:
    assert {row for row, *_ in COMMANDS.values()} == set(range(1, 13))
    assert {command for _, command in COMMANDS} == set(Command)


@pytest.mark.parametrize("kind", ["SNRM", "I 0 0", "RR 0", "DISC"])
def test_without_p_a_frame_is_processed_in_silence(meter: Meter, kind: str) -> None:
    meter.connected()
    frame = from_gateway(kind, b"octets")
    control = Control(frame.control.kind, poll_final=False)
    events = meter.link.receive_frame(Frame(frame.dest, frame.src, control, frame.info), now=1.0)
    assert bool(events) is (kind != "RR 0")
    assert meter.reply is None


@pytest.mark.parametrize("word", ["UI", "UA", "DM", "FRMR"])
def test_what_no_gateway_sends_to_a_meter_is_ignored(meter: Meter, word: str) -> None:
    meter.connected()
    assert meter.ask(word) == []
    assert meter.reply is None
    assert meter.state is SecondaryState.NRM


def test_frames_of_others_are_ignored(meter: Meter) -> None:
    addresses = [
        (Address(69, SML), Address(1, SML)),
        (Address(METER, SML), Address(3, SML)),
        (Address(METER, SML), Address(1, TLS)),
        (Address(127, SML), Address(1, SML)),
        (Address(METER, 0), Address(1, 0)),
        (Address(METER, 9), Address(1, 9)),
    ]
    for dest, src in addresses:
        assert meter.link.receive_frame(Frame(dest, src, Control(FrameKind.SNRM)), now=1.0) == []
        assert meter.reply is None


def test_parameter_block_is_answered_with_the_smaller_values() -> None:
    meter = Meter(LmnProfile(max_info_tx=100))
    meter.ask("SNRM", bytes.fromhex(BLOCK))
    assert meter.reply == from_meter("UA", bytes.fromhex(BLOCK.replace("0501FE", "050164")))
    meter.ask("SNRM", bytes.fromhex("8180030601" + "32"))
    meter.answers("RR 0")
    meter.link.send(bytes(51))
    frame = meter.answers("RR 0")
    assert frame is not None
    assert (len(frame.info), frame.segment) == (50, True)


def test_disconnect_answers_dm_from_now_on(meter: Meter) -> None:
    meter.connected(TLS)
    meter.ask("I 0 0", b"bad record", selector=TLS)
    meter.link.send(b"alert")
    assert meter.link.disconnect() == [LinkClosed(CloseReason.DISCONNECTED)]
    assert meter.link.disconnect() == []
    assert meter.reply == from_meter("DM", selector=TLS)
    meter.ask("RR 0", selector=TLS)
    assert meter.reply == from_meter("DM", selector=TLS)
    meter.connected(TLS)


def test_send_needs_a_connection(meter: Meter) -> None:
    with pytest.raises(LocalProtocolError, match=r"send: expected a connection, found disconnected, in state NDM"):
        meter.link.send(b"data")


def test_a_message_is_cut_with_marks_and_a_stream_without() -> None:
    for selector, marks in ((SML, [True, True, False]), (TLS, [False, False, False])):
        meter = Meter(LmnProfile(max_info_tx=2)).connected(selector)
        meter.link.send(b"abcde")
        pieces = []
        for number in range(3):
            meter.ask(f"RR {number}", selector=selector)
            pieces.append(meter.reply)
        assert [(piece.info, piece.segment) for piece in pieces if piece] == list(
            zip([b"ab", b"cd", b"e"], marks, strict=True)
        )


# --- dialogues ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in DIALOGUES if name != "assignment"])
def test_dialogue(name: str) -> None:
    steps = DIALOGUES[name]
    meter = Meter(LmnProfile(direct_answer=name == "read_plain_direct_answer"))
    answered = -1  # N(S) of the latest answer
    for step in steps:
        if step.from_gateway:
            if not step.lost:
                for event in meter.link.receive_frame(step.frame, now=1.0):
                    if isinstance(event, DataReceived):
                        meter.link.working(at_work=not event.more)
            continue
        control = step.frame.control
        if control.kind is FrameKind.I and control.ns > answered:  # the upper layer has its answer ready
            meter.link.send(step.frame.info)
            meter.link.working(at_work=False)
            answered = control.ns
        frame = meter.reply
        assert frame is not None, step.what
        assert encode_frame(frame).hex() == step.data.hex(), step.what


# --- any gateway --------------------------------------------------------------------------------

FRAMES = st.builds(
    Frame,
    dest=st.builds(Address, st.sampled_from([METER, METER, METER, 127]), st.sampled_from([SML, SML, SML, TLS, 9])),
    src=st.builds(Address, st.sampled_from([1, 1, 1, 5]), st.sampled_from([SML, SML, SML, TLS])),
    control=st.one_of(st.sampled_from([Control(FrameKind.SNRM)]), st.integers(0, 255).map(Control.decode)),
    info=st.binary(max_size=40),
    segment=st.booleans(),
)
ACTIONS = st.one_of(FRAMES, st.sampled_from(["reply", "send", "work", "rest", "disconnect", "silence"]))


def _act(meter: Meter, action: Frame | str) -> list[LinkEvent]:
    match action:
        case Frame():
            return meter.link.receive_frame(action, now=meter.now)
        case "reply":
            frame = meter.reply
            assert frame is None or encode_frame(frame)
        case "send" if meter.state is SecondaryState.NRM:
            meter.link.send(b"some octets")
        case "work" | "rest":
            meter.link.working(at_work=action == "work")
        case "disconnect":
            return meter.link.disconnect()
        case "silence":
            meter.now += meter.profile.inactivity_s
            return meter.link.handle_timeout(now=meter.now)
    return []


@given(st.lists(ACTIONS, max_size=80))
def test_any_gateway_gives_only_documented_events_in_their_order(actions: list[Frame | str]) -> None:
    meter = Meter()
    opened = False
    for action in actions:
        for event in _act(meter, action):
            assert isinstance(event, (LinkOpened, LinkClosed, DataReceived, Failed))
            assert opened is not isinstance(event, LinkOpened)
            if isinstance(event, (LinkOpened, LinkClosed)):
                opened = isinstance(event, LinkOpened)
        assert opened is (meter.state is SecondaryState.NRM)
