"""``e320 gateway`` and its options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from e320proto.cli.refusal import refuse


class Action(StrEnum):
    """What ``e320 gateway`` does."""

    SCAN = "scan"
    PAIR = "pair"
    READ = "read"
    WATCH = "watch"
    SET = "set"
    CRYPTO_RESET = "crypto-reset"


def gateway(  # noqa: PLR0913 - each is an option
    *,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="The bus: /dev/ttyUSB0, serial:PATH?baud=N, rs485:PATH, tcp://HOST:PORT."),
    ],
    action: Annotated[Action, typer.Argument(help="What to do.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[CODE...]", help="read, watch: OBIS codes. set: a code and a value.")
    ] = None,
    meter_id: Annotated[
        str | None, typer.Option("--meter", "-m", metavar="ID", help="One meter; without, all that are found.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", "-k", metavar="FILE", help="Keys and certificates; only you may read it.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", "-t", metavar="SECONDS", min=0.1, help="Until it is given up; scan: how long it is."),
    ] = None,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0, help="watch: from reading to reading.")
    ] = 1.0,
    rounds: Annotated[
        int | None, typer.Option("--rounds", metavar="N", min=1, help="watch: end after so many readings.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show every frame on standard error, layer by layer.")] = False,
    pcapng: Annotated[
        Path | None, typer.Option("--pcapng", metavar="FILE", help="Write every frame to a capture file.")
    ] = None,
) -> None:
    """Talk to the meters on an LMN bus: find, pair, read, set.

    The exit status is 0 if all was done, 1 if a meter refused or did not answer, 2 if bus or keys cannot be used.
    """
    # Only here, as below.
    from e320proto.cli.gateway_run import GatewayPlan, run_gateway  # noqa: PLC0415
    from e320proto.cli.meter_setup import UnusableError  # noqa: PLC0415

    plan = GatewayPlan(
        url=url,
        action=action.value,
        arguments=tuple(arguments or ()),
        meter=meter_id,
        keys=keys,
        timeout_s=timeout,
        interval_s=interval,
        rounds=rounds,
        trace=trace,
        pcapng=pcapng,
    )
    try:
        raise typer.Exit(run_gateway(plan))
    except UnusableError as error:
        refuse(str(error))
