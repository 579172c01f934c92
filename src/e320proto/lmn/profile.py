"""Parameters of the LMN: every constant whose evidence is weak, with its default, unit and grade.

======  =====================================================================
grade   meaning
======  =====================================================================
BSI     text of the BSI
MAN     the E320 manual
VEN     manual of another maker of such meters
OBS     seen on real wires
IMPL    a public implementation
GEN     general standard knowledge, not verified for the LMN
OURS    decision of this project
======  =====================================================================

Source: wired LMN, section 7; LMN security, section 9.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from e320proto.errors import shown

_BITS_OF_A_CHARACTER: Final = 10
_SUITES: Final = frozenset((0xC023, 0xC024, 0xC02B, 0xC02C))


def _parameter(
    default: Any,  # noqa: ANN401 - of the type of its field
    grade: str,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Any:  # noqa: ANN401 - stands for its field
    return field(default=default, metadata={"grade": grade, "text": text, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class LmnProfile:
    """The bus: bit rate, times, slots. Gateway and meters on one bus need the same one.

    Raises:
        ValueError: a value out of its range, or an answer that does not fit its slot; the message names the field.

    >>> LmnProfile.describe("poll_s")
    'how often a meter at work is polled, s (OURS)'
    """

    baud_rate: int = _parameter(921_600, "VEN", "bit/s, 8N1", low=300, high=10_000_000)
    enabled_selectors: frozenset[int] = _parameter(frozenset({1, 3, 6}), "OURS", "what a meter lets be opened")
    inter_octet_s: float = _parameter(0.025, "OURS", "silence that ends a begun frame, s", low=0)
    turnround_s: float = _parameter(0.001, "OURS", "silence between two frames, s", low=0)
    reply_max_s: float = _parameter(0.050, "OURS", "a meter's reply begins before, s", low=0)
    response_timeout_s: float = _parameter(0.200, "OURS", "gateway: until the first octet of a reply, s", low=0)
    n_retries: int = _parameter(3, "OURS", "gateway: repeats before the link is lost", low=0, high=100)
    poll_s: float = _parameter(0.020, "OURS", "how often a meter at work is polled, s", low=0)
    keepalive_s: float = _parameter(10.0, "OURS", "how often an idle connection is polled, s", low=0)
    inactivity_s: float = _parameter(120.0, "OURS", "meter: silence that ends a connection, s; 0: never", low=0)
    answer_timeout_s: float = _parameter(30.0, "OURS", "gateway: until a meter has answered a request, s", low=0)
    reopen_s: float = _parameter(5.0, "OURS", "gateway: pause before a lost connection is opened again, s", low=0)
    reopen_max_s: float = _parameter(300.0, "OURS", "gateway: the pause doubles up to here, s", low=0)
    max_info_tx: int = _parameter(1011, "OURS", "most octets of information sent in a frame", low=1, high=2036)
    max_info_rx: int = _parameter(2036, "OURS", "most octets of information accepted in a frame", low=1, high=2036)
    max_message: int = _parameter(65_536, "OURS", "most octets of a message in segments", low=1)
    negotiate: bool = _parameter(default=False, grade="IMPL", text="parameter blocks in SNRM and UA")
    direct_answer: bool = _parameter(default=False, grade="IMPL", text="meter: answers an I frame with an I frame")
    busy_poll_reply: Literal["RR", "RNR"] = _parameter("RR", "IMPL", "meter: reply to a poll while it works")
    disc_reply: Literal["UA", "DM"] = _parameter("UA", "GEN", "meter: reply to DISC")
    n_slots: int = _parameter(32, "IMPL", "time slots of a broadcast", low=1, high=63)
    slot_start_s: float = _parameter(0.005, "IMPL", "from the broadcast to slot 1, s", low=0)
    slot_pitch_s: float = _parameter(0.010, "IMPL", "from slot to slot, s", low=1e-6)
    slot_length_s: float = _parameter(0.005, "IMPL", "of a slot, s", low=0)
    slot_margin_s: float = _parameter(0.001, "OURS", "meter: waits so long in its slot, s", low=0)
    window_slack_s: float = _parameter(0.025, "OURS", "gateway: listens so much longer, s", low=0)
    slot_check: Literal["report", "strict", "off"] = _parameter("report", "OURS", "gateway: answers out of their slot")
    slot_tolerance_s: float = _parameter(0.0025, "OURS", "gateway: how far out of a slot is still in it, s", low=0)
    assign_period_s: float = _parameter(10.0, "IMPL", "gateway: between assignments, s", low=0)
    check_period_s: float = _parameter(10.0, "IMPL", "gateway: between checks, s", low=0)
    check_offset_s: float = _parameter(5.0, "IMPL", "gateway: from an assignment to the check, s", low=0)
    check_after_assign: bool = _parameter(default=True, grade="OURS", text="gateway: a check behind newcomers")
    n_check_misses: int = _parameter(3, "OURS", "gateway: unanswered checks that remove a meter", low=1, high=1000)
    answer_assign_when_listed: bool = _parameter(default=False, grade="OURS", text="meter: answers when listed")
    initial_address: int | None = _parameter(None, "OURS", "meter: address without assignment", low=3, high=0x7E)
    address_hold_s: float | None = _parameter(None, "OURS", "meter: silence that ends its address, s; none: never")

    def __post_init__(self) -> None:
        """Refuse what no bus can be."""
        _check(self)
        answer_s = self.slot_margin_s + self.octets_s(13 + 32)
        if answer_s > self.slot_length_s:
            raise _refused("slot_length_s", f"at least {answer_s:.6f}, which an answer needs", self.slot_length_s)

    def octets_s(self, octets: int) -> float:
        """How long octets are on the wire, in s."""
        return octets * _BITS_OF_A_CHARACTER / self.baud_rate

    @classmethod
    def describe(cls, name: str) -> str:
        """Meaning and grade of a parameter.

        Raises:
            KeyError: there is no such parameter.
        """
        return _describe(cls, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityProfile:
    """Pairing, certificates and TLS. Defaults are those of gateway and meter of this library.

    Raises:
        ValueError: a value out of its range; the message names the field.

    >>> SecurityProfile.describe("tls_session_max_s")
    'life of a TLS session, resumptions included, s (BSI)'
    """

    tls_session_max_s: float = _parameter(
        2_678_400.0, "BSI", "life of a TLS session, resumptions included, s", low=0, high=2_678_400.0
    )
    tls_volume_max: int = _parameter(5_000_000, "GEN", "octets of TLS records in a session; 0: any number", low=0)
    meter_enforces_limits: bool = _parameter(default=False, grade="OURS", text="whether the meter ends it as well")
    tls_resumption: bool = _parameter(default=True, grade="OURS", text="by session id; there are no tickets")
    meter_cipher_order: tuple[int, ...] = _parameter((0xC023, 0xC02B, 0xC024, 0xC02C), "IMPL", "of the server")
    gateway_cipher_order: tuple[int, ...] = _parameter((0xC02B, 0xC02C, 0xC023, 0xC024), "IMPL", "of the client")
    tls_write_chunk: int = _parameter(512, "OURS", "octets of plain text in a TLS record", low=1, high=16_384)
    tls_handshake_timeout_s: float = _parameter(60.0, "OURS", "until a handshake is finished, s", low=0)
    tls_retry_s: float = _parameter(5.0, "OURS", "pause after a failed handshake, s", low=0)
    tls_retry_max_s: float = _parameter(300.0, "OURS", "the pause doubles up to here, s", low=0)
    cert_time_check: Literal["enforce", "warn", "off"] = _parameter("enforce", "OURS", "gateway: validity of pins")
    cert_objects: tuple[str, str] | None = _parameter(
        None,
        "OURS",
        "objects that take new credentials of the meter, a new certificate of the gateway; none: not offered",
    )
    sym_when_paired: bool = _parameter(default=False, grade="VEN", text="pairing without a crypto reset before")
    key_format: Literal["sec1", "pkcs8"] = _parameter("sec1", "OURS", "private key in command 03")
    sym_algorithms_prefix: bytes = _parameter(bytes.fromhex("FFFF0001"), "IMPL", "opaque begin of reply 82")
    sym_max_fragment: int = _parameter(2048, "IMPL", "in reply 85", low=1, high=0xFFFF)
    counter_reserve: int = _parameter(64, "OURS", "meter: counters stored ahead", low=1, high=1 << 20)
    sym_answer_timeout_s: float = _parameter(30.0, "OURS", "until a step of the pairing is answered, s", low=0)
    kdf_swap_directions: bool = _parameter(default=False, grade="IMPL", text="constants of K and L exchanged")
    kdf_zero_padding: bool = _parameter(default=False, grade="IMPL", text="key derivation padded with 00")
    data_padding: Literal["tr", "none_if_aligned", "zero"] = _parameter("tr", "IMPL", "of the data of a message")
    sym_length_lenient: bool = _parameter(default=True, grade="IMPL", text="a length field that is too small is fine")
    mac_length: int = _parameter(16, "BSI", "octets of the MAC: 16 or 8", low=8, high=16)
    reset_wait_s: float = _parameter(31.0, "OURS", "gateway: from the end of TLS to a crypto reset, s", low=0)
    plain_refusal: int = _parameter(0xFE02, "OURS", "attention for a plain request to a paired meter")
    strict_class: bool = _parameter(default=False, grade="OURS", text="whether class and version must fit as well")

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        _check(self)
        if self.mac_length not in {8, 16}:
            raise _refused("mac_length", "8 or 16", self.mac_length)
        for name in ("meter_cipher_order", "gateway_cipher_order"):
            order = getattr(self, name)
            if not order or not set(order) <= _SUITES:
                raise _refused(name, "any of C023, C02B, C024 and C02C", [f"{suite:04X}" for suite in order])

    @classmethod
    def describe(cls, name: str) -> str:
        """Meaning and grade of a parameter.

        Raises:
            KeyError: there is no such parameter.
        """
        return _describe(cls, name)


def _describe(cls: type[LmnProfile | SecurityProfile], name: str) -> str:
    metadata = {parameter.name: parameter.metadata for parameter in fields(cls)}[name]
    return f"{metadata['text']} ({metadata['grade']})"


def _check(profile: LmnProfile | SecurityProfile) -> None:
    for parameter in fields(profile):
        value, low, high = getattr(profile, parameter.name), parameter.metadata["low"], parameter.metadata["high"]
        if value is None or (low is None and high is None):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - not NaN
            raise _refused(parameter.name, "a number", value)
        if (low is not None and value < low) or (high is not None and value > high):
            wanted = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
            raise _refused(parameter.name, wanted, value)


def _refused(name: str, expected: str, found: object) -> ValueError:
    return ValueError(f"{name}: expected {expected}, found {shown(found)}")
