"""The links of a project page in HTML, as they stand in the text.

Owns the tags and attributes that the Simple API uses; `engine.index.page` says
what they mean.  Pure; imported only when an index answers with HTML.

The pages of index servers are plain: nothing but links with quoted attributes
and line breaks.  Those are read with one regular expression, in a quarter
of the time that the standard library's parser takes; whatever is not provably
plain goes through that parser, and the answer is the same.

Source: PEP 503, "Specification".
"""

import re
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple

_PLAIN_TAG = re.compile(
    r'<(?:a((?:[ \t\r\n]+[a-z-]+="[^"<>]*")+)[ \t\r\n]*|/[a-zA-Z0-9]+|br ?/?|hr ?/?|li|p|td|tr)>',
)
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_PLAIN_HEAD_TAG = re.compile(
    r"""<(?:!doctype|/?(?:html|head|body|title|meta|base|link|h1|pre|ul|table))\b(?:[^<>"']|"[^"<>]*"|'[^'<>]*')*>""",
    re.IGNORECASE,
)
#: One project's files share a few values of data-requires-python.
_unescape = lru_cache(maxsize=1024)(unescape)
#: An ampersand that begins no complete character reference: how it is read depends on what follows.
_STRAY_AMPERSAND = re.compile(r"&(?!(?:[a-z]+|#[0-9]+|#x[0-9a-f]+);)", re.IGNORECASE)


class Anchor(NamedTuple):
    """One `<a>`: its link and its data attributes, None where there are none."""

    href: str
    requires_python: str | None
    yanked: str | None
    core_metadata: str | None


class Document(NamedTuple):
    """`base` is the first `<base href>`, `meta` maps the names of `<meta>` tags to their content."""

    base: str | None
    meta: dict[str, str]
    anchors: list[Anchor]


def read_anchors(text: str) -> Document:
    """Returns what the page says, however broken its markup is.

    Raises:
        ValueError, AssertionError: when the standard library's parser gives up.
    """
    start = text.find("<a ")
    plain = None if start < 0 or not _is_plain_head(text[:start]) else _read_plainly(text[start:])
    parser = _Parser()
    parser.feed(text if plain is None else text[:start])
    parser.close()
    return Document(parser.base, parser.meta, parser.anchors if plain is None else plain)


def _is_plain_head(head: str) -> bool:
    """Tells whether what stands before the first link leaves nothing open that could swallow a link."""
    lower = head.lower()
    return len(_PLAIN_HEAD_TAG.findall(head)) == head.count("<") and lower.rfind("<title") <= lower.rfind("</title>")


def _read_plainly(body: str) -> list[Anchor] | None:
    """Returns the links, or None when there is any tag but the few that are expected."""
    tags: list[str] = _PLAIN_TAG.findall(body)
    # A match has exactly one "<": equal counts mean that every "<" begins a tag that was understood.
    if len(tags) != body.count("<") or _STRAY_AMPERSAND.search(body) is not None:
        return None
    anchors = []
    for attributes in tags:
        if attributes:
            found: dict[str, str | None] = dict(_ATTRIBUTE.findall(attributes))
            if "&" in attributes:
                found = {name: _unescape(value) if value and "&" in value else value for name, value in found.items()}
            anchor = _anchor(found)
            if anchor is not None:
                anchors.append(anchor)
    return anchors


def _anchor(found: dict[str, str | None]) -> Anchor | None:
    href = (found.get("href") or "").strip()
    if not href:
        return None
    # PEP 714: the old name only counts where the new one is missing.
    key = "data-core-metadata" if "data-core-metadata" in found else "data-dist-info-metadata"
    yanked = (found["data-yanked"] or "") if "data-yanked" in found else None
    return Anchor(href, found.get("data-requires-python"), yanked, found.get(key))


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.meta: dict[str, str] = {}
        self.anchors: list[Anchor] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a":
            anchor = _anchor(found)
            if anchor is not None:
                self.anchors.append(anchor)
        elif tag == "base" and self.base is None:
            self.base = (found.get("href") or "").strip() or None
        elif tag == "meta":
            self.meta.setdefault(found.get("name") or "", found.get("content") or "")
