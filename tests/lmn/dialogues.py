"""The dialogues of the vectors, and short ways to say a frame."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from e320proto.hdlc import Address, Control, Frame, FrameKind, decode_frame

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "lmn-link.json").read_text(encoding="utf-8")
)
METER: Final = 68
TLS: Final = 1
SML: Final = 3


@dataclass(frozen=True, slots=True)
class Step:
    from_gateway: bool
    data: bytes
    what: str

    @property
    def frame(self) -> Frame:
        return decode_frame(self.data)

    @property
    def lost(self) -> bool:
        return "LOST" in self.what


DIALOGUES: Final = {
    dialogue["id"]: [
        Step(step["dir"] != "M>G", bytes.fromhex(step["hex"]), step["what"]) for step in dialogue["frames"]
    ]
    for dialogue in VECTORS["lmn_dialogues"]
}


def _control(word: str) -> Control:
    """``"I 1 2"`` is N(S) = 1, N(R) = 2; ``"RR 2"`` is N(R) = 2."""
    kind, *numbers = word.split()
    values = [int(number) for number in numbers]
    if kind == "I":
        return Control(FrameKind.I, ns=values[0], nr=values[1])
    return Control(FrameKind[kind], nr=values[0] if values else 0)


def from_meter(
    word: str, info: bytes = b"", *, segment: bool = False, selector: int = SML, address: int = METER
) -> Frame:
    return Frame(Address(1, selector), Address(address, selector), _control(word), info, segment)


def from_gateway(
    word: str, info: bytes = b"", *, segment: bool = False, selector: int = SML, address: int = METER
) -> Frame:
    return Frame(Address(address, selector), Address(1, selector), _control(word), info, segment)
