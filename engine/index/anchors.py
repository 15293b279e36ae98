"""The links of a project page in HTML, as they stand in the text.

Owns the tags and attributes that the Simple API uses; `engine.index.page` says
what they mean.  Pure; imported only when an index answers with HTML.

The pages of index servers are plain: nothing but links with quoted attributes
and line breaks.  Those are read with one regular expression; whatever is not
provably plain is read tag by tag, and the answer is the same.  The standard
library's parser is not used: in several of its versions the time for a page whose
tags never end grows with the square of its length.

Source: PEP 503, "Specification"; HTML, "Tokenization".
"""

import re
from functools import lru_cache
from html import unescape
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

#: What begins a tag (its name is the group), a comment, a declaration or an end tag; any other "<" is text.
_OPENING = re.compile(r"<(?:([a-zA-Z][^\s/>]*)|!--|[!?]|/[a-zA-Z])")
_ATTRIBUTE_NAME = re.compile(r"[\s/]*([^\s/>][^\s/>=]*)")
_OPEN_QUOTE = re.compile(r"\s*=\s*([\"'])")
_PLAIN_VALUE = re.compile(r"\s*=\s*([^\s>]*)")
#: Elements whose content is text up to their end tag.
_RAW_TEXT = {tag: re.compile(rf"</{tag}\b", re.IGNORECASE) for tag in ("script", "style", "textarea", "title")}


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
    """Returns what the page says, however broken its markup is."""
    start = text.find("<a ")
    plain = None if start < 0 or not _is_plain_head(text[:start]) else _read_plainly(text[start:])
    document = _read_tags(text if plain is None else text[:start])
    return document if plain is None else document._replace(anchors=plain)


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


def _read_tags(text: str) -> Document:
    """Reads any markup, as a browser's tokenizer would, in a time that grows with its length alone.

    Whatever is begun and never ended (a comment, a quoted value, a script) takes the rest of the page with it.
    """
    base: str | None = None
    meta: dict[str, str] = {}
    anchors: list[Anchor] = []
    at = 0
    while at >= 0 and (opening := _OPENING.search(text, at)) is not None:
        if opening[1] is None:
            # "<!-->" is a whole comment.
            at = _after(text, "-->", opening.end() - 2) if opening[0] == "<!--" else _after(text, ">", opening.end())
            continue
        attributes, at = _read_attributes(text, opening.end())
        if at < 0:
            break
        tag = opening[1].lower()
        if tag == "a":
            anchor = _anchor(attributes)
            if anchor is not None:
                anchors.append(anchor)
        elif tag == "base" and base is None:
            base = (attributes.get("href") or "").strip() or None
        elif tag == "meta":
            meta.setdefault(attributes.get("name") or "", attributes.get("content") or "")
        elif tag in _RAW_TEXT:
            closing = _RAW_TEXT[tag].search(text, at)
            at = -1 if closing is None else closing.start()
    return Document(base, meta, anchors)


def _after(text: str, end: str, at: int) -> int:
    """Returns where `end` has ended; -1 where there is none."""
    found = text.find(end, at)
    return -1 if found < 0 else found + len(end)


def _read_attributes(text: str, at: int) -> tuple[dict[str, str | None], int]:
    """Returns the attributes of a tag and where it ends; -1 where it never does."""
    found: dict[str, str | None] = {}
    while (name := _ATTRIBUTE_NAME.match(text, at)) is not None:
        quote = _OPEN_QUOTE.match(text, name.end())
        if quote is not None:
            at = _after(text, quote[1], quote.end())
            if at < 0:
                return found, -1
            value: str | None = text[quote.end() : at - 1]
        else:
            plain = _PLAIN_VALUE.match(text, name.end())
            value, at = (None, name.end()) if plain is None else (plain[1], plain.end())
        found[name[1].lower()] = _unescape(value) if value else value
    return found, _after(text, ">", at)
