"""Reads project pages, wherever they are: in the cache, in an index's answer, in a folder.

Owns the ways in which one process tells another where a page is.  Does not ask
(`engine.index.asking`) and does not choose; what is in a page is read by
`engine.index.page`.  Runs in a worker for a sync, and in the process that resolves.

Rules: the content of a body is bounded, compressed or not; a record that is damaged
is a miss; what was read is stored when the reader is told to, after the answer is out.
"""

from collections.abc import Sequence
from typing import Any

from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.credentials import without_credentials
from engine.errors import InvalidPage
from engine.index.freshness import Freshness
from engine.index.page import ProjectPage
from engine.limits import PAGE_BYTES

try:
    from isal import isal_zlib as zlib_
except ImportError:
    import zlib as zlib_  # type: ignore[no-redef]

_DECOMPRESSION_ERROR: type[Exception] = zlib_.error  # type: ignore[assignment,unused-ignore]  # its stub says otherwise

#: Where a page is: ("stored", key), ("packed", bytes of one), ("folder", local index, project)
#: or ("answer", key, what an index has just answered).
Source = tuple[Any, ...]

#: URL, media type, whether it is gzipped, packed freshness or None where it must not be stored, body.
AnswerFields = tuple[str, str, bool, bytes | None, bytes]

#: How many notes about one project are passed on.
_MOST_NOTES = 10


class PageReader:
    """Reads pages, and keeps those that the cache should have.

    Args:
        records: the cache's `index-v3` bucket.
        sorts: pages are sorted by version, for who needs many versions of a project.
    """

    def __init__(self, records: RecordStore, *, sorts: bool = False) -> None:
        self._records = records
        self.sorts = sorts
        self._unstored: list[tuple[str, bytes, ProjectPage]] = []

    def read_all(self, project: NormalizedName, groups: Sequence[Sequence[Source]]) -> list[list[ProjectPage]] | None:
        """Reads the pages of several places.

        Args:
            project: whose pages they should be.
            groups: where they are; those of the first index first.

        Returns:
            The pages in the same order; None when a stored one has gone, or is damaged.

        Raises:
            InvalidPage: when one is not a page of that project.
            IndexUnavailable: when a local one cannot be read.
        """
        pages: list[list[ProjectPage]] = []
        for group in groups:
            pages.append([])
            for source in group:
                if (page := self.read(project, source)) is None:
                    return None
                pages[-1].append(page)
        return pages

    def read(self, project: NormalizedName, source: Source) -> ProjectPage | None:
        """Reads one page; returns None and raises as `read_all` does."""
        kind = source[0]
        if kind == "answer":
            return self.answer(source[1], project, source[2])
        if kind == "packed":
            return ProjectPage.unpack(source[1])
        if kind == "folder":
            from engine.index.find_links import read_project

            return read_project(source[1], source[2])
        found = self.stored(source[1])
        return None if found is None else found[1]

    def answer(self, key: str, project: NormalizedName, answer: AnswerFields) -> ProjectPage:
        """Reads what an index has just answered, and keeps the page for `store`.

        Args:
            key: under which to store the page.
            project: whose page it should be; "" for one that lists files of many.
            answer: as the index gave it.

        Raises:
            InvalidPage: when it is not a page of that project.
        """
        page, freshness = read_answer(project, answer), answer[3]
        if self.sorts:
            from engine.index.sorting import sort_page

            page = sort_page(page)
        if freshness is not None:
            self._unstored.append((key, freshness, page))
        return page

    def store(self) -> None:
        """Stores the pages that were read since the last time; called when the answer has been sent."""
        while self._unstored:
            key, freshness, page = self._unstored.pop()
            self._records.put(key, freshness + page.pack())

    def stored(self, key: str) -> tuple[Freshness, ProjectPage] | None:
        """Returns a page of the cache, or None on a miss; a record without a page says that there is none."""
        data = self._records.get(key)
        head = Freshness.unpack(data) if data is not None else None
        if data is None or head is None or head[1] == len(data):
            return None
        page = ProjectPage.unpack(data[head[1] :])
        return None if page is None else (head[0], page)


def read_answer(project: NormalizedName, answer: AnswerFields) -> ProjectPage:
    """Reads what an index has just answered.

    Args:
        project: whose page it should be; "" for one that lists files of many.
        answer: as the index gave it.

    Raises:
        InvalidPage: when it is not a page of that project.
    """
    url, kind, gzipped, _, body = answer
    shown = without_credentials(url)
    if gzipped:
        body = _decompress(body, shown)
    if kind.endswith("json"):
        return ProjectPage.from_json(body, url, project)
    if kind.endswith("html"):
        return ProjectPage.from_html(body, url, project)
    hint = "check --index-url, --index and --extra-index-url" if project else "check --find-links"
    raise InvalidPage(f"{shown} answered with {kind}, which is no project page", hint=hint)


def notes_of(groups: Sequence[Sequence[ProjectPage]]) -> tuple[str, ...]:
    """Returns what a user who asks for more is told about pages: a status (PEP 792), and what was left out of them."""
    notes = []
    for page in (page for group in groups for page in group):
        if page.status != "active":
            notes.append(f"{page.index}: the project is {page.status_words}")
        notes += [f"{page.index}: {note}" for note in page.notes[:_MOST_NOTES]]
        if len(page.notes) > _MOST_NOTES:
            notes.append(f"{page.index}: and {len(page.notes) - _MOST_NOTES} more notes")
    return tuple(notes)


def _decompress(body: bytes, shown: str) -> bytes:
    """Returns the content of a gzip body, bounded."""
    decompressor = zlib_.decompressobj(31)
    try:
        data: bytes = decompressor.decompress(body, PAGE_BYTES + 1)
    except _DECOMPRESSION_ERROR as exc:
        raise InvalidPage(f"{shown}: damaged gzip body") from exc
    if len(data) > PAGE_BYTES:
        raise InvalidPage(f"{shown} is larger than {PAGE_BYTES >> 20} MiB")
    if not decompressor.eof:
        raise InvalidPage(f"{shown}: truncated gzip body")
    return data
