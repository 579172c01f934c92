"""The page in a real browser without a network: both colour schemes, a phone, nothing loaded, no complaint."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from e320proto.report.page import report_page
from e320proto.report.style import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.report.conftest import Collect, Push

Image: Any = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--proxy-server=127.0.0.1:9",  # nobody listens there
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
DARK_SCHEME = "--blink-settings=preferredColorScheme=0"
PLOT_PX = 300


class Seen(NamedTuple):
    """What came of a page."""

    picture: Any
    console: list[str]


@pytest.fixture(scope="module")
def page(collect: Collect, push: Push) -> str:
    """Two hours with both directions, a gap, damage and noise."""
    frames = []
    for second in range(0, 7200, 4):
        watts = 400 if second < 3600 else -900
        imported, exported = min(second, 3600) // 2, max(second - 3600, 0)
        frame = push(second, imported=imported, exported=exported, watts=watts, status=0x1C0104 + 0x800 * (watts < 0))
        if 2000 <= second < 2300:
            continue
        frames.append(frame[:90] + b"\x00" + frame[91:] if second == 5000 else frame)
    return report_page(collect(frames), version="0")


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., Seen]:
    def run(text: str, width: int, height: int, *flags: str) -> Seen:
        file, picture = tmp_path / "page.html", tmp_path / "page.png"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - the browser found above, our own page
            [
                str(CHROMIUM),
                *FLAGS,
                *flags,
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--window-size={width},{height}",
                f"--screenshot={picture}",
                file.as_uri(),
            ],
            capture_output=True,
            check=True,
            timeout=60,
        )
        console = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        with Image.open(picture) as image:
            return Seen(image.convert("RGB"), console)

    return run


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def count(picture: Any, colour: str) -> int:  # noqa: ANN401 - Pillow is optional
    """Pixels near enough to a colour: lines are drawn with soft edges."""
    wanted = rgb(colour)
    colours = picture.getcolors(picture.width * picture.height)
    return sum(
        number for number, found in colours if max(abs(one - two) for one, two in zip(found, wanted, strict=True)) <= 60
    )


def plots_only(page: str, name: str) -> tuple[str, int]:
    """The plots of one size below each other, each in a box of a known height; and their number."""
    style = re.search(r"<head>.*</head>", page, re.DOTALL)
    plots = re.findall(rf'<svg [^>]*class="{name}".*?</svg>', page, re.DOTALL)
    assert style
    boxes = "".join(f'<div class="plot">{plot}</div>' for plot in plots)
    head = style[0].replace(
        "</head>", f"<style>body{{padding:0}}.plot{{height:{PLOT_PX}px;overflow:hidden}}</style></head>"
    )
    head = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", head)
    return f"<!DOCTYPE html><html>{head}<body>{boxes}</body></html>", len(plots)


@pytest.mark.parametrize(
    ("name", "width", "flags", "colours"),
    [("wide", 1000, (), LIGHT), ("wide", 1000, (DARK_SCHEME,), DARK), ("narrow", 400, (), LIGHT)],
    ids=["light", "dark", "phone"],
)
def test_every_plot_shows_import_and_export(
    browse: Callable[..., Seen], page: str, name: str, width: int, flags: tuple[str, ...], colours: dict[str, str]
) -> None:
    text, plots = plots_only(page, name)
    assert plots == 3
    picture = browse(text, width, plots * PLOT_PX, *flags).picture
    for plot in range(plots):
        part = picture.crop((0, plot * PLOT_PX, width, (plot + 1) * PLOT_PX))
        assert part.getpixel((0, PLOT_PX - 1)) == rgb(colours["paper"])
        for direction in ("import", "export"):
            assert count(part, colours[direction]) > 100, f"plot {plot} shows no {direction}"


def test_the_colours_are_those_of_the_plots(browse: Callable[..., Seen], page: str) -> None:
    """The check above can fail: without what is drawn in a colour, next to nothing has it."""
    text, plots = plots_only(page, "wide")
    bare = re.sub(r'<(path|rect) class="[^"]*(import|export)[^"]*"', r"<\1", text)
    picture = browse(bare, 1000, plots * PLOT_PX).picture
    assert max(count(picture, LIGHT[direction]) for direction in ("import", "export")) < 30


def test_the_page_opens_without_network_or_complaint(browse: Callable[..., Seen], page: str) -> None:
    seen = browse(page, 1000, 1400, DARK_SCHEME)
    assert seen.console == []
    assert seen.picture.getpixel((3, 3)) == rgb(DARK["paper"]), "the style sheet applies"
    assert count(seen.picture, DARK["text"]) > 500


def test_a_phone_shows_no_more_than_fits(browse: Callable[..., Seen], page: str) -> None:
    """What is wider than the screen scrolls in its own box: the page is as narrow as the screen."""
    probe = page.replace("<body>", '<body><script>document.title="x"</script>')
    assert len(browse(probe, 400, 800).console) == 1, "no script runs, not even one that came with the page"
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    measure = "<script>console.log('width ' + document.documentElement.scrollWidth)</script></body>"
    seen = browse(free.replace("</body>", measure), 500, 800)
    assert any('"width 500"' in line for line in seen.console)


def test_the_policy_forbids_what_the_page_does_not_hold(browse: Callable[..., Seen], page: str) -> None:
    """The check above can fail: whatever would load something is refused, and the browser says so."""
    insert = '<img src="http://127.0.0.1:9/x.png"/><link rel="stylesheet" href="http://127.0.0.1:9/x.css"/>'
    console = browse(page.replace("<main>", f"<main>{insert}"), 500, 500).console
    assert len(console) == 2
    assert all("Content Security Policy" in line for line in console)
