"""The table of the symmetric exchange, what it can fail in, and what its two ends report.

::

    IDLE --01--> S1 --02--> S2 --03--> S3 --04--> S4 --05--> DONE
                 ^          |          |          |
                 +----01----+----------+----------+            anything else: a failure, and IDLE

Source: LMN security, 6.5 and 6.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from e320proto.lmn.pairing_message import Algorithms, Command

if TYPE_CHECKING:
    from e320proto.errors import DecodeError, RemoteProtocolError, SecurityError
    from e320proto.lmn.certificates import Credentials


class Check(Enum):
    """What an exchange can fail in; a message is checked in this order, and what follows it is about silence."""

    LENGTH = "length"
    MAC = "mac"
    COUNTER = "counter"
    ORDER = "order"
    PADDING = "padding"
    CONTENT = "content"
    ANSWER = "answer"
    LINK = "link"


class PairingState(Enum):
    """Where a meter is: the table of its transitions is :data:`NEXT`; a gateway is where its meter would be."""

    IDLE = "no exchange"
    S1 = "counter told"
    S2 = "algorithms told"
    S3 = "credentials staged"
    S4 = "gateway certificate staged"
    DONE = "paired"
    FAILED = "failed"  # gateway only


NEXT: Final = {
    # request                       from                  to
    (Command.COUNTER, PairingState.IDLE): PairingState.S1,
    (Command.COUNTER, PairingState.S1): PairingState.S1,
    (Command.COUNTER, PairingState.S2): PairingState.S1,
    (Command.COUNTER, PairingState.S3): PairingState.S1,
    (Command.COUNTER, PairingState.S4): PairingState.S1,
    (Command.ALGORITHMS, PairingState.S1): PairingState.S2,
    (Command.CREDENTIALS, PairingState.S2): PairingState.S3,
    (Command.GATEWAY_CERTIFICATE, PairingState.S3): PairingState.S4,
    (Command.MAX_FRAGMENT, PairingState.S4): PairingState.DONE,
}
"""The transitions: what is not here is refused."""


@dataclass(frozen=True, slots=True)
class Paired:
    """The exchange is complete: both ends have the certificates.

    Args:
        credentials: certificate and private key of the meter.
        gateway_certificate: what the meter expects in TLS.
        algorithms: what the meter can do.
        max_fragment: what the meter says about its largest fragment, octets.
    """

    credentials: Credentials
    gateway_certificate: bytes
    algorithms: Algorithms
    max_fragment: int


@dataclass(frozen=True, slots=True)
class PairingFailed:
    """The exchange has failed; a meter answers nothing and its link is to be disconnected.

    Args:
        check: in what.
        step: the request that was under way at the gateway, the command that came at the meter; ``None``
            where there is none, or none that is authentic.
        error: what was expected and found.
        may_be_paired: of a gateway, whether the meter may have kept what it got, since only the last answer is
            missing: try TLS with the new credentials.
    """

    check: Check
    step: Command | None
    error: DecodeError | SecurityError | RemoteProtocolError
    may_be_paired: bool = False


PairingEvent = Paired | PairingFailed
"""What the two machines report."""
