"""The vectors of the base meter: constructed data and the manual's facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "base-meter.json").read_text(encoding="utf-8")
)
LMN_SML: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "lmn-sml.json").read_text(encoding="utf-8")
)
