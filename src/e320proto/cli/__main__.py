"""``python -m e320proto.cli`` is the command ``e320``."""

from __future__ import annotations

import sys

from e320proto.cli import main

if __name__ == "__main__":
    sys.exit(main())
