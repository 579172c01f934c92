"""Every switch of the SML decoders, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from e320proto.crc import CrcKind  # noqa: TC001 - typing.get_type_hints of the options works
from e320proto.errors import shown
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
        message_crc_kind: checksum of messages, ``auto`` tries both. Both kinds may also be given as
            :class:`e320proto.CrcKind`.
        message_crc: ``strict`` drops a message with a wrong checksum and reports it; ``lenient``
            delivers it, and the telegram carries the note ``message_crc``.
        dzg_sign: give a corrected second value for powers of DZG meters with the sign fault.
        limits: see :class:`Limits`.

    Raises:
        ValueError: a value that is not one of those listed, or not of the type of its field.

    >>> DecodeOptions(message_crc="lenient").frame_crc_kind
    'auto'
    """

    frame_crc_kind: FrameCrc | CrcKind = "auto"
    message_crc_kind: MessageCrcKind | CrcKind = "auto"
    message_crc: MessageCrc = "strict"
    dzg_sign: bool = True
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        """Refuse what means nothing, here and not in the midst of decoding."""
        for name, kind in (
            ("frame_crc_kind", FrameCrc),
            ("message_crc_kind", MessageCrcKind),
            ("message_crc", MessageCrc),
        ):
            found, allowed = getattr(self, name), get_args(kind)
            if found not in allowed:
                raise _refused(name, f"one of {', '.join(allowed)}", found)
        if not isinstance(self.dzg_sign, bool):
            raise _refused("dzg_sign", "True or False", self.dzg_sign)
        if not isinstance(self.limits, Limits):
            raise _refused("limits", "Limits", self.limits)


def _refused(name: str, expected: str, found: object) -> ValueError:
    return ValueError(f"{name}: expected {expected}, found {shown(found)}")


DEFAULT_OPTIONS = DecodeOptions()
