"""The indexes and find-links of a run: where a project is, its pages, and the wheels chosen from them.

Owns the order in which places are asked, what is known of them already, and
which of them decide.  Does not fetch with retries (`engine.index.pages`) and does
not read pages (`engine.index.reading`; for a choice that is `engine.choosing`, in a worker).

Rules: a project that is pinned to an index comes from there and nowhere else; by
default the first index that has a project decides, and those behind it are not
told its name; an index that fails or refuses is an error and never passed over; a
404 is remembered for ten minutes, and what is remembered never leads to a refusal
without being asked again.
"""

import enum
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import anyio

from engine.chosen import Chosen
from engine.credentials import without_credentials
from engine.errors import EngineError, HashMismatch, InvalidPage, NoMatchingDistribution, ProjectNotFound
from engine.index.asking import FlatPlace, Found, LocalIndex, Place, SimpleIndex, answer_fields
from engine.index.freshness import HEAD_BYTES, Freshness
from engine.index.pages import Pages
from engine.index.places import is_local, names_archive
from engine.limits import SORTED_APART_BYTES
from engine.workers import Workers

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from cache.records import RecordStore
    from engine.index.page import ProjectPage
    from engine.index.reading import PageReader, Source
    from engine.index.source import Sources
    from engine.locations import IndexLocation
    from engine.workers import Want

#: Whether fresh is true, and what was chosen: whether that answers the question.
GoodEnough = Callable[[bool, list[Chosen | EngineError]], bool]


#: Makes the pages of an index.
NewPages = Callable[[str, Sequence[int], str], Pages]


class _Trust(enum.Enum):
    """What is believed without asking."""

    STORED = "whatever is stored"
    FRESH = "what is stored and fresh"
    NOTHING = "nothing"


class _Gathered(NamedTuple):
    """What the places of a project say together; `unasked` are the indexes behind the one that decides.

    `failure` is that of the first place whose stale page has to do.
    """

    groups: "list[list[Source]]"
    fresh: bool
    certain: bool
    unasked: "tuple[IndexLocation, ...]"
    failure: EngineError | None


class ProjectPages(NamedTuple):
    """What the places of a project have said.

    `groups` are its pages, those of the first index first and find-links among them; one of them at least has a page.
    `advice` says which indexes were not asked, and how they would be, or is "".  `failure` is why a page that may be
    out of date has to do.
    """

    groups: "list[list[ProjectPage]]"
    advice: str = ""
    failure: EngineError | None = None


