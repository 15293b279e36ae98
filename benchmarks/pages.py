"""Turns a project page of any index into the JSON page that the local mirror serves.

PURE.  Owns the reading of HTML and JSON pages, as far as a mirror needs it, and the writing of JSON; it fetches nothing
and judges nothing.

Rules: file URLs lead back to the mirror; every wheel's metadata is announced, because the mirror can always serve it;
hashes, Requires-Python and yanks are passed on.

Source: "Simple repository API", base HTML and JSON serialisations.
"""

import html.parser
import json
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

JSON_PAGE = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON_PAGE}, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One distribution of a project, and where the index has it."""

    filename: str
    url: str
    hashes: dict[str, str] = field(default_factory=dict)
    requires_python: str | None = None
    yanked: bool | str = False
    more: dict[str, Any] = field(default_factory=dict)


def read_page(body: bytes, content_type: str, url: str) -> list[File]:
    """Returns the files of a page.

    Args:
        body: the page.
        content_type: what the index called it.
        url: where it came from; links are relative to it.
    """
    if "json" in content_type:
        return _read_json(json.loads(body), url)
    reader = _AnchorReader(url)
    reader.feed(body.decode("utf-8"))
    reader.close()
    return reader.files


def _read_json(page: dict[str, Any], url: str) -> list[File]:
    return [
        File(
            filename=entry["filename"],
            url=urllib.parse.urljoin(url, entry["url"]),
            hashes=entry.get("hashes", {}),
            requires_python=entry.get("requires-python"),
            yanked=entry.get("yanked", False),
            more={key: entry[key] for key in ("size", "upload-time") if entry.get(key) is not None},
        )
        for entry in page["files"]
    ]


class _AnchorReader(html.parser.HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.files: list[File] = []
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        target = found.get("href")
        if tag == "base" and target:
            self._base = urllib.parse.urljoin(self._base, target)
        if tag != "a" or not target:
            return
        url, fragment = urllib.parse.urldefrag(urllib.parse.urljoin(self._base, target))
        algorithm, _, digest = fragment.partition("=")
        self.files.append(
            File(
                filename=urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2]),
                url=url,
                hashes={algorithm: digest} if digest else {},
                requires_python=found.get("data-requires-python"),
                yanked=(found["data-yanked"] or True) if "data-yanked" in found else False,
            )
        )


def write_page(project: str, files: list[File]) -> bytes:
    """Returns the page that the mirror serves for a project, as JSON."""
    entries: list[dict[str, Any]] = []
    for file in files:
        entry: dict[str, Any] = {
            "filename": file.filename,
            "url": f"/files/{project}/{urllib.parse.quote(file.filename)}",
            "hashes": file.hashes,
            **file.more,
        }
        if file.requires_python is not None:
            entry["requires-python"] = file.requires_python
        if file.yanked:
            entry["yanked"] = file.yanked
        if file.filename.endswith(".whl"):
            entry["core-metadata"] = True
        entries.append(entry)
    page = {"meta": {"api-version": "1.1"}, "name": project, "files": entries}
    return json.dumps(page, separators=(",", ":")).encode()
