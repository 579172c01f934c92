"""Every error this library raises or reports.

::

    E320Error(Exception)                      never raised itself
    ├ DecodeError(E320Error, ValueError)      not in the grammar: reason, offset, path, source
    │ ├ TruncatedError                        needed
    │ ├ ChecksumError                         expected, actual, algorithm, computed
    │ └ LimitError                            limit, maximum, actual
    ├ EncodeError(E320Error, ValueError)      value has no encoding: reason, path, value
    ├ ProtocolError(E320Error)                good octets, wrong moment: state, expected, actual
    │ ├ LocalProtocolError                    the caller's doing; state unchanged
    │ └ RemoteProtocolError                   the peer's doing; reply = what to answer
    │   └ AttentionError                      it refuses a request: number
    ├ SecurityError(E320Error)                TLS, certificate, pairing: alert; cause chained
    └ TransportError(E320Error, OSError)      connections only
      ├ ResponseTimeout(TransportError, TimeoutError)
      └ EndOfReplay                           a recording is at its end

``reason`` is a short stable word for programs (``"bad_crc"``); ``str(error)`` is a sentence for
people that says what was expected, what was found and where. Nothing else escapes from this
library for what the wire carried: no ``IndexError``, ``struct.error`` or ``RecursionError``.

Errors compare by value and survive pickling, so events can be compared and sent between processes.
"""

from __future__ import annotations

from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SHOWN_BITS = 128
_SHOWN_OCTETS = 24
_SHOWN_CHARACTERS = 160


class _Short(Repr):
    """``repr`` that ends soon: of containers some items, of long texts the start and the end."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = 62
        self.maxother = 120

    def repr1(self, x: object, level: int) -> str:
        if isinstance(x, int) and x.bit_length() > _SHOWN_BITS:  # Python refuses to write out long ones
            return f"an integer of {x.bit_length()} bits"
        if isinstance(x, bytes) and len(x) > _SHOWN_OCTETS:
            return f"{bytes(x[: _SHOWN_OCTETS // 2])!r}... ({len(x)} octets)"
        try:
            return super().repr1(x, level)
        except Exception:  # noqa: BLE001 - whatever a value's own repr raises
            return f"a value of type {type(x).__name__}"

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - the signature of Repr
        text = repr(x)
        half = self.maxother // 2
        return text if len(text) <= self.maxother else f"{text[:half]}...{text[-half:]}"


_short = _Short().repr


def shown(value: object) -> str:
    """Show a value in an error: like ``repr``, but never long and never an error itself.

    >>> shown(300), shown(10**5000), shown(bytes(5_000_000))[-19:]
    ('300', 'an integer of 16610 bits', '... (5000000 octets)')
    """
    text = _short(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def _restore(
    cls: type[E320Error], made_of: tuple[object, ...], args: tuple[object, ...], state: dict[str, object]
) -> E320Error:
    error = cls.__new__(cls, *made_of)
    error.args = args
    error.__dict__.update(state)
    return error


class E320Error(Exception):
    """Base of all errors of this library; catch it to catch them all.

    >>> issubclass(DecodeError, E320Error) and issubclass(DecodeError, ValueError)
    True
    """

    def __eq__(self, other: object) -> bool:
        """Two errors are equal when they say the same about the same octets."""
        if type(other) is not type(self):
            return NotImplemented
        return self.args == other.args and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), self.args))

    def __reduce__(self) -> tuple[Callable[..., E320Error], tuple[object, ...]]:
        # Of an OSError the file name is no part of args, but of what it is made of.
        made_of = super().__reduce__()[1]
        return _restore, (type(self), made_of, self.args, dict(self.__dict__))


class DecodeError(E320Error, ValueError):
    """Octets or text that are not in the grammar.

    Args:
        reason: stable word, for example ``"reserved_type"``; the words of SML are listed in
            ``docs/sml.md``.
        detail: what was expected and what was found.
        offset: where, in octets from the start of what was decoded; ``None`` for text.
        path: field path inside a message, for example ``"val_list[3].scaler"``.
        source: document and clause that was violated.

    >>> str(DecodeError("reserved_type", "expected an SML type, found type bits 001", offset=3))
    'expected an SML type, found type bits 001, at offset 3'
    """

    def __init__(
        self, reason: str, detail: str, *, offset: int | None = None, path: str = "", source: str = ""
    ) -> None:
        where = "" if offset is None else f", at offset {offset}"
        field = f" ({path})" if path else ""
        super().__init__(f"{detail}{where}{field}")
        self.reason = reason
        self.detail = detail
        self.offset = offset
        self.path = path
        self.source = source


class TruncatedError(DecodeError):
    """The input ends inside an element or a frame; ``needed`` octets are missing at least.

    >>> TruncatedError("truncated", "expected 4 more octets", needed=4, offset=7).needed
    4
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        needed: int,
        offset: int | None = None,
        path: str = "",
        source: str = "",
    ) -> None:
        super().__init__(reason, detail, offset=offset, path=path, source=source)
        self.needed = needed


