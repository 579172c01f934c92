"""How a page looks: colours of both schemes, and the style sheet."""

from __future__ import annotations

from typing import Final

LIGHT: Final = {
    "paper": "#ffffff",
    "panel": "#f5f7f9",
    "text": "#1a1f26",
    "quiet": "#55606c",
    "rule": "#d4dae0",
    "import": "#0b5fb0",
    "export": "#a94f00",
    "trouble": "#b0123f",
    "gap": "#e3e7ec",
}
"""Colours on white. Blue and orange are told apart by people who see no red or no green."""

DARK: Final = {
    "paper": "#12161b",
    "panel": "#1a2027",
    "text": "#e4e8ec",
    "quiet": "#9ca7b3",
    "rule": "#333c46",
    "import": "#66b0ff",
    "export": "#f2a33c",
    "trouble": "#ff7d9c",
    "gap": "#29313a",
}
"""Colours where the reader prefers a dark screen."""


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


_RULES: Final = """\
*{box-sizing:border-box}
html{font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;background:var(--paper);
color:var(--text);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:66rem;padding:1.2rem 1.2rem 3rem}
h1{font-size:1.5rem;margin:0 0 .2rem}
h2{font-size:1.25rem;margin:2.2rem 0 .2rem;padding-top:1rem;border-top:2px solid var(--text)}
h3{font-size:1rem;margin:1.8rem 0 .3rem}
p{margin:.2rem 0 .5rem;max-width:48rem}
a{color:var(--import)}
.quiet,figcaption,caption{color:var(--quiet);font-size:.87rem}
.import{color:var(--import)}.export{color:var(--export)}.trouble{color:var(--trouble)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1px;margin:1rem 0;padding:1px;
background:var(--rule);border-radius:4px;overflow:hidden}
.tiles div{background:var(--paper);padding:.5rem .7rem}
.tiles dt{color:var(--quiet);font-size:.8rem}
.tiles dd{margin:0;font-size:1.15rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tiles small{display:block;font-weight:400;font-size:.8rem;color:var(--quiet)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:.6rem 0}
.facts>div{display:contents}
.facts dt{color:var(--quiet)}
.facts dd{margin:0;overflow-wrap:anywhere}
figure{margin:.4rem 0 .6rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--quiet);
font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .zero{stroke:var(--quiet);stroke-width:1}
svg .gap{fill:var(--gap)}
svg .break{stroke:var(--trouble);stroke-width:1;stroke-dasharray:3 3}
svg .marks{stroke:var(--trouble);stroke-width:1.5}
svg path{fill:none}
svg .band{stroke-opacity:.38}
svg .line{stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
svg path.import{stroke:var(--import)}svg path.export{stroke:var(--export)}
svg rect.import{fill:var(--import)}svg rect.export{fill:var(--export)}
svg .tariff1{stroke-dasharray:7 3}svg .tariff2{stroke-dasharray:2 3}svg .tariff3{stroke-dasharray:7 3 2 3}
svg .tariff4{stroke-dasharray:12 4}
svg rect.partly{fill-opacity:.3;stroke-width:.8;stroke-dasharray:2 2}
svg rect.partly.import{stroke:var(--import)}svg rect.partly.export{stroke:var(--export)}
svg .hit{fill:var(--text);fill-opacity:0}svg .hit:hover{fill-opacity:.1}
.narrow{display:none}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem}
.legend svg{display:inline-block;width:1.6rem;height:.7rem;margin-right:.35rem;vertical-align:-.05rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums;margin:.3rem 0}
caption{text-align:left;padding-bottom:.2rem}
th,td{text-align:left;vertical-align:top;padding:.16rem .9rem .16rem 0;border-bottom:1px solid var(--rule)}
thead th{font-weight:600;color:var(--quiet);white-space:nowrap}
tbody th{font-weight:400}
.n{text-align:right;white-space:nowrap}
.t{white-space:nowrap}
.wide-words{min-width:16rem}
.octets{display:inline-block;max-width:15rem;white-space:normal;overflow-wrap:anywhere}
tr.partly td,tr.partly th{color:var(--quiet)}
details{margin:.15rem 0}
summary{cursor:pointer;font-variant-numeric:tabular-nums;padding:.1rem 0}
summary:focus-visible,.scroll:focus-visible,a:focus-visible{outline:2px solid var(--import);outline-offset:2px}
footer{margin-top:2.5rem;padding-top:.6rem;border-top:1px solid var(--rule)}
@media (max-width:40rem){body{padding:.8rem .8rem 2rem}.wide{display:none}.narrow{display:block}
.tiles{grid-template-columns:repeat(2,1fr)}}
@media print{html{font-size:11px}body{max-width:none;padding:0}h2,h3,figcaption{break-after:avoid}
figure,tr,.tiles{break-inside:avoid}.wide{display:block}.narrow{display:none}.scroll{overflow:visible}
svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

STYLE: Final = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}\n{_RULES}"
)
"""The style sheet. Paper is white for whoever prefers dark screens, too."""
