"""Every switch of the SML decoders, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from e320proto.limits import DEFAULT_LIMITS, Limits

FrameCrc = Literal["auto", "x25", "kermit", "none"]
MessageCrcKind = Literal["auto", "x25", "kermit"]
MessageCrc = Literal["strict", "lenient"]


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How tolerant the SML decoders are. The defaults read every meter known.

    Args:
        frame_crc_kind: checksum of transport frames. ``auto`` tries X-25, then Kermit. ``none``
            accepts any frame and is for damaged archives only: telegrams carry the note
            ``crc_unchecked``.
        message_crc_kind: checksum of messages, ``auto`` tries both.
        message_crc: ``strict`` drops a message with a wrong checksum and reports it; ``lenient``
            delivers it, and the telegram carries the note ``message_crc``.
        dzg_sign: give a corrected second value for powers of DZG meters with the sign fault.
        limits: see :class:`Limits`.

    Raises:
        ValueError: a value that is not one of those listed.

    >>> DecodeOptions(message_crc="lenient").frame_crc_kind
    'auto'
    """

    frame_crc_kind: FrameCrc = "auto"
    message_crc_kind: MessageCrcKind = "auto"
    message_crc: MessageCrc = "strict"
    dzg_sign: bool = True
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        """Refuse words that mean nothing."""
        for name, kind in (
            ("frame_crc_kind", FrameCrc),
            ("message_crc_kind", MessageCrcKind),
            ("message_crc", MessageCrc),
        ):
            found, allowed = getattr(self, name), get_args(kind)
            if found not in allowed:
                msg = f"{name}: expected one of {', '.join(allowed)}, found {found!r}"
                raise ValueError(msg)


DEFAULT_OPTIONS = DecodeOptions()
