"""Reads project pages and chooses wheels from them, in a worker process.

A page is up to some megabytes of JSON, and the process that talks to the network
has better things to do: decompressing, decoding, choosing and storing 93 pages
takes 150 ms of its time just when it opens its connections.

Messages are tuples that `marshal` knows; `engine.workers` makes them.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from packaging.utils import NormalizedName
from packaging.version import Version

from cache.records import RecordStore
from engine.errors import EngineError
from engine.index.choice import Group, choose_among, choose_first_match
from engine.index.compatibility import Target
from engine.index.page import ProjectPage
from engine.index.reading import AnswerFields, PageReader, Source, notes_of, read_answer
from engine.lock.pins import Digest, Pin

#: (name, version text, is `===`, [(hash algorithm, hex)], line, source)
PinFields = tuple[str, str, bool, list[tuple[str, str]], int, str]

#: (tags in order of preference, full version of Python, what to call it)
CompatibleFields = tuple[tuple[str, ...], str, str]

#: ("chosen", fields of Chosen) or ("refused", name of the error, message, hint)
Result = tuple[Any, ...]


class Chooser:
    """Chooses wheels for the pins of a run.

    Args:
        records: the cache's `index-v3` bucket.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._reader = PageReader(records)
        self._sorted: list[tuple[str, bytes]] = []
        self._targets: list[Target] = []

    def know(self, targets: list[CompatibleFields]) -> None:
        """Learns what the environments of the run can use; later messages name them by index."""
        self._targets = [
            Target(tag_priority={tag: rank for rank, tag in enumerate(tags)}, python_full_version=python, describe=text)
            for tags, python, text in targets
        ]

    def choose_stored(self, key: str, wants: list[tuple[PinFields, int]]) -> tuple[bool, list[Result]] | None:
        """Chooses from a page in the cache.

        Args:
            key: of the page's record.
            wants: pins, each with the index of its target.

        Returns:
            Whether the page is fresh, and one result per want; None when the cache has no such page.
        """
        if (found := self._reader.stored(key)) is None:
            return None
        freshness, page = found
        return time.time() < freshness.expires, self._choose(((page,),), wants)

    def choose_answer(
        self,
        key: str,
        project: NormalizedName,
        answer: AnswerFields,
        wants: list[tuple[PinFields, int]],
    ) -> list[Result]:
        """Chooses from what an index has just answered, and keeps the page for `store`.

        Args:
            key: under which to store the page.
            project: whose page it should be.
            answer: URL, media type, whether it is gzipped, packed freshness or None, body.
            wants: pins, each with the index of its target.

        Raises:
            InvalidPage: when the answer is not a page of that project.
        """
        return self._choose(((self._reader.answer(key, project, answer),),), wants)

    def choose_among(
        self, project: NormalizedName, groups: list[list[Source]], wants: list[tuple[PinFields, int]], strategy: str
    ) -> list[Result] | None:
        """Chooses from the pages of several places.

        Args:
            project: whose pages they should be.
            groups: where they are; those of the first index first.
            wants: pins, each with the index of its target.
            strategy: one of `engine.locations.INDEX_STRATEGIES`.

        Returns:
            One result per want; None when a stored page has gone.

        Raises:
            InvalidPage: when one is not a page of that project.
            IndexUnavailable: when a local one cannot be read.
        """
        pages = self._reader.read_all(project, groups)
        if pages is None:
            return None
        return self._choose(pages, wants, first_match=strategy == "unsafe-first-match")

    def sort_answer(self, key: str, project: NormalizedName, answer: AnswerFields) -> bytes:
        """Sorts what an index has just answered by version, and keeps the page for `store`.

        Args:
            key: under which to store the page.
            project: whose page it should be.
            answer: URL, media type, whether it is gzipped, packed freshness or None, body.

        Returns:
            The packed page.

        Raises:
            InvalidPage: when the answer is not a page of that project.
        """
        from engine.index.sorting import sort_page

        packed = sort_page(read_answer(project, answer)).pack()
        if answer[3] is not None:
            self._sorted.append((key, answer[3] + packed))
        return packed

    def list_flat(self, source: Source) -> tuple[bool, dict[str, bytes]] | None:
        """Sorts a place that lists files of many projects.

        Args:
            source: ("place", path or `file:` URL), ("archive", URL), or one of web pages as for `choose_among`.

        Returns:
            Whether it is fresh, and for each project what ("packed", bytes) takes; None when there is no stored page.

        Raises:
            InvalidPage: when it is no page.
            IndexUnavailable: when a local place cannot be read.
        """
        from engine.index import find_links

        fresh = True
        page: ProjectPage | None
        if source[0] == "place":
            page = find_links.read_place(source[1])
        elif source[0] == "archive":
            page = find_links.archive_page(source[1])
        elif source[0] == "answer":
            page = self._reader.answer(source[1], NormalizedName(""), source[2])
        else:
            if (stored := self._reader.stored(source[1])) is None:
                return None
            page = stored[1]
            fresh = time.time() < stored[0].expires
        return fresh, {name: found.pack() for name, found in find_links.by_project(page).items()}

    def store(self) -> None:
        """Stores the pages that were read since the last time; called when the answer has been sent."""
        self._reader.store()
        while self._sorted:
            self._records.put(*self._sorted.pop())

    def _choose(
        self, groups: Sequence[Group], wants: list[tuple[PinFields, int]], *, first_match: bool = False
    ) -> list[Result]:
        choose = choose_first_match if first_match else choose_among
        results: list[Result] = []
        warnings = tuple(warning for group in groups for page in group for warning in page.warnings)
        notes = notes_of(groups)
        for fields, index in wants:
            pin = _pin(fields)
            try:
                choice = choose(groups, pin, self._targets[index], where=pin.where)
            except EngineError as exc:
                results.append(("refused", type(exc).__name__, exc.message, exc.hint))
                continue
            promised = {
                name: text.lower() for name, text in choice.file.hashes.items() if name in hashlib.algorithms_guaranteed
            }
            chosen = (choice.url, choice.filename, choice.file.size, choice.sha256, promised)
            results.append(("chosen", *chosen, (*warnings, *choice.warnings), choice.yanked, notes))
        return results


def _pin(fields: PinFields) -> Pin:
    name, version_text, arbitrary_equality, hashes, line, source = fields
    try:
        version = Version(version_text)
    except ValueError:
        version = None
    return Pin(
        name=NormalizedName(name),
        version_text=version_text,
        version=version,
        arbitrary_equality=arbitrary_equality,
        extras=frozenset(),
        marker=None,
        hashes=tuple(Digest(algorithm=algorithm, hex=text) for algorithm, text in hashes),
        line=line,
        source=source,
    )
