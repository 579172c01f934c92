"""``e320 gateway``: finds meters on a bus, pairs them, reads and sets their objects."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.live import Live
from rich.table import Table

from e320proto.aio.gateway import Gateway
from e320proto.aio.key_file import FileKeyRing
from e320proto.cli.gateway_words import meter_name, reading_row, value_text
from e320proto.cli.lmn_trace import Trace
from e320proto.cli.meter_setup import UnusableError
from e320proto.cli.output import error_console, output_console, print_line, print_trimmed
from e320proto.cli.pcapng import PcapngWriter
from e320proto.errors import AttentionError, E320Error
from e320proto.identity import ServerId
from e320proto.obis import ObisCode
from e320proto.sml.messages import Integer, Unsigned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from e320proto.cli.output import OutputConsole
    from e320proto.lmn.requests import Result
    from e320proto.sml.messages import Value

_Action: TypeAlias = "Callable[[Gateway, GatewayPlan, OutputConsole], Awaitable[int]]"

OK, REFUSED = 0, 1
SCAN_S: Final = 12.0
"""How long a scan listens: an assignment, and the next one for those who answered at the same time."""
PATIENCE_S: Final = 60.0
_WATCHED: Final = ("1.8.0", "2.8.0", "16.7.0")
_TRUTHS: Final = {"true": True, "on": True, "false": False, "off": False}
_WIDTHS: Final = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPlan:
    """What was asked for on the command line.

    Args:
        url: of the pipe.
        action: a name of :data:`ACTIONS`.
        arguments: of the action: codes, a code and a value.
        meter: id of a meter; those that are found if not given.
        keys: file of keys.
        timeout_s: how long to listen or to wait; a default for each action if not given.
        interval_s: between two rounds of watching.
        rounds: of watching; without end if not given.
        trace: whether to show every frame.
        pcapng: file for frames.
    """

    url: str
    action: str
    arguments: tuple[str, ...] = ()
    meter: str | None = None
    keys: Path | None = None
    timeout_s: float | None = None
    interval_s: float = 1.0
    rounds: int | None = None
    trace: bool = False
    pcapng: Path | None = None

    @property
    def patience_s(self) -> float:
        """How long to wait for an answer."""
        return PATIENCE_S if self.timeout_s is None else self.timeout_s


def run_gateway(plan: GatewayPlan) -> int:
    """Do one thing on a bus.

    Returns:
        The exit status: 1 if a meter refused, did not answer or was not there.

    Raises:
        UnusableError: pipe, keys or arguments cannot be used.
        KeyboardInterrupt: Ctrl-C.
    """
    action, check = ACTIONS[plan.action]
    try:
        check(plan)
        return asyncio.run(_run(plan, action))
    except E320Error as error:
        raise UnusableError(str(error)) from error


async def _run(plan: GatewayPlan, action: _Action) -> int:
    with ExitStack() as stack:
        trace = None
        if plan.trace or plan.pcapng:
            capture = None
            if plan.pcapng:
                try:
                    capture = PcapngWriter(stack.enter_context(plan.pcapng.open("wb")))
                except OSError as error:
                    msg = f"cannot write {plan.pcapng}: {error.strerror or error}"
                    raise UnusableError(msg) from error
            trace = Trace(error_console() if plan.trace else None, capture)
        keys = None if plan.keys is None else FileKeyRing(plan.keys)
        async with Gateway(plan.url, keys=keys, listener=trace) as gateway:
            return await action(gateway, plan, output_console())


# --- actions ----------------------------------------------------------------------------------------


async def _scan(gateway: Gateway, plan: GatewayPlan, console: OutputConsole) -> int:
    await asyncio.sleep(SCAN_S if plan.timeout_s is None else plan.timeout_s)
    records = await gateway.meters(0)
    if not records:
        return _nobody()
    table = _table("meter", "server id", "address", "slot", "certificates")
    for record in records:
        paired = "yes" if gateway.keys_of(record.sensor_id).paired else "no"
        name = meter_name(record.sensor_id)
        table.add_row(name, record.sensor_id.hex(), str(record.address), str(record.slot), paired)
    print_trimmed(console, table)
    return OK


async def _pair(gateway: Gateway, plan: GatewayPlan, console: OutputConsole) -> int:
    async def pair(server_id: bytes) -> str:
        await gateway.pair(server_id, timeout_s=plan.patience_s)
        return "paired"

    return await _each(gateway, plan, console, pair)


async def _set(gateway: Gateway, plan: GatewayPlan, console: OutputConsole) -> int:
    code, text = plan.arguments

    async def write(server_id: bytes) -> str:
        await gateway.set_parameter(server_id, code, parse_value(text), timeout_s=plan.patience_s)
        return f"{ObisCode.parse(code)} is set"

    return await _each(gateway, plan, console, write)


async def _crypto_reset(gateway: Gateway, plan: GatewayPlan, console: OutputConsole) -> int:
    async def reset(server_id: bytes) -> str:
        await gateway.crypto_reset(server_id, timeout_s=plan.patience_s)
        return "keys and certificates as at delivery"

    return await _each(gateway, plan, console, reset)


async def _read(gateway: Gateway, plan: GatewayPlan, console: OutputConsole) -> int:
    server_ids = await _meters(gateway, plan)
    if not server_ids:
        return _nobody()
    status = OK
    for server_id in server_ids:
        result = await _result(gateway, plan, server_id, plan.arguments)
        print_line(console, meter_name(server_id), "bold")
        if isinstance(result, E320Error):
            print_line(error_console(), f"e320: {result}")
            status = REFUSED
            continue
        table = Table.grid(padding=(0, 2))
        for reading in result:
            table.add_row(*reading_row(reading))
            status |= isinstance(reading, AttentionError)
        print_trimmed(console, table)
    return int(status)


async def _watch(gateway: Gateway, plan: GatewayPlan, console: OutputConsole) -> int:
    codes = plan.arguments or _WATCHED
    live = Live(console=console, auto_refresh=False)
    shown = console.is_terminal and not console.is_dumb_terminal
    rounds = 0
    with live if shown else ExitStack():
        while plan.rounds is None or rounds < plan.rounds:
            begun = asyncio.get_running_loop().time()
            server_ids = await _meters(gateway, plan)
            if not server_ids and plan.rounds is not None:
                return _nobody()
            results = await asyncio.gather(*(_result(gateway, plan, server_id, codes) for server_id in server_ids))
            table = _table("meter", "second", *codes)
            for server_id, result in zip(server_ids, results, strict=True):
                table.add_row(meter_name(server_id), *_cells(result, len(codes)))
            if shown:
                live.update(table, refresh=True)
            else:
                print_trimmed(console, table)
                console.file.flush()
            rounds += 1
            if rounds != plan.rounds:
                await asyncio.sleep(max(0.0, begun + plan.interval_s - asyncio.get_running_loop().time()))
    return OK


async def _each(
    gateway: Gateway, plan: GatewayPlan, console: OutputConsole, act: Callable[[bytes], Awaitable[str]]
) -> int:
    """Act on each meter, and say what became of it."""
    server_ids = await _meters(gateway, plan)
    if not server_ids:
        return _nobody()
    status = OK
    for server_id in server_ids:
        try:
            print_line(console, f"{meter_name(server_id)}: {await act(server_id)}")
        except E320Error as error:
            print_line(error_console(), f"e320: {meter_name(server_id)}: {error}")
            status = REFUSED
    return status


async def _meters(gateway: Gateway, plan: GatewayPlan) -> Sequence[bytes]:
    if plan.meter is not None:
        return [bytes(ServerId.parse(plan.meter))]
    return [record.sensor_id for record in await gateway.meters(timeout_s=plan.patience_s)]


async def _result(gateway: Gateway, plan: GatewayPlan, server_id: bytes, codes: Sequence[str]) -> Result | E320Error:
    try:
        if codes:
            return await gateway.read(server_id, *codes, timeout_s=plan.patience_s)
        return await gateway.read_list(server_id, timeout_s=plan.patience_s)
    except E320Error as error:
        return error


def _cells(result: Result | E320Error, count: int) -> list[str]:
    if isinstance(result, E320Error):
        return ["", str(result), *[""] * (count - 1)]
    readings = [reading for reading in result if not isinstance(reading, AttentionError)]
    second = max((reading.sec_index or 0 for reading in readings), default=0)
    cells = ["refused" if isinstance(each, AttentionError) else value_text(each) for each in result]
    return [str(second or ""), *cells]


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name)
    return table


def _nobody() -> int:
    print_line(error_console(), "e320: nobody there: no meter has answered")
    return REFUSED


# --- arguments --------------------------------------------------------------------------------------


def parse_value(text: str) -> Value:
    r"""Read a value to be set: ``true``, ``false``, a whole number, or ``hex:`` and octets.

    Raises:
        UnusableError: it is none of them.

    >>> parse_value("on"), parse_value("300"), parse_value("hex:00ff")
    (True, Unsigned(value=300, width=2), b'\x00\xff')
    """
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    try:
        if text.startswith("hex:"):
            return bytes.fromhex(text.removeprefix("hex:"))
        number = int(text)
        if number >= 0:
            return Unsigned(number, next(width for width in _WIDTHS if number < 1 << 8 * width))
        return Integer(number, next(width for width in _WIDTHS if number >= -1 << 8 * width - 1))
    except (ValueError, StopIteration):
        msg = f"value: expected true, false, a whole number of 64 bit, or hex: and octets, found {text!r}"
        raise UnusableError(msg) from None


def _nothing_else(plan: GatewayPlan) -> None:
    if plan.arguments:
        msg = f"{plan.action}: expected nothing behind it, found {plan.arguments[0]!r}"
        raise UnusableError(msg)


def _codes(plan: GatewayPlan) -> None:
    for code in plan.arguments:
        ObisCode.parse(code)
    if plan.meter is not None:
        ServerId.parse(plan.meter)


def _one_meter(plan: GatewayPlan) -> None:
    if plan.meter is None:
        msg = f"{plan.action}: expected --meter ID, found none; it is for one meter only"
        raise UnusableError(msg)
    ServerId.parse(plan.meter)


def _check_pair(plan: GatewayPlan) -> None:
    _nothing_else(plan)
    if plan.keys is None:
        msg = "pair: expected --keys FILE with the meter's master_key, found none"
        raise UnusableError(msg)


def _check_set(plan: GatewayPlan) -> None:
    _one_meter(plan)
    if len(plan.arguments) != 2:  # noqa: PLR2004 - code and value
        msg = f"set: expected CODE VALUE, found {' '.join(plan.arguments) or 'nothing'}"
        raise UnusableError(msg)
    ObisCode.parse(plan.arguments[0])
    parse_value(plan.arguments[1])


def _check_reset(plan: GatewayPlan) -> None:
    _nothing_else(plan)
    _one_meter(plan)


ACTIONS: Final[dict[str, tuple[_Action, Callable[[GatewayPlan], None]]]] = {
    "scan": (_scan, _nothing_else),
    "pair": (_pair, _check_pair),
    "read": (_read, _codes),
    "watch": (_watch, _codes),
    "set": (_set, _check_set),
    "crypto-reset": (_crypto_reset, _check_reset),
}
"""What can be done, and what its arguments have to be."""
