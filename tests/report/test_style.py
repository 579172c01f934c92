"""Colours: enough contrast for text and for lines, in both schemes."""

from __future__ import annotations

import re

import pytest

from e320proto.report.style import DARK, LIGHT, STYLE

SCHEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


def linear(part: int) -> float:
    return part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4


def channels(colour: str) -> list[float]:
    return [linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5)]


def luminance(parts: list[float]) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: str, other: str) -> float:
    """As WCAG 2.1 defines it."""
    dark, light = sorted(luminance(channels(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@SCHEMES
@pytest.mark.parametrize("name", ["text", "quiet", "import", "export", "trouble"])
def test_text_can_be_read(colours: dict[str, str], name: str) -> None:
    assert contrast(colours[name], colours["paper"]) >= 4.5


@SCHEMES
@pytest.mark.parametrize("name", ["import", "export"])
def test_lines_are_seen_in_gaps_too(colours: dict[str, str], name: str) -> None:
    assert contrast(colours[name], colours["gap"]) >= 3


# How people without red, green or blue receptors see linear colours (Machado, Oliveira, Fernandes 2009, severity 1).
DEFECTS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@SCHEMES
@pytest.mark.parametrize("defect", DEFECTS)
def test_import_and_export_differ_for_everyone(colours: dict[str, str], defect: str) -> None:
    seen = [
        [
            sum(weight * part for weight, part in zip(row, channels(colours[name]), strict=True))
            for row in DEFECTS[defect]
        ]
        for name in ("import", "export")
    ]
    assert max(abs(one - other) for one, other in zip(*seen, strict=True)) > 0.15


def test_the_style_sheet_loads_nothing() -> None:
    assert not re.search(r"url\(|@import|https?:", STYLE)
