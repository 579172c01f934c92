"""The limits that keep hostile or damaged input cheap, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields

# Least and greatest value where it is not just 1 or more.
_LEAST = {"max_frame": 16}
_MOST = {"max_depth": 100, "max_tl_octets": 16}
_SHOWN_BITS = 128


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything a decoder accepts. All counts are octets unless the name says otherwise.

    Args:
        max_frame: octets of one transport frame as transmitted, from the first of the start up to
            and with the 1a of the end; the three octets behind it (fill count, checksum) are not
            counted. At least 16. The largest real frames stay below 1,024; profiles need room.
        max_depth: nested lists, the message itself is 1; at most 100. A parameter tree of n levels
            needs 2n + 6. The typed reader follows 100 without exhausting Python's stack (with its
            usual limit of 1,000 frames) where the caller has used up to 350 frames of it.
        max_list: elements of one list. The quarter-hours of a month are 2,976; real lists hold at
            most 30.
        max_octets: octets of one octet string. Keys and signatures have up to 64, certificates
            below 1,000.
        max_tl_octets: octets of one TL field, at most 16; 8 hold a length of 32 bits, 16 of 64.
        max_resync: places tried after a structure fault inside one frame, see
            :func:`e320proto.sml.codec.read_messages`.
        noise_block: noise outside of frames is handed out in pieces of this size.

    Raises:
        ValueError: a limit is no integer (a boolean is none), below 1 or out of its own range.

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
        """Refuse limits that no input could keep, or that would not keep input cheap."""
        for field in fields(self):
            number = getattr(self, field.name)
            least, most = _LEAST.get(field.name, 1), _MOST.get(field.name)
            integer = isinstance(number, int) and not isinstance(number, bool)
            if integer and least <= number and (most is None or number <= most):
                continue
            wanted = f"of at least {least}" if most is None else f"from {least} to {most}"
            # Python refuses to write out integers of thousands of digits.
            long = integer and number.bit_length() > _SHOWN_BITS
            found = f"one of {number.bit_length()} bits" if long else repr(number)
            msg = f"{field.name}: expected an integer {wanted}, found {found}"
            raise ValueError(msg)


DEFAULT_LIMITS = Limits()
