"""The links of a project page in HTML, as they stand in the text.

Owns the tags and attributes that the Simple API uses; `engine.index.page` says
what they mean.  Pure; imported only when an index answers with HTML.

Source: PEP 503, "Specification".
"""

from html.parser import HTMLParser
from typing import NamedTuple


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
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return Document(parser.base, parser.meta, parser.anchors)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.meta: dict[str, str] = {}
        self.anchors: list[Anchor] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            found = dict(attrs)
            href = (found.get("href") or "").strip()
            if href:
                # PEP 714: the old name only counts where the new one is missing.
                key = "data-core-metadata" if "data-core-metadata" in found else "data-dist-info-metadata"
                yanked = (found["data-yanked"] or "") if "data-yanked" in found else None
                self.anchors.append(Anchor(href, found.get("data-requires-python"), yanked, found.get(key)))
        elif tag == "base" and self.base is None:
            self.base = (dict(attrs).get("href") or "").strip() or None
        elif tag == "meta":
            found = dict(attrs)
            self.meta.setdefault(found.get("name") or "", found.get("content") or "")
