"""Elements of a page: text is escaped where it is put in, so nothing from a wire or a file name becomes markup.

What is made is well-formed as HTML and as XML.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final, TypeAlias, final

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@final
class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | int | None"


def text(plain: str) -> Markup:
    r"""Escape text; what XML cannot hold becomes the replacement character.

    >>> text('<b> & "c"\x00')
    '&lt;b&gt; &amp; &quot;c&quot;\ufffd'
    """
    return Markup(escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", plain)))


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """Make an element.

    Args:
        name: of the element.
        children: in order; ``None`` is nothing, markup stays as it is, anything else is escaped.
        attributes: ``_`` in a name is ``-``, one at its end is dropped; ``None`` leaves the attribute out.

    >>> element("p", "a < b", element("br"), class_="x", data_at=1)
    '<p class="x" data-at="1">a &lt; b<br/></p>'
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(f"{value:g}" if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup(f"<{name}{pairs}/>" if name in _VOID else f"<{name}{pairs}></{name}>")
    return Markup(f"<{name}{pairs}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Put children one behind the other.

    >>> joined("a&b", None, Markup("<i></i>"))
    'a&amp;b<i></i>'
    """
    return Markup(
        "".join(child if isinstance(child, Markup) else text(str(child)) for child in children if child is not None)
    )


_VOID: Final = frozenset({"br", "meta", "path", "rect", "line", "circle", "use"})
