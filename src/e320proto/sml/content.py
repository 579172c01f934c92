"""What a telegram says, put together from the facts of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from e320proto.crc import CrcKind
from e320proto.sml.entries import Entries, Entry
from e320proto.sml.quirks import DZG_FLAG, DZG_SIGN, ZERO_TIME, dzg_sign, without_zero_times

if TYPE_CHECKING:
    from e320proto.sml.facts import Facts
    from e320proto.sml.messages import Time
    from e320proto.sml.options import DecodeOptions
    from e320proto.sml.transport import TransportFrame


class Content(NamedTuple):
    """The parts of a telegram that take work; see :class:`e320proto.Telegram` for each."""

    payload: bytes
    entries: Entries
    time: Time | None
    server_octets: bytes | None
    notes: tuple[str, ...]
    rules: tuple[str, ...]
    message_count: int


def make_content(frame: TransportFrame, facts: list[Facts], notes: set[str], options: DecodeOptions) -> Content:
    """Put together what the messages of a frame say."""
    lists = [fact for fact in facts if fact.kind == "list"]
    time = server_id = None
    for fact in (*lists, *facts):  # what a list says of time and meter goes first
        if time is None:
            time = fact.time
        if not server_id and fact.server_id is not None:
            server_id = fact.server_id
    entries, rules = _entries(lists, notes)
    if not in_order(facts):
        notes.add("order")
    if frame.crc_kind is CrcKind.KERMIT:
        notes.add("kermit")
    if options.frame_crc_kind == "none":
        notes.add("crc_unchecked")
    changed = dzg_sign(entries, server_id) if options.dzg_sign and DZG_FLAG in frame.payload else None
    if changed is not None:
        entries = changed
        rules += (DZG_SIGN,)
    return Content(
        frame.payload,
        Entries(entries),
        time,
        server_id,
        tuple(sorted(notes)) if notes else (),
        rules,
        len(facts),
    )


def _entries(lists: list[Facts], notes: set[str]) -> tuple[list[Entry], tuple[str, ...]]:
    """The entries of all lists, and the rules that changed them."""
    rules: tuple[str, ...] = ()
    entries: list[Entry] = []
    for fact in lists:
        part = [entry for entry in fact.entries if entry is not None]
        if len(part) < len(fact.entries):
            notes.add("object_name")
        timed = without_zero_times(part, fact.time)
        if timed is not None:
            rules = (ZERO_TIME,)
        entries += timed or part
    return entries, rules


def in_order(facts: list[Facts]) -> bool:
    """Whether there is exactly one Open, first, and exactly one Close, last."""
    kinds = [fact.kind for fact in facts]
    if kinds == ["open", "list", "close"]:
        return True
    return kinds[:1] == ["open"] and kinds[-1:] == ["close"] and kinds.count("open") == kinds.count("close") == 1
