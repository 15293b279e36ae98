"""One place that lists distributions, as the process that asks sees it: an index, a folder, a page of links.

Owns what is known of a project there without asking, and the asking.  Which
places there are and which of them decides is for `engine.index.indexes`; pages
are read by workers.
"""

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

import anyio

from engine.errors import EngineError, ProjectNotFound
from engine.index.freshness import HEAD_BYTES, Freshness
from engine.index.pages import Pages
from engine.index.places import has_project
from engine.workers import Workers

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from cache.records import RecordStore
    from engine.index.client import Answer
    from engine.index.reading import AnswerFields, Source

#: For how long an index is taken not to have a project that it did not have.
ABSENT_SECONDS = 600


class Found(NamedTuple):
    """What a place says about a project: where its page is, or None where it has none.

    `certain` where the place has said so just now; `failure` is why a stale page has to do.
    """

    source: "Source | None"
    fresh: bool = True
    certain: bool = True
    failure: EngineError | None = None


class Place(Protocol):
    """An index or a find-links place."""

    async def stored(self, project: "NormalizedName") -> Found | None:
        """Returns what is known without asking, or None."""

    async def ask(self, project: "NormalizedName") -> Found:
        """Returns what the place says now."""


class SimpleIndex:
    """An index on the web."""

    def __init__(self, pages: Pages, records: "RecordStore") -> None:
        self._pages = pages
        self._records = records

    async def stored(self, project: "NormalizedName") -> Found | None:
        key = self._pages.key(project)
        head = None if self._pages.refreshes(project) else self._records.start(key, HEAD_BYTES)
        found = Freshness.unpack(head) if head else None
        if head is None or found is None:
            return None
        # Nothing behind the freshness: the index has said that there is no such project.
        source = ("stored", key) if len(head) > found[1] else None
        return Found(source, fresh=time.time() < found[0].expires, certain=False)

    async def ask(self, project: "NormalizedName") -> Found:
        key = self._pages.key(project)
        try:
            answer = await self._pages.fetch(project)
        except ProjectNotFound:
            self._records.put(key, Freshness(int(time.time()) + ABSENT_SECONDS).pack())
            return Found(None)
        if answer.stored:
            return Found(("stored", key), failure=answer.failure)
        return Found(("answer", key, answer_fields(answer)))


class LocalIndex:
    """An index that is a folder here: what it says is never stored."""

    def __init__(self, place: str) -> None:
        self._place = place

    async def stored(self, project: "NormalizedName") -> Found | None:
        return await self.ask(project)

    async def ask(self, project: "NormalizedName") -> Found:
        return Found(("folder", self._place, project) if has_project(self._place, project) else None)


class FlatPlace:
    """A place that lists files of many projects; it is read once, and a page on the web asked for at most once.

    Args:
        kind: "place" for one that is here, "archive" for a single file, "stored" for a page on the web.
        url: where it is.
        pages: asks for a page on the web.
        workers: read it.
    """

    def __init__(self, kind: str, url: str, pages: Pages, workers: Workers) -> None:
        self._source = (kind, pages.listing_key if kind == "stored" else url)
        self._pages = pages
        self._workers = workers
        self._turn = anyio.Lock()
        self._stored: tuple[bool, dict[str, bytes]] | None = None
        self._looked = False
        self._asked: dict[str, bytes] | None = None
        self._failure: EngineError | None = None

    async def stored(self, project: "NormalizedName") -> Found | None:
        if self._source[0] != "stored" or self._asked is not None or self._pages.refreshes(""):
            return await self.ask(project)
        async with self._turn:
            if not self._looked:
                self._looked = True
                self._stored = await self._workers.choice(0).list_flat(self._source)
        if self._stored is None:
            return None
        fresh, listing = self._stored
        return Found(_packed(listing, project), fresh=fresh, certain=False)

    async def ask(self, project: "NormalizedName") -> Found:
        async with self._turn:
            if self._asked is None:
                self._asked = await self._read()
        return Found(_packed(self._asked, project), failure=self._failure)

    async def _read(self) -> dict[str, bytes]:
        source: Source = self._source
        if source[0] == "stored":
            answer = await self._pages.fetch_listing()
            self._failure = answer.failure
            if not answer.stored:
                source = ("answer", self._pages.listing_key, answer_fields(answer))
        found = await self._workers.choice(0).list_flat(source)
        assert found is not None, "what was just read is there"
        return found[1]


def _packed(listing: dict[str, bytes], project: str) -> "Source | None":
    page = listing.get(project)
    return None if page is None else ("packed", page)


def answer_fields(answer: "Answer") -> "AnswerFields":
    """Returns what a worker needs of an answer."""
    freshness = None if answer.freshness is None else answer.freshness.pack()
    return (answer.url, answer.kind, answer.gzipped, freshness, answer.body)