class Indexes:
    """Where a run looks for distributions.

    Args:
        sources: the places.
        strategy: one of `engine.locations.INDEX_STRATEGIES`.
        new_pages: makes the pages of an index from its URL, which ends with `/`, from the statuses that mean
            "not here" besides 404, and from the option that names such places.
        records: the cache's `index-v3` bucket.
        workers: the worker processes.
    """

    def __init__(
        self,
        sources: "Sources",
        *,
        strategy: str,
        new_pages: NewPages,
        records: "RecordStore",
        workers: Workers,
    ) -> None:
        self._sources = sources
        self._strategy = strategy
        self._new_pages = new_pages
        self._records = records
        self._workers = workers
        self._pages: dict[str, Pages] = {}
        self._places: dict[str, Place] = {}

    async def choose(
        self, project: "NormalizedName", wants: "list[Want]", good_enough: GoodEnough
    ) -> list[Chosen | EngineError]:
        """Returns a wheel or a refusal for each want, from stored pages or from the indexes.

        Args:
            project: whose wheels are wanted.
            wants: pins, each with the index of what its environment can use.
            good_enough: tells whether nobody has to be asked.

        Raises:
            ProjectNotFound: when no place has the project.
            IndexUnavailable: when an index cannot be reached or refuses.
            InvalidPage: when what it answers is no page of the project.
            Offline: when asking is needed and forbidden.
        """
        indexes = self._sources.of(project)
        if len(indexes) == 1 and not (self._links_of(project) or indexes[0].flat or is_local(indexes[0].url)):
            try:
                return await self._choose_from_one(indexes[0], project, wants, good_enough)
            except ProjectNotFound as exc:
                exc.hint = exc.hint or self._sources.unasked_hint(project)
                raise
        return await self._choose_from_several(project, wants, good_enough)

    async def pages(self, project: "NormalizedName", reader: "PageReader", *, stale: bool = False) -> ProjectPages:
        """Returns the pages of a project, stored ones where they are fresh, and those of the indexes for the rest.

        Args:
            project: whose pages are wanted.
            reader: reads them; it is for the caller to have them stored.
            stale: stored pages do, however old they are.

        Raises:
            ProjectNotFound: when no place has the project.
            IndexUnavailable: when an index cannot be reached or refuses.
            InvalidPage: when what it answers is no page of the project.
            Offline: when asking is needed and forbidden.
        """
        # Twice in the end: a stored page that still holds may turn out to be damaged.
        for trust in (*([_Trust.STORED] if stale else []), _Trust.FRESH, _Trust.NOTHING, _Trust.NOTHING):
            gathered = await self._gather(project, trust)
            if gathered is None:
                continue
            groups = await self._sorted_apart(project, gathered.groups) if reader.sorts else gathered.groups
            pages = reader.read_all(project, groups)
            if pages is None:
                self._forget_damaged(gathered, reader)
            elif any(pages):
                return ProjectPages(pages, _unasked_advice(gathered.unasked), gathered.failure)
            elif gathered.certain:
                raise gathered.failure or self._not_found(project)
        raise InvalidPage(f"the stored pages of {project} vanish again and again")

    async def _sorted_apart(self, project: "NormalizedName", groups: "list[list[Source]]") -> "list[list[Source]]":
        """Has large pages that have just come read and sorted by a worker, beside this process."""
        return [
            [
                ("packed", await self._workers.choice(len(source[2][-1])).sort_answer(source[1], project, source[2]))
                if source[0] == "answer" and len(source[2][-1]) >= SORTED_APART_BYTES
                else source
                for source in group
            ]
            for group in groups
        ]

    def _forget_damaged(self, gathered: _Gathered, reader: "PageReader") -> None:
        """Sees to it that pages which cannot be read are asked for without their validators."""
        for source in (source for group in gathered.groups for source in group):
            if source[0] == "stored" and reader.stored(source[1]) is None:
                self._records.put(source[1], b"")

    def fresh_until(self, project: "NormalizedName") -> float:
        """Returns until when what was found out about a project need not be asked for again, in seconds of the epoch.

        Args:
            project: one whose pages have been read.

        Returns:
            0 where nothing of that is stored, as with a folder.
        """
        until = float("inf")
        if self._links_of(project):
            return 0
        for index in self._sources.of(project):
            if index.flat or is_local(index.url):
                return 0
            head = self._records.start(self._pages_of(index).key(project), HEAD_BYTES)
            found = Freshness.unpack(head) if head else None
            if head is None or found is None:
                return 0
            until = min(until, found[0].expires)
            if self._strategy == "first-index" and len(head) > found[1]:
                break
        return until

    def _links_of(self, project: "NormalizedName") -> "tuple[IndexLocation, ...]":
        return () if project in self._sources.pinned else self._sources.find_links

    async def _choose_from_one(
        self, index: "IndexLocation", project: "NormalizedName", wants: "list[Want]", good_enough: GoodEnough
    ) -> list[Chosen | EngineError]:
        pages = self._pages_of(index)
        key = pages.key(project)
        if self._records.has(key) and not pages.refreshes(project):
            stored = await self._workers.choice(0).choose_stored(key, wants)
            if stored is not None and good_enough(*stored):
                return stored[1]
        answer = await pages.fetch(project)
        if answer.stored:
            stored = await self._workers.choice(0).choose_stored(key, wants)
            if stored is not None:
                return _or_failure(stored[1], answer.failure)
            answer = await pages.fetch(project, anew=True)
        return await self._workers.choice(len(answer.body)).choose_answer(key, project, answer_fields(answer), wants)

    def _pages_of(self, index: "IndexLocation") -> Pages:
        url = index.url.rstrip("/") + "/"
        if (pages := self._pages.get(url)) is None:
            pages = self._pages[url] = self._new_pages(url, index.ignored_statuses, index.option)
        return pages

    # -- several places ------------------------------------------------------

    async def _choose_from_several(
        self, project: "NormalizedName", wants: "list[Want]", good_enough: GoodEnough
    ) -> list[Chosen | EngineError]:
        chosen = None
        for trust in _Trust:
            gathered = await self._gather(project, trust)
            if gathered is None or (chosen := await self._choose_among(project, gathered, wants)) is None:
                continue
            if gathered.certain or (trust is _Trust.STORED and good_enough(gathered.fresh, chosen)):
                break
            if trust is _Trust.FRESH and not any(isinstance(choice, EngineError) for choice in chosen):
                break
        assert gathered is not None and chosen is not None, "places that were asked have answered"
        if not any(gathered.groups):
            raise gathered.failure or self._not_found(project)
        _advise(chosen, gathered.unasked)
        return _or_failure(chosen, gathered.failure)

    async def _choose_among(
        self, project: "NormalizedName", gathered: _Gathered, wants: "list[Want]"
    ) -> list[Chosen | EngineError] | None:
        if not any(gathered.groups):
            return [ProjectNotFound("") for _ in wants]
        weight = sum(len(source[-1][-1]) for group in gathered.groups for source in group if source[0] == "answer")
        return await self._workers.choice(weight).choose_among(project, gathered.groups, wants, self._strategy)

    async def _gather(self, project: "NormalizedName", trust: _Trust) -> _Gathered | None:
        """Returns where the pages of a project are; None when that is not known without asking and `trust` forbids it.

        Find-links stand with the first index that has the project.
        """
        links = await self._look_at_all(self._links_of(project), project, trust)
        if links is None:
            return None
        found = await self._look_in_order(project, trust)
        if found is None:
            return None
        # Where the first index decides, the last answer is the one that decided.
        unasked = self._sources.of(project)[len(found) :]
        groups = [[one.source] for one in found if one.source is not None] or [[]]
        groups[0][:0] = [one.source for one in links if one.source is not None]
        both = [*links, *found]
        fresh, certain = all(one.fresh for one in both), all(one.certain for one in both)
        return _Gathered(groups, fresh, certain, unasked, next((one.failure for one in both if one.failure), None))

    async def _look_in_order(self, project: "NormalizedName", trust: _Trust) -> list[Found] | None:
        """Asks the indexes of a project, under `first-index` up to the first that has it."""
        indexes = self._sources.of(project)
        if self._strategy != "first-index":
            return await self._look_at_all(indexes, project, trust)
        found: list[Found] = []
        for index in indexes:
            one = await self._look(index, project, trust)
            if one is None:
                return None
            found.append(one)
            if one.source is not None:
                break
        return found

    async def _look_at_all(
        self, places: "Sequence[IndexLocation]", project: "NormalizedName", trust: _Trust
    ) -> list[Found] | None:
        """Asks several places at once; the answers are in the order of the places."""
        found: list[Found | EngineError | None] = [None] * len(places)

        async def look(number: int) -> None:
            try:
                found[number] = await self._look(places[number], project, trust)
            except EngineError as exc:
                found[number] = exc

        async with anyio.create_task_group() as group:
            for number in range(len(places)):
                group.start_soon(look, number)
        for one in found:
            if isinstance(one, EngineError):
                raise one
        known = [one for one in found if isinstance(one, Found)]
        return known if len(known) == len(found) else None

    async def _look(self, location: "IndexLocation", project: "NormalizedName", trust: _Trust) -> Found | None:
        place = self._place(location)
        if trust is not _Trust.NOTHING:
            stored = await place.stored(project)
            if trust is _Trust.STORED or (stored is not None and stored.fresh):
                return stored
        return await place.ask(project)

    def _place(self, location: "IndexLocation") -> Place:
        key = f"{location.flat:d} {location.url}"
        if (place := self._places.get(key)) is None:
            local = is_local(location.url)
            if location.flat:
                kind = "place" if local else "archive" if names_archive(location.url) else "stored"
                place = FlatPlace(kind, location.url, self._new_pages(location.url, (), location.option), self._workers)
            else:
                place = LocalIndex(location.url) if local else SimpleIndex(self._pages_of(location), self._records)
            self._places[key] = place
        return place

    def _not_found(self, project: "NormalizedName") -> ProjectNotFound:
        indexes = self._sources.of(project)
        places = [without_credentials(place.url) for place in (*self._links_of(project), *indexes)]
        if not places:
            return ProjectNotFound(
                f"there is nowhere to look for {project}: --no-index forbids to ask an index",
                hint="name a folder or a page with --find-links",
            )
        names = " and ".join(places)
        hint = self._sources.unasked_hint(project)
        if not indexes:
            hint = "--no-index forbids to ask an index, [sources] too; add a place that has it with --find-links"
        return ProjectNotFound(f"{names} {'has' if len(places) == 1 else 'have'} no project {project}", hint=hint)


def _or_failure(chosen: list[Chosen | EngineError], failure: EngineError | None) -> list[Chosen | EngineError]:
    """Returns what was chosen from a page that is stale because of a failure; a page that says no may be too old."""
    return chosen if failure is None else [failure if isinstance(choice, EngineError) else choice for choice in chosen]


def _advise(chosen: list[Chosen | EngineError], unasked: "tuple[IndexLocation, ...]") -> None:
    """Says in refusals that there are indexes which were not asked."""
    if not (advice := _unasked_advice(unasked)):
        return
    for choice in chosen:
        if isinstance(choice, NoMatchingDistribution | HashMismatch):
            choice.hint = f"{choice.hint}; {advice}" if choice.hint else advice


def _unasked_advice(unasked: "tuple[IndexLocation, ...]") -> str:
    """Returns which indexes were not asked, and how they would be, or ""."""
    if not unasked:
        return ""
    names = " and ".join(without_credentials(index.url) for index in unasked)
    return (
        f"{names} {'was' if len(unasked) == 1 else 'were'} not asked, because the first index that has a project "
        "decides; --index-strategy unsafe-best-match takes the best of all, which trusts every one of them"
    )
