"""Makes the tables and diagrams of ``lmn.md``: from the tables that the code works by, and from a bus that runs.

::

    REPLIES, COMMANDS, BROADCASTS, NEXT --> tables of states
    LmnProfile, SecurityProfile --> table of decisions with their evidence
    a gateway and a meter on a simulated bus --> sequence diagrams

Each goes between ``<!-- made: name -->`` and ``<!-- end -->``. ``python docs/lmn.py`` writes the page anew; a test
compares it with what this program makes.
"""  # noqa: INP001 - a program beside the pages, no package

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from e320proto.hdlc import BROADCAST, GATEWAY, Frame, FrameKind, decode_frame
from e320proto.lmn.assignment import BROADCASTS
from e320proto.lmn.certificates import Curve, make_credentials
from e320proto.lmn.meter_keys import MemoryKeyRing, MeterKeys
from e320proto.lmn.pairing_states import NEXT
from e320proto.lmn.primary import REPLIES, TIME_OUTS, PrimaryState
from e320proto.lmn.profile import LmnProfile, SecurityProfile
from e320proto.lmn.secondary import COMMANDS
from e320proto.lmn.session import GatewaySession
from e320proto.lmn.simulated_bus import SimulatedBus, Transmission
from e320proto.meter import E320Config, Meter
from e320proto.meter.lmn import MeterLmn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE: Final = Path(__file__).with_suffix(".md")
PART: Final = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
KEY: Final = bytes(16)
NUMBERED: Final = {FrameKind.I, FrameKind.RR, FrameKind.RNR, FrameKind.REJ}
HANDSHAKE: Final = {1: "ClientHello", 2: "ServerHello to ServerHelloDone", 11: "Certificate to Finished"}
RECORDS: Final = {20: "ChangeCipherSpec, Finished", 21: "alert", 23: "SML in TLS"}
SELECTORS: Final = {1: "TLS", 3: "SML in clear", 6: "pairing"}


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return (
        "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- ", "|---").replace("---|---", "---|---")
    )


def primary() -> str:
    """The gateway's end of a connection."""
    rows = [
        (row, state.name, reply.value, "; ".join(act.value for act in acts) or "-", after.name)
        for (state, reply), (row, acts, after) in REPLIES.items()
    ]
    late = {PrimaryState.OPENING: 4, PrimaryState.WAIT: 15, PrimaryState.CLOSING: 19}
    rows += [
        (late[state], state.name, "silence", f"{kind.name} again; at last {type(event).__name__}", "CLOSED")
        for state, (kind, event) in TIME_OUTS.items()
    ]
    rows.sort(key=lambda row: row[0])
    return table(("row", "state", "the meter sends", "what is done", "next"), rows)


def secondary() -> str:
    """The meter's end of a connection."""
    rows = [
        (row, state.name, command.value, "; ".join(act.value for act in acts) or "-", answer.value, after.name)
        for (state, command), (row, acts, answer, after) in COMMANDS.items()
    ]
    return table(("row", "state", "the gateway sends", "what is done", "answer", "next"), rows)


def assignment() -> str:
    """Addresses, at the meter."""
    return table(
        ("state", "broadcast", "lists this meter", "what is done"),
        (
            (state.name, broadcast.name.lower(), "yes" if listed else "no", act.value)
            for (state, broadcast, listed), act in BROADCASTS.items()
        ),
    )


def pairing() -> str:
    """The exchange of certificates, at both ends."""
    return table(
        ("state", "request", "next"),
        ((before.name, f"{command.value:02X} {command.name}", after.name) for (command, before), after in NEXT.items()),
    )


def decisions(profile: type[LmnProfile | SecurityProfile]) -> str:
    """The parameters with their evidence."""
    return table(
        ("parameter", "default", "meaning", "grade"),
        (
            (f"`{each.name}`", shown(each.default), each.metadata["text"], each.metadata["grade"])
            for each in fields(profile)
        ),
    )


