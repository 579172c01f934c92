"""What is decoded: recordings of real meters, repeated, and generated pushes with changing values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from e320proto import Telegram, TelegramDecoder, encode_file, encode_transport
from e320proto.sml.messages import (
    GetListRes,
    Integer,
    ListEntry,
    Message,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    Unsigned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e320proto.sml.messages import MessageBody

CAPTURES = Path(__file__).parent.parent.parent / "shared" / "captures"
ONE_METER = {
    "EMH mMe4.0": "EMH_mME40-AE6AKF0K0",
    "Iskra MT631": "ISKRA_MT631-D1A52-K0z-H01_with_PIN",
    "eBZ DD3": "eBZ_DD3_DD32R06DTA-SMZ1",
}

CLIENT_ID = b"\xff" * 6
CURRENT_VALUES = bytes.fromhex("0100620affff")  # 1-0:98.10.255*255
WH, WATT, VOLT, AMPERE, DEGREE, HERTZ = 30, 27, 35, 33, 8, 44


@dataclass(frozen=True)
class Stream:
    """Octets that hold a known number of telegrams.

    Args:
        name: what the row is called.
        octets: one piece, to be repeated.
        telegrams: how many telegrams one piece holds.
    """

    name: str
    octets: bytes = field(repr=False)
    telegrams: int

    @property
    def octets_per_telegram(self) -> float:
        """Octets of the wire for each telegram, noise included."""
        return len(self.octets) / self.telegrams

    def of(self, telegrams: int) -> bytes:
        """The piece as often as needed to hold at least so many telegrams."""
        return self.octets * -(-telegrams // self.telegrams)

    def telegrams_in(self, octets: bytes) -> int:
        """How many telegrams several pieces hold."""
        return len(octets) // len(self.octets) * self.telegrams

    def files(self, count: int) -> list[bytes]:
        """The SML files in it, without their transport frames, repeated to so many."""
        found = [event.payload for event in TelegramDecoder().feed(self.octets) if isinstance(event, Telegram)]
        return (found * -(-count // len(found)))[:count]


@dataclass(frozen=True)
class Register:
    """One measured value of a push: ``start`` in the first telegram, ``step`` more in each that follows.

    Without a ``width`` the value takes as many octets as it needs, so telegrams change their length.
    """

    obis: str
    unit: int | None
    scaler: int | None
    value: type[Integer | Unsigned]
    width: int | None
    start: int
    step: int
    status: Unsigned | None = None
    timed: bool = False

    def entry(self, number: int, now: SecIndex) -> ListEntry:
        """The value in telegram ``number`` of the stream."""
        return ListEntry(
            obj_name=bytes.fromhex(self.obis),
            status=self.status,
            val_time=now if self.timed else None,
            unit=self.unit,
            scaler=self.scaler,
            value=self.value(self.start + number * self.step, self.width),
        )


@dataclass(frozen=True)
class Shape:
    """The pushes of one kind of meter; an ``early`` one sends no client, list name and clock, and bare times."""

    meter: str
    server_id: str
    registers: tuple[Register, ...]
    texts: tuple[tuple[str, bytes], ...] = ()
    early: bool = False

    def messages(self, number: int) -> list[Message]:
        """Telegram ``number`` as messages."""
        now = SecIndex(1_000_000 + number, bare=self.early)
        clock, client_id, list_name = (None, None, None) if self.early else (now, CLIENT_ID, CURRENT_VALUES)
        server_id = bytes.fromhex(self.server_id)
        texts = (("010060320101", server_id[2:5]), ("0100600100ff", server_id), *self.texts)
        entries = [ListEntry(obj_name=bytes.fromhex(obis), value=text) for obis, text in texts]
        entries += [register.entry(number, now) for register in self.registers]
        bodies: tuple[MessageBody, ...] = (
            PublicOpenRes(
                client_id=client_id, req_file_id=number.to_bytes(4, "big"), server_id=server_id, ref_time=clock
            ),
            GetListRes(
                client_id=client_id,
                server_id=server_id,
                list_name=list_name,
                act_sensor_time=clock,
                val_list=tuple(entries),
            ),
            PublicCloseRes(),
        )
        return [
            Message(transaction_id=(3 * number + at).to_bytes(4, "big"), message_body=body)
            for at, body in enumerate(bodies, 1)
        ]


E320 = Shape(
    "E320",
    "0a014c475a0000bc614e",
    (
        Register("0100010800ff", WH, -1, Unsigned, 8, 12_345_678, 3, Unsigned(0x001C7904, 4), timed=True),
        Register("0100020800ff", WH, -1, Unsigned, 8, 890_123, 1, timed=True),
        Register("0100100700ff", WATT, 0, Integer, 8, -2_150, 7),
    ),
)
PHASES = Shape(
    "phases",
    "0a01454d480000a1bd34",
    (
        Register("0100010800ff", WH, -1, Unsigned, 8, 4_288_964, 5, Unsigned(0x1C0104, 3), timed=True),
        Register("0100240700ff", WATT, 0, Integer, 4, 2_353, 2, timed=True),
        Register("0100380700ff", WATT, 0, Integer, 4, 65, 1, timed=True),
        Register("01004c0700ff", WATT, 0, Integer, 4, 205, 3, timed=True),
        Register("0100100700ff", WATT, 0, Integer, 4, 2_623, 6, timed=True),
    ),
)
GRID = Shape(
    "grid quality",
    "0a01484c59020003a910",
    (
        Register("0100010801ff", WH, -1, Unsigned, None, 0, 0, Unsigned(0x001C0104, 4), timed=True),
        Register("0100010802ff", WH, -1, Unsigned, None, 1_773_601, 4, Unsigned(0x001C0104, 4), timed=True),
        Register("0100020800ff", WH, -1, Unsigned, None, 3_149_260, 1, Unsigned(0x001C0104, 4), timed=True),
        Register("0100100700ff", WATT, 0, Integer, None, 460, 2),
        *(Register(f"0100{c}0700ff", VOLT, -1, Unsigned, None, 2_323, 1) for c in ("20", "34", "48")),
        *(Register(f"0100{c}0700ff", AMPERE, -2, Unsigned, None, 106, 3) for c in ("1f", "33", "47")),
        *(Register(f"01005107{e}ff", DEGREE, 0, Unsigned, None, 120, 1) for e in ("01", "02", "04", "0f", "1a")),
        Register("01000e0700ff", HERTZ, -1, Unsigned, None, 500, 1),
        Register("0100600500ff", None, None, Unsigned, 4, 0x001C0104, 0),
    ),
    texts=(("010000020000", b"1.02.007"), ("0100605a0201", b"A01A")),
    early=True,
)
SHAPES = (E320, PHASES, GRID)


def contents(shape: Shape, count: int) -> list[bytes]:
    """The SML files of ``count`` telegrams, each with its own values."""
    return [encode_file(shape.messages(number)) for number in range(count)]


def generated(shape: Shape, count: int) -> Stream:
    """A stream of ``count`` telegrams, each with its own values."""
    octets = b"".join(encode_transport(content) for content in contents(shape, count))
    values = len(shape.registers) + len(shape.texts) + 2
    return Stream(f"{shape.meter}, {len(octets) // count} octets, {values} values", octets, count)


def of_one_meter() -> list[Stream]:
    """The right frames of recordings whose rates other parsers are known by, if the folder is there.

    Without the telegrams that the recording's ends have cut: a meter's stream has no such places.
    """
    found = []
    for name, stem in ONE_METER.items():
        path = CAPTURES / f"{stem}.bin"
        if path.is_file():
            events = TelegramDecoder().feed(path.read_bytes())
            frames = [event.raw for event in events if isinstance(event, Telegram)]
            octets = sum(map(len, frames)) // len(frames)
            found.append(Stream(f"{name}, {octets} octets", b"".join(frames), len(frames)))
    return found


def recorded() -> list[Stream]:
    """The recordings that hold at least one telegram, if the folder is there."""
    found = []
    for path in sorted(CAPTURES.glob("*.bin")):
        octets = path.read_bytes()
        telegrams = count_telegrams([octets])
        if telegrams:
            found.append(Stream(path.stem, octets, telegrams))
    return found


def count_telegrams(chunks: Sequence[bytes]) -> int:
    """How many telegrams a stream holds."""
    decoder = TelegramDecoder()
    return sum(isinstance(event, Telegram) for chunk in chunks for event in decoder.feed(chunk))
