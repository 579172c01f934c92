"""``e320 bridge`` and its options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from e320proto.cli.refusal import refuse


class Language(StrEnum):
    """Of the names in Home Assistant."""

    EN = "en"
    DE = "de"


def bridge(  # noqa: PLR0913 - each is an option
    *,
    urls: Annotated[
        list[str],
        typer.Argument(metavar="URL...", help="Lines with meters: /dev/ttyUSB0, tcp://HOST:PORT, rfc2217://HOST:PORT."),
    ],
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", metavar="URL", help="A broker: mqtt://HOST, or mqtts://HOST for TLS.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--mqtt-password-file", metavar="FILE", help="Or E320_MQTT_USERNAME and E320_MQTT_PASSWORD."),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--mqtt-ca", metavar="FILE", help="Certificates to trust, PEM; else the system's.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--mqtt-cert", metavar="FILE", help="Certificate to show to the broker, PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--mqtt-key", metavar="FILE", help="Its private key, PEM.")] = None,
    topic: Annotated[str, typer.Option("--topic", metavar="PREFIX", help="What all topics begin with.")] = "e320",
    home_assistant: Annotated[
        str,
        typer.Option("--home-assistant", metavar="PREFIX", help="Its discovery prefix; 'off' to tell it nothing."),
    ] = "homeassistant",
    language: Annotated[Language, typer.Option("--language", help="Of the names in Home Assistant.")] = Language.EN,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Of this bridge; each needs its own. Else the host's.")
    ] = None,
    buffer: Annotated[
        Path | None,
        typer.Option("--buffer", metavar="FILE", help="Keeps telegrams while the broker is away."),
    ] = None,
    buffer_limit: Annotated[
        int, typer.Option("--buffer-limit", metavar="N", min=1, help="Telegrams that it keeps; then the oldest go.")
    ] = 100_000,
    every: Annotated[
        float,
        typer.Option("--every", metavar="SECONDS", min=0, help="Hand on the last telegram of each interval only."),
    ] = 0.0,
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", metavar="HOST:PORT", help="Answer Prometheus under /metrics.")
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print each telegram as a line of JSON.")] = False,
) -> None:
    """Read meters for as long as it runs, and hand on what they say.

    To an MQTT broker, with everything that Home Assistant needs; to Prometheus; as lines of JSON; or to all of them.
    Telegrams that the broker cannot take wait on disk. SIGTERM ends it with exit status 0.
    """
    # Only here: whoever decodes a file does not wait for what a bridge needs.
    from e320proto.cli.bridge_run import BridgePlan, run_bridge  # noqa: PLC0415
    from e320proto.cli.meter_setup import UnusableError  # noqa: PLC0415

    plan = BridgePlan(
        urls=tuple(dict.fromkeys(urls)),
        mqtt=mqtt,
        password_file=password_file,
        ca=ca,
        certificate=certificate,
        key=key,
        topic=topic,
        home_assistant=None if home_assistant == "off" else home_assistant,
        language=language.value,
        name=name,
        buffer=buffer,
        buffer_limit=buffer_limit,
        every_s=every,
        prometheus=prometheus,
        jsonl=jsonl,
    )
    try:
        raise typer.Exit(run_bridge(plan))
    except UnusableError as error:
        refuse(str(error))