def shown(value: Any) -> str:  # noqa: ANN401 - of any parameter
    """A default for people."""
    match value:
        case bool() | None:
            return "-" if value is None else str(value).lower()
        case bytes():
            return value.hex().upper()
        case frozenset():
            return ", ".join(str(each) for each in sorted(value))
        case tuple():
            return " ".join(f"{each:04X}" for each in value)
        case _:
            return f"{value:.10g}" if isinstance(value, float) else str(value)


# --- sequences ----------------------------------------------------------------------------------


class Bus:
    """A gateway and a meter, and what they send."""

    def __init__(self) -> None:
        profile, random = LmnProfile(), Random(1)  # noqa: S311 - the same choices in every run
        self.sent: list[Transmission] = []
        self.bus = SimulatedBus(profile, random, trace=self.sent.append)
        meter = Meter(E320Config(pin="1234", initial_key=KEY.hex()), pushes=False)
        self.id = meter.server_id
        self.gateway = GatewaySession(now=0.0, keys=MemoryKeyRing({self.id: MeterKeys(master_key=KEY)}))
        self.bus.plug(self.gateway)
        self.bus.plug(MeterLmn(meter, random=random))

    def run(self, seconds: float) -> str:
        """Let time pass; what was sent meanwhile, as a diagram."""
        self.sent.clear()
        self.bus.run(until=self.bus.now + seconds)
        lines: list[str] = []
        for one in self.sent:
            lines.append(said(decode_frame(one.data)))
            if lines[-4:-2] == lines[-2:]:  # a poll that found nothing either
                del lines[-2:]
        head = "```mermaid\nsequenceDiagram\n    participant G as gateway\n    participant M as meter\n"
        return head + "".join(f"    {line}\n" for line in lines) + "```\n"


def said(frame: Frame) -> str:
    """One frame as an arrow."""
    control, arrow = frame.control, "G->>M" if frame.src.address == GATEWAY else "M->>G"
    if control.kind is FrameKind.UI:
        what = {1: "assignment", 2: "check"}[frame.dest.selector]
        known = "list of meters" if frame.info else "nobody is known"
        return f"{arrow}: UI {what}: " + (known if frame.dest.address == BROADCAST else "own record")
    words = [control.kind.name]
    if control.kind is FrameKind.I:
        words.append(f"N(S)={control.ns} N(R)={control.nr}: {content(frame)}")
    elif control.kind in {FrameKind.SNRM, FrameKind.DISC}:
        words.append(f"({SELECTORS[frame.dest.selector]})")
    return f"{arrow}: {' '.join(words)}"


def content(frame: Frame) -> str:
    """What is in an I frame."""
    info = frame.info
    if frame.dest.selector == 1:
        return HANDSHAKE.get(info[5], "handshake") if info[0] == 22 else RECORDS[info[0]]  # noqa: PLR2004 - handshake
    if frame.dest.selector == 6:  # noqa: PLR2004 - pairing
        return f"command {info[0]:02X}"
    return "SML request" if frame.src.address == GATEWAY else "SML answer"


def sequences() -> Iterator[tuple[str, str]]:
    """All diagrams by their names."""
    stack = Bus()
    yield "found", stack.run(2.0)
    stack.gateway.read(stack.id, "1.8.0", now=stack.bus.now)
    yield "in-clear", stack.run(0.5)
    meter, gateway = (make_credentials(Curve.SECP256R1, name, now=datetime.now(UTC)) for name in "MG")
    stack.gateway.pair(stack.id, meter=meter, gateway=gateway, now=stack.bus.now)
    yield "pairing-sequence", stack.run(0.8)
    stack.gateway.read(stack.id, "1.8.0", now=stack.bus.now)
    yield "in-tls", stack.run(0.5)


def parts() -> dict[str, str]:
    """Everything that is made, by its name."""
    return {
        "primary": primary(),
        "secondary": secondary(),
        "assignment": assignment(),
        "pairing": pairing(),
        "bus-decisions": decisions(LmnProfile),
        "security-decisions": decisions(SecurityProfile),
        **dict(sequences()),
    }


def page(text: str) -> str:
    """The page with its parts made anew."""
    made = parts()
    return PART.sub(lambda found: f"{found[1]}{made[found[2]]}{found[3]}", text)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
