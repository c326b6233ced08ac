"""Build HTML from parts that are escaped by construction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from forensics.errors import printable


def esc(value: object) -> str:
    """Escape a name or identifier; control, bidi and undecodable characters become visible."""
    return escape(printable(str(value)), quote=True)


def prose(value: object) -> str:
    """Escape a sentence; line breaks and odd spaces become single spaces."""
    return esc(" ".join(str(value).split()))


def tag(name: str, *children: str, **attributes: object) -> str:
    """Return an element. Children are HTML already; attribute values are escaped here.

    Underscores in attribute names become hyphens and a trailing one is dropped (``class_``).
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{esc(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(children)}</{name}>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a captioned table in a box that scrolls on narrow screens; cells are HTML already."""
    header = tag("tr", *(tag("th", esc(cell), scope="col") for cell in head))
    body = "".join(tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    parts = tag("caption", esc(caption)) + tag("thead", header) + tag("tbody", body)
    return tag("div", tag("table", parts), class_="scroll")


def facts(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a two-column table of names and values; values are HTML already."""
    body = "".join(
        tag("tr", tag("th", esc(name), scope="row"), tag("td", value)) for name, value in rows
    )
    inner = tag("caption", esc(caption)) + tag("tbody", body)
    return tag("div", tag("table", inner, class_="facts"), class_="scroll")


def value_html(value: Any) -> str:
    """Return a plain JSON value for a reader: lists joined, mappings as ``name: value``."""
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{esc(key)}: {value_html(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(value_html(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return esc(value)


def label(name: str) -> str:
    """Turn an identifier such as ``median_score`` into words."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
