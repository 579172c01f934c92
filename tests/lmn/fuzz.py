"""Coverage-guided fuzzing of the targets beside this file with ``atheris``, which is no dependency: install it first.

In the folder of the project: ``python -m tests.lmn.fuzz TARGET``, then options of libFuzzer such as
``-max_total_time=60``.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Fuzz the target that the command line names."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["e320proto"]):
        targets = importlib.import_module("tests.lmn.fuzzing").TARGETS
    if len(sys.argv) == 1 or sys.argv[1] not in targets:
        sys.exit(f"expected one of {', '.join(targets)}")
    target = targets[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
