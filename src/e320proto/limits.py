"""The limits that keep hostile or damaged input cheap, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything a decoder accepts. All counts are octets unless the name says otherwise.

    Args:
        max_frame: octets of one transport frame as transmitted. The largest real frames stay below
            1,024; profiles need room.
        max_depth: nested lists, the message itself is 1. A parameter tree of n levels needs 2n + 6.
        max_list: elements of one list. The quarter-hours of a month are 2,976; real lists hold at
            most 30.
        max_octets: octets of one octet string. Keys and signatures have up to 64, certificates
            below 1,000.
        max_tl_octets: octets of one TL field; 8 hold a length of 32 bits.
        max_resync: places tried after a structure fault inside one frame, see
            :func:`e320proto.sml.codec.read_messages`.
        noise_block: noise outside of frames is handed out in pieces of this size.

    Raises:
        ValueError: a limit is not a positive integer.

    Source: SML receivers in use; the numbers are decisions of this project.

    >>> Limits().max_frame, Limits(max_depth=8).max_depth
    (65536, 8)
    """

    max_frame: int = 65_536
    max_depth: int = 32
    max_list: int = 4_096
    max_octets: int = 16_384
    max_tl_octets: int = 8
    max_resync: int = 16
    noise_block: int = 4_096

    def __post_init__(self) -> None:
        """Refuse limits that no input could keep."""
        for field in fields(self):
            number = getattr(self, field.name)
            if not isinstance(number, int) or number < 1:
                msg = f"{field.name}: expected a positive integer, found {number!r}"
                raise ValueError(msg)


DEFAULT_LIMITS = Limits()
