"""The versions of projects, as the indexes of a run list them.

Owns when a page is read and that it is read once.  Where pages are is found by
`engine.index.indexes`, what they say by `engine.solving.versions`.
"""

from collections.abc import Mapping

from anyio.abc import TaskGroup
from packaging.utils import NormalizedName

from engine.errors import ConfigurationError, ProjectNotFound
from engine.index.indexes import Indexes
from engine.index.reading import PageReader
from engine.recording import Recorder, timed
from engine.solving.single_flight import SingleFlight
from engine.solving.versions import ProjectListing, list_versions, unlisted
from resolver.availability import Policy


class Listings:
    """The listings of one run.

    Args:
        group: owns what is under way.
        indexes: where the run looks.
        reader: reads pages; of the same records as `indexes`.
        policy: what the run allows of files.
        tag_priority: maps the target's tags to their rank, 0 the best; None where any wheel fits.
        strategy: one of `engine.locations.INDEX_STRATEGIES`.
        offline: stored pages do, however old they are.
        recorder: learns what took time, or None.
    """

    def __init__(
        self,
        group: TaskGroup,
        *,
        indexes: Indexes,
        reader: PageReader,
        policy: Policy,
        tag_priority: Mapping[str, int] | None,
        strategy: str = "first-index",
        offline: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        self._indexes = indexes
        self._reader = reader
        self._policy = policy
        self._tag_priority = tag_priority
        self._strategy = strategy
        self._offline = offline
        self._recorder = recorder
        self._flights: SingleFlight[NormalizedName, ProjectListing] = SingleFlight(group)
        self._known: dict[NormalizedName, ProjectListing] = {}

    async def listing(self, project: NormalizedName) -> ProjectListing:
        """Returns the versions of a project; where no place has it, there are none.

        Args:
            project: whose versions are wanted.

        Raises:
            IndexUnavailable: when an index cannot be reached or refuses.
            InvalidPage: when what it answers is no page of the project.
            Offline: when asking is needed and forbidden.
            ConfigurationError: when several indexes have it and the strategy is one that a resolution cannot follow.
        """
        known = self._known.get(project)
        if known is None:
            known = self._known[project] = await self._flights.do(project, lambda: self._list(project))
        return known

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The projects whose versions were listed."""
        return tuple(self._known)

    def fresh_until(self) -> float:
        """Returns until when nobody has to be asked again for what was listed, in seconds of the epoch."""
        return min(map(self._indexes.fresh_until, self._known), default=float("inf"))

    async def _list(self, project: NormalizedName) -> ProjectListing:
        try:
            found = await self._indexes.pages(project, self._reader, stale=self._offline)
        except ProjectNotFound as exc:
            return unlisted(project, self._policy, "was not found in the index", exc)
        groups = found.groups
        if self._strategy == "unsafe-first-match" and sum(map(bool, groups)) > 1:
            raise ConfigurationError(
                f"{project} is on several indexes, and --index-strategy unsafe-first-match is for locks alone",
                hint="use first-index or unsafe-best-match",
            )
        with timed(self._recorder, "list", project):
            listing = list_versions(
                project, groups, self._policy, self._tag_priority, advice=found.advice, failure=found.failure
            )
        self._reader.store()
        return listing