class ChecksumError(DecodeError):
    """A checksum that does not match.

    ``computed`` maps every algorithm tried to its value; ``algorithm`` and ``expected`` are the
    first of them, ``actual`` is the value found. All are in wire order: the number that the two
    octets show when read high octet first.

    >>> error = ChecksumError("bad_crc", {"x25": 0x6E90, "kermit": 0x2189}, 0x1234, offset=0)
    >>> error.algorithm, hex(error.expected), hex(error.actual)
    ('x25', '0x6e90', '0x1234')
    >>> str(error)
    'expected CRC 6E90 (x25) or 2189 (kermit), found 1234, at offset 0'
    """

    def __init__(
        self,
        reason: str,
        computed: Mapping[str, int],
        actual: int,
        *,
        offset: int | None = None,
        path: str = "",
        source: str = "",
    ) -> None:
        wanted = " or ".join(f"{value:04X} ({name})" for name, value in computed.items())
        super().__init__(reason, f"expected CRC {wanted}, found {actual:04X}", offset=offset, path=path, source=source)
        self.computed = dict(computed)
        self.algorithm, self.expected = next(iter(self.computed.items()))
        self.actual = actual


class LimitError(DecodeError):
    """Input beyond a limit of :class:`e320proto.Limits`: ``limit`` names it.

    >>> error = LimitError("too_deep", "max_depth", 32, 33, offset=32)
    >>> str(error)
    'expected at most 32 (max_depth), found 33, at offset 32'
    """

    def __init__(
        self,
        reason: str,
        limit: str,
        maximum: int,
        actual: int,
        *,
        offset: int | None = None,
        path: str = "",
        source: str = "",
    ) -> None:
        detail = f"expected at most {shown(maximum)} ({limit}), found {shown(actual)}"
        super().__init__(reason, detail, offset=offset, path=path, source=source)
        self.limit = limit
        self.maximum = maximum
        self.actual = actual


class EncodeError(E320Error, ValueError):
    """A value that has no encoding: ``value`` is the whole of it, the text shows it in short.

    >>> str(EncodeError("out_of_range", "expected 0 to 255", path="group_no", value=300))
    'expected 0 to 255, found 300 (group_no)'
    """

    def __init__(self, reason: str, detail: str, *, path: str = "", value: object = None) -> None:
        field = f" ({path})" if path else ""
        super().__init__(f"{detail}, found {shown(value)}{field}")
        self.reason = reason
        self.path = path
        self.value = value


class ProtocolError(E320Error):
    """Good octets at the wrong moment: ``state`` is where the machine was.

    >>> str(LocalProtocolError("send", state="CLOSED", expected="an open link", actual="send"))
    'send: expected an open link, found send, in state CLOSED'
    """

    def __init__(self, reason: str, *, state: str, expected: str, actual: str) -> None:
        super().__init__(f"{reason}: expected {expected}, found {actual}, in state {state}")
        self.reason = reason
        self.state = state
        self.expected = expected
        self.actual = actual


class LocalProtocolError(ProtocolError):
    """The caller asked for something that the present state does not allow; nothing changed."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; ``reply`` is what to answer, ``None`` for silence."""

    def __init__(self, reason: str, *, state: str, expected: str, actual: str, reply: bytes | None = None) -> None:
        super().__init__(reason, state=state, expected=expected, actual=actual)
        self.reply = reply


class AttentionError(RemoteProtocolError):
    """The peer refuses a request; ``number`` is its attention number, such as 0xFE0A.

    >>> error = AttentionError(0xFE0A, "crypto reset", meaning="order not executed")
    >>> str(error)
    'attention: expected crypto reset, found FE0A, order not executed, in state ANSWERED'
    """

    def __init__(self, number: int | None, request: str, *, meaning: str) -> None:
        shown_number = "an unknown attention" if number is None else f"{number:04X}"
        super().__init__("attention", state="ANSWERED", expected=request, actual=f"{shown_number}, {meaning}")
        self.number = number
        self.request = request
        self.meaning = meaning


class SecurityError(E320Error):
    """TLS, a certificate or the pairing failed; ``alert`` is the TLS alert, if there is one."""

    def __init__(self, detail: str, *, alert: str | None = None) -> None:
        super().__init__(detail)
        self.alert = alert


class TransportError(E320Error, OSError):
    """A connection (serial port, socket, pseudo-terminal) failed."""


class ResponseTimeout(TransportError, TimeoutError):
    """The peer did not answer in time."""


class EndOfReplay(TransportError):
    """A recording that is replayed is at its end."""
