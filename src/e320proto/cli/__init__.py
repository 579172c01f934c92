"""The command ``e320``: decodes captures and explains identifiers in a terminal.

::

    main (here)   guards: missing extra, closed pipe, Ctrl-C, unwritable output -> exit status
      app         the commands and their options
        sources   files and standard input as streams of events, a progress bar
        table  json_lines  csv_rows  stats    what becomes of the events
        explain  demo  power_plot             identifiers; a day of the reference meter
        meter_run                             a meter that runs:
          meter_setup  meter_profile          what it needs before
          meter_keys  meter_screen            what a user does to it and sees of it
        report_run                            captures become a page
        gateway_run  gateway_words            meters on a bus are found, paired, read
          lmn_trace  lmn_layers  pcapng       every frame, in words and in a capture file
        record_run  record_tables             a line is recorded; recordings become tables
        lmn_demo                              three meters and a gateway in memory
        bridge_run  bridge_setup              meters are read for ever and handed on
          bridge_words  line_writer           what is told of that, and lines for slow readers

Exit status: 0 at least one telegram was decoded, 1 none was or a meter refused, 2 wrong usage, unreadable input or a
port that cannot be opened, 130 interrupted, 141 the reader of the output went away, 143 a meter that ran was ended.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRA = frozenset({"typer", "rich"})
_UNUSABLE, _INTERRUPTED, _CLOSED_PIPE = 2, 130, 141


def main(args: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        args: arguments without the name of the command; those of the process by default.

    Returns:
        The exit status.
    """
    _replace_closed()
    try:
        from e320proto.cli.app import run  # noqa: PLC0415 - only here a missing extra can be explained

        status = run(args)
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(f"e320: {error.name} is not installed, try: pip install e320proto[cli]\n")
        return _UNUSABLE
    except KeyboardInterrupt:
        _drop_output()
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return _CLOSED_PIPE
    except OSError as error:
        _drop_output()
        sys.stderr.write(f"e320: cannot write: {error.strerror or error}\n")
        return _UNUSABLE
    return status


def _replace_closed() -> None:
    """Put something in place of standard streams that are closed, as they may be for a service."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole process


def _drop_output() -> None:
    """Write what can be written; keep the interpreter from trying again, and complaining, when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with open(os.devnull, "wb") as sink:  # noqa: PTH123 - no path, a device
            os.dup2(sink.fileno(), sys.stdout.fileno())
